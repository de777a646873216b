// How processes and worker threads end, and what is left behind.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { run } from './support.mjs';

const HEAD = `
import { Client, sandbox } from 'xynergy';
import { fakeProvider } from 'xynergy/testing';
const config = { version: 1, ai: { retry: { max_retries: 0 }, cache: { enabled: false } } };
const of = (provider, more) => new Client({ config, providers: { mine: provider }, ...more });
`;

for (const [what, body, expected] of [
  ['a client that was never used', 'of(fakeProvider("ok"));', ''],
  ['a call that is awaited', 'console.log((await of(fakeProvider("ok")).ai.generate("x")).text);', 'ok\n'],
  ['a call that nobody awaits', 'of(fakeProvider("ok")).ai.generate("x").then(({ text }) => console.log(text));', 'ok\n'],
  ['a call that waits for a timer of the host', 'of({ chat: () => new Promise((r) => setTimeout(r, 100, "late")) }).ai.generate("x").then(({ text }) => console.log(text));', 'late\n'],
  ['a call whose host waits for nothing that holds the process', 'of({ chat: () => new Promise((r) => setTimeout(r, 100, "late").unref()) }).ai.generate("x").then(({ text }) => console.log(text));', 'late\n'],
  ['a host that never settles', 'of({ chat: () => new Promise(() => {}) }, { hostTimeoutMs: 50 }).ai.generate("x").catch(({ kind }) => console.log(kind));', 'timeout\n'],
  ['a host that throws at once', 'of({ chat() { throw new Error("boom"); } }).ai.generate("x").catch(({ kind }) => console.log(kind));', 'unavailable\n'],
  ['a sandbox that was forgotten', 'const s = await sandbox.start(); console.log(s.urls.base.slice(0, 17));', 'http://127.0.0.1:\n'],
  ['a client that was closed', 'const c = of(fakeProvider("ok")); await c.ai.generate("x"); await c.close(); console.log("closed");', 'closed\n'],
  ['a stream that was left', 'const s = of(fakeProvider("a b c")).ai.stream({ messages: [{ role: "user", content: "x" }] }); await s.next(); console.log("left");', 'left\n'],
  ['an event callback that throws', 'const c = of(fakeProvider("ok"), { onEvent() { throw new Error("no"); } }); await c.ai.generate("x"); setTimeout(() => console.log("alive"), 100);', 'alive\n'],
  ['process.exit in the middle of calls', 'for (let n = 0; n < 50; n++) of({ chat: () => new Promise(() => {}) }).ai.generate("x"); setTimeout(() => process.exit(0), 20);', ''],
]) {
  test(`${what} lets the process end, with exit code 0`, async () => {
    const { code, signal, out, err } = await run(HEAD + body);
    assert.deepEqual({ code, signal, out }, { code: 0, signal: null, out: expected }, err);
  });
}

test('an error that nobody handles ends the process as JavaScript does', async () => {
  const { code, err } = await run(`${HEAD} await of({ chat() { throw new Error('boom'); } }).ai.generate('x');`);
  assert.equal(code, 1);
  assert.match(err, /XynergyError: providers\.mine\.chat: boom/);
  assert.match(err, /\[cause\]: Error: boom/);
});

test('exit is clean, again and again', async () => {
  const body = `${HEAD}
    const s = await sandbox.start();
    const c = new Client({ config: s.config, secrets: s.secrets, onEvent() {} });
    for (let n = 0; n < 20; n++) c.ai.generate('x' + n).catch(() => {});
    await c.ai.generate('y');
    if (process.env.HOW === 'exit') process.exit(0);`;
  const ended = [];
  for (let n = 0; n < 12; n++) ended.push(await run(body, { env: { HOW: n % 2 ? 'exit' : 'end' } }));
  assert.deepEqual(ended.map(({ code, signal }) => [code, signal]), ended.map(() => [0, null]), ended.map(({ err }) => err).join('\n'));
});

