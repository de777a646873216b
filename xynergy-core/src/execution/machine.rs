//! The state machine of a change as a pure function: what a store loads, what is asked of it, what it saves.
//!
//! Every store runs the same transitions; it only loads a [`ChangeView`] and saves a [`Commit`] in one transaction.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::audit::{AuditKind, AuditOrigin, AuditRow, ChainHead};
use super::change::{
    AccountLimits, AdChange, ChangeId, ChangeRow, ChangeStatus, Direction, LeaseToken, Movement, Reason,
};
use super::guard::{self, GuardInput, Verdict};
pub use super::observe::Known;
use super::observe::Observed;
use super::policy::Policy;
use super::reconcile::Finding;
use crate::ads::{Owner, OwnerState};
use crate::ctx::TenantId;
use crate::env::Timestamp;
use crate::error::{Error, Result};

/// What a kill switch covers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KillScope {
    /// One ad account.
    Account(String),
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
            Self::Owner { account_id: account, owner: covered } => account == account_id && covered == owner,
            Self::Tenant => true,
        }
    }

    /// The scope as it is stored: `tenant`, `account:ID`, `owner:ACCOUNT:LEVEL:ID`.
    pub fn key(&self) -> String {
        match self {
            Self::Account(account) => format!("account:{account}"),
            Self::Owner { account_id, owner } => format!("owner:{account_id}:{owner}"),
            Self::Tenant => "tenant".to_owned(),
        }
    }
}

/// What a store loads of an account, inside the transaction.
#[derive(Clone, Debug, Default)]
pub struct AccountView {
    /// The greater of the given time and the latest that the tenant's store has seen.
    pub now: Timestamp,
    /// What the user allows.
    pub limits: Option<AccountLimits>,
    /// The tenant's kill switches that are on.
    pub kills: Vec<KillScope>,
    /// The newest row of the account's history.
    pub head: ChainHead,
    /// The values last known of the account's owners.
    pub known: Known,
    /// The account's changes that are in flight, and those not over that share an owner or an allocation with the
    /// changes in question; by id.
    pub open: Vec<ChangeRow>,
    /// Movements of the campaigns in question that are open or at most as old as the longest window, in the order
    /// of their first writing.
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
    /// The caller's time.
    pub at: Timestamp,
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
        /// What the platform said.
        detail: String,
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
    pub unmoved: Option<(ChangeId, u32)>,
    /// Values now known.
    pub known: Known,
    /// Rows to append to the history.
    pub history: Vec<AuditRow>,
}

/// The answer to a transition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transitioned {
    /// The change as it is now.
    pub row: ChangeRow,
    /// Whether the transition took place; `false` when a fence held it off and nothing was saved.
    pub taken: bool,
}

/// Changes of one account to be queued, with their earliest times.
#[derive(Clone, Debug)]
pub struct QueueBatch {
    /// The caller's time.
    pub at: Timestamp,
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
}

/// What a store loads for a batch.
#[derive(Clone, Debug)]
pub struct QueueView {
    /// The account.
    pub account: AccountView,
    /// Those of the batch that are stored already, over or not.
    pub existing: Vec<ChangeRow>,
}

/// Queues a batch: the rows of all its changes in their order, and what to save.
///
/// # Errors
/// [`InvalidInput`](crate::ErrorKind::InvalidInput) when a currency is not the account's; nothing is queued then.
pub fn queue(tenant: &TenantId, view: QueueView, batch: &QueueBatch) -> Result<(Commit, Vec<ChangeRow>)> {
    let now = view.account.now;
    let mut state = Work::new(tenant, view.account, &batch.policy, batch.actor.as_deref(), &batch.request_id);
    let mut answer = Vec::with_capacity(batch.changes.len());
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
        state.supersede(change);
        let run_at = now.plus(*delay);
        let expires = now.plus(Duration::from_millis(batch.policy.expires_after_ms));
        let row = ChangeRow::queued(change.clone(), now, run_at, expires);
        state.view.open.push(row.clone());
        answer.push(row);
    }
    let queued: Vec<_> = answer
        .iter()
        .map(|r| r.change.id)
        .filter(|id| view.existing.iter().all(|e| e.change.id != *id))
        .collect();
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
    Ok((state.commit, answer))
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
            work.commit.changes.push(row.clone());
            (Some(work.commit), Transitioned { row, taken: true })
        }
        None => (None, Transitioned { row: before, taken: false }),
    }
}

