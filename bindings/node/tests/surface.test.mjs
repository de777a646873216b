// The public surface is exactly what works: methods, arguments, kinds, traits.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { Client, XynergyError } from 'xynergy';

import { clientOf, plain, rejects } from './support.mjs';

const surface = JSON.parse(readFileSync(process.env.XYNERGY_SURFACE ?? new URL('../../../tests/vectors/surface.json', import.meta.url)));
const lib = dirname(createRequire(import.meta.url).resolve('xynergy'));
const { traits, kinds } = createRequire(import.meta.url)(join(lib, 'generated', 'hosts.cjs'));

const camel = (name) => name.replaceAll(/_([a-z])/g, (_, letter) => letter.toUpperCase());
const client = plain();

/** Where a method is on a client. */
function find(on, name) {
  const [method, area] = name.split('.').reverse();
  const owner = area === undefined ? on : on[camel(area)];
  return owner[camel(method)].bind(owner);
}

test('every area has exactly the methods that there are', () => {
  const found = [];
  for (const area of new Set(Object.keys(surface.methods).map((name) => name.split('.').slice(0, -1).join('.')))) {
    const owner = area === '' ? null : client[camel(area)];
    if (owner === null) continue;
    for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(owner))) if (name !== 'constructor') found.push(`${camel(area)}.${name}`);
  }
  const expected = Object.keys(surface.methods).filter((name) => name.includes('.')).map((name) => name.split('.').map(camel).join('.'));
  assert.deepEqual(found.sort(), expected.sort());
  for (const name of Object.keys(surface.methods)) assert.equal(typeof find(client, name), 'function', name);
  assert.equal(typeof client.scope({ tenant: 'acme' }).ai.chat, 'function');
});

for (const [name, { params, required, answer }] of Object.entries(surface.methods)) {
  test(`${name} takes its arguments in their order and no others`, async () => {
    const call = (...given) => (answer === 'stream' ? find(client, name)(...given).next() : find(client, name)(...given));
    for (let n = 0; n < required.length; n++) {
      const given = required.map((_, index) => (index < n ? null : undefined));
      await rejects(call(...given), 'invalid_input', required[n], 'missing');
    }
    await rejects(call(...required.map(() => null), { nonsense: 1 }), 'invalid_input', 'nonsense', ...params.filter((param) => !required.includes(param)).map(camel));
  });
}

test('the kinds of errors are those of the library', () => assert.deepEqual([...kinds].sort(), [...surface.kinds].sort()));

test('the traits of hosts have their methods', () => {
  const found = Object.fromEntries(Object.entries(traits).map(([name, methods]) => [name, Object.keys(methods)]));
  assert.deepEqual(found, surface.hosts);
});

test('every kind that a host throws comes back as it is', async () => {
  const config = { version: 1, ai: { retry: { max_retries: 0 } } };
  for (const kind of surface.kinds) {
    const thrown = new XynergyError('x', { kind });
    const failing = new Client({ config, adPlatforms: { mine: Object.fromEntries(Object.values(traits.AdPlatform).map(({ method }) => [method, () => { throw thrown; }])) } });
    assert.equal((await rejects(failing.execution.owners('act_1'), kind)).cause, thrown);
  }
  assert.ok(clientOf);
});
