use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde_json::Value;
use xynergy_core::config::Secret;
use xynergy_core::env::{HttpFailure, Timestamp};
use xynergy_core::{Error, ErrorKind, Retry};

use super::told::{Told, is_nothing};
use crate::ai::headers::{rate_limits, retry_after};

/// The greatest part of a provider's message that is told on.
const MAX_MESSAGE: usize = 400;
/// How long to wait after throttling that names no time.
pub(in crate::ai) const DEFAULT_THROTTLE: Duration = Duration::from_secs(1);
/// Who asks for a longer wait is not waited for, as in OpenAI's own clients.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// The codes of throttling that does not pass: the account's money is used up, or the account is not paid for. The words of other
/// providers for a limit of concurrency look like it, so nothing else counts.
pub(in crate::ai) const OUT_OF_MONEY: [&str; 2] = ["insufficient_quota", "billing_not_active"];

/// An answer with an error status.
pub(in crate::ai) fn of_status(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
    key: Option<&Secret>,
) -> Error {
    let parsed: Option<Value> = serde_json::from_slice(body).ok();
    let told = parsed.as_ref().map(Told::read).unwrap_or_default();
    let mut error = classify(status.as_u16(), &told, retry_after(headers, now), key);
    match headers.get("x-should-retry").map(http::HeaderValue::as_bytes) {
        Some(b"false") => error = error.with_retry(Retry::Never),
        Some(b"true") if error.retry() == Retry::Never && !told.is_out_of_money() => {
            error = error.with_retry(Retry::After(Duration::ZERO));
        }
        _ => {}
    }
    if error.kind() == ErrorKind::Throttled {
        for (name, value) in rate_limits(headers, now).pairs() {
            error = error.with_context(name, value);
        }
    }
    let id = ["x-request-id", "request-id", "apim-request-id"]
        .iter()
        .find_map(|name| headers.get(*name)?.to_str().ok());
    match id {
        Some(id) => error.with_context("provider_request_id", shortened(id)),
        None => error,
    }
}

/// An error in a body or an event under status 200, if it is one: `{"error": ...}`, an error in a choice or in Groq's own place,
/// a body that is nothing but an error, or a list of one.
pub(in crate::ai) fn in_band(body: &Value, key: Option<&Secret>) -> Option<Error> {
    let body = body.get(0).unwrap_or(body);
    let error = |holder: &Value| holder.get("error").is_some_and(|error| !is_nothing(error));
    let choices = body.get("choices").and_then(Value::as_array);
    let bare = || {
        let is_error = body.get("object").is_some_and(|object| object == "error");
        let says =
            ["message", "detail", "msg"].iter().any(|name| body.get(*name).is_some_and(Value::is_string));
        is_error || choices.is_none() && says
    };
    let told = if error(body) || bare() {
        Told::read(body)
    } else if let Some(groq) = body.get("x_groq").filter(|groq| error(groq)) {
        Told::read(groq)
    } else {
        Told::read(choices?.iter().find(|choice| error(choice))?)
    };
    Some(classify(told.status.unwrap_or_else(|| told.status_by_name()), &told, None, key))
}

/// A request without an answer. The provider may have been asked and may bill it; asking again is harmless otherwise.
#[allow(clippy::needless_pass_by_value)] // The shape that map_err asks for.
pub(in crate::ai) fn of_failure(failure: HttpFailure) -> Error {
    let kind = if failure.timed_out { ErrorKind::Timeout } else { ErrorKind::Unavailable };
    Error::new(kind, "ai.chat", failure.message).with_retry(Retry::After(Duration::ZERO))
}

/// An answer that is not what it should be.
pub(in crate::ai) fn unreadable(what: &'static str) -> Error {
    Error::new(ErrorKind::Unavailable, "ai.chat", what)
}

