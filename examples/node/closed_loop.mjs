// The whole loop on one command: ad clicks and CRM webhooks in, guarded budget changes out.
//
// `node closed_loop.mjs` needs no keys, no servers and no network: the AI providers, the ad platform and the CRM are a sandbox on this
// machine. With `--json` it prints the same bytes as the Rust example does for the same inputs and seed, from a store that is new.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { Client, ManualClock, XynergyError, sandbox as sandboxes, toJson } from 'xynergy';

const DRAW_KEY = 'XYNERGY_EXAMPLE_DRAW_KEY';
const BATCH = 1000;
/** How far ahead the simulated clock looks for something to do, in microseconds. */
const HORIZON = 3_600_000_000n;
const BECAUSE = {
  above_ceiling: 'because it is above the ceiling that was set for it',
  account_cap: "because the account's daily total would be exceeded",
  awaiting_cuts: 'because the cuts that make room for it are not done yet',
  below_floor: 'because it is below the floor that was set for it',
  conflict: 'because what became of it cannot be told without a person looking',
  drifted: 'because somebody had changed the budget by hand since it was proposed',
  edited: 'because somebody edited the object by hand after it was proposed',
  expired: 'because it had waited for too long',
  kill_switch: 'because changes are switched off',
  landed_late: 'although its reply was lost and it took effect later than expected',
  learning_phase: "because it would start the platform's learning phase anew",
  rate_limit_account: 'because too many changes were made within the hour',
  rate_limit_campaign: 'because too many changes were made within the hour',
  rate_limit_owner: 'because too many changes were made within the hour',
  reconciled: 'although the reply was lost: reading the platform showed that it had happened',
  throttled: 'because the ad platform asked to slow down',
  velocity: 'because the budget would have moved by more than 20 % within six hours',
};

const data = (file) => fileURLToPath(new URL(`../data/${file}`, import.meta.url));

/** A time in microseconds since 1970, exactly; undefined when it is none. */
function micros(text) {
  const found = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (found === null || Number.isNaN(Date.parse(found[1] + found[3]))) return undefined;
  return BigInt(Date.parse(found[1] + found[3])) * 1000n + BigInt((found[2] ?? '').padEnd(6, '0').slice(0, 6));
}

/** The lines of a file without the empty ones and a byte-order mark, as bytes: a line need not be text. */
function* lines(bytes) {
  let start = bytes.subarray(0, 3).equals(Buffer.from('\ufeff')) ? 3 : 0;
  while (start < bytes.length) {
    const end = bytes.indexOf(10, start);
    const line = bytes.subarray(start, end < 0 ? bytes.length : end);
    if (line.toString('latin1').trim() !== '') yield line;
    start = end < 0 ? bytes.length : end + 1;
  }
}

function parsed(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** The input files of a run. */
function readInputs(options) {
  const contents = [options.clicks, options.webhooks, options.crm, options.ads].map((path) => readFileSync(path));
  const digest = createHash('sha256');
  for (const content of contents) {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(content.length));
    digest.update(length).update(content);
  }
  const clicks = [...lines(contents[0])];
  const deliveries = [];
  let broken = 0;
  for (const line of lines(contents[1])) {
    const delivery = parsed(line);
    if (micros(delivery?.received_at) === undefined) broken += 1;
    else deliveries.push(delivery);
  }
  const times = [...deliveries.map((delivery) => delivery.received_at), ...clicks.map((line) => parsed(line)?.ts)];
  const newest = times.filter((time) => micros(time) !== undefined).reduce((a, b) => (micros(b) > micros(a) ? b : a));
  const start = Buffer.alloc(16);
  start.writeBigUInt64LE(options.seed, 0);
  start.writeBigInt64LE(micros(newest), 8);
  const runId = digest.update(start).digest('hex').slice(0, 32);
  return { clicks, deliveries, broken, newest, runId };
}

/** One run, from the first click to the last change. */
class Run {
  counts = { clicks: 0, rejected: 0, verified: 0, refused: 0, events: 0 };
  sentences = new Map();

  constructor(client, sandbox, clock, inputs, seed) {
    Object.assign(this, { client, sandbox, clock, inputs, seed, id: inputs.runId });
    this.counts.refused = inputs.broken;
  }

  async go() {
    const { closedLoop, execution } = this.client;
    const { account } = this.sandbox;
    await this.ingestClicks();
    await this.acceptWebhooks();
    while (Number(await closedLoop.process(account)) > 0);
    const allocation = await closedLoop.allocate(account, this.id, this.seed);
    await execution.queue(await closedLoop.changes(account, this.id, allocation));
    await this.execute();
    return this.report(allocation);
  }

