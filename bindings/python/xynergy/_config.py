# Written by `python3 bindings/generate` from the description of the public surface; do not edit.
# ruff: noqa
"""The configuration as a dictionary; `ConfigDict` is the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypedDict, Union

AddressRange = Union[str]

class AiConfigDict(TypedDict, total=False):
    """How AI requests are routed, cached and paid for."""

    breaker: BreakerConfigLike
    """When a failing model is left alone."""
    cache: CacheConfigLike
    """The cache of answers."""
    concurrency: ConcurrencyConfigLike
    """How many calls may be in flight."""
    embeddings: EmbeddingsConfigLike
    """How texts are embedded."""
    fallbacks: FallbackConfigLike
    """Who is asked where every model of a list fails alike."""
    hedge: HedgeConfigLike
    """Second calls beside slow ones."""
    limits: Sequence[SpendLimitConfigLike]
    """Spend limits that hold for every tenant."""
    max_prompt_bytes: int
    """The greatest prompt, in bytes of text."""
    order: OrderConfigLike
    """In which order the providers are asked."""
    policies: Sequence[PolicyConfigLike]
    """Which requests without a model go to which route. The first policy that matches decides."""
    price_file: str | None
    """A price list in the format of LiteLLM's `model_prices_and_context_window.json`, read at the first call and when asked to. It goes before the embedded table, and after `ai.providers.NAME.price`."""
    providers: Mapping[str, ProviderConfigLike]
    """The providers by name. One that has the name of a dialect, as `openai` or `mistral`, brings its defaults."""
    rate_limit: RateLimit | None
    """How many requests and tokens a minute a tenant may send; unlimited when absent. Cache hits do not count."""
    retry: RetryConfigLike
    """Retries of temporary faults."""
    routes: Mapping[str, RouteConfig]
    """Named routes, asked for as `model`: each an ordered list of `PROVIDER` or `PROVIDER/MODEL`, or a table with a strategy."""
    secrets_ttl_seconds: int
    """For how long an API key is kept before it is read anew where it is found, in seconds; 0 reads it at each call. A key that a provider refuses is read anew at once."""
    strategy: DefaultStrategy
    """What chooses for requests that name no model and that no policy is for."""
    timeouts: TimeoutConfigLike
    """Deadlines."""
    tokens: TokenConfigLike
    """How limits of answers are sized."""

AiConfigLike = AiConfigDict

class AllocationConfigDict(TypedDict, total=False):
    """What budgets are drawn from."""

    winners: WinnersConfigLike
    """Where the creatives that won are kept, and how large their embeddings are."""

AllocationConfigLike = AllocationConfigDict

ApiKeys = Union["SecretRefLike", "Sequence[SecretRefLike]"]

class AttributionConfigDict(TypedDict, total=False):
    """Clicks, matching and stage values."""

    choose_by: ChooseBy
    """Which candidate becomes the match where no click id decides: `tier` (the latest of the surest layer) or `probability` (the likeliest, once `attribution.train` has made a model)."""
    clicks: ClickRulesLike
    """How clicks are read, and what of them is evidence."""
    contact_properties: ContactPropertiesLike
    """The CRM's names of the contact properties that are read."""
    currencies: CurrenciesLike
    """The currency of every value, and what others are worth in it."""
    identity_key: SecretRefLike | None
    """A secret of every hash of something that identifies: 64 hex digits. Without one, all there is of the keys is kept in the store; give one if whoever reads the store must not be able to test addresses."""
    keys: ClickKeysConfigLike
    """The keys under which what identifies is hashed."""
    layers: Layers | None
    """Which layers of matching are used: 1 by click id, 2 by fingerprint, 3 by address and user agent. What is not used is neither computed, stored nor matched. All when absent; in the Swift package on Apple platforms layer 1 alone."""
    pipelines: Sequence[PipelineLike]
    """The CRM's pipelines whose stages have a probability or a value of their own; `stages` holds for all others."""
    retention: RetentionConfigLike
    """How long clicks are kept."""
    stages: StageValuesLike
    """What a deal is worth by its stage."""
    use_amounts: bool
    """Whether a deal whose amount is known is worth that amount times the probability of its stage, instead of the value of the stage."""
    windows: WindowsLike
    """How far before a conversion its click may lie."""

AttributionConfigLike = AttributionConfigDict

