use schemars::JsonSchema;
use serde::Deserialize;
use xynergy::Timestamp;
use xynergy::allocation::{
    AdObservation, AllocationLogRow, BestProbability, BetaAd, DEFAULT_DRAWS, DealFeedback, Posteriors,
    SamplerOptions, SamplerState, ScoringMethod, probability_best,
};

use super::{Nothing, methods};

methods! {
    /// Takes the figures of one ad and day, totals of the day so far, and says whether they changed anything. Of several reports the
    /// one of the latest `observed_at` counts (now, when it is not given), whatever order they arrive in. Workers may do it at
    /// once: none is lost.
    "allocation.observe"(observation) Value ObserveArguments => bool = |session, a: ObserveArguments| async move {
        session.scope.allocation().observe(&a.observation).await
    };

    /// Takes what became of a deal behind an ad, and says whether it changed anything: an event that was given before does not. An ad
    /// that was never observed is an error, and so is an event id that said something else before. Workers may do it at once: none
    /// is lost.
    "allocation.feedback"(feedback) Value FeedbackArguments => bool = |session, a: FeedbackArguments| async move {
        session.scope.allocation().feedback(&a.feedback).await
    };

    /// Takes many observations and feedbacks, in any order, and says how many changed anything: for batches, and for an event log
    /// that is replayed. Here an ad need not have been observed.
    "allocation.learn"(observations, feedback) Value LearnArguments => usize = |session, a: LearnArguments| async move {
        session.scope.allocation().learn(&a.observations, &a.feedback).await
    };

    /// Everything that the sampler remembers of the tenant's ads: to look at, to keep a copy of, and for `allocation.merge` elsewhere.
    "allocation.state"() Value Nothing => SamplerState =
        |session, _: Nothing| async move { session.scope.allocation().state().await };

    /// Takes in what another replica remembers, and says of how many ads that changed anything. Merging again changes nothing, and
    /// the order of merges does not matter.
    "allocation.merge"(state) Value MergeArguments => usize = |session, a: MergeArguments| async move {
        session.scope.allocation().merge(&a.state).await
    };

    /// What is believed of every ad that was observed: means and 90 % intervals of click-through and return.
    "allocation.posteriors"(sampler) Value PosteriorsArguments => Posteriors = |session, a: PosteriorsArguments| async move {
        session.scope.allocation().posteriors(&a.sampler.unwrap_or_default()).await
    };

    /// The probability of each ad to be the best, and the mean of its part in the sum of all, from Beta posteriors of click-through
    /// that come from elsewhere. `seed` and `draws` (0 and 10,000 by default) count with the method `draws` alone. Nothing is stored.
    "allocation.probability_best"(ads, method, seed, draws) Value BestArguments => Vec<BestProbability> =
        |_, a: BestArguments| async move {
            let (seed, draws) = (a.seed.unwrap_or_default(), a.draws.unwrap_or(DEFAULT_DRAWS));
            probability_best(&a.ads, a.method.unwrap_or_default(), seed, draws)
        };

    /// What every stored allocation did with every ad that ran, with its propensities: what the evaluation of another policy needs
    /// beside the rewards. With `since`, of allocations made then or later.
    "allocation.log"(since) Value LogArguments => Vec<AllocationLogRow> = |session, a: LogArguments| async move {
        session.scope.allocation().log(a.since).await
    };
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ObserveArguments {
    /// The figures.
    observation: AdObservation,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeedbackArguments {
    /// The event.
    feedback: DealFeedback,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LearnArguments {
    /// Figures of ads and days.
    #[serde(default)]
    observations: Vec<AdObservation>,
    /// What became of deals.
    #[serde(default)]
    feedback: Vec<DealFeedback>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MergeArguments {
    /// What the other replica remembers.
    state: SamplerState,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PosteriorsArguments {
    /// How to learn; as of today in UTC unless it says a day.
    #[serde(default)]
    sampler: Option<SamplerOptions>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BestArguments {
    /// The ads.
    ads: Vec<BetaAd>,
    /// How it is computed: `quadrature` unless given.
    #[serde(default)]
    method: Option<ScoringMethod>,
    /// The seed of the draws.
    #[serde(default)]
    seed: Option<u64>,
    /// How many draws.
    #[serde(default)]
    draws: Option<u32>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogArguments {
    /// The earliest time of an allocation.
    #[serde(default)]
    since: Option<Timestamp>,
}
