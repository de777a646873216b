use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::ctx::TenantId;
use crate::env::Timestamp;
use crate::error::Result;
use crate::execution::machine::{
    AccountView, ApprovalRequest, CallTime, KillScope, QueueBatch, Queued, Transition, Transitioned,
};
use crate::execution::{
    AccountLimits, AdChange, AuditRow, ChainHead, ChangeId, ChangeRow, ChangeStatus, Pause, Policy, Reason,
};

/// Which changes to list; everything absent matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChangeFilter {
    /// Of this account.
    pub account_id: Option<String>,
    /// Of this allocation.
    pub allocation_id: Option<String>,
    /// With this status.
    pub status: Option<ChangeStatus>,
    /// With this reason.
    pub reason: Option<Reason>,
    /// Whether a person has to look.
    pub needs_human: bool,
    /// Only those after this change, in the list's order: the last one of the page before.
    pub after: Option<ChangeId>,
    /// At most so many; all of them when absent.
    pub limit: Option<usize>,
}

impl ChangeFilter {
    /// Whether the change is wanted, whatever page it is on.
    pub fn matches(&self, row: &ChangeRow) -> bool {
        self.account_id.as_ref().is_none_or(|a| *a == row.change.account_id)
            && self.allocation_id.as_ref().is_none_or(|a| Some(a) == row.change.allocation_id.as_ref())
            && self.status.is_none_or(|s| s == row.status)
            && self.reason.is_none_or(|r| Some(r) == row.reason)
            && (!self.needs_human || row.needs_human())
    }
}

/// Which rows of an account's history to read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HistoryFilter {
    /// Only of this change.
    pub change_id: Option<ChangeId>,
    /// Only rows with a greater sequence number.
    pub after_seq: u64,
    /// At most so many.
    pub limit: usize,
}

impl Default for HistoryFilter {
    /// The first 1,000 rows.
    fn default() -> Self {
        Self { change_id: None, after_seq: 0, limit: 1_000 }
    }
}

/// What holds for an account whatever is asked of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountRules {
    /// What the user allows.
    pub limits: Option<AccountLimits>,
    /// The tenant's kill switches that are on, and the global one.
    pub kills: Vec<KillScope>,
    /// What the platform's refusals taught and has not run out, by owner, the account's own first.
    pub pauses: Vec<Pause>,
    /// The time, as a transition at this moment would have it.
    pub now: Timestamp,
}

/// An attempt that was judged not applied, while its request may still have been on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchedAttempt {
    /// Its change as it is now.
    pub row: ChangeRow,
    /// Which attempt.
    pub attempt: u32,
    /// When its intent was written.
    pub intent_at: Timestamp,
}

/// What is still to be done for a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Backlog {
    /// How many changes that are not over stand where, by status and then reason.
    pub open: Vec<BacklogCount>,
    /// How many wait for a person's verdict or retry.
    pub needs_human: u64,
    /// When the oldest one that is due was due; it may lie ahead.
    pub oldest_due: Option<Timestamp>,
}

/// How many changes stand somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BacklogCount {
    /// Their status.
    pub status: ChangeStatus,
    /// Their reason.
    pub reason: Option<Reason>,
    /// How many.
    pub count: u64,
}

