//! Deals by webhooks, through the client: what lies behind them, where they are read, and bad input line by line.
#![allow(clippy::unwrap_used)]

mod bad_input;
mod inbox;
mod reads;
mod sources;

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use xynergy::hubspot::{Accepted, Delivery};
use xynergy::secrets::Secret;
use xynergy::webhooks::SignedDelivery;
use xynergy::{Client, Clock, Result};

/// HubSpot's secret.
const SECRET: &str = "s";
/// That of a backend of one's own.
const KEY: &[u8] = b"0123456789abcdef01234567";
const URL: &str = "https://hooks.example/hubspot";

fn backend_secret() -> Secret {
    Secret::new(format!("whsec_{}", STANDARD.encode(KEY)))
}

fn signature(key: &[u8], parts: &[&str]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    let mac = parts.iter().fold(mac, Mac::chain_update);
    STANDARD.encode(mac.finalize().into_bytes())
}

fn headers(all: [(&str, String); 3]) -> BTreeMap<String, String> {
    all.map(|(name, value)| (name.to_owned(), value)).into()
}

/// A delivery as HubSpot signs it.
async fn hubspot_delivers(client: &Client, clock: &dyn Clock, body: &str) -> Result<Accepted> {
    let stamp = clock.now().millis().to_string();
    let headers = headers([
        ("X-HubSpot-Signature-v3", signature(SECRET.as_bytes(), &["POST", URL, body, &stamp])),
        ("X-HubSpot-Request-Timestamp", stamp),
        ("Content-Type", "application/json".to_owned()),
    ]);
    let body = body.as_bytes();
    let delivery =
        Delivery { method: "POST", url: URL, headers: &headers, body, received_at: None, source: "test" };
    client.hubspot().accept(&delivery).await
}

/// A delivery as a backend of one's own signs it.
async fn backend_delivers(client: &Client, clock: &dyn Clock, id: &str, body: &str) -> Result<Accepted> {
    let stamp = (clock.now().millis() / 1_000).to_string();
    let headers = headers([
        ("webhook-id", id.to_owned()),
        ("webhook-signature", format!("v1,{}", signature(KEY, &[id, ".", &stamp, ".", body]))),
        ("webhook-timestamp", stamp),
    ]);
    let delivery =
        SignedDelivery { headers: &headers, body: body.as_bytes(), received_at: None, source: "test" };
    client.webhooks().accept(&delivery).await
}
