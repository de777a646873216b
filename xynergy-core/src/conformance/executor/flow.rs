use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::world::World;
use crate::ads::{ChangeField, Owner};
use crate::error::ErrorKind;
use crate::execution::machine::KillScope;
use crate::execution::{AdChange, AuditKind, ChangeStatus, PlannedOutcome, Policy, Reason};
use crate::store::{ChangeFilter, ChangeStore};

const HOUR: Duration = Duration::from_secs(3_600);

pub(super) async fn all(store: &Arc<dyn ChangeStore>) {
    let world = |name: &str| World::new(store, name, Policy::standard());
    applies_once(world("flow-once")).await;
    resumes(world("flow-resume")).await;
    supersedes(world("flow-supersede")).await;
    ends_together(world("flow-together")).await;
    kills(world("flow-kill")).await;
    expires(world("flow-expire")).await;
    cancels(world("flow-cancel")).await;
    drifts(world("flow-drift")).await;
    drifts_before_sending(world("flow-drift-late")).await;
    plans(world("flow-plan")).await;
    refuses_bad_input(world("flow-input")).await;
    keeps_tenants_apart(store).await;
}

async fn applies_once(world: World) {
    let rows = world.queue(vec![world.change("up", "s1", 1_000, 1_100)]).await;
    let jitter = rows[0].run_at.since(world.now());
    assert!((3..=18).contains(&jitter.as_secs()), "{jitter:?}");
    assert_eq!(world.executor.run_once(&world.ctx).await.unwrap(), None, "not before its time");

    let step = world.step().await;
    assert_eq!((step.row.status, step.row.reason), (ChangeStatus::Completed, None));
    assert_eq!((step.before(), step.after()), (Some(1_000), Some(1_100)));
    assert_eq!((world.budget("s1"), world.platform.requests()), (1_100, 1));
    assert_eq!(world.executor.next_due(&world.ctx).await.unwrap(), None, "then nothing is due");

    let history = world.history().await;
    let kinds: Vec<_> = history.iter().map(|r| r.kind).collect();
    assert_eq!(kinds, [AuditKind::Intent, AuditKind::Outcome]);
    for row in &history {
        assert_eq!((row.from_value, row.to_value), (1_000, 1_100));
        assert_eq!(row.causation_id.as_deref(), Some("event_7"));
        assert_eq!(row.actor.as_deref(), Some("tester"));
        assert_eq!(row.request_id, *world.ctx.request_id);
    }
    let events = world.events.drain();
    assert_eq!(
        events.iter().map(|e| e.event_type).collect::<Vec<_>>(),
        ["change.queued", "change.intent", "change.completed"]
    );
    assert!(events.iter().all(|e| e.metadata.causation_id.as_deref() == Some("event_7")));
    assert!(events.iter().all(|e| e.metadata.correlation_id == history[0].change_id.to_string()));
    world.at_rest().await;
}

async fn resumes(world: World) {
    let changes = vec![world.change("a", "s1", 1_000, 1_100), world.change("b", "s2", 1_000, 900)];
    let first = world.queue(changes.clone()).await;
    world.step().await;
    world.queue(changes.clone()).await;
    world.run(HOUR).await;
    let again = world.queue(changes).await;
    assert!(again.iter().all(|r| r.status == ChangeStatus::Completed), "{again:?}");
    assert_eq!(
        first.iter().map(|r| r.run_at).collect::<Vec<_>>(),
        again.iter().map(|r| r.run_at).collect::<Vec<_>>()
    );
    world.run(HOUR).await;
    assert_eq!(world.platform.requests(), 2, "queued three times, sent once each");
    for told in world.told(["a", "b"]) {
        assert_eq!(told, ["change.queued", "change.intent", "change.completed"], "a repeat tells nothing");
    }
    world.at_rest().await;
}

async fn supersedes(world: World) {
    world.queue(vec![world.change("old", "s1", 1_000, 1_100)]).await;
    let newer = vec![world.change("newer", "s1", 1_000, 1_120), world.change("new", "s1", 1_000, 1_150)];
    world.queue(newer.clone()).await;
    world.queue(newer).await;
    world.run(HOUR).await;
    for name in ["old", "newer"] {
        assert_eq!(world.status(name).await, (ChangeStatus::Blocked, Some(Reason::Superseded)));
    }
    assert_eq!((world.budget("s1"), world.platform.requests()), (1_150, 1));
    let [old, newer, new] = world.told(["old", "newer", "new"]);
    for told in [old, newer] {
        assert_eq!(told, ["change.queued", "change.blocked superseded"], "each once");
    }
    assert_eq!(new, ["change.queued", "change.intent", "change.completed"]);
    world.at_rest().await;
}

