//! What the README says about operating budget changes, in Rust.
#![cfg(feature = "execution")]
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use xynergy::ads::{ChangeField, MemoryPlatform, Owner};
use xynergy::env::ManualClock;
use xynergy::execution::{
    AdChange, ChangeFilter, ChangeId, ChangeRow, ChangeStatus, HumanVerdict, Reason, RunOptions, RunReport,
};
use xynergy::{Client, Config, Currency, Scope, TenantId, Timestamp};

const NOW: Timestamp = Timestamp::from_millis(1_770_000_000_000);

fn client(platform: &MemoryPlatform) -> Client {
    let mut config = Config::default();
    config.execution.preset = "exact".to_owned();
    let clock = Arc::new(ManualClock::new(NOW));
    Client::builder(config).ad_platform(Arc::new(platform.clone())).clock(clock).build().unwrap()
}

fn platform() -> MemoryPlatform {
    MemoryPlatform::new("act_1", Currency::USD).with_owner(Owner::ad_set("s1"), "c1", 1_000)
}

fn change(target: i64) -> AdChange {
    AdChange {
        id: ChangeId::derive(&["a change"]),
        account_id: "act_1".to_owned(),
        campaign_id: "c1".to_owned(),
        owner: Owner::ad_set("s1"),
        field: ChangeField::Budget,
        expected_from: 1_000,
        target,
        currency: Currency::USD,
        allocation_id: None,
        causation_id: None,
        reason: "a test".to_owned(),
        expires_at: None,
        ramp: None,
    }
}

/// Only one who has looked into the platform's own log of edits can say it.
fn somebody_looks(row: &ChangeRow) -> (HumanVerdict, String) {
    (HumanVerdict::NotApplied, format!("no edit to {:?} in their log", row.sent_value))
}

async fn use_it(
    client: &Client,
    acme: &Scope,
    changes: Vec<AdChange>,
    told_to_end: impl Future<Output = ()>,
) -> xynergy::Result<RunReport> {
    // region: operating
    // Far targets as steps, one a window. A dry run has the digest that an approval takes, and writes nothing.
    let plan = acme.execution().plan(&acme.execution().ramped(&changes).await?, false).await?;
    acme.execution().queue_ramped(changes).await?;

    // In a worker, of which any number may run, for every tenant: until it is told to end, and its last request is settled.
    let report = client.execution().run(RunOptions::default(), told_to_end).await?;

    // What reading the platform cannot tell waits for a person.
    let undecided = ChangeFilter { needs_human: true, ..ChangeFilter::default() };
    for row in acme.execution().list(&undecided).await? {
        let (verdict, note) = somebody_looks(&row);
        acme.execution().resolve(row.change.id, verdict, &note).await?;
    }
    println!("{} planned, {} completed\n{}", plan.changes.len(), report.completed, client.metrics().await?);
    // endregion: operating
    Ok(report)
}

#[tokio::test]
async fn the_readmes_lines_do_what_they_say() {
    let platform = platform();
    let client = client(&platform);
    let acme = client.scope(TenantId::new("acme").unwrap()).with_actor("ann");
    let told_to_end = tokio::time::sleep(Duration::from_millis(300));
    let report = use_it(&client, &acme, vec![change(2_000)], told_to_end).await.unwrap();
    assert_eq!((report.steps, report.completed), (1, 1), "{report:?}");
    assert_eq!(platform.value(&Owner::ad_set("s1"), ChangeField::Budget), Some(1_200));
    let rows = acme.execution().list(&ChangeFilter::default()).await.unwrap();
    let mut standing: Vec<_> = rows.iter().map(|row| (row.change.target, row.status)).collect();
    // All were queued at once, so that the list has them by id.
    standing.sort_unstable();
    let pending = ChangeStatus::Pending;
    let completed = ChangeStatus::Completed;
    assert_eq!(standing, [(1_200, completed), (1_440, pending), (1_728, pending), (2_000, pending)]);
    assert!(rows.iter().all(|row| row.reason != Some(Reason::Velocity)));
}

#[tokio::test]
async fn figures_are_counted_and_name_nobody() {
    let client = client(&platform());
    let acme = client.scope(TenantId::new("acme").unwrap());
    acme.execution().queue(vec![change(1_100)]).await.unwrap();
    assert_eq!(client.tick().await.unwrap().completed, 1);
    let text = client.metrics().await.unwrap();
    for line in [
        "xynergy_execution_writes_total{class=\"applied\"} 1",
        "xynergy_execution_steps_total{event=\"completed\",reason=\"\"} 1",
        "xynergy_execution_write_duration_seconds_count 1",
        "xynergy_execution_wait_seconds_count 1",
        "xynergy_store_up 1",
    ] {
        assert!(text.lines().any(|told| told == line), "{line} is not in\n{text}");
    }
    for name in ["acme", "act_1", "c1", "s1"] {
        assert!(!text.contains(&format!("\"{name}\"")), "{name} is in\n{text}");
    }
}
