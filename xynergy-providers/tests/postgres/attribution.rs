//! The click and revenue stores.

use std::cell::Cell;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use xynergy_core::config::EnvSecrets;
use xynergy_core::crm::{CrmChange, CrmEvent};
use xynergy_core::store::memory::{MemoryClicks, MemoryRevenue};
use xynergy_core::store::{
    Attributed, Click, ClickStore, DealFacts, DealRevenue, EntryCause, KeyedHash, Layer, LedgerEntry, Match,
    Personal, RevenueStore, Utm,
};
use xynergy_core::{TenantId, Timestamp};
use xynergy_providers::store::postgres::PostgresStore;

use crate::support::Place;

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

#[tokio::test]
async fn keeps_the_contract_of_a_click_store() {
    let Some((_place, store)) = Place::with_store().await else { return };
    xynergy_core::conformance::click_store(&store).await;
}

#[tokio::test]
async fn keeps_the_contract_of_a_revenue_store() {
    let Some((_place, store)) = Place::with_store().await else { return };
    xynergy_core::conformance::revenue_store(&store).await;
}

fn hash(n: u32) -> KeyedHash {
    let mut bytes = [9; 16];
    bytes[..4].copy_from_slice(&n.wrapping_mul(2_654_435_761).to_be_bytes());
    KeyedHash::from_bytes(bytes)
}

/// Click `n`: one second after the one before it, with a click id of its own and an address that ten share.
fn click(n: u32) -> Click {
    Click {
        key: hash(n),
        at: Timestamp::from_micros(i64::from(n) * 1_000_000),
        ad_id: format!("ad-{}", n % 50),
        adset_id: "set".into(),
        campaign_id: "campaign".into(),
        utm: Utm {
            source: Some("facebook".into()),
            content: Some(format!("ad-{}", n % 50)),
            ..Utm::default()
        },
        id_keys: vec![hash(1_000_000 + n)],
        personal: (!n.is_multiple_of(3)).then(|| Personal {
            click_id: format!("click-{n}"),
            fingerprint: Some(hash(2_000_000 + n)),
            address: Some(hash(3_000_000 + n / 10)),
            device: None,
            raw: format!("{{\"ip\":\"192.0.2.{}\",\"url\":\"{}\"}}", n % 256, "x".repeat(300)),
        }),
    }
}

/// Event `n`: every tenth is no move of a deal, the others move one of `deals` deals.
fn event(n: u32, deals: u32) -> CrmEvent {
    CrmEvent {
        key: hash(n),
        occurred_at: Timestamp::from_millis(i64::from(n)),
        event_id: n.to_string(),
        recorded_at: Timestamp::from_millis(1),
        deals: (!n.is_multiple_of(10)).then(|| format!("deal-{}", n % deals)).into_iter().collect(),
        change: (!n.is_multiple_of(10)).then(|| CrmChange::Stage { stage: format!("stage-{}", n % 5) }),
        raw: format!("{{\"eventId\":{n}}}"),
    }
}

/// What a deal is worth by these events, by rules that are as good as any.
fn folded(deal_id: &str, events: &[CrmEvent]) -> DealRevenue {
    let mut events: Vec<&CrmEvent> = events.iter().collect();
    events.sort_by_key(|event| event.occurred_at);
    let stage = |event: &CrmEvent| event.stage_change().unwrap().1.to_owned();
    let entries: Vec<LedgerEntry> = (0..events.len())
        .map(|i| LedgerEntry {
            event: events[i].key,
            occurred_at: events[i].occurred_at,
            cause: EntryCause::Stage,
            stage_from: i.checked_sub(1).map(|before| stage(events[before])),
            stage_to: stage(events[i]),
            delta_minor: events[i].occurred_at.micros() % 1_000 - 300,
        })
        .collect();
    let found = events.len().is_multiple_of(2).then(|| Attributed {
        layer: Layer::Layer2,
        click_id: Some(format!("click-{}", events.len())),
        ad_id: format!("ad-{}", events.len() % 7),
        adset_id: None,
        campaign_id: Some("campaign".into()),
        keyword: Some("shoes".into()),
        content: None,
    });
    DealRevenue {
        deal_id: deal_id.into(),
        stage: Some(entries.last().unwrap().stage_to.clone()),
        pipeline: None,
        amount_minor: None,
        merged_into: None,
        problem: None,
        facts: DealFacts::default(),
        value_minor: entries.iter().map(|entry| entry.delta_minor).sum(),
        entries,
        matched: Match {
            found,
            anchor: Timestamp::from_millis(1),
            rule_version: "rules".into(),
            probability: None,
            p_none: None,
            receipt: format!("{{\"events\":{}}}", events.len()),
        },
        events_seen: events.len() as u64,
        values_seen: 0,
    }
}

