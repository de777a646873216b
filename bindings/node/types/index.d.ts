/// <reference lib="esnext.disposable" />

import type {
  AdPlatform,
  Areas,
  ChatChunk,
  ChatRequestInput,
  ChatResponse,
  ClickStore,
  Config,
  Crm,
  Embedder,
  Embeddings,
  ErrorKind,
  Provider,
  ResponseCache,
  RevenueStore,
  SecretSource,
  StateStore,
} from './generated.js';

export * from './generated.js';

/** What every call takes as its last argument. */
export interface CallOptions {
  /** Cancels the call; it ends with the kind `cancelled`, whose `cause` is the signal's reason. */
  signal?: AbortSignal | null | undefined;
  /** After so many milliseconds the call ends with the kind `timeout`. */
  timeout?: number | undefined;
  /** The caller's id of the request; one is made when absent. */
  requestId?: string | undefined;
}

/** What a method of a host's object gets as its last argument. */
export interface HostCall {
  /** Aborted when nobody waits for the answer any more: the call was cancelled, or took too long. */
  readonly signal: AbortSignal;
}

/** What a host returns: numbers and BigInts alike, dates as such, and whatever may be left out left out. */
export type Given<T> = T extends bigint
  ? number | bigint
  : T extends string | number | boolean | null | undefined
    ? T
    : T extends Array<infer Each>
      ? Array<Given<Each>>
      : T extends object
        ? { [K in keyof T]?: Given<T[K]> | undefined }
        : T;

/** Every error of this library. */
export class XynergyError extends Error {
  constructor(
    message: string,
    details?: {
      kind?: ErrorKind | undefined;
      operation?: string | undefined;
      retryAfterMs?: number | null | undefined;
      context?: Record<string, string> | undefined;
      partialText?: string | null | undefined;
      cause?: unknown;
    },
  );
  readonly name: 'XynergyError';
  /** What went wrong, as a caller would branch on it. */
  readonly kind: ErrorKind;
  /** What was being done, as `ai.chat`. */
  readonly operation: string;
  /** Whether trying again can help. */
  readonly retryable: boolean;
  /** After how many milliseconds; null when it is not retryable. */
  readonly retryAfterMs: number | null;
  /** What had come of an answer that broke off, else null. It is the model's text: no printed or JSON form of the error has it. */
  readonly partialText: string | null;
  /** What belongs to it, as text. */
  readonly context: Record<string, string>;
  /** What is behind it: the very exception of a host's object, or the chain of the library's own. */
  readonly cause?: unknown;
  /** Plain data, without the cause. */
  toJSON(): Record<string, unknown>;
}

