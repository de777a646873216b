// The example of a server of webhooks, called as HubSpot and a backend of one's own call it.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { Client } from 'xynergy';

const EXAMPLES = process.env.XYNERGY_EXAMPLES ?? new URL('../../../examples/node', import.meta.url).pathname;
const SECRET = 'hubspot-secret';
const KEY = Buffer.from('0123456789abcdef01234567');
const PUBLIC = 'https://hooks.example/webhooks/hubspot';

const mac = (key, text) => createHmac('sha256', key).update(text).digest('base64');

function byHubspot(body, secret = SECRET) {
  const stamp = String(Date.now());
  return { 'x-hubspot-signature-v3': mac(secret, `POST${PUBLIC}${body}${stamp}`), 'x-hubspot-request-timestamp': stamp };
}

function byOwn(body, key = KEY) {
  const stamp = String(Math.floor(Date.now() / 1000));
  return { 'webhook-id': 'msg_1', 'webhook-timestamp': stamp, 'webhook-signature': `v1,${mac(key, `msg_1.${stamp}.${body}`)}` };
}

async function send(url, body, headers) {
  const answer = await fetch(url, { method: 'POST', body, headers });
  return [answer.status, await answer.json()];
}

test('a server of webhooks stores, refuses, works behind its answers and ends', async (t) => {
  const { createApp, startWorker } = await import(`${EXAMPLES}/webhook_server.mjs`);
  const folder = await mkdtemp(join(tmpdir(), 'xynergy-'));
  t.after(() => rm(folder, { recursive: true }));
  const config = {
    version: 1,
    store: { type: 'sqlite', path: join(folder, 'x.db') },
    hubspot: { client_secret: { env: 'H' }, webhook_urls: [PUBLIC] },
    webhooks: { secrets: [{ env: 'W' }] },
  };
  const client = new Client({ config, secrets: { H: SECRET, W: `whsec_${KEY.toString('base64')}` } });
  const worker = startWorker(client, () => {});
  const server = createApp(client, worker).listen(0);
  await once(server, 'listening');
  const base = `http://127.0.0.1:${server.address().port}`;
  const [hubspot, deals] = [`${base}/webhooks/hubspot`, `${base}/webhooks/deals`];

  const body = JSON.stringify([{ eventId: 1, portalId: 1, subscriptionType: 'contact.creation', objectId: 7, occurredAt: Date.now() }]);
  const own = JSON.stringify({ type: 'deal.updated', timestamp: new Date().toISOString(), data: { deal_id: 'D-1', stage: 'closedwon', created_at: new Date().toISOString() } });
  assert.deepEqual(await send(hubspot, body, byHubspot(body)), [200, { events: 1, duplicates: 0, skipped: [] }]);
  assert.deepEqual(await send(hubspot, body, byHubspot(body)), [200, { events: 0, duplicates: 1, skipped: [] }]);
  assert.deepEqual(await send(deals, own, byOwn(own)), [200, { events: 2, duplicates: 0, skipped: [] }]);
  assert.equal((await send(hubspot, body, byHubspot(body, 'another')))[0], 401);
  assert.equal((await send(`${hubspot}?else`, body, byHubspot(body)))[0], 401);
  assert.equal((await send(deals, own, byOwn(own, Buffer.from('another secret, 24 bytes'))))[0], 401);
  assert.equal((await send(deals, own, {}))[0], 401);
  assert.equal((await send(hubspot, '{}', byHubspot('{}')))[0], 400);
  const long = 'x'.repeat(8 * 1024 * 1024 + 1);
  assert.equal((await send(deals, long, byOwn(long)))[0], 413);

  for (let tries = 0; tries < 200 && (await client.attribution.deals()).length === 0; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.equal((await client.attribution.deals()).length, 1, 'the worker was woken');
  server.close();
  server.closeAllConnections();
  await worker.stop();
  await client.close();
});
