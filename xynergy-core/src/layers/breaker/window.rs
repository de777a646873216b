use std::time::Duration;

use crate::env::Timestamp;

/// In how many slices a window is counted.
const SLICES: i64 = 10;

/// Counts the calls of the latest span of time, a tenth of it at once.
#[derive(Clone, Debug)]
pub(super) struct Window {
    slice: i64,
    slices: Vec<Slice>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slice {
    number: i64,
    calls: u64,
    bad: u64,
}

impl Window {
    pub(super) fn new(span: Duration) -> Self {
        let slice = i64::try_from(span.as_micros()).unwrap_or(i64::MAX) / SLICES;
        Self { slice: slice.max(1), slices: (0..SLICES).map(|_| Slice::default()).collect() }
    }

    pub(super) fn add(&mut self, now: Timestamp, bad: bool) {
        let number = self.number(now);
        let place = usize::try_from(number.rem_euclid(SLICES)).unwrap_or(0);
        let Some(slice) = self.slices.get_mut(place) else { return };
        if slice.number != number {
            *slice = Slice { number, ..Slice::default() };
        }
        slice.calls += 1;
        slice.bad += u64::from(bad);
    }

    /// All calls of the window that ends now, and the bad ones.
    pub(super) fn counts(&self, now: Timestamp) -> (u64, u64) {
        let last = self.number(now);
        let inside = self.slices.iter().filter(|slice| slice.number <= last && last - slice.number < SLICES);
        inside.fold((0, 0), |(calls, bad), slice| (calls + slice.calls, bad + slice.bad))
    }

    fn number(&self, now: Timestamp) -> i64 {
        now.micros().div_euclid(self.slice)
    }
}