/// Ad changes, their history and what the limits over time need to know.
///
/// The decisions are not the store's: it loads what [`machine`](crate::execution::machine) asks for, calls it, and
/// saves what it returns, all in one transaction that no other writer can come between. Nothing but that happens in
/// the transaction. The time of an account never goes back: it is the greater of the call's time and the latest one
/// that the store has seen of the account. The call's time is the caller's, or where that is only the machine's clock
/// and the store has one that all its users share, the store's.
///
/// Cancel safety: a call whose future is dropped has either been done whole or not at all.
#[async_trait]
pub trait ChangeStore: Send + Sync + fmt::Debug + 'static {
    /// Queues a batch of one account with [`machine::queue`](crate::execution::machine::queue). A change whose id
    /// is stored already, in whatever status, is left as it is.
    async fn queue(&self, tenant: &TenantId, batch: QueueBatch) -> Result<Queued>;

    /// Releases what waits under a digest with [`machine::approve`](crate::execution::machine::approve), in all its accounts
    /// in one transaction.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when nothing waits under it. Nothing is saved then.
    async fn approve(&self, tenant: &TenantId, request: ApprovalRequest) -> Result<Vec<ChangeRow>>;

    /// Moves one change on with [`machine::apply`](crate::execution::machine::apply).
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for an unknown id; [`Conflict`](crate::ErrorKind::Conflict) when
    /// another change of the same owner was put in flight meanwhile. Nothing is saved then.
    async fn transition(
        &self,
        tenant: &TenantId,
        id: ChangeId,
        transition: Transition,
    ) -> Result<Transitioned>;

    /// What the machine would see of the change's account, with movements as old as the policy's windows; writes
    /// nothing.
    async fn view(
        &self,
        tenant: &TenantId,
        change: &AdChange,
        at: CallTime,
        policy: &Policy,
    ) -> Result<AccountView>;

    /// Takes changes that are due to work on: the most urgent first, by due time and then id, one of each owner and at
    /// most `limit`. While an owner has one in flight, only that one can be due.
    ///
    /// The owners of those that it returns are hidden from other calls until one of their changes moves on, or `hold`
    /// is over: workers do not tread on each other's toes, and what a worker leaves behind comes up again. It is a
    /// convenience: two workers that have the same change at once break nothing.
    async fn pick(
        &self,
        tenant: &TenantId,
        at: CallTime,
        hold: Duration,
        limit: usize,
    ) -> Result<Vec<ChangeRow>>;

    /// When [`pick`](Self::pick) has or had something next.
    async fn next_due(&self, tenant: &TenantId) -> Result<Option<Timestamp>>;

    /// The tenants that have something due, by id. One whose changes are all hidden or in flight may be among them.
    async fn tenants_due(&self, at: CallTime) -> Result<Vec<TenantId>>;

    /// The tenants that have any change, by id.
    async fn tenants(&self) -> Result<Vec<TenantId>>;

    /// When the next change of any tenant is or was due; earlier than [`next_due`](Self::next_due) of all of them where
    /// owners are hidden.
    async fn next_due_of_any(&self) -> Result<Option<Timestamp>>;

    /// Waits until a change may have become due otherwise than by time: one was queued, approved, retried or woken, by
    /// this process or, where the store can tell, by another. It may miss some and may never return: whoever waits
    /// polls as well. What happened since the last call that returned is not missed.
    async fn woken(&self);

    /// A change.
    async fn get(&self, tenant: &TenantId, id: ChangeId) -> Result<Option<ChangeRow>>;

    /// The changes that match, by the time of queueing and then id.
    async fn list(&self, tenant: &TenantId, filter: &ChangeFilter) -> Result<Vec<ChangeRow>>;

    /// Sets what the user allows in an account.
    async fn set_limits(&self, tenant: &TenantId, account_id: &str, limits: &AccountLimits) -> Result<()>;

    /// What holds for an account now.
    async fn rules(&self, tenant: &TenantId, account_id: &str, at: CallTime) -> Result<AccountRules>;

    /// Switches a kill switch. When it returns, no request that was not under way before starts. The global one is the
    /// same for every tenant, whichever is given.
    async fn set_kill(&self, tenant: &TenantId, scope: &KillScope, on: bool) -> Result<()>;

    /// The tenant's kill switches that are on and the global one, in the order of their scopes.
    async fn kills(&self, tenant: &TenantId) -> Result<Vec<KillScope>>;

    /// The accounts that have a history, by id, each with its newest row.
    async fn heads(&self, tenant: &TenantId) -> Result<Vec<(String, ChainHead)>>;

    /// Rows of an account's history by sequence number.
    async fn history(
        &self,
        tenant: &TenantId,
        account_id: &str,
        filter: &HistoryFilter,
    ) -> Result<Vec<AuditRow>>;

    /// The attempts that were judged not applied although their request may have been on its way, and that were written
    /// after a time; by that time, change and attempt. Those that [landed late](crate::execution::machine::Action::Late) are gone from it.
    async fn watched(&self, tenant: &TenantId, since: Timestamp) -> Result<Vec<WatchedAttempt>>;

    /// What is still to be done.
    async fn backlog(&self, tenant: &TenantId) -> Result<Backlog>;

    /// The latest time that the store has seen of any account of the tenant.
    async fn high_water(&self, tenant: &TenantId) -> Result<Option<Timestamp>>;
}