class BreakerConfigDict(TypedDict, total=False):
    """When a failing model is left alone: after so many faults in a row, or when too many of the calls of a window are faults or slow."""

    failures: int
    """Consecutive faults that open it."""
    jitter_percent: int
    """How much shorter than that it may be at random, in percent, so that not all processes try again at once."""
    min_calls: int
    """Calls that the window must hold before the rate counts."""
    open_seconds: int
    """How long it stays open, in seconds."""
    probes: int
    """Trial calls after that; all must succeed."""
    rate_percent: int
    """The share of the window's calls that opens it when they are faults or slow, in percent; 0 for never."""
    slow_ms: int
    """From how long on a call is slow, until its answer or the first token of its stream, in milliseconds of real time; 0 for never."""
    window_seconds: int
    """The window of the rate, in seconds."""

BreakerConfigLike = BreakerConfigDict

class CacheConfigDict(TypedDict, total=False):
    """The cache of answers."""

    enabled: bool
    """Whether answers are kept."""
    max_bytes: int
    """The room of the cache in memory, in bytes."""
    ttl_seconds: int
    """For how long, in seconds."""

CacheConfigLike = CacheConfigDict

class ChannelWindowsDict(TypedDict, total=False):
    """The windows of one channel; what is not given is as for the others."""

    layer1_hours: int | None
    """Equal click ids."""
    layer2_hours: int | None
    """Equal fingerprints."""
    layer3_hours: int | None
    """Equal address and user agent."""

ChannelWindowsLike = ChannelWindowsDict

ChooseBy = Union[Literal["tier", "probability"]]

class ClickKeysConfigDict(TypedDict, total=False):
    """The keys under which what identifies is hashed."""

    rotate_days: int
    """How many days (UTC) have one key. It is made at random and kept in the store, hashed with `identity_key` where that is configured, and thrown away with the clicks of its days. Days before a change of this number keep their keys."""

ClickKeysConfigLike = ClickKeysConfigDict

class ClickRulesDict(TypedDict, total=False):
    """How clicks are read, and what of them is evidence."""

    click_ids_need_consent: bool
    """Whether the hashes of click ids need consent too. They are what layer 1 matches by."""
    keep_bots: bool
    """Whether clicks of known bots are stored as others are; by default they are only counted."""
    keep_devices: bool
    """Whether browser, platform, language and a hash of the address alone are kept with consent, which the probability of a match is computed from."""
    read_fragment: bool
    """Whether click ids and UTM parameters behind the `#` of a URL are read too."""
    trusted_proxies: Sequence[AddressRange]
    """The proxies whose `X-Forwarded-For` is believed, as ranges like `10.0.0.0/8`. Without one the header is not read."""
    use_frozen_user_agents: bool
    """Whether a frozen user agent, as Chrome sends it, counts in layers 2 and 3. It is equal for everybody with this version of the browser; if it does not count, client hints must stand in for it."""

ClickRulesLike = ClickRulesDict

Complexity = Union[Literal["simple", "complex"]]

class ConcurrencyConfigDict(TypedDict, total=False):
    """How many calls may be in flight at once, all tenants together. One more is refused at once, as `throttled`; nothing queues. A stream is in flight until its end, and answers from the cache are not counted."""

    max: int
    """Of the whole client."""
    per_provider: int
    """At each provider, after which the next one is asked; 0 for no bound but that of the client."""

ConcurrencyConfigLike = ConcurrencyConfigDict

class ConditionConfigDict(TypedDict, total=False):
    """Conditions on a request. Those that are not given hold."""

    complexity: Complexity | None
    """It is judged to be this."""
    longer_than_tokens: int | None
    """Its prompt has more tokens than this, by the estimate for models that nothing is known of."""
    needs: Sequence[Need]
    """It needs all of these."""
    tags: Sequence[str]
    """It has one of these tags."""
    tenants: Sequence[str]
    """It is of one of these tenants."""

ConditionConfigLike = ConditionConfigDict

class ContactPropertiesDict(TypedDict, total=False):
    """The names of the contact properties that are read."""

    accept_language: str
    """The contact's `Accept-Language`."""
    consent: str
    """`true` when the contact consented; anything else is no consent."""
    facebook_click_id: str
    """Facebook's click id, plain or as the browser's `_fbc` cookie."""
    first_url: str
    """The first page that the contact saw."""
    google_click_id: str
    """Google's click id."""
    ip: str
    """The contact's address."""
    user_agent: str
    """The contact's user agent."""

