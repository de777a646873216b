use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xynergy_providers::sandbox::SandboxLog;

use crate::support::{World, start_with};

async fn with(rules: &Value) -> World {
    start_with(&rules.to_string(), SandboxLog::Memory).await
}

#[tokio::test]
async fn a_cut_before_has_no_effect_and_a_cut_after_has() {
    for (point, budget) in [("before", 2500), ("after", 3000)] {
        let world =
            with(&json!([{"method": "POST", "path": "/v*/s1", "nth": 1, "fault": {"cut": point}}])).await;
        let error = world.client.try_form("/graph/v26.0/s1", "daily_budget=3000").await.unwrap_err();
        assert!(error.is_request() && !error.is_connect() && !error.is_timeout(), "{error:?}");
        assert_eq!(world.budget("s1").await, budget, "{point}");
        let line = world.records().await.iter().map(|r| json!(r)).find(|r| r["kind"] == "request").unwrap();
        assert_eq!((&line["status"], &line["cut"]), (&json!(null), &json!(point)));
        assert_eq!(line["sent"]["daily_budget"], "3000");
        assert_eq!(world.client.set("s1", 3100).await, 200, "only the first");
    }
}

#[tokio::test]
async fn a_late_effect_lands_at_its_time() {
    let world = with(&json!([{"path": "/v*/s1", "nth": 1, "fault": {"late_ms": 90_000}}])).await;
    assert_eq!(world.sandbox.next_due(), None);
    world.client.try_form("/v26.0/s1", "daily_budget=3000").await.unwrap_err();
    let due = world.sandbox.next_due().unwrap();
    assert_eq!(due.to_string(), "2026-03-01T12:01:30Z");
    world.advance(89);
    assert_eq!(world.budget("s1").await, 2500);
    assert_eq!(world.client.set("s1", 2600).await, 200);
    world.advance(600);
    world.sandbox.apply_due().await.unwrap();
    assert_eq!(world.sandbox.next_due(), None);
    let state = world.sandbox.state().await.unwrap();
    assert_eq!((state.budgets["s1"], state.late.len()), (3000, 0));
    let effects: Vec<Value> =
        world.records().await.iter().map(|r| json!(r)).filter(|r| r["kind"] == "effect").collect();
    assert_eq!((&effects[1]["before"], &effects[1]["after"]), (&json!(2600), &json!(3000)));
    assert_eq!(effects[1]["at"], "2026-03-01T12:01:30Z", "at its own time, whenever somebody looks");
    assert!(effects[1]["late"].is_u64());
}

#[tokio::test]
async fn a_late_effect_obeys_the_limit_when_it_lands() {
    let world = with(&json!([{"path": "/v*/s1", "nth": 1, "fault": {"late_ms": 1000}}])).await;
    world.client.try_form("/v26.0/s1", "daily_budget=3000").await.unwrap_err();
    for budget in 2601..2605 {
        assert_eq!(world.client.set("s1", budget).await, 200);
    }
    world.advance(1);
    assert_eq!(world.budget("s1").await, 2604);
    let limits = world.sandbox.state().await.unwrap().budget_limits;
    assert_eq!(limits["s1"].blocked_until.unwrap().to_string(), "2026-03-01T13:00:01Z");
}

#[tokio::test]
async fn errors_come_without_an_effect() {
    let world = with(&json!([
        {"method": "POST", "path": "/v*/s1", "nth": 1,
         "fault": {"graph_error": {"code": 17, "subcode": 2_446_079, "regain_minutes": 5}}},
        {"method": "POST", "path": "/v*/s1", "nth": 2, "fault": {"status": 503, "headers": {"retry-after": "7"}}},
        {"method": "POST", "path": "/v*/s1", "nth": 3, "fault": {"status": 200, "body": "Service Unavailable"}},
        {"path": "/v1/chat/completions", "nth": [2], "fault": {"status": 429, "body": {"error": {"code": "rate_limit_exceeded"}}}},
    ]))
    .await;
    let throttled = world.client.form("/v26.0/s1", "daily_budget=3000").await;
    assert_eq!(throttled.graph_error(), (400, json!(17), json!(2_446_079)));
    assert_eq!(throttled.json()["error"]["is_transient"], true);
    let usage: Value =
        serde_json::from_str(throttled.headers["x-business-use-case-usage"].to_str().unwrap()).unwrap();
    assert_eq!(usage["77"][0]["call_count"], 100);
    assert_eq!(usage["77"][0]["estimated_time_to_regain_access"], 5);
    let account: Value =
        serde_json::from_str(throttled.headers["x-ad-account-usage"].to_str().unwrap()).unwrap();
    assert_eq!(account["reset_time_duration"], 300);

    let failed = world.client.form("/v26.0/s1", "daily_budget=3000").await;
    assert_eq!((failed.status, failed.headers["retry-after"].to_str().unwrap()), (503, "7"));
    assert!(failed.headers.contains_key("x-app-usage"));
    let strange = world.client.form("/v26.0/s1", "daily_budget=3000").await;
    assert_eq!((strange.status, strange.text.as_str()), (200, "Service Unavailable"));
    assert_eq!(world.budget("s1").await, 2500);

    let ask = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    let mut statuses = Vec::new();
    for path in ["/openai/v1", "/abacus/v1", "/internal/v1"] {
        statuses.push(world.client.post(&format!("{path}/chat/completions"), &ask).await.status);
    }
    assert_eq!(statuses, [200, 429, 200], "a rule without the prefix counts all providers");
}

