// The provider of the Vercel AI SDK, under the SDK itself.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { generateObject, generateText, jsonSchema, stepCountIs, streamText, tool } from 'ai';
import { xynergyProvider } from 'xynergy/ai-sdk';
import { fakeProvider, useSandbox } from 'xynergy/testing';

import { clientOf, throws } from './support.mjs';

const CALLS = { choices: [{ index: 0, message: { role: 'assistant', content: null, tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } }] }, finish_reason: 'tool_calls' }], usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 } };
const weather = tool({ description: 'The weather', inputSchema: jsonSchema({ type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }), execute: async ({ city }) => ({ city, degrees: 21 }) });

test('generateText answers against the sandbox', async (t) => {
  const { client } = await useSandbox(t);
  const xynergy = xynergyProvider(client.scope({ tenant: 'acme' }));
  const { text, usage, finishReason, providerMetadata, warnings } = await generateText({ model: xynergy(), prompt: 'hello' });
  assert.match(text, /^You asked: hello\./);
  assert.equal(finishReason, 'stop');
  assert.ok(usage.inputTokens > 0 && usage.outputTokens > 0);
  assert.equal(providerMetadata.xynergy.cost_nano_usd, '1000000');
  assert.deepEqual(warnings, []);
  assert.equal((await client.scope({ tenant: 'acme' }).ai.spend()).requests, 1);
});

test('streamText streams against the sandbox', async (t) => {
  const { client } = await useSandbox(t);
  const result = streamText({ model: xynergyProvider(client)('gpt-4o-mini'), system: 'Be short.', messages: [{ role: 'user', content: 'hello' }] });
  let text = '';
  for await (const delta of result.textStream) text += delta;
  assert.match(text, /^You asked: hello\./);
  assert.equal(await result.finishReason, 'stop');
  assert.ok((await result.totalUsage).outputTokens > 0);
  assert.equal((await result.providerMetadata).xynergy.outcome, 'complete');
});

test('tools are called, and their results sent back', async () => {
  const provider = fakeProvider(CALLS, 'It is 21 degrees.');
  const { text, steps } = await generateText({ model: xynergyProvider(clientOf(provider))(), prompt: 'The weather in Paris?', tools: { weather }, stopWhen: stepCountIs(3) });
  assert.equal(text, 'It is 21 degrees.');
  assert.deepEqual(steps[0].toolResults.map(({ output }) => output), [{ city: 'Paris', degrees: 21 }]);
  const [first, second] = provider.requests;
  assert.equal(first.tools[0].function.name, 'weather');
  assert.deepEqual(second.messages.map(({ role }) => role), ['user', 'assistant', 'tool']);
  assert.equal(second.messages[2].content, '{"city":"Paris","degrees":21}');
});

test('tools are called from a stream', async () => {
  const provider = { ...fakeProvider('x'), async *stream(ctx, request) {
    if (request.messages.length > 1) { yield 'It is 21 degrees.'; return; }
    yield { choices: [{ index: 0, delta: { tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'weather', arguments: '' } }] } }] };
    for (const piece of ['{"ci', 'ty":"Par', 'is"}']) yield { choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: piece } }] } }] };
    yield { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] };
  } };
  const result = streamText({ model: xynergyProvider(clientOf(provider))(), prompt: 'The weather in Paris?', tools: { weather }, stopWhen: stepCountIs(3) });
  assert.equal(await result.text, 'It is 21 degrees.');
  assert.deepEqual((await result.steps)[0].toolCalls.map(({ input }) => input), [{ city: 'Paris' }]);
});

test('objects, images and settings are passed on', async () => {
  const provider = fakeProvider('{"name":"Ann"}');
  const model = xynergyProvider(clientOf(provider)).languageModel('');
  const schema = jsonSchema({ type: 'object', properties: { name: { type: 'string' } }, required: ['name'], additionalProperties: false });
  assert.deepEqual((await generateObject({ model, schema, prompt: 'Who?', temperature: 0, maxOutputTokens: 32, providerOptions: { xynergy: { tags: ['a'] } } })).object, { name: 'Ann' });
  const [request] = provider.requests;
  assert.equal(request.response_format.type, 'json_schema');
  assert.deepEqual([request.temperature, request.max_tokens], [0, 32]);
  await generateText({ model, messages: [{ role: 'user', content: [{ type: 'text', text: 'What is it?' }, { type: 'image', image: new Uint8Array([137, 80, 78, 71]) }] }] });
  assert.match(provider.requests[1].messages[0].content[1].image_url.url, /^data:image\/png;base64,iVBORw==$/);
});

test('an abort and an error reach the SDK', async () => {
  const slow = clientOf({ chat: () => new Promise(() => {}) });
  await assert.rejects(generateText({ model: xynergyProvider(slow)(), prompt: 'x', abortSignal: AbortSignal.timeout(20) }), { kind: 'cancelled' });
  const broken = clientOf({ chat: () => 'x', async *stream() { yield 'One '; throw new Error('boom'); } });
  const seen = [];
  const result = streamText({ model: xynergyProvider(broken)(), prompt: 'x', onError: ({ error }) => seen.push(error) });
  let text = '';
  for await (const delta of result.textStream) text += delta;
  assert.equal(text, 'One ');
  assert.match(seen[0].message, /boom/);
});

test('what is no client is refused', () => throws(() => xynergyProvider({}), 'invalid_input', 'client'));