/** An answer in pieces. It can be read once; leaving the loop closes it. */
export class ChatStream implements AsyncIterableIterator<ChatChunk> {
  private constructor();
  /** Sends the request, if that was not done yet. Reading does it too. */
  open(): Promise<this>;
  /** Ends it: whoever reads gets an error of the kind `cancelled`. */
  abort(reason?: unknown): void;
  next(): Promise<IteratorResult<ChatChunk, undefined>>;
  return(value?: unknown): Promise<IteratorResult<ChatChunk, undefined>>;
  /** The pieces as a web stream. */
  toReadableStream(): ReadableStream<ChatChunk>;
  [Symbol.asyncIterator](): this;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Where log lines go: an object as pino makes it, or a function. */
export type Logger =
  | ((record: LogRecord) => void)
  | {
      error(fields: object, message: string): void;
      warn(fields: object, message: string): void;
      info(fields: object, message: string): void;
      debug(fields: object, message: string): void;
      trace?(fields: object, message: string): void;
    };

/** A line of the library's log. */
export interface LogRecord {
  level: 'error' | 'warn' | 'info' | 'debug' | 'trace';
  /** The part of the library. */
  target: string;
  message: string;
  fields: Record<string, unknown>;
}

/** The least level that is told. */
export type LogLevel = LogRecord['level'] | 'off';

/** What a client is made of. */
export interface ClientOptions {
  /** The configuration: an object, or TOML. In memory, with nothing configured, when absent. */
  config?: Config | string | undefined;
  /** AI providers of your own, by name. */
  providers?: Record<string, Provider> | undefined;
  /** Embedders of your own, by name. */
  embedders?: Record<string, Embedder> | undefined;
  /** A cache of your own; at most one. */
  caches?: Record<string, ResponseCache> | undefined;
  /** An ad platform of your own; at most one. */
  adPlatforms?: Record<string, AdPlatform> | undefined;
  /** Stores of your own; those that are absent are in memory. */
  stores?: { state?: StateStore | undefined; clicks?: ClickStore | undefined; revenue?: RevenueStore | undefined } | undefined;
  /** A CRM of your own; at most one. */
  crms?: Record<string, Crm> | undefined;
  /** Credentials by the names that the configuration refers to, instead of the environment; or a source of them. */
  secrets?: Record<string, string> | SecretSource | undefined;
  /** The time of every decision, instead of the system's. */
  clock?: ManualClock | undefined;
  /** Called with what the library reports: calls, spend, budget changes. */
  onEvent?: ((event: Record<string, unknown> & { type?: string }) => void) | undefined;
  /** Where log lines go. */
  logger?: Logger | undefined;
  /** The least level that is told, `warn` when absent; one for the process. */
  logLevel?: LogLevel | undefined;
  /** The seed of every id and draw: for tests and simulated runs. */
  seed?: number | bigint | undefined;
  /** How long a method of an object of yours may take; 30,000 when absent. */
  hostTimeoutMs?: number | undefined;
}

/** Whose calls they are. */
export interface ScopeOptions {
  /** The tenant; `default` when absent. */
  tenant?: string | null | undefined;
  /** The person or program that acts, for the audit trail. */
  actor?: string | null | undefined;
  /** The id of the request. */
  requestId?: string | null | undefined;
  /** The W3C trace context to continue. */
  traceparent?: string | null | undefined;
}

/** The openai package's shape. */
export interface Chat {
  completions: {
    create(body: ChatRequestInput & { stream: true }, options?: CallOptions): Promise<ChatStream>;
    create(body: ChatRequestInput & { stream?: false | null | undefined }, options?: CallOptions): Promise<ChatResponse>;
    create(body: ChatRequestInput & { stream?: boolean | null | undefined }, options?: CallOptions): Promise<ChatResponse | ChatStream>;
  };
}

/** Vectors in the openai package's shape. */
export interface EmbeddingList {
  object: 'list';
  data: Array<{ object: 'embedding'; index: number; embedding: Array<number> }>;
  model: string;
  usage: { prompt_tokens: number; total_tokens: number };
  /** What this library tells of the call. */
  xynergy: Omit<Embeddings, 'vectors'>;
}

/** The openai package's shape. */
export interface OpenAiEmbeddings {
  create(
    body: {
      input: string | Array<string>;
      model?: string | null | undefined;
      dimensions?: number | null | undefined;
      encoding_format?: 'float' | null | undefined;
    },
    options?: CallOptions,
  ): Promise<EmbeddingList>;
}

/** What a tenant, an actor or a request does. */
export interface Scope extends Areas {
  /** `chat.completions.create(...)` as the openai package has it. */
  readonly chat: Chat;
  /** `embeddings.create(...)` as the openai package has it. */
  readonly embeddings: OpenAiEmbeddings;
  /** The same for another tenant, actor or request; what is absent stays. */
  scope(whose?: ScopeOptions): Scope;
}
export const Scope: { readonly prototype: Scope };

export interface Client extends Scope {}

/** AI routing, attribution, allocation and safe execution, in this process. By itself it is the scope of the tenant `default`. */
export class Client {
  /** Checks the options. No I/O happens. */
  constructor(options?: ClientOptions);
  /** A client of what the environment variables say. */
  static fromEnv(options?: Omit<ClientOptions, 'config'>): Client;
  /**
   * Refuses new calls, waits at most `grace` milliseconds (5,000) for those under way and cancels the rest. Budget writes are waited for.
   */
  close(options?: { grace?: number | undefined }): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A clock that moves only when it is told to. */
export class ManualClock {
  constructor(now: string | Date);
  /** Its time, in RFC 3339. */
  now(): string;
  set(now: string | Date): void;
  /** Moves it on by whole milliseconds. */
  advance(ms: number): void;
}

/** What a sandbox serves; everything may be absent. */
export interface SandboxOptions {
  /** The ad account: an ads file's content, or its path. */
  ads?: object | string | undefined;
  /** Deals and contacts: a CRM file's content, or its path. */
  crm?: object | string | undefined;
  /** Rules of faults, or the path of a file of them. */
  faults?: object | string | undefined;
  /** The file of its log; in memory when absent. */
  log?: string | undefined;
  /** The port of 127.0.0.1; a free one when absent. */
  port?: number | undefined;
  /** Its time, instead of the system's. */
  clock?: ManualClock | undefined;
}

/** A running sandbox. */
export interface Sandbox {
  /** Its addresses. */
  readonly urls: { base: string; openai: string; abacus: string; internal: string; graph: string; hubspot: string };
  /** The configuration of a client that talks to it. */
  readonly config: Config;
  /** The credentials of such a client. */
  readonly secrets: Record<string, string>;
  /** Its ad account, as `closedLoop` takes it. */
  readonly account: import('./generated.js').AdAccount;
  /** Rows of the files that were skipped. */
  readonly problems: string[];
  /** Its state; late effects that are due have landed. */
  state(): Promise<Record<string, unknown>>;
  /** Lets late effects land whose time has come. */
  applyDue(): Promise<void>;
  /** When the next late effect lands; null when none is on its way. */
  nextDue(): Promise<string | null>;
  /** Stops it. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
export const Sandbox: { readonly prototype: Sandbox };

/** Stand-ins on this machine for the AI providers, Meta and HubSpot. */
export const sandbox: { start(options?: SandboxOptions): Promise<Sandbox> };

/** Sets the least level of the log that is told; one for the process. */
export function setLogLevel(level: LogLevel): void;

/** A value as JSON, the same bytes in every language: keys sorted, integers exact, a line break at the end. */
export function toJson(value: unknown): string;

/** The version of the package. */
export const version: string;
