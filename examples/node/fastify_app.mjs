// A Fastify application: answers, streams, and HubSpot's webhooks; log lines go to Fastify's own logger, which is pino.
//
//   npm install xynergy fastify
//   node examples/node/fastify_app.mjs

import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';

import Fastify from 'fastify';
import { Client, XynergyError } from 'xynergy';

const STATUS = { invalid_input: 400, unauthorized: 401, limit_exceeded: 402, not_found: 404, throttled: 429, timeout: 504, unavailable: 503 };

// region: app
export function createApp(client, options = {}) {
  const app = Fastify(options);

  app.register(async (webhooks) => {
    // HubSpot signs the bytes as they came, so this body must not be parsed.
    webhooks.removeAllContentTypeParsers();
    webhooks.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => done(null, body));
    webhooks.post('/hubspot', async (request) => {
      const url = `${request.protocol}://${request.host}${request.url}`;
      const accepted = await client.hubspot.accept(request.method, url, headersOf(request), request.body);
      client.hubspot.process().catch((error) => request.log.error(error));
      return accepted;
    });
  });

  app.post('/generate', async (request, reply) => {
    const tenant = client.scope({ tenant: request.headers['x-tenant'] ?? 'default', requestId: request.id });
    const gone = new AbortController();
    reply.raw.on('close', () => gone.abort());
    return tenant.ai.generate(request.body.prompt, { signal: gone.signal, timeout: 30_000 });
  });

  app.post('/chat', async (request, reply) => {
    const stream = await client.ai.stream(request.body).open();
    return reply.type('text/event-stream').send(Readable.from(events(stream)));
  });

  app.get('/health', async (request, reply) => {
    const health = await client.health();
    return reply.code(health.status === 'unhealthy' ? 503 : 200).send(health);
  });

  app.setErrorHandler((error, request, reply) => {
    if (!(error instanceof XynergyError)) return reply.send(error);
    if (error.retryable) reply.header('retry-after', Math.ceil(error.retryAfterMs / 1000));
    return reply.code(STATUS[error.kind] ?? 500).send({ error });
  });

  app.addHook('onClose', () => client.close());
  return app;
}

async function* events(stream) {
  for await (const chunk of stream) yield `data: ${JSON.stringify(chunk)}\n\n`;
  yield 'data: [DONE]\n\n';
}
// endregion: app

function headersOf(request) {
  return Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, [value].flat().join(', ')]));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const app = createApp(Client.fromEnv(), { logger: true });
  await app.listen({ port: Number(process.env.PORT ?? 3000) });
  process.once('SIGTERM', () => app.close());
}
