// What stands for something else in a case, and whether a value is what was expected.

import { createHash } from 'node:crypto';

import { toJson } from 'xynergy';

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
const isNumber = (value) => typeof value === 'number' || typeof value === 'bigint';

/** `over` laid over `under`: objects key by key, everything else as a whole. */
export function merge(under, over) {
  if (over === null || over === undefined) return under;
  if (!isObject(under) || !isObject(over)) return over;
  const merged = { ...under };
  for (const [key, value] of Object.entries(over)) merged[key] = key in under && value !== null ? merge(under[key], value) : value;
  return merged;
}

/** The value with everything replaced that stands for something else. */
export function resolve(value, names) {
  if (typeof value === 'string' && /^\$[a-z0-9_]+$/.test(value)) {
    if (!(value.slice(1) in names)) throw new Error(`${value} is neither a value of the file nor saved`);
    return resolve(names[value.slice(1)], names);
  }
  if (Array.isArray(value)) return value.map((item) => resolve(item, names));
  if (!isObject(value)) return value;
  const [[key, given] = [], another] = Object.entries(value);
  if (another === undefined) {
    if (key === '$merge') return given.map((part) => resolve(part, names)).reduce(merge, null);
    if (key === '$join') return given.map((part) => resolve(part, names)).join('');
    if (key === '$repeat') return given[0].repeat(given[1]);
    if (key === '$integer') return BigInt(given);
  }
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, resolve(item, names)]));
}

const kinds = {
  any: () => true,
  string: (value) => typeof value === 'string',
  integer: (value) => typeof value === 'bigint' || Number.isInteger(value),
  number: isNumber,
  boolean: (value) => typeof value === 'boolean',
  array: Array.isArray,
  object: isObject,
  time: (value) => typeof value === 'string' && value.length >= 20 && value.includes('T') && value.endsWith('Z'),
};

const show = (value) => JSON.stringify(value, (_, found) => (typeof found === 'bigint' ? String(found) : found));

/** How a value differs from what was expected, with the place; null when it matches. */
export function mismatch(expected, value, at = '') {
  const differs = `${at}: expected ${show(expected)}, found ${show(value)}`;
  if (isObject(expected)) {
    const keys = Object.keys(expected);
    if (keys.length === 1 && keys[0].startsWith('$')) return matches(keys[0], expected[keys[0]], value, at) ? null : differs;
    if (!isObject(value)) return differs;
    const extra = Object.keys(value).find((key) => !Object.hasOwn(expected, key));
    return extra === undefined ? fields(expected, value, at) : `${at}: ${extra} should not be there: ${show(value)}`;
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(value) || value.length !== expected.length) return differs;
    return first(expected.map((wanted, index) => () => mismatch(wanted, value[index], `${at}/${index}`)));
  }
  // eslint-disable-next-line eqeqeq -- a BigInt and a number of the same value are the same integer.
  if (isNumber(expected) && isNumber(value)) return expected == value ? null : differs;
  return expected === value ? null : differs;
}

function first(checks) {
  for (const check of checks) {
    const problem = check();
    if (problem !== null) return problem;
  }
  return null;
}

function fields(wanted, found, at) {
  return first(Object.entries(wanted).map(([key, expected]) => () =>
    Object.hasOwn(found, key) ? mismatch(expected, found[key], `${at}/${key}`) : `${at}: ${key} is missing, expected ${show(expected)}`));
}

function matches(name, argument, value, at) {
  switch (name) {
    case '$any':
      return Object.hasOwn(kinds, argument) && kinds[argument](value);
    case '$contains':
      return typeof value === 'string' && [argument].flat().every((part) => value.includes(part));
    case '$approx':
      return isNumber(value) && Math.abs(Number(value) - argument[0]) <= argument[1];
    case '$length':
      if (typeof value === 'string') return [...value].length === argument;
      return value !== null && typeof value === 'object' && Object.keys(value).length === argument;
    case '$bytes':
      return createHash('sha256').update(toJson(value)).digest('hex') === argument;
    case '$partial':
      return isObject(value) && fields(argument, value, at) === null;
    case '$one_of':
      return argument.some((choice) => mismatch(choice, value) === null);
    default:
      return false;
  }
}
