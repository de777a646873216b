// The snippets of the README, run.

import assert from 'node:assert/strict';
import { test } from 'node:test';

const log = console.log;
const printed = [];
test.beforeEach(() => {
  printed.length = 0;
  console.log = (...values) => printed.push(values.join(' '));
});
test.afterEach(() => (console.log = log));

test('the quick start', async () => {
  // region: quickstart
  const { Client, sandbox } = await import('xynergy');

  const served = await sandbox.start(); // stand-ins for the AI providers, Meta and HubSpot; for your own keys: Client.fromEnv()
  const client = new Client({ config: served.config, secrets: served.secrets });
  const acme = client.scope({ tenant: 'acme', actor: 'nightly job' });

  const answer = await acme.ai.generate('Name three uses of a paper clip.', { maxTokens: 200 });
  console.log(answer.text, answer.provider, answer.cost_nano_usd);

  for await (const chunk of acme.ai.stream({ messages: [{ role: 'user', content: 'And of a rubber band?' }] })) {
    process.stdout.write(chunk.choices[0]?.delta.content ?? '');
  }

  await client.close();
  await served.stop();
  // endregion: quickstart
  assert.match(printed[0], /^You asked: Name three uses.* internal 1000000$/);
});

test('cancelling, and what is thrown', async () => {
  const { Client, XynergyError } = await import('xynergy');
  const client = new Client({ providers: { slow: { chat: () => new Promise(() => {}) } } });
  // region: errors
  try {
    await client.ai.generate('a long story', { signal: AbortSignal.timeout(50), requestId: 'req-17' });
  } catch (error) {
    if (!(error instanceof XynergyError)) throw error;
    if (error.kind === 'cancelled') console.log('nobody waits any more');
    else if (error.retryable) console.log(`try again in ${error.retryAfterMs} ms`);
    else console.log(error.kind, error.operation, error.message, error.cause);
  }
  // endregion: errors
  assert.deepEqual(printed, ['nobody waits any more']);
});

test('a provider of your own', async () => {
  const { Client } = await import('xynergy');
  const fetch = async (url, { signal }) => ({ ok: signal instanceof AbortSignal, json: async () => ({ text: `hello from ${url}` }) });
  // region: provider
  class Mine {
    defaultModel = 'mine-1';

    async chat(ctx, request, { signal }) {
      const answer = await fetch('http://10.0.0.7/answer', { method: 'POST', body: JSON.stringify(request), signal });
      const { text } = await answer.json();
      return text; // or a whole chat completion
    }

    async *stream(ctx, request, { signal }) {
      yield 'piece ';
      yield 'by piece';
    }
  }

  const client = new Client({ providers: { mine: new Mine() }, hostTimeoutMs: 10_000 });
  console.log((await client.ai.generate('hello')).text);
  // endregion: provider
  assert.deepEqual(printed, ['hello from http://10.0.0.7/answer']);
});

test('the openai package’s shape', async () => {
  const { Client } = await import('xynergy');
  const { fakeProvider } = await import('xynergy/testing');
  // region: openai
  const openai = new Client({ providers: { mine: fakeProvider('Hello!') } }); // instead of: new OpenAI()

  const completion = await openai.chat.completions.create({ model: 'mine', messages: [{ role: 'user', content: 'hi' }] });
  console.log(completion.choices[0].message.content);
  // endregion: openai
  assert.deepEqual(printed, ['Hello!']);
});

// region: testing
test('an answer is remembered', async (t) => {
  const { useSandbox } = await import('xynergy/testing');
  const { client } = await useSandbox(t); // stopped and closed when the test ends

  const request = { messages: [{ role: 'user', content: 'hi' }] };
  await client.ai.chat(request);
  assert.equal((await client.ai.chat(request)).xynergy.cache_hit, true);
});
// endregion: testing

test('the AI SDK', async (t) => {
  const { useSandbox } = await import('xynergy/testing');
  const { client } = await useSandbox(t);
  // region: ai-sdk
  const { generateText } = await import('ai');
  const { xynergyProvider } = await import('xynergy/ai-sdk');

  const xynergy = xynergyProvider(client.scope({ tenant: 'acme' }));
  const { text } = await generateText({ model: xynergy(), prompt: 'hello' }); // xynergy('gpt-4o-mini') for a certain model
  console.log(text);
  // endregion: ai-sdk
  assert.match(printed[0], /^You asked: hello\./);
});

test('the closed loop', async (t) => {
  const { useSandbox } = await import('xynergy/testing');
  const { client, sandbox: served } = await useSandbox(t);
  // region: closed-loop
  const { account } = served;
  const allocation = await client.closedLoop.allocate(account, '2026-03-01', 7n);
  const changes = await client.closedLoop.changes(account, '2026-03-01', allocation);
  const plan = await client.execution.plan(changes); // writes nothing
  for (const { change, outcome } of plan.changes) console.log(change.owner.id, change.expected_from, change.target, outcome.verdict);
  await client.execution.queue(changes);
  while (await client.execution.runOnce()); // does what is due; call it again at client.execution.nextDue()
  // endregion: closed-loop
  assert.ok(printed.length > 0 && /^\d+ \d+ \d+ (sent|blocked)$/.test(printed[0]), printed[0]);
});

test('money is exact', async () => {
  const { Client, toJson } = await import('xynergy');
  const { fakeProvider } = await import('xynergy/testing');
  const client = new Client({ providers: { mine: fakeProvider() } });
  // region: bigint
  await client.ai.setLimit('tenant', 'day', 20_000_000_000n, true); // numbers will do as well: 20 dollars in billionths
  const spend = await client.ai.spend();
  console.log(typeof spend.cost_nano_usd, JSON.stringify(spend.limits[0].amount_nano_usd.toString()), toJson(spend.limits[0]));
  // endregion: bigint
  assert.match(printed[0], /^bigint "20000000000" \{"amount_nano_usd":20000000000,/);
});
