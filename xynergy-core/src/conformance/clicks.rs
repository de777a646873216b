use crate::ctx::TenantId;
use crate::env::Timestamp;
use crate::store::{Candidate, Click, ClickStore, KeyedHash, Personal, Tracked, Utm};

const ADDRESS: KeyedHash = hash(200);

/// The behaviour of a [`ClickStore`]; `store` is empty.
///
/// # Panics
/// At the first behaviour that differs.
pub async fn click_store(store: &dyn ClickStore) {
    let (a, b) = (TenantId::new("a").unwrap(), TenantId::new("b").unwrap());
    assert_eq!(store.count(&a, None).await.unwrap(), 0);
    assert!(latest(store, &a, &[ADDRESS], 0, i64::MAX).await.is_empty(), "an empty store has no candidates");
    assert_eq!(store.track(&a, &[], "none").await.unwrap(), Tracked::default(), "an empty batch is none");

    let first = click(1, 100, "ad-1");
    let batch = [
        first.clone(),
        click(2, 200, "ad-2"),
        click(1, 999, "ad-9"),
        click(3, 200, "ad-3"),
        anonymous(4, 300),
    ];
    let tracked = store.track(&a, &batch, "one").await.unwrap();
    assert_eq!(tracked, Tracked { inserted: 4, duplicates: 1 }, "a key counts once in a batch");
    let tracked = store.track(&a, &[click(1, 5, "ad-9"), click(5, 50, "ad-5")], "two").await.unwrap();
    assert_eq!(tracked, Tracked { inserted: 1, duplicates: 1 }, "a key counts once over all batches");
    assert_eq!(store.count(&a, Some("one")).await.unwrap(), 4);
    assert_eq!(store.count(&a, Some("two")).await.unwrap(), 1, "an ingest counts what it brought");
    assert_eq!(store.count(&a, Some("none")).await.unwrap(), 0);
    assert_eq!(store.count(&a, Some("unknown")).await.unwrap(), 0);
    assert_eq!(store.count(&a, None).await.unwrap(), 5);

    let found = latest(store, &a, &[hash(1)], 0, 1_000).await;
    let expected = Candidate {
        matched: hash(1),
        at: first.at,
        id: "click-1".into(),
        key: first.key,
        ad_id: "ad-1".into(),
        adset_id: "set".into(),
        campaign_id: "campaign".into(),
        utm: first.utm.clone(),
        device: first.personal.as_ref().and_then(|p| p.device.clone()),
    };
    assert_eq!(found, [expected], "the first click of a key stays, and a candidate says what it is");
    assert_eq!(ads(&latest(store, &a, &[hash(1)], 100, 100).await), ["ad-1"], "both bounds are included");
    assert!(latest(store, &a, &[hash(1)], 101, 1_000).await.is_empty(), "before the window is outside");
    assert!(latest(store, &a, &[hash(1)], 0, 99).await.is_empty(), "after the window is outside");
    assert!(latest(store, &a, &[hash(1)], 100, 99).await.is_empty(), "an empty window has nothing");

    let found = latest(store, &a, &[ADDRESS], 0, 1_000).await;
    assert_eq!(ads(&found), ["ad-2", "ad-3"], "every click of a key's latest time, and no earlier one");
    assert_eq!(ads(&latest(store, &a, &[ADDRESS], 0, 199).await), ["ad-1"], "the latest within the window");
    let found = latest(store, &a, &[ADDRESS, hash(1), ADDRESS], 0, 1_000).await;
    assert_eq!(ads(&found), ["ad-1", "ad-2", "ad-3"], "in order, and once per key");

    let found = latest(store, &a, &[hash(4)], 0, 1_000).await;
    assert_eq!(found.len(), 1, "a click without consent is found by its click ids");
    assert_eq!(found[0].id, hash(104).to_string(), "and shown by its key");

    assert!(
        latest(store, &b, &[ADDRESS, hash(1)], 0, 1_000).await.is_empty(),
        "tenants never see each other"
    );
    assert_eq!(store.count(&b, None).await.unwrap(), 0);
    let tracked = store.track(&b, &[first], "one").await.unwrap();
    assert_eq!(tracked.inserted, 1, "another tenant's click is no duplicate");
    assert_eq!(store.count(&b, Some("one")).await.unwrap(), 1);
    assert_eq!(store.count(&a, Some("one")).await.unwrap(), 4);
    over_days(store).await;
    many(store).await;
}

