//! The spend ledger of a client: in its stores, opened at the first call.

use std::sync::Arc;

use async_trait::async_trait;
use xynergy_core::spend::{LimitScope, Reserve, Settlement, Spend, SpendLedger, SpendLimit, Window};
use xynergy_core::{Result, TenantId, Timestamp};

use crate::stores::Opener;

/// Asks the ledger of the stores, which the first call opens.
#[derive(Debug)]
pub(crate) struct StoredLedger(pub(crate) Arc<Opener>);

impl StoredLedger {
    async fn ledger(&self) -> Result<&Arc<dyn SpendLedger>> {
        Ok(&self.0.get().await?.spend)
    }

    /// The ledger, if a call has opened it.
    fn opened(&self) -> Option<&Arc<dyn SpendLedger>> {
        self.0.opened().map(|stores| &stores.spend)
    }
}

#[async_trait]
impl SpendLedger for StoredLedger {
    async fn set_limit(&self, tenant: &TenantId, limit: SpendLimit) -> Result<()> {
        self.ledger().await?.set_limit(tenant, limit).await
    }

    async fn remove_limit(&self, tenant: &TenantId, scope: &LimitScope, window: Window) -> Result<bool> {
        self.ledger().await?.remove_limit(tenant, scope, window).await
    }

    async fn limits(&self, tenant: &TenantId) -> Result<Vec<SpendLimit>> {
        self.ledger().await?.limits(tenant).await
    }

    fn remembered(&self, tenant: &TenantId) -> Option<Vec<SpendLimit>> {
        self.opened()?.remembered(tenant)
    }

    async fn reserve(&self, tenant: &TenantId, request: &Reserve) -> Result<Vec<SpendLimit>> {
        self.ledger().await?.reserve(tenant, request).await
    }

    async fn settle(&self, tenant: &TenantId, id: u128, settlement: &Settlement) -> Result<()> {
        self.ledger().await?.settle(tenant, id, settlement).await
    }

    fn close(&self, tenant: &TenantId, id: u128, used: Option<Settlement>) {
        // Where no call has opened it, there is nothing to close.
        if let Some(ledger) = self.opened() {
            ledger.close(tenant, id, used);
        }
    }

    async fn drain(&self) -> Result<()> {
        match self.opened() {
            Some(ledger) => ledger.drain().await,
            None => Ok(()),
        }
    }

    async fn spend(&self, tenant: &TenantId, since: Option<Timestamp>, now: Timestamp) -> Result<Spend> {
        self.ledger().await?.spend(tenant, since, now).await
    }
}
