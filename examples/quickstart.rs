//! The ten lines of the README, against the sandbox: `cargo run --release --example quickstart`.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::sync::Arc;

use xynergy::ai::GenerateRequest;
use xynergy::sandbox::{self, AdsFile, CrmFile, SandboxConfig};
use xynergy::{Client, Result, TenantId};

#[tokio::main]
async fn main() -> Result<()> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data");
    let (ads, _) = AdsFile::load(&data.join("ads.json"))?;
    let (crm, _) = CrmFile::load(&data.join("crm.json"))?;
    let account_id = ads.account.id.clone();
    let sandbox = sandbox::start(SandboxConfig::new(ads, crm)).await?;
    let client =
        Client::builder(sandbox::config(sandbox.urls())).secrets(Arc::new(sandbox::secrets(None))).build()?;
    use_it(&client, &account_id).await
}

async fn use_it(client: &Client, account_id: &str) -> Result<()> {
    // region: quickstart
    // let client = Client::from_env()?;
    let acme = client.scope(TenantId::new("acme")?).with_actor("nightly job");

    let answer = acme.ai().generate(GenerateRequest::new("Name three uses of a paper clip.")).await?;
    println!("{} ({}, ${:.4})", answer.text, answer.routed_via, answer.cost.unwrap_or_default());

    for owner in acme.execution().owners(account_id).await? {
        let budget =
            owner.daily_budget_minor.map_or_else(|| "no".to_owned(), |minor| owner.currency.show(minor));
        println!("{}: {budget} a day", owner.name);
    }
    // endregion: quickstart
    Ok(())
}
