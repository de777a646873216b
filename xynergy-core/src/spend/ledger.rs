use std::fmt::Debug;

use async_trait::async_trait;

use super::{LimitScope, Reserve, Settlement, Spend, SpendLimit, Window};
use crate::ctx::TenantId;
use crate::env::Timestamp;
use crate::error::Result;

/// The account of reservations and settlements, per tenant.
///
/// At every moment, what is settled and reserved under a hard limit is at most the limit, as long as no call costs more than was
/// reserved for it and none outlives its lease; such a cost is recorded in full. `settle` and `close` of an id that is not open do
/// nothing, so both may be repeated.
#[async_trait]
pub trait SpendLedger: Send + Sync + Debug + 'static {
    /// Sets a limit of `tenant`, replacing the one of the same scope and window. What was spent before counts.
    async fn set_limit(&self, tenant: &TenantId, limit: SpendLimit) -> Result<()>;

    /// Removes a limit of `tenant`, and says whether there was one. A standing limit of the same scope and window holds again.
    async fn remove_limit(&self, tenant: &TenantId, scope: &LimitScope, window: Window) -> Result<bool>;

    /// The limits of `tenant`, ordered by scope and window.
    async fn limits(&self, tenant: &TenantId) -> Result<Vec<SpendLimit>>;

    /// The limits of `tenant` as they were last seen, for when the store is away; `None` when they never were.
    fn remembered(&self, tenant: &TenantId) -> Option<Vec<SpendLimit>> {
        let _ = tenant;
        None
    }

    /// Reserves, or refuses with `LimitExceeded` and when the window ends. Returns the soft limits that are crossed. What others
    /// reserved and did not settle within their lease is given back first.
    ///
    /// When the future is dropped, the caller calls [`SpendLedger::close`] with the id, which must then win.
    async fn reserve(&self, tenant: &TenantId, request: &Reserve) -> Result<Vec<SpendLimit>>;

    /// Replaces a reservation by what the call cost, also one whose lease has ended.
    async fn settle(&self, tenant: &TenantId, id: u128, settlement: &Settlement) -> Result<()>;

    /// Closes a reservation from a destructor: with what was used so far, or with nothing. Never waits; a ledger with I/O takes
    /// note and writes with its next call.
    fn close(&self, tenant: &TenantId, id: u128, used: Option<Settlement>);

    /// Writes what destructors closed.
    async fn drain(&self) -> Result<()> {
        Ok(())
    }

    /// What was spent since `since`, which is rounded down to the minute; everything that is kept when `None`.
    async fn spend(&self, tenant: &TenantId, since: Option<Timestamp>, now: Timestamp) -> Result<Spend>;
}
