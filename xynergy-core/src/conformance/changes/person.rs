use std::time::Duration;

use super::fixture::{ACCOUNT, at, batch, begin, change, due, live, reserve, transition, view};
use crate::ads::{ChangeField, ThrottleScope};
use crate::ctx::TenantId;
use crate::env::SeededEntropy;
use crate::execution::machine::{Action, CallTime, HumanVerdict, Settlement};
use crate::execution::reconcile::Finding;
use crate::execution::{
    AdChange, AuditKind, ChainVerifier, ChangeId, ChangeRow, ChangeStatus, LeaseToken, RampStep, Reason,
};
use crate::store::{ChangeFilter, ChangeStore, HistoryFilter};

/// Queues a change and has its first request sent at `time`.
async fn sent(store: &dyn ChangeStore, tenant: &TenantId, change: &AdChange, time: i64) -> LeaseToken {
    let token = LeaseToken::fresh(&SeededEntropy::new(time.cast_unsigned()));
    store.queue(tenant, batch(at(time - 5), vec![change.clone()])).await.unwrap();
    let from = change.expected_from;
    store.transition(tenant, change.id, reserve(change, from, at(time), token)).await.unwrap();
    let begun = store.transition(tenant, change.id, begin(change, from, at(time), token)).await.unwrap();
    assert_eq!(begun.row.status, ChangeStatus::Executing);
    token
}

/// What the platform asks to be left alone is, and what it refuses teaches a limit.
pub(super) async fn pauses(store: &dyn ChangeStore, tenant: &TenantId) {
    let one = change("throttled", "s1", 1000, 1050);
    for (n, step) in [(0, 1010), (1, 1020)] {
        let earlier = change(&format!("before-{n}"), "s1", step - 10, step);
        let token = sent(store, tenant, &earlier, 10 + n * 20).await;
        let settle = Action::Settle { attempt: 1, token, settlement: Settlement::Applied, took: None };
        store.transition(tenant, earlier.id, transition(at(11 + n * 20), settle)).await.unwrap();
    }
    let one = AdChange { expected_from: 1020, ..one };
    let token = sent(store, tenant, &one, 100).await;
    let settlement = Settlement::Blocked {
        reason: Reason::Throttled,
        retry_after: Duration::from_secs(3_600),
        detail: "613".into(),
        pause: Some(ThrottleScope::Owner),
    };
    let took = Some(Duration::from_millis(5));
    let settle = Action::Settle { attempt: 1, token, settlement, took };
    let row = store.transition(tenant, one.id, transition(at(101), settle)).await.unwrap().row;
    assert_eq!((row.reason, row.retry_at), (Some(Reason::Throttled), Some(at(3_701))));
    let rules = store.rules(tenant, ACCOUNT, CallTime::bound(at(102))).await.unwrap();
    assert_eq!(rules.pauses.len(), 1);
    let pause = &rules.pauses[0];
    assert_eq!((pause.owner.as_ref(), pause.until), (Some(&one.owner), at(3_701)));
    assert_eq!(pause.learned.map(|l| l.changes), Some(2), "so many it took before");
    assert!(store.watched(tenant, at(0)).await.unwrap().is_empty(), "a refused request cannot land late");

    let sibling = change("elsewhere", "s2", 1000, 1100);
    sent(store, tenant, &sibling, 200).await;
    let account = Settlement::Blocked {
        reason: Reason::Unauthorized,
        retry_after: Duration::from_secs(60),
        detail: "190".into(),
        pause: Some(ThrottleScope::Account),
    };
    let token = store.get(tenant, sibling.id).await.unwrap().unwrap().token.unwrap();
    let settle = Action::Settle { attempt: 1, token, settlement: account, took };
    store.transition(tenant, sibling.id, transition(at(201), settle)).await.unwrap();
    let third = change("third", "s3", 1000, 1100);
    store.queue(tenant, batch(at(202), vec![third.clone()])).await.unwrap();
    let blocked = store.transition(tenant, third.id, reserve(&third, 1000, at(210), token)).await.unwrap();
    assert_eq!((blocked.row.reason, blocked.row.retry_at), (Some(Reason::Unauthorized), Some(at(261))));
    let later = store.transition(tenant, third.id, reserve(&third, 1000, at(261), token)).await.unwrap();
    assert_eq!(later.row.status, ChangeStatus::Claimed, "a pause of one owner is not another's");
    let seen = view(store, tenant, &third, at(262)).await;
    assert_eq!(seen.pauses.len(), 1, "the account's own is over, the owner's is not");
    assert_eq!(seen.recent.count, 3, "our changes of the hour, reservations included");
    let learned = store.rules(tenant, ACCOUNT, CallTime::bound(at(4_000))).await.unwrap().pauses;
    assert_eq!(learned.len(), 1, "a pause is over, a lesson lasts");
    assert!(store.rules(tenant, ACCOUNT, CallTime::bound(at(90_000))).await.unwrap().pauses.is_empty());
}

