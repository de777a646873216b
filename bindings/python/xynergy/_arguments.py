# Written by `python3 bindings/generate` from the description of the public surface; do not edit.
# ruff: noqa
"""What calls take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypedDict, Union

from xynergy import _types

class AdDict(TypedDict):
    """An ad with its figures over one period, the same for all ads."""

    active: bool
    """Whether it may be delivered; one that may not gets no share."""
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
    level: OwnerLevel
    """Which of the two owns its budget."""
    spend_minor: int
    """What it cost, in minor units."""

AdLike = AdDict

class AdAccountDict(TypedDict):
    """An ad account as the loop sees it: its ads with what they brought, and the bounds of its budgets."""

    account_id: str
    """The ad platform's id of the account."""
    ads: Sequence[AdLike]
    """The ads whose owners' budgets are to be allocated."""
    constraints: ConstraintsLike
    """The bounds of the next budgets, in minor units a day."""
    currency: Currency
    """The currency of every amount."""

AdAccountLike = AdAccountDict

class _AdChangeRequired(TypedDict):
    account_id: str
    """The ad account."""
    campaign_id: str
    """The campaign that the owner is, or is in."""
    currency: Currency
    """The currency of both values."""
    expected_from: int
    """The value that the decision was made on. If the platform shows another one, the change is not applied."""
    field: ChangeField
    """What to change."""
    id: ChangeId
    """Its key. Queueing the same id again changes nothing."""
    owner: OwnerLike
    """The object to change."""
    target: int
    """The value to set."""

class AdChangeDict(_AdChangeRequired, total=False):
    """A wish to move one field of one owner from what it was seen at to a target."""

    allocation_id: str | None
    """The allocation it belongs to: its raises wait for its cuts."""
    causation_id: str | None
    """The event or request that caused it."""
    expires_at: Timestamp | None
    """After this time it is not applied any more; by default the policy's `expires_after_ms` from queueing."""
    ramp: RampStepLike | None
    """Which step of a ramp it is, where its target is reached in several."""
    reason: str
    """Why, in words, for the audit trail."""

AdChangeLike = Union["AdChangeDict", "_types.AdChange"]

class AdEvidenceDict(TypedDict):
    """What one ad did over the period that the request looks at."""

    active: bool
    """Whether the ad runs. One that does not still informs the pool, and gets no share."""
    ad_id: str
    """The ad's id."""
    clicks: int
    """How often it was clicked; at most the impressions."""
    deals: int
    """The deals attributed to it, lost ones included."""
    impressions: int
    """How often it was shown."""
    spend_minor: int
    """What was spent on it, in minor units."""
    value_minor: int
    """What these deals are worth at their stages, in minor units."""

AdEvidenceLike = AdEvidenceDict

AdObjectKind = Union[Literal["ad", "ad_set", "campaign", "creative", "video"]]
"""What kind of object it is."""

class AdParentsDict(TypedDict, total=False):
    """Where an ad hangs."""

    adset_id: str | None
    """Its ad set."""
    campaign_id: str | None
    """Its campaign."""

AdParentsLike = AdParentsDict

class AdShareDict(TypedDict):
    """What one ad's evidence contributes."""

    ad_id: str
    """The ad's id."""
    probability: Millionths
    """The probability that it is the best ad. The probabilities of all ads sum to one."""
    share: Millionths
    """Its part of the total before the constraints, exploration included. The shares of all ads sum to one."""

AdShareLike = Union["AdShareDict", "_types.AdShare"]

class AdSpendDict(TypedDict, total=False):
    """What some of the ads cost. What is not known may be left out: the cost then counts in no row of that dimension."""

    ad_id: str | None
    """The ad."""
    adset_id: str | None
    """The ad set."""
    campaign_id: str | None
    """The campaign."""
    content: str | None
    """The content, as it stands in `utm_content`."""
    keyword: str | None
    """The keyword, as it stands in `utm_term`."""
    spend_minor: int
    """What it cost, in minor units of the base currency."""

AdSpendLike = AdSpendDict

AfterConversion = Union[Literal["keep", "restart"]]
"""Which touches a further conversion of the same journey is owed to."""

class AllocationDict(TypedDict):
    """The budgets that the evidence speaks for, within the constraints."""

    left_out: Sequence[str]
    """The owners without an active ad, by id: their budgets stay, and are not part of the total."""
    proposed_total_minor: int
    """What the proposed budgets sum to, in minor units. It differs from the total where steps and limits do not reach it."""
    rows: Sequence[OwnerAllocationLike]
    """One row an owner that has an active ad, by owner id."""
    total_minor: int
    """The total that was asked for, in minor units."""

