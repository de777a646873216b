// Calls, their options, and what comes back.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Client, ManualClock, XynergyError, sandbox, toJson, version } from 'xynergy';
import { fakeProvider, frozenClock, useSandbox } from 'xynergy/testing';

import { clientOf, plain, rejects, says, throws } from './support.mjs';

test('a prompt is answered, and the answer is a plain value', async (t) => {
  const { client } = await useSandbox(t);
  const answer = await client.ai.generate('hello', { maxTokens: 64, tags: ['greeting'] });
  assert.match(answer.text, /^You asked: hello\./);
  assert.equal(answer.cost_nano_usd, 1_000_000n);
  assert.equal(answer.tokens_used, 24);
  assert.equal(Object.getPrototypeOf(answer), Object.prototype);
  assert.deepEqual(structuredClone(answer), answer);
  assert.deepEqual({ ...answer }, answer);
  assert.equal(JSON.parse(JSON.stringify({ answer })).answer.cost_nano_usd, '1000000');
  assert.ok(!Object.keys(answer).includes('toJSON'));
  assert.match(toJson(answer), /"cost_nano_usd":1000000,/);
});

test('money is a BigInt up to the last bit, counts are numbers', async () => {
  const client = plain();
  const greatest = 2n ** 64n - 1n;
  assert.equal(await client.ai.setLimit('tenant', 'day', greatest, false), undefined);
  await client.ai.setLimit({ tag: 'a' }, 'month', 5, true);
  const { limits, requests } = await client.ai.spend();
  assert.deepEqual(limits.map(({ amount_nano_usd: amount }) => amount).sort(), [5n, greatest].sort());
  assert.equal(requests, 0);
  assert.equal(JSON.parse(JSON.stringify(limits)).find(({ scope }) => scope === 'tenant').amount_nano_usd, String(greatest));
});

test('an integer that a number would not hold is a BigInt wherever it stands', async () => {
  const provider = fakeProvider({ choices: [{ message: { role: 'assistant', content: 'x' }, finish_reason: 'stop' }], created: 2n ** 60n + 1n, list: [9007199254740993n, -9007199254740993n, 9007199254740991] });
  const answer = await clientOf(provider).ai.chat(says('\u0000n12', { seed: 2n ** 53n + 1n }));
  assert.equal(answer.created, 2n ** 60n + 1n);
  assert.deepEqual(answer.list, [9007199254740993n, -9007199254740993n, 9007199254740991]);
  assert.equal(provider.requests[0].seed, 9007199254740993n);
  assert.equal(JSON.parse(JSON.stringify(answer)).created, String(2n ** 60n + 1n));
});

test('results go back in as arguments', async (t) => {
  const { client, sandbox } = await useSandbox(t, { seed: 7 });
  const allocation = await client.closedLoop.allocate(sandbox.account, 'first', 7n);
  assert.equal(typeof allocation.total_minor, 'bigint');
  const changes = await client.closedLoop.changes(sandbox.account, 'first', allocation);
  assert.ok(changes.length > 0 && changes.every(({ target }) => typeof target === 'bigint'));
  const plan = await client.execution.plan(changes);
  assert.equal(plan.changes.length, changes.length);
  const rows = await client.execution.queue(changes);
  assert.deepEqual(rows.map(({ status }) => status), changes.map(() => 'pending'));
  assert.deepEqual((await client.execution.get(rows[0].change.id)).change, rows[0].change);
  assert.equal(await client.allocation.get('none'), null);
  assert.deepEqual(await client.allocation.get('first'), allocation);
});

test('a cache hit is answered at once', async () => {
  const client = new Client({ providers: { mine: fakeProvider('ok') } });
  await client.ai.chat(says('again'));
  let isSettled = false;
  client.ai.chat(says('again')).then(({ xynergy }) => (isSettled = xynergy.cache_hit));
  await Promise.resolve();
  await Promise.resolve();
  assert.equal(isSettled, true, 'no turn of the event loop was needed');
});

test('many calls at once are answered each with its own', async () => {
  const client = clientOf(fakeProvider((request) => `echo ${request.messages[0].content}`));
  const answers = await Promise.all(Array.from({ length: 500 }, (_, n) => client.ai.generate(`n${n}`)));
  answers.forEach(({ text }, n) => assert.equal(text, `echo n${n}`));
});

test('a scope says whose call it is', async () => {
  const seen = [];
  const client = clientOf({ chat: async (ctx) => (seen.push(ctx), 'ok') });
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const acme = client.scope({ tenant: 'acme', traceparent }).scope({ actor: 'nightly job' });
  await acme.ai.generate('x', { requestId: 'r-1' });
  assert.deepEqual(seen, [{ tenant: 'acme', actor: 'nightly job', request_id: 'r-1', traceparent }]);
  assert.equal((await acme.ai.spend()).requests, 1);
  assert.equal((await client.ai.spend()).requests, 0);
  throws(() => client.scope({ user: 'x' }), 'invalid_input', 'user', 'tenant');
  throws(() => client.scope({ tenant: 3 }), 'invalid_input', 'tenant');
  await rejects(client.scope({ tenant: 'a b' }).ai.spend(), 'invalid_input', 'tenant');
});