#[tokio::test]
async fn a_delay_is_real_time_and_outlives_its_caller() {
    let world = with(&json!([{"method": "POST", "path": "*", "fault": {"delay_ms": 300}}])).await;
    let begun = Instant::now();
    let impatient = world
        .client
        .request("POST", "/v26.0/s1")
        .timeout(Duration::from_millis(50))
        .body("daily_budget=3000");
    assert!(world.client.try_send(impatient).await.unwrap_err().is_timeout());
    assert_eq!(world.budget("s1").await, 2500);
    assert_eq!(world.client.set("s2", 5100).await, 200);
    assert!(begun.elapsed() >= Duration::from_millis(300));
    assert_eq!(world.budget("s1").await, 3000, "it was handled although nobody waited");
}

#[tokio::test]
async fn requests_that_wait_are_counted() {
    let world = with(&json!([
        {"path": "/v*/s1", "nth": 1, "fault": {"delay_ms": 200}},
        {"path": "/v*/s1", "nth": 2, "fault": {"cut": "before"}},
    ]))
    .await;
    let first = tokio::spawn({
        let client = world.client.clone();
        async move { client.try_form("/v26.0/s1", "daily_budget=3000").await }
    });
    while world.sandbox.state().await.unwrap().faults[0].fired == 0 {
        tokio::task::yield_now().await;
    }
    world.client.try_form("/v26.0/s1", "daily_budget=3100").await.unwrap_err();
    assert_eq!(first.await.unwrap().unwrap().status, 200);
    let faults = world.sandbox.state().await.unwrap().faults;
    assert_eq!(faults.iter().map(|f| (f.counted, f.fired)).collect::<Vec<_>>(), [(2, 1), (2, 1)]);
}

#[tokio::test]
async fn a_stream_is_cut_after_so_many_events() {
    let world =
        with(&json!([{"path": "/v1/chat/completions", "nth": [1, 2], "fault": {"cut_stream_at": 3}}])).await;
    let mut ask = json!({"model": "m", "stream": true, "messages": [{"role": "user", "content": "Say: one two three four"}]});
    let request = world.client.request("POST", "/openai/v1/chat/completions").body(ask.to_string());
    let mut response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let mut seen = String::new();
    let end = loop {
        match response.chunk().await {
            Ok(Some(bytes)) => seen.push_str(std::str::from_utf8(&bytes).unwrap()),
            end => break end,
        }
    };
    assert!(end.is_err(), "it does not end as if it were whole");
    assert_eq!(seen.matches("data: ").count(), 3);
    assert!(seen.contains("The") && !seen.contains("[DONE]"), "{seen}");

    ask["stream"] = false.into();
    world.client.try_post("/openai/v1/chat/completions", &ask).await.unwrap_err();
    assert_eq!(world.client.post("/openai/v1/chat/completions", &ask).await.status, 200);
    let cuts: Vec<Value> =
        world.records().await.iter().map(|r| json!(r)["cut"].clone()).filter(|c| !c.is_null()).collect();
    assert_eq!(cuts, ["stream", "after"]);
}

#[tokio::test]
async fn a_person_edits_just_before_and_the_request_goes_on() {
    let world = with(&json!([
        {"method": "POST", "path": "/v*/s2", "nth": 1, "fault": {"edit": {"id": "s1", "daily_budget_percent": 8, "actor": "Ann"}}},
        {"method": "POST", "path": "/v*/s2", "nth": 1, "fault": {"edit": {"id": "nobody", "daily_budget": 500}}},
        {"method": "POST", "path": "/v*/s2", "nth": 1, "fault": {"cut": "after"}},
        {"method": "POST", "path": "/v*/s2", "nth": 1, "fault": {"edit": {"id": "s1", "status": "PAUSED"}}},
    ]))
    .await;
    world.client.try_form("/v26.0/s2", "daily_budget=5500").await.unwrap_err();
    assert_eq!(
        world.effects().await,
        [
            ("s1".to_owned(), json!(2500), json!(2700), json!("human")),
            ("s2".to_owned(), json!(5000), json!(5500), json!("app")),
        ],
        "rules apply in order, and nothing follows a cut"
    );
    let rows = world.client.get("/v26.0/s1/activities").await.json();
    let row = &rows["data"][0];
    assert_eq!((&row["actor_name"], &row["application_id"]), (&json!("Ann"), &json!(null)));
    let refused: Vec<Value> =
        world.records().await.iter().map(|r| json!(r)).filter(|r| r["refused"].is_string()).collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0]["edit"]["id"], "nobody");
}
