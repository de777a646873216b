//! What the public API makes of HubSpot's deliveries, so that it can be looked at: one JSON object a line on the standard input, with
//! `secret`, `method`, `url`, `headers` and `body` (base64), one verdict a line on the standard output: `ok`, or the check that failed.
//! `cargo run --example hubspot_wire < deliveries.ndjson`.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use xynergy::hubspot::{Delivery, HubspotConfig};
use xynergy::secrets::{Secret, SecretRef, StaticSecrets};
use xynergy::{Client, Config, ErrorKind};

type Failure = Box<dyn std::error::Error>;

#[derive(Deserialize)]
struct Line {
    secret: String,
    method: String,
    url: String,
    headers: BTreeMap<String, String>,
    body: String,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    for line in std::io::stdin().lines() {
        let line: Line = serde_json::from_str(&line?)?;
        println!("{}", verdict(&line).await?);
    }
    Ok(())
}

async fn verdict(line: &Line) -> Result<String, Failure> {
    let client_secret = SecretRef::Env("SECRET".to_owned());
    let hubspot = Some(HubspotConfig { client_secret, ..HubspotConfig::default() });
    let secrets = StaticSecrets::default().with("SECRET", Secret::new(line.secret.as_str()));
    let client =
        Client::builder(Config { hubspot, ..Config::default() }).secrets(Arc::new(secrets)).build()?;
    let body = STANDARD.decode(&line.body)?;
    let delivery = Delivery {
        method: &line.method,
        url: &line.url,
        headers: &line.headers,
        body: &body,
        received_at: None,
        source: "wire",
    };
    Ok(match client.hubspot().accept(&delivery).await {
        Ok(_) => "ok".to_owned(),
        // It is HubSpot's, and no array of events.
        Err(error) if error.kind() == ErrorKind::InvalidInput => "ok".to_owned(),
        Err(error) => error.context().first().map_or("refused".to_owned(), |(_, check)| check.clone()),
    })
}
