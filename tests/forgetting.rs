//! After clicks were erased or pruned, whoever has the whole store with every key that is left finds nobody in it. Before, he
//! does: the attack works.
#![cfg(all(feature = "attribution", feature = "sqlite"))]
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use serde_json::json;
use xynergy::attribution::ErasureSubject;
use xynergy::env::ManualClock;
use xynergy::{Client, Config, ErrorKind, TenantId, Timestamp};
use xynergy_attribution::click::IdentityKey;

const AGENTS: [&str; 3] = [
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36",
];

/// Every address that a click may have come from: the attacker tries them all.
fn addresses() -> impl Iterator<Item = String> {
    (0..2_048_u32).map(|n| format!("203.0.{}.{}", 112 + n / 256, n % 256))
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

struct World {
    client: Client,
    clock: Arc<ManualClock>,
    directory: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(time("2026-03-10T12:00:00Z")));
        let config = json!({
            "version": 1, "store": {"type": "sqlite", "path": directory.path().join("x.sqlite")},
            "attribution": {"clicks": {"keep_devices": true}},
        });
        let builder = Client::builder(Config::from_value(&config).unwrap());
        let client = builder.clock(clock.clone()).build().unwrap();
        Self { client, clock, directory }
    }

    async fn click(&self, n: u32, at: &str) {
        let line = json!({
            "ts": at, "url": format!("https://shop.example/?gclid=G-{n}&utm_source=google"),
            "ad_id": format!("ad-{}", n % 2), "adset_id": "set", "campaign_id": "campaign",
            "ip": format!("203.0.113.{}", n % 256), "user_agent": AGENTS[n as usize % 3], "accept_language": "de",
            "consent": n % 5 != 4, "click_id": format!("click-{n}"),
        });
        self.client.attribution().track_click(line.to_string().as_bytes()).await.unwrap();
    }

    async fn totals(&self) -> Vec<(Timestamp, String, u64)> {
        let rows = self.client.attribution().clicks_by_ad(None, None).await.unwrap();
        rows.into_iter().map(|row| (row.day, row.ad_id, row.clicks)).collect()
    }

    fn path(&self) -> std::path::PathBuf {
        self.directory.path().join("x.sqlite")
    }
}

/// Every blob of 16 bytes and every text in any table, and every key that the store has or had room for.
fn stolen(path: &Path) -> (BTreeSet<[u8; 16]>, Vec<[u8; 32]>, String) {
    let connection = Connection::open(path).unwrap();
    let (mut hashes, mut keys, mut texts) = (BTreeSet::new(), Vec::new(), String::new());
    let mut tables = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        .unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    for table in tables {
        let mut rows = connection.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                match row.get_ref(column).unwrap() {
                    rusqlite::types::ValueRef::Blob(bytes) => hashes.extend(<[u8; 16]>::try_from(bytes)),
                    rusqlite::types::ValueRef::Text(text) => {
                        let text = String::from_utf8_lossy(text);
                        keys.extend(as_key(&text));
                        texts.push_str(&text);
                        texts.push('\n');
                    }
                    _ => {}
                }
            }
        }
    }
    (hashes, keys, texts)
}

fn as_key(text: &str) -> Option<[u8; 32]> {
    let hex = (text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())).then_some(text)?;
    let mut key = [0; 32];
    for (byte, at) in key.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    }
    Some(key)
}

/// Tries every address with every agent under every key: who is found, as address, layer and place of the agent.
fn attack(path: &Path) -> BTreeSet<(String, &'static str, usize)> {
    let (hashes, keys, _) = stolen(path);
    let mut found = BTreeSet::new();
    for key in keys.iter().map(|secret| IdentityKey::new(&TenantId::default(), secret)) {
        for address in addresses() {
            let network = key.network(&address).map(|(hash, _)| hash);
            if network.is_some_and(|hash| hashes.contains(hash.as_bytes())) {
                found.insert((address.clone(), "network", 0));
            }
            for (place, agent) in AGENTS.iter().enumerate() {
                for (layer, hash) in
                    [("layer2", key.layer2(&address, agent, "de")), ("layer3", key.layer3(&address, agent))]
                {
                    if hash.is_some_and(|hash| hashes.contains(hash.as_bytes())) {
                        found.insert((address.clone(), layer, place));
                    }
                }
            }
        }
        // Host ids and the platforms' click ids are easy to number through as well.
        for n in 0..300 {
            let ids = [
                key.click(&format!("click-{n}")),
                key.layer1(xynergy_attribution::click::ClickIdFamily::Google, &format!("G-{n}")),
            ];
            for (kind, hash) in ["id", "gclid"].into_iter().zip(ids) {
                if hashes.contains(hash.as_bytes()) {
                    found.insert((n.to_string(), kind, 0));
                }
            }
        }
    }
    found
}

