//! The click and revenue stores on SQLite.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use proptest::test_runner::Config;
use xynergy_core::store::memory::MemoryClicks;
use xynergy_core::store::{Click, ClickStore, KeyedHash, Personal, Utm};
use xynergy_core::{TenantId, Timestamp};
use xynergy_providers::store::sqlite::SqliteStore;

async fn temporary() -> (tempfile::TempDir, SqliteStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("xynergy.sqlite")).await.unwrap();
    (directory, store)
}

#[tokio::test]
async fn keeps_the_contract_of_a_click_store() {
    let (_directory, store) = temporary().await;
    xynergy_core::conformance::click_store(&store).await;
}

#[tokio::test]
async fn keeps_the_contract_of_a_revenue_store() {
    let (_directory, store) = temporary().await;
    xynergy_core::conformance::revenue_store(&store).await;
}

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

fn hash(n: u8) -> KeyedHash {
    KeyedHash::from_bytes([n; 16])
}

/// Moments at and around the ends of days, also before 1970.
fn moment() -> impl Strategy<Value = i64> {
    (-3i64..40, prop_oneof![Just(-1), Just(0), Just(1), 0..DAY]).prop_map(|(day, micros)| day * DAY + micros)
}

fn clicks() -> impl Strategy<Value = Vec<Click>> {
    let one = (any::<u8>(), moment(), proptest::collection::vec(0u8..6, 0..3), any::<bool>());
    let click = one.prop_map(|(n, at, keys, consent)| Click {
        key: hash(n),
        at: Timestamp::from_micros(at),
        ad_id: format!("ad-{n}"),
        adset_id: "set".into(),
        campaign_id: "campaign".into(),
        utm: Utm::default(),
        id_keys: keys.into_iter().map(hash).collect(),
        personal: consent.then(|| Personal {
            click_id: format!("click-{}", n % 3),
            fingerprint: Some(hash(n % 6)),
            address: Some(hash(6)),
            device: None,
            raw: "{}".into(),
        }),
    });
    proptest::collection::vec(click, 0..40)
}

proptest! {
    #![proptest_config(Config { cases: 24, ..Config::default() })]

    #[test]
    fn sqlite_answers_as_memory_does(
        batches in proptest::collection::vec(clicks(), 1..4),
        windows in proptest::collection::vec((moment(), moment()), 1..20),
        forgotten in moment(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (_directory, sqlite) = temporary().await;
            let memory = MemoryClicks::default();
            let tenant = TenantId::default();
            for batch in &batches {
                let tracked = sqlite.track(&tenant, batch, "run").await.unwrap();
                assert_eq!(tracked, memory.track(&tenant, batch, "run").await.unwrap());
            }
            let keys: Vec<_> = (0..8).map(hash).collect();
            for (from, to) in windows {
                let (from, to) = (Timestamp::from_micros(from), Timestamp::from_micros(to));
                let found = sqlite.candidates(&tenant, &keys, from, to).await.unwrap();
                assert_eq!(found, memory.candidates(&tenant, &keys, from, to).await.unwrap());
            }
            // Only counted what is forgotten, and the same is forgotten.
            let ends = (Timestamp::from_micros(i64::MIN), Timestamp::from_micros(i64::MAX));
            let around = sqlite.around(&tenant, &keys[..3], ends.0, ends.1, 5).await.unwrap();
            assert_eq!(around, memory.around(&tenant, &keys[..3], ends.0, ends.1, 5).await.unwrap());
            let counted = memory.clicks_by_ad(&tenant, ends.0, ends.1).await.unwrap();
            let before = Timestamp::from_micros(forgotten);
            let pruned = sqlite.prune(&tenant, before).await.unwrap();
            assert_eq!(pruned, memory.prune(&tenant, before).await.unwrap());
            let erased = sqlite.erase(&tenant, &keys[..2]).await.unwrap();
            assert_eq!(erased, memory.erase(&tenant, &keys[..2]).await.unwrap());
            let found = sqlite.candidates(&tenant, &keys, ends.0, ends.1).await.unwrap();
            assert_eq!(found, memory.candidates(&tenant, &keys, ends.0, ends.1).await.unwrap());
            assert_eq!(sqlite.clicks_by_ad(&tenant, ends.0, ends.1).await.unwrap(), counted);
        });
    }
}
