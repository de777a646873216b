use async_trait::async_trait;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use xynergy_core::store::{Candidate, Click, ClickStore, KeyedHash, Tracked, Utm};
use xynergy_core::{Result, TenantId, Timestamp};

use super::SqliteStore;

const INSERT_CLICK: &str = "
    INSERT INTO clicks (tenant_id, key, clicked_at, ad_id, adset_id, campaign_id, utm_source, utm_medium, utm_campaign,
                        utm_content, utm_term, click_id, raw)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
    ON CONFLICT (tenant_id, key) DO NOTHING";

const INSERT_DAY: &str = "INSERT INTO click_days (tenant_id, day) VALUES (?1, ?2) ON CONFLICT DO NOTHING";

const INSERT_KEY: &str = "
    INSERT INTO click_keys (tenant_id, day, key, clicked_at, click) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT DO NOTHING";

const COUNT_INGEST: &str = "
    INSERT INTO click_ingests (tenant_id, source, clicks) VALUES (?1, ?2, ?3)
    ON CONFLICT (tenant_id, source) DO UPDATE SET clicks = clicks + excluded.clicks";

/// From the last day of the window backwards, until a day has the key.
const LATEST_OF_KEY: &str = "
    WITH latest AS (
        SELECT click_keys.day, clicked_at
        FROM click_days CROSS JOIN click_keys
          ON click_keys.tenant_id = click_days.tenant_id AND click_keys.day = click_days.day
        WHERE click_days.tenant_id = ?1 AND click_days.day BETWEEN ?5 AND ?6
          AND key = ?2 AND clicked_at BETWEEN ?3 AND ?4
        ORDER BY click_days.day DESC, clicked_at DESC LIMIT 1)
    SELECT clicks.clicked_at, clicks.key, click_id, ad_id, adset_id, campaign_id
    FROM latest CROSS JOIN click_keys USING (day, clicked_at) CROSS JOIN clicks ON clicks.id = click_keys.click
    WHERE click_keys.tenant_id = ?1 AND click_keys.key = ?2";

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
                let rows = statement.query_map(
                    params![tenant, key.as_bytes(), from.micros(), to.micros(), day_of(from), day_of(to)],
                    |row| candidate(key, row),
                )?;
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

/// Hashes go in sorted: in the order of the clicks each would touch another page of its index. The sort keeps the order of
/// equal keys, since the first click of a key stays.
fn insert(
    transaction: &Transaction<'_>,
    tenant: &str,
    clicks: &[Click],
    source: &str,
) -> rusqlite::Result<Tracked> {
    let mut tracked = Tracked::default();
    let mut keys = Vec::with_capacity(clicks.len() * 3);
    let mut clicks: Vec<&Click> = clicks.iter().collect();
    clicks.sort_by_key(|click| click.key);
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
        keys.extend(click.match_keys().map(|key| (day_of(click.at), key, click.at, id)));
    }
    keys.sort_unstable();
    let mut insert_day = transaction.prepare_cached(INSERT_DAY)?;
    let mut insert_key = transaction.prepare_cached(INSERT_KEY)?;
    let mut last_day = None;
    for (day, key, at, id) in keys {
        if last_day.replace(day) != Some(day) {
            insert_day.execute(params![tenant, day])?;
        }
        insert_key.execute(params![tenant, day, key.as_bytes(), at.micros(), id])?;
    }
    transaction.prepare_cached(COUNT_INGEST)?.execute(params![tenant, source, tracked.inserted])?;
    Ok(tracked)
}

/// Days since 1970-01-01 UTC.
fn day_of(at: Timestamp) -> i64 {
    at.micros().div_euclid(24 * 60 * 60 * 1_000_000)
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
        utm: Utm::default(),
        device: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lookup_is_one_search_a_day() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path().join("xynergy.sqlite")).await.unwrap();
        let plan: Vec<String> = store
            .call("test", |connection| {
                let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {LATEST_OF_KEY}"))?;
                let rows = statement.query_map(params!["t", [0_u8; 16], 0, 0, 0, 0], |row| row.get(3))?;
                Ok(rows.collect::<rusqlite::Result<_>>()?)
            })
            .await
            .unwrap();
        let searches = plan.iter().filter(|step| step.contains("SEARCH click_keys"));
        assert!(searches.clone().all(|step| step.contains("day=? AND key=?")), "{plan:#?}");
        assert_eq!(searches.count(), 2, "{plan:#?}");
        assert!(!plan.iter().any(|step| step.contains("SCAN click")), "{plan:#?}");
    }
}