/// What ends with another change is told as well.
async fn ends_together(world: World) {
    let far = world.change("far", "s1", 1_000, 2_000);
    let steps = world.executor.queue_ramped(&world.ctx, vec![far]).await.unwrap();
    let pause = AdChange { field: ChangeField::Status, ..world.change("pause", "s2", 1, 0) };
    world.queue(vec![world.change("raise", "s2", 1_000, 1_100), pause]).await;
    world.events.drain();
    world.executor.cancel(&world.ctx, steps[1].change.id).await.unwrap();
    let cancelled = world.events.drain();
    let ids: BTreeSet<_> = cancelled.iter().map(|event| event.metadata.correlation_id.clone()).collect();
    assert_eq!(ids, steps[1..].iter().map(|row| row.change.id.to_string()).collect(), "those after it, too");
    assert_eq!(cancelled.len(), ids.len());
    assert!(cancelled.iter().all(|event| event.payload["reason"] == "cancelled"), "{cancelled:#?}");

    world.platform.edit(&Owner::ad_set("s2"), ChangeField::Budget, 1_070, world.now());
    world.run(HOUR).await;
    // Which of them reads the edit first is a matter of the jitter.
    for told in world.told(["raise", "pause"]) {
        assert!(told == ["change.blocked drifted"] || told == ["change.blocked edited"], "{told:?}");
    }
}

async fn kills(world: World) {
    let scope = KillScope::Owner { account_id: "act_1".into(), owner: Owner::ad_set("s1") };
    world.executor.kill(&world.ctx, &scope, true).await.unwrap();
    world
        .queue(vec![world.change("held", "s1", 1_000, 1_100), world.change("free", "s2", 1_000, 1_100)])
        .await;
    world.run(Duration::from_secs(60)).await;
    assert_eq!(world.status("held").await, (ChangeStatus::Blocked, Some(Reason::KillSwitch)));
    assert_eq!(world.status("free").await, (ChangeStatus::Completed, None));
    assert_eq!(world.budget("s1"), 1_000);
    world.executor.kill(&world.ctx, &scope, false).await.unwrap();
    world.run(Duration::from_secs(1)).await;
    assert_eq!(
        world.status("held").await,
        (ChangeStatus::Completed, None),
        "switched off, it is asked at once"
    );
    world.at_rest().await;
}

async fn expires(world: World) {
    let mut change = world.change("late", "s1", 1_000, 1_100);
    change.expires_at = Some(world.now().plus(Duration::from_secs(60)));
    world.queue(vec![change]).await;
    world.platform.fault_reads(Some(ErrorKind::Unavailable));
    world.step().await;
    assert_eq!(world.status("late").await, (ChangeStatus::Blocked, Some(Reason::Unreachable)));
    world.platform.fault_reads(None);
    world.run(HOUR).await;
    assert_eq!(world.status("late").await, (ChangeStatus::Blocked, Some(Reason::Expired)));
    assert_eq!(world.platform.requests(), 0);

    let mut away = world.change("away", "s2", 1_000, 1_100);
    away.expires_at = Some(world.now().plus(Duration::from_secs(60)));
    world.queue(vec![away]).await;
    world.platform.fault_reads(Some(ErrorKind::Unavailable));
    world.run(HOUR).await;
    assert_eq!(
        world.status("away").await,
        (ChangeStatus::Blocked, Some(Reason::Expired)),
        "even if nothing answers"
    );
    world.platform.fault_reads(None);
    world.at_rest().await;
}

async fn cancels(world: World) {
    world.queue(vec![world.change("unwanted", "s1", 1_000, 1_100)]).await;
    let id = world.get("unwanted").await.change.id;
    assert!(world.executor.cancel(&world.ctx, id).await.unwrap().moved);
    world.run(HOUR).await;
    assert_eq!(world.status("unwanted").await, (ChangeStatus::Blocked, Some(Reason::Cancelled)));
    assert_eq!(world.platform.requests(), 0);
    assert!(!world.executor.cancel(&world.ctx, id).await.unwrap().moved);
    world.at_rest().await;
}

