use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use xynergy_core::crm::{CrmEvent, StageChange};
use xynergy_core::store::{
    Appended, Attributed, DealRevenue, KeyedHash, Layer, LedgerEntry, Match, RevenueStore, RevenueTotals,
};
use xynergy_core::{Result, TenantId, Timestamp};

use super::SqliteStore;
use super::error::Failure;

const INSERT_EVENT: &str = "
    INSERT INTO crm_events (tenant_id, key, occurred_at, event_id, deal_id, stage, raw)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    ON CONFLICT (tenant_id, key) DO NOTHING";

const KEEP_SMALLEST_RAW: &str =
    "UPDATE crm_events SET raw = ?3 WHERE tenant_id = ?1 AND key = ?2 AND raw > ?3";

const COUNT_STAGE_EVENT: &str = "
    INSERT INTO deals (tenant_id, deal_id, events) VALUES (?1, ?2, 1)
    ON CONFLICT (tenant_id, deal_id) DO UPDATE SET events = events + 1";

const COUNT_INGEST: &str = "
    INSERT INTO crm_event_ingests (tenant_id, source, events) VALUES (?1, ?2, ?3)
    ON CONFLICT (tenant_id, source) DO UPDATE SET events = events + excluded.events";

const PUT_STATE: &str = "
    UPDATE deals SET events_seen = ?3, stage = ?4, value_minor = ?5, layer = ?6, click_id = ?7, ad_id = ?8,
                     adset_id = ?9, campaign_id = ?10, anchor = ?11, rule_version = ?12, receipt = ?13
    WHERE tenant_id = ?1 AND deal_id = ?2";

const PUT_ENTRY: &str = "
    INSERT INTO revenue_entries (tenant_id, deal_id, position, event_key, occurred_at, stage_from, stage_to, delta_minor)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

const STATES: &str = "
    SELECT deal_id, events_seen, stage, value_minor, layer, click_id, ad_id, adset_id, campaign_id, anchor,
           rule_version, receipt
    FROM deals WHERE tenant_id = ?1 AND stage IS NOT NULL ORDER BY deal_id";

const ENTRIES: &str = "
    SELECT event_key, occurred_at, stage_from, stage_to, delta_minor
    FROM revenue_entries WHERE tenant_id = ?1 AND deal_id = ?2 ORDER BY position";

#[async_trait]
impl RevenueStore for SqliteStore {
    async fn append_events(&self, tenant: &TenantId, events: &[CrmEvent], source: &str) -> Result<Appended> {
        let (tenant, source, events) = (tenant.to_string(), source.to_owned(), events.to_vec());
        self.transaction("hubspot.accept", move |transaction| {
            Ok(append(transaction, &tenant, &events, &source)?)
        })
        .await
    }

    async fn pending_deals(&self, tenant: &TenantId, limit: usize) -> Result<Vec<String>> {
        let (tenant, limit) = (tenant.to_string(), i64::try_from(limit).unwrap_or(i64::MAX));
        self.call("revenue.pending_deals", move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT deal_id FROM deals WHERE tenant_id = ?1 AND events_seen < events ORDER BY deal_id LIMIT ?2",
            )?;
            let rows = statement.query_map(params![tenant, limit], |row| row.get(0))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    async fn events(&self, tenant: &TenantId, deal_id: &str) -> Result<Vec<CrmEvent>> {
        let (tenant, deal_id) = (tenant.to_string(), deal_id.to_owned());
        self.call("revenue.events", move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT key, occurred_at, event_id, deal_id, stage, raw FROM crm_events
                 WHERE tenant_id = ?1 AND deal_id = ?2 ORDER BY key",
            )?;
            let rows = statement.query_map(params![tenant, deal_id], event)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    async fn put_deal(&self, tenant: &TenantId, deal: &DealRevenue) -> Result<bool> {
        let (tenant, deal) = (tenant.to_string(), deal.clone());
        self.transaction("revenue.put_deal", move |transaction| put(transaction, &tenant, &deal)).await
    }

    async fn deals(&self, tenant: &TenantId) -> Result<Vec<DealRevenue>> {
        let tenant = tenant.to_string();
        self.call("revenue.deals", move |connection| {
            // One snapshot: a state and its entries belong together.
            let snapshot = connection.transaction()?;
            Ok(states(&snapshot, &tenant)?)
        })
        .await
    }

    async fn totals(&self, tenant: &TenantId) -> Result<RevenueTotals> {
        let tenant = tenant.to_string();
        self.call("revenue.totals", move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT layer, ad_id, value_minor FROM deals WHERE tenant_id = ?1 AND stage IS NOT NULL",
            )?;
            let mut rows = statement.query(params![tenant])?;
            let mut totals = RevenueTotals::default();
            while let Some(row) = rows.next()? {
                let ad_id: Option<String> = row.get(1)?;
                totals.add(layer(row, 0)?.zip(ad_id.as_deref()), row.get(2)?)?;
            }
            Ok(totals)
        })
        .await
    }

    async fn count_events(&self, tenant: &TenantId, source: Option<&str>) -> Result<u64> {
        let (tenant, source) = (tenant.to_string(), source.map(str::to_owned));
        self.call("revenue.count_events", move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT sum(events) FROM crm_event_ingests WHERE tenant_id = ?1 AND (?2 IS NULL OR source = ?2)",
            )?;
            let sum: Option<u64> = statement.query_row(params![tenant, source], |row| row.get(0))?;
            Ok(sum.unwrap_or(0))
        })
        .await
    }
}

