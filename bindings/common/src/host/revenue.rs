use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use xynergy::crm::CrmEvent;
use xynergy::store::{Appended, DealRevenue, KeyedHash, Revaluation, RevenueStore, RevenueTotals};
use xynergy::{Result, TenantId, Timestamp};

use super::{Host, Seat};

/// A store of CRM events and revenue of the host's.
#[derive(Clone, Debug)]
pub struct HostRevenue(Seat);

impl HostRevenue {
    /// The store behind `host`.
    pub fn new(host: Arc<dyn Host>, timeout: Duration) -> Self {
        Self(Seat::new("stores.revenue", host, timeout))
    }
}

#[derive(Serialize)]
struct Append<'a> {
    tenant: &'a TenantId,
    events: &'a [CrmEvent],
    source: &'a str,
}

#[derive(Serialize)]
struct Pending<'a> {
    tenant: &'a TenantId,
    limit: usize,
}

#[derive(Serialize)]
struct OfDeal<'a> {
    tenant: &'a TenantId,
    deal_id: &'a str,
}

#[derive(Serialize)]
struct After<'a> {
    tenant: &'a TenantId,
    after: Option<KeyedHash>,
    limit: usize,
}

#[derive(Serialize)]
struct Until<'a> {
    tenant: &'a TenantId,
    until: Timestamp,
}

#[derive(Serialize)]
struct PutDeals<'a> {
    tenant: &'a TenantId,
    deals: &'a [DealRevenue],
}

#[derive(Serialize)]
struct FindDeals<'a> {
    tenant: &'a TenantId,
    ids: &'a [String],
}

#[derive(Serialize)]
struct PutRevaluation<'a> {
    tenant: &'a TenantId,
    revaluation: &'a Revaluation,
}

#[derive(Serialize)]
struct OfTenant<'a> {
    tenant: &'a TenantId,
}

#[derive(Serialize)]
struct Count<'a> {
    tenant: &'a TenantId,
    source: Option<&'a str>,
}

#[async_trait]
impl RevenueStore for HostRevenue {
    async fn append_events(&self, tenant: &TenantId, events: &[CrmEvent], source: &str) -> Result<Appended> {
        self.0.call("append_events", &Append { tenant, events, source }).await
    }

    async fn pending_deals(&self, tenant: &TenantId, limit: usize) -> Result<Vec<String>> {
        self.0.call("pending_deals", &Pending { tenant, limit }).await
    }

    async fn events(&self, tenant: &TenantId, deal_id: &str) -> Result<Vec<CrmEvent>> {
        self.0.call("events", &OfDeal { tenant, deal_id }).await
    }

    async fn events_after(
        &self,
        tenant: &TenantId,
        after: Option<KeyedHash>,
        limit: usize,
    ) -> Result<Vec<CrmEvent>> {
        self.0.call("events_after", &After { tenant, after, limit }).await
    }

    async fn count_until(&self, tenant: &TenantId, until: Timestamp) -> Result<u64> {
        self.0.call("count_until", &Until { tenant, until }).await
    }

    async fn put_deals(&self, tenant: &TenantId, deals: &[DealRevenue]) -> Result<bool> {
        self.0.call("put_deals", &PutDeals { tenant, deals }).await
    }

    async fn find_deals(&self, tenant: &TenantId, ids: &[String]) -> Result<Vec<DealRevenue>> {
        self.0.call("find_deals", &FindDeals { tenant, ids }).await
    }

    async fn deals(&self, tenant: &TenantId) -> Result<Vec<DealRevenue>> {
        self.0.call("deals", &OfTenant { tenant }).await
    }

    async fn totals(&self, tenant: &TenantId) -> Result<RevenueTotals> {
        self.0.call("totals", &OfTenant { tenant }).await
    }

    async fn count_events(&self, tenant: &TenantId, source: Option<&str>) -> Result<u64> {
        self.0.call("count_events", &Count { tenant, source }).await
    }

    async fn put_revaluation(&self, tenant: &TenantId, revaluation: &Revaluation) -> Result<bool> {
        self.0.call("put_revaluation", &PutRevaluation { tenant, revaluation }).await
    }

    async fn revaluations(&self, tenant: &TenantId) -> Result<Vec<Revaluation>> {
        self.0.call("revaluations", &OfTenant { tenant }).await
    }
}
