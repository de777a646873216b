'use strict';

const { invalid } = require('./errors.cjs');

/** The openai package's shape over `ai.chat` and `ai.stream`. */

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
    const told = {};
    for (const [key, value] of Object.entries(options ?? {})) if (Object.hasOwn(FORMS, key)) told[key] = value;
    const ai = new areas.ai(this.#handle);
    if (!stream) return completed(await ai.chat(request, told));
    const { stream_options: wanted, ...streamed } = request;
    const opened = await ai.stream(streamed, told).open();
    return wanted?.include_usage ? opened : withoutReport(opened);
  }
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

module.exports = { Chat };
