use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::Result;

use super::path::invalid;

const MOST_ORDER: u8 = 4;
const WEEK_SECONDS: u64 = 7 * 24 * 60 * 60;

/// How the conversions of a path are divided among its touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CreditModel {
    /// All to the first touch.
    First,
    /// All to the last touch.
    Last,
    /// All to the last touch whose channel is none of `direct_channels`; to the last touch where all are direct.
    LastNonDirect,
    /// The same to every touch.
    Linear,
    /// The same to every channel of the path, however often it was touched.
    LinearPerChannel,
    /// By place: weights for the first touch, for all touches between together, and for the last one (a U by default).
    Position,
    /// A touch counts half as much for each `half_life_seconds` that it lies before the last one.
    TimeDecay,
    /// The removal effect in the Markov chain of the paths, exactly: the share of conversions that would be lost if every walk
    /// that comes to the channel ended without one, computed by solving the chain's equations instead of by drawing walks, and
    /// scaled so that the channels share the total (Anderl et al. 2016). The chain remembers `order` touches; without `nulls` only
    /// the converting paths make it up. Value is divided by the value that would be lost; refunds (negative values) are divided by
    /// the refunds that would be.
    Markov,
    /// The Shapley value of the game in which a set of channels wins the conversions of the paths inside it. For this game it has
    /// a closed form, the same share for every channel of the path (Zhao et al. 2018, arXiv 1804.05327), so any number of channels
    /// takes one pass.
    Shapley,
}

impl CreditModel {
    /// The name in calls and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Last => "last",
            Self::LastNonDirect => "last_non_direct",
            Self::Linear => "linear",
            Self::LinearPerChannel => "linear_per_channel",
            Self::Position => "position",
            Self::TimeDecay => "time_decay",
            Self::Markov => "markov",
            Self::Shapley => "shapley",
        }
    }
}

/// The weights of [`CreditModel::Position`]: whole numbers, of which only the proportions matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PositionWeights {
    /// Of the first touch.
    pub first: u32,
    /// Of all touches between, together.
    pub between: u32,
    /// Of the last touch.
    pub last: u32,
}

impl Default for PositionWeights {
    fn default() -> Self {
        Self { first: 40, between: 20, last: 40 }
    }
}

/// What a model is asked with. A field that is `None` has its default, or nothing to do with the model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CreditParameters {
    /// The channels that are no marketing, for `last_non_direct`: `["direct"]` by default.
    pub direct_channels: Option<Vec<String>>,
    /// The weights of `position`: 40, 20 and 40 by default.
    pub weights: Option<PositionWeights>,
    /// The half-life of `time_decay`: 7 days by default.
    pub half_life_seconds: Option<u64>,
    /// How many touches `markov` remembers: 1 to 4, 1 by default.
    pub order: Option<u8>,
    /// Whether paths without a conversion are part of `markov`'s chain: true by default.
    pub nulls: Option<bool>,
    /// Only touches at most so many days before the conversion count (before the last touch where `at` is not given).
    pub lookback_days: Option<u32>,
    /// Only the last so many touches count.
    pub lookback_steps: Option<u32>,
}

impl CreditParameters {
    /// The parameters with which `model` runs: defaults filled in.
    ///
    /// # Errors
    /// A value out of its bounds, or one that belongs to another model.
    pub(super) fn of(&self, model: CreditModel) -> Result<Self> {
        let mut used = self.clone();
        used.direct_channels =
            for_model("direct_channels", used.direct_channels, model, CreditModel::LastNonDirect, || {
                vec!["direct".to_owned()]
            })?;
        if let Some(direct) = &mut used.direct_channels {
            direct.sort_unstable();
            direct.dedup();
        }
        used.weights = for_model("weights", used.weights, model, CreditModel::Position, Default::default)?;
        if let Some(PositionWeights { first: 0, between: 0, last: 0 }) = used.weights {
            return Err(invalid("weights", "all three are 0; give one of them more"));
        }
        used.half_life_seconds =
            for_model("half_life_seconds", used.half_life_seconds, model, CreditModel::TimeDecay, || {
                WEEK_SECONDS
            })?;
        if used.half_life_seconds == Some(0) {
            return Err(invalid("half_life_seconds", "0 is no half-life; give 1 or more, or use last"));
        }
        used.order = for_model("order", used.order, model, CreditModel::Markov, || 1)?;
        if let Some(order) = used.order.filter(|order| !(1..=MOST_ORDER).contains(order)) {
            return Err(invalid("order", format!("{order} is not 1 to {MOST_ORDER}")));
        }
        used.nulls = for_model("nulls", used.nulls, model, CreditModel::Markov, || true)?;
        for (field, value) in [("lookback_days", used.lookback_days), ("lookback_steps", used.lookback_steps)]
        {
            if value == Some(0) {
                return Err(invalid(field, "0 leaves no touch; give 1 or more, or leave it out"));
            }
        }
        Ok(used)
    }
}

fn for_model<T>(
    field: &'static str,
    given: Option<T>,
    model: CreditModel,
    owner: CreditModel,
    default: impl FnOnce() -> T,
) -> Result<Option<T>> {
    if model == owner {
        return Ok(Some(given.unwrap_or_else(default)));
    }
    if given.is_some() {
        let problem = format!(
            "belongs to the model {}, not to {}; leave it out, or change the model",
            owner.as_str(),
            model.as_str()
        );
        return Err(invalid(field, problem));
    }
    Ok(None)
}