test('require and import share one library', async () => {
  const { code, out, err } = await run(`
    import { createRequire } from 'node:module';
    import * as esm from 'xynergy';
    const cjs = createRequire(import.meta.url)('xynergy');
    console.log(cjs.Client === esm.Client, esm.default.Client === esm.Client, Object.keys(esm).filter((k) => k !== 'default').sort().join() === Object.keys(cjs).sort().join());`);
  assert.equal(out, 'true true true\n', err);
  assert.equal(code, 0);
});

const WORKERS = `
import { Worker, isMainThread, workerData, parentPort } from 'node:worker_threads';
import { once } from 'node:events';
`;

test('two workers and the main thread use it at once', async () => {
  const { code, out, err } = await run(`${HEAD} ${WORKERS}
    const work = \`
      const { Client } = require('xynergy');
      const { fakeProvider } = require('xynergy/testing');
      const { parentPort, workerData } = require('node:worker_threads');
      const seen = [];
      const client = new Client({ providers: { mine: fakeProvider((r) => 'of ' + workerData + ' ' + r.messages[0].content) }, onEvent: (e) => seen.push(e) });
      Promise.all(Array.from({ length: 200 }, (_, n) => client.ai.generate('n' + n, { cache: false })))
        .then((answers) => parentPort.postMessage(answers.every(({ text }, n) => text === 'of ' + workerData + ' n' + n)));
    \`;
    const workers = ['a', 'b'].map((workerData) => new Worker(work, { eval: true, workerData, execArgv: [] }));
    const mine = of(fakeProvider((r) => 'main ' + r.messages[0].content));
    const own = Promise.all(Array.from({ length: 200 }, (_, n) => mine.ai.generate('n' + n)));
    const said = await Promise.all(workers.map(async (w) => { const exit = once(w, 'exit'); const [ok] = await once(w, 'message'); const [code] = await exit; return [ok, code]; }));
    console.log(JSON.stringify(said), (await own).every(({ text }, n) => text === 'main n' + n));`);
  assert.equal(out, '[[true,0],[true,0]] true\n', err);
  assert.equal(code, 0);
});

test('workers may be terminated in the middle of calls', async () => {
  const { code, signal, out, err } = await run(
    `${HEAD} ${WORKERS}
    const work = \`
      const { Client, sandbox } = require('xynergy');
      const { parentPort } = require('node:worker_threads');
      const client = new Client({ providers: { mine: { chat: (c, r) => new Promise((resolve) => setTimeout(resolve, Math.random() * 5, 'x')), async *stream() { for (;;) { yield 'x '; await new Promise((r) => setTimeout(r, 1)); } } } }, onEvent() {}, logger() {}, logLevel: 'trace' });
      (async () => {
        const s = await sandbox.start();
        const other = new Client({ config: s.config, secrets: s.secrets });
        parentPort.postMessage('started');
        const ask = async () => { for (;;) await Promise.all([client.ai.generate('x', { cache: false }), other.ai.generate('y', { cache: false })]); };
        const read = async () => { for await (const _ of client.ai.stream({ messages: [{ role: 'user', content: 'x' }] })); };
        for (let n = 0; n < 20; n++) { ask().catch(() => {}); read().catch(() => {}); }
      })();
    \`;
    for (let round = 0; round < 10; round++) {
      const workers = [1, 2].map(() => new Worker(work, { eval: true, execArgv: [] }));
      await Promise.all(workers.map((w) => once(w, 'message')));
      await new Promise((r) => setTimeout(r, Math.random() * 60));
      await Promise.all(workers.map((w) => w.terminate()));
    }
    console.log((await of(fakeProvider('still here')).ai.generate('x')).text);`,
    { limit: 90_000 },
  );
  assert.deepEqual({ code, signal, out }, { code: 0, signal: null, out: 'still here\n' }, err);
});

