'use strict';

const { XynergyError, invalid } = require('./errors.cjs');
const { toRequest } = require('./ai-sdk-request.cjs');

/**
 * A provider for the Vercel AI SDK (version 3 of its provider interface): `generateText({ model: xynergyProvider(client)('gpt-4o-mini') })`.
 * Without a model id the router chooses.
 */

const FINISH = { stop: 'stop', length: 'length', content_filter: 'content-filter', tool_calls: 'tool-calls', function_call: 'tool-calls', error: 'error' };

function finishOf(raw) {
  return { unified: FINISH[raw] ?? 'other', raw: raw ?? undefined };
}

function usageOf(usage) {
  const cached = usage?.prompt_tokens_details?.cached_tokens;
  const reasoning = usage?.completion_tokens_details?.reasoning_tokens;
  const less = (total, part) => (total === undefined || part === undefined ? total : total - part);
  return {
    inputTokens: {
      total: usage?.prompt_tokens,
      noCache: less(usage?.prompt_tokens, cached),
      cacheRead: cached,
      cacheWrite: undefined,
    },
    outputTokens: {
      total: usage?.completion_tokens,
      text: less(usage?.completion_tokens, reasoning),
      reasoning,
    },
    raw: usage ?? undefined,
  };
}

/** What the library reports of the call, as JSON. */
function metadataOf({ xynergy, outcome }) {
  return { xynergy: JSON.parse(JSON.stringify({ ...xynergy, outcome: outcome ?? null }, textOfBig)) };
}

function textOfBig(_, value) {
  return typeof value === 'bigint' ? value.toString() : value;
}

function responseOf({ id, model, created }) {
  const timestamp = typeof created === 'number' ? new Date(created * 1000) : undefined;
  return { id, modelId: model, ...(timestamp && { timestamp }) };
}

function textOf(content) {
  if (typeof content === 'string') return content;
  return (content ?? []).map((part) => part.text ?? '').join('');
}

class LanguageModel {
  specificationVersion = 'v3';
  provider = 'xynergy';
  supportedUrls = { 'image/*': [/^https?:\/\/.+$/] };
  #client;

  constructor(client, modelId) {
    this.#client = client;
    this.modelId = modelId;
  }

  async doGenerate(options) {
    const { request, warnings } = toRequest(this.modelId, options);
    const response = await this.#client.ai.chat(request, { signal: options.abortSignal });
    const { message, finish_reason: finish } = response.choices[0];
    const content = [];
    const text = textOf(message.content);
    if (text !== '') content.push({ type: 'text', text });
    for (const call of message.tool_calls ?? []) {
      content.push({ type: 'tool-call', toolCallId: call.id, toolName: call.function.name, input: call.function.arguments });
    }
    return {
      content,
      finishReason: finishOf(finish),
      usage: usageOf(response.usage),
      providerMetadata: metadataOf(response),
      request: { body: request },
      response: { ...responseOf(response), body: JSON.parse(JSON.stringify(response)) },
      warnings,
    };
  }

  async doStream(options) {
    const { request, warnings } = toRequest(this.modelId, options);
    const chunks = await this.#client.ai.stream(request, { signal: options.abortSignal }).open();
    return {
      stream: ReadableStream.from(parts(chunks, warnings, options.includeRawChunks === true)),
      request: { body: request },
    };
  }
}

/** The pieces of an answer as the SDK's parts. */
async function* parts(chunks, warnings, withRaw) {
  yield { type: 'stream-start', warnings };
  const text = { id: '0', isOpen: false };
  const calls = new Map();
  let finish;
  let last = {};
  let isFirst = true;
  try {
    for await (const chunk of chunks) {
      if (withRaw) yield { type: 'raw', rawValue: chunk };
      if (isFirst) yield { type: 'response-metadata', ...responseOf(chunk) };
      isFirst = false;
      if (chunk.usage || chunk.xynergy) last = { ...last, ...chunk };
      const choice = chunk.choices[0];
      if (choice === undefined) continue;
      finish = choice.finish_reason ?? finish;
      yield* textParts(text, textOf(choice.delta.content));
      yield* callParts(calls, choice.delta.tool_calls ?? []);
    }
  } catch (error) {
    yield { type: 'error', error };
    finish = 'error';
  }
  if (text.isOpen) yield { type: 'text-end', id: text.id };
  for (const call of calls.values()) {
    yield { type: 'tool-input-end', id: call.id };
    if (finish !== 'error') yield { type: 'tool-call', toolCallId: call.id, toolName: call.name, input: call.input || '{}' };
  }
  const providerMetadata = last.xynergy ? metadataOf(last) : undefined;
  yield { type: 'finish', finishReason: finishOf(finish), usage: usageOf(last.usage), ...(providerMetadata && { providerMetadata }) };
}

function* textParts(text, delta) {
  if (delta === '') return;
  if (!text.isOpen) yield { type: 'text-start', id: text.id };
  text.isOpen = true;
  yield { type: 'text-delta', id: text.id, delta };
}

function* callParts(calls, deltas) {
  for (const { index = 0, id, function: named = {} } of deltas) {
    let call = calls.get(index);
    if (call === undefined) {
      call = { id: id ?? `call_${index}`, name: named.name ?? '', input: '' };
      calls.set(index, call);
      yield { type: 'tool-input-start', id: call.id, toolName: call.name };
    }
    const delta = named.arguments ?? '';
    call.input += delta;
    if (delta !== '') yield { type: 'tool-input-delta', id: call.id, delta };
  }
}

/** The provider of a client, or of a scope of it. */
function xynergyProvider(client) {
  if (typeof client?.ai?.chat !== 'function') throw invalid('ai-sdk', 'client: give a Client or a scope of one');
  const languageModel = (modelId = '') => {
    if (typeof modelId !== 'string') throw invalid('ai-sdk', 'modelId: give a text, or nothing to let the router choose');
    return new LanguageModel(client, modelId);
  };
  const none = (what) => (modelId) => {
    throw new XynergyError(`${modelId}: there are no ${what} here`, { kind: 'unsupported', operation: 'ai-sdk' });
  };
  return Object.assign((modelId) => languageModel(modelId), {
    specificationVersion: 'v3',
    languageModel,
    embeddingModel: none('embedding models'),
    imageModel: none('image models'),
  });
}

module.exports = { xynergyProvider };
