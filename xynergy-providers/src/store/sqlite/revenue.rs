use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use xynergy_core::crm::CrmEvent;
use xynergy_core::store::{
    Appended, Attributed, DealRevenue, EntryCause, KeyedHash, Layer, LedgerEntry, Match, Revaluation,
    RevenueStore, RevenueTotals,
};
use xynergy_core::{Result, TenantId, Timestamp};

use super::SqliteStore;
use super::error::Failure;
use super::json;

const INSERT_EVENT: &str = "
    INSERT INTO crm_events (tenant_id, key, occurred_at, recorded_at, event_id, deals, change, raw)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    ON CONFLICT (tenant_id, key) DO NOTHING";

const KEEP_SMALLEST: &str = "
    UPDATE crm_events SET raw = min(raw, ?3), recorded_at = min(recorded_at, ?4)
    WHERE tenant_id = ?1 AND key = ?2 AND (raw > ?3 OR recorded_at > ?4)";

const CONCERN: &str =
    "INSERT INTO crm_event_deals (tenant_id, deal_id, key) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";

const COUNT_EVENT: &str = "
    INSERT INTO deals (tenant_id, deal_id, events) VALUES (?1, ?2, 1)
    ON CONFLICT (tenant_id, deal_id) DO UPDATE SET events = events + 1";

/// Two searches, each by an index of its own.
const PENDING: &str = "
    SELECT deal_id FROM (SELECT deal_id FROM deals WHERE tenant_id = ?1 AND events_seen < events
                         ORDER BY deal_id LIMIT ?2)
    UNION
    SELECT deal_id FROM (SELECT deal_id FROM deals WHERE tenant_id = ?1 AND values_seen <
                             (SELECT coalesce(sum(events_seen + 1), 0) FROM revaluations WHERE tenant_id = ?1)
                         ORDER BY deal_id LIMIT ?2)
    ORDER BY deal_id LIMIT ?2";

const EVENT: &str = "key, occurred_at, recorded_at, event_id, deals, change, raw";

const PUT_REVALUATION: &str = "
    INSERT INTO revaluations (tenant_id, cut, recorded_at, events_seen, stage_table) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (tenant_id, cut) DO UPDATE SET recorded_at = min(recorded_at, excluded.recorded_at),
        events_seen = excluded.events_seen, stage_table = excluded.stage_table
    WHERE events_seen <= excluded.events_seen";

const COUNT_INGEST: &str = "
    INSERT INTO crm_event_ingests (tenant_id, source, events) VALUES (?1, ?2, ?3)
    ON CONFLICT (tenant_id, source) DO UPDATE SET events = events + excluded.events";

const PUT_STATE: &str = "
    UPDATE deals SET events_seen = ?3, stage = ?4, value_minor = ?5, layer = ?6, click_id = ?7, ad_id = ?8,
                     adset_id = ?9, campaign_id = ?10, anchor = ?11, rule_version = ?12, receipt = ?13,
                     pipeline = ?14, amount_minor = ?15, merged_into = ?16, problem = ?17, facts = ?18,
                     values_seen = ?19, keyword = ?20, content = ?21
    WHERE tenant_id = ?1 AND deal_id = ?2";

const PUT_ENTRY: &str = "
    INSERT INTO revenue_entries
        (tenant_id, deal_id, position, event_key, occurred_at, cause, stage_from, stage_to, delta_minor)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

const STATE: &str = "
    SELECT deal_id, events_seen, stage, value_minor, layer, click_id, ad_id, adset_id, campaign_id, anchor,
           rule_version, receipt, pipeline, amount_minor, merged_into, problem, facts, values_seen, keyword, content
    FROM deals WHERE tenant_id = ?1";

const ENTRIES: &str = "
    SELECT event_key, occurred_at, cause, stage_from, stage_to, delta_minor
    FROM revenue_entries WHERE tenant_id = ?1 AND deal_id = ?2 ORDER BY position";

#[async_trait]
impl RevenueStore for SqliteStore {
    async fn append_events(&self, tenant: &TenantId, events: &[CrmEvent], source: &str) -> Result<Appended> {
        let (tenant, source, events) = (tenant.to_string(), source.to_owned(), events.to_vec());
        self.transaction("hubspot.accept", move |transaction| append(transaction, &tenant, &events, &source))
            .await
    }