ContactPropertiesLike = ContactPropertiesDict

class CurrenciesDict(TypedDict, total=False):
    """The currency that revenue is counted in, and what others are worth in it."""

    base: Currency
    """The currency of every value: that of the ad account, and of deals that name none."""
    rates: Sequence[RateLike]
    """What the others are worth. A deal in a currency without a rate counts by its stage and says so."""

CurrenciesLike = CurrenciesDict

Currency = Union[str]

DatabaseUrl = Union["SecretRefLike", str]

DefaultStrategy = Union[Literal["complexity", "cheapest", "lowest_latency"]]

Dialect = Union[Literal["openai", "azure", "abacus", "openrouter", "groq", "mistral", "deepseek", "ollama", "vllm", "llama_cpp", "internal", "anthropic", "compatible"]]

class EmbeddingsConfigDict(TypedDict, total=False):
    """How texts are embedded."""

    concurrency: int
    """How many requests of one call are in flight at once."""
    dimensions: int | None
    """How long the vectors are to be where a request does not say, for models that can shorten them; the model's own length when absent."""
    max_inputs: int
    """The most texts of one call. They are sent in as many requests as the provider needs."""
    model: str | None
    """The model, as `text-embedding-3-small` or `openai/text-embedding-3-small`; where absent, the default model of the providers that embed, if they have but one."""
    providers: Sequence[str]
    """Who serves that model, in the order in which they are asked: `PROVIDER`, or `PROVIDER/MODEL` where it has another name there, as a deployment at Azure. It must be the same model everywhere: vectors of two models cannot be compared. Where empty, the providers whose default model it is."""

EmbeddingsConfigLike = EmbeddingsConfigDict

class ExecutionConfigDict(TypedDict, total=False):
    """The limits of budget changes: a preset, or every figure by itself."""

    draw_key: SecretRefLike | None
    """The secret that jitter and fuzz are drawn with. Without one, a key is made at the first use and kept in the store."""
    policy: PolicyLike | None
    """Instead of the preset: figures that are not given are those of `standard`."""
    preset: str
    """`standard` (no fuzz), `seed` (3 % fuzz) or `exact` (no jitter and no fuzz)."""
    require_approval: bool
    """Whether changes that are queued from now on wait until somebody approves the digest of their plan."""
    roles: Roles
    """Who may approve, and who may give verdicts, retry and switch a kill switch off. Without an entry every named actor may."""

ExecutionConfigLike = ExecutionConfigDict

class FallbackConfigDict(TypedDict, total=False):
    """Who is asked where every model of a list would fail alike: lists of `PROVIDER` or `PROVIDER/MODEL`. Where a list is empty, the error reaches the caller at once."""

    content_filtered: Sequence[str]
    """When a provider's content filter refuses."""
    context_too_long: Sequence[str]
    """When the prompt does not fit a model's context window: models with a larger one."""

FallbackConfigLike = FallbackConfigDict

class HedgeConfigDict(TypedDict, total=False):
    """Second calls beside slow ones: when the first model takes longer than 95 of 100 of its calls took, the next one is asked too. The first answer, or the first token of a stream, wins; the other call is aborted. Both are paid for."""

    budget_percent: int
    """Second calls for a hundred requests at most, over time."""
    enabled: bool
    """Whether there are any."""
    min_calls: int
    """Answers of a model that must have been measured before."""
    min_wait_ms: int
    """The shortest wait before the second call, in milliseconds."""

HedgeConfigLike = HedgeConfigDict

class HubspotConfigDict(TypedDict, total=False):
    """How HubSpot is reached and whom its webhooks are believed."""

    access_token: SecretRefLike
    """The access token of a private app, with the scopes to read deals and contacts."""
    base_url: str
    """The API's address; plain HTTP only on this machine."""
    client_secret: SecretRefLike
    """The app's client secret, with which webhooks are signed."""
    max_body_bytes: int
    """The greatest body of a delivery, in bytes. A greater one is refused before anything of it is read."""
    oauth: OAuthConfigLike | None
    """Access tokens by OAuth instead of `access_token`: for an app that many accounts install."""
    reads_per_10_seconds: int
    """How many reads of a tenant are sent in any 10 seconds at most. HubSpot lets 100 through for an app of its free plans."""
    signatures: Signatures
    """Which signatures are accepted."""
    timeout_ms: int
    """The time for one read, in milliseconds."""
    webhook_urls: Sequence[str]
    """The addresses that HubSpot has of this server, each in full as it stands in HubSpot. With them, a delivery is checked against the one with its path and query, and scheme and host of a request, which its sender chooses, are not looked at. Without any, the caller gives the right address with each delivery."""

