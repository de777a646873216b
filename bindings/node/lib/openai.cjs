'use strict';

const { invalid } = require('./errors.cjs');

/** The openai package's shape over `ai.chat`, `ai.stream` and `ai.embed`. */

const FORMS = { timeout: 'timeout', signal: 'signal' };

class Completions {
  #handle;

  constructor(handle) {
    this.#handle = handle;
  }

  /** Answers a conversation; with `stream: true`, a promise of a stream of chunks. */
  async create(body, options) {
    const { areas } = require('./generated/methods.cjs');
    if (body === null || typeof body !== 'object' || Array.isArray(body)) {
      throw invalid('ai.chat', 'request: give an object with model and messages');
    }
    const { stream, ...request } = body;
    if (stream !== undefined && stream !== null && typeof stream !== 'boolean') throw invalid('ai.chat', 'request.stream: give true or false');
    const told = formed(options);
    const ai = new areas.ai(this.#handle);
    if (!stream) return completed(await ai.chat(request, told));
    const { stream_options: wanted, ...streamed } = request;
    const opened = await ai.stream(streamed, told).open();
    return wanted?.include_usage ? opened : withoutReport(opened);
  }
}

/** The options of a call that both know. */
function formed(options) {
  return Object.fromEntries(Object.entries(options ?? {}).filter(([key]) => Object.hasOwn(FORMS, key)));
}

/** Fields that are null in OpenAI's answers, and that the library leaves out. */
function completed(response) {
  for (const { message } of response.choices) {
    message.content ??= null;
    message.refusal ??= null;
  }
  return response;
}

/** Who did not ask for the usage reads `chunk.choices[0]` of every chunk: the last one, which has no choices, is not for them. */
function withoutReport(stream) {
  const next = stream.next.bind(stream);
  stream.next = async () => {
    for (;;) {
      const piece = await next();
      if (piece.done || piece.value.choices.length > 0) return piece;
    }
  };
  return stream;
}

class Chat {
  constructor(handle) {
    this.completions = new Completions(handle);
  }
}

class Embeddings {
  #handle;

  constructor(handle) {
    this.#handle = handle;
  }

  /** Embeds texts. The vectors are lists of numbers. */
  async create(body, options) {
    const { areas } = require('./generated/methods.cjs');
    if (body === null || typeof body !== 'object' || Array.isArray(body)) {
      throw invalid('ai.embed', 'request: give an object with model and input');
    }
    const { input, model, dimensions, encoding_format: format, ...others } = body;
    if ((format ?? 'float') !== 'float') {
      throw invalid('ai.embed', 'encoding_format: vectors are lists of numbers here; leave it out', 'unsupported');
    }
    for (const [name, value] of Object.entries(others)) {
      if (value !== undefined && value !== null) throw invalid('ai.embed', `${name}: no embedder is sent it; leave it out`, 'unsupported');
    }
    const texts = typeof input === 'string' ? [input] : input;
    const told = await new areas.ai(this.#handle).embed(texts, { ...formed(options), model: model ?? null, dimensions: dimensions ?? null });
    const { vectors, ...xynergy } = told;
    return {
      object: 'list',
      data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })),
      model: told.model,
      usage: { prompt_tokens: told.tokens_used, total_tokens: told.tokens_used },
      xynergy,
    };
  }
}

module.exports = { Chat, Embeddings };
