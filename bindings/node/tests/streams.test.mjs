// Answers in pieces.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';

import { fakeProvider, useSandbox } from 'xynergy/testing';

import { clientOf, rejects, says, until } from './support.mjs';

async function textOf(stream) {
  let text = '';
  let last;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? '';
    last = chunk;
  }
  return { text, last };
}

/** A provider whose stream never ends, and which says whether it was told to end. */
function endless() {
  const told = { ended: 0, aborted: 0, pieces: 0 };
  const provider = {
    told,
    chat: async () => 'x',
    async *stream(ctx, request, { signal }) {
      signal.addEventListener('abort', () => told.aborted++);
      try {
        for (;;) {
          told.pieces++;
          yield 'tick ';
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      } finally {
        told.ended++;
      }
    },
  };
  return provider;
}

test('a stream is read piece by piece, and its last piece has the report', async (t) => {
  const { client } = await useSandbox(t);
  const { text, last } = await textOf(client.ai.stream(says('hello')));
  assert.match(text, /^You asked: hello\./);
  assert.equal(last.outcome, 'complete');
  assert.equal(last.xynergy.cost_nano_usd, 1_000_000n);
  assert.ok(JSON.stringify(last).includes('"cost_nano_usd":"1000000"'));
});

test('a host streams texts or chunks, from any iterable', async () => {
  for (const stream of [
    async function* () { yield 'One '; yield 'two.'; },
    () => ['One ', 'two.'],
    async () => ['One ', 'two.'],
    () => ReadableStream.from(['One ', 'two.']),
    async function* () { yield { choices: [{ delta: { content: 'One ' } }] }; yield { choices: [{ delta: { content: 'two.' }, finish_reason: 'stop' }] }; },
  ]) {
    const { text, last } = await textOf(clientOf({ chat: () => 'x', stream }).ai.stream(says('x')));
    assert.equal(text, 'One two.');
    assert.equal(last.outcome, 'complete');
  }
});

test('leaving the loop closes the stream, and the host is told', async () => {
  const provider = endless();
  let seen = 0;
  for await (const _ of clientOf(provider).ai.stream(says('x'))) if (++seen === 3) break;
  await until(() => provider.told.ended === 1 && provider.told.aborted === 1);
});

test('return closes it, also before anything was read', async () => {
  const provider = endless();
  const stream = clientOf(provider).ai.stream(says('x'));
  assert.deepEqual(await stream.return('done'), { value: 'done', done: true });
  assert.deepEqual(await stream.next(), { value: undefined, done: true });
  assert.equal(provider.told.pieces, 0, 'nothing was sent');
  const opened = await clientOf(provider).ai.stream(says('x')).open();
  await opened.next();
  await opened.return();
  assert.equal((await opened.next()).done, true);
  await until(() => provider.told.ended === 1);
});

test('abort ends it from elsewhere', async () => {
  const provider = endless();
  const stream = clientOf(provider).ai.stream(says('x'));
  await stream.next();
  setTimeout(() => stream.abort(new Error('enough')), 10);
  const error = await rejects(textOf(stream), 'cancelled');
  assert.equal(error.cause.message, 'enough');
  assert.equal((await stream.next()).done, true);
  await until(() => provider.told.ended === 1);
});

test('a signal cancels it, before, while opening, and between pieces', async () => {
  const provider = endless();
  const client = clientOf(provider);
  await rejects(textOf(client.ai.stream(says('x'), { signal: AbortSignal.abort(new Error('never')) })), 'cancelled');
  const controller = new AbortController();
  const stream = client.ai.stream(says('x'), { signal: controller.signal });
  await stream.next();
  controller.abort(new Error('enough'));
  assert.equal((await rejects(stream.next(), 'cancelled')).cause.message, 'enough');
  assert.equal((await stream.next()).done, true);
  const silent = clientOf({ chat: () => 'x', stream: () => new Promise(() => {}) });
  await rejects(textOf(silent.ai.stream(says('x'), { signal: AbortSignal.timeout(20) })), 'cancelled');
});

test('what has arrived and was not read is cancelled too', async () => {
  const controller = new AbortController();
  const stream = clientOf({ chat: () => 'x', stream: () => Array.from({ length: 9 }, () => 'x ') }).ai.stream(says('x'), { signal: controller.signal });
  await stream.next();
  await new Promise((resolve) => setTimeout(resolve, 50));
  controller.abort();
  await rejects(stream.next(), 'cancelled');
  assert.equal((await stream.next()).done, true);
  stream.abort();
  assert.equal((await stream.next()).done, true, 'there is nothing left to cancel');
});

test('a host that breaks off is an error, never a whole answer', async () => {
  const boom = new Error('boom');
  const client = clientOf({ chat: () => 'x', async *stream() { yield 'One '; throw boom; } });
  const stream = client.ai.stream(says('x'));
  let text = '';
  const error = await rejects((async () => { for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''; })(), 'unavailable', 'boom');
  assert.equal(text, 'One ');
  assert.equal(error.cause, boom);
  assert.equal(error.partialText, text);
  assert.ok(!`${error} ${inspect(error)} ${JSON.stringify(error)}`.includes('One '), 'it is no text for a log');
  assert.equal((await rejects(client.ai.chat({ messages: [] }), 'invalid_input')).partialText, null);
  assert.equal((await stream.next()).done, true);
});

for (const [what, stream, ...named] of [
  ['throws', () => { throw new Error('boom'); }, 'boom'],
  ['returns no iterable', () => 3, 'async iterable'],
  ['returns a text', () => 'text', 'async iterable'],
  ['yields nonsense', () => [3], 'providers.mine.stream'],
  ['yields NaN', () => [{ choices: NaN }], 'NaN'],
]) {
  test(`a host's stream that ${what} is an error that names it`, async () => {
    await rejects(textOf(clientOf({ chat: () => 'x', stream }).ai.stream(says('x'))), 'unavailable', ...named);
  });
}

test('a host whose stream stops speaking does not hold its reader for ever', async () => {
  const client = clientOf({ chat: () => 'x', async *stream() { yield 'One '; await new Promise(() => {}); } });
  const stream = client.ai.stream(says('x'));
  await stream.next();
  setTimeout(() => stream.abort(), 50);
  await rejects(textOf(stream), 'cancelled');
});

test('two readers share the pieces in turn', async () => {
  const stream = clientOf(fakeProvider('a b c d e f')).ai.stream(says('x'));
  const [first, second] = await Promise.all([textOf(stream), textOf(stream)]);
  assert.equal((first.text + second.text).replaceAll(' ', '').split('').sort().join(''), 'abcdef');
});

test('it is a web stream too', async () => {
  const chunks = [];
  for await (const chunk of clientOf(fakeProvider('One two.')).ai.stream(says('x')).toReadableStream()) chunks.push(chunk);
  assert.equal(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join(''), 'One two.');
});

test('streams that nobody holds are closed', { skip: globalThis.gc === undefined && 'needs --expose-gc' }, async () => {
  const provider = endless();
  const client = clientOf(provider);
  await (async () => {
    for (let n = 0; n < 20; n++) await client.ai.stream(says('x')).next();
  })();
  await until(() => {
    globalThis.gc();
    return provider.told.ended >= 19;
  }, 20_000);
});