/// Bytes that should be JSON and are not: what they are instead, as far as that can be seen.
pub(in crate::ai) fn no_json(body: &[u8]) -> Error {
    let start = body.trim_ascii_start();
    unreadable(if start.is_empty() {
        "the answer is empty; check ai.providers.NAME.base_url"
    } else if start.starts_with(b"<") {
        "the answer is HTML, no JSON; check ai.providers.NAME.base_url: something else answers there"
    } else if start.starts_with(&[0x1F, 0x8B]) || start.starts_with(&[0x28, 0xB5, 0x2F, 0xFD]) {
        "the answer is compressed, which was not asked for; check the proxy before ai.providers.NAME.base_url"
    } else if std::str::from_utf8(body).is_err() {
        "the answer is no UTF-8"
    } else {
        "the answer is no JSON, or a part of it; check ai.providers.NAME.base_url"
    })
}

fn classify(status: u16, told: &Told, asked: Option<Duration>, key: Option<&Secret>) -> Error {
    let now = Retry::After(asked.unwrap_or(Duration::ZERO));
    let (kind, retry) = match status {
        // Whatever the status: some gateways and older servers answer these with 403, 413 or 500.
        _ if told.is_filtered() && status < 500 => (ErrorKind::ContentFiltered, Retry::Never),
        401 | 402 => (ErrorKind::Unauthorized, Retry::Never),
        _ if told.is_over_budget() => (ErrorKind::Unauthorized, Retry::Never),
        400 if told.is_unknown_key() => (ErrorKind::Unauthorized, Retry::Never),
        _ if told.is_unknown_model() => (ErrorKind::NotFound, Retry::Never),
        403 => (ErrorKind::Unauthorized, Retry::Never),
        404 => (ErrorKind::NotFound, Retry::Never),
        429 if told.is_out_of_money() => (ErrorKind::Throttled, Retry::Never),
        429 => (ErrorKind::Throttled, Retry::After(asked.unwrap_or(DEFAULT_THROTTLE))),
        // Groq: the request alone is more than a minute's tokens, so it never fits there.
        413 if told.code == "rate_limit_exceeded" => (ErrorKind::Throttled, Retry::Never),
        413 => (ErrorKind::ContextTooLong, Retry::Never),
        _ if told.is_too_long() => (ErrorKind::ContextTooLong, Retry::Never),
        408 | 409 | 425 | 498 => (ErrorKind::Unavailable, now),
        500.. => (ErrorKind::Unavailable, now),
        300..=399 => (ErrorKind::Unavailable, Retry::Never),
        _ => (ErrorKind::Rejected, Retry::Never),
    };
    let message = match kind {
        // Providers repeat the credential in this answer.
        ErrorKind::Unauthorized if status == 402 || told.is_over_budget() => {
            "the provider's credit is used up".to_owned()
        }
        ErrorKind::Unauthorized => {
            "the provider refused the API key; check ai.providers.NAME.api_key".to_owned()
        }
        _ if (300..400).contains(&status) => {
            "the provider redirects, which is not followed; check ai.providers.NAME.base_url".to_owned()
        }
        _ if told.message.is_empty() => format!("the provider answered with status {status}"),
        _ => shortened(&without(&told.message, key)),
    };
    let mut error =
        Error::new(kind, "ai.chat", message).with_retry(retry).with_context("status", status.to_string());
    for (name, value) in [("code", &told.code), ("type", &told.kind), ("param", &told.param)] {
        if !value.is_empty() {
            error = error.with_context(name, shortened(&without(value, key)));
        }
    }
    not_too_far(error)
}

/// A wait that is too long for any caller is told, and not waited for.
pub(in crate::ai) fn not_too_far(error: Error) -> Error {
    match error.retry() {
        Retry::After(wait) if wait > LONGEST_WAIT => {
            error.with_retry(Retry::Exhausted).with_context("retry_after_ms", wait.as_millis().to_string())
        }
        _ => error,
    }
}

