//! The memory backends of the AI part against their suites.

use std::sync::Arc;

use xynergy_core::cache::MemoryCache;
use xynergy_core::conformance;
use xynergy_core::spend::MemoryLedger;

#[tokio::test]
async fn the_memory_cache_conforms() {
    conformance::cache::suite(Arc::new(MemoryCache::new(1 << 20))).await;
}

#[tokio::test]
async fn the_memory_ledger_conforms() {
    conformance::spend::suite(Arc::new(MemoryLedger::default())).await;
}
