// Objects of the host's behind the library's traits.

import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { test } from 'node:test';

import { Client, XynergyError } from 'xynergy';
import { fakeProvider, useSandbox } from 'xynergy/testing';

import { MapClicks, MapRevenue } from './stores.mjs';
import { ONCE, clientOf, rejects, says, until } from './support.mjs';

test('a provider answers with a text or a completion, with or without a promise', async () => {
  const completion = { id: 'c-1', choices: [{ index: 0, message: { role: 'assistant', content: 'whole' }, finish_reason: 'stop' }], usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } };
  for (const [chat, text] of [
    [() => 'at once', 'at once'],
    [async () => 'later', 'later'],
    [() => ({ then: (resolve) => resolve('thenable') }), 'thenable'],
    [() => completion, 'whole'],
  ]) {
    const answer = await clientOf({ chat }).ai.chat(says('x'));
    assert.equal(answer.choices[0].message.content, text);
    assert.equal(answer.xynergy.provider, 'mine');
  }
});

test('a provider keeps its `this`, and is asked for its own model', async () => {
  class Mine {
    defaultModel = 'mine-1';
    #greeting = 'hi';
    async chat(ctx, request) {
      return `${this.#greeting} from ${request.model}`;
    }
  }
  assert.equal((await clientOf(new Mine()).ai.generate('x')).text, 'hi from mine-1');
});

const boom = new TypeError('boom');

test('an embedder answers, in parts where it takes few at once', async () => {
  const asked = [];
  const mine = {
    defaultModel: 'lengths',
    maxInputs: 2,
    embed(ctx, { model, input }) {
      asked.push([model, ...input]);
      if (input[0] === 'throw') throw boom;
      if (input[0] === 'nan') return { vectors: [[NaN]] };
      return { vectors: input.map((text) => [text.length, 0.1, text.charCodeAt(0)]), tokens: input.length };
    },
  };
  const client = new Client({ embedders: { mine } });
  const told = await client.ai.embed(['a', 'bb', 'ccc']);
  assert.deepEqual(told.vectors, [[1, 0.1, 97], [2, 0.1, 98], [3, 0.1, 99]]);
  assert.deepEqual([told.provider, told.model, told.dimensions], ['mine', 'lengths', 3]);
  assert.deepEqual(asked.sort(), [['lengths', 'a', 'bb'], ['lengths', 'ccc']]);
  await rejects(client.ai.embed(['throw']), 'unavailable', 'embedders.mine.embed: boom');
  await rejects(client.ai.embed(['nan']), 'unavailable', 'embedders.mine.embed');
  await rejects(client.ai.embed(['a', ' ']), 'invalid_input', 'input[1]: blank');
  await client.close();
  assert.throws(() => new Client({ embedders: { mine: { embed() {}, maxInputs: 'two' } } }), /embedders\.mine\.maxInputs/);
});
for (const [what, chat, kind, ...named] of [
  ['rejects', async () => { throw boom; }, 'unavailable', 'providers.mine.chat: boom'],
  ['throws', () => { throw boom; }, 'unavailable', 'providers.mine.chat: boom'],
  ['throws a text', () => { throw 'bad'; }, 'unavailable', 'bad'],
  ['throws nothing', () => { throw undefined; }, 'unavailable', 'undefined'],
  ['throws half a surrogate pair', () => { throw new Error('a\ud800'); }, 'unavailable', 'a\ufffd'],
  ['throws what cannot be shown', () => { throw { toString() { throw new Error('no'); } }; }, 'unavailable', 'providers.mine.chat'],
  ['returns nothing', () => undefined, 'unavailable', 'providers.mine.chat'],
  ['returns a number', () => 3, 'unavailable', 'providers.mine.chat'],
  ['returns NaN', () => ({ choices: NaN }), 'unavailable', 'result.choices', 'NaN'],
  ['returns a function', () => () => 'x', 'unavailable', 'function'],
  ['returns a cycle', () => { const it = {}; it.it = it; return it; }, 'unavailable', 'itself'],
  ['returns half a surrogate pair', () => '\udc00', 'unavailable', 'surrogate'],
  ['returns no choices', () => ({ choices: [] }), 'unavailable', 'choice'],
  ['returns the wrong shape', () => ({ choices: [{ message: 3 }] }), 'unavailable', 'choices'],
  ['never settles', () => new Promise(() => {}), 'timeout', '200 ms'],
  ['throws a kind', () => { throw new XynergyError('full', { kind: 'throttled', retryAfterMs: 60_000 }); }, 'throttled', 'full'],
  ['throws a kind that is none', () => { throw new XynergyError('odd', { kind: 'purple' }); }, 'unavailable', 'odd'],
]) {
  test(`a provider that ${what} is an error that names it`, async () => {
    await rejects(clientOf({ chat }, { hostTimeoutMs: 200 }).ai.generate('x'), kind, ...named);
  });
}

