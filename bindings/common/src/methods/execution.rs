use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;
use xynergy::ads::OwnerState;

use xynergy::execution::{
    AccountLimits, AdChange, AuditRow, Backlog, ChangeFilter, ChangeId, ChangeRow, ChangeStatus,
    HistoryFilter, HumanVerdict, KillScope, Plan, Reason, Reconciled, RunOptions, RunReport, Step,
};
use xynergy::{Currency, Minor, Result, Timestamp};
use xynergy_core::execution::AuditReport;

use super::{Nothing, Session, methods};

methods! {
    /// The live budget owners of an account: its ad sets, and its campaigns where the budget sits there.
    "execution.owners"(account_id) Value AccountArguments => Vec<OwnerState> =
        |session, a: AccountArguments| async move { session.scope.execution().owners(&a.account_id).await };

    /// What would become of changes if they were applied now. Writes nothing, here or on the platform; with `ask_platform` the
    /// platform validates what would be sent. With `ramp` it is the plan of the steps that `queue` with `ramp` would store.
    "execution.plan"(changes, ask_platform, ramp) Value PlanArguments => Plan = |session, a: PlanArguments| async move {
        let execution = session.scope.execution();
        let changes = if a.ramp { execution.ramped(&a.changes).await? } else { a.changes };
        execution.plan(&changes, a.ask_platform).await
    };

    /// Stores changes to be applied after their jitter. A change whose id is stored already is left as it is. With `ramp` a target
    /// further away than one window allows is reached in steps over the coming windows, each a change of its own.
    "execution.queue"(changes, ramp) Value QueueArguments => Vec<ChangeRow> =
        |session, a: QueueArguments| async move {
            let execution = session.scope.execution();
            if a.ramp { execution.queue_ramped(a.changes).await } else { execution.queue(a.changes).await }
        };

    /// Releases the changes that were queued under this digest of a plan, where the configuration asks for approval. The scope needs
    /// an actor.
    "execution.approve"(plan_digest) Value ApproveArguments => Vec<ChangeRow> =
        |session, a: ApproveArguments| async move { session.scope.execution().approve(&a.plan_digest).await };

    /// Does the most urgent thing that is due; null when nothing is. It never sleeps.
    "execution.run_once"() Value Nothing => Option<Step> =
        |session, _: Nothing| async move { session.scope.execution().run_once().await };

    /// Works for `for_ms` milliseconds; without it until the call is cancelled or the client is closed. Takes what is due with
    /// so many workers, sleeps until more is, and waits at its end for the steps under way. On the client itself it works for every
    /// tenant, on a scope for that tenant alone. A cancelled call takes nothing new; `drain` and closing the client wait for
    /// what it had under way.
    "execution.run"(workers, poll_ms, reconcile_ms, for_ms) Value RunArguments => RunReport =
        |session, a: RunArguments| async move {
            // The first steps of a worker are no work for the host's own thread.
            tokio::task::yield_now().await;
            let until = session.engine.closing();
            let limit = a.for_ms;
            let over = async move {
                match limit {
                    Some(ms) => tokio::time::timeout(Duration::from_millis(ms), until).await.unwrap_or_default(),
                    None => until.await,
                }
            };
            session.scope.execution().run(a.options(), over).await
        };

    /// Does everything that is due now and returns: for schedulers and functions that scale to zero. It covers the same tenants as
    /// `run`.
    "execution.tick"(workers) Value TickArguments => RunReport = |session, a: TickArguments| tick(session, a);

    /// Finds out what became of every request that is unknown and can land no more, and whether one that was judged not applied
    /// landed late.
    "execution.reconcile"() Value Nothing => Reconciled =
        |session, _: Nothing| async move { session.scope.execution().reconcile().await };

    /// Sends a change again whose last request had no effect, with the same value and after its jitter. The scope needs an actor.
    "execution.retry"(id) Value IdArguments => ChangeRow =
        |session, a: IdArguments| async move { session.scope.execution().retry(a.id).await };

    /// Says what became of a request that reading the platform could not tell: those that `list` with `needs_human` has. The note
    /// tells how it is known; the scope needs an actor, and both are kept in the history.
    "execution.resolve"(id, verdict, note) Value ResolveArguments => ChangeRow = |session, a: ResolveArguments| async move {
        session.scope.execution().resolve(a.id, a.verdict, &a.note).await
    };

    /// What is still to be done: changes that are not over, by status and reason, those that wait for a person, and when the oldest
    /// was due.
    "execution.backlog"() Value Nothing => Backlog =
        |session, _: Nothing| async move { session.scope.execution().backlog().await };

    /// Waits until no step is under way.
    "execution.drain"() Value Nothing => () =
        |session, _: Nothing| async move { session.scope.execution().drain().await };

    /// When something is due next; it may be past. Null when nothing is.
    "execution.next_due"() Value Nothing => Option<Timestamp> =
        |session, _: Nothing| async move { session.scope.execution().next_due().await };

    /// A change; null when there is none of this id.
    "execution.get"(id) Value IdArguments => Option<ChangeRow> =
        |session, a: IdArguments| async move { session.scope.execution().get(a.id).await };

    /// The changes that match, by the time of queueing and then id: at most `limit` of those after the change `after`, the last one
    /// of the page before.
    "execution.list"(account_id, allocation_id, status, reason, needs_human, after, limit) Value ListArguments => Vec<ChangeRow> =
        |session, a: ListArguments| async move {
            let filter = ChangeFilter {
                account_id: a.account_id,
                allocation_id: a.allocation_id,
                status: a.status,
                reason: a.reason,
                needs_human: a.needs_human,
                after: a.after,
                limit: a.limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)),
            };
            session.scope.execution().list(&filter).await
        };

    /// Rows of an account's history, in order.
    "execution.history"(account_id, change_id, after_seq, limit) Value HistoryArguments => Vec<AuditRow> =
        |session, a: HistoryArguments| async move {
            let all = HistoryFilter::default();
            let limit = a.limit.map_or(all.limit, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
            let filter = HistoryFilter { change_id: a.change_id, after_seq: a.after_seq.unwrap_or(all.after_seq), limit };
            session.scope.execution().history(&a.account_id, &filter).await
        };

    /// Withdraws a change that is not in flight; `moved` tells whether it could be.
    "execution.cancel"(id) Value IdArguments => Step =
        |session, a: IdArguments| async move { session.scope.execution().cancel(a.id).await };

    /// Sets what the user allows in an account, in minor units a day: the total, the floor and the ceiling of one owner.
    "execution.set_limits"(account_id, currency, total_daily_minor, min_minor, max_minor) Value LimitsArguments => () =
        |session, a: LimitsArguments| async move {
            let LimitsArguments { account_id, currency, total_daily_minor, min_minor, max_minor } = a;
            let limits = AccountLimits { currency, total_daily_minor, min_minor, max_minor };
            session.scope.execution().set_limits(&account_id, &limits).await
        };

    /// Switches a kill switch: of an owner, an account, the tenant, or everybody's. While it is on, nothing that it covers is sent.
    "execution.kill"(scope, on) Value KillArguments => () =
        |session, a: KillArguments| async move { session.scope.execution().kill(&a.scope, a.on).await };

    /// The kill switches that are on.
    "execution.kills"() Value Nothing => Vec<KillScope> =
        |session, _: Nothing| async move { session.scope.execution().kills().await };

    /// Reads the tenant's whole history and verifies its chains.
    "execution.verify_audit"() Value Nothing => AuditReport =
        |session, _: Nothing| async move { session.scope.execution().verify_audit().await };
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountArguments {
    /// The ad account.
    account_id: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanArguments {
    /// The changes.
    changes: Vec<AdChange>,
    /// Whether the platform is asked to validate them.
    #[serde(default)]
    ask_platform: bool,
    /// Whether far targets are planned as steps.
    #[serde(default)]
    ramp: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QueueArguments {
    /// The changes.
    changes: Vec<AdChange>,
    /// Whether far targets are reached in steps.
    #[serde(default)]
    ramp: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunArguments {
    /// How many changes are worked on at once, 1 to 256; 4 when absent.
    #[serde(default)]
    workers: Option<u64>,
    /// How often the store is asked for something due when nothing wakes the worker; 1,000 when absent.
    #[serde(default)]
    poll_ms: Option<u64>,
    /// How often requests that were judged not applied are searched for late landings, 0 for never; 600,000 when absent.
    #[serde(default)]
    reconcile_ms: Option<u64>,
    /// For how long.
    #[serde(default)]
    for_ms: Option<u64>,
}

impl RunArguments {
    fn options(&self) -> RunOptions {
        let usual = RunOptions::default();
        RunOptions {
            workers: workers(self.workers),
            poll_ms: self.poll_ms.unwrap_or(usual.poll_ms),
            reconcile_ms: self.reconcile_ms.unwrap_or(usual.reconcile_ms),
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TickArguments {
    /// How many changes are worked on at once, 1 to 256; 4 when absent.
    #[serde(default)]
    workers: Option<u64>,
}

/// The number of workers that is meant; one that no run could have is refused when it is used.
fn workers(given: Option<u64>) -> usize {
    given.map_or(RunOptions::default().workers, |workers| usize::try_from(workers).unwrap_or(usize::MAX))
}

/// A tick of the scope's tenant, or on the client itself of every tenant.
pub(super) async fn tick(session: Session, arguments: TickArguments) -> Result<RunReport> {
    // Its first steps are no work for the host's own thread.
    tokio::task::yield_now().await;
    let options = RunOptions { workers: workers(arguments.workers), ..RunOptions::default() };
    session.scope.execution().tick(options).await
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResolveArguments {
    /// The change's id, 32 hex digits.
    id: ChangeId,
    /// What became of its request.
    verdict: HumanVerdict,
    /// How that is known, in 1 to 300 characters.
    note: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApproveArguments {
    /// The digest of the plan.
    plan_digest: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdArguments {
    /// The change's id, 32 hex digits.
    id: ChangeId,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListArguments {
    /// Of this account.
    #[serde(default)]
    account_id: Option<String>,
    /// Of this allocation.
    #[serde(default)]
    allocation_id: Option<String>,
    /// With this status.
    #[serde(default)]
    status: Option<ChangeStatus>,
    /// With this reason.
    #[serde(default)]
    reason: Option<Reason>,
    /// Whether only those that a person has to look at.
    #[serde(default)]
    needs_human: bool,
    /// Only those after this change, in the list's order: the last one of the page before.
    #[serde(default)]
    after: Option<ChangeId>,
    /// At most so many; all of them when absent.
    #[serde(default)]
    limit: Option<u64>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HistoryArguments {
    /// The ad account.
    account_id: String,
    /// Only of this change.
    #[serde(default)]
    change_id: Option<ChangeId>,
    /// Only rows with a greater sequence number; from the first when absent.
    #[serde(default)]
    after_seq: Option<u64>,
    /// At most so many; 1,000 when absent.
    #[serde(default)]
    limit: Option<u64>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitsArguments {
    /// The ad account.
    account_id: String,
    /// The account's currency.
    currency: Currency,
    /// The most that the daily budgets of all active owners may add up to after a raise.
    #[serde(default)]
    total_daily_minor: Option<Minor>,
    /// The least daily budget of an owner.
    #[serde(default)]
    min_minor: Option<Minor>,
    /// The greatest daily budget of an owner.
    #[serde(default)]
    max_minor: Option<Minor>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KillArguments {
    /// `global` (every tenant's, for the default tenant alone to switch), `tenant`, `{"account": ID}`, or `{"owner": {"account_id": ID, "owner": {"level": LEVEL, "id": ID}}}`.
    scope: KillScope,
    /// Whether it is switched on.
    on: bool,
}