/// One transition in the making.
struct Work<'a> {
    view: AccountView,
    policy: &'a Policy,
    origin: AuditOrigin<'a>,
    commit: Commit,
}

impl<'a> Work<'a> {
    fn new(
        tenant: &'a TenantId,
        view: AccountView,
        policy: &'a Policy,
        actor: Option<&'a str>,
        request_id: &'a str,
    ) -> Self {
        let now = view.now;
        Self {
            view,
            policy,
            origin: AuditOrigin { tenant, actor, request_id, at: now },
            commit: Commit { now, ..Commit::default() },
        }
    }

    /// The row after the transition; `None` when it may not take place.
    fn step(&mut self, row: ChangeRow, transition: &Transition) -> Option<ChangeRow> {
        match &transition.action {
            Action::Abandon => self.abandon(row),
            Action::Begin { attempt, token, live } => {
                self.held(&row, ChangeStatus::Claimed, *attempt, *token).then(|| self.begin(row, live))
            }
            Action::Cancel => row.waiting().then(|| self.block(row, Reason::Cancelled, None, None)),
            Action::Postpone { attempt, after } => self.postpone(row, *attempt, *after),
            Action::Reconcile { attempt, finding, live, detail } => {
                self.reconcile(row, *attempt, *finding, live.as_deref(), detail)
            }
            Action::Refuse { reason, retry_after, detail } => {
                self.may_be_decided(&row).then(|| self.refuse(row, *reason, *retry_after, detail))
            }
            Action::Reserve { live, account, fuzz, token } => {
                self.may_be_decided(&row).then_some(())?;
                let oldest = account.iter().flatten().map(|o| o.read_at).fold(live.read_at, Timestamp::min);
                let age = transition.at.since(oldest);
                self.reserve(row, live, account.as_deref(), *fuzz, *token, age)
            }
            Action::Settle { attempt, token, settlement, took } => {
                // Before the request was sent, it can only be given up.
                let given_up = matches!(settlement, Settlement::Blocked { .. })
                    && self.held(&row, ChangeStatus::Claimed, *attempt, *token);
                let held = given_up || self.held(&row, ChangeStatus::Executing, *attempt, *token);
                held.then(|| self.settle(row, settlement, *took))
            }
            Action::Wake => (row.reason == Some(Reason::KillSwitch) && row.waiting())
                .then(|| self.wait_until(row, self.view.now)),
        }
    }

    fn may_be_decided(&self, row: &ChangeRow) -> bool {
        row.waiting() && row.due_at.is_some_and(|due| due <= self.view.now)
    }

    fn held(&self, row: &ChangeRow, status: ChangeStatus, attempt: u32, token: LeaseToken) -> bool {
        row.status == status && row.attempt == attempt && row.token == Some(token)
    }

    fn reserve(
        &mut self,
        mut row: ChangeRow,
        live: &OwnerState,
        account: Option<&[OwnerState]>,
        fuzz: i64,
        token: LeaseToken,
        snapshot_age: Duration,
    ) -> Option<ChangeRow> {
        self.observe(account.unwrap_or_default().iter().filter(|o| o.owner != live.owner).chain([live]));
        let now = self.view.now;
        let input = GuardInput {
            now,
            snapshot_age,
            killed: self.killed(&row),
            live: live.clone(),
            account: account.map(<[OwnerState]>::to_vec),
            fuzz,
            limits: self.view.limits.clone(),
            open: self.view.open.clone(),
            movements: self.view.movements.clone(),
            row: row.clone(),
        };
        match guard::decide(&input, self.policy) {
            Verdict::Wait => None,
            Verdict::Block { reason, retry_at } => Some(self.block(row, reason, retry_at, None)),
            Verdict::Send { from, value } => {
                let lease_until = now.plus(Duration::from_millis(self.policy.lease_ms));
                row.attempt += 1;
                row.status = ChangeStatus::Claimed;
                row.reason = None;
                row.retry_at = None;
                row.detail = None;
                row.observed_from = Some(from);
                row.sent_value = Some(value);
                row.intent_at = Some(now);
                row.lease_until = Some(lease_until);
                row.token = Some(token);
                row.due_at = Some(lease_until);
                row.updated_at = now;
                let latest = lease_until.plus(Duration::from_millis(self.policy.landing_ms));
                let movement = self.own_movement(&row, latest, true);
                self.commit.movements.push(movement);
                self.record(AuditKind::Intent, &row, None);
                Some(row)
            }
        }
    }

