//! What lies behind webhooks: deals that fail, people who are forgotten, events that come again, and great bodies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use xynergy::crm::{Contact, Crm, Deal};
use xynergy::env::ManualClock;
use xynergy::hubspot::{Accepted, Delivery, HubspotConfig, Processed};
use xynergy::secrets::{Secret, SecretRef, StaticSecrets};
use xynergy::{Client, Config, Ctx, Error, ErrorKind, Result, Timestamp};

use super::{SECRET, URL, backend_delivers, backend_secret, hubspot_delivers};

/// A CRM that refuses some objects, and may be away.
#[derive(Debug, Default)]
struct Fussy {
    refused: Mutex<BTreeSet<String>>,
    away: Mutex<bool>,
    contacts: BTreeMap<String, Contact>,
}

impl Fussy {
    fn check(&self, ids: &[String]) -> Result<()> {
        if *self.away.lock().unwrap() {
            return Err(Error::new(ErrorKind::Unavailable, "crm", "away"));
        }
        let refused = self.refused.lock().unwrap();
        match ids.iter().find(|id| refused.contains(*id)) {
            Some(_) => {
                Err(Error::new(ErrorKind::Rejected, "crm", "no such id").with_context("status", "400"))
            }
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Crm for Fussy {
    async fn deals(&self, _ctx: &Ctx, ids: &[String]) -> Result<BTreeMap<String, Deal>> {
        self.check(ids)?;
        let contacts: Vec<String> = self.contacts.keys().cloned().collect();
        let deal = Deal { contacts, ..Deal::default() };
        Ok(ids.iter().map(|id| (id.clone(), deal.clone())).collect())
    }

    async fn contacts(&self, _ctx: &Ctx, ids: &[String]) -> Result<BTreeMap<String, Contact>> {
        self.check(ids)?;
        Ok(ids.iter().filter_map(|id| Some((id.clone(), self.contacts.get(id)?.clone()))).collect())
    }
}

struct World {
    client: Client,
    crm: Arc<Fussy>,
    clock: Arc<ManualClock>,
}

fn world(crm: Fussy) -> World {
    let clock = Arc::new(ManualClock::new("2026-03-10T12:00:00Z".parse().unwrap()));
    let hubspot = HubspotConfig { client_secret: SecretRef::Env("S".into()), ..HubspotConfig::default() };
    let config = Config { hubspot: Some(hubspot), ..Config::default() };
    let crm = Arc::new(crm);
    let client = Client::builder(config)
        .secrets(Arc::new(StaticSecrets::default().with("S", Secret::new(SECRET))))
        .crm(crm.clone())
        .clock(clock.clone())
        .build()
        .unwrap();
    World { client, crm, clock }
}

impl World {
    async fn accept(&self, events: &Value) -> Result<Accepted> {
        self.accept_text(&events.to_string()).await
    }

    async fn accept_text(&self, body: &str) -> Result<Accepted> {
        hubspot_delivers(&self.client, &*self.clock, body).await
    }

    async fn process(&self, limit: usize) -> Result<Processed> {
        self.client.hubspot().process(&BTreeMap::new(), limit).await
    }
}

fn event(id: u64, deal: u64, stage: &str) -> Value {
    json!({
        "eventId": id, "portalId": 1, "subscriptionType": "deal.propertyChange", "objectId": deal, "attemptNumber": 0,
        "propertyName": "dealstage", "propertyValue": stage, "occurredAt": 1_773_140_400_000_i64,
    })
}

fn deals(range: std::ops::Range<u64>) -> Value {
    range.map(|deal| event(deal, deal, "closedwon")).collect()
}

#[tokio::test]
async fn a_deal_that_the_crm_refuses_waits_and_stops_no_other() {
    let world = world(Fussy::default());
    *world.crm.refused.lock().unwrap() = ["103".to_owned(), "140".to_owned()].into();
    world.accept(&deals(100..160)).await.unwrap();
    let first = world.process(100).await.unwrap();
    assert_eq!(first.deals, 58);
    let failed: Vec<&str> = first.failed.iter().map(|failed| failed.deal_id.as_str()).collect();
    assert_eq!(failed, ["103", "140"]);
    assert_eq!((first.failed[0].attempts, first.failed[0].problem.as_str()), (1, "no such id (status=400)"));
    let due: Timestamp = "2026-03-10T12:01:00Z".parse().unwrap();
    assert_eq!(first.next_due, Some(due));

    let idle = world.process(100).await.unwrap();
    assert!(idle.is_idle() && idle.next_due == Some(due), "{idle:?}");
    world.accept(&deals(160..163)).await.unwrap();
    assert_eq!(world.process(1).await.unwrap().deals, 1, "those that wait take no place of others");

    world.clock.set(due);
    world.crm.refused.lock().unwrap().remove("140");
    let again = world.process(100).await.unwrap();
    assert_eq!((again.deals, again.failed.len(), again.failed[0].attempts), (3, 1, 2));
    assert_eq!(again.next_due, Some("2026-03-10T12:03:00Z".parse().unwrap()));
    assert_eq!(world.client.attribution().deals().await.unwrap().len(), 62);
}

#[tokio::test]
async fn a_crm_that_is_away_leaves_everything_as_it_was() {
    let world = world(Fussy::default());
    world.accept(&deals(1..4)).await.unwrap();
    *world.crm.away.lock().unwrap() = true;
    assert_eq!(world.process(10).await.unwrap_err().kind(), ErrorKind::Unavailable);
    *world.crm.away.lock().unwrap() = false;
    let done = world.process(10).await.unwrap();
    assert_eq!((done.deals, done.failed.len()), (3, 0));
}

#[tokio::test]
async fn the_same_event_a_thousand_times_is_one() {
    let world = world(Fussy::default());
    let many: Value = (0..1_000)
        .map(|attempt| {
            let mut event = event(1, 7, "closedwon");
            event["attemptNumber"] = json!(attempt % 10);
            event["subscriptionId"] = json!(attempt);
            event
        })
        .collect();
    let accepted = world.accept(&many).await.unwrap();
    assert_eq!((accepted.events, accepted.duplicates), (1, 999));
    for _ in 0..10 {
        assert_eq!(world.accept(&json!([event(1, 7, "closedwon")])).await.unwrap().events, 0);
    }
    assert_eq!(world.process(10).await.unwrap().deals, 1);
    assert_eq!(world.client.attribution().deals().await.unwrap()[0].value_minor, 500_000);
}

#[tokio::test]
async fn a_body_of_a_hundred_megabytes_is_refused_at_once() {
    let world = world(Fussy::default());
    let body = vec![b'['; 100 * 1024 * 1024];
    let delivery = Delivery {
        method: "POST",
        url: URL,
        headers: &BTreeMap::new(),
        body: &body,
        received_at: None,
        source: "test",
    };
    let start = std::time::Instant::now();
    let error = world.client.hubspot().accept(&delivery).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert!(error.message().contains("104857600") && error.message().contains("max_body_bytes"), "{error}");
    assert!(start.elapsed() < Duration::from_millis(100), "nothing of it is read");
}

#[tokio::test]
async fn without_a_crm_it_is_said_and_nothing_is_lost() {
    let config = Config { hubspot: None, ..Config::default() };
    let client = Client::builder(config).build().unwrap();
    assert!(client.hubspot().process(&BTreeMap::new(), 10).await.unwrap().is_idle());

    // HubSpot with a webhook's secret and no token: events are stored, and wait for one.
    let clock = Arc::new(ManualClock::new("2026-03-10T12:00:00Z".parse().unwrap()));
    let hubspot = HubspotConfig {
        client_secret: SecretRef::Env("S".into()),
        access_token: SecretRef::Env("XYNERGY_TEST_NO_SUCH_TOKEN".into()),
        ..HubspotConfig::default()
    };
    let client = Client::builder(Config { hubspot: Some(hubspot), ..Config::default() })
        .secrets(Arc::new(StaticSecrets::default().with("S", Secret::new(SECRET))))
        .clock(clock.clone())
        .build()
        .unwrap();
    let world = World { client, crm: Arc::default(), clock };
    world.accept(&deals(1..3)).await.unwrap();
    let error = world.process(10).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.message().contains("XYNERGY_TEST_NO_SUCH_TOKEN"), "{error}");
    assert_eq!(world.client.hubspot().count_events(None).await.unwrap(), 2);
}

#[tokio::test]
async fn who_is_to_be_forgotten_is_noted_durably_and_leaves_no_click_to_match() {
    let properties = [
        ("hs_google_click_id", "g-1"),
        ("xynergy_ip", "203.0.113.9"),
        ("xynergy_user_agent", "Mozilla/5.0"),
        ("xynergy_consent", "true"),
    ];
    let properties = properties.map(|(name, value)| (name.to_owned(), Some(value.to_owned()))).into();
    let contacts = BTreeMap::from([("900".to_owned(), Contact { properties })]);
    let world = world(Fussy { contacts, ..Fussy::default() });
    let line = json!({
        "ts": "2026-03-10T09:00:00Z", "url": "https://shop.example/?gclid=g-1", "ad_id": "1", "adset_id": "2",
        "campaign_id": "3", "ip": "203.0.113.9", "user_agent": "Mozilla/5.0", "consent": true, "click_id": "c",
    });
    let attribution = world.client.attribution();
    attribution.track_click(line.to_string().as_bytes()).await.unwrap();
    world.accept(&deals(1..2)).await.unwrap();
    world.process(10).await.unwrap();
    let before = attribution.totals().await.unwrap();
    assert_eq!(before.by_ad["1"], 500_000);

    let forget = json!([{
        "eventId": 5, "portalId": 1, "subscriptionType": "contact.privacyDeletion", "objectId": 900,
        "occurredAt": 1_773_140_400_000_i64,
    }]);
    assert_eq!(world.accept(&forget).await.unwrap().events, 1);
    let done = world.process(10).await.unwrap();
    assert_eq!((done.forgotten, done.deals), (1, 0));
    assert!(world.process(10).await.unwrap().is_idle());
    assert_eq!(attribution.totals().await.unwrap(), before, "what ads brought stays");
    let found = attribution.deals().await.unwrap()[0].matched.found.clone().unwrap();
    assert_eq!(
        (found.ad_id.as_str(), found.click_id.as_deref()),
        ("1", Some("erased")),
        "and the click's id goes"
    );

    world.accept(&deals(2..3)).await.unwrap();
    world.process(10).await.unwrap();
    let deals = attribution.deals().await.unwrap();
    assert_eq!(deals[1].matched.found, None, "nothing is left to match");
}

/// Every configuration on the page is one.
#[test]
fn the_page_shows_configurations_that_are_valid() {
    let page = include_str!("../../docs/crm.md");
    let blocks: Vec<&str> =
        page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 3);
    for block in blocks {
        Client::new(Config::from_toml(block).unwrap()).unwrap();
    }
}

/// The event on the page is accepted whole.
#[tokio::test]
async fn the_page_shows_an_event_that_is_accepted() {
    let page = include_str!("../../docs/crm.md");
    let body = page.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let clock = Arc::new(ManualClock::new("2026-03-10T12:00:00Z".parse().unwrap()));
    let webhooks = xynergy::webhooks::WebhooksConfig::new(vec![SecretRef::Env("W".into())]);
    let client = Client::builder(Config { webhooks: Some(webhooks), ..Config::default() })
        .secrets(Arc::new(StaticSecrets::default().with("W", backend_secret())))
        .clock(clock.clone())
        .build()
        .unwrap();
    let accepted = backend_delivers(&client, &*clock, "msg_1", body).await.unwrap();
    assert_eq!((accepted.events, accepted.skipped), (4, Vec::new()));
}
