use std::sync::Arc;
use std::time::Duration;

use super::world::World;
use crate::ads::{ChangeField, Owner, WriteClass, WriteFailure, WriteFault};
use crate::error::ErrorKind;
use crate::execution::{ChangeStatus, Policy, Reason};
use crate::store::ChangeStore;

const HOUR: Duration = Duration::from_secs(3_600);

pub(super) async fn all(store: &Arc<dyn ChangeStore>) {
    let world = |name: &str| World::new(store, name, Policy::standard());
    lost_reply_landed(world("faults-landed")).await;
    lost_reply_not_landed(world("faults-not-landed")).await;
    lost_reply_and_somebody_set_it_back(world("faults-set-back")).await;
    lost_reply_and_somebody_set_the_target(world("faults-same-target")).await;
    lost_reply_and_somebody_else_edited(world("faults-conflict")).await;
    lost_again_and_again(world("faults-poison")).await;
    unreadable_while_unknown(world("faults-unreadable")).await;
    away_for_long(world("faults-away"), false).await;
    away_for_long(world("faults-away-unknown"), true).await;
    refusals(world("faults-refusals")).await;
    clock_goes_back(world("faults-clock")).await;
}

/// Queues a raise of `s1` by 100, loses its reply and returns when it may be reconciled.
async fn lose(world: &World, fault: WriteFault) {
    world.platform.fault_writes([Some(fault)]);
    world.queue(vec![world.change("lost", "s1", 1_000, 1_100)]).await;
    let step = world.step().await;
    assert_eq!((step.row.status, step.row.reason), (ChangeStatus::Executing, Some(Reason::Unknown)));
    let due = world.executor.next_due(&world.ctx).await.unwrap().unwrap();
    assert_eq!(due.since(world.now()).as_secs(), 180, "not before the lease is over and nothing can land");
    world.clock.set(due.minus(Duration::from_micros(1)));
    assert_eq!(world.executor.run_once(&world.ctx).await.unwrap(), None);
}

async fn lost_reply_landed(world: World) {
    lose(&world, WriteFault::LostAfter).await;
    // Meanwhile another change of the owner waits, and one of another owner goes on.
    world
        .queue(vec![world.change("next", "s1", 1_100, 1_110), world.change("other", "s2", 1_000, 1_010)])
        .await;
    let reconciled = world.step().await;
    assert_eq!(
        (reconciled.row.status, reconciled.row.reason),
        (ChangeStatus::Completed, Some(Reason::Reconciled))
    );
    world.run(HOUR).await;
    for name in ["next", "other"] {
        assert_eq!(world.status(name).await, (ChangeStatus::Completed, None), "{name}");
    }
    assert_eq!((world.budget("s1"), world.platform.requests()), (1_110, 3), "nothing is sent twice");
    world.at_rest().await;
}

async fn lost_reply_not_landed(world: World) {
    lose(&world, WriteFault::LostBefore).await;
    let step = world.step().await;
    assert_eq!((step.row.status, step.row.reason), (ChangeStatus::Pending, Some(Reason::NotApplied)));
    let sent_again = world.step().await;
    assert_eq!((sent_again.row.status, sent_again.row.attempt), (ChangeStatus::Completed, 2));
    assert_eq!((world.budget("s1"), world.platform.requests()), (1_100, 2));
    world.at_rest().await;
}

async fn lost_reply_and_somebody_set_it_back(world: World) {
    lose(&world, WriteFault::LostAfter).await;
    world.platform.edit(&Owner::ad_set("s1"), ChangeField::Budget, 1_000, world.now());
    let step = world.step().await;
    assert_eq!(step.row.reason, Some(Reason::Reconciled), "the log of edits knows that it landed");
    world.run(HOUR).await;
    assert_eq!((world.budget("s1"), world.platform.requests()), (1_000, 1), "a person's edit wins");
    world.at_rest().await;
}

async fn lost_reply_and_somebody_set_the_target(world: World) {
    lose(&world, WriteFault::LostBefore).await;
    world.platform.edit(&Owner::ad_set("s1"), ChangeField::Budget, 1_100, world.now());
    let step = world.step().await;
    assert_eq!((step.row.status, step.row.reason), (ChangeStatus::Blocked, Some(Reason::Conflict)));
    assert_eq!(step.row.retry_at, None, "a person must look");
    world.at_rest().await;
}

async fn lost_reply_and_somebody_else_edited(world: World) {
    lose(&world, WriteFault::LostBefore).await;
    world.platform.edit(&Owner::ad_set("s1"), ChangeField::Budget, 1_050, world.now());
    let step = world.step().await;
    assert_eq!((step.row.status, step.row.reason), (ChangeStatus::Blocked, Some(Reason::Conflict)));
    assert_eq!((world.budget("s1"), world.platform.requests()), (1_050, 1));
    world.at_rest().await;
}