    fn begin(&mut self, mut row: ChangeRow, live: &OwnerState) -> ChangeRow {
        let now = self.view.now;
        let sent_by = now.plus(Duration::from_millis(self.policy.send_timeout_ms));
        self.observe([live]);
        if self.killed(&row) {
            let retry = now.plus(Duration::from_millis(self.policy.kill_switch_retry_ms));
            return self.unsent(row, Reason::KillSwitch, Some(retry));
        }
        if now >= row.expires_at {
            return self.unsent(row, Reason::Expired, None);
        }
        if live.value(row.change.field) != row.observed_from {
            return self.unsent(row, Reason::Drifted, None);
        }
        if row.lease_until.is_none_or(|end| sent_by > end) {
            return self.unsent(row, Reason::NotSent, Some(now));
        }
        row.status = ChangeStatus::Executing;
        row.due_at = row.lease_until.map(|end| end.plus(Duration::from_millis(self.policy.landing_ms)));
        row.updated_at = now;
        row
    }

    fn abandon(&mut self, row: ChangeRow) -> Option<ChangeRow> {
        let over = row.lease_until.is_some_and(|end| end <= self.view.now);
        (row.status == ChangeStatus::Claimed && over)
            .then(|| self.unsent(row, Reason::NotSent, Some(self.view.now)))
    }

    fn settle(&mut self, mut row: ChangeRow, settlement: &Settlement, took: Option<Duration>) -> ChangeRow {
        match settlement {
            Settlement::Applied => self.complete(row, None, None, took),
            Settlement::Ambiguous(detail) => {
                row.reason = Some(Reason::Unknown);
                row.detail = Some(detail.clone());
                row.updated_at = self.view.now;
                row
            }
            Settlement::Blocked { reason, retry_after, detail } => {
                row.detail = Some(detail.clone());
                let retry_at = self.view.now.plus(*retry_after);
                self.no_effect(row, ChangeStatus::Blocked, *reason, Some(retry_at), took)
            }
            Settlement::Rejected(detail) => {
                row.detail = Some(detail.clone());
                self.no_effect(row, ChangeStatus::Failed, Reason::PlatformRejected, None, took)
            }
        }
    }

    /// A change that could not be decided in time is over: nothing will read the platform for it again.
    fn refuse(
        &mut self,
        row: ChangeRow,
        reason: Reason,
        retry_after: Option<Duration>,
        detail: &str,
    ) -> ChangeRow {
        if self.view.now >= row.expires_at {
            return self.block(row, Reason::Expired, None, None);
        }
        let retry_at = retry_after.map(|after| self.view.now.plus(after));
        self.block(row, reason, retry_at, Some(detail.to_owned()))
    }

    fn postpone(&mut self, mut row: ChangeRow, attempt: u32, after: Duration) -> Option<ChangeRow> {
        self.reconcilable(&row, attempt).then(|| {
            row.reason = Some(Reason::Unknown);
            row.due_at = Some(self.view.now.plus(after));
            row.updated_at = self.view.now;
            row
        })
    }

