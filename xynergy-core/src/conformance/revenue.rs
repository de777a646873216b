use crate::crm::{CrmEvent, StageChange};
use crate::ctx::TenantId;
use crate::env::Timestamp;
use crate::error::ErrorKind;
use crate::store::{
    Appended, Attributed, DealRevenue, KeyedHash, Layer, LedgerEntry, Match, MatchCounts, RevenueStore,
    RevenueTotals,
};

/// The behaviour of a [`RevenueStore`]; `store` is empty.
///
/// # Panics
/// At the first behaviour that differs.
pub async fn revenue_store(store: &dyn RevenueStore) {
    inbox(store).await;
    ledger(store).await;
    tenants(store).await;
}

async fn inbox(store: &dyn RevenueStore) {
    let a = TenantId::new("a").unwrap();
    assert_eq!(store.append_events(&a, &[], "none").await.unwrap(), Appended::default());
    let first = event(1, Some("7"), "lead");
    let batch = [first.clone(), event(2, Some("70"), "closedwon"), first.clone(), event(3, None, "")];
    let appended = store.append_events(&a, &batch, "one").await.unwrap();
    assert_eq!(appended, Appended { inserted: 3, duplicates: 1 }, "a key counts once in a batch");
    let appended =
        store.append_events(&a, &[first.clone(), event(4, Some("7"), "won")], "two").await.unwrap();
    assert_eq!(appended, Appended { inserted: 1, duplicates: 1 }, "a key counts once over all batches");
    for (source, events) in [(Some("one"), 3), (Some("two"), 1), (Some("none"), 0), (None, 4)] {
        assert_eq!(store.count_events(&a, source).await.unwrap(), events, "events of {source:?}");
    }

    assert_eq!(
        store.pending_deals(&a, 10).await.unwrap(),
        ["7", "70"],
        "deals with stage events wait, in byte order"
    );
    assert_eq!(store.pending_deals(&a, 1).await.unwrap(), ["7"]);
    assert_eq!(store.pending_deals(&a, 0).await.unwrap(), Vec::<String>::new());
    assert_eq!(store.events(&a, "7").await.unwrap(), [first.clone(), event(4, Some("7"), "won")]);
    assert!(store.events(&a, "absent").await.unwrap().is_empty());

    let larger = CrmEvent { raw: "{\"z\":1}".into(), ..first.clone() };
    store.append_events(&a, &[larger], "three").await.unwrap();
    assert_eq!(store.events(&a, "7").await.unwrap()[0], first, "a greater raw form is dropped");
    let smaller = CrmEvent { raw: "{\"a\":1}".into(), ..first };
    store.append_events(&a, std::slice::from_ref(&smaller), "three").await.unwrap();
    assert_eq!(
        store.events(&a, "7").await.unwrap()[0],
        smaller,
        "a smaller one replaces it, whatever came first"
    );
    assert_eq!(store.count_events(&a, Some("three")).await.unwrap(), 0);
}

