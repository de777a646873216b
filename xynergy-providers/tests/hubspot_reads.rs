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
use xynergy_core::env::{HttpBody, HttpFailure, HttpPhase, HttpRequest, HttpResponse, HttpSend, ManualClock};
use xynergy_core::{Ctx, Env, ErrorKind, Result, Retry, TenantId, Timestamp};
use xynergy_providers::crm::hubspot::{Hubspot, HubspotConfig, OAuthConfig};

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

fn hubspot_with(
    config: HubspotConfig,
    secrets: Arc<dyn SecretSource>,
    answers: Vec<Result<HttpResponse, HttpFailure>>,
) -> (Arc<Script>, Hubspot, Ctx, Arc<ManualClock>) {
    let script = Arc::new(Script { answers: Mutex::new(answers.into()), ..Script::default() });
    let config = HubspotConfig { base_url: "http://127.0.0.1:9".into(), ..config };
    let hubspot = Hubspot::new(config, Vec::new(), script.clone(), secrets).unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_772_366_400_000)));
    let env = Env { clock: clock.clone(), ..Env::default() };
    (script, hubspot, Ctx::new(&env, TenantId::new("acme").unwrap()), clock)
}

fn with_oauth(
    answers: Vec<Result<HttpResponse, HttpFailure>>,
) -> (Arc<Script>, Hubspot, Ctx, Arc<ManualClock>) {
    let secret = |name: &str| SecretRef::Env(name.to_owned());
    let oauth =
        OAuthConfig { client_id: secret("ID"), client_secret: None, refresh_token: secret("REFRESH") };
    let config =
        HubspotConfig { client_secret: secret("SECRET"), oauth: Some(oauth), ..HubspotConfig::default() };
    hubspot_with(config, Arc::new(Named), answers)
}

/// Credentials that name tenant and reference.
#[derive(Debug)]
struct Named;

#[async_trait]
impl SecretSource for Named {
    async fn get(&self, tenant: &TenantId, reference: &SecretRef) -> Result<Secret> {
        let SecretRef::Env(name) = reference else { panic!("{reference}") };
        Ok(Secret::new(format!("{name}&{tenant}")))
    }
}

/// A token that changes whenever it was refused.
#[derive(Debug, Default)]
struct Rotated(Mutex<u32>);

#[async_trait]
impl SecretSource for Rotated {
    async fn get(&self, _tenant: &TenantId, _reference: &SecretRef) -> Result<Secret> {
        Ok(Secret::new(format!("token-{}", self.0.lock().unwrap())))
    }

    fn refused(&self, _tenant: &TenantId, _reference: &SecretRef, _secret: &Secret) {
        *self.0.lock().unwrap() += 1;
    }
}

fn token(name: &str) -> Result<HttpResponse, HttpFailure> {
    answer(
        200,
        &json!({"access_token": name, "refresh_token": "r", "expires_in": 1800, "token_type": "bearer"}),
    )
}

fn nothing() -> Result<HttpResponse, HttpFailure> {
    answer(200, &json!({"results": []}))
}

