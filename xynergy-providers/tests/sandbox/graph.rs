use serde_json::json;

use crate::support::{noon, start};

#[tokio::test]
async fn reads_objects_with_the_fields_asked_for() {
    let world = start().await;
    let get = async |path: &str| world.client.get(path).await.json();
    assert_eq!(get("/v26.0/s1").await, json!({"id": "s1"}));
    assert_eq!(
        get("/graph/v25.0/s1?fields=name,status,effective_status,daily_budget,lifetime_budget,campaign_id")
            .await,
        json!({
            "id": "s1", "name": "Ad set s1", "status": "ACTIVE", "effective_status": "ACTIVE", "daily_budget": "2500",
            "lifetime_budget": "0", "campaign_id": "c1",
        })
    );
    assert_eq!(
        get("/v26.0/s3?fields=daily_budget").await,
        json!({"id": "s3"}),
        "its campaign has the budget"
    );
    assert_eq!(get("/v26.0/c2?fields=daily_budget").await["daily_budget"], "9000");
    assert_eq!(get("/v26.0/c1?fields=daily_budget").await, json!({"id": "c1"}));
    assert_eq!(get("/v26.0/c3?fields=status").await["status"], "PAUSED", "all its ads are");
    assert_eq!(get("/v26.0/a2?fields=effective_status,adset_id").await["effective_status"], "PAUSED");
    assert_eq!(
        get("/v26.0/act_77?fields=name,currency,account_status,timezone_name").await,
        json!({
            "id": "act_77", "name": "Sandbox account", "currency": "USD", "account_status": 1, "timezone_name": "Etc/UTC",
        })
    );
    let minimum = get("/v26.0/act_77/minimum_budgets").await;
    assert_eq!(
        (&minimum["data"][0]["currency"], &minimum["data"][0]["min_daily_budget_imp"]),
        (&json!("USD"), &json!(100))
    );
}

#[tokio::test]
async fn refuses_in_metas_words() {
    let world = start().await;
    for (path, expected) in [
        ("/v26.0/nobody", (400, json!(100), json!(33))),
        ("/v26.0/act_78/adsets", (400, json!(100), json!(33))),
        ("/v26.0/s1/campaigns", (400, json!(100), json!(33))),
        ("/v26.0/s1?fields=colour", (400, json!(100), json!(null))),
        ("/v26.0/act_77/adsets?limit=0", (400, json!(100), json!(null))),
        ("/v26.0/act_77/adsets?after=%21", (400, json!(100), json!(null))),
        ("/v26.0/act_77/activities?since=soon", (400, json!(100), json!(null))),
        ("/v26.0/act_77/insights?level=pixel", (400, json!(100), json!(null))),
    ] {
        let answer = world.client.get(path).await;
        assert_eq!(answer.graph_error(), expected, "{path}");
        assert!(
            answer.json()["error"]["type"].is_string() && answer.json()["error"]["fbtrace_id"].is_string()
        );
    }
    let no_token = world.client.http.get(format!("{}/v26.0/s1", world.client.base)).send().await.unwrap();
    assert_eq!(no_token.status(), 400);
    let expired = world.client.http.get(format!("{}/v26.0/s1?access_token=expired", world.client.base));
    let expired = world.client.try_send(expired).await.unwrap();
    assert_eq!(expired.graph_error(), (400, json!(190), json!(463)));
}

