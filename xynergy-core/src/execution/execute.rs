use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::approval::{is_digest, plan_digest};
use super::attempt::{Parts, announce, announce_kill};
use super::audit::{AuditReport, AuditRow, ChainVerifier};
use super::change::{AccountLimits, AdChange, ChangeId, ChangeRow, ChangeStatus, Reason};
use super::draw::DrawKey;
use super::late;
use super::machine::{Action, ApprovalRequest, CallTime, HumanVerdict, KillScope, QueueBatch};
use super::metrics::ExecutionMetrics;
use super::policy::Policy;
use super::ramp::ramp;
use super::roles::{Role, Roles};
use crate::ads::AdPlatform;
use crate::ctx::{Ctx, TenantId};
use crate::env::{EventType, Timestamp};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Backlog, ChangeFilter, ChangeStore, HistoryFilter};

const PAGE: usize = 1_000;

/// Applies queued changes through the guards.
///
/// One step of a change reads the platform, decides and writes the intent in one transaction of the store, reads
/// again, sends one absolute value once, and settles. It never sleeps and starts nothing by itself: the host calls
/// [`run_once`](Self::run_once) until nothing is due, and again at [`next_due`](Self::next_due). Several workers may
/// share a store. Clones share the executor.
#[derive(Clone, Debug)]
pub struct Executor {
    parts: Arc<Parts>,
    running: Arc<watch::Sender<usize>>,
}

/// What one step did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// The change afterwards.
    pub row: ChangeRow,
    /// Whether it moved; `false` when another worker was first.
    pub moved: bool,
}

/// What an on-demand reconciliation found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reconciled {
    /// Unknown requests that got their verdict.
    pub settled: u64,
    /// Those that are still unknown: they may still land, or the platform could not be read.
    pub unknown: u64,
    /// Requests that had been judged not applied and were found to have landed late.
    pub late: u64,
}

impl Step {
    /// The platform's value before, as observed, once an intent was written.
    pub fn before(&self) -> Option<i64> {
        self.row.observed_from
    }

    /// The platform's value after, if the change is completed.
    pub fn after(&self) -> Option<i64> {
        self.row.sent_value.filter(|_| self.row.status == ChangeStatus::Completed)
    }
}

impl Executor {
    /// An executor.
    ///
    /// # Errors
    /// [`ConfigInvalid`](ErrorKind::ConfigInvalid) when the policy's figures cannot hold together.
    pub fn new(
        store: Arc<dyn ChangeStore>,
        platform: Arc<dyn AdPlatform>,
        policy: Policy,
        key: DrawKey,
    ) -> Result<Self> {
        policy.validate()?;
        let roles = Roles::default();
        let parts = Parts { store, platform, policy, key, require_approval: false, roles, metrics: None };
        Ok(Self { parts: Arc::new(parts), running: Arc::new(watch::Sender::new(0)) })
    }

    /// The same executor, whose changes wait for an [`approve`](Self::approve) when `required`. What a change needs is
    /// fixed when it is queued: those that wait already go on waiting, and those that were free stay so.
    #[must_use]
    pub fn with_approval(self, required: bool) -> Self {
        let parts = Parts { require_approval: required, ..(*self.parts).clone() };
        Self { parts: Arc::new(parts), running: self.running }
    }

    /// The same executor, which asks for these roles before an approval, a verdict, a retry, and before a kill switch is
    /// switched off. Switching one on is always allowed.
    #[must_use]
    pub fn with_roles(self, roles: Roles) -> Self {
        let parts = Parts { roles, ..(*self.parts).clone() };
        Self { parts: Arc::new(parts), running: self.running }
    }

    /// The same executor, which counts here what it does.
    #[must_use]
    pub fn with_metrics(self, metrics: ExecutionMetrics) -> Self {
        let parts = Parts { metrics: Some(metrics), ..(*self.parts).clone() };
        Self { parts: Arc::new(parts), running: self.running }
    }

    /// The figures that it guards with.
    pub fn policy(&self) -> &Policy {
        &self.parts.policy
    }

