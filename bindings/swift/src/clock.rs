//! Time: the manual clock, and the form of points in time.

use std::sync::Arc;
use std::time::Duration;

use xynergy_bindings::{Clock as _, ManualClock, Timestamp};

use crate::failure::NativeError;

/// A clock that stands still until it is moved. Times are microseconds since 1970-01-01 UTC.
#[derive(Debug, uniffi::Object)]
pub struct NativeClock(pub(crate) Arc<ManualClock>);

#[uniffi::export]
impl NativeClock {
    /// A clock that stands at `micros`.
    #[uniffi::constructor]
    pub fn new(micros: i64) -> Arc<Self> {
        Arc::new(Self(Arc::new(ManualClock::new(Timestamp::from_micros(micros)))))
    }

    /// The time.
    pub fn now(&self) -> i64 {
        self.0.now().micros()
    }

    /// Sets the time, forwards or backwards.
    pub fn set(&self, micros: i64) {
        self.0.set(Timestamp::from_micros(micros));
    }

    /// Moves the time forwards.
    pub fn advance(&self, micros: u64) {
        self.0.advance(Duration::from_micros(micros));
    }
}

/// The microseconds of an RFC 3339 time.
///
/// # Errors
/// It is none.
#[uniffi::export]
pub fn parse_timestamp(text: &str) -> Result<i64, NativeError> {
    Ok(text.parse::<Timestamp>()?.micros())
}

/// The RFC 3339 form of a time.
///
/// # Errors
/// None by itself; a panic would be one.
#[uniffi::export]
pub fn format_timestamp(micros: i64) -> Result<String, NativeError> {
    Ok(Timestamp::from_micros(micros).to_string())
}
