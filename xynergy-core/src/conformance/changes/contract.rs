use std::collections::BTreeSet;

use super::fixture::{ACCOUNT, at, batch, begin, change, due, limits, live, reserve, transition, view};
use super::{approve, person, work};
use crate::ads::{ChangeField, Owner};
use crate::ctx::TenantId;
use crate::env::SeededEntropy;
use crate::error::ErrorKind;
use crate::execution::machine::{Action, CallTime, KillScope, Settlement};
use crate::execution::reconcile::Finding;
use crate::execution::{
    AccountLimits, AdChange, AuditKind, ChainVerifier, ChangeId, ChangeStatus, LeaseToken, Reason,
};
use crate::money::Currency;
use crate::store::{ChangeFilter, ChangeStore, HistoryFilter};

/// The behaviour of a [`ChangeStore`]; `store` is empty.
///
/// # Panics
/// At the first behaviour that differs.
pub async fn change_store(store: &dyn ChangeStore) {
    settings(store, &TenantId::new("settings").unwrap()).await;
    queueing(store, &TenantId::new("queueing").unwrap()).await;
    applying(store, &TenantId::new("applying").unwrap()).await;
    fencing(store, &TenantId::new("fencing").unwrap()).await;
    unknown(store, &TenantId::new("unknown").unwrap()).await;
    refusing(store, &TenantId::new("refusing").unwrap()).await;
    time(store, &TenantId::new("time").unwrap()).await;
    approve::approving(store, &TenantId::new("approving").unwrap()).await;
    approve::unapproved(store, &TenantId::new("unapproved").unwrap()).await;
    work::picking(store).await;
    work::pages(store, &TenantId::new("pages").unwrap()).await;
    work::waking(store, &TenantId::new("waking").unwrap()).await;
    person::pauses(store, &TenantId::new("pauses").unwrap()).await;
    person::late(store, &TenantId::new("late").unwrap()).await;
    person::resolving(store, &TenantId::new("resolving").unwrap()).await;
    person::ramping(store, &TenantId::new("ramping").unwrap()).await;
}

async fn settings(store: &dyn ChangeStore, tenant: &TenantId) {
    let other = TenantId::new("other").unwrap();
    assert_eq!(limits(store, tenant).await, None);
    let allowed = AccountLimits {
        currency: Currency::USD,
        total_daily_minor: Some(10_000),
        min_minor: None,
        max_minor: Some(5_000),
    };
    store.set_limits(tenant, ACCOUNT, &allowed).await.unwrap();
    assert_eq!(limits(store, tenant).await, Some(allowed.clone()));
    let wider = AccountLimits { total_daily_minor: None, ..allowed };
    store.set_limits(tenant, ACCOUNT, &wider).await.unwrap();
    assert_eq!(limits(store, tenant).await, Some(wider), "limits are replaced whole");
    assert_eq!(limits(store, &other).await, None, "tenants never see each other");

    let owner = KillScope::Owner { account_id: ACCOUNT.into(), owner: Owner::ad_set("s1") };
    store.set_kill(tenant, &KillScope::Global, true).await.unwrap();
    assert_eq!(store.kills(&other).await.unwrap(), [KillScope::Global], "the global one is every tenant's");
    assert_eq!(
        store.rules(&other, ACCOUNT, CallTime::bound(at(0))).await.unwrap().kills,
        [KillScope::Global]
    );
    store.set_kill(&other, &KillScope::Global, false).await.unwrap();
    assert!(store.kills(tenant).await.unwrap().is_empty(), "whoever switches it");
    for scope in [&KillScope::Tenant, &owner, &KillScope::Account(ACCOUNT.into()), &KillScope::Tenant] {
        store.set_kill(tenant, scope, true).await.unwrap();
    }
    let on = store.kills(tenant).await.unwrap();
    assert_eq!(on, [KillScope::Account(ACCOUNT.into()), owner, KillScope::Tenant], "each once, in order");
    store.set_kill(tenant, &KillScope::Tenant, false).await.unwrap();
    assert_eq!(store.kills(tenant).await.unwrap().len(), 2);
    assert!(store.kills(&other).await.unwrap().is_empty(), "tenants never see each other");
}

