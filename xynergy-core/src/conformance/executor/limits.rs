use std::sync::Arc;
use std::time::Duration;

use super::world::{ACCOUNT, World};
use crate::ads::{ChangeField, MemoryPlatform, Owner, WriteClass, WriteFailure, WriteFault};
use crate::execution::{AccountLimits, AdChange, ChangeStatus, PlannedOutcome, Policy, Reason};
use crate::money::Currency;
use crate::store::ChangeStore;

const HOUR: Duration = Duration::from_secs(3_600);

pub(super) async fn all(store: &Arc<dyn ChangeStore>) {
    let world = |name: &str| World::new(store, name, Policy::standard());
    velocity(world("limits-velocity")).await;
    velocity_of_an_edit_before_the_first_reading(world("limits-first-edit")).await;
    owner_rate(world("limits-rate")).await;
    raises_wait_for_cuts(world("limits-cuts")).await;
    cap(world("limits-cap")).await;
    plan_of_an_allocation(world("limits-plan")).await;
    for seed in 0..12 {
        binding_total_with_fuzz(store, seed).await;
    }
}

fn limits(total: Option<i64>, min: Option<i64>, max: Option<i64>) -> AccountLimits {
    AccountLimits { currency: Currency::USD, total_daily_minor: total, min_minor: min, max_minor: max }
}

async fn velocity(world: World) {
    world.queue(vec![world.change("first", "s1", 1_000, 1_100)]).await;
    let completed = world.step().await.row.updated_at;
    world.queue(vec![world.change("second", "s1", 1_100, 1_200)]).await;
    assert_eq!(world.step().await.row.status, ChangeStatus::Completed, "10 % and 10 % are a fifth");
    world.queue(vec![world.change("third", "s1", 1_200, 1_210)]).await;
    let blocked = world.step().await.row;
    assert_eq!(blocked.reason, Some(Reason::Velocity));
    assert_eq!(blocked.retry_at, Some(completed.plus(6 * HOUR)), "when the first one leaves the window");
    world.run(7 * HOUR).await;
    assert_eq!(world.status("third").await, (ChangeStatus::Completed, None));
    assert_eq!(world.budget("s1"), 1_210);
    world.at_rest().await;
}

/// What somebody moved after the decision was made counts, also when the executor had never read the value.
async fn velocity_of_an_edit_before_the_first_reading(world: World) {
    world.queue(vec![world.change("first", "s1", 1_000, 1_100)]).await;
    world.platform.edit(&Owner::ad_set("s1"), ChangeField::Budget, 1_150, world.now());
    assert_eq!(world.step().await.row.reason, Some(Reason::Drifted));
    world.queue(vec![world.change("second", "s1", 1_150, 1_201)]).await;
    assert_eq!(world.step().await.row.reason, Some(Reason::Velocity), "15 % and 5.1 % of 1,000");
    world.queue(vec![world.change("third", "s1", 1_150, 1_200)]).await;
    assert_eq!(world.step().await.row.status, ChangeStatus::Completed);
    world.at_rest().await;
}

async fn owner_rate(world: World) {
    for (name, from) in [("one", 1_000), ("two", 1_010), ("three", 1_020)] {
        world.queue(vec![world.change(name, "s1", from, from + 10)]).await;
        assert_eq!(world.step().await.row.status, ChangeStatus::Completed);
    }
    world.queue(vec![world.change("four", "s1", 1_030, 1_040)]).await;
    let blocked = world.step().await.row;
    assert_eq!(blocked.reason, Some(Reason::RateLimitOwner));
    let first = world.platform.effects()[0].at;
    assert_eq!(blocked.retry_at, Some(first.plus(HOUR)));
    world.queue(vec![world.change("other", "s2", 1_000, 1_010)]).await;
    assert_eq!(world.step().await.row.status, ChangeStatus::Completed, "another ad set has its own");
    world.run(2 * HOUR).await;
    assert_eq!(world.status("four").await, (ChangeStatus::Completed, None));
    world.at_rest().await;
}

async fn raises_wait_for_cuts(world: World) {
    let of_allocation = |change: AdChange| AdChange { allocation_id: Some("allocation".into()), ..change };
    let away = WriteFailure {
        retry_after: Some(Duration::from_secs(600)),
        ..WriteFailure::new(WriteClass::NotSent, "refused")
    };
    world.platform.fault_writes([Some(WriteFault::Fail(away))]);
    let rows = world
        .queue(vec![
            of_allocation(world.change("raise", "s1", 1_000, 1_100)),
            of_allocation(world.change("cut", "s2", 1_000, 900)),
        ])
        .await;
    assert!(rows[0].run_at > rows[1].run_at);
    let cut = world.step().await.row;
    assert_eq!((cut.status, cut.reason), (ChangeStatus::Blocked, Some(Reason::Unreachable)));
    let raise = world.step().await.row;
    assert_eq!((raise.status, raise.reason), (ChangeStatus::Blocked, Some(Reason::AwaitingCuts)));
    assert!(raise.retry_at > cut.retry_at, "asked again after the cut");
    world.run(HOUR).await;
    assert_eq!(world.status("cut").await, (ChangeStatus::Completed, None));
    assert_eq!(world.status("raise").await, (ChangeStatus::Completed, None));
    let order: Vec<_> = world.platform.effects().iter().map(|e| e.owner.id.clone()).collect();
    assert_eq!(order, ["s2", "s1"]);
    world.at_rest().await;
}

