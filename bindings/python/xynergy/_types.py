# Written by `python3 bindings/generate` from the description of the public surface; do not edit.
# ruff: noqa
"""What calls return: one class for each shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Union

from xynergy._record import Record, Records

if TYPE_CHECKING:
    from typing import ClassVar

AdObjectKind = Literal["ad", "ad_set", "campaign", "creative", "video"]
"""What kind of object it is."""

AttemptStatus = Literal["answered", "failed", "skipped"]
"""What became of an attempt."""

AuditKind = Literal["approved", "blocked", "intent", "late", "outcome", "resolved", "retried"]
"""What a row of the history tells."""

BreakerState = Literal["closed", "open", "half_open"]
"""The state of a breaker, as it is shown."""

CanaryState = Literal["rolled_back", "staged", "promoted"]
"""What became of a canary route's candidate."""

ChangeField = Literal["bid", "budget", "status"]
"""What a change moves. Its values are integers: minor units for money, [`DeliveryStatus::code`] for a status."""

ChangeId = str
"""A change's key: 128 bits, 32 hex digits outside."""

ChangeStatus = Literal["blocked", "claimed", "completed", "executing", "failed", "pending"]
"""Where a change stands."""

Complexity = Literal["simple", "complex"]
"""What the router estimates of a request. It decides the order of the models."""

Content = Union[str, "Records[ContentPart]"]
"""What a message says."""

CreditModel = Literal["first", "last", "last_non_direct", "linear", "linear_per_channel", "position", "time_decay", "markov", "shapley"]
"""How the conversions of a path are divided among its touches."""

Currency = str
"""A currency by its three-letter code, as `USD`."""

Day = str
"""A calendar day, as `2026-03-01`: of the ad account's time zone in figures, of UTC where it follows from a time."""

DealOutcome = Literal["open", "won", "lost"]
"""Where a deal stands."""

DeliveryStatus = Literal["active", "ended", "paused"]
"""Whether an object is switched on, as its owner configured it. An active ad set in a paused campaign is active: it spends as soon as the campaign does, and a total that is checked before a raise counts it."""

EffectScale = Literal["relative", "difference"]
"""What an effect is measured in."""

EntryCause = Literal["stage", "pipeline", "amount", "currency", "created", "deleted", "restored", "merged", "refund", "revalued"]
"""Why a line of the ledger was written."""

Estimator = Literal["replay", "dm", "ips", "snips", "dr"]
"""How the value of a policy is estimated."""

ExperimentPhase = Literal["running", "promoted", "rolled_back", "stopped"]
"""Where an experiment is."""

GateVerdict = Literal["allow", "refuse", "too_thin"]
"""Whether a proposed policy may spend."""

HealthStatus = Literal["healthy", "degraded", "unhealthy"]
"""How something fares."""

IndexKind = Literal["flat", "hnsw"]
"""How vectors are searched."""

KeyedHash = str
"""A keyed hash, cut to 128 bits: what identifies a click, or what it shares with a conversion. Who lacks the key cannot turn it back, not even by trying every address there is."""

KillScope = Union[Literal["global", "tenant"], dict[str, Any]]
"""What a kill switch covers."""

Layer = Literal["layer1", "layer2", "layer3"]
"""How a click was recognised, from the surest to the least sure."""

LimitScope = Union[Literal["tenant"], dict[str, Any]]
"""What a limit is for."""

Millionths = str
"""A share or a probability in whole millionths, so that no float reaches an output."""

NetworkKind = Literal["ipv4", "ipv6"]
"""What an address is, as far as the address itself tells."""

Outcome = Literal["complete", "spliced", "truncated", "errored"]
"""Whether an answer is whole."""

OwnerLevel = Literal["adset", "campaign"]
"""Where a budget sits. No platform has one at an ad."""

Ratio = str
"""A ratio in whole millionths, as `3.250000`: a mean or an end of an interval, so that no float reaches an output."""

Reason = Literal["above_ceiling", "rate_limit_account", "account_cap", "attempts_exhausted", "awaiting_approval", "awaiting_step", "awaiting_cuts", "below_floor", "cancelled", "conflict", "drifted", "edited", "expired", "in_flight", "kill_switch", "landed_late", "learning_phase", "not_applied", "not_sent", "platform_rejected", "rate_limit_campaign", "rate_limit_owner", "reconciled", "resolved", "stale_snapshot", "superseded", "throttled", "unauthorized", "unknown", "unreachable", "velocity", "wrong_budget_type", "wrong_currency", "wrong_object"]
"""Why a change stands where it stands. The names are stable."""

RoasDimension = Literal["ad", "adset", "campaign", "keyword", "content"]
"""By what revenue is set beside spend."""

TenantId = str
"""Whose data and credentials a call uses. A parameter of every store, cache, ledger and limiter."""

Timestamp = str
"""A point in time: microseconds since 1970-01-01 UTC. RFC 3339 outside, as `2026-03-01T12:00:00Z`."""

Window = Literal["minute", "hour", "day", "month"]
"""A span of the calendar."""

Zone = str
"""A time zone by its IANA name, as `Europe/Berlin`. The rules come with the library, so that all replicas of one version agree."""

class Accepted(Record):
    """What a delivery held."""

    __slots__ = ()

    duplicates: int
    """Events that were stored already."""
    events: int
    """Events that are stored now and were not before."""
    skipped: Records[EventProblem]
    """Elements of the body that are no event."""

    _FIELDS: ClassVar[dict[str, str]] = {"duplicates": "", "events": "", "skipped": "[EventProblem]"}


class AccountState(Record):
    """An account as the platform showed it."""

    __slots__ = ()

    account_id: str
    """Its id."""
    currency: Currency
    """Its currency."""
    minimum_daily_minor: int | None
    """The least daily budget that the platform accepts in that currency, where it says so."""

    _FIELDS: ClassVar[dict[str, str]] = {"account_id": "", "currency": "", "minimum_daily_minor": ""}


class Activity(Record):
    """One entry of the platform's log of edits."""

    __slots__ = ()

    after: int | None
    """The value after, where the log shows it."""
    at: Timestamp
    """When, by the platform's clock and in its precision."""
    before: int | None
    """The value before, where the log shows it."""
    field: ChangeField
    """What was edited."""
    own: bool
    """Whether this library's application did it."""

    _FIELDS: ClassVar[dict[str, str]] = {"after": "", "at": "", "before": "", "field": "", "own": ""}


class AdChange(Record):
    """A wish to move one field of one owner from what it was seen at to a target."""

    __slots__ = ()

    account_id: str
    """The ad account."""
    allocation_id: str | None
    """The allocation it belongs to: its raises wait for its cuts."""
    campaign_id: str
    """The campaign that the owner is, or is in."""
    causation_id: str | None
    """The event or request that caused it."""
    currency: Currency
    """The currency of both values."""
    expected_from: int
    """The value that the decision was made on. If the platform shows another one, the change is not applied."""
    expires_at: Timestamp | None
    """After this time it is not applied any more; by default the policy's `expires_after_ms` from queueing."""
    field: ChangeField
    """What to change."""
    id: ChangeId
    """Its key. Queueing the same id again changes nothing."""
    owner: Owner
    """The object to change."""
    ramp: RampStep | None
    """Which step of a ramp it is, where its target is reached in several."""
    reason: str
    """Why, in words, for the audit trail."""
    target: int
    """The value to set."""

    _FIELDS: ClassVar[dict[str, str]] = {"account_id": "", "allocation_id": "", "campaign_id": "", "causation_id": "", "currency": "", "expected_from": "", "expires_at": "", "field": "", "id": "", "owner": "Owner", "ramp": "RampStep", "reason": "", "target": ""}


class AdClicks(Record):
    """How often an ad was clicked on a day. It counts clicks that were erased or pruned since."""

    __slots__ = ()

    ad_id: str
    """The ad."""
    adset_id: str
    """The ad's ad set."""
    campaign_id: str
    """The ad set's campaign."""
    clicks: int
    """The clicks."""
    day: Timestamp
    """The day's first moment, UTC."""

    _FIELDS: ClassVar[dict[str, str]] = {"ad_id": "", "adset_id": "", "campaign_id": "", "clicks": "", "day": ""}


class AdInsight(Record):
    """What one ad did over a range of days."""

    __slots__ = ()

    ad_id: str
    """The ad."""
    adset_id: str
    """Its ad set."""
    campaign_id: str
    """Its campaign."""
    clicks: int
    """How often it was clicked."""
    impressions: int
    """How often it was shown."""
    spend_minor: int
    """What it cost, in minor units of the account's currency."""

    _FIELDS: ClassVar[dict[str, str]] = {"ad_id": "", "adset_id": "", "campaign_id": "", "clicks": "", "impressions": "", "spend_minor": ""}


class AdObject(Record):
    """An object of an ad account."""

    __slots__ = ()

    account_id: str
    """The account it is in; empty where the platform does not say."""
    fields: dict[str, Any]
    """The other fields that were asked for or set, by the platform's names."""
    id: str
    """Its id on the platform."""
    kind: AdObjectKind
    """What it is."""
    name: str
    """Its name."""
    status: DeliveryStatus | None
    """Whether it is switched on, as it is configured; `None` for what cannot be."""

    _FIELDS: ClassVar[dict[str, str]] = {"account_id": "", "fields": "", "id": "", "kind": "", "name": "", "status": ""}


class AdObjectPage(Record):
    """One page of objects."""

    __slots__ = ()

    next: str | None
    """What to give as `after` for the next page; `None` on the last one."""
    objects: Records[AdObject]
    """The objects."""

    _FIELDS: ClassVar[dict[str, str]] = {"next": "", "objects": "[AdObject]"}


class AdShare(Record):
    """What one ad's evidence contributes."""

    __slots__ = ()

    ad_id: str
    """The ad's id."""
    posterior: PosteriorSummary | None
    """What is believed of it."""
    probability: Millionths
    """The probability that it is the best ad. The probabilities of all ads sum to one."""
    propensity: Millionths | None
    """The probability that a unit of the proposed budgets goes to it, for the evaluation of later policies: its owner's part of the proposed total, divided among the owner's ads by their shares. The propensities of all ads sum to one. Like the posterior it is there with the sampler."""
    share: Millionths
    """Its part of the total before the constraints, exploration included. The shares of all ads sum to one."""

    _FIELDS: ClassVar[dict[str, str]] = {"ad_id": "", "posterior": "PosteriorSummary", "probability": "", "propensity": "", "share": ""}


class AdState(Record):
    """What is known of one ad."""

    __slots__ = ()

    days: dict[str, DayFigures] | None
    """Its figures by day."""
    deals: dict[str, DealRecord] | None
    """Its deals, by the deal's id or else the event's."""
    since: Day | None
    """The first day that is remembered; what is older is forgotten, and not taken in again."""

    _FIELDS: ClassVar[dict[str, str]] = {"days": "{DayFigures}", "deals": "{DealRecord}", "since": ""}


class AdWrite(Record):
    """One absolute write of one field."""

    __slots__ = ()

    attempt: int
    """Which of the change's attempts, from 1."""
    change_id: ChangeId
    """The change that it executes, for the platform's and the host's logs."""
    field: ChangeField
    """What to set."""
    owner: Owner
    """Which object."""
    value: int
    """To which value."""

    _FIELDS: ClassVar[dict[str, str]] = {"attempt": "", "change_id": "", "field": "", "owner": "Owner", "value": ""}


class Added(Record):
    """What became of entries that were added."""

    __slots__ = ()

    inserted: int
    """How many ids were not there before."""
    replaced_count: int
    """How many were there and are replaced."""

    _FIELDS: ClassVar[dict[str, str]] = {"inserted": "", "replaced_count": ""}


