//! Clicks in SQLite, by day.
//!
//! What is deleted is overwritten with zeros, and the log that still has it is emptied: nothing of it is in the file.

mod columns;
mod forget;
mod read;
mod write;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};
use xynergy_core::store::{
    AdClicks, Around, Candidate, Click, ClickStore, Erased, KeyedHash, Pruned, Tracked,
};
use xynergy_core::{Result, TenantId, Timestamp};

use super::SqliteStore;

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

#[async_trait]
impl ClickStore for SqliteStore {
    async fn track(&self, tenant: &TenantId, clicks: &[Click], source: &str) -> Result<Tracked> {
        let (tenant, source, clicks) = (tenant.to_string(), source.to_owned(), clicks.to_vec());
        self.transaction("attribution.track_clicks", move |transaction| {
            write::insert(transaction, &tenant, &clicks, &source)
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
        let (tenant, keys) = (tenant.to_string(), distinct(keys));
        self.call("attribution.candidates", move |connection| {
            read::candidates(connection, &tenant, &keys, from, to)
        })
        .await
    }

    async fn around(
        &self,
        tenant: &TenantId,
        networks: &[KeyedHash],
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Around> {
        let (tenant, networks) = (tenant.to_string(), distinct(networks));
        self.call("attribution.around", move |connection| {
            read::around(connection, &tenant, &networks, (from, to), limit)
        })
        .await
    }

    async fn prune(&self, tenant: &TenantId, before: Timestamp) -> Result<Pruned> {
        let tenant = tenant.to_string();
        let pruned = self
            .transaction("attribution.prune", move |transaction| {
                forget::prune(transaction, &tenant, day_of(before))
            })
            .await?;
        self.empty_log().await?;
        Ok(pruned)
    }

    async fn erase(&self, tenant: &TenantId, keys: &[KeyedHash]) -> Result<Erased> {
        let (tenant, keys) = (tenant.to_string(), distinct(keys));
        let erased = self
            .transaction("attribution.erase", move |transaction| forget::erase(transaction, &tenant, &keys))
            .await?;
        self.empty_log().await?;
        Ok(erased)
    }

    async fn clicks_by_ad(&self, tenant: &TenantId, from: Timestamp, to: Timestamp) -> Result<Vec<AdClicks>> {
        let tenant = tenant.to_string();
        self.call("attribution.clicks_by_ad", move |connection| read::by_ad(connection, &tenant, from, to))
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

fn distinct(keys: &[KeyedHash]) -> Vec<KeyedHash> {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The tenant's short name; none when it has no clicks.
fn tenant_of(connection: &Connection, tenant_id: &str) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM click_tenants WHERE tenant_id = ?1")?
        .query_row([tenant_id], |row| row.get(0))
        .optional()
}

/// Days since 1970-01-01 UTC.
fn day_of(at: Timestamp) -> i64 {
    at.micros().div_euclid(DAY)
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
                let mut statement =
                    connection.prepare(&format!("EXPLAIN QUERY PLAN {}", read::LATEST_OF_KEY))?;
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
