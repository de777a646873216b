use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::{Error, Minor, Result, Timestamp};

const OPERATION: &str = "attribution.credit";
const MOST_CONVERSIONS: u64 = 1_000_000_000;
const MOST_VALUE: i64 = 1_000_000_000_000_000;

/// The touches before conversions, or before none. Equal paths may be given once with their counts added up, or one by one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TouchPath {
    /// The channel of each touch, in their order.
    pub channels: Vec<String>,
    /// The time of each touch, or nothing. They may be out of order: touches are put in the order of their times.
    #[serde(default)]
    pub times: Option<Vec<Timestamp>>,
    /// When the conversions happened: touches after it do not count, and the lookback goes back from it. Without it both is the time
    /// of the last touch.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// How many conversions came of it.
    #[serde(default)]
    pub conversions: u64,
    /// What these conversions are worth together, in minor units; negative for refunds.
    #[serde(default)]
    pub value_minor: Minor,
    /// How many times the path was gone without a conversion.
    #[serde(default)]
    pub nulls: u64,
}

/// Everything that is known of one person: touches and conversions, each with its time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Journey {
    /// The channel of each touch.
    pub channels: Vec<String>,
    /// The time of each touch.
    pub times: Vec<Timestamp>,
    /// The conversions, in any order.
    #[serde(default)]
    pub conversions: Vec<JourneyConversion>,
}

/// A conversion of a journey.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JourneyConversion {
    /// When it happened.
    pub at: Timestamp,
    /// What it is worth, in minor units; negative for a refund.
    pub value_minor: Minor,
}

/// Which touches a further conversion of the same journey is owed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AfterConversion {
    /// All touches before it, those before an earlier conversion too.
    #[default]
    Keep,
    /// Those since the conversion before it; conversions without a touch between them share one path.
    Restart,
}

/// The paths of journeys: one for each conversion, and one without a conversion for the touches after the last one. A touch at the
/// moment of a conversion is before it.
///
/// # Errors
/// [`InvalidInput`](xynergy_core::ErrorKind::InvalidInput) that names the journey and the field.
pub fn paths(journeys: &[Journey], after_conversion: AfterConversion) -> Result<Vec<TouchPath>> {
    let mut found = Vec::new();
    for (index, journey) in journeys.iter().enumerate() {
        if journey.times.len() != journey.channels.len() {
            let problem = lengths(journey.times.len(), journey.channels.len());
            return Err(within(&invalid("times", problem), &format!("journeys[{index}]")));
        }
        let mut touches: Vec<(Timestamp, &str)> =
            journey.times.iter().copied().zip(journey.channels.iter().map(String::as_str)).collect();
        touches.sort_by_key(|&(at, _)| at);
        let mut conversions = journey.conversions.clone();
        conversions.sort_unstable();
        let path = |touches: &[(Timestamp, &str)]| TouchPath {
            channels: touches.iter().map(|&(_, channel)| channel.to_owned()).collect(),
            times: Some(touches.iter().map(|&(at, _)| at).collect()),
            ..TouchPath::default()
        };
        let mut from = 0;
        let mut seen = 0;
        for conversion in conversions {
            let until = touches.partition_point(|&(at, _)| at <= conversion.at);
            if after_conversion == AfterConversion::Restart && until > seen {
                from = seen;
            }
            seen = until;
            found.push(TouchPath {
                at: Some(conversion.at),
                conversions: 1,
                value_minor: conversion.value_minor,
                ..path(&touches[from..until])
            });
        }
        let rest = &touches[seen..];
        if !rest.is_empty() {
            found.push(TouchPath { nulls: 1, ..path(rest) });
        }
    }
    Ok(found)
}

/// A path whose channels lie elsewhere.
#[derive(Debug)]
pub(crate) struct PathView<'a> {
    /// The touches as they were given: `(microseconds, channel)`.
    pub(crate) touches: Vec<(i64, &'a str)>,
    /// Whether the microseconds were given.
    pub(crate) has_times: bool,
    pub(crate) at: Option<i64>,
    pub(crate) conversions: u64,
    pub(crate) value_minor: i64,
    pub(crate) nulls: u64,
}

