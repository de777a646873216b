use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::health::Performance;

/// How the calls of one client went, all tenants together.
#[derive(Debug, Default)]
pub(super) struct Counters {
    ended: AtomicU64,
    failed: AtomicU64,
    micros: AtomicU64,
}

impl Counters {
    pub(super) fn add(&self, failed: bool, took: Duration) {
        self.ended.fetch_add(1, Ordering::Relaxed);
        self.failed.fetch_add(u64::from(failed), Ordering::Relaxed);
        self.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn performance(&self) -> Performance {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Performance::of(read(&self.ended), read(&self.failed), Duration::from_micros(read(&self.micros)))
    }
}
