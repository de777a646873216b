// The scripted objects of a host.

import { XynergyError } from 'xynergy';

const METHODS = {
  providers: ['chat'],
  caches: ['get', 'put', 'invalidate'],
  secrets: ['get'],
  crms: ['deals', 'contacts'],
  ad_platforms: ['account', 'owner', 'owners', 'set', 'validate', 'activities', 'insights'],
  'stores.state': ['get', 'put', 'list'],
  'stores.clicks': ['track', 'candidates', 'around', 'prune', 'erase', 'clicksByAd', 'count'],
  'stores.revenue': ['appendEvents', 'pendingDeals', 'events', 'eventsAfter', 'countUntil', 'putDeals', 'deals', 'findDeals', 'totals', 'countEvents', 'putRevaluation', 'revaluations'],
};

const ATTRIBUTES = { default_model: 'defaultModel', tools: 'tools', response_format: 'responseFormat', images: 'images' };

/** An object that behaves as its script says. */
export class Scripted {
  seen = { calls: 0, cancelled: 0 };
  #kept = new Map();

  constructor(kind, script, clock) {
    Object.assign(this, { kind, script, clock });
    for (const row of script.owners ?? []) this.#kept.set(owner(row.owner), { ...row });
    for (const name of METHODS[kind]) {
      this[name] = async (...given) => {
        this.seen.calls += 1;
        return this.#behave(name, given);
      };
    }
    if (kind !== 'providers') return;
    for (const [name, value] of Object.entries(script.traits ?? {})) {
      if (name in ATTRIBUTES) this[ATTRIBUTES[name]] = value;
    }
    if (script.traits?.streaming) this.stream = (ctx, request) => this.#pieces(request);
  }

  async #behave(name, given) {
    const { script } = this;
    const { signal } = given.at(-1);
    switch (script.script) {
      case 'echo':
        return `echo: ${given[1].messages.at(-1).content}`;
      case 'throw':
        throw new Error('boom');
      case 'error':
        throw new XynergyError(script.message, { kind: script.kind, retryAfterMs: script.retry_after_ms ?? null });
      case 'hang':
        return new Promise(() => signal.addEventListener('abort', () => (this.seen.cancelled += 1), { once: true }));
      case 'return':
        return script.value;
      default:
        return this[`_${this.kind.replace('.', '_')}`](name, ...given);
    }
  }

  async *#pieces(request) {
    this.seen.calls += 1;
    const words = `echo: ${request.messages.at(-1).content}`.split(/(?<= )/);
    try {
      for (const piece of this.script.pieces ?? words) {
        if (typeof piece?.throw === 'string') throw new Error(piece.throw);
        yield piece;
      }
      if (this.script.then_hang) yield* this.#hanging();
    } finally {
      if (this.script.then_hang) this.seen.cancelled += 1;
    }
  }

  /** Nothing for a while: a generator that waits cannot be told to end. */
  async *#hanging() {
    await new Promise((resolve) => setTimeout(resolve, 1000).unref());
    yield '';
  }

  _caches(name, tenant, ...rest) {
    if (name === 'get') {
      const entry = this.#kept.get(`${tenant} ${rest[0]}`);
      return entry !== undefined && entry.expiresAt > rest[1] ? entry.response : null;
    }
    if (name === 'put') {
      const [key, response, expiresAt] = rest;
      this.#kept.set(`${tenant} ${key}`, { tenant, key, response, expiresAt });
      return undefined;
    }
    const pattern = new RegExp(`^${rest[0].split('*').map(RegExp.escape ?? ((text) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))).join('.*')}$`);
    const meant = [...this.#kept].filter(([, { tenant: of, key, response: { xynergy } }]) =>
      of === tenant && (pattern.test(key) || pattern.test(`${xynergy.provider}/${xynergy.model}`)));
    for (const [key] of meant) this.#kept.delete(key);
    return meant.length;
  }

  _secrets(name, tenant, reference) {
    return this.script.values[reference.env] ?? null;
  }

  _crms(name, ctx, ids) {
    return Object.fromEntries(Object.entries(this.script[name]).filter(([id]) => ids.includes(id)));
  }

  _stores_state(name, tenant, collection, key, expected, value) {
    const place = `${tenant} ${collection} `;
    if (name === 'list') {
      return [...this.#kept].filter(([at]) => at.startsWith(place)).sort().map(([at, document]) => [at.slice(place.length), document]);
    }
    const stored = this.#kept.get(place + key);
    if (name === 'get') return stored ?? null;
    const version = stored?.version ?? 0;
    if (expected !== null && Number(expected) !== version) throw new XynergyError(`version ${version} is stored`, { kind: 'conflict' });
    this.#kept.set(place + key, { version: version + 1, value });
    return version + 1;
  }

  _ad_platforms(name, ctx, given) {
    const read = (row) => ({ ...row, read_at: this.clock.now() });
    switch (name) {
      case 'account':
        return { account_id: given, currency: 'USD', minimum_daily_minor: null };
      case 'owners':
        return [...this.#kept.values()].map(read);
      case 'owner': {
        const row = this.#kept.get(owner(given));
        if (row === undefined) throw new XynergyError('there is no such object', { kind: 'not_found' });
        return read(row);
      }
      case 'set':
        this.#kept.get(owner(given.owner)).daily_budget_minor = given.value;
        if (this.script.set === 'lost') throw new Error('the answer is lost');
        return undefined;
      case 'activities':
        throw new XynergyError('there is no log', { kind: 'unsupported' });
      default:
        return name === 'insights' ? [] : undefined;
    }
  }
}

const owner = ({ level, id }) => `${level} ${id}`;
