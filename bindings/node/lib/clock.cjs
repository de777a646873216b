'use strict';

const { encode } = require('./encode.cjs');
const { fromNative, invalid } = require('./errors.cjs');
const native = require('./native.cjs');

const refuse = (message) => invalid('clock', message);

function time(value) {
  if (value instanceof Date) return JSON.parse(encode('now', value, refuse));
  if (typeof value !== 'string') throw refuse('now: give a Date, or a text as 2026-03-01T12:00:00Z');
  return value;
}

function guarded(work) {
  try {
    return work();
  } catch (error) {
    throw error?.name === 'XynergyError' ? error : fromNative(error, 'clock');
  }
}

/** A clock that moves only when it is told to: for tests and simulated runs. */
class ManualClock {
  #clock;

  constructor(now) {
    this.#clock = guarded(() => new native.Clock(time(now)));
  }

  /** Its time, in RFC 3339. */
  now() {
    return this.#clock.now();
  }

  /** Sets it. */
  set(now) {
    guarded(() => this.#clock.set(time(now)));
  }

  /** Moves it on by whole milliseconds. */
  advance(ms) {
    if (typeof ms !== 'number') throw refuse('ms: give a number of milliseconds');
    guarded(() => this.#clock.advance(ms));
  }

  static _native(clock) {
    return clock.#clock;
  }
}

const nativeClock = ManualClock._native;
delete ManualClock._native;

module.exports = { ManualClock, nativeClock };