    fn reconcile(
        &mut self,
        mut row: ChangeRow,
        attempt: u32,
        finding: Finding,
        live: Option<&OwnerState>,
        detail: &str,
    ) -> Option<ChangeRow> {
        if !self.reconcilable(&row, attempt) {
            return None;
        }
        let now = self.view.now;
        let row = match finding {
            Finding::Landed => self.complete(row, Some(Reason::Reconciled), Some(detail), None),
            Finding::NotApplied if row.attempt >= self.policy.max_attempts => {
                row.detail = Some(detail.to_owned());
                self.no_effect(row, ChangeStatus::Failed, Reason::AttemptsExhausted, None, None)
            }
            Finding::NotApplied => {
                row.detail = Some(detail.to_owned());
                self.no_effect(row, ChangeStatus::Pending, Reason::NotApplied, Some(now), None)
            }
            // The value may have been ours for a while: the movement stays in the windows.
            Finding::Conflict => {
                row.status = ChangeStatus::Blocked;
                row.reason = Some(Reason::Conflict);
                row.detail = Some(detail.to_owned());
                self.over(&mut row);
                self.moved(&row);
                self.record(AuditKind::Outcome, &row, None);
                self.wake_raises(&row);
                row
            }
        };
        self.observe(live);
        Some(row)
    }

    /// Nothing is decided about a request while it may still land.
    fn reconcilable(&self, row: &ChangeRow, attempt: u32) -> bool {
        let landed = row.lease_until.map(|end| end.plus(Duration::from_millis(self.policy.landing_ms)));
        row.status == ChangeStatus::Executing
            && row.attempt == attempt
            && landed.is_some_and(|latest| latest <= self.view.now)
    }

    fn complete(
        &mut self,
        mut row: ChangeRow,
        reason: Option<Reason>,
        detail: Option<&str>,
        took: Option<Duration>,
    ) -> ChangeRow {
        row.status = ChangeStatus::Completed;
        row.reason = reason;
        row.detail = detail.map(str::to_owned);
        self.over(&mut row);
        self.moved(&row);
        self.record(AuditKind::Outcome, &row, took);
        self.wake_raises(&row);
        row
    }

    /// An intent that will not be sent: its outcome says so.
    fn unsent(&mut self, row: ChangeRow, reason: Reason, retry_at: Option<Timestamp>) -> ChangeRow {
        let status = if reason == Reason::NotSent { ChangeStatus::Pending } else { ChangeStatus::Blocked };
        self.no_effect(row, status, reason, retry_at, None)
    }

    /// The attempt had no effect: its movement is taken back and its outcome written.
    fn no_effect(
        &mut self,
        mut row: ChangeRow,
        status: ChangeStatus,
        reason: Reason,
        retry_at: Option<Timestamp>,
        took: Option<Duration>,
    ) -> ChangeRow {
        let retry_at = retry_at.map(|at| at.max(self.view.now));
        self.commit.unmoved = Some((row.change.id, row.attempt));
        row.status = status;
        row.reason = Some(reason);
        self.over(&mut row);
        row.retry_at = retry_at.filter(|_| status == ChangeStatus::Blocked);
        row.due_at = retry_at.map(|at| self.due(&row, at));
        self.record(AuditKind::Outcome, &row, took);
        if row.is_over() {
            self.wake_raises(&row);
        }
        row
    }

    /// A refusal before any intent. It is written down once, not at every time it is asked again.
    fn block(
        &mut self,
        mut row: ChangeRow,
        reason: Reason,
        retry_at: Option<Timestamp>,
        detail: Option<String>,
    ) -> ChangeRow {
        let known = row.status == ChangeStatus::Blocked && row.reason == Some(reason);
        row.status = ChangeStatus::Blocked;
        row.reason = Some(reason);
        row.detail = detail;
        row.retry_at = retry_at.map(|at| at.max(self.view.now));
        row.due_at = row.retry_at.map(|at| self.due(&row, at));
        row.updated_at = self.view.now;
        if !known {
            self.record(AuditKind::Blocked, &row, None);
        }
        if row.is_over() {
            self.wake_raises(&row);
        }
        row
    }

    /// When a waiting change is looked at: at its time, or when it expires if that is sooner.
    fn due(&self, row: &ChangeRow, at: Timestamp) -> Timestamp {
        if self.view.now < row.expires_at { at.min(row.expires_at) } else { at }
    }

    fn over(&self, row: &mut ChangeRow) {
        row.retry_at = None;
        row.due_at = None;
        row.lease_until = None;
        row.token = None;
        row.updated_at = self.view.now;
    }