/// A request that was judged not applied is watched, and corrected when it landed after all.
pub(super) async fn late(store: &dyn ChangeStore, tenant: &TenantId) {
    let one = change("late", "s1", 1000, 1100);
    sent(store, tenant, &one, 10).await;
    let absent = Action::Reconcile {
        attempt: 1,
        finding: Finding::NotApplied,
        live: Some(Box::new(live(&one, 1000, at(300)))),
        detail: "absent".into(),
    };
    let row = store.transition(tenant, one.id, transition(at(300), absent)).await.unwrap().row;
    assert_eq!((row.status, row.reason), (ChangeStatus::Pending, Some(Reason::NotApplied)));
    let watched = store.watched(tenant, at(0)).await.unwrap();
    assert_eq!(watched.len(), 1);
    assert_eq!((watched[0].attempt, watched[0].intent_at), (1, at(10)));
    assert_eq!(watched[0].row, row);
    assert!(store.watched(tenant, at(10)).await.unwrap().is_empty(), "those after a time");
    assert!(store.watched(&TenantId::new("nobody").unwrap(), at(0)).await.unwrap().is_empty());
    assert!(view(store, tenant, &one, at(301)).await.movements.is_empty(), "it counts in no window");

    let action = Action::Late { attempt: 1, detail: "the log shows it".into() };
    let found = store.transition(tenant, one.id, transition(at(400), action.clone())).await.unwrap();
    assert_eq!((found.row.status, found.row.reason), (ChangeStatus::Completed, Some(Reason::LandedLate)));
    let again = store.transition(tenant, one.id, transition(at(401), action)).await.unwrap();
    assert!(!again.taken && again.row == found.row, "another worker had found it too");
    assert!(store.watched(tenant, at(0)).await.unwrap().is_empty(), "found once");
    let seen = view(store, tenant, &one, at(401)).await.movements;
    assert_eq!((seen.len(), seen[0].at, seen[0].open), (1, at(400), false), "and counts from then on");
    whole(store, tenant, AuditKind::Late).await;
}

/// What reading cannot tell a person can, and what had no effect may be sent again.
pub(super) async fn resolving(store: &dyn ChangeStore, tenant: &TenantId) {
    let conflict = |change: &AdChange| Action::Reconcile {
        attempt: 1,
        finding: Finding::Conflict,
        live: Some(Box::new(live(change, 1_050, at(300)))),
        detail: "neither".into(),
    };
    let resolve = |verdict| Action::Resolve { verdict, note: "seen in the manager".into() };
    let (yes, no) = (change("yes", "s1", 1000, 1100), change("no", "s2", 1000, 1100));
    for (change, time) in [(&yes, 10), (&no, 20)] {
        sent(store, tenant, change, time).await;
        let early = transition(at(time + 20), resolve(HumanVerdict::Applied));
        assert!(!store.transition(tenant, change.id, early).await.unwrap().taken, "it may still land");
    }
    for change in [&yes, &no] {
        store.transition(tenant, change.id, transition(at(300), conflict(change))).await.unwrap();
    }
    let queue = ChangeFilter { needs_human: true, ..ChangeFilter::default() };
    assert_eq!(store.list(tenant, &queue).await.unwrap().len(), 2);
    assert_eq!(store.backlog(tenant).await.unwrap().needs_human, 2);
    let retry = || transition(at(400), Action::Retry { delay: Duration::from_secs(7) });
    assert!(!store.transition(tenant, no.id, retry()).await.unwrap().taken, "not before a verdict");

    let applied = transition(at(390), resolve(HumanVerdict::Applied));
    let row = store.transition(tenant, yes.id, applied).await.unwrap().row;
    assert_eq!((row.status, row.reason), (ChangeStatus::Completed, Some(Reason::Resolved)));
    let denied = transition(at(391), resolve(HumanVerdict::NotApplied));
    let row = store.transition(tenant, no.id, denied.clone()).await.unwrap().row;
    assert_eq!((row.status, row.reason), (ChangeStatus::Failed, Some(Reason::NotApplied)));
    assert!(row.not_applied() && !row.needs_human());
    assert!(!store.transition(tenant, no.id, denied).await.unwrap().taken, "one verdict is enough");
    let own: Vec<_> =
        view(store, tenant, &yes, at(392)).await.movements.into_iter().filter_map(|m| m.own).collect();
    assert_eq!(own, [(yes.id, 1)], "what did not happen counts no more");
    assert_eq!(store.watched(tenant, at(0)).await.unwrap().len(), 1, "but it is watched");

    let again = store.transition(tenant, no.id, retry()).await.unwrap();
    assert_eq!((again.taken, again.row.status), (true, ChangeStatus::Pending));
    assert_eq!((again.row.run_at, again.row.sent_value), (at(407), Some(1100)), "with the same value");
    assert_eq!(due(store, tenant, at(407)).await.unwrap().change.id, no.id);
    assert!(!store.transition(tenant, no.id, retry()).await.unwrap().taken, "once");
    assert!(!store.transition(tenant, yes.id, retry()).await.unwrap().taken, "what took effect never is");
    whole(store, tenant, AuditKind::Resolved).await;
    whole(store, tenant, AuditKind::Retried).await;
}

