//! One step of a change: read, reserve, read again, send, settle; or find out what became of a request.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::change::{AdChange, ChangeId, ChangeRow, ChangeStatus, Direction, LeaseToken, Reason};
use super::draw::DrawKey;
use super::execute::Step;
use super::machine::{Action, CallTime, KillScope, Settlement, Transition, Transitioned};
use super::metrics::ExecutionMetrics;
use super::policy::Policy;
use super::reconcile;
use super::roles::Roles;
use crate::ads::{AdPlatform, AdWrite, OwnerState, ThrottleScope, WriteClass, WriteFailure};
use crate::ctx::Ctx;
use crate::env::{Event, EventType};
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::store::{AccountRules, ChangeStore};

/// What an executor works with.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub(super) store: Arc<dyn ChangeStore>,
    pub(super) platform: Arc<dyn AdPlatform>,
    pub(super) policy: Policy,
    pub(super) key: DrawKey,
    pub(super) require_approval: bool,
    pub(super) roles: Roles,
    pub(super) metrics: Option<ExecutionMetrics>,
}

impl Parts {
    pub(super) async fn advance(&self, ctx: &Ctx, row: ChangeRow) -> Result<Step> {
        match row.status {
            ChangeStatus::Claimed => self.transition(ctx, row.change.id, Action::Abandon).await,
            ChangeStatus::Executing => self.reconcile(ctx, row).await,
            _ => self.attempt(ctx, row).await,
        }
    }

