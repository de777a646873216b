// The behaviour suites, for objects of the host's that are right and that are wrong.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { XynergyError } from 'xynergy';
import * as testing from 'xynergy/testing';

import { MapClicks, MapRevenue } from './stores.mjs';
import { rejects } from './support.mjs';

// region: cache
class MapCache {
  #entries = new Map();

  async get(tenant, key, now) {
    const entry = this.#entries.get(`${tenant}\n${key}`);
    return entry !== undefined && Date.parse(entry.expiresAt) > Date.parse(now) ? entry.response : null;
  }

  async put(tenant, key, response, expiresAt) {
    this.#entries.set(`${tenant}\n${key}`, { tenant, key, response, expiresAt });
  }

  async invalidate(tenant, pattern) {
    const matches = new RegExp(`^${pattern.split('*').map(RegExp.escape ?? escape).join('.*')}$`);
    let dropped = 0;
    for (const [id, { tenant: owner, key, response }] of this.#entries) {
      const { provider, model } = response.xynergy;
      if (owner === tenant && (matches.test(key) || matches.test(`${provider}/${model}`))) {
        this.#entries.delete(id);
        dropped++;
      }
    }
    return dropped;
  }
}

const escape = (text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
// endregion: cache

class MapStateStore {
  documents = new Map();
  #at = (...parts) => parts.join('\n');

  async get(tenant, collection, key) {
    return this.documents.get(this.#at(tenant, collection, key)) ?? null;
  }

  async put(tenant, collection, key, expected, value) {
    const at = this.#at(tenant, collection, key);
    const version = this.documents.get(at)?.version ?? 0;
    if (expected !== null && expected !== version) throw new XynergyError('another version is stored', { kind: 'conflict' });
    this.documents.set(at, { version: version + 1, value });
    return version + 1;
  }

  async list(tenant, collection) {
    const start = this.#at(tenant, collection, '');
    const found = [...this.documents].filter(([at]) => at.startsWith(start)).map(([at, document]) => [at.slice(start.length), document]);
    return found.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }
}

test('a cache that keeps the contract passes', () => testing.checkCache(new MapCache()));

test('a cache that forgets, or never expires, does not', async () => {
  await rejects(testing.checkCache({ get: () => null, put() {}, invalidate: () => 0 }), 'invalid_input', 'cache', 'contract');
  class Lasting extends MapCache {
    get(tenant, key) {
      return super.get(tenant, key, '1970-01-01T00:00:00Z');
    }
  }
  await rejects(testing.checkCache(new Lasting()), 'invalid_input', 'cache', 'contract');
});

test('a provider', async () => {
  await testing.checkProvider(testing.fakeProvider('one two'));
  await rejects(testing.checkProvider({ chat: () => { throw new Error('boom'); } }), 'invalid_input', 'provider');
});

test('an embedder', async () => {
  const vector = (text) => [text.split(' ').length, text.charCodeAt(0) - 96, 1];
  await testing.checkEmbedder({ embed: (ctx, { input }) => ({ vectors: input.map(vector) }) });
  await rejects(
    testing.checkEmbedder({ embed: (ctx, { input }) => ({ vectors: [...input].sort().map(vector) }) }), 'invalid_input', 'embedder', 'order',
  );
  await rejects(testing.checkEmbedder(), 'invalid_input', 'embedder');
});

test('a source of secrets', async () => {
  await testing.checkSecrets({ get: (tenant, { env }) => (env === 'A' ? 'hush' : null) }, { name: 'A', value: 'hush' });
  await rejects(testing.checkSecrets({ get: () => 'always' }, { name: 'A', value: 'always' }), 'invalid_input', 'secrets');
});

test('a CRM', async () => {
  const deals = { 1: { properties: { dealstage: 'closedwon', amount: null }, contacts: ['7'] } };
  const contacts = { 7: { properties: { email: null } } };
  const pick = (from, ids) => Object.fromEntries(ids.filter((id) => Object.hasOwn(from, id)).map((id) => [id, from[id]]));
  await testing.checkCrm({ deals: async (ctx, ids) => pick(deals, ids), contacts: async (ctx, ids) => pick(contacts, ids) }, { deals, contacts });
  await rejects(testing.checkCrm({ deals: () => ({}), contacts: () => ({}) }, { deals, contacts }), 'invalid_input', 'crm');
});

test('a state store', async () => {
  await testing.checkStateStore(new MapStateStore());
  class Careless extends MapStateStore {
    put(tenant, collection, key, expected, value) {
      return super.put(tenant, collection, key, null, value);
    }
  }
  await rejects(testing.checkStateStore(new Careless()), 'invalid_input', 'state_store');
});

test('an ad platform', async () => {
  const owner = { level: 'adset', id: '11' };
  const state = { owner, account_id: 'act_1', campaign_id: '1', name: 'A', currency: 'USD', daily_budget_minor: 10_000n, bid_minor: null, status: 'active' };
  const log = [];
  const missing = () => { throw new XynergyError('there is none', { kind: 'not_found' }); };
  const now = () => ({ ...state, read_at: new Date() });
  const platform = {
    account: (ctx, id) => (id === 'act_1' ? { account_id: id, currency: 'USD', minimum_daily_minor: null } : missing()),
    owner: (ctx, { level, id }) => (level === 'adset' && id === '11' ? now() : missing()),
    owners: (ctx, id) => (id === 'act_1' ? [now()] : missing()),
    set: (ctx, { owner: { id }, field, value }) => {
      if (id !== '11') missing();
      if (value <= 0n) throw new XynergyError('a budget is more than nothing', { kind: 'rejected' });
      log.push({ at: new Date(), field, before: state.daily_budget_minor, after: value, own: true });
      state.daily_budget_minor = value;
    },
    validate: (ctx, { owner: { id } }) => { if (id !== '11') missing(); },
    activities: (ctx, id, of, since) => log.filter(({ at }) => at >= new Date(since)),
    insights: () => [],
  };
  await testing.checkAdPlatform(platform, { account_id: 'act_1', owner });
  await rejects(testing.checkAdPlatform({ ...platform, set() {} }, { account_id: 'act_1', owner }), 'invalid_input', 'ad_platform');
});

test('stores of clicks and revenue', async () => {
  await testing.checkClickStore(new MapClicks());
  await testing.checkRevenueStore(new MapRevenue());
});

test('stores of clicks and revenue that forget do not pass', async () => {
  const none = { inserted: 0, duplicates: 0 };
  await rejects(testing.checkClickStore({ track: () => none, candidates: () => [], around: () => none, prune: () => none, erase: () => none, clicksByAd: () => [], count: () => 0 }), 'invalid_input', 'click_store');
  const forgetful = { appendEvents: () => none, pendingDeals: () => [], events: () => [], eventsAfter: () => [], countUntil: () => 0, putDeals: () => true, deals: () => [], findDeals: () => [], totals: () => ({}), countEvents: () => 0, putRevaluation: () => true, revaluations: () => [] };
  await rejects(testing.checkRevenueStore(forgetful), 'invalid_input', 'revenue_store');
});

test('what is no such object is refused and named', async () => {
  await rejects(testing.checkCache({}), 'invalid_input', 'cache', 'get');
  await rejects(testing.checkProvider(), 'invalid_input', 'provider');
  await rejects(testing.checkStateStore(3), 'invalid_input', 'stores.state');
  await rejects(testing.checkSecrets({ get() {} }), 'invalid_input', 'known');
  await assert.rejects(testing.useSandbox({}), { kind: 'invalid_input' });
});