  async ingestClicks() {
    const text = new TextDecoder('utf-8', { fatal: true });
    const texts = [];
    for (const line of this.inputs.clicks) {
      try {
        texts.push(text.decode(line));
      } catch {
        this.counts.rejected += 1;
      }
    }
    for (let start = 0; start < texts.length; start += BATCH) {
      const tracked = await this.client.attribution.trackClicks(texts.slice(start, start + BATCH), { source: this.id });
      this.counts.clicks += Number(tracked.inserted) + Number(tracked.duplicates);
      this.counts.rejected += tracked.rejected.length;
    }
  }

  async acceptWebhooks() {
    for (const { received_at: receivedAt, method, url, headers, body } of this.inputs.deliveries) {
      try {
        const accepted = await this.client.hubspot.accept(method, url, headers, body, { receivedAt, source: this.id });
        this.counts.verified += 1;
        this.counts.events += Number(accepted.events) + Number(accepted.duplicates);
      } catch (error) {
        if (error.kind !== 'unauthorized' && error.kind !== 'invalid_input') throw error;
        this.counts.refused += 1;
      }
    }
  }

  /** Does what is due, moves the clock to what is due next, and ends when nothing is due within an hour. */
  async execute() {
    const { execution } = this.client;
    for (;;) {
      while ((await execution.runOnce()) !== null);
      const due = [await execution.nextDue(), await this.sandbox.nextDue()].filter((at) => at !== null);
      if (due.length === 0) return;
      const at = due.reduce((a, b) => (micros(b) < micros(a) ? b : a));
      if (micros(at) > micros(this.clock.now()) + HORIZON) return;
      this.clock.set(at);
      await this.sandbox.applyDue();
    }
  }

  /** One plain sentence on each applied or blocked change, and what the sentences cost. */
  async explain(changes) {
    const ai = { requests: 0, cache_hits: 0, cost_nano_usd: 0, by_provider: {} };
    for (const row of changes) {
      if (row.status !== 'completed' && row.status !== 'blocked') continue;
      const answer = await this.client.ai.generate(prompt(row), { temperature: 0 });
      this.sentences.set(row.change.owner.id, answer.text.split(/\s+/).join(' ').trim());
      const cost = Number(answer.cost_nano_usd ?? 0);
      ai.requests += 1;
      ai.cost_nano_usd += cost;
      if (answer.cache_hit) {
        ai.cache_hits += 1;
      } else {
        const used = (ai.by_provider[answer.provider] ??= { requests: 0, cost_nano_usd: 0 });
        used.requests += 1;
        used.cost_nano_usd += cost;
      }
    }
    return ai;
  }

  /** What the run did, read back through the client. */
  async report(allocation) {
    const { client, counts, id } = this;
    const { account } = this.sandbox;
    const changes = await client.execution.list({ allocationId: id });
    changes.sort((a, b) => (a.change.owner.id < b.change.owner.id ? -1 : 1));
    const ai = await this.explain(changes);
    const ingested = Number(await client.attribution.countClicks({ source: id }));
    const events = Number(await client.hubspot.countEvents({ source: id }));
    const totals = await client.attribution.totals();
    const audit = await client.execution.verifyAudit();
    const byAd = Object.fromEntries(account.ads.map((ad) => [ad.ad_id, 0]));
    for (const [ad, minor] of Object.entries(totals.by_ad)) byAd[ad] = Number(minor);
    byAd.unattributed = (byAd.unattributed ?? 0) + Number(totals.unattributed_minor);
    const owners = new Set(account.ads.map((ad) => (ad.level === 'adset' ? ad.adset_id : ad.campaign_id)));
    const live = (await client.execution.owners(account.account_id)).filter((o) => owners.has(o.owner.id) && o.daily_budget_minor !== null);
    const ended = (status) => changes.filter((row) => row.status === status).length;
    return {
      clicks: { ingested, duplicates: counts.clicks - ingested, rejected: counts.rejected },
      webhooks: {
        received: counts.verified + counts.refused,
        verified: counts.verified,
        rejected: counts.refused,
        events,
        duplicates: counts.events - events,
      },
      matches: totals.matches,
      revenue: { total_minor: Object.values(byAd).reduce((a, b) => a + b, 0), by_ad: byAd },
      allocation: allocation.rows.map(({ level, ...row }) => row),
      changes: {
        queued: changes.length,
        completed: ended('completed'),
        blocked: ended('blocked'),
        failed: ended('failed'),
        by_reason: await this.reasons(changes),
      },
      platform: Object.fromEntries(live.map((o) => [o.owner.id, o.daily_budget_minor])),
      audit: { rows: audit.rows, chain_ok: audit.chain_ok },
      ai,
    };
  }

