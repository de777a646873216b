use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::Result;

use super::interval::{Parts, bounds};
use super::log::{self, EvaluationOptions, LoggedDecision, invalid};
use super::policy::TargetPolicy;
use super::rewards::{Expected, expected};
use super::thin;
use super::weigh::Weighed;

/// How the value of a policy is estimated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Estimator {
    /// The mean reward where the policy would have chosen the same. Without bias only where the log chose uniformly, or where the policy draws.
    Replay,
    /// The direct method: what a reward model expects of the policy's choices. Its interval knows nothing of the model's own error.
    Dm,
    /// Inverse propensity scoring.
    Ips,
    /// The same, over the sum of its weights: less variance for a small bias.
    Snips,
    /// Doubly robust: the direct method, corrected by the weighted errors of its model.
    #[default]
    Dr,
}

impl Estimator {
    const ALL: [Self; 5] = [Self::Replay, Self::Dm, Self::Ips, Self::Snips, Self::Dr];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Replay => "replay",
            Self::Dm => "dm",
            Self::Ips => "ips",
            Self::Snips => "snips",
            Self::Dr => "dr",
        }
    }
}

/// What one estimator makes of the log, in the unit of the rewards a decision.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyEstimate {
    /// The estimator.
    pub estimator: Estimator,
    /// The estimated mean reward under the policy.
    pub value: f64,
    /// The lower end of its interval.
    pub lower: f64,
    /// The upper end of its interval.
    pub upper: f64,
}

/// What a policy would have brought, and how sure that is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OffPolicyEvaluation {
    /// The estimator that decides.
    pub estimator: Estimator,
    /// The estimated mean reward under the policy, in the unit of the rewards.
    pub value: f64,
    /// The lower end of its interval; null when nothing can be concluded.
    pub lower: Option<f64>,
    /// The upper end of its interval; null when nothing can be concluded.
    pub upper: Option<f64>,
    /// Whether the log says enough of this policy.
    pub conclusive: bool,
    /// Why nothing can be concluded, and what else to know; in words.
    pub reasons: Vec<String>,
    /// What every estimator says. Those of an evaluation that is not conclusive are no basis for a decision.
    pub estimates: Vec<PolicyEstimate>,
    /// What the log itself brought: the mean reward of its rows with its interval.
    pub logged: PolicyEstimate,
    /// The rows of the log.
    pub row_count: u64,
    /// The units that the rows belong to.
    pub unit_count: u64,
    /// Kish's effective sample size: how many rows of the policy's own this log is worth.
    pub effective_rows: f64,
    /// How many rewards of equal size this policy's rewards are worth.
    pub effective_rewards: f64,
    /// The mean importance weight, which is 1 but for chance where the propensities are those that chose.
    pub mean_weight: f64,
    /// The largest importance weight.
    pub largest_weight: f64,
    /// Rows whose importance weight was clipped.
    pub clipped_count: u64,
    /// The actions that the policy may choose in a context in which the log never shows them, by name.
    pub unsupported: Vec<String>,
    /// How much of what the policy would choose that is: 0 to 1.
    pub unsupported_share: f64,
}

/// Estimates what `policy` would have brought, from a log of decisions with their propensities.
///
/// Every estimator is a mean over all rows, each by its weight. With the importance weight `ρ` (the policy's probability over the logged
/// one), the reward `r` and a reward model `q`: `ips` is the mean of `ρr`, `snips` that over the mean of `ρ`, `dm` the mean of what
/// `q` expects of the policy's choice, and `dr` that plus the mean of `ρ(r - q)` (Dudík, Langford and Li 2011, ICML). An evaluation concludes
/// nothing (`conclusive` is false, no interval) with an effective sample size below `least_effective_rows`, effective rewards
/// below `least_effective_rewards`, more than 1 % of the policy's choices without support in the log, or importance weights whose
/// mean is not 1 within what chance allows.
///
/// # Errors
/// `invalid_input` that names the row and the field: an empty log, a propensity that is not above 0 and at most 1, a reward or prediction
/// that is no number, probabilities of the policy that do not sum to one, or a context of which the policy says nothing.
pub fn evaluate(
    log: &[LoggedDecision],
    policy: &TargetPolicy,
    options: &EvaluationOptions,
) -> Result<OffPolicyEvaluation> {
    options.validate()?;
    log::validate(log, options)?;
    policy.validate("policy", log)?;
    predictions_of(log, policy)?;
    Ok(evaluated(log, Some(policy), options))
}

