//! Campaigns, ad sets, ads, creatives and videos: created, read, listed, updated; reports; bids and learning.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use xynergy_core::env::ManualClock;
use xynergy_providers::sandbox::SandboxLog;
use xynergy_providers::sandbox::record::{Entry, Record};

use crate::support::{World, noon, start, start_on, start_with};

const CAMPAIGN: &str = "name=Spring&objective=OUTCOME_LEADS&status=PAUSED&special_ad_categories=%5B%5D";

async fn create(world: &World, edge: &str, form: &str) -> String {
    let answer = world.client.form(&format!("/graph/v26.0/act_77/{edge}"), form).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_kind_is_created_and_read_back() {
    let world = start().await;
    let get = async |path: String| world.client.get(&path).await.json();
    let campaign = create(&world, "campaigns", CAMPAIGN).await;
    let adset = create(
        &world,
        "adsets",
        &format!(
            "name=Set&campaign_id={campaign}&daily_budget=2500&bid_amount=150&billing_event=IMPRESSIONS&\
             optimization_goal=LEAD_GENERATION&targeting=%7B%22age_min%22%3A21%7D&status=PAUSED"
        ),
    )
    .await;
    let creative = create(&world, "adcreatives", "name=Text&title=Buy").await;
    let video = create(&world, "advideos", "title=Clip&file_url=https%3A%2F%2Fexample.com%2Fv.mp4").await;
    let ad = create(
        &world,
        "ads",
        &format!(
            "name=Ad&adset_id={adset}&creative=%7B%22creative_id%22%3A%22{creative}%22%7D&status=PAUSED"
        ),
    )
    .await;
    assert_eq!(
        get(format!("/v26.0/{campaign}?fields=name,status,objective,special_ad_categories")).await,
        json!({"id": campaign, "name": "Spring", "status": "PAUSED", "objective": "OUTCOME_LEADS", "special_ad_categories": []})
    );
    assert_eq!(
        get(format!("/v26.0/{adset}?fields=daily_budget,lifetime_budget,bid_amount,campaign_id,targeting"))
            .await,
        json!({"id": adset, "daily_budget": "2500", "lifetime_budget": "0", "bid_amount": 150, "campaign_id": campaign,
               "targeting": {"age_min": 21}})
    );
    assert_eq!(
        get(format!("/v26.0/{ad}?fields=adset_id,campaign_id,creative")).await,
        json!({"id": ad, "adset_id": adset, "campaign_id": campaign, "creative": {"creative_id": creative}})
    );
    assert_eq!(get(format!("/v26.0/{creative}?fields=name,title")).await["title"], "Buy");
    assert_eq!(get(format!("/v26.0/{video}?fields=title")).await["title"], "Clip");
    for edge in ["adcreatives", "advideos"] {
        assert_eq!(get(format!("/v26.0/act_77/{edge}")).await["data"].as_array().unwrap().len(), 1);
    }
    assert_eq!(world.client.set(&adset, 3000).await, 200, "its budget is like any other");
    let state = world.sandbox.state().await.unwrap();
    assert_eq!((state.budgets[&adset], state.effects), (3000, 1));
}

#[tokio::test]
async fn lists_are_filtered_by_name() {
    let world = start().await;
    for name in ["Alpha+%5Bxy%3A1%5D", "Beta", "alphabet"] {
        create(&world, "campaigns", &CAMPAIGN.replace("Spring", name)).await;
    }
    let names = async |filter: Value| {
        let mut url = reqwest::Url::parse(&format!("{}/v26.0/act_77/campaigns", world.client.base)).unwrap();
        url.query_pairs_mut()
            .append_pair("fields", "name")
            .append_pair("filtering", &json!([filter]).to_string());
        let answer = world.client.get(url.as_str()).await;
        let rows = answer.json()["data"].as_array().cloned().unwrap_or_default();
        (answer.status, rows.iter().map(|r| r["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>())
    };
    let by = |field: &str, operator: &str, value: Value| json!({"field": field, "operator": operator, "value": value});
    assert_eq!(names(by("name", "CONTAIN", json!("[xy:1]"))).await.1, ["Alpha [xy:1]"]);
    assert_eq!(names(by("campaign.name", "CONTAIN", json!("alpha"))).await.1.len(), 2);
    assert_eq!(names(by("name", "EQUAL", json!("Beta"))).await.1, ["Beta"]);
    assert_eq!(names(by("colour", "CONTAIN", json!("red"))).await.0, 400);
}

#[tokio::test]
async fn what_cannot_be_created_or_set_is_refused() {
    let world = start().await;
    for (edge, form) in [
        ("campaigns", "name=x&objective=OUTCOME_LEADS"),
        ("campaigns", "objective=OUTCOME_LEADS&special_ad_categories=%5B%5D"),
        ("campaigns", &format!("{CAMPAIGN}&daily_budget=50")),
        (
            "adsets",
            "name=x&campaign_id=nobody&billing_event=a&optimization_goal=b&targeting=%7B%7D&daily_budget=500",
        ),
        ("adsets", "name=x&campaign_id=c1&billing_event=a&optimization_goal=b&targeting=%7B%7D"),
        (
            "adsets",
            "name=x&campaign_id=c2&billing_event=a&optimization_goal=b&targeting=%7B%7D&daily_budget=500",
        ),
        ("ads", "name=x&adset_id=c1&creative=%7B%7D"),
        ("advideos", "title=x"),
        ("pixels", "name=x"),
    ] {
        let answer = world.client.form(&format!("/v26.0/act_77/{edge}"), form).await;
        assert_eq!(answer.graph_error().1, json!(100), "{edge} {form}: {}", answer.text);
    }
    let dry = format!("{CAMPAIGN}&execution_options=%5B%22validate_only%22%5D");
    assert_eq!(world.client.form("/v26.0/act_77/campaigns", &dry).await.json(), json!({"success": true}));
    for (id, form) in
        [("c1", "bid_amount=5"), ("a1", "bid_amount=5"), ("s1", "bid_amount=0"), ("s1", "bid_amount=1.5")]
    {
        assert_eq!(
            world.client.form(&format!("/v26.0/{id}"), form).await.graph_error().1,
            json!(100),
            "{id}"
        );
    }
    assert_eq!(world.sandbox.state().await.unwrap().objects.len(), 14, "nothing new");
}

#[tokio::test]
async fn names_targeting_and_bids_are_set_and_bids_are_in_the_activities() {
    let world = start().await;
    let form = "name=New&targeting=%7B%22age_min%22%3A30%7D&bid_amount=200";
    assert_eq!(world.client.form("/v26.0/s1", form).await.json(), json!({"success": true}));
    let read = world.client.get("/v26.0/s1?fields=name,targeting,bid_amount").await.json();
    assert_eq!(read, json!({"id": "s1", "name": "New", "targeting": {"age_min": 30}, "bid_amount": 200}));
    let log = world.client.get("/v26.0/act_77/activities").await.json();
    assert_eq!(log["data"][0]["event_type"], "update_ad_set_bidding");
    let extra: Value = serde_json::from_str(log["data"][0]["extra_data"].as_str().unwrap()).unwrap();
    assert_eq!((&extra["old_value"], &extra["new_value"]), (&json!(0), &json!(200)));
}

#[tokio::test]
async fn learning_is_told_of_active_ad_sets_and_can_be_switched() {
    let world = start().await;
    let info = async |id: &str| {
        world.client.get(&format!("/v26.0/{id}?fields=learning_stage_info")).await.json()
            ["learning_stage_info"]["status"]
            .clone()
    };
    assert_eq!((info("s1").await, info("s5").await), (json!("SUCCESS"), json!(null)));
    let edit = json!({"id": "s1", "learning": "LEARNING"});
    assert_eq!(world.client.post("/_sandbox/edit", &edit).await.status, 200);
    assert_eq!(info("s1").await, "LEARNING");
    assert_eq!(world.client.get("/v26.0/act_77/activities").await.json()["data"], json!([]), "no edit");
    for wrong in [json!({"id": "c1", "learning": "LEARNING"}), json!({"id": "s1", "learning": "maybe"})] {
        assert_eq!(world.client.post("/_sandbox/edit", &wrong).await.status, 400);
    }
}

#[tokio::test]
async fn a_create_lands_late_once_and_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let clock = Arc::new(ManualClock::new(noon()));
    let world = start_on(&path, &clock).await.unwrap();
    let rules = json!({"rules": [
        {"method": "POST", "path": "/v*/act_77/campaigns", "nth": 1, "fault": {"late_ms": 90000}},
        {"method": "POST", "path": "/v*/act_77/campaigns", "nth": 2, "fault": {"cut": "after"}},
    ]});
    assert_eq!(world.client.post("/_sandbox/faults", &rules).await.status, 200);
    for name in ["Late", "Cut"] {
        let form = CAMPAIGN.replace("Spring", name);
        assert!(world.client.try_form("/v26.0/act_77/campaigns", &form).await.is_err(), "no answer");
    }
    let names = async |world: &World| {
        let list = world.client.get("/v26.0/act_77/campaigns?fields=name").await.json();
        let named = |row: &Value| row["name"].as_str().unwrap().to_owned();
        list["data"].as_array().unwrap().iter().map(named).collect::<Vec<_>>()
    };
    assert_eq!(names(&world).await, ["Cut", "Campaign c1", "Campaign c2", "Campaign c3"]);
    world.sandbox.shutdown().await;
    let world = start_on(&path, &clock).await.unwrap();
    world.advance(90);
    assert_eq!(names(&world).await.iter().filter(|name| *name == "Late").count(), 1);
    world.sandbox.shutdown().await;
    let world = start_on(&path, &clock).await.unwrap();
    assert_eq!(names(&world).await.len(), 5);
    let created = |record: &Record| matches!(&record.entry, Entry::Object(line) if line.created);
    assert_eq!(world.records().await.iter().filter(|record| created(record)).count(), 2);
}

#[tokio::test]
async fn a_report_is_ordered_watched_and_read() {
    let world = start().await;
    let order = world.client.form("/v26.0/act_77/insights", "level=ad&time_increment=1&limit=2").await.json();
    let run = order["report_run_id"].as_str().unwrap();
    assert_eq!(world.client.get(&format!("/v26.0/{run}/insights")).await.status, 400, "not yet");
    let mut seen = Vec::new();
    for _ in 0..3 {
        let status = world.client.get(&format!("/v26.0/{run}")).await.json();
        seen.push((status["async_status"].clone(), status["async_percent_completion"].clone()));
    }
    let percent = |text: &str, n: u64| (json!(text), json!(n));
    assert_eq!(
        seen,
        [percent("Job Not Started", 0), percent("Job Running", 50), percent("Job Completed", 100)]
    );
    let page = world.client.get(&format!("/v26.0/{run}/insights?limit=4")).await.json();
    assert_eq!(page["data"].as_array().unwrap().len(), 4);
    let next = page["paging"]["next"].as_str().unwrap();
    let rest = world.client.get(next).await.json();
    assert_eq!(rest["data"].as_array().unwrap().len(), 2);
    assert_eq!(rest["data"][0]["date_start"], rest["data"][0]["date_stop"]);
    assert_eq!(world.client.form("/v26.0/act_77/insights", "level=pixel").await.status, 400);
}

#[tokio::test]
async fn usage_is_what_a_fault_says_and_a_strangers_token_sees_nothing() {
    let rules = r#"[{"path": "/v*/s1", "nth": 1, "fault": {"usage": {"percent": 97, "regain_minutes": 3}}}]"#;
    let world = start_with(rules, SandboxLog::Memory).await;
    let answer = world.client.get("/v26.0/s1?fields=name").await;
    assert_eq!(answer.json()["name"], "Ad set s1", "the answer is as ever");
    let header: Value =
        serde_json::from_str(answer.headers["x-business-use-case-usage"].to_str().unwrap()).unwrap();
    assert_eq!(
        (&header["77"][0]["call_count"], &header["77"][0]["estimated_time_to_regain_access"]),
        (&json!(97), &json!(3))
    );
    let later = world.client.get("/v26.0/s1").await;
    let app: Value = serde_json::from_str(later.headers["x-app-usage"].to_str().unwrap()).unwrap();
    assert_eq!(app["call_count"], 0);
    for path in ["/v26.0/s1", "/v26.0/act_77/ads"] {
        let url = format!("{}{path}", world.client.base);
        let request = world.client.http.get(url).header("authorization", "Bearer stranger");
        let answer = request.send().await.unwrap();
        let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!((&body["error"]["code"], &body["error"]["error_subcode"]), (&json!(100), &json!(33)));
    }
}

#[tokio::test]
async fn figures_come_by_day_where_the_file_has_days() {
    let mut ads = crate::support::ads();
    let days = json!({"2026-02-27": {"impressions": 10, "clicks": 1, "spend_minor": 100},
                      "2026-02-28": {"impressions": 20, "clicks": 2, "spend_minor": 250}});
    ads.ads[0].other.insert("days".into(), days);
    ads.ads.truncate(1);
    let world = crate::support::start_ads(ads, |config| config).await;
    let rows = async |query: &str| {
        let path = format!(
            "/v26.0/act_77/insights?level=ad&time_range=%7B%22since%22%3A%222026-02-26%22%2C%22until%22%3A%222026-03-01%22%7D{query}"
        );
        world.client.get(&path).await.json()["data"].clone()
    };
    let daily = rows("&time_increment=1").await;
    assert_eq!((&daily[0]["date_start"], &daily[0]["spend"]), (&json!("2026-02-27"), &json!("1.00")));
    assert_eq!((&daily[1]["date_stop"], &daily[1]["clicks"]), (&json!("2026-02-28"), &json!("2")));
    assert_eq!(rows("").await[0]["spend"], "3.50");
}

#[tokio::test]
async fn quotas_can_be_set_up_small() {
    let world = crate::support::start_ads(crate::support::ads(), |config| {
        xynergy_providers::sandbox::SandboxConfig {
            calls_per_hour: Some(3),
            budget_changes_per_hour: 1,
            ..config
        }
    })
    .await;
    assert_eq!(world.client.set("s1", 2600).await, 200);
    let second = world.client.form("/v26.0/s1", "daily_budget=2700").await;
    assert_eq!(second.graph_error(), (400, json!(613), json!(1_487_632)));
    assert_eq!(world.client.get("/v26.0/s1").await.status, 200);
    let fourth = world.client.get("/v26.0/s1").await;
    assert_eq!(fourth.graph_error(), (400, json!(80_004), json!(2_446_079)));
    let usage: Value =
        serde_json::from_str(fourth.headers["x-business-use-case-usage"].to_str().unwrap()).unwrap();
    assert_eq!(usage["77"][0]["estimated_time_to_regain_access"], 60);
    world.clock.advance(Duration::from_secs(3_600));
    assert_eq!(world.client.get("/v26.0/s1").await.status, 200);
}