async fn ledger(store: &dyn RevenueStore) {
    let a = TenantId::new("a").unwrap();
    assert_eq!(store.totals(&a).await.unwrap(), RevenueTotals::default());
    let early = deal("7", 50_000, 1, None);
    assert!(store.put_deal(&a, &early).await.unwrap());
    assert_eq!(
        store.pending_deals(&a, 10).await.unwrap(),
        ["7", "70"],
        "an event that was not seen keeps it waiting"
    );
    let whole = deal("7", 150_000, 2, Some("ad-1"));
    assert!(store.put_deal(&a, &whole).await.unwrap());
    assert_eq!(store.pending_deals(&a, 10).await.unwrap(), ["70"]);
    assert!(!store.put_deal(&a, &early).await.unwrap(), "a state that saw less is refused");
    assert_eq!(store.deals(&a).await.unwrap(), std::slice::from_ref(&whole), "and changes nothing");
    assert!(store.put_deal(&a, &whole).await.unwrap(), "the same state may be put again");

    let unknown = store.put_deal(&a, &deal("8", 1, 1, None)).await.unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::InvalidInput, "a state cannot have seen events that are not there");
    let nothing = store.put_deal(&a, &deal("70", 1, 0, None)).await.unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::InvalidInput, "a state has seen an event");
    store.put_deal(&a, &deal("70", 7, 1, None)).await.unwrap();
    assert!(store.pending_deals(&a, 10).await.unwrap().is_empty());
    let totals = store.totals(&a).await.unwrap();
    assert_eq!(totals.by_ad, [("ad-1".to_owned(), 150_000)].into());
    assert_eq!(totals.unattributed_minor, 7);
    assert_eq!(totals.matches, MatchCounts { layer2: 1, none: 1, ..MatchCounts::default() });

    store.append_events(&a, &[event(5, Some("7"), "closedlost")], "four").await.unwrap();
    assert_eq!(store.pending_deals(&a, 10).await.unwrap(), ["7"], "a late event makes a deal wait again");
    assert_eq!(
        store.deals(&a).await.unwrap(),
        [whole, deal("70", 7, 1, None)],
        "its state stays until it is put"
    );

    let greatest = deal("7", i64::MAX, 3, None);
    store.put_deal(&a, &greatest).await.unwrap();
    assert_eq!(store.totals(&a).await.unwrap_err().kind(), ErrorKind::LimitExceeded, "a sum never wraps");
    store.put_deal(&a, &deal("7", -5, 3, Some("ad-1"))).await.unwrap();
    assert_eq!(store.totals(&a).await.unwrap().by_ad, [("ad-1".to_owned(), -5)].into());
}

async fn tenants(store: &dyn RevenueStore) {
    let b = TenantId::new("b").unwrap();
    assert!(store.events(&b, "7").await.unwrap().is_empty(), "tenants never see each other");
    assert!(store.pending_deals(&b, 10).await.unwrap().is_empty());
    assert!(store.deals(&b).await.unwrap().is_empty());
    assert_eq!(store.totals(&b).await.unwrap(), RevenueTotals::default());
    assert_eq!(store.count_events(&b, None).await.unwrap(), 0);
    let appended = store.append_events(&b, &[event(1, Some("7"), "lead")], "one").await.unwrap();
    assert_eq!(appended.inserted, 1, "another tenant's event is no duplicate");
    store.put_deal(&b, &deal("7", 1, 1, None)).await.unwrap();
    assert_eq!(store.deals(&b).await.unwrap().len(), 1);
    assert_eq!(store.deals(&TenantId::new("a").unwrap()).await.unwrap().len(), 2);
}

fn event(n: u8, deal_id: Option<&str>, stage: &str) -> CrmEvent {
    CrmEvent {
        key: KeyedHash::from_bytes([n; 16]),
        occurred_at: Timestamp::from_millis(i64::from(n)),
        event_id: n.to_string(),
        stage_change: deal_id.map(|id| StageChange { deal_id: id.into(), stage: stage.into() }),
        raw: format!("{{\"eventId\":{n}}}"),
    }
}

fn deal(deal_id: &str, value_minor: i64, events_seen: u64, ad_id: Option<&str>) -> DealRevenue {
    let entry = |n: u8| LedgerEntry {
        event: KeyedHash::from_bytes([n; 16]),
        occurred_at: Timestamp::from_millis(i64::from(n)),
        stage_from: (n > 0).then(|| "lead".into()),
        stage_to: "closedwon".into(),
        delta_minor: -i64::from(n),
    };
    DealRevenue {
        deal_id: deal_id.into(),
        stage: "closedwon".into(),
        value_minor,
        entries: (0..u8::try_from(events_seen).unwrap()).map(entry).collect(),
        matched: Match {
            found: ad_id.map(|ad_id| Attributed {
                layer: Layer::Layer2,
                click_id: Some("click".into()),
                ad_id: ad_id.into(),
                adset_id: None,
                campaign_id: Some("campaign".into()),
            }),
            anchor: Timestamp::from_millis(9),
            rule_version: "rules".into(),
            receipt: "{}".into(),
        },
        events_seen,
    }
}