  /** How many changes met each reason on the way, whatever became of them. */
  async reasons(changes) {
    const met = {};
    for (const row of changes) {
      const history = await this.client.execution.history(row.change.account_id, { changeId: row.change.id });
      const reasons = new Set([row, ...history].map((found) => found.reason).filter((reason) => reason !== null));
      for (const reason of reasons) met[reason] = (met[reason] ?? 0) + 1;
    }
    return met;
  }
}

/** It has the reason and a rounded percentage and no name, so that equal cases are one prompt and the second comes from the cache. */
function prompt(row) {
  const [before, target] = [BigInt(row.change.expected_from), BigInt(row.change.target)];
  const moved = target < before ? before - target : target - before;
  const percent = (((moved * 40n) / (before > 1n ? before : 1n) + 1n) / 2n) * 5n;
  const done = row.status === 'completed' ? 'was applied' : 'was blocked';
  const because = row.reason === null ? '' : `, ${BECAUSE[row.reason] ?? `because of ${row.reason.replaceAll('_', ' ')}`}`;
  const direction = target < before ? 'cut' : 'raise';
  return `Tell an advertiser in one plain sentence: a ${direction} of the daily budget by about ${percent} % ${done}${because}.`;
}

/** The report for a person. */
function show(report, sentences) {
  const money = (minor) => (Number(minor) / 100).toFixed(2).padStart(10);
  for (const name of ['clicks', 'webhooks', 'matches']) {
    console.log(name.padEnd(10), Object.entries(report[name]).map((pair) => pair.join(' ')).join(', '));
  }
  console.log(`\n${'owner'.padEnd(20)} ${'now'.padStart(10)} ${'proposed'.padStart(10)} ${'live'.padStart(10)}`);
  for (const row of report.allocation) {
    const live = report.platform[row.owner_id] ?? 0;
    console.log(row.owner_id.padEnd(20), money(row.current_minor), money(row.proposed_minor), money(live), ` ${sentences.get(row.owner_id) ?? ''}`);
  }
  const { changes, audit } = report;
  console.log(`\n${changes.completed} of ${changes.queued} changes applied, ${changes.blocked} blocked, ${changes.failed} failed`);
  console.log(`audit: ${audit.rows} rows, chain ${audit.chain_ok ? 'verified' : 'BROKEN'}`);
}

function readOptions() {
  const file = (name) => ({ type: 'string', default: data(name) });
  const { values } = parseArgs({
    options: {
      clicks: file('clicks.ndjson'),
      webhooks: file('webhooks.ndjson'),
      crm: file('crm.json'),
      ads: file('ads.json'),
      faults: file('faults.json'),
      store: { type: 'string', default: 'memory' },
      seed: { type: 'string', default: '7' },
      preset: { type: 'string', default: 'seed' },
      json: { type: 'boolean', default: false },
    },
  });
  return { ...values, seed: BigInt(values.seed) };
}

async function main() {
  const options = readOptions();
  const inputs = readInputs(options);
  const clock = new ManualClock(inputs.newest);
  const faults = options.faults === 'none' ? [] : options.faults;
  const sandbox = await sandboxes.start({ ads: options.ads, crm: options.crm, faults, clock });
  const config = { ...sandbox.config, execution: { preset: options.preset, draw_key: { env: DRAW_KEY } } };
  if (options.store !== 'memory') config.store = { type: 'sqlite', path: options.store.replace(/^sqlite:/, '') };
  const secrets = { ...sandbox.secrets, [DRAW_KEY]: `closed loop, seed ${options.seed}` };
  // The first process on a store; a later one must draw other ids.
  const client = new Client({ config, secrets, clock, seed: options.seed ^ (1n << 32n) });
  try {
    const run = new Run(client, sandbox, clock, inputs, options.seed);
    const report = await run.go();
    if (options.json) process.stdout.write(toJson(report));
    else show(report, run.sentences);
  } finally {
    await client.close();
    await sandbox.stop();
  }
}

try {
  await main();
} catch (error) {
  console.error(`closed_loop: ${error.message}`);
  process.exitCode = error instanceof XynergyError ? 1 : 2;
}
