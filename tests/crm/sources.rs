//! Deals of webhooks of one's own beside deals of a CRM: each is completed by its own source.
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value, json};
use xynergy::crm::{Contact, Crm, Deal};
use xynergy::env::ManualClock;
use xynergy::hubspot::{HubspotConfig, Processed};
use xynergy::secrets::{Secret, SecretRef, StaticSecrets};
use xynergy::webhooks::WebhooksConfig;
use xynergy::{Client, Config, Ctx, Error, ErrorKind, Result};

use super::{SECRET, backend_delivers, backend_secret, hubspot_delivers};

/// A CRM that says what it was asked for, and may be away.
#[derive(Debug, Default)]
struct Asked {
    ids: Mutex<BTreeSet<String>>,
    away: Mutex<bool>,
}

impl Asked {
    fn check(&self, ids: &[String]) -> Result<()> {
        self.ids.lock().unwrap().extend(ids.iter().cloned());
        if *self.away.lock().unwrap() {
            return Err(Error::new(ErrorKind::Unavailable, "crm", "away"));
        }
        Ok(())
    }

    fn ids(&self) -> Vec<String> {
        self.ids.lock().unwrap().iter().cloned().collect()
    }
}

#[async_trait]
impl Crm for Asked {
    async fn deals(&self, _ctx: &Ctx, ids: &[String]) -> Result<BTreeMap<String, Deal>> {
        self.check(ids)?;
        let properties = [("createdate".to_owned(), Some("2026-03-10T09:30:00Z".to_owned()))].into();
        let deal = Deal { properties, contacts: vec!["900".to_owned()] };
        Ok(ids.iter().map(|id| (id.clone(), deal.clone())).collect())
    }

    async fn contacts(&self, _ctx: &Ctx, ids: &[String]) -> Result<BTreeMap<String, Contact>> {
        self.check(ids)?;
        let contact = |id: &String| Contact {
            properties: [("hs_google_click_id".to_owned(), Some(format!("g-{id}")))].into(),
        };
        Ok(ids.iter().map(|id| (id.clone(), contact(id))).collect())
    }
}

struct World {
    client: Client,
    crm: Arc<Asked>,
    clock: Arc<ManualClock>,
}

async fn world() -> World {
    let clock = Arc::new(ManualClock::new("2026-03-10T12:00:00Z".parse().unwrap()));
    let hubspot = HubspotConfig { client_secret: SecretRef::Env("S".into()), ..HubspotConfig::default() };
    let webhooks = WebhooksConfig::new(vec![SecretRef::Env("W".into())]);
    let crm = Arc::new(Asked::default());
    let secrets = StaticSecrets::default().with("S", Secret::new(SECRET)).with("W", backend_secret());
    let client =
        Client::builder(Config { hubspot: Some(hubspot), webhooks: Some(webhooks), ..Config::default() })
            .secrets(Arc::new(secrets))
            .crm(crm.clone())
            .clock(clock.clone())
            .build()
            .unwrap();
    for (ad, click, minute) in [("1", "g-900", "00"), ("2", "g-C-1", "20")] {
        let line = json!({
            "ts": format!("2026-03-10T09:{minute}:00Z"), "url": format!("https://shop.example/?gclid={click}"), "ad_id": ad,
            "adset_id": "2", "campaign_id": "3", "ip": "203.0.113.9", "user_agent": "Mozilla/5.0", "consent": true,
        });
        client.attribution().track_click(line.to_string().as_bytes()).await.unwrap();
    }
    World { client, crm, clock }
}

impl World {
    async fn hubspot(&self, events: &Value) {
        let accepted = hubspot_delivers(&self.client, &*self.clock, &events.to_string()).await.unwrap();
        assert_eq!(accepted.skipped, []);
    }

    async fn told(&self, id: &str, kind: &str, data: Value) {
        let body = json!({"type": kind, "timestamp": "2026-03-10T11:00:00Z", "data": data}).to_string();
        let accepted = backend_delivers(&self.client, &*self.clock, id, &body).await.unwrap();
        assert_eq!(accepted.skipped, []);
    }

