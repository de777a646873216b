//! CRM events and the revenue ledger in PostgreSQL.
//!
//! Every writer works in one order, events by key, deals by id, ingest, so that batches that overlap wait for each other
//! and never in a circle.

mod inbox;
mod ledger;

use async_trait::async_trait;
use tokio_postgres::Row;
use xynergy_core::crm::CrmEvent;
use xynergy_core::store::{Appended, DealRevenue, KeyedHash, Revaluation, RevenueStore, RevenueTotals};
use xynergy_core::{Result, TenantId, Timestamp};

use super::PostgresStore;
use super::kept::{Kept, text};
use super::numbers::{self, unsigned};
use super::transaction::retried;

/// Two searches, each by an index of its own.
const PENDING: &str = "
    (SELECT deal_id FROM deals WHERE tenant_id = $1 AND events_seen < events ORDER BY deal_id LIMIT $2)
    UNION
    (SELECT deal_id FROM deals WHERE tenant_id = $1 AND values_seen <
         (SELECT coalesce(sum(events_seen + 1), 0) FROM revaluations WHERE tenant_id = $1)
     ORDER BY deal_id LIMIT $2)
    ORDER BY deal_id LIMIT $2";

const PUT_REVALUATION: &str = "
    INSERT INTO revaluations AS r (tenant_id, cut, recorded_at, events_seen, stage_table) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (tenant_id, cut) DO UPDATE SET recorded_at = least(r.recorded_at, excluded.recorded_at),
        events_seen = excluded.events_seen, stage_table = excluded.stage_table
    WHERE r.events_seen <= excluded.events_seen";

#[async_trait]
impl RevenueStore for PostgresStore {
    async fn append_events(&self, tenant: &TenantId, events: &[CrmEvent], source: &str) -> Result<Appended> {
        let batch = inbox::distinct(events)?;
        let appended = retried(|| self.append_once(tenant.as_str(), &batch, source)).await;
        let inserted = appended.map_err(|failure| failure.into_error("hubspot.accept"))?;
        Ok(Appended { inserted, duplicates: events.len() as u64 - inserted })
    }

    async fn pending_deals(&self, tenant: &TenantId, limit: usize) -> Result<Vec<String>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let pending = self.call("revenue.pending_deals", async |client| {
            let statement = client.prepare_cached(PENDING).await?;
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

    async fn events_after(
        &self,
        tenant: &TenantId,
        after: Option<KeyedHash>,
        limit: usize,
    ) -> Result<Vec<CrmEvent>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let events = self.call("revenue.events_after", async |client| {
            let after: &[u8] = after.as_ref().map_or(&[], |key| key.as_bytes());
            let statement = client.prepare_cached(inbox::EVENTS_AFTER).await?;
            let rows = client.query(&statement, &[&tenant.as_str(), &after, &limit]).await?;
            rows.iter().map(inbox::event).collect()
        });
        events.await
    }

    async fn count_until(&self, tenant: &TenantId, until: Timestamp) -> Result<u64> {
        let counted = self.call("revenue.count_until", async |client| {
            let statement = client
                .prepare_cached(
                    "SELECT count(*) FROM crm_events WHERE tenant_id = $1 AND deals <> '[]' AND occurred_at <= $2",
                )
                .await?;
            let row = client.query_one(&statement, &[&tenant.as_str(), &until.micros()]).await?;
            unsigned(row.get(0))
        });
        counted.await
    }

    async fn put_deals(&self, tenant: &TenantId, deals: &[DealRevenue]) -> Result<bool> {
        let put = retried(|| self.put_once(tenant.as_str(), deals)).await;
        put.map_err(|failure| failure.into_error("revenue.put_deals"))
    }

    async fn deals(&self, tenant: &TenantId) -> Result<Vec<DealRevenue>> {
        self.deals_of(tenant, None).await
    }

    async fn find_deals(&self, tenant: &TenantId, ids: &[String]) -> Result<Vec<DealRevenue>> {
        self.deals_of(tenant, Some(ids)).await
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

    async fn put_revaluation(&self, tenant: &TenantId, revaluation: &Revaluation) -> Result<bool> {
        let seen = numbers::stored(revaluation.events_seen)?;
        let put = self.call("revenue.put_revaluation", async |client| {
            let statement = client.prepare_cached(PUT_REVALUATION).await?;
            let (cut, recorded_at) = (revaluation.cut.micros(), revaluation.recorded_at.micros());
            let table = Kept(&revaluation.stage_table);
            let written =
                client.execute(&statement, &[&tenant.as_str(), &cut, &recorded_at, &seen, &table]).await?;
            Ok(written == 1)
        });
        put.await
    }

    async fn revaluations(&self, tenant: &TenantId) -> Result<Vec<Revaluation>> {
        let found = self.call("revenue.revaluations", async |client| {
            let statement = client
                .prepare_cached(
                    "SELECT cut, recorded_at, events_seen, stage_table FROM revaluations
                     WHERE tenant_id = $1 ORDER BY cut",
                )
                .await?;
            let rows = client.query(&statement, &[&tenant.as_str()]).await?;
            let revaluation = |row| {
                Ok(Revaluation {
                    cut: Timestamp::from_micros(Row::get(row, 0)),
                    recorded_at: Timestamp::from_micros(row.get(1)),
                    events_seen: unsigned(row.get(2))?,
                    stage_table: text(row, 3),
                })
            };
            rows.iter().map(revaluation).collect()
        });
        found.await
    }
}

impl PostgresStore {
    async fn deals_of(&self, tenant: &TenantId, ids: Option<&[String]>) -> Result<Vec<DealRevenue>> {
        let ids: Option<Vec<Kept<'_>>> = ids.map(|ids| ids.iter().map(|id| Kept(id)).collect());
        let deals = self.call("revenue.deals", async |client| {
            let statement = client.prepare_cached(ledger::DEALS).await?;
            let rows = client.query(&statement, &[&tenant.as_str(), &ids]).await?;
            rows.iter().map(ledger::deal).collect()
        });
        deals.await
    }
}
