//! What every rate limiter keeps, whoever wrote it.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::ctx::TenantId;
use crate::env::{Entropy, SeededEntropy, Timestamp};
use crate::rate::{Admission, Ask, Bucket, Counted, Rate, RateLimiter};

/// Bursts, waits, corrections, and tenants and limits apart. Takes a limiter whose buckets are full.
///
/// # Panics
/// When the limiter does not keep the contract.
pub async fn suite(limiter: &dyn RateLimiter) {
    let ask =
        |tenant: &str, key: &str, tokens: u64, second: i64| ask_at(tenant, key, tokens, second * 1_000_000);
    // A burst, then what refills: 600 tokens a minute are ten a second.
    assert_eq!(limiter.acquire(&ask("suite", "a", 400, 0)).await, Admission::Admitted);
    let early = limiter.acquire(&ask("suite", "a", 300, 0)).await;
    assert_eq!(early, Admission::Wait(Counted::Tokens, Duration::from_secs(10)));
    assert_eq!(limiter.acquire(&ask("suite", "a", 300, 10)).await, Admission::Admitted);
    // More than a minute's is said at once.
    assert_eq!(limiter.acquire(&ask("suite", "a", 601, 10)).await, Admission::TooLarge);
    // Other limits and other tenants are not touched.
    for (tenant, key) in [("suite", "b"), ("other", "a")] {
        assert_eq!(limiter.acquire(&ask(tenant, key, 600, 10)).await, Admission::Admitted, "{tenant} {key}");
    }
    // Less was used: it is there again. More was used: it is missing.
    let asked = ask("suite", "c", 600, 0);
    assert_eq!(limiter.acquire(&asked).await, Admission::Admitted);
    limiter.correct(&asked, 100, asked.at);
    let again = ask("suite", "c", 500, 0);
    assert_eq!(limiter.acquire(&again).await, Admission::Admitted);
    limiter.correct(&again, 800, again.at);
    let late = limiter.acquire(&ask("suite", "c", 1, 0)).await;
    assert_eq!(late, Admission::Wait(Counted::Tokens, Duration::from_millis(30_100)));
    // Requests: five a minute, whatever they ask for.
    for _ in 0..5 {
        assert_eq!(limiter.acquire(&ask("suite", "d", 0, 0)).await, Admission::Admitted);
    }
    let sixth = limiter.acquire(&ask("suite", "d", 0, 0)).await;
    assert_eq!(sixth, Admission::Wait(Counted::Requests, Duration::from_secs(12)));
}

/// Random calls and corrections, each answered as the pure value answers it. The keys are those of the seed.
///
/// # Panics
/// At the first answer that differs.
pub async fn agree(limiter: &dyn RateLimiter, seed: u64, steps: usize) {
    let random = SeededEntropy::new(seed);
    let below = |most: u64| random.next_u64() % most;
    let mut model: BTreeMap<(String, String), Bucket> = BTreeMap::new();
    let mut open: Vec<Ask> = Vec::new();
    let mut micros = 0_i64;
    for step in 0..steps {
        micros += i64::try_from(below(9_000_000)).unwrap_or(0);
        let tenant = format!("agree{}", below(2));
        let asked = ask_at(&tenant, &format!("seed{seed}-{}", below(2)), below(700), micros);
        let of = |ask: &Ask| (ask.tenant.to_string(), ask.key.clone());
        if below(3) == 0
            && let Some(place) = open.iter().position(|ask| of(ask) == of(&asked))
        {
            let ended = open.swap_remove(place);
            let used = below(900);
            limiter.correct(&ended, used, asked.at);
            model.entry(of(&ended)).or_default().correct(ended.rate, ended.tokens, used, asked.at);
            // What a limiter takes note of, it tells with its next call of the same key.
        }
        let expected = model.entry(of(&asked)).or_default().take(asked.rate, asked.tokens, asked.at);
        assert_eq!(limiter.acquire(&asked).await, expected, "seed {seed}, step {step}: {asked:?}");
        if expected == Admission::Admitted {
            open.push(asked);
        }
    }
}

fn ask_at(tenant: &str, key: &str, tokens: u64, micros: i64) -> Ask {
    Ask {
        tenant: TenantId::new(tenant).unwrap_or_default(),
        key: key.to_owned(),
        rate: Rate { requests: NonZeroU32::new(5), tokens: NonZeroU32::new(600) },
        tokens,
        at: Timestamp::from_micros(1_772_366_400_000_000 + micros),
        is_system_time: false,
    }
}
