use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::env::Timestamp;

/// What a limit is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitScope {
    /// Everything that the tenant spends.
    #[default]
    Tenant,
    /// What carries this tag.
    Tag(String),
}

impl std::fmt::Display for LimitScope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tenant => f.write_str("the tenant"),
            Self::Tag(tag) => write!(f, "tag {tag:?}"),
        }
    }
}

/// A span of the calendar, in UTC.
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

    /// The start of the window that `at` is in.
    pub fn start(self, at: Timestamp) -> Timestamp {
        let floor =
            |micros: i64| Timestamp::from_micros(at.micros().div_euclid(micros).saturating_mul(micros));
        match self {
            Self::Minute => floor(60_000_000),
            Self::Hour => floor(3_600_000_000),
            Self::Day => floor(86_400_000_000),
            Self::Month => month(at, false),
        }
    }

    /// The start of the next window.
    pub fn end(self, at: Timestamp) -> Timestamp {
        let next = |micros: i64| Timestamp::from_micros(self.start(at).micros().saturating_add(micros));
        match self {
            Self::Minute => next(60_000_000),
            Self::Hour => next(3_600_000_000),
            Self::Day => next(86_400_000_000),
            Self::Month => month(at, true),
        }
    }
}

/// The first of this month or of the next. Times outside of the calendar are a month of their own.
fn month(at: Timestamp, next: bool) -> Timestamp {
    let first = || {
        let day = jiff::Timestamp::from_microsecond(at.micros()).ok()?.to_zoned(TimeZone::UTC).date();
        let day = if next { day.last_of_month().tomorrow().ok()? } else { day.first_of_month() };
        Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp().as_microsecond())
    };
    first().map_or(at, Timestamp::from_micros)
}

/// A cap on AI money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SpendLimit {
    /// What it is for.
    #[serde(default)]
    pub scope: LimitScope,
    /// Over which span.
    pub window: Window,
    /// The cap, in billionths of a dollar.
    pub amount_nano_usd: u64,
    /// A hard limit refuses the call that could cross it; a soft one lets it pass and says so.
    pub hard: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_calendar_spans() {
        let at: Timestamp = "2024-02-29T13:45:59.999999Z".parse().unwrap();
        let bounds = |window: Window| (window.start(at).to_string(), window.end(at).to_string());
        let pair = |start: &str, end: &str| (start.to_owned(), end.to_owned());
        assert_eq!(bounds(Window::Minute), pair("2024-02-29T13:45:00Z", "2024-02-29T13:46:00Z"));
        assert_eq!(bounds(Window::Hour), pair("2024-02-29T13:00:00Z", "2024-02-29T14:00:00Z"));
        assert_eq!(bounds(Window::Day), pair("2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"));
        assert_eq!(bounds(Window::Month), pair("2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"));
    }
}