test('the cause is the very exception', async () => {
  for (const thrown of [boom, { odd: true }]) {
    const error = await rejects(clientOf({ chat: () => { throw thrown; } }).ai.generate('x'), 'unavailable');
    assert.equal(error.cause, thrown);
  }
});

test('the kind and the time to wait of what a host throws are kept', async () => {
  const full = new XynergyError('full', { kind: 'throttled', retryAfterMs: 60_000 });
  const error = await rejects(clientOf(fakeProvider(full)).ai.generate('x'), 'throttled');
  assert.equal(error.cause, full);
});

test('a host that is not waited for any more is told', async () => {
  const reasons = [];
  const chat = (ctx, request, { signal }) => new Promise(() => signal.addEventListener('abort', () => reasons.push(request.messages[0].content)));
  const client = clientOf({ chat }, { hostTimeoutMs: 100 });
  await rejects(client.ai.generate('late'), 'timeout');
  await rejects(client.ai.generate('timeout', { timeout: 20 }), 'timeout');
  await until(() => reasons.length === 2);
  assert.deepEqual(reasons, ['late', 'timeout']);
});

test('what a host answers too late is let go', async () => {
  let late;
  const client = clientOf({ chat: () => new Promise((resolve) => (late = resolve)) });
  await rejects(client.ai.generate('x', { timeout: 20 }), 'timeout');
  late('too late');
  await new Promise((resolve) => setTimeout(resolve, 20));
});

test('a host runs in the asynchronous context of its caller', async () => {
  const storage = new AsyncLocalStorage();
  const client = clientOf({ chat: async () => `user ${storage.getStore()}` });
  const ask = (user) => storage.run(user, () => client.ai.generate(`x${user}`));
  const answers = await Promise.all(['ann', 'bob', 'cid'].map(ask));
  assert.deepEqual(answers.map(({ text }) => text), ['user ann', 'user bob', 'user cid']);
});

test('a host may call the client that calls it', async () => {
  let client;
  const inner = clientOf(fakeProvider('inner'));
  client = clientOf({ chat: async (ctx, request) => (request.messages[0].content === 'outer' ? (await client.ai.generate('again')).text : (await inner.ai.generate('x')).text) });
  assert.equal((await client.ai.generate('outer')).text, 'inner');
});

test('a cache of the host is read and filled, and its failure is a miss', async () => {
  const kept = new Map();
  const cache = {
    get: async (tenant, key, now, { signal }) => (assert.ok(signal instanceof AbortSignal), assert.match(now, /^\d{4}-/), kept.get(`${tenant} ${key}`) ?? null),
    put: async (tenant, key, response, expiresAt) => { assert.match(expiresAt, /^\d{4}-/); kept.set(`${tenant} ${key}`, response); },
    invalidate: async (tenant, pattern) => { assert.equal(pattern, 'mine/*'); const { size } = kept; kept.clear(); return size; },
  };
  const config = { version: 1, ai: { retry: { max_retries: 0 } } };
  const provider = fakeProvider('first', 'second');
  const client = new Client({ config, providers: { mine: provider }, caches: { shared: cache } });
  assert.equal((await client.ai.chat(says('q'))).xynergy.cache_hit, false);
  await until(() => kept.size === 1);
  assert.equal(typeof [...kept.values()][0].xynergy.cost_nano_usd, 'object', 'nothing is known of its price');
  const hit = await client.ai.chat(says('q'));
  assert.equal(hit.xynergy.cache_hit, true);
  assert.equal(hit.choices[0].message.content, 'first');
  assert.equal(await client.ai.cacheInvalidate({ pattern: 'mine/*' }), 1);
  const broken = { ...cache, get: async () => { throw new Error('away'); }, put: () => { throw new Error('away'); } };
  const careless = new Client({ config, providers: { mine: fakeProvider('x') }, caches: { shared: broken } });
  assert.equal((await careless.ai.chat(says('q'))).choices[0].message.content, 'x');
});

test('secrets come from a source of the host', async (t) => {
  const { sandbox } = await useSandbox(t);
  const asked = [];
  const secrets = { get: async (tenant, reference) => (asked.push(reference), sandbox.secrets[reference.env] ?? null) };
  const client = new Client({ config: sandbox.config, secrets });
  assert.match((await client.ai.generate('x')).text, /You asked/);
  assert.deepEqual(asked[0], { env: 'XYNERGY_SANDBOX_KEY' });
  const none = new Client({ config: { ...sandbox.config, ai: { ...sandbox.config.ai, retry: { max_retries: 0 } } }, secrets: { get: () => undefined } });
  await rejects(none.ai.generate('x'), 'unauthorized');
});

