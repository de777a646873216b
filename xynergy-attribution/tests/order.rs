//! The order, repetition and batching of events reach no stored row.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};
use xynergy_attribution::click::{ClickRules, IdentityKey, parse_line};
use xynergy_attribution::matching::{
    self, ChooseBy, ContactProperties, Evidence, KnownAds, Layers, Windows, choose,
};
use xynergy_attribution::revenue::{Book, Rules, anchor, fold};
use xynergy_core::crm::{Contact, Crm, Deal, MemoryCrm};
use xynergy_core::store::memory::{MemoryClicks, MemoryRevenue};
use xynergy_core::store::{ClickStore, DealFacts, DealRevenue, RevenueStore, RevenueTotals};
use xynergy_core::{Ctx, Env, TenantId, Timestamp};
use xynergy_providers::crm::hubspot::parse_events;
use xynergy_providers::store::sqlite::SqliteStore;

const STAGES: [&str; 6] =
    ["appointmentscheduled", "contractsent", "closedwon", "closedlost", "1043267811", "qualifiedtobuy"];

/// What arrives: batches of events, and after which of them the deals are processed.
type Deliveries = Vec<(Vec<Value>, bool)>;

async fn process(
    revenue: &dyn RevenueStore,
    clicks: &dyn ClickStore,
    crm: &dyn Crm,
    ctx: &Ctx,
    key: &IdentityKey,
) {
    let (tenant, ads, windows) = (&ctx.tenant, KnownAds::new(), Windows::default());
    let pending = revenue.pending_deals(tenant, usize::MAX).await.unwrap();
    let deals = crm.deals(ctx, &pending).await.unwrap();
    for id in pending {
        let rules = Rules::default();
        let book = Book { rules: &rules, tables: &[], values_seen: 0 };
        let events = revenue.events(tenant, &id).await.unwrap();
        let ledger = fold(&events, &BTreeMap::new(), book).remove(&id).unwrap();
        let deal = deals.get(&id);
        let people = crm.contacts(ctx, deal.map_or(&[], |d| &d.contacts)).await.unwrap();
        let evidence = Evidence::of(
            people.values(),
            &ContactProperties::default(),
            std::slice::from_ref(key),
            &ClickRules::default(),
            &Layers::default(),
        );
        let at = anchor(deal, &ledger);
        let (from, to) = windows.around(at);
        let candidates = clicks.candidates(tenant, &evidence.keys(), from, to).await.unwrap();
        let by = matching::Rules { windows: &windows, choose_by: ChooseBy::Tier, ads: &ads };
        let matched = choose(at, &evidence, &candidates, by, None);
        assert!(
            revenue.put_deals(tenant, &[ledger.into_deal(id, DealFacts::default(), matched)]).await.unwrap()
        );
    }
}

fn world() -> (MemoryCrm, Vec<String>) {
    let mut deals = BTreeMap::new();
    let mut contacts = BTreeMap::new();
    let mut clicks = Vec::new();
    for n in 1..4 {
        let created = ("createdate".to_owned(), Some("2026-03-02T00:00:00Z".to_owned()));
        deals.insert(n.to_string(), Deal { properties: [created].into(), contacts: vec![n.to_string()] });
        let facebook = ("hs_facebook_click_id".to_owned(), Some(format!("IwAR{n}")));
        contacts.insert(n.to_string(), Contact { properties: [facebook].into() });
        clicks.push(
            json!({"ts": "2026-03-01T00:00:00Z", "url": format!("https://shop.example/?fbclid=IwAR{n}"),
                   "ad_id": format!("ad-{}", n % 2), "adset_id": "s", "campaign_id": "c", "ip": null,
                   "user_agent": null, "consent": n == 1})
            .to_string(),
        );
    }
    (MemoryCrm::new(deals, contacts), clicks)
}

