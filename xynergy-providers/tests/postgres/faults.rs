//! Connections that break and callers that go away, between any two statements; clocks that are wrong.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio_postgres::Client;
use xynergy_core::ads::{ChangeField, DeliveryStatus, Owner, OwnerState};
use xynergy_core::env::{Clock, SeededEntropy, SystemClock};
use xynergy_core::execution::machine::{Action, CallTime, KillScope, QueueBatch, Settlement, Transition};
use xynergy_core::execution::{
    AdChange, AuditKind, ChainVerifier, ChangeId, ChangeStatus, LeaseToken, Policy,
};
use xynergy_core::store::{ChangeStore, HistoryFilter};
use xynergy_core::{Currency, ErrorKind, Result, TenantId, Timestamp};
use xynergy_providers::store::postgres::PostgresStore;

use crate::support::Place;

const ACCOUNT: &str = "act_1";

pub(crate) fn at(seconds: i64) -> CallTime {
    CallTime::bound(Timestamp::from_millis(1_770_000_000_000 + seconds * 1_000))
}

pub(crate) fn change(name: &str, set: &str) -> AdChange {
    AdChange {
        id: ChangeId::derive(&[name]),
        account_id: ACCOUNT.into(),
        campaign_id: "c1".into(),
        owner: Owner::ad_set(set),
        field: ChangeField::Budget,
        expected_from: 1_000,
        target: 1_100,
        currency: Currency::USD,
        allocation_id: None,
        causation_id: None,
        reason: "because".into(),
        expires_at: None,
        ramp: None,
    }
}

pub(crate) fn batch(at: CallTime, changes: Vec<AdChange>) -> QueueBatch {
    QueueBatch {
        at,
        policy: Policy::exact(),
        actor: None,
        request_id: "req_000000000001".into(),
        account_id: ACCOUNT.into(),
        changes: changes.into_iter().map(|change| (change, Duration::ZERO)).collect(),
        plan_digest: None,
    }
}

pub(crate) fn transition(at: CallTime, action: Action) -> Transition {
    Transition { at, policy: Policy::exact(), actor: None, request_id: "req_000000000002".into(), action }
}

pub(crate) fn live(change: &AdChange, read_at: Timestamp) -> Box<OwnerState> {
    Box::new(OwnerState {
        owner: change.owner.clone(),
        account_id: change.account_id.clone(),
        campaign_id: change.campaign_id.clone(),
        name: "an ad set".into(),
        currency: change.currency,
        daily_budget_minor: Some(change.expected_from),
        lifetime_budget_minor: None,
        bid_minor: Some(change.expected_from),
        status: DeliveryStatus::Active,
        learning: false,
        read_at,
    })
}

pub(crate) fn reserve(change: &AdChange, at: CallTime, token: LeaseToken) -> Transition {
    transition(at, Action::Reserve { live: live(change, at.now), account: None, fuzz: 0, token })
}

/// What happens at a place where a call waits.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// The server ends all connections of the store.
    Cut,
    /// The caller goes away.
    Dropped,
}

/// Makes the call until it has waited so often, and lets the fault happen then; whether it got that far.
async fn at_wait<T>(
    client: &Client,
    place: &Place,
    fault: Fault,
    waits: usize,
    call: impl Future<Output = Result<T>>,
) -> (bool, Option<Result<T>>) {
    let mut call: Pin<Box<dyn Future<Output = Result<T>>>> = Box::pin(call);
    let mut waited = 0;
    let ended = poll_fn(|context| match call.as_mut().poll(context) {
        Poll::Ready(ended) => Poll::Ready(Some(ended)),
        Poll::Pending if waited == waits => Poll::Ready(None),
        Poll::Pending => {
            waited += 1;
            Poll::Pending
        }
    });
    if let Some(ended) = ended.await {
        return (false, Some(ended));
    }
    match fault {
        Fault::Dropped => (true, None),
        Fault::Cut => {
            let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1
                       AND pid <> pg_backend_pid()";
            client.execute(cut, &[&place.config.schema]).await.unwrap();
            (true, Some(call.await))
        }
    }
}

