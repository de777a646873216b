//! Requests and tokens a minute in Redis.
#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use xynergy_core::config::EnvSecrets;
use xynergy_core::env::{Entropy, SystemEntropy};
use xynergy_core::rate::{Admission, Ask, Counted, Rate, RateLimiter};
use xynergy_core::{Ctx, Env, TenantId, conformance};
use xynergy_providers::redis::{RedisConfig, RedisLimiter, RedisUrl};

fn server() -> Option<String> {
    let url = std::env::var("XYNERGY_TEST_REDIS").ok();
    if url.is_none() {
        println!("skipped: XYNERGY_TEST_REDIS is not set (tests/services start DIR)");
    }
    url
}

/// Limiters that share keys of a test's own.
fn limiters<const N: usize>(url: &str) -> [Arc<RedisLimiter>; N] {
    let prefix = format!("test{:016x}", SystemEntropy.next_u64());
    let config = RedisConfig { prefix, ..RedisConfig::new(RedisUrl::Text(url.to_owned())) };
    std::array::from_fn(|_| Arc::new(RedisLimiter::new(config.clone(), Arc::new(EnvSecrets)).unwrap()))
}

fn ask(requests: u32, tokens: u32, needs: u64) -> Ask {
    let ctx = Ctx::new(&Env::default(), TenantId::default());
    let rate = Rate { requests: NonZeroU32::new(requests), tokens: NonZeroU32::new(tokens) };
    Ask::new(&ctx, "somebody", rate, needs)
}

#[tokio::test]
async fn keeps_the_contract_of_a_limiter() {
    let Some(url) = server() else { return };
    let [limiter] = limiters(&url);
    conformance::rate::suite(&*limiter).await;
    for seed in 0..8 {
        conformance::rate::agree(&*limiter, seed, 250).await;
    }
}

#[tokio::test]
async fn the_greatest_limits_are_counted_exactly() {
    let Some(url) = server() else { return };
    let [limiter] = limiters(&url);
    let most = Rate::MOST;
    let mut asked = ask(0, most, u64::from(most));
    asked.is_system_time = false;
    assert_eq!(limiter.acquire(&asked).await, Admission::Admitted);
    limiter.correct(&asked, u64::MAX, asked.at);
    let one = Ask { tokens: 1, ..asked.clone() };
    // Two minutes' worth is taken: to the microsecond, one minute and what a token takes, which is none at this rate, rounded up.
    let wait = Admission::Wait(Counted::Tokens, Duration::from_micros(60_000_002));
    assert_eq!(limiter.acquire(&one).await, wait);
    let gone = Ask { tokens: u64::from(most), ..asked };
    limiter.correct(&gone, 0, gone.at);
    limiter.correct(&gone, 0, gone.at);
    assert_eq!(limiter.acquire(&gone).await, Admission::Admitted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_share_one_limit() {
    let Some(url) = server() else { return };
    let limiters = limiters::<8>(&url);
    let mut calls = JoinSet::new();
    for number in 0..200 {
        let limiter = Arc::clone(&limiters[number % limiters.len()]);
        calls.spawn(async move { limiter.acquire(&ask(40, 0, 0)).await });
    }
    let admitted = calls.join_all().await.into_iter().filter(|a| *a == Admission::Admitted).count();
    // By the server's clock; what refills in the meantime is let through.
    assert!((40..=44).contains(&admitted), "{admitted}");
}

#[tokio::test]
async fn without_the_server_each_process_goes_by_itself() {
    // Nobody listens there.
    let [limiter] = limiters("redis://127.0.0.1:1/0");
    let started = Instant::now();
    for _ in 0..5 {
        assert_eq!(limiter.acquire(&ask(5, 600, 100)).await, Admission::Admitted);
    }
    assert!(matches!(limiter.acquire(&ask(5, 600, 100)).await, Admission::Wait(Counted::Requests, _)));
    assert_eq!(limiter.acquire(&ask(5, 600, 601)).await, Admission::TooLarge);
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "each call waited for the server: {:?}",
        started.elapsed()
    );
}