class AgeRow(Record):
    """What became of the deals that reached an age in a stage, counted from their first coming into it."""

    __slots__ = ()

    at_risk: int
    """Deals that were neither won nor lost when they reached it."""
    factor_millionths: int
    """What the value of the stage is multiplied by at this age, in millionths: how probably a deal that is still open is won, beside one that has just come, shrunk to one by `prior_deals`."""
    from_days: int
    """The age at which the bucket begins, in days; it ends 7 days later, the last one never."""
    lost: int
    """Those that were lost in it."""
    lost_by_millionths: int
    """The share that is lost by then."""
    lost_hazard_millionths: int
    """`lost` of `at_risk`, in millionths."""
    open_millionths: int
    """The share that is open then."""
    value_minor: int
    """The value of the stage at this age, in minor units."""
    won: int
    """Those that were won in it."""
    won_by_millionths: int
    """The share that is won by the end of the bucket, in millionths: the cumulative incidence by Aalen and Johansen. With the two below it is exactly one million, by largest remainder."""
    won_hazard_millionths: int
    """`won` of `at_risk`, in millionths."""

    _FIELDS: ClassVar[dict[str, str]] = {"at_risk": "", "factor_millionths": "", "from_days": "", "lost": "", "lost_by_millionths": "", "lost_hazard_millionths": "", "open_millionths": "", "value_minor": "", "won": "", "won_by_millionths": "", "won_hazard_millionths": ""}


class Allocation(Record):
    """The budgets that the evidence speaks for, within the constraints."""

    __slots__ = ()

    left_out: Records[str]
    """The owners without an active ad, by id: their budgets stay, and are not part of the total."""
    proposed_total_minor: int
    """What the proposed budgets sum to, in minor units. It differs from the total where steps and limits do not reach it."""
    rows: Records[OwnerAllocation]
    """One row an owner that has an active ad, by owner id."""
    total_minor: int
    """The total that was asked for, in minor units."""

    _FIELDS: ClassVar[dict[str, str]] = {"left_out": "", "proposed_total_minor": "", "rows": "[OwnerAllocation]", "total_minor": ""}


class AllocationLogRow(Record):
    """One ad in one allocation, as the evaluation of other policies reads it: what could have been done, with what probability."""

    __slots__ = ()

    ad_id: str
    """The ad: the action."""
    budget_minor: int
    """The owner's proposed daily budget, in minor units."""
    decided_at: Timestamp
    """When it was made."""
    decision_id: str
    """The allocation."""
    owner_id: str
    """The object whose budget it draws on."""
    probability: Millionths
    """The probability that it is the best ad, as was believed then."""
    propensity: Millionths
    """The probability with which a unit of the budgets went to the ad under the policy that was in force."""
    reward_minor: int | None
    """What came of it, in minor units, where that is known: not when the allocation is made."""

    _FIELDS: ClassVar[dict[str, str]] = {"ad_id": "", "budget_minor": "", "decided_at": "", "decision_id": "", "owner_id": "", "probability": "", "propensity": "", "reward_minor": ""}


class Appended(Record):
    """What became of a batch of events."""

    __slots__ = ()

    duplicates: int
    """Events that were already there."""
    inserted: int
    """Events that are stored now and were not before."""

    _FIELDS: ClassVar[dict[str, str]] = {"duplicates": "", "inserted": ""}


class Approval(Record):
    """The approval that a change needs before it may be sent, and whose it got."""

    __slots__ = ()

    approved_at: Timestamp | None
    """When; `None` while it waits."""
    approved_by: str | None
    """Who approved it; `None` while it waits."""
    digest: str
    """The digest of the changes that it was queued with: what is approved together."""

    _FIELDS: ClassVar[dict[str, str]] = {"approved_at": "", "approved_by": "", "digest": ""}


class ArmStatus(Record):
    """Where an arm stands."""

    __slots__ = ()

    arm_id: str
    """The arm's id."""
    better: bool
    """Whether it is better than the control."""
    breached: Records[str]
    """The guardrails that are worse, by name."""
    effect: Effect | None
    """How it differs from the control; null for the control itself."""
    guardrails: Records[GuardrailStatus]
    """What each guardrail says."""
    having_count: int
    """Its units that have the metric."""
    mean: float | None
    """The mean of the metric over its units; null without units."""
    unit_count: int
    """Its units."""
    worse: bool
    """Whether it is worse than the control."""

    _FIELDS: ClassVar[dict[str, str]] = {"arm_id": "", "better": "", "breached": "", "effect": "Effect", "guardrails": "[GuardrailStatus]", "having_count": "", "mean": "", "unit_count": "", "worse": ""}


class Around(Record):
    """The clicks of some networks in a time."""

    __slots__ = ()

    clicks: Records[Candidate]
    """The newest of them, newest first, each once per network."""
    total: int
    """How many there are."""

    _FIELDS: ClassVar[dict[str, str]] = {"clicks": "[Candidate]", "total": ""}


class Attempt(Record):
    """One try of one provider."""

    __slots__ = ()

    error: str | None
    """The kind of the error, as `throttled`."""
    latency_ms: int
    """Real time until the answer, or the first piece of a stream, in milliseconds."""
    model: str
    """The model."""
    provider: str
    """The provider."""
    reason: str | None
    """Why, in a few words; never text of the provider's."""
    status: AttemptStatus
    """What became of it."""

    _FIELDS: ClassVar[dict[str, str]] = {"error": "", "latency_ms": "", "model": "", "provider": "", "reason": "", "status": ""}


class Attributed(Record):
    """The ad that a deal is attributed to, and why."""

    __slots__ = ()

    ad_id: str
    """The ad."""
    adset_id: str | None
    """The ad's ad set, where it is known."""
    campaign_id: str | None
    """The ad set's campaign, where it is known."""
    click_id: str | None
    """The click, as [`Click::id`](crate::store::Click::id) shows it; `None` when the first URL named the ad."""
    content: str | None
    """The click's `utm_content`, or that of the first URL which named the ad."""
    keyword: str | None
    """The click's `utm_term`."""
    layer: Layer
    """How."""

    _FIELDS: ClassVar[dict[str, str]] = {"ad_id": "", "adset_id": "", "campaign_id": "", "click_id": "", "content": "", "keyword": "", "layer": ""}


class AuditReport(Record):
    """What the verification of a history found."""

    __slots__ = ()

    chain_ok: bool
    """Whether every account's history is whole: no gap, no row altered, none cut off, one outcome an intent."""
    first_bad: str | None
    """The first row that is wrong, as `account#seq: what`."""
    open_intents: int
    """Intents that have no outcome yet: 0 when nothing is in flight."""
    rows: int
    """Rows read."""

    _FIELDS: ClassVar[dict[str, str]] = {"chain_ok": "", "first_bad": "", "open_intents": "", "rows": ""}


class AuditRow(Record):
    """One row of an account's history: append-only, without gaps, each row sealed with the one before."""

    __slots__ = ()

    account_id: str
    """The ad account."""
    actor: str | None
    """Who asked."""
    allocation_id: str | None
    """The allocation it belongs to."""
    at: Timestamp
    """When."""
    attempt: int
    """Which of its attempts; 0 before the first."""
    campaign_id: str
    """The campaign."""
    causation_id: str | None
    """The event or request that caused the change."""
    change_id: ChangeId
    """The change."""
    detail: str | None
    """What the platform said."""
    duration_ms: int | None
    """How long the write took, in milliseconds."""
    field: ChangeField
    """The field."""
    from_value: int
    """The value before: as observed, or as expected where it was not read."""
    hash: str
    """The SHA-256 of `prev_hash` and this row's canonical bytes, in hex."""
    kind: AuditKind
    """What it tells."""
    owner: Owner
    """The object."""
    prev_hash: str
    """The hash of the row before; zeros for the first."""
    purpose: str
    """Why the change was wanted."""
    reason: Reason | None
    """Why."""
    request_id: str
    """The caller's request id."""
    retry_at: Timestamp | None
    """When it is asked again."""
    seq: int
    """1, 2, 3 ... within the account."""
    status: ChangeStatus
    """Where the change stands with this row."""
    tenant_id: TenantId
    """Whose it is."""
    to_value: int
    """The value to set."""

    _FIELDS: ClassVar[dict[str, str]] = {"account_id": "", "actor": "", "allocation_id": "", "at": "", "attempt": "", "campaign_id": "", "causation_id": "", "change_id": "", "detail": "", "duration_ms": "", "field": "", "from_value": "", "hash": "", "kind": "", "owner": "Owner", "prev_hash": "", "purpose": "", "reason": "", "request_id": "", "retry_at": "", "seq": "", "status": "", "tenant_id": "", "to_value": ""}


class Backlog(Record):
    """What is still to be done for a tenant."""

    __slots__ = ()

    needs_human: int
    """How many wait for a person's verdict or retry."""
    oldest_due: Timestamp | None
    """When the oldest one that is due was due; it may lie ahead."""
    open: Records[BacklogCount]
    """How many changes that are not over stand where, by status and then reason."""

    _FIELDS: ClassVar[dict[str, str]] = {"needs_human": "", "oldest_due": "", "open": "[BacklogCount]"}


class BacklogCount(Record):
    """How many changes stand somewhere."""

    __slots__ = ()

    count: int
    """How many."""
    reason: Reason | None
    """Their reason."""
    status: ChangeStatus
    """Their status."""

    _FIELDS: ClassVar[dict[str, str]] = {"count": "", "reason": "", "status": ""}


class BestProbability(Record):
    """How probable it is that an ad is the best."""

    __slots__ = ()

    ad_id: str
    """The ad's id."""
    mean_share: Millionths
    """The mean of its part in the sum of all."""
    probability: Millionths
    """The probability. Those of all ads sum to one."""

    _FIELDS: ClassVar[dict[str, str]] = {"ad_id": "", "mean_share": "", "probability": ""}


class CacheStats(Record):
    """How the cache fares, per tenant and process."""

    __slots__ = ()

    enabled: bool
    """Whether the cache is on."""
    hit_rate: float
    """Hits of all requests, in percent."""
    hits: int
    """Answers from the cache, or shared with an equal request in flight."""
    misses: int
    """Requests that had to be sent."""
    provider: str
    """What keeps it, as `memory`."""
    semantic_enabled: bool
    """Whether answers are found by meaning as well."""
    token_optimization_enabled: bool
    """Whether limits of answers are sized."""
    total_requests: int
    """Hits and misses."""
    ttl_seconds: int
    """For how many seconds an answer is kept."""

    _FIELDS: ClassVar[dict[str, str]] = {"enabled": "", "hit_rate": "", "hits": "", "misses": "", "provider": "", "semantic_enabled": "", "token_optimization_enabled": "", "total_requests": "", "ttl_seconds": ""}


class CalibrationBin(Record):
    """How many predictions of a range came true."""

    __slots__ = ()

    observed: float
    """How often it happened: 0 to 1."""
    predicted: float
    """The mean predicted probability."""
    prediction_count: int
    """How many predictions there are."""

    _FIELDS: ClassVar[dict[str, str]] = {"observed": "", "predicted": "", "prediction_count": ""}


class CallContext(Record):
    """What a host's method is told of the call."""

    __slots__ = ()

    actor: str | None
    """The person or program that acts."""
    request_id: str
    """The id of the request."""
    tenant: str
    """Whose call it is."""
    traceparent: str | None
    """The W3C trace context to continue."""

    _FIELDS: ClassVar[dict[str, str]] = {"actor": "", "request_id": "", "tenant": "", "traceparent": ""}


class CallOptions(Record):
    """What a caller tells this library about one call. No provider sees it."""

    __slots__ = ()

    cache: bool | None
    """False neither reads nor fills the cache."""
    key: str | None
    """A name of the caller's that the spend is counted and limited under, as that of the API key which the host handed out. Never the secret itself: it is stored and reported."""
    optimize_tokens: bool | None
    """Whether the library sizes the limit of the answer. Not with tools or a response format."""
    session: str | None
    """A name of the caller's for the conversation that the call belongs to. By it `sticky` and `canary` routes keep a conversation at one model; without it they know one by its first messages."""
    tags: Records[str] | None
    """Names under which the spend is counted and limited."""

    _FIELDS: ClassVar[dict[str, str]] = {"cache": "", "key": "", "optimize_tokens": "", "session": "", "tags": ""}


class CallReport(Record):
    """What became of a call: who answered, at what cost, by which way."""

    __slots__ = ()

    attempts: Records[Attempt]
    """Every attempt, in order."""
    cache_hit: bool
    """Whether it came from the cache."""
    continued: bool | None
    """Whether a limit of ours had cut a first answer and the model was asked again without it."""
    cost: float | None
    """The cost in dollars, for people; null when the price is not known."""
    cost_nano_usd: int | None
    """The cost in billionths of a dollar; null when the price is not known."""
    model: str
    """The model that was asked there."""
    partial_text: str | None
    """What had come of an answer that broke off; only in the last chunk of a stream that ends with an error."""
    provider: str
    """The provider that answered."""
    request_id: str
    """The id of the request."""
    routed_via: str
    """What chose the model: `cache`, or the `policy` of the decision, as `complexity`, `model`, `route` or `weighted`."""
    token_optimization: TokenOptimization | None
    """How the limit of the answer was sized, where it was asked for."""
    usage_estimated: bool | None
    """Whether the tokens were counted here because the provider did not say."""

    _FIELDS: ClassVar[dict[str, str]] = {"attempts": "[Attempt]", "cache_hit": "", "continued": "", "cost": "", "cost_nano_usd": "", "model": "", "partial_text": "", "provider": "", "request_id": "", "routed_via": "", "token_optimization": "TokenOptimization", "usage_estimated": ""}


