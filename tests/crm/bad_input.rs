//! Bad input: a named error or a counted skip, and a state that depends only on the set of events.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xynergy::crm::MemoryCrm;
use xynergy::env::ManualClock;
use xynergy::hubspot::HubspotConfig;
use xynergy::secrets::{Secret, SecretRef, StaticSecrets};
use xynergy::store::DealRevenue;
use xynergy::webhooks::{SignedDelivery, WebhooksConfig};
use xynergy::{AttributionConfig, Client, Config, ErrorKind};

use super::{SECRET, backend_delivers, backend_secret, hubspot_delivers};

struct World {
    client: Client,
    clock: Arc<ManualClock>,
}

fn world(attribution: Value) -> World {
    let clock = Arc::new(ManualClock::new("2026-03-10T12:00:00Z".parse().unwrap()));
    let hubspot = HubspotConfig { client_secret: SecretRef::Env("S".into()), ..HubspotConfig::default() };
    let webhooks = WebhooksConfig::new(vec![SecretRef::Env("W".into())]);
    let attribution: AttributionConfig = serde_json::from_value(attribution).unwrap();
    let config =
        Config { hubspot: Some(hubspot), webhooks: Some(webhooks), attribution, ..Config::default() };
    let secrets = StaticSecrets::default().with("S", Secret::new(SECRET)).with("W", backend_secret());
    let client = Client::builder(config)
        .secrets(Arc::new(secrets))
        .crm(Arc::new(MemoryCrm::default()))
        .clock(clock.clone())
        .build()
        .unwrap();
    World { client, clock }
}

impl World {
    /// What was skipped, and how many events are new.
    async fn hubspot(&self, events: &[Value]) -> (Vec<String>, u64) {
        let body = Value::from(events.to_vec()).to_string();
        let accepted = hubspot_delivers(&self.client, &*self.clock, &body).await.unwrap();
        (accepted.skipped.into_iter().map(|skipped| skipped.to_string()).collect(), accepted.events)
    }

    async fn backend(&self, id: &str, event: &Value) -> (Vec<String>, u64) {
        let accepted = backend_delivers(&self.client, &*self.clock, id, &event.to_string()).await.unwrap();
        (accepted.skipped.into_iter().map(|skipped| skipped.to_string()).collect(), accepted.events)
    }

    async fn deals(&self) -> Vec<DealRevenue> {
        while !self.client.hubspot().process(&Default::default(), 100).await.unwrap().is_idle() {}
        self.client.attribution().deals().await.unwrap()
    }
}

fn change(id: u64, deal: u64, property: &str, value: &str) -> Value {
    json!({
        "eventId": id, "portalId": 1, "subscriptionType": "deal.propertyChange", "objectId": deal,
        "propertyName": property, "propertyValue": value, "occurredAt": 1_773_140_400_000_i64 + i64::try_from(id).unwrap(),
    })
}

fn told(kind: &str, at: &str, data: &Value) -> Value {
    json!({"type": kind, "timestamp": at, "data": data})
}

const NOW: &str = "2026-03-10T11:00:00Z";

fn pipelines() -> Value {
    json!([{"id": "sales", "stages": [
        {"id": "closedwon", "probability_permille": 1000}, {"id": "lead", "probability_permille": 100},
    ]}])
}

/// HubSpot's side of it is in `inbox`.
#[tokio::test]
async fn a_signed_webhook_of_a_hundred_megabytes_is_refused_before_anything_of_it_is_read() {
    let world = world(json!({}));
    let body = vec![b'{'; 100 * 1024 * 1024];
    let start = Instant::now();
    let delivery =
        SignedDelivery { headers: &Default::default(), body: &body, received_at: None, source: "" };
    let error = world.client.webhooks().accept(&delivery).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert!(error.message().contains("104857600 bytes are more than webhooks.max_body_bytes"), "{error}");
    assert!(start.elapsed() < Duration::from_millis(100), "nothing of it is read");
}

/// Eight megabytes of the smallest elements there are.
#[tokio::test]
async fn a_body_of_millions_of_elements_is_refused_by_name() {
    let world = world(json!({}));
    let body = format!("[{}1]", "1,".repeat(3_999_999));
    for error in [
        hubspot_delivers(&world.client, &*world.clock, &body).await.unwrap_err(),
        backend_delivers(&world.client, &*world.clock, "msg_1", &body).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::LimitExceeded);
        assert!(error.message().starts_with("body: holds more than 10000 events"), "{error}");
    }
    let deep = "[".repeat(4_000_000);
    for error in [
        hubspot_delivers(&world.client, &*world.clock, &deep).await.unwrap_err(),
        backend_delivers(&world.client, &*world.clock, "msg_1", &deep).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}

#[tokio::test]
async fn an_event_for_an_unknown_pipeline_counts_by_its_stage_and_is_told() {
    let world = world(json!({"pipelines": pipelines()}));
    let unknown = [change(1, 7, "dealstage", "closedwon"), change(2, 7, "pipeline", "75e28846")];
    assert_eq!(world.hubspot(&unknown).await, (Vec::new(), 2));
    let data = json!({"deal_id": "D", "stage": "nobody named it", "pipeline": "sales"});
    assert_eq!(world.backend("msg_1", &told("deal.updated", NOW, &data)).await, (Vec::new(), 2));
    let deals = world.deals().await;
    let shown: Vec<_> =
        deals.iter().map(|deal| (deal.value_minor, deal.problem.clone().unwrap_or_default())).collect();
    assert_eq!(shown[0].0, 500_000);
    assert!(shown[0].1.starts_with("pipeline: \"75e28846\" is not in attribution.pipelines"), "{shown:?}");
    assert_eq!(shown[1].0, 50_000);
    assert!(shown[1].1.starts_with("stage: \"nobody named it\""), "{shown:?}");
}

