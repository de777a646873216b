//! Clicks in memory, in compact rows: what many clicks share is kept once, and what nothing reads back
//! ([`Personal::raw`](crate::store::Personal::raw)) is not kept.

mod index;
mod names;
mod rows;
mod tenant;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::ctx::TenantId;
use crate::env::Timestamp;
use crate::error::Result;
use crate::store::{AdClicks, Around, Candidate, Click, ClickStore, Erased, KeyedHash, Pruned, Tracked};

use tenant::Clicks;

/// A [`ClickStore`] in memory.
#[derive(Clone, Default)]
pub struct MemoryClicks(Arc<Mutex<BTreeMap<TenantId, Clicks>>>);

impl MemoryClicks {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<TenantId, Clicks>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `read` finds of a tenant's clicks; nothing when there are none.
    fn of<T: Default>(&self, tenant: &TenantId, read: impl FnOnce(&mut Clicks) -> T) -> T {
        self.lock().get_mut(tenant).map(read).unwrap_or_default()
    }
}

impl fmt::Debug for MemoryClicks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryClicks")
    }
}

#[async_trait]
impl ClickStore for MemoryClicks {
    async fn track(&self, tenant: &TenantId, clicks: &[Click], source: &str) -> Result<Tracked> {
        let mut tenants = self.lock();
        if !tenants.contains_key(tenant) {
            tenants.insert(tenant.clone(), Clicks::default());
        }
        tenants.get_mut(tenant).map_or_else(|| Ok(Tracked::default()), |stored| stored.track(clicks, source))
    }

    async fn candidates(
        &self,
        tenant: &TenantId,
        keys: &[KeyedHash],
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Candidate>> {
        let mut found = self.of(tenant, |stored| stored.candidates(keys, from, to));
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    async fn around(
        &self,
        tenant: &TenantId,
        networks: &[KeyedHash],
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Around> {
        Ok(self.of(tenant, |stored| stored.around(networks, from, to, limit)))
    }

    async fn prune(&self, tenant: &TenantId, before: Timestamp) -> Result<Pruned> {
        Ok(self.of(tenant, |stored| stored.prune(before)))
    }

    async fn erase(&self, tenant: &TenantId, keys: &[KeyedHash]) -> Result<Erased> {
        Ok(self.of(tenant, |stored| stored.erase(keys)))
    }

    async fn clicks_by_ad(&self, tenant: &TenantId, from: Timestamp, to: Timestamp) -> Result<Vec<AdClicks>> {
        Ok(self.of(tenant, |stored| stored.by_ad(from, to)))
    }

    async fn count(&self, tenant: &TenantId, source: Option<&str>) -> Result<u64> {
        Ok(self.of(tenant, |stored| stored.count(source)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_the_contract() {
        crate::conformance::click_store(&MemoryClicks::default()).await;
    }
}
