//! The example of a server of webhooks, as HubSpot and a backend of one's own would call it.
#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "../examples/webhook_server.rs"]
mod server;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use xynergy::crm::MemoryCrm;
use xynergy::hubspot::HubspotConfig;
use xynergy::secrets::{Secret, SecretRef, StaticSecrets};
use xynergy::webhooks::WebhooksConfig;
use xynergy::{Client, Clock, Config, StoreConfig, Timestamp};

const SECRET: &str = "hubspot-secret";
const KEY: &[u8] = b"0123456789abcdef01234567";
const PUBLIC: &str = "https://hooks.example/webhooks/hubspot";

struct Server {
    address: String,
    client: Client,
    end: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<bool>,
    _folder: tempfile::TempDir,
}

async fn start() -> Server {
    let folder = tempfile::tempdir().unwrap();
    let secret = |name: &str| SecretRef::Env(name.to_owned());
    let config = Config {
        store: StoreConfig::Sqlite { path: folder.path().join("x.db") },
        hubspot: Some(HubspotConfig {
            client_secret: secret("H"),
            webhook_urls: vec![PUBLIC.to_owned()],
            ..HubspotConfig::default()
        }),
        webhooks: Some(WebhooksConfig::new(vec![secret("W")])),
        ..Config::default()
    };
    let secrets = StaticSecrets::default()
        .with("H", Secret::new(SECRET))
        .with("W", Secret::new(format!("whsec_{}", STANDARD.encode(KEY))));
    let crm = MemoryCrm::default();
    let client = Client::builder(config).secrets(Arc::new(secrets)).crm(Arc::new(crm)).build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (end, wait) = oneshot::channel();
    let serving = server::serve(client.clone(), listener, async { wait.await.unwrap_or(()) });
    let ended = tokio::spawn(async { serving.await.is_ok() });
    Server { address, client, end, ended, _folder: folder }
}

fn now() -> Timestamp {
    xynergy::env::SystemClock.now()
}

fn mac(key: &[u8], text: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(text);
    STANDARD.encode(mac.finalize().into_bytes())
}

fn event(deal: u64, stage: &str) -> Value {
    json!({
        "eventId": deal, "portalId": 1, "subscriptionType": "deal.propertyChange", "objectId": deal,
        "propertyName": "dealstage", "propertyValue": stage, "occurredAt": now().millis(),
    })
}

impl Server {
    async fn hubspot(&self, secret: &str, body: &str) -> (StatusCode, Value) {
        let stamp = now().millis().to_string();
        let signature = mac(secret.as_bytes(), format!("POST{PUBLIC}{body}{stamp}").as_bytes());
        let request = reqwest::Client::new()
            .post(format!("{}/webhooks/hubspot", self.address))
            .header("X-HubSpot-Signature-v3", signature)
            .header("X-HubSpot-Request-Timestamp", stamp);
        answered(request.body(body.to_owned())).await
    }

    async fn deals(&self, key: &[u8], body: &Value) -> (StatusCode, Value) {
        let (body, stamp) = (body.to_string(), (now().millis() / 1_000).to_string());
        let request = reqwest::Client::new()
            .post(format!("{}/webhooks/deals", self.address))
            .header("webhook-id", "msg_1")
            .header("webhook-timestamp", &stamp)
            .header(
                "webhook-signature",
                format!("v1,{}", mac(key, format!("msg_1.{stamp}.{body}").as_bytes())),
            );
        answered(request.body(body)).await
    }
}

async fn answered(request: reqwest::RequestBuilder) -> (StatusCode, Value) {
    let answer = request.timeout(Duration::from_secs(20)).send().await.unwrap();
    let status = answer.status();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_stored_before_the_answer_and_worked_on_behind_it() {
    let server = start().await;
    let batch = Value::from((1..=100).map(|deal| event(deal, "closedwon")).collect::<Vec<_>>()).to_string();
    let (status, answer) = server.hubspot(SECRET, &batch).await;
    assert_eq!((status, &answer["events"]), (StatusCode::OK, &json!(100)), "{answer}");
    assert_eq!(server.client.hubspot().count_events(Some("hubspot")).await.unwrap(), 100);
    let (status, answer) = server.hubspot(SECRET, &batch).await;
    assert_eq!((status, &answer["duplicates"]), (StatusCode::OK, &json!(100)));

    let deal =
        json!({"type": "deal.updated", "timestamp": now(), "data": {"deal_id": "D-1", "stage": "closedwon"}});
    let (status, answer) = server.deals(KEY, &deal).await;
    assert_eq!((status, &answer["events"]), (StatusCode::OK, &json!(1)), "{answer}");

    for _ in 0..200 {
        if server.client.attribution().deals().await.unwrap().len() == 101 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(server.client.attribution().totals().await.unwrap().unattributed_minor, 101 * 500_000);
    server.end.send(()).unwrap();
    assert!(tokio::time::timeout(Duration::from_secs(10), server.ended).await.unwrap().unwrap(), "it ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_accepted_has_its_status() {
    let server = start().await;
    let body = json!([event(1, "closedwon")]).to_string();
    assert_eq!(server.hubspot("another", &body).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(server.deals(b"another secret, 24 bytes", &json!({})).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(server.hubspot(SECRET, "{}").await.0, StatusCode::BAD_REQUEST);
    let url = format!("{}/webhooks/hubspot?else", server.address);
    assert_eq!(answered(reqwest::Client::new().post(url)).await.0, StatusCode::UNAUTHORIZED);
    let long = "x".repeat(9 * 1024 * 1024);
    let path = format!("{}/webhooks/hubspot", server.address);
    // It is refused by its length, or while it is read; then the connection may be closed before all of it was sent.
    if let Ok(answer) = reqwest::Client::new().post(path).body(long).send().await {
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
    assert_eq!(server.client.hubspot().count_events(None).await.unwrap(), 0);
    server.end.send(()).unwrap();
    assert!(tokio::time::timeout(Duration::from_secs(10), server.ended).await.unwrap().unwrap(), "it ends");
}
