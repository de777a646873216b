//! The spend ledger: many replicas under one cap.

use std::sync::Arc;

use xynergy_core::spend::{LEASE, MemoryLedger, Reserve, SpendLedger};
use xynergy_core::{TenantId, Timestamp, conformance};

use crate::support::Place;

#[tokio::test]
async fn keeps_the_contract_of_a_spend_ledger() {
    let Some((_place, store)) = Place::with_store().await else { return };
    conformance::spend::suite(Arc::new(store)).await;
}

#[tokio::test]
async fn agrees_with_the_ledger_in_memory() {
    let Some((_place, store)) = Place::with_store().await else { return };
    for seed in 0..4 {
        conformance::spend::agree(&MemoryLedger::default(), &store, seed, 250).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_calls_over_16_connections_stay_under_one_cap() {
    let Some((place, store)) = Place::with_store().await else { return };
    assert!(place.config.max_connections >= 16, "{}", place.config.max_connections);
    let other = place.open().await;
    conformance::spend::race(&[Arc::new(store), Arc::new(other)], 1_000, 1).await;
}

#[tokio::test]
async fn a_reservation_that_comes_after_its_close_is_none() {
    let Some((_place, store)) = Place::with_store().await else { return };
    let (tenant, at) = (TenantId::default(), "2026-03-01T12:00:00Z".parse::<Timestamp>().unwrap());
    let (tags, standing) = ([].into(), Vec::new());
    let request = Reserve { id: 7, amount_nano_usd: 80, tags, key: None, standing, at, lease: LEASE };
    store.close(&tenant, 7, None);
    store.drain().await.unwrap();
    store.reserve(&tenant, &request).await.unwrap();
    assert_eq!(store.spend(&tenant, None, at).await.unwrap().reserved_nano_usd, 0);
}