HubspotConfigLike = HubspotConfigDict

Layers = Union["Sequence[int]"]

class MetaConfigDict(TypedDict, total=False):
    """How Meta's Graph API is reached, and as which app."""

    access_token: SecretRefLike
    """The access token of a system user, with `ads_read` and `ads_management`."""
    account_id: str
    """The ad account, with or without `act_`; empty where every call names one."""
    app_id: str | None
    """The id of the token's app. Without it the log of edits cannot tell its own edits from a person's, so that a write whose answer was lost is settled by the value alone or by a person."""
    app_secret: SecretRefLike | None
    """The app's secret, for an app that requires a proof of it with every call."""
    base_url: str
    """The API's address without the version; plain HTTP only on this machine."""
    insights_sync_days: int
    """For how many days at most figures are asked for at once; for more, and when Meta finds it too much, a report is ordered."""
    report_timeout_ms: int
    """The time for a report, in milliseconds."""
    timeout_ms: int
    """The time for one request, in milliseconds."""
    version: str
    """The version of the API, such as `v26.0`."""

MetaConfigLike = MetaConfigDict

Need = Union[Literal["images", "tools", "response_format"]]

class _OAuthConfigRequired(TypedDict):
    client_id: SecretRefLike
    """The app's client id."""
    refresh_token: SecretRefLike
    """The refresh token that the account's installation gave."""

class OAuthConfigDict(_OAuthConfigRequired, total=False):
    """What access tokens are asked for with. Each tenant has its own refresh token, by its `SecretSource`."""

    client_secret: SecretRefLike | None
    """The app's client secret; `client_secret` of `[hubspot]` when absent, for it is the same one."""

OAuthConfigLike = OAuthConfigDict

class OrderConfigDict(TypedDict, total=False):
    """In which order the providers are asked. Names that are not configured are passed over; configured providers that an order does not name come last."""

    complex: Sequence[str]
    """For complex requests."""
    simple: Sequence[str]
    """For simple requests."""

OrderConfigLike = OrderConfigDict

class PipelineDict(TypedDict):
    """A pipeline of the CRM with its stages."""

    id: str
    """The CRM's id of the pipeline: `default`, or a number."""
    stages: Sequence[PipelineStageLike]
    """Its stages."""

PipelineLike = PipelineDict

class _PipelineStageRequired(TypedDict):
    id: str
    """The CRM's id of the stage."""
    probability_permille: int
    """How probably a deal in it is won, in thousandths: 1000 is the stage of won deals, 0 that of lost ones."""

class PipelineStageDict(_PipelineStageRequired, total=False):
    """A stage of a pipeline."""

    value_minor: int | None
    """What a deal in it is expected to bring, in minor units. That share of `closed_minor` when absent."""

PipelineStageLike = PipelineStageDict

class PolicyDict(TypedDict, total=False):
    """Every figure of the guards. All durations are in milliseconds."""

    account_cap_retry_ms: int
    """When a change over the account's cap is asked again."""
    account_changes: int
    """How many changes an account may have in that window, all its campaigns together."""
    adset_budget_changes: int
    """How many budget changes an ad set may have in that window, other people's included: platforms block it above."""
    campaign_changes: int
    """How many changes a campaign may have in that window, all its owners together."""
    clock_skew_ms: int
    """How far the platform's clock may be behind ours."""
    expires_after_ms: int
    """How long a queued change stays valid unless it says so itself."""
    fuzz_per_mille: int
    """How far a value may be moved away from its target to avoid identical edits, in thousandths; 0 for not at all."""
    jitter_max_ms: int
    """The greatest delay between queueing and running."""
    jitter_min_ms: int
    """The least delay between queueing and running."""
    kill_switch_retry_ms: int
    """When a change is asked again under a kill switch; switching it off asks at once."""
    landing_ms: int
    """How long after the lease's end a request may still land. Nothing is decided about a lost one before."""
    late_watch_ms: int
    """For how long after a verdict of not applied the platform's log is still searched for a late landing."""
    learned_limit_ms: int
    """For how long a lower limit that the platform's refusals taught is kept to."""
    learning_retry_ms: int
    """When a change of an object in its learning phase is asked again."""
    lease_ms: int
    """How long a worker that wrote an intent may take to send and settle it."""
    max_attempts: int
    """How many attempts may be lost without effect before a person has to look."""
    rate_window_ms: int
    """The window of the limits on the number of changes."""
    respect_learning: bool
    """Whether budgets and bids of an object in the platform's learning phase are left as they are, but for cuts."""
    send_timeout_ms: int
    """How long one write may take; it must fit into the lease."""
    snapshot_max_age_ms: int
    """How old a value read from the platform may be when a decision uses it."""
    throttled_retry_ms: int
    """When a throttled change is asked again if the platform does not say."""
    unauthorized_retry_ms: int
    """When a change is asked again after the platform refused the credentials."""
    unreachable_retry_ms: int
    """When a change is asked again after the platform could not be reached."""
    velocity_per_mille: int
    """How far a value may move in that window, up and down added, in thousandths of what it was at its start."""
    velocity_window_ms: int
    """The window of the limit on movement."""