function adPlatform(written = []) {
  const owners = [
    { owner: { level: 'adset', id: '11' }, account_id: 'act_1', campaign_id: '1', name: 'A', currency: 'USD', daily_budget_minor: 10_000, bid_minor: null, status: 'active', read_at: new Date() },
  ];
  const now = (state) => ({ ...state, read_at: new Date() });
  return {
    account: (ctx, accountId) => ({ account_id: accountId, currency: 'USD', minimum_daily_minor: 100n }),
    owner: (ctx, { id }) => {
      const found = owners.find(({ owner }) => owner.id === id);
      if (!found) throw new XynergyError('no such object', { kind: 'not_found' });
      return now(found);
    },
    owners: () => owners.map(now),
    set: async (ctx, write) => {
      written.push(write);
      owners[0].daily_budget_minor = write.value;
    },
    validate: async () => {},
    activities: async () => [],
    insights: async () => [],
  };
}

test('an ad platform of the host is read and written, with exact money', async () => {
  const written = [];
  const config = { version: 1, execution: { preset: 'exact' } };
  const client = new Client({ config, adPlatforms: { mine: adPlatform(written) } });
  const [state] = await client.execution.owners('act_1');
  assert.equal(state.daily_budget_minor, 10_000n);
  const change = { id: '0'.repeat(31) + '1', account_id: 'act_1', campaign_id: '1', owner: { level: 'adset', id: '11' }, field: 'budget', expected_from: 10_000n, target: 11_000, currency: 'USD' };
  await client.execution.queue([change]);
  let step;
  await until(async () => (step = await client.execution.runOnce())?.row.status === 'completed' || step === null);
  assert.deepEqual(written.map(({ value, field }) => [value, field]), [[11_000n, 'budget']]);
  assert.equal((await client.execution.get(change.id)).status, 'completed');
  assert.deepEqual((await client.execution.history('act_1')).map(({ kind }) => kind), ['intent', 'outcome']);
  assert.equal((await client.execution.verifyAudit()).chain_ok, true);
});

test('a CRM of the host is asked for deals', async (t) => {
  const { sandbox } = await useSandbox(t);
  const client = new Client({ config: { version: 1 }, crms: { mine: { deals: async () => ({}), contacts: async () => ({}) } } });
  assert.equal((await client.health()).checks.crm.status, 'healthy');
  await client.close();
  assert.ok(sandbox.urls.hubspot);
});

test('a store of the host holds the state', async () => {
  const documents = new Map();
  const state = {
    get: async (tenant, collection, key) => documents.get(`${tenant}/${collection}/${key}`) ?? null,
    put: async (tenant, collection, key, expected, value) => {
      const at = `${tenant}/${collection}/${key}`;
      const version = documents.get(at)?.version ?? 0;
      if (expected !== null && expected !== version) throw new XynergyError('another version', { kind: 'conflict' });
      documents.set(at, { version: version + 1, value });
      return version + 1;
    },
    list: async (tenant, collection) => [...documents].filter(([at]) => at.startsWith(`${tenant}/${collection}/`)).map(([at, document]) => [at.split('/').at(-1), document]),
  };
  const client = new Client({ config: ONCE, stores: { state }, providers: { mine: fakeProvider('x') } });
  const request = { currency: 'USD', owners: [{ owner_id: '11', level: 'adset', current_minor: 5_000n, ads: [{ ad_id: '1', active: true, impressions: 1000, clicks: 50, spend_minor: 900, deals: 2, value_minor: 9_000n }] }], constraints: { total_daily_minor: 10_000, min_minor: 100, max_minor: 9_000 }, seed: 7, draws: 100 };
  const allocation = await client.allocation.select('first', request);
  assert.ok([...documents.keys()].some((at) => at.includes('first')), [...documents.keys()].join());
  assert.deepEqual(await client.allocation.get('first'), allocation);
  assert.deepEqual(await client.allocation.select('first', { ...request, seed: 8 }), allocation, 'the same id never draws again');
});

test('stores of the host hold clicks and revenue', async (t) => {
  const stores = { clicks: new MapClicks(), revenue: new MapRevenue() };
  const { sandbox } = await useSandbox(t);
  const client = new Client({ config: { ...sandbox.config, store: { type: 'memory' } }, secrets: sandbox.secrets, stores });
  const click = { ts: '2026-03-01T12:00:00Z', url: 'https://shop.example/?fbclid=IwAR1', ad_id: '101', adset_id: '11', campaign_id: '1', ip: '192.0.2.7', user_agent: 'Mozilla/5.0', consent: true };
  assert.equal(typeof (await client.attribution.trackClick(click)), 'string');
  assert.deepEqual(await client.attribution.trackClicks([click, { ...click, ts: '2026-03-01T12:00:01Z' }, 'nonsense'], { source: 'today' }).then(({ inserted, duplicates, rejected }) => [inserted, duplicates, rejected.length]), [1, 1, 1]);
  assert.equal(await client.attribution.countClicks(), 2);
  assert.equal(await client.attribution.countClicks({ source: 'today' }), 1);
  assert.deepEqual(await client.attribution.totals(), { by_ad: {}, unattributed_minor: 0n, matches: { layer1: 0, layer2: 0, layer3: 0, none: 0 } });
});
