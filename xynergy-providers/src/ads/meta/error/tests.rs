use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> HttpResponse {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().unwrap());
    }
    let status = StatusCode::from_u16(status).unwrap();
    HttpResponse { status, headers: map, body: body.to_owned().into() }
}

fn graph(status: u16, error: &Value) -> HttpResponse {
    answer(status, &[], &json!({ "error": error }).to_string())
}

fn write(response: &HttpResponse) -> WriteFailure {
    confirmed(response).unwrap_err()
}

fn read(response: &HttpResponse) -> Error {
    refusal(response).unwrap().of_read("ads.owner")
}

#[test]
fn a_throttle_says_what_it_covers() {
    for (error, scope) in [
        (json!({"code": 613, "error_subcode": 1_487_632}), ThrottleScope::Owner),
        (json!({"code": 613, "error_subcode": 1_487_742}), ThrottleScope::Account),
        (json!({"code": 613}), ThrottleScope::Account),
        (json!({"code": 17, "error_subcode": 2_446_079}), ThrottleScope::Account),
        (json!({"code": 17, "error_subcode": 1_487_632}), ThrottleScope::Account),
        (json!({"code": 4}), ThrottleScope::Account),
        (json!({"code": 32}), ThrottleScope::Account),
        (json!({"code": 80_004}), ThrottleScope::Account),
    ] {
        assert_eq!(write(&graph(400, &error)).scope, scope, "{error}");
    }
}

#[test]
fn every_code_has_its_meaning_for_a_write_and_for_a_read() {
    use ErrorKind as E;
    use WriteClass as W;
    for (status, error, class, kind) in [
        (400, json!({"code": 4, "is_transient": true}), W::Throttled, E::Throttled),
        (403, json!({"code": 4}), W::Throttled, E::Throttled),
        (400, json!({"code": 17, "error_subcode": 2_446_079}), W::Throttled, E::Throttled),
        (400, json!({"code": 32}), W::Throttled, E::Throttled),
        (400, json!({"code": 341}), W::Throttled, E::Throttled),
        (400, json!({"code": 368}), W::Throttled, E::Throttled),
        (400, json!({"code": 613, "error_subcode": 1_487_632}), W::Throttled, E::Throttled),
        (400, json!({"code": 80_000}), W::Throttled, E::Throttled),
        (400, json!({"code": 80_014}), W::Throttled, E::Throttled),
        (400, json!({"code": 80_015}), W::Rejected, E::Rejected),
        (429, json!({}), W::Throttled, E::Throttled),
        (429, json!({"code": 100}), W::Throttled, E::Throttled),
        (400, json!({"code": 190, "error_subcode": 463}), W::Unauthorized, E::Unauthorized),
        (400, json!({"code": 102}), W::Unauthorized, E::Unauthorized),
        (400, json!({"code": 10}), W::Unauthorized, E::Unauthorized),
        (400, json!({"code": 3}), W::Unauthorized, E::Unauthorized),
        (403, json!({"code": 200}), W::Unauthorized, E::Unauthorized),
        (400, json!({"code": 299}), W::Unauthorized, E::Unauthorized),
        (401, json!({}), W::Unauthorized, E::Unauthorized),
        (400, json!({"code": 100, "error_subcode": 1_885_272}), W::Rejected, E::Rejected),
        (400, json!({"code": 100, "error_subcode": 33}), W::Rejected, E::NotFound),
        (
            400,
            json!({"code": 100, "message": "(#100) Tried accessing nonexisting field (campaign_id)"}),
            W::Rejected,
            E::NotFound,
        ),
        (404, json!({"code": 803}), W::Rejected, E::NotFound),
        (400, json!({"code": 506}), W::Rejected, E::Rejected),
        (200, json!({"code": 100}), W::Rejected, E::Rejected),
        (200, json!({"code": 17}), W::Throttled, E::Throttled),
        (200, json!({"code": 2, "is_transient": true}), W::Ambiguous, E::Unavailable),
        (200, json!({}), W::Ambiguous, E::Unavailable),
        (500, json!({"code": 1}), W::Ambiguous, E::Unavailable),
        (400, json!({"code": 1, "is_transient": false}), W::Ambiguous, E::Rejected),
        (400, json!({"code": 2, "is_transient": true}), W::Ambiguous, E::Unavailable),
        (400, json!({"code": 1_234_567, "is_transient": true}), W::Ambiguous, E::Unavailable),
        (500, json!({"code": 100}), W::Ambiguous, E::Unavailable),
        (408, json!({}), W::Ambiguous, E::Unavailable),
        (302, json!({}), W::Ambiguous, E::Unavailable),
    ] {
        let response = graph(status, &error);
        assert_eq!((write(&response).class, read(&response).kind()), (class, kind), "{status} {error}");
    }
}

