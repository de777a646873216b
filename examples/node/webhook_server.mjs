// A server of webhooks: HubSpot's at /webhooks/hubspot, signed ones of any backend at /webhooks/deals.
//
//   npm install xynergy express
//   node examples/node/webhook_server.mjs
//
// A delivery is verified and stored before its answer, which is quick; the work is done behind it, and by any number of such servers
// on one database. It is configured by the environment's DATABASE_URL and HUBSPOT_CLIENT_SECRET, and ends when what has begun is done.

import { pathToFileURL } from 'node:url';

import express from 'express';
import { Client, XynergyError } from 'xynergy';

// HubSpot gives up after five seconds, and sends again what was not answered.
const ANSWER_WITHIN = 4_000;
// How long the worker sleeps at most: what another server accepted is not told to it.
const LOOK_AGAIN = 15_000;

const STATUS = { unauthorized: 401, invalid_input: 400, limit_exceeded: 413, unavailable: 503, timeout: 503, throttled: 503 };

/** Works on stored events until it is stopped; what was begun is ended. */
export function startWorker(client, log = console.error) {
  let stopped = false;
  let wake = () => {};
  const asleep = () =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, LOOK_AGAIN);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  let told = false;
  const working = (async () => {
    while (!stopped) {
      told = false;
      try {
        const done = await client.hubspot.process();
        for (const failed of done.failed) log(`deal ${failed.deal_id} waits until ${failed.next_attempt_at}: ${failed.problem}`);
        if (done.deals || done.failed.length || done.forgotten) continue;
      } catch (error) {
        log(error); // Nothing is lost: it waits in the store until the CRM is there again.
      }
      if (!stopped && !told) await asleep();
    }
  })();
  return {
    wake() {
      told = true;
      wake();
    },
    async stop() {
      stopped = true;
      wake();
      await working;
    },
  };
}

export function createApp(client, worker) {
  const app = express();
  // Both sign the bytes as they came, so a body must not be parsed; and no more of it is read than this.
  app.use(express.raw({ type: () => true, limit: '8mb' }));

  app.post('/webhooks/hubspot', async (req, res) => {
    // Of the address only path and query are the server's to know: hubspot.webhook_urls has the rest.
    const options = { source: 'hubspot', timeout: ANSWER_WITHIN };
    res.json(await client.hubspot.accept(req.method, req.originalUrl, headersOf(req), bytes(req), options));
    worker.wake();
  });

  app.post('/webhooks/deals', async (req, res) => {
    res.json(await client.webhooks.accept(headersOf(req), bytes(req), { source: 'deals', timeout: ANSWER_WITHIN }));
    worker.wake();
  });

  app.use((error, req, res, next) => {
    if (error.type === 'entity.too.large') return res.status(413).json({ kind: 'limit_exceeded', message: error.message });
    if (!(error instanceof XynergyError) || res.headersSent) return next(error);
    res.status(STATUS[error.kind] ?? 500).json({ kind: error.kind, message: error.message });
  });
  return app;
}

function bytes(req) {
  return Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0);
}

/** A header that is there twice stays two values, so that none of them passes for the whole. */
function headersOf(req) {
  return Object.fromEntries(Object.entries(req.headersDistinct).map(([name, values]) => [name, values.join(', ')]));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const client = Client.fromEnv();
  const worker = startWorker(client);
  const server = createApp(client, worker).listen(Number(process.env.PORT ?? 3000), () => console.log(`listening on ${server.address().port}`));
  process.once('SIGTERM', () =>
    server.close(async () => {
      await worker.stop();
      await client.close();
    }),
  );
}
