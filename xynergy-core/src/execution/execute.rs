use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::approval::{is_digest, plan_digest};
use super::audit::{AuditReport, AuditRow, ChainVerifier};
use super::change::{
    AccountLimits, AdChange, ChangeId, ChangeRow, ChangeStatus, Direction, LeaseToken, Reason,
};
use super::draw::DrawKey;
use super::machine::{Action, ApprovalRequest, KillScope, QueueBatch, Settlement, Transition, Transitioned};
use super::policy::Policy;
use super::reconcile;
use crate::ads::{AdPlatform, AdWrite, OwnerState, WriteClass, WriteFailure};
use crate::ctx::Ctx;
use crate::env::{Event, EventMetadata, Timestamp};
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::store::{ChangeFilter, ChangeStore, HistoryFilter};

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

#[derive(Debug)]
struct Parts {
    store: Arc<dyn ChangeStore>,
    platform: Arc<dyn AdPlatform>,
    policy: Policy,
    key: DrawKey,
    require_approval: bool,
}

/// What one step did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// The change afterwards.
    pub row: ChangeRow,
    /// Whether it moved; `false` when another worker was first.
    pub moved: bool,
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
        let parts = Parts { store, platform, policy, key, require_approval: false };
        Ok(Self { parts: Arc::new(parts), running: Arc::new(watch::Sender::new(0)) })
    }

    /// The same executor, whose changes wait for an [`approve`](Self::approve) when `required`. What a change needs is
    /// fixed when it is queued: those that wait already go on waiting, and those that were free stay so.
    #[must_use]
    pub fn with_approval(self, required: bool) -> Self {
        let Parts { store, platform, policy, key, .. } = &*self.parts;
        let parts = Parts {
            store: Arc::clone(store),
            platform: Arc::clone(platform),
            policy: *policy,
            key: key.clone(),
            require_approval: required,
        };
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
        changes.iter().try_for_each(AdChange::validate)?;
        let plan_digest = self.parts.require_approval.then(|| plan_digest(&changes)).transpose()?;
        let mut accounts: BTreeMap<String, Vec<(AdChange, Duration)>> = BTreeMap::new();
        let order: Vec<_> = changes.iter().map(|c| c.id).collect();
        for change in changes {
            let delay = self.parts.key.jitter(change.id, &self.parts.policy);
            accounts.entry(change.account_id.clone()).or_default().push((change, delay));
        }
        let mut rows = BTreeMap::new();
        for (account_id, changes) in accounts {
            let batch = QueueBatch {
                at: ctx.env.clock.now(),
                policy: self.parts.policy,
                actor: ctx.actor.as_deref().map(str::to_owned),
                request_id: ctx.request_id.to_string(),
                account_id,
                changes,
                plan_digest: plan_digest.clone(),
            };
            let queued = self.parts.store.queue(&ctx.tenant, batch).await?;
            rows.extend(queued.into_iter().map(|row| (row.change.id, row)));
        }
        Ok(order.iter().filter_map(|id| rows.get(id).cloned()).collect())
    }

    /// Approves what waits under a digest: exactly the changes that were queued under it, as they were queued, in one
    /// transaction. They run after their jitter, which begins anew; they expire when they would have expired. The history
    /// names the context's actor as the one who approved.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) without an actor and for a text that is no digest;
    /// [`NotFound`](ErrorKind::NotFound) when nothing waits under it, as after an approval that was given already.
    pub async fn approve(&self, ctx: &Ctx, digest: &str) -> Result<Vec<ChangeRow>> {
        const OPERATION: &str = "execution.approve";
        let actor = ctx.actor.as_deref().filter(|actor| !actor.trim().is_empty()).ok_or_else(|| {
            Error::invalid(OPERATION, "actor: an approval must say whose it is: give the scope an actor")
        })?;
        if !is_digest(digest) {
            return Err(Error::invalid(
                OPERATION,
                "digest: give the 64 hex digits of a plan, or of the approval that a change waits for",
            ));
        }
        let request = ApprovalRequest {
            at: ctx.env.clock.now(),
            policy: self.parts.policy,
            actor: actor.to_owned(),
            request_id: ctx.request_id.to_string(),
            digest: digest.to_owned(),
        };
        let released = self.parts.store.approve(&ctx.tenant, request).await?;
        released.iter().for_each(|row| announce(ctx, row, "change.approved"));
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
        let now = ctx.env.clock.now();
        let Some(row) = self.parts.store.due(&ctx.tenant, now).await? else { return Ok(None) };
        let (parts, ctx) = (Arc::clone(&self.parts), ctx.clone());
        self.detached(async move { parts.advance(&ctx, row).await }).await.map(Some)
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
    pub async fn kill(&self, ctx: &Ctx, scope: &KillScope, on: bool) -> Result<()> {
        self.parts.store.set_kill(&ctx.tenant, scope, on).await?;
        if on {
            return Ok(());
        }
        let blocked = ChangeFilter { status: Some(ChangeStatus::Blocked), ..ChangeFilter::default() };
        for row in self.parts.store.list(&ctx.tenant, &blocked).await? {
            let held = row.reason == Some(Reason::KillSwitch) && row.waiting();
            if held && scope.covers(&row.change.account_id, &row.change.owner) {
                let wake = self.parts.request(ctx, Action::Wake);
                self.parts.store.transition(&ctx.tenant, row.change.id, wake).await?;
            }
        }
        Ok(())
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

impl Parts {
    async fn advance(&self, ctx: &Ctx, row: ChangeRow) -> Result<Step> {
        match row.status {
            ChangeStatus::Claimed => self.transition(ctx, row.change.id, Action::Abandon).await,
            ChangeStatus::Executing => self.reconcile(ctx, row).await,
            _ => self.attempt(ctx, row).await,
        }
    }

    /// Reads, reserves, reads again, sends and settles.
    async fn attempt(&self, ctx: &Ctx, row: ChangeRow) -> Result<Step> {
        let id = row.change.id;
        let fuzz = self.key.fuzz(&row.change, &self.policy);
        let (live, account) = match self.read(ctx, &row.change, fuzz).await? {
            Ok(read) => read,
            Err(error) => {
                let (reason, retry_after) = self.unread(&error);
                let refuse = Action::Refuse { reason, retry_after, detail: describe(&error) };
                return self.transition(ctx, id, refuse).await;
            }
        };
        let token = LeaseToken::fresh(&*ctx.env.entropy);
        let reserve = Action::Reserve { live: Box::new(live), account, fuzz, token };
        let step = self.transition(ctx, id, reserve).await?;
        if !step.moved || step.row.status != ChangeStatus::Claimed {
            return Ok(step);
        }
        self.send(ctx, step.row, token).await
    }

    /// What the guard needs of the platform: the owner, and the whole account where a total may bind.
    async fn read(
        &self,
        ctx: &Ctx,
        change: &AdChange,
        fuzz: i64,
    ) -> Result<std::result::Result<(OwnerState, Option<Vec<OwnerState>>), Error>> {
        let limits = self.store.limits(&ctx.tenant, &change.account_id).await?;
        let capped = limits.is_some_and(|l| l.total_daily_minor.is_some());
        let account = if capped && (fuzz > 0 || change.direction() == Direction::Raise) {
            match self.platform.owners(ctx, &change.account_id).await {
                Ok(owners) => Some(owners),
                Err(error) => return Ok(Err(error)),
            }
        } else {
            None
        };
        Ok(self.platform.owner(ctx, &change.owner).await.map(|live| (live, account)))
    }

    async fn send(&self, ctx: &Ctx, row: ChangeRow, token: LeaseToken) -> Result<Step> {
        let (id, attempt) = (row.change.id, row.attempt);
        let settle = |settlement, took| Action::Settle { attempt, token, settlement, took };
        let live = match self.platform.owner(ctx, &row.change.owner).await {
            Ok(live) => Box::new(live),
            Err(error) => {
                let (reason, retry_after) = self.unread(&error);
                let retry_after =
                    retry_after.unwrap_or(Duration::from_millis(self.policy.unreachable_retry_ms));
                let settlement = Settlement::Blocked { reason, retry_after, detail: describe(&error) };
                return self.transition(ctx, id, settle(settlement, None)).await;
            }
        };
        let step = self.transition(ctx, id, Action::Begin { attempt, token, live }).await?;
        let (ChangeStatus::Executing, true, Some(value)) = (step.row.status, step.moved, step.row.sent_value)
        else {
            return Ok(step);
        };
        let write =
            AdWrite { owner: row.change.owner, field: row.change.field, value, change_id: id, attempt };
        let started = ctx.env.clock.now();
        let timeout = Duration::from_millis(self.policy.send_timeout_ms);
        let settlement = match tokio::time::timeout(timeout, self.platform.set(ctx, &write)).await {
            Ok(Ok(())) => Settlement::Applied,
            Ok(Err(failure)) => self.failed(failure),
            Err(_) => Settlement::Ambiguous("no answer came in time".to_owned()),
        };
        let took = ctx.env.clock.now().since(started);
        self.transition(ctx, id, settle(settlement, Some(took))).await
    }

    fn failed(&self, failure: WriteFailure) -> Settlement {
        let after = |ms| failure.retry_after.unwrap_or(Duration::from_millis(ms));
        let detail = failure.message;
        match failure.class {
            WriteClass::Ambiguous => Settlement::Ambiguous(detail),
            WriteClass::NotSent => {
                let retry_after = after(self.policy.unreachable_retry_ms);
                Settlement::Blocked { reason: Reason::Unreachable, retry_after, detail }
            }
            WriteClass::Rejected => Settlement::Rejected(detail),
            WriteClass::Throttled => {
                let retry_after = after(self.policy.throttled_retry_ms);
                Settlement::Blocked { reason: Reason::Throttled, retry_after, detail }
            }
            WriteClass::Unauthorized => {
                let retry_after = after(self.policy.unauthorized_retry_ms);
                Settlement::Blocked { reason: Reason::Unauthorized, retry_after, detail }
            }
        }
    }

    /// What a failed reading means for the change.
    fn unread(&self, error: &Error) -> (Reason, Option<Duration>) {
        let after = |ms| match error.retry() {
            Retry::After(after) => Some(after),
            Retry::Never | Retry::Exhausted => Some(Duration::from_millis(ms)),
        };
        match error.kind() {
            ErrorKind::NotFound => (Reason::WrongObject, None),
            ErrorKind::Throttled => (Reason::Throttled, after(self.policy.throttled_retry_ms)),
            ErrorKind::Unauthorized => (Reason::Unauthorized, after(self.policy.unauthorized_retry_ms)),
            _ => (Reason::Unreachable, after(self.policy.unreachable_retry_ms)),
        }
    }

    /// Finds out what became of a request without an answer.
    async fn reconcile(&self, ctx: &Ctx, row: ChangeRow) -> Result<Step> {
        let (change, attempt) = (&row.change, row.attempt);
        let later = |error: &Error| {
            let after =
                self.unread(error).1.unwrap_or(Duration::from_millis(self.policy.unreachable_retry_ms));
            Action::Postpone { attempt, after }
        };
        let since =
            row.intent_at.unwrap_or(row.queued_at).minus(Duration::from_millis(self.policy.clock_skew_ms));
        let log = self.platform.activities(ctx, &change.account_id, &change.owner, since).await;
        let activities = match log {
            Ok(activities) => Some(activities),
            Err(error) if error.kind() == ErrorKind::Unsupported => None,
            Err(error) => return self.transition(ctx, change.id, later(&error)).await,
        };
        let live = match self.platform.owner(ctx, &change.owner).await {
            Ok(live) => Some(live),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return self.transition(ctx, change.id, later(&error)).await,
        };
        let now = ctx.env.clock.now();
        let view = self.store.view(&ctx.tenant, change, now, self.policy.longest_window()).await?;
        let earlier = view.movements.iter().filter(|m| {
            let other = m.own.is_some_and(|own| own != (change.id, attempt));
            let same = m.owner == change.owner && m.field == change.field && Some(m.to) == row.sent_value;
            other && same && m.at >= since
        });
        let (finding, detail) = reconcile::judge(&row, live.as_ref(), activities.as_deref(), earlier.count());
        let (live, detail) = (live.map(Box::new), detail.to_owned());
        self.transition(ctx, change.id, Action::Reconcile { attempt, finding, live, detail }).await
    }

    async fn transition(&self, ctx: &Ctx, id: ChangeId, action: Action) -> Result<Step> {
        let Transitioned { row, taken } =
            self.store.transition(&ctx.tenant, id, self.request(ctx, action)).await?;
        if let (true, Some(event_type)) = (taken, event_of(&row)) {
            announce(ctx, &row, event_type);
        }
        Ok(Step { row, moved: taken })
    }

    fn request(&self, ctx: &Ctx, action: Action) -> Transition {
        Transition {
            at: ctx.env.clock.now(),
            policy: self.policy,
            actor: ctx.actor.as_deref().map(str::to_owned),
            request_id: ctx.request_id.to_string(),
            action,
        }
    }
}

/// One event for each place where a change comes to rest or is left unknown.
fn event_of(row: &ChangeRow) -> Option<&'static str> {
    match (row.status, row.reason) {
        (ChangeStatus::Completed, _) => Some("change.completed"),
        (ChangeStatus::Failed, _) => Some("change.failed"),
        (ChangeStatus::Blocked, _) => Some("change.blocked"),
        (ChangeStatus::Pending, _) => Some("change.requeued"),
        (ChangeStatus::Executing, Some(Reason::Unknown)) => Some("change.unknown"),
        (ChangeStatus::Claimed | ChangeStatus::Executing, _) => None,
    }
}

fn announce(ctx: &Ctx, row: &ChangeRow, event_type: &'static str) {
    let change = &row.change;
    let (id, attempt, at) =
        (change.id.to_string(), row.attempt.to_string(), row.updated_at.micros().to_string());
    let reason = row.reason.map_or("", Reason::as_str);
    ctx.env.events.emit(Event {
        event_type,
        event_id: ChangeId::derive(&[&id, &attempt, event_type, reason, &at]).to_string(),
        timestamp: row.updated_at,
        tenant_id: ctx.tenant.clone(),
        source_service: "execution",
        payload: serde_json::json!({
            "change_id": change.id,
            "account_id": change.account_id,
            "campaign_id": change.campaign_id,
            "owner": change.owner,
            "field": change.field,
            "from": row.observed_from.unwrap_or(change.expected_from),
            "to": row.sent_value.unwrap_or(change.target),
            "attempt": row.attempt,
            "status": row.status,
            "reason": row.reason,
            "retry_at": row.retry_at,
        }),
        metadata: EventMetadata {
            correlation_id: id,
            causation_id: change.causation_id.clone(),
            schema_version: 1,
        },
    });
}

/// An error as one line of a row: without its source, whose text is not ours.
fn describe(error: &Error) -> String {
    format!("{}: {}", error.kind(), error.message()).chars().take(300).collect()
}