fn append(
    transaction: &Transaction<'_>,
    tenant: &str,
    events: &[CrmEvent],
    source: &str,
) -> rusqlite::Result<Appended> {
    let mut appended = Appended::default();
    let mut insert = transaction.prepare_cached(INSERT_EVENT)?;
    for event in events {
        let change = event.stage_change.as_ref();
        let inserted = insert.execute(params![
            tenant,
            event.key.as_bytes(),
            event.occurred_at.micros(),
            event.event_id,
            change.map(|c| &c.deal_id),
            change.map(|c| &c.stage),
            event.raw,
        ])?;
        if inserted == 0 {
            appended.duplicates += 1;
            transaction.prepare_cached(KEEP_SMALLEST_RAW)?.execute(params![
                tenant,
                event.key.as_bytes(),
                event.raw
            ])?;
            continue;
        }
        appended.inserted += 1;
        if let Some(change) = change {
            transaction.prepare_cached(COUNT_STAGE_EVENT)?.execute(params![tenant, change.deal_id])?;
        }
    }
    transaction.prepare_cached(COUNT_INGEST)?.execute(params![tenant, source, appended.inserted])?;
    Ok(appended)
}

fn put(
    transaction: &Transaction<'_>,
    tenant: &str,
    deal: &DealRevenue,
) -> std::result::Result<bool, Failure> {
    let stored: Option<(u64, u64)> = transaction
        .prepare_cached("SELECT events, events_seen FROM deals WHERE tenant_id = ?1 AND deal_id = ?2")?
        .query_row(params![tenant, deal.deal_id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (events, seen) = stored.unwrap_or_default();
    if deal.events_seen == 0 || deal.events_seen > events {
        return Err(DealRevenue::unseen_events().into());
    }
    if seen > deal.events_seen {
        return Ok(false);
    }
    let found = deal.matched.found.as_ref();
    transaction.prepare_cached(PUT_STATE)?.execute(params![
        tenant,
        deal.deal_id,
        deal.events_seen,
        deal.stage,
        deal.value_minor,
        found.map(|f| f.layer.number()),
        found.and_then(|f| f.click_id.as_deref()),
        found.map(|f| &f.ad_id),
        found.and_then(|f| f.adset_id.as_deref()),
        found.and_then(|f| f.campaign_id.as_deref()),
        deal.matched.anchor.micros(),
        deal.matched.rule_version,
        deal.matched.receipt,
    ])?;
    transaction
        .prepare_cached("DELETE FROM revenue_entries WHERE tenant_id = ?1 AND deal_id = ?2")?
        .execute(params![tenant, deal.deal_id])?;
    let mut put_entry = transaction.prepare_cached(PUT_ENTRY)?;
    for (position, entry) in deal.entries.iter().enumerate() {
        put_entry.execute(params![
            tenant,
            deal.deal_id,
            position,
            entry.event.as_bytes(),
            entry.occurred_at.micros(),
            entry.stage_from,
            entry.stage_to,
            entry.delta_minor,
        ])?;
    }
    Ok(true)
}

fn states(connection: &Connection, tenant: &str) -> rusqlite::Result<Vec<DealRevenue>> {
    let mut deals = connection
        .prepare_cached(STATES)?
        .query_map(params![tenant], state)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut entries = connection.prepare_cached(ENTRIES)?;
    for deal in &mut deals {
        deal.entries =
            entries.query_map(params![tenant, deal.deal_id], entry)?.collect::<rusqlite::Result<_>>()?;
    }
    Ok(deals)
}

fn event(row: &Row<'_>) -> rusqlite::Result<CrmEvent> {
    let change = row.get::<_, Option<String>>(3)?.zip(row.get::<_, Option<String>>(4)?);
    Ok(CrmEvent {
        key: KeyedHash::from_bytes(row.get(0)?),
        occurred_at: Timestamp::from_micros(row.get(1)?),
        event_id: row.get(2)?,
        stage_change: change.map(|(deal_id, stage)| StageChange { deal_id, stage }),
        raw: row.get(5)?,
    })
}

/// A deal without its entries.
fn state(row: &Row<'_>) -> rusqlite::Result<DealRevenue> {
    let found = match layer(row, 4)? {
        Some(layer) => Some(Attributed {
            layer,
            click_id: row.get(5)?,
            ad_id: row.get(6)?,
            adset_id: row.get(7)?,
            campaign_id: row.get(8)?,
        }),
        None => None,
    };
    Ok(DealRevenue {
        deal_id: row.get(0)?,
        events_seen: row.get(1)?,
        stage: row.get(2)?,
        value_minor: row.get(3)?,
        entries: Vec::new(),
        matched: Match {
            found,
            anchor: Timestamp::from_micros(row.get(9)?),
            rule_version: row.get(10)?,
            receipt: row.get(11)?,
        },
    })
}

fn entry(row: &Row<'_>) -> rusqlite::Result<LedgerEntry> {
    Ok(LedgerEntry {
        event: KeyedHash::from_bytes(row.get(0)?),
        occurred_at: Timestamp::from_micros(row.get(1)?),
        stage_from: row.get(2)?,
        stage_to: row.get(3)?,
        delta_minor: row.get(4)?,
    })
}

fn layer(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Layer>> {
    Ok(row.get::<_, Option<u8>>(column)?.and_then(Layer::from_number))
}