AllocationLike = Union["AllocationDict", "_types.Allocation"]

class AllocationRequestDict(TypedDict):
    """What an allocation is computed from."""

    constraints: ConstraintsLike
    """The limits of the new budgets."""
    currency: Currency
    """The currency of every amount, for the reasons in words."""
    draws: int
    """How many draws: 1 to 10,000,000, usually [`DEFAULT_DRAWS`]."""
    owners: Sequence[OwnerBudgetLike]
    """The objects that hold a budget, in any order."""
    seed: int
    """The seed of the draws."""

AllocationRequestLike = AllocationRequestDict

Better = Union[Literal["higher", "lower"]]
"""Which way is better."""

Bytes = Union[str, "Mapping[str, Any]"]
"""Raw bytes: text, or anything else as base64."""

class CallOptionsDict(TypedDict, total=False):
    """What a caller tells this library about one call. No provider sees it."""

    cache: bool | None
    """False neither reads nor fills the cache."""
    key: str | None
    """A name of the caller's that the spend is counted and limited under, as that of the API key which the host handed out. Never the secret itself: it is stored and reported."""
    optimize_tokens: bool
    """Whether the library sizes the limit of the answer. Not with tools or a response format."""
    session: str | None
    """A name of the caller's for the conversation that the call belongs to. By it `sticky` and `canary` routes keep a conversation at one model; without it they know one by its first messages."""
    tags: Sequence[str]
    """Names under which the spend is counted and limited."""

CallOptionsLike = Union["CallOptionsDict", "_types.CallOptions"]

ChangeField = Union[Literal["bid", "budget", "status"]]
"""What a change moves. Its values are integers: minor units for money, [`DeliveryStatus::code`] for a status."""

ChangeId = Union[str]
"""A change's key: 128 bits, 32 hex digits outside."""

ChangeStatus = Union[Literal["blocked", "claimed", "completed", "executing", "failed", "pending"]]
"""Where a change stands."""

class _ChatRequestRequired(TypedDict):
    messages: Sequence[MessageLike]
    """The conversation so far."""

class ChatRequestDict(_ChatRequestRequired, total=False):
    """A chat completion to be made, in OpenAI's shape. `model` is a route, a provider, a provider's model (`openai/gpt-4o-mini`) or the model of one of the configured providers; empty or `auto` lets the router choose."""

    max_completion_tokens: int | None
    """The newer name of `max_tokens`; it wins where both are given. Each provider is sent the name that it knows."""
    max_tokens: int | None
    """The greatest number of tokens of the answer."""
    model: str
    """Which model."""
    n: int | None
    """The number of answers."""
    response_format: Any
    """The format that the answer must have."""
    temperature: float | None
    """How freely the model chooses, 0 to 2."""
    tools: Sequence[Any]
    """The tools that the model may call, as they came."""
    xynergy: CallOptionsLike
    """What is meant for this library and sent to no provider."""

ChatRequestLike = Union["ChatRequestDict", "_types.ChatRequest", Mapping[str, Any]]

class ConstraintsDict(TypedDict):
    """The limits of the new budgets. A single change is limited to a fifth of the present budget besides."""

    max_minor: int
    """The greatest daily budget of an owner, in minor units."""
    min_minor: int
    """The least daily budget of an owner, in minor units."""
    total_daily_minor: int
    """What the new daily budgets of owners with active ads sum to, in minor units."""

ConstraintsLike = ConstraintsDict

Content = Union[str, "Sequence[ContentPartLike]"]
"""What a message says."""

class ContentPartDict(TypedDict, total=False):
    """One part of a message."""

    text: str | None
    """The text, in a text part."""
    type: str
    """What it is, as `text` or `image_url`."""

ContentPartLike = Union["ContentPartDict", "_types.ContentPart", Mapping[str, Any]]

CreditModel = Union[Literal["first", "last", "last_non_direct", "linear", "linear_per_channel", "position", "time_decay", "markov", "shapley"]]
"""How the conversions of a path are divided among its touches."""

class CtrAdDict(TypedDict):
    """An ad of which nothing is known but its features."""

    ad_id: str
    """The ad's id."""
    features: Mapping[str, Any]
    """What is known of it: texts, numbers, booleans or null by name."""

CtrAdLike = CtrAdDict

class CtrOptionsDict(TypedDict, total=False):
    """How a model learns."""

    hash_bits: int
    """Features are hashed to 2 to the power of this many places: 8 to 24, 16 by default."""
    l1: float
    """What weights have to overcome before they count: 0.5 by default."""
    l2: float
    """How strongly weights are held at 0: 1 by default."""
    learning_rate: float
    """How fast it learns: 0.1 by default."""

