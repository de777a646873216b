'use strict';

const { Client, Scope } = require('./client.cjs');
const { ManualClock } = require('./clock.cjs');
const { encode } = require('./encode.cjs');
const { XynergyError, fromNative, invalid } = require('./errors.cjs');
const native = require('./native.cjs');
const { Sandbox, sandbox } = require('./sandbox.cjs');
const { ChatStream } = require('./stream.cjs');
const { setLogLevel } = require('./telling.cjs');

/** A value as JSON, the same bytes in every language: keys sorted, integers exact, a line break at the end. */
function toJson(value) {
  const text = encode('value', value, (message) => invalid('to_json', message));
  try {
    return native.canonicalJson(text);
  } catch (error) {
    throw fromNative(error, 'to_json');
  }
}

/** The version of the package. */
const version = native.version();

module.exports = { Client, Scope, ChatStream, ManualClock, Sandbox, XynergyError, sandbox, setLogLevel, toJson, version };