/// Folds what waits until nothing does, as every worker would.
async fn process(store: &dyn RevenueStore, tenant: &TenantId, limit: usize) {
    loop {
        let pending = store.pending_deals(tenant, limit).await.unwrap();
        if pending.is_empty() {
            return;
        }
        for deal_id in pending {
            let events = store.events(tenant, &deal_id).await.unwrap();
            store.put_deals(tenant, &[folded(&deal_id, &events)]).await.unwrap();
        }
    }
}

/// Numbers below `end`, each once, in an order of its own for each seed.
fn shuffled(end: u32, seed: u32) -> Vec<u32> {
    let mut numbers: Vec<u32> = (0..end).collect();
    numbers
        .sort_by_key(|n| (n ^ seed.wrapping_mul(0x9E37_79B9)).wrapping_mul(2_246_822_519).rotate_left(seed));
    numbers
}

const WRITERS: u32 = 8;

/// Every writer has connections of its own and sends everything, in another order and other batches.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_writers_leave_what_one_would() {
    let Some((place, store)) = Place::with_store().await else { return };
    let (tenant, clicks, events, deals) = (TenantId::default(), 3_000, 1_500, 40);
    let writers = (0..WRITERS).map(|writer| {
        let (config, tenant) = (place.config.clone(), tenant.clone());
        tokio::spawn(async move {
            let store = PostgresStore::open(&config, Arc::new(EnvSecrets)).await.unwrap();
            let (mut tracked, mut appended) = (0, 0);
            for batch in shuffled(clicks, writer).chunks(100 + 70 * writer as usize) {
                let batch: Vec<Click> = batch.iter().map(|n| click(*n)).collect();
                tracked += store.track(&tenant, &batch, "clicks").await.unwrap().inserted;
            }
            for batch in shuffled(events, writer).chunks(20 + 30 * writer as usize) {
                // Each writer's raw forms differ: the smallest of all is to stay.
                let batch: Vec<CrmEvent> = batch
                    .iter()
                    .map(|n| CrmEvent {
                        raw: format!("{{\"from\":{}}}", (n + writer) % WRITERS),
                        ..event(*n, deals)
                    })
                    .collect();
                appended += store.append_events(&tenant, &batch, "events").await.unwrap().inserted;
                process(&store, &tenant, 5).await;
            }
            (tracked, appended)
        })
    });
    let (mut tracked, mut appended) = (0, 0);
    for writer in writers.collect::<Vec<_>>() {
        let (clicks, events) = writer.await.unwrap();
        tracked += clicks;
        appended += events;
    }
    assert_eq!((tracked, appended), (u64::from(clicks), u64::from(events)), "each is new to one writer");
    assert_eq!(store.count(&tenant, Some("clicks")).await.unwrap(), u64::from(clicks));
    assert_eq!(store.count_events(&tenant, None).await.unwrap(), u64::from(events));

    let (one, alone) = (MemoryRevenue::default(), MemoryClicks::default());
    alone.track(&tenant, &(0..clicks).map(click).collect::<Vec<_>>(), "clicks").await.unwrap();
    let smallest = |n| CrmEvent { raw: "{\"from\":0}".into(), ..event(n, deals) };
    one.append_events(&tenant, &(0..events).map(smallest).collect::<Vec<_>>(), "events").await.unwrap();
    process(&one, &tenant, 100).await;
    for deal in 0..deals {
        let deal = format!("deal-{deal}");
        assert_eq!(store.events(&tenant, &deal).await.unwrap(), one.events(&tenant, &deal).await.unwrap());
    }
    assert_eq!(store.deals(&tenant).await.unwrap(), one.deals(&tenant).await.unwrap());
    assert_eq!(store.totals(&tenant).await.unwrap(), one.totals(&tenant).await.unwrap());
    let keys: Vec<_> = (0..clicks).flat_map(|n| click(n).match_keys().collect::<Vec<_>>()).collect();
    let (from, to) = (Timestamp::from_micros(0), Timestamp::from_micros(i64::MAX));
    assert_eq!(
        store.candidates(&tenant, &keys, from, to).await.unwrap(),
        alone.candidates(&tenant, &keys, from, to).await.unwrap()
    );
}

