// The Express and Fastify examples, started for real against the sandbox.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'node:test';

import { useSandbox } from 'xynergy/testing';

const EXAMPLES = process.env.XYNERGY_EXAMPLES ?? new URL('../../../examples/node', import.meta.url).pathname;

async function express(t, client) {
  const { createApp } = await import(`${EXAMPLES}/express_app.mjs`);
  const server = createApp(client).listen(0);
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${server.address().port}`;
}

async function fastify(t, client) {
  const { createApp } = await import(`${EXAMPLES}/fastify_app.mjs`);
  const app = createApp(client);
  t.after(() => app.close());
  return app.listen({ port: 0, host: '127.0.0.1' });
}

async function post(url, body, headers = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return fetch(url, { method: 'POST', body: text, headers: { 'content-type': 'application/json', ...headers } });
}

/** The headers with which HubSpot signs a webhook. */
function signed(secret, url, body) {
  const timestamp = String(Date.now());
  const signature = createHmac('sha256', secret).update(`POST${url}${body}${timestamp}`).digest('base64');
  return { 'x-hubspot-signature-v3': signature, 'x-hubspot-request-timestamp': timestamp };
}

for (const [name, start] of Object.entries({ express, fastify })) {
  test(`${name} answers, streams, accepts webhooks and says what is wrong`, async (t) => {
    const { client, sandbox } = await useSandbox(t);
    const base = await start(t, client);

    const answer = await (await post(`${base}/generate`, { prompt: 'hello' }, { 'x-tenant': 'acme' })).json();
    assert.match(answer.text, /^You asked: hello\./);
    assert.equal(answer.cost_nano_usd, '1000000', 'a BigInt is a text in JSON');
    assert.equal((await client.scope({ tenant: 'acme' }).ai.spend()).requests, 1);

    const wrong = await post(`${base}/generate`, { prompt: 3 });
    assert.equal(wrong.status, 400);
    assert.equal((await wrong.json()).error.kind, 'invalid_input');

    const stream = await (await post(`${base}/chat`, { messages: [{ role: 'user', content: 'hello' }] })).text();
    const events = stream.trim().split('\n\n').map((event) => event.replace('data: ', ''));
    assert.equal(events.pop(), '[DONE]');
    assert.match(events.map((event) => JSON.parse(event).choices[0]?.delta.content ?? '').join(''), /^You asked: hello\./);

    const url = `${base}/hubspot`;
    const body = JSON.stringify([{ eventId: 1, subscriptionId: 2, portalId: 3, occurredAt: Date.now(), subscriptionType: 'deal.propertyChange', objectId: 9, propertyName: 'dealstage', propertyValue: 'closedwon', attemptNumber: 0 }]);
    const accepted = await post(url, body, signed(sandbox.secrets.XYNERGY_SANDBOX_WEBHOOK_SECRET, url, body));
    assert.deepEqual([accepted.status, (await accepted.json()).events], [200, 1]);
    assert.equal(await client.hubspot.countEvents(), 1);
    const forged = await post(url, body, signed('another', url, body));
    assert.equal(forged.status, 401);

    const health = await fetch(`${base}/health`);
    assert.deepEqual([health.status, (await health.json()).service], [200, 'xynergy']);
  });
}
