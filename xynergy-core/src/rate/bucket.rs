use std::num::NonZeroU32;
use std::time::Duration;

use super::{Admission, Counted};
use crate::env::Timestamp;

/// Parts of one request or token: so many that a limit a minute refills a whole number of them each microsecond.
const PARTS: u64 = 60_000_000;
/// The time in which an empty bucket fills.
const FILLS_IN: Duration = Duration::from_secs(60);

/// How many requests and tokens a minute, in bursts up to the whole minute's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// Requests; any number where absent.
    pub requests: Option<NonZeroU32>,
    /// Tokens of prompts and answers; any number where absent.
    pub tokens: Option<NonZeroU32>,
}

impl Rate {
    /// The greatest limit. Up to it, every store's arithmetic is exact.
    pub const MOST: u32 = 50_000_000;
}

/// What was taken of a limit of requests and one of tokens and is not refilled yet. A value: nothing in it knows the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// In parts.
    requests: u64,
    tokens: u64,
    at: Timestamp,
}

impl Bucket {
    /// Takes a request and `tokens`, or nothing.
    pub fn take(&mut self, rate: Rate, tokens: u64, now: Timestamp) -> Admission {
        if rate.tokens.is_some_and(|limit| tokens > u64::from(limit.get())) {
            return Admission::TooLarge;
        }
        self.refill(rate, now);
        let wait = |limit: Option<NonZeroU32>, taken: u64, more: u64| {
            let limit = u64::from(limit?.get());
            let over = taken.saturating_add(more.saturating_mul(PARTS)).saturating_sub(limit * PARTS);
            (over > 0).then(|| Duration::from_micros(over.div_ceil(limit)))
        };
        let requests = wait(rate.requests, self.requests, 1).map(|wait| (Counted::Requests, wait));
        let of_tokens = wait(rate.tokens, self.tokens, tokens).map(|wait| (Counted::Tokens, wait));
        if let Some((what, wait)) = requests.into_iter().chain(of_tokens).max_by_key(|(_, wait)| *wait) {
            return Admission::Wait(what, wait);
        }
        self.requests += rate.requests.map_or(0, |_| PARTS);
        self.tokens += rate.tokens.map_or(0, |_| tokens * PARTS);
        Admission::Admitted
    }

    /// Counts `used` tokens instead of the `taken` ones. More than there are in a minute beyond the limit are not counted, so that
    /// one wrong report blocks nobody for long.
    pub fn correct(&mut self, rate: Rate, taken: u64, used: u64, now: Timestamp) {
        let Some(limit) = rate.tokens else { return };
        self.refill(rate, now);
        let most = 2 * u64::from(limit.get()) * PARTS;
        self.tokens = if used >= taken {
            let more = (used - taken).saturating_mul(PARTS);
            self.tokens.saturating_add(more).min(most.max(self.tokens))
        } else {
            self.tokens.saturating_sub((taken - used).saturating_mul(PARTS))
        };
    }

    /// Whether nothing would be lost with it.
    pub fn is_full(&self, rate: Rate, now: Timestamp) -> bool {
        let mut later = *self;
        later.refill(rate, now);
        later.requests == 0 && later.tokens == 0
    }

    /// When it was last refilled.
    pub(super) fn at(&self) -> Timestamp {
        self.at
    }

    /// A clock that goes back refills nothing, and is waited for no longer than a bucket needs to fill.
    fn refill(&mut self, rate: Rate, now: Timestamp) {
        let passed = u64::try_from(now.since(self.at).as_micros()).unwrap_or(u64::MAX);
        let left = |taken: u64, limit: Option<NonZeroU32>| {
            taken.saturating_sub(limit.map_or(taken, |limit| passed.saturating_mul(u64::from(limit.get()))))
        };
        self.requests = left(self.requests, rate.requests);
        self.tokens = left(self.tokens, rate.tokens);
        self.at = self.at.max(now).min(now.plus(FILLS_IN));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rate(requests: u32, tokens: u32) -> Rate {
        Rate { requests: NonZeroU32::new(requests), tokens: NonZeroU32::new(tokens) }
    }

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(1_772_366_400_000_000 + micros)
    }

    #[test]
    fn a_burst_is_a_minute_s_and_the_rest_comes_evenly() {
        let (mut bucket, rate) = (Bucket::default(), rate(3, 0));
        for _ in 0..3 {
            assert_eq!(bucket.take(rate, 9, at(0)), Admission::Admitted);
        }
        let wait = Admission::Wait(Counted::Requests, Duration::from_secs(20));
        assert_eq!(bucket.take(rate, 9, at(0)), wait);
        assert_eq!(
            bucket.take(rate, 9, at(19_999_999)),
            Admission::Wait(Counted::Requests, Duration::from_micros(1))
        );
        assert_eq!(bucket.take(rate, 9, at(20_000_000)), Admission::Admitted);
    }