    fn wait_until(&self, mut row: ChangeRow, at: Timestamp) -> ChangeRow {
        row.retry_at = row.retry_at.map(|_| at);
        row.due_at = Some(self.due(&row, at));
        row.updated_at = self.view.now;
        row
    }

    /// A newer change of the same field takes the place of those that still wait.
    fn supersede(&mut self, change: &AdChange) {
        let older: Vec<_> = self
            .view
            .open
            .iter()
            .filter(|o| o.waiting() && o.change.owner == change.owner && o.change.field == change.field)
            .cloned()
            .collect();
        for row in older {
            let row = self.block(row, Reason::Superseded, None, None);
            self.view
                .open
                .iter_mut()
                .filter(|o| o.change.id == row.change.id)
                .for_each(|o| o.clone_from(&row));
            self.commit.changes.retain(|c| c.change.id != row.change.id);
            self.commit.changes.push(row);
        }
    }

    /// Raises that were just queued run after the last cut of their allocation.
    fn raises_after_cuts(&mut self, existing: &[ChangeRow], queued: &[ChangeId]) {
        let cuts: Vec<_> = self
            .view
            .open
            .iter()
            .chain(existing)
            .filter(|r| r.change.direction() == Direction::Cut)
            .filter_map(|r| Some((r.change.allocation_id.clone()?, r.run_at)))
            .collect();
        for raise in &mut self.view.open {
            if raise.change.direction() != Direction::Raise
                || !queued.contains(&raise.change.id)
                || raise.status != ChangeStatus::Pending
            {
                continue;
            }
            let last = cuts
                .iter()
                .filter(|(a, _)| raise.change.allocation_id.as_ref() == Some(a))
                .map(|(_, at)| *at)
                .max();
            if let Some(earliest) = last.map(|at| at.plus(Duration::from_millis(1))) {
                raise.run_at = raise.run_at.max(earliest);
                raise.due_at = Some(raise.run_at);
            }
        }
    }

    /// A cut that is over lets the raises of its allocation ask again at once.
    fn wake_raises(&mut self, cut: &ChangeRow) {
        if cut.change.direction() != Direction::Cut || cut.change.allocation_id.is_none() {
            return;
        }
        let woken: Vec<_> = self
            .view
            .open
            .iter()
            .filter(|o| {
                o.reason == Some(Reason::AwaitingCuts)
                    && o.waiting()
                    && o.change.allocation_id == cut.change.allocation_id
            })
            .map(|o| self.wait_until(o.clone(), self.view.now))
            .collect();
        self.commit.changes.extend(woken);
    }

    fn killed(&self, row: &ChangeRow) -> bool {
        self.view.kills.iter().any(|k| k.covers(&row.change.account_id, &row.change.owner))
    }

    /// The movement of an attempt happened, now at the latest.
    fn moved(&mut self, row: &ChangeRow) {
        let movement = self.own_movement(row, self.view.now, false);
        let key = (movement.owner.clone(), movement.field);
        self.view.known.insert(key.clone(), movement.to);
        self.commit.known.insert(key, movement.to);
        self.commit.movements.push(movement);
    }

    fn own_movement(&self, row: &ChangeRow, at: Timestamp, open: bool) -> Movement {
        let change = &row.change;
        Movement {
            owner: change.owner.clone(),
            campaign_id: change.campaign_id.clone(),
            field: change.field,
            from: row.observed_from.unwrap_or(change.expected_from),
            to: row.sent_value.unwrap_or(change.target),
            at,
            own: Some((change.id, row.attempt)),
            open,
        }
    }

    /// Writes down what was read.
    fn observe<'s>(&mut self, states: impl IntoIterator<Item = &'s OwnerState>) {
        let open: Vec<_> = self.view.open.iter().filter(|o| o.in_flight()).collect();
        let observed = Observed::compare(states, &self.view.known, &open, self.view.now);
        self.view.movements.extend(observed.movements.iter().cloned());
        self.view.known.extend(observed.known.clone());
        self.commit.movements.extend(observed.movements);
        self.commit.known.extend(observed.known);
    }

    fn record(&mut self, kind: AuditKind, row: &ChangeRow, took: Option<Duration>) {
        let audit = self.view.head.append(kind, row, took, &self.origin);
        self.commit.history.push(audit);
    }
}
