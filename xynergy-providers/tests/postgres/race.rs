//! Many workers at once over what only so many of them may have.

use std::sync::Arc;

use tokio::sync::Barrier;
use xynergy_core::TenantId;
use xynergy_core::ads::ChangeField;
use xynergy_core::env::SystemEntropy;
use xynergy_core::execution::{AdChange, AuditKind, ChainVerifier, ChangeStatus, LeaseToken};
use xynergy_core::store::{ChangeStore, HistoryFilter};
use xynergy_providers::store::postgres::PostgresStore;

use crate::faults::{at, batch, change, reserve};
use crate::support::Place;

const WORKERS: usize = 16;
const ROUNDS: usize = 3;

/// All workers try to reserve all changes at once; how many reservations were taken.
async fn race(store: &PostgresStore, tenant: &TenantId, changes: &[AdChange]) -> usize {
    store.queue(tenant, batch(at(0), changes.to_vec())).await.unwrap();
    let start = Arc::new(Barrier::new(WORKERS));
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| {
            let (store, tenant, start) = (store.clone(), tenant.clone(), start.clone());
            let mut changes = changes.to_vec();
            let turn = worker % changes.len();
            changes.rotate_left(turn);
            tokio::spawn(async move {
                start.wait().await;
                let mut taken = 0;
                for change in &changes {
                    let asked = reserve(change, at(1), LeaseToken::fresh(&SystemEntropy));
                    let moved = store.transition(&tenant, change.id, asked).await.unwrap();
                    taken += usize::from(moved.taken && moved.row.status == ChangeStatus::Claimed);
                }
                taken
            })
        })
        .collect();
    let mut taken = 0;
    for worker in workers {
        taken += worker.await.unwrap();
    }
    let rows = store.history(tenant, "act_1", &HistoryFilter::default()).await.unwrap();
    let mut verifier = ChainVerifier::default();
    rows.iter().for_each(|row| verifier.push(row));
    let (account, head) = store.heads(tenant).await.unwrap().remove(0);
    let report = verifier.finish(&account, &head);
    assert!(report.chain_ok, "{report:?}");
    assert_eq!(rows.iter().filter(|row| row.kind == AuditKind::Intent).count(), taken);
    taken
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_has_its_fifteen_changes_and_no_more() {
    let Some((_place, store)) = Place::with_store().await else { return };
    let changes: Vec<_> = (0..24).map(|n| change(&format!("change {n}"), &format!("s{n}"))).collect();
    for round in 0..ROUNDS {
        let tenant = TenantId::new(format!("campaign{round}")).unwrap();
        assert_eq!(race(&store, &tenant, &changes).await, 15, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_has_one_change_in_flight() {
    let Some((_place, store)) = Place::with_store().await else { return };
    let budget = change("budget", "s1");
    let bid = AdChange { field: ChangeField::Bid, ..change("bid", "s1") };
    for round in 0..ROUNDS {
        let tenant = TenantId::new(format!("owner{round}")).unwrap();
        assert_eq!(race(&store, &tenant, &[budget.clone(), bid.clone()]).await, 1, "round {round}");
    }
}