CtrOptionsLike = CtrOptionsDict

class _CtrRowRequired(TypedDict):
    clicks: int
    """How many of them were clicked."""
    features: Mapping[str, Any]
    """What is known of them: texts, numbers, booleans or null by name."""

class CtrRowDict(_CtrRowRequired, total=False):
    """Impressions with the same features, and their clicks."""

    ad_id: str | None
    """The ad, to learn from how far ads lie from their predictions; it is no feature."""
    impressions: int
    """How many there were: 1 by default."""

CtrRowLike = CtrRowDict

Currency = Union[str]
"""A currency by its three-letter code, as `USD`."""

class ErasureSubjectDict(TypedDict, total=False):
    """Whose clicks are to be erased: every click that one of these names. At least one is given."""

    accept_language: str | None
    """The `Accept-Language` that goes with them. It is needed only where layer 3 is not used."""
    click_id: str | None
    """The id of a click: the host's, or the one that `track_click` returned."""
    ip: str | None
    """An address. With `user_agent` every click of the two is meant, alone every click of the address where devices are kept."""
    platform_click_id: str | None
    """An ad platform's click id, as it stands in a URL, or Meta's cookie `_fbc`."""
    url: str | None
    """The URL of a landing page: every click id in it is meant."""
    user_agent: str | None
    """The user agent that goes with `ip`."""

ErasureSubjectLike = ErasureSubjectDict

Estimator = Union[Literal["replay", "dm", "ips", "snips", "dr"]]
"""How the value of a policy is estimated."""

class EvaluationOptionsDict(TypedDict, total=False):
    """How a policy is evaluated."""

    confidence: float
    """How sure the intervals are: 0.95 by default; above 0.5, below 1."""
    estimator: Estimator
    """The estimator whose interval decides: `dr` by default."""
    least_effective_rewards: float
    """Below so many effective rewards nothing is concluded: 10 by default."""
    least_effective_rows: float
    """Below so many effective rows (Kish's effective sample size of the weights) nothing is concluded: 100 by default."""
    max_weight: float | None
    """Importance weights above this count as this. The estimate is biased then, towards what was logged; null clips none."""
    reward_max: float | None
    """The largest reward that a row can have, for the upper end of what was not yet seen; by default the largest in the log."""
    seed: int
    """The seed of replay's rejections, for a policy that is not deterministic."""

EvaluationOptionsLike = EvaluationOptionsDict

class ExperimentArmDict(TypedDict):
    """One of the ways that are compared."""

    arm_id: str
    """The arm's id."""
    share_ppm: int
    """Its part of the units, of a million."""

ExperimentArmLike = ExperimentArmDict

class _ExperimentEventRequired(TypedDict):
    event_id: str
    """Names the event: the same id twice is one event."""
    unit_id: str
    """Who or what it happened to."""

class ExperimentEventDict(_ExperimentEventRequired, total=False):
    """What happened to a unit: it was exposed, or a metric's event came."""

    metric: str | None
    """The metric; none says that the unit was exposed."""
    value_minor: int | None
    """The value, of a metric that has values: minor units."""

ExperimentEventLike = ExperimentEventDict

class _ExperimentMetricRequired(TypedDict):
    kind: MetricKind
    """Whether it happens or has a value."""
    name: str
    """The metric's name, as events have it."""

class ExperimentMetricDict(_ExperimentMetricRequired, total=False):
    """What is measured of a unit."""

    better: Better
    """Whether more of it is better: `higher` by default."""

ExperimentMetricLike = ExperimentMetricDict

class _ExperimentSpecRequired(TypedDict):
    arms: Sequence[ExperimentArmLike]
    """At least two arms, whose shares sum to a million."""
    control: str
    """The arm that the others are compared with."""
    experiment_id: str
    """Names the experiment."""
    metric: ExperimentMetricLike
    """What is to get better."""

class ExperimentSpecDict(_ExperimentSpecRequired, total=False):
    """What an experiment compares, and when it decides."""

    alpha_ppm: int
    """How probable it may be, of a million, that anything is called different where nothing is, over all arms and all looks: 50,000 by default."""
    auto_promote: bool
    """Whether the winner gets all units but the held-back ones when it is found, and loses them again when it turns out worse."""
    guardrails: Sequence[GuardrailLike]
    """What must not get worse."""
    holdback_ppm: int
    """The share that stays with the control after a promotion, so that it can be seen to be wrong: 100,000 of a million by default."""
    key: str | None
    """What the hash of units is keyed with: the experiment's id by default. Experiments with the same key assign alike."""
    planned_units: int
    """About how many units will be recorded: 10,000 by default. Intervals of values are narrowest then, and units are stored in documents of about 200."""

