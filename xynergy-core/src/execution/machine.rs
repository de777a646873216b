//! The state machine of a change as a pure function: what a store loads, what is asked of it, what it saves.
//!
//! Every store runs the same transitions; it only loads a [`ChangeView`] and saves a [`Commit`] in one transaction.

mod work;

use std::collections::BTreeSet;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::work::Work;
use super::audit::{AuditRow, ChainHead};
use super::change::{AccountLimits, AdChange, ChangeId, ChangeRow, LeaseToken, Movement, Pause, Reason};
use super::guard::RecentChanges;
pub use super::observe::Known;
use super::policy::Policy;
use super::reconcile::Finding;
use crate::ads::{Owner, OwnerState, ThrottleScope};
use crate::ctx::TenantId;
use crate::env::{Clock, Timestamp};
use crate::error::{Error, ErrorKind, Result};

/// What a kill switch covers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KillScope {
    /// One ad account.
    Account(String),
    /// Everything of every tenant.
    Global,
    /// One owner.
    Owner {
        /// The account it is in.
        account_id: String,
        /// The object.
        owner: Owner,
    },
    /// Everything of the tenant.
    Tenant,
}

impl KillScope {
    /// Whether the switch covers an owner.
    pub fn covers(&self, account_id: &str, owner: &Owner) -> bool {
        match self {
            Self::Account(account) => account == account_id,
            Self::Global | Self::Tenant => true,
            Self::Owner { account_id: account, owner: covered } => account == account_id && covered == owner,
        }
    }

    /// The scope as it is stored: `global`, `tenant`, `account:ID`, `owner:ACCOUNT:LEVEL:ID`.
    pub fn key(&self) -> String {
        match self {
            Self::Account(account) => format!("account:{account}"),
            Self::Global => "global".to_owned(),
            Self::Owner { account_id, owner } => format!("owner:{account_id}:{owner}"),
            Self::Tenant => "tenant".to_owned(),
        }
    }
}

/// When a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallTime {
    /// The caller's time: values that it read are as old as this clock says.
    pub now: Timestamp,
    /// Whether that clock was given on purpose. A store with a clock of its own goes by its own otherwise, so that
    /// workers with wrong clocks agree on every window.
    pub bound: bool,
}

impl CallTime {
    /// The time of a clock.
    pub fn of(clock: &dyn Clock) -> Self {
        Self { now: clock.now(), bound: !clock.is_system() }
    }

    /// A time that the store has to take.
    pub const fn bound(now: Timestamp) -> Self {
        Self { now, bound: true }
    }
}

/// What a store loads of an account, inside the transaction.
#[derive(Clone, Debug, Default)]
pub struct AccountView {
    /// The greater of the call's time and the latest that the store has seen of the account.
    pub now: Timestamp,
    /// The time of the call before it waited for others, on the same clock: values that came with it were read before.
    pub asked_at: Timestamp,
    /// What the user allows.
    pub limits: Option<AccountLimits>,
    /// The tenant's kill switches that are on, and the global one.
    pub kills: Vec<KillScope>,
    /// What the platform's refusals taught, as far as it still counts.
    pub pauses: Vec<Pause>,
    /// Our own changes of the account within the rate's window.
    pub recent: RecentChanges,
    /// The newest row of the account's history.
    pub head: ChainHead,
    /// The values last known of the owners of the changes in question.
    pub known: Known,
    /// The account's changes that are in flight, and those not over that share an owner or an allocation with the
    /// changes in question; by id.
    pub open: Vec<ChangeRow>,
    /// Movements of the campaigns in question that are open or at most as old as the longest window, and those of the
    /// whole account that are younger than a reading may be; in the order of their first writing.
    pub movements: Vec<Movement>,
}

/// What a store loads for a transition of one change.
#[derive(Clone, Debug)]
pub struct ChangeView {
    /// Its account; `open` may hold the change itself.
    pub account: AccountView,
    /// The change.
    pub row: ChangeRow,
}

/// A request to move one change on.
#[derive(Clone, Debug)]
pub struct Transition {
    /// When it is made.
    pub at: CallTime,
    /// The figures of the guards.
    pub policy: Policy,
    /// Who asks.
    pub actor: Option<String>,
    /// The caller's request id.
    pub request_id: String,
    /// What is asked.
    pub action: Action,
}

