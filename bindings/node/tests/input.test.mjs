// Bad input: a native error that names the argument; never a crash.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';

import { Client, sandbox } from 'xynergy';

import { plain, rejects, says, throws } from './support.mjs';

const cyclic = { role: 'user' };
cyclic.content = cyclic;
const deep = {};
let at = deep;
for (let n = 0; n < 100_000; n++) at = at.next = {};

const client = plain();
const { ai, execution, hubspot, allocation, closedLoop } = client;

const owner = { level: 'adset', id: '11' };
const change = {
  id: '1'.repeat(32), account_id: 'act_1', campaign_id: '1', owner, field: 'budget', expected_from: 6000n, target: 6600n, currency: 'USD',
};

for (const [what, call, ...named] of [
  ['a missing argument', () => ai.generate(), 'prompt'],
  ['a number for a text', () => ai.generate(3), 'prompt'],
  ['null for a text', () => ai.generate(null), 'prompt'],
  ['an object for a text', () => ai.generate({}), 'prompt'],
  ['a function', () => ai.generate(() => 'x'), 'prompt', 'function'],
  ['a symbol', () => ai.generate(Symbol('x')), 'prompt', 'symbol'],
  ['half a surrogate pair', () => ai.generate('a\ud800b'), 'prompt', 'surrogate'],
  ['half a surrogate pair in a key', () => ai.chat({ messages: [], '\udc00': 1 }), 'request', 'surrogate'],
  ['half a surrogate pair in a message', () => ai.chat(says('\udfff')), 'request.messages[0].content', 'surrogate'],
  ['NaN', () => ai.generate('x', { temperature: NaN }), 'temperature', 'NaN'],
  ['Infinity', () => ai.generate('x', { temperature: -Infinity }), 'temperature', 'Infinity'],
  ['a fraction for a count', () => ai.generate('x', { maxTokens: 1.5 }), 'max_tokens', '1.5'],
  ['a negative count', () => ai.generate('x', { maxTokens: -1 }), 'max_tokens'],
  ['a count that is too great', () => ai.generate('x', { maxTokens: 2 ** 40 }), 'max_tokens'],
  ['an unsafe integer', () => ai.setLimit('tenant', 'day', 2 ** 53, true), 'amount_nano_usd', 'BigInt'],
  ['a BigInt that is too great', () => ai.setLimit('tenant', 'day', 2n ** 64n, true), 'amount_nano_usd'],
  ['a negative BigInt', () => ai.setLimit('tenant', 'day', -1n, true), 'amount_nano_usd'],
  ['a very great BigInt', () => closedLoop.tick({}, 'a', 10n ** 400n), 'account'],
  ['a window that is none', () => ai.setLimit('tenant', 'year', 1n, true), 'window'],
  ['a cyclic value', () => ai.chat({ messages: [cyclic] }), 'request.messages[0]', 'itself'],
  ['a value that is too deep', () => ai.chat({ messages: [], deep }), 'request.deep', 'deep'],
  ['a Map', () => ai.chat(new Map()), 'request', 'Map'],
  ['a promise', () => ai.chat(Promise.resolve({})), 'request', 'Promise'],
  ['an ArrayBuffer', () => hubspot.accept('POST', 'https://a.example/', {}, new ArrayBuffer(3)), 'body', 'Uint8Array'],
  ['an invalid date', () => ai.spend({ since: new Date(NaN) }), 'since', 'date'],
  ['a time that is none', () => ai.spend({ since: 'yesterday' }), 'since'],
  ['a getter that throws', () => ai.chat({ get messages() { throw new RangeError('no'); } }), 'request', 'no'],
  ['undefined in an array', () => ai.chat({ messages: [undefined] }), 'request.messages[0]', 'undefined'],
  ['a message of the wrong shape', () => ai.chat(says(3)), 'request.messages[0]'],
  ['a missing field', () => ai.chat({ model: 'x' }), 'messages'],
  ['an array for an object', () => allocation.select('a', []), 'request'],
  ['an id that is none', () => execution.get('zz'), 'id'],
  ...[NaN, Infinity, -Infinity, 6600.5, 1e300, 2 ** 53, 2n ** 63n, '6600', null, true].map((budget) => [
    `a budget of ${typeof budget} ${budget}`, () => execution.queue([{ ...change, target: budget }]), 'target',
  ]),
  ['a limit of NaN', () => execution.setLimits('act_1', 'USD', { maxMinor: NaN }), 'max_minor', 'NaN'],
  ['a run without workers', () => execution.run({ workers: 0, forMs: 1 }), 'workers'],
  ['a body that is none', () => hubspot.accept('POST', 'https://a.example/', {}, 3), 'body'],
  ['a header that is none', () => hubspot.accept('POST', 'https://a.example/', { a: 1 }, ''), 'headers.a'],
  ['an option that is none', () => ai.generate('x', { speed: 1 }), 'speed', 'maxTokens'],
  ['an option in snake case', () => ai.generate('x', { max_tokens: 1 }), 'max_tokens', 'maxTokens'],
  ['options that are none', () => ai.generate('x', 3), 'options'],
  ['options that are an array', () => ai.generate('x', []), 'options'],
  ['a signal that is none', () => ai.generate('x', { signal: {} }), 'signal'],
  ['a timeout that is none', () => ai.generate('x', { timeout: 0 }), 'timeout'],
  ['a timeout of a fraction', () => ai.generate('x', { timeout: 0.5 }), 'timeout'],
  ['an endless timeout', () => ai.generate('x', { timeout: Infinity }), 'timeout'],
  ['a request id that is none', () => ai.generate('x', { requestId: 3 }), 'requestId'],
  ['a request id with a line break', () => ai.generate('x', { requestId: 'a\nb' }), 'request_id'],
]) {
  test(`${what} is refused and named`, async () => {
    await rejects(call(), 'invalid_input', ...named);
  });
}

