//! What ads did: at once, and by reports.

use std::time::Duration;

use serde_json::{Value, json};
use xynergy_core::ads::AdPlatform;
use xynergy_core::{ErrorKind, Timestamp};
use xynergy_providers::ads::meta::MetaConfig;
use xynergy_providers::sandbox::AdsFile;

use crate::support::{World, ads, world_with};

fn with_days() -> AdsFile {
    let mut ads = ads();
    let days = json!({"2026-02-27": {"impressions": 10, "clicks": 1, "spend_minor": 100},
                      "2026-02-28": {"impressions": 20, "clicks": 2, "spend_minor": 250}});
    for ad in &mut ads.ads {
        ad.other.insert("days".into(), days.clone());
    }
    ads
}

async fn world(faults: &Value, sync_days: u32) -> World {
    let change = |config| MetaConfig { insights_sync_days: sync_days, ..config };
    world_with(with_days(), faults, change).await
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

async fn daily(world: &World) -> xynergy_core::Result<Vec<(String, String, i64)>> {
    let (since, until) = (at("2026-02-26T12:00:00Z"), at("2026-03-01T12:00:00Z"));
    let days = world.meta.daily_insights(&world.ctx, "77", since, until).await?;
    Ok(days.into_iter().map(|d| (d.day, d.insight.ad_id, d.insight.spend_minor)).collect())
}

fn expected() -> Vec<(String, String, i64)> {
    let row = |day: &str, ad: &str, spend| (day.to_owned(), ad.to_owned(), spend);
    let of_day = |day: &'static str, spend| ["a1", "a2", "a4", "a6"].map(|ad| row(day, ad, spend));
    [of_day("2026-02-27", 100), of_day("2026-02-28", 250)].concat()
}

async fn orders(world: &World) -> usize {
    let requests = world.requests().await;
    requests
        .iter()
        .filter(|r| r["method"] == "POST" && r["path"].as_str().unwrap().ends_with("/insights"))
        .count()
}

#[tokio::test]
async fn few_days_are_asked_for_at_once_and_many_by_a_report() {
    let few = world(&json!([]), 31).await;
    assert_eq!(daily(&few).await.unwrap(), expected());
    assert_eq!(orders(&few).await, 0);
    let many = world(&json!([]), 3).await;
    assert_eq!(daily(&many).await.unwrap(), expected());
    assert_eq!(orders(&many).await, 1);
    let progress: Vec<_> =
        many.events.drain().into_iter().map(|e| (e.event_type, e.payload["percent"].clone())).collect();
    let seen = |percent: u64| ("insights.report", json!(percent));
    assert_eq!(progress, [seen(0), seen(50), seen(100)]);
    let totals =
        many.meta.insights(&many.ctx, "77", at("2026-02-26T00:00:00Z"), at("2026-03-01T00:00:00Z")).await;
    assert!(totals.unwrap().iter().all(|ad| (ad.impressions, ad.clicks, ad.spend_minor) == (30, 3, 350)));
}

#[tokio::test]
async fn what_meta_finds_too_much_becomes_a_report() {
    for error in [
        json!({"code": 1, "status": 500, "message": "Please reduce the amount of data you're asking for, then retry your request"}),
        json!({"code": 100, "subcode": 1_487_534, "status": 400}),
    ] {
        let world = world(
            &json!([{"method": "GET", "path": "/v*/act_77/insights", "fault": {"graph_error": error}}]),
            31,
        )
        .await;
        assert_eq!(daily(&world).await.unwrap(), expected());
        let asked = world.requests().await;
        let at_once =
            asked.iter().filter(|r| r["path"] == "/graph/v26.0/act_77/insights" && r["method"] == "GET");
        assert_eq!((at_once.count(), orders(&world).await), (1, 1), "it is not asked for twice");
    }
}

#[tokio::test]
async fn a_report_that_fails_or_never_ends_is_an_error() {
    let failing = |status: &str, percent: u64| {
        let body = json!({"id": "6", "async_status": status, "async_percent_completion": percent});
        json!([{"method": "GET", "path": "/v*/600000000*", "fault": {"status": 200, "body": body}}])
    };
    let failed = world(&failing("Job Failed", 0), 1).await;
    assert_eq!(daily(&failed).await.unwrap_err().kind(), ErrorKind::Unavailable);
    let change = |config| MetaConfig { insights_sync_days: 1, report_timeout_ms: 600, ..config };
    let endless = world_with(with_days(), &failing("Job Running", 10), change).await;
    let started = std::time::Instant::now();
    let error = daily(&endless).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.message().contains("report_timeout_ms") && started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn an_order_whose_answer_is_lost_is_given_again() {
    let cut = json!([{"method": "POST", "path": "/v*/act_77/insights", "nth": 1, "fault": {"cut": "after"}}]);
    let world = world(&cut, 1).await;
    assert_eq!(daily(&world).await.unwrap(), expected());
    assert_eq!(orders(&world).await, 2, "a report changes nothing of the account");
}
