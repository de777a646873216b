import type {
  AdPlatform,
  ChatRequest,
  ChatResponse,
  Client,
  ClientOptions,
  ClickStore,
  Contact,
  Crm,
  Deal,
  Embedder,
  Given,
  HostCall,
  CallContext,
  ManualClock,
  Owner,
  Provider,
  ResponseCache,
  RevenueStore,
  Sandbox,
  SandboxOptions,
  SecretSource,
  StateStore,
} from './index.js';

/** What a fake provider says: a text, a chat completion, an error to throw. */
export type FakeAnswer = string | Given<ChatResponse> | Error;

/** A provider that answers as told. */
export interface FakeProvider extends Provider {
  /** What it was asked. */
  readonly requests: ChatRequest[];
}

/** A provider that gives the answers one after the other and then the last one again; "ok" when there are none. */
export function fakeProvider(
  ...answers: Array<FakeAnswer | ((request: ChatRequest, call: HostCall & { ctx: CallContext }) => FakeAnswer | Promise<FakeAnswer>)>
): FakeProvider;

/** A clock that stands still, at noon of 2026-03-01 when no time is given. */
export function frozenClock(now?: string | Date): ManualClock;

/** A sandbox and a client of it for one test; both are closed when the test ends. */
export function useSandbox(
  test: { after(work: () => unknown): unknown },
  options?: ClientOptions & { sandbox?: SandboxOptions | undefined },
): Promise<{ sandbox: Sandbox; client: Client }>;

/** The behaviour suites, for objects of your own. A promise that rejects says which behaviour differs. The object is to be empty. */
export function checkProvider(provider: Provider): Promise<void>;
/** The same for an embedder. */
export function checkEmbedder(embedder: Embedder): Promise<void>;
export function checkCache(cache: ResponseCache): Promise<void>;
/** @param known A credential that it has. */
export function checkSecrets(secrets: SecretSource, known: { name: string; value: string }): Promise<void>;
/** @param known What it holds. */
export function checkCrm(crm: Crm, known: { deals: Record<string, Given<Deal>>; contacts: Record<string, Given<Contact>> }): Promise<void>;
/** @param known An object with a daily budget. */
export function checkAdPlatform(platform: AdPlatform, known: { account_id: string; owner: Owner }): Promise<void>;
export function checkStateStore(store: StateStore): Promise<void>;
export function checkClickStore(store: ClickStore): Promise<void>;
export function checkRevenueStore(store: RevenueStore): Promise<void>;