    /// Stores changes to be applied after their jitter, and returns their rows in the same order.
    ///
    /// A change whose id is stored already is left as it is, whatever became of it, so that a resumed run may queue
    /// everything again. A newer change of the same field takes the place of one that waits. Raises of an
    /// allocation run after its last cut. Changes of one account are stored all or none.
    ///
    /// Where an approval is required, they wait under the digest of all of them together, as
    /// [`plan_digest`](super::plan_digest) makes it.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the field; nothing is stored then.
    pub async fn queue(&self, ctx: &Ctx, changes: Vec<AdChange>) -> Result<Vec<ChangeRow>> {
        self.queue_apart(ctx, changes.into_iter().map(|change| (change, Duration::ZERO)).collect()).await
    }

    /// Like [`queue`](Self::queue), with each change whose target is further away than one window allows as the steps of
    /// a [`ramp`](super::ramp) over the coming windows. A step waits for those before it; a newer change of the same field
    /// takes the place of all that still wait, and cancelling one cancels those after it.
    ///
    /// # Errors
    /// Those of [`queue`](Self::queue) and of [`ramp`](super::ramp()); nothing is stored then.
    pub async fn queue_ramped(&self, ctx: &Ctx, changes: Vec<AdChange>) -> Result<Vec<ChangeRow>> {
        self.queue_apart(ctx, self.ramped(ctx, &changes)?).await
    }

    /// The changes as [`queue_ramped`](Self::queue_ramped) would queue them.
    ///
    /// # Errors
    /// Those of [`ramp`](super::ramp()).
    pub fn ramped(&self, ctx: &Ctx, changes: &[AdChange]) -> Result<Vec<(AdChange, Duration)>> {
        let now = ctx.env.clock.now();
        let steps = changes.iter().map(|change| ramp(change, &self.parts.policy, now));
        Ok(steps.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
    }

    async fn queue_apart(&self, ctx: &Ctx, steps: Vec<(AdChange, Duration)>) -> Result<Vec<ChangeRow>> {
        let (changes, apart): (Vec<_>, Vec<_>) = steps.into_iter().unzip();
        changes.iter().try_for_each(AdChange::validate)?;
        let plan_digest = self.parts.require_approval.then(|| plan_digest(&changes)).transpose()?;
        let mut accounts: BTreeMap<String, Vec<(AdChange, Duration)>> = BTreeMap::new();
        let order: Vec<_> = changes.iter().map(|c| c.id).collect();
        for (change, apart) in changes.into_iter().zip(apart) {
            let delay = apart + self.parts.key.jitter(change.id, &self.parts.policy);
            accounts.entry(change.account_id.clone()).or_default().push((change, delay));
        }
        let mut rows = BTreeMap::new();
        for (account_id, changes) in accounts {
            let batch = QueueBatch {
                at: CallTime::of(&*ctx.env.clock),
                policy: self.parts.policy,
                actor: ctx.actor.as_deref().map(str::to_owned),
                request_id: ctx.request_id.to_string(),
                account_id,
                changes,
                plan_digest: plan_digest.clone(),
            };
            let queued = self.parts.store.queue(&ctx.tenant, batch).await?;
            // A change that is given twice is told once.
            let mut stored = queued.stored;
            for row in queued.rows.iter().filter(|row| stored.remove(&row.change.id)) {
                announce(ctx, row, EventType::CHANGE_QUEUED);
            }
            queued.superseded.iter().for_each(|row| announce(ctx, row, EventType::CHANGE_BLOCKED));
            rows.extend(queued.rows.into_iter().map(|row| (row.change.id, row)));
        }
        Ok(order.iter().filter_map(|id| rows.get(id).cloned()).collect())
    }

    /// Approves what waits under a digest: exactly the changes that were queued under it, as they were queued, in one
    /// transaction. They run after their jitter, which begins anew; they expire when they would have expired. The history
    /// names the context's actor as the one who approved.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) without an actor and for a text that is no digest;
    /// [`Unauthorized`](ErrorKind::Unauthorized) for an actor without the role;
    /// [`NotFound`](ErrorKind::NotFound) when nothing waits under it, as after an approval that was given already.
    pub async fn approve(&self, ctx: &Ctx, digest: &str) -> Result<Vec<ChangeRow>> {
        const OPERATION: &str = "execution.approve";
        let actor = self.parts.roles.require(ctx, Role::Approver, OPERATION)?;
        if !is_digest(digest) {
            return Err(Error::invalid(
                OPERATION,
                "digest: give the 64 hex digits of a plan, or of the approval that a change waits for",
            ));
        }
        let request = ApprovalRequest {
            at: CallTime::of(&*ctx.env.clock),
            policy: self.parts.policy,
            actor: actor.to_owned(),
            request_id: ctx.request_id.to_string(),
            digest: digest.to_owned(),
        };
        let released = self.parts.store.approve(&ctx.tenant, request).await?;
        released.iter().for_each(|row| announce(ctx, row, EventType::CHANGE_APPROVED));
        Ok(released)
    }

    /// Does the most urgent thing that is due, by due time and then id; `None` when nothing is.
    ///
    /// Cancel safety: the step runs in a task of its own, so that dropping this future tears no send;
    /// [`drain`](Self::drain) waits for it.
    ///
    /// # Errors
    /// Those of the store. A failing platform is no error: the change says what became of it.
    pub async fn run_once(&self, ctx: &Ctx) -> Result<Option<Step>> {
        let picked = self.pick(ctx, 1).await?;
        match picked.into_iter().next() {
            Some(row) => self.advance(ctx, row).await.map(Some),
            None => Ok(None),
        }
    }

    /// Takes what is due to [`advance`](Self::advance) it: at most `limit` changes, one of each owner, hidden from other
    /// workers for the length of a lease.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn pick(&self, ctx: &Ctx, limit: usize) -> Result<Vec<ChangeRow>> {
        let hold = Duration::from_millis(self.parts.policy.lease_ms);
        let picked = self.parts.store.pick(&ctx.tenant, CallTime::of(&*ctx.env.clock), hold, limit).await;
        if let Some(metrics) = &self.parts.metrics {
            metrics.stored(&picked);
        }
        picked
    }

