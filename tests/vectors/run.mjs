// The cases of this folder against the Node package: `node run.mjs [FILE...]`. README.md beside it specifies everything here.

import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Client, ManualClock, XynergyError, sandbox as sandboxes } from 'xynergy';

import { Scripted } from './vector_hosts.mjs';
import { merge, mismatch, resolve } from './vector_values.mjs';

const LANGUAGE = 'node';
const SEEN_MS = 5000;
const folder = import.meta.dirname;
const read = (name) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
const surface = read('surface.json').methods;
const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());

/** A result as a plain value; its integers stay as exact as they are. */
function plain(value) {
  if (value === undefined) return null;
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, found]) => [key, plain(found)]));
}

function shape(error) {
  if (!(error instanceof XynergyError)) throw error;
  const { kind, message, operation, retryable, retryAfterMs: retry_after_ms, context } = error;
  return { kind, message, operation, retryable, retry_after_ms, context };
}

function compare(step, value, names) {
  if (step.expect_error !== undefined) throw new Error(`it should have failed, and gave ${show(value)}`);
  const problem = step.expect === undefined ? null : mismatch(resolve(step.expect, names), value);
  if (problem !== null) throw new Error(problem);
  for (const [name, pointer] of Object.entries(step.save ?? {})) {
    names[name] = pointer.split('/').slice(1).reduce((found, part) => found[part], value);
  }
}

function compareError(wanted, error) {
  const found = shape(error);
  for (let [name, expected] of Object.entries(wanted)) {
    if (name === 'message_contains') [name, expected] = ['message', { $contains: expected }];
    const problem = mismatch(expected, found[name], name);
    if (problem !== null) throw new Error(`${problem}; the error is ${show(found)}`);
  }
}

const show = (value) => JSON.stringify(value, (_, found) => (typeof found === 'bigint' ? String(found) : found));

/** The client of one case, and what stands around it. */
class Subject {
  hosts = {};

  constructor(setup) {
    this.setup = setup;
    this.clock = setup.now === undefined ? undefined : new ManualClock(setup.now);
  }

  async start() {
    const { sandbox, hosts = {} } = this.setup;
    if (sandbox !== undefined && sandbox !== null) this.sandbox = await sandboxes.start({ ...sandbox, clock: this.clock });
    for (const [kind, scripts] of Object.entries(hosts)) {
      if (kind === 'secrets') this.hosts.secrets = new Scripted('secrets', scripts, this.clock);
      else {
        for (const [name, script] of Object.entries(scripts)) {
          this.hosts[`${kind}.${name}`] = new Scripted(kind === 'stores' ? `stores.${name}` : kind, script, this.clock);
        }
      }
    }
    this.open();
  }

  open() {
    const { setup, sandbox } = this;
    const options = { clock: this.clock };
    if (setup.seed !== undefined) options.seed = setup.seed;
    if (setup.host_timeout_ms !== undefined) options.hostTimeoutMs = setup.host_timeout_ms;
    const config = sandbox === undefined ? (setup.config_toml ?? setup.config) : merge(sandbox.config, setup.config);
    if (config !== undefined) options.config = config;
    if (this.hosts.secrets !== undefined) options.secrets = this.hosts.secrets;
    if (setup.secrets !== undefined || (sandbox !== undefined && this.hosts.secrets === undefined)) {
      if (this.hosts.secrets !== undefined) {
        throw new XynergyError('secrets: Node takes one option, values or a source', { kind: 'config_invalid', operation: 'client' });
      }
      options.secrets = merge(sandbox?.secrets ?? {}, setup.secrets ?? null);
    }
    for (const [place, host] of Object.entries(this.hosts)) {
      const [kind, name] = place.split('.');
      if (name !== undefined) (options[camel(kind)] ??= {})[name] = host;
    }
    this.client = new Client(options);
  }

  async call(step, names) {
    const given = resolve(step.args ?? {}, names);
    const scope = resolve(step.scope ?? {}, names);
    let target = this.client;
    if (Object.keys(scope).length > 0) target = this.client.scope(Object.fromEntries(Object.entries(scope).map(([key, value]) => [camel(key), value])));
    const path = step.call.split('.');
    const name = path.pop();
    for (const part of path) target = target[camel(part)];
    if (typeof given.body?.base64 === 'string') given.body = Buffer.from(given.body.base64, 'base64');
    const { required } = surface[step.call];
    const options = Object.fromEntries(Object.entries(given).filter(([key]) => !required.includes(key)).map(([key, value]) => [camel(key), value]));
    if (step.timeout_ms !== undefined) options.timeout = step.timeout_ms;
    if (step.cancel_after_ms !== undefined) {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), step.cancel_after_ms).unref();
      options.signal = controller.signal;
    }
    const found = target[camel(name)](...required.map((key) => given[key]), options);
    return name === 'stream' ? this.#read(found, step.take) : plain(await found);
  }

  async #read(stream, take) {
    let [text, last, count] = ['', null, 0];
    for await (const chunk of stream) {
      last = plain(chunk);
      text += last.choices[0]?.delta?.content ?? '';
      count += 1;
      if (count === take) break;
    }
    return { text, last };
  }

  async end() {
    await this.client?.close();
    await this.sandbox?.stop();
  }
}

