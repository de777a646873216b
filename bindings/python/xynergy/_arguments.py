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

class _AdEvidenceRequired(TypedDict):
    active: bool
    """Whether the ad runs. One that does not still informs the pool, and gets no share."""
    ad_id: str
    """The ad's id."""

class AdEvidenceDict(_AdEvidenceRequired, total=False):
    """An ad, and what it did over the period that the request looks at. Figures that are left out are 0."""

    clicks: int
    """How often it was clicked; at most the impressions."""
    deals: int
    """The deals attributed to it, lost ones included."""
    impressions: int
    """How often it was shown."""
    prior: AdPriorLike | None
    """What is expected of it before it has evidence; only with [`AllocationRequest::sampler`]."""
    spend_minor: int
    """What was spent on it, in minor units."""
    value_minor: int
    """What these deals are worth at their stages, in minor units."""

AdEvidenceLike = AdEvidenceDict

AdObjectKind = Union[Literal["ad", "ad_set", "campaign", "creative", "video"]]
"""What kind of object it is."""

class _AdObservationRequired(TypedDict):
    ad_id: str
    """The ad's id."""
    clicks: int
    """How often it was clicked that day; at most the impressions."""
    day: Day
    """The day of the figures."""
    impressions: int
    """How often it was shown that day."""
    spend_minor: int
    """What was spent on it that day, in minor units."""

class AdObservationDict(_AdObservationRequired, total=False):
    """What an ad platform reports of one ad and one day: totals, not increments. Platforms correct their figures for days. Of several reports of one day that of the latest `observed_at` counts, whatever order they arrive in, and giving one again changes nothing."""

    observed_at: Timestamp | None
    """When the figures were read; now when it is not given."""

AdObservationLike = AdObservationDict

class AdParentsDict(TypedDict, total=False):
    """Where an ad hangs."""

    adset_id: str | None
    """Its ad set."""
    campaign_id: str | None
    """Its campaign."""

AdParentsLike = AdParentsDict

class AdPriorDict(TypedDict, total=False):
    """What is expected of an ad before it has evidence of its own, from winners like it or from a model. What is left out is as in the pool."""

    click_through: BetaPriorLike | None
    """The click-through."""
    returned: ReturnPriorLike | None
    """The return."""

AdPriorLike = AdPriorDict

class _AdShareRequired(TypedDict):
    ad_id: str
    """The ad's id."""
    probability: Millionths
    """The probability that it is the best ad. The probabilities of all ads sum to one."""
    share: Millionths
    """Its part of the total before the constraints, exploration included. The shares of all ads sum to one."""

class AdShareDict(_AdShareRequired, total=False):
    """What one ad's evidence contributes."""

    posterior: PosteriorSummaryLike | None
    """What is believed of it."""
    propensity: Millionths | None
    """The probability that a unit of the proposed budgets goes to it, for the evaluation of later policies: its owner's part of the proposed total, divided among the owner's ads by their shares. The propensities of all ads sum to one. Like the posterior it is there with the sampler."""

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

class AdStateDict(TypedDict, total=False):
    """What is known of one ad."""

    days: Mapping[str, DayFiguresLike]
    """Its figures by day."""
    deals: Mapping[str, DealRecordLike]
    """Its deals, by the deal's id or else the event's."""
    since: Day | None
    """The first day that is remembered; what is older is forgotten, and not taken in again."""

AdStateLike = Union["AdStateDict", "_types.AdState"]

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

class _AllocationRequestRequired(TypedDict):
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

class AllocationRequestDict(_AllocationRequestRequired, total=False):
    """What an allocation is computed from."""

    sampler: SamplerOptionsLike | None
    """Learns from what was observed and fed back, and not from figures in the request. The ads' figures are left out then."""

AllocationRequestLike = AllocationRequestDict

class BetaAdDict(TypedDict):
    """An ad by its click-through alone."""

    ad_id: str
    """The ad's id."""
    click_through: BetaPriorLike
    """What is believed of its click-through."""

BetaAdLike = BetaAdDict

class BetaPriorDict(TypedDict):
    """A Beta distribution: as of `alpha` clicks and `beta` impressions without one."""

    alpha: float
    """Above 0, at most 10^12."""
    beta: float
    """At least 1, at most 10^12."""

BetaPriorLike = BetaPriorDict

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

class ClickThroughDict(TypedDict):
    """A click-through, as a part of 1."""

    high: Ratio
    """5 % of the posterior lies above it."""
    low: Ratio
    """5 % of the posterior lies below it."""
    mean: Ratio
    """The mean."""

ClickThroughLike = Union["ClickThroughDict", "_types.ClickThrough"]

