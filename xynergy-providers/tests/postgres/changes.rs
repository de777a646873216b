use std::sync::Arc;

use xynergy_core::conformance;
use xynergy_core::conformance::simulation::Simulation;
use xynergy_core::execution::ChainVerifier;
use xynergy_core::store::memory::MemoryChanges;
use xynergy_core::store::{ChangeStore, HistoryFilter};
use xynergy_core::{TenantId, execution::AuditReport};
use xynergy_providers::store::postgres::PostgresStore;

use crate::support::Place;

#[tokio::test]
async fn keeps_the_contract() {
    let Some((_place, store)) = Place::with_store().await else { return };
    conformance::change_store(&store).await;
}

#[tokio::test]
async fn agrees_with_the_store_in_memory() {
    for seed in 0..4 {
        let Some((_place, store)) = Place::with_store().await else { return };
        conformance::change_stores_agree(&MemoryChanges::default(), &store, seed, 120).await;
    }
}

#[tokio::test]
async fn carries_the_executor() {
    let Some((_place, store)) = Place::with_store().await else { return };
    conformance::executor(Arc::new(store)).await;
}

/// A store whose connections ended with the runtime that made them, for what makes runtimes of its own.
fn apart() -> Option<(Place, Arc<dyn ChangeStore>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (place, store) = runtime.block_on(Place::with_store())?;
    Some((place, Arc::new(store)))
}

#[test]
fn keeps_the_invariants_through_random_days() {
    for seed in 0..2 {
        let Some((_place, store)) = apart() else { return };
        let simulation = Simulation { hours: 6, ..Simulation::day(seed) };
        let day = conformance::executor_simulation(&store, simulation);
        assert!(day.violations.is_empty(), "{}", day.explain());
    }
}

#[test]
fn survives_a_crash_at_every_place() {
    let Some((_place, store)) = apart() else { return };
    let places = conformance::executor_crashes(&store);
    assert!(places.len() >= 9 && places.values().sum::<usize>() >= 20, "{places:?}");
}

#[tokio::test]
async fn fences_a_worker_that_wakes_late() {
    let Some((_place, store)) = Place::with_store().await else { return };
    let store: Arc<dyn ChangeStore> = Arc::new(store);
    let places = conformance::executor_zombies(&store).await;
    assert!(places.values().sum::<usize>() >= 20, "{places:?}");
}

#[tokio::test]
async fn the_history_cannot_be_changed() {
    let Some((place, store)) = Place::with_store().await else { return };
    conformance::change_store(&store).await;
    let client = place.client().await;
    for (sql, why) in [
        ("UPDATE ad_change_history SET to_value = 1", "append-only"),
        ("DELETE FROM ad_change_history", "append-only"),
        ("TRUNCATE ad_change_history", "append-only"),
        (
            "INSERT INTO ad_change_history SELECT tenant_id, account_id, seq + 100, 'blocked', change_id, attempt,
                campaign_id, owner_level, owner_id, field, from_value, to_value, status, reason, retry_at, detail,
                duration_ms, allocation_id, causation_id, purpose, actor, request_id, at, prev_hash, hash
             FROM ad_change_history LIMIT 1",
            "no gaps",
        ),
        (
            "INSERT INTO ad_change_history SELECT tenant_id, account_id, seq, 'blocked', change_id, attempt,
                campaign_id, owner_level, owner_id, field, from_value, to_value, status, reason, retry_at, detail,
                duration_ms, allocation_id, causation_id, purpose, actor, request_id, at, prev_hash, hash
             FROM ad_change_history LIMIT 1",
            "duplicate key",
        ),
    ] {
        let refused = client.batch_execute(sql).await.unwrap_err();
        let told = refused.as_db_error().unwrap().message().to_owned();
        assert!(told.contains(why), "{sql}: {told}");
    }
}

#[tokio::test]
async fn the_views_can_be_read() {
    let Some((place, store)) = Place::with_store().await else { return };
    conformance::change_store(&store).await;
    let client = place.client().await;
    for (view, tenant, rows) in [
        ("v_recent_budget_changes", "applying", 1),
        ("v_campaign_activity_summary", "applying", 1),
        ("v_safety_check_failures", "refusing", 1),
    ] {
        let sql = format!("SELECT count(*) FROM (SELECT * FROM {view} WHERE tenant_id = $1) v");
        let count: i64 = client.query_one(&sql, &[&tenant]).await.unwrap().get(0);
        assert_eq!(count, rows, "{view}");
    }
}

async fn verified(store: &PostgresStore) -> AuditReport {
    let tenant = TenantId::new("applying").unwrap();
    let (account, head) = store.heads(&tenant).await.unwrap().remove(0);
    let mut verifier = ChainVerifier::default();
    let rows = store.history(&tenant, &account, &HistoryFilter::default()).await.unwrap();
    rows.iter().for_each(|row| verifier.push(row));
    verifier.finish(&account, &head)
}

#[tokio::test]
async fn a_tampered_history_is_found_offline() {
    let Some((place, store)) = Place::with_store().await else { return };
    conformance::change_store(&store).await;
    assert!(verified(&store).await.chain_ok);
    let client = place.client().await;
    for (tamper, undo, found) in [
        (
            "UPDATE ad_change_history SET to_value = to_value + 1 WHERE seq = 1",
            "UPDATE ad_change_history SET to_value = to_value - 1 WHERE seq = 1",
            "#1: it was altered",
        ),
        (
            "CREATE TABLE kept AS SELECT * FROM ad_change_history WHERE seq = 2;
             DELETE FROM ad_change_history WHERE seq = 2",
            "INSERT INTO ad_change_history SELECT * FROM kept; DROP TABLE kept",
            "rows after it are missing",
        ),
    ] {
        let with_rights = |sql: &str| {
            format!("SET session_replication_role = replica; {sql}; RESET session_replication_role")
        };
        client.batch_execute(&with_rights(tamper)).await.unwrap();
        let report = verified(&store).await;
        assert!(
            !report.chain_ok && report.first_bad.as_ref().is_some_and(|b| b.contains(found)),
            "{report:?}"
        );
        client.batch_execute(&with_rights(undo)).await.unwrap();
    }
    assert!(verified(&store).await.chain_ok);
}
