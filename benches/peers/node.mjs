// Node against its peers on one upstream, in turns: `node benches/peers/node.mjs --upstream target/release/examples/bench_upstream`.
//
// Run it in a folder where `xynergy`, `undici` and `openai` are installed. Printed are the median of all calls, the 95th percentile, calls
// a second with 32 in flight, and the ratios to ours with the least and greatest of the rounds.

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    upstream: { type: 'string' },
    rounds: { type: 'string', default: '7' },
    calls: { type: 'string', default: '400' },
    memory: { type: 'string', default: '0' },
  },
});
const PROMPT =
  'Tell an advertiser in one plain sentence: the change of a daily budget was applied: a raise of about 20 %. ' +
  'The reason was that deals worth more than the share of the budget came from these ads.';
const messages = [{ role: 'user', content: PROMPT }];
const rounds = Number(options.rounds);
const calls = Number(options.calls);

// Packages are those of the folder that it is run in.
const require = createRequire(pathToFileURL(`${process.cwd()}/`));
const load = async (name) => import(pathToFileURL(require.resolve(name)).href);

const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
};
const spread = (numbers, digits = 3) =>
  [median(numbers), Math.min(...numbers), Math.max(...numbers)].map((n) => Number(n.toFixed(digits)));

async function oneByOne(call, count) {
  const taken = [];
  for (let n = 0; n < count; n++) {
    const start = performance.now();
    await call();
    taken.push((performance.now() - start) * 1000);
  }
  return taken;
}

async function inFlight(call, count, width) {
  let left = count;
  const worker = async () => {
    while (left > 0) {
      left--;
      await call();
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: width }, worker));
  return (count * 1000) / (performance.now() - start);
}

async function contenders(url) {
  const found = {};
  const missing = [];
  const add = async (name, make) => {
    try {
      found[name] = await make();
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND') throw error;
      missing.push(name);
    }
  };
  await add('xynergy', async () => {
    const client = await ours(url);
    const request = { messages, max_tokens: 64, xynergy: { cache: false } };
    return () => client.ai.chat(request);
  });
  await add('undici', async () => {
    const { request, Agent } = await load('undici');
    const dispatcher = new Agent({ connections: 64 });
    const body = { model: 'bench-1', messages, max_tokens: 64 };
    const headers = { 'content-type': 'application/json', authorization: 'Bearer bench' };
    return async () => {
      const answer = await request(`${url}/chat/completions`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
        dispatcher,
      });
      return answer.body.json();
    };
  });
  await add('openai', async () => {
    const { OpenAI } = await load('openai');
    const client = new OpenAI({ baseURL: url, apiKey: 'bench' });
    return () => client.chat.completions.create({ model: 'bench-1', messages, max_tokens: 64 });
  });
  return { found, missing };
}

async function ours(url) {
  const { Client } = await load('xynergy');
  return new Client({
    config: {
      version: 1,
      ai: {
        providers: {
          openai: {
            base_url: url,
            api_key: { env: 'XYNERGY_BENCH_KEY' },
            model: 'bench-1',
            price: { per_request_nano_usd: 1000 },
          },
        },
      },
    },
    secrets: { XYNERGY_BENCH_KEY: 'bench' },
  });
}

async function main(url) {
  const { found, missing } = await contenders(url);
  const taken = {};
  const rates = {};
  for (const [name, call] of Object.entries(found)) {
    await oneByOne(call, 500);
    taken[name] = [];
    rates[name] = [];
  }
  for (let round = 0; round < rounds; round++) {
    for (const [name, call] of Object.entries(found)) taken[name].push(await oneByOne(call, calls));
    for (const [name, call] of Object.entries(found)) rates[name].push(await inFlight(call, calls * 2, 32));
  }
  const report = { missing, peers: {} };
  const mine = taken.xynergy.map(median);
  for (const name of Object.keys(found)) {
    const every = taken[name].flat().sort((a, b) => a - b);
    report.peers[name] = {
      p50_us: Number(median(every).toFixed(1)),
      p95_us: Number(every[Math.floor(every.length * 0.95)].toFixed(1)),
      per_second_at_32: Math.round(median(rates[name])),
      ours_over_it_p50: spread(taken[name].map((of, n) => mine[n] / median(of))),
      our_throughput_over_it: spread(rates[name].map((rate, n) => rates.xynergy[n] / rate)),
    };
  }
  const client = await ours(url);
  const request = { messages, max_tokens: 64 };
  await client.ai.chat(request);
  const hits = [];
  const empty = [];
  for (let round = 0; round < rounds; round++) {
    hits.push(median(await oneByOne(() => client.ai.chat(request), 2000)));
    empty.push(median(await oneByOne(() => client.attribution.countClicks(), 2000)));
  }
  report.cache_hit_us = spread(hits, 2);
  report.empty_async_call_us = spread(empty, 2);
  const total = Number(options.memory);
  if (total > 0) {
    const samples = [];
    const miss = { ...request, xynergy: { cache: false } };
    for (let step = 0; step < 11; step++) {
      const count = step === 0 ? 20_000 : total / 10;
      for (let n = 0; n < count; n++) await client.ai.chat(n % 10 === 0 ? miss : request);
      globalThis.gc?.();
      samples.push(Math.round(process.memoryUsage().rss / 1024));
    }
    const grown = Number(((samples.at(-1) / samples[1] - 1) * 100).toFixed(2));
    report.memory = { calls: total, resident_kb: samples, grown_percent: grown };
  }
  await client.close();
  console.log(JSON.stringify(report, null, 1));
}

const server = spawn(options.upstream, { stdio: ['pipe', 'pipe', 'inherit'] });
const [line] = await once(createInterface({ input: server.stdout }), 'line');
await main(line.trim());
server.stdin.end();
process.exit(0);