#[tokio::test]
async fn whom_the_store_had_is_found_before_and_not_after_erasing() {
    let world = World::new();
    for n in 0..40 {
        world.click(n, "2026-03-10T09:00:00Z").await;
    }
    let (before, found) = (world.totals().await, attack(&world.path()));
    assert_eq!(
        found.iter().filter(|(_, layer, _)| *layer == "layer3").count(),
        32,
        "all who consented are found"
    );
    assert_eq!(found.iter().filter(|(_, layer, _)| *layer == "gclid").count(), 40);

    let attribution = world.client.attribution();
    let person = |n: u32| (format!("203.0.113.{n}"), n.to_string());
    let mut erased = 0;
    for (n, subject) in [
        (0, ErasureSubject { click_id: Some("click-0".into()), ..Default::default() }),
        (1, ErasureSubject { platform_click_id: Some("G-1".into()), ..Default::default() }),
        (2, ErasureSubject { url: Some("https://x.example/?gclid=G-2".into()), ..Default::default() }),
        (
            3,
            ErasureSubject {
                ip: Some("203.0.113.3".into()),
                user_agent: Some(AGENTS[0].into()),
                ..Default::default()
            },
        ),
        (5, ErasureSubject { ip: Some("203.0.113.5".into()), ..Default::default() }),
    ] {
        erased += attribution.erase(&subject).await.unwrap().clicks;
        assert_eq!(attribution.erase(&subject).await.unwrap().clicks, 0, "again finds nobody");
        let (address, id) = person(n);
        let left = attack(&world.path());
        assert!(!left.iter().any(|(who, _, _)| *who == address || *who == id), "{n}: {left:?}");
    }
    assert_eq!(erased, 5);
    let (_, _, texts) = stolen(&world.path());
    for gone in ["203.0.113.0\"", "click-1\n", "G-2&", "203.0.113.3\""] {
        assert!(!texts.contains(gone), "{gone}");
    }
    assert_eq!(world.totals().await, before, "ads have the clicks that they had");
    assert_eq!(
        attack(&world.path()).iter().filter(|(_, layer, _)| *layer == "layer3").count(),
        27,
        "others stay"
    );
}

#[tokio::test]
async fn nobody_is_found_after_pruning_and_nothing_can_be_computed_again() {
    let world = World::new();
    for n in 0..30 {
        world.click(n, "2026-01-05T09:00:00Z").await;
    }
    for n in 100..110 {
        world.click(n, "2026-03-10T09:00:00Z").await;
    }
    let totals = world.totals().await;
    assert_eq!(world.client.attribution().prune().await.unwrap().clicks, 0, "all of it is young enough");
    let (_, keys, _) = stolen(&world.path());
    assert_eq!(keys.len(), 2, "a key for each span of days");

    world.clock.set(time("2026-05-20T12:00:00Z"));
    let pruned = world.client.attribution().prune().await.unwrap();
    assert_eq!((pruned.clicks, pruned.destroyed_keys), (30, 1));
    assert_eq!(pruned.before, time("2026-02-19T00:00:00Z"));
    assert_eq!(world.client.attribution().prune().await.unwrap().destroyed_keys, 0, "again does nothing");
    let found = attack(&world.path());
    let young = |(who, kind, _): &(String, &str, usize)| match *kind {
        "id" | "gclid" => who.parse::<u32>().unwrap() >= 100,
        _ => who.rsplit('.').next().unwrap().parse::<u32>().unwrap() >= 100,
    };
    assert!(found.iter().all(young), "{found:?}");
    assert_eq!(
        found.iter().filter(|(_, kind, _)| *kind == "gclid").count(),
        10,
        "the young ones are found still"
    );
    let (_, keys, _) = stolen(&world.path());
    assert_eq!(keys.len(), 1);
    assert_eq!(world.totals().await, totals);

    // A store that was copied before does not bring it back: the key is nowhere, and no click of that time is taken again.
    let line = json!({
        "ts": "2026-01-05T09:00:00Z", "url": "https://shop.example/", "ad_id": "a", "adset_id": "s", "campaign_id": "c",
        "ip": null, "user_agent": null, "consent": false, "click_id": "late",
    });
    let error = world.client.attribution().track_click(line.to_string().as_bytes()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.message().contains("ts") && error.message().contains("retention"), "{error}");
    let bytes: Vec<u8> = std::fs::read_dir(world.directory.path())
        .unwrap()
        .flat_map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .collect();
    assert!(!bytes.windows(8).any(|window| window == b"click-17"), "no byte of it is in the file");
}

#[tokio::test]
async fn two_processes_agree_on_one_key() {
    let world = World::new();
    let other = Config::from_value(&json!({"version": 1, "store": {"type": "sqlite", "path": world.path()}}))
        .unwrap();
    let other = Client::builder(other).clock(world.clock.clone()).build().unwrap();
    let line = json!({
        "ts": "2026-03-10T09:00:00Z", "url": "https://shop.example/?gclid=G", "ad_id": "a", "adset_id": "s",
        "campaign_id": "c", "ip": null, "user_agent": null, "consent": false, "click_id": "one",
    });
    let line = line.to_string();
    let (a, b) = (world.client.attribution(), other.attribution());
    let (first, second) = tokio::join!(a.parse_click(line.as_bytes()), b.parse_click(line.as_bytes()));
    let (first, second) = (first.unwrap().unwrap(), second.unwrap().unwrap());
    assert_eq!((first.key, first.id_keys), (second.key, second.id_keys));
    let (_, keys, _) = stolen(&world.path());
    assert_eq!(keys.len(), 1);
}

#[tokio::test]
async fn a_subject_that_names_nobody_is_refused() {
    let world = World::new();
    for (subject, named) in [
        (ErasureSubject::default(), "click_id"),
        (ErasureSubject { user_agent: Some("x".into()), ..Default::default() }, "ip"),
        (ErasureSubject { url: Some("https://x.example/".into()), ..Default::default() }, "url"),
        (ErasureSubject { click_id: Some(" ".into()), ..Default::default() }, "click_id"),
    ] {
        let error = world.client.attribution().erase(&subject).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.message().contains(named), "{error}");
    }
}