class CanarySnapshot(Record):
    """How far a canary route is in this process: all tenants share one rollout."""

    __slots__ = ()

    baseline: ModelChoice
    """The model that is in use."""
    candidate: ModelChoice
    """The model that is to replace it."""
    percent: int
    """The candidate's share of the conversations, in percent."""
    reason: str | None
    """Why it was rolled back; absent otherwise."""
    route: str
    """The route."""
    stage: int
    """The stage that it is in, or in which it was rolled back, from 1."""
    stages: int
    """How many stages there are."""
    state: CanaryState
    """What became of the candidate."""

    _FIELDS: ClassVar[dict[str, str]] = {"baseline": "ModelChoice", "candidate": "ModelChoice", "percent": "", "reason": "", "route": "", "stage": "", "stages": "", "state": ""}


class Candidate(Record):
    """A click that shares a key with a conversion, and what a match needs of it."""

    __slots__ = ()

    ad_id: str
    """The ad."""
    adset_id: str
    """The ad's ad set."""
    at: Timestamp
    """When it was clicked."""
    campaign_id: str
    """The ad set's campaign."""
    device: Device | None
    """What is compared of the device, where that is kept."""
    id: str
    """The click's id, as [`Click::id`] shows it."""
    key: KeyedHash
    """The click."""
    matched: KeyedHash
    """The key that was asked for."""
    utm: Utm
    """The UTM parameters."""

    _FIELDS: ClassVar[dict[str, str]] = {"ad_id": "", "adset_id": "", "at": "", "campaign_id": "", "device": "Device", "id": "", "key": "", "matched": "", "utm": "Utm"}


class ChangeRow(Record):
    """A change as it is stored."""

    __slots__ = ()

    approval: Approval | None
    """The approval that it needs; `None` when it needs none."""
    attempt: int
    """How many intents were written for it."""
    attempts_forgiven: int
    """How many of them do not count towards the limit of lost attempts: those before a person's retry."""
    change: AdChange
    """What is wanted."""
    detail: str | None
    """What the platform said last, for a person."""
    due_at: Timestamp | None
    """When something has to be done about it next; `None` when it is over."""
    expires_at: Timestamp
    """When it is not applied any more."""
    intent_at: Timestamp | None
    """When the last intent was written."""
    lease_until: Timestamp | None
    """Until when the worker that claimed it may send."""
    observed_from: int | None
    """The value seen when the last intent was written."""
    queued_at: Timestamp
    """When it was queued."""
    reason: Reason | None
    """Why, where there is more to say than the status."""
    retry_at: Timestamp | None
    """When it is asked again, if it is blocked for a time only."""
    run_at: Timestamp
    """When it may run at the earliest."""
    sent_value: int | None
    """The final value, fixed by the first intent: every request of this change carries it."""
    status: ChangeStatus
    """Where it stands."""
    updated_at: Timestamp
    """When it last moved."""

    _FIELDS: ClassVar[dict[str, str]] = {"approval": "Approval", "attempt": "", "attempts_forgiven": "", "change": "AdChange", "detail": "", "due_at": "", "expires_at": "", "intent_at": "", "lease_until": "", "observed_from": "", "queued_at": "", "reason": "", "retry_at": "", "run_at": "", "sent_value": "", "status": "", "updated_at": ""}


class ChannelCredit(Record):
    """The credit of one channel."""

    __slots__ = ()

    channel: str
    """The channel."""
    conversions_millionths: int
    """Its conversions, in millionths of one."""
    removal_effect: float | None
    """Markov's removal effect: the share of conversions that would be lost without the channel, 0 to 1."""
    touch_count: int
    """Its touches that count, in converting paths and others, each as often as its path was gone."""
    value_minor: int
    """Its value, in minor units."""

    _FIELDS: ClassVar[dict[str, str]] = {"channel": "", "conversions_millionths": "", "removal_effect": "", "touch_count": "", "value_minor": ""}


class ChatChunk(Record):
    """A piece of a streamed answer, in OpenAI's shape. The last one of a stream is the library's own: no choices, the usage, the outcome and the report."""

    __slots__ = ()

    choices: Records[ChunkChoice]
    """What is added to which answer; empty in chunks that only annotate."""
    id: str
    """The provider's id of the answer."""
    model: str
    """The model that answers, as the provider names it."""
    outcome: Outcome | None
    """Whether the answer is whole; only in the last chunk."""
    usage: Usage | None
    """The tokens used so far, where the provider says so."""
    xynergy: CallReport | None
    """Who answered, at what cost, by which way; only in the last chunk."""

    _FIELDS: ClassVar[dict[str, str]] = {"choices": "[ChunkChoice]", "id": "", "model": "", "outcome": "", "usage": "Usage", "xynergy": "CallReport"}
    _OPEN: ClassVar[bool] = True
    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


class ChatRequest(Record):
    """A chat completion to be made, in OpenAI's shape. `model` is a route, a provider, a provider's model (`openai/gpt-4o-mini`) or the model of one of the configured providers; empty or `auto` lets the router choose."""

    __slots__ = ()

    max_completion_tokens: int | None
    """The newer name of `max_tokens`; it wins where both are given. Each provider is sent the name that it knows."""
    max_tokens: int | None
    """The greatest number of tokens of the answer."""
    messages: Records[Message]
    """The conversation so far."""
    model: str | None
    """Which model."""
    n: int | None
    """The number of answers."""
    response_format: Any
    """The format that the answer must have."""
    temperature: float | None
    """How freely the model chooses, 0 to 2."""
    tools: Records[Any] | None
    """The tools that the model may call, as they came."""
    xynergy: CallOptions | None
    """What is meant for this library and sent to no provider."""

    _FIELDS: ClassVar[dict[str, str]] = {"max_completion_tokens": "", "max_tokens": "", "messages": "[Message]", "model": "", "n": "", "response_format": "?", "temperature": "", "tools": "[?]", "xynergy": "CallOptions"}
    _OPEN: ClassVar[bool] = True
    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


class ChatResponse(Record):
    """A chat completion, in OpenAI's shape, with what became of it."""

    __slots__ = ()

    choices: Records[Choice]
    """The answers, one unless more were asked for."""
    id: str
    """The provider's id of the answer."""
    model: str
    """The model that answered, as the provider names it."""
    outcome: Outcome
    """Whether it is whole: the worst of the choices. Truncated until it is set."""
    usage: Usage | None
    """The tokens used, as the provider counts them."""
    xynergy: CallReport
    """Who answered, at what cost, by which way."""

    _FIELDS: ClassVar[dict[str, str]] = {"choices": "[Choice]", "id": "", "model": "", "outcome": "", "usage": "Usage", "xynergy": "CallReport"}
    _OPEN: ClassVar[bool] = True
    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


class Choice(Record):
    """One answer."""

    __slots__ = ()

    finish_reason: str | None
    """Why it stopped."""
    index: int
    """Its number."""
    message: Message
    """What the model said; empty where a filter took it away."""

    _FIELDS: ClassVar[dict[str, str]] = {"finish_reason": "", "index": "", "message": "Message"}
    _OPEN: ClassVar[bool] = True
    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


class ChunkChoice(Record):
    """What a chunk adds to one answer."""

    __slots__ = ()

    delta: Delta
    """What is added."""
    finish_reason: str | None
    """Why it ended, in its last chunk."""
    index: int
    """Which answer."""

    _FIELDS: ClassVar[dict[str, str]] = {"delta": "Delta", "finish_reason": "", "index": ""}
    _OPEN: ClassVar[bool] = True
    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


class Click(Record):
    """A click on an ad. Without [`Personal`], nothing in it identifies a person."""

    __slots__ = ()

    ad_id: str
    """The ad."""
    adset_id: str
    """The ad's ad set."""
    at: Timestamp
    """When it happened."""
    campaign_id: str
    """The ad set's campaign."""
    id_keys: Records[KeyedHash]
    """The hashes of the ad platforms' click ids in the URL: the keys of layer 1."""
    key: KeyedHash
    """What makes the click one: a further click of the same key is a duplicate."""
    personal: Personal | None
    """The rest, with consent."""
    utm: Utm
    """The UTM parameters."""

    _FIELDS: ClassVar[dict[str, str]] = {"ad_id": "", "adset_id": "", "at": "", "campaign_id": "", "id_keys": "", "key": "", "personal": "Personal", "utm": "Utm"}


class ClickThrough(Record):
    """A click-through, as a part of 1."""

    __slots__ = ()

    high: Ratio
    """5 % of the posterior lies above it."""
    low: Ratio
    """5 % of the posterior lies below it."""
    mean: Ratio
    """The mean."""

    _FIELDS: ClassVar[dict[str, str]] = {"high": "", "low": "", "mean": ""}


class Contact(Record):
    """A contact as it stands in the CRM."""

    __slots__ = ()

    properties: dict[str, str | None]
    """Its properties."""

    _FIELDS: ClassVar[dict[str, str]] = {"properties": ""}


class ContentPart(Record):
    """One part of a message."""

    __slots__ = ()

    text: str | None
    """The text, in a text part."""
    type: str
    """What it is, as `text` or `image_url`."""

    _FIELDS: ClassVar[dict[str, str]] = {"text": "", "type": ""}
    _OPEN: ClassVar[bool] = True
    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


class CreditParameters(Record):
    """What a model is asked with. A field that is `None` has its default, or nothing to do with the model."""

    __slots__ = ()

    direct_channels: Records[str] | None
    """The channels that are no marketing, for `last_non_direct`: `["direct"]` by default."""
    half_life_seconds: int | None
    """The half-life of `time_decay`: 7 days by default."""
    lookback_days: int | None
    """Only touches at most so many days before the conversion count (before the last touch where `at` is not given)."""
    lookback_steps: int | None
    """Only the last so many touches count."""
    nulls: bool | None
    """Whether paths without a conversion are part of `markov`'s chain: true by default."""
    order: int | None
    """How many touches `markov` remembers: 1 to 4, 1 by default."""
    weights: PositionWeights | None
    """The weights of `position`: 40, 20 and 40 by default."""

    _FIELDS: ClassVar[dict[str, str]] = {"direct_channels": "", "half_life_seconds": "", "lookback_days": "", "lookback_steps": "", "nulls": "", "order": "", "weights": "PositionWeights"}


class CreditTotal(Record):
    """Conversions and what they are worth."""

    __slots__ = ()

    conversions_millionths: int
    """Conversions, in millionths of one."""
    value_minor: int
    """Value, in minor units."""

    _FIELDS: ClassVar[dict[str, str]] = {"conversions_millionths": "", "value_minor": ""}


class Credits(Record):
    """What a model gives each channel. The channels and `unattributed` sum to `total` exactly."""

    __slots__ = ()

    channels: Records[ChannelCredit]
    """Every channel with a touch that counts, by name."""
    conversion_probability: float | None
    """Of Markov's chain: the probability that a walk from the start ends in a conversion."""
    model: CreditModel
    """The model."""
    parameters: CreditParameters
    """What it ran with, defaults filled in."""
    total: CreditTotal
    """Of all conversions."""
    unattributed: CreditTotal
    """Of conversions without a touch that counts."""

    _FIELDS: ClassVar[dict[str, str]] = {"channels": "[ChannelCredit]", "conversion_probability": "", "model": "", "parameters": "CreditParameters", "total": "CreditTotal", "unattributed": "CreditTotal"}


