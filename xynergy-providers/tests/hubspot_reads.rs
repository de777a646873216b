//! Reads of HubSpot over a scripted HTTP client.
#![cfg(feature = "hubspot")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};
use xynergy_core::config::{Secret, SecretRef, SecretSource};
use xynergy_core::crm::Crm;
use xynergy_core::env::{HttpBody, HttpFailure, HttpPhase, HttpRequest, HttpResponse, HttpSend};
use xynergy_core::{Ctx, Env, ErrorKind, Result, Retry, TenantId};
use xynergy_providers::crm::hubspot::{Hubspot, HubspotConfig};

#[derive(Debug, Default)]
struct Script {
    answers: Mutex<VecDeque<Result<HttpResponse, HttpFailure>>>,
    requests: Mutex<Vec<HttpRequest>>,
}

#[async_trait]
impl HttpSend for Script {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        self.requests.lock().unwrap().push(request);
        self.answers.lock().unwrap().pop_front().expect("a scripted answer")
    }

    async fn stream(&self, _request: HttpRequest) -> Result<HttpBody, HttpFailure> {
        panic!("reads are collected")
    }
}

#[derive(Debug)]
struct TenantsToken;

#[async_trait]
impl SecretSource for TenantsToken {
    async fn get(&self, tenant: &TenantId, _reference: &SecretRef) -> Result<Secret> {
        Ok(Secret::new(format!("token-of-{tenant}")))
    }
}

fn answer(status: u16, body: &Value) -> Result<HttpResponse, HttpFailure> {
    let status = StatusCode::from_u16(status).unwrap();
    Ok(HttpResponse { status, headers: HeaderMap::new(), body: body.to_string().into() })
}

fn hubspot(answers: Vec<Result<HttpResponse, HttpFailure>>) -> (Arc<Script>, Hubspot, Ctx) {
    let script = Arc::new(Script { answers: Mutex::new(answers.into()), ..Script::default() });
    let config = HubspotConfig { base_url: "http://127.0.0.1:9/hubspot/".into(), ..HubspotConfig::default() };
    let hubspot =
        Hubspot::new(config, vec!["xynergy_ip".into()], script.clone(), Arc::new(TenantsToken)).unwrap();
    let ctx = Ctx::new(&Env::default(), TenantId::new("acme").unwrap()).with_request_id("req_1");
    (script, hubspot, ctx)
}

