use crate::ctx::TenantId;
use crate::env::Timestamp;
use crate::store::{
    Around, Candidate, Click, ClickStore, Device, KeyedHash, NetworkKind, Personal, Tracked, Utm,
};

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
    around(store).await;
    forgets(store).await;
}

/// Clicks of the same network: the newest, and how many there are.
async fn around(store: &dyn ClickStore) {
    let tenant = TenantId::new("around").unwrap();
    let (home, other) = (hash(201), hash(202));
    let of = |n: u8, at: i64, network: KeyedHash| {
        let device = Device {
            network,
            kind: NetworkKind::Ipv4,
            browser: Some("chrome 120".into()),
            platform: Some("android".into()),
            language: None,
        };
        let mut click = click(n, at, &format!("ad-{n}"));
        if let Some(personal) = &mut click.personal {
            personal.device = Some(device);
        }
        click
    };
    let clicks =
        [of(1, 100, home), of(2, 200, home), of(3, 200, home), of(4, 300, other), click(5, 250, "ad-5")];
    store.track(&tenant, &clicks, "around").await.unwrap();
    let around = async |networks: &[KeyedHash], from, to, limit| {
        let (from, to) = (Timestamp::from_micros(from), Timestamp::from_micros(to));
        store.around(&tenant, networks, from, to, limit).await.unwrap()
    };
    let all = around(&[home], 0, 1_000, 10).await;
    assert_eq!((ads(&all.clicks), all.total), (vec!["ad-3", "ad-2", "ad-1"], 3), "newest first");
    assert_eq!(all.clicks[0].device, clicks[2].personal.as_ref().unwrap().device, "with what is compared");
    assert_eq!(all.clicks[0].utm, clicks[2].utm);
    let some = around(&[home], 0, 1_000, 1).await;
    assert_eq!((ads(&some.clicks), some.total), (vec!["ad-3"], 3), "at most so many, and all are counted");
    let none = around(&[home], 0, 1_000, 0).await;
    assert_eq!((none.clicks.len(), none.total), (0, 3));
    assert_eq!(around(&[home], 200, 200, 10).await.total, 2, "both bounds are included");
    let both = around(&[other, home, other], 100, 300, 10).await;
    assert_eq!((ads(&both.clicks)[0], both.total), ("ad-4", 4), "several networks, each once");
    assert_eq!(around(&[hash(9)], 0, 1_000, 10).await, Around::default());
    let found = latest(store, &tenant, &[home], 0, 1_000).await;
    assert_eq!(ads(&found), ["ad-2", "ad-3"], "a network is a key as others are");
}

/// What is pruned or erased is only counted.
async fn forgets(store: &dyn ClickStore) {
    let (tenant, other) = (TenantId::new("forgets").unwrap(), TenantId::new("remembers").unwrap());
    let day = 24 * 60 * 60 * 1_000_000;
    let clicks = [
        click(1, 10, "ad-1"),
        click(2, day - 1, "ad-1"),
        click(3, day, "ad-1"),
        click(4, day + 5, "ad-2"),
        anonymous(5, 2 * day),
        click(6, 3 * day, "ad-1"),
    ];
    for tenant in [&tenant, &other] {
        store.track(tenant, &clicks, "all").await.unwrap();
    }
    let totals = async |tenant: &TenantId, from: i64, to: i64| {
        let (from, to) = (Timestamp::from_micros(from), Timestamp::from_micros(to));
        let rows = store.clicks_by_ad(tenant, from, to).await.unwrap();
        assert!(rows.is_sorted(), "in order");
        rows.into_iter().map(|row| (row.day.micros() / day, row.ad_id, row.clicks)).collect::<Vec<_>>()
    };
    let all = totals(&tenant, i64::MIN, i64::MAX).await;
    let expected = [(0, "ad-1", 2), (1, "ad-1", 1), (1, "ad-2", 1), (2, "ad", 1), (3, "ad-1", 1)];
    assert_eq!(all, expected.map(|(day, ad, clicks)| (day, ad.to_owned(), clicks)));
    assert_eq!(totals(&tenant, day + 7, 2 * day).await, all[1..4], "whole days");

    let prune =
        async |before: i64| store.prune(&tenant, Timestamp::from_micros(before)).await.unwrap().clicks;
    assert_eq!(prune(day - 1).await, 0, "a day that has not ended stays");
    assert_eq!(prune(day).await, 2, "whole days that have ended by then");
    assert_eq!(prune(day).await, 0, "again finds nothing");
    for key in [hash(1), hash(2), hash(151), hash(152)] {
        assert!(latest(store, &tenant, &[key], 0, i64::MAX).await.is_empty(), "no key of theirs is left");
    }
    assert_eq!(latest(store, &tenant, &[hash(3)], 0, i64::MAX).await.len(), 1, "others are found as before");
    assert_eq!(ads(&latest(store, &tenant, &[ADDRESS], 0, i64::MAX).await), ["ad-1"]);

    let erase = async |keys: &[KeyedHash]| {
        let erased = store.erase(&tenant, keys).await.unwrap().clicks;
        assert!(erased.is_sorted(), "in order");
        erased.into_iter().map(|click| click.id).collect::<Vec<_>>()
    };
    assert_eq!(erase(&[hash(77)]).await, [""; 0], "nobody is meant");
    assert_eq!(erase(&[hash(104)]).await, ["click-4"], "by its own key");
    assert!(
        latest(store, &tenant, &[hash(4), hash(154)], 0, i64::MAX).await.is_empty(),
        "all its keys are gone"
    );
    assert_eq!(
        erase(&[hash(5), hash(5)]).await,
        [hash(105).to_string()],
        "by a click id, without consent too"
    );
    assert_eq!(erase(&[ADDRESS, hash(153)]).await, ["click-3", "click-6"], "all that share an address");
    assert_eq!(erase(&[ADDRESS, hash(104)]).await, [""; 0], "again finds nothing");
    let every: Vec<_> =
        (1..=6).flat_map(|n| [hash(n), hash(100 + n), hash(150 + n)]).chain([ADDRESS]).collect();
    assert!(latest(store, &tenant, &every, i64::MIN, i64::MAX).await.is_empty());

    assert_eq!(totals(&tenant, i64::MIN, i64::MAX).await, all, "ads have the clicks that they had");
    assert_eq!(store.count(&tenant, Some("all")).await.unwrap(), 6, "and so have ingests");
    assert_eq!(latest(store, &other, &every, i64::MIN, i64::MAX).await.len(), 12, "others keep theirs");
    assert_eq!(totals(&other, i64::MIN, i64::MAX).await, all);
    let again = store.track(&tenant, &clicks[3..4], "again").await.unwrap();
    assert_eq!(again.inserted, 1, "what was forgotten is not known any more");
    assert_eq!(totals(&tenant, day, day).await[1].2, 2);
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