test('a signal cancels the call, and the reason is the cause', async () => {
  let hostSaw;
  const client = clientOf({ chat: (ctx, request, { signal }) => new Promise(() => signal.addEventListener('abort', () => (hostSaw = true))) });
  const controller = new AbortController();
  const call = client.ai.generate('x', { signal: controller.signal });
  setTimeout(() => controller.abort(new Error('enough')), 20);
  const error = await rejects(call, 'cancelled');
  assert.equal(error.cause.message, 'enough');
  assert.equal(error.retryable, false);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(hostSaw, true);
  assert.equal((await rejects(client.ai.generate('x', { signal: controller.signal }), 'cancelled')).cause.message, 'enough');
  await rejects(client.ai.generate('x', { signal: AbortSignal.timeout(20) }), 'cancelled');
});

test('a timeout ends the call', async () => {
  const client = clientOf({ chat: () => new Promise(() => {}) });
  await rejects(client.ai.generate('x', { timeout: 30 }), 'timeout', '30 ms');
});

test('a clock that is told the time decides it', async () => {
  const clock = frozenClock('2026-03-01T12:00:00Z');
  const client = plain({ clock });
  await client.ai.setLimit('tenant', 'day', 5, false);
  clock.advance(1500);
  assert.equal(clock.now(), '2026-03-01T12:00:01.5Z');
  clock.set(new Date(0));
  assert.equal(clock.now(), '1970-01-01T00:00:00Z');
  for (const ms of [-1, 0.5, NaN, Infinity]) throws(() => clock.advance(ms), 'invalid_input', 'ms');
  throws(() => clock.advance('1'), 'invalid_input', 'ms');
  throws(() => new ManualClock('noon'), 'invalid_input');
  throws(() => new ManualClock(), 'invalid_input', 'now');
});

test('the same seed and clock give the same ids', async () => {
  const ids = [];
  for (let n = 0; n < 2; n++) ids.push((await plain({ seed: 2n ** 64n - 1n, clock: frozenClock() }).ai.generate('x')).request_id);
  assert.equal(ids[0], ids[1]);
});

test('TOML is a configuration too, and the environment', async () => {
  const client = new Client({ config: 'version = 1\n[ai.providers.openai]\nbase_url = "http://127.0.0.1:9/v1"\napi_key = { env = "K" }', secrets: { K: 'k' } });
  assert.deepEqual((await client.ai.route('x')).models.map(({ provider }) => provider), ['openai']);
  assert.ok(Client.fromEnv() instanceof Client);
  throws(() => Client.fromEnv({ config: { version: 1 } }), 'config_invalid', 'config');
});

test('a closed client refuses, however often it is closed', async () => {
  const client = plain();
  await client.close();
  await client.close({ grace: 0 });
  await rejects(client.ai.generate('x'), 'invalid_input', 'closed');
  await rejects(client.scope({ tenant: 'acme' }).health(), 'invalid_input', 'closed');
  await rejects(client.ai.stream(says('x')).next(), 'invalid_input', 'closed');
  await rejects(plain().close({ grace: -1 }), 'invalid_input', 'grace');
});

test('closing waits for what is under way, and cancels what takes too long', async () => {
  const slow = clientOf({ chat: () => new Promise((resolve) => setTimeout(resolve, 60, 'late')) });
  const late = slow.ai.generate('x');
  await slow.close();
  assert.equal((await late).text, 'late');
  const stuck = clientOf({ chat: () => new Promise(() => {}) });
  const never = stuck.ai.generate('x');
  const [error] = await Promise.all([rejects(never, 'cancelled'), stuck.close({ grace: 20 })]);
  assert.equal(error.operation, 'ai.generate');
});

test('a client and a sandbox end with their block', async () => {
  const served = await sandbox.start();
  const client = new Client({ config: served.config, secrets: served.secrets });
  const stream = client.ai.stream(says('x'));
  await stream.next();
  await stream[Symbol.asyncDispose]();
  assert.equal((await stream.next()).done, true);
  await client[Symbol.asyncDispose]();
  await rejects(client.ai.generate('x'), 'invalid_input', 'closed');
  await served[Symbol.asyncDispose]();
  await served.stop();
  await rejects(served.state(), 'invalid_input', 'stopped');
});

test('a sandbox runs in the time of a clock', async (t) => {
  const clock = frozenClock();
  const { sandbox: served, client } = await useSandbox(t, { clock, seed: 7 });
  await client.closedLoop.tick(served.account, 'first', 7n);
  const due = await client.execution.nextDue();
  assert.ok(due > clock.now());
  assert.equal(await client.execution.runOnce(), null);
  clock.set(due);
  assert.equal((await client.execution.runOnce()).moved, true);
  await served.applyDue();
  assert.ok(await served.state());
  const next = await served.nextDue();
  assert.ok(next === null || typeof next === 'string');
});

test('an error is data for logs, without its cause', async () => {
  const error = await rejects(clientOf(fakeProvider(new Error('secret'))).ai.generate('x'), 'unavailable');
  assert.equal(error.name, 'XynergyError');
  assert.deepEqual(Object.keys(JSON.parse(JSON.stringify(error))), ['name', 'kind', 'message', 'operation', 'retryable', 'retryAfterMs', 'context']);
  const own = new XynergyError('slow down', { kind: 'throttled', retryAfterMs: 5 });
  assert.equal(own.retryable, true);
});

test('one JSON text for a value, whatever the order of its keys', () => {
  assert.equal(toJson({ b: [1n, 2 ** 53 - 1], a: { d: 0.5, c: null } }), '{"a":{"c":null,"d":0.5},"b":[1,9007199254740991]}\n');
  assert.equal(toJson(2n ** 64n - 1n), '18446744073709551615\n');
  throws(() => toJson({ a: NaN }), 'invalid_input', 'value.a');
});

test('the version is that of the package', () => assert.match(version, /^\d+\.\d+\.\d+/));
