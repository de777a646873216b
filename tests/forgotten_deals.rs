//! People who are forgotten after their deals were booked, on every store: by whom they asked, by the CRM, and by time. Deals keep their
//! ad, whatever happens to them later, and nobody who has the whole store with every secret finds a person in it.
#![cfg(all(feature = "attribution", feature = "sqlite"))]
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use xynergy::attribution::ErasureSubject;
use xynergy::crm::{Contact, Crm, Deal};
use xynergy::env::ManualClock;
use xynergy::hubspot::Delivery;
use xynergy::secrets::{Secret, StaticSecrets};
use xynergy::{Client, Clock, Config, Ctx, Result, StoreConfig, Stores, TenantId, Timestamp};
use xynergy_attribution::click::{ClickIdFamily, IdentityKey, epoch_secret};
use xynergy_core::store::{DealRevenue, KeyedHash};

const AGENT: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148";

/// The configured secret, which is in no store; this thief has it.
const IDENTITY: [u8; 32] = [0x5a; 32];

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Person `n` with one contact and one deal of the same number.
#[derive(Debug)]
struct People {
    contacts: Mutex<BTreeMap<String, Contact>>,
    created: BTreeMap<String, Timestamp>,
}

#[async_trait]
impl Crm for People {
    async fn deals(&self, _ctx: &Ctx, ids: &[String]) -> Result<BTreeMap<String, Deal>> {
        let deal = |id: &String| Deal {
            contacts: vec![id.clone()],
            properties: [("createdate".to_owned(), self.created.get(id).map(ToString::to_string))].into(),
        };
        Ok(ids.iter().map(|id| (id.clone(), deal(id))).collect())
    }

    async fn contacts(&self, _ctx: &Ctx, ids: &[String]) -> Result<BTreeMap<String, Contact>> {
        let contacts = self.contacts.lock().unwrap();
        Ok(ids.iter().filter_map(|id| Some((id.clone(), contacts.get(id)?.clone()))).collect())
    }
}

/// 1 to 4 by click id, 5 to 8 by address and agent, 9 by the ad in the first URL; 4 and 8 clicked in January.
const PEOPLE: std::ops::RangeInclusive<u32> = 1..=9;

fn address(n: u32) -> String {
    format!("203.0.113.{n}")
}

fn clicked_at(n: u32) -> &'static str {
    if n.is_multiple_of(4) { "2026-01-05T09:00:00Z" } else { "2026-03-09T09:00:00Z" }
}

fn contact(n: u32) -> Contact {
    let mut properties = vec![
        ("xynergy_ip", address(n)),
        ("xynergy_user_agent", AGENT.to_owned()),
        ("xynergy_consent", "true".to_owned()),
    ];
    match n {
        1..=4 => properties.push(("hs_google_click_id", format!("G-{n}"))),
        9 => {
            properties =
                vec![("hs_analytics_first_url", "https://shop.example/?utm_content=ad-9".to_owned())];
        }
        _ => {}
    }
    Contact {
        properties: properties.into_iter().map(|(name, value)| (name.to_owned(), Some(value))).collect(),
    }
}

struct World {
    client: Client,
    stores: Stores,
    clock: Arc<ManualClock>,
    crm: Arc<People>,
    identity: bool,
}

impl World {
    fn new(stores: Stores, identity: bool) -> Self {
        let clock = Arc::new(ManualClock::new(time("2026-01-06T12:00:00Z")));
        let mut config = json!({
            "version": 1, "hubspot": {"client_secret": {"env": "S"}},
            "attribution": {"clicks": {"keep_devices": true}},
        });
        if identity {
            config["attribution"]["identity_key"] = json!({"env": "IDENTITY"});
        }
        let hex: String = IDENTITY.iter().map(|byte| format!("{byte:02x}")).collect();
        let secrets = StaticSecrets::default().with("S", Secret::new("s")).with("IDENTITY", Secret::new(hex));
        let created = PEOPLE.map(|n| (n.to_string(), time(&clicked_at(n).replace("T09", "T11"))));
        let contacts = PEOPLE.map(|n| (n.to_string(), contact(n))).collect();
        let crm = Arc::new(People { contacts: Mutex::new(contacts), created: created.collect() });
        let client = Client::builder(Config::from_value(config).unwrap())
            .stores(stores.clone())
            .secrets(Arc::new(secrets))
            .crm(crm.clone())
            .clock(clock.clone())
            .build()
            .unwrap();
        Self { client, stores, clock, crm, identity }
    }

