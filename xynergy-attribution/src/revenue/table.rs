use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::{Minor, Timestamp};

use super::worth::ONE;

/// The width of an age bucket in days.
pub const AGE_DAYS: u32 = 7;

/// Ages from this bucket on are one.
pub(super) const LAST_BUCKET: usize = 52;

/// What the stages are worth, as learned from the events up to a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StageTable {
    /// Events up to this time were counted.
    pub cut: Timestamp,
    /// Deals that were won or lost by then.
    pub closed_deals: u64,
    /// So many deals at its configured value does each stage begin with.
    pub prior_deals: u64,
    /// The stages, by pipeline and id.
    pub rows: Vec<StageRow>,
}

/// What a stage is worth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StageRow {
    /// The pipeline, when it is a configured one.
    pub pipeline: Option<String>,
    /// The CRM's id of the stage.
    pub stage: String,
    /// The configured value, in minor units.
    pub default_minor: Minor,
    /// The value: that of `prior_deals` at the configured one and of the closed deals at what they brought, in the mean; to the
    /// nearest minor unit, halves up.
    pub value_minor: Minor,
    /// How probably a deal in it is won, in millionths, shrunk in the same way.
    pub probability_millionths: i64,
    /// Closed deals that were in it.
    pub closed_deals: u64,
    /// Those of them that were won.
    pub won_deals: u64,
    /// What they brought together, in minor units.
    pub realised_minor: Minor,
    /// What became of the deals by their age in it; empty until there are enough closed deals, and for stages that end a deal.
    pub ages: Vec<AgeRow>,
}

/// What became of the deals that reached an age in a stage, counted from their first coming into it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgeRow {
    /// The age at which the bucket begins, in days; it ends 7 days later, the last one never.
    pub from_days: u32,
    /// Deals that were neither won nor lost when they reached it.
    pub at_risk: u64,
    /// Those that were won in it.
    pub won: u64,
    /// Those that were lost in it.
    pub lost: u64,
    /// `won` of `at_risk`, in millionths.
    pub won_hazard_millionths: i64,
    /// `lost` of `at_risk`, in millionths.
    pub lost_hazard_millionths: i64,
    /// The share that is won by the end of the bucket, in millionths: the cumulative incidence by Aalen and Johansen. With the
    /// two below it is exactly one million, by largest remainder.
    pub won_by_millionths: i64,
    /// The share that is lost by then.
    pub lost_by_millionths: i64,
    /// The share that is open then.
    pub open_millionths: i64,
    /// What the value of the stage is multiplied by at this age, in millionths: how probably a deal that is still open is won,
    /// beside one that has just come, shrunk to one by `prior_deals`.
    pub factor_millionths: i64,
    /// The value of the stage at this age, in minor units.
    pub value_minor: Minor,
}

impl StageTable {
    /// The row of a stage, if it was learned.
    pub fn row(&self, pipeline: Option<&str>, stage: &str) -> Option<&StageRow> {
        let at = self
            .rows
            .binary_search_by(|row| (row.pipeline.as_deref(), row.stage.as_str()).cmp(&(pipeline, stage)));
        at.ok().and_then(|at| self.rows.get(at))
    }
}

impl StageRow {
    /// The factor at an age in microseconds. An age that no deal has reached takes that of the oldest known.
    pub(super) fn at_age(&self, micros: i64) -> i64 {
        let bucket = bucket(micros).min(self.ages.len().saturating_sub(1));
        self.ages.get(bucket).map_or(ONE, |age| age.factor_millionths)
    }
}

/// The bucket of an age in microseconds.
pub(super) fn bucket(micros: i64) -> usize {
    const WIDTH: i64 = AGE_DAYS as i64 * 24 * 60 * 60 * 1_000_000;
    usize::try_from(micros.max(0) / WIDTH).unwrap_or(LAST_BUCKET).min(LAST_BUCKET)
}