    async fn process(&self, limit: usize) -> Result<Processed> {
        self.client.hubspot().process(&BTreeMap::new(), limit).await
    }

    /// The ad and the value of each deal.
    async fn deals(&self) -> BTreeMap<String, (Option<String>, i64)> {
        let deals = self.client.attribution().deals().await.unwrap();
        let of = |deal: xynergy::store::DealRevenue| {
            (deal.deal_id, (deal.matched.found.map(|found| found.ad_id.to_string()), deal.value_minor))
        };
        deals.into_iter().map(of).collect()
    }
}

fn won(deal: u64) -> Value {
    json!({
        "eventId": deal, "portalId": 1, "subscriptionType": "deal.propertyChange", "objectId": deal,
        "propertyName": "dealstage", "propertyValue": "closedwon", "occurredAt": 1_773_138_600_000_i64,
    })
}

#[tokio::test]
async fn a_deal_that_only_webhooks_tell_of_is_asked_of_nobody() {
    let world = world().await;
    *world.crm.away.lock().unwrap() = true;
    world.told("msg_1", "deal.updated", json!({"deal_id": "D-1", "stage": "closedwon"})).await;
    let contacts = json!([{"contact_id": "C-1", "google_click_id": "g-C-1"}, {"contact_id": "900"}]);
    world
        .told("msg_2", "deal.updated", json!({"deal_id": "D-2", "stage": "closedwon", "contacts": contacts}))
        .await;
    let done = world.process(10).await.unwrap();
    assert_eq!((done.deals, done.failed.len()), (2, 0));
    assert_eq!(world.crm.ids(), [] as [&str; 0]);
    let deals = world.deals().await;
    assert_eq!((&deals["D-1"], &deals["D-2"]), (&(None, 500_000), &(Some("2".to_owned()), 500_000)));
}

#[tokio::test]
async fn a_crm_that_is_away_stops_its_own_deals_only() {
    let world = world().await;
    *world.crm.away.lock().unwrap() = true;
    world.hubspot(&(1..30).map(won).collect()).await;
    for deal in ["D-1", "D-2", "D-3"] {
        world.told(deal, "deal.updated", json!({"deal_id": deal, "stage": "closedwon"})).await;
    }
    // Fewer at once than there are of the CRM.
    for _ in 0..2 {
        assert_eq!(world.process(2).await.unwrap_err().kind(), ErrorKind::Unavailable);
    }
    assert_eq!(world.deals().await.into_keys().collect::<Vec<_>>(), ["D-1", "D-2", "D-3"]);
    *world.crm.away.lock().unwrap() = false;
    assert_eq!(world.process(100).await.unwrap().deals, 29);
    assert!(world.process(100).await.unwrap().is_idle());
    assert_eq!(world.deals().await["7"], (Some("1".to_owned()), 500_000));
}

#[tokio::test]
async fn a_deal_of_both_is_read_from_the_crm_and_what_was_told_goes_before() {
    let world = world().await;
    world.hubspot(&(1..3).map(won).collect()).await;
    world.told("msg_1", "deal.refunded", json!({"deal_id": "1", "amount": "100"})).await;
    let contacts = json!([{"contact_id": "C-1", "google_click_id": "g-C-1"}]);
    world.told("msg_2", "deal.updated", json!({"deal_id": "2", "contacts": contacts})).await;
    assert_eq!(world.process(10).await.unwrap().deals, 2);
    let deals = world.deals().await;
    assert_eq!(deals["1"], (Some("1".to_owned()), 490_000), "its contact is the CRM's, its refund was told");
    assert_eq!(deals["2"], (Some("2".to_owned()), 500_000), "its own contact goes first");
    assert_eq!(world.crm.ids(), ["1", "2", "900"], "whom webhooks told of is not asked for");
}
