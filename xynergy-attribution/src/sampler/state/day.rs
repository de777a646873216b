use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xynergy_core::{Error, Result, Timestamp};

const MICROS: i64 = 86_400_000_000;

/// A calendar day, as `2026-03-01`: of the ad account's time zone in figures, of UTC where it follows from a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(with = "String")]
pub struct Day(i32);

impl Day {
    /// The day so many days after 1970-01-01.
    pub const fn new(days: i32) -> Self {
        Self(days)
    }

    /// The UTC day of a time.
    pub fn of(time: Timestamp) -> Self {
        Self(i32::try_from(time.micros().div_euclid(MICROS)).unwrap_or(0))
    }

    /// Days since 1970-01-01.
    pub const fn get(self) -> i32 {
        self.0
    }

    /// How many days this one is after `earlier`; `None` when it is before it.
    pub fn since(self, earlier: Self) -> Option<usize> {
        usize::try_from(i64::from(self.0) - i64::from(earlier.0)).ok()
    }

    /// The day so many days before this one.
    #[must_use]
    pub fn minus(self, days: u32) -> Self {
        Self(self.0.saturating_sub(i32::try_from(days).unwrap_or(i32::MAX)))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = Timestamp::from_micros(i64::from(self.0) * MICROS).to_string();
        f.write_str(shown.split('T').next().unwrap_or_default())
    }
}

impl FromStr for Day {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let time = if text.len() == 10 { format!("{text}T00:00:00Z").parse().ok() } else { None };
        time.map(Self::of).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            Error::invalid("day.parse", format!("{shown:?} is not a day such as 2026-03-01"))
        })
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(|e: Error| serde::de::Error::custom(e.message().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        for text in ["1969-12-31", "1970-01-01", "2024-02-29", "2026-03-01"] {
            assert_eq!(text.parse::<Day>().unwrap().to_string(), text);
        }
        assert_eq!("1970-01-02".parse::<Day>().unwrap(), Day::new(1));
        for bad in ["2026-02-30", "2026-3-01", "", "2026-03-01T00:00:00Z", "abcdefghij"] {
            assert!(bad.parse::<Day>().is_err(), "{bad}");
        }
        let late: Timestamp = "2026-03-01T23:59:59Z".parse().unwrap();
        assert_eq!(Day::of(late).to_string(), "2026-03-01");
        assert_eq!(Day::new(5).since(Day::new(3)), Some(2));
        assert_eq!(Day::new(3).since(Day::new(5)), None);
    }
}