class _ConstraintsRequired(TypedDict):
    max_minor: int
    """The greatest daily budget of an owner, in minor units."""
    min_minor: int
    """The least daily budget of an owner, in minor units."""
    total_daily_minor: int
    """What the new daily budgets of owners with active ads sum to, in minor units."""

class ConstraintsDict(_ConstraintsRequired, total=False):
    """The limits of the new budgets."""

    exploration: Millionths | None
    """The share that every active ad keeps, so that no ad stops teaching: 0.01 unless given, and at most half of an equal share."""
    groups: Sequence[GroupLimitLike]
    """Limits of what several owners get together."""
    hysteresis: Millionths | None
    """A change by less than this part of the present budget is not made, where the total can be kept without it."""
    step: Millionths | None
    """How much of its present budget one change may be: a fifth unless given."""
    unit_minor: int | None
    """The platform's smallest step, in minor units: every changed budget is a multiple of it. 1 unless given."""

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

Day = Union[str]
"""A calendar day, as `2026-03-01`: of the ad account's time zone in figures, of UTC where it follows from a time."""

class DayFiguresDict(TypedDict):
    """The figures of one ad and day. The order of the fields is the order of the join: the latest reading is the greatest."""

    clicks: int
    """How often it was clicked."""
    impressions: int
    """How often the ad was shown."""
    observed_at: Timestamp
    """When they were read."""
    spend_minor: int
    """What was spent, in minor units."""

DayFiguresLike = Union["DayFiguresDict", "_types.DayFigures"]

class _DealFeedbackRequired(TypedDict):
    ad_id: str
    """The ad that gets the credit."""
    event_id: str
    """Names the event."""
    occurred_at: Timestamp
    """When it became so."""
    pipeline_value_minor: int
    """What the deal is worth as things stand, in minor units."""

class DealFeedbackDict(_DealFeedbackRequired, total=False):
    """What became of a deal behind an ad. Of several events of one deal and ad the latest counts (by `occurred_at`, and of the same time the greatest `event_id`), whatever order they arrive in: a deal that was open and is won now counts once, as won. An event that was given before changes nothing."""

    clicked_at: Timestamp | None
    """When the ad was clicked. Without it the deal teaches nothing about how long deals take, and belongs to the day on which it occurred."""
    credit: Millionths
    """The part of the deal that the ad gets, the probability of the match: 1 unless given."""
    deal_id: str | None
    """The deal, where it may have several events; each event is a deal of its own otherwise."""
    outcome: DealOutcome
    """Where the deal stands."""
    spend_minor: int | None
    """What was spent on the ad for it, in minor units: counts on days whose spend was not observed."""

DealFeedbackLike = DealFeedbackDict

DealOutcome = Union[Literal["open", "won", "lost"]]
"""Where a deal stands."""

class _DealRecordRequired(TypedDict):
    credit: Millionths
    """The part of it that the ad gets."""
    event_id: str
    """The event that said it."""
    occurred_at: Timestamp
    """When it became so."""
    outcome: DealOutcome
    """Where the deal stands."""
    value_minor: int
    """What it is worth, in minor units."""

class DealRecordDict(_DealRecordRequired, total=False):
    """The latest that is known of one deal. The order of the fields is the order of the join."""

    clicked_at: Timestamp | None
    """When the ad was clicked."""
    spend_minor: int | None
    """What was spent for it, in minor units."""

DealRecordLike = Union["DealRecordDict", "_types.DealRecord"]

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

class _GroupLimitRequired(TypedDict):
    name: str
    """The name that [`OwnerBudget::group`] refers to."""

class GroupLimitDict(_GroupLimitRequired, total=False):
    """What the owners of a group get together."""

    max_minor: int | None
    """The greatest sum of their daily budgets, in minor units."""
    min_minor: int | None
    """The least sum of their daily budgets, in minor units."""

GroupLimitLike = GroupLimitDict

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

class _OwnerAllocationRequired(TypedDict):
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

class OwnerAllocationDict(_OwnerAllocationRequired, total=False):
    """The budget of one owner."""

    probability: Millionths | None
    """The probability that the best ad is one of its own. Like all that follows it is there with the sampler."""
    propensity: Millionths | None
    """The part of the proposed total that it gets: the probability that a unit of budget goes to one of its ads."""

OwnerAllocationLike = Union["OwnerAllocationDict", "_types.OwnerAllocation"]

class _OwnerBudgetRequired(TypedDict):
    ads: Sequence[AdEvidenceLike]
    """The ads that the budget pays for, in any order."""
    current_minor: int
    """The daily budget now, in minor units."""
    level: OwnerLevel
    """Where the budget sits."""
    owner_id: str
    """The ad set's or campaign's id."""

