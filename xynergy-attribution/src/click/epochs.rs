use std::fmt;
use std::str::FromStr;

use xynergy_core::Timestamp;

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// A span of whole days (UTC) whose clicks are hashed under one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch {
    first_day: i64,
    days: u16,
}

impl Epoch {
    /// The span of `days` days, counted from 1970, that `at` lies in.
    pub fn of(at: Timestamp, days: u16) -> Self {
        let days = days.max(1);
        let day = at.micros().div_euclid(DAY);
        Self { first_day: day - day.rem_euclid(i64::from(days)), days }
    }

    /// Its first moment.
    pub fn start(&self) -> Timestamp {
        Timestamp::from_micros(self.first_day.saturating_mul(DAY))
    }

    /// The first moment behind it.
    pub fn end(&self) -> Timestamp {
        Timestamp::from_micros(self.first_day.saturating_add(i64::from(self.days)).saturating_mul(DAY))
    }

    /// Whether it has a moment of `from..=to` in it.
    pub fn reaches(&self, from: Timestamp, to: Timestamp) -> bool {
        self.start() <= to && self.end() > from
    }

    /// Whether `at` lies in it.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.reaches(at, at)
    }
}

/// Its name in the store: the first day, counted from 1970, and how many there are.
impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.first_day, self.days)
    }
}

impl FromStr for Epoch {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        let (first_day, days) = name.split_once('+').ok_or(())?;
        let epoch =
            Self { first_day: first_day.parse().map_err(|_| ())?, days: days.parse().map_err(|_| ())? };
        if epoch.days > 0 { Ok(epoch) } else { Err(()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_moment_is_in_one_span(micros in any::<i64>(), days in 1u16..400) {
            let at = Timestamp::from_micros(micros);
            let epoch = Epoch::of(at, days);
            prop_assert_eq!(epoch.to_string().parse(), Ok(epoch));
            if micros.abs() < i64::MAX / 2 {
                prop_assert!(epoch.contains(at) && !epoch.contains(epoch.end()));
                prop_assert_eq!(Epoch::of(epoch.start(), days), epoch);
                prop_assert_eq!(Epoch::of(epoch.end(), days).start(), epoch.end());
            }
        }
    }
}
