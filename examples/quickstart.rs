//! The lines of the README, against the sandbox: `cargo run --release --example quickstart`.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use xynergy::ai::GenerateRequest;
use xynergy::closed_loop::AdAccount;
use xynergy::hubspot::Delivery;
use xynergy::sandbox::{self, AdsFile, CrmFile, SandboxConfig};
use xynergy::{Client, TenantId, Timestamp};

type Failure = Box<dyn std::error::Error>;

/// A webhook as a host's server has it: here a line of the example's data.
#[derive(Deserialize)]
struct Request {
    received_at: Timestamp,
    method: String,
    url: String,
    headers: BTreeMap<String, String>,
    body: String,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data");
    let (ads, _) = AdsFile::load(&data.join("ads.json"))?;
    let (crm, _) = CrmFile::load(&data.join("crm.json"))?;
    let account = sandbox::ad_account(&ads);
    let sandbox = sandbox::start(SandboxConfig::new(ads, crm)).await?;
    let client =
        Client::builder(sandbox::config(sandbox.urls())).secrets(Arc::new(sandbox::secrets(None))).build()?;

    let webhooks = std::fs::read_to_string(data.join("webhooks.ndjson"))?;
    let request: Request = serde_json::from_str(webhooks.lines().next().unwrap_or_default())?;
    let delivery = Delivery {
        method: &request.method,
        url: &request.url,
        headers: &request.headers,
        body: request.body.as_bytes(),
        received_at: Some(request.received_at),
        source: "quickstart",
    };
    use_it(&client, &delivery, &account).await?;
    sandbox.shutdown().await;
    Ok(())
}

async fn use_it(client: &Client, delivery: &Delivery<'_>, account: &AdAccount) -> xynergy::Result<()> {
    // region: quickstart
    // let client = Client::from_env()?;
    let acme = client.scope(TenantId::new("acme")?).with_actor("nightly job");

    let answer = acme.ai().generate(GenerateRequest::new("Name three uses of a paper clip.")).await?;
    println!("{} ({}, ${:.4})", answer.text, answer.provider, answer.cost.unwrap_or_default());

    // In the webhook's handler, on the raw bytes: verified and stored when it returns.
    let accepted = acme.hubspot().accept(delivery).await?;
    // In a worker: the deals behind the events, the next budgets, and every change that is due.
    let tick = acme.closed_loop(account).tick("2026-04-01", 7).await?;
    println!(
        "{} events, {} deals; next at {:?}",
        accepted.events,
        tick.deals,
        tick.next_due.map(|t| t.to_string())
    );
    // endregion: quickstart
    Ok(())
}