PolicyLike = PolicyDict

class _PolicyConfigRequired(TypedDict):
    route: str
    """Who is asked: a route, a `PROVIDER` or a `PROVIDER/MODEL`."""

class PolicyConfigDict(_PolicyConfigRequired, total=False):
    """Which route answers the requests that it is for. Of the list the first that matches decides, for requests that name no model or `auto`."""

    when: ConditionConfigLike
    """Which requests it is for: those that every given condition holds for; all where none is given."""

PolicyConfigLike = PolicyConfigDict

class PriceConfigDict(TypedDict, total=False):
    """What a model costs: `per_request_nano_usd`, or the prices of a million tokens. All in billionths of a dollar."""

    cached_input_per_million_nano_usd: int | None
    """A million tokens of the prompt that the provider had cached; as input where absent."""
    input_per_million_nano_usd: int | None
    """A million tokens of the prompt."""
    output_per_million_nano_usd: int | None
    """A million tokens of the answer."""
    per_request_nano_usd: int | None
    """The same for every answer."""

PriceConfigLike = PriceConfigDict

class ProviderConfigDict(TypedDict, total=False):
    """One AI provider."""

    allow_http: bool
    """Allows `http` to other machines: prompts and key then travel unencrypted."""
    api_key: ApiKeys | None
    """Where its API key is found, or a list of several, which take turns; none is sent where absent. A key that is refused or throttled rests for a while, and the next one is used."""
    api_version: str | None
    """The `api-version` of Azure; its v1 API, which needs none, where absent."""
    base_url: str | None
    """The address up to and without `/chat/completions`; the dialect's own where absent."""
    context_window: int | None
    """How many tokens prompt and answer of its default model may have together, where the library does not know or knows it wrong. A request that does not fit goes to the next model that it fits."""
    context_windows: Mapping[str, int]
    """The same for other models of its, by their names."""
    dialect: Dialect | None
    """Whose ways it has; by its name where absent."""
    model: str | None
    """The model that is asked when a request names none; the dialect's own where absent."""
    price: PriceConfigLike | None
    """What it costs, where the library does not know or knows it wrong."""
    rate_limit: RateLimit | None
    """How many requests and tokens a minute each tenant may send to it; unlimited when absent."""
    type: str
    """What builds it: `openai_compatible`, `openai_responses`, `anthropic`; or `host` for the price and the limits of a provider or an embedder that the host gives under this name."""

ProviderConfigLike = ProviderConfigDict

class _RateRequired(TypedDict):
    currency: Currency
    """The other currency."""
    rate: str
    """Major units of the base currency for one major unit of the other, as decimal text: `1.0842`."""

class RateDict(_RateRequired, total=False):
    """What one unit of a currency is worth in the base currency."""

    since: Timestamp | None
    """From when on; always, until the first one with a time, when absent."""

RateLike = RateDict

class RateFiguresDict(TypedDict, total=False):
    """So many requests or tokens a minute, or both."""

    requests_per_minute: int | None
    """Requests a minute, at least 1; any number where absent."""
    tokens_per_minute: int | None
    """Tokens of prompts and answers a minute, at least 1; any number where absent. What a call will need is estimated before it is made and corrected by what it used."""

RateFiguresLike = RateFiguresDict

