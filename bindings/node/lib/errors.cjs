'use strict';

const { kinds } = require('./generated/hosts.cjs');

/** Exceptions of the host's that went into native code, until their error comes back. */
const thrown = new Map();
const KEPT = 1024;
let nextToken = 1;

/** Every error of this library. */
class XynergyError extends Error {
  constructor(message, { kind = 'unexpected', operation = '', retryAfterMs = null, context = {}, partialText, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.operation = operation;
    this.retryable = retryAfterMs !== null;
    this.retryAfterMs = retryAfterMs;
    this.context = context;
    // The model's text does not belong in a log: no printer of errors shows what cannot be enumerated.
    Object.defineProperty(this, 'partialText', { value: partialText ?? null });
  }

  /** Plain data, for logs and answers. What caused it and the partial text are left out: they may say more than a reader should know. */
  toJSON() {
    const { name, kind, message, operation, retryable, retryAfterMs, context } = this;
    return { name, kind, message, operation, retryable, retryAfterMs, context };
  }
}
Object.defineProperty(XynergyError.prototype, 'name', { value: 'XynergyError', configurable: true, writable: true });

/** The error of a failure as native code writes it. */
function fromFailure(failure) {
  const { kind, message, operation, retry_after_ms: retryAfterMs, context, causes = [], host_token: token, partial_text: partialText } = failure;
  let cause;
  if (token !== null && thrown.has(token)) {
    cause = thrown.get(token);
    thrown.delete(token);
  } else {
    cause = causes.reduceRight((below, said) => new Error(said, below && { cause: below }), undefined);
  }
  return new XynergyError(message, { kind, operation, retryAfterMs, context, partialText, cause });
}

/** The error behind what a native function threw. */
function fromNative(error, operation) {
  try {
    return fromFailure(JSON.parse(error.message));
  } catch {
    const message = `${error?.message ?? error}: a defect of xynergy; please report it`;
    return new XynergyError(message, { kind: 'unexpected', operation, cause: error });
  }
}

function invalid(operation, message, kind = 'invalid_input') {
  return new XynergyError(message, { kind, operation });
}

/** What native code has to know of something that a host's method threw. */
function toThrown(error) {
  const token = nextToken++;
  thrown.set(token, error);
  if (thrown.size > KEPT) thrown.delete(thrown.keys().next().value);
  const ours = error instanceof XynergyError || error?.name === 'XynergyError';
  return {
    kind: ours && kinds.has(error.kind) ? error.kind : null,
    message: said(error),
    retry_after_ms: ours && Number.isSafeInteger(error.retryAfterMs) && error.retryAfterMs >= 0 ? error.retryAfterMs : null,
    token,
  };
}

function said(error) {
  try {
    const text = error instanceof Error || typeof error?.message === 'string' ? error.message : String(error);
    return String(text).toWellFormed();
  } catch {
    return 'it threw something without text';
  }
}

module.exports = { XynergyError, fromFailure, fromNative, invalid, toThrown };
