use async_trait::async_trait;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use xynergy_core::store::{Candidate, Click, ClickStore, KeyedHash, Tracked};
use xynergy_core::{Result, TenantId, Timestamp};

use super::SqliteStore;

const INSERT_CLICK: &str = "
    INSERT INTO clicks (tenant_id, key, clicked_at, ad_id, adset_id, campaign_id, utm_source, utm_medium, utm_campaign,
                        utm_content, utm_term, click_id, raw)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
    ON CONFLICT (tenant_id, key) DO NOTHING";

const INSERT_KEY: &str = "
    INSERT INTO click_keys (tenant_id, key, clicked_at, click) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";

const COUNT_INGEST: &str = "
    INSERT INTO click_ingests (tenant_id, source, clicks) VALUES (?1, ?2, ?3)
    ON CONFLICT (tenant_id, source) DO UPDATE SET clicks = clicks + excluded.clicks";

const LATEST_OF_KEY: &str = "
    SELECT clicks.clicked_at, clicks.key, click_id, ad_id, adset_id, campaign_id
    FROM click_keys JOIN clicks ON clicks.id = click_keys.click
    WHERE click_keys.tenant_id = ?1 AND click_keys.key = ?2 AND click_keys.clicked_at = (
        SELECT max(clicked_at) FROM click_keys
        WHERE tenant_id = ?1 AND key = ?2 AND clicked_at BETWEEN ?3 AND ?4)";

#[async_trait]
impl ClickStore for SqliteStore {
    async fn track(&self, tenant: &TenantId, clicks: &[Click], source: &str) -> Result<Tracked> {
        let (tenant, source, clicks) = (tenant.to_string(), source.to_owned(), clicks.to_vec());
        self.transaction("attribution.track_clicks", move |transaction| {
            Ok(insert(transaction, &tenant, &clicks, &source)?)
        })
        .await
    }

    async fn candidates(
        &self,
        tenant: &TenantId,
        keys: &[KeyedHash],
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Candidate>> {
        let (tenant, mut keys) = (tenant.to_string(), keys.to_vec());
        keys.sort_unstable();
        keys.dedup();
        self.call("attribution.candidates", move |connection| {
            let mut statement = connection.prepare_cached(LATEST_OF_KEY)?;
            let mut found = Vec::new();
            for key in keys {
                let rows = statement
                    .query_map(params![tenant, key.as_bytes(), from.micros(), to.micros()], |row| {
                        candidate(key, row)
                    })?;
                for row in rows {
                    found.push(row?);
                }
            }
            found.sort_unstable();
            Ok(found)
        })
        .await
    }

    async fn count(&self, tenant: &TenantId, source: Option<&str>) -> Result<u64> {
        let (tenant, source) = (tenant.to_string(), source.map(str::to_owned));
        self.call("attribution.count_clicks", move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT sum(clicks) FROM click_ingests WHERE tenant_id = ?1 AND (?2 IS NULL OR source = ?2)",
            )?;
            let sum: Option<Option<u64>> =
                statement.query_row(params![tenant, source], |row| row.get(0)).optional()?;
            Ok(sum.flatten().unwrap_or(0))
        })
        .await
    }
}

/// The keys go in sorted at the end: in the order of the clicks each would touch another page of their table.
fn insert(
    transaction: &Transaction<'_>,
    tenant: &str,
    clicks: &[Click],
    source: &str,
) -> rusqlite::Result<Tracked> {
    let mut tracked = Tracked::default();
    let mut keys = Vec::with_capacity(clicks.len() * 3);
    let mut insert_click = transaction.prepare_cached(INSERT_CLICK)?;
    for click in clicks {
        let personal = click.personal.as_ref();
        let inserted = insert_click.execute(params![
            tenant,
            click.key.as_bytes(),
            click.at.micros(),
            click.ad_id,
            click.adset_id,
            click.campaign_id,
            click.utm.source,
            click.utm.medium,
            click.utm.campaign,
            click.utm.content,
            click.utm.term,
            personal.map(|p| &p.click_id),
            personal.map(|p| &p.raw),
        ])?;
        if inserted == 0 {
            tracked.duplicates += 1;
            continue;
        }
        tracked.inserted += 1;
        let id = transaction.last_insert_rowid();
        keys.extend(click.match_keys().map(|key| (key, click.at, id)));
    }
    keys.sort_unstable();
    let mut insert_key = transaction.prepare_cached(INSERT_KEY)?;
    for (key, at, id) in keys {
        insert_key.execute(params![tenant, key.as_bytes(), at.micros(), id])?;
    }
    transaction.prepare_cached(COUNT_INGEST)?.execute(params![tenant, source, tracked.inserted])?;
    Ok(tracked)
}

fn candidate(matched: KeyedHash, row: &Row<'_>) -> rusqlite::Result<Candidate> {
    let key = KeyedHash::from_bytes(row.get(1)?);
    Ok(Candidate {
        matched,
        at: Timestamp::from_micros(row.get(0)?),
        id: row.get::<_, Option<String>>(2)?.unwrap_or_else(|| key.to_string()),
        key,
        ad_id: row.get(3)?,
        adset_id: row.get(4)?,
        campaign_id: row.get(5)?,
    })
}