async fn lost_again_and_again(world: World) {
    world.platform.fault_writes(vec![Some(WriteFault::LostBefore); 5]);
    world.queue(vec![world.change("poison", "s1", 1_000, 1_100)]).await;
    world.run(HOUR).await;
    assert_eq!(world.status("poison").await, (ChangeStatus::Failed, Some(Reason::AttemptsExhausted)));
    assert_eq!(world.platform.requests(), 5);
    world.at_rest().await;
}

async fn unreadable_while_unknown(world: World) {
    lose(&world, WriteFault::LostAfter).await;
    world.platform.fault_reads(Some(ErrorKind::Unavailable));
    for _ in 0..3 {
        let step = world.step().await;
        assert_eq!((step.row.status, step.row.reason), (ChangeStatus::Executing, Some(Reason::Unknown)));
    }
    world.platform.fault_reads(Some(ErrorKind::Unsupported));
    assert_eq!(world.step().await.row.status, ChangeStatus::Executing, "the value itself must be readable");
    world.platform.fault_reads(None);
    assert_eq!(world.step().await.row.reason, Some(Reason::Reconciled));
    assert_eq!(world.platform.requests(), 1);
    world.at_rest().await;
}

/// A platform that cannot be read for hours is asked ever more seldom, up to every two hours.
async fn away_for_long(world: World, unknown: bool) {
    if unknown {
        lose(&world, WriteFault::LostAfter).await;
    } else {
        world.queue(vec![world.change("lost", "s1", 1_000, 1_100)]).await;
    }
    world.platform.fault_reads(Some(ErrorKind::Unavailable));
    let mut waits = Vec::new();
    for _ in 0..10 {
        let row = world.step().await.row;
        waits.push(row.due_at.unwrap().since(world.now()).as_secs() / 60);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 128, 128], "unknown: {unknown}");
    world.platform.fault_reads(None);
    world.run(3 * HOUR).await;
    assert_eq!(world.status("lost").await.0, ChangeStatus::Completed);
    assert_eq!(world.platform.requests(), 1);
    world.at_rest().await;
}

async fn refusals(world: World) {
    let failure = |class, after| WriteFailure {
        retry_after: after,
        ..WriteFailure::new(class, "code 613, subcode 1487632")
    };
    let cases = [
        (WriteClass::Throttled, Some(1_200), ChangeStatus::Blocked, Reason::Throttled, Some(1_200)),
        (WriteClass::Throttled, None, ChangeStatus::Blocked, Reason::Throttled, Some(300)),
        (WriteClass::NotSent, None, ChangeStatus::Blocked, Reason::Unreachable, Some(60)),
        (WriteClass::Unauthorized, None, ChangeStatus::Blocked, Reason::Unauthorized, Some(3_600)),
        (WriteClass::Rejected, None, ChangeStatus::Failed, Reason::PlatformRejected, None),
    ];
    for (class, after, status, reason, retry) in cases {
        let name = format!("{class:?} {after:?}");
        let fault = WriteFault::Fail(failure(class, after.map(Duration::from_secs)));
        world.platform.fault_writes([Some(fault)]);
        let from = world.budget("s3");
        world.queue(vec![world.change(&name, "s3", from, from + 60)]).await;
        let row = world.step().await.row;
        assert_eq!((row.status, row.reason), (status, Some(reason)), "{name}");
        assert_eq!(row.retry_at.map(|at| at.since(world.now()).as_secs()), retry, "{name}");
        assert!(row.detail.is_some_and(|d| d.contains("1487632")), "{name}");
        world.run(2 * HOUR).await;
        let end = if retry.is_some() { (ChangeStatus::Completed, None) } else { (status, Some(reason)) };
        assert_eq!(world.status(&name).await, end, "{name}: a refusal uses up no window");
        world.clock.advance(6 * HOUR);
    }
    world.at_rest().await;
}

/// A clock that jumps back opens no window again.
async fn clock_goes_back(world: World) {
    world.queue(vec![world.change("before", "s1", 1_000, 1_200)]).await;
    world.step().await;
    let start = world.now();
    world.clock.set(start.minus(24 * HOUR));
    world.queue(vec![world.change("after", "s1", 1_200, 1_210)]).await;
    world.clock.set(start.plus(Duration::from_secs(60)));
    let row = world.step().await.row;
    assert_eq!((row.status, row.reason), (ChangeStatus::Blocked, Some(Reason::Velocity)));
    world.at_rest().await;
}