/// The evaluation of a checked policy; of the logged one without.
pub(super) fn evaluated(
    log: &[LoggedDecision],
    policy: Option<&TargetPolicy>,
    options: &EvaluationOptions,
) -> OffPolicyEvaluation {
    let weighed = Weighed::new(log, policy, options);
    let expected = expected(&weighed, policy);
    let estimates: Vec<_> = Estimator::ALL
        .map(|estimator| Sums::new(estimator, &weighed, &expected, options).estimate(options))
        .into();
    let decisive =
        estimates.iter().copied().find(|e| e.estimator == options.estimator).unwrap_or(estimates[0]);
    let on_log = Weighed::new(log, None, options);
    let logged = Sums::new(Estimator::Ips, &on_log, &expected, options).estimate(options);
    let found = thin::measure(&weighed, options);
    let conclusive = found.reasons.is_empty();
    OffPolicyEvaluation {
        estimator: options.estimator,
        value: decisive.value,
        lower: conclusive.then_some(decisive.lower),
        upper: conclusive.then_some(decisive.upper),
        conclusive,
        reasons: found.reasons,
        estimates,
        logged,
        row_count: log.len() as u64,
        unit_count: weighed.unit_count as u64,
        effective_rows: found.effective_rows,
        effective_rewards: found.effective_rewards,
        mean_weight: found.mean_weight,
        largest_weight: weighed.ratios.iter().copied().fold(0.0, f64::max),
        clipped_count: weighed.clipped_count,
        unsupported_share: weighed.unsupported_share,
        unsupported: BTreeSet::into_iter(weighed.unsupported).collect(),
    }
}

/// What a row's predictions must say of.
pub(super) fn predictions_of(log: &[LoggedDecision], policy: &TargetPolicy) -> Result<()> {
    for (index, row) in log.iter().enumerate() {
        let Some(predicted) = &row.predicted else { continue };
        let may =
            policy.within(&row.context).into_iter().flatten().filter(|(_, p)| **p > 0.0).map(|(a, _)| a);
        let missing = may.chain([&row.action]).find(|action| !predicted.contains_key(*action));
        if let Some(action) = missing {
            return Err(invalid(format!(
                "log[{index}].predicted: there is no prediction for {action}, which the log or the policy chooses; add it"
            )));
        }
    }
    Ok(())
}

/// An estimator as the sum of its parts by unit over a sum of weights.
struct Sums {
    estimator: Estimator,
    parts: Parts,
    /// What the parts are divided by, by unit.
    over: Vec<f64>,
}

impl Sums {
    fn new(
        estimator: Estimator,
        weighed: &Weighed<'_>,
        expected: &Expected,
        options: &EvaluationOptions,
    ) -> Self {
        let ratio = |i: usize| {
            if estimator == Estimator::Replay {
                f64::from(u8::from(weighed.matched[i]))
            } else {
                weighed.ratios[i]
            }
        };
        let uses_rewards = estimator != Estimator::Dm;
        let gain = |i: usize, row: &LoggedDecision| row.weight() * ratio(i) * row.reward.max(0.0);
        let loss = |i: usize, row: &LoggedDecision| row.weight() * ratio(i) * (-row.reward).max(0.0);
        let of = |sum: &dyn Fn(usize, &LoggedDecision) -> f64| {
            if uses_rewards { weighed.by_unit(sum) } else { vec![0.0; weighed.unit_count] }
        };
        let (gains, losses) = (of(&gain), of(&loss));
        let rest = weighed.by_unit(|i, row| match estimator {
            Estimator::Dm => row.weight() * expected.policy[i],
            Estimator::Dr => row.weight() * (expected.policy[i] - ratio(i) * expected.chosen[i]),
            Estimator::Replay | Estimator::Ips | Estimator::Snips => 0.0,
        });
        let over = weighed.by_unit(|i, row| match estimator {
            Estimator::Replay | Estimator::Snips => row.weight() * ratio(i),
            Estimator::Dm | Estimator::Ips | Estimator::Dr => row.weight(),
        });
        let heaviest =
            weighed.log.iter().enumerate().map(|(i, row)| row.weight() * ratio(i)).fold(0.0, f64::max);
        let most = |of: fn(f64) -> f64| weighed.log.iter().map(|row| of(row.reward)).fold(0.0, f64::max);
        let (gained, lost) = (most(|reward| reward.max(0.0)), most(|reward| (-reward).max(0.0)));
        let largest = |sums: &[f64], reward: f64| {
            let unseen = if uses_rewards { heaviest * reward } else { 0.0 };
            sums.iter().copied().fold(unseen, f64::max)
        };
        let largest_gain = largest(&gains, options.reward_max.unwrap_or(gained));
        // Where nothing was ever lost, nothing is said to be lost next.
        let largest_loss = largest(&losses, options.reward_max.filter(|_| lost > 0.0).unwrap_or(lost));
        Self { estimator, parts: Parts { gains, losses, rest, largest_gain, largest_loss }, over }
    }

    fn estimate(mut self, options: &EvaluationOptions) -> PolicyEstimate {
        let scale: f64 = self.over.iter().sum();
        let sum: f64 = [&self.parts.gains, &self.parts.rest].into_iter().flatten().sum::<f64>()
            - self.parts.losses.iter().sum::<f64>();
        let value = if scale > 0.0 { sum / scale } else { 0.0 };
        // A ratio's deviation is that of the sum less the ratio times its divisor.
        for (rest, over) in self.parts.rest.iter_mut().zip(&self.over) {
            *rest -= value * over;
        }
        let (lower, upper) =
            if scale > 0.0 { bounds(&self.parts, scale, value, options.confidence) } else { (value, value) };
        PolicyEstimate { estimator: self.estimator, value, lower, upper }
    }
}
