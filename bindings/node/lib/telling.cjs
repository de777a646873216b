'use strict';

const { invalid } = require('./errors.cjs');
const { environment, takers } = require('./mailbox.cjs');
const native = require('./native.cjs');

/** What the library tells without being asked: events of a client, and its log. */

/** The cores of clients that want events, by the number of their engine. */
const wanting = new Map();
const gone = new FinalizationRegistry((engine) => wanting.delete(engine));

/** Sends the events of a core to its `onEvent`. */
function tellEvents(core) {
  const engine = core.engine.id;
  wanting.set(engine, new WeakRef(core));
  gone.register(core, engine);
}

takers[5] = ([, engine, event]) => {
  const core = wanting.get(engine)?.deref();
  if (core !== undefined) guarded('onEvent', () => core.onEvent(event));
};

/** How many clients use each logger. */
const loggers = new Map();
const LEVELS = ['error', 'warn', 'info', 'debug', 'trace', 'off'];

function checkLogger(logger) {
  const usable = typeof logger === 'function' || ['error', 'warn', 'info', 'debug'].every((level) => typeof logger?.[level] === 'function');
  if (!usable) {
    throw invalid('client', 'logger: give a function, or an object with error, warn, info and debug as pino has', 'config_invalid');
  }
}

/** Adds a logger; what is returned removes it. */
function tellLog(logger) {
  loggers.set(logger, (loggers.get(logger) ?? 0) + 1);
  if (loggers.size === 1) environment.takeLogs(true);
  let isThere = true;
  return () => {
    if (!isThere) return;
    isThere = false;
    const left = loggers.get(logger) - 1;
    if (left > 0) loggers.set(logger, left);
    else loggers.delete(logger);
    if (loggers.size === 0) environment.takeLogs(false);
  };
}

takers[6] = ([, , record]) => {
  for (const logger of loggers.keys()) guarded('logger', () => write(logger, record));
};

function write(logger, record) {
  if (typeof logger === 'function') return logger(record);
  const { level, message, target, fields } = record;
  const method = typeof logger[level] === 'function' ? level : 'debug';
  return logger[method]({ target, ...fields }, message);
}

/** A callback that throws is a warning of the process, not its end. */
function guarded(name, call) {
  const warn = (error) => {
    process.emitWarning(`${name} of a client threw: ${error?.stack ?? error}`, 'XynergyWarning');
  };
  try {
    const result = call();
    if (typeof result?.then === 'function') result.then(undefined, warn);
  } catch (error) {
    warn(error);
  }
}

/** Sets the least level of the log that is told; one for the process. */
function setLogLevel(level) {
  if (!LEVELS.includes(level)) throw invalid('log', `logLevel: choose ${LEVELS.join(', ')}`, 'config_invalid');
  native.setLogLevel(level);
}

module.exports = { tellEvents, tellLog, checkLogger, setLogLevel };
