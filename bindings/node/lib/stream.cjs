'use strict';

const { XynergyError, fromFailure } = require('./errors.cjs');
const { results } = require('./generated/decode.cjs');

const NEXT = { name: 'stream.next', decode: undefined, empty: false };

/** Streams that nobody holds any more are closed, so that the provider's call ends. */
const abandoned = new FinalizationRegistry(({ core, stream }) => core.engine.closeStream(stream));

/**
 * An answer in pieces: `for await (const chunk of stream)`. It can be read once. Leaving the loop closes it.
 *
 * `abort()` ends it from elsewhere; whoever reads gets an error of the kind `cancelled`.
 */
class ChatStream {
  #handle;
  #open;
  #opening;
  #stream;
  #signal;
  #unlisten;
  #chunks = [];
  #failure;
  #ended = false;
  #turn = Promise.resolve();
  #abort = new AbortController();

  constructor(handle, method, open) {
    this.#handle = handle;
    this.#open = open;
  }

  /** Sends the request, if that was not done yet. Reading does it too. */
  async open() {
    this.#opening ??= this.#begin();
    await this.#opening;
    return this;
  }

  async #begin() {
    const { prepared, opened } = this.#open();
    const { stream } = await opened;
    this.#stream = stream;
    const { core } = this.#handle;
    abandoned.register(this, { core, stream }, this);
    this.#signal = prepared.signal;
    if (this.#signal !== undefined) {
      // The listener must not hold the stream: a signal may live as long as the process.
      const held = new WeakRef(this);
      const onAbort = () => held.deref()?.abort();
      this.#signal.addEventListener('abort', onAbort, { once: true });
      this.#unlisten = () => this.#signal.removeEventListener('abort', onAbort);
      if (this.#signal.aborted) this.abort();
    }
    if (this.#ended) this.#close();
  }

  /** Ends it: whoever reads gets an error of the kind `cancelled`. */
  abort(reason) {
    // What has arrived and was not read yet is cancelled too.
    if (this.#ended && this.#chunks.length === 0 && this.#failure === undefined) return;
    this.#abort.abort(reason);
    this.#chunks = [];
    this.#failure = this.#cancelled();
    this.#close();
  }

  /** The next piece. */
  next() {
    // Readers take turns, whoever they are.
    const turn = this.#turn.then(() => this.#next());
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #next() {
    if (this.#chunks.length > 0) return { value: this.#chunks.shift(), done: false };
    this.#throwFailure();
    if (this.#ended) {
      this.#unlisten?.();
      return { value: undefined, done: true };
    }
    try {
      await this.open();
      await this.#read();
    } catch (error) {
      this.#failure = undefined;
      this.#unlisten?.();
      this.#close();
      throw this.#abort.signal.aborted ? this.#cancelled() : error;
    }
    return this.#next();
  }

  async #read() {
    if (this.#abort.signal.aborted) throw this.#cancelled();
    const prepared = { arguments: `{"stream":${this.#stream}}`, info: null, signal: this.#abort.signal };
    const { chunks, done, error } = await require('./invoke.cjs').send(this.#handle.core, NEXT, prepared);
    for (const chunk of chunks) results['ai.stream']?.(chunk);
    this.#chunks = chunks;
    if (done) this.#close();
    if (error !== null) this.#failure = fromFailure(error);
  }

  #throwFailure() {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure === undefined) return;
    this.#unlisten?.();
    throw failure;
  }

  #cancelled() {
    const cause = this.#signal?.aborted ? this.#signal.reason : this.#abort.signal.reason;
    return new XynergyError('the stream was cancelled', { kind: 'cancelled', operation: 'ai.stream', cause });
  }

  #close() {
    this.#ended = true;
    if (this.#stream === undefined) return;
    abandoned.unregister(this);
    this.#handle.core.engine.closeStream(this.#stream);
  }

  /** Closes it; a `for await` that is left does this. */
  async return(value) {
    this.#chunks = [];
    this.#failure = undefined;
    this.#unlisten?.();
    this.#close();
    return { value, done: true };
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  /** The pieces as a web stream, for those who pass it on. */
  toReadableStream() {
    return ReadableStream.from(this);
  }

  async [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    await this.return();
  }
}

module.exports = { ChatStream };