class OwnerBudgetDict(_OwnerBudgetRequired, total=False):
    """An object that holds a daily budget, and its ads."""

    group: str | None
    """The group of [`Constraints::groups`] that it belongs to."""
    learning: bool
    """Whether the platform is still learning how to deliver it: it keeps its budget then."""
    max_minor: int | None
    """Its own greatest daily budget, in place of the constraints'."""
    min_minor: int | None
    """Its own least daily budget, in place of the constraints'."""

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

class _PosteriorSummaryRequired(TypedDict):
    click_through: ClickThroughLike
    """Clicks an impression."""

class PosteriorSummaryDict(_PosteriorSummaryRequired, total=False):
    """What is believed of an ad."""

    returned: ReturnOnSpendLike | None
    """What a unit of spend brings back; nothing while no ad has brought anything."""

PosteriorSummaryLike = Union["PosteriorSummaryDict", "_types.PosteriorSummary"]

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

Ratio = Union[str]
"""A ratio in whole millionths, as `3.250000`: a mean or an end of an interval, so that no float reaches an output."""

Reason = Union[Literal["above_ceiling", "rate_limit_account", "account_cap", "attempts_exhausted", "awaiting_approval", "awaiting_step", "awaiting_cuts", "below_floor", "cancelled", "conflict", "drifted", "edited", "expired", "in_flight", "kill_switch", "landed_late", "learning_phase", "not_applied", "not_sent", "platform_rejected", "rate_limit_campaign", "rate_limit_owner", "reconciled", "resolved", "stale_snapshot", "superseded", "throttled", "unauthorized", "unknown", "unreachable", "velocity", "wrong_budget_type", "wrong_currency", "wrong_object"]]
"""Why a change stands where it stands. The names are stable."""

class ReturnOnSpendDict(TypedDict):
    """A return on spend: minor units a minor unit, what is still to come of it included. The interval is that of the ad beside the pool, whose own rate is taken as known."""

    high: Ratio
    """5 % of the posterior lies above it."""
    low: Ratio
    """5 % of the posterior lies below it."""
    mean: Ratio
    """The mean."""

ReturnOnSpendLike = Union["ReturnOnSpendDict", "_types.ReturnOnSpend"]

class ReturnPriorDict(TypedDict):
    """What a unit of spend is expected to bring, beside the pool's."""

    deals: float
    """How many deals this counts for: above 0, at most 10,000."""
    factor: float
    """How many times as many deals as the pool's, for its click-through: 0.001 to 1,000."""

ReturnPriorLike = ReturnPriorDict

RoasDimension = Union[Literal["ad", "adset", "campaign", "keyword", "content"]]
"""By what revenue is set beside spend."""

class SamplerOptionsDict(TypedDict, total=False):
    """How the sampler learns from its state. Everything has a default."""

    day: Day | None
    """The day that it is: evidence of later days is not known yet. Today in UTC when it is not given."""
    discount: Millionths
    """What evidence is worth a day later, for drift: 0.97 unless given. 1 forgets nothing."""
    expected_delay_days: int
    """How long half of the deals are expected to take from click to close, in days, before deals are known: 21 unless given. What is learned from the closed deals takes over."""
    median_delay_days: int | None
    """How long half of the deals take, in days, where it is known and shall not be learned."""
    method: ScoringMethod
    """How P(best) and mean shares are computed."""
    share_by: ShareBy
    """What an ad's share of the total is."""

SamplerOptionsLike = SamplerOptionsDict

class SamplerStateDict(TypedDict):
    """Everything that the sampler learned of one tenant's ads. A join-semilattice: every event is folded in by a maximum, so that events and replicas may come in any order, twice, and by any way, and end in the same bytes of JSON. All numbers are integers; what is concluded from them is [`learn`](super::learn)'s."""

    ads: Mapping[str, AdStateLike]
    """What is known of each ad, by its id."""

SamplerStateLike = Union["SamplerStateDict", "_types.SamplerState"]

ScoringMethod = Union[Literal["quadrature", "draws"]]
"""How P(best) and mean shares are computed. Both answer the same question of the same posteriors."""

ShareBy = Union[Literal["best", "mean"]]
"""What an ad's share of the total is."""

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

class _WinnerRequired(TypedDict):
    ad_id: str
    """The ad: 1 to 256 bytes."""
    embedding: Sequence[float]
    """The embedding of its creative. Only its direction counts: it is kept, and given back, at length 1."""

class WinnerDict(_WinnerRequired, total=False):
    """An ad that won, with the embedding of its creative."""

    metadata: Mapping[str, Any]
    """What is known of it, at most 16 kB: filters ask for it."""

WinnerLike = Union["WinnerDict", "_types.Winner"]

Zone = Union[str]
"""A time zone by its IANA name, as `Europe/Berlin`. The rules come with the library, so that all replicas of one version agree."""