    async fn pending_deals(&self, tenant: &TenantId, limit: usize) -> Result<Vec<String>> {
        let (tenant, limit) = (tenant.to_string(), i64::try_from(limit).unwrap_or(i64::MAX));
        self.call("revenue.pending_deals", move |connection| {
            let mut statement = connection.prepare_cached(PENDING)?;
            let rows = statement.query_map(params![tenant, limit], |row| row.get(0))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    async fn events(&self, tenant: &TenantId, deal_id: &str) -> Result<Vec<CrmEvent>> {
        let (tenant, deal_id) = (tenant.to_string(), deal_id.to_owned());
        self.call("revenue.events", move |connection| {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT {EVENT} FROM crm_event_deals JOIN crm_events USING (tenant_id, key)
                 WHERE tenant_id = ?1 AND deal_id = ?2 ORDER BY key"
            ))?;
            let rows = statement.query_map(params![tenant, deal_id], event)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    async fn events_after(
        &self,
        tenant: &TenantId,
        after: Option<KeyedHash>,
        limit: usize,
    ) -> Result<Vec<CrmEvent>> {
        let (tenant, limit) = (tenant.to_string(), i64::try_from(limit).unwrap_or(i64::MAX));
        self.call("revenue.events_after", move |connection| {
            let after: &[u8] = after.as_ref().map_or(&[], |key| key.as_bytes());
            let mut statement = connection.prepare_cached(&format!(
                "SELECT {EVENT} FROM crm_events WHERE tenant_id = ?1 AND key > ?2 AND deals <> '[]'
                 ORDER BY key LIMIT ?3"
            ))?;
            let rows = statement.query_map(params![tenant, after, limit], event)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    async fn count_until(&self, tenant: &TenantId, until: Timestamp) -> Result<u64> {
        let tenant = tenant.to_string();
        self.call("revenue.count_until", move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT count(*) FROM crm_events WHERE tenant_id = ?1 AND deals <> '[]' AND occurred_at <= ?2",
            )?;
            Ok(statement.query_row(params![tenant, until.micros()], |row| row.get(0))?)
        })
        .await
    }

    async fn put_deals(&self, tenant: &TenantId, deals: &[DealRevenue]) -> Result<bool> {
        let (tenant, deals) = (tenant.to_string(), deals.to_vec());
        self.transaction("revenue.put_deals", move |transaction| put(transaction, &tenant, &deals)).await
    }

    async fn deals(&self, tenant: &TenantId) -> Result<Vec<DealRevenue>> {
        let tenant = tenant.to_string();
        self.call("revenue.deals", move |connection| {
            // One snapshot: a state and its entries belong together.
            let snapshot = connection.transaction()?;
            let mut deals = snapshot
                .prepare_cached(&format!("{STATE} AND stage IS NOT NULL ORDER BY deal_id"))?
                .query_map(params![tenant], state)?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            add_entries(&snapshot, &tenant, &mut deals)?;
            Ok(deals)
        })
        .await
    }

    async fn find_deals(&self, tenant: &TenantId, ids: &[String]) -> Result<Vec<DealRevenue>> {
        let (tenant, mut ids) = (tenant.to_string(), ids.to_vec());
        self.call("revenue.find_deals", move |connection| {
            ids.sort_unstable();
            ids.dedup();
            let snapshot = connection.transaction()?;
            let mut deals = Vec::new();
            let mut find =
                snapshot.prepare_cached(&format!("{STATE} AND deal_id = ?2 AND anchor IS NOT NULL"))?;
            for id in ids {
                deals.extend(find.query_row(params![tenant, id], state).optional()?);
            }
            add_entries(&snapshot, &tenant, &mut deals)?;
            Ok(deals)
        })
        .await
    }

    async fn totals(&self, tenant: &TenantId) -> Result<RevenueTotals> {
        let tenant = tenant.to_string();
        self.call("revenue.totals", move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT layer, ad_id, value_minor FROM deals
                 WHERE tenant_id = ?1 AND stage IS NOT NULL AND merged_into IS NULL",
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

    async fn put_revaluation(&self, tenant: &TenantId, revaluation: &Revaluation) -> Result<bool> {
        let (tenant, new) = (tenant.to_string(), revaluation.clone());
        self.transaction("revenue.put_revaluation", move |transaction| {
            let written = transaction.prepare_cached(PUT_REVALUATION)?.execute(params![
                tenant,
                new.cut.micros(),
                new.recorded_at.micros(),
                new.events_seen,
                new.stage_table
            ])?;
            Ok(written == 1)
        })
        .await
    }

    async fn revaluations(&self, tenant: &TenantId) -> Result<Vec<Revaluation>> {
        let tenant = tenant.to_string();
        self.call("revenue.revaluations", move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT cut, recorded_at, events_seen, stage_table FROM revaluations WHERE tenant_id = ?1 ORDER BY cut",
            )?;
            let rows = statement.query_map(params![tenant], |row| {
                Ok(Revaluation {
                    cut: Timestamp::from_micros(row.get(0)?),
                    recorded_at: Timestamp::from_micros(row.get(1)?),
                    events_seen: row.get(2)?,
                    stage_table: row.get(3)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }
}

fn append(
    transaction: &Transaction<'_>,
    tenant: &str,
    events: &[CrmEvent],
    source: &str,
) -> std::result::Result<Appended, Failure> {
    let mut appended = Appended::default();
    let mut insert = transaction.prepare_cached(INSERT_EVENT)?;
    for event in events {
        let inserted = insert.execute(params![
            tenant,
            event.key.as_bytes(),
            event.occurred_at.micros(),
            event.recorded_at.micros(),
            event.event_id,
            json::write(&event.deals)?,
            event.change.as_ref().map(json::write).transpose()?,
            event.raw,
        ])?;
        if inserted == 0 {
            appended.duplicates += 1;
            transaction.prepare_cached(KEEP_SMALLEST)?.execute(params![
                tenant,
                event.key.as_bytes(),
                event.raw,
                event.recorded_at.micros(),
            ])?;
            continue;
        }
        appended.inserted += 1;
        for deal_id in &event.deals {
            let new = transaction.prepare_cached(CONCERN)?.execute(params![
                tenant,
                deal_id,
                event.key.as_bytes()
            ])?;
            if new == 1 {
                transaction.prepare_cached(COUNT_EVENT)?.execute(params![tenant, deal_id])?;
            }
        }
    }
    transaction.prepare_cached(COUNT_INGEST)?.execute(params![tenant, source, appended.inserted])?;
    Ok(appended)
}

fn put(
    transaction: &Transaction<'_>,
    tenant: &str,
    deals: &[DealRevenue],
) -> std::result::Result<bool, Failure> {
    let mut seen = transaction.prepare_cached(
        "SELECT events, events_seen, values_seen FROM deals WHERE tenant_id = ?1 AND deal_id = ?2",
    )?;
    let mut newer = false;
    for deal in deals {
        let stored: Option<(u64, u64, u64)> = seen
            .query_row(params![tenant, deal.deal_id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let (events, events_seen, values_seen) = stored.unwrap_or_default();
        if events == 0 || deal.events_seen > events {
            return Err(DealRevenue::unseen_events().into());
        }
        newer |= events_seen > deal.events_seen || values_seen > deal.values_seen;
    }
    if newer {
        return Ok(false);
    }
    for deal in deals {
        put_one(transaction, tenant, deal)?;
    }
    Ok(true)
}

fn put_one(
    transaction: &Transaction<'_>,
    tenant: &str,
    deal: &DealRevenue,
) -> std::result::Result<(), Failure> {
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
        deal.pipeline,
        deal.amount_minor,
        deal.merged_into,
        deal.problem,
        json::write(&deal.facts)?,
        deal.values_seen,
        found.and_then(|f| f.keyword.as_deref()),
        found.and_then(|f| f.content.as_deref()),
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
            entry.cause.as_str(),
            entry.stage_from,
            entry.stage_to,
            entry.delta_minor,
        ])?;
    }
    Ok(())
}

fn add_entries(connection: &Connection, tenant: &str, deals: &mut [DealRevenue]) -> rusqlite::Result<()> {
    let mut entries = connection.prepare_cached(ENTRIES)?;
    for deal in deals {
        deal.entries =
            entries.query_map(params![tenant, deal.deal_id], entry)?.collect::<rusqlite::Result<_>>()?;
    }
    Ok(())
}

fn event(row: &Row<'_>) -> rusqlite::Result<CrmEvent> {
    Ok(CrmEvent {
        key: KeyedHash::from_bytes(row.get(0)?),
        occurred_at: Timestamp::from_micros(row.get(1)?),
        recorded_at: Timestamp::from_micros(row.get(2)?),
        event_id: row.get(3)?,
        deals: json::column(row, 4)?.unwrap_or_default(),
        change: json::column(row, 5)?,
        raw: row.get(6)?,
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
            keyword: row.get(18)?,
            content: row.get(19)?,
        }),
        None => None,
    };
    Ok(DealRevenue {
        deal_id: row.get(0)?,
        events_seen: row.get(1)?,
        stage: row.get(2)?,
        pipeline: row.get(12)?,
        value_minor: row.get(3)?,
        amount_minor: row.get(13)?,
        merged_into: row.get(14)?,
        problem: row.get(15)?,
        facts: json::column(row, 16)?.unwrap_or_default(),
        entries: Vec::new(),
        matched: Match::stored(found, Timestamp::from_micros(row.get(9)?), row.get(10)?, row.get(11)?),
        values_seen: row.get(17)?,
    })
}

fn entry(row: &Row<'_>) -> rusqlite::Result<LedgerEntry> {
    let cause: String = row.get(2)?;
    Ok(LedgerEntry {
        event: KeyedHash::from_bytes(row.get(0)?),
        occurred_at: Timestamp::from_micros(row.get(1)?),
        cause: EntryCause::from_name(&cause).ok_or(rusqlite::Error::InvalidQuery)?,
        stage_from: row.get(3)?,
        stage_to: row.get(4)?,
        delta_minor: row.get(5)?,
    })
}

fn layer(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Layer>> {
    Ok(row.get::<_, Option<u8>>(column)?.and_then(Layer::from_number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use xynergy_core::crm::CrmChange;

    /// A file of the version before amounts and merges is read as it was written.
    #[tokio::test]
    async fn rows_of_an_older_version_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("older.sqlite");
        let mut older = rusqlite::Connection::open(&path).unwrap();
        crate::store::sqlite::migrate::run_to(&mut older, 8).unwrap();
        older
            .execute_batch(
                "INSERT INTO crm_events VALUES
                    ('default', zeroblob(16), 5000, '1', '7', 'a \"stage\"', '{}'),
                    ('default', x'01010101010101010101010101010101', 6000, '2', NULL, NULL, '{}');
                 INSERT INTO deals (tenant_id, deal_id, events, events_seen, stage, value_minor, anchor, rule_version, receipt)
                 VALUES ('default', '7', 1, 1, 'a \"stage\"', 50000, 5000, 'layers-1', '{}'),
                        ('default', '8', 1, 0, NULL, NULL, NULL, NULL, NULL);
                 INSERT INTO revenue_entries VALUES ('default', '7', 0, zeroblob(16), 5000, NULL, 'a \"stage\"', 50000);",
            )
            .unwrap();
        drop(older);
        let (store, tenant) = (SqliteStore::open(&path).await.unwrap(), TenantId::default());
        let event = store.events(&tenant, "7").await.unwrap().remove(0);
        assert_eq!(event.change, Some(CrmChange::Stage { stage: "a \"stage\"".into() }));
        assert_eq!((event.recorded_at, event.deals), (Timestamp::from_micros(5000), vec!["7".to_owned()]));
        assert_eq!(
            store.events_after(&tenant, None, 9).await.unwrap().len(),
            1,
            "the other concerns no deal"
        );
        assert_eq!(store.pending_deals(&tenant, 9).await.unwrap(), ["8"]);
        let deal = store.deals(&tenant).await.unwrap().remove(0);
        assert_eq!((deal.stage.as_deref(), deal.value_minor), (Some("a \"stage\""), 50_000));
        assert_eq!((deal.entries[0].cause, deal.values_seen, deal.problem), (EntryCause::Stage, 0, None));
    }
}