    /// Does what is due for a change.
    ///
    /// Cancel safety: as [`run_once`](Self::run_once).
    ///
    /// # Errors
    /// Those of the store.
    pub async fn advance(&self, ctx: &Ctx, row: ChangeRow) -> Result<Step> {
        let (parts, ctx) = (Arc::clone(&self.parts), ctx.clone());
        self.detached(async move { parts.advance(&ctx, row).await }).await
    }

    /// Finds out what became of every request that is unknown and can land no more, and whether one that was judged not
    /// applied landed late.
    ///
    /// # Errors
    /// Those of the store. A platform that cannot be read is no error: what it would tell stays unknown.
    pub async fn reconcile(&self, ctx: &Ctx) -> Result<Reconciled> {
        let executing = ChangeFilter { status: Some(ChangeStatus::Executing), ..ChangeFilter::default() };
        let mut reconciled = Reconciled::default();
        for row in self.parts.store.list(&ctx.tenant, &executing).await? {
            let rules = self
                .parts
                .store
                .rules(&ctx.tenant, &row.change.account_id, CallTime::of(&*ctx.env.clock))
                .await?;
            if !row.cannot_land(&self.parts.policy, rules.now) {
                reconciled.unknown += 1;
                continue;
            }
            let step = self.advance(ctx, row).await?;
            if step.row.in_flight() {
                reconciled.unknown += 1;
            } else {
                reconciled.settled += 1;
            }
        }
        let parts = Arc::clone(&self.parts);
        reconciled.late = late::search(&parts, ctx).await?;
        if let Some(metrics) = &self.parts.metrics {
            metrics.landed_late(reconciled.late);
        }
        Ok(reconciled)
    }

    /// Sends a change again whose last request had no effect: one that failed by the platform's or a person's word, or
    /// whose requests were lost too often. It carries the same value, and waits for its jitter.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) for an unknown id; [`Conflict`](ErrorKind::Conflict) for a change without such a
    /// verdict, one that has expired, and one that a newer change of the same field took the place of;
    /// [`Unauthorized`](ErrorKind::Unauthorized) for an actor without the role.
    pub async fn retry(&self, ctx: &Ctx, id: ChangeId) -> Result<ChangeRow> {
        const OPERATION: &str = "execution.retry";
        self.parts.roles.require(ctx, Role::Operator, OPERATION)?;
        let delay = self.parts.key.jitter(id, &self.parts.policy);
        let step = self.parts.transition(ctx, id, Action::Retry { delay }).await?;
        if step.moved {
            return Ok(step.row);
        }
        Err(refused(
            OPERATION,
            &step.row,
            "only a failed change whose last request had no effect, that has not expired and that no newer change of \
             the same field replaced, can be sent again: queue a new one",
        ))
    }