/// A trigger that fails whatever is written to a table.
async fn forbid(place: &Place, table: &str) {
    let sql = format!(
        "CREATE OR REPLACE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END';
         CREATE TRIGGER no BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION no()"
    );
    place.client().await.batch_execute(&sql).await.unwrap();
}

async fn allow(place: &Place, table: &str) {
    place.client().await.batch_execute(&format!("DROP TRIGGER no ON {table}")).await.unwrap();
}

async fn rows(place: &Place, table: &str) -> i64 {
    place.client().await.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.unwrap().get(0)
}

/// Whichever statement of a batch fails, nothing of the batch stays, and the same batch goes through later.
#[tokio::test]
async fn a_batch_is_kept_whole_or_not_at_all() {
    let Some((place, store)) = Place::with_store().await else { return };
    let tenant = TenantId::default();
    let clicks: Vec<Click> = (0..200).map(click).collect();
    let tables = ["clicks", "click_days", "click_keys", "click_ingests"];
    for table in tables {
        forbid(&place, table).await;
        store.track(&tenant, &clicks, "run").await.unwrap_err();
        for table in tables {
            assert_eq!(rows(&place, table).await, 0, "{table}");
        }
        allow(&place, table).await;
    }
    assert_eq!(store.track(&tenant, &clicks, "run").await.unwrap().inserted, 200);

    let events: Vec<CrmEvent> = (0..200).map(|n| event(n, 7)).collect();
    let tables = ["crm_events", "deals", "crm_event_ingests"];
    for table in tables {
        forbid(&place, table).await;
        store.append_events(&tenant, &events, "run").await.unwrap_err();
        for table in tables {
            assert_eq!(rows(&place, table).await, 0, "{table}");
        }
        allow(&place, table).await;
    }
    assert_eq!(store.append_events(&tenant, &events, "run").await.unwrap().inserted, 200);

    let deal = folded("deal-1", &store.events(&tenant, "deal-1").await.unwrap());
    forbid(&place, "revenue_entries").await;
    store.put_deals(&tenant, std::slice::from_ref(&deal)).await.unwrap_err();
    assert!(store.deals(&tenant).await.unwrap().is_empty(), "no state without its entries");
    allow(&place, "revenue_entries").await;
    store.put_deals(&tenant, std::slice::from_ref(&deal)).await.unwrap();
    assert_eq!(store.deals(&tenant).await.unwrap(), [deal]);
}