async fn queueing(store: &dyn ChangeStore, tenant: &TenantId) {
    let other = TenantId::new("queueing-other").unwrap();
    let first = change("a", "s1", 1000, 1100);
    let queued = store.queue(tenant, batch(at(0), vec![first.clone(), first.clone()])).await.unwrap();
    assert_eq!((&queued.rows[0], queued.rows.len()), (&queued.rows[1], 2), "the same change twice is one");
    assert_eq!((queued.stored, queued.superseded), (BTreeSet::from([first.id]), Vec::new()));
    let rows = queued.rows;
    assert_eq!((rows[0].status, rows[0].run_at), (ChangeStatus::Pending, at(5)));
    assert_eq!(
        store.get(tenant, first.id).await.unwrap().as_ref(),
        Some(&rows[0]),
        "what is returned is stored"
    );
    assert_eq!(store.get(&other, first.id).await.unwrap(), None, "tenants never see each other");

    let again = store.queue(tenant, batch(at(100), vec![first.clone()])).await.unwrap();
    assert_eq!(again.rows, rows[..1], "a stored id is left as it is");
    assert!(again.stored.is_empty() && again.superseded.is_empty(), "and said to be nothing new: {again:?}");
    store.queue(&other, batch(at(0), vec![first.clone()])).await.unwrap();
    assert!(store.get(&other, first.id).await.unwrap().is_some(), "ids belong to their tenant");

    let newer = change("b", "s1", 1000, 1200);
    let queued = store.queue(tenant, batch(at(100), vec![newer.clone()])).await.unwrap();
    let old = store.get(tenant, first.id).await.unwrap().unwrap();
    assert_eq!(queued.stored, BTreeSet::from([newer.id]));
    assert_eq!(queued.superseded.as_slice(), std::slice::from_ref(&old), "what it ended is said");
    assert_eq!((old.status, old.reason, old.due_at), (ChangeStatus::Blocked, Some(Reason::Superseded), None));
    let resumed = store.queue(tenant, batch(at(101), vec![first, newer.clone()])).await.unwrap();
    assert_eq!(resumed.rows[0].reason, Some(Reason::Superseded), "a resumed run does not revive it");
    assert_eq!(resumed.rows[1].status, ChangeStatus::Pending);
    assert!(resumed.stored.is_empty() && resumed.superseded.is_empty(), "nor tell it again: {resumed:?}");

    let mut raise = change("raise", "s2", 1000, 1100);
    let mut cut = change("cut", "s3", 1000, 900);
    raise.allocation_id = Some("allocation".into());
    cut.allocation_id = Some("allocation".into());
    let rows = store.queue(tenant, batch(at(100), vec![raise, cut])).await.unwrap().rows;
    assert!(rows[0].run_at > rows[1].run_at, "raises run after the cuts of their allocation");
    assert_eq!(store.get(tenant, rows[0].change.id).await.unwrap().as_ref(), Some(&rows[0]));

    let limits =
        AccountLimits { currency: Currency::USD, total_daily_minor: None, min_minor: None, max_minor: None };
    store.set_limits(tenant, ACCOUNT, &limits).await.unwrap();
    let mut yen = change("yen", "s9", 1000, 1100);
    yen.currency = "JPY".parse().unwrap();
    let error =
        store.queue(tenant, batch(at(100), vec![change("usd", "s8", 1000, 1100), yen])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let none = store.get(tenant, ChangeId::derive(&["usd"])).await.unwrap();
    assert_eq!(none, None, "a refused batch stores nothing");

    let waiting = ChangeFilter { status: Some(ChangeStatus::Pending), ..ChangeFilter::default() };
    assert_eq!(store.list(tenant, &waiting).await.unwrap().len(), 3);
    let allocation = ChangeFilter { allocation_id: Some("allocation".into()), ..ChangeFilter::default() };
    assert_eq!(store.list(tenant, &allocation).await.unwrap().len(), 2);
    let all = store.list(tenant, &ChangeFilter::default()).await.unwrap();
    assert!(all.windows(2).all(|w| (w[0].queued_at, w[0].change.id) < (w[1].queued_at, w[1].change.id)));
}

async fn applying(store: &dyn ChangeStore, tenant: &TenantId) {
    let token = LeaseToken::fresh(&SeededEntropy::new(1));
    let one = change("one", "s1", 1000, 1100);
    let sibling = pause("two", "s1");
    let elsewhere = change("three", "s2", 1000, 1100);
    store.queue(tenant, batch(at(0), vec![one.clone(), sibling.clone(), elsewhere.clone()])).await.unwrap();
    assert_eq!(due(store, tenant, at(4)).await, None, "nothing before its time");
    assert_eq!(store.next_due(tenant).await.unwrap(), Some(at(5)));
    let mut ids = [one.id, sibling.id, elsewhere.id];
    ids.sort_unstable();
    assert_eq!(due(store, tenant, at(5)).await.unwrap().change.id, ids[0], "ties by id");

    let claimed = store.transition(tenant, one.id, reserve(&one, 1000, at(6), token)).await.unwrap();
    assert!(claimed.taken);
    assert_eq!(claimed.row.status, ChangeStatus::Claimed);
    assert_eq!((claimed.row.observed_from, claimed.row.sent_value), (Some(1000), Some(1100)));
    assert_eq!(store.get(tenant, one.id).await.unwrap().as_ref(), Some(&claimed.row), "the claim is stored");
    let next = due(store, tenant, at(7)).await.unwrap();
    assert_eq!(next.change.id, elsewhere.id, "an owner with a change in flight is left alone");
    let seen = view(store, tenant, &one, at(7)).await;
    assert!(seen.movements[0].open, "the reservation counts at once");

    let begun = store.transition(tenant, one.id, begin(&one, 1000, at(6), token)).await.unwrap();
    assert_eq!((begun.taken, begun.row.status), (true, ChangeStatus::Executing));
    let settle = Action::Settle { attempt: 1, token, settlement: Settlement::Applied, took: None };
    let settled = store.transition(tenant, one.id, transition(at(8), settle)).await.unwrap();
    assert_eq!((settled.taken, settled.row.status), (true, ChangeStatus::Completed));
    assert_eq!((settled.row.due_at, settled.row.token), (None, None));
    let seen = view(store, tenant, &one, at(9)).await;
    let own = &seen.movements[0];
    assert_eq!((own.open, own.at, own.own), (false, at(8), Some((one.id, 1))), "stamped when it was settled");
    assert_eq!(seen.known.get(&(one.owner.clone(), ChangeField::Budget)), Some(&1100));
    let later = view(store, tenant, &one, at(8 + 6 * 3_600)).await;
    assert!(later.movements.is_empty(), "and gone when the window has passed");

    let rows = store.history(tenant, ACCOUNT, &HistoryFilter::default()).await.unwrap();
    let kinds: Vec<_> = rows.iter().map(|r| (r.seq, r.kind)).collect();
    assert_eq!(kinds, [(1, AuditKind::Intent), (2, AuditKind::Outcome)]);
    assert_eq!(rows[0].causation_id.as_deref(), Some("event_1"));
    let heads = store.heads(tenant).await.unwrap();
    assert_eq!(heads.len(), 1);
    assert_eq!((heads[0].0.as_str(), heads[0].1.seq), (ACCOUNT, 2));
    let mut verifier = ChainVerifier::default();
    rows.iter().for_each(|r| verifier.push(r));
    let report = verifier.finish(ACCOUNT, &heads[0].1);
    assert!(report.chain_ok && report.open_intents == 0, "{report:?}");
    let page = HistoryFilter { after_seq: 1, limit: 1, ..HistoryFilter::default() };
    assert_eq!(store.history(tenant, ACCOUNT, &page).await.unwrap(), rows[1..]);
    let of_other = HistoryFilter { change_id: Some(elsewhere.id), ..HistoryFilter::default() };
    assert!(store.history(tenant, ACCOUNT, &of_other).await.unwrap().is_empty());
}

async fn fencing(store: &dyn ChangeStore, tenant: &TenantId) {
    let entropy = SeededEntropy::new(2);
    let (old, new) = (LeaseToken::fresh(&entropy), LeaseToken::fresh(&entropy));
    let one = change("fenced", "s1", 1000, 1100);
    store.queue(tenant, batch(at(0), vec![one.clone()])).await.unwrap();
    store.transition(tenant, one.id, reserve(&one, 1000, at(5), old)).await.unwrap();
    let early = store.transition(tenant, one.id, transition(at(64), Action::Abandon)).await.unwrap();
    assert!(!early.taken, "a lease that runs is left alone");
    let abandoned = store.transition(tenant, one.id, transition(at(65), Action::Abandon)).await.unwrap();
    assert_eq!((abandoned.taken, abandoned.row.status), (true, ChangeStatus::Pending));
    let seen = view(store, tenant, &one, at(65)).await;
    assert!(seen.movements.is_empty(), "what was never sent takes its reservation back");

    let second = store.transition(tenant, one.id, reserve(&one, 1000, at(66), new)).await.unwrap();
    assert_eq!((second.taken, second.row.attempt), (true, 2));
    let before = (store.get(tenant, one.id).await.unwrap(), store.heads(tenant).await.unwrap());
    let zombie = Action::Settle { attempt: 1, token: old, settlement: Settlement::Applied, took: None };
    for action in [begin(&one, 1000, at(67), old), transition(at(67), zombie)] {
        let fenced = store.transition(tenant, one.id, action).await.unwrap();
        assert!(!fenced.taken, "an old token changes nothing");
    }
    assert_eq!((store.get(tenant, one.id).await.unwrap(), store.heads(tenant).await.unwrap()), before);

    let never = ChangeId::derive(&["never queued"]);
    let error = store.transition(tenant, never, transition(at(67), Action::Cancel)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

/// Nothing is decided about a request while it may still land.
async fn unknown(store: &dyn ChangeStore, tenant: &TenantId) {
    let token = LeaseToken::fresh(&SeededEntropy::new(4));
    let one = change("unknown", "s1", 1000, 1100);
    store.queue(tenant, batch(at(0), vec![one.clone()])).await.unwrap();
    store.transition(tenant, one.id, reserve(&one, 1000, at(5), token)).await.unwrap();
    store.transition(tenant, one.id, begin(&one, 1000, at(5), token)).await.unwrap();
    let settlement = Settlement::Ambiguous("cut".into());
    let lost = Action::Settle { attempt: 1, token, settlement, took: None };
    let left = store.transition(tenant, one.id, transition(at(6), lost)).await.unwrap();
    assert_eq!((left.row.status, left.row.reason), (ChangeStatus::Executing, Some(Reason::Unknown)));
    assert_eq!(
        left.row.due_at,
        Some(at(5 + 60 + 120)),
        "after the lease and the time that it may take to land"
    );

    let found = |attempt| {
        let live = Some(Box::new(live(&one, 1000, at(185))));
        Action::Reconcile { attempt, finding: Finding::NotApplied, live, detail: "read".into() }
    };
    for (time, action) in [(at(184), found(1)), (at(185), found(2)), (at(185), Action::Abandon)] {
        let early = store.transition(tenant, one.id, transition(time, action)).await.unwrap();
        assert!(!early.taken, "{time}");
    }
    let reserved = view(store, tenant, &one, at(184 + 7 * 3_600)).await.movements;
    assert!(reserved.iter().any(|m| m.open), "a reservation counts however long it is open");
    let done = store.transition(tenant, one.id, transition(at(185), found(1))).await.unwrap();
    assert_eq!((done.row.status, done.row.reason), (ChangeStatus::Pending, Some(Reason::NotApplied)));
    assert_eq!(done.row.sent_value, Some(1100), "the next attempt sends the same value");
    assert!(view(store, tenant, &one, at(186)).await.movements.is_empty());
}

async fn refusing(store: &dyn ChangeStore, tenant: &TenantId) {
    let token = LeaseToken::fresh(&SeededEntropy::new(3));
    let one = change("killed", "s1", 1000, 1100);
    store.queue(tenant, batch(at(0), vec![one.clone()])).await.unwrap();
    store.set_kill(tenant, &KillScope::Account(ACCOUNT.into()), true).await.unwrap();
    for hour in 0..3 {
        let now = at(5 + hour * 3_600);
        let blocked = store.transition(tenant, one.id, reserve(&one, 1000, now, token)).await.unwrap();
        assert_eq!((blocked.taken, blocked.row.reason), (true, Some(Reason::KillSwitch)));
        assert_eq!(blocked.row.retry_at, Some(at(5 + (hour + 1) * 3_600)));
    }
    let rows = store.history(tenant, ACCOUNT, &HistoryFilter::default()).await.unwrap();
    assert_eq!(rows.len(), 1, "the same refusal is written down once");
    assert_eq!((rows[0].kind, rows[0].reason), (AuditKind::Blocked, Some(Reason::KillSwitch)));
    let cancelled = store.transition(tenant, one.id, transition(at(9), Action::Cancel)).await.unwrap();
    assert_eq!(cancelled.row.reason, Some(Reason::Cancelled));
    let again = store.transition(tenant, one.id, transition(at(9), Action::Cancel)).await.unwrap();
    assert!(!again.taken, "what is over stays as it is");
    assert_eq!(store.next_due(tenant).await.unwrap(), None);
}

async fn time(store: &dyn ChangeStore, tenant: &TenantId) {
    assert_eq!(store.high_water(tenant).await.unwrap(), None);
    let one = change("late", "s1", 1000, 1100);
    store.queue(tenant, batch(at(1_000), vec![one.clone()])).await.unwrap();
    assert_eq!(store.high_water(tenant).await.unwrap(), Some(at(1_000)));
    let back = store.queue(tenant, batch(at(0), vec![change("back", "s2", 1000, 1100)])).await.unwrap();
    assert_eq!(back.rows[0].queued_at, at(1_000), "the store's time does not go back");
    let seen = view(store, tenant, &one, at(0)).await;
    assert_eq!(seen.now, at(1_000));
    assert_eq!(store.high_water(tenant).await.unwrap(), Some(at(1_000)));
}

/// A pause of the ad set `set`.
fn pause(name: &str, set: &str) -> AdChange {
    AdChange { field: ChangeField::Status, expected_from: 1, target: 0, ..change(name, set, 1, 2) }
}