/// The revenue of `deliveries` in one store.
async fn run(
    revenue: &dyn RevenueStore,
    clicks: &dyn ClickStore,
    deliveries: &Deliveries,
) -> (RevenueTotals, Vec<DealRevenue>) {
    let ctx = Ctx::new(&Env::default(), TenantId::default());
    let key = IdentityKey::new(&ctx.tenant, &[5; 32]);
    let (crm, lines) = world();
    let parsed: Vec<_> = lines.iter().map(|line| parse_line(line.as_bytes(), &key).unwrap()).collect();
    clicks.track(&ctx.tenant, &parsed, "run").await.unwrap();
    let arrived: Timestamp = "2026-03-31T00:00:00Z".parse().unwrap();
    for (events, then_process) in deliveries {
        let batch = parse_events(json!(events).to_string().as_bytes(), arrived).unwrap();
        assert!(batch.problems.is_empty(), "{:?}", batch.problems);
        revenue.append_events(&ctx.tenant, &batch.events, "run").await.unwrap();
        if *then_process {
            process(revenue, clicks, &crm, &ctx, &key).await;
        }
    }
    process(revenue, clicks, &crm, &ctx, &key).await;
    assert!(revenue.pending_deals(&ctx.tenant, 1).await.unwrap().is_empty());
    (revenue.totals(&ctx.tenant).await.unwrap(), revenue.deals(&ctx.tenant).await.unwrap())
}

/// The same on a SQLite file, with every row of every table of revenue.
async fn run_on_sqlite(deliveries: &Deliveries) -> ((RevenueTotals, Vec<DealRevenue>), Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("xynergy.sqlite")).await.unwrap();
    let answer = run(&store, &store, deliveries).await;
    let connection = rusqlite::Connection::open(store.path()).unwrap();
    let mut rows = Vec::new();
    for table in ["crm_events", "crm_event_ingests", "deals", "revenue_entries"] {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_count();
        let mut found = statement.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let values: Vec<rusqlite::types::Value> = (0..columns).map(|i| row.get(i).unwrap()).collect();
            rows.push(format!("{table}: {values:?}"));
        }
    }
    (answer, rows)
}

fn events() -> impl Strategy<Value = Vec<Value>> {
    let one = (1u64..5, 0i64..5, 0u64..15, proptest::sample::select(STAGES.to_vec()), any::<bool>(), 0u8..10);
    let event = one.prop_map(|(deal, at, id, stage, classic, other)| {
        let mut event = json!({
            "eventId": id, "subscriptionId": 1, "portalId": 7, "occurredAt": 1_772_367_797_588_i64 + at,
            "subscriptionType": if classic { "deal.propertyChange" } else { "object.propertyChange" },
            "attemptNumber": 0, "objectId": deal, "propertyName": "dealstage", "propertyValue": stage,
        });
        if !classic {
            event["objectTypeId"] = json!("0-3");
        }
        if other == 0 {
            event["propertyName"] = json!("amount");
        }
        event
    });
    proptest::collection::vec(event, 1..25)
}

/// The same events shuffled, each up to three times with another attempt and subscription, in other batches.
fn rearranged(events: Vec<Value>) -> impl Strategy<Value = Deliveries> {
    let copies = events.into_iter().flat_map(|event| {
        (0..3).map(move |attempt| {
            let mut copy = event.clone();
            copy["attemptNumber"] = json!(attempt);
            copy["subscriptionId"] = json!(attempt + 1);
            copy
        })
    });
    let shuffled = Just(copies.collect::<Vec<_>>()).prop_shuffle();
    (shuffled, 1usize..20, any::<u64>()).prop_map(|(events, size, bits)| {
        let batches = events.chunks(size).enumerate();
        batches.map(|(n, batch)| (batch.to_vec(), bits >> (n % 64) & 1 == 1)).collect()
    })
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

proptest! {
    #![proptest_config(Config { cases: 24, ..Config::default() })]

    #[test]
    fn any_arrival_ends_in_the_same_rows(
        (events, one, other) in events().prop_flat_map(|e| (Just(e.clone()), rearranged(e.clone()), rearranged(e)))
    ) {
        let (first, first_rows) = block_on(run_on_sqlite(&one));
        let (second, second_rows) = block_on(run_on_sqlite(&other));
        prop_assert_eq!(&first, &second);
        prop_assert_eq!(first_rows, second_rows);
        let in_memory = block_on(run(&MemoryRevenue::default(), &MemoryClicks::default(), &vec![(events, false)]));
        prop_assert_eq!(&first.0, &in_memory.0);
        prop_assert_eq!(first.1, in_memory.1);
    }
}