class CrmChange(Record):
    """What an event says of the first of its deals, or of a contact."""

    __slots__ = ()

    stage: str | None
    """The CRM's id of the stage."""
    type: Literal["stage", "pipeline", "amount", "currency", "created", "deleted", "restored", "merged", "refund", "forgotten"]
    pipeline: str | None
    """The CRM's id of the pipeline."""
    amount: str | None
    """In major units, as decimal text."""
    currency: str | None
    """Its currency; the deal's when `None`."""
    contact_id: str | None
    """The CRM's id of the contact."""

    _FIELDS: ClassVar[dict[str, str]] = {"stage": "", "type": "", "pipeline": "", "amount": "", "currency": "", "contact_id": ""}


class CrmEvent(Record):
    """A change that a CRM reported."""

    __slots__ = ()

    change: CrmChange | None
    """What it says, when it says something that counts."""
    deals: Records[str]
    """The CRM's ids of the deals that it concerns: one as a rule; of a merge the survivor first, then those that were merged into it. Empty when it is about no deal, or says nothing that counts."""
    event_id: str
    """The CRM's id of the event. It orders events of the same time and need not be unique."""
    key: KeyedHash
    """What makes the event one, over everything but the delivery: a further event of the same key is a duplicate."""
    occurred_at: Timestamp
    """When it happened, by the CRM's clock."""
    raw: str
    """The event as the CRM sent it, every unknown field included: a JSON object."""
    recorded_at: Timestamp
    """When it arrived here. It says what was known at a time and decides nothing else."""

    _FIELDS: ClassVar[dict[str, str]] = {"change": "CrmChange", "deals": "", "event_id": "", "key": "", "occurred_at": "", "raw": "", "recorded_at": ""}


class CtrModels(Record):
    """The versions of the model, and which of them predicts."""

    __slots__ = ()

    active_version: int | None
    """The version that predicts; null while none was activated."""
    versions: Records[CtrVersion]
    """All versions, the oldest first."""

    _FIELDS: ClassVar[dict[str, str]] = {"active_version": "", "versions": "[CtrVersion]"}


class CtrPrediction(Record):
    """What a model says of an ad."""

    __slots__ = ()

    ad_id: str
    """The ad's id."""
    alpha: float
    """The Beta prior that it is worth: clicks. At least 1."""
    beta: float
    """The Beta prior that it is worth: impressions without a click."""
    ctr: float
    """The predicted click-through: 0 to 1."""
    effective_impressions: float
    """How many impressions the prediction is worth: alpha and beta together."""
    version: int
    """The version of the model."""

    _FIELDS: ClassVar[dict[str, str]] = {"ad_id": "", "alpha": "", "beta": "", "ctr": "", "effective_impressions": "", "version": ""}


class CtrReport(Record):
    """How good a model was on impressions that it had not learned yet, against always saying the base rate of that moment."""

    __slots__ = ()

    base_log_loss: float
    """The same of the base rate."""
    better: bool
    """Whether the model is better than the base rate: the interval is above 0."""
    calibration: Records[CalibrationBin]
    """Tenths of the impressions from the lowest to the highest prediction."""
    calibration_error: float
    """The mean distance of predicted from observed click-through, over tenths of the impressions in the order of their predictions."""
    clicked_count: int
    """Their clicks."""
    effective_impressions: float | None
    """How many impressions a prediction is worth, from how far ads lie from theirs; null with fewer than 5 ads."""
    gain: float
    """How much lower the model's is."""
    gain_lower: float
    """The lower end of the gain's 95 % interval."""
    gain_upper: float
    """The upper end of the gain's 95 % interval."""
    judged_count: int
    """Impressions that were judged: those behind the first fifth of the rows."""
    log_loss: float
    """The mean logarithmic loss an impression, in nats."""
    predicted_over_clicked: float | None
    """Predicted clicks over clicks; null without clicks. 1 is calibrated."""
    verdict: str
    """What that says, in words."""

    _FIELDS: ClassVar[dict[str, str]] = {"base_log_loss": "", "better": "", "calibration": "[CalibrationBin]", "calibration_error": "", "clicked_count": "", "effective_impressions": "", "gain": "", "gain_lower": "", "gain_upper": "", "judged_count": "", "log_loss": "", "predicted_over_clicked": "", "verdict": ""}


class CtrVersion(Record):
    """A version of the model."""

    __slots__ = ()

    from_version: int | None
    """The version on which it goes on; null when it began from nothing."""
    report: CtrReport
    """How good it was on what it had not learned yet."""
    trained_at: Timestamp
    """When it was trained."""
    version: int
    """Its number, from 1."""

    _FIELDS: ClassVar[dict[str, str]] = {"from_version": "", "report": "CtrReport", "trained_at": "", "version": ""}


class DayFigures(Record):
    """The figures of one ad and day. The order of the fields is the order of the join: the latest reading is the greatest."""

    __slots__ = ()

    clicks: int
    """How often it was clicked."""
    impressions: int
    """How often the ad was shown."""
    observed_at: Timestamp
    """When they were read."""
    spend_minor: int
    """What was spent, in minor units."""

    _FIELDS: ClassVar[dict[str, str]] = {"clicks": "", "impressions": "", "observed_at": "", "spend_minor": ""}


class Deal(Record):
    """A deal as it stands in the CRM."""

    __slots__ = ()

    contacts: Records[str]
    """The ids of its contacts."""
    properties: dict[str, str | None]
    """Its properties."""

    _FIELDS: ClassVar[dict[str, str]] = {"contacts": "", "properties": ""}


class DealFacts(Record):
    """What the CRM said of a deal when it was read: it counts where no event tells otherwise."""

    __slots__ = ()

    amount: str | None
    """The amount in major units, as decimal text."""
    currency: str | None
    """The amount's currency by its three-letter code."""
    pipeline: str | None
    """The CRM's id of the pipeline."""

    _FIELDS: ClassVar[dict[str, str]] = {"amount": "", "currency": "", "pipeline": ""}


class DealRecord(Record):
    """The latest that is known of one deal. The order of the fields is the order of the join."""

    __slots__ = ()

    clicked_at: Timestamp | None
    """When the ad was clicked."""
    credit: Millionths
    """The part of it that the ad gets."""
    event_id: str
    """The event that said it."""
    occurred_at: Timestamp
    """When it became so."""
    outcome: DealOutcome
    """Where the deal stands."""
    spend_minor: int | None
    """What was spent for it, in minor units."""
    value_minor: int
    """What it is worth, in minor units."""

    _FIELDS: ClassVar[dict[str, str]] = {"clicked_at": "", "credit": "", "event_id": "", "occurred_at": "", "outcome": "", "spend_minor": "", "value_minor": ""}


class DealRevenue(Record):
    """What a deal is worth and whom it is due to: the fold of its events."""

    __slots__ = ()

    amount_minor: int | None
    """What the CRM says that it would bring, less refunds, in minor units of the account's currency; `None` where that is not known, or not known in this currency."""
    deal_id: str
    """The CRM's id of the deal."""
    entries: Records[LedgerEntry]
    """The ledger in the order of the events."""
    events_seen: int
    """How many of the events that concern it were folded, its click looked for included."""
    facts: DealFacts
    """What the CRM said of it."""
    matched: Match
    """The click behind it."""
    merged_into: str | None
    """The deal that this one was merged into; its value is there."""
    pipeline: str | None
    """The CRM's id of the pipeline, where it is known."""
    problem: str | None
    """Why it is worth another value than its amount would give: the field and what is wrong with it."""
    stage: str | None
    """The stage after all events; `None` for a deal that was in none yet: it is worth nothing and listed nowhere."""
    value_minor: int
    """What it is worth, in minor units: the sum of the entries."""
    values_seen: int
    """The [sum](Revaluation::sum) of the revaluations that were folded."""

    _FIELDS: ClassVar[dict[str, str]] = {"amount_minor": "", "deal_id": "", "entries": "[LedgerEntry]", "events_seen": "", "facts": "DealFacts", "matched": "Match", "merged_into": "", "pipeline": "", "problem": "", "stage": "", "value_minor": "", "values_seen": ""}


class Delta(Record):
    """An addition to a message."""

    __slots__ = ()

    content: Content | None
    """More of what is said."""
    refusal: str | None
    """More of the refusal."""
    role: str | None
    """Who speaks, in the first chunk."""
    tool_calls: Records[Any] | None
    """More of the tool calls, as they came."""

    _FIELDS: ClassVar[dict[str, str]] = {"content": "[ContentPart]", "refusal": "", "role": "", "tool_calls": "[?]"}
    _OPEN: ClassVar[bool] = True
    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


class Device(Record):
    """What two visits are compared by beyond equal keys. It exists only with consent, and only when it is asked for."""

    __slots__ = ()

    browser: str | None
    """The browser with its major version, as `chrome 120`; `None` when it does not tell."""
    kind: NetworkKind
    """Which of the two it is."""
    language: str | None
    """The first language that it asks for, in small letters, as `de-ch`."""
    network: KeyedHash
    """The hash of the address alone: an IPv4 address whole, of an IPv6 address the first 64 bits."""
    platform: str | None
    """The class of the platform, as `android`; `None` when it does not tell."""

    _FIELDS: ClassVar[dict[str, str]] = {"browser": "", "kind": "", "language": "", "network": "", "platform": ""}


class Document(Record):
    """A stored document and its version."""

    __slots__ = ()

    value: str
    """The document, usually JSON."""
    version: int
    """1 when it was first written, one more at each write."""

    _FIELDS: ClassVar[dict[str, str]] = {"value": "", "version": ""}


class Effect(Record):
    """How an arm differs from the control, with an interval that holds at every look."""

    __slots__ = ()

    estimate: float | None
    """The effect that was found; null while there is too little."""
    lower: float | None
    """The lower end; null while there is none."""
    p_value: float
    """The always-valid p-value of no difference."""
    scale: EffectScale
    """What it is measured in."""
    upper: float | None
    """The upper end; null while there is none."""

    _FIELDS: ClassVar[dict[str, str]] = {"estimate": "", "lower": "", "p_value": "", "scale": "", "upper": ""}


class EmbedRequest(Record):
    """Texts to be embedded, in OpenAI's shape. `model` is a provider's model (`openai/text-embedding-3-small`), the model of one of the embedders, or a provider for its default one; empty for the configured model. Vectors of different models, or of different dimensions, cannot be compared."""

    __slots__ = ()

    dimensions: int | None
    """How long the vectors are to be, where the model can shorten them; the configured length when absent, else the model's own."""
    input: Records[str]
    """The texts."""
    model: str | None
    """Which model."""
    xynergy: CallOptions | None
    """What is meant for this library and sent to no provider."""

    _FIELDS: ClassVar[dict[str, str]] = {"dimensions": "", "input": "", "model": "", "xynergy": "CallOptions"}
    _OPEN: ClassVar[bool] = True
    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


class EmbedResponse(Record):
    """What an embedder answers."""

    __slots__ = ()

    tokens: int | None
    """The tokens of the texts, as the service counts them; they are estimated when absent."""
    vectors: Records[Records[float]]
    """One vector a text, in the order of the texts."""

    _FIELDS: ClassVar[dict[str, str]] = {"tokens": "", "vectors": ""}


class Embeddings(Record):
    """Texts as vectors, and what became of the call."""

    __slots__ = ()

    attempts: Records[Attempt]
    """Every attempt, in order; one for each part where the texts were sent in several."""
    cost: float | None
    """The cost in dollars, for people; null when the price is not known."""
    cost_nano_usd: int | None
    """The cost in billionths of a dollar; null when the price is not known."""
    dimensions: int
    """How long each vector is."""
    model: str
    """The model that was asked there."""
    provider: str
    """The provider that answered; where several parts were sent, that of the first."""
    request_id: str
    """The id of the request."""
    tokens_used: int
    """The tokens of the texts."""
    usage_estimated: bool | None
    """Whether tokens were counted here because the provider did not say."""
    vectors: Records[Records[float]]
    """One vector a text, in the order of the texts."""

    _FIELDS: ClassVar[dict[str, str]] = {"attempts": "[Attempt]", "cost": "", "cost_nano_usd": "", "dimensions": "", "model": "", "provider": "", "request_id": "", "tokens_used": "", "usage_estimated": "", "vectors": ""}


class Erased(Record):
    """What [`ClickStore::erase`] removed, in order of the keys."""

    __slots__ = ()

    clicks: Records[ErasedClick]
    """The clicks, which are only counted now."""

    _FIELDS: ClassVar[dict[str, str]] = {"clicks": "[ErasedClick]"}