    /// Reads, reserves, reads again, sends and settles.
    async fn attempt(&self, ctx: &Ctx, row: ChangeRow) -> Result<Step> {
        let id = row.change.id;
        if let (Some(metrics), Some(due)) = (&self.metrics, row.due_at) {
            metrics.waited(ctx.env.clock.now().since(due));
        }
        let rules =
            self.store.rules(&ctx.tenant, &row.change.account_id, CallTime::of(&*ctx.env.clock)).await?;
        if let Some(refuse) = self.held_back(&row.change, &rules) {
            return self.transition(ctx, id, refuse).await;
        }
        let fuzz = self.key.fuzz(&row.change, &self.policy);
        let (live, account) = match self.read(ctx, &row.change, fuzz, &rules).await {
            Ok(read) => read,
            Err(error) => {
                let (reason, retry_after) = self.unread(&error);
                let refuse = Action::Refuse { reason, retry_after, detail: Some(describe(&error)) };
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

    /// What holds a change back whatever the platform shows: it is not even read then.
    fn held_back(&self, change: &AdChange, rules: &AccountRules) -> Option<Action> {
        let after = |ms| Some(Duration::from_millis(ms));
        if rules.kills.iter().any(|k| k.covers(&change.account_id, &change.owner)) {
            let retry_after = after(self.policy.kill_switch_retry_ms);
            return Some(Action::Refuse { reason: Reason::KillSwitch, retry_after, detail: None });
        }
        let covering = rules.pauses.iter().filter(|p| p.covers(&change.owner) && p.until > rules.now);
        let pause = covering.max_by_key(|p| p.until)?;
        let retry_after = Some(pause.until.since(rules.now));
        Some(Action::Refuse { reason: pause.reason, retry_after, detail: None })
    }

    /// What the guard needs of the platform: the owner, and the whole account where a total may bind.
    async fn read(
        &self,
        ctx: &Ctx,
        change: &AdChange,
        fuzz: i64,
        rules: &AccountRules,
    ) -> Result<(OwnerState, Option<Vec<OwnerState>>)> {
        let capped = rules.limits.as_ref().is_some_and(|l| l.total_daily_minor.is_some());
        let account = if capped && (fuzz > 0 || change.direction() == Direction::Raise) {
            Some(self.platform.owners(ctx, &change.account_id).await?)
        } else {
            None
        };
        let live = self.platform.owner(ctx, &change.owner).await?;
        Ok((live, account))
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
                let held = matches!(reason, Reason::Throttled | Reason::Unauthorized);
                let pause = held.then_some(ThrottleScope::Account);
                let settlement = Settlement::Blocked { reason, retry_after, detail: describe(&error), pause };
                return self.transition(ctx, id, settle(settlement, None)).await;
            }
        };
        let (asked, patience) = (ctx.env.clock.now(), Instant::now());
        let step = self.transition(ctx, id, Action::Begin { attempt, token, live }).await?;
        let (ChangeStatus::Executing, true, Some(value)) = (step.row.status, step.moved, step.row.sent_value)
        else {
            return Ok(step);
        };
        let timeout = Duration::from_millis(self.policy.send_timeout_ms);
        // The permission may have been long on its way: what is sent when the lease is over may land after its verdict. A
        // clock that was set back meanwhile does not hide it.
        let waited = ctx.env.clock.now().since(asked).max(patience.elapsed());
        if step.row.lease_until.is_none_or(|end| step.row.updated_at.plus(waited).plus(timeout) > end) {
            let settlement = Settlement::Blocked {
                reason: Reason::NotSent,
                retry_after: Duration::ZERO,
                detail: "the worker was held up until its lease was too short".to_owned(),
                pause: None,
            };
            return self.transition(ctx, id, settle(settlement, None)).await;
        }
        let write =
            AdWrite { owner: row.change.owner, field: row.change.field, value, change_id: id, attempt };
        let started = ctx.env.clock.now();
        let settlement = match tokio::time::timeout(timeout, self.platform.set(ctx, &write)).await {
            Ok(Ok(())) => Settlement::Applied,
            Ok(Err(failure)) => self.failed(failure),
            Err(_) => Settlement::Ambiguous("no answer came in time".to_owned()),
        };
        let took = ctx.env.clock.now().since(started);
        if let Some(metrics) = &self.metrics {
            metrics.wrote(&settlement, took);
        }
        self.transition(ctx, id, settle(settlement, Some(took))).await
    }

    fn failed(&self, failure: WriteFailure) -> Settlement {
        let after = |ms| failure.retry_after.unwrap_or(Duration::from_millis(ms));
        let (detail, scope) = (failure.message, failure.scope);
        match failure.class {
            WriteClass::Ambiguous => Settlement::Ambiguous(detail),
            WriteClass::NotSent => {
                let retry_after = after(self.policy.unreachable_retry_ms);
                Settlement::Blocked { reason: Reason::Unreachable, retry_after, detail, pause: None }
            }
            WriteClass::Rejected => Settlement::Rejected(detail),
            WriteClass::Throttled => {
                let retry_after = after(self.policy.throttled_retry_ms);
                let pause = Some(scope);
                Settlement::Blocked { reason: Reason::Throttled, retry_after, detail, pause }
            }
            WriteClass::Unauthorized => {
                let retry_after = after(self.policy.unauthorized_retry_ms);
                let pause = Some(ThrottleScope::Account);
                Settlement::Blocked { reason: Reason::Unauthorized, retry_after, detail, pause }
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
        let at = CallTime::of(&*ctx.env.clock);
        let view = self.store.view(&ctx.tenant, change, at, &self.policy).await?;
        let earlier = view.movements.iter().filter(|m| {
            let other = m.own.is_some_and(|own| own != (change.id, attempt));
            let same = m.owner == change.owner && m.field == change.field && Some(m.to) == row.sent_value;
            other && same && m.at >= since
        });
        let (finding, detail) = reconcile::judge(&row, live.as_ref(), activities.as_deref(), earlier.count());
        let (live, detail) = (live.map(Box::new), detail.to_owned());
        let step =
            self.transition(ctx, change.id, Action::Reconcile { attempt, finding, live, detail }).await?;
        if let (Some(metrics), true) = (&self.metrics, step.moved) {
            metrics.reconciled(finding);
        }
        Ok(step)
    }

    pub(super) async fn transition(&self, ctx: &Ctx, id: ChangeId, action: Action) -> Result<Step> {
        let stored = self.store.transition(&ctx.tenant, id, self.request(ctx, action)).await;
        if let Some(metrics) = &self.metrics {
            metrics.stored(&stored);
        }
        let Transitioned { row, taken, ended } = stored?;
        if let (Some(metrics), true) = (&self.metrics, taken) {
            metrics.stepped(&row);
        }
        if taken {
            let events = [event_of(&row), attention(&row)];
            events.into_iter().flatten().for_each(|event| announce(ctx, &row, event));
            ended.iter().for_each(|row| announce(ctx, row, EventType::CHANGE_BLOCKED));
        }
        Ok(Step { row, moved: taken })
    }

    pub(super) fn request(&self, ctx: &Ctx, action: Action) -> Transition {
        Transition {
            at: CallTime::of(&*ctx.env.clock),
            policy: self.policy,
            actor: ctx.actor.as_deref().map(str::to_owned),
            request_id: ctx.request_id.to_string(),
            action,
        }
    }
}

/// One event for each place where a change comes to rest or is left unknown.
pub(super) fn event_of(row: &ChangeRow) -> Option<EventType> {
    match (row.status, row.reason) {
        (ChangeStatus::Completed, _) => Some(EventType::CHANGE_COMPLETED),
        (ChangeStatus::Failed, _) => Some(EventType::CHANGE_FAILED),
        (ChangeStatus::Blocked, _) => Some(EventType::CHANGE_BLOCKED),
        (ChangeStatus::Pending, _) => Some(EventType::CHANGE_REQUEUED),
        (ChangeStatus::Executing, Some(Reason::Unknown)) => Some(EventType::CHANGE_UNKNOWN),
        (ChangeStatus::Executing, None) => Some(EventType::CHANGE_INTENT),
        (ChangeStatus::Claimed | ChangeStatus::Executing, _) => None,
    }
}

/// That somebody has to look at it, beside what became of it.
fn attention(row: &ChangeRow) -> Option<EventType> {
    row.needs_human().then_some(EventType::CHANGE_NEEDS_HUMAN)
}

pub(super) fn announce(ctx: &Ctx, row: &ChangeRow, event: EventType) {
    if !ctx.env.events.is_wanted() {
        return;
    }
    let change = &row.change;
    let (id, attempt, at) =
        (change.id.to_string(), row.attempt.to_string(), row.updated_at.micros().to_string());
    let reason = row.reason.map_or("", Reason::as_str);
    let event_id = ChangeId::derive(&[&id, &attempt, event.name(), reason, &at]).to_string();
    let payload = serde_json::json!({
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
    });
    let mut event = Event::with_id(ctx, event, event_id, payload).caused_by(change.causation_id.clone());
    event.timestamp = row.updated_at;
    event.metadata.correlation_id = id;
    ctx.env.events.emit(event);
}

/// Who switched what, and when.
pub(super) fn announce_kill(ctx: &Ctx, scope: &KillScope, on: bool) {
    let now = ctx.env.clock.now();
    let key = scope.key();
    let actor = ctx.actor.as_deref().unwrap_or_default();
    let switched = if on { "on" } else { "off" };
    let event_id = ChangeId::derive(&[&key, actor, switched, &now.micros().to_string()]).to_string();
    let payload = serde_json::json!({ "scope": scope, "on": on, "actor": ctx.actor.as_deref() });
    ctx.env.events.emit(Event::with_id(ctx, EventType::KILL_SWITCHED, event_id, payload));
}

/// An error as one line of a row: without its source, whose text is not ours.
fn describe(error: &Error) -> String {
    format!("{}: {}", error.kind(), error.message()).chars().take(300).collect()
}
