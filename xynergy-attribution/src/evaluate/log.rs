use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::{Error, Result};

use super::estimate::Estimator;

/// One decision that was made and what came of it: a row of the log that a policy is evaluated on.
///
/// Of an auction, an impression or a visit it is what was shown. Of budgets it is a unit of money: a row for each ad and day, with
/// the ad's share as `propensity`, what a minor unit of its spend brought as `reward`, its spend as `weight`, and the day as `unit`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoggedDecision {
    /// What was chosen: an ad's id.
    pub action: String,
    /// The probability with which it was chosen: above 0, at most 1.
    pub propensity: f64,
    /// What came of it, in whatever unit the answer is to have: 1 or 0 for a click, minor units for revenue.
    pub reward: f64,
    /// The situation, where policies depend on one; empty where they do not.
    #[serde(default)]
    pub context: String,
    /// How much the decision counts: 1 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    /// Rows of the same unit (a day, a person) may depend on each other, and are one observation to the intervals. Each row is its own
    /// by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The caller's prediction of the reward of every action here. Without it a mean an action, fitted on other rows, stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicted: Option<BTreeMap<String, f64>>,
}

/// How a policy is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EvaluationOptions {
    /// The estimator whose interval decides: `dr` by default.
    pub estimator: Estimator,
    /// How sure the intervals are: 0.95 by default; above 0.5, below 1.
    pub confidence: f64,
    /// Importance weights above this count as this. The estimate is biased then, towards what was logged; null clips none.
    pub max_weight: Option<f64>,
    /// The largest reward that a row can have, for the upper end of what was not yet seen; by default the largest in the log.
    pub reward_max: Option<f64>,
    /// Below so many effective rows (Kish's effective sample size of the weights) nothing is concluded: 100 by default.
    pub least_effective_rows: f64,
    /// Below so many effective rewards nothing is concluded: 10 by default.
    pub least_effective_rewards: f64,
    /// The seed of replay's rejections, for a policy that is not deterministic.
    pub seed: u64,
}

impl Default for EvaluationOptions {
    fn default() -> Self {
        Self {
            estimator: Estimator::Dr,
            confidence: 0.95,
            max_weight: None,
            reward_max: None,
            least_effective_rows: 100.0,
            least_effective_rewards: 10.0,
            seed: 0,
        }
    }
}

pub(super) fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::invalid("allocation.evaluate", message)
}

impl EvaluationOptions {
    pub(super) fn validate(&self) -> Result<()> {
        if !(self.confidence > 0.5 && self.confidence < 1.0) {
            return Err(invalid(format!(
                "options.confidence: {} is not between 0.5 and 1; 0.95 is usual",
                self.confidence
            )));
        }
        for (name, value) in [("max_weight", self.max_weight), ("reward_max", self.reward_max)] {
            if let Some(value) = value.filter(|value| !(value.is_finite() && *value > 0.0)) {
                return Err(invalid(format!("options.{name}: {value} is no number above 0; leave it out")));
            }
        }
        for (name, value) in [
            ("least_effective_rows", self.least_effective_rows),
            ("least_effective_rewards", self.least_effective_rewards),
        ] {
            if !(value.is_finite() && value >= 2.0) {
                return Err(invalid(format!("options.{name}: {value} is not 2 or more")));
            }
        }
        Ok(())
    }
}

/// Checks every row; the error names the first row and field that is wrong.
pub(super) fn validate(log: &[LoggedDecision], options: &EvaluationOptions) -> Result<()> {
    if log.is_empty() {
        return Err(invalid(
            "log: there are no rows; give the decisions that were logged with their propensities",
        ));
    }
    let predicted = log[0].predicted.is_some();
    for (index, row) in log.iter().enumerate() {
        row.validate(index, options)?;
        if row.predicted.is_some() != predicted {
            return Err(invalid(format!(
                "log[{index}].predicted: some rows have predictions and others none; give them for all rows or for none"
            )));
        }
    }
    Ok(())
}

impl LoggedDecision {
    fn validate(&self, index: usize, options: &EvaluationOptions) -> Result<()> {
        let wrong = |field: &str, problem: String| Err(invalid(format!("log[{index}].{field}: {problem}")));
        if self.action.is_empty() {
            return wrong("action", "it is empty; name what was chosen".into());
        }
        if !(self.propensity > 0.0 && self.propensity <= 1.0) {
            let problem = format!(
                "{} is no probability above 0 and at most 1; log the one with which {} was chosen",
                self.propensity, self.action
            );
            return wrong("propensity", problem);
        }
        if !self.reward.is_finite() {
            return wrong(
                "reward",
                format!("{} is no number; leave the row out while it is unknown", self.reward),
            );
        }
        if let Some(largest) = options.reward_max.filter(|largest| self.reward.abs() > *largest) {
            return wrong("reward", format!("{} is above options.reward_max {largest}", self.reward));
        }
        if let Some(weight) = self.weight.filter(|weight| !(weight.is_finite() && *weight > 0.0)) {
            return wrong("weight", format!("{weight} is no number above 0; leave such a row out"));
        }
        if let Some((action, reward)) =
            self.predicted.iter().flatten().find(|(_, reward)| !reward.is_finite())
        {
            return wrong("predicted", format!("{action}: {reward} is no number"));
        }
        Ok(())
    }

    pub(super) fn weight(&self) -> f64 {
        self.weight.unwrap_or(1.0)
    }
}