async fn drifts(world: World) {
    world.queue(vec![world.change("blind", "s1", 1_000, 1_100)]).await;
    world.platform.edit(&Owner::ad_set("s1"), ChangeField::Budget, 1_080, world.now());
    let step = world.step().await;
    assert_eq!((step.row.status, step.row.reason), (ChangeStatus::Blocked, Some(Reason::Drifted)));
    assert_eq!((step.row.retry_at, world.platform.requests()), (None, 0));
    assert_eq!(world.history().await.len(), 1);
    world.at_rest().await;
}

/// Somebody edits between the decision and the send: the second reading sees it, and the intent gets its outcome.
async fn drifts_before_sending(world: World) {
    world.queue(vec![world.change("raced", "s1", 1_000, 1_100)]).await;
    world.platform.edit_before_read(1, Owner::ad_set("s1"), ChangeField::Budget, 1_150);
    let step = world.step().await;
    assert_eq!((step.row.status, step.row.reason), (ChangeStatus::Blocked, Some(Reason::Drifted)));
    assert_eq!((world.budget("s1"), world.platform.requests()), (1_150, 0));
    assert_eq!(
        world.history().await.iter().map(|r| r.kind).collect::<Vec<_>>(),
        [AuditKind::Intent, AuditKind::Outcome]
    );
    world.at_rest().await;

    // The edit counts as movement: 150 of the 200 that the owner may move within six hours are used.
    world.queue(vec![world.change("after", "s1", 1_150, 1_210)]).await;
    let step = world.step().await;
    assert_eq!((step.row.status, step.row.reason), (ChangeStatus::Blocked, Some(Reason::Velocity)));
    let edited = world.platform.effects()[0].at;
    assert_eq!(step.row.retry_at, Some(edited.plus(6 * HOUR)), "asked again when the edit leaves the window");
    world.run(7 * HOUR).await;
    assert_eq!(world.status("after").await, (ChangeStatus::Completed, None));
    world.at_rest().await;
}

async fn plans(world: World) {
    let changes = vec![
        world.change("fine", "s1", 1_000, 1_100),
        world.change("far", "s2", 1_000, 1_300),
        world.change("drifted", "s3", 1_900, 1_950),
        world.change("nobody", "s9", 1_000, 1_100),
    ];
    let plan = world.executor.plan(&world.ctx, &changes, true).await.unwrap();
    let outcomes: Vec<_> = plan.changes.iter().map(|p| p.outcome.clone()).collect();
    let blocked = |reason| PlannedOutcome::Blocked { reason, retry_at: None };
    assert_eq!(
        outcomes,
        [
            PlannedOutcome::Sent { from: 1_000, value: 1_100 },
            blocked(Reason::Velocity),
            blocked(Reason::Drifted),
            blocked(Reason::WrongObject),
        ]
    );
    assert!(world.executor.list(&world.ctx, &ChangeFilter::default()).await.unwrap().is_empty());
    assert!(world.history().await.is_empty());
    assert_eq!(world.platform.requests(), 0, "a dry run sends nothing");
    world.queue(changes[..3].to_vec()).await;
    world.run(Duration::from_secs(60)).await;
    assert_eq!(world.status("fine").await, (ChangeStatus::Completed, None), "what was planned happens");
    assert_eq!(world.status("far").await, (ChangeStatus::Blocked, Some(Reason::Velocity)));
    assert_eq!(world.status("drifted").await, (ChangeStatus::Blocked, Some(Reason::Drifted)));
    world.at_rest().await;
}

async fn refuses_bad_input(world: World) {
    let bad = world.change("bad", "s1", 1_000, 0);
    let error = world
        .executor
        .queue(&world.ctx, vec![world.change("good", "s2", 1_000, 1_100), bad])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.message().starts_with("target"), "{error}");
    assert_eq!(world.executor.next_due(&world.ctx).await.unwrap(), None, "nothing of the batch is queued");
}

async fn keeps_tenants_apart(store: &Arc<dyn ChangeStore>) {
    let (a, b) = (
        World::new(store, "flow-tenant-a", Policy::standard()),
        World::new(store, "flow-tenant-b", Policy::standard()),
    );
    a.executor.kill(&a.ctx, &KillScope::Tenant, true).await.unwrap();
    for world in [&a, &b] {
        world.queue(vec![world.change("same id", "s1", 1_000, 1_100)]).await;
        world.run(Duration::from_secs(60)).await;
    }
    assert_eq!(a.status("same id").await, (ChangeStatus::Blocked, Some(Reason::KillSwitch)));
    assert_eq!(b.status("same id").await, (ChangeStatus::Completed, None));
    assert_eq!(a.history().await.len(), 1);
    b.at_rest().await;
}