    #[test]
    fn what_is_refused_takes_nothing() {
        let (mut bucket, rate) = (Bucket::default(), rate(2, 100));
        assert_eq!(bucket.take(rate, 100, at(0)), Admission::Admitted);
        let before = bucket;
        assert_eq!(bucket.take(rate, 50, at(0)), Admission::Wait(Counted::Tokens, Duration::from_secs(30)));
        assert_eq!(bucket.take(rate, 101, at(0)), Admission::TooLarge);
        assert_eq!(bucket, before);
        assert_eq!(bucket.take(rate, 0, at(0)), Admission::Admitted, "a request is left");
    }

    #[test]
    fn an_absurd_report_blocks_for_a_minute_and_what_was_asked() {
        let (mut bucket, rate) = (Bucket::default(), rate(0, 1_000));
        bucket.take(rate, 10, at(0));
        bucket.correct(rate, 10, u64::MAX, at(0));
        assert_eq!(
            bucket.take(rate, 1, at(0)),
            Admission::Wait(Counted::Tokens, Duration::from_millis(60_060))
        );
        bucket.correct(rate, u64::MAX, 0, at(0));
        assert!(bucket.is_full(rate, at(0)));
    }

    #[test]
    fn a_clock_that_was_wrong_is_not_waited_for() {
        let (mut bucket, rate) = (Bucket::default(), rate(1, 0));
        let year = 365 * 86_400 * 1_000_000;
        assert_eq!(bucket.take(rate, 0, at(year)), Admission::Admitted);
        assert!(matches!(bucket.take(rate, 0, at(0)), Admission::Wait(_, wait) if wait <= FILLS_IN));
        assert_eq!(bucket.take(rate, 0, at(120_000_000)), Admission::Admitted);
    }

    proptest! {
        /// In any span of time no more is let through than the bucket holds and what refills in the span, and what has to wait is
        /// let through after the wait, and not a microsecond before.
        #[test]
        fn no_more_than_the_limit_passes(
            limit in 1_u32..5_000,
            calls in proptest::collection::vec((0_i64..30_000_000, 0_u64..6_000), 1..80),
        ) {
            let (mut bucket, rate) = (Bucket::default(), rate(0, limit));
            let mut now = 0_i64;
            let mut passed: Vec<(i64, u64)> = Vec::new();
            for (pause, tokens) in calls {
                now += pause;
                match bucket.take(rate, tokens, at(now)) {
                    Admission::Admitted => passed.push((now, tokens)),
                    Admission::TooLarge => prop_assert!(tokens > u64::from(limit)),
                    Admission::Wait(_, wait) => {
                        let wait = i64::try_from(wait.as_micros()).unwrap();
                        let mut early = bucket;
                        prop_assert_ne!(early.take(rate, tokens, at(now + wait - 1)), Admission::Admitted);
                        let mut then = bucket;
                        prop_assert_eq!(then.take(rate, tokens, at(now + wait)), Admission::Admitted);
                    }
                }
            }
            for (first, (start, _)) in passed.iter().enumerate() {
                let mut sum = 0_u128;
                for (when, tokens) in &passed[first..] {
                    sum += u128::from(*tokens);
                    let refilled = u128::try_from(when - start).unwrap() * u128::from(limit);
                    prop_assert!(sum * u128::from(PARTS) <= u128::from(limit) * u128::from(PARTS) + refilled);
                }
            }
        }

        /// A call that is corrected at once leaves the bucket as one that asked for the right number.
        #[test]
        fn a_correction_is_as_if_it_had_been_known(limit in 1_u32..5_000, asked in 0_u64..5_000, used in 0_u64..5_000) {
            let rate = rate(7, limit);
            prop_assume!(asked.max(used) <= u64::from(limit));
            let (mut guessed, mut known) = (Bucket::default(), Bucket::default());
            guessed.take(rate, asked, at(0));
            guessed.correct(rate, asked, used, at(0));
            known.take(rate, used, at(0));
            prop_assert_eq!(guessed, known);
        }

        #[test]
        fn nothing_overflows(limit in any::<u32>(), tokens in any::<u64>(), used in any::<u64>(), micros in any::<i64>()) {
            let rate = rate(limit, limit);
            let mut bucket = Bucket::default();
            bucket.take(rate, tokens, Timestamp::from_micros(micros));
            bucket.correct(rate, tokens, used, Timestamp::from_micros(micros.wrapping_mul(3)));
            bucket.take(rate, used, Timestamp::from_micros(i64::MAX));
        }
    }
}
