use std::sync::Arc;
use std::time::Duration;

use super::gate::{Gate, GatedStore};
use super::world::{ACCOUNT, World};
use crate::ads::{ChangeField, Owner};
use crate::error::ErrorKind;
use crate::execution::machine::KillScope;
use crate::execution::{AdChange, AuditKind, ChangeStatus, DrawKey, Executor, Policy, Reason, plan_digest};
use crate::store::ChangeStore;

const HOUR: Duration = Duration::from_secs(3_600);
const AWAITING: (ChangeStatus, Option<Reason>) = (ChangeStatus::Blocked, Some(Reason::AwaitingApproval));

pub(super) async fn all(store: &Arc<dyn ChangeStore>) {
    sends_nothing_unapproved(world(store, "approval-wait")).await;
    applies_what_was_approved(world(store, "approval-apply")).await;
    guards_what_was_approved(world(store, "approval-guard")).await;
    keeps_waiting_when_it_is_no_longer_required(store).await;
    refuses_what_is_no_approval(world(store, "approval-input")).await;
    survives_a_crash(store).await;
}

fn world(store: &Arc<dyn ChangeStore>, name: &str) -> World {
    let mut world = World::new(store, name, Policy::standard());
    world.executor = world.executor.with_approval(true);
    world
}

fn two(world: &World) -> Vec<AdChange> {
    vec![world.change("a", "s1", 1_000, 1_100), world.change("b", "s2", 1_000, 900)]
}

async fn sends_nothing_unapproved(world: World) {
    let rows = world.queue(two(&world)).await;
    let digest = plan_digest(&two(&world)).unwrap();
    assert!(rows.iter().all(|r| r.approval.as_ref().is_some_and(|a| a.digest == digest)), "{rows:?}");
    assert_eq!(world.status("a").await, AWAITING);
    world.run(HOUR).await;
    assert_eq!((world.platform.requests(), world.status("a").await), (0, AWAITING));
    let end = world.executor.next_due(&world.ctx).await.unwrap();
    assert_eq!(end, Some(rows[0].expires_at), "nothing is due before it expires");

    // Switches that go on and off wake nothing that was not approved.
    for on in [true, false] {
        world.executor.kill(&world.ctx, &KillScope::Tenant, on).await.unwrap();
    }
    assert_eq!(world.executor.run_once(&world.ctx).await.unwrap(), None);
    world.run(25 * HOUR).await;
    assert_eq!(world.platform.requests(), 0);
    assert_eq!(world.status("b").await, (ChangeStatus::Blocked, Some(Reason::Expired)));
    assert_eq!(world.executor.next_due(&world.ctx).await.unwrap(), None);
    world.at_rest().await;
}

async fn applies_what_was_approved(world: World) {
    let changes = two(&world);
    let plan = world.executor.plan(&world.ctx, &changes, false).await.unwrap();
    world.queue(changes.clone()).await;
    world.queue(vec![world.change("c", "s3", 2_000, 2_200)]).await;
    let approver = world.ctx.clone().with_actor("the boss");
    let released = world.executor.approve(&approver, &plan.digest).await.unwrap();
    assert_eq!(released.len(), 2, "the digest of the plan is that of the queue");
    let jitter = released[0].run_at.since(world.now());
    assert!((3..=18).contains(&jitter.as_secs()), "{jitter:?}");

    // Somebody queues the same ids with other targets: what was approved is what is sent.
    let altered = changes.iter().map(|c| AdChange { target: c.target + 50, ..c.clone() }).collect();
    world.queue(altered).await;
    world.run(HOUR).await;
    assert_eq!((world.budget("s1"), world.budget("s2"), world.budget("s3")), (1_100, 900, 2_000));
    assert_eq!(world.status("c").await, AWAITING, "another digest is another approval");
    assert_eq!(world.platform.requests(), 2);

    let history = world.history().await;
    let approved: Vec<_> = history.iter().filter(|r| r.kind == AuditKind::Approved).collect();
    assert_eq!(approved.len(), 2);
    assert!(approved.iter().all(|r| r.actor.as_deref() == Some("the boss")), "{approved:?}");
    assert!(approved.iter().all(|r| r.detail.as_ref().is_some_and(|d| d.contains(&plan.digest))));
    let seq = |kind, id| history.iter().find(|r| r.kind == kind && r.change_id == id).unwrap().seq;
    for change in &changes {
        assert!(seq(AuditKind::Approved, change.id) < seq(AuditKind::Intent, change.id));
    }
    let events = world.events.drain();
    assert_eq!(events.iter().filter(|e| e.event_type == "change.approved").count(), 2);
    world.at_rest().await;
}

