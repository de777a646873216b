// The openai package's calls, against it and against us, on the same upstream.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import OpenAI from 'openai';
import { Client } from 'xynergy';
import { useSandbox } from 'xynergy/testing';

import { rejects, says } from './support.mjs';

/** Both, talking to the same stand-in of OpenAI. */
async function both(t) {
  const { sandbox } = await useSandbox(t);
  const key = sandbox.secrets.XYNERGY_SANDBOX_KEY;
  const provider = { ...sandbox.config.ai.providers.openai };
  const config = { version: 1, ai: { providers: { openai: provider }, cache: { enabled: false }, tokens: { optimize: false } } };
  const ours = new Client({ config, secrets: sandbox.secrets });
  t.after(() => ours.close());
  return { ours, theirs: new OpenAI({ baseURL: sandbox.urls.openai, apiKey: key, maxRetries: 0 }) };
}

/** What differs from call to call, and what only we add. */
function comparable({ id, created, xynergy, outcome, _request_id, ...others }) {
  assert.match(id, /^chatcmpl-/);
  assert.equal(typeof created, 'number');
  return others;
}

const MODEL = 'gpt-4o-mini';
const tool = { type: 'function', function: { name: 'weather', description: 'The weather', parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } } };

for (const [what, body] of [
  ['a prompt', says('hello')],
  ['a conversation', { messages: [{ role: 'system', content: 'Be short.' }, { role: 'user', content: 'hi' }, { role: 'assistant', content: 'Hi.' }, { role: 'user', content: 'again' }] }],
  ['parts of content', says([{ type: 'text', text: 'hello' }])],
  ['settings', says('hello', { max_tokens: 64, temperature: 0.2, top_p: 0.9, stop: ['\n\n'], seed: 7, user: 'u-1' })],
  ['max_completion_tokens', says('hello', { max_completion_tokens: 64 })],
  ['a response format', says('Give JSON.', { response_format: { type: 'json_object' } })],
  ['several answers', says('hello', { n: 2 })],
  ['tools', says('The weather in Paris?', { tools: [tool], tool_choice: 'auto' })],
  ['an emoji', says('\u{1f600} caf\u00e9')],
]) {
  test(`${what}: the same fields as from the openai package`, async (t) => {
    const { ours, theirs } = await both(t);
    const request = { model: MODEL, ...body };
    const [mine, other] = await Promise.all([ours.chat.completions.create(request), theirs.chat.completions.create(request)]);
    assert.deepEqual(comparable(mine), comparable({ ...other }));
  });

  test(`${what}, streamed: the same chunks as from the openai package`, async (t) => {
    const { ours, theirs } = await both(t);
    const request = { model: MODEL, ...body, stream: true };
    const read = async (client) => {
      const chunks = [];
      for await (const chunk of await client.chat.completions.create(request)) chunks.push(comparable(chunk));
      return chunks;
    };
    const [mine, other] = await Promise.all([read(ours), read(theirs)]);
    assert.deepEqual(mine, other);
    assert.ok(mine.length > 1);
  });
}

test('with the usage asked for, the last chunk has it', async (t) => {
  const { ours, theirs } = await both(t);
  const request = { model: MODEL, ...says('hello'), stream: true, stream_options: { include_usage: true } };
  const last = async (client) => {
    let found;
    for await (const chunk of await client.chat.completions.create(request)) found = chunk;
    return found;
  };
  const [mine, other] = await Promise.all([last(ours), last(theirs)]);
  assert.deepEqual(mine.usage, other.usage);
  assert.deepEqual(mine.choices, other.choices);
  assert.equal(mine.outcome, 'complete');
});

test('a stream can be aborted through its signal', async (t) => {
  const { ours } = await both(t);
  const controller = new AbortController();
  const stream = await ours.chat.completions.create({ model: MODEL, ...says('hello'), stream: true }, { signal: controller.signal });
  await stream.next();
  controller.abort();
  await rejects(stream.next(), 'cancelled');
});

test('what is wrong is refused when it is awaited', async (t) => {
  const { ours } = await both(t);
  await rejects(ours.chat.completions.create({ model: MODEL, messages: [] }), 'invalid_input');
  await rejects(ours.chat.completions.create({ model: MODEL, ...says(3), stream: true }), 'invalid_input', 'request.messages[0]');
});

test('embeddings: the same vectors as from the openai package', async (t) => {
  const { ours, theirs } = await both(t);
  for (const body of [{ input: 'one' }, { input: ['one', 'two'], dimensions: 4 }, { input: ['a'], encoding_format: 'float' }]) {
    const request = { model: 'text-embedding-3-small', ...body };
    const [{ xynergy, ...mine }, other] = await Promise.all([ours.embeddings.create(request), theirs.embeddings.create(request)]);
    assert.equal(xynergy.provider, 'openai');
    const single = ({ data, ...rest }) => ({ ...rest, data: data.map((each) => ({ ...each, embedding: each.embedding.map(Math.fround) })) });
    assert.deepEqual(single(mine), single({ ...other }));
  }
  await rejects(ours.embeddings.create(), 'invalid_input', 'request');
  await rejects(ours.embeddings.create({ input: [] }), 'invalid_input', 'input');
  await rejects(ours.embeddings.create({ input: 'x', encoding_format: 'base64' }), 'unsupported', 'encoding_format');
  await rejects(ours.embeddings.create({ input: 'x', user: 'u' }), 'unsupported', 'user');
});
