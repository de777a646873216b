// A program as a user writes it, under the strictest settings. `@ts-expect-error` lines fail when what is wrong is not seen.

import { Client, XynergyError, sandbox, toJson, type Generation, type HostCall, type Provider, type ResponseCache } from 'xynergy';
import { checkCache, fakeProvider } from 'xynergy/testing';

const served = await sandbox.start();
const client = new Client({ config: served.config, secrets: served.secrets, onEvent: (event) => console.log(event.type) });

const answer: Generation = await client.ai.generate('hello', { maxTokens: 64, signal: AbortSignal.timeout(10_000) });
const cost: bigint | null = answer.cost_nano_usd;
console.log(answer.text, cost, toJson(answer));

// @ts-expect-error a number is no prompt
await client.ai.generate(3).catch(() => {});
// @ts-expect-error there is no such option
await client.ai.generate('x', { speed: 1 }).catch(() => {});
// @ts-expect-error money is no number in a result
const wrong: number = (await client.ai.spend()).cost_nano_usd;
console.log(wrong);

const allocation = await client.closedLoop.allocate(served.account, 'first', 7n);
await client.execution.queue(await client.closedLoop.changes(served.account, 'first', allocation));
await client.scope({ tenant: 'acme' }).execution.setLimits('act_1001', 'USD', { totalDailyMinor: 50_000n, minMinor: 100 });

for await (const chunk of client.ai.stream({ messages: [{ role: 'user', content: 'hello' }] })) {
  process.stdout.write(String(chunk.choices[0]?.delta.content ?? ''));
}

const body = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'hello' }] };
console.log((await client.chat.completions.create(body)).choices[0]?.message.content);
for await (const chunk of await client.chat.completions.create({ ...body, stream: true })) console.log(chunk.id);

class Mine implements Provider {
  readonly defaultModel = 'mine-1';
  async chat(ctx: { tenant: string }, request: { messages: unknown[] }, { signal }: HostCall): Promise<string> {
    signal.throwIfAborted();
    return `${ctx.tenant}: ${request.messages.length}`;
  }
}
const cache: ResponseCache = { get: async () => null, put: async () => {}, invalidate: async () => 0 };
await checkCache(cache).catch((error: unknown) => {
  if (error instanceof XynergyError && error.kind === 'invalid_input') console.log(error.retryAfterMs);
});
const own = new Client({ providers: { mine: new Mine(), fake: fakeProvider('x', (request) => String(request.messages.length)) } });
console.log((await own.ai.generate('x')).text);
await own.close();
await client.close();
await served.stop();
