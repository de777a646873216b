use std::time::Duration;

use crate::env::{Entropy, SeededEntropy};

/// The draws of one simulation.
#[derive(Debug)]
pub(super) struct Dice(SeededEntropy);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(SeededEntropy::new(seed))
    }

    /// 0 to `bound` - 1; 0 for a bound of 0.
    pub(super) fn below(&self, bound: u64) -> u64 {
        self.0.next_u64() % bound.max(1)
    }

    /// From the first to the last, both included.
    pub(super) fn between(&self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    pub(super) fn index(&self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    pub(super) fn of<'a, T>(&self, choices: &'a [T]) -> &'a T {
        &choices[self.index(choices.len())]
    }

    /// True so often in a hundred thousand.
    pub(super) fn chance(&self, per_100_000: u64) -> bool {
        self.below(100_000) < per_100_000
    }

    pub(super) fn percent(&self, percent: u64) -> bool {
        self.chance(percent * 1_000)
    }

    /// A duration from the first to the last.
    pub(super) fn time(&self, least: Duration, most: Duration) -> Duration {
        let micros = |d: Duration| u64::try_from(d.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.between(micros(least), micros(most).max(micros(least))))
    }

    pub(super) fn seconds(&self, least: u64, most: u64) -> Duration {
        self.time(Duration::from_secs(least), Duration::from_secs(most))
    }
}