    async fn click(&self, n: u32) {
        let line = json!({
            "ts": clicked_at(n), "url": format!("https://shop.example/?gclid=G-{n}"), "ad_id": format!("ad-{}", n % 3),
            "adset_id": "set", "campaign_id": "campaign", "ip": address(n), "user_agent": AGENT,
            "accept_language": "de", "consent": true, "click_id": format!("click-{n}"),
        });
        self.client.attribution().track_click(line.to_string().as_bytes()).await.unwrap();
    }

    /// Stores events and books what they change.
    async fn happened(&self, events: Vec<Value>) -> u64 {
        const URL: &str = "https://hooks.example/hubspot";
        let (body, stamp) = (Value::Array(events).to_string(), self.clock.now().millis().to_string());
        let mac = Hmac::<Sha256>::new_from_slice(b"s").unwrap();
        let mac = mac.chain_update("POST").chain_update(URL).chain_update(&body).chain_update(&stamp);
        let headers = BTreeMap::from([
            ("X-HubSpot-Signature-v3".to_owned(), STANDARD.encode(mac.finalize().into_bytes())),
            ("X-HubSpot-Request-Timestamp".to_owned(), stamp),
        ]);
        let delivery = Delivery {
            method: "POST",
            url: URL,
            headers: &headers,
            body: body.as_bytes(),
            received_at: None,
            source: "test",
        };
        self.client.hubspot().accept(&delivery).await.unwrap();
        let ads = BTreeMap::from([("ad-9".to_owned(), xynergy::attribution::AdParents::default())]);
        let done = self.client.hubspot().process(&ads, 100).await.unwrap();
        assert_eq!(done.failed.len(), 0);
        done.forgotten
    }

    async fn deals(&self) -> BTreeMap<String, DealRevenue> {
        let deals = self.client.attribution().deals().await.unwrap();
        deals.into_iter().map(|deal| (deal.deal_id.clone(), deal)).collect()
    }

    async fn totals(&self) -> Value {
        let attribution = self.client.attribution();
        json!({
            "revenue": attribution.totals().await.unwrap(), "clicks": attribution.clicks_by_ad(None, None).await.unwrap(),
        })
    }

    /// Every text that is kept beside the clicks.
    async fn documents(&self) -> String {
        let tenant = TenantId::default();
        let mut text = serde_json::to_string(&self.stores.revenue.deals(&tenant).await.unwrap()).unwrap();
        for collection in ["conversion_signals", "crm_contacts", "crm", "matching_models"] {
            for (key, document) in self.stores.state.list(&tenant, collection).await.unwrap() {
                text = format!("{text}\n{collection} {key} {}", document.value);
            }
        }
        text
    }

