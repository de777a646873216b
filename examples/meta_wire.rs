//! One operation of the public API against a Graph API at a given address, so that its requests can be looked at:
//! `cargo run --example meta_wire -- http://127.0.0.1:8787 budget`.
#![allow(clippy::print_stdout)]

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use xynergy::ads::{AdObjectKind, AdObjectQuery, AdObjectSpec, AdObjectUpdate, ChangeField, Owner};
use xynergy::env::ManualClock;
use xynergy::execution::{AdChange, ChangeId, MetaConfig};
use xynergy::secrets::{Secret, StaticSecrets};
use xynergy::{Client, Config, Currency, Timestamp};

type Failure = Box<dyn std::error::Error>;

const ACCOUNT: &str = "act_1";

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(operation)) = (arguments.next(), arguments.next()) else {
        return Err("usage: meta_wire ADDRESS OPERATION".into());
    };
    let meta = MetaConfig {
        base_url: address,
        app_id: Some("42".into()),
        insights_sync_days: if operation == "report" { 1 } else { 31 },
        ..MetaConfig::default()
    };
    let mut config = Config { meta: Some(meta), ..Config::default() };
    config.execution.preset = "exact".into();
    let clock = Arc::new(ManualClock::new("2026-03-07T12:00:00Z".parse()?));
    let secrets = StaticSecrets::default().with("META_ACCESS_TOKEN", Secret::new("TOKEN"));
    let client = Client::builder(config).secrets(Arc::new(secrets)).clock(clock.clone()).build()?;
    run(&client, &clock, &operation).await
}

async fn run(client: &Client, clock: &ManualClock, operation: &str) -> Result<(), Failure> {
    let ads = client.ads();
    let create = async |kind, name: &str, fields: Value| {
        let spec = AdObjectSpec { kind, account_id: ACCOUNT.into(), name: name.into(), fields: map(fields) };
        ads.create(&spec, Some("wire")).await
    };
    match operation {
        "budget" => send(client, ChangeField::Budget, 2_400, 2_500).await?,
        "bid" => send(client, ChangeField::Bid, 100, 105).await?,
        "pause" => send(client, ChangeField::Status, 1, 0).await?,
        "dry_run" => {
            let plan = client.execution().plan(&[change(ChangeField::Budget, 2_400, 2_500)?], true).await?;
            println!("{}", serde_json::to_string(&plan)?);
        }
        "activities" => {
            send(client, ChangeField::Budget, 2_400, 2_500).await?;
            // What was lost is looked up once it cannot land any more.
            clock.advance(Duration::from_secs(600));
            while client.execution().run_once().await?.is_some() {}
        }
        "create_campaign" => {
            let fields = json!({"objective": "OUTCOME_LEADS", "special_ad_categories": []});
            create(AdObjectKind::Campaign, "C é", fields).await?;
        }
        "create_ad_set" => {
            let fields = json!({
                "campaign_id": "1", "daily_budget": 1000, "billing_event": "IMPRESSIONS", "bid_amount": 2,
                "optimization_goal": "LEAD_GENERATION", "targeting": {"geo_locations": {"countries": ["US"]}},
            });
            create(AdObjectKind::AdSet, "S", fields).await?;
        }
        "create_ad" => {
            let fields = json!({"adset_id": "1", "creative": {"creative_id": "9"}});
            create(AdObjectKind::Ad, "A", fields).await?;
        }
        "create_creative" => {
            let story =
                json!({"page_id": "7", "link_data": {"link": "https://example.com", "message": "Buy"}});
            create(AdObjectKind::Creative, "T", json!({"object_story_spec": story})).await?;
        }
        "create_video" => {
            let fields = json!({"file_url": "https://example.com/v.mp4"});
            create(AdObjectKind::Video, "V", fields).await?;
        }
        "update" => {
            let update = AdObjectUpdate {
                kind: AdObjectKind::AdSet,
                id: "77".into(),
                name: Some("Other".into()),
                fields: map(json!({"targeting": {"age_min": 21}})),
            };
            ads.update(&update).await?;
        }
        "list" => {
            let query = AdObjectQuery {
                kind: AdObjectKind::Campaign,
                account_id: ACCOUNT.into(),
                parent_id: None,
                fields: vec!["daily_budget".into()],
                limit: Some(50),
                after: None,
            };
            ads.list(&query).await?;
        }
        "insights" | "report" => {
            let since: Timestamp = "2026-03-01T00:00:00Z".parse()?;
            println!("{}", client.insights().sync(ACCOUNT, since).await?);
        }
        other => return Err(format!("{other} is no operation").into()),
    }
    Ok(())
}

fn map(fields: Value) -> Map<String, Value> {
    match fields {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn change(field: ChangeField, from: i64, to: i64) -> Result<AdChange, Failure> {
    let change = json!({
        "id": ChangeId::derive(&["wire", field.as_str()]), "account_id": ACCOUNT, "campaign_id": "5",
        "owner": Owner::ad_set("77"), "field": field, "expected_from": from, "target": to, "currency": Currency::USD,
    });
    Ok(serde_json::from_value(change)?)
}

async fn send(client: &Client, field: ChangeField, from: i64, to: i64) -> Result<(), Failure> {
    let execution = client.execution();
    execution.queue(vec![change(field, from, to)?]).await?;
    if let Some(step) = execution.run_once().await? {
        println!("{}", serde_json::to_string(&step)?);
    }
    Ok(())
}