RateLimit = Union["RatePreset", "RequestRateLike", "RateFiguresLike"]

RatePreset = Union[Literal["standard", "expensive", "ai"]]

class _RedisConfigRequired(TypedDict):
    url: RedisUrl
    """The server's URL, `redis://HOST:PORT/DATABASE` (`rediss` with TLS), or where a secret with the whole URL is found."""

class RedisConfigDict(_RedisConfigRequired, total=False):
    """Where a Redis server is and how it is used."""

    allow_plaintext: bool
    """Whether a server on another host may be used without TLS."""
    connect_timeout_ms: int
    """How long making a connection may take."""
    prefix: str
    """What every key begins with."""
    response_timeout_ms: int
    """How long an answer may take."""

RedisConfigLike = RedisConfigDict

RedisUrl = Union["SecretRefLike", str]

class RequestRateDict(TypedDict):
    """So many requests a minute."""

    per_minute: int
    """Requests a minute, at least 1."""

RequestRateLike = RequestRateDict

class RetentionConfigDict(TypedDict, total=False):
    """How long clicks are kept."""

    clicks_days: int
    """After how many days `attribution.prune` forgets a click: by default 90, the life of the ad platforms' own click cookies. No match reaches further back."""

RetentionConfigLike = RetentionConfigDict

class RetryConfigDict(TypedDict, total=False):
    """Retries of temporary faults at one provider, before the next is asked."""

    base_ms: int
    """The wait before the first one, in milliseconds; it doubles each time, and half of it is random."""
    budget_percent: int
    """Retries for a hundred requests, over time, so that retries do not multiply an outage."""
    max_ms: int
    """The longest wait, in milliseconds. A provider that asks for a longer one is left for the next."""
    max_retries: int
    """How often at most; 0 for never."""

RetryConfigLike = RetryConfigDict

Role = Union[Literal["approver", "operator"]]

Roles = Union["Mapping[str, Sequence[Role]]"]

RouteConfig = Union["Sequence[str]", "StrategyConfigLike"]

class SecretRef1Dict(TypedDict):
    """The environment variable of this name."""

    env: str

class SecretRef2Dict(TypedDict):
    """The file at this path; white space at its end is dropped."""

    file: str

SecretRefLike = Union[SecretRef1Dict, SecretRef2Dict]

Signatures = Union[Literal["v3", "v1_v2_v3"]]

class _SpendLimitConfigRequired(TypedDict):
    amount_nano_usd: int
    """The cap, in billionths of a dollar."""
    window: Window
    """Over which span of the calendar."""

class SpendLimitConfigDict(_SpendLimitConfigRequired, total=False):
    """A spend limit that holds for every tenant, each by itself."""

    hard: bool
    """Whether calls are refused at it; otherwise it only warns."""
    key: str | None
    """Only for calls under this key of the caller's."""
    tag: str | None
    """Only for calls with this tag."""
    zone: Zone
    """Whose calendar and clock it is: an IANA name, UTC when absent."""

SpendLimitConfigLike = SpendLimitConfigDict

class StageValuesDict(TypedDict, total=False):
    """What a deal in a pipeline stage is expected to bring, in minor units of the account's currency."""

    appointment_minor: int
    """A deal in one of `appointment_stages`."""
    appointment_stages: Sequence[str]
    """The CRM's ids of the stages between the first talk and the contract."""
    closed_minor: int
    """A deal in one of `closed_stages`."""
    closed_stages: Sequence[str]
    """The CRM's ids of the stages of won deals."""
    lead_minor: int
    """A deal in any stage that is not listed below."""
    lost_stages: Sequence[str]
    """The CRM's ids of the stages of lost deals, which are worth nothing."""

StageValuesLike = StageValuesDict

class StoreConfig1Dict(TypedDict):
    """Nothing is kept beyond the process."""

    type: Literal["memory"]

class StoreConfig2Dict(TypedDict):
    """One SQLite file on a local disk."""

    path: str
    """The file; created when absent."""
    type: Literal["sqlite"]

class _StoreConfig3Required(TypedDict):
    type: Literal["postgres"]
    url: DatabaseUrl
    """The database's URL, `postgres://USER@HOST/DATABASE`, or where a secret with the whole URL is found."""

