//! How many clicks a second are stored in memory and in SQLite: a million of them over thirty days, in batches of 10,000, parsed
//! already, each with consent and three keys. With feature `postgres` and a server in `XYNERGY_TEST_POSTGRES`
//! (`tests/services start DIR`): 300,000 over ninety days there, and how long a lookup in a window of thirty days takes.
//!
//! `cargo bench -p xynergy-providers --features sqlite --bench clicks`
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::time::{Duration, Instant};

use xynergy_core::store::memory::MemoryClicks;
use xynergy_core::store::{Click, ClickStore, KeyedHash, Personal, Utm};
use xynergy_core::{TenantId, Timestamp};
use xynergy_providers::store::sqlite::SqliteStore;

const CLICKS: u64 = 1_000_000;
const BATCH: u64 = 10_000;
const ROUNDS: usize = 3;
#[cfg(feature = "postgres")]
const CLICKS_OF_POSTGRES: u64 = 300_000;
const MONTH: u64 = 30 * 24 * 60 * 60 * 1_000_000;

fn main() {
    // `cargo test` runs benches too, which it does not have to wait for.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    #[cfg(feature = "postgres")]
    if let Ok(url) = std::env::var("XYNERGY_TEST_POSTGRES") {
        runtime.block_on(postgres(&url));
        return;
    }
    for _ in 0..ROUNDS {
        let memory = MemoryClicks::default();
        report("memory", CLICKS, runtime.block_on(ingest(&memory, CLICKS, click)));
        let directory = tempfile::tempdir().unwrap();
        let sqlite = runtime.block_on(SqliteStore::open(directory.path().join("clicks.sqlite"))).unwrap();
        report("sqlite", CLICKS, runtime.block_on(ingest(&sqlite, CLICKS, click)));
    }
}

/// In a schema of its own, which is dropped: as they come, in the order of time, and all days in every batch.
#[cfg(feature = "postgres")]
async fn postgres(url: &str) {
    use std::sync::Arc;
    use xynergy_core::config::EnvSecrets;
    use xynergy_providers::store::postgres::{DatabaseUrl, PostgresConfig, PostgresStore};

    // From day 20,700 on.
    let at = |n: u64| 20_700 * (MONTH / 30) + n * (3 * MONTH / CLICKS_OF_POSTGRES);
    let mixed = |n: u64| at((n * 7_919) % CLICKS_OF_POSTGRES);
    for round in 0..ROUNDS {
        for (name, time) in [("by time", &at as &dyn Fn(u64) -> u64), ("mixed", &mixed)] {
            let schema = format!("bench_clicks_{round}");
            let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
            tokio::spawn(connection);
            let drop = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
            client.batch_execute(&drop).await.unwrap();
            let config = PostgresConfig { schema, ..PostgresConfig::new(DatabaseUrl::Text(url.to_owned())) };
            let store = PostgresStore::open(&config, Arc::new(EnvSecrets)).await.unwrap();
            let of =
                |n: u64| Click { at: Timestamp::from_micros(i64::try_from(time(n)).unwrap()), ..click(n) };
            let spent = ingest(&store, CLICKS_OF_POSTGRES, of).await;
            report(&format!("postgres, {name}"), CLICKS_OF_POSTGRES, spent);

            // As a deal asks: with three keys, over thirty days.
            const LOOKUPS: u64 = 2_000;
            let tenant = TenantId::default();
            let begun = Instant::now();
            let mut found = 0;
            for n in (0..LOOKUPS).map(|n| n * (CLICKS_OF_POSTGRES / LOOKUPS)) {
                let keys: Vec<KeyedHash> = of(n).match_keys().collect();
                let to = Timestamp::from_micros(i64::try_from(time(n) + MONTH / 60).unwrap());
                let from = to.minus(Duration::from_micros(MONTH));
                found += store.candidates(&tenant, &keys, from, to).await.unwrap().len();
            }
            assert!(found >= 3 * usize::try_from(LOOKUPS).unwrap());
            let each = begun.elapsed() / u32::try_from(LOOKUPS).unwrap();
            println!(
                "postgres, {name}: {} us for a lookup of three keys in thirty days of ninety",
                each.as_micros()
            );
            std::mem::drop(store);
            client.batch_execute(&drop).await.unwrap();
        }
    }
}

/// Making a batch is not counted, storing it is.
async fn ingest(store: &dyn ClickStore, count: u64, click: impl Fn(u64) -> Click) -> Duration {
    let tenant = TenantId::default();
    let mut spent = Duration::ZERO;
    for batch in 0..count / BATCH {
        let clicks: Vec<Click> = (batch * BATCH..(batch + 1) * BATCH).map(&click).collect();
        let begun = Instant::now();
        let tracked = store.track(&tenant, &clicks, "bench").await.unwrap();
        spent += begun.elapsed();
        assert_eq!(tracked.inserted, BATCH);
    }
    spent
}

fn report(store: &str, clicks: u64, spent: Duration) {
    let rate = u128::from(clicks) * 1_000_000_000 / spent.as_nanos().max(1);
    println!("{store}: {rate} clicks a second ({} ms)", spent.as_millis());
}

/// SplitMix64: keys are as random as hashes.
fn hash(kind: u64, n: u64) -> KeyedHash {
    let word = |seed: u64| {
        let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&word(n * 16 + kind + 1).to_le_bytes());
    bytes[8..].copy_from_slice(&word(n * 16 + kind + 9).to_le_bytes());
    KeyedHash::from_bytes(bytes)
}

fn click(n: u64) -> Click {
    let ad = n % 200;
    Click {
        key: hash(0, n),
        at: Timestamp::from_micros(i64::try_from(n * (MONTH / CLICKS)).unwrap()),
        ad_id: format!("1202100000000{ad:05}"),
        adset_id: format!("1202100000001{:05}", ad / 5),
        campaign_id: format!("1202100000002{:05}", ad / 25),
        utm: Utm {
            source: Some("facebook".into()),
            campaign: Some(format!("campaign-{}", ad / 25)),
            ..Utm::default()
        },
        id_keys: vec![hash(1, n)],
        personal: Some(Personal {
            click_id: format!("click-{n}"),
            // Two in three share their address with others.
            fingerprint: Some(hash(2, n)),
            address: Some(hash(3, if n.is_multiple_of(3) { n } else { n % 10_000 })),
            device: None,
            raw: "{\"ip\":\"203.0.113.7\",\"user_agent\":\"Mozilla/5.0\"}".into(),
        }),
    }
}
