use xynergy_core::conformance;
use xynergy_core::conformance::simulation::Simulation;
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

#[tokio::test]
async fn carries_the_executor() {
    let (_directory, store) = temporary().await;
    conformance::executor(std::sync::Arc::new(store)).await;
}

/// A day on this store is the day on the reference, to the last event.
#[test]
fn keeps_the_invariants_through_random_days() {
    for seed in 0..2 {
        let simulation = Simulation { hours: 6, ..Simulation::day(seed) };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (_directory, store) = runtime.block_on(temporary());
        let store: std::sync::Arc<dyn ChangeStore> = std::sync::Arc::new(store);
        let day = conformance::executor_simulation(&store, simulation);
        assert!(day.violations.is_empty(), "{}", day.explain());
        let reference: std::sync::Arc<dyn ChangeStore> = std::sync::Arc::new(MemoryChanges::default());
        assert_eq!(day, conformance::executor_simulation(&reference, simulation), "seed {seed}");
    }
}

#[tokio::test]
async fn a_tampered_history_is_found_offline() {
    let (_directory, store) = temporary().await;
    conformance::change_store(&store).await;
    let verify = |store: SqliteStore| async move {
        let tenant = TenantId::new("applying").unwrap();
        let (account, head) = store.heads(&tenant).await.unwrap().remove(0);
        let mut verifier = xynergy_core::execution::ChainVerifier::default();
        let rows = store.history(&tenant, &account, &HistoryFilter::default()).await.unwrap();
        rows.iter().for_each(|r| verifier.push(r));
        verifier.finish(&account, &head)
    };
    assert!(verify(store.clone()).await.chain_ok);
    for (sql, found) in [
        ("UPDATE ad_change_history SET to_value = to_value + 1 WHERE seq = 1", "#1: it was altered"),
        ("DELETE FROM ad_change_history WHERE seq = 2", "rows after it are missing"),
    ] {
        store
            .call("test", move |c| {
                c.execute_batch(
                    "DROP TRIGGER IF EXISTS ad_change_history_no_update;
                                 DROP TRIGGER IF EXISTS ad_change_history_no_delete; SAVEPOINT tampered;",
                )?;
                c.execute(sql, [])?;
                Ok(())
            })
            .await
            .unwrap();
        let report = verify(store.clone()).await;
        assert!(
            !report.chain_ok && report.first_bad.as_ref().is_some_and(|b| b.contains(found)),
            "{report:?}"
        );
        store
            .call("test", |c| Ok(c.execute_batch("ROLLBACK TO tampered; RELEASE tampered;")?))
            .await
            .unwrap();
    }
    assert!(verify(store).await.chain_ok);
}

#[test]
fn survives_a_crash_at_every_place() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (_directory, store) = runtime.block_on(temporary());
    let store: std::sync::Arc<dyn ChangeStore> = std::sync::Arc::new(store);
    let places = conformance::executor_crashes(&store);
    assert!(places.len() >= 9 && places.values().sum::<usize>() >= 20, "{places:?}");
}

#[tokio::test]
async fn fences_a_worker_that_wakes_late() {
    let (_directory, store) = temporary().await;
    let store: std::sync::Arc<dyn ChangeStore> = std::sync::Arc::new(store);
    let places = conformance::executor_zombies(&store).await;
    assert!(places.values().sum::<usize>() >= 20, "{places:?}");
}

/// A history that was written before approvals existed verifies after the migration as before.
#[tokio::test]
async fn a_history_of_an_older_version_still_verifies() {
    let (directory, written) = temporary().await;
    conformance::change_store(&written).await;
    let tenant = TenantId::new("applying").unwrap();
    let before = written.history(&tenant, "act_1", &HistoryFilter::default()).await.unwrap();
    assert!(!before.is_empty());

    let older = directory.path().join("older.sqlite");
    crate::store::sqlite::migrate::run_to(&mut rusqlite::Connection::open(&older).unwrap(), 4).unwrap();
    let columns = "tenant_id, account_id, seq, kind, change_id, attempt, campaign_id, owner_level, owner_id, field,
        from_value, to_value, status, reason, retry_at, detail, duration_ms, allocation_id, causation_id, purpose, actor,
        request_id, at, prev_hash, hash";
    let (path, copy) = (
        older.display().to_string(),
        format!(
            "INSERT INTO older.ad_change_history ({columns})
                 SELECT {columns} FROM ad_change_history WHERE tenant_id = 'applying' ORDER BY seq;
             INSERT INTO older.ad_change_heads SELECT * FROM ad_change_heads WHERE tenant_id = 'applying';"
        ),
    );
    written
        .call("test", move |c| {
            c.execute("ATTACH ?1 AS older", [path])?;
            Ok(c.execute_batch(&copy)?)
        })
        .await
        .unwrap();
    drop(written);

    let store = SqliteStore::open(&older).await.unwrap();
    assert_eq!(store.applied()[..3], ["V5__approval", "V6__operations", "V7__spend"]);
    let after = store.history(&tenant, "act_1", &HistoryFilter::default()).await.unwrap();
    assert_eq!(after, before, "row for row");
    let (account, head) = store.heads(&tenant).await.unwrap().remove(0);
    let mut verifier = xynergy_core::execution::ChainVerifier::default();
    after.iter().for_each(|r| verifier.push(r));
    let report = verifier.finish(&account, &head);
    assert!(report.chain_ok, "{report:?}");
    for sql in ["UPDATE ad_change_history SET to_value = 1", "DELETE FROM ad_change_history"] {
        let refused = store.call("test", move |c| Ok(c.execute(sql, [])?)).await;
        assert!(refused.is_err(), "the new table is append-only: {sql}");
    }
}

/// The database itself refuses a second approval of one change.
#[tokio::test]
async fn an_approval_is_written_down_once() {
    let (_directory, store) = temporary().await;
    conformance::change_store(&store).await;
    let twice = "INSERT INTO ad_change_history
        SELECT tenant_id, account_id, seq + 1000, kind, change_id, attempt, campaign_id, owner_level, owner_id, field,
               from_value, to_value, status, reason, retry_at, detail, duration_ms, allocation_id, causation_id, purpose,
               actor, request_id, at, prev_hash, hash
        FROM ad_change_history WHERE kind = 'approved' LIMIT 1";
    let refused = store
        .call("test", move |c| {
            c.execute_batch("SAVEPOINT twice; DROP TRIGGER ad_change_history_no_gap;")?;
            let inserted = c.execute(twice, []);
            c.execute_batch("ROLLBACK TO twice; RELEASE twice;")?;
            Ok(inserted.map_err(|e| e.to_string()))
        })
        .await
        .unwrap();
    assert!(refused.as_ref().is_err_and(|e| e.contains("UNIQUE")), "{refused:?}");
}