async function eventually(work) {
  const deadline = Date.now() + SEEN_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(10);
    }
  }
}

async function runStep(subject, step, names) {
  if (step.clock !== undefined || step.advance_ms !== undefined) {
    if (step.clock !== undefined) subject.clock.set(resolve(step.clock, names));
    subject.clock.advance(step.advance_ms ?? 0);
    await subject.sandbox?.applyDue();
  } else if (step.close) {
    await subject.client.close();
  } else if (step.reopen) {
    await subject.client.close();
    subject.open();
  } else if (step.sandbox !== undefined) {
    compare(step, plain(await subject.sandbox[camel(step.sandbox)]()), names);
  } else if (step.host !== undefined) {
    await eventually(async () => compare(step, subject.hosts[step.host].seen, names));
  } else if (step.eventually) {
    await eventually(async () => compare(step, await subject.call(step, names), names));
  } else {
    const calls = Array.from({ length: step.times ?? 1 }, () => subject.call(step, names));
    for (const { status, value, reason } of await Promise.allSettled(calls)) {
      if (status === 'fulfilled') compare(step, value, names);
      else if (step.expect_error !== undefined) compareError(resolve(step.expect_error, names), reason);
      else throw reason;
    }
  }
}

async function runCase(file, given, report) {
  const own = mkdtempSync(join(tmpdir(), 'xynergy-vectors-'));
  const names = { ...file.values, folder: own };
  const subject = new Subject(resolve(merge(file.setup ?? null, given.client ?? null), names) ?? {});
  try {
    try {
      await subject.start();
    } catch (error) {
      if (given.expect_error === undefined) throw error;
      compareError(resolve(given.expect_error, names), error);
      return;
    }
    if (given.expect_error !== undefined) throw new Error('the client was built, and should not have been');
    for (const [index, step] of (given.steps ?? []).entries()) {
      if (step.not_in?.includes(LANGUAGE)) {
        report.leftOut.push(`${given.name}, step ${index + 1}`);
        continue;
      }
      report.called.add(step.call);
      try {
        await runStep(subject, step, names);
      } catch (error) {
        throw new Error(`step ${index + 1} ${step.call ?? ''}: ${error.message}`, { cause: error });
      }
    }
  } finally {
    await subject.end();
    rmSync(own, { recursive: true, force: true });
  }
}

for (const { expect, value, matches } of read('matchers.json')) {
  if ((mismatch(expect, value) === null) !== matches) throw new Error(`the matchers are wrong: ${show({ expect, value, matches })}`);
}
const report = { passed: 0, leftOut: [], failures: [], called: new Set() };
const chosen = process.argv.slice(2);
for (const name of readdirSync(folder).sort()) {
  const stem = name.replace(/\.json$/, '');
  if (stem === name || ['surface', 'matchers'].includes(stem) || (chosen.length > 0 && !chosen.includes(stem))) continue;
  const file = read(name);
  for (const given of file.cases) {
    if (given.not_in?.includes(LANGUAGE)) {
      report.leftOut.push(`${stem}: ${given.name}`);
      continue;
    }
    try {
      const late = sleep(60_000, undefined, { ref: false }).then(() => { throw new Error('it did not end'); });
      await Promise.race([runCase(file, given, report), late]);
      report.passed += 1;
    } catch (error) {
      report.failures.push(`${stem}: ${given.name}: ${error.message}`);
    }
  }
}
console.log(`${LANGUAGE}: ${report.passed} cases passed, ${report.leftOut.length} left out`);
for (const leftOut of report.leftOut) console.log(`  left out: ${leftOut}`);
if (chosen.length === 0) report.failures.push(...Object.keys(surface).filter((method) => !report.called.has(method)).map((method) => `no case calls ${method}`));
for (const failure of report.failures) console.error(failure);
process.exitCode = report.failures.length > 0 || report.passed === 0 ? 1 : 0;
