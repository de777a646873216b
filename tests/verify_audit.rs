//! `cargo run --example verify_audit`, on histories that somebody has been at.
#![allow(clippy::unwrap_used)]

#[path = "../examples/verify_audit/run.rs"]
mod run;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use run::{Options, TAMPERED};
use xynergy::ads::{ChangeField, MemoryPlatform, Owner};
use xynergy::execution::{AdChange, ChangeId};
use xynergy::{Client, Config, Currency, StoreConfig, TenantId};

/// A store in which each of two tenants has applied a change, and had one refused.
async fn store(folder: &Path) -> PathBuf {
    let path = folder.join("store.sqlite");
    let mut config = Config { store: StoreConfig::Sqlite { path: path.clone() }, ..Config::default() };
    config.execution.preset = "exact".into();
    let platform = MemoryPlatform::new("act_1", Currency::USD).with_owner(Owner::ad_set("s1"), "c1", 1_000);
    let client = Client::builder(config).ad_platform(Arc::new(platform)).build().unwrap();
    for (tenant, from, target) in [("acme", 1_000, 1_100), ("zeta", 1_100, 1_200)] {
        let scope = client.scope(TenantId::new(tenant).unwrap());
        for (name, target) in [("one", target), ("too far", 9_000)] {
            let change = AdChange {
                id: ChangeId::derive(&[tenant, name]),
                account_id: "act_1".into(),
                campaign_id: "c1".into(),
                owner: Owner::ad_set("s1"),
                field: ChangeField::Budget,
                expected_from: if name == "one" { from } else { from + 100 },
                target,
                currency: Currency::USD,
                allocation_id: None,
                causation_id: None,
                reason: "it earns more".into(),
                expires_at: None,
                ramp: None,
            };
            scope.execution().queue(vec![change]).await.unwrap();
            scope.execution().run_once().await.unwrap();
        }
    }
    client.drain().await;
    path
}

fn options(store: &Path, anchor: Option<&Path>) -> Options {
    Options {
        store: store.display().to_string(),
        schema: "xynergy".into(),
        anchor: anchor.map(Path::to_owned),
    }
}

/// Somebody with a tool for databases.
fn tamper(store: &Path, sql: &str) {
    let database = rusqlite::Connection::open(store).unwrap();
    database.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    database
        .execute_batch("DROP TRIGGER ad_change_history_no_update; DROP TRIGGER ad_change_history_no_delete;")
        .unwrap();
    database.execute_batch(sql).unwrap();
}

#[tokio::test]
async fn a_whole_history_is_verified() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).await;
    let (text, code) = run::run(&options(&store, None)).await.unwrap();
    assert_eq!(code, 0, "{text}");
    assert!(text.ends_with("2 accounts, 6 rows, 0 open intents: verified\n"), "{text}");
    assert!(text.contains("acme act_1: 3 rows") && text.contains("zeta act_1: 3 rows"), "{text}");
}

#[tokio::test]
async fn what_was_edited_or_removed_by_hand_is_named() {
    for (sql, row) in [
        ("UPDATE ad_change_history SET to_value = 1105 WHERE tenant_id = 'zeta' AND seq = 2", "zeta act_1#2"),
        (
            "UPDATE ad_change_history SET actor = 'nobody' WHERE tenant_id = 'acme' AND seq = 1",
            "acme act_1#1",
        ),
        ("DELETE FROM ad_change_history WHERE tenant_id = 'acme' AND seq = 2", "acme act_1#3"),
        ("DELETE FROM ad_change_history WHERE tenant_id = 'zeta' AND seq = 3", "zeta act_1#2"),
        ("DELETE FROM ad_change_history WHERE tenant_id = 'zeta'", "zeta act_1#0"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        tamper(&store, sql);
        let (text, code) = run::run(&options(&store, None)).await.unwrap();
        assert_eq!(code, TAMPERED, "{sql}: {text}");
        assert!(text.contains(&format!("BROKEN at {row}")), "{sql}: {text}");
    }
}

#[tokio::test]
async fn an_end_that_was_cut_off_with_its_head_is_told_by_the_anchor_alone() {
    for sql in [
        "DELETE FROM ad_change_history WHERE tenant_id = 'zeta' AND seq = 3;
         UPDATE ad_change_heads SET seq = 2, hash = (SELECT hash FROM ad_change_history
             WHERE tenant_id = 'zeta' AND seq = 2) WHERE tenant_id = 'zeta'",
        "DELETE FROM ad_change_history WHERE tenant_id = 'zeta';
         DELETE FROM ad_change_heads WHERE tenant_id = 'zeta'",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        let anchor = folder.path().join("anchor.json");
        assert_eq!(run::run(&options(&store, Some(&anchor))).await.unwrap().1, 0, "it is kept");
        assert_eq!(run::run(&options(&store, Some(&anchor))).await.unwrap().1, 0, "and is kept to");
        let kept = std::fs::read_to_string(&anchor).unwrap();
        tamper(&store, sql);
        assert_eq!(run::run(&options(&store, None)).await.unwrap().1, 0, "the chain itself is whole");
        let (text, code) = run::run(&options(&store, Some(&anchor))).await.unwrap();
        assert_eq!(code, TAMPERED, "{text}");
        assert!(text.contains("BROKEN at zeta act_1#3: the anchor has it"), "{text}");
        assert_eq!(std::fs::read_to_string(&anchor).unwrap(), kept, "what was lost stays in the anchor");
    }
}

#[tokio::test]
async fn what_cannot_be_judged_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let problem = run::run(&options(&folder.path().join("absent"), None)).await.unwrap_err();
    assert!(problem.contains("is not there"), "{problem}");
    let store = store(folder.path()).await;
    let anchor = folder.path().join("anchor.json");
    std::fs::write(&anchor, "[]").unwrap();
    let problem = run::run(&options(&store, Some(&anchor))).await.unwrap_err();
    assert!(problem.contains("is no anchor"), "{problem}");
    let newer = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
        VALUES (9999, 'future', '2030-01-01T00:00:00Z', '1')";
    tamper(&store, newer);
    let problem = run::run(&options(&store, None)).await.unwrap_err();
    assert!(problem.contains("newer version"), "{problem}");
}
