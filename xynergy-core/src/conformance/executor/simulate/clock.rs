use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::env::{Clock, ManualClock, Timestamp};

/// Where a clock stands when it was reset to 1970.
const EPOCH: i64 = i64::MIN;

/// The clock of a worker: the true time and its error. It says that it is the machine's own, as a real one does.
#[derive(Debug)]
pub(super) struct WrongClock {
    truth: Arc<ManualClock>,
    start: Timestamp,
    error: AtomicI64,
}

impl WrongClock {
    pub(super) fn new(truth: Arc<ManualClock>) -> Self {
        let start = truth.now();
        Self { truth, start, error: AtomicI64::new(0) }
    }

    /// Ahead by so many seconds, or behind.
    pub(super) fn set_seconds(&self, seconds: i64) {
        self.error.store(seconds * 1_000_000, Ordering::SeqCst);
    }

    pub(super) fn reset_to_1970(&self) {
        self.error.store(EPOCH, Ordering::SeqCst);
    }
}

impl Clock for WrongClock {
    fn now(&self) -> Timestamp {
        let now = self.truth.now();
        match self.error.load(Ordering::SeqCst) {
            EPOCH => Timestamp::from_micros(now.micros() - self.start.micros()),
            error => Timestamp::from_micros(now.micros() + error),
        }
    }

    fn is_system(&self) -> bool {
        true
    }
}

/// The clock that all users of a store share. It may have been ahead, until it was corrected; it is never set forward,
/// which no store could tell from time that passes.
#[derive(Clone, Debug)]
pub(super) struct StoreClock {
    pub(super) truth: Arc<ManualClock>,
    pub(super) ahead: std::time::Duration,
    pub(super) corrected_at: Timestamp,
}

impl StoreClock {
    pub(super) fn now(&self) -> Timestamp {
        let now = self.truth.now();
        if now < self.corrected_at { now.plus(self.ahead) } else { now }
    }

    /// The true time before which this clock cannot show `time`.
    pub(super) fn earliest(&self, time: Timestamp) -> Timestamp {
        let now = self.truth.now();
        if now < self.corrected_at { time.minus(self.ahead) } else { time }
    }
}
