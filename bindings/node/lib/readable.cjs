'use strict';

function toJSON() {
  const copy = Array.isArray(this) ? [...this] : { ...this };
  for (const key in copy) if (typeof copy[key] === 'bigint') copy[key] = copy[key].toString();
  return copy;
}

const hidden = { value: toJSON, enumerable: false, configurable: true, writable: true };

/** Gives a value that has BigInts a `toJSON`. It is hidden, so that the value stays a plain one: to spread, compare and clone. */
function readable(value) {
  return Object.defineProperty(value, 'toJSON', hidden);
}

/** Whether a value got its `toJSON` here. */
function isReadable(value) {
  return value.toJSON === toJSON;
}

module.exports = { readable, isReadable };
