use schemars::JsonSchema;
use serde::Deserialize;
use xynergy::ads::OwnerState;
use xynergy::execution::{
    AccountLimits, AdChange, AuditRow, ChangeFilter, ChangeId, ChangeRow, ChangeStatus, HistoryFilter,
    KillScope, Plan, Step,
};
use xynergy::{Currency, Minor, Timestamp};
use xynergy_core::execution::AuditReport;

use super::{Nothing, methods};

methods! {
    /// The live budget owners of an account: its ad sets, and its campaigns where the budget sits there.
    "execution.owners"(account_id) Value AccountArguments => Vec<OwnerState> =
        |session, a: AccountArguments| async move { session.scope.execution().owners(&a.account_id).await };

    /// What would become of changes if they were applied now. Writes nothing, here or on the platform; with `ask_platform` the
    /// platform validates what would be sent.
    "execution.plan"(changes, ask_platform) Value PlanArguments => Plan = |session, a: PlanArguments| async move {
        session.scope.execution().plan(&a.changes, a.ask_platform).await
    };

    /// Stores changes to be applied after their jitter. A change whose id is stored already is left as it is.
    "execution.queue"(changes) Value QueueArguments => Vec<ChangeRow> =
        |session, a: QueueArguments| async move { session.scope.execution().queue(a.changes).await };

    /// Releases the changes that were queued under this digest of a plan, where the configuration asks for approval. The scope needs
    /// an actor.
    "execution.approve"(plan_digest) Value ApproveArguments => Vec<ChangeRow> =
        |session, a: ApproveArguments| async move { session.scope.execution().approve(&a.plan_digest).await };

    /// Does the most urgent thing that is due; null when nothing is. It never sleeps.
    "execution.run_once"() Value Nothing => Option<Step> =
        |session, _: Nothing| async move { session.scope.execution().run_once().await };

    /// Waits until no step is under way.
    "execution.drain"() Value Nothing => () =
        |session, _: Nothing| async move { session.scope.execution().drain().await };

    /// When something is due next; it may be past. Null when nothing is.
    "execution.next_due"() Value Nothing => Option<Timestamp> =
        |session, _: Nothing| async move { session.scope.execution().next_due().await };

    /// A change; null when there is none of this id.
    "execution.get"(id) Value IdArguments => Option<ChangeRow> =
        |session, a: IdArguments| async move { session.scope.execution().get(a.id).await };

    /// The changes that match, by the time of queueing and then id.
    "execution.list"(account_id, allocation_id, status) Value ListArguments => Vec<ChangeRow> = |session, a: ListArguments| async move {
        let filter = ChangeFilter { account_id: a.account_id, allocation_id: a.allocation_id, status: a.status, ..ChangeFilter::default() };
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

    /// Switches a kill switch: of the tenant, an account or an owner. While it is on, nothing that it covers is sent.
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
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QueueArguments {
    /// The changes.
    changes: Vec<AdChange>,
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
    /// `tenant`, `{"account": ID}`, or `{"owner": {"account_id": ID, "owner": {"level": LEVEL, "id": ID}}}`.
    scope: KillScope,
    /// Whether it is switched on.
    on: bool,
}
