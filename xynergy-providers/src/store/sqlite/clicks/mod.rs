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

    /// A file of the version before clicks were kept by day.
    #[tokio::test]
    async fn a_file_of_the_version_before_keeps_its_clicks() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("xynergy.sqlite");
        let day = DAY;
        {
            let mut connection = Connection::open(&path).unwrap();
            crate::store::sqlite::migrate::run_to(&mut connection, 7).unwrap();
            for (id, at, ad, utm, click_id) in [
                (1, -1, "ad-1", Some("facebook"), Some("click-1")),
                (2, day, "ad-1", None, None),
                (3, day + 1, "ad-2", Some("a \"quoted\" é"), Some("click-3")),
            ] {
                let key = [u8::try_from(id).unwrap(); 16];
                let values = params![id, key, at, ad, utm, click_id];
                connection
                    .execute(
                        "INSERT INTO clicks (id, tenant_id, key, clicked_at, ad_id, adset_id, campaign_id, utm_source, click_id, raw)
                         VALUES (?1, 'a', ?2, ?3, ?4, 'set', 'campaign', ?5, ?6, '{}')",
                        values,
                    )
                    .unwrap();
                connection
                    .execute(
                        "INSERT INTO click_keys (tenant_id, day, key, clicked_at, click) VALUES ('a', ?1, ?2, ?3, ?4)",
                        params![day_of(Timestamp::from_micros(at)), [9_u8; 16], at, id],
                    )
                    .unwrap();
                connection
                    .execute(
                        "INSERT INTO click_days VALUES ('a', ?1) ON CONFLICT DO NOTHING",
                        [day_of(Timestamp::from_micros(at))],
                    )
                    .unwrap();
            }
            connection.execute("INSERT INTO click_ingests VALUES ('a', 'old', 3)", []).unwrap();
        }
        let store = SqliteStore::open(&path).await.unwrap();
        let tenant = TenantId::new("a").unwrap();
        let (from, to) = (Timestamp::from_micros(i64::MIN), Timestamp::from_micros(i64::MAX));
        let key = KeyedHash::from_bytes([9; 16]);
        let found = store.candidates(&tenant, &[key], from, to).await.unwrap();
        assert_eq!((found.len(), found[0].id.as_str(), found[0].ad_id.as_str()), (1, "click-3", "ad-2"));
        assert_eq!(found[0].utm.source.as_deref(), Some("a \"quoted\" é"));
        let first = store.candidates(&tenant, &[key], from, Timestamp::from_micros(0)).await.unwrap();
        assert_eq!((first[0].id.as_str(), first[0].utm.source.as_deref()), ("click-1", Some("facebook")));
        let counts = store.clicks_by_ad(&tenant, from, to).await.unwrap();
        let counts: Vec<_> =
            counts.iter().map(|row| (row.day.micros(), row.ad_id.as_str(), row.clicks)).collect();
        assert_eq!(counts, [(-day, "ad-1", 1), (day, "ad-1", 1), (day, "ad-2", 1)]);
        assert_eq!(store.count(&tenant, Some("old")).await.unwrap(), 3);
        assert_eq!(store.prune(&tenant, Timestamp::from_micros(0)).await.unwrap().clicks, 1);
        assert_eq!(store.erase(&tenant, &[key]).await.unwrap().clicks.len(), 2);
        assert!(store.candidates(&tenant, &[key], from, to).await.unwrap().is_empty());
    }

    /// Not in the database, not in its free pages, not in the log.
    #[tokio::test]
    async fn no_byte_of_what_was_forgotten_is_left_in_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path().join("xynergy.sqlite")).await.unwrap();
        let tenant = TenantId::default();
        let hash = |kind: u8, n: u32| {
            let mut bytes = [kind; 16];
            bytes[4..8].copy_from_slice(&n.to_be_bytes());
            KeyedHash::from_bytes(bytes)
        };
        let click = |n: u32| Click {
            key: hash(0xa1, n),
            at: Timestamp::from_micros(i64::from(n % 4) * DAY + i64::from(n)),
            ad_id: "ad".into(),
            adset_id: "set".into(),
            campaign_id: "campaign".into(),
            utm: xynergy_core::store::Utm { term: Some(format!("term-{n:05}-")), ..Default::default() },
            id_keys: vec![hash(0xa2, n)],
            personal: Some(xynergy_core::store::Personal {
                click_id: format!("click-{n:05}-"),
                fingerprint: Some(hash(0xa3, n)),
                address: Some(hash(0xa4, n)),
                device: None,
                raw: format!("raw-{n:05}-{}", "x".repeat(usize::try_from(n).unwrap() % 700)),
            }),
        };
        let clicks: Vec<_> = (0..4_000).map(click).collect();
        for batch in clicks.chunks(331) {
            store.track(&tenant, batch, "all").await.unwrap();
        }
        // Those of the first day, and of the others every hundredth.
        let erased: Vec<_> = (0..4_000).filter(|n| n % 4 != 0 && n % 100 == 1).collect();
        let keys: Vec<_> = erased.iter().map(|n| hash(0xa4, *n)).collect();
        assert_eq!(store.erase(&tenant, &keys).await.unwrap().clicks.len(), erased.len());
        assert_eq!(store.prune(&tenant, Timestamp::from_micros(DAY)).await.unwrap().clicks, 1_000);
        let files = std::fs::read_dir(directory.path()).unwrap();
        let bytes: Vec<u8> = files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
        let texts: std::collections::HashSet<&[u8]> = bytes.windows(6).collect();
        let hashes: std::collections::HashSet<&[u8]> = bytes.windows(16).collect();
        for n in 0..4_000_u32 {
            let gone = n % 4 == 0 || erased.contains(&n);
            let marks = [format!("{n:05}-")];
            assert_eq!(marks.iter().any(|mark| texts.contains(mark.as_bytes())), !gone, "texts of click {n}");
            let kept =
                [0xa1, 0xa2, 0xa3, 0xa4].map(|kind| hashes.contains(hash(kind, n).as_bytes().as_slice()));
            assert_eq!(kept, [!gone; 4], "hashes of click {n}");
        }
    }
}