    /// Says what became of a request that reading the platform could not tell. The note tells how it is known, and is
    /// kept in the history with the actor.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) for an unknown id; [`Conflict`](ErrorKind::Conflict) for a change that waits for
    /// no verdict; [`InvalidInput`](ErrorKind::InvalidInput) without an actor or a note;
    /// [`Unauthorized`](ErrorKind::Unauthorized) for an actor without the role.
    pub async fn resolve(
        &self,
        ctx: &Ctx,
        id: ChangeId,
        verdict: HumanVerdict,
        note: &str,
    ) -> Result<ChangeRow> {
        const OPERATION: &str = "execution.resolve";
        self.parts.roles.require(ctx, Role::Operator, OPERATION)?;
        let note = note.trim();
        if note.is_empty() || note.chars().count() > 300 {
            return Err(Error::invalid(
                OPERATION,
                "note: say in 1 to 300 characters how the verdict is known",
            ));
        }
        let step = self.parts.transition(ctx, id, Action::Resolve { verdict, note: note.to_owned() }).await?;
        if step.moved {
            return Ok(step.row);
        }
        Err(refused(
            OPERATION,
            &step.row,
            "it waits for no verdict: only a conflict does, or a request that is unknown and can land no more",
        ))
    }

    /// Waits until no step is under way. Call it before the runtime ends.
    pub async fn drain(&self) {
        // The sender lives as long as this executor, so that the wait cannot fail.
        let _ = self.running.subscribe().wait_for(|running| *running == 0).await;
    }

    /// When something is due next; it may be past.
    pub async fn next_due(&self, ctx: &Ctx) -> Result<Option<Timestamp>> {
        self.parts.store.next_due(&ctx.tenant).await
    }

    /// A change.
    pub async fn get(&self, ctx: &Ctx, id: ChangeId) -> Result<Option<ChangeRow>> {
        self.parts.store.get(&ctx.tenant, id).await
    }

    /// The changes that match, by the time of queueing and then id.
    pub async fn list(&self, ctx: &Ctx, filter: &ChangeFilter) -> Result<Vec<ChangeRow>> {
        self.parts.store.list(&ctx.tenant, filter).await
    }

    /// Rows of an account's history, in order.
    pub async fn history(
        &self,
        ctx: &Ctx,
        account_id: &str,
        filter: &HistoryFilter,
    ) -> Result<Vec<AuditRow>> {
        self.parts.store.history(&ctx.tenant, account_id, filter).await
    }

    /// Withdraws a change that is not in flight; `moved` tells whether it could be.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) for an unknown id.
    pub async fn cancel(&self, ctx: &Ctx, id: ChangeId) -> Result<Step> {
        self.parts.transition(ctx, id, Action::Cancel).await
    }

    /// Sets what the user allows in an account.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) when the limits contradict themselves.
    pub async fn set_limits(&self, ctx: &Ctx, account_id: &str, limits: &AccountLimits) -> Result<()> {
        limits.validate()?;
        self.parts.store.set_limits(&ctx.tenant, account_id, limits).await
    }

    /// Switches a kill switch. While it is on, nothing that it covers is sent; at most one request of each owner that
    /// was already under way may still land. Switching it off makes what it held back due at once.
    ///
    /// # Errors
    /// [`Unauthorized`](ErrorKind::Unauthorized) when an actor without the role switches one off, and when the global one
    /// is switched for another tenant than the default one.
    pub async fn kill(&self, ctx: &Ctx, scope: &KillScope, on: bool) -> Result<()> {
        const OPERATION: &str = "execution.kill";
        if *scope == KillScope::Global && ctx.tenant != TenantId::default() {
            return Err(Error::new(
                ErrorKind::Unauthorized,
                OPERATION,
                "scope: the global switch is every tenant's: only the default tenant may switch it",
            ));
        }
        if !on && !self.parts.roles.is_empty() {
            self.parts.roles.require(ctx, Role::Operator, OPERATION)?;
        }
        self.parts.store.set_kill(&ctx.tenant, scope, on).await?;
        announce_kill(ctx, scope, on);
        if on {
            return Ok(());
        }
        if *scope == KillScope::Global {
            for tenant in self.parts.store.tenants().await? {
                self.wake(&Ctx { tenant, ..ctx.clone() }, scope).await?;
            }
            return Ok(());
        }
        self.wake(ctx, scope).await
    }

