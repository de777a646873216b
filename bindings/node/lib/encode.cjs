'use strict';

const { types } = require('node:util');

const { isReadable } = require('./readable.cjs');

/**
 * Writes arguments as JSON, strictly: what JSON or a number would lose is refused, with the path of the field, instead of changed.
 */

/** Deeper than anything that means something, and shallower than the stack. */
const DEEPEST = 200;

/** What cannot be written; `encode` adds where. */
class Refusal extends Error {}

let path = [];

/** JSON of a value that is called `name`; throws what `refuse` makes of the problem. */
function encode(name, value, refuse) {
  path = [name];
  try {
    return write(value, 0);
  } catch (error) {
    if (error instanceof Refusal) throw refuse(`${shown()}: ${error.message}`);
    // A getter or a `toJSON` of the caller's.
    const failed = refuse(`${shown()}: it cannot be read: ${error?.message ?? error}`);
    failed.cause = error;
    throw failed;
  }
}

function shown() {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text.toWellFormed().slice(0, 300);
}

function write(value, depth) {
  switch (typeof value) {
    case 'string':
      return string(value);
    case 'number':
      return number(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'bigint':
      return value.toString();
    case 'object':
      return value === null ? 'null' : object(value, depth);
    case 'function':
      throw new Refusal('a function is no data');
    case 'symbol':
      throw new Refusal('a symbol is no data');
    default:
      throw new Refusal('undefined is no data: leave it out, or give null');
  }
}

function string(value) {
  if (!value.isWellFormed()) throw new Refusal('the text has half of a surrogate pair: cut text between characters');
  return JSON.stringify(value);
}

function number(value) {
  if (Number.isInteger(value)) {
    if (Number.isSafeInteger(value)) return String(value);
    throw new Refusal(`${value} is an integer that a number does not hold exactly: give a BigInt`);
  }
  if (Number.isFinite(value)) return String(value);
  throw new Refusal(`${value} is no number that can be sent`);
}

function object(value, depth) {
  if (depth > DEEPEST) throw new Refusal('it refers to itself, or is nested too deeply');
  if (Array.isArray(value)) return array(value, depth);
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return instance(value, depth);
  if (typeof value.toJSON === 'function' && !isReadable(value)) return write(value.toJSON(), depth + 1);
  return members(value, depth);
}

function array(value, depth) {
  let out = '[';
  for (let index = 0; index < value.length; index++) {
    path.push(index);
    out += index === 0 ? '' : ',';
    out += write(value[index], depth + 1);
    path.pop();
  }
  return `${out}]`;
}

function members(value, depth) {
  let out = '{';
  for (const key of Object.keys(value)) {
    const member = value[key];
    if (member === undefined) continue;
    path.push(key);
    if (out.length > 1) out += ',';
    out += `${string(key)}:${write(member, depth + 1)}`;
    path.pop();
  }
  return `${out}}`;
}

/** An object of a class. Kinds are told by what they are, not by their constructor, which a test runner's sandbox may have twice. */
function instance(value, depth) {
  if (types.isUint8Array(value)) {
    return `{"base64":"${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')}"}`;
  }
  if (types.isDate(value)) {
    if (Number.isNaN(value.getTime())) throw new Refusal('the date is invalid');
    return JSON.stringify(value);
  }
  if (types.isBoxedPrimitive(value)) return write(value.valueOf(), depth + 1);
  const kind = OTHERS.find(([is]) => is(value))?.[1];
  if (kind !== undefined) throw new Refusal(`${kind} is no data: give a plain object, an array or a Uint8Array`);
  if (typeof value.toJSON === 'function') return write(value.toJSON(), depth + 1);
  return members(value, depth);
}

const OTHERS = [
  [types.isMap, 'a Map'],
  [types.isSet, 'a Set'],
  [types.isWeakMap, 'a WeakMap'],
  [types.isWeakSet, 'a WeakSet'],
  [types.isPromise, 'a Promise'],
  [types.isRegExp, 'a RegExp'],
  [types.isNativeError, 'an Error'],
  [types.isArrayBufferView, 'a view of bytes'],
  [types.isAnyArrayBuffer, 'an ArrayBuffer'],
];

module.exports = { encode };