#[tokio::test]
async fn a_time_in_1970_or_2100_is_a_counted_skip() {
    let world = world(json!({}));
    let at = |millis: i64| {
        let mut event = change(1, 7, "dealstage", "closedwon");
        event["occurredAt"] = json!(millis);
        event
    };
    let far = [at(0), at(4_102_444_800_000), at(i64::MAX), at(-1), change(2, 8, "dealstage", "lead")];
    let (skipped, events) = world.hubspot(&far).await;
    assert_eq!((skipped.len(), events), (4, 1), "{skipped:?}");
    assert!(
        skipped.iter().enumerate().all(|(n, told)| told.starts_with(&format!("event {n}: occurredAt: ")))
    );

    let won = json!({"deal_id": "D", "stage": "closedwon"});
    for (at, created_at) in [
        ("1970-01-01T00:00:00Z", NOW),
        ("2100-01-01T00:00:00Z", NOW),
        ("not a time", NOW),
        (NOW, "1970-01-01T00:00:00Z"),
        (NOW, "2100-01-01T00:00:00Z"),
    ] {
        let mut data = won.clone();
        data["created_at"] = json!(created_at);
        let (skipped, events) = world.backend(at, &told("deal.updated", at, &data)).await;
        let field = if at == NOW { "event 0: data.created_at: " } else { "event 0: timestamp: " };
        assert!(skipped.len() == 1 && skipped[0].starts_with(field) && events == 0, "{skipped:?}");
    }
    assert_eq!(world.deals().await.len(), 1);
}

#[tokio::test]
async fn a_currency_without_a_rate_counts_by_its_stage_and_is_told() {
    let world = world(json!({"use_amounts": true}));
    let unrated = [
        change(1, 7, "dealstage", "closedwon"),
        change(2, 7, "amount", "99.50"),
        change(3, 7, "deal_currency_code", "GBP"),
    ];
    assert_eq!(world.hubspot(&unrated).await, (Vec::new(), 3));
    let paid = json!({"deal_id": "D", "stage": "closedwon", "amount": "99.50"});
    world.backend("msg_1", &told("deal.updated", NOW, &paid)).await;
    let refund = json!({"deal_id": "D", "amount": "9", "currency": "GBP"});
    assert_eq!(world.backend("msg_2", &told("deal.refunded", NOW, &refund)).await, (Vec::new(), 1));
    let deals = world.deals().await;
    let no_rate = "currency: \"GBP\" has no rate to USD at this time";
    assert_eq!((deals[0].value_minor, deals[0].problem.as_deref()), (500_000, Some(no_rate)));
    let refund_problem = format!("refund: {no_rate}");
    assert_eq!((deals[1].value_minor, deals[1].problem.as_deref()), (9_950, Some(refund_problem.as_str())));
}

#[tokio::test]
async fn the_same_webhook_a_thousand_times_is_one() {
    let world = world(json!({}));
    let won = told("deal.updated", NOW, &json!({"deal_id": "D", "stage": "closedwon"}));
    let refund = told("deal.refunded", NOW, &json!({"deal_id": "D", "amount": "100"}));
    for n in 0..1_000 {
        let new = u64::from(n == 0);
        assert_eq!(world.backend("msg_1", &won).await, (Vec::new(), new));
        assert_eq!(world.backend("msg_2", &refund).await, (Vec::new(), new));
    }
    assert_eq!(world.deals().await[0].value_minor, 490_000);
}

/// Forwards in one delivery, and backwards one by one with work in between.
#[tokio::test]
async fn all_events_reversed_end_in_the_same_state() {
    let attribution = json!({
        "use_amounts": true, "pipelines": pipelines(),
        "currencies": {"rates": [{"currency": "EUR", "rate": "1.0842"}]},
    });
    let (forwards, backwards) = (world(attribution.clone()), world(attribution));
    let mut events = Vec::new();
    for deal in 1..5 {
        let said = [
            ("dealstage", "lead"),
            ("amount", "120.05"),
            ("deal_currency_code", "EUR"),
            ("pipeline", "sales"),
            ("dealstage", "closedwon"),
            ("dealstage", "closedlost"),
            ("dealstage", "closedwon"),
        ];
        let said = (1_u64..).zip(said);
        events.extend(said.map(|(n, (property, value))| change(deal * 100 + n, deal, property, value)));
    }
    events.push(json!({
        "eventId": 900, "portalId": 1, "subscriptionType": "deal.merge", "primaryObjectId": 1, "mergedObjectIds": [1, 2],
        "newObjectId": 9, "objectId": 9, "occurredAt": 1_773_140_400_900_i64,
    }));
    let refunds: Vec<Value> = ["1", "3", "9"]
        .iter()
        .map(|deal| {
            told("deal.refunded", "2026-03-10T11:30:00Z", &json!({"deal_id": deal, "amount": "20.01"}))
        })
        .collect();
    assert_eq!(forwards.hubspot(&events).await, (Vec::new(), 29));
    for (n, refund) in refunds.iter().enumerate() {
        forwards.backend(&format!("msg_{n}"), refund).await;
    }
    for (n, refund) in refunds.iter().enumerate().rev() {
        backwards.backend(&format!("msg_{n}"), refund).await;
        backwards.deals().await;
    }
    for event in events.iter().rev() {
        backwards.hubspot(std::slice::from_ref(event)).await;
        backwards.deals().await;
    }
    let bytes = |deals: Vec<DealRevenue>| serde_json::to_string(&deals).unwrap();
    let (first, second) = (bytes(forwards.deals().await), bytes(backwards.deals().await));
    assert_eq!(first, second);
    assert!(first.contains("refund") && first.contains("merged"), "{first}");
}
