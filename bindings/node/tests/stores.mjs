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

const DAY = 86_400_000_000_000n;

function dayOf(time) {
  const at = exact(time);
  return at >= 0n ? at / DAY : -((-at + DAY - 1n) / DAY);
}

const descending = (a, b) => (a === b ? 0 : a < b ? 1 : -1);

export class MapClicks {
  #tenants = new ByTenant();
  #of = (tenant) => this.#tenants.of(tenant, () => ({ clicks: new Map(), byAd: new Map(), sources: new Map() }));

  async track(tenant, clicks, source) {
    const stored = this.#of(tenant);
    let inserted = 0;
    for (const click of clicks) {
      const day = dayOf(click.at);
      const place = `${day} ${click.key}`;
      if (stored.clicks.has(place)) continue;
      stored.clicks.set(place, { time: exact(click.at), day, click, keys: MapClicks.#keysOf(click) });
      const { ad_id, adset_id, campaign_id } = click;
      const ad = JSON.stringify([String(day), ad_id, adset_id, campaign_id]);
      stored.byAd.set(ad, (stored.byAd.get(ad) ?? 0) + 1);
      inserted++;
    }
    stored.sources.set(source, (stored.sources.get(source) ?? 0) + inserted);
    return { inserted, duplicates: clicks.length - inserted };
  }

  async candidates(tenant, keys, from, to) {
    const latest = new Map();
    for (const row of this.#within(tenant, from, to)) {
      for (const key of row.keys.filter((key) => keys.includes(key))) {
        const best = latest.get(key) ?? [];
        if (best.length === 0 || row.time > best[0].time) latest.set(key, [row]);
        else if (row.time === best[0].time && !best.includes(row)) best.push(row);
      }
    }
    const found = [...latest].flatMap(([key, rows]) => rows.map(({ click }) => MapClicks.#candidate(key, click)));
    const order = (a, b) => inBytes(a.matched, b.matched) || Number(exact(a.at) - exact(b.at)) || inBytes(a.id, b.id) || inBytes(a.key, b.key);
    return found.sort(order);
  }

  async around(tenant, networks, from, to, limit) {
    const found = this.#within(tenant, from, to).filter(({ click }) => networks.includes(click.personal?.device?.network));
    found.sort((a, b) => descending(a.time, b.time) || descending(a.click.key, b.click.key));
    const clicks = found.slice(0, Number(limit)).map(({ click }) => MapClicks.#candidate(click.personal.device.network, click));
    return { clicks, total: found.length };
  }

  async prune(tenant, before) {
    return { clicks: this.#forget(tenant, ({ day }) => day < dayOf(before)).length };
  }

  async erase(tenant, keys) {
    const gone = this.#forget(tenant, (row) => [row.click.key, ...row.keys].some((key) => keys.includes(key)));
    const clicks = gone.map(({ click }) => ({ key: click.key, id: MapClicks.#id(click) }));
    return { clicks: clicks.sort((a, b) => inBytes(a.key, b.key) || inBytes(a.id, b.id)) };
  }

  async clicksByAd(tenant, from, to) {
    const [first, last] = [dayOf(from), dayOf(to)];
    const rows = [...this.#of(tenant).byAd].map(([ad, clicks]) => [...JSON.parse(ad), clicks]);
    const within = rows.filter(([day]) => BigInt(day) >= first && BigInt(day) <= last);
    within.sort((a, b) => Number(BigInt(a[0]) - BigInt(b[0])) || inBytes(a[1], b[1]) || inBytes(a[2], b[2]) || inBytes(a[3], b[3]));
    return within.map(([day, ad_id, adset_id, campaign_id, clicks]) => ({
      day: new Date(Number(day) * 86_400_000).toISOString(), ad_id, adset_id, campaign_id, clicks,
    }));
  }

  async count(tenant, source) {
    return count(this.#of(tenant).sources, source);
  }

  #within(tenant, from, to) {
    const [first, last] = [exact(from), exact(to)];
    return [...this.#of(tenant).clicks.values()].filter(({ time }) => time >= first && time <= last);
  }

  #forget(tenant, isMeant) {
    const { clicks } = this.#of(tenant);
    const gone = [...clicks].filter(([, row]) => isMeant(row));
    for (const [place] of gone) clicks.delete(place);
    return gone.map(([, row]) => row);
  }

  static #id({ personal, key }) {
    return personal?.click_id ?? key;
  }

  static #candidate(matched, click) {
    const { at, key, ad_id, adset_id, campaign_id, utm, personal } = click;
    return { matched, at, id: MapClicks.#id(click), key, ad_id, adset_id, campaign_id, utm, device: personal?.device ?? null };
  }

  static #keysOf({ id_keys: ids, personal }) {
    return [...ids, personal?.fingerprint, personal?.address, personal?.device?.network].filter((key) => none(key) !== null);
  }
}

export class MapRevenue {
  #tenants = new ByTenant();
  #of = (tenant) => this.#tenants.of(tenant, () => ({ events: new Map(), deals: new Map(), sources: new Map(), tables: new Map() }));

  async appendEvents(tenant, events, source) {
    const stored = this.#of(tenant);
    let inserted = 0;
    for (const event of events) {
      const there = stored.events.get(event.key);
      if (there === undefined) inserted++;
      const first = there ?? event;
      const raw = inBytes(event.raw, first.raw) < 0 ? event.raw : first.raw;
      const recorded = exact(event.recorded_at) < exact(first.recorded_at) ? event.recorded_at : first.recorded_at;
      stored.events.set(event.key, { ...first, raw, recorded_at: recorded });
    }
    stored.sources.set(source, (stored.sources.get(source) ?? 0) + inserted);
    return { inserted, duplicates: events.length - inserted };
  }

  async pendingDeals(tenant, limit) {
    const { events, deals, tables } = this.#of(tenant);
    const ids = new Set([...events.values()].flatMap((event) => event.deals));
    const values = [...tables.values()].reduce((all, one) => all + one.events_seen + 1, 0);
    const pending = [...ids].filter(
      (id) => (deals.get(id)?.events_seen ?? 0) < this.#eventsOf(tenant, id).length || (deals.get(id)?.values_seen ?? 0) < values,
    );
    return pending.sort(inBytes).slice(0, limit);
  }

  async events(tenant, dealId) {
    return this.#eventsOf(tenant, dealId);
  }

  async eventsAfter(tenant, after, limit) {
    const events = [...this.#of(tenant).events.values()].filter(({ deals, key }) => deals.length > 0 && (none(after) === null || key > after));
    return events.sort((a, b) => inBytes(a.key, b.key)).slice(0, limit);
  }

  async countUntil(tenant, until) {
    const events = [...this.#of(tenant).events.values()];
    return events.filter(({ deals, occurred_at: at }) => deals.length > 0 && exact(at) <= exact(until)).length;
  }

  async putDeals(tenant, deals) {
    const { deals: booked } = this.#of(tenant);
    for (const deal of deals) {
      const events = this.#eventsOf(tenant, deal.deal_id).length;
      if (events === 0 || deal.events_seen > events) {
        throw new XynergyError('events_seen: it is not what the inbox has', { kind: 'invalid_input' });
      }
    }
    for (const deal of deals) {
      const there = booked.get(deal.deal_id);
      if (there && (there.events_seen > deal.events_seen || there.values_seen > deal.values_seen)) return false;
    }
    for (const deal of deals) booked.set(deal.deal_id, deal);
    return true;
  }

  async deals(tenant) {
    const booked = [...this.#of(tenant).deals.values()].filter(({ stage }) => none(stage) !== null);
    return booked.sort((a, b) => inBytes(a.deal_id, b.deal_id));
  }

  async findDeals(tenant, ids) {
    const { deals } = this.#of(tenant);
    return [...new Set(ids)].sort(inBytes).flatMap((id) => deals.get(id) ?? []);
  }

  async totals(tenant) {
    const totals = { by_ad: {}, unattributed_minor: 0n, matches: { layer1: 0, layer2: 0, layer3: 0, none: 0 } };
    for (const { matched, value_minor: value, stage, merged_into: into } of this.#of(tenant).deals.values()) {
      if (none(stage) === null || none(into) !== null) continue;
      totals.matches[matched.found?.layer ?? 'none']++;
      if (matched.found) totals.by_ad[matched.found.ad_id] = sum(totals.by_ad[matched.found.ad_id] ?? 0n, value);
      else totals.unattributed_minor = sum(totals.unattributed_minor, value);
    }
    return totals;
  }

  async countEvents(tenant, source) {
    return count(this.#of(tenant).sources, source);
  }

  async putRevaluation(tenant, revaluation) {
    const { tables } = this.#of(tenant);
    const there = tables.get(revaluation.cut);
    if (there && there.events_seen > revaluation.events_seen) return false;
    const earlier = there && exact(there.recorded_at) < exact(revaluation.recorded_at);
    tables.set(revaluation.cut, earlier ? { ...revaluation, recorded_at: there.recorded_at } : revaluation);
    return true;
  }

  async revaluations(tenant) {
    return [...this.#of(tenant).tables.values()].sort((a, b) => Number(exact(a.cut) - exact(b.cut)));
  }

  #eventsOf(tenant, dealId) {
    const events = [...this.#of(tenant).events.values()].filter(({ deals }) => deals.includes(dealId));
    return events.sort((a, b) => inBytes(a.key, b.key));
  }
}