/// What is asked of a change.
#[derive(Clone, Debug)]
pub enum Action {
    /// A claim whose lease is over was never sent: the fence makes sure that it will not be.
    Abandon,
    /// The worker is about to send: the last look at switches, lease, expiry and the live value.
    Begin {
        /// The attempt that it holds.
        attempt: u32,
        /// Its token.
        token: LeaseToken,
        /// The owner as read again.
        live: Box<OwnerState>,
    },
    /// Somebody withdraws a change that is not in flight.
    Cancel,
    /// The platform's log shows the effect of an attempt that was judged not applied.
    Late {
        /// The attempt in question.
        attempt: u32,
        /// What was found, for a person.
        detail: String,
    },
    /// Reading told nothing yet: look again later.
    Postpone {
        /// The attempt in question.
        attempt: u32,
        /// How much later.
        after: Duration,
    },
    /// Reading the platform told what became of a request.
    Reconcile {
        /// The attempt in question.
        attempt: u32,
        /// What was found.
        finding: Finding,
        /// The owner as read, where it still exists.
        live: Option<Box<OwnerState>>,
        /// What was found, for a person.
        detail: String,
    },
    /// It cannot be decided: the platform could not be read.
    Refuse {
        /// Why.
        reason: Reason,
        /// How much later to try again; `None` when that cannot help.
        retry_after: Option<Duration>,
        /// What the platform said, where it was asked.
        detail: Option<String>,
    },
    /// Decide, and if it may be sent write the intent and take the lease.
    Reserve {
        /// The owner as just read.
        live: Box<OwnerState>,
        /// All owners of the account as just read, where a total is set.
        account: Option<Vec<OwnerState>>,
        /// How far the value should be moved from its target.
        fuzz: i64,
        /// The lease's token.
        token: LeaseToken,
    },
    /// A person says what became of a request that reading could not tell.
    Resolve {
        /// What became of it.
        verdict: HumanVerdict,
        /// How the person knows.
        note: String,
    },
    /// A person wants a change sent again whose last request had no effect.
    Retry {
        /// How long after now it runs.
        delay: Duration,
    },
    /// What the platform answered.
    Settle {
        /// The attempt that was sent.
        attempt: u32,
        /// The worker's token.
        token: LeaseToken,
        /// The answer.
        settlement: Settlement,
        /// How long it took.
        took: Option<Duration>,
    },
    /// A kill switch went off: ask at once.
    Wake,
}

/// What a person found out about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HumanVerdict {
    /// It took effect.
    Applied,
    /// It had no effect, and can have none any more.
    NotApplied,
}

/// How one send ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The platform confirmed it.
    Applied,
    /// Nothing tells whether it took effect.
    Ambiguous(String),
    /// No effect; it may be sent again later.
    Blocked {
        /// Why.
        reason: Reason,
        /// How much later.
        retry_after: Duration,
        /// What the platform said.
        detail: String,
        /// What the platform wants to be left alone until then.
        pause: Option<ThrottleScope>,
    },
    /// The platform refused it as it stands.
    Rejected(String),
}

/// What a store saves, all or nothing.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// The store's new time.
    pub now: Timestamp,
    /// Changes to insert or replace, by id.
    pub changes: Vec<ChangeRow>,
    /// Movements to insert; an own one replaces the one of the same change and attempt, in its place.
    pub movements: Vec<Movement>,
    /// An own movement that did not happen.
    pub unmoved: Option<Unmoved>,
    /// What the platform's refusals taught; each replaces what was known of the same owner, or of the account.
    pub pauses: Vec<Pause>,
    /// Values now known.
    pub known: Known,
    /// Rows to append to the history.
    pub history: Vec<AuditRow>,
}

/// An own movement that did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unmoved {
    /// Its change.
    pub change_id: ChangeId,
    /// Its attempt.
    pub attempt: u32,
    /// When its intent was written, where its request may have been on its way: it stays listed among the
    /// [watched](crate::store::ChangeStore::watched) with this time, and in no view.
    pub watch: Option<Timestamp>,
}

/// The answer to a transition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transitioned {
    /// The change as it is now.
    pub row: ChangeRow,
    /// Whether the transition took place; `false` when a fence held it off and nothing was saved.
    pub taken: bool,
    /// Other changes that waited and came to their end with it.
    pub ended: Vec<ChangeRow>,
}

/// Changes of one account to be queued, with their earliest times.
#[derive(Clone, Debug)]
pub struct QueueBatch {
    /// When it is queued.
    pub at: CallTime,
    /// The figures of the guards.
    pub policy: Policy,
    /// Who asks.
    pub actor: Option<String>,
    /// The caller's request id.
    pub request_id: String,
    /// The account of all of them.
    pub account_id: String,
    /// Each with how long after queueing it runs.
    pub changes: Vec<(AdChange, Duration)>,
    /// When they have to be approved first: the digest under which they are, of everything that was queued at once.
    pub plan_digest: Option<String>,
}

/// The answer to a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// The changes of the batch as they are now, in its order.
    pub rows: Vec<ChangeRow>,
    /// Those of them that were not stored before.
    pub stored: BTreeSet<ChangeId>,
    /// Changes whose place a newer one took, some perhaps of the batch itself.
    pub superseded: Vec<ChangeRow>,
}

/// An approval of what was queued under one digest.
#[derive(Clone, Debug)]
pub struct ApprovalRequest {
    /// When it is given.
    pub at: CallTime,
    /// The figures of the guards.
    pub policy: Policy,
    /// Who approves.
    pub actor: String,
    /// The caller's request id.
    pub request_id: String,
    /// The digest.
    pub digest: String,
}

/// What a store loads of one account for an approval.
#[derive(Clone, Debug)]
pub struct ApprovalView {
    /// The account.
    pub account: AccountView,
    /// Its changes that were queued under the digest, over or not.
    pub rows: Vec<ChangeRow>,
}

