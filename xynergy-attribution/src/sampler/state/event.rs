use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::{Error, Minor, Result, Timestamp};

use super::day::Day;
use crate::sampler::millionths::Millionths;

/// Counts and amounts up to here are exact in every step of the sampler.
const LARGEST: i64 = 1_000_000_000_000_000;
/// The longest id.
const LONGEST_ID: usize = 512;

/// What an ad platform reports of one ad and one day: totals, not increments.
///
/// Platforms correct their figures for days. Of several reports of one day that of the latest `observed_at` counts, whatever
/// order they arrive in, and giving one again changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdObservation {
    /// The ad's id.
    pub ad_id: String,
    /// The day of the figures.
    pub day: Day,
    /// How often it was shown that day.
    pub impressions: i64,
    /// How often it was clicked that day; at most the impressions.
    pub clicks: i64,
    /// What was spent on it that day, in minor units.
    pub spend_minor: Minor,
    /// When the figures were read; now when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_at: Option<Timestamp>,
}

/// What became of a deal behind an ad.
///
/// Of several events of one deal and ad the latest counts (by `occurred_at`, and of the same time the greatest `event_id`),
/// whatever order they arrive in: a deal that was open and is won now counts once, as won. An event that was given before
/// changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DealFeedback {
    /// Names the event.
    pub event_id: String,
    /// The ad that gets the credit.
    pub ad_id: String,
    /// What the deal is worth as things stand, in minor units.
    pub pipeline_value_minor: Minor,
    /// When it became so.
    pub occurred_at: Timestamp,
    /// Where the deal stands.
    #[serde(default)]
    pub outcome: DealOutcome,
    /// The part of the deal that the ad gets, the probability of the match: 1 unless given.
    #[serde(default = "whole", skip_serializing_if = "is_whole")]
    pub credit: Millionths,
    /// The deal, where it may have several events; each event is a deal of its own otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deal_id: Option<String>,
    /// When the ad was clicked. Without it the deal teaches nothing about how long deals take, and belongs to the day on which it
    /// occurred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clicked_at: Option<Timestamp>,
    /// What was spent on the ad for it, in minor units: counts on days whose spend was not observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spend_minor: Option<Minor>,
}

/// Where a deal stands.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DealOutcome {
    /// A lead that may still become money.
    Open,
    /// It brought its value.
    #[default]
    Won,
    /// It brings nothing.
    Lost,
}

/// Anything that the sampler learns from: a line of its event log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SamplerEvent {
    /// Figures of an ad and day.
    Observation(AdObservation),
    /// What became of a deal.
    Feedback(DealFeedback),
}

fn whole() -> Millionths {
    Millionths::ONE
}

#[allow(clippy::trivially_copy_pass_by_ref)] // The signature that serde asks for.
fn is_whole(credit: &Millionths) -> bool {
    *credit == Millionths::ONE
}

impl AdObservation {
    /// Checks every field; the error names the first that is wrong.
    ///
    /// # Errors
    /// [`InvalidInput`](xynergy_core::ErrorKind::InvalidInput).
    pub fn validate(&self) -> Result<()> {
        const OPERATION: &str = "allocation.observe";
        id(OPERATION, "ad_id", &self.ad_id)?;
        let fields =
            [("impressions", self.impressions), ("clicks", self.clicks), ("spend_minor", self.spend_minor)];
        for (name, value) in fields {
            amount(OPERATION, &format!("ad {}: {name}", self.ad_id), value)?;
        }
        if self.clicks > self.impressions {
            return Err(Error::invalid(
                OPERATION,
                format!(
                    "ad {}: clicks: {} are more than its {} impressions of {}; take both from the same day",
                    self.ad_id, self.clicks, self.impressions, self.day
                ),
            ));
        }
        Ok(())
    }
}

impl DealFeedback {
    /// Checks every field; the error names the first that is wrong.
    ///
    /// # Errors
    /// [`InvalidInput`](xynergy_core::ErrorKind::InvalidInput).
    pub fn validate(&self) -> Result<()> {
        const OPERATION: &str = "allocation.feedback";
        id(OPERATION, "event_id", &self.event_id)?;
        id(OPERATION, "ad_id", &self.ad_id)?;
        if let Some(deal) = &self.deal_id {
            id(OPERATION, "deal_id", deal)?;
        }
        if !(0..=LARGEST).contains(&self.pipeline_value_minor) {
            amount(
                OPERATION,
                &format!("event {}: pipeline_value_minor", self.event_id),
                self.pipeline_value_minor,
            )?;
        }
        if let Some(spend @ (i64::MIN..0 | LARGEST..)) = self.spend_minor {
            amount(OPERATION, &format!("event {}: spend_minor", self.event_id), spend)?;
        }
        if self.clicked_at.is_some_and(|clicked| clicked > self.occurred_at) {
            return Err(Error::invalid(
                OPERATION,
                format!("event {}: clicked_at: is after occurred_at; the click comes first", self.event_id),
            ));
        }
        Ok(())
    }
}

impl SamplerEvent {
    /// Checks every field; the error names the first that is wrong.
    ///
    /// # Errors
    /// [`InvalidInput`](xynergy_core::ErrorKind::InvalidInput).
    pub fn validate(&self) -> Result<()> {
        match self {
            Self::Observation(observation) => observation.validate(),
            Self::Feedback(feedback) => feedback.validate(),
        }
    }

    /// The ad that it is about.
    pub fn ad_id(&self) -> &str {
        match self {
            Self::Observation(observation) => &observation.ad_id,
            Self::Feedback(feedback) => &feedback.ad_id,
        }
    }
}

fn id(operation: &'static str, field: &str, id: &str) -> Result<()> {
    match id.len() {
        1..=LONGEST_ID => Ok(()),
        0 => Err(Error::invalid(operation, format!("{field}: is empty; give the id"))),
        length => Err(Error::invalid(
            operation,
            format!("{field}: {length} bytes are more than the {LONGEST_ID} that an id may have"),
        )),
    }
}

fn amount(operation: &'static str, field: &str, value: i64) -> Result<()> {
    match value {
        0..=LARGEST => Ok(()),
        i64::MIN..0 => {
            Err(Error::invalid(operation, format!("{field}: {value} is negative; give 0 or more")))
        }
        _ => Err(Error::invalid(operation, format!("{field}: {value} is above {LARGEST}; check its unit"))),
    }
}