/// The steps of a ramp wait for each other and end together.
pub(super) async fn ramping(store: &dyn ChangeStore, tenant: &TenantId) {
    let step = |name: &str, step: u32, from: i64, to: i64| AdChange {
        ramp: Some(RampStep { id: ChangeId::derive(&["ramp"]), step, steps: 3, target: 1_728 }),
        ..change(name, "s1", from, to)
    };
    let steps = vec![step("r1", 1, 1000, 1200), step("r2", 2, 1200, 1440), step("r3", 3, 1440, 1728)];
    let rows = store.queue(tenant, batch(at(0), steps.clone())).await.unwrap().rows;
    assert!(rows.iter().all(|r| r.status == ChangeStatus::Pending), "steps leave each other alone: {rows:?}");
    let token = LeaseToken::fresh(&SeededEntropy::new(9));
    let second = store.transition(tenant, steps[1].id, reserve(&steps[1], 1000, at(6), token)).await.unwrap();
    assert_eq!(second.row.reason, Some(Reason::AwaitingStep));
    assert!(second.row.waiting());
    let first = store.transition(tenant, steps[0].id, reserve(&steps[0], 1000, at(7), token)).await.unwrap();
    assert_eq!(first.row.status, ChangeStatus::Claimed);
    let cancelled = transition(at(8), Action::Cancel);
    let ended = store.transition(tenant, steps[1].id, cancelled).await.unwrap().ended;
    let last = store.get(tenant, steps[2].id).await.unwrap().unwrap();
    assert_eq!(ended.as_slice(), std::slice::from_ref(&last), "what ended with it is said");
    assert_eq!((last.reason, last.is_over()), (Some(Reason::Cancelled), true), "with those after it");

    let newer = AdChange { field: ChangeField::Bid, ..step("b1", 1, 10, 11) };
    let more = AdChange { field: ChangeField::Bid, ..step("b2", 2, 11, 12) };
    store.queue(tenant, batch(at(9), vec![newer.clone(), more.clone()])).await.unwrap();
    let other = AdChange { field: ChangeField::Bid, ..change("bid", "s1", 10, 9) };
    store.queue(tenant, batch(at(10), vec![other])).await.unwrap();
    for change in [&newer, &more] {
        let row: ChangeRow = store.get(tenant, change.id).await.unwrap().unwrap();
        assert_eq!(row.reason, Some(Reason::Superseded), "a newer change takes the place of the whole ramp");
    }
}

/// The history verifies and has a row of the kind.
async fn whole(store: &dyn ChangeStore, tenant: &TenantId, kind: AuditKind) {
    let rows = store.history(tenant, ACCOUNT, &HistoryFilter::default()).await.unwrap();
    assert!(rows.iter().any(|r| r.kind == kind), "{kind:?}");
    let head = store.heads(tenant).await.unwrap().remove(0).1;
    let mut verifier = ChainVerifier::default();
    rows.iter().for_each(|r| verifier.push(r));
    let report = verifier.finish(ACCOUNT, &head);
    assert!(report.chain_ok, "{report:?}");
}