class ErasedClick(Record):
    """A click that was erased: the names under which others may still hold it."""

    __slots__ = ()

    id: str
    """Its id, as [`Click::id`] showed it."""
    key: KeyedHash
    """Its key."""

    _FIELDS: ClassVar[dict[str, str]] = {"id": "", "key": ""}


class Erasure(Record):
    """What [`Attribution::erase`] did."""

    __slots__ = ()

    clicks: int
    """How many clicks were erased; they are only counted now."""

    _FIELDS: ClassVar[dict[str, str]] = {"clicks": ""}


class EventProblem(Record):
    """Why one element of a body is no event."""

    __slots__ = ()

    index: int
    """Its place in the array, from 0."""
    problem: str
    """The field and what is wrong with it."""

    _FIELDS: ClassVar[dict[str, str]] = {"index": "", "problem": ""}


class EventsRecorded(Record):
    """What became of events."""

    __slots__ = ()

    duplicate_count: int
    """Those that were there."""
    ignored_count: int
    """Those of an experiment that has ended."""
    recorded_count: int
    """Those that are new."""

    _FIELDS: ClassVar[dict[str, str]] = {"duplicate_count": "", "ignored_count": "", "recorded_count": ""}


class ExperimentStatus(Record):
    """Where an experiment stands."""

    __slots__ = ()

    arms: Records[ArmStatus]
    """The arms that are compared, the control first."""
    experiment_id: str
    """The experiment."""
    history: Records[ExperimentTransition]
    """Its steps in their order."""
    mismatched: bool
    """Whether units come to arms in other shares than they were assigned in: nothing wins then."""
    phase: ExperimentPhase
    """Where it is."""
    reasons: Records[str]
    """What this look shows, in words."""
    serving: str
    """The arm that units get which are not compared."""
    stopped_arms: dict[str, str]
    """The arms that were taken out, and why."""
    winner: str | None
    """The arm that is better than the control, without a guardrail against it."""

    _FIELDS: ClassVar[dict[str, str]] = {"arms": "[ArmStatus]", "experiment_id": "", "history": "[ExperimentTransition]", "mismatched": "", "phase": "", "reasons": "", "serving": "", "stopped_arms": "", "winner": ""}


class ExperimentTransition(Record):
    """A step of an experiment."""

    __slots__ = ()

    arm_id: str
    """The arm that it is about."""
    at: Timestamp
    """When."""
    phase: ExperimentPhase
    """The phase after it."""
    reason: str
    """Why, in words."""

    _FIELDS: ClassVar[dict[str, str]] = {"arm_id": "", "at": "", "phase": "", "reason": ""}


class Explanation(Record):
    """Why a deal is attributed as it is."""

    __slots__ = ()

    deal_id: str
    """The deal."""
    receipt: str
    """The sealed receipt."""
    svg: str
    """The same as a picture: how each piece of evidence moved the odds. An SVG document."""
    text: str
    """The receipt in words."""

    _FIELDS: ClassVar[dict[str, str]] = {"deal_id": "", "receipt": "", "svg": "", "text": ""}


class FailedDeal(Record):
    """A deal that could not be booked."""

    __slots__ = ()

    attempts: int
    """How often it was tried."""
    deal_id: str
    """The CRM's id of the deal."""
    next_attempt_at: Timestamp
    """When it is tried again: after a minute, then twice as long each time, up to six hours."""
    problem: str
    """Why, in one sentence."""

    _FIELDS: ClassVar[dict[str, str]] = {"attempts": "", "deal_id": "", "next_attempt_at": "", "problem": ""}


class Gain(Record):
    """What choosing by probability brings over choosing by tier, in parts per million of the conversions: each masked conversion counts as one with its click and as one whose click is gone, in the proportion that the conversions without a click id show."""

    __slots__ = ()

    calibration_error: int
    """The expected calibration error of the probability, over 15 bins of equal mass."""
    calibration_error_by_crowd: Records[int | None]
    """The same by how many other clicks the network has: up to 3, up to 30, more; nothing where there are no conversions."""
    gain: int
    """The second less the first."""
    gain_high: int
    """Its upper end."""
    gain_low: int
    """The lower end of the gain's 95 % interval (paired)."""
    probability: int
    """Right by probability."""
    tier: int
    """Right by tier: the click, or that there is none."""

    _FIELDS: ClassVar[dict[str, str]] = {"calibration_error": "", "calibration_error_by_crowd": "", "gain": "", "gain_high": "", "gain_low": "", "probability": "", "tier": ""}


class GateDecision(Record):
    """Whether a proposed policy may take the place of the current one, and why."""

    __slots__ = ()

    current: OffPolicyEvaluation
    """What the current policy would have brought."""
    proposed: OffPolicyEvaluation
    """What the proposed policy would have brought."""
    reasons: Records[str]
    """Why, in words."""
    verdict: GateVerdict
    """The decision."""

    _FIELDS: ClassVar[dict[str, str]] = {"current": "OffPolicyEvaluation", "proposed": "OffPolicyEvaluation", "reasons": "", "verdict": ""}


class Generation(Record):
    """The answer to a prompt."""

    __slots__ = ()

    attempts: Records[Attempt]
    """Every attempt, in order."""
    cache_hit: bool
    """Whether it came from the cache, which costs nothing."""
    continued: bool | None
    """Whether a limit of ours had cut a first answer and the model was asked again without it."""
    cost: float | None
    """The cost in dollars, for people; null when the price is not known."""
    cost_nano_usd: int | None
    """The cost in billionths of a dollar; null when the price is not known."""
    finish: str | None
    """Why the model stopped."""
    model: str
    """The model that answered."""
    outcome: Outcome
    """Whether it is whole."""
    provider: str
    """The provider that answered."""
    request_id: str
    """The id of the request."""
    routed_via: str
    """What chose the model: `complexity`, `model`, `route`, or `cache`."""
    text: str
    """The answer."""
    token_optimization: TokenOptimization
    """How the limit of the answer was sized."""
    tokens_used: int
    """Tokens of prompt and answer."""

    _FIELDS: ClassVar[dict[str, str]] = {"attempts": "[Attempt]", "cache_hit": "", "continued": "", "cost": "", "cost_nano_usd": "", "finish": "", "model": "", "outcome": "", "provider": "", "request_id": "", "routed_via": "", "text": "", "token_optimization": "TokenOptimization", "tokens_used": ""}


class GuardrailStatus(Record):
    """What a guardrail says of an arm."""

    __slots__ = ()

    breached: bool
    """Whether it is worse by more than its margin."""
    effect: Effect
    """How the arm differs from the control."""
    name: str
    """The metric's name."""

    _FIELDS: ClassVar[dict[str, str]] = {"breached": "", "effect": "Effect", "name": ""}


class Health(Record):
    """How a client and what it depends on fare now."""

    __slots__ = ()

    checks: dict[str, HealthCheck]
    """Each check by its name: `store`, `cache`, `ai.PROVIDER`, `canary.ROUTE`, `crm`, `ad_platform`."""
    performance: Performance
    """How the AI calls went since the client was built."""
    resources: Resources
    """What the process uses."""
    service: str
    """What answers."""
    status: HealthStatus
    """All checks together."""

    _FIELDS: ClassVar[dict[str, str]] = {"checks": "{HealthCheck}", "performance": "Performance", "resources": "Resources", "service": "", "status": ""}


class HealthCheck(Record):
    """One thing that was checked."""

    __slots__ = ()

    detail: HealthDetail
    """What there is to say about it. Never a credential."""
    latency_ms: int
    """How long the check took, in milliseconds."""
    status: HealthStatus
    """How it fares."""

    _FIELDS: ClassVar[dict[str, str]] = {"detail": "HealthDetail", "latency_ms": "", "status": ""}


class HealthDetail(Record):
    """What there is to say about a check; absent is what does not belong to it."""

    __slots__ = ()

    canary: CanarySnapshot | None
    """How far a canary route is."""
    error: str | None
    """The kind of the error, as [`ErrorKind::as_str`](crate::ErrorKind::as_str) names it."""
    failure_count: int | None
    """Consecutive faults that a breaker has counted."""
    message: str | None
    """For a person: what is wrong, or what was not asked."""
    state: BreakerState | None
    """The state of a breaker."""

    _FIELDS: ClassVar[dict[str, str]] = {"canary": "CanarySnapshot", "error": "", "failure_count": "", "message": "", "state": ""}


class HoldoutUnit(Record):
    """Whether a unit is held out."""

    __slots__ = ()

    bucket: int
    """Where it lies of 0 to 999,999: below `holdout_ppm` it is held out. A larger holdout has all units of a smaller one."""
    held_out: bool
    """Whether it is held out: it must not be treated."""
    unit_id: str
    """The unit's id."""

    _FIELDS: ClassVar[dict[str, str]] = {"bucket": "", "held_out": "", "unit_id": ""}


class Incrementality(Record):
    """What treatment adds to what comes anyway."""

    __slots__ = ()

    conclusive: bool
    """Whether an effect is shown: the interval is there and leaves 0 out."""
    holdout_mean: float
    """The same of a unit that was held out."""
    lower: float | None
    """The lower end of its interval; null where it has none."""
    multiplier: float | None
    """What attributed conversions or value have to be multiplied with: the part that would not have come without the treatment. Null where the treated group brought nothing."""
    reasons: Records[str]
    """Why not, or what is shown; in words."""
    treated_mean: float
    """Conversions, or minor units, a treated unit."""
    upper: float | None
    """The upper end of its interval; null where it has none."""

    _FIELDS: ClassVar[dict[str, str]] = {"conclusive": "", "holdout_mean": "", "lower": "", "multiplier": "", "reasons": "", "treated_mean": "", "upper": ""}


class IndexStats(Record):
    """How much there is, and how it is searched."""

    __slots__ = ()

    dimensions: int
    """How many numbers each has."""
    generation_seq: int
    """The number of the state that was persisted last, or loaded; 0 when there is none."""
    graph_breadth: int
    """How many candidates a search of the graph looks at. It follows from what searching for new vectors found."""
    graph_count: int
    """How many are in the graph; the others are compared one by one."""
    kind: IndexKind
    """How they are searched."""
    memory_bytes: int
    """The bytes of vectors and graph in memory."""
    unsaved: bool
    """Whether something changed since."""
    vector_count: int
    """How many vectors there are."""

    _FIELDS: ClassVar[dict[str, str]] = {"dimensions": "", "generation_seq": "", "graph_breadth": "", "graph_count": "", "kind": "", "memory_bytes": "", "unsaved": "", "vector_count": ""}


class LedgerEntry(Record):
    """One signed line of the revenue ledger: what an event or a revaluation changed."""

    __slots__ = ()

    cause: EntryCause
    """What it was."""
    delta_minor: int
    """The value after it less the value before it, in minor units."""
    event: KeyedHash
    """The event; of a revaluation [`Revaluation::entry_key`]."""
    occurred_at: Timestamp
    """When it happened."""
    stage_from: str | None
    """The stage before it; `None` for a deal's first event."""
    stage_to: str
    """The stage after it."""

    _FIELDS: ClassVar[dict[str, str]] = {"cause": "", "delta_minor": "", "event": "", "occurred_at": "", "stage_from": "", "stage_to": ""}


class LimitState(Record):
    """Where a limit stands."""

    __slots__ = ()

    amount_nano_usd: int
    """The cap, in billionths of a dollar."""
    hard: bool
    """A hard limit refuses the call that could cross it; a soft one lets it pass and says so."""
    reserved_nano_usd: int
    """Reserved in it, in billionths of a dollar."""
    resets_at: Timestamp
    """When the window ends."""
    scope: LimitScope
    """What it is for."""
    settled_nano_usd: int
    """Settled in the window of now, in billionths of a dollar."""
    window: Window
    """Over which span."""
    zone: Zone | None
    """Whose calendar and clock the span is of: an IANA name, UTC when absent."""

    _FIELDS: ClassVar[dict[str, str]] = {"amount_nano_usd": "", "hard": "", "reserved_nano_usd": "", "resets_at": "", "scope": "", "settled_nano_usd": "", "window": "", "zone": ""}


