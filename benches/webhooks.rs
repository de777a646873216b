//! What a batch of webhooks costs without the CRM's reads and without a commit to a disk: `cargo bench --bench webhooks`.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::runtime::{Builder, Runtime};
use xynergy::crm::MemoryCrm;
use xynergy::env::SystemClock;
use xynergy::hubspot::{Delivery, HubspotConfig};
use xynergy::secrets::{Secret, SecretRef, StaticSecrets};
use xynergy::webhooks::{SignedDelivery, WebhooksConfig};
use xynergy::{Client, Clock, Config};

const SECRET: &str = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy";
const KEY: &[u8] = b"0123456789abcdef01234567";
const URL: &str = "https://www.example.com/webhook_uri";
const EVENTS: u64 = 100;

/// No two batches hold the same event.
static NEXT: AtomicU64 = AtomicU64::new(1);

fn client() -> Client {
    let secret = |name: &str| SecretRef::Env(name.to_owned());
    let config = Config {
        hubspot: Some(HubspotConfig { client_secret: secret("H"), ..HubspotConfig::default() }),
        webhooks: Some(WebhooksConfig::new(vec![secret("W")])),
        ..Config::default()
    };
    let secrets = StaticSecrets::default()
        .with("H", Secret::new(SECRET))
        .with("W", Secret::new(format!("whsec_{}", STANDARD.encode(KEY))));
    Client::builder(config).secrets(Arc::new(secrets)).crm(Arc::new(MemoryCrm::default())).build().unwrap()
}

fn mac(key: &[u8], text: &str) -> String {
    STANDARD.encode(Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(text).finalize().into_bytes())
}

/// A delivery of HubSpot's, signed now.
fn hubspot() -> (BTreeMap<String, String>, String) {
    let now = SystemClock.now().millis();
    let event = |_| {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        json!({
            "eventId": n, "subscriptionId": 2_870_033, "portalId": 48_201_177, "appId": 1_190_451, "occurredAt": now,
            "subscriptionType": "deal.propertyChange", "attemptNumber": 0, "objectId": n, "propertyName": "dealstage",
            "propertyValue": "closedwon", "changeSource": "CRM_UI", "sourceId": "userId:1234567",
        })
    };
    let body = (0..EVENTS).map(event).collect::<Value>().to_string();
    let headers = [
        ("x-hubspot-signature-v3", mac(SECRET.as_bytes(), &format!("POST{URL}{body}{now}"))),
        ("x-hubspot-request-timestamp", now.to_string()),
    ];
    (headers.map(|(name, value)| (name.to_owned(), value)).into(), body)
}

/// A delivery of one's own, signed now.
fn signed() -> (BTreeMap<String, String>, String) {
    let now = SystemClock.now();
    let event = |_| {
        let deal_id = format!("D-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        json!({"type": "deal.updated", "timestamp": now, "data": {"deal_id": deal_id, "stage": "closedwon"}})
    };
    let body = (0..EVENTS).map(event).collect::<Value>().to_string();
    let (id, stamp) = (format!("msg_{}", NEXT.fetch_add(1, Ordering::Relaxed)), now.millis() / 1_000);
    let signature = format!("v1,{}", mac(KEY, &format!("{id}.{stamp}.{body}")));
    let headers =
        [("webhook-id", id), ("webhook-timestamp", stamp.to_string()), ("webhook-signature", signature)];
    (headers.map(|(name, value)| (name.to_owned(), value)).into(), body)
}

async fn accept_hubspot(client: &Client, headers: &BTreeMap<String, String>, body: &str) {
    let delivery = Delivery {
        method: "POST",
        url: URL,
        headers,
        body: body.as_bytes(),
        received_at: None,
        source: "bench",
    };
    assert_eq!(client.hubspot().accept(&delivery).await.unwrap().events, EVENTS);
}

async fn accept_signed(client: &Client, headers: &BTreeMap<String, String>, body: &str) {
    let delivery = SignedDelivery { headers, body: body.as_bytes(), received_at: None, source: "bench" };
    assert_eq!(client.webhooks().accept(&delivery).await.unwrap().events, EVENTS);
}

fn batches(c: &mut Criterion) {
    let runtime: Runtime = Builder::new_current_thread().build().unwrap();
    let mut group = c.benchmark_group("webhooks");
    group.throughput(Throughput::Elements(EVENTS));
    group.bench_function("accept 100 events of HubSpot", |b| {
        b.iter_batched_ref(
            || (client(), hubspot()),
            |(client, (headers, body))| runtime.block_on(accept_hubspot(client, headers, body)),
            BatchSize::SmallInput,
        );
    });
    group.bench_function("accept 100 signed events", |b| {
        b.iter_batched_ref(
            || (client(), signed()),
            |(client, (headers, body))| runtime.block_on(accept_signed(client, headers, body)),
            BatchSize::SmallInput,
        );
    });
    group.bench_function("accept 100 events of HubSpot and book their deals", |b| {
        b.iter_batched_ref(
            || (client(), hubspot()),
            |(client, (headers, body))| {
                runtime.block_on(async {
                    accept_hubspot(client, headers, body).await;
                    assert_eq!(client.hubspot().process(&BTreeMap::new(), 100).await.unwrap().deals, EVENTS);
                });
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, batches);
criterion_main!(benches);
