use std::time::Duration;

use crate::ads::{ChangeField, DeliveryStatus, Owner, OwnerLevel, OwnerState};
use crate::ctx::TenantId;
use crate::env::{Entropy, Timestamp};
use crate::execution::machine::AccountView;
use crate::execution::machine::{Action, ApprovalRequest, CallTime, QueueBatch, Transition};
use crate::execution::{AccountLimits, AdChange, ChangeId, ChangeRow, LeaseToken, Policy};
use crate::money::Currency;
use crate::store::ChangeStore;

pub(super) const ACCOUNT: &str = "act_1";

/// A time, in seconds from a fixed start.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_770_000_000_000 + seconds * 1_000)
}

/// A budget change of the ad set `set` in the campaign `c1`.
pub(super) fn change(name: &str, set: &str, expected_from: i64, target: i64) -> AdChange {
    AdChange {
        id: ChangeId::derive(&[name]),
        account_id: ACCOUNT.into(),
        campaign_id: "c1".into(),
        owner: Owner::ad_set(set),
        field: ChangeField::Budget,
        expected_from,
        target,
        currency: Currency::USD,
        allocation_id: None,
        causation_id: Some("event_1".into()),
        reason: "because".into(),
        expires_at: None,
        ramp: None,
    }
}

pub(super) fn batch(now: Timestamp, changes: Vec<AdChange>) -> QueueBatch {
    QueueBatch {
        at: CallTime::bound(now),
        policy: Policy::standard(),
        actor: Some("tester".into()),
        request_id: "req_000000000001".into(),
        account_id: ACCOUNT.into(),
        changes: changes.into_iter().map(|c| (c, Duration::from_secs(5))).collect(),
        plan_digest: None,
    }
}

/// An approval of a digest.
pub(super) fn approval(now: Timestamp, digest: &str) -> ApprovalRequest {
    ApprovalRequest {
        at: CallTime::bound(now),
        policy: Policy::standard(),
        actor: "approver".into(),
        request_id: "req_000000000003".into(),
        digest: digest.into(),
    }
}

pub(super) fn transition(now: Timestamp, action: Action) -> Transition {
    Transition {
        at: CallTime::bound(now),
        policy: Policy::standard(),
        actor: None,
        request_id: "req_000000000002".into(),
        action,
    }
}

/// The owner of a change as read at a time.
pub(super) fn live(change: &AdChange, budget: i64, read_at: Timestamp) -> OwnerState {
    OwnerState {
        owner: change.owner.clone(),
        account_id: change.account_id.clone(),
        campaign_id: if change.owner.level == OwnerLevel::Campaign {
            change.owner.id.clone()
        } else {
            change.campaign_id.clone()
        },
        name: change.owner.to_string(),
        currency: change.currency,
        daily_budget_minor: Some(budget),
        lifetime_budget_minor: None,
        bid_minor: None,
        status: DeliveryStatus::Active,
        learning: false,
        read_at,
    }
}

pub(super) fn reserve(change: &AdChange, budget: i64, now: Timestamp, token: LeaseToken) -> Transition {
    let live = Box::new(live(change, budget, now));
    transition(now, Action::Reserve { live, account: None, fuzz: 0, token })
}

pub(super) fn begin(change: &AdChange, budget: i64, now: Timestamp, token: LeaseToken) -> Transition {
    transition(now, Action::Begin { attempt: 1, token, live: Box::new(live(change, budget, now)) })
}

/// The change that is due first, hidden from nobody.
pub(super) async fn due(store: &dyn ChangeStore, tenant: &TenantId, now: Timestamp) -> Option<ChangeRow> {
    store.pick(tenant, CallTime::bound(now), Duration::ZERO, 1).await.unwrap().into_iter().next()
}

/// What the machine would see of a change's account.
pub(super) async fn view(
    store: &dyn ChangeStore,
    tenant: &TenantId,
    change: &AdChange,
    now: Timestamp,
) -> AccountView {
    store.view(tenant, change, CallTime::bound(now), &Policy::standard()).await.unwrap()
}

/// What the user allows in the account.
pub(super) async fn limits(store: &dyn ChangeStore, tenant: &TenantId) -> Option<AccountLimits> {
    store.rules(tenant, ACCOUNT, CallTime::bound(at(0))).await.unwrap().limits
}

/// A number below `bound`.
pub(super) fn below(entropy: &dyn Entropy, bound: u64) -> u64 {
    entropy.next_u64() % bound.max(1)
}
