// What several tests need.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { Client, XynergyError } from 'xynergy';
import { fakeProvider } from 'xynergy/testing';

/** A configuration that asks a provider once. */
export const ONCE = { version: 1, ai: { retry: { max_retries: 0 }, cache: { enabled: false } } };

/** A client whose only provider is `provider`. */
export function clientOf(provider, options = {}) {
  return new Client({ config: ONCE, providers: { mine: provider }, ...options });
}

/** A client that answers "ok" without anything outside. */
export function plain(options = {}) {
  return clientOf(fakeProvider('ok'), options);
}

/** A request of one message. */
export const says = (content, more = {}) => ({ messages: [{ role: 'user', content }], ...more });

/** Asserts that a promise rejects with an error of this library of a kind, whose message has every word of `named`. */
export async function rejects(promise, kind, ...named) {
  const error = await promise.then(
    () => assert.fail(`it was to be refused as ${kind}`),
    (thrown) => thrown,
  );
  assert.ok(error instanceof XynergyError, String(error?.stack ?? error));
  assert.equal(error.kind, kind, error.message);
  for (const word of named) assert.ok(error.message.includes(word), `"${word}" in "${error.message}"`);
  return error;
}

/** The same of a function that throws. */
export function throws(work, kind, ...named) {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof XynergyError, String(error?.stack ?? error));
    assert.equal(error.kind, kind, error.message);
    for (const word of named) assert.ok(error.message.includes(word), `"${word}" in "${error.message}"`);
    return error;
  }
  return assert.fail(`it was to be refused as ${kind}`);
}

/** Runs a program of its own; gives what it printed and how it ended. `limit` is how long it may take. */
export async function run(source, { args = [], limit = 30_000, env = {} } = {}) {
  const child = spawn(process.execPath, [...args, '--input-type=module', '--eval', source], {
    cwd: import.meta.dirname,
    env: { ...process.env, ...env },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (data) => (out += data));
  child.stderr.on('data', (data) => (err += data));
  const timer = setTimeout(() => child.kill('SIGKILL'), limit);
  const [code, signal] = await once(child, 'close');
  clearTimeout(timer);
  return { code, signal, out, err };
}

/** Resolves when `is` does not say false any more. */
export async function until(is, limit = 5_000) {
  const end = Date.now() + limit;
  while (!(await is())) {
    assert.ok(Date.now() < end, `it did not happen within ${limit} ms: ${is}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
