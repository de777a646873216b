//! Clicks in PostgreSQL: a batch is one transaction, of few statements that take many rows each.
//!
//! Every writer works in one order, clicks by key, days, counts, ingest, so that batches that overlap wait for each other and
//! never in a circle.
//!
//! Clicks and their keys have a table for each day. The batch that meets a day without one makes it and is sent again; that happens
//! once a day among all workers, who need not know which days there are.

mod columns;
mod days;
mod forget;
mod read;

use async_trait::async_trait;
use deadpool_postgres::Object;
use futures_util::future::try_join;
use tokio_postgres::Statement;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use xynergy_core::store::{
    AdClicks, Around, Candidate, Click, ClickStore, Erased, KeyedHash, Pruned, Tracked,
};
use xynergy_core::{Result, TenantId, Timestamp};

use super::PostgresStore;
use super::error::Failure;
use super::kept::{Kept, pieces};
use super::numbers::{stored, unsigned};
use super::transaction::{Transaction, retried};
use columns::{ClickColumns, CountColumns, FoundBy, LatestColumns, day_of, distinct};

const INSERT_CLICKS: &str = "
    INSERT INTO clicks (tenant_id, key, day, clicked_at, ad_id, adset_id, campaign_id, utm_source, utm_medium, utm_campaign,
                        utm_content, utm_term, click_id, raw, device)
    SELECT $1::text, * FROM unnest($2::bytea[], $3::integer[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[],
                                   $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[],
                                   $15::text[])
    ON CONFLICT DO NOTHING RETURNING key, day";

const COUNT_ADS: &str = "
    INSERT INTO click_counts AS c (tenant_id, day, ad_id, adset_id, campaign_id, slot, clicks)
    SELECT $1::text, u.day, u.ad, u.adset, u.campaign, pg_backend_pid() % 16, u.clicks
    FROM unnest($2::integer[], $3::text[], $4::text[], $5::text[], $6::bigint[]) AS u (day, ad, adset, campaign, clicks)
    ON CONFLICT (tenant_id, day, ad_id, adset_id, campaign_id, slot) DO UPDATE SET clicks = c.clicks + excluded.clicks";

const INSERT_DAYS: &str = "
    INSERT INTO click_days (tenant_id, day) SELECT $1::text, * FROM unnest($2::integer[]) ON CONFLICT DO NOTHING";

const COPY_KEYS: &str = "COPY click_keys (tenant_id, day, key, clicked_at, click) FROM STDIN (FORMAT binary)";

const COUNT_INGEST: &str = "
    INSERT INTO click_ingests AS i (tenant_id, source, slot, clicks)
    SELECT $1::text, $2::text, pg_backend_pid() % 16, $3::bigint WHERE $3 > 0
    ON CONFLICT (tenant_id, source, slot) DO UPDATE SET clicks = i.clicks + excluded.clicks";

/// From the last day of the window backwards, until a day has the key. The limit keeps the planner to this order, with one search of an
/// index at each step, whatever it believes of tables that have just grown. That a day lies in the window is said of the keys too: of
/// the other days' tables nothing is opened then.
const LATEST_OF_KEYS: &str = "
    SELECT wanted.key, latest.clicked_at, latest.day, latest.clicks
    FROM unnest($2::bytea[]) AS wanted (key)
    CROSS JOIN LATERAL (
        SELECT d.day, of_day.clicked_at, of_day.clicks
        FROM click_days d
        CROSS JOIN LATERAL (
            SELECT ties.clicked_at, array_agg(ties.click) AS clicks
            FROM (
                SELECT k.clicked_at, k.click FROM click_keys k
                WHERE k.day = d.day AND k.key = wanted.key AND k.tenant_id = $1 AND k.clicked_at BETWEEN $3 AND $4
                  AND k.day BETWEEN $5 AND $6
                ORDER BY k.clicked_at DESC FETCH FIRST 1 ROW WITH TIES
            ) ties
            GROUP BY ties.clicked_at
        ) of_day
        WHERE d.tenant_id = $1 AND d.day BETWEEN $5 AND $6
        ORDER BY d.day DESC LIMIT 1
    ) latest";

/// The clicks of these days: a statement of its own opens only their tables.
const CLICKS_OF_DAYS: &str = "
    SELECT found.key, found.clicked_at, found.click, c.click_id, c.ad_id, c.adset_id, c.campaign_id,
           c.utm_source, c.utm_medium, c.utm_campaign, c.utm_content, c.utm_term, c.device
    FROM unnest($2::bytea[], $3::bigint[], $4::integer[], $5::bytea[]) AS found (key, clicked_at, day, click)
    CROSS JOIN LATERAL (
        SELECT * FROM clicks WHERE clicks.key = found.click AND clicks.tenant_id = $1 AND clicks.day = found.day
          AND clicks.day BETWEEN $6 AND $7
        OFFSET 0
    ) c";

#[async_trait]
impl ClickStore for PostgresStore {
    async fn track(&self, tenant: &TenantId, clicks: &[Click], source: &str) -> Result<Tracked> {
        let batch = distinct(clicks);
        let tracked = self.track_batch(tenant.as_str(), &batch, source).await;
        let inserted = tracked.map_err(|failure| failure.into_error("attribution.track_clicks"))?;
        Ok(Tracked { inserted, duplicates: clicks.len() as u64 - inserted })
    }

    async fn candidates(
        &self,
        tenant: &TenantId,
        keys: &[KeyedHash],
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Candidate>> {
        let mut keys: Vec<&[u8]> = keys.iter().map(|key| key.as_bytes().as_slice()).collect();
        keys.sort_unstable();
        keys.dedup();
        let found = self.call("attribution.candidates", async |client| {
            let statement = client.prepare_cached(LATEST_OF_KEYS).await?;
            let window: [&(dyn ToSql + Sync); 4] = [&from.micros(), &to.micros(), &day_of(from), &day_of(to)];
            let [from, to, first_day, last_day] = window;
            let latest =
                client.query(&statement, &[&tenant.as_str(), &keys, from, to, first_day, last_day]).await?;
            let latest = LatestColumns::of(&latest);
            let Some((first_day, last_day)) = latest.days() else { return Ok(Vec::new()) };
            let statement = client.prepare_cached(CLICKS_OF_DAYS).await?;
            let rows =
                client.query(&statement, &latest.parameters(&tenant.as_str(), &first_day, &last_day)).await?;
            let mut found = rows.iter().map(read::candidate).collect::<std::result::Result<Vec<_>, _>>()?;
            found.sort_unstable();
            Ok(found)
        });
        found.await
    }

    async fn around(
        &self,
        tenant: &TenantId,
        networks: &[KeyedHash],
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Around> {
        let found = self.call("attribution.around", async |client| {
            read::around(client, tenant.as_str(), networks, (from, to), limit).await
        });
        found.await
    }

    async fn prune(&self, tenant: &TenantId, before: Timestamp) -> Result<Pruned> {
        let pruned = self.prune_days(tenant.as_str(), day_of(before)).await;
        pruned.map_err(|failure| failure.into_error("attribution.prune"))
    }

    async fn erase(&self, tenant: &TenantId, keys: &[KeyedHash]) -> Result<Erased> {
        let erased = retried(|| self.erase_once(tenant.as_str(), keys)).await;
        erased.map_err(|failure| failure.into_error("attribution.erase"))
    }

    async fn clicks_by_ad(&self, tenant: &TenantId, from: Timestamp, to: Timestamp) -> Result<Vec<AdClicks>> {
        let found = self.call("attribution.clicks_by_ad", async |client| {
            read::by_ad(client, tenant.as_str(), day_of(from), day_of(to)).await
        });
        found.await
    }

    async fn count(&self, tenant: &TenantId, source: Option<&str>) -> Result<u64> {
        let counted = self.call("attribution.count_clicks", async |client| {
            let statement = client
                .prepare_cached(
                    "SELECT coalesce(sum(clicks), 0)::bigint FROM click_ingests
                     WHERE tenant_id = $1 AND ($2::text IS NULL OR source = $2)",
                )
                .await?;
            let row = client.query_one(&statement, &[&tenant.as_str(), &source.map(Kept)]).await?;
            unsigned(row.get(0))
        });
        counted.await
    }
}

impl PostgresStore {
    /// Stores a batch, and makes the tables of its days when one is missing.
    async fn track_batch(
        &self,
        tenant: &str,
        batch: &[&Click],
        source: &str,
    ) -> std::result::Result<u64, Failure> {
        let days = columns::days_of(batch);
        let mut opened = 0;
        loop {
            match retried(|| self.track_once(tenant, batch, source)).await {
                Err(failure) if days::is_missing(&failure) && opened < days::ATTEMPTS => {
                    opened += 1;
                    retried(|| self.open_days(&days)).await?;
                }
                ended => return ended,
            }
        }
    }

    /// First the clicks, of which PostgreSQL says which are new, and then all that belongs to these.
    async fn track_once(
        &self,
        tenant: &str,
        batch: &[&Click],
        source: &str,
    ) -> std::result::Result<u64, Failure> {
        let transaction = Transaction::on(self.connection().await?);
        let client = transaction.client();
        let insert_clicks = client.prepare_cached(INSERT_CLICKS).await?;
        let insert_days = client.prepare_cached(INSERT_DAYS).await?;
        let copy_keys = client.prepare_cached(COPY_KEYS).await?;
        let count_ingest = client.prepare_cached(COUNT_INGEST).await?;
        let count_ads = client.prepare_cached(COUNT_ADS).await?;

        let begun = transaction.begin();
        let mut new = Vec::with_capacity(batch.len());
        for piece in pieces(batch, |click| click.personal.as_ref().map_or(0, |p| p.raw.len())) {
            let rows = client.query(&insert_clicks, &ClickColumns::of(piece)?.parameters(&tenant)).await?;
            new.extend(columns::new_of(piece, &rows)?);
        }
        begun.await?;
        let (inserted, source) = (new.len() as u64, Kept(source));
        let count = stored(inserted)?;
        let (days, keys) = (columns::days_of(&new), columns::keys_of(&new));
        try_join(
            async { Ok(client.execute(&insert_days, &[&tenant, &days]).await?) },
            write_keys(client, &copy_keys, tenant, &keys),
        )
        .await?;
        if inserted > 0 {
            client.execute(&count_ads, &CountColumns::of(&new).parameters(&tenant)).await?;
        }
        try_join(
            async { Ok(client.execute(&count_ingest, &[&tenant, &source, &count]).await?) },
            // Sent when it is polled, after the other.
            async { transaction.commit().await },
        )
        .await?;
        Ok(inserted)
    }
}

/// Copying costs a third less than an insert of arrays; only what cannot be there already can be copied.
async fn write_keys(
    client: &Object,
    statement: &Statement,
    tenant: &str,
    keys: &[FoundBy<'_>],
) -> std::result::Result<u64, Failure> {
    const TYPES: [Type; 5] = [Type::TEXT, Type::INT4, Type::BYTEA, Type::INT8, Type::BYTEA];
    let writer = BinaryCopyInWriter::new(client.copy_in(statement).await?, &TYPES);
    let mut writer = std::pin::pin!(writer);
    for (day, key, at, click) in keys {
        let (key, click) = (key.as_bytes().as_slice(), click.as_bytes().as_slice());
        writer.as_mut().write(&[&tenant, day, &key, &at.micros(), &click]).await?;
    }
    Ok(writer.finish().await?)
}

#[cfg(test)]
mod plans;
