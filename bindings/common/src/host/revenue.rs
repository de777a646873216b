use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use xynergy::crm::CrmEvent;
use xynergy::store::{Appended, DealRevenue, RevenueStore, RevenueTotals};
use xynergy::{Result, TenantId};

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
struct PutDeal<'a> {
    tenant: &'a TenantId,
    deal: &'a DealRevenue,
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

    async fn put_deal(&self, tenant: &TenantId, deal: &DealRevenue) -> Result<bool> {
        self.0.call("put_deal", &PutDeal { tenant, deal }).await
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
}
