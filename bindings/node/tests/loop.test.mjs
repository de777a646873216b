// The event loop stays free.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { plain, rejects, says } from './support.mjs';

const owners = Array.from({ length: 200 }, (_, n) => ({
  owner_id: String(n),
  level: 'adset',
  current_minor: 5_000n,
  ads: [{ ad_id: `a${n}`, active: true, impressions: 1000, clicks: 50, spend_minor: 900, deals: 2, value_minor: 9_000n }],
}));
const request = { currency: 'USD', owners, constraints: { total_daily_minor: 1_000_000, min_minor: 100, max_minor: 9_000 }, seed: 7, draws: 10_000 };

test('what computes for long does so on a thread of its own', async () => {
  const client = plain();
  const start = performance.now();
  const allocation = client.allocation.select('first', request);
  const held = performance.now() - start;
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await allocation;
  clearInterval(timer);
  const took = performance.now() - start;
  assert.ok(held < took / 4, `the call held the loop for ${held.toFixed(1)} ms of ${took.toFixed(1)}`);
  assert.ok(turns > 5, `${turns} turns in ${took.toFixed(1)} ms`);
});

test('many arguments are read on another thread, and checked the same', async () => {
  const client = plain();
  const long = 'word '.repeat(50_000);
  assert.equal((await client.ai.generate(long)).text, 'ok');
  assert.equal((await client.ai.countTokens(long)).tokens > 1000, true);
  await rejects(client.ai.chat(says(long, { max_tokens: 'many' })), 'invalid_input', 'max_tokens');
  await rejects(client.scope({ tenant: 'a b' }).ai.generate(long), 'invalid_input', 'tenant');
  const stopped = new AbortController();
  const call = client.ai.generate(long, { signal: stopped.signal });
  stopped.abort();
  await rejects(call, 'cancelled');
  await client.close();
  await rejects(client.ai.generate(long), 'invalid_input', 'closed');
});
