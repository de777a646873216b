//! The tables of days: made by whoever meets a day first, dropped when nobody keeps it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use xynergy_core::config::EnvSecrets;
use xynergy_core::store::{Click, ClickStore, KeyedHash, Personal, Utm};
use xynergy_core::{TenantId, Timestamp};
use xynergy_providers::store::postgres::{DatabaseUrl, PostgresConfig, PostgresStore};

use crate::support::Place;

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

fn hash(kind: u8, n: u32) -> KeyedHash {
    let mut bytes = [kind; 16];
    bytes[..4].copy_from_slice(&n.wrapping_mul(2_654_435_761).to_be_bytes());
    KeyedHash::from_bytes(bytes)
}

/// Click `n` on a day, found by a click id of its own.
fn click(n: u32, day: i64) -> Click {
    Click {
        key: hash(1, n),
        at: Timestamp::from_micros(day * DAY + i64::from(n)),
        ad_id: "ad".into(),
        adset_id: "set".into(),
        campaign_id: "campaign".into(),
        utm: Utm::default(),
        id_keys: vec![hash(2, n)],
        personal: Some(Personal {
            click_id: format!("click-{n}"),
            fingerprint: None,
            address: None,
            device: None,
            raw: "{}".into(),
        }),
    }
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

fn day(day: i64) -> Timestamp {
    Timestamp::from_micros(day * DAY)
}

const ALL: (Timestamp, Timestamp) = (Timestamp::from_micros(i64::MIN), Timestamp::from_micros(i64::MAX));

/// How many of these clicks are found.
async fn found(store: &PostgresStore, tenant: &TenantId, numbers: impl Iterator<Item = u32>) -> usize {
    let keys: Vec<KeyedHash> = numbers.map(|n| hash(2, n)).collect();
    store.candidates(tenant, &keys, ALL.0, ALL.1).await.unwrap().len()
}

/// The server's day: tests use days that are near to it, which have tables of their own.
async fn today(place: &Place) -> i64 {
    let sql = "SELECT floor(extract(epoch FROM now()) / 86400)::bigint";
    place.client().await.query_one(sql, &[]).await.unwrap().get(0)
}

/// The tables of days that there are.
async fn tables(place: &Place) -> BTreeSet<String> {
    let sql = "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = $1 AND c.relkind = 'r' AND c.relname ~ '^click(s|_keys)_[0-9]'";
    let rows = place.client().await.query(sql, &[&place.config.schema]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

fn of_days(days: impl IntoIterator<Item = i64>) -> BTreeSet<String> {
    days.into_iter().flat_map(|day| [format!("clicks_{day}"), format!("click_keys_{day}")]).collect()
}

#[tokio::test]
async fn a_day_has_a_table_of_its_own_in_the_users_schema() {
    let Some((place, store)) = Place::with_store().await else { return };
    let now = today(&place).await;
    assert_eq!(tables(&place).await, of_days([]), "nothing was clicked yet");
    let a = tenant("a");
    let batch: Vec<Click> = (0..40).map(|n| click(n, now - i64::from(n % 4))).collect();
    assert_eq!(store.track(&a, &batch, "run").await.unwrap().inserted, 40);
    assert_eq!(tables(&place).await, of_days(now - 3..=now));
    assert_eq!(store.track(&a, &batch, "run").await.unwrap().duplicates, 40, "a key is one over all batches");
    assert_eq!(found(&store, &a, 0..40).await, 40);
    let sql = format!("SELECT count(*) FROM clicks_{}", now - 3);
    assert_eq!(place.client().await.query_one(&sql, &[]).await.unwrap().get::<_, i64>(0), 10);
}

#[tokio::test]
async fn clocks_that_are_wrong_make_few_tables() {
    let Some((place, store)) = Place::with_store().await else { return };
    let a = tenant("a");
    let now = today(&place).await;
    // Each day of two years that are long over, of two that are to come, of the centuries around, and both ends of time.
    let days = (19_000..19_730)
        .chain(now + 40..now + 770)
        .chain((-30_000..18_262).step_by(97))
        .chain((47_482..90_000).step_by(97));
    let mut batch: Vec<Click> = (0..).zip(days).map(|(n, day)| click(n, day)).collect();
    for at in [i64::MIN, i64::MAX] {
        batch.push(Click { at: Timestamp::from_micros(at), ..click(u32::try_from(batch.len()).unwrap(), 0) });
    }
    let count = u32::try_from(batch.len()).unwrap();
    assert_eq!(store.track(&a, &batch, "run").await.unwrap().inserted, u64::from(count));
    let names = tables(&place).await;
    assert!(names.iter().all(|name| name.ends_with("_32")), "{names:?}");
    assert!(names.len() / 2 <= 2 * (730 / 32 + 2), "{}", names.len());
    assert_eq!(found(&store, &a, 0..count).await, batch.len());
    // A day beside those that have a table of their own gets one too.
    store.track(&a, &[click(count, now - 1)], "run").await.unwrap();
    assert!(tables(&place).await.contains(&format!("clicks_{}", now - 1)));
    let pruned = store.prune(&a, Timestamp::from_micros(i64::MAX)).await.unwrap().clicks;
    assert_eq!(pruned, u64::from(count), "all but that of a day that has not ended");
    assert_eq!(tables(&place).await, of_days([]), "and every table is gone");
    assert_eq!(found(&store, &a, 0..count + 1).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_that_meet_new_days_at_once_lose_nothing() {
    let Some((place, store)) = Place::with_store().await else { return };
    let now = today(&place).await;
    let a = tenant("a");
    let workers: Vec<_> = (0..8_u32)
        .map(|worker| {
            let (config, a) = (PostgresConfig { max_connections: 2, ..place.config.clone() }, a.clone());
            tokio::spawn(async move {
                let store = PostgresStore::open(&config, Arc::new(EnvSecrets)).await.unwrap();
                for round in 0..10_u32 {
                    // Each in an order of its own, over days that nobody has made and days that others make now.
                    let of = |n: u32| {
                        click(worker * 1_000 + round * 50 + n, now - i64::from((n * 7 + worker + round) % 30))
                    };
                    let batch: Vec<Click> = (0..50).map(of).collect();
                    assert_eq!(store.track(&a, &batch, "run").await.unwrap().inserted, 50);
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    assert_eq!(tables(&place).await, of_days(now - 29..=now));
    assert_eq!(store.count(&a, None).await.unwrap(), 4_000);
    assert_eq!(
        found(&store, &a, (0..8).flat_map(|worker| worker * 1_000..worker * 1_000 + 500)).await,
        4_000
    );
}

#[tokio::test]
async fn a_day_goes_with_the_last_tenant_that_keeps_it() {
    let Some((place, store)) = Place::with_store().await else { return };
    let now = today(&place).await;
    let (short, long) = (tenant("short"), tenant("long"));
    let batch: Vec<Click> = (0..100).map(|n| click(n, now - i64::from(n % 10))).collect();
    for of in [&short, &long] {
        store.track(of, &batch, "run").await.unwrap();
    }
    // A day of one alone, and a click that no key leads to.
    let alone = Click { id_keys: Vec::new(), ..click(500, now - 20) };
    store.track(&short, std::slice::from_ref(&alone), "run").await.unwrap();

    assert_eq!(store.prune(&short, day(now - 4)).await.unwrap().clicks, 51);
    assert_eq!(
        tables(&place).await,
        of_days(now - 9..=now),
        "the day of one alone is gone, the others are not"
    );
    assert_eq!(found(&store, &short, 0..100).await, 50);
    assert_eq!(found(&store, &long, 0..100).await, 100, "others keep theirs");
    assert_eq!(store.prune(&long, day(now - 7)).await.unwrap().clicks, 20);
    assert_eq!(tables(&place).await, of_days(now - 7..=now));
    assert_eq!(store.prune(&long, day(now - 7)).await.unwrap().clicks, 0, "again finds nothing");
    assert_eq!((found(&store, &short, 0..100).await, found(&store, &long, 0..100).await), (50, 80));
    let counted: u64 =
        store.clicks_by_ad(&short, ALL.0, ALL.1).await.unwrap().iter().map(|row| row.clicks).sum();
    assert_eq!(counted, 101, "what is forgotten is counted");
    assert_eq!(
        store.track(&short, &[alone], "late").await.unwrap().inserted,
        1,
        "a late click makes its day again"
    );
}

/// Whoever keeps a day longer loses no click of it while others prune it all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pruning_beside_late_clicks_of_others_loses_none() {
    let Some((place, store)) = Place::with_store().await else { return };
    let now = today(&place).await;
    let days = now - 6..now - 3;
    let mut pruning = Vec::new();
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    for n in 0..2_u32 {
        let (store, stop, first_kept) = (store.clone(), stop.clone(), now - 3);
        let of = tenant(&format!("short-{n}"));
        pruning.push(tokio::spawn(async move {
            let (mut given, mut pruned) = (0, 0);
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let clicks: Vec<Click> =
                    (0..3).map(|k| click(900_000 + given + k, first_kept - 1 - i64::from(k))).collect();
                given += u32::try_from(store.track(&of, &clicks, "run").await.unwrap().inserted).unwrap();
                pruned += store.prune(&of, day(first_kept)).await.unwrap().clicks;
            }
            pruned += store.prune(&of, day(first_kept)).await.unwrap().clicks;
            assert_eq!(pruned, u64::from(given), "each click is pruned once");
            given
        }));
    }
    for round in 0..15 {
        let long = tenant(&format!("long-{round}"));
        let mut writers = Vec::new();
        for writer in 0..4_u32 {
            let (store, long, days) = (store.clone(), long.clone(), days.clone());
            writers.push(tokio::spawn(async move {
                for n in 0..5_u32 {
                    let batch: Vec<Click> = days
                        .clone()
                        .map(|day| click(writer * 100 + n * 10 + u32::try_from(day % 10).unwrap(), day))
                        .collect();
                    assert_eq!(store.track(&long, &batch, "run").await.unwrap().inserted, 3);
                }
            }));
        }
        for writer in writers {
            writer.await.unwrap();
        }
        let numbers = (0..4).flat_map(|writer| {
            (0..5).flat_map(move |n| {
                (now - 6..now - 3).map(move |day| writer * 100 + n * 10 + u32::try_from(day % 10).unwrap())
            })
        });
        assert_eq!(found(&store, &long, numbers).await, 60, "round {round}");
        // The day is nobody's but the pruners' again.
        assert_eq!(store.prune(&long, day(now - 3)).await.unwrap().clicks, 60);
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    for one in pruning {
        assert!(one.await.unwrap() > 0);
    }
    store.prune(&tenant("nobody"), day(now - 3)).await.unwrap();
    assert_eq!(tables(&place).await, of_days([]));
}

/// A report that reads for an hour keeps neither the pruning nor other readers waiting.
#[tokio::test]
async fn a_long_reader_holds_nobody_up() {
    let Some((place, store)) = Place::with_store().await else { return };
    let now = today(&place).await;
    let a = tenant("a");
    let batch: Vec<Click> = (0..40).map(|n| click(n, now - i64::from(n % 4))).collect();
    store.track(&a, &batch, "run").await.unwrap();
    let report = place.client().await;
    report
        .batch_execute("BEGIN; SELECT count(*) FROM clicks; SELECT count(*) FROM click_keys")
        .await
        .unwrap();

    let begun = Instant::now();
    let readers = async {
        let mut slowest = Duration::ZERO;
        while begun.elapsed() < Duration::from_millis(400) {
            let asked = Instant::now();
            assert!(found(&store, &a, 0..40).await >= 20);
            slowest = slowest.max(asked.elapsed());
        }
        slowest
    };
    let (pruned, slowest) = tokio::join!(store.prune(&a, day(now - 1)), readers);
    assert_eq!(pruned.unwrap().clicks, 20, "deleted, where the table cannot be dropped now");
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    assert_eq!(tables(&place).await, of_days(now - 3..=now));
    report.batch_execute("COMMIT").await.unwrap();
    assert_eq!(store.prune(&a, day(now - 1)).await.unwrap().clicks, 0);
    assert_eq!(tables(&place).await, of_days([now - 1, now]), "the next time drops it");
}

/// Who migrates as the owner may let the workers have no more than the rights on rows.
#[tokio::test]
async fn a_worker_needs_no_right_to_make_tables() {
    let Some((place, owner)) = Place::with_store().await else { return };
    let now = today(&place).await;
    let client = place.client().await;
    let schema = &place.config.schema;
    let role = format!("{schema}_worker");
    client
        .batch_execute(&format!(
            "CREATE ROLE {role};
             GRANT USAGE ON SCHEMA {schema} TO {role};
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};
             GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {role}"
        ))
        .await
        .unwrap();
    let DatabaseUrl::Text(url) = &place.config.url else { unreachable!("tests write their URL") };
    let url = DatabaseUrl::Text(format!("{url}&options=-c%20role%3D{role}"));
    let worker = PostgresStore::open(&PostgresConfig { url, ..place.config.clone() }, Arc::new(EnvSecrets))
        .await
        .unwrap();
    let a = tenant("a");
    let batch: Vec<Click> = (0..40).map(|n| click(n, now - i64::from(n % 4))).collect();
    assert_eq!(worker.track(&a, &batch, "run").await.unwrap().inserted, 40);
    assert_eq!(found(&worker, &a, 0..40).await, 40);
    assert_eq!(worker.erase(&a, &[hash(2, 0)]).await.unwrap().clicks.len(), 1);
    assert_eq!(worker.prune(&a, day(now - 1)).await.unwrap().clicks, 20);
    assert_eq!(tables(&place).await, of_days([now - 1, now]));
    assert_eq!(found(&owner, &a, 0..40).await, 19);
    drop(worker);
    let drop_role = format!("DROP OWNED BY {role}; DROP ROLE {role}");
    client.batch_execute(&drop_role).await.unwrap();
}
