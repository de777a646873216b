use super::fixture::{ACCOUNT, approval, at, batch, change, due, reserve, transition};
use crate::ctx::TenantId;
use crate::env::SeededEntropy;
use crate::error::ErrorKind;
use crate::execution::machine::{Action, QueueBatch};
use crate::execution::{AdChange, AuditKind, ChainVerifier, ChangeRow, ChangeStatus, LeaseToken, Reason};
use crate::store::{ChangeStore, HistoryFilter};

const DAY: i64 = 24 * 3_600;
const DIGEST: &str = "0123";

/// What needs an approval waits for it, and is released as it was queued.
pub(super) async fn approving(store: &dyn ChangeStore, tenant: &TenantId) {
    let mut raise = change("raise", "s1", 1000, 1100);
    let mut cut = change("cut", "s2", 1000, 900);
    raise.allocation_id = Some("allocation".into());
    cut.allocation_id = Some("allocation".into());
    let free = change("free", "s3", 1000, 1100);
    let mut elsewhere = change("elsewhere", "s1", 1000, 1100);
    elsewhere.account_id = "act_2".into();

    store.queue(tenant, batch(at(0), vec![free.clone()])).await.unwrap();
    let rows = hold(store, tenant, DIGEST, vec![raise.clone(), cut.clone()]).await;
    let far = QueueBatch {
        account_id: "act_2".into(),
        plan_digest: Some(DIGEST.into()),
        ..batch(at(0), vec![elsewhere.clone()])
    };
    store.queue(tenant, far).await.unwrap();
    hold(store, tenant, "4567", vec![change("other", "s4", 1000, 1100)]).await;
    for row in &rows {
        assert_eq!((row.status, row.reason), (ChangeStatus::Blocked, Some(Reason::AwaitingApproval)));
        assert!(row.needs_approval() && row.waiting());
        assert_eq!((row.retry_at, row.due_at), (Some(at(DAY)), Some(at(DAY))), "until it expires");
        assert_eq!(store.get(tenant, row.change.id).await.unwrap().as_ref(), Some(row), "as it is stored");
    }
    let next = due(store, tenant, at(100)).await.unwrap();
    assert_eq!(next.change.id, free.id, "what waits for an approval is not due");
    let token = LeaseToken::fresh(&SeededEntropy::new(5));
    let early = store.transition(tenant, cut.id, reserve(&cut, 1000, at(100), token)).await.unwrap();
    assert!(!early.taken, "and cannot be reserved");

    // The same id with other content, and the same content again, leave what is stored as it is.
    let altered = AdChange { target: 1_200, ..raise.clone() };
    let kept = hold(store, tenant, "89ab", vec![altered.clone()]).await;
    assert_eq!(kept[0], rows[0], "a queued change cannot be altered");
    assert_eq!(hold(store, tenant, DIGEST, vec![raise.clone(), cut.clone()]).await, rows, "nor queued again");

    for digest in ["89ab", "nothing"] {
        let error = store.approve(tenant, approval(at(200), digest)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{digest}: {error}");
    }
    let other = TenantId::new("another").unwrap();
    let error = store.approve(&other, approval(at(200), DIGEST)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "another tenant's digest is none of ours");

    let released = store.approve(tenant, approval(at(200), DIGEST)).await.unwrap();
    let mut ids = [raise.id, cut.id, elsewhere.id];
    ids.sort_unstable();
    assert_eq!(
        released.iter().map(|r| r.change.id).collect::<Vec<_>>(),
        ids,
        "in all accounts, and no other"
    );
    let of = |wanted: &AdChange| released.iter().find(|r| r.change.id == wanted.id).unwrap();
    for wanted in [&raise, &cut, &elsewhere] {
        let row = of(wanted);
        assert_eq!((row.status, row.reason, row.retry_at), (ChangeStatus::Pending, None, None));
        assert_eq!(row.change, *wanted, "as it was queued");
        let approval = row.approval.as_ref().unwrap();
        assert_eq!(approval.approved_by.as_deref(), Some("approver"));
        assert_eq!((approval.approved_at, row.expires_at), (Some(at(200)), at(DAY)));
        assert_eq!(store.get(tenant, wanted.id).await.unwrap().as_ref(), Some(row));
    }
    assert_eq!((of(&cut).run_at, of(&cut).due_at), (at(205), Some(at(205))), "the jitter begins anew");
    assert!(of(&raise).run_at > of(&cut).run_at, "raises still run after the cuts of their allocation");
    let error = store.approve(tenant, approval(at(201), DIGEST)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "once is all");
    let kept = hold(store, tenant, "89ab", vec![altered]).await;
    assert_eq!(kept[0], *of(&raise), "nor can an approved one be altered");

    let claimed = store.transition(tenant, cut.id, reserve(&cut, 1000, at(206), token)).await.unwrap();
    assert_eq!((claimed.taken, claimed.row.status), (true, ChangeStatus::Claimed));
    assert!(!claimed.row.needs_approval(), "the approval stays with it");

    let history = store.history(tenant, ACCOUNT, &HistoryFilter::default()).await.unwrap();
    let approved: Vec<_> = history.iter().filter(|r| r.kind == AuditKind::Approved).collect();
    assert_eq!(approved.len(), 2);
    for row in approved {
        assert_eq!(row.actor.as_deref(), Some("approver"));
        assert_eq!(row.request_id, "req_000000000003");
        assert_eq!(row.detail.as_deref(), Some("plan 0123"));
    }
    for (account, head) in store.heads(tenant).await.unwrap() {
        let mut verifier = ChainVerifier::default();
        let rows = store.history(tenant, &account, &HistoryFilter::default()).await.unwrap();
        rows.iter().for_each(|r| verifier.push(r));
        let report = verifier.finish(&account, &head);
        assert!(report.chain_ok, "{report:?}");
    }
}

/// What waits for an approval ends as everything else does.
pub(super) async fn unapproved(store: &dyn ChangeStore, tenant: &TenantId) {
    let (old, newer) = (change("old", "s1", 1000, 1100), change("newer", "s1", 1000, 1200));
    let (withdrawn, late) = (change("withdrawn", "s2", 1000, 1100), change("late", "s3", 1000, 1100));
    hold(store, tenant, "old", vec![old.clone()]).await;
    hold(store, tenant, "rest", vec![newer, withdrawn.clone(), late.clone()]).await;
    let reason = |row: Option<ChangeRow>| row.unwrap().reason;
    assert_eq!(reason(store.get(tenant, old.id).await.unwrap()), Some(Reason::Superseded));
    let error = store.approve(tenant, approval(at(1), "old")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "what was superseded is not revived");
    let cancelled = store.transition(tenant, withdrawn.id, transition(at(1), Action::Cancel)).await.unwrap();
    assert_eq!((cancelled.taken, cancelled.row.reason), (true, Some(Reason::Cancelled)));

    assert_eq!(due(store, tenant, at(DAY - 1)).await, None);
    let error = store.approve(tenant, approval(at(DAY), "rest")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "what has expired is not revived");
    let token = LeaseToken::fresh(&SeededEntropy::new(6));
    let expired = store.transition(tenant, late.id, reserve(&late, 1000, at(DAY), token)).await.unwrap();
    assert_eq!((expired.row.status, expired.row.reason), (ChangeStatus::Blocked, Some(Reason::Expired)));
    assert_eq!(expired.row.due_at, None);
}

async fn hold(
    store: &dyn ChangeStore,
    tenant: &TenantId,
    digest: &str,
    changes: Vec<AdChange>,
) -> Vec<ChangeRow> {
    let batch = QueueBatch { plan_digest: Some(digest.into()), ..batch(at(0), changes) };
    store.queue(tenant, batch).await.unwrap().rows
}
