use std::sync::Arc;

use super::{Reserve, Settlement, SpendLedger, SpendLimit};
use crate::ctx::{Ctx, TenantId};
use crate::error::{ErrorKind, Result};

/// Holds a reservation. Dropped without a settlement, at whatever point, it gives back what was not used.
#[derive(Debug)]
#[must_use = "dropping it gives the reservation back"]
pub struct SpendGuard {
    ledger: Arc<dyn SpendLedger>,
    tenant: TenantId,
    id: u128,
    used: Option<Settlement>,
    open: bool,
}

impl SpendGuard {
    /// Reserves. Also returns the soft limits that are crossed. Cancel safe.
    pub async fn reserve(
        ledger: &Arc<dyn SpendLedger>,
        ctx: &Ctx,
        request: &Reserve,
    ) -> Result<(Self, Vec<SpendLimit>)> {
        // The guard stands before the ledger is asked, so that a dropped future gives back what may have been written.
        let mut guard = Self {
            ledger: Arc::clone(ledger),
            tenant: ctx.tenant.clone(),
            id: request.id,
            used: None,
            open: true,
        };
        let reserved = ledger.reserve(&ctx.tenant, request).await;
        // A refusal is an answer: there is nothing to give back, and nothing to write about it.
        guard.open = !matches!(&reserved, Err(error) if error.kind() == ErrorKind::LimitExceeded);
        reserved.map(|crossed| (guard, crossed))
    }

    /// Notes what has been used so far, which is settled even if the guard is dropped.
    pub fn note(&mut self, used: Settlement) {
        self.used = Some(used);
    }

    /// Settles with what the call cost. When the future is dropped or the ledger fails, the guard closes with the same.
    pub async fn settle(mut self, settlement: Settlement) -> Result<()> {
        self.used = Some(settlement.clone());
        self.ledger.settle(&self.tenant, self.id, &settlement).await?;
        self.open = false;
        Ok(())
    }
}

impl Drop for SpendGuard {
    fn drop(&mut self) {
        if self.open {
            self.ledger.close(&self.tenant, self.id, self.used.take());
        }
    }
}
