// An Express application: answers, streams, and HubSpot's webhooks.
//
//   npm install xynergy express
//   node examples/node/express_app.mjs

import { pathToFileURL } from 'node:url';

import express from 'express';
import { Client, XynergyError } from 'xynergy';

const STATUS = { invalid_input: 400, unauthorized: 401, limit_exceeded: 402, not_found: 404, throttled: 429, timeout: 504, unavailable: 503 };

// region: app
export function createApp(client) {
  const app = express();

  // HubSpot signs the bytes as they came, so this body must not be parsed.
  app.post('/hubspot', express.raw({ type: () => true, limit: '1mb' }), async (req, res) => {
    const url = `${req.protocol}://${req.get('host')}${req.originalUrl}`;
    const accepted = await client.hubspot.accept(req.method, url, headersOf(req), req.body);
    res.json(accepted); // stored: the work is done later
    client.hubspot.process().catch((error) => console.error(error));
  });

  app.use(express.json());

  app.post('/generate', async (req, res) => {
    const tenant = client.scope({ tenant: req.get('x-tenant') ?? 'default', traceparent: req.get('traceparent') });
    const gone = new AbortController();
    res.on('close', () => gone.abort());
    res.json(await tenant.ai.generate(req.body.prompt, { signal: gone.signal, timeout: 30_000 }));
  });

  app.post('/chat', async (req, res) => {
    const stream = await client.ai.stream(req.body).open();
    res.type('text/event-stream');
    res.on('close', () => stream.return());
    for await (const chunk of stream) res.write(`data: ${JSON.stringify(chunk)}\n\n`);
    res.end('data: [DONE]\n\n');
  });

  app.get('/health', async (req, res) => {
    const health = await client.health();
    res.status(health.status === 'unhealthy' ? 503 : 200).json(health);
  });

  app.use((error, req, res, next) => {
    if (!(error instanceof XynergyError) || res.headersSent) return next(error);
    if (error.retryable) res.set('retry-after', String(Math.ceil(error.retryAfterMs / 1000)));
    res.status(STATUS[error.kind] ?? 500).json({ error });
  });
  return app;
}
// endregion: app

function headersOf(req) {
  return Object.fromEntries(Object.entries(req.headers).map(([name, value]) => [name, [value].flat().join(', ')]));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const client = Client.fromEnv({ logger: (record) => console.error(JSON.stringify(record)) });
  const server = createApp(client).listen(Number(process.env.PORT ?? 3000), () => console.log(`listening on ${server.address().port}`));
  process.once('SIGTERM', () => server.close(() => client.close()));
}