/// Calls that are dropped at any of their waits leave all or nothing, and the connection in order for the next.
#[tokio::test]
async fn a_dropped_call_leaves_all_or_nothing() {
    let Some((_place, store)) = Place::with_store().await else { return };
    for polls in 0.. {
        let tenant = TenantId::new(format!("t{polls}")).unwrap();
        let clicks: Vec<Click> = (0..300).map(click).collect();
        let ended = dropped_after(polls, store.track(&tenant, &clicks, "run")).await;
        let again = store.track(&tenant, &clicks, "run").await.unwrap();
        assert!([0, 300].contains(&again.inserted), "{again:?}");
        assert_eq!(store.count(&tenant, None).await.unwrap(), 300);
        let ours = clicks[1].id_keys[0];
        let (from, to) = (Timestamp::from_micros(0), Timestamp::from_micros(DAY));
        assert_eq!(store.candidates(&tenant, &[ours], from, to).await.unwrap().len(), 1);
        if let Some(whole) = ended {
            assert_eq!(whole.unwrap().inserted, 300);
            assert!(polls > 3, "it has waits to be dropped at");
            break;
        }
    }
}

/// What the work gives, unless it waits more often than so many times: then it is dropped there.
async fn dropped_after<T>(polls: usize, work: impl Future<Output = T>) -> Option<T> {
    let (mut work, mut left) = (Box::pin(work), polls);
    std::future::poll_fn(|context| {
        let Some(fewer) = left.checked_sub(1) else { return Poll::Ready(None) };
        left = fewer;
        work.as_mut().poll(context).map(Some)
    })
    .await
}

/// A person who clicks decides what the URL says: a character that PostgreSQL cannot hold must not stop a batch.
#[tokio::test]
async fn a_nul_character_in_a_click_or_an_event_is_kept() {
    let Some((_place, store)) = Place::with_store().await else { return };
    let (tenant, odd) = (TenantId::default(), "a\0b\u{1}0\u{1}");
    let mut clicks = [click(1), click(2)];
    clicks[0].utm.source = Some("\0".into());
    clicks[0].personal.as_mut().unwrap().click_id = odd.into();
    clicks[0].ad_id = odd.into();
    assert_eq!(store.track(&tenant, &clicks, odd).await.unwrap().inserted, 2);
    assert_eq!(store.count(&tenant, Some(odd)).await.unwrap(), 2);
    let (from, to) = (Timestamp::from_micros(0), Timestamp::from_micros(DAY));
    let found = store.candidates(&tenant, &[clicks[0].id_keys[0]], from, to).await.unwrap();
    assert_eq!((found[0].id.as_str(), found[0].ad_id.as_str()), (odd, odd));

    let change = || Some(CrmChange::Stage { stage: odd.into() });
    let events = [
        CrmEvent {
            deals: vec![odd.into()],
            change: change(),
            event_id: odd.into(),
            raw: odd.into(),
            ..event(1, 1)
        },
        CrmEvent { deals: vec!["a\u{1}".into()], change: change(), ..event(2, 1) },
    ];
    store.append_events(&tenant, &events, "run").await.unwrap();
    assert_eq!(store.pending_deals(&tenant, 9).await.unwrap(), [odd, "a\u{1}"], "in byte order");
    assert_eq!(store.events(&tenant, odd).await.unwrap(), events[..1]);
    let mut deal = folded(odd, &events[..1]);
    deal.matched.found = Some(Attributed {
        layer: Layer::Layer1,
        click_id: None,
        ad_id: odd.into(),
        adset_id: Some(odd.into()),
        campaign_id: None,
        keyword: Some(odd.into()),
        content: Some(odd.into()),
    });
    store.put_deals(&tenant, std::slice::from_ref(&deal)).await.unwrap();
    assert_eq!(store.deals(&tenant).await.unwrap(), [deal]);
    assert!(store.totals(&tenant).await.unwrap().by_ad.contains_key(odd));
}

