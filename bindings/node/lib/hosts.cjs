'use strict';

const { encode } = require('./encode.cjs');
const { invalid, toThrown } = require('./errors.cjs');
const { hosts: decoders } = require('./generated/decode.cjs');
const { abilities, embedderAbilities, traits } = require('./generated/hosts.cjs');
const { environment, pending, takers, revive } = require('./mailbox.cjs');

/**
 * Objects of the host's behind the library's traits: native code asks by number, and everything that such an object can do wrong
 * (throw, return no promise, return nonsense) becomes an answer.
 */

/** `{target, trait}` by the number that native code has. */
const objects = new Map();
/** What answers a question now, by its number. */
const asked = new Map();
/** `{iterator, controller}` of streams that are read, by the question that opened them. */
const streams = new Map();
let next = 1;

/** Takes an object in; the number is given back by native code when it needs it no more. */
function keep(name, target, trait, kind = 'config_invalid') {
  if (target === null || (typeof target !== 'object' && typeof target !== 'function')) {
    throw invalid('client', `${name}: give an object with the methods of ${trait}`, kind);
  }
  for (const { method, optional } of Object.values(traits[trait])) {
    const found = target[method];
    if (found === undefined && optional) continue;
    if (typeof found !== 'function') {
      throw invalid('client', `${name}: it has no method "${method}", which a ${trait} needs`, kind);
    }
  }
  const number = next++;
  objects.set(number, { target, trait });
  return number;
}

/** Forgets an object whose engine could not be made. */
function forget(number) {
  objects.delete(number);
}

/** What a provider of the host's says of itself, as native code reads it. */
function abilitiesOf(name, target) {
  return saidBy(name, target, abilities, { streaming: typeof target.stream === 'function' });
}

/** The same of an embedder. */
function embedderAbilitiesOf(name, target) {
  return saidBy(name, target, embedderAbilities, {});
}

const KINDS = { default_model: 'string', max_inputs: 'number' };

function saidBy(name, target, attributes, said) {
  for (const [attribute, native] of Object.entries(attributes)) {
    const value = target[attribute];
    if (value === undefined || value === null) continue;
    const wanted = KINDS[native] ?? 'boolean';
    if (typeof value !== wanted) throw invalid('client', `${name}.${attribute}: give a ${wanted}`, 'config_invalid');
    said[native] = value;
  }
  return said;
}

takers[3] = ([, question, number, method, given, isMarked, isStream, call]) => {
  const object = objects.get(number);
  if (object === undefined) {
    fail(question, new Error('the object is gone: its client was closed'));
    return;
  }
  const controller = new AbortController();
  asked.set(question, controller);
  const run = pending.get(call)?.run;
  const work = () => answer(question, object, method, isMarked ? revive(given) : given, isStream, controller);
  // In the caller's own asynchronous context, where the call is still known.
  void (run === undefined ? work() : run(work));
};

async function answer(question, { target, trait }, method, given, isStream, controller) {
  try {
    const shape = traits[trait][method];
    decoders[trait][method]?.(given);
    const values = shape.params.map((name) => given[name]);
    const result = await target[shape.method](...values, { signal: controller.signal });
    if (isStream) open(question, result, controller);
    else reply(question, result);
  } catch (error) {
    fail(question, error);
  } finally {
    asked.delete(question);
  }
}

function reply(question, value) {
  const problem = (message) => new Error(`what it returned cannot be used: ${message}`);
  environment.reply(question, value === undefined ? 'null' : encode('result', value, problem));
}

function fail(question, error) {
  environment.fail(question, JSON.stringify(toThrown(error)));
}

function open(question, result, controller) {
  const make = result?.[Symbol.asyncIterator] ?? result?.[Symbol.iterator];
  if (typeof make !== 'function' || typeof result === 'string') {
    throw new Error('what it returned cannot be used: give an async iterable, as an async function* does');
  }
  const stream = { iterator: make.call(result), controller };
  if (controller.signal.aborted) {
    void end(stream);
    return;
  }
  streams.set(question, stream);
  environment.reply(question, 'null');
}

takers[8] = ([, question, number]) => {
  const stream = streams.get(number);
  if (stream === undefined) environment.reply(question, null);
  else void piece(question, stream);
};

async function piece(question, { iterator }) {
  try {
    const { value, done } = await iterator.next();
    if (done) environment.reply(question, null);
    else reply(question, value);
  } catch (error) {
    fail(question, error);
  }
}

/** A question is withdrawn: whoever answers it may stop. */
takers[4] = ([, question]) => {
  asked.get(question)?.abort();
  asked.delete(question);
};

/** A stream is not read any more. */
takers[9] = ([, number]) => {
  const stream = streams.get(number);
  streams.delete(number);
  if (stream !== undefined) void end(stream);
};

async function end({ iterator, controller }) {
  controller.abort();
  try {
    await iterator.return?.();
  } catch {
    // It was told to end; how it does is its own affair.
  }
}

takers[7] = ([, number]) => forget(number);

module.exports = { keep, forget, abilitiesOf, embedderAbilitiesOf };