class StoreConfig3Dict(_StoreConfig3Required, total=False):
    """A schema in a PostgreSQL database, for many workers."""

    allow_plaintext: bool
    """Whether a server on another host may be used without TLS."""
    allow_unsafe_durability: bool
    """For tests only: accepts a server that can lose acknowledged commits. A budget change could then be sent twice."""
    connect_timeout_ms: int
    """How long making a connection, or waiting for a free one, may take."""
    lock_timeout_ms: int
    """How long a statement waits for a lock."""
    max_connections: int
    """How many connections this process holds at most, the one that listens for work not counted."""
    password: SecretRefLike | None
    """The password, when the URL is written here: a URL in the configuration must not hold one."""
    schema: str
    """The schema that all tables are in; made when absent."""
    statement_timeout_ms: int
    """How long one statement may take."""
    tls_ca_file: str | None
    """A file with the certificate authorities (PEM) that a server's certificate is checked against; the operating system's when absent."""

StoreConfigLike = Union[StoreConfig1Dict, StoreConfig2Dict, StoreConfig3Dict]

class StrategyConfig1Dict(TypedDict):
    """In the given order, as a list alone."""

    models: Sequence[str]
    """The models."""
    strategy: Literal["ordered"]

class StrategyConfig2Dict(TypedDict):
    """By chance: each model is the first with a probability of its weight over the sum of the weights. The rest follow by further draws of the same kind."""

    models: Sequence[str]
    """The models."""
    strategy: Literal["weighted"]
    weights: Sequence[int]
    """A weight for each model, in their order. A model of weight 0 is asked only after all others."""

class StrategyConfig3Dict(TypedDict):
    """By what the request is expected to cost: its prompt as counted, and an answer as long as its limit or, where it has none, as `ai.tokens` sizes it. Models whose price is not known come last; of equal ones the first of the list."""

    models: Sequence[str]
    """The models."""
    strategy: Literal["cheapest"]

class StrategyConfig4Dict(TypedDict):
    """By how long the models took of late, until their answer or the first piece of a stream, as an average that forgets: of two that are drawn the faster is the first, so that not all requests run to one. A failed attempt counts as a slow one. A model that was not asked for a minute is not known any more, and one decision in ten tries those that are not. Each process measures by itself, over all tenants."""

    models: Sequence[str]
    """The models."""
    strategy: Literal["lowest_latency"]

class _StrategyConfig5Required(TypedDict):
    models: Sequence[str]
    """The models."""
    strategy: Literal["sticky"]

class StrategyConfig5Dict(_StrategyConfig5Required, total=False):
    """A conversation begins at the model where its first turn is expected to cost the least, and stays at the model that has its prompt cached. It goes to another where that is expected to save more than the switch costs: the tokens of the prefix, times what an uncached token costs more than a cached one, and what writing it to the cache costs. Half as many turns more are expected as there were, 6 at most; the reason of the decision says both figures. Providers are taken to cache prompts of 1,024 tokens and more where the price list has a price for cached ones. A conversation is known by `session` of the call's options, or by its messages up to the first one of the user. Each process remembers 65,536 of them, for twelve times `ttl_seconds`."""

    ttl_seconds: int
    """How long a provider keeps a prompt cached after its last use, in seconds."""

class _StrategyConfig6Required(TypedDict):
    baseline: str
    """The model that is in use: a `PROVIDER` or `PROVIDER/MODEL`."""
    candidate: str
    """The model that is to replace it. Where it fails, the baseline is asked."""
    strategy: Literal["canary"]

class StrategyConfig6Dict(_StrategyConfig6Required, total=False):
    """A candidate gets a growing share of the conversations of a baseline, each by a hash of its tenant and `session`, or of its messages up to the first one of the user: none goes back and forth. It is rolled back for good when it fails more often than the baseline in the same stage, or is slower where that is asked for, by more than chance explains: by Fisher's exact test (1935) for failures and Welch's test (1947) on the logarithms of latencies, both one-sided, when both have had an eighth, a quarter, a half and all of the calls of a stage; all these comparisons together are wrong with at most the probability that is left by `confidence_percent` (Bonferroni). After the last stage it gets all calls. Each process counts by itself, and begins anew when it starts."""

    confidence_percent: int
    """The probability with which a candidate that is as good as the baseline is not rolled back, 50 to 99."""
    fallbacks: Sequence[str]
    """Who is asked after them."""
    max_slowdown_percent: int | None
    """By how much more time its answers may take, in percent. Latency does not matter where absent."""
    min_calls: int
    """Calls that each of the two must have had before the next stage."""
    stages: Sequence[int]
    """The candidate's share in each stage, in percent, growing to 100."""

