use crate::crm::{CrmChange, CrmEvent};
use crate::ctx::TenantId;
use crate::env::Timestamp;
use crate::error::ErrorKind;
use crate::store::{
    Appended, Attributed, DealFacts, DealRevenue, EntryCause, KeyedHash, Layer, LedgerEntry, Match,
    MatchCounts, Revaluation, RevenueStore, RevenueTotals,
};

/// The behaviour of a [`RevenueStore`]; `store` is empty.
///
/// # Panics
/// At the first behaviour that differs.
pub async fn revenue_store(store: &dyn RevenueStore) {
    inbox(store).await;
    ledger(store).await;
    tenants(store).await;
    merges(store).await;
    revaluations(store).await;
    changes(store).await;
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
    assert!(store.put_deals(&a, std::slice::from_ref(&early)).await.unwrap());
    assert_eq!(
        store.pending_deals(&a, 10).await.unwrap(),
        ["7", "70"],
        "an event that was not seen keeps it waiting"
    );
    let whole = deal("7", 150_000, 2, Some("ad-1"));
    assert!(store.put_deals(&a, std::slice::from_ref(&whole)).await.unwrap());
    assert_eq!(store.pending_deals(&a, 10).await.unwrap(), ["70"]);
    assert!(
        !store.put_deals(&a, std::slice::from_ref(&early)).await.unwrap(),
        "a state that saw less is refused"
    );
    assert_eq!(store.deals(&a).await.unwrap(), std::slice::from_ref(&whole), "and changes nothing");
    assert!(
        store.put_deals(&a, std::slice::from_ref(&whole)).await.unwrap(),
        "the same state may be put again"
    );

    let unknown = store.put_deals(&a, &[deal("8", 1, 1, None)]).await.unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::InvalidInput, "a state cannot have seen events that are not there");
    assert!(
        store.put_deals(&a, &[deal("70", 1, 0, None)]).await.unwrap(),
        "a state may have seen nothing yet"
    );
    assert_eq!(store.pending_deals(&a, 10).await.unwrap(), ["70"]);
    store.put_deals(&a, &[deal("70", 7, 1, None)]).await.unwrap();
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
    store.put_deals(&a, std::slice::from_ref(&greatest)).await.unwrap();
    assert_eq!(store.totals(&a).await.unwrap_err().kind(), ErrorKind::LimitExceeded, "a sum never wraps");
    store.put_deals(&a, &[deal("7", -5, 3, Some("ad-1"))]).await.unwrap();
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
    store.put_deals(&b, &[deal("7", 1, 1, None)]).await.unwrap();
    assert_eq!(store.deals(&b).await.unwrap().len(), 1);
    assert_eq!(store.deals(&TenantId::new("a").unwrap()).await.unwrap().len(), 2);
}

async fn merges(store: &dyn RevenueStore) {
    let m = TenantId::new("m").unwrap();
    let merge = CrmEvent {
        deals: vec!["1".into(), "2".into(), "3".into()],
        change: Some(CrmChange::Merged),
        ..event(1, None, "")
    };
    store.append_events(&m, &[merge.clone(), event(2, Some("1"), "lead")], "m").await.unwrap();
    assert_eq!(store.pending_deals(&m, 10).await.unwrap(), ["1", "2", "3"], "a merge concerns all its deals");
    assert_eq!(store.events(&m, "3").await.unwrap(), std::slice::from_ref(&merge), "with their order");
    assert_eq!(store.events(&m, "1").await.unwrap().len(), 2);
    let gone = DealRevenue { merged_into: Some("1".into()), ..deal("2", 0, 1, Some("ad-1")) };
    let nowhere = DealRevenue { stage: None, entries: Vec::new(), ..deal("3", 0, 1, None) };
    let ahead = [deal("1", 5, 2, Some("ad-1")), deal("2", 0, 2, None)];
    assert_eq!(
        store.put_deals(&m, &ahead).await.unwrap_err().kind(),
        ErrorKind::InvalidInput,
        "one deal that saw too much spoils the group"
    );
    assert!(store.deals(&m).await.unwrap().is_empty(), "and nothing of it is stored");
    let group = [deal("1", 5, 2, Some("ad-1")), gone.clone(), nowhere];
    assert!(store.put_deals(&m, &group).await.unwrap());
    assert!(store.pending_deals(&m, 10).await.unwrap().is_empty(), "a deal without a stage is seen too");
    assert_eq!(store.deals(&m).await.unwrap(), &group[..2], "and not listed");
    let found = store.find_deals(&m, &["3".into(), "2".into(), "9".into(), "2".into()]).await.unwrap();
    assert_eq!(found, group[1..], "with a stage or without");
    let totals = store.totals(&m).await.unwrap();
    assert_eq!(
        totals.matches,
        MatchCounts { layer2: 1, ..MatchCounts::default() },
        "a merged deal is no deal"
    );
    store.append_events(&m, &[event(3, Some("2"), "won")], "m").await.unwrap();
    let late = [deal("1", 7, 2, None), DealRevenue { events_seen: 2, ..gone }];
    assert!(store.put_deals(&m, &late).await.unwrap());
    assert!(!store.put_deals(&m, &group).await.unwrap(), "a group of which one saw less is refused");
    assert_eq!(store.deals(&m).await.unwrap(), late, "as a whole");
    assert!(store.put_deals(&m, &[]).await.unwrap());
}

