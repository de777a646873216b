'use strict';

const { Client } = require('./client.cjs');
const { ManualClock } = require('./clock.cjs');
const { encode } = require('./encode.cjs');
const { fromNative, invalid } = require('./errors.cjs');
const { abilitiesOf, embedderAbilitiesOf, forget, keep } = require('./hosts.cjs');
const { environment, outcome } = require('./mailbox.cjs');
const { sandbox } = require('./sandbox.cjs');

/** What a host's own tests need: a provider that answers as told, a sandbox for each test, and the behaviour suites. */

const refuse = (message) => invalid('testing', message, 'invalid_input');

/**
 * A provider that gives `answers` one after the other and then the last one again. An answer is a text, a chat completion, an error to
 * throw, or a function of the request. `requests` has what it was asked.
 */
function fakeProvider(...answers) {
  if (answers.length === 0) answers = ['ok'];
  const requests = [];
  const answer = async (ctx, request, call) => {
    const given = answers[Math.min(requests.length, answers.length - 1)];
    requests.push(request);
    const value = typeof given === 'function' ? await given(request, { ctx, ...call }) : given;
    if (value instanceof Error) throw value;
    return value;
  };
  return {
    requests,
    tools: true,
    responseFormat: true,
    images: true,
    chat: answer,
    async *stream(ctx, request, call) {
      const value = await answer(ctx, request, call);
      if (typeof value === 'string') yield* value.match(/\S+\s*/gu) ?? [];
      else yield* toChunks(value);
    },
  };
}

/** A whole answer as pieces of a stream. */
function toChunks(response) {
  const { id, model, choices = [], usage } = response;
  const said = choices.map(({ index = 0, message = {}, finish_reason: finish = 'stop' }) => ({ index, delta: message, finish_reason: finish }));
  return [{ id, model, choices: said, ...(usage && { usage }) }];
}

/** A clock that stands still, at the given time. */
function frozenClock(now = '2026-03-01T12:00:00Z') {
  return new ManualClock(now);
}

/**
 * A sandbox and a client of it for one test, of node:test or anything with `after`: both are closed when the test ends.
 * `options` may have `sandbox` (as for `sandbox.start`) and options of the client.
 */
async function useSandbox(test, options = {}) {
  if (typeof test?.after !== 'function') throw refuse('test: give the context of the test, which has `after`');
  const { sandbox: served, ...others } = options;
  const running = await sandbox.start({ ...(others.clock && { clock: others.clock }), ...served });
  test.after(() => running.stop());
  const client = new Client({ config: running.config, secrets: running.secrets, ...others });
  test.after(() => client.close({ grace: 0 }));
  return { sandbox: running, client };
}

const PLACES = { StateStore: 'stores.state', ClickStore: 'stores.clicks', RevenueStore: 'stores.revenue' };

async function check(suite, trait, target, known) {
  const number = keep(PLACES[trait] ?? suite, target, trait, 'invalid_input');
  let check;
  try {
    check = environment.check(suite, number, encode('known', known, refuse));
  } catch (error) {
    forget(number);
    throw error?.name === 'XynergyError' ? error : fromNative(error, 'testing');
  }
  await outcome(check);
}

/** Each suite calls an object that is empty and writes to it; a promise that rejects says which behaviour differs. */
const checks = {
  checkProvider: (provider) => check('provider', 'Provider', provider, abilitiesOf('provider', provider ?? {})),
  checkEmbedder: (embedder) => check('embedder', 'Embedder', embedder, embedderAbilitiesOf('embedder', embedder ?? {})),
  checkCache: (cache) => check('cache', 'ResponseCache', cache, {}),
  /** `known` is `{name, value}` of a credential that it has. */
  checkSecrets: (secrets, known) => check('secrets', 'SecretSource', secrets, known),
  /** `known` is `{deals, contacts}` that it holds. */
  checkCrm: (crm, known) => check('crm', 'Crm', crm, known),
  /** `known` is `{account_id, owner}` of an object with a daily budget. */
  checkAdPlatform: (platform, known) => check('ad_platform', 'AdPlatform', platform, known),
  checkStateStore: (store) => check('state_store', 'StateStore', store, {}),
  checkClickStore: (store) => check('click_store', 'ClickStore', store, {}),
  checkRevenueStore: (store) => check('revenue_store', 'RevenueStore', store, {}),
};

module.exports = { ...checks, fakeProvider, frozenClock, useSandbox };
