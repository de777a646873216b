use serde_json::{Value, json};
use xynergy_providers::sandbox::{DEFAULT_HUBSPOT_SECRET, SandboxLog};

use crate::support::{start, start_with};

#[tokio::test]
async fn help_names_everything() {
    let world = start().await;
    let help = world.client.get("/_sandbox/").await;
    assert_eq!(help.status, 200);
    for word in [
        "/_sandbox/log",
        "/_sandbox/edit",
        "cut_stream_at",
        "graph_error",
        "late_ms",
        "1487632",
        "batch/read",
    ] {
        assert!(help.text.contains(word), "{word}");
    }
    assert_eq!(world.client.get("/nothing/here").await.status, 404);
    assert_eq!(world.client.get("/_sandbox/nothing").await.status, 404);
}

#[tokio::test]
async fn the_clock_moves_forward_only_and_lands_what_is_due() {
    let world = start_with(r#"[{"path":"/v*/s1","fault":{"late_ms":60000}}]"#, SandboxLog::Memory).await;
    world.client.try_form("/v26.0/s1", "daily_budget=3000").await.unwrap_err();
    let moved = world.client.post("/_sandbox/clock", &json!({"advance_ms": 61_000})).await;
    assert_eq!(moved.json(), json!({"now": "2026-03-01T12:01:01Z", "landed": 1}));
    let moved = world.client.post("/_sandbox/clock", &json!({"now": "2026-03-02T00:00:00Z"})).await;
    assert_eq!(moved.status, 200);
    for bad in [
        json!({"now": "2026-03-01T23:59:59Z"}),
        json!({}),
        json!({"advance_ms": -1}),
        json!({"advance_ms": u64::MAX}),
        json!({"today": 1}),
        json!([]),
    ] {
        assert_eq!(world.client.post("/_sandbox/clock", &bad).await.status, 400, "{bad}");
    }
    let state = world.client.get("/_sandbox/state").await.json();
    assert_eq!((&state["now"], &state["budgets"]["s1"]), (&json!("2026-03-02T00:00:00Z"), &json!(3000)));
}

#[tokio::test]
async fn a_person_edits() {
    let world = start().await;
    let edit = async |body: Value| world.client.post("/_sandbox/edit", &body).await;
    let answer = edit(json!({"id": "s1", "daily_budget_percent": -10, "status": "PAUSED"})).await;
    assert_eq!(answer.json()["changes"].as_array().unwrap().len(), 2);
    assert_eq!(edit(json!({"id": "c2", "daily_budget": 9500})).await.status, 200);
    for bad in [
        json!({"id": "s1"}),
        json!({"id": "s1", "daily_budget": 1}),
        json!({"id": "s1", "daily_budget": 300, "daily_budget_percent": 5}),
        json!({"id": "s3", "daily_budget": 3000}),
        json!({"id": "nobody", "status": "PAUSED"}),
        json!({"id": "s1", "status": "GONE"}),
        json!({"id": "s1", "colour": "red"}),
    ] {
        let answer = edit(bad.clone()).await;
        assert_eq!(answer.status, 400, "{bad}");
        assert!(answer.json()["error"].is_string());
    }
    let state = world.sandbox.state().await.unwrap();
    assert_eq!(
        (state.budgets["s1"], state.objects["s1"].status.as_str(), state.budgets["c2"]),
        (2250, "PAUSED", 9500)
    );
}

#[tokio::test]
async fn rules_are_replaced_and_counted() {
    let world = start().await;
    let rules = json!({"rules": [{"path": "/v*/s1", "nth": 2, "fault": {"status": 500}}]});
    assert_eq!(world.client.post("/_sandbox/faults", &rules).await.json(), json!({"rules": 1}));
    assert_eq!(world.client.get("/v26.0/s1").await.status, 200);
    assert_eq!(world.client.get("/v26.0/s1").await.status, 500);
    let shown = world.client.get("/_sandbox/faults").await.json();
    assert_eq!((&shown["rules"][0]["counted"], &shown["rules"][0]["fired"]), (&json!(2), &json!(1)));
    let bad = world.client.post("/_sandbox/faults", &json!({"rules": [{"path": "/", "fault": {}}]})).await;
    assert!(bad.status == 400 && bad.json()["error"].as_str().unwrap().contains("rule 1"), "{}", bad.text);
}

#[tokio::test]
async fn a_reset_begins_anew_and_the_log_goes_on() {
    let world = start_with(r#"[{"path":"/v*/s2","nth":1,"fault":{"status":500}}]"#, SandboxLog::Memory).await;
    world.client.post("/_sandbox/faults", &json!({"rules": []})).await;
    assert_eq!(world.client.set("s1", 3000).await, 200);
    assert_eq!(world.client.post("/_sandbox/reset", &json!({})).await.status, 200);
    let state = world.sandbox.state().await.unwrap();
    assert_eq!((state.budgets["s1"], state.requests, state.effects, state.faults.len()), (2500, 0, 0, 1));
    assert!(state.seq > 3);
    assert_eq!(world.client.set("s2", 6000).await, 500, "the rules of the start are back");
}

#[tokio::test]
async fn the_log_is_gap_free_and_can_be_read_from_a_line_on() {
    let world = start().await;
    for _ in 0..3 {
        world.client.get("/v26.0/s1").await;
    }
    let records = world.records().await;
    assert_eq!(records.iter().map(|r| r.seq).collect::<Vec<_>>(), [1, 2, 3, 4], "the look itself is a line");
    let rest = world.client.get("/_sandbox/log?since=3").await.text;
    assert_eq!(rest.lines().count(), 2);
    assert!(rest.starts_with("{\"seq\":4,"), "{rest}");
}

#[tokio::test]
async fn signs_like_hubspot() {
    let world = start().await;
    let body =
        json!({"url": "https://shop.example/hook", "body": "[]", "timestamp_ms": 1_772_366_400_000_i64});
    let headers = world.client.post("/_sandbox/sign", &body).await.json()["headers"].clone();
    assert_eq!(headers["X-HubSpot-Request-Timestamp"], "1772366400000");
    let mut mac =
        <hmac::Hmac<sha2::Sha256> as hmac::KeyInit>::new_from_slice(DEFAULT_HUBSPOT_SECRET.as_bytes())
            .unwrap();
    hmac::Mac::update(&mut mac, b"POSThttps://shop.example/hook[]1772366400000");
    let expected = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        hmac::Mac::finalize(mac).into_bytes(),
    );
    assert_eq!(headers["X-HubSpot-Signature-v3"], expected);
}

#[tokio::test]
async fn a_body_over_a_mebibyte_is_refused_in_each_vendors_words() {
    let world = start().await;
    let body = json!({"daily_budget": 3000, "x": "y".repeat(1 << 20)});
    for path in ["/v26.0/s1", "/v1/chat/completions", "/crm/v3/objects/deals/batch/read"] {
        let answer = world.client.post(path, &body).await;
        assert_eq!(answer.status, 413, "{path}");
        assert!(answer.text.contains("1048576"), "{}", answer.text);
    }
    assert_eq!(world.budget("s1").await, 2500);
    assert_eq!(world.client.post("/_sandbox/clock", &body).await.status, 400);
}
