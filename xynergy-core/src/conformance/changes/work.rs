use std::time::Duration;

use super::fixture::{at, batch, change, due, reserve};
use crate::ctx::TenantId;
use crate::env::SeededEntropy;
use crate::execution::LeaseToken;
use crate::execution::machine::CallTime;
use crate::store::{ChangeFilter, ChangeStore};

const HOLD: Duration = Duration::from_secs(60);

/// What is due is handed out once, one change an owner, and comes up again when nothing became of it.
pub(super) async fn picking(store: &dyn ChangeStore) {
    let (tenant, other) = (TenantId::new("picking").unwrap(), TenantId::new("picking-other").unwrap());
    let names = [("a", "s1"), ("b", "s2"), ("c", "s3")];
    let changes: Vec<_> = names.iter().map(|(name, set)| change(name, set, 1000, 1100)).collect();
    store.queue(&tenant, batch(at(0), changes.clone())).await.unwrap();
    let mut twice = change("d", "s1", 1000, 1100);
    twice.field = crate::ads::ChangeField::Bid;
    store.queue(&tenant, batch(at(1), vec![twice])).await.unwrap();
    store.queue(&other, batch(at(50), vec![change("e", "s1", 1000, 1100)])).await.unwrap();
    let pick = |now, limit| store.pick(&tenant, CallTime::bound(at(now)), HOLD, limit);
    let among = |tenants: Vec<TenantId>| {
        let ours = tenants.into_iter().filter(|t| *t == tenant || *t == other);
        ours.map(|t| t.to_string()).collect::<Vec<_>>()
    };

    assert!(pick(4, 10).await.unwrap().is_empty(), "nothing before its time");
    assert_eq!(among(store.tenants_due(CallTime::bound(at(6))).await.unwrap()), ["picking"]);
    assert_eq!(among(store.tenants().await.unwrap()), ["picking", "picking-other"]);
    let first = pick(6, 2).await.unwrap();
    assert_eq!(first.len(), 2);
    let rest = pick(6, 10).await.unwrap();
    assert_eq!(rest.len(), 1, "the second change of an owner that is worked on is hidden with the first");
    let owners: std::collections::BTreeSet<_> = first.iter().chain(&rest).map(|r| &r.change.owner).collect();
    assert_eq!(owners.len(), 3, "each owner once");
    assert!(pick(65, 10).await.unwrap().is_empty(), "hidden while somebody is at work");
    assert_eq!(store.next_due(&tenant).await.unwrap(), Some(at(66)), "and due when the hold is over");
    assert_eq!(pick(66, 10).await.unwrap().len(), 3, "what a worker left behind comes up again");

    let moved = &changes[1];
    let token = LeaseToken::fresh(&SeededEntropy::new(8));
    store.transition(&tenant, moved.id, reserve(moved, 1000, at(67), token)).await.unwrap();
    assert_eq!(store.next_due(&tenant).await.unwrap(), Some(at(126)));
    let lease = due(store, &tenant, at(127)).await.unwrap();
    assert_ne!(lease.change.id, moved.id, "others were due before");
    let leases = pick(128, 10).await.unwrap();
    assert!(leases.iter().any(|r| r.change.id == moved.id), "a lease that is over is due, not its siblings");
    let all = store.next_due_of_any().await.unwrap().unwrap();
    assert!(all <= at(55), "the other tenant's change is due: {all}");
}

/// A list in pages is the list.
pub(super) async fn pages(store: &dyn ChangeStore, tenant: &TenantId) {
    for n in 0..5 {
        let changes = (0..3).map(|m| change(&format!("{n}-{m}"), &format!("s{n}{m}"), 1000, 1100)).collect();
        store.queue(tenant, batch(at(n / 2), changes)).await.unwrap();
    }
    let whole = store.list(tenant, &ChangeFilter::default()).await.unwrap();
    let (mut read, mut after) = (Vec::new(), None);
    loop {
        let page = ChangeFilter { after, limit: Some(4), ..ChangeFilter::default() };
        let rows = store.list(tenant, &page).await.unwrap();
        assert!(rows.len() <= 4);
        let Some(last) = rows.last() else { break };
        after = Some(last.change.id);
        read.extend(rows);
    }
    assert_eq!(read, whole);
    let backlog = store.backlog(tenant).await.unwrap();
    assert_eq!(backlog.open.iter().map(|c| c.count).sum::<u64>(), 15);
    assert_eq!((backlog.needs_human, backlog.oldest_due), (0, Some(at(5))));
}

/// Queueing wakes whoever waits.
pub(super) async fn waking(store: &dyn ChangeStore, tenant: &TenantId) {
    let queued = async {
        store.queue(tenant, batch(at(0), vec![change("wake", "s1", 1000, 1100)])).await.unwrap();
    };
    let (woken, ()) = tokio::join!(tokio::time::timeout(HOLD, store.woken()), queued);
    assert!(woken.is_ok(), "nobody was woken");
}