    /// Who is found by trying every address, click id and id of the host under every key that is left: in the clicks, or as a hash in
    /// any document.
    async fn attack(&self) -> BTreeSet<u32> {
        let tenant = TenantId::default();
        let documents = self.documents().await;
        let mut found = BTreeSet::new();
        let ends = (Timestamp::from_micros(i64::MIN), Timestamp::from_micros(i64::MAX));
        for (_, document) in self.stores.state.list(&tenant, "click_keys").await.unwrap() {
            let Some(random) = hex(&document.value) else { continue };
            let secret = if self.identity { epoch_secret(&IDENTITY, &random) } else { random };
            let key = IdentityKey::new(&tenant, &secret);
            for n in 0..=255 {
                let ip = address(n);
                let hashes: Vec<KeyedHash> = [
                    key.network(&ip).map(|(hash, _)| hash),
                    key.layer2(&ip, AGENT, "de"),
                    key.layer2(&ip, AGENT, ""),
                    key.layer3(&ip, AGENT),
                    Some(key.layer1(ClickIdFamily::Google, &format!("G-{n}"))),
                    Some(key.click(&format!("click-{n}"))),
                ]
                .into_iter()
                .flatten()
                .collect();
                let clicks = self.stores.clicks.candidates(&tenant, &hashes, ends.0, ends.1).await.unwrap();
                let kept = hashes.iter().any(|hash| documents.contains(&hash.to_string()));
                if kept || !clicks.is_empty() || documents.contains(&format!("\"click-{n}\"")) {
                    found.insert(n);
                }
            }
        }
        found
    }
}

fn hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}

fn moved(id: u32, deal: u32, stage: &str, at: &str) -> Value {
    json!({
        "eventId": id, "portalId": 1, "subscriptionType": "deal.propertyChange", "objectId": deal, "attemptNumber": 0,
        "propertyName": "dealstage", "propertyValue": stage, "occurredAt": time(at).millis(),
    })
}

/// What a deal is credited to, and by what.
fn credit(deal: &DealRevenue) -> (Option<String>, &'static str, u16) {
    let ad = deal.matched.found.as_ref().map(|found| found.ad_id.clone());
    (ad, deal.matched.method(), deal.matched.confidence_permille())
}

async fn people_are_forgotten(stores: Stores, identity: bool) {
    let world = World::new(stores, identity);
    let attribution = world.client.attribution();
    for n in [4, 8] {
        world.click(n).await;
    }
    world
        .happened(vec![
            moved(4, 4, "appointmentscheduled", "2026-01-06T11:00:00Z"),
            moved(8, 8, "appointmentscheduled", "2026-01-06T11:00:00Z"),
        ])
        .await;
    world.clock.set(time("2026-03-10T12:00:00Z"));
    for n in [1, 2, 3, 5, 6, 7] {
        world.click(n).await;
    }
    let events = [1, 2, 3, 5, 6, 7, 9].map(|n| moved(n, n, "appointmentscheduled", "2026-03-10T11:00:00Z"));
    world.happened(events.to_vec()).await;

    let (before, totals) = (world.deals().await, world.totals().await);
    assert!(before.values().all(|deal| deal.matched.found.is_some()), "{before:#?}");
    assert_eq!(credit(&before["1"]), (Some("ad-1".into()), "click_id", 1_000));
    assert_eq!(credit(&before["5"]).0, Some("ad-2".into()));
    assert_eq!(credit(&before["9"]), (Some("ad-9".into()), "url", 1_000));
    assert_eq!(world.attack().await, (1..=8).collect(), "before, the thief finds everybody who clicked");

    // Two ask the host, two the CRM.
    for (subject, clicks) in [
        (ErasureSubject { platform_click_id: Some("G-1".into()), ..Default::default() }, 1),
        (ErasureSubject { ip: Some(address(1)), user_agent: Some(AGENT.into()), ..Default::default() }, 0),
        (ErasureSubject { ip: Some(address(5)), user_agent: Some(AGENT.into()), ..Default::default() }, 1),
        (ErasureSubject { ip: Some(address(5)), ..Default::default() }, 0),
    ] {
        assert_eq!(attribution.erase(&subject).await.unwrap().clicks, clicks);
    }
    let forget = [2, 6, 9].map(|n| {
        json!({
            "eventId": 100 + n, "portalId": 1, "subscriptionType": "contact.privacyDeletion", "objectId": n,
            "occurredAt": time("2026-03-10T11:30:00Z").millis(),
        })
    });
    for n in ["2", "6", "9"] {
        world.crm.contacts.lock().unwrap().remove(n);
    }
    assert_eq!(world.happened(forget.to_vec()).await, 3);
    assert_eq!(world.attack().await, [3, 4, 7, 8].into(), "who was erased is not found any more");
    assert_eq!(world.totals().await, totals);

    // Those of January are forgotten by time.
    world.clock.set(time("2026-04-20T12:00:00Z"));
    let pruned = attribution.prune().await.unwrap();
    assert_eq!((pruned.clicks, pruned.destroyed_keys), (2, 1));
    assert_eq!(world.attack().await, [3, 7].into());
    assert_eq!(world.totals().await, totals);
    for gone in [1, 2, 4, 5, 6, 8] {
        assert!(!world.documents().await.contains(&format!("click-{gone}\"")), "{gone}");
    }

    // What happens to the deals later changes their value and not whom it is credited to.
    let events = PEOPLE.map(|n| moved(200 + n, n, "closedwon", "2026-04-20T11:00:00Z"));
    world.happened(events.collect()).await;
    let after = world.deals().await;
    for (id, deal) in &after {
        assert_eq!(credit(deal), credit(&before[id]), "deal {id}");
        assert!(deal.value_minor > before[id].value_minor, "deal {id}");
        let why = attribution.explain(id).await.unwrap();
        let forgotten = !["3", "7"].contains(&id.as_str());
        assert_eq!(why.text.contains("the ad keeps the credit"), forgotten, "{}", why.text);
    }
    let brought = attribution.totals().await.unwrap();
    assert_eq!((brought.unattributed_minor, brought.matches.none), (0, 0));
    assert_eq!(world.totals().await["clicks"], totals["clicks"]);

    // A contact who is in the CRM still tells of the same device again, and nothing that was erased is there to be linked to it.
    let again = world.attack().await;
    assert!(!again.iter().any(|n| [2, 6, 9].contains(n)), "{again:?}");
    for n in [1, 5] {
        let named =
            ErasureSubject { ip: Some(address(n)), user_agent: Some(AGENT.into()), ..Default::default() };
        assert_eq!(attribution.erase(&named).await.unwrap().clicks, 0);
    }
}

