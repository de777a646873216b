//! The spend ledger on SQLite.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use xynergy_core::spend::{
    LimitScope, MemoryLedger, Reserve, Settlement, SpendLedger, SpendLimit, Window, Zone,
};
use xynergy_core::{TenantId, Timestamp, conformance};
use xynergy_providers::store::sqlite::SqliteStore;

/// The file that the process which is killed writes to.
const FILE: &str = "XYNERGY_TEST_SPEND_FILE";

async fn temporary() -> (tempfile::TempDir, SqliteStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("xynergy.sqlite")).await.unwrap();
    (directory, store)
}

#[tokio::test]
async fn keeps_the_contract_of_a_spend_ledger() {
    let (_directory, store) = temporary().await;
    conformance::spend::suite(Arc::new(store)).await;
}

#[tokio::test]
async fn agrees_with_the_ledger_in_memory() {
    let (_directory, store) = temporary().await;
    for seed in 0..8 {
        conformance::spend::agree(&MemoryLedger::default(), &store, seed, 250).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_share_a_cap() {
    let (_directory, store) = temporary().await;
    let other = SqliteStore::open(store.path()).await.unwrap();
    conformance::spend::race(&[Arc::new(store), Arc::new(other)], 1_000, 1).await;
}

fn reserve(id: u128, at: Timestamp) -> Reserve {
    let lease = Duration::from_secs(600);
    let (tags, standing) = ([].into(), Vec::new());
    Reserve { id, amount_nano_usd: 80, tags, key: None, standing, at, lease }
}

async fn be_killed(path: &Path, at: Timestamp) {
    let store = SqliteStore::open(path).await.unwrap();
    let tenant = TenantId::default();
    let (scope, window, zone) = (LimitScope::Tenant, Window::Month, Zone::UTC);
    let limit = SpendLimit { scope, window, zone, amount_nano_usd: 100, hard: true };
    store.set_limit(&tenant, limit).await.unwrap();
    store.reserve(&tenant, &reserve(1, at)).await.unwrap();
    println!("reserved");
    tokio::time::sleep(Duration::from_secs(60)).await;
}

#[tokio::test]
async fn what_a_killed_process_held_is_given_back() {
    let at: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    if let Some(path) = std::env::var_os(FILE) {
        return be_killed(Path::new(&path), at).await;
    }
    let (_directory, store) = temporary().await;
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "what_a_killed_process_held_is_given_back", "--nocapture"])
        .env(FILE, store.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("reserved")), "the other process reserved");
    child.kill().unwrap();
    child.wait().unwrap();

    let tenant = TenantId::default();
    assert_eq!(store.spend(&tenant, None, at).await.unwrap().reserved_nano_usd, 80);
    store.reserve(&tenant, &reserve(2, at.plus(Duration::from_secs(599)))).await.unwrap_err();
    let later = at.plus(Duration::from_secs(600));
    assert_eq!(store.spend(&tenant, None, later).await.unwrap().reserved_nano_usd, 0, "at rest");
    store.reserve(&tenant, &reserve(3, later)).await.unwrap();
    let used = Settlement { provider: "p".into(), model: "m".into(), cost_nano_usd: Some(50), tokens: 1 };
    store.settle(&tenant, 3, &used).await.unwrap();
    let spend = store.spend(&tenant, None, later).await.unwrap();
    assert_eq!((spend.cost_nano_usd, spend.reserved_nano_usd), (50, 0));
}

#[tokio::test]
async fn what_was_settled_is_there_when_it_is_opened_again() {
    let (_directory, store) = temporary().await;
    let (tenant, at) = (TenantId::default(), "2026-03-01T12:00:00Z".parse().unwrap());
    store.reserve(&tenant, &reserve(1, at)).await.unwrap();
    let used = Settlement { provider: "p".into(), model: "m".into(), cost_nano_usd: Some(50), tokens: 1 };
    store.close(&tenant, 1, Some(used));
    store.drain().await.unwrap();
    let again = SqliteStore::open(store.path()).await.unwrap();
    let spend = again.spend(&tenant, None, at).await.unwrap();
    assert_eq!((spend.cost_nano_usd, spend.reserved_nano_usd, spend.requests), (50, 0, 1));
}