class Match(Record):
    """The answer to which click a deal belongs to."""

    __slots__ = ()

    anchor: Timestamp
    """The time of the conversion: only clicks up to it were considered."""
    found: Attributed | None
    """The ad, or `None` when no click is behind the deal."""
    p_none: int | None
    """How probable it is that no click is behind it, in parts per million; `None` without a trained model."""
    probability: int | None
    """How probable it is that this click is behind the deal, in parts per million; `None` without a trained model."""
    receipt: str
    """The evidence as a JSON object: the candidates with layer, time and weight, without anything that identifies a person, and last the SHA-256 `digest` of what is before it."""
    rule_version: str
    """The rules that decided."""

    _FIELDS: ClassVar[dict[str, str]] = {"anchor": "", "found": "Attributed", "p_none": "", "probability": "", "receipt": "", "rule_version": ""}


class MatchCounts(Record):
    """Deals by the layer of their match."""

    __slots__ = ()

    layer1: int
    """By click id or first URL."""
    layer2: int
    """By fingerprint."""
    layer3: int
    """By address and user agent."""
    none: int
    """Without a click."""

    _FIELDS: ClassVar[dict[str, str]] = {"layer1": "", "layer2": "", "layer3": "", "none": ""}


class Message(Record):
    """One message of a conversation."""

    __slots__ = ()

    content: Content | None
    """What is said; absent beside tool calls."""
    refusal: str | None
    """Why the model refused."""
    role: str
    """Who speaks."""
    tool_calls: Records[Any] | None
    """The tools that the model calls, as they came."""

    _FIELDS: ClassVar[dict[str, str]] = {"content": "[ContentPart]", "refusal": "", "role": "", "tool_calls": "[?]"}
    _OPEN: ClassVar[bool] = True
    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


class Migration(Record):
    """What [`Client::migrate`] did, or would have others do."""

    __slots__ = ()

    applied: Records[str]
    """The names of the migrations that this call applied, in their order."""
    sql: str | None
    """Everything that makes the tables in an empty store, if it was asked for and the store has tables."""
    version: int
    """The version of the tables that this library works on; 0 for a store without tables."""

    _FIELDS: ClassVar[dict[str, str]] = {"applied": "", "sql": "", "version": ""}


class ModelChoice(Record):
    """A model at a provider."""

    __slots__ = ()

    model: str
    """The model there."""
    provider: str
    """The provider's configured name."""

    _FIELDS: ClassVar[dict[str, str]] = {"model": "", "provider": ""}


class OffPolicyEvaluation(Record):
    """What a policy would have brought, and how sure that is."""

    __slots__ = ()

    clipped_count: int
    """Rows whose importance weight was clipped."""
    conclusive: bool
    """Whether the log says enough of this policy."""
    effective_rewards: float
    """How many rewards of equal size this policy's rewards are worth."""
    effective_rows: float
    """Kish's effective sample size: how many rows of the policy's own this log is worth."""
    estimates: Records[PolicyEstimate]
    """What every estimator says. Those of an evaluation that is not conclusive are no basis for a decision."""
    estimator: Estimator
    """The estimator that decides."""
    largest_weight: float
    """The largest importance weight."""
    logged: PolicyEstimate
    """What the log itself brought: the mean reward of its rows with its interval."""
    lower: float | None
    """The lower end of its interval; null when nothing can be concluded."""
    mean_weight: float
    """The mean importance weight, which is 1 but for chance where the propensities are those that chose."""
    reasons: Records[str]
    """Why nothing can be concluded, and what else to know; in words."""
    row_count: int
    """The rows of the log."""
    unit_count: int
    """The units that the rows belong to."""
    unsupported: Records[str]
    """The actions that the policy may choose in a context in which the log never shows them, by name."""
    unsupported_share: float
    """How much of what the policy would choose that is: 0 to 1."""
    upper: float | None
    """The upper end of its interval; null when nothing can be concluded."""
    value: float
    """The estimated mean reward under the policy, in the unit of the rewards."""

    _FIELDS: ClassVar[dict[str, str]] = {"clipped_count": "", "conclusive": "", "effective_rewards": "", "effective_rows": "", "estimates": "[PolicyEstimate]", "estimator": "", "largest_weight": "", "logged": "PolicyEstimate", "lower": "", "mean_weight": "", "reasons": "", "row_count": "", "unit_count": "", "unsupported": "", "unsupported_share": "", "upper": "", "value": ""}


class Owner(Record):
    """The object whose budget a change moves."""

    __slots__ = ()

    id: str
    """Its id on the platform."""
    level: OwnerLevel
    """Whether it is an ad set or a campaign."""

    _FIELDS: ClassVar[dict[str, str]] = {"id": "", "level": ""}


class OwnerAllocation(Record):
    """The budget of one owner."""

    __slots__ = ()

    ads: Records[AdShare]
    """The owner's ads, by id; one that does not run has no share."""
    current_minor: int
    """The daily budget now, in minor units."""
    level: OwnerLevel
    """Where the budget sits."""
    owner_id: str
    """The ad set's or campaign's id."""
    probability: Millionths | None
    """The probability that the best ad is one of its own. Like all that follows it is there with the sampler."""
    propensity: Millionths | None
    """The part of the proposed total that it gets: the probability that a unit of budget goes to one of its ads."""
    proposed_minor: int
    """The proposed daily budget, in minor units."""
    reason: str
    """Why, in words, for a person."""

    _FIELDS: ClassVar[dict[str, str]] = {"ads": "[AdShare]", "current_minor": "", "level": "", "owner_id": "", "probability": "", "propensity": "", "proposed_minor": "", "reason": ""}


class OwnerState(Record):
    """A budget owner as the platform showed it at one moment."""

    __slots__ = ()

    account_id: str
    """The account it is in."""
    bid_minor: int | None
    """The bid, where one is set."""
    campaign_id: str
    """The campaign it is in; its own id for a campaign."""
    currency: Currency
    """The account's currency."""
    daily_budget_minor: int | None
    """The daily budget; `None` where the object has none (a lifetime budget, or the budget is at the other level)."""
    learning: bool
    """Whether the platform is still learning whom to show it to: an edit may begin that anew."""
    lifetime_budget_minor: int | None
    """The budget for the object's whole life; `None` where it has none. No change moves it: it is no daily budget."""
    name: str
    """Its name."""
    owner: Owner
    """Which object."""
    read_at: Timestamp
    """When it was asked for, by the caller's clock: the value is at least as new as this."""
    status: DeliveryStatus
    """Whether it is switched on."""

    _FIELDS: ClassVar[dict[str, str]] = {"account_id": "", "bid_minor": "", "campaign_id": "", "currency": "", "daily_budget_minor": "", "learning": "", "lifetime_budget_minor": "", "name": "", "owner": "Owner", "read_at": "", "status": ""}


class Performance(Record):
    """How calls went. Those that the caller dropped, and requests that were refused before they began, do not count."""

    __slots__ = ()

    average_response_time: float
    """The mean time from a call to its end, in seconds."""
    error_count: int
    """Those that ended with an error."""
    error_rate: float
    """Errors among the calls, in percent."""
    request_count: int
    """Calls that came to an end."""

    _FIELDS: ClassVar[dict[str, str]] = {"average_response_time": "", "error_count": "", "error_rate": "", "request_count": ""}


class Persisted(Record):
    """What was written."""

    __slots__ = ()

    generation_seq: int
    """The number of this state: one more at each write."""
    vector_count: int
    """How many vectors are in it."""
    vectors_file: str
    """The file of the vectors, which FAISS reads as well."""

    _FIELDS: ClassVar[dict[str, str]] = {"generation_seq": "", "vector_count": "", "vectors_file": ""}


class Personal(Record):
    """What of a click is kept only with the consent of the person who clicked."""

    __slots__ = ()

    address: KeyedHash | None
    """The hash of address and user agent: the key of layer 3."""
    click_id: str
    """The host's id of the click."""
    device: Device | None
    """What is compared of the device, where that is kept."""
    fingerprint: KeyedHash | None
    """The hash of address, user agent and language: the key of layer 2."""
    raw: str
    """Address, user agent, language, URL and every unknown field, as a JSON object."""

    _FIELDS: ClassVar[dict[str, str]] = {"address": "", "click_id": "", "device": "Device", "fingerprint": "", "raw": ""}


class Pipeline(Record):
    """What the deals of an ad are expected to bring."""

    __slots__ = ()

    deals: int
    """Deals, lost ones included."""
    value_minor: int
    """What they are worth together, in minor units."""

    _FIELDS: ClassVar[dict[str, str]] = {"deals": "", "value_minor": ""}


class Plan(Record):
    """What would become of changes if they were applied now. Nothing is written, here or on the platform."""

    __slots__ = ()

    changes: Records[PlannedChange]
    """One for each change, in the given order."""
    digest: str
    """What these changes are approved by once they are queued: 64 hex digits, the same for the same changes in any order."""

    _FIELDS: ClassVar[dict[str, str]] = {"changes": "[PlannedChange]", "digest": ""}


class PlannedChange(Record):
    """What would become of one change."""

    __slots__ = ()

    change: AdChange
    """The change."""
    outcome: PlannedOutcome
    """The verdict."""

    _FIELDS: ClassVar[dict[str, str]] = {"change": "AdChange", "outcome": "PlannedOutcome"}


class PlannedOutcome(Record):
    """The verdict on a planned change."""

    __slots__ = ()

    reason: Reason | None
    """Why."""
    retry_at: Timestamp | None
    """Until when; `None` when waiting would not help."""
    verdict: Literal["blocked", "refused", "sent"]
    message: str | None
    """The platform's words."""
    from_: int | None
    """The live value."""
    value: int | None
    """The final value."""

    _FIELDS: ClassVar[dict[str, str]] = {"reason": "", "retry_at": "", "verdict": "", "message": "", "from": "", "value": ""}


class PolicyEstimate(Record):
    """What one estimator makes of the log, in the unit of the rewards a decision."""

    __slots__ = ()

    estimator: Estimator
    """The estimator."""
    lower: float
    """The lower end of its interval."""
    upper: float
    """The upper end of its interval."""
    value: float
    """The estimated mean reward under the policy."""

    _FIELDS: ClassVar[dict[str, str]] = {"estimator": "", "lower": "", "upper": "", "value": ""}


class PositionWeights(Record):
    """The weights of [`CreditModel::Position`]: whole numbers, of which only the proportions matter."""

    __slots__ = ()

    between: int
    """Of all touches between, together."""
    first: int
    """Of the first touch."""
    last: int
    """Of the last touch."""

    _FIELDS: ClassVar[dict[str, str]] = {"between": "", "first": "", "last": ""}


class PosteriorSummary(Record):
    """What is believed of an ad."""

    __slots__ = ()

    click_through: ClickThrough
    """Clicks an impression."""
    returned: ReturnOnSpend | None
    """What a unit of spend brings back; nothing while no ad has brought anything."""

    _FIELDS: ClassVar[dict[str, str]] = {"click_through": "ClickThrough", "returned": "ReturnOnSpend"}


class Posteriors(Record):
    """What is believed of every ad of a state."""

    __slots__ = ()

    ads: dict[str, PosteriorSummary]
    """By ad."""
    day: Day
    """The day as of which it is believed."""
    median_delay_days: Ratio
    """How long half of the deals take from click to close, in days."""

    _FIELDS: ClassVar[dict[str, str]] = {"ads": "{PosteriorSummary}", "day": "", "median_delay_days": ""}


class PredictionScores(Record):
    """How good predictions were."""

    __slots__ = ()

    base_log_loss: float | None
    """The logarithmic loss of always saying the share that came true: a model without skill has this one or more."""
    bias: float | None
    """The mean of value less truth."""
    brier: float | None
    """The mean squared error of the probabilities."""
    calibration: Records[CalibrationBin]
    """Tenths of the predictions from the lowest to the highest probability."""
    calibration_error: float | None
    """The mean distance of predicted from observed, over tenths of the predictions in their order."""
    coverage: float | None
    """The share of these truths that lay within."""
    intended_coverage: float | None
    """The share that was meant to."""
    interval_count: int
    """Values with an interval whose truth is known."""
    log_loss: float | None
    """The mean logarithmic loss of the probabilities, in nats; null without any."""
    mean_absolute_error: float | None
    """The mean distance of value and truth."""
    open_count: int
    """Predictions whose truth is not known yet."""
    probability_count: int
    """Probabilities whose truth is known."""
    value_count: int
    """Values whose truth is known."""

    _FIELDS: ClassVar[dict[str, str]] = {"base_log_loss": "", "bias": "", "brier": "", "calibration": "[CalibrationBin]", "calibration_error": "", "coverage": "", "intended_coverage": "", "interval_count": "", "log_loss": "", "mean_absolute_error": "", "open_count": "", "probability_count": "", "value_count": ""}


