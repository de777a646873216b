//! The memory backends of the AI part against their suites.

use std::sync::Arc;

use xynergy_core::cache::MemoryCache;
use xynergy_core::conformance;
use xynergy_core::rate::MemoryLimiter;
use xynergy_core::spend::MemoryLedger;

#[tokio::test]
async fn the_memory_cache_conforms() {
    conformance::cache::suite(Arc::new(MemoryCache::new(1 << 20))).await;
}

#[tokio::test]
async fn the_memory_ledger_conforms() {
    conformance::spend::suite(Arc::new(MemoryLedger::default())).await;
}

#[tokio::test]
async fn the_ledgers_report_tells_all_it_knows() {
    for seed in 0..20 {
        // A ledger agrees with itself: what the other ledgers are compared with is deterministic.
        conformance::spend::agree(&MemoryLedger::default(), &MemoryLedger::default(), seed, 500).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_calls_stay_under_one_cap() {
    for seed in 0..3 {
        conformance::spend::race(&[Arc::new(MemoryLedger::default())], 1_000, seed).await;
    }
}

#[tokio::test]
async fn the_limiter_in_memory_conforms() {
    conformance::rate::suite(&MemoryLimiter::default()).await;
    for seed in 0..50 {
        conformance::rate::agree(&MemoryLimiter::default(), seed, 300).await;
    }
}