async fn revaluations(store: &dyn RevenueStore) {
    let r = TenantId::new("r").unwrap();
    let about_nothing = event(9, None, "");
    let batch = [event(1, Some("1"), "lead"), event(3, Some("2"), "lead"), about_nothing];
    store.append_events(&r, &batch, "r").await.unwrap();
    for (until, count) in [(0, 0), (1, 1), (2, 1), (3, 2), (99, 2)] {
        assert_eq!(
            store.count_until(&r, Timestamp::from_millis(until)).await.unwrap(),
            count,
            "until {until}"
        );
    }
    let first = store.events_after(&r, None, 1).await.unwrap();
    assert_eq!(first, &batch[..1]);
    assert_eq!(store.events_after(&r, Some(first[0].key), 10).await.unwrap(), &batch[1..2]);
    assert!(store.events_after(&r, Some(batch[1].key), 10).await.unwrap().is_empty());
    for id in ["1", "2"] {
        store.put_deals(&r, &[deal(id, 1, 1, None)]).await.unwrap();
    }
    assert!(store.pending_deals(&r, 10).await.unwrap().is_empty());
    let revaluation = |cut: i64, recorded: i64, events_seen: u64| Revaluation {
        cut: Timestamp::from_millis(cut),
        recorded_at: Timestamp::from_millis(recorded),
        events_seen,
        stage_table: format!("{{\"seen\":{events_seen}}}"),
    };
    assert!(store.put_revaluation(&r, &revaluation(9, 20, 2)).await.unwrap());
    assert!(store.put_revaluation(&r, &revaluation(2, 30, 1)).await.unwrap());
    assert_eq!(store.revaluations(&r).await.unwrap(), [revaluation(2, 30, 1), revaluation(9, 20, 2)]);
    assert_eq!(store.pending_deals(&r, 10).await.unwrap(), ["1", "2"], "every deal waits for new values");
    let seen = |id: &str, values_seen| DealRevenue { values_seen, ..deal(id, 2, 1, None) };
    assert!(store.put_deals(&r, &[seen("1", 5)]).await.unwrap());
    assert!(store.put_deals(&r, &[seen("2", 4)]).await.unwrap());
    assert_eq!(store.pending_deals(&r, 10).await.unwrap(), ["2"]);
    assert!(!store.put_deals(&r, &[seen("1", 4)]).await.unwrap(), "a state that saw fewer values is refused");
    assert!(
        !store.put_revaluation(&r, &revaluation(9, 20, 1)).await.unwrap(),
        "so are values of fewer events"
    );
    assert!(store.put_revaluation(&r, &revaluation(9, 40, 7)).await.unwrap());
    assert_eq!(
        store.revaluations(&r).await.unwrap()[1],
        revaluation(9, 20, 7),
        "a cut is as old as its first"
    );
    assert_eq!(store.pending_deals(&r, 1).await.unwrap(), ["1"]);
    assert!(store.revaluations(&TenantId::new("b").unwrap()).await.unwrap().is_empty());
    assert!(store.pending_deals(&TenantId::new("b").unwrap(), 9).await.unwrap().is_empty());
}