class PredictionsLogged(Record):
    """What became of predictions, or of their truths."""

    __slots__ = ()

    duplicate_count: int
    """Those that were there."""
    recorded_count: int
    """Those that are new."""
    unknown: Records[str]
    """Ids of truths without a prediction."""

    _FIELDS: ClassVar[dict[str, str]] = {"duplicate_count": "", "recorded_count": "", "unknown": ""}


class PriceReport(Record):
    """What a price list held."""

    __slots__ = ()

    models: int
    """The models whose prices are known by it."""
    skipped: Records[SkippedPrice]
    """The entries that were passed over."""

    _FIELDS: ClassVar[dict[str, str]] = {"models": "", "skipped": "[SkippedPrice]"}


class Processed(Record):
    """What came of the work on stored events."""

    __slots__ = ()

    deals: int
    """Deals that were booked."""
    failed: Records[FailedDeal]
    """Deals that could not be, and wait for their next attempt. They are kept, and stop no other."""
    forgotten: int
    """Contacts that were forgotten."""
    next_due: Timestamp | None
    """When a deal that failed is due again; nothing waits when `None`."""

    _FIELDS: ClassVar[dict[str, str]] = {"deals": "", "failed": "[FailedDeal]", "forgotten": "", "next_due": ""}


class Pruned(Record):
    """What [`ClickStore::prune`] removed."""

    __slots__ = ()

    clicks: int
    """Clicks that are only counted now."""

    _FIELDS: ClassVar[dict[str, str]] = {"clicks": ""}


class Pruning(Record):
    """What [`Attribution::prune`] did."""

    __slots__ = ()

    before: Timestamp
    """Clicks before this moment are forgotten: the start of a day (UTC)."""
    clicks: int
    """How many clicks were forgotten by this call; they are only counted now."""
    destroyed_keys: int
    """How many keys were thrown away by this call: what was hashed under them can be computed by nobody any more."""

    _FIELDS: ClassVar[dict[str, str]] = {"before": "", "clicks": "", "destroyed_keys": ""}


class RampStep(Record):
    """One step on the way to a target that is further away than one window allows."""

    __slots__ = ()

    id: ChangeId
    """The ramp: the id of its first step."""
    step: int
    """Which step, from 1."""
    steps: int
    """How many there are."""
    target: int
    """Where the last one arrives."""

    _FIELDS: ClassVar[dict[str, str]] = {"id": "", "step": "", "steps": "", "target": ""}


class ReceiptCheck(Record):
    """Whether a receipt is as it was sealed."""

    __slots__ = ()

    problem: str | None
    """What is wrong with it."""
    verified: bool
    """Whether its bytes are those that were sealed, and what it lists leads to what it says was chosen."""

    _FIELDS: ClassVar[dict[str, str]] = {"problem": "", "verified": ""}


class Reconciled(Record):
    """What an on-demand reconciliation found."""

    __slots__ = ()

    late: int
    """Requests that had been judged not applied and were found to have landed late."""
    settled: int
    """Unknown requests that got their verdict."""
    unknown: int
    """Those that are still unknown: they may still land, or the platform could not be read."""

    _FIELDS: ClassVar[dict[str, str]] = {"late": "", "settled": "", "unknown": ""}


class RejectedClick(Record):
    """An element of a batch that is no click."""

    __slots__ = ()

    index: int
    """Its place in the batch, from 0."""
    problem: str
    """The field, what is wrong with it, and the way out."""

    _FIELDS: ClassVar[dict[str, str]] = {"index": "", "problem": ""}


class Resources(Record):
    """What the process uses; `None` where the platform does not tell."""

    __slots__ = ()

    cpu_percent: float | None
    """Percent of one processor, since the health was asked before; at first since the process started."""
    memory_mb: float | None
    """Memory that is resident, in MiB."""
    threads: int | None
    """Threads."""

    _FIELDS: ClassVar[dict[str, str]] = {"cpu_percent": "", "memory_mb": "", "threads": ""}


class ReturnOnSpend(Record):
    """A return on spend: minor units a minor unit, what is still to come of it included. The interval is that of the ad beside the pool, whose own rate is taken as known."""

    __slots__ = ()

    high: Ratio
    """5 % of the posterior lies above it."""
    low: Ratio
    """5 % of the posterior lies below it."""
    mean: Ratio
    """The mean."""

    _FIELDS: ClassVar[dict[str, str]] = {"high": "", "low": "", "mean": ""}


class Revaluation(Record):
    """Other values of the stages from a time on: learned from the events up to then, applied to every deal by an entry of its own."""

    __slots__ = ()

    cut: Timestamp
    """Events up to this time count, and the values hold after it."""
    events_seen: int
    """How many events that concern deals had happened up to the cut when the values were learned. A late event makes it more: the values are learned anew."""
    recorded_at: Timestamp
    """When it was asked for."""
    stage_table: str
    """The values, as JSON."""

    _FIELDS: ClassVar[dict[str, str]] = {"cut": "", "events_seen": "", "recorded_at": "", "stage_table": ""}


class RevenueTotals(Record):
    """Sums over the deals that were put."""

    __slots__ = ()

    by_ad: dict[str, int]
    """Minor units by ad. Ads without a deal are absent."""
    matches: MatchCounts
    """The deals by layer."""
    unattributed_minor: int
    """Minor units of the deals without a match."""

    _FIELDS: ClassVar[dict[str, str]] = {"by_ad": "", "matches": "MatchCounts", "unattributed_minor": ""}


class Roas(Record):
    """What the ads brought beside what they cost."""

    __slots__ = ()

    by: RoasDimension
    """By what."""
    problem_deals: int
    """Deals whose amount or stage could not be counted as it stands; see their `problem`."""
    rows: Records[RoasRow]
    """One row for each value of it, in byte order."""
    unassigned_spend_minor: int
    """What was spent on ads that do not tell it."""
    unassigned_value_minor: int
    """What deals are worth whose click is not known, or does not tell this dimension; in minor units."""

    _FIELDS: ClassVar[dict[str, str]] = {"by": "", "problem_deals": "", "rows": "[RoasRow]", "unassigned_spend_minor": "", "unassigned_value_minor": ""}


class RoasRow(Record):
    """One ad, ad set, campaign, keyword or content."""

    __slots__ = ()

    deals: int
    """Its deals, those that are worth nothing included."""
    high_millionths: int | None
    """The upper end."""
    id: str
    """Which."""
    low_millionths: int | None
    """The lower end of its interval: the return that a run of the same ads would have in the mean is inside in at least 95 of 100 cases. `None` where nothing was spent or no deal at all is worth anything yet."""
    roas_millionths: int | None
    """`value_minor` of `spend_minor`, in millionths; `None` where nothing was spent."""
    spend_minor: int
    """What it cost, in minor units."""
    value_minor: int
    """What they are worth, in minor units."""
    valued_deals: int
    """Those that are worth something."""

    _FIELDS: ClassVar[dict[str, str]] = {"deals": "", "high_millionths": "", "id": "", "low_millionths": "", "roas_millionths": "", "spend_minor": "", "value_minor": "", "valued_deals": ""}


class RouteDecision(Record):
    """What the router decided, and why."""

    __slots__ = ()

    complexity: Complexity
    """What the request was judged to be."""
    models: Records[ModelChoice]
    """The models in the order in which they are asked."""
    policy: str
    """What chose them: `complexity` for `ai.order`, `model` for one that the request or a policy names, `route` for a list, or the strategy of the route, as `weighted`."""
    propensity: float
    """The probability with which the first of the models was chosen to be the first, so that other policies can be evaluated on the log. Below 1 where it was drawn."""
    reason: str
    """Why, for a person."""
    score: float
    """How complex, 0 to 1."""

    _FIELDS: ClassVar[dict[str, str]] = {"complexity": "", "models": "[ModelChoice]", "policy": "", "propensity": "", "reason": "", "score": ""}


class RunReport(Record):
    """What a run did."""

    __slots__ = ()

    blocked: int
    """Steps after which a change was blocked."""
    completed: int
    """Changes that were completed."""
    errors: int
    """Errors of the store, after each of which the run went on."""
    failed: int
    """Changes that failed."""
    late: int
    """Requests that were found to have landed late."""
    passed_by: int
    """Steps that another worker was ahead of."""
    steps: int
    """Steps that were taken."""
    unknown: int
    """Steps that left a request unknown."""

    _FIELDS: ClassVar[dict[str, str]] = {"blocked": "", "completed": "", "errors": "", "failed": "", "late": "", "passed_by": "", "steps": "", "unknown": ""}


class SamplerState(Record):
    """Everything that the sampler learned of one tenant's ads. A join-semilattice: every event is folded in by a maximum, so that events and replicas may come in any order, twice, and by any way, and end in the same bytes of JSON. All numbers are integers; what is concluded from them is [`learn`](super::learn)'s."""

    __slots__ = ()

    ads: dict[str, AdState]
    """What is known of each ad, by its id."""

    _FIELDS: ClassVar[dict[str, str]] = {"ads": "{AdState}"}


class SecretRef(Record):
    """Where a credential is found. A configuration holds this, never the credential."""

    __slots__ = ()

    env: str | None
    file: str | None

    _FIELDS: ClassVar[dict[str, str]] = {"env": "", "file": ""}


class ShownValues(Record):
    """The values of the stages for people."""

    __slots__ = ()

    svg: str
    """A picture: the configured and the learned value of each stage, and below it the values by age where there are any."""
    table: str
    """A table as text, its columns aligned."""

    _FIELDS: ClassVar[dict[str, str]] = {"svg": "", "table": ""}


class SimilarWinner(Record):
    """A winner that is near what was asked for."""

    __slots__ = ()

    ad_id: str
    """The ad."""
    metadata: dict[str, Any]
    """What is known of it."""
    similarity: float
    """The cosine of the angle between the two embeddings: 1 is the same direction, 0 has nothing in common, -1 is the opposite."""

    _FIELDS: ClassVar[dict[str, str]] = {"ad_id": "", "metadata": "", "similarity": ""}


class SkippedPrice(Record):
    """An entry of a price list that has no price which chat can be counted by."""

    __slots__ = ()

    model: str
    """Its name."""
    reason: str
    """Why it is passed over."""

    _FIELDS: ClassVar[dict[str, str]] = {"model": "", "reason": ""}


class Spend(Record):
    """What a tenant spent."""

    __slots__ = ()

    by_day: dict[str, SpendTotal]
    """By day in UTC, as `2026-03-01`."""
    by_key: dict[str, SpendTotal]
    """By the caller's key. A call without one counts under none."""
    by_model: dict[str, SpendTotal]
    """By `PROVIDER/MODEL`."""
    by_provider: dict[str, SpendTotal]
    """The same by provider."""
    by_tag: dict[str, SpendTotal]
    """By tag. A call with several counts under each; one without counts under none."""
    cost: float
    """Dollars, for people."""
    cost_nano_usd: int
    """Billionths of a dollar."""
    limits: Records[LimitState]
    """Where the tenant's own limits stand."""
    requests: int
    """Answered calls. Cache hits are none."""
    reserved_nano_usd: int
    """Billionths of a dollar that calls in flight hold."""
    since: Timestamp | None
    """From when it counts; everything that is kept when null."""
    tokens: int
    """Tokens of prompts and answers."""
    unpriced_requests: int
    """Those whose price is not known; they count as free."""

    _FIELDS: ClassVar[dict[str, str]] = {"by_day": "{SpendTotal}", "by_key": "{SpendTotal}", "by_model": "{SpendTotal}", "by_provider": "{SpendTotal}", "by_tag": "{SpendTotal}", "cost": "", "cost_nano_usd": "", "limits": "[LimitState]", "requests": "", "reserved_nano_usd": "", "since": "", "tokens": "", "unpriced_requests": ""}


class SpendTotal(Record):
    """Calls, and what they came to."""

    __slots__ = ()

    cost: float
    """Dollars, for people."""
    cost_nano_usd: int
    """Billionths of a dollar."""
    requests: int
    """Answered calls."""
    tokens: int
    """Tokens of prompts and answers."""
    unpriced_requests: int
    """Those whose price is not known."""

    _FIELDS: ClassVar[dict[str, str]] = {"cost": "", "cost_nano_usd": "", "requests": "", "tokens": "", "unpriced_requests": ""}


