// Events and log lines.

import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';

import pino from 'pino';
import { Client, setLogLevel } from 'xynergy';
import { fakeProvider } from 'xynergy/testing';

import { clientOf, plain, rejects, says, throws, until } from './support.mjs';

test('a client tells its events, and no other client\u2019s', async () => {
  const seen = [];
  const others = [];
  const client = plain({ onEvent: (event) => seen.push(event) });
  const other = plain({ onEvent: (event) => others.push(event) });
  await client.ai.generate('x', { requestId: 'r-1' });
  await until(() => seen.length > 0);
  assert.ok(seen.some((event) => JSON.stringify(event).includes('r-1')), JSON.stringify(seen));
  assert.deepEqual(others, []);
  await other.ai.generate('x');
  await until(() => others.length > 0);
});

test('a callback that throws or rejects is a warning, not the end', async () => {
  const warnings = [];
  const listen = (warning) => warnings.push(warning.message);
  process.on('warning', listen);
  await plain({ onEvent() { throw new Error('no'); } }).ai.generate('x');
  await plain({ async onEvent() { throw new Error('nor this'); } }).ai.generate('x');
  await until(() => warnings.some((text) => text.includes('Error: no\n')) && warnings.some((text) => text.includes('nor this')));
  process.off('warning', listen);
});

test('pino takes the log, with its levels and fields', async () => {
  const lines = [];
  const out = new PassThrough();
  out.on('data', (data) => lines.push(...String(data).trim().split('\n').map((line) => JSON.parse(line))));
  const logger = pino({ level: 'trace' }, out);
  const client = new Client({ providers: { mine: fakeProvider(new Error('boom')) }, config: { version: 1, ai: { retry: { max_retries: 0 } } }, logger, logLevel: 'trace' });
  await rejects(client.ai.generate('x'), 'unavailable');
  const cache = { get: () => { throw new Error('the cache is away'); }, put() {}, invalidate: () => 0 };
  const careless = new Client({ providers: { mine: fakeProvider('x') }, caches: { mine: cache }, logger });
  await careless.ai.chat(says('x'));
  await until(() => lines.some(({ target }) => target?.startsWith('xynergy')));
  assert.ok(lines.every(({ level, time }) => level >= 10 && time > 0));
  const before = lines.length;
  await client.close();
  await careless.close();
  await new Promise((resolve) => setTimeout(resolve, 30));
  const after = plain();
  await after.ai.generate('x');
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.ok(lines.length - before < 20, 'a closed client has no logger any more');
});

test('a function takes the log too', async () => {
  const records = [];
  const client = clientOf(fakeProvider('x'), { logger: (record) => records.push(record), logLevel: 'trace' });
  await client.ai.generate('x');
  const cache = { get: () => { throw new Error('away'); }, put() {}, invalidate: () => 0 };
  await new Client({ providers: { mine: fakeProvider('x') }, caches: { mine: cache } }).ai.chat(says('x'));
  await until(() => records.length > 0);
  assert.deepEqual(Object.keys(records[0]).sort(), ['fields', 'level', 'message', 'target']);
  setLogLevel('off');
  throws(() => setLogLevel('loud'), 'config_invalid', 'logLevel');
});

test('no secret is told', async () => {
  const told = [];
  const secrets = { XYNERGY_TEST_KEY: 'hush-hush' };
  const config = { version: 1, ai: { retry: { max_retries: 0 }, providers: { openai: { base_url: 'http://127.0.0.1:9/v1', api_key: { env: 'XYNERGY_TEST_KEY' } } } } };
  const client = new Client({ config, secrets, onEvent: (event) => told.push(event), logger: (record) => told.push(record), logLevel: 'trace' });
  const error = await rejects(client.ai.generate('x'), 'unavailable');
  await until(() => told.length > 0);
  const { inspect } = await import('node:util');
  for (const text of [JSON.stringify(told), inspect(error, { depth: 9 }), inspect(client, { depth: 9, showHidden: true })]) assert.ok(!text.includes('hush'), text);
  setLogLevel('off');
});
