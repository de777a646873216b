use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::crm::CrmEvent;
use crate::ctx::TenantId;
use crate::env::Timestamp;
use crate::error::Result;
use crate::store::{Appended, DealRevenue, KeyedHash, Revaluation, RevenueStore, RevenueTotals};

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
    revaluations: BTreeMap<Timestamp, Revaluation>,
}

impl Revenue {
    fn append(&mut self, event: &CrmEvent) -> bool {
        if let Some(stored) = self.events.get_mut(&event.key) {
            if event.raw < stored.raw {
                stored.raw.clone_from(&event.raw);
            }
            stored.recorded_at = stored.recorded_at.min(event.recorded_at);
            return false;
        }
        for deal_id in &event.deals {
            self.by_deal.entry(deal_id.clone()).or_default().insert(event.key);
        }
        self.events.insert(event.key, event.clone());
        true
    }

    fn events_of(&self, deal_id: &str) -> u64 {
        self.by_deal.get(deal_id).map_or(0, |keys| keys.len() as u64)
    }

    fn is_pending(&self, deal_id: &str) -> bool {
        let (seen, values) =
            self.deals.get(deal_id).map_or((0, 0), |deal| (deal.events_seen, deal.values_seen));
        seen < self.events_of(deal_id) || values < Revaluation::sum(self.revaluations.values())
    }

    fn put(&mut self, deals: &[DealRevenue]) -> Result<bool> {
        for deal in deals {
            let events = self.events_of(&deal.deal_id);
            if events == 0 || deal.events_seen > events {
                return Err(DealRevenue::unseen_events());
            }
        }
        let newer = |deal: &DealRevenue| {
            let stored = self.deals.get(&deal.deal_id);
            stored.is_some_and(|d| d.events_seen > deal.events_seen || d.values_seen > deal.values_seen)
        };
        if deals.iter().any(newer) {
            return Ok(false);
        }
        self.deals.extend(deals.iter().map(|deal| (deal.deal_id.clone(), deal.clone())));
        Ok(true)
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

    async fn events_after(
        &self,
        tenant: &TenantId,
        after: Option<KeyedHash>,
        limit: usize,
    ) -> Result<Vec<CrmEvent>> {
        let tenants = self.lock();
        let Some(stored) = tenants.get(tenant) else { return Ok(Vec::new()) };
        let from = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        let concern = stored.events.range(from).map(|(_, event)| event).filter(|e| !e.deals.is_empty());
        Ok(concern.take(limit).cloned().collect())
    }

    async fn count_until(&self, tenant: &TenantId, until: Timestamp) -> Result<u64> {
        let tenants = self.lock();
        let Some(stored) = tenants.get(tenant) else { return Ok(0) };
        let counted = stored.events.values().filter(|e| !e.deals.is_empty() && e.occurred_at <= until);
        Ok(counted.count() as u64)
    }

    async fn put_deals(&self, tenant: &TenantId, deals: &[DealRevenue]) -> Result<bool> {
        self.lock().entry(tenant.clone()).or_default().put(deals)
    }

    async fn deals(&self, tenant: &TenantId) -> Result<Vec<DealRevenue>> {
        let tenants = self.lock();
        let deals = tenants.get(tenant).into_iter().flat_map(|r| r.deals.values());
        Ok(deals.filter(|deal| deal.stage.is_some()).cloned().collect())
    }

    async fn find_deals(&self, tenant: &TenantId, ids: &[String]) -> Result<Vec<DealRevenue>> {
        let tenants = self.lock();
        let Some(stored) = tenants.get(tenant) else { return Ok(Vec::new()) };
        let ids: BTreeSet<&String> = ids.iter().collect();
        Ok(ids.into_iter().filter_map(|id| stored.deals.get(id)).cloned().collect())
    }

    async fn totals(&self, tenant: &TenantId) -> Result<RevenueTotals> {
        let tenants = self.lock();
        let mut totals = RevenueTotals::default();
        let deals = tenants.get(tenant).into_iter().flat_map(|r| r.deals.values());
        for deal in deals.filter(|deal| deal.stage.is_some() && deal.merged_into.is_none()) {
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

    async fn put_revaluation(&self, tenant: &TenantId, revaluation: &Revaluation) -> Result<bool> {
        let mut tenants = self.lock();
        let stored = tenants.entry(tenant.clone()).or_default();
        let mut kept = revaluation.clone();
        if let Some(known) = stored.revaluations.get(&revaluation.cut) {
            if known.events_seen > revaluation.events_seen {
                return Ok(false);
            }
            kept.recorded_at = kept.recorded_at.min(known.recorded_at);
        }
        stored.revaluations.insert(kept.cut, kept);
        Ok(true)
    }

    async fn revaluations(&self, tenant: &TenantId) -> Result<Vec<Revaluation>> {
        let tenants = self.lock();
        Ok(tenants.get(tenant).map(|r| r.revaluations.values().cloned().collect()).unwrap_or_default())
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