class StageRow(Record):
    """What a stage is worth."""

    __slots__ = ()

    ages: Records[AgeRow]
    """What became of the deals by their age in it; empty until there are enough closed deals, and for stages that end a deal."""
    closed_deals: int
    """Closed deals that were in it."""
    default_minor: int
    """The configured value, in minor units."""
    pipeline: str | None
    """The pipeline, when it is a configured one."""
    probability_millionths: int
    """How probably a deal in it is won, in millionths, shrunk in the same way."""
    realised_minor: int
    """What they brought together, in minor units."""
    stage: str
    """The CRM's id of the stage."""
    value_minor: int
    """The value: that of `prior_deals` at the configured one and of the closed deals at what they brought, in the mean; to the nearest minor unit, halves up."""
    won_deals: int
    """Those of them that were won."""

    _FIELDS: ClassVar[dict[str, str]] = {"ages": "[AgeRow]", "closed_deals": "", "default_minor": "", "pipeline": "", "probability_millionths": "", "realised_minor": "", "stage": "", "value_minor": "", "won_deals": ""}


class StageTable(Record):
    """What the stages are worth, as learned from the events up to a time."""

    __slots__ = ()

    closed_deals: int
    """Deals that were won or lost by then."""
    cut: Timestamp
    """Events up to this time were counted."""
    prior_deals: int
    """So many deals at its configured value does each stage begin with."""
    rows: Records[StageRow]
    """The stages, by pipeline and id."""

    _FIELDS: ClassVar[dict[str, str]] = {"closed_deals": "", "cut": "", "prior_deals": "", "rows": "[StageRow]"}


class StageValues(Record):
    """What a deal in a pipeline stage is expected to bring, in minor units of the account's currency."""

    __slots__ = ()

    appointment_minor: int
    """A deal in one of `appointment_stages`."""
    appointment_stages: Records[str]
    """The CRM's ids of the stages between the first talk and the contract."""
    closed_minor: int
    """A deal in one of `closed_stages`."""
    closed_stages: Records[str]
    """The CRM's ids of the stages of won deals."""
    lead_minor: int
    """A deal in any stage that is not listed below."""
    lost_stages: Records[str]
    """The CRM's ids of the stages of lost deals, which are worth nothing."""

    _FIELDS: ClassVar[dict[str, str]] = {"appointment_minor": "", "appointment_stages": "", "closed_minor": "", "closed_stages": "", "lead_minor": "", "lost_stages": ""}


class StageWorth(Record):
    """What a deal in a stage is worth."""

    __slots__ = ()

    confidence_permille: int
    """How much of the value rests on closed deals instead of the configuration, in thousandths: `n / (n0 + n)`."""
    delta_minor: int
    """What the move changes: that less what it was worth in `stage_from`, in minor units."""
    probability_millionths: int
    """How probably a deal that has just come into `stage_to` is won, in millionths."""
    problem: str | None
    """What the configuration lacks: a pipeline or a stage."""
    stage_from: str | None
    """The stage before."""
    stage_to: str
    """The stage after."""
    synthetic_value_minor: int
    """What the deal is worth in `stage_to`, in minor units."""

    _FIELDS: ClassVar[dict[str, str]] = {"confidence_permille": "", "delta_minor": "", "probability_millionths": "", "problem": "", "stage_from": "", "stage_to": "", "synthetic_value_minor": ""}


class Step(Record):
    """What one step did."""

    __slots__ = ()

    moved: bool
    """Whether it moved; `false` when another worker was first."""
    row: ChangeRow
    """The change afterwards."""

    _FIELDS: ClassVar[dict[str, str]] = {"moved": "", "row": "ChangeRow"}


class Tick(Record):
    """What one [`tick`](ClosedLoop::tick) did."""

    __slots__ = ()

    allocation: Allocation
    """The budgets that are proposed."""
    deals: int
    """Deals that were worked on."""
    next_due: Timestamp | None
    """When there is something to do again; nothing is when `None`."""
    steps: int
    """Steps of budget changes that were done."""

    _FIELDS: ClassVar[dict[str, str]] = {"allocation": "Allocation", "deals": "", "next_due": "", "steps": ""}


class TokenCount(Record):
    """A number of tokens."""

    __slots__ = ()

    encoding: str | None
    """How the texts were counted: `cl100k_base`, `o200k_base`, or the name of a tokenizer that the host gave. None for an estimate."""
    error_percent: int
    """By how much, in percent, it may be off; 0 when exact. Most counts are within it."""
    exact: bool
    """Whether the provider counts the same. False for models whose encoding is not public, and for tools, formats, unknown images and other things whose price is not published."""
    tokens: int
    """How many."""

    _FIELDS: ClassVar[dict[str, str]] = {"encoding": "", "error_percent": "", "exact": "", "tokens": ""}


class TokenOptimization(Record):
    """How the limit of an answer was sized."""

    __slots__ = ()

    complexity: Complexity
    """What the prompt was judged to be."""
    optimized_limit: int
    """The limit after; never greater."""
    original_limit: int
    """The limit before: the user's own, or the default."""
    savings_percent: int
    """What was saved of the limit, in whole percent, rounded down."""

    _FIELDS: ClassVar[dict[str, str]] = {"complexity": "", "optimized_limit": "", "original_limit": "", "savings_percent": ""}


class TouchPath(Record):
    """The touches before conversions, or before none. Equal paths may be given once with their counts added up, or one by one."""

    __slots__ = ()

    at: Timestamp | None
    """When the conversions happened: touches after it do not count, and the lookback goes back from it. Without it both is the time of the last touch."""
    channels: Records[str]
    """The channel of each touch, in their order."""
    conversions: int
    """How many conversions came of it."""
    nulls: int
    """How many times the path was gone without a conversion."""
    times: Records[Timestamp] | None
    """The time of each touch, or nothing. They may be out of order: touches are put in the order of their times."""
    value_minor: int
    """What these conversions are worth together, in minor units; negative for refunds."""

    _FIELDS: ClassVar[dict[str, str]] = {"at": "", "channels": "", "conversions": "", "nulls": "", "times": "", "value_minor": ""}


class Tracked(Record):
    """What became of a batch of clicks."""

    __slots__ = ()

    duplicates: int
    """Clicks whose key was already there; nothing was changed for them."""
    inserted: int
    """Clicks that are stored now and were not before."""

    _FIELDS: ClassVar[dict[str, str]] = {"duplicates": "", "inserted": ""}


class TrackedClicks(Record):
    """What became of a batch of clicks."""

    __slots__ = ()

    bots: int
    """Clicks of known bots, which are not stored."""
    duplicates: int
    """Clicks that were there already."""
    inserted: int
    """Clicks that are stored now and were not before."""
    rejected: Records[RejectedClick]
    """Those that are no click."""

    _FIELDS: ClassVar[dict[str, str]] = {"bots": "", "duplicates": "", "inserted": "", "rejected": "[RejectedClick]"}


class Trained(Record):
    """What a training found."""

    __slots__ = ()

    conversions: int
    """The conversions with a consented device that it learnt from."""
    judged: Gain
    """How the two ways to choose do on masked conversions that the judging model had not seen."""
    masked: int
    """Those of them whose click is known by its id; it was hidden to judge what is found without it."""
    model_version: str
    """The model's name: matches that it judged tell it."""

    _FIELDS: ClassVar[dict[str, str]] = {"conversions": "", "judged": "Gain", "masked": "", "model_version": ""}


class UnitAssignment(Record):
    """What a unit gets."""

    __slots__ = ()

    arm_id: str
    """The arm."""
    counted: bool
    """Whether the unit is part of a comparison."""

    _FIELDS: ClassVar[dict[str, str]] = {"arm_id": "", "counted": ""}


class Usage(Record):
    """The tokens of one call, as OpenAI counts: the prompt's include the cached ones, the completion's the reasoning."""

    __slots__ = ()

    completion_tokens: int
    """Tokens of the answer, reasoning included."""
    prompt_tokens: int
    """Tokens of the prompt, cached ones included."""
    total_tokens: int
    """Both together, as the provider says."""

    _FIELDS: ClassVar[dict[str, str]] = {"completion_tokens": "", "prompt_tokens": "", "total_tokens": ""}
    _OPEN: ClassVar[bool] = True
    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


class Utm(Record):
    """The UTM parameters of a click's URL, as they stood there."""

    __slots__ = ()

    campaign: str | None
    """`utm_campaign`."""
    content: str | None
    """`utm_content`."""
    medium: str | None
    """`utm_medium`."""
    source: str | None
    """`utm_source`."""
    term: str | None
    """`utm_term`."""

    _FIELDS: ClassVar[dict[str, str]] = {"campaign": "", "content": "", "medium": "", "source": "", "term": ""}


class Winner(Record):
    """An ad that won, with the embedding of its creative."""

    __slots__ = ()

    ad_id: str
    """The ad: 1 to 256 bytes."""
    embedding: Records[float]
    """The embedding of its creative. Only its direction counts: it is kept, and given back, at length 1."""
    metadata: dict[str, Any]
    """What is known of it, at most 16 kB: filters ask for it."""

    _FIELDS: ClassVar[dict[str, str]] = {"ad_id": "", "embedding": "", "metadata": ""}


__all__ = ["Accepted", "AccountState", "Activity", "AdChange", "AdClicks", "AdInsight", "AdObject", "AdObjectKind", "AdObjectPage", "AdShare", "AdState", "AdWrite", "Added", "AgeRow", "Allocation", "AllocationLogRow", "Appended", "Approval", "ArmStatus", "Around", "Attempt", "AttemptStatus", "Attributed", "AuditKind", "AuditReport", "AuditRow", "Backlog", "BacklogCount", "BestProbability", "BreakerState", "CacheStats", "CalibrationBin", "CallContext", "CallOptions", "CallReport", "CanarySnapshot", "CanaryState", "Candidate", "ChangeField", "ChangeId", "ChangeRow", "ChangeStatus", "ChannelCredit", "ChatChunk", "ChatRequest", "ChatResponse", "Choice", "ChunkChoice", "Click", "ClickThrough", "Complexity", "Contact", "Content", "ContentPart", "CreditModel", "CreditParameters", "CreditTotal", "Credits", "CrmChange", "CrmEvent", "CtrModels", "CtrPrediction", "CtrReport", "CtrVersion", "Currency", "Day", "DayFigures", "Deal", "DealFacts", "DealOutcome", "DealRecord", "DealRevenue", "DeliveryStatus", "Delta", "Device", "Document", "Effect", "EffectScale", "EmbedRequest", "EmbedResponse", "Embeddings", "EntryCause", "Erased", "ErasedClick", "Erasure", "Estimator", "EventProblem", "EventsRecorded", "ExperimentPhase", "ExperimentStatus", "ExperimentTransition", "Explanation", "FailedDeal", "Gain", "GateDecision", "GateVerdict", "Generation", "GuardrailStatus", "Health", "HealthCheck", "HealthDetail", "HealthStatus", "HoldoutUnit", "Incrementality", "IndexKind", "IndexStats", "KeyedHash", "KillScope", "Layer", "LedgerEntry", "LimitScope", "LimitState", "Match", "MatchCounts", "Message", "Migration", "Millionths", "ModelChoice", "NetworkKind", "OffPolicyEvaluation", "Outcome", "Owner", "OwnerAllocation", "OwnerLevel", "OwnerState", "Performance", "Persisted", "Personal", "Pipeline", "Plan", "PlannedChange", "PlannedOutcome", "PolicyEstimate", "PositionWeights", "PosteriorSummary", "Posteriors", "PredictionScores", "PredictionsLogged", "PriceReport", "Processed", "Pruned", "Pruning", "RampStep", "Ratio", "Reason", "ReceiptCheck", "Reconciled", "RejectedClick", "Resources", "ReturnOnSpend", "Revaluation", "RevenueTotals", "Roas", "RoasDimension", "RoasRow", "RouteDecision", "RunReport", "SamplerState", "SecretRef", "ShownValues", "SimilarWinner", "SkippedPrice", "Spend", "SpendTotal", "StageRow", "StageTable", "StageValues", "StageWorth", "Step", "TenantId", "Tick", "Timestamp", "TokenCount", "TokenOptimization", "TouchPath", "Tracked", "TrackedClicks", "Trained", "UnitAssignment", "Usage", "Utm", "Window", "Winner", "Zone"]
