use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use xynergy::ads::{ChangeField, MemoryPlatform, Owner, WriteFault};
use xynergy::env::{Clock, ManualClock};
use xynergy::execution::{AdChange, ChangeId, KillScope, Policy};
use xynergy::{Client, Config, Currency, Scope};

use super::Told;

const ACCOUNT: &str = "act_1";

fn change(name: &str, set: &str, target: i64) -> AdChange {
    AdChange {
        id: ChangeId::derive(&[name]),
        account_id: ACCOUNT.into(),
        campaign_id: "c1".into(),
        owner: Owner::ad_set(set),
        field: ChangeField::Budget,
        expected_from: 1_000,
        target,
        currency: Currency::USD,
        allocation_id: None,
        causation_id: Some("april".into()),
        reason: "it earns more".into(),
        expires_at: None,
        ramp: None,
    }
}

struct World {
    scope: Scope,
    clock: Arc<ManualClock>,
}

impl World {
    /// Queues it twice, as a run that was broken off does, and approves it.
    async fn queue(&self, changes: Vec<AdChange>) {
        let execution = self.scope.execution();
        let digest = execution.plan(&changes, false).await.unwrap().digest;
        for _ in 0..2 {
            execution.queue(changes.clone()).await.unwrap();
        }
        execution.approve(&digest).await.unwrap();
        execution.queue(changes).await.unwrap();
    }

    async fn run(&self) {
        let execution = self.scope.execution();
        let end = self.clock.now().plus(Duration::from_secs(3_600));
        while let Some(due) = execution.next_due().await.unwrap().filter(|due| *due <= end) {
            self.clock.set(due.max(self.clock.now()));
            execution.run_once().await.unwrap();
        }
    }
}

/// Changes that are made, refused, lost, superseded, held back by a switch, and tried again.
pub(crate) async fn told() -> Told {
    let sets = ["s1", "s2", "s3"];
    let platform = sets.into_iter().fold(MemoryPlatform::new(ACCOUNT, Currency::USD), |platform, set| {
        platform.with_owner(Owner::ad_set(set), "c1", 1_000)
    });
    let mut config = Config::from_toml("version = 1\n[execution]\nrequire_approval = true").unwrap();
    config.execution.policy = Some(Policy { max_attempts: 1, ..Policy::exact() });
    let (events, clock) =
        (super::sink(), Arc::new(ManualClock::new("2026-03-31T18:00:00Z".parse().unwrap())));
    let client = Client::builder(config)
        .ad_platform(Arc::new(platform.clone()))
        .on_event(events.clone())
        .clock(clock.clone())
        .build()
        .unwrap();
    let world = World { scope: super::scope(&client), clock };
    let execution = world.scope.execution();

    platform.fault_writes([Some(WriteFault::LostBefore)]);
    let lost = change("lost", "s1", 1_100);
    world.queue(vec![lost.clone()]).await;
    world.run().await;
    execution.retry(lost.id).await.unwrap();
    world.run().await;

    execution.queue(vec![change("old", "s2", 1_050)]).await.unwrap();
    world.queue(vec![change("new", "s2", 1_100)]).await;
    world.run().await;

    execution.kill(&KillScope::Tenant, true).await.unwrap();
    world.queue(vec![change("held", "s3", 1_100)]).await;
    let blocked = execution.run_once().await.unwrap().unwrap();
    assert!(blocked.row.retry_at.is_some());
    execution.kill(&KillScope::Tenant, false).await.unwrap();
    world.run().await;

    let times = BTreeMap::from([
        ("change.queued", 4),
        ("change.approved", 3),
        ("change.intent", 4),
        ("change.unknown", 1),
        ("change.failed", 1),
        ("change.needs_human", 1),
        ("change.requeued", 1),
        ("change.completed", 3),
        ("change.blocked", 2),
        ("kill_switch.switched", 2),
    ]);
    Told { events: events.drain(), times }
}
