use std::time::Duration;

/// A time until a limit is full that no provider means: it is rather a point in time.
const ABSURD: Duration = Duration::from_secs(24 * 3_600);

/// What is left of the limits of a provider, as far as it tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RateLimits {
    /// Requests.
    pub requests: Allowance,
    /// Tokens, of prompts and answers together.
    pub tokens: Allowance,
    /// Tokens of prompts, where they are counted apart.
    pub input_tokens: Allowance,
    /// Tokens of answers, where they are counted apart.
    pub output_tokens: Allowance,
}

/// What is left of one limit. What the provider does not tell, or tells as less than nothing, is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    /// How much there is in one window.
    pub limit: Option<u64>,
    /// How much of it is left.
    pub remaining: Option<u64>,
    /// The time until it is full again; to go on, less may do.
    pub full_in: Option<Duration>,
}

impl RateLimits {
    /// Whether the provider told enough to wait by.
    pub fn is_known(&self) -> bool {
        self.all().iter().any(|(allowance, _)| allowance.is_known())
    }

    /// How long to wait for a request with a prompt of so many tokens, which is only counted where little is left, this long after
    /// it was told.
    pub fn wait(&self, most_tokens: u64, tokens: impl Fn() -> u64, since: Duration) -> Duration {
        let mut counted = None;
        let of = |(allowance, needs): (&Allowance, Needs)| {
            let need = match needs {
                Needs::One => 1,
                Needs::Prompt
                    if allowance.wait(most_tokens, since).is_zero() && allowance.fits(most_tokens) =>
                {
                    0
                }
                Needs::Prompt => *counted.get_or_insert_with(&tokens),
            };
            allowance.wait(need, since)
        };
        self.all().map(of).into_iter().max().unwrap_or_default()
    }

    /// What is known, by name, for the context of an error.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        let mut keep = |name: &'static str, value: Option<u64>| {
            if let Some(value) = value {
                pairs.push((name, value.to_string()));
            }
        };
        let ms = |time: Option<Duration>| time.and_then(|time| u64::try_from(time.as_millis()).ok());
        keep("limit_requests", self.requests.limit);
        keep("remaining_requests", self.requests.remaining);
        keep("requests_full_in_ms", ms(self.requests.full_in));
        keep("limit_tokens", self.tokens.limit);
        keep("remaining_tokens", self.tokens.remaining);
        keep("tokens_full_in_ms", ms(self.tokens.full_in));
        pairs
    }

    fn all(&self) -> [(&Allowance, Needs); 4] {
        [
            (&self.requests, Needs::One),
            (&self.tokens, Needs::Prompt),
            (&self.input_tokens, Needs::Prompt),
            (&self.output_tokens, Needs::One),
        ]
    }
}

/// What a request takes of a limit at least.
#[derive(Clone, Copy)]
enum Needs {
    One,
    Prompt,
}

impl Allowance {
    fn is_known(&self) -> bool {
        self.remaining.is_some() && self.full_in.is_some_and(|time| time <= ABSURD)
    }

    fn fits(&self, need: u64) -> bool {
        self.limit.is_none_or(|limit| need <= limit)
    }

    /// How long after it was told, and `since` then, there is as much as is needed: what is missing comes evenly until it is full.
    /// Zero where that is not known, and where it will never be: only the provider can say then.
    fn wait(&self, need: u64, since: Duration) -> Duration {
        let (Some(remaining), Some(full_in)) = (self.remaining, self.full_in) else { return Duration::ZERO };
        if remaining >= need || full_in > ABSURD || !self.fits(need) {
            return Duration::ZERO;
        }
        let wait = match self.limit.and_then(|limit| limit.checked_sub(remaining)) {
            Some(missing) if missing > 0 => {
                let micros = full_in.as_micros().saturating_mul(u128::from(need - remaining));
                Duration::from_micros(u64::try_from(micros.div_ceil(u128::from(missing))).unwrap_or(u64::MAX))
            }
            _ => full_in,
        };
        wait.saturating_sub(since)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(limit: u64, remaining: u64, seconds: u64) -> Allowance {
        let full_in = Some(Duration::from_secs(seconds));
        Allowance { limit: Some(limit), remaining: Some(remaining), full_in }
    }

    fn wait(limits: &RateLimits, prompt: u64, since: u64) -> u128 {
        limits.wait(prompt * 4, || prompt, Duration::from_secs(since)).as_millis()
    }

    #[test]
    fn the_time_to_fill_is_not_the_time_to_wait() {
        let requests = RateLimits { requests: of(60, 0, 60), ..RateLimits::default() };
        assert_eq!((wait(&requests, 5, 0), wait(&requests, 5, 1)), (1_000, 0));
        let tokens = RateLimits { tokens: of(1_000, 400, 60), ..RateLimits::default() };
        assert_eq!(
            [400, 401, 700, 1_000, 1_001].map(|prompt| wait(&tokens, prompt, 0)),
            [0, 100, 30_000, 60_000, 0]
        );
        assert_eq!(wait(&tokens, 700, 20), 10_000);
        let parted = RateLimits {
            input_tokens: of(100, 50, 10),
            output_tokens: of(10, 0, 30),
            ..RateLimits::default()
        };
        assert_eq!((wait(&parted, 50, 0), wait(&parted, 75, 0)), (3_000, 5_000));
    }

    #[test]
    fn what_is_not_known_or_absurd_is_not_waited_for() {
        let unknown = [
            Allowance::default(),
            Allowance { remaining: Some(0), ..Allowance::default() },
            Allowance { full_in: Some(Duration::from_secs(9)), ..Allowance::default() },
            of(10, 0, 1_772_366_400),
            of(10, 0, 0),
        ];
        for requests in unknown {
            assert_eq!(
                wait(&RateLimits { requests: requests.clone(), ..RateLimits::default() }, 5, 0),
                0,
                "{requests:?}"
            );
        }
        let unlimited = Allowance { limit: None, ..of(0, 0, 9) };
        assert_eq!(wait(&RateLimits { requests: unlimited, ..RateLimits::default() }, 5, 0), 9_000);
    }

    #[test]
    fn a_prompt_is_counted_only_where_little_is_left() {
        let limits = RateLimits { tokens: of(100_000, 50_000, 60), ..RateLimits::default() };
        assert!(limits.wait(40_000, || panic!("counted"), Duration::ZERO).is_zero());
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_until_it_is_full(
            limit in proptest::option::of(any::<u64>()), remaining in any::<u64>(), micros in any::<u64>(),
            need in any::<u64>(), since in any::<u32>(),
        ) {
            let full_in = Some(Duration::from_micros(micros));
            let tokens = Allowance { limit, remaining: Some(remaining), full_in };
            let limits = RateLimits { tokens, ..RateLimits::default() };
            let wait = limits.wait(need, || need, Duration::from_micros(u64::from(since)));
            prop_assert!(wait <= Duration::from_micros(micros).saturating_sub(Duration::from_micros(u64::from(since))));
        }
    }
}
