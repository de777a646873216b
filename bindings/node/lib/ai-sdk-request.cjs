'use strict';

const { invalid } = require('./errors.cjs');

/** The Vercel AI SDK's options of a call as a chat request, and warnings of what has no place in one. */
function toRequest(modelId, options) {
  const warnings = [];
  const request = { messages: options.prompt.flatMap((message) => toMessages(message)) };
  const put = (name, value) => {
    if (value !== undefined) request[name] = value;
  };
  if (modelId !== '') request.model = modelId;
  put('max_tokens', options.maxOutputTokens);
  put('temperature', options.temperature);
  put('top_p', options.topP);
  put('presence_penalty', options.presencePenalty);
  put('frequency_penalty', options.frequencyPenalty);
  put('stop', options.stopSequences);
  put('seed', options.seed);
  if (options.topK !== undefined) warnings.push({ type: 'unsupported', feature: 'topK' });
  if (options.responseFormat?.type === 'json') request.response_format = toFormat(options.responseFormat);
  const tools = [];
  for (const tool of options.tools ?? []) {
    if (tool.type === 'function') tools.push(toTool(tool));
    else warnings.push({ type: 'unsupported', feature: `provider-defined tool ${tool.id}` });
  }
  if (tools.length > 0) {
    request.tools = tools;
    if (options.toolChoice !== undefined) request.tool_choice = toChoice(options.toolChoice);
  }
  // Cache, tags and the like: `providerOptions: { xynergy: { cache: false } }`.
  const own = options.providerOptions?.xynergy;
  if (own !== undefined) request.xynergy = own;
  return { request, warnings };
}

function toFormat({ schema, name, description }) {
  if (schema === undefined) return { type: 'json_object' };
  return { type: 'json_schema', json_schema: { name: name ?? 'response', schema, ...(description && { description }) } };
}

function toTool({ name, description, inputSchema, strict }) {
  return {
    type: 'function',
    function: { name, parameters: inputSchema, ...(description && { description }), ...(strict !== undefined && { strict }) },
  };
}

function toChoice(choice) {
  return choice.type === 'tool' ? { type: 'function', function: { name: choice.toolName } } : choice.type;
}

function toMessages({ role, content }) {
  switch (role) {
    case 'system':
      return [{ role, content }];
    case 'user':
      return [{ role, content: toUserContent(content) }];
    case 'assistant':
      return [toAssistant(content)];
    case 'tool':
      return content.filter((part) => part.type === 'tool-result').map(toToolResult);
    default:
      throw invalid('ai-sdk', `prompt: ${role} is no role that can be sent`);
  }
}

function toUserContent(parts) {
  if (parts.every((part) => part.type === 'text')) return parts.map((part) => part.text).join('');
  return parts.map((part) => {
    if (part.type === 'text') return { type: 'text', text: part.text };
    if (!part.mediaType.startsWith('image/')) throw invalid('ai-sdk', `prompt: files of ${part.mediaType} cannot be sent; give images or text`);
    return { type: 'image_url', image_url: { url: toUrl(part) } };
  });
}

function toUrl({ data, mediaType }) {
  if (data instanceof URL) return data.href;
  const base64 = typeof data === 'string' ? data : Buffer.from(data).toString('base64');
  return `data:${mediaType === 'image/*' ? 'image/jpeg' : mediaType};base64,${base64}`;
}

function toAssistant(parts) {
  const text = parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
  const calls = parts
    .filter((part) => part.type === 'tool-call')
    .map((part) => ({
      id: part.toolCallId,
      type: 'function',
      function: { name: part.toolName, arguments: typeof part.input === 'string' ? part.input : JSON.stringify(part.input) },
    }));
  return { role: 'assistant', content: text === '' && calls.length > 0 ? null : text, ...(calls.length > 0 && { tool_calls: calls }) };
}

function toToolResult({ toolCallId, output }) {
  return { role: 'tool', tool_call_id: toolCallId, content: toResultText(output) };
}

function toResultText(output) {
  switch (output.type) {
    case 'text':
    case 'error-text':
      return output.value;
    case 'execution-denied':
      return output.reason ?? 'The tool was not allowed to run.';
    default:
      return JSON.stringify(output.value);
  }
}

module.exports = { toRequest };
