//! Days as ad platforms count them.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AdInsight;
use crate::env::Timestamp;
use crate::error::{Error, Result};

const DAY: Duration = Duration::from_secs(86_400);
const DAY_MICROS: i64 = 86_400_000_000;

/// The most days that are asked for at once: what Meta keeps.
const MAX_DAYS: i64 = 37 * 31;

/// What one ad did on one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdDay {
    /// The day, as `2026-03-01`.
    pub day: String,
    /// What the ad did.
    #[serde(flatten)]
    pub insight: AdInsight,
}

/// Days from one to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayRange {
    first: i64,
    last: i64,
}

impl DayRange {
    /// The days from that of `since` to that of `until`.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) when there are none, or more than 37 months of them.
    pub fn new(since: Timestamp, until: Timestamp) -> Result<Self> {
        const OPERATION: &str = "ads.insights";
        let day = |time: Timestamp| time.micros().div_euclid(DAY_MICROS);
        let range = Self { first: day(since), last: day(until) };
        if since > until {
            return Err(Error::invalid(OPERATION, "since: is after until"));
        }
        if range.last - range.first >= MAX_DAYS {
            return Err(Error::invalid(
                OPERATION,
                "since: is more than 37 months before until: ask for less",
            ));
        }
        Ok(range)
    }

    /// How many days.
    pub fn len(&self) -> usize {
        usize::try_from(self.last - self.first + 1).unwrap_or(0)
    }

    /// Never: a range has at least one day.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Each day with its name and its beginning.
    pub fn days(self) -> impl Iterator<Item = (String, Timestamp)> {
        (self.first..=self.last).map(|day| {
            let at = Timestamp::from_micros(day.saturating_mul(DAY_MICROS));
            (name(at), at)
        })
    }

    /// The names of the first and the last day.
    pub fn ends(&self) -> (String, String) {
        let at = |day: i64| name(Timestamp::from_micros(day.saturating_mul(DAY_MICROS)));
        (at(self.first), at(self.last))
    }

    /// The days after the first `count`, if there are any, and those.
    pub fn split(self, count: usize) -> (Self, Option<Self>) {
        let count = i64::try_from(count.max(1)).unwrap_or(i64::MAX);
        let last = self.first.saturating_add(count - 1);
        if last >= self.last {
            return (self, None);
        }
        (Self { last, ..self }, Some(Self { first: last + 1, ..self }))
    }

    /// When the range begins and when its last day does.
    pub fn times(&self) -> (Timestamp, Timestamp) {
        let first = Timestamp::from_micros(self.first.saturating_mul(DAY_MICROS));
        (first, first.plus(DAY * u32::try_from(self.last - self.first).unwrap_or(u32::MAX)))
    }
}

/// The day of a time, as `2026-03-01`.
fn name(time: Timestamp) -> String {
    time.to_string().chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_range_is_whole_days_both_included() {
        let range = DayRange::new(at("2026-02-27T23:59:59Z"), at("2026-03-01T00:00:00Z")).unwrap();
        let days: Vec<String> = range.days().map(|(day, _)| day).collect();
        assert_eq!(days, ["2026-02-27", "2026-02-28", "2026-03-01"]);
        assert_eq!((range.len(), range.ends()), (3, ("2026-02-27".into(), "2026-03-01".into())));
        assert_eq!(range.times(), (at("2026-02-27T00:00:00Z"), at("2026-03-01T00:00:00Z")));
        let (head, tail) = range.split(2);
        assert_eq!((head.len(), tail.unwrap().ends().0.as_str()), (2, "2026-03-01"));
        assert_eq!(range.split(3), (range, None));
    }

    #[test]
    fn a_range_that_is_none_or_too_long_is_refused() {
        let time = at("2026-03-01T00:00:00Z");
        for (since, until) in [
            (time.plus(DAY), time),
            (at("1970-01-01T00:00:00Z"), time),
            (Timestamp::from_micros(i64::MIN), time),
        ] {
            let error = DayRange::new(since, until).unwrap_err();
            assert!(error.message().starts_with("since: "), "{error}");
        }
    }
}