/// Every store that there is here, empty.
async fn on_every_store(identity: bool) {
    people_are_forgotten(Stores::memory(), identity).await;
    let secrets: Arc<dyn xynergy::secrets::SecretSource> = Arc::new(StaticSecrets::default());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.sqlite");
    people_are_forgotten(
        Stores::open(&StoreConfig::Sqlite { path: path.clone() }, &secrets).await.unwrap(),
        identity,
    )
    .await;
    let bytes: Vec<u8> = std::fs::read_dir(directory.path())
        .unwrap()
        .flat_map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .collect();
    for (text, there) in
        [("click-1\"", false), ("click-4\"", false), ("click-6\"", false), ("click-7\"", true)]
    {
        let found = bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!found || there, "{text} is in the file");
    }
    #[cfg(feature = "postgres")]
    postgres(identity, &secrets).await;
}

#[cfg(feature = "postgres")]
async fn postgres(identity: bool, secrets: &Arc<dyn xynergy::secrets::SecretSource>) {
    let Ok(url) = std::env::var("XYNERGY_TEST_POSTGRES") else {
        println!("skipped: XYNERGY_TEST_POSTGRES is not set (tests/services start DIR)");
        return;
    };
    let schema = format!("forgotten_{}_{identity}", std::process::id());
    let store = serde_json::from_value(json!({"type": "postgres", "url": url, "schema": schema})).unwrap();
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    people_are_forgotten(Stores::open(&store, secrets).await.unwrap(), identity).await;
    client.batch_execute(&format!("DROP SCHEMA \"{schema}\" CASCADE")).await.unwrap();
}

#[tokio::test]
async fn people_are_forgotten_and_deals_keep_their_ads() {
    on_every_store(false).await;
}

#[tokio::test]
async fn the_same_under_a_configured_secret_that_the_thief_has_too() {
    on_every_store(true).await;
}