ExperimentSpecLike = ExperimentSpecDict

class _GroupOutcomeRequired(TypedDict):
    conversions: int
    """Those that converted."""
    unit_count: int
    """Its units, those without a conversion included."""

class GroupOutcomeDict(_GroupOutcomeRequired, total=False):
    """What a group brought."""

    values_minor: Sequence[int] | None
    """The value of each that converted, in minor units; the multiplier is one of value then."""

GroupOutcomeLike = GroupOutcomeDict

class _GuardrailRequired(TypedDict):
    metric: ExperimentMetricLike
    """What is measured."""

class GuardrailDict(_GuardrailRequired, total=False):
    """What must not get worse."""

    margin_ppm: int
    """How much worse than the control it may be, of a million of the control's: 0 by default."""

GuardrailLike = GuardrailDict

HumanVerdict = Union[Literal["applied", "not_applied"]]
"""What a person found out about a request."""

class _JourneyRequired(TypedDict):
    channels: Sequence[str]
    """The channel of each touch."""
    times: Sequence[Timestamp]
    """The time of each touch."""

class JourneyDict(_JourneyRequired, total=False):
    """Everything that is known of one person: touches and conversions, each with its time."""

    conversions: Sequence[JourneyConversionLike]
    """The conversions, in any order."""

JourneyLike = JourneyDict

class JourneyConversionDict(TypedDict):
    """A conversion of a journey."""

    at: Timestamp
    """When it happened."""
    value_minor: int
    """What it is worth, in minor units; negative for a refund."""

JourneyConversionLike = JourneyConversionDict

KillScope = Union[Literal["global", "tenant"], "Mapping[str, Any]"]
"""What a kill switch covers."""

LimitScope = Union[Literal["tenant"], "Mapping[str, Any]"]
"""What a limit is for."""

class _LoggedDecisionRequired(TypedDict):
    action: str
    """What was chosen: an ad's id."""
    propensity: float
    """The probability with which it was chosen: above 0, at most 1."""
    reward: float
    """What came of it, in whatever unit the answer is to have: 1 or 0 for a click, minor units for revenue."""

class LoggedDecisionDict(_LoggedDecisionRequired, total=False):
    """One decision that was made and what came of it: a row of the log that a policy is evaluated on. Of an auction, an impression or a visit it is what was shown. Of budgets it is a unit of money: a row for each ad and day, with the ad's share as `propensity`, what a minor unit of its spend brought as `reward`, its spend as `weight`, and the day as `unit`."""

    context: str
    """The situation, where policies depend on one; empty where they do not."""
    predicted: Mapping[str, float] | None
    """The caller's prediction of the reward of every action here. Without it a mean an action, fitted on other rows, stands in."""
    unit: str | None
    """Rows of the same unit (a day, a person) may depend on each other, and are one observation to the intervals. Each row is its own by default."""
    weight: float | None
    """How much the decision counts: 1 by default."""

LoggedDecisionLike = LoggedDecisionDict

class _LoggedPredictionRequired(TypedDict):
    model: str
    """What predicted, as `ctr-3`: scores are asked for by this."""
    prediction_id: str
    """Names the prediction: the same id twice is one prediction."""

class LoggedPredictionDict(_LoggedPredictionRequired, total=False):
    """A prediction, written down before its truth is known. It has a `probability` of something that happens or not, or a `value` with the ends of an interval."""

    confidence: float | None
    """How much of the truths the interval is meant to hold: 0.95 by default."""
    lower: float | None
    """The lower end of the interval of the value."""
    probability: float | None
    """The probability that it happens: 0 to 1."""
    upper: float | None
    """The upper end of the interval of the value."""
    value: float | None
    """The predicted value."""

LoggedPredictionLike = LoggedPredictionDict

class MessageDict(TypedDict, total=False):
    """One message of a conversation."""

    content: Content | None
    """What is said; absent beside tool calls."""
    refusal: str | None
    """Why the model refused."""
    role: str
    """Who speaks."""
    tool_calls: Sequence[Any]
    """The tools that the model calls, as they came."""

MessageLike = Union["MessageDict", "_types.Message", Mapping[str, Any]]

MetricKind = Union[Literal["binary", "value"]]
"""What a metric is of a unit."""

Millionths = Union[str]
"""A share or a probability in whole millionths, so that no float reaches an output."""

class OwnerDict(TypedDict):
    """The object whose budget a change moves."""

    id: str
    """Its id on the platform."""
    level: OwnerLevel
    """Whether it is an ad set or a campaign."""