async fn cap(world: World) {
    world
        .executor
        .set_limits(&world.ctx, ACCOUNT, &limits(Some(4_050), Some(500), Some(2_100)))
        .await
        .unwrap();
    world.queue(vec![world.change("over", "s1", 1_000, 1_100)]).await;
    let blocked = world.step().await.row;
    assert_eq!(blocked.reason, Some(Reason::AccountCap));
    assert_eq!(blocked.retry_at, Some(world.now().plus(6 * HOUR)));
    world.queue(vec![world.change("fits", "s2", 1_000, 1_050)]).await;
    assert_eq!(world.step().await.row.status, ChangeStatus::Completed);
    world.queue(vec![world.change("high", "s3", 2_000, 2_101)]).await;
    assert_eq!(world.step().await.row.reason, Some(Reason::AboveCeiling));
    world.queue(vec![world.change("room", "s3", 2_000, 1_900)]).await;
    world.run(7 * HOUR).await;
    assert_eq!(world.status("over").await, (ChangeStatus::Completed, None), "there was room six hours later");
    world.at_rest().await;
}

/// A dry run plays the cuts first: the raise fits into the room that they make, and not into more.
async fn plan_of_an_allocation(world: World) {
    world.executor.set_limits(&world.ctx, ACCOUNT, &limits(Some(4_000), None, None)).await.unwrap();
    let of_allocation = |change: AdChange| AdChange { allocation_id: Some("allocation".into()), ..change };
    let changes = [
        of_allocation(world.change("raise", "s1", 1_000, 1_100)),
        of_allocation(world.change("cut", "s2", 1_000, 900)),
        of_allocation(world.change("too much", "s3", 2_000, 2_001)),
    ];
    let plan = world.executor.plan(&world.ctx, &changes, true).await.unwrap();
    let outcomes: Vec<_> = plan.changes.into_iter().map(|p| p.outcome).collect();
    assert_eq!(outcomes[0], PlannedOutcome::Sent { from: 1_000, value: 1_100 });
    assert_eq!(outcomes[1], PlannedOutcome::Sent { from: 1_000, value: 900 });
    assert!(matches!(outcomes[2], PlannedOutcome::Blocked { reason: Reason::AccountCap, retry_at: Some(_) }));
    assert_eq!(world.platform.requests(), 0);
}

/// A total that binds exactly: no earlier fuzz may take the room of the last raise.
async fn binding_total_with_fuzz(store: &Arc<dyn ChangeStore>, seed: u64) {
    let owners = [("a", 10_000, 11_000), ("b", 20_000, 18_500), ("c", 5_000, 5_900), ("d", 8_000, 7_600)];
    let total: i64 = owners.iter().map(|(_, _, target)| target).sum();
    assert_eq!(total, owners.iter().map(|(_, from, _)| from).sum::<i64>());
    let platform = owners.iter().fold(MemoryPlatform::new(ACCOUNT, Currency::USD), |p, (id, from, _)| {
        p.with_owner(Owner::ad_set(*id), "c1", *from)
    });
    let world = World::with_platform(store, &format!("limits-fuzz-{seed}"), Policy::seed(), seed, platform);
    world.executor.set_limits(&world.ctx, ACCOUNT, &limits(Some(total), None, None)).await.unwrap();
    let changes = owners.map(|(id, from, target)| AdChange {
        allocation_id: Some("allocation".into()),
        campaign_id: "c1".into(),
        ..world.change(&format!("{id}{seed}"), id, from, target)
    });
    world.queue(changes.to_vec()).await;
    world.run(HOUR).await;
    for (id, _, target) in owners {
        let row = world.get(&format!("{id}{seed}")).await;
        assert_eq!(row.status, ChangeStatus::Completed, "seed {seed}: {row:?}");
        let value = world.platform.value(&Owner::ad_set(id), ChangeField::Budget).unwrap();
        assert!((value - target).abs() * 1_000 <= target * 30, "seed {seed}: {id} {value}");
    }
    let sum: i64 = owners.iter().map(|(id, ..)| world.budget(id)).sum();
    assert!(sum <= total, "seed {seed}: {sum} over {total}");
    world.at_rest().await;
}
