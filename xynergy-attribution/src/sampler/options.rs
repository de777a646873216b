use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::{Error, Result};

use super::millionths::Millionths;
use super::state::Day;

/// How the sampler learns from its state. Everything has a default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SamplerOptions {
    /// The day that it is: evidence of later days is not known yet. Today in UTC when it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<Day>,
    /// How P(best) and mean shares are computed.
    pub method: ScoringMethod,
    /// What an ad's share of the total is.
    pub share_by: ShareBy,
    /// What evidence is worth a day later, for drift: 0.97 unless given. 1 forgets nothing.
    pub discount: Millionths,
    /// How long half of the deals are expected to take from click to close, in days, before deals are known: 21 unless given. What is
    /// learned from the closed deals takes over.
    pub expected_delay_days: u32,
    /// How long half of the deals take, in days, where it is known and shall not be learned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub median_delay_days: Option<u32>,
}

/// How P(best) and mean shares are computed. Both answer the same question of the same posteriors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScoringMethod {
    /// As integrals: no noise, and quick.
    #[default]
    Quadrature,
    /// From as many seeded draws as the request says.
    Draws,
}

/// What an ad's share of the total is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShareBy {
    /// Its probability to be the best: Thompson sampling, the least regret where more money brings in proportion more.
    #[default]
    Best,
    /// The mean of its part in the sum of all scores: for ads that bring less and less for more money.
    Mean,
}

impl Default for SamplerOptions {
    fn default() -> Self {
        Self {
            day: None,
            method: ScoringMethod::default(),
            share_by: ShareBy::default(),
            discount: Millionths::new(970_000),
            expected_delay_days: 21,
            median_delay_days: None,
        }
    }
}

impl SamplerOptions {
    pub(super) fn validate(&self, operation: &'static str) -> Result<()> {
        if self.discount.get() < 500_000 {
            return Err(Error::invalid(
                operation,
                format!(
                    "sampler: discount: {} forgets half of the evidence within a day; give 0.500000 to 1.000000",
                    self.discount
                ),
            ));
        }
        let delays = [
            ("expected_delay_days", Some(self.expected_delay_days)),
            ("median_delay_days", self.median_delay_days),
        ];
        for (name, days) in delays {
            if let Some(days) = days.filter(|days| !(1..=365).contains(days)) {
                return Err(Error::invalid(
                    operation,
                    format!("sampler: {name}: {days} is not 1 to 365 days"),
                ));
            }
        }
        Ok(())
    }
}