/// Everything that an event can say comes back as it was, and is recorded when it first came.
async fn changes(store: &dyn RevenueStore) {
    let c = TenantId::new("c").unwrap();
    let text = || Some("1234.50".to_owned());
    let all = [
        CrmChange::Stage { stage: "lead".into() },
        CrmChange::Pipeline { pipeline: "default".into() },
        CrmChange::Amount { amount: text() },
        CrmChange::Amount { amount: None },
        CrmChange::Currency { currency: Some("EUR".into()) },
        CrmChange::Created,
        CrmChange::Deleted,
        CrmChange::Restored,
        CrmChange::Merged,
        CrmChange::Refund { amount: "1".into(), currency: None },
        CrmChange::Refund { amount: "1".into(), currency: Some("\u{0}\"".into()) },
    ];
    let events: Vec<CrmEvent> = (1u8..)
        .zip(all)
        .map(|(n, change)| CrmEvent { change: Some(change), ..event(n, Some("1"), "") })
        .collect();
    let forgotten =
        CrmEvent { change: Some(CrmChange::Forgotten { contact_id: "5".into() }), ..event(99, None, "") };
    store.append_events(&c, &events, "c").await.unwrap();
    store.append_events(&c, &[forgotten], "c").await.unwrap();
    assert_eq!(store.events(&c, "1").await.unwrap(), events);
    let again = |at: i64| CrmEvent { recorded_at: Timestamp::from_millis(at), ..events[0].clone() };
    store.append_events(&c, &[again(5_000), again(50), again(7_000)], "c").await.unwrap();
    assert_eq!(store.events(&c, "1").await.unwrap()[0], again(50), "recorded when it first came");
}

fn event(n: u8, deal_id: Option<&str>, stage: &str) -> CrmEvent {
    CrmEvent {
        key: KeyedHash::from_bytes([n; 16]),
        occurred_at: Timestamp::from_millis(i64::from(n)),
        recorded_at: Timestamp::from_millis(1_000),
        event_id: n.to_string(),
        deals: deal_id.into_iter().map(str::to_owned).collect(),
        change: deal_id.map(|_| CrmChange::Stage { stage: stage.into() }),
        raw: format!("{{\"eventId\":{n}}}"),
    }
}

fn deal(deal_id: &str, value_minor: i64, events_seen: u64, ad_id: Option<&str>) -> DealRevenue {
    let entry = |n: u8| LedgerEntry {
        event: KeyedHash::from_bytes([n; 16]),
        occurred_at: Timestamp::from_millis(i64::from(n)),
        cause: EntryCause::ALL[usize::from(n) % EntryCause::ALL.len()],
        stage_from: (n > 0).then(|| "lead".into()),
        stage_to: "closedwon".into(),
        delta_minor: -i64::from(n),
    };
    DealRevenue {
        deal_id: deal_id.into(),
        stage: Some("closedwon".into()),
        pipeline: ad_id.map(|_| "default".into()),
        value_minor,
        amount_minor: ad_id.map(|_| i64::MIN),
        merged_into: None,
        problem: ad_id.map(|_| "currency: \"XXX\" has no rate".into()),
        facts: DealFacts { pipeline: None, amount: ad_id.map(|_| "1.5".into()), currency: None },
        entries: (0..u8::try_from(events_seen).unwrap()).map(entry).collect(),
        matched: Match {
            found: ad_id.map(|ad_id| Attributed {
                layer: Layer::Layer2,
                click_id: Some("click".into()),
                ad_id: ad_id.into(),
                adset_id: None,
                campaign_id: Some("campaign".into()),
                keyword: Some("red shoes".into()),
                content: None,
            }),
            anchor: Timestamp::from_millis(9),
            rule_version: "rules".into(),
            probability: None,
            p_none: None,
            receipt: "{}".into(),
        },
        events_seen,
        values_seen: 0,
    }
}