    /// What a switch held back is due at once.
    async fn wake(&self, ctx: &Ctx, scope: &KillScope) -> Result<()> {
        let blocked = ChangeFilter {
            status: Some(ChangeStatus::Blocked),
            reason: Some(Reason::KillSwitch),
            ..ChangeFilter::default()
        };
        for row in self.parts.store.list(&ctx.tenant, &blocked).await? {
            if row.waiting() && scope.covers(&row.change.account_id, &row.change.owner) {
                let wake = self.parts.request(ctx, Action::Wake);
                self.parts.store.transition(&ctx.tenant, row.change.id, wake).await?;
            }
        }
        Ok(())
    }

    /// What is still to be done.
    pub async fn backlog(&self, ctx: &Ctx) -> Result<Backlog> {
        self.parts.store.backlog(&ctx.tenant).await
    }

    /// The kill switches that are on, in the order of their scopes.
    pub async fn kills(&self, ctx: &Ctx) -> Result<Vec<KillScope>> {
        self.parts.store.kills(&ctx.tenant).await
    }

    /// Reads the tenant's whole history and verifies it.
    pub async fn verify_audit(&self, ctx: &Ctx) -> Result<AuditReport> {
        let mut whole = AuditReport { chain_ok: true, ..AuditReport::default() };
        for (account_id, head) in self.parts.store.heads(&ctx.tenant).await? {
            let mut verifier = ChainVerifier::default();
            let mut filter = HistoryFilter { change_id: None, after_seq: 0, limit: PAGE };
            loop {
                let rows = self.parts.store.history(&ctx.tenant, &account_id, &filter).await?;
                // Rows that were appended since the head was read are verified next time.
                rows.iter().filter(|r| r.seq <= head.seq).for_each(|r| verifier.push(r));
                match rows.last() {
                    Some(last) if last.seq < head.seq && last.seq > filter.after_seq => {
                        filter.after_seq = last.seq;
                    }
                    _ => break,
                }
            }
            let report = verifier.finish(&account_id, &head);
            whole.rows += report.rows;
            whole.chain_ok &= report.chain_ok;
            whole.open_intents += report.open_intents;
            whole.first_bad = whole.first_bad.or(report.first_bad);
        }
        Ok(whole)
    }

    /// The parts that the dry run shares.
    pub(super) fn dry(&self) -> (&dyn ChangeStore, &dyn AdPlatform, &Policy, &DrawKey) {
        let parts = &*self.parts;
        (&*parts.store, &*parts.platform, &parts.policy, &parts.key)
    }

    async fn detached(&self, work: impl Future<Output = Result<Step>> + Send + 'static) -> Result<Step> {
        let running = Running::start(&self.running);
        let task = tokio::spawn(async move {
            let _running = running;
            work.await
        });
        task.await.unwrap_or_else(|_| {
            Err(Error::new(
                ErrorKind::Unexpected,
                "execution.run_once",
                "the step was broken off: what became of it is found out when its lease is over",
            ))
        })
    }
}

/// The change is not where the call expects it.
fn refused(operation: &'static str, row: &ChangeRow, message: &'static str) -> Error {
    let reason = row.reason.map_or("", Reason::as_str);
    Error::new(ErrorKind::Conflict, operation, message)
        .with_context("change_id", row.change.id.to_string())
        .with_context("status", row.status.as_str())
        .with_context("reason", reason)
}

/// Counts one step as under way.
struct Running(Arc<watch::Sender<usize>>);

impl Running {
    fn start(count: &Arc<watch::Sender<usize>>) -> Self {
        count.send_modify(|n| *n += 1);
        Self(Arc::clone(count))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_modify(|n| *n -= 1);
    }
}