/// The path of each request, and the token or form that it carried.
fn carried(script: &Script) -> Vec<(String, String)> {
    let requests = script.requests.lock().unwrap();
    let of = |request: &HttpRequest| match request.headers.get("authorization") {
        Some(bearer) => bearer.to_str().unwrap().replace("Bearer ", ""),
        None => String::from_utf8(request.body.to_vec()).unwrap(),
    };
    requests.iter().map(|r| (r.url.path().rsplit('/').next().unwrap().to_owned(), of(r))).collect()
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

#[tokio::test]
async fn a_token_by_oauth_is_asked_for_once_and_replaced_before_it_ends() {
    let (script, hubspot, ctx, clock) =
        with_oauth(vec![token("first"), nothing(), nothing(), token("second"), nothing()]);
    let asked = ids(1..2);
    hubspot.contacts(&ctx, &asked).await.unwrap();
    clock.advance(Duration::from_secs(1_499));
    hubspot.contacts(&ctx, &asked).await.unwrap();
    clock.advance(Duration::from_secs(1));
    hubspot.contacts(&ctx, &asked).await.unwrap();
    let form = "grant_type=refresh_token&client_id=ID%26acme&client_secret=SECRET%26acme&refresh_token=REFRESH%26acme";
    let expected =
        [("token", form), ("read", "first"), ("read", "first"), ("token", form), ("read", "second")];
    assert_eq!(carried(&script), expected.map(|(path, what)| (path.to_owned(), what.to_owned())));
    let request = &script.requests.lock().unwrap()[0];
    assert_eq!(request.url.as_str(), "http://127.0.0.1:9/oauth/2026-03/token");
    assert_eq!(request.headers["content-type"], "application/x-www-form-urlencoded");
    let shown = format!("{hubspot:?} {request:?}");
    assert!(!shown.contains("first") && !shown.contains("&acme"), "{shown}");
}

#[tokio::test]
async fn calls_at_once_ask_for_one_token_and_tenants_for_their_own() {
    let mut answers = vec![token("t")];
    answers.extend((0..8).map(|_| nothing()));
    let (script, hubspot, ctx, _) = with_oauth(answers);
    let asked = ids(1..2);
    let calls = (0..8).map(|_| hubspot.contacts(&ctx, &asked));
    for outcome in futures_util::future::join_all(calls).await {
        outcome.unwrap();
    }
    assert_eq!(carried(&script).iter().filter(|(path, _)| path == "token").count(), 1);

    script.answers.lock().unwrap().extend([token("theirs"), nothing()]);
    let other = Ctx { tenant: TenantId::new("other").unwrap(), ..ctx };
    hubspot.contacts(&other, &asked).await.unwrap();
    assert!(carried(&script)[9].1.contains("REFRESH%26other"));
    assert_eq!(carried(&script)[10].1, "theirs");
}

#[tokio::test]
async fn a_token_that_hubspot_refuses_is_asked_for_anew_once() {
    let refused = || answer(401, &json!({"category": "EXPIRED_AUTHENTICATION"}));
    let (script, hubspot, ctx, _) = with_oauth(vec![token("old"), refused(), token("new"), nothing()]);
    hubspot.contacts(&ctx, &ids(1..2)).await.unwrap();
    assert_eq!(carried(&script)[3], ("read".to_owned(), "new".to_owned()));
    script.answers.lock().unwrap().extend([refused(), token("newest"), refused()]);
    let error = hubspot.contacts(&ctx, &ids(1..2)).await.unwrap_err();
    assert_eq!((error.kind(), script.requests.lock().unwrap().len()), (ErrorKind::Unauthorized, 7));

    let config = HubspotConfig::default();
    let (script, hubspot, ctx, _) =
        hubspot_with(config, Arc::new(Rotated::default()), vec![refused(), nothing()]);
    hubspot.contacts(&ctx, &ids(1..2)).await.unwrap();
    assert_eq!(carried(&script)[1].1, "token-1", "one that is given is read anew");
}

#[tokio::test(start_paused = true)]
async fn a_refused_refresh_is_told_to_all_and_shows_nothing() {
    let refused = answer(400, &json!({"status": "BAD_REFRESH_TOKEN", "message": "REFRESH&acme is invalid"}));
    let (script, hubspot, ctx, clock) = with_oauth(vec![refused]);
    let asked = ids(1..2);
    for outcome in futures_util::future::join_all((0..4).map(|_| hubspot.contacts(&ctx, &asked))).await {
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Unauthorized, Retry::Never));
        let shown = format!("{error} {error:?}");
        assert!(error.message().contains("refresh_token") && !shown.contains("&acme"), "{shown}");
    }
    assert_eq!(script.requests.lock().unwrap().len(), 1);
    clock.advance(Duration::from_secs(5));
    script.answers.lock().unwrap().extend([token("t"), nothing()]);
    hubspot.contacts(&ctx, &asked).await.unwrap();

    // While the old one lasts, a refresh that fails is no failure of the call.
    clock.advance(Duration::from_secs(1_600));
    script.answers.lock().unwrap().extend([answer(500, &json!({})), nothing()]);
    hubspot.contacts(&ctx, &asked).await.unwrap();
    assert_eq!(carried(&script).last().unwrap().1, "t");
}

#[tokio::test(start_paused = true)]
async fn a_limit_without_a_time_is_waited_for_by_its_name() {
    let limited = |policy: &str| answer(429, &json!({"errorType": "RATE_LIMIT", "policyName": policy}));
    for (policy, wait) in [("TEN_SECONDLY_ROLLING", 10), ("SECONDLY", 1)] {
        let (_, hubspot, ctx) = hubspot(vec![limited(policy), nothing()]);
        let start = tokio::time::Instant::now();
        hubspot.contacts(&ctx, &ids(1..2)).await.unwrap();
        assert_eq!(start.elapsed().as_secs(), wait, "{policy}");
    }
    let (script, hubspot, ctx) = hubspot(vec![limited("DAILY")]);
    let error = hubspot.contacts(&ctx, &ids(1..2)).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.retry()),
        (ErrorKind::Throttled, Retry::After(Duration::from_secs(3_600)))
    );
    assert!(error.to_string().contains("policy=DAILY"), "{error}");
    assert_eq!(script.requests.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_tenant_reads_no_more_than_its_limit_in_ten_seconds() {
    let config = HubspotConfig { reads_per_10_seconds: 4, ..HubspotConfig::default() };
    let (_, hubspot, ctx, _) =
        hubspot_with(config, Arc::new(TenantsToken), (0..10).map(|_| nothing()).collect());
    let start = tokio::time::Instant::now();
    let mut after = Vec::new();
    for _ in 0..10 {
        hubspot.contacts(&ctx, &ids(1..2)).await.unwrap();
        after.push(start.elapsed().as_secs());
    }
    assert_eq!(after, [0, 0, 0, 0, 10, 10, 10, 10, 20, 20]);
}
