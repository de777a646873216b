use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::ctx::TenantId;
use crate::env::Timestamp;
use crate::error::Result;
use crate::execution::machine::{
    AccountView, ApprovalRequest, KillScope, QueueBatch, Transition, Transitioned,
};
use crate::execution::{AccountLimits, AdChange, AuditRow, ChainHead, ChangeId, ChangeRow, ChangeStatus};

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
}

impl ChangeFilter {
    /// Whether the change is wanted.
    pub fn matches(&self, row: &ChangeRow) -> bool {
        self.account_id.as_ref().is_none_or(|a| *a == row.change.account_id)
            && self.allocation_id.as_ref().is_none_or(|a| Some(a) == row.change.allocation_id.as_ref())
            && self.status.is_none_or(|s| s == row.status)
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

/// Ad changes, their history and what the limits over time need to know.
///
/// The decisions are not the store's: it loads what [`machine`](crate::execution::machine) asks for, calls it, and
/// saves what it returns, all in one transaction that no other writer can come between. Nothing but that happens in
/// the transaction. The store's time never goes back: it is the greater of the given time and the latest one that
/// it has seen of the tenant.
///
/// Cancel safety: a call whose future is dropped has either been done whole or not at all.
#[async_trait]
pub trait ChangeStore: Send + Sync + fmt::Debug + 'static {
    /// Queues a batch of one account with [`machine::queue`](crate::execution::machine::queue); the rows in the
    /// batch's order. A change whose id is stored already, in whatever status, is left as it is.
    async fn queue(&self, tenant: &TenantId, batch: QueueBatch) -> Result<Vec<ChangeRow>>;

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

    /// What the machine would see of the change's account, with movements as old as `window`; writes nothing.
    async fn view(
        &self,
        tenant: &TenantId,
        change: &AdChange,
        now: Timestamp,
        window: Duration,
    ) -> Result<AccountView>;

    /// The most urgent change that is due, by due time and then id. A change whose owner has another one in flight
    /// is not due.
    async fn due(&self, tenant: &TenantId, now: Timestamp) -> Result<Option<ChangeRow>>;

    /// When the next change is or was due, in the order of [`due`](Self::due).
    async fn next_due(&self, tenant: &TenantId) -> Result<Option<Timestamp>>;

    /// A change.
    async fn get(&self, tenant: &TenantId, id: ChangeId) -> Result<Option<ChangeRow>>;

    /// The changes that match, by the time of queueing and then id.
    async fn list(&self, tenant: &TenantId, filter: &ChangeFilter) -> Result<Vec<ChangeRow>>;

    /// Sets what the user allows in an account.
    async fn set_limits(&self, tenant: &TenantId, account_id: &str, limits: &AccountLimits) -> Result<()>;

    /// What the user allows in an account.
    async fn limits(&self, tenant: &TenantId, account_id: &str) -> Result<Option<AccountLimits>>;

    /// Switches a kill switch. When it returns, no request that was not under way before starts.
    async fn set_kill(&self, tenant: &TenantId, scope: &KillScope, on: bool) -> Result<()>;

    /// The kill switches that are on, in the order of their scopes.
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

    /// The latest time that the store has seen of the tenant.
    async fn high_water(&self, tenant: &TenantId) -> Result<Option<Timestamp>>;
}
