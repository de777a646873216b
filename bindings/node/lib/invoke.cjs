'use strict';

const { AsyncLocalStorage } = require('node:async_hooks');

const { encode } = require('./encode.cjs');
const { XynergyError, fromFailure, fromNative, invalid } = require('./errors.cjs');
const { revive, wait } = require('./mailbox.cjs');
const { ChatStream } = require('./stream.cjs');

/**
 * One call: the arguments into JSON, the options into what native code is told, the outcome into a promise.
 */

const NO_OPTIONS = Object.freeze({});
const PER_CALL = 'signal, timeout and requestId';

/** What a method is called on: the engine, and whose calls they are. */
class Handle {
  constructor(core, scope) {
    this.core = core;
    this.scope = scope;
    this.info = scope === null ? null : JSON.stringify(scope);
  }
}

/** Calls a method that answers with one value. */
function invoke(handle, method, required, options) {
  let prepared;
  try {
    prepared = prepare(handle, method, required, options);
  } catch (error) {
    return Promise.reject(error);
  }
  return send(handle.core, method, prepared);
}

/** Calls a method that answers piece by piece. Nothing happens until it is read. */
function stream(handle, method, required, options) {
  return new ChatStream(handle, method, () => {
    const prepared = prepare(handle, method, required, options);
    return { prepared, opened: send(handle.core, { name: method.name, decode: undefined, empty: false }, prepared) };
  });
}

function prepare(handle, method, required, options) {
  const refuse = (message) => invalid(method.name, message);
  let text = '';
  method.required.forEach((name, index) => {
    const value = required[index];
    if (value === undefined) throw refuse(`${name}: it is missing`);
    text += `${text === '' ? '' : ','}"${name}":${encode(name, value, refuse)}`;
  });
  let { info } = handle;
  let signal;
  if (options !== undefined && options !== null) {
    if (typeof options !== 'object' || Array.isArray(options)) {
      throw refuse(`options: give an object, or nothing: it is ${Array.isArray(options) ? 'an array' : typeof options}`);
    }
    let told;
    for (const key of Object.keys(options)) {
      const value = options[key];
      if (value === undefined) continue;
      const name = method.optional.get(key);
      if (name !== undefined) {
        text += `${text === '' ? '' : ','}"${name}":${encode(name, value, refuse)}`;
      } else if (key === 'signal') {
        signal = checkedSignal(value, refuse);
      } else if (key === 'timeout') {
        told = { ...told, timeout_ms: checkedTimeout(value, refuse) };
      } else if (key === 'requestId') {
        told = { ...told, request_id: checkedText(key, value, refuse) };
      } else {
        const known = [...method.optional.keys()];
        throw refuse(`options.${key}: there is no such option; choose ${[...known, PER_CALL].join(', ')}`);
      }
    }
    if (told !== undefined) info = JSON.stringify({ ...handle.scope, ...told });
  }
  return { arguments: `{${text}}`, info, signal };
}

function checkedSignal(signal, refuse) {
  if (signal === null) return undefined;
  if (typeof signal !== 'object' || typeof signal.addEventListener !== 'function' || typeof signal.aborted !== 'boolean') {
    throw refuse('signal: give an AbortSignal');
  }
  return signal;
}

function checkedTimeout(timeout, refuse) {
  if (!Number.isSafeInteger(timeout) || timeout < 1) {
    throw refuse('timeout: give a whole number of milliseconds, at least 1');
  }
  return timeout;
}

function checkedText(name, value, refuse) {
  if (typeof value !== 'string' || !value.isWellFormed()) throw refuse(`${name}: give a text`);
  return value;
}

function aborted(method, signal) {
  return new XynergyError('the call was cancelled', { kind: 'cancelled', operation: method, cause: signal.reason });
}

function send(core, method, { arguments: written, info, signal }) {
  if (signal?.aborted) return Promise.reject(aborted(method.name, signal));
  let answer;
  try {
    answer = core.engine.start(method.name, info, written);
  } catch (error) {
    return Promise.reject(fromNative(error, method.name));
  }
  const finish = (value) => {
    if (method.decode !== undefined) method.decode(value);
    return method.empty ? undefined : value;
  };
  if (typeof answer === 'string') {
    const [tag, , value] = JSON.parse(answer);
    if (tag === 2) return Promise.reject(fromFailure(value));
    return Promise.resolve(finish(tag === 1 ? revive(value) : value));
  }
  return new Promise((resolve, reject) => {
    const call = { resolve, reject, finish, run: core.hasHosts ? AsyncLocalStorage.snapshot() : undefined, ended: undefined };
    if (signal !== undefined) listen(core, method.name, answer, signal, call);
    // The engine must not be collected under its own calls.
    call.core = core;
    wait(answer, call);
  });
}

function listen(core, name, number, signal, call) {
  const { reject } = call;
  const onAbort = () => core.engine.cancel(number);
  signal.addEventListener('abort', onAbort, { once: true });
  call.ended = () => signal.removeEventListener('abort', onAbort);
  call.reject = (error) => reject(error.kind === 'cancelled' && signal.aborted ? aborted(name, signal) : error);
}

module.exports = { Handle, invoke, stream, send };
