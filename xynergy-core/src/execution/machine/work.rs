use std::collections::BTreeSet;
use std::time::Duration;

use super::{AccountView, Action, Commit, HumanVerdict, Settlement, Transition, Unmoved};
use crate::ads::{ChangeField, OwnerState, ThrottleScope};
use crate::ctx::TenantId;
use crate::env::Timestamp;
use crate::execution::approval::Approval;
use crate::execution::audit::{AuditKind, AuditOrigin};
use crate::execution::change::{
    AdChange, ChangeId, ChangeRow, ChangeStatus, Direction, LearnedRate, LeaseToken, Movement, Pause, Reason,
};
use crate::execution::guard::{self, GuardInput, Verdict};
use crate::execution::observe::Observed;
use crate::execution::policy::Policy;
use crate::execution::reconcile::Finding;

/// How many times its first length a wait for a platform that cannot be read grows to.
const MOST_BACK_OFF: u32 = 128;

/// One transition in the making.
pub(super) struct Work<'a> {
    pub(super) view: AccountView,
    policy: &'a Policy,
    origin: AuditOrigin<'a>,
    pub(super) commit: Commit,
}

impl<'a> Work<'a> {
    pub(super) fn new(
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
    pub(super) fn step(&mut self, row: ChangeRow, transition: &Transition) -> Option<ChangeRow> {
        match &transition.action {
            Action::Abandon => self.abandon(row),
            Action::Begin { attempt, token, live } => {
                let age = transition.at.now.since(live.read_at);
                let read_at = self.view.asked_at.minus(age);
                self.held(&row, ChangeStatus::Claimed, *attempt, *token)
                    .then(|| self.begin(row, live, read_at))
            }
            Action::Cancel => row.waiting().then(|| self.cancel(row)),
            Action::Late { attempt, detail } => self.late(row, *attempt, detail),
            Action::Postpone { attempt, after } => self.postpone(row, *attempt, *after),
            Action::Reconcile { attempt, finding, live, detail } => {
                let read = live
                    .as_deref()
                    .map(|l| (l, self.view.asked_at.minus(transition.at.now.since(l.read_at))));
                self.reconcile(row, *attempt, *finding, read, detail)
            }
            Action::Refuse { reason, retry_after, detail } => {
                self.may_be_decided(&row).then(|| self.refuse(row, *reason, *retry_after, detail.as_deref()))
            }
            Action::Reserve { live, account, fuzz, token } => {
                self.may_be_decided(&row).then_some(())?;
                let oldest = account.iter().flatten().map(|o| o.read_at).fold(live.read_at, Timestamp::min);
                let age = transition.at.now.since(oldest);
                self.reserve(row, live, account.as_deref(), *fuzz, *token, age)
            }
            Action::Resolve { verdict, note } => self.resolve(row, *verdict, note),
            Action::Retry { delay } => self.retry(row, *delay),
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
        let now = self.view.now;
        // An edit of the very value is told by the guard, with whatever else speaks against the change.
        let as_expected = live.value(row.change.field) == Some(row.change.expected_from);
        let read_at = self.view.asked_at.minus(snapshot_age);
        if self.yield_to_edits(live, &row, read_at) && as_expected {
            return Some(self.block(row, Reason::Edited, None, None));
        }
        let input = GuardInput {
            now,
            snapshot_age,
            read_at,
            killed: self.killed(&row),
            pauses: self.view.pauses.clone(),
            recent: self.view.recent,
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

    fn begin(&mut self, mut row: ChangeRow, live: &OwnerState, read_at: Timestamp) -> ChangeRow {
        let now = self.view.now;
        let sent_by = now.plus(Duration::from_millis(self.policy.send_timeout_ms));
        let edited = self.yield_to_edits(live, &row, read_at);
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
        if edited {
            return self.unsent(row, Reason::Edited, None);
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
            Settlement::Blocked { reason, retry_after, detail, pause } => {
                row.detail = Some(detail.clone());
                let retry_at = self.view.now.plus(*retry_after);
                if let Some(scope) = pause {
                    self.pause(&row, *scope, *reason, retry_at);
                }
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
        detail: Option<&str>,
    ) -> ChangeRow {
        if self.view.now >= row.expires_at {
            return self.block(row, Reason::Expired, None, None);
        }
        let again = reason == Reason::Unreachable && row.reason == Some(reason);
        let retry_after = retry_after.map(|after| if again { self.longer(&row, after) } else { after });
        let retry_at = retry_after.map(|after| self.view.now.plus(after));
        let asked = detail.is_some();
        if let (Reason::Throttled | Reason::Unauthorized, Some(until), true) = (reason, retry_at, asked) {
            self.pause(&row, ThrottleScope::Account, reason, until);
        }
        self.block(row, reason, retry_at, detail.map(str::to_owned))
    }

    /// The platform wants the account or the owner left alone. A refusal of a write also teaches how many changes it
    /// takes: those that it took in the window.
    fn pause(&mut self, row: &ChangeRow, scope: ThrottleScope, reason: Reason, until: Timestamp) {
        let now = self.view.now;
        let taken = match scope {
            ThrottleScope::Account => self.view.recent.count,
            ThrottleScope::Owner => {
                let window = Duration::from_millis(self.policy.rate_window_ms);
                let of_owner = self.view.movements.iter().filter(|m| {
                    m.owner == row.change.owner
                        && m.field == ChangeField::Budget
                        && (m.open || m.at > now.minus(window))
                });
                u32::try_from(of_owner.count()).unwrap_or(u32::MAX)
            }
        };
        // The refused one is among them.
        let changes = taken.saturating_sub(1);
        let refused_a_write = row.in_flight() && reason == Reason::Throttled && changes > 0;
        let learned = refused_a_write.then(|| LearnedRate {
            changes,
            until: now.plus(Duration::from_millis(self.policy.learned_limit_ms)),
        });
        let owner = (scope == ThrottleScope::Owner).then(|| row.change.owner.clone());
        let known = self.view.pauses.iter().find(|p| p.owner == owner);
        let learned = learned.or(known.and_then(|p| p.learned));
        self.commit.pauses.push(Pause { owner, until, reason, learned });
    }

    /// Twice the wait that was in vain, so that a platform that is away for long costs few readings.
    fn longer(&self, row: &ChangeRow, least: Duration) -> Duration {
        let waited = row.due_at.map_or(Duration::ZERO, |due| due.since(row.updated_at));
        let most = Duration::from_millis(self.policy.unreachable_retry_ms).saturating_mul(MOST_BACK_OFF);
        waited.saturating_mul(2).min(most).max(least)
    }

    fn postpone(&mut self, mut row: ChangeRow, attempt: u32, after: Duration) -> Option<ChangeRow> {
        self.reconcilable(&row, attempt).then(|| {
            // It was postponed before if it moved when it could already be told.
            let again = self.cannot_land(&row, row.updated_at);
            let after = if again { self.longer(&row, after) } else { after };
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
        read: Option<(&OwnerState, Timestamp)>,
        detail: &str,
    ) -> Option<ChangeRow> {
        if !self.reconcilable(&row, attempt) {
            return None;
        }
        let now = self.view.now;
        let row = match finding {
            Finding::Landed => self.complete(row, Some(Reason::Reconciled), Some(detail), None),
            Finding::NotApplied if self.attempts(&row) >= self.policy.max_attempts => {
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
        if let Some((live, read_at)) = read {
            self.yield_to_edits(live, &row, read_at);
        }
        Some(row)
    }

    /// The attempts that count towards the limit of lost ones.
    fn attempts(&self, row: &ChangeRow) -> u32 {
        row.attempt.saturating_sub(row.attempts_forgiven)
    }

    /// Withdraws a change, and with a step of a ramp those after it.
    fn cancel(&mut self, row: ChangeRow) -> ChangeRow {
        if let Some(ramp) = row.change.ramp {
            let later = |o: &ChangeRow| {
                o.waiting() && o.change.ramp.is_some_and(|r| r.id == ramp.id && r.step > ramp.step)
            };
            self.block_others(later, Reason::Cancelled);
        }
        self.block(row, Reason::Cancelled, None, None)
    }

    /// A person's word where reading could not tell.
    fn resolve(&mut self, mut row: ChangeRow, verdict: HumanVerdict, note: &str) -> Option<ChangeRow> {
        let unknown = row.status == ChangeStatus::Executing && self.cannot_land(&row, self.view.now);
        if !unknown && row.reason != Some(Reason::Conflict) {
            return None;
        }
        row.detail = Some(note.to_owned());
        if unknown {
            return Some(match verdict {
                HumanVerdict::Applied => self.complete(row, Some(Reason::Resolved), Some(note), None),
                HumanVerdict::NotApplied => {
                    self.no_effect(row, ChangeStatus::Failed, Reason::NotApplied, None, None)
                }
            });
        }
        // The attempt has its outcome, a conflict, and its movement has counted since.
        match verdict {
            HumanVerdict::Applied => {
                row.status = ChangeStatus::Completed;
                row.reason = Some(Reason::Resolved);
            }
            HumanVerdict::NotApplied => {
                row.status = ChangeStatus::Failed;
                row.reason = Some(Reason::NotApplied);
                self.unmove(&row, true);
            }
        }
        row.updated_at = self.view.now;
        self.record(AuditKind::Resolved, &row, None);
        Some(row)
    }

    /// Sends a change again whose last request had no effect, unless its time is over or a newer one took its place.
    fn retry(&mut self, mut row: ChangeRow, delay: Duration) -> Option<ChangeRow> {
        let now = self.view.now;
        let newer = |o: &ChangeRow| {
            !o.is_over()
                && o.change.owner == row.change.owner
                && o.change.field == row.change.field
                && (o.queued_at, o.change.id) > (row.queued_at, row.change.id)
        };
        if !row.not_applied() || now >= row.expires_at || self.view.open.iter().any(newer) {
            return None;
        }
        row.attempts_forgiven = row.attempt;
        row.status = ChangeStatus::Pending;
        row.reason = None;
        row.run_at = now.plus(delay);
        row.due_at = Some(self.due(&row, row.run_at));
        row.updated_at = now;
        self.record(AuditKind::Retried, &row, None);
        Some(row)
    }

    /// An attempt that was judged not applied took effect after all: the movement counts from now on, and what was not
    /// sent again is done.
    fn late(&mut self, mut row: ChangeRow, attempt: u32, detail: &str) -> Option<ChangeRow> {
        if attempt == 0 || attempt > row.attempt || (attempt == row.attempt && row.in_flight()) {
            return None;
        }
        let own = Some((row.change.id, attempt));
        if self.view.movements.iter().any(|m| m.own == own) {
            return None;
        }
        let mut movement = self.own_movement(&row, self.view.now, false);
        movement.own = own;
        self.commit.movements.push(movement);
        row.detail = Some(detail.to_owned());
        if !row.in_flight() && row.status != ChangeStatus::Completed {
            row.status = ChangeStatus::Completed;
            row.reason = Some(Reason::LandedLate);
            self.over(&mut row);
            self.wake_raises(&row);
        }
        row.updated_at = self.view.now;
        let told = ChangeRow { attempt, ..row.clone() };
        self.record(AuditKind::Late, &told, None);
        Some(row)
    }

    /// Nothing is decided about a request while it may still land.
    fn reconcilable(&self, row: &ChangeRow, attempt: u32) -> bool {
        row.status == ChangeStatus::Executing
            && row.attempt == attempt
            && self.cannot_land(row, self.view.now)
    }

    fn cannot_land(&self, row: &ChangeRow, by: Timestamp) -> bool {
        row.cannot_land(self.policy, by)
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
        let was_sent = row.status == ChangeStatus::Executing && took.is_none();
        self.unmove(&row, was_sent);
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

    /// Takes the movement of the last attempt back; one whose request may have been on its way is watched.
    fn unmove(&mut self, row: &ChangeRow, was_sent: bool) {
        let watch = row.intent_at.filter(|_| was_sent);
        self.commit.unmoved = Some(Unmoved { change_id: row.change.id, attempt: row.attempt, watch });
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

    /// A change that was just queued and waits for a person: until it expires, nothing has to be done about it.
    pub(super) fn hold_for_approval(&mut self, mut row: ChangeRow, digest: &str) -> ChangeRow {
        row.approval = Some(Approval::awaited(digest));
        let until = row.expires_at;
        self.block(row, Reason::AwaitingApproval, Some(until), Some(plan_of(digest)))
    }

    /// The row of a change that waits under the digest, released; `None` for one that does not wait.
    pub(super) fn approve(&mut self, mut row: ChangeRow, digest: &str) -> Option<ChangeRow> {
        let now = self.view.now;
        let waits = row.waiting() && row.needs_approval() && now < row.expires_at;
        if !waits || row.approval.as_ref().is_none_or(|approval| approval.digest != digest) {
            return None;
        }
        row.approval = Some(Approval {
            approved_by: self.origin.actor.map(str::to_owned),
            approved_at: Some(now),
            ..Approval::awaited(digest)
        });
        row.status = ChangeStatus::Pending;
        row.reason = None;
        row.retry_at = None;
        row.detail = Some(plan_of(digest));
        // The jitter counts from here, or all would run at once; raises stay behind their cuts.
        row.run_at = now.plus(row.run_at.since(row.queued_at));
        row.due_at = Some(self.due(&row, row.run_at));
        row.updated_at = now;
        self.record(AuditKind::Approved, &row, None);
        Some(row)
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

    /// A value that was never read is the one that the decision was made on: what differs later is somebody's edit.
    pub(super) fn take_as_known(&mut self, change: &AdChange) {
        let key = (change.owner.clone(), change.field);
        if !self.view.known.contains_key(&key) {
            self.view.known.insert(key.clone(), change.expected_from);
            self.commit.known.insert(key, change.expected_from);
        }
    }

    /// A newer change of the same field takes the place of those that still wait.
    pub(super) fn supersede(&mut self, change: &AdChange) {
        let same =
            |o: &ChangeRow| o.waiting() && o.change.owner == change.owner && o.change.field == change.field;
        self.block_others(same, Reason::Superseded);
    }

    /// Ends other changes that wait.
    fn block_others(&mut self, which: impl Fn(&ChangeRow) -> bool, reason: Reason) {
        let ended: Vec<_> = self.view.open.iter().filter(|o| which(o)).cloned().collect();
        for row in ended {
            let row = self.block(row, reason, None, None);
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
    pub(super) fn raises_after_cuts(&mut self, existing: &[ChangeRow], queued: &BTreeSet<ChangeId>) {
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
                || !raise.waiting()
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
                if raise.status == ChangeStatus::Pending {
                    raise.due_at = Some(raise.run_at);
                }
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

    /// Writes down what was read of an owner. What somebody else edited meanwhile ends the changes of that owner that
    /// wait, but for those that were decided on the edited value; whether it ends this one too is the answer.
    fn yield_to_edits(&mut self, live: &OwnerState, row: &ChangeRow, read_at: Timestamp) -> bool {
        // A reading this old may miss settlements that have left the windows.
        if self.view.asked_at.since(read_at) > Duration::from_millis(self.policy.snapshot_max_age_ms) {
            return false;
        }
        // What another worker settled since is not in the reading, and nobody's edit.
        let settled = |m: &Movement| m.own.is_some() && !m.open && m.at > read_at && m.owner == live.owner;
        let own = Some((row.change.id, row.attempt));
        if self.view.movements.iter().any(|m| m.own != own && settled(m)) {
            return false;
        }
        let edits = self.observe(live);
        if edits.is_empty() {
            return false;
        }
        let superseded_by_edit = |o: &ChangeRow| {
            o.change.owner == live.owner
                && edits.iter().any(|(field, now)| o.change.field != *field || o.change.expected_from != *now)
        };
        self.block_others(|o| o.waiting() && superseded_by_edit(o), Reason::Edited);
        superseded_by_edit(row)
    }

    /// The fields that somebody else edited, with their values now.
    fn observe(&mut self, live: &OwnerState) -> Vec<(ChangeField, i64)> {
        let open: Vec<_> = self.view.open.iter().filter(|o| o.in_flight()).collect();
        let observed = Observed::compare([live], &self.view.known, &open, self.view.now);
        let edits = observed.movements.iter().map(|m| (m.field, m.to)).collect();
        self.view.movements.extend(observed.movements.iter().cloned());
        self.view.known.extend(observed.known.clone());
        self.commit.movements.extend(observed.movements);
        self.commit.known.extend(observed.known);
        edits
    }

    fn record(&mut self, kind: AuditKind, row: &ChangeRow, took: Option<Duration>) {
        let audit = self.view.head.append(kind, row, took, &self.origin);
        self.commit.history.push(audit);
    }
}

/// How a row names the plan that it belongs to.
fn plan_of(digest: &str) -> String {
    format!("plan {digest}")
}
