'use strict';

const { ManualClock, nativeClock } = require('./clock.cjs');
const { encode } = require('./encode.cjs');
const { fromNative, invalid } = require('./errors.cjs');
const { environment, outcome } = require('./mailbox.cjs');
const native = require('./native.cjs');

const refuse = (message) => invalid('sandbox.start', message);

async function ask(work) {
  let number;
  try {
    number = work();
  } catch (error) {
    throw fromNative(error, 'sandbox');
  }
  return outcome(number);
}

/** Stand-ins on this machine for the AI providers, Meta and HubSpot, that a client can be tried against. */
class Sandbox {
  #native;

  constructor(sandbox, description) {
    this.#native = sandbox;
    Object.assign(this, description);
  }

  /** Its state; late effects that are due have landed. */
  state() {
    return ask(() => this.#native.state());
  }

  /** Lets late effects land whose time has come. */
  async applyDue() {
    await ask(() => this.#native.applyDue());
  }

  /** When the next late effect lands; null when none is on its way. */
  nextDue() {
    return ask(() => this.#native.nextDue());
  }

  /** Stops it. Stopping twice does nothing. */
  async stop() {
    await ask(() => this.#native.stop());
  }

  async [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    await this.stop();
  }
}

/** Starts one. `ads`, `crm` and `faults` are contents or paths. */
async function start(options = {}) {
  if (options === null || typeof options !== 'object') throw refuse('options: give an object');
  const { clock, ...others } = options;
  if (clock !== undefined && !(clock instanceof ManualClock)) throw refuse('clock: give a ManualClock');
  const written = encode('options', others, refuse);
  const sandbox = new native.NativeSandbox(environment, clock && nativeClock(clock));
  return new Sandbox(sandbox, await ask(() => sandbox.start(written)));
}

module.exports = { sandbox: { start }, Sandbox };