impl TouchPath {
    /// # Errors
    /// There are more or fewer times than channels.
    pub(super) fn view(&self) -> Result<PathView<'_>> {
        let channels = self.channels.iter().map(String::as_str);
        let touches = match &self.times {
            Some(times) if times.len() != self.channels.len() => {
                return Err(invalid("times", lengths(times.len(), self.channels.len())));
            }
            Some(times) => times.iter().map(|at| at.micros()).zip(channels).collect(),
            None => channels.map(|channel| (0, channel)).collect(),
        };
        Ok(PathView {
            touches,
            has_times: self.times.is_some(),
            at: self.at.map(Timestamp::micros),
            conversions: self.conversions,
            value_minor: self.value_minor,
            nulls: self.nulls,
        })
    }
}

impl<'a> PathView<'a> {
    /// The touches that count: `(microseconds, channel)` in their order.
    ///
    /// # Errors
    /// The field that is wrong.
    pub(super) fn counting(
        self,
        lookback_days: Option<u32>,
        lookback_steps: Option<u32>,
        timed: bool,
    ) -> Result<Vec<(i64, &'a str)>> {
        self.check()?;
        let mut touches = self.touches;
        if self.has_times {
            touches.sort_by_key(|&(at, _)| at);
            let end = self.at.or(touches.last().map(|&(at, _)| at)).unwrap_or(0);
            touches.retain(|&(at, _)| at <= end);
            if let Some(days) = lookback_days {
                let oldest = end.saturating_sub(i64::from(days).saturating_mul(86_400_000_000));
                touches.retain(|&(at, _)| at >= oldest);
            }
        } else if timed && !touches.is_empty() {
            let problem =
                "lookback_days and time_decay need the time of each touch; give them, or another model";
            return Err(invalid("times", problem));
        }
        if let Some(steps) = lookback_steps {
            let steps = usize::try_from(steps).unwrap_or(usize::MAX);
            touches.drain(..touches.len().saturating_sub(steps));
        }
        Ok(touches)
    }

    fn check(&self) -> Result<()> {
        if self.touches.iter().any(|(_, channel)| channel.is_empty()) {
            return Err(invalid("channels", "an empty name is no channel; name it, such as \"direct\""));
        }
        for (field, count) in [("conversions", self.conversions), ("nulls", self.nulls)] {
            if count > MOST_CONVERSIONS {
                return Err(invalid(
                    field,
                    format!("{count} is above {MOST_CONVERSIONS}; split the path in two"),
                ));
            }
        }
        if !(-MOST_VALUE..=MOST_VALUE).contains(&self.value_minor) {
            let problem = format!("{} is beyond {MOST_VALUE} minor units; check its unit", self.value_minor);
            return Err(invalid("value_minor", problem));
        }
        Ok(())
    }
}

pub(crate) fn lengths(times: usize, channels: usize) -> String {
    format!("{times} times for {channels} channels; give one for each touch")
}

/// What is wrong with a field.
pub(crate) fn invalid(field: &'static str, problem: impl std::fmt::Display) -> Error {
    Error::invalid(OPERATION, format!("{field}: {problem}")).with_context("field", field)
}

/// Counts are left that no set of paths has.
pub(super) fn never_added() -> Error {
    invalid("paths", "one was removed that was never added; add it first")
}

/// The error with the path that it is of.
pub(crate) fn at(error: &Error, index: usize) -> Error {
    within(error, &format!("paths[{index}]"))
}

fn within(error: &Error, place: &str) -> Error {
    let placed = Error::new(error.kind(), error.operation(), format!("{place}.{}", error.message()));
    error.context().iter().fold(placed, |error, (key, value)| error.with_context(key, value.clone()))
}
