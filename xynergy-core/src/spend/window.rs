use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::env::Timestamp;
use crate::error::{Error, Result};

/// A time zone by its IANA name, as `Europe/Berlin`. The rules come with the library, so that all replicas of one version agree.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(with = "String")]
pub struct Zone(TimeZone);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// Its name.
    pub fn as_str(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// Whether it is UTC.
    pub fn is_utc(&self) -> bool {
        *self == Self::UTC
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl Hash for Zone {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Zone {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        if name == "UTC" {
            return Ok(Self::UTC);
        }
        TimeZone::get(name).map(Self).map_err(|_| {
            let shown: String = name.chars().take(40).collect();
            Error::invalid(
                "ai.set_limit",
                format!("zone: {shown:?} is no time zone; give an IANA name such as Europe/Berlin"),
            )
        })
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        name.parse().map_err(|e: Error| serde::de::Error::custom(e.message().to_owned()))
    }
}

/// A span of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A calendar month.
    Month,
}

impl Window {
    /// All of them, the shortest first.
    pub const ALL: [Self; 4] = [Self::Minute, Self::Hour, Self::Day, Self::Month];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// The window that `at` is in: its start, and that of the next. Minutes and hours are those of the zone's clock; a day in which
    /// the clock is changed has 23 or 25 hours. A time outside of the calendar is a window of its own.
    pub fn bounds(self, at: Timestamp, zone: &Zone) -> (Timestamp, Timestamp) {
        let bounds = match self {
            Self::Minute => grid(at, zone, 60_000_000),
            Self::Hour => grid(at, zone, 3_600_000_000),
            Self::Day => dates(at, zone, |day| Some((day, day.tomorrow().ok()?))),
            Self::Month => {
                dates(at, zone, |day| Some((day.first_of_month(), day.last_of_month().tomorrow().ok()?)))
            }
        };
        bounds.unwrap_or((at, Timestamp::from_micros(at.micros().saturating_add(1))))
    }
}

/// The piece of a grid in local time. Where the clock is changed between two lines, that is a line too.
fn grid(at: Timestamp, zone: &Zone, step: i64) -> Option<(Timestamp, Timestamp)> {
    let offset_at = |micros: i64| -> Option<i64> {
        let time = jiff::Timestamp::from_microsecond(micros).ok()?;
        Some(i64::from(zone.0.to_offset(time).seconds()) * 1_000_000)
    };
    let offset = if zone.is_utc() { 0 } else { offset_at(at.micros())? };
    let mut start = (at.micros().checked_add(offset)?).div_euclid(step).checked_mul(step)? - offset;
    let mut end = start.checked_add(step)?;
    if !zone.is_utc() {
        let change = |micros: i64| jiff::Timestamp::from_microsecond(micros).ok();
        if offset_at(start)? != offset {
            let before = zone.0.preceding(change(at.micros() + 1)?).next()?;
            start = start.max(before.timestamp().as_microsecond());
        }
        if offset_at(end - 1)? != offset {
            let after = zone.0.following(change(at.micros())?).next()?;
            end = end.min(after.timestamp().as_microsecond());
        }
    }
    Some((Timestamp::from_micros(start), Timestamp::from_micros(end)))
}

/// The span of dates around `at`.
fn dates(
    at: Timestamp,
    zone: &Zone,
    span: impl Fn(Date) -> Option<(Date, Date)>,
) -> Option<(Timestamp, Timestamp)> {
    let time = jiff::Timestamp::from_microsecond(at.micros()).ok()?;
    let day = zone.0.to_datetime(time).date();
    let midnight = |day: Date| -> Option<Timestamp> {
        let start = day.to_zoned(zone.0.clone()).ok()?;
        Some(Timestamp::from_micros(start.timestamp().as_microsecond()))
    };
    let bounds = |day: Date| -> Option<(Timestamp, Timestamp)> {
        let (first, next) = span(day)?;
        Some((midnight(first)?, midnight(next)?))
    };
    let found = bounds(day)?;
    // Clocks that were put back over midnight show a date twice: the next one had begun.
    if at >= found.1 { bounds(span(day)?.1) } else { Some(found) }
}

#[cfg(test)]
mod tests {
    use jiff::{ToSpan, Unit};
    use proptest::prelude::*;

    use super::*;

    fn zone(name: &str) -> Zone {
        name.parse().unwrap()
    }

    fn bounds(window: Window, at: &str, name: &str) -> (String, String) {
        let (start, end) = window.bounds(at.parse().unwrap(), &zone(name));
        (start.to_string(), end.to_string())
    }

    fn pair(start: &str, end: &str) -> (String, String) {
        (start.to_owned(), end.to_owned())
    }

    #[test]
    fn windows_are_calendar_spans() {
        let at = "2024-02-29T13:45:59.999999Z";
        let utc = |window| bounds(window, at, "UTC");
        assert_eq!(utc(Window::Minute), pair("2024-02-29T13:45:00Z", "2024-02-29T13:46:00Z"));
        assert_eq!(utc(Window::Hour), pair("2024-02-29T13:00:00Z", "2024-02-29T14:00:00Z"));
        assert_eq!(utc(Window::Day), pair("2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"));
        assert_eq!(utc(Window::Month), pair("2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"));
        assert_eq!(
            bounds(Window::Hour, at, "Asia/Kolkata"),
            pair("2024-02-29T13:30:00Z", "2024-02-29T14:30:00Z")
        );
    }

    #[test]
    fn days_have_23_or_25_hours_where_the_clock_is_changed() {
        let day = |at, zone| bounds(Window::Day, at, zone);
        assert_eq!(
            day("2026-03-29T12:00:00Z", "Europe/Berlin"),
            pair("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z")
        );
        assert_eq!(
            day("2026-11-01T12:00:00Z", "America/New_York"),
            pair("2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z")
        );
        assert_eq!(
            bounds(Window::Month, "2026-03-31T23:30:00Z", "Europe/Berlin"),
            pair("2026-03-31T22:00:00Z", "2026-04-30T22:00:00Z"),
            "it is April in Berlin"
        );
        // Lord Howe's clock goes back by half an hour: its repeated half hour is an hour of its own.
        assert_eq!(
            bounds(Window::Hour, "2026-04-04T15:10:00Z", "Australia/Lord_Howe"),
            pair("2026-04-04T15:00:00Z", "2026-04-04T15:30:00Z")
        );
        // Midnight does not exist on this day in Beirut's spring.
        assert_eq!(
            day("2022-03-27T10:00:00Z", "Asia/Beirut"),
            pair("2022-03-26T22:00:00Z", "2022-03-27T21:00:00Z")
        );
        // The clock was put back from 00:01 to 23:01: the new date had begun for a minute, and stays.
        assert_eq!(
            day("2010-11-07T03:00:00Z", "America/St_Johns"),
            pair("2010-11-07T02:30:00Z", "2010-11-08T03:30:00Z")
        );
    }

    #[test]
    fn zones_are_names() {
        assert_eq!(serde_json::to_string(&zone("Europe/Berlin")).unwrap(), "\"Europe/Berlin\"");
        let error = serde_json::from_str::<Zone>("\"Mars/Olympus\"").unwrap_err().to_string();
        assert!(error.contains("Mars/Olympus") && error.contains("Europe/Berlin"), "{error}");
    }

    fn any_zone() -> impl Strategy<Value = Zone> {
        let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        assert!(names.len() > 400, "the library brings the rules");
        proptest::sample::select(names).prop_map(|name| zone(&name))
    }

    /// From 1973 on, when the last zone's offset had become whole minutes, to 2100.
    fn any_time() -> impl Strategy<Value = Timestamp> {
        (94_694_400_000_000_i64..4_102_444_800_000_000).prop_map(Timestamp::from_micros)
    }

    proptest! {
        #[test]
        fn windows_follow_one_another_without_a_gap(zone in any_zone(), at in any_time()) {
            for window in Window::ALL {
                let (start, end) = window.bounds(at, &zone);
                prop_assert!(start <= at && at < end, "{window:?} {zone} {at}: {start} {end}");
                let last = Timestamp::from_micros(end.micros() - 1);
                prop_assert_eq!(window.bounds(start, &zone), (start, end), "{:?} {} first", window, &zone);
                prop_assert_eq!(window.bounds(last, &zone), (start, end), "{:?} {} last", window, &zone);
                prop_assert_eq!(window.bounds(end, &zone).0, end, "{:?} {} next", window, &zone);
                prop_assert_eq!(start.micros() % 60_000_000, 0, "history is by the minute");
            }
        }

        #[test]
        fn days_and_months_are_those_of_jiff(zone in any_zone(), at in any_time()) {
            let zoned = jiff::Timestamp::from_microsecond(at.micros()).unwrap().to_zoned(zone.0.clone());
            let day = zoned.start_of_day().unwrap();
            let next = day.date().tomorrow().unwrap().to_zoned(zone.0.clone()).unwrap();
            // Where the clock was put back over midnight, jiff's day ends before the time that it is of.
            prop_assume!(zoned < next);
            let micros = |zoned: &jiff::Zoned| Timestamp::from_micros(zoned.timestamp().as_microsecond());
            prop_assert_eq!(Window::Day.bounds(at, &zone), (micros(&day), micros(&next)));
            let month = zoned.first_of_month().unwrap().start_of_day().unwrap();
            let months = month.date().checked_add(1.month()).unwrap().to_zoned(zone.0.clone()).unwrap();
            prop_assert_eq!(Window::Month.bounds(at, &zone), (micros(&month), micros(&months)));
            let minute = zoned.round(jiff::ZonedRound::new().smallest(Unit::Minute).mode(jiff::RoundMode::Floor));
            prop_assert_eq!(Window::Minute.bounds(at, &zone).0, micros(&minute.unwrap()));
        }
    }
}