test('a request of a stream is checked the same', async () => {
  await rejects(ai.stream(says('\ud800')).next(), 'invalid_input', 'request.messages[0].content');
  await rejects(ai.stream().next(), 'invalid_input', 'request');
  await rejects(client.chat.completions.create(), 'invalid_input', 'request');
  await rejects(client.chat.completions.create({ stream: 'yes' }), 'invalid_input', 'stream');
  await rejects(client.chat.completions.create({ messages: [], temperature: NaN, stream: true }), 'invalid_input', 'temperature');
});

for (const [what, options, ...named] of [
  ['an unknown option', { cofnig: {} }, 'cofnig', 'config'],
  ['no object', 'x', 'options'],
  ['null', null, 'options'],
  ['a version that is none', { config: { version: 2 } }, 'version'],
  ['a wrong field', { config: { version: 1, ai: { cache: { ttl_seconds: 'long' } } } }, 'ai.cache.ttl_seconds'],
  ['NaN', { config: { version: 1, x: NaN } }, 'config.x'],
  ['broken TOML', { config: 'version = ' }, 'line 1'],
  ['a provider that is none', { providers: { mine: 3 } }, 'providers.mine'],
  ['a provider without its method', { providers: { mine: {} } }, 'providers.mine', 'chat'],
  ['a provider with a wrong attribute', { providers: { mine: { chat() {}, tools: 'yes' } } }, 'providers.mine.tools'],
  ['providers that are an array', { providers: [{ chat() {} }] }, 'providers'],
  ['a cache without its methods', { caches: { mine: { get() {} } } }, 'caches.mine', 'put'],
  ['two caches', { caches: { a: { get() {}, put() {}, invalidate() {} }, b: { get() {}, put() {}, invalidate() {} } } }, 'caches'],
  ['a store that is none', { stores: { files: {} } }, 'stores.files', 'state'],
  ['a secret that is none', { secrets: { A: 3 } }, 'secrets.A'],
  ['an event callback that is none', { onEvent: 'x' }, 'onEvent'],
  ['a logger that is none', { logger: { warn() {} } }, 'logger'],
  ['a level that is none', { logLevel: 'loud' }, 'logLevel'],
  ['a clock that is none', { clock: new Date() }, 'clock'],
  ['a seed that is none', { seed: -1 }, 'seed'],
  ['a limit of no time', { hostTimeoutMs: 0 }, 'host_timeout_ms'],
]) {
  test(`a client of ${what} is refused and named`, () => {
    throws(() => new Client(options), 'config_invalid', ...named);
  });
}

test('a sandbox of wrong options is refused and named', async () => {
  await rejects(sandbox.start({ prot: 1 }), 'invalid_input', 'prot');
  await rejects(sandbox.start({ ads: '/nowhere/ads.json' }), 'invalid_input', 'ads');
  await rejects(sandbox.start({ port: NaN }), 'invalid_input', 'port');
  await rejects(sandbox.start({ clock: 1 }), 'invalid_input', 'clock');
  await rejects(sandbox.start(null), 'invalid_input', 'options');
});

test('values of another realm are what they are', async () => {
  const foreign = (code) => runInNewContext(code);
  assert.equal((await ai.chat(foreign('({ messages: [{ role: "user", content: "x" }] })'))).choices[0].message.content, 'ok');
  await rejects(ai.chat(foreign('new Map()')), 'invalid_input', 'Map');
  await rejects(ai.spend({ since: foreign('new Date(NaN)') }), 'invalid_input', 'date');
  assert.equal((await ai.spend({ since: foreign('new Date(0)') })).since, '1970-01-01T00:00:00Z');
  await rejects(hubspot.accept('POST', 'https://a.example/', {}, foreign('new Uint8Array([1])')), 'config_invalid');
});

test('a native object cannot be called on something else', () => {
  assert.throws(() => Client.prototype.ai);
  assert.throws(() => client.ai.generate.call({}, 'x'));
});
