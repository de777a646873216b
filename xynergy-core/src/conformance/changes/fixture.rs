use std::time::Duration;

use crate::ads::{ChangeField, DeliveryStatus, Owner, OwnerLevel, OwnerState};
use crate::env::{Entropy, Timestamp};
use crate::execution::machine::{Action, ApprovalRequest, QueueBatch, Transition};
use crate::execution::{AdChange, ChangeId, LeaseToken, Policy};
use crate::money::Currency;

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
    }
}

pub(super) fn batch(now: Timestamp, changes: Vec<AdChange>) -> QueueBatch {
    QueueBatch {
        at: now,
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
        at: now,
        policy: Policy::standard(),
        actor: "approver".into(),
        request_id: "req_000000000003".into(),
        digest: digest.into(),
    }
}

pub(super) fn transition(now: Timestamp, action: Action) -> Transition {
    Transition {
        at: now,
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

/// A number below `bound`.
pub(super) fn below(entropy: &dyn Entropy, bound: u64) -> u64 {
    entropy.next_u64() % bound.max(1)
}
