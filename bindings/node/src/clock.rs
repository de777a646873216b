use std::sync::Arc;
use std::time::Duration;

use napi_derive::napi;
use xynergy_bindings::{Error, ManualClock, Timestamp};

use crate::refused;

/// A clock that moves only when it is told to.
#[napi]
pub struct Clock {
    clock: Arc<ManualClock>,
}

#[napi]
impl Clock {
    /// One that stands at `now`, in RFC 3339.
    ///
    /// # Errors
    /// It is no time.
    #[napi(constructor, catch_unwind)]
    #[allow(clippy::needless_pass_by_value, reason = "a string from JavaScript arrives owned")]
    pub fn new(now: String) -> napi::Result<Self> {
        Ok(Self { clock: Arc::new(ManualClock::new(time(&now)?)) })
    }

    pub(crate) fn shared(&self) -> Arc<ManualClock> {
        self.clock.clone()
    }

    /// Its time, in RFC 3339.
    #[napi(catch_unwind)]
    pub fn now(&self) -> String {
        use xynergy_bindings::Clock as _;
        self.clock.now().to_string()
    }

    /// Sets it.
    ///
    /// # Errors
    /// It is no time.
    #[napi(catch_unwind)]
    #[allow(clippy::needless_pass_by_value, reason = "a string from JavaScript arrives owned")]
    pub fn set(&self, now: String) -> napi::Result<()> {
        self.clock.set(time(&now)?);
        Ok(())
    }

    /// Moves it on by whole milliseconds.
    ///
    /// # Errors
    /// It is negative or none.
    #[napi(catch_unwind)]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn advance(&self, ms: f64) -> napi::Result<()> {
        if !(0.0..=9_007_199_254_740_991.0).contains(&ms) || ms.fract() != 0.0 {
            return Err(refused(Error::invalid(
                "clock",
                "ms: give a whole number of milliseconds, 0 or more",
            )));
        }
        self.clock.advance(Duration::from_millis(ms as u64));
        Ok(())
    }
}

fn time(text: &str) -> napi::Result<Timestamp> {
    text.parse().map_err(|error: Error| refused(error))
}