OwnerLike = Union["OwnerDict", "_types.Owner"]

class OwnerAllocationDict(TypedDict):
    """The budget of one owner."""

    ads: Sequence[AdShareLike]
    """The owner's ads, by id; one that does not run has no share."""
    current_minor: int
    """The daily budget now, in minor units."""
    level: OwnerLevel
    """Where the budget sits."""
    owner_id: str
    """The ad set's or campaign's id."""
    proposed_minor: int
    """The proposed daily budget, in minor units."""
    reason: str
    """Why, in words, for a person."""

OwnerAllocationLike = Union["OwnerAllocationDict", "_types.OwnerAllocation"]

class OwnerBudgetDict(TypedDict):
    """An object that holds a daily budget, and its ads."""

    ads: Sequence[AdEvidenceLike]
    """The ads that the budget pays for, in any order."""
    current_minor: int
    """The daily budget now, in minor units."""
    level: OwnerLevel
    """Where the budget sits."""
    owner_id: str
    """The ad set's or campaign's id."""

OwnerBudgetLike = OwnerBudgetDict

OwnerLevel = Union[Literal["adset", "campaign"]]
"""Where a budget sits. No platform has one at an ad."""

class PositionWeightsDict(TypedDict):
    """The weights of [`CreditModel::Position`]: whole numbers, of which only the proportions matter."""

    between: int
    """Of all touches between, together."""
    first: int
    """Of the first touch."""
    last: int
    """Of the last touch."""

PositionWeightsLike = Union["PositionWeightsDict", "_types.PositionWeights"]

class PredictionTruthDict(TypedDict):
    """What came true of a prediction."""

    prediction_id: str
    """The prediction's id."""
    truth: float
    """1 or 0 for whether it happened, else the true value."""

PredictionTruthLike = PredictionTruthDict

PromptOrRequest = Union[str, "ChatRequestLike"]
"""A prompt, or a whole request."""

class RampStepDict(TypedDict):
    """One step on the way to a target that is further away than one window allows."""

    id: ChangeId
    """The ramp: the id of its first step."""
    step: int
    """Which step, from 1."""
    steps: int
    """How many there are."""
    target: int
    """Where the last one arrives."""

RampStepLike = Union["RampStepDict", "_types.RampStep"]

Reason = Union[Literal["above_ceiling", "rate_limit_account", "account_cap", "attempts_exhausted", "awaiting_approval", "awaiting_step", "awaiting_cuts", "below_floor", "cancelled", "conflict", "drifted", "edited", "expired", "in_flight", "kill_switch", "landed_late", "learning_phase", "not_applied", "not_sent", "platform_rejected", "rate_limit_campaign", "rate_limit_owner", "reconciled", "resolved", "stale_snapshot", "superseded", "throttled", "unauthorized", "unknown", "unreachable", "velocity", "wrong_budget_type", "wrong_currency", "wrong_object"]]
"""Why a change stands where it stands. The names are stable."""

RoasDimension = Union[Literal["ad", "adset", "campaign", "keyword", "content"]]
"""By what revenue is set beside spend."""

class TargetPolicyDict(TypedDict, total=False):
    """With which probability a policy chooses which action."""

    actions: Mapping[str, float]
    """The probability of each action where `contexts` says nothing else; they sum to one."""
    contexts: Mapping[str, Mapping[str, float]]
    """The probability of each action in a context, by context; they sum to one in each."""

TargetPolicyLike = TargetPolicyDict

Timestamp = Union[str, datetime]
"""A point in time: microseconds since 1970-01-01 UTC. RFC 3339 outside, as `2026-03-01T12:00:00Z`."""

class _TouchPathRequired(TypedDict):
    channels: Sequence[str]
    """The channel of each touch, in their order."""

class TouchPathDict(_TouchPathRequired, total=False):
    """The touches before conversions, or before none. Equal paths may be given once with their counts added up, or one by one."""

    at: Timestamp | None
    """When the conversions happened: touches after it do not count, and the lookback goes back from it. Without it both is the time of the last touch."""
    conversions: int
    """How many conversions came of it."""
    nulls: int
    """How many times the path was gone without a conversion."""
    times: Sequence[Timestamp] | None
    """The time of each touch, or nothing. They may be out of order: touches are put in the order of their times."""
    value_minor: int
    """What these conversions are worth together, in minor units; negative for refunds."""

TouchPathLike = Union["TouchPathDict", "_types.TouchPath"]

Window = Union[Literal["minute", "hour", "day", "month"]]
"""A span of the calendar."""

Zone = Union[str]
"""A time zone by its IANA name, as `Europe/Berlin`. The rules come with the library, so that all replicas of one version agree."""