fn ids(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

fn sent(script: &Script) -> Vec<(String, Value)> {
    let requests = script.requests.lock().unwrap();
    requests.iter().map(|r| (r.url.to_string(), serde_json::from_slice(&r.body).unwrap())).collect()
}

#[tokio::test]
async fn deals_come_with_their_contacts_and_absent_ones_are_absent() {
    let (script, hubspot, ctx) = hubspot(vec![
        answer(
            207,
            &json!({"results": [{"id": "7", "properties": {"createdate": "2026-03-01T00:00:00Z"}}, {"id": "70"},
                                {"id": "777", "properties": {"hs_object_id": "777"}}],
                    "errors": [{"category": "OBJECT_NOT_FOUND", "context": {"ids": ["8"]}}]}),
        ),
        answer(
            207,
            &json!({"results": [{"from": {"id": "7"}, "to": [{"toObjectId": 1}],
                                 "paging": {"next": {"after": "1"}}}],
                    "errors": [{"category": "OBJECT_NOT_FOUND"}]}),
        ),
        answer(200, &json!({"results": [{"from": {"id": "7"}, "to": [{"toObjectId": "2"}]}]})),
    ]);
    let asked = ["8", "7", "70", "7"].map(str::to_owned);
    let deals = hubspot.deals(&ctx, &asked).await.unwrap();
    assert_eq!(
        deals.keys().collect::<Vec<_>>(),
        ["7", "70"],
        "a merged object that was not asked for is none"
    );
    assert_eq!(deals["7"].property("createdate"), Some("2026-03-01T00:00:00Z"));
    assert_eq!(deals["7"].contacts, ["1", "2"], "all pages");
    assert!(deals["70"].contacts.is_empty());

    let sent = sent(&script);
    assert_eq!(sent[0].0, "http://127.0.0.1:9/hubspot/crm/v3/objects/deals/batch/read");
    let inputs = json!([{"id": "7"}, {"id": "70"}, {"id": "8"}]);
    assert_eq!(sent[0].1, json!({"inputs": inputs, "properties": ["createdate"]}));
    assert_eq!(sent[1].0, "http://127.0.0.1:9/hubspot/crm/v4/associations/deals/contacts/batch/read");
    assert_eq!(sent[2].1, json!({"inputs": [{"id": "7", "after": "1"}]}));
    let request = &script.requests.lock().unwrap()[0];
    assert_eq!(request.headers["authorization"], "Bearer token-of-acme");
    assert!(request.headers["authorization"].is_sensitive());
    assert_eq!(request.headers["x-request-id"], "req_1");
}

#[tokio::test]
async fn reads_a_hundred_at_a_time() {
    let page = |range: std::ops::Range<u32>| {
        let results: Vec<_> =
            range.map(|n| json!({"id": n.to_string(), "properties": {"xynergy_ip": "192.0.2.1"}})).collect();
        answer(200, &json!({"results": results}))
    };
    let (script, hubspot, ctx) = hubspot(vec![page(100..200), page(200..300), page(300..350)]);
    let contacts = hubspot.contacts(&ctx, &ids(100..350)).await.unwrap();
    assert_eq!(contacts.len(), 250);
    assert_eq!(contacts["349"].property("xynergy_ip"), Some("192.0.2.1"));
    let sizes: Vec<_> =
        sent(&script).iter().map(|(_, body)| body["inputs"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [100, 100, 50]);
    assert!(hubspot.contacts(&ctx, &[]).await.unwrap().is_empty(), "nothing is asked for nothing");
}

#[tokio::test(start_paused = true)]
async fn reads_are_repeated_while_hubspot_is_away() {
    let lost =
        HttpFailure { phase: HttpPhase::MaybeSent, timed_out: true, message: "timeout".into(), status: None };
    let (script, hubspot, ctx) =
        hubspot(vec![answer(503, &json!({})), Err(lost), answer(200, &json!({"results": [{"id": "1"}]}))]);
    assert_eq!(hubspot.contacts(&ctx, &ids(1..2)).await.unwrap().len(), 1);
    assert_eq!(script.requests.lock().unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn three_attempts_are_enough() {
    let (script, hubspot, ctx) =
        hubspot((0..3).map(|_| answer(500, &json!({"category": "INTERNAL"}))).collect());
    let error = hubspot.contacts(&ctx, &ids(1..2)).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Exhausted));
    assert_eq!(script.requests.lock().unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn waits_as_long_as_hubspot_asks_within_reason() {
    let throttled = |seconds: &'static str| {
        let mut response = answer(429, &json!({"category": "RATE_LIMITS"})).unwrap();
        response.headers.insert("retry-after", HeaderValue::from_static(seconds));
        Ok(response)
    };
    let (_, hubspot, ctx) =
        hubspot(vec![throttled("4"), answer(200, &json!({"results": []})), throttled("3600")]);
    let start = tokio::time::Instant::now();
    hubspot.contacts(&ctx, &ids(1..2)).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(4));
    let error = hubspot.contacts(&ctx, &ids(1..2)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Throttled);
    assert_eq!(error.retry(), Retry::After(Duration::from_secs(3600)), "an hour is for the caller to wait");
}

#[tokio::test]
async fn refusals_are_not_repeated_and_show_no_token() {
    for (status, kind) in
        [(401, ErrorKind::Unauthorized), (403, ErrorKind::Unauthorized), (400, ErrorKind::Rejected)]
    {
        let body = json!({"category": "C", "correlationId": "abc", "message": "token-of-acme"});
        let (_, hubspot, ctx) = hubspot(vec![answer(status, &body)]);
        let error = hubspot.deals(&ctx, &ids(1..2)).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (kind, Retry::Never));
        let shown = format!("{error} {error:?} {hubspot:?}");
        assert!(shown.contains("abc") && !shown.contains("token-of"), "{shown}");
    }
}

#[tokio::test]
async fn the_same_page_again_is_an_error() {
    let page = || {
        answer(
            200,
            &json!({"results": [{"from": {"id": "1"}, "to": [], "paging": {"next": {"after": "x"}}}]}),
        )
    };
    let (_, hubspot, ctx) = hubspot(vec![answer(200, &json!({"results": [{"id": "1"}]})), page(), page()]);
    assert_eq!(hubspot.deals(&ctx, &ids(1..2)).await.unwrap_err().kind(), ErrorKind::Unavailable);
}