#[test]
fn an_unreadable_answer_leaves_a_write_open() {
    for (status, body) in
        [(200, "Service Unavailable"), (200, ""), (200, "[]"), (502, "<html>"), (200, r#"{"success":tr"#)]
    {
        let response = answer(status, &[], body);
        assert_eq!(write(&response).class, WriteClass::Ambiguous, "{status} {body}");
        assert_eq!(read(&response).retry(), Retry::After(Duration::ZERO), "{status} {body}");
    }
    for unconfirmed in [r#"{"success":false}"#, "{}", r#"{"id":"1"}"#, r#"{"success":"true"}"#] {
        assert_eq!(write(&answer(200, &[], unconfirmed)).class, WriteClass::Ambiguous, "{unconfirmed}");
    }
    confirmed(&answer(200, &[], r#"{"success":true}"#)).unwrap();
}

#[test]
fn waits_for_the_longest_time_that_meta_names() {
    let business = |minutes: u32| {
        format!(
            r#"{{"1":[{{"type":"ads_management","estimated_time_to_regain_access":{minutes}}},
                     {{"type":"ads_insights","estimated_time_to_regain_access":0}}]}}"#
        )
        .replace('\n', " ")
    };
    let account = r#"{"acc_id_util_pct":100,"reset_time_duration":120}"#;
    let wait = |headers: &[(&'static str, &str)], error: Value| {
        write(&answer(400, headers, &json!({ "error": error }).to_string())).retry_after
    };
    let seconds = |n| Some(Duration::from_secs(n));
    let (five, none) = (business(5), business(0));
    let (by_business, by_account) = ("x-business-use-case-usage", "x-ad-account-usage");
    assert_eq!(wait(&[(by_business, &five)], json!({"code": 17})), seconds(300));
    assert_eq!(wait(&[(by_business, &none), (by_account, account)], json!({"code": 17})), seconds(120));
    assert_eq!(wait(&[(by_business, &five), (by_account, account)], json!({"code": 4})), seconds(300));
    assert_eq!(wait(&[("retry-after", "7")], json!({"code": 4})), seconds(7));
    assert_eq!(wait(&[(by_business, &none)], json!({"code": 4})), None);
    assert_eq!(wait(&[(by_business, "{invalid:json}"), (by_account, "9.67")], json!({"code": 4})), None);
    let blocked = json!({"code": 613, "error_subcode": 1_487_632});
    assert_eq!(wait(&[(by_business, &five)], blocked.clone()), seconds(3_600));
    assert_eq!(wait(&[(by_business, &business(90))], blocked), seconds(5_400));
    assert_eq!(wait(&[], json!({"code": 368})), seconds(3_600));
    assert_eq!(wait(&[(by_business, &five)], json!({"code": 100})), None, "only who is throttled waits");

    let unsaid = read(&graph(400, &json!({"code": 17})));
    assert_eq!(unsaid.retry(), Retry::After(UNSAID_WAIT), "refused reads count too: no quick retry");
}

#[test]
fn messages_have_the_codes_and_no_token() {
    let token = "EAAB".repeat(20);
    let said = format!("Malformed access token {token}");
    for code in [190, 100, 1, 4] {
        let response =
            graph(400, &json!({"code": code, "error_subcode": 7, "message": said, "fbtrace_id": "A1"}));
        let shown = format!("{} {:?}", write(&response), read(&response));
        assert!(shown.contains(&code.to_string()) && shown.contains("A1"), "{shown}");
        assert!(!shown.contains(&token), "{shown}");
    }
    let low =
        json!({"code": 100, "message": "Invalid\nparameter", "error_user_msg": "Your budget is too low"});
    let message = write(&graph(400, &low)).message;
    assert_eq!(message, "Meta refused the request (HTTP 400, code 100): Your budget is too low");
}

#[test]
fn what_never_left_may_be_sent_again_and_nothing_else() {
    let failure = |phase| HttpFailure { phase, timed_out: false, message: "reset".into(), status: None };
    assert_eq!(unanswered_write(&failure(HttpPhase::NotSent)).class, WriteClass::NotSent);
    assert_eq!(unanswered_write(&failure(HttpPhase::MaybeSent)).class, WriteClass::Ambiguous);
    for (kind, class) in [
        (ErrorKind::Unauthorized, WriteClass::Unauthorized),
        (ErrorKind::InvalidInput, WriteClass::Rejected),
        (ErrorKind::Unavailable, WriteClass::NotSent),
    ] {
        assert_eq!(unsent_write(&Error::new(kind, "secrets.get", "x")).class, class);
    }
}

/// Errors as tools of others recorded them, where this machine has them.
#[test]
fn recorded_errors_are_understood() {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/meta/graph_api_samples.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: ../shared/data/meta is absent");
        return;
    };
    let samples: Value = serde_json::from_str(&text).unwrap();
    let class = |sample: &Value| {
        let status = sample["status"].as_u64().map_or(400, |status| u16::try_from(status).unwrap());
        write(&answer(status, &[], &sample["body"].to_string())).class
    };
    let of = |id: &str| {
        let mut errors = samples["errors"].as_array().unwrap().iter();
        class(errors.find(|sample| sample["id"] == id).unwrap())
    };
    for id in
        ["token_session_expired", "token_password_changed", "token_app_not_authorized", "page_permission"]
    {
        assert_eq!(of(id), WriteClass::Unauthorized, "{id}");
    }
    assert_eq!(of("requires_business_management"), WriteClass::Unauthorized);
    for id in ["missing_permissions", "unsupported_get"] {
        assert_eq!(of(id), WriteClass::Rejected, "{id}");
    }
    for id in ["profile_not_linked", "unknown_500", "service_temporarily_unavailable", "reduce_data"] {
        assert_eq!(of(id), WriteClass::Ambiguous, "{id}");
    }
    for id in ["too_many_calls_ad_account", "user_request_limit", "app_request_limit"] {
        assert_eq!(of(id), WriteClass::Throttled, "{id}");
    }
    let body = Body { code: Some(17), ..Body::default() };
    for sample in samples["usage_headers"].as_array().unwrap() {
        let mut headers = HeaderMap::new();
        let name: http::HeaderName = sample["header"].as_str().unwrap().parse().unwrap();
        headers.insert(name, sample["value"].as_str().unwrap().parse().unwrap());
        let source = sample["source"].as_str().unwrap();
        let expected = match source {
            s if s.contains("wait 5 minutes") => Some(Duration::from_secs(300)),
            s if s.contains("wait 120 seconds") => Some(Duration::from_secs(120)),
            _ => None,
        };
        assert_eq!(retry_after(&headers, &body), expected, "{source}");
    }
}

proptest! {
    /// Whatever comes back, only a plain yes is one, and only an answer that says so lets a write be repeated.
    #[test]
    fn any_answer_is_sorted(status in 200_u16..600, code in proptest::option::of(0_i64..100_000), body in ".{0,40}") {
        let known = json!({"error": {"code": code}}).to_string();
        for text in [known, body] {
            let response = answer(status, &[], &text);
            let failure = write(&response);
            if status >= 500 && code.is_none() {
                prop_assert_eq!(failure.class, WriteClass::Ambiguous);
            }
            prop_assert_ne!(failure.class, WriteClass::NotSent);
            prop_assert!(refusal(&response).is_none_or(|r| r.of_read("ads.owner").kind() != ErrorKind::Ambiguous));
        }
    }
}
