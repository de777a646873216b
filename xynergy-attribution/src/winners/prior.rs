use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::{Error, Result};

/// What an ad has done. Counts may be fractions, as those of uncertain matches are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WinnerEvidence {
    /// How often it was shown.
    pub impressions: f64,
    /// How often it was clicked.
    pub clicks: f64,
    /// Deals, those that were lost included.
    pub deals: f64,
    /// What the deals are counted by: spend, weighted by how much of it can have led to a deal by now.
    pub exposure: f64,
}

/// A winner that is like another ad.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Likeness {
    /// The place of the winner in the list of all winners, from 0.
    pub winner: u32,
    /// The cosine of the angle between the two embeddings.
    pub similarity: f32,
}

/// A winner, what it did, and the other winners that are like it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WinnerWithNeighbours {
    /// What it did.
    pub evidence: WinnerEvidence,
    /// The winners nearest to it, itself left out.
    pub neighbours: Vec<Likeness>,
}

/// A Beta distribution of a probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BetaPrior {
    /// Successes that it is worth.
    pub alpha: f64,
    /// Failures that it is worth.
    pub beta: f64,
}

/// A Gamma distribution of a rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GammaPrior {
    /// Events that it is worth.
    pub shape: f64,
    /// Exposure that it is worth.
    pub rate: f64,
}

/// The prior of an ad of which nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PoolPrior {
    /// Of clicks an impression.
    pub click_through: BetaPrior,
    /// Of deals a unit of exposure.
    pub deals: GammaPrior,
}

/// The prior of an ad of which nothing is known but the winners that are like it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriorFromWinners {
    /// Of clicks an impression.
    pub click_through: BetaPrior,
    /// How much the neighbours count in it: 0 (it is the pool's) to 1.
    pub click_through_weight: f64,
    /// Of deals a unit of exposure.
    pub deals: GammaPrior,
    /// How much the neighbours count in it: 0 (it is the pool's) to 1.
    pub deals_weight: f64,
    /// How many neighbours there were.
    pub neighbours: u32,
}

impl WinnerEvidence {
    /// Whether the counts can be.
    pub(super) fn check(&self, operation: &'static str, at: usize) -> Result<()> {
        let Self { impressions, clicks, deals, exposure } = *self;
        let named =
            [("impressions", impressions), ("clicks", clicks), ("deals", deals), ("exposure", exposure)];
        for (name, value) in named {
            if !value.is_finite() || value < 0.0 {
                let message = format!("winners[{at}].evidence.{name}: {value} is no count; give 0 or more");
                return Err(Error::invalid(operation, message));
            }
        }
        if clicks > impressions {
            let message =
                format!("winners[{at}].evidence.clicks: {clicks} clicks on {impressions} impressions");
            return Err(Error::invalid(operation, message));
        }
        Ok(())
    }
}

impl PoolPrior {
    pub(super) fn check(&self, operation: &'static str) -> Result<()> {
        let Self { click_through: BetaPrior { alpha, beta }, deals: GammaPrior { shape, rate } } = *self;
        for (name, value) in [
            ("click_through.alpha", alpha),
            ("click_through.beta", beta),
            ("deals.shape", shape),
            ("deals.rate", rate),
        ] {
            if !value.is_finite() || value <= 0.0 {
                let message = format!("pool.{name}: {value} is not above 0");
                return Err(Error::invalid(operation, message));
            }
        }
        Ok(())
    }
}