async fn over_days(store: &dyn ClickStore) {
    let tenant = TenantId::new("days").unwrap();
    let day = 24 * 60 * 60 * 1_000_000;
    let at = [-day, 0, day - 1, day, 9 * day];
    let clicks: Vec<_> = (1..).zip(at).map(|(n, at)| click(n, at, &format!("ad-{n}"))).collect();
    store.track(&tenant, &clicks, "days").await.unwrap();
    for (from, to, ad_id) in [
        (-9 * day, -1, "ad-1"),
        (-9 * day, 0, "ad-2"),
        (0, day - 1, "ad-3"),
        (0, day, "ad-4"),
        (0, 9 * day - 1, "ad-4"),
        (i64::MIN, i64::MAX, "ad-5"),
    ] {
        assert_eq!(ads(&latest(store, &tenant, &[ADDRESS], from, to).await), [ad_id], "{from} to {to}");
    }
}

/// A batch and a query that pass the limits on variables of a statement.
async fn many(store: &dyn ClickStore) {
    let tenant = TenantId::new("many").unwrap();
    let wide = |n: u32| {
        let mut bytes = [7; 16];
        bytes[..4].copy_from_slice(&n.to_be_bytes());
        KeyedHash::from_bytes(bytes)
    };
    let clicks: Vec<_> = (0..3_000)
        .map(|n| Click {
            key: wide(n),
            id_keys: vec![wide(n + 10_000), wide(n + 10_000)],
            ..anonymous(1, i64::from(n))
        })
        .collect();
    assert_eq!(store.track(&tenant, &clicks, "many").await.unwrap().inserted, 3_000);
    let keys: Vec<_> = (0..3_000).map(|n| wide(n + 10_000)).collect();
    let found = latest(store, &tenant, &keys, 0, i64::MAX).await;
    assert_eq!(found.len(), 3_000, "a click that has a key twice is found once");
    assert!(found.is_sorted());
}

async fn latest(
    store: &dyn ClickStore,
    tenant: &TenantId,
    keys: &[KeyedHash],
    from: i64,
    to: i64,
) -> Vec<Candidate> {
    let (from, to) = (Timestamp::from_micros(from), Timestamp::from_micros(to));
    store.candidates(tenant, keys, from, to).await.unwrap()
}

fn ads(found: &[Candidate]) -> Vec<&str> {
    found.iter().map(|c| c.ad_id.as_str()).collect()
}

const fn hash(n: u8) -> KeyedHash {
    KeyedHash::from_bytes([n; 16])
}

/// Click `n` with consent: its key is `100 + n`, its click id's `n`, and every one has the same address.
fn click(n: u8, at: i64, ad_id: &str) -> Click {
    let personal = Personal {
        click_id: format!("click-{n}"),
        fingerprint: Some(hash(150 + n)),
        address: Some(ADDRESS),
        device: None,
        raw: r#"{"ip":"192.0.2.1"}"#.into(),
    };
    Click { ad_id: ad_id.into(), personal: Some(personal), ..anonymous(n, at) }
}

fn anonymous(n: u8, at: i64) -> Click {
    Click {
        key: hash(100 + n),
        at: Timestamp::from_micros(at),
        ad_id: "ad".into(),
        adset_id: "set".into(),
        campaign_id: "campaign".into(),
        utm: Utm { source: Some("facebook".into()), ..Utm::default() },
        id_keys: vec![hash(n)],
        personal: None,
    }
}
