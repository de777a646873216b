use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::crm::CrmEvent;
use crate::ctx::TenantId;
use crate::error::Result;
use crate::store::{Appended, DealRevenue, KeyedHash, RevenueStore, RevenueTotals};

/// A [`RevenueStore`] in memory.
#[derive(Clone, Default)]
pub struct MemoryRevenue(Arc<Mutex<BTreeMap<TenantId, Revenue>>>);

impl MemoryRevenue {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<TenantId, Revenue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryRevenue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryRevenue")
    }
}

/// The events and deals of one tenant.
#[derive(Default)]
struct Revenue {
    events: BTreeMap<KeyedHash, CrmEvent>,
    by_deal: BTreeMap<String, BTreeSet<KeyedHash>>,
    deals: BTreeMap<String, DealRevenue>,
    by_source: BTreeMap<String, u64>,
}

impl Revenue {
    fn append(&mut self, event: &CrmEvent) -> bool {
        if let Some(stored) = self.events.get_mut(&event.key) {
            if event.raw < stored.raw {
                stored.raw.clone_from(&event.raw);
            }
            return false;
        }
        if let Some(change) = &event.stage_change {
            self.by_deal.entry(change.deal_id.clone()).or_default().insert(event.key);
        }
        self.events.insert(event.key, event.clone());
        true
    }

    fn stage_events(&self, deal_id: &str) -> u64 {
        self.by_deal.get(deal_id).map_or(0, |keys| keys.len() as u64)
    }

    fn is_pending(&self, deal_id: &str) -> bool {
        self.deals.get(deal_id).map_or(0, |deal| deal.events_seen) < self.stage_events(deal_id)
    }
}

#[async_trait]
impl RevenueStore for MemoryRevenue {
    async fn append_events(&self, tenant: &TenantId, events: &[CrmEvent], source: &str) -> Result<Appended> {
        let mut tenants = self.lock();
        let stored = tenants.entry(tenant.clone()).or_default();
        let mut appended = Appended::default();
        for event in events {
            if stored.append(event) {
                appended.inserted += 1;
            } else {
                appended.duplicates += 1;
            }
        }
        *stored.by_source.entry(source.to_owned()).or_default() += appended.inserted;
        Ok(appended)
    }

    async fn pending_deals(&self, tenant: &TenantId, limit: usize) -> Result<Vec<String>> {
        let tenants = self.lock();
        let Some(stored) = tenants.get(tenant) else { return Ok(Vec::new()) };
        Ok(stored.by_deal.keys().filter(|id| stored.is_pending(id)).take(limit).cloned().collect())
    }

    async fn events(&self, tenant: &TenantId, deal_id: &str) -> Result<Vec<CrmEvent>> {
        let tenants = self.lock();
        let Some(stored) = tenants.get(tenant) else { return Ok(Vec::new()) };
        let keys = stored.by_deal.get(deal_id).into_iter().flatten();
        Ok(keys.filter_map(|key| stored.events.get(key)).cloned().collect())
    }

    async fn put_deal(&self, tenant: &TenantId, deal: &DealRevenue) -> Result<bool> {
        let mut tenants = self.lock();
        let stored = tenants.entry(tenant.clone()).or_default();
        if deal.events_seen == 0 || deal.events_seen > stored.stage_events(&deal.deal_id) {
            return Err(DealRevenue::unseen_events());
        }
        if stored.deals.get(&deal.deal_id).is_some_and(|d| d.events_seen > deal.events_seen) {
            return Ok(false);
        }
        stored.deals.insert(deal.deal_id.clone(), deal.clone());
        Ok(true)
    }

    async fn deals(&self, tenant: &TenantId) -> Result<Vec<DealRevenue>> {
        Ok(self.lock().get(tenant).map(|r| r.deals.values().cloned().collect()).unwrap_or_default())
    }

    async fn totals(&self, tenant: &TenantId) -> Result<RevenueTotals> {
        let tenants = self.lock();
        let mut totals = RevenueTotals::default();
        for deal in tenants.get(tenant).into_iter().flat_map(|r| r.deals.values()) {
            let found = deal.matched.found.as_ref();
            totals.add(found.map(|f| (f.layer, f.ad_id.as_str())), deal.value_minor)?;
        }
        Ok(totals)
    }

    async fn count_events(&self, tenant: &TenantId, source: Option<&str>) -> Result<u64> {
        let tenants = self.lock();
        let Some(stored) = tenants.get(tenant) else { return Ok(0) };
        Ok(match source {
            Some(source) => stored.by_source.get(source).copied().unwrap_or_default(),
            None => stored.by_source.values().sum(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_the_contract() {
        crate::conformance::revenue_store(&MemoryRevenue::default()).await;
    }
}