pub(in crate::ai) fn without(text: &str, key: Option<&Secret>) -> String {
    match key.map(Secret::expose).filter(|key| !key.is_empty()) {
        Some(key) => text.replace(key, "***"),
        None => text.to_owned(),
    }
}

pub(in crate::ai) fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(MAX_MESSAGE).collect();
    if short.len() < text.len() {
        short.push_str(" ...");
    }
    short
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn error(status: u16, headers: &[(&'static str, &'static str)], body: &Value) -> Error {
        let headers = headers.iter().map(|(name, value)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
        });
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        of_status(
            StatusCode::from_u16(status).unwrap(),
            &headers.collect(),
            body.to_string().as_bytes(),
            now,
            None,
        )
    }

    #[test]
    fn statuses_have_their_kinds() {
        let body = json!({"error": {"message": "no", "code": null}});
        for (status, kind, retry) in [
            (400, ErrorKind::Rejected, Retry::Never),
            (401, ErrorKind::Unauthorized, Retry::Never),
            (402, ErrorKind::Unauthorized, Retry::Never),
            (403, ErrorKind::Unauthorized, Retry::Never),
            (404, ErrorKind::NotFound, Retry::Never),
            (429, ErrorKind::Throttled, Retry::After(DEFAULT_THROTTLE)),
            (500, ErrorKind::Unavailable, Retry::After(Duration::ZERO)),
            (529, ErrorKind::Unavailable, Retry::After(Duration::ZERO)),
            (302, ErrorKind::Unavailable, Retry::Never),
        ] {
            let error = error(status, &[], &body);
            assert_eq!((error.kind(), error.retry()), (kind, retry), "{status}");
        }
    }

    #[test]
    fn codes_are_matched_exactly() {
        let coded = |status, code: &str| {
            error(status, &[("retry-after", "2")], &json!({"error": {"message": "x", "code": code}}))
        };
        assert_eq!(coded(429, "insufficient_quota").retry(), Retry::Never);
        assert_eq!(coded(429, "billing_not_active").retry(), Retry::Never);
        let concurrency =
            error(429, &[], &json!({"error": {"message": "INSUFFICIENT QUOTA", "code": "429"}}));
        assert_eq!(concurrency.retry(), Retry::After(DEFAULT_THROTTLE));
        assert_eq!(coded(400, "context_length_exceeded").kind(), ErrorKind::ContextTooLong);
        assert_eq!(coded(400, "content_filter").kind(), ErrorKind::ContentFiltered);
    }

    #[test]
    fn waits_are_heeded_up_to_a_length() {
        let wait = |headers: &[(&'static str, &'static str)]| error(429, headers, &Value::Null);
        let after = |ms| Retry::After(Duration::from_millis(ms));
        assert_eq!(wait(&[("retry-after-ms", "0"), ("retry-after", "1")]).retry(), after(1_000));
        assert_eq!(wait(&[("retry-after", "120")]).retry(), after(120_000));
        assert_eq!(wait(&[("retry-after", "soon")]).retry(), Retry::After(DEFAULT_THROTTLE));
        let far = wait(&[("retry-after", "120.5")]);
        assert_eq!(far.retry(), Retry::Exhausted);
        assert!(far.context().contains(&("retry_after_ms", "120500".to_owned())), "{far}");
        assert_eq!(error(503, &[("retry-after", "3600")], &Value::Null).retry(), Retry::Exhausted);

        assert_eq!(wait(&[("retry-after", "5"), ("x-should-retry", "false")]).retry(), Retry::Never);
        assert_eq!(error(400, &[("x-should-retry", "true")], &Value::Null).retry(), after(0));
        let quota = json!({"error": {"code": "insufficient_quota"}});
        assert_eq!(error(429, &[("x-should-retry", "true")], &quota).retry(), Retry::Never);
    }

    #[test]
    fn throttling_tells_the_limits() {
        let headers = [("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "1m3s")];
        let context = error(429, &headers, &Value::Null);
        assert!(context.context().contains(&("tokens_full_in_ms", "63000".to_owned())), "{context}");
    }

    #[test]
    fn every_vendor_says_too_long_its_own_way() {
        let kind = |status, body: Value| error(status, &[], &body).kind();
        let said = |message: &str| json!({"error": {"message": message, "type": "invalid_request_error"}});
        for message in [
            "This model's maximum context length is 65536 tokens. However, you requested 70000 tokens.",
            "The decoder prompt (length 21535) is longer than the maximum model length of 16384.",
            "The prompt (total length 25938) is too long to fit into the model (context length 4096).",
            "Input prompt (32889 tokens) is too long and exceeds limit of 2048",
            "Requested tokens (2285) exceed context window of 2048",
            "prompt is too long: 210000 tokens > 200000 maximum",
            "input length and `max_tokens` exceed context limit: 1 + 2 > 2",
            "Your input exceeds the context window of this model. Please adjust your input and try again.",
            "The input token count (9) exceeds the maximum number of tokens allowed (8).",
            "Please reduce the length of the messages or completion.",
            "the input length exceeds the context length",
            "You passed 5001 input tokens and requested 0 output tokens. However, the model's context length is only 4096 tokens, resulting in a maximum input length of 4096 tokens.",
            "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens",
            "The input (9000 tokens) is longer than the model's context length (4096 tokens).",
            "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097. Given: 5000 `inputs` tokens and 10 `max_new_tokens`",
            "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
            "Prompt contains 40000 tokens, too large for model with 32768 maximum context length",
            "litellm.ContextWindowExceededError: litellm.BadRequestError: this is a mock context window exceeded error",
        ] {
            assert_eq!(kind(400, said(message)), ErrorKind::ContextTooLong, "{message}");
        }
        let llama = json!({"error": {"code": 500, "type": "exceed_context_size_error", "message": "x", "n_ctx": 256}});
        assert_eq!(kind(500, llama.clone()), ErrorKind::ContextTooLong);
        assert_eq!(in_band(&llama, None).unwrap().kind(), ErrorKind::ContextTooLong);
        assert_eq!(kind(413, Value::Null), ErrorKind::ContextTooLong);
        let groq = json!({"error": {"message": "Request too large for model", "type": "tokens", "code": "rate_limit_exceeded"}});
        let groq = error(413, &[], &groq);
        assert_eq!((groq.kind(), groq.retry()), (ErrorKind::Throttled, Retry::Never));
        for innocent in ["the context of this is unclear", "image exceeds limit of 20 MB"] {
            assert_eq!(kind(400, said(innocent)), ErrorKind::Rejected, "{innocent}");
        }
    }

    #[test]
    fn filters_and_models_are_known_whatever_the_status() {
        let kind = |status, error: Value| super::tests::error(status, &[], &json!({"error": error})).kind();
        let azure =
            json!({"code": "400", "message": "x", "innererror": {"code": "ResponsibleAIPolicyViolation"}});
        assert_eq!(kind(400, azure), ErrorKind::ContentFiltered);
        let moderated =
            json!({"code": 403, "message": "x", "metadata": {"reasons": ["violence"], "flagged_input": "y"}});
        assert_eq!(kind(403, moderated), ErrorKind::ContentFiltered);
        assert_eq!(kind(400, json!({"message": "Content Exists Risk"})), ErrorKind::ContentFiltered);
        assert_eq!(kind(403, json!({"code": "model_not_found", "message": "x"})), ErrorKind::NotFound);
        assert_eq!(kind(404, json!({"code": "DeploymentNotFound", "message": "x"})), ErrorKind::NotFound);
        let proxy = "/chat/completions: Invalid model name passed in model=nope. Call `/v1/models` to view available models";
        assert_eq!(kind(400, json!({"code": "400", "message": proxy})), ErrorKind::NotFound);
        assert_eq!(kind(403, json!({"message": "x"})), ErrorKind::Unauthorized);
        let proxy = "litellm.BadRequestError: litellm.ContentPolicyViolationError: litellm.MockException: x";
        let proxy = json!({"code": "400", "type": "invalid_request_error", "message": proxy});
        assert_eq!(kind(400, proxy.clone()), ErrorKind::ContentFiltered);
        assert_eq!(in_band(&json!({"error": proxy}), None).unwrap().kind(), ErrorKind::ContentFiltered);
    }

    #[test]
    fn a_key_that_litellm_refuses_is_refused_whatever_the_status() {
        let told = |status: u16, kind: &str, message: &str| {
            let code = status.to_string();
            error(
                status,
                &[],
                &json!({"error": {"message": message, "type": kind, "param": null, "code": code}}),
            )
        };
        let unknown = told(400, "no_db_connection", "No connected db.");
        assert_eq!((unknown.kind(), unknown.retry()), (ErrorKind::Unauthorized, Retry::Never));
        assert!(unknown.message().contains("api_key"), "{unknown}");
        // The same name where a database is there and away.
        assert_eq!(told(503, "no_db_connection", "x").kind(), ErrorKind::Unavailable);
        for status in [400, 429] {
            let spent =
                told(status, "budget_exceeded", "Budget has been exceeded! Current cost: 2, Max budget: 1");
            assert_eq!((spent.kind(), spent.retry()), (ErrorKind::Unauthorized, Retry::Never), "{status}");
            assert!(spent.message().contains("credit"), "{spent}");
        }
    }

    #[test]
    fn what_is_no_json_is_named() {
        for (body, part) in [
            (&b""[..], "empty"),
            (b" <!doctype html>", "HTML"),
            (b"\x1f\x8b\x08\x00", "compressed"),
            (b"{\"a\": \"\xff\"}", "UTF-8"),
            (b"{\"a\":", "no JSON"),
        ] {
            assert!(no_json(body).message().contains(part), "{part}");
        }
    }

    #[test]
    fn errors_under_status_200_are_errors() {
        let kind = |body: Value| in_band(&body, None).map(|error| error.kind());
        assert_eq!(kind(json!({"choices": []})), None);
        assert_eq!(kind(json!({"error": null})), None);
        assert_eq!(kind(json!({"error": {"code": 429, "message": "x"}})), Some(ErrorKind::Throttled));
        assert_eq!(kind(json!({"error": {"type": "overloaded_error"}})), Some(ErrorKind::Unavailable));
        assert_eq!(kind(json!({"error": {"type": "invalid_request_error"}})), Some(ErrorKind::Rejected));
        assert_eq!(kind(json!({"error": "out of memory"})), Some(ErrorKind::Unavailable));
        assert_eq!(kind(json!({"error": {"code": "429"}})), Some(ErrorKind::Throttled));
        assert_eq!(kind(json!({"object": "error", "message": "x", "code": 400})), Some(ErrorKind::Rejected));
        assert_eq!(kind(json!({"detail": "x"})), Some(ErrorKind::Unavailable));
        let choice = json!({"choices": [{"error": {"code": 502, "message": "x"}, "finish_reason": "error"}]});
        assert_eq!(kind(choice), Some(ErrorKind::Unavailable));
        for none in [
            json!({"error": {}}),
            json!({"error": ""}),
            json!({"error": false}),
            json!({"choices": [], "message": "x"}),
        ] {
            assert_eq!(kind(none.clone()), None, "{none}");
        }
    }

    #[test]
    fn no_message_shows_a_key() {
        let key = Secret::new("sk-sesame");
        let body = json!({"error": {"message": "bad key sk-sesame", "code": "sk-sesame"}}).to_string();
        for status in [400, 401, 500] {
            let status = StatusCode::from_u16(status).unwrap();
            let error =
                of_status(status, &HeaderMap::new(), body.as_bytes(), Timestamp::default(), Some(&key));
            assert!(!format!("{error} {error:?}").contains("sesame"), "{error}");
        }
    }
}