#[tokio::test]
async fn lists_page_by_page() {
    let world = start().await;
    let mut path = "/graph/v26.0/act_77/adsets?fields=id&limit=2".to_owned();
    let mut pages = Vec::new();
    loop {
        let page = world.client.get(&path).await.json();
        pages.push(
            page["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["id"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>(),
        );
        match page["paging"]["next"].as_str() {
            Some(next) => path = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(pages, [vec!["s1", "s2"], vec!["s3", "s4"], vec!["s5"]]);
    let ids = async |path: &str| {
        let page = world.client.get(path).await.json();
        page["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids("/v26.0/act_77/campaigns").await, ["c1", "c2", "c3"]);
    assert_eq!(ids("/v26.0/c1/adsets").await, ["s1", "s2"]);
    assert_eq!(ids("/v26.0/c1/ads").await, ["a1", "a2", "a3"]);
    assert_eq!(ids("/v26.0/s1/ads").await, ["a1", "a2"]);
    assert_eq!(ids("/v26.0/act_77/ads?effective_status=%5B%22ACTIVE%22%5D").await, ["a1", "a3", "a4", "a5"]);
}

#[tokio::test]
async fn insights_are_strings_at_every_level() {
    let world = start().await;
    let rows = async |path: &str| world.client.get(path).await.json()["data"].clone();
    let ads = rows("/v26.0/act_77/insights?level=ad&fields=ad_id,spend,impressions,clicks,actions").await;
    assert_eq!(ads.as_array().unwrap().len(), 6);
    assert_eq!(
        ads[0],
        json!({
            "ad_id": "a1", "spend": "12.34", "impressions": "1000", "clicks": "30",
            "date_start": "2026-01-30", "date_stop": "2026-03-01",
        })
    );
    let sets = rows("/v26.0/c1/insights?level=adset&time_range=%7B%22since%22:%222026-02-01%22,%22until%22:%222026-02-07%22%7D").await;
    assert_eq!(sets[0]["spend"], "24.68");
    assert_eq!((&sets[0]["adset_id"], &sets[0]["date_start"]), (&json!("s1"), &json!("2026-02-01")));
    assert_eq!(rows("/v26.0/s1/insights?fields=ctr,cpc").await[0]["ctr"], "3.000000");
    assert_eq!(rows("/v26.0/act_77/insights").await[0]["clicks"], "180");
}

#[tokio::test]
async fn a_budget_change_is_an_effect_and_an_activity() {
    let world = start().await;
    let request = world
        .client
        .request("POST", "/v26.0/s1/")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-request-id", "req_1")
        .header("x-xynergy-change-id", "change_1")
        .header("x-xynergy-attempt", "2")
        .body("daily_budget=3000");
    let answer = world.client.try_send(request).await.unwrap();
    assert_eq!(answer.json(), json!({"success": true}));
    assert_eq!(answer.headers["x-request-id"], "req_1");
    world.advance(61);
    assert_eq!(
        world.client.post("/v26.0/s1", &json!({"status": "PAUSED", "daily_budget": 3100})).await.status,
        200
    );
    assert_eq!(world.client.form("/v26.0/c2", "daily_budget=8000").await.status, 200);

    let read = world.client.get("/v26.0/s1?fields=daily_budget,status,updated_time").await.json();
    assert_eq!((&read["daily_budget"], &read["status"]), (&json!("3100"), &json!("PAUSED")));
    assert_eq!(read["updated_time"], "2026-03-01T12:01:01+0000");

    let records: Vec<_> = world.records().await.iter().map(|record| json!(record)).collect();
    assert_eq!(
        records[0],
        json!({
            "seq": 1, "at": "2026-03-01T12:00:00Z", "kind": "effect", "object_id": "s1", "object_type": "adset",
            "field": "daily_budget", "before": 2500, "after": 3000, "actor": "app", "request_id": "req_1",
            "change_id": "change_1", "attempt": 2,
        })
    );
    assert_eq!((&records[1]["kind"], &records[1]["request_id"]), (&json!("request"), &json!("req_1")));
    assert_eq!((&records[1]["status"], &records[1]["sent"]["daily_budget"]), (&json!(200), &json!("3000")));

    let rows = world.client.get("/v26.0/act_77/activities?limit=2").await.json();
    let types: Vec<_> =
        rows["data"].as_array().unwrap().iter().map(|row| row["event_type"].clone()).collect();
    assert_eq!(types, ["update_campaign_budget", "update_ad_set_run_status"], "newest first");
    let rest = world.client.get(rows["paging"]["next"].as_str().unwrap()).await.json();
    assert_eq!(rest["data"].as_array().unwrap().len(), 2);
    let first = &rest["data"][1];
    assert_eq!(first["event_time"], "2026-03-01T12:00:00+0000");
    assert_eq!((&first["application_id"], &first["object_id"]), (&json!("1000000000000001"), &json!("s1")));
    let extra: serde_json::Value = serde_json::from_str(first["extra_data"].as_str().unwrap()).unwrap();
    assert_eq!((&extra["old_value"], &extra["new_value"]), (&json!(2500), &json!(3000)));

    let of_set = world.client.get("/v26.0/s1/activities").await.json();
    assert_eq!(of_set["data"].as_array().unwrap().len(), 3);
    let since = noon().millis() / 1000 + 61;
    let late = world.client.get(&format!("/v26.0/act_77/activities?since={since}")).await.json();
    assert_eq!(late["data"].as_array().unwrap().len(), 3);
    let early = world.client.get("/v26.0/act_77/activities?until=2026-03-01T12:00:30Z").await.json();
    assert_eq!(early["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn bad_writes_change_nothing() {
    let world = start().await;
    for (id, body, subcode) in [
        ("s1", "daily_budget=99", json!(1_885_272)),
        ("s1", "daily_budget=-5", json!(1_885_272)),
        ("s1", "daily_budget=100000001", json!(1_885_261)),
        ("s1", "daily_budget=30.5", json!(null)),
        ("s1", "daily_budget=much", json!(null)),
        ("s1", "daily_budget=99999999999999999999", json!(null)),
        ("s1", "lifetime_budget=3000", json!(null)),
        ("s1", "status=ASLEEP", json!(null)),
        ("s1", "status=PAUSED&daily_budget=1", json!(1_885_272)),
        ("s1", "bid_amount=0", json!(null)),
        ("s1", "", json!(null)),
        ("s1", "daily_budget=3000&execution_options=validate_only", json!(null)),
        ("a1", "daily_budget=3000", json!(null)),
        ("s3", "daily_budget=3000", json!(null)),
        ("c1", "daily_budget=3000", json!(null)),
        ("nobody", "daily_budget=3000", json!(33)),
        ("act_77", "status=PAUSED", json!(null)),
    ] {
        let answer = world.client.form(&format!("/v26.0/{id}"), body).await;
        assert_eq!(answer.graph_error(), (400, json!(100), subcode), "{id} {body}");
    }
    let broken =
        world.client.request("POST", "/v26.0/s1").header("content-type", "application/json").body("{\"daily");
    assert_eq!(world.client.try_send(broken).await.unwrap().graph_error(), (400, json!(100), json!(null)));
    assert_eq!(world.effects().await, []);
}

#[tokio::test]
async fn a_dry_run_validates_and_changes_nothing() {
    let world = start().await;
    let dry = async |body: &str| {
        world.client.form("/v26.0/s1", &format!("{body}&execution_options=%5B%22validate_only%22%5D")).await
    };
    for _ in 0..6 {
        assert_eq!(dry("daily_budget=3000").await.json(), json!({"success": true}));
    }
    assert_eq!(dry("daily_budget=50").await.graph_error(), (400, json!(100), json!(1_885_272)));
    assert_eq!(world.effects().await, []);
    assert_eq!(world.client.set("s1", 3000).await, 200, "a dry run counts as no change");
}

#[tokio::test]
async fn the_fifth_change_in_an_hour_blocks_the_budget_for_an_hour() {
    let world = start().await;
    for budget in [2600, 2700, 2700, 2800] {
        assert_eq!(world.client.set("s1", budget).await, 200);
        world.advance(600);
    }
    assert_eq!(world.client.set("s1", 2900).await, 200, "the same value was no change: this is the fourth");
    assert_eq!(world.client.set("s1", 2900).await, 200, "no change is always admitted");
    let edit = json!({"id": "s1", "daily_budget": 3000, "actor": "Ann"});
    assert_eq!(world.client.post("/_sandbox/edit", &edit).await.status, 200, "a person is not bound by it");

    // 12:40; the first change was at 12:00.
    let answer = world.client.form("/v26.0/s1", "daily_budget=3100").await;
    assert_eq!(answer.graph_error(), (400, json!(613), json!(1_487_632)));
    assert_eq!(world.client.set("s2", 5100).await, 200, "the other ad sets are free");
    assert_eq!(world.client.form("/v26.0/s1", "status=PAUSED").await.status, 200, "so is the status");
    world.advance(3599);
    assert_eq!(world.client.set("s1", 3100).await, 400, "blocked, though the hour's changes are gone");
    world.advance(1);
    assert_eq!(world.client.set("s1", 3100).await, 200);
    assert_eq!(world.budget("s1").await, 3100);
    assert_eq!(world.client.set("c2", 8000).await, 200);
    for budget in 8001..8006 {
        assert_eq!(world.client.set("c2", budget).await, 200, "the limit is one of ad sets");
    }
}

#[tokio::test]
async fn every_answer_has_usage_headers() {
    let world = start().await;
    for (path, status) in [("/v26.0/s1", 200), ("/v26.0/nobody", 400), ("/graph/v26.0/act_77/ads", 200)] {
        let answer = world.client.get(path).await;
        assert_eq!(answer.status, status);
        let header = |name: &str| -> serde_json::Value {
            serde_json::from_str(answer.headers[name].to_str().unwrap()).unwrap()
        };
        let business = &header("x-business-use-case-usage")["77"][0];
        assert_eq!(
            (&business["type"], &business["estimated_time_to_regain_access"]),
            (&json!("ads_management"), &json!(0))
        );
        assert!(header("x-ad-account-usage")["acc_id_util_pct"].is_number());
        assert!(header("x-app-usage")["call_count"].is_number());
        assert!(answer.headers.contains_key("x-request-id"));
    }
}