/// The ledger of a deal that shrinks, grows and changes is the last one put, and nothing of those before.
#[tokio::test]
async fn a_ledger_is_replaced_whole() {
    let Some((_place, store)) = Place::with_store().await else { return };
    let tenant = TenantId::default();
    let events: Vec<CrmEvent> = (1..10).map(|n| event(n, 1)).collect();
    store.append_events(&tenant, &events, "run").await.unwrap();
    let whole = folded("deal-0", &events);
    for entries in [0, 5, 9, 3, 4, 0] {
        let mut deal = whole.clone();
        deal.entries.truncate(entries);
        deal.entries.reverse();
        assert!(store.put_deals(&tenant, std::slice::from_ref(&deal)).await.unwrap());
        assert_eq!(store.deals(&tenant).await.unwrap(), [deal]);
    }
}

/// Beside a tenant with most of the rows, a small one's queries read no table from end to end, neither before the
/// server gathers statistics nor after.
#[tokio::test]
async fn every_query_is_a_search_of_an_index() {
    let Some((place, store)) = Place::with_store().await else { return };
    let (large, small) = (TenantId::new("large").unwrap(), TenantId::new("small").unwrap());
    use_every_query(&store, &small, 0..200).await;
    use_every_query(&store, &large, 0..12_000).await;
    use_every_query(&store, &small, 200..400).await;
    place.client().await.batch_execute("ANALYZE").await.unwrap();
    // Twice the number of executions after which a prepared statement may get another plan.
    for n in 4..16 {
        use_every_query(&store, &small, n * 100..n * 100 + 100).await;
    }
    // A session that ends has reported what it read.
    drop(store);
    let schema = &place.config.schema;
    // Making an index reads its table, and so do migrations; they were empty then. A query that scans does so at each use.
    const FEW: i64 = 10;
    let read =
        "SELECT relname::text, seq_scan - (SELECT count(*) FROM pg_index WHERE indrelid = relid), idx_scan
                FROM pg_stat_user_tables
                WHERE schemaname = $1
                  AND relname IN ('clicks_past', 'click_keys_past', 'crm_events', 'deals', 'revenue_entries')";
    let client = place.client().await;
    let mut tables: Vec<(String, i64, i64)> = Vec::new();
    for _ in 0..100 {
        let found = client.query(read, &[schema]).await.unwrap();
        tables = found.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
        if tables.len() == 5 && tables.iter().all(|(.., searched)| *searched > 0) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(tables.len(), 5);
    for (table, scanned, searched) in tables {
        assert!(scanned < FEW && searched > 0, "{table}: {scanned} scans, {searched} searches");
    }
}

async fn use_every_query(store: &PostgresStore, tenant: &TenantId, numbers: std::ops::Range<u32>) {
    let clicks: Vec<Click> = numbers.clone().map(click).collect();
    store.track(tenant, &clicks, "run").await.unwrap();
    let keys: Vec<_> = clicks.iter().take(100).flat_map(|c| c.match_keys().collect::<Vec<_>>()).collect();
    let (from, to) = (Timestamp::from_micros(0), Timestamp::from_micros(DAY));
    assert!(!store.candidates(tenant, &keys, from, to).await.unwrap().is_empty());
    store.count(tenant, Some("run")).await.unwrap();
    let deals = u32::try_from(clicks.len()).unwrap() / 10;
    let events: Vec<CrmEvent> = numbers.map(|n| event(n, deals)).collect();
    store.append_events(tenant, &events, "run").await.unwrap();
    let smaller: Vec<CrmEvent> =
        events.iter().take(50).map(|e| CrmEvent { raw: "{}".into(), ..e.clone() }).collect();
    store.append_events(tenant, &smaller, "run").await.unwrap();
    store.count_events(tenant, None).await.unwrap();
    let pending = store.pending_deals(tenant, 20).await.unwrap();
    assert!(!pending.is_empty());
    for deal_id in pending {
        let events = store.events(tenant, &deal_id).await.unwrap();
        assert!(store.put_deals(tenant, &[folded(&deal_id, &events)]).await.unwrap());
    }
    if tenant.as_str() == "small" {
        assert!(!store.deals(tenant).await.unwrap().is_empty());
        store.totals(tenant).await.unwrap();
    }
}

/// Moments at and around the ends of days: before 1970, at the ends of what has tables of its own, long ago, of these years, and
/// decades ahead.
fn moment() -> impl Strategy<Value = i64> {
    let day = prop_oneof![
        2 => -3i64..20,
        2 => 18_255i64..18_300,
        2 => 20_000i64..20_070,
        4 => 20_700i64..20_800,
        1 => 30_000i64..30_040,
        1 => 47_475i64..47_490,
    ];
    (day, prop_oneof![Just(-1), Just(0), Just(1), 0..DAY]).prop_map(|(day, micros)| day * DAY + micros)
}

fn clicks() -> impl Strategy<Value = Vec<Click>> {
    let one = (0u32..256, moment(), proptest::collection::vec(0u32..6, 0..3), any::<bool>());
    let click = one.prop_map(|(n, at, keys, consent)| Click {
        at: Timestamp::from_micros(at),
        id_keys: keys.into_iter().map(hash).collect(),
        personal: consent.then(|| Personal {
            click_id: format!("click-{}", n % 3),
            fingerprint: Some(hash(n % 6)),
            address: Some(hash(6)),
            device: None,
            raw: "{}".into(),
        }),
        ..click(n)
    });
    proptest::collection::vec(click, 0..40)
}

#[test]
fn postgres_answers_as_memory_does() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let Some((_place, store)) = runtime.block_on(Place::with_store()) else { return };
    let case = Cell::new(0);
    let batches = proptest::collection::vec(clicks(), 1..4);
    let windows = proptest::collection::vec((moment(), moment()), 1..20);
    let mut runner = TestRunner::new(Config { cases: 64, ..Config::default() });
    let ran = runner.run(&(batches, windows, moment()), |(batches, windows, forgotten)| {
        case.set(case.get() + 1);
        let tenant = TenantId::new(format!("case-{}", case.get())).unwrap();
        runtime.block_on(async {
            let memory = MemoryClicks::default();
            for batch in &batches {
                let tracked = store.track(&tenant, batch, "run").await.unwrap();
                prop_assert_eq!(tracked, memory.track(&tenant, batch, "run").await.unwrap());
            }
            let keys: Vec<_> = (0..8).map(hash).collect();
            for (from, to) in windows {
                let (from, to) = (Timestamp::from_micros(from), Timestamp::from_micros(to));
                let found = store.candidates(&tenant, &keys, from, to).await.unwrap();
                prop_assert_eq!(found, memory.candidates(&tenant, &keys, from, to).await.unwrap());
            }
            // Only counted what is forgotten, and the same is forgotten.
            let ends = (Timestamp::from_micros(i64::MIN), Timestamp::from_micros(i64::MAX));
            let around = store.around(&tenant, &keys[..3], ends.0, ends.1, 5).await.unwrap();
            prop_assert_eq!(around, memory.around(&tenant, &keys[..3], ends.0, ends.1, 5).await.unwrap());
            let counted = memory.clicks_by_ad(&tenant, ends.0, ends.1).await.unwrap();
            let before = Timestamp::from_micros(forgotten);
            let pruned = store.prune(&tenant, before).await.unwrap();
            prop_assert_eq!(pruned, memory.prune(&tenant, before).await.unwrap());
            let erased = store.erase(&tenant, &keys[..2]).await.unwrap();
            prop_assert_eq!(erased, memory.erase(&tenant, &keys[..2]).await.unwrap());
            let found = store.candidates(&tenant, &keys, ends.0, ends.1).await.unwrap();
            prop_assert_eq!(found, memory.candidates(&tenant, &keys, ends.0, ends.1).await.unwrap());
            prop_assert_eq!(store.clicks_by_ad(&tenant, ends.0, ends.1).await.unwrap(), counted);
            Ok(())
        })
    });
    ran.unwrap();
}
