'use strict';

const native = require('./native.cjs');
const { fromFailure } = require('./errors.cjs');
const { readable } = require('./readable.cjs');

/**
 * What this environment (the main thread, or a worker) shares with native code: the calls under way, and the one mailbox through which
 * their outcomes, calls of host objects, events and log lines come. Tags of entries are those of `src/mailbox.rs`.
 */

/** What begins a string that stands for an integer which a number would not hold. */
const MARK = '\u0000n';

/** The calls under way, by number: `{resolve, reject, finish, run}`. */
const pending = new Map();

/** What takes the other entries, by tag; the modules that know them put it here. */
const takers = [];

// The wake-up of native code does not keep the process alive; calls under way do. Taken before anybody can mock it.
const alive = setInterval(() => {}, 2 ** 30);
alive.unref();
let isAlive = false;

function keepAlive() {
  if (pending.size > 0 === isAlive) return;
  isAlive = !isAlive;
  if (isAlive) alive.ref();
  else alive.unref();
}

const environment = new native.Environment(drain);

function drain() {
  const text = environment.take();
  if (text === '') return;
  for (const entry of JSON.parse(text)) {
    try {
      receive(entry);
    } catch (error) {
      // Nothing of a host runs here unguarded, so this is a defect; the other entries must not suffer.
      process.emitWarning(error);
    }
  }
  keepAlive();
}

function receive(entry) {
  const tag = entry[0];
  if (tag > 2) {
    takers[tag](entry);
    return;
  }
  const call = pending.get(entry[1]);
  if (call === undefined) return;
  pending.delete(entry[1]);
  call.ended?.();
  if (tag === 2) call.reject(fromFailure(entry[2]));
  else call.resolve(call.finish(tag === 1 ? revive(entry[2]) : entry[2]));
}

/** Turns marked strings into BigInts, wherever they are. */
function revive(value) {
  if (typeof value === 'string') return value.startsWith(MARK) ? BigInt(value.slice(MARK.length)) : value;
  if (value !== null && typeof value === 'object') {
    for (const key of Object.keys(value)) value[key] = revive(value[key]);
    if (Object.values(value).some((member) => typeof member === 'bigint')) readable(value);
  }
  return value;
}

const same = (value) => value;

/** A promise of the outcome under a number that native code gave. */
function outcome(number, finish = same) {
  return new Promise((resolve, reject) => wait(number, { resolve, reject, finish, run: undefined, ended: undefined }));
}

function wait(number, call) {
  pending.set(number, call);
  keepAlive();
}

module.exports = { environment, pending, takers, outcome, wait, revive };