test('memory stays flat over many calls, clients and streams', async () => {
  const { code, out, err } = await run(
    `${HEAD}
    const client = of(fakeProvider('ok'));
    const settle = () => new Promise((r) => setTimeout(r, 20));
    const measure = async () => { for (let n = 0; n < 3; n++) { globalThis.gc(); await settle(); } return process.memoryUsage().rss; };
    const round = async () => {
      for (let n = 0; n < 3000; n++) await client.ai.generate('x' + (n % 7));
      await Promise.all(Array.from({ length: 1000 }, (_, n) => client.ai.generate('y')));
      for (let n = 0; n < 100; n++) for await (const _ of client.ai.stream({ messages: [{ role: 'user', content: 'x' }] })) if (n % 2) break;
      for (let n = 0; n < 50; n++) { const c = of(fakeProvider('ok'), { onEvent() {} }); await c.ai.generate('x'); await c.close(); }
      for (let n = 0; n < 300; n++) await client.ai.generate(3).catch(() => {});
    };
    await round(); await round();
    const before = await measure();
    for (let n = 0; n < 4; n++) await round();
    const after = await measure();
    console.log(JSON.stringify({ before, after }));`,
    { args: ['--expose-gc'], limit: 180_000 },
  );
  assert.equal(code, 0, err);
  const { before, after } = JSON.parse(out);
  assert.ok(after < before * 1.15, `${(before / 1e6).toFixed(1)} MB became ${(after / 1e6).toFixed(1)} MB`);
});

test('garbage collection in the middle of everything does no harm', async () => {
  const { code, signal, out, err } = await run(
    `${HEAD}
    const gc = setInterval(() => globalThis.gc(), 1);
    let answered = 0;
    const one = async (n) => {
      const client = of(fakeProvider('a b c'), { onEvent() {}, logger() {} });
      const { text } = await client.ai.generate('x');
      answered += text.length;
      const stream = client.ai.stream({ messages: [{ role: 'user', content: 'x' }] });
      await stream.next();
      const controller = new AbortController();
      const cancelled = of({ chat: () => new Promise(() => {}) }).ai.generate('x', { signal: controller.signal }).catch(() => {});
      globalThis.gc();
      controller.abort();
      await cancelled;
    };
    for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 10 }, (_, n) => one(n)));
    clearInterval(gc);
    console.log(answered);`,
    { args: ['--expose-gc'], limit: 90_000 },
  );
  assert.deepEqual({ code, signal, out }, { code: 0, signal: null, out: '500\n' }, err);
});

test('a client that nobody holds is collected, with its host objects when it was closed', async () => {
  const { code, out, err } = await run(
    `${HEAD}
    let collected = 0;
    const registry = new FinalizationRegistry(() => collected++);
    await (async () => {
      for (let n = 0; n < 20; n++) {
        const provider = fakeProvider('ok');
        const client = of(provider);
        registry.register(client); registry.register(provider);
        await client.ai.generate('x');
        await client.close();
      }
    })();
    for (let n = 0; n < 200 && collected < 38; n++) { globalThis.gc(); await new Promise((r) => setTimeout(r, 10)); }
    console.log(collected >= 38, collected);`,
    { args: ['--expose-gc'] },
  );
  assert.ok(out.startsWith('true'), out + err);
  assert.equal(code, 0);
});

test('the command line is in the package', async () => {
  const { code, out, err } = await run(`
    import { spawnSync } from 'node:child_process';
    import { createRequire } from 'node:module';
    import { dirname, join } from 'node:path';
    const root = dirname(createRequire(import.meta.url).resolve('xynergy/package.json'));
    for (const args of [['--help'], ['--version'], ['sing']]) {
      const { status, stdout } = spawnSync(process.execPath, [join(root, 'bin', 'xynergy.cjs'), ...args], { encoding: 'utf8' });
      console.log(status, stdout.split('\\n')[0]);
    }`);
  assert.match(out, /^0 AI routing.*\n0 xynergy \d.*\n2 /, err);
  assert.equal(code, 0);
});
