//! What is read of a deal in HubSpot: what its events may not tell and the rules of its value ask for.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use xynergy::env::{HttpBody, HttpFailure, HttpRequest, HttpResponse, HttpSend, ManualClock};
use xynergy::hubspot::HubspotConfig;
use xynergy::secrets::{Secret, SecretRef, StaticSecrets};
use xynergy::{AttributionConfig, Client, Config};

use super::{SECRET, hubspot_delivers};

/// HubSpot with one deal, of which it gives what it is asked for.
#[derive(Debug, Default)]
struct OneDeal(Mutex<Vec<Value>>);

#[async_trait]
impl HttpSend for OneDeal {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        let asked: Value = serde_json::from_slice(&request.body).unwrap();
        let known = json!({
            "createdate": "2026-03-10T09:00:00Z", "pipeline": "sales", "amount": "1234.50", "deal_currency_code": "EUR",
        });
        let results = if request.url.path().contains("associations") {
            json!([])
        } else {
            let names = asked["properties"].as_array().unwrap();
            self.0.lock().unwrap().push(asked["properties"].clone());
            let given = |name: &Value| Some((name.as_str()?.to_owned(), known[name.as_str()?].clone()));
            let properties: Map<String, Value> = names.iter().filter_map(given).collect();
            json!([{"id": "7", "properties": properties}])
        };
        let body = json!({"results": results}).to_string();
        Ok(HttpResponse { status: "200".parse().unwrap(), headers: Default::default(), body: body.into() })
    }

    async fn stream(&self, _request: HttpRequest) -> Result<HttpBody, HttpFailure> {
        panic!("reads are collected")
    }
}

/// What was read of a won deal, and its value and problem.
async fn won(attribution: Value) -> (Value, i64, Option<String>) {
    let http = Arc::new(OneDeal::default());
    let clock = Arc::new(ManualClock::new("2026-03-10T12:00:00Z".parse().unwrap()));
    let hubspot = HubspotConfig { client_secret: SecretRef::Env("S".into()), ..HubspotConfig::default() };
    let attribution: AttributionConfig = serde_json::from_value(attribution).unwrap();
    let secrets = StaticSecrets::default()
        .with("S", Secret::new(SECRET))
        .with("HUBSPOT_ACCESS_TOKEN", Secret::new("t"));
    let client = Client::builder(Config { hubspot: Some(hubspot), attribution, ..Config::default() })
        .secrets(Arc::new(secrets))
        .http(http.clone())
        .clock(clock.clone())
        .build()
        .unwrap();
    let event = json!([{
        "eventId": 1, "portalId": 1, "subscriptionType": "deal.propertyChange", "objectId": 7,
        "propertyName": "dealstage", "propertyValue": "closedwon", "occurredAt": 1_773_140_400_000_i64,
    }]);
    hubspot_delivers(&client, &*clock, &event.to_string()).await.unwrap();
    assert_eq!(client.hubspot().process(&Default::default(), 10).await.unwrap().deals, 1);
    let deal = client.attribution().deals().await.unwrap().remove(0);
    let read = http.0.lock().unwrap().remove(0);
    (read, deal.value_minor, deal.problem)
}

#[tokio::test]
async fn amounts_and_pipelines_that_no_event_told_are_read_where_they_count() {
    let by_stage = won(json!({})).await;
    assert_eq!(by_stage, (json!(["createdate"]), 500_000, None));
    let rates = json!([{"currency": "EUR", "rate": "1.1"}]);
    let by_amount = won(json!({"use_amounts": true, "currencies": {"rates": rates}})).await;
    assert_eq!(by_amount, (json!(["createdate", "amount", "deal_currency_code"]), 135_795, None));
    let stages = json!([{"id": "closedwon", "probability_permille": 1000, "value_minor": 70_000}]);
    let by_pipeline = won(json!({"pipelines": [
        {"id": "default", "stages": [{"id": "closedwon", "probability_permille": 1000, "value_minor": 1}]},
        {"id": "sales", "stages": stages},
    ]}))
    .await;
    assert_eq!(by_pipeline, (json!(["createdate", "pipeline"]), 70_000, None));
    let (read, value, problem) = won(json!({"use_amounts": true})).await;
    assert_eq!((read, value), (json!(["createdate", "amount", "deal_currency_code"]), 500_000));
    assert!(problem.unwrap().starts_with("currency: \"EUR\" has no rate"));
}
