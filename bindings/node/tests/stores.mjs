// Stores of a host's own, in memory: what a host would write for its database.

import { XynergyError } from 'xynergy';

/** A time that compares exactly: texts may have different numbers of digits behind the point, or be beyond any calendar. */
function exact(time) {
  if (time.endsWith('us')) return BigInt(time.slice(0, -2)) * 1000n;
  const [, seconds, fraction = ''] = /^([^.Z]+)(?:\.(\d+))?Z$/.exec(time);
  return BigInt(Date.parse(`${seconds}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0').slice(0, 9));
}

const inBytes = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));
const none = (value) => value ?? null;

/** What a tenant has, made when it is first asked for. */
class ByTenant extends Map {
  of(tenant, make) {
    if (!this.has(tenant)) this.set(tenant, make());
    return this.get(tenant);
  }
}

function count(sources, source) {
  return none(source) === null ? [...sources.values()].reduce((sum, n) => sum + n, 0) : (sources.get(source) ?? 0);
}

/** Money is of 64 bits; a BigInt would grow beyond them without a word. */
function sum(a, b) {
  if (BigInt.asIntN(64, a + b) !== a + b) throw new XynergyError('the revenue passes 64 bits', { kind: 'limit_exceeded' });
  return a + b;
}

export class MapClicks {
  #tenants = new ByTenant();
  #of = (tenant) => this.#tenants.of(tenant, () => ({ clicks: new Map(), byKey: new Map(), sources: new Map() }));

  async track(tenant, clicks, source) {
    const stored = this.#of(tenant);
    let inserted = 0;
    for (const click of clicks) {
      if (stored.clicks.has(click.key)) continue;
      stored.clicks.set(click.key, click);
      for (const key of new Set(MapClicks.#keysOf(click))) {
        if (!stored.byKey.has(key)) stored.byKey.set(key, []);
        stored.byKey.get(key).push({ time: exact(click.at), click });
      }
      inserted++;
    }
    stored.sources.set(source, (stored.sources.get(source) ?? 0) + inserted);
    return { inserted, duplicates: clicks.length - inserted };
  }

  async candidates(tenant, keys, from, to) {
    const found = new Map();
    const [first, last] = [exact(from), exact(to)];
    for (const key of keys) {
      const times = (this.#of(tenant).byKey.get(key) ?? []).filter(({ time }) => time <= last);
      if (times.length === 0) continue;
      const latest = times.reduce((most, { time }) => (time > most ? time : most), times[0].time);
      if (latest < first) continue;
      for (const { click } of times.filter(({ time }) => time === latest)) {
        const { at, key: own, ad_id, adset_id, campaign_id } = click;
        found.set(`${key} ${own}`, { matched: key, at, id: click.personal?.click_id ?? own, key: own, ad_id, adset_id, campaign_id });
      }
    }
    const order = (a, b) => inBytes(a.matched, b.matched) || Number(exact(a.at) - exact(b.at)) || inBytes(a.id, b.id) || inBytes(a.key, b.key);
    return [...found.values()].sort(order);
  }

  async count(tenant, source) {
    return count(this.#of(tenant).sources, source);
  }

  static #keysOf({ id_keys: ids, personal }) {
    return [...ids, personal?.fingerprint, personal?.address].filter((key) => none(key) !== null);
  }
}

export class MapRevenue {
  #tenants = new ByTenant();
  #of = (tenant) => this.#tenants.of(tenant, () => ({ events: new Map(), deals: new Map(), sources: new Map() }));

  async appendEvents(tenant, events, source) {
    const stored = this.#of(tenant);
    let inserted = 0;
    for (const event of events) {
      const there = stored.events.get(event.key);
      if (there === undefined) inserted++;
      if (there === undefined || inBytes(event.raw, there.raw) < 0) stored.events.set(event.key, { ...(there ?? event), raw: event.raw });
    }
    stored.sources.set(source, (stored.sources.get(source) ?? 0) + inserted);
    return { inserted, duplicates: events.length - inserted };
  }

  async pendingDeals(tenant, limit) {
    const { events, deals } = this.#of(tenant);
    const ids = new Set([...events.values()].flatMap(({ stage_change: change }) => (change ? [change.deal_id] : [])));
    const pending = [...ids].filter((id) => (deals.get(id)?.events_seen ?? 0) < this.#eventsOf(tenant, id).length);
    return pending.sort(inBytes).slice(0, limit);
  }

  async events(tenant, dealId) {
    return this.#eventsOf(tenant, dealId);
  }

  async putDeal(tenant, deal) {
    const { deals } = this.#of(tenant);
    if (deal.events_seen < 1 || deal.events_seen > this.#eventsOf(tenant, deal.deal_id).length) {
      throw new XynergyError('events_seen: it is not what the inbox has', { kind: 'invalid_input' });
    }
    if ((deals.get(deal.deal_id)?.events_seen ?? 0) > deal.events_seen) return false;
    deals.set(deal.deal_id, deal);
    return true;
  }

  async deals(tenant) {
    return [...this.#of(tenant).deals.values()].sort((a, b) => inBytes(a.deal_id, b.deal_id));
  }

  async totals(tenant) {
    const totals = { by_ad: {}, unattributed_minor: 0n, matches: { layer1: 0, layer2: 0, layer3: 0, none: 0 } };
    for (const { matched, value_minor: value } of this.#of(tenant).deals.values()) {
      totals.matches[matched.found?.layer ?? 'none']++;
      if (matched.found) totals.by_ad[matched.found.ad_id] = sum(totals.by_ad[matched.found.ad_id] ?? 0n, value);
      else totals.unattributed_minor = sum(totals.unattributed_minor, value);
    }
    return totals;
  }

  async countEvents(tenant, source) {
    return count(this.#of(tenant).sources, source);
  }

  #eventsOf(tenant, dealId) {
    const events = [...this.#of(tenant).events.values()].filter(({ stage_change: change }) => change?.deal_id === dealId);
    return events.sort((a, b) => inBytes(a.key, b.key));
  }
}