/// The answer of a store whose pool may still hold connections that were cut.
async fn read<T, F: Future<Output = Result<T>>>(call: impl Fn() -> F) -> T {
    loop {
        match call().await {
            Ok(answer) => return answer,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn history_of(store: &PostgresStore, tenant: &TenantId) -> Vec<AuditKind> {
    let rows = read(|| async { store.history(tenant, ACCOUNT, &HistoryFilter::default()).await }).await;
    let mut verifier = ChainVerifier::default();
    rows.iter().for_each(|row| verifier.push(row));
    if let Some((account, head)) = read(|| store.heads(tenant)).await.first() {
        let report = verifier.finish(account, head);
        assert!(report.chain_ok, "{report:?}");
    }
    rows.iter().map(|row| row.kind).collect()
}

/// The state after each step of a change: its status, and the history.
const STEPS: [(Option<ChangeStatus>, &[AuditKind]); 5] = [
    (None, &[]),
    (Some(ChangeStatus::Pending), &[]),
    (Some(ChangeStatus::Claimed), &[AuditKind::Intent]),
    (Some(ChangeStatus::Executing), &[AuditKind::Intent]),
    (Some(ChangeStatus::Completed), &[AuditKind::Intent, AuditKind::Outcome]),
];

/// Wherever a connection breaks or a caller goes away, the step is done whole or not at all, and can be made again.
#[tokio::test]
async fn nothing_is_half_done_wherever_it_stops() {
    let Some((place, store)) = Place::with_store().await else { return };
    let client = place.client().await;
    let token = LeaseToken::fresh(&SeededEntropy::new(1));
    let one = change("one", "s1");
    let (mut places, mut done, mut undone) = (0, 0, 0);
    for fault in [Fault::Dropped, Fault::Cut] {
        for step in 0..4 {
            for waits in 0.. {
                let tenant = TenantId::new(format!("{fault:?}-{step}-{waits}")).unwrap();
                let call = |step: usize| {
                    let (store, tenant, one) = (store.clone(), tenant.clone(), one.clone());
                    async move {
                        let settlement = Settlement::Applied;
                        let asked = match step {
                            0 => return store.queue(&tenant, batch(at(0), vec![one])).await.map(drop),
                            1 => reserve(&one, at(1), token),
                            2 => transition(
                                at(2),
                                Action::Begin { attempt: 1, token, live: live(&one, at(2).now) },
                            ),
                            _ => transition(
                                at(3),
                                Action::Settle { attempt: 1, token, settlement, took: None },
                            ),
                        };
                        store.transition(&tenant, one.id, asked).await.map(|moved| assert!(moved.taken))
                    }
                };
                for before in 0..step {
                    call(before).await.unwrap();
                }
                let (stopped, ended) = at_wait(&client, &place, fault, waits, call(step)).await;
                let status = read(|| store.get(&tenant, one.id)).await.map(|row| row.status);
                let state = (status, history_of(&store, &tenant).await);
                let is = |n: usize| state.0 == STEPS[n].0 && state.1 == STEPS[n].1;
                let context = format!("{fault:?} in step {step} after {waits} waits: {ended:?}, {state:?}");
                assert!(is(step) || is(step + 1), "half done: {context}");
                if matches!(ended, Some(Ok(()))) {
                    assert!(is(step + 1), "acknowledged and lost: {context}");
                }
                if is(step) {
                    call(step).await.unwrap_or_else(|error| panic!("{error} {context}"));
                    undone += usize::from(stopped);
                } else {
                    done += usize::from(stopped);
                }
                if !stopped {
                    break;
                }
                places += 1;
            }
        }
    }
    println!("stopped at {places} places: {done} times the step was done, {undone} times it was not");
    assert!(places >= 12 && undone >= 4, "{places} places, {undone} undone");
}

/// What goes by the server's clock does not mind the caller's.
#[tokio::test]
async fn a_clock_in_1970_is_harmless() {
    let Some((_place, store)) = Place::with_store().await else { return };
    let tenant = TenantId::default();
    let wrong = CallTime { now: Timestamp::default(), bound: false };
    let one = change("one", "s1");
    let queued = store.queue(&tenant, batch(wrong, vec![one.clone()])).await.unwrap().rows.remove(0);
    let apart = queued.queued_at.micros().abs_diff(SystemClock.now().micros());
    assert!(apart < 60_000_000, "the server's time counts: {queued:?}");
    assert_eq!(store.tenants_due(wrong).await.unwrap(), std::slice::from_ref(&tenant));
    let picked = store.pick(&tenant, wrong, Duration::from_secs(60), 1).await.unwrap();
    assert_eq!(picked.len(), 1, "it is due by the server's time");
    let token = LeaseToken::fresh(&SeededEntropy::new(1));
    let claimed = store.transition(&tenant, one.id, reserve(&one, wrong, token)).await.unwrap();
    assert_eq!(
        claimed.row.status,
        ChangeStatus::Claimed,
        "what it read counts from its own clock: {claimed:?}"
    );
    let lease = claimed.row.lease_until.unwrap();
    assert!(lease > SystemClock.now(), "{lease:?}");
    // A clock that is bound, and far back, does not reopen anything either.
    let back = CallTime::bound(Timestamp::default());
    let left = store.transition(&tenant, one.id, transition(back, Action::Abandon)).await.unwrap();
    assert!(!left.taken, "the lease still runs");
    assert_eq!(store.rules(&tenant, ACCOUNT, back).await.unwrap().now, claimed.row.updated_at);
}

/// Another worker's store is woken by a notification, also after its listening connection broke.
#[tokio::test]
async fn wakes_other_workers() {
    let Some((place, store)) = Place::with_store().await else { return };
    let other = Arc::new(place.open().await);
    let client = place.client().await;
    let asleep = || {
        let other = other.clone();
        tokio::spawn(async move { tokio::time::timeout(Duration::from_secs(20), other.woken()).await })
    };
    let listening = async || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND query LIKE 'LISTEN%'
                   AND state = 'idle'";
        while client.query_one(sql, &[&place.config.schema]).await.unwrap().get::<_, i64>(0) < 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    // The first wait ends when the connection listens: something may have happened before.
    asleep().await.unwrap().unwrap();
    listening().await;
    for round in 0..2 {
        let waiting = asleep();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let name = format!("change {round}");
        store
            .queue(&TenantId::default(), batch(at(0), vec![change(&name, &name.replace(' ', "_"))]))
            .await
            .unwrap();
        waiting.await.unwrap().expect("it is woken");
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND query LIKE 'LISTEN%'";
        client.execute(cut, &[&place.config.schema]).await.unwrap();
        // A new connection wakes as well: nobody knows what the old one missed.
        asleep().await.unwrap().expect("it listens again");
        listening().await;
    }
}

/// A switch that has returned holds for everything that begins later: it waits for what is under way.
#[tokio::test]
async fn a_kill_switch_waits_for_what_is_under_way() {
    let Some((place, store)) = Place::with_store().await else { return };
    let tenant = TenantId::default();
    store.queue(&tenant, batch(at(0), vec![change("one", "s1")])).await.unwrap();
    let mut client = place.client().await;
    let under_way = client.transaction().await.unwrap();
    under_way.execute("SELECT FROM ad_accounts FOR NO KEY UPDATE", &[]).await.unwrap();
    let killing = tokio::spawn({
        let (store, tenant) = (store.clone(), tenant.clone());
        async move { store.set_kill(&tenant, &KillScope::Tenant, true).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!killing.is_finished(), "it returned while a transition was under way");
    under_way.commit().await.unwrap();
    killing.await.unwrap().unwrap();
    assert_eq!(store.kills(&tenant).await.unwrap(), [KillScope::Tenant]);
}
