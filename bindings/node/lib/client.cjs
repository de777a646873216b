'use strict';

const { inspect } = require('node:util');

const { ManualClock, nativeClock } = require('./clock.cjs');
const { encode } = require('./encode.cjs');
const { XynergyError, fromNative, invalid } = require('./errors.cjs');
const { ClientMethods, areas, own } = require('./generated/methods.cjs');
const { abilitiesOf, embedderAbilitiesOf, forget, keep } = require('./hosts.cjs');
const { Handle } = require('./invoke.cjs');
const { environment, outcome } = require('./mailbox.cjs');
const native = require('./native.cjs');
const { Chat, Embeddings } = require('./openai.cjs');
const { checkLogger, setLogLevel, tellEvents, tellLog } = require('./telling.cjs');

/** A client and its scopes share it: the engine, and what belongs to it on this side. */
class Core {
  engine;
  hasHosts = false;
  onEvent;
  stopLog;
}

const loggers = new FinalizationRegistry((stop) => stop());

const wrong = (message) => invalid('client', message, 'config_invalid');

/** Methods and areas of a handle, made when they are first used. */
class Areas {
  #handle;
  #made = new Map();

  constructor(handle) {
    this.#handle = handle;
  }

  _area(name, Area) {
    let area = this.#made.get(name);
    if (area === undefined) {
      area = new Area(this.#handle);
      this.#made.set(name, area);
    }
    return area;
  }

  /** `chat.completions.create(...)` in the openai package's shape. */
  get chat() {
    return this._area('chat', Chat);
  }

  /** `embeddings.create(...)` in the openai package's shape. */
  get embeddings() {
    return this._area('embeddings', Embeddings);
  }

  /** The same client for a tenant, an actor, a request. Cheap: make one for each request. */
  scope(whose = {}) {
    return new Scope(this.#handle.core, readScope(this.#handle.scope, whose));
  }

  [inspect.custom]() {
    return `${this.constructor.name} {}`;
  }
}
for (const [name, Area] of Object.entries(areas)) {
  Object.defineProperty(Areas.prototype, name, {
    get() {
      return this._area(name, Area);
    },
    configurable: true,
  });
}
for (const name of own) {
  Object.defineProperty(Areas.prototype, name, {
    value(options) {
      return this._area('', ClientMethods)[name](options);
    },
    writable: true,
    configurable: true,
  });
}

const SCOPE = { tenant: 'tenant', actor: 'actor', requestId: 'request_id', traceparent: 'traceparent' };

function readScope(outer, whose) {
  const refuse = (message) => invalid('scope', message);
  if (whose === null || typeof whose !== 'object') throw refuse('scope: give an object of tenant, actor, requestId and traceparent');
  const scope = { ...outer };
  for (const [key, value] of Object.entries(whose)) {
    if (!Object.hasOwn(SCOPE, key)) throw refuse(`${key}: there is no such field; choose ${Object.keys(SCOPE).join(', ')}`);
    if (value === undefined || value === null) continue;
    if (typeof value !== 'string' || !value.isWellFormed()) throw refuse(`${key}: give a text`);
    scope[SCOPE[key]] = value;
  }
  return scope;
}

/** What a tenant, an actor or a request does. */
class Scope extends Areas {
  constructor(core, scope) {
    super(new Handle(core, scope));
  }
}

/** Everything: AI, attribution, allocation and execution, in this process. */
class Client extends Areas {
  #core;

  constructor(options = {}) {
    const core = new Core();
    super(new Handle(core, null));
    this.#core = core;
    build(core, options);
    if (core.stopLog !== undefined) loggers.register(this, core.stopLog, this);
  }

  /** A client of what the environment says: `XYNERGY_CONFIG` and the providers' keys. */
  static fromEnv(options = {}) {
    if (options?.config !== undefined) throw wrong('config: it comes from the environment here; use new Client({ config })');
    return new Client({ ...options, [FROM_ENV]: true });
  }

  /**
   * Refuses new calls, waits at most `grace` milliseconds for those under way and cancels the rest; budget writes are waited for.
   * Closing twice does nothing.
   */
  async close({ grace = 5000 } = {}) {
    if (!Number.isSafeInteger(grace) || grace < 0 || grace > 0xffffffff) {
      throw invalid('client', 'grace: give a whole number of milliseconds, 0 or more');
    }
    await outcome(native_(() => this.#core.engine.close(grace)));
    this.#core.stopLog?.();
  }

  async [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    await this.close();
  }
}

const FROM_ENV = Symbol('from the environment');

function native_(work) {
  try {
    return work();
  } catch (error) {
    throw fromNative(error, 'client');
  }
}

const OPTIONS = new Set([
  'config', 'providers', 'embedders', 'caches', 'adPlatforms', 'stores', 'crms', 'secrets', 'clock', 'onEvent', 'logger', 'logLevel',
  'seed', 'hostTimeoutMs',
]);

function build(core, options) {
  if (options === null || typeof options !== 'object') throw wrong('options: give an object');
  for (const key of Object.keys(options)) {
    if (!OPTIONS.has(key)) throw wrong(`${key}: there is no such option; choose ${[...OPTIONS].join(', ')}`);
  }
  const { config, clock, onEvent, logger, logLevel, seed, hostTimeoutMs } = options;
  if (onEvent !== undefined && typeof onEvent !== 'function') throw wrong('onEvent: give a function');
  if (logger !== undefined && logger !== null) checkLogger(logger);
  if (clock !== undefined && !(clock instanceof ManualClock)) throw wrong('clock: give a ManualClock');
  if (logLevel !== undefined) setLogLevel(logLevel);
  const told = { events: onEvent !== undefined };
  if (options[FROM_ENV]) told.from_env = true;
  if (typeof config === 'string') told.config_toml = config;
  else if (config !== undefined && config !== null) told.config = config;
  if (seed !== undefined) told.seed = seed;
  if (hostTimeoutMs !== undefined) told.host_timeout_ms = hostTimeoutMs;
  const seats = takeSeats(options, told);
  const kept = [seats.providers, seats.embedders, seats]
    .flatMap((some) => Object.values(some))
    .filter((seat) => typeof seat === 'number');
  try {
    core.hasHosts = kept.length > 0;
    const written = encodeOptions(told);
    core.engine = native_(() => new native.NativeEngine(environment, written, JSON.stringify(seats), clock && nativeClock(clock)));
  } catch (error) {
    kept.forEach(forget);
    throw error;
  }
  if (onEvent !== undefined) {
    core.onEvent = onEvent;
    tellEvents(core);
  }
  if (logger !== undefined && logger !== null) core.stopLog = tellLog(logger);
}

/** The names of options in messages are those of this language. */
const SHOWN = { host_timeout_ms: 'hostTimeoutMs', config_toml: 'config' };

function encodeOptions(told) {
  const members = Object.entries(told).map(([key, value]) => `"${key}":${encode(SHOWN[key] ?? key, value, wrong)}`);
  return `{${members.join(',')}}`;
}

/** The host's objects take their seats; what is said of them goes into `told`. */
function takeSeats(options, told) {
  const seats = { providers: {}, embedders: {} };
  const taken = [];
  const seat = (name, target, trait) => {
    const number = keep(name, target, trait);
    taken.push(number);
    return number;
  };
  try {
    told.providers = {};
    for (const [name, target] of named('providers', options.providers)) {
      seats.providers[name] = seat(`providers.${name}`, target, 'Provider');
      told.providers[name] = abilitiesOf(`providers.${name}`, target);
    }
    told.embedders = {};
    for (const [name, target] of named('embedders', options.embedders)) {
      seats.embedders[name] = seat(`embedders.${name}`, target, 'Embedder');
      told.embedders[name] = embedderAbilitiesOf(`embedders.${name}`, target);
    }
    for (const [option, place, trait] of [
      ['caches', 'cache', 'ResponseCache'],
      ['adPlatforms', 'ad_platform', 'AdPlatform'],
      ['crms', 'crm', 'Crm'],
    ]) {
      const given = named(option, options[option]);
      if (given.length > 1) throw wrong(`${option}: give one; more than one is not possible yet`);
      for (const [name, target] of given) seats[place] = seat(`${option}.${name}`, target, trait);
    }
    const stores = { state: 'StateStore', clicks: 'ClickStore', revenue: 'RevenueStore' };
    for (const [name, target] of named('stores', options.stores)) {
      if (!Object.hasOwn(stores, name)) throw wrong(`stores.${name}: there is no such store; choose state, clicks or revenue`);
      seats[name] = seat(`stores.${name}`, target, stores[name]);
    }
    takeSecrets(options.secrets, told, seats, seat);
  } catch (error) {
    taken.forEach(forget);
    throw error;
  }
  return seats;
}

function takeSecrets(secrets, told, seats, seat) {
  if (secrets === undefined || secrets === null) return;
  if (typeof secrets !== 'object') throw wrong('secrets: give an object of texts by name, or one with a method get');
  if (typeof secrets.get === 'function') {
    seats.secrets = seat('secrets', secrets, 'SecretSource');
    return;
  }
  for (const [name, value] of Object.entries(secrets)) {
    if (typeof value !== 'string') throw wrong(`secrets.${name}: give a text`);
  }
  told.secrets = { ...secrets };
}

function named(option, given) {
  if (given === undefined || given === null) return [];
  if (typeof given !== 'object' || Array.isArray(given)) throw wrong(`${option}: give an object of objects by name`);
  return Object.entries(given).filter(([, target]) => target !== undefined);
}

module.exports = { Client, Scope, XynergyError };