/// An approval takes no guard's place.
async fn guards_what_was_approved(world: World) {
    let changes = vec![world.change("far", "s1", 1_000, 1_500), world.change("moved", "s2", 1_000, 1_100)];
    world.queue(changes.clone()).await;
    world.executor.approve(&world.ctx, &plan_digest(&changes).unwrap()).await.unwrap();
    world.platform.edit(&Owner::ad_set("s2"), ChangeField::Budget, 1_050, world.now());
    world.run(HOUR).await;
    assert_eq!(world.status("far").await, (ChangeStatus::Blocked, Some(Reason::Velocity)));
    assert_eq!(world.status("moved").await, (ChangeStatus::Blocked, Some(Reason::Drifted)));
    assert_eq!(world.platform.requests(), 0);
    world.at_rest().await;
}

async fn keeps_waiting_when_it_is_no_longer_required(store: &Arc<dyn ChangeStore>) {
    let mut world = world(store, "approval-off");
    world.queue(two(&world)).await;
    world.executor = world.executor.with_approval(false);
    world.queue(vec![world.change("free", "s3", 2_000, 2_200)]).await;
    world.run(HOUR).await;
    assert_eq!((world.status("a").await, world.budget("s3")), (AWAITING, 2_200));
    assert_eq!(world.platform.requests(), 1);
}

async fn refuses_what_is_no_approval(world: World) {
    world.queue(two(&world)).await;
    let digest = plan_digest(&two(&world)).unwrap();
    let mut nobody = world.ctx.clone();
    nobody.actor = None;
    let blank = world.ctx.clone().with_actor(" ");
    for (ctx, digest, kind, field) in [
        (&nobody, digest.as_str(), ErrorKind::InvalidInput, "actor"),
        (&blank, digest.as_str(), ErrorKind::InvalidInput, "actor"),
        (&world.ctx, "", ErrorKind::InvalidInput, "digest"),
        (&world.ctx, &digest[1..], ErrorKind::InvalidInput, "digest"),
        (&world.ctx, &"0".repeat(64), ErrorKind::NotFound, "digest"),
    ] {
        let error = world.executor.approve(ctx, digest).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().starts_with(field), "{error}");
    }
    assert_eq!(world.status("a").await, AWAITING);
    let double = vec![world.change("x", "s3", 2_000, 2_100), world.change("x", "s3", 2_000, 2_200)];
    let error = world.executor.queue(&world.ctx, double).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "one id is one change: {error}");
}

/// Whoever approves may die before or after it is stored: it is given whole or not at all, and once.
async fn survives_a_crash(store: &Arc<dyn ChangeStore>) {
    for (point, stored) in [(0, false), (1, true)] {
        let world = world(store, &format!("approval-crash-{point}"));
        world.queue(two(&world)).await;
        let digest = plan_digest(&two(&world)).unwrap();
        let gate = Gate::new(point);
        let gated = Arc::new(GatedStore(Arc::clone(store), Arc::clone(&gate)));
        let dying =
            Executor::new(gated, Arc::new(world.platform.clone()), Policy::standard(), DrawKey::from_seed(7))
                .unwrap();
        tokio::select! {
            biased;
            _ = gate.stopped() => {}
            _ = dying.approve(&world.ctx, &digest) => panic!("it passed the gate {point}"),
        }
        // The host starts again from the beginning: it queues and approves once more.
        world.queue(two(&world)).await;
        let again = world.executor.approve(&world.ctx, &digest).await;
        match again {
            Ok(released) => assert!(!stored && released.len() == 2, "{released:?}"),
            Err(error) => assert!(stored && error.kind() == ErrorKind::NotFound, "{error}"),
        }
        world.run(HOUR).await;
        assert_eq!((world.budget("s1"), world.budget("s2")), (1_100, 900), "stopped at {point}");
        assert_eq!(world.platform.effects().len(), 2);
        let history = world.history().await;
        assert_eq!(history.iter().filter(|r| r.kind == AuditKind::Approved).count(), 2, "in {ACCOUNT}");
        world.at_rest().await;
    }
}
