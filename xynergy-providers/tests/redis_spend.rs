//! The spend ledger in Redis.
#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use xynergy_core::config::EnvSecrets;
use xynergy_core::env::{Entropy, SystemEntropy};
use xynergy_core::spend::{
    LEASE, LimitScope, MemoryLedger, Reserve, Settlement, SpendLedger, SpendLimit, Window, Zone,
};
use xynergy_core::{ErrorKind, TenantId, Timestamp, conformance};
use xynergy_providers::redis::{RedisConfig, RedisLedger, RedisUrl};

fn server() -> Option<String> {
    let url = std::env::var("XYNERGY_TEST_REDIS").ok();
    if url.is_none() {
        println!("skipped: XYNERGY_TEST_REDIS is not set (tests/services start DIR)");
    }
    url
}

/// Ledgers that share keys of a test's own.
fn ledgers<const N: usize>(url: &str) -> [Arc<dyn SpendLedger>; N] {
    let prefix = format!("test{:016x}", SystemEntropy.next_u64());
    let config = RedisConfig { prefix, ..RedisConfig::new(RedisUrl::Text(url.to_owned())) };
    std::array::from_fn(|_| Arc::new(RedisLedger::new(config.clone(), Arc::new(EnvSecrets)).unwrap()) as _)
}

#[tokio::test]
async fn keeps_the_contract_of_a_spend_ledger() {
    let Some(url) = server() else { return };
    let [ledger] = ledgers(&url);
    conformance::spend::suite(ledger).await;
}

#[tokio::test]
async fn agrees_with_the_ledger_in_memory() {
    let Some(url) = server() else { return };
    let [ledger] = ledgers(&url);
    for seed in 0..8 {
        conformance::spend::agree(&MemoryLedger::default(), &*ledger, seed, 250).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_calls_of_16_replicas_stay_under_one_cap() {
    let Some(url) = server() else { return };
    conformance::spend::race(&ledgers::<16>(&url), 1_000, 1).await;
}

/// Passes bytes on to the server until it is cut.
struct Wire {
    port: u16,
    passing: JoinHandle<()>,
}

impl Wire {
    async fn new(to: &str, port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let to = to.to_owned();
        let passing = tokio::spawn(async move {
            let mut pairs = JoinSet::new();
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let mut far = TcpStream::connect(&to).await.unwrap();
                pairs.spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
            }
        });
        Self { port, passing }
    }

    async fn cut(self) -> u16 {
        self.passing.abort();
        self.passing.await.unwrap_err();
        self.port
    }
}

#[tokio::test]
async fn an_outage_refuses_in_time_and_is_survived() {
    let Some(url) = server() else { return };
    let address = url.trim_start_matches("redis://").split('/').next().unwrap().to_owned();
    let wire = Wire::new(&address, 0).await;
    let [ledger] = ledgers(&format!("redis://127.0.0.1:{}/0", wire.port));
    let (tenant, at) = (TenantId::default(), "2026-03-01T12:00:00Z".parse::<Timestamp>().unwrap());
    let reserve = |id| {
        let (tags, standing) = ([].into(), Vec::new());
        Reserve { id, amount_nano_usd: 40, tags, key: None, standing, at, lease: LEASE }
    };
    let (scope, window, zone) = (LimitScope::Tenant, Window::Day, Zone::UTC);
    let limit = SpendLimit { scope, window, zone, amount_nano_usd: 100, hard: true };
    assert!(ledger.remembered(&tenant).is_none());
    ledger.set_limit(&tenant, limit.clone()).await.unwrap();
    ledger.reserve(&tenant, &reserve(1)).await.unwrap();
    ledger.reserve(&tenant, &reserve(2)).await.unwrap();
    let port = wire.cut().await;

    let started = Instant::now();
    let error = ledger.reserve(&tenant, &reserve(3)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.message().contains("redis"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!(ledger.remembered(&tenant).unwrap(), [limit]);
    let used = Settlement { provider: "p".into(), model: "m".into(), cost_nano_usd: Some(30), tokens: 1 };
    ledger.settle(&tenant, 1, &used).await.unwrap_err();
    // As the guards of these calls do when they are dropped.
    ledger.close(&tenant, 1, Some(used));
    ledger.close(&tenant, 2, None);
    ledger.close(&tenant, 3, None);

    let wire = Wire::new(&address, port).await;
    ledger.drain().await.unwrap();
    let spend = ledger.spend(&tenant, None, at).await.unwrap();
    assert_eq!((spend.cost_nano_usd, spend.reserved_nano_usd), (30, 0), "nothing is lost, nothing is held");
    // A connection that broke is made again within a call.
    let port = wire.cut().await;
    let _wire = Wire::new(&address, port).await;
    ledger.reserve(&tenant, &reserve(4)).await.unwrap();
    assert_eq!(ledger.spend(&tenant, None, at).await.unwrap().reserved_nano_usd, 40);
}
