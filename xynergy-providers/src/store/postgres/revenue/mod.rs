//! CRM events and the revenue ledger in PostgreSQL.
//!
//! Every writer works in one order, events by key, deals by id, ingest, so that batches that overlap wait for each other
//! and never in a circle.

mod inbox;
mod ledger;

use async_trait::async_trait;
use xynergy_core::crm::CrmEvent;
use xynergy_core::store::{Appended, DealRevenue, RevenueStore, RevenueTotals};
use xynergy_core::{Result, TenantId};

use super::PostgresStore;
use super::kept::{Kept, text};
use super::numbers::unsigned;
use super::transaction::retried;

#[async_trait]
impl RevenueStore for PostgresStore {
    async fn append_events(&self, tenant: &TenantId, events: &[CrmEvent], source: &str) -> Result<Appended> {
        let batch = inbox::distinct(events);
        let appended = retried(|| self.append_once(tenant.as_str(), &batch, source)).await;
        let inserted = appended.map_err(|failure| failure.into_error("hubspot.accept"))?;
        Ok(Appended { inserted, duplicates: events.len() as u64 - inserted })
    }

    async fn pending_deals(&self, tenant: &TenantId, limit: usize) -> Result<Vec<String>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let pending = self.call("revenue.pending_deals", async |client| {
            let statement = client
                .prepare_cached(
                    "SELECT deal_id FROM deals WHERE tenant_id = $1 AND events_seen < events
                     ORDER BY deal_id LIMIT $2",
                )
                .await?;
            let rows = client.query(&statement, &[&tenant.as_str(), &limit]).await?;
            Ok(rows.iter().map(|row| text(row, 0)).collect())
        });
        pending.await
    }

    async fn events(&self, tenant: &TenantId, deal_id: &str) -> Result<Vec<CrmEvent>> {
        let events = self.call("revenue.events", async |client| {
            let statement = client.prepare_cached(inbox::EVENTS_OF_DEAL).await?;
            let rows = client.query(&statement, &[&tenant.as_str(), &Kept(deal_id)]).await?;
            rows.iter().map(inbox::event).collect()
        });
        events.await
    }

    async fn put_deal(&self, tenant: &TenantId, deal: &DealRevenue) -> Result<bool> {
        let put = retried(|| self.put_once(tenant.as_str(), deal)).await;
        put.map_err(|failure| failure.into_error("revenue.put_deal"))
    }

    async fn deals(&self, tenant: &TenantId) -> Result<Vec<DealRevenue>> {
        let deals = self.call("revenue.deals", async |client| {
            let statement = client.prepare_cached(ledger::DEALS).await?;
            let rows = client.query(&statement, &[&tenant.as_str()]).await?;
            rows.iter().map(ledger::deal).collect()
        });
        deals.await
    }

    async fn totals(&self, tenant: &TenantId) -> Result<RevenueTotals> {
        let totals = self.call("revenue.totals", async |client| {
            let statement = client.prepare_cached(ledger::TOTALS).await?;
            let rows = client.query(&statement, &[&tenant.as_str()]).await.map_err(ledger::sums_failed)?;
            ledger::totals(&rows)
        });
        totals.await
    }

    async fn count_events(&self, tenant: &TenantId, source: Option<&str>) -> Result<u64> {
        let counted = self.call("revenue.count_events", async |client| {
            let statement = client
                .prepare_cached(
                    "SELECT coalesce(sum(events), 0)::bigint FROM crm_event_ingests
                     WHERE tenant_id = $1 AND ($2::text IS NULL OR source = $2)",
                )
                .await?;
            let row = client.query_one(&statement, &[&tenant.as_str(), &source.map(Kept)]).await?;
            unsigned(row.get(0))
        });
        counted.await
    }
}
