use xynergy_core::conformance;
use xynergy_core::store::memory::MemoryChanges;

use super::*;

async fn temporary() -> (tempfile::TempDir, SqliteStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("xynergy.sqlite")).await.unwrap();
    (directory, store)
}

#[tokio::test]
async fn keeps_the_contract() {
    let (_directory, store) = temporary().await;
    conformance::change_store(&store).await;
}

#[tokio::test]
async fn agrees_with_the_store_in_memory() {
    for seed in 0..8 {
        let (_directory, store) = temporary().await;
        conformance::change_stores_agree(&MemoryChanges::default(), &store, seed, 150).await;
    }
}

#[tokio::test]
async fn the_history_cannot_be_changed() {
    let (_directory, store) = temporary().await;
    conformance::change_store(&store).await;
    for sql in [
        "UPDATE ad_change_history SET to_value = 1",
        "DELETE FROM ad_change_history",
        "INSERT OR REPLACE INTO ad_change_history SELECT tenant_id, account_id, seq, kind, change_id, attempt,
            campaign_id, owner_level, owner_id, field, from_value, 1, status, reason, retry_at, detail, duration_ms,
            allocation_id, causation_id, purpose, actor, request_id, at, prev_hash, hash FROM ad_change_history",
    ] {
        let refused = store.call("test", move |c| Ok(c.execute(sql, [])?)).await;
        assert!(refused.is_err(), "{sql}");
    }
}

#[tokio::test]
async fn the_views_can_be_read() {
    let (_directory, store) = temporary().await;
    conformance::change_store(&store).await;
    let count = |view: &'static str, tenant: &'static str| {
        let store = store.clone();
        async move {
            store
                .call("test", move |c| {
                    let sql = format!("SELECT count(*) FROM {view} WHERE tenant_id = ?1");
                    Ok(c.query_row(&sql, [tenant], |row| row.get::<_, i64>(0))?)
                })
                .await
                .unwrap()
        }
    };
    assert_eq!(count("v_recent_budget_changes", "applying").await, 1);
    assert_eq!(count("v_campaign_activity_summary", "applying").await, 1);
    assert_eq!(count("v_safety_check_failures", "refusing").await, 1);
}