/// What a store loads for a batch.
#[derive(Clone, Debug)]
pub struct QueueView {
    /// The account.
    pub account: AccountView,
    /// Those of the batch that are stored already, over or not.
    pub existing: Vec<ChangeRow>,
}

/// Queues a batch: what to save, and what became of it.
///
/// # Errors
/// [`InvalidInput`](crate::ErrorKind::InvalidInput) when a currency is not the account's; nothing is queued then.
pub fn queue(tenant: &TenantId, view: QueueView, batch: &QueueBatch) -> Result<(Commit, Queued)> {
    let now = view.account.now;
    let mut state = Work::new(tenant, view.account, &batch.policy, batch.actor.as_deref(), &batch.request_id);
    let mut answer = Vec::with_capacity(batch.changes.len());
    let mut queued = BTreeSet::new();
    for (change, delay) in &batch.changes {
        if let Some(limits) = state.view.limits.as_ref().filter(|l| l.currency != change.currency) {
            return Err(Error::invalid(
                "execution.queue",
                format!("currency: {} is not the account's {}", change.currency, limits.currency),
            )
            .with_context("change_id", change.id.to_string()));
        }
        let stored = view.existing.iter().chain(&state.view.open).find(|r| r.change.id == change.id);
        if let Some(stored) = stored {
            answer.push(stored.clone());
            continue;
        }
        if batch.changes.iter().all(|(other, _)| !precedes(other, change)) {
            state.supersede(change);
        }
        queued.insert(change.id);
        state.take_as_known(change);
        let run_at = now.plus(*delay);
        let expires = now.plus(Duration::from_millis(batch.policy.expires_after_ms));
        let mut row = ChangeRow::queued(change.clone(), now, run_at, expires);
        if let Some(digest) = &batch.plan_digest {
            row = state.hold_for_approval(row, digest);
        }
        state.view.open.push(row.clone());
        answer.push(row);
    }
    state.raises_after_cuts(&view.existing, &queued);
    for row in &mut answer {
        if let Some(current) = state.view.open.iter().find(|o| o.change.id == row.change.id) {
            row.clone_from(current);
        }
    }
    for row in answer.iter().filter(|r| queued.contains(&r.change.id)) {
        state.commit.changes.retain(|c| c.change.id != row.change.id);
        state.commit.changes.push(row.clone());
    }
    let superseded = state.commit.changes.iter().filter(|row| row.reason == Some(Reason::Superseded));
    let superseded = superseded.cloned().collect();
    Ok((state.commit, Queued { rows: answer, stored: queued, superseded }))
}

/// Whether two changes are steps of one ramp, which leave each other alone.
fn precedes(earlier: &AdChange, later: &AdChange) -> bool {
    earlier.ramp.zip(later.ramp).is_some_and(|(a, b)| a.id == b.id && a.step < b.step)
}

/// Approves what was queued under a digest, in all its accounts: what to save of each, in the order of the views, and the
/// changes that are released by it, by the time of queueing and then id.
///
/// # Errors
/// [`NotFound`](ErrorKind::NotFound) when nothing waits under the digest.
pub fn approve(
    tenant: &TenantId,
    views: Vec<ApprovalView>,
    request: &ApprovalRequest,
) -> Result<(Vec<Commit>, Vec<ChangeRow>)> {
    let mut commits = Vec::with_capacity(views.len());
    let mut released = Vec::new();
    for ApprovalView { account, rows } in views {
        let mut work = Work::new(tenant, account, &request.policy, Some(&request.actor), &request.request_id);
        for row in rows {
            if let Some(row) = work.approve(row, &request.digest) {
                work.commit.changes.push(row.clone());
                released.push(row);
            }
        }
        commits.push(work.commit);
    }
    if released.is_empty() {
        return Err(Error::new(
            ErrorKind::NotFound,
            "execution.approve",
            "digest: no change waits for approval under it: it was approved, withdrawn, superseded, has expired, or was never queued",
        )
        .with_context("digest", request.digest.clone()));
    }
    released.sort_by_key(|row| (row.queued_at, row.change.id));
    Ok((commits, released))
}

/// Moves one change on: its row afterwards, and what to save. An empty commit belongs to a transition that a fence
/// held off.
pub fn apply(tenant: &TenantId, view: ChangeView, transition: &Transition) -> (Option<Commit>, Transitioned) {
    let before = view.row.clone();
    let mut account = view.account;
    account.open.retain(|o| o.change.id != before.change.id);
    let mut work =
        Work::new(tenant, account, &transition.policy, transition.actor.as_deref(), &transition.request_id);
    match work.step(before.clone(), transition) {
        Some(row) => {
            let ended = work.commit.changes.iter().filter(|other| other.is_over()).cloned().collect();
            work.commit.changes.push(row.clone());
            (Some(work.commit), Transitioned { row, taken: true, ended })
        }
        None => (None, Transitioned { row: before, taken: false, ended: Vec::new() }),
    }
}