StrategyConfigLike = Union[StrategyConfig1Dict, StrategyConfig2Dict, StrategyConfig3Dict, StrategyConfig4Dict, StrategyConfig5Dict, StrategyConfig6Dict]

class TimeoutConfigDict(TypedDict, total=False):
    """Deadlines, in milliseconds of real time."""

    attempt_ms: int
    """Until the whole answer of one attempt at one provider."""
    first_token_ms: int
    """Until the first token of a stream of one attempt: text, a tool call, reasoning or a refusal."""
    idle_ms: int
    """Between two pieces of a stream."""
    stream_total_ms: int
    """Until the end of a stream, from its call; 0 for as long as it takes."""
    total_ms: int
    """Until the whole answer is there, or the first piece of a stream, whoever is asked."""

TimeoutConfigLike = TimeoutConfigDict

Timestamp = Union[str, datetime]

class TokenConfigDict(TypedDict, total=False):
    """How limits of answers are sized."""

    default_limit: int
    """The limit where the user gives none, in tokens."""
    optimize: bool
    """Whether `generate` sizes them."""
    simple_limit: int
    """The limit for simple prompts, in tokens."""

TokenConfigLike = TokenConfigDict

class _WebhooksConfigRequired(TypedDict):
    secrets: Sequence[SecretRefLike]
    """The secrets that deliveries may be signed with, each `whsec_` and base64 of 24 to 64 bytes. Give the old one beside the new one while senders change over."""

class WebhooksConfigDict(_WebhooksConfigRequired, total=False):
    """Deals and contacts that any backend sends, as signed webhooks of its own."""

    max_body_bytes: int
    """The greatest body of a delivery, in bytes. A greater one is refused before anything of it is read."""

WebhooksConfigLike = WebhooksConfigDict

Window = Union[Literal["minute", "hour", "day", "month"]]

class WindowsDict(TypedDict, total=False):
    """How far before the conversion a click may lie, in hours by layer, the bound included; 0 never matches by that layer."""

    channels: Mapping[str, ChannelWindowsLike]
    """Other windows for the clicks of a channel, by the `utm_source` of their URL as it stands there."""
    layer1_hours: int
    """Equal click ids: 30 days by default."""
    layer2_hours: int
    """Equal fingerprints: 7 days by default."""
    layer3_hours: int
    """Equal address and user agent: 1 day by default."""
    probability_hours: int
    """How far back the probability looks for clicks of the same network, for a model that is trained from now on: 7 days by default."""

WindowsLike = WindowsDict

class WinnersConfigDict(TypedDict, total=False):
    """Where the winners are kept, and how large their embeddings are."""

    dimensions: int
    """How many numbers an embedding has: 768 by default, 1 to 65536."""
    exact_up_to: int
    """Up to how many winners a search compares every one; with more it goes through a graph of near neighbours (HNSW) and is approximate. 50000 by default."""
    path: str | None
    """The folder in which `winners.persist` keeps them, a folder in it for each tenant. Without one they are gone with the process."""

WinnersConfigLike = WinnersConfigDict

Zone = Union[str]

class _ConfigRequired(TypedDict):
    version: int
    """The version of this shape: 1."""

class ConfigDict(_ConfigRequired, total=False):
    """What a [`Client`](crate::Client) is built from. Unknown keys are errors that name the known ones."""

    ai: AiConfigLike
    """AI providers, routing, cache and limits."""
    allocation: AllocationConfigLike
    """The winners."""
    attribution: AttributionConfigLike
    """Clicks, matching and stage values."""
    execution: ExecutionConfigLike
    """The limits of budget changes."""
    hubspot: HubspotConfigLike | None
    """The CRM: webhooks in, deals read."""
    meta: MetaConfigLike | None
    """The ad platform."""
    redis: RedisConfigLike | None
    """Where the account of AI spend is kept, instead of in the store, and where requests and tokens a minute are counted, instead of in each process: a Redis server that many workers share. While it is away, each process counts rates by itself."""
    store: StoreConfigLike
    """Where clicks, revenue, changes and state are kept."""
    webhooks: WebhooksConfigLike | None
    """Deals and contacts that any backend sends by signed webhooks, beside the CRM or without one."""

