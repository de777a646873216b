use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde_json::Value;
use xynergy_core::config::Secret;
use xynergy_core::env::Timestamp;
use xynergy_core::{Error, ErrorKind, Retry};

use crate::ai::headers::{rate_limits, retry_after};
use crate::ai::openai_compatible::error::{DEFAULT_THROTTLE, not_too_far, shortened, without};

/// An answer with an error status.
pub(super) fn of_status(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
    key: Option<&Secret>,
) -> Error {
    let told = serde_json::from_slice(body).map(|body| Told::read(&body)).unwrap_or_default();
    let asked = retry_after(headers, now).or_else(|| until_refilled(headers, now));
    let mut error = classify(status.as_u16(), &told, asked, key);
    match headers.get("x-should-retry").map(http::HeaderValue::as_bytes) {
        Some(b"false") => error = error.with_retry(Retry::Never),
        Some(b"true") if error.retry() == Retry::Never => {
            error = error.with_retry(Retry::After(Duration::ZERO));
        }
        _ => {}
    }
    if error.kind() == ErrorKind::Throttled {
        for (name, value) in rate_limits(headers, now).pairs() {
            error = error.with_context(name, value);
        }
    }
    let header = headers.get("request-id").and_then(|id| id.to_str().ok());
    with_request_id(error, header.unwrap_or(&told.request_id), key)
}

/// An `error` event of a stream, or an error body under status 200.
pub(super) fn in_band(body: &Value, key: Option<&Secret>) -> Option<Error> {
    let is_error = body.get("type").is_some_and(|kind| kind == "error")
        || body.get("error").is_some_and(|error| !error.is_null());
    let told = is_error.then(|| Told::read(body))?;
    let error = classify(told.status(), &told, None, key);
    Some(with_request_id(error, &told.request_id, key))
}

fn with_request_id(error: Error, id: &str, key: Option<&Secret>) -> Error {
    match id {
        "" => error,
        id => error.with_context("provider_request_id", shortened(&without(id, key))),
    }
}

/// What an error body tells: `{"type": "error", "error": {"type", "message"}, "request_id"}`.
#[derive(Debug, Default)]
struct Told {
    kind: String,
    message: String,
    request_id: String,
}

impl Told {
    fn read(body: &Value) -> Self {
        let text = |at: Option<&Value>| at.and_then(Value::as_str).map(str::to_owned).unwrap_or_default();
        let error = body.get("error");
        Self {
            kind: text(error.and_then(|error| error.get("type"))),
            message: text(error.and_then(|error| error.get("message"))),
            request_id: text(body.get("request_id")),
        }
    }

    /// The status that belongs to the type, where an error came without one.
    fn status(&self) -> u16 {
        match self.kind.as_str() {
            "invalid_request_error" => 400,
            "authentication_error" => 401,
            "billing_error" => 402,
            "permission_error" => 403,
            "not_found_error" => 404,
            "request_too_large" => 413,
            "rate_limit_error" => 429,
            "timeout_error" => 504,
            "overloaded_error" => 529,
            _ => 500,
        }
    }

    /// LiteLLM's proxy: a key's budget is used up, with a status of the operator's choice.
    fn is_over_budget(&self) -> bool {
        self.kind == "budget_exceeded"
    }

    /// LiteLLM's proxy without a database, with status 400: it knows no key but the master's.
    fn is_unknown_key(&self) -> bool {
        self.kind == "no_db_connection"
    }

    fn says(&self, parts: &[&str]) -> bool {
        let message = self.message.to_ascii_lowercase();
        parts.iter().any(|part| message.contains(part))
    }

    /// The only sign of most is the text: they come as `invalid_request_error`, status 400.
    fn refused(&self) -> ErrorKind {
        if self.says(&[
            "prompt is too long",
            "exceed context limit",
            "context window",
            "contextwindowexceedederror",
        ]) {
            ErrorKind::ContextTooLong
        } else if self.says(&["credit balance is too low", "api usage limits"]) {
            ErrorKind::Unauthorized
        } else if self.says(&["content filtering policy", "contentpolicyviolationerror"]) {
            ErrorKind::ContentFiltered
        } else if self.says(&["invalid model name passed in model="]) {
            ErrorKind::NotFound
        } else if self.is_unknown_key() {
            ErrorKind::Unauthorized
        } else if self.says(&["does not support assistant message prefill"]) {
            ErrorKind::Unsupported
        } else {
            ErrorKind::Rejected
        }
    }
}

fn classify(status: u16, told: &Told, asked: Option<Duration>, key: Option<&Secret>) -> Error {
    let again = Retry::After(asked.unwrap_or(Duration::ZERO));
    let (kind, retry) = match status {
        401..=403 => (ErrorKind::Unauthorized, Retry::Never),
        _ if told.is_over_budget() => (ErrorKind::Unauthorized, Retry::Never),
        404 => (ErrorKind::NotFound, Retry::Never),
        413 => (ErrorKind::ContextTooLong, Retry::Never),
        408 | 409 => (ErrorKind::Unavailable, again),
        429 => (ErrorKind::Throttled, Retry::After(asked.unwrap_or(DEFAULT_THROTTLE))),
        500.. => (ErrorKind::Unavailable, again),
        300..=399 => (ErrorKind::Unavailable, Retry::Never),
        _ => (told.refused(), Retry::Never),
    };
    let message = match (kind, status) {
        (ErrorKind::Unauthorized, 400 | 402 | 429) if !told.is_unknown_key() => {
            "the provider's credit or spend limit is used up".to_owned()
        }
        // Its text may repeat the credential.
        (ErrorKind::Unauthorized, _) => {
            "the provider refused the API key; check ai.providers.NAME.api_key".to_owned()
        }
        (_, 300..=399) => "the provider redirects; check ai.providers.NAME.base_url".to_owned(),
        _ if told.message.is_empty() => format!("the provider answered with status {status}"),
        _ => shortened(&without(&told.message, key)),
    };
    let error =
        Error::new(kind, "ai.chat", message).with_retry(retry).with_context("status", status.to_string());
    not_too_far(match told.kind.as_str() {
        "" => error,
        kind => error.with_context("code", shortened(&without(kind, key))),
    })
}

/// The time until the last of the limits that are used up is refilled, as `anthropic-ratelimit-*` tell it.
fn until_refilled(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: String| headers.get(name)?.to_str().ok();
    ["requests", "tokens", "input-tokens", "output-tokens"]
        .iter()
        .filter(|limit| text(format!("anthropic-ratelimit-{limit}-remaining")).map(str::trim) == Some("0"))
        .filter_map(|limit| text(format!("anthropic-ratelimit-{limit}-reset"))?.trim().parse().ok())
        .map(|reset: Timestamp| reset.since(now))
        .filter(|wait| !wait.is_zero())
        .max()
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
        let status = StatusCode::from_u16(status).unwrap();
        of_status(status, &headers.collect(), body.to_string().as_bytes(), now, None)
    }

    fn body(kind: &str, message: &str) -> Value {
        json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"})
    }

    #[test]
    fn every_type_has_its_kind_with_a_status_and_without() {
        let again = Retry::After(Duration::ZERO);
        for (status, kind, expected, retry) in [
            (400, "invalid_request_error", ErrorKind::Rejected, Retry::Never),
            (401, "authentication_error", ErrorKind::Unauthorized, Retry::Never),
            (402, "billing_error", ErrorKind::Unauthorized, Retry::Never),
            (403, "permission_error", ErrorKind::Unauthorized, Retry::Never),
            (404, "not_found_error", ErrorKind::NotFound, Retry::Never),
            (413, "request_too_large", ErrorKind::ContextTooLong, Retry::Never),
            (429, "rate_limit_error", ErrorKind::Throttled, Retry::After(DEFAULT_THROTTLE)),
            (500, "api_error", ErrorKind::Unavailable, again),
            (504, "timeout_error", ErrorKind::Unavailable, again),
            (529, "overloaded_error", ErrorKind::Unavailable, again),
        ] {
            let body = body(kind, "no");
            let whole = error(status, &[], &body);
            assert_eq!((whole.kind(), whole.retry()), (expected, retry), "{kind}");
            assert!(whole.context().contains(&("provider_request_id", "req_1".to_owned())), "{whole}");
            let event = in_band(&body, None).unwrap();
            assert_eq!((event.kind(), event.retry()), (expected, retry), "{kind}, in a stream");
        }
        assert!(in_band(&json!({"type": "message", "content": []}), None).is_none());
        assert_eq!(in_band(&body("from_the_future", "x"), None).unwrap().kind(), ErrorKind::Unavailable);
    }

    #[test]
    fn what_only_the_text_tells() {
        for (message, kind) in [
            ("prompt is too long: 3333404 tokens > 200000 maximum", ErrorKind::ContextTooLong),
            (
                "input length and `max_tokens` exceed context limit: 199000 + 64000 > 200000, decrease input length",
                ErrorKind::ContextTooLong,
            ),
            ("Your credit balance is too low to access the Anthropic API.", ErrorKind::Unauthorized),
            ("You have reached your specified API usage limits.", ErrorKind::Unauthorized),
            ("Output blocked by content filtering policy", ErrorKind::ContentFiltered),
            ("This model does not support assistant message prefill.", ErrorKind::Unsupported),
            // LiteLLM's proxy.
            ("litellm.ContentPolicyViolationError: x", ErrorKind::ContentFiltered),
            ("litellm.ContextWindowExceededError: litellm.BadRequestError: x", ErrorKind::ContextTooLong),
            (
                "anthropic_messages: Invalid model name passed in model=nope. Call `/v1/models` to view available models",
                ErrorKind::NotFound,
            ),
            ("max_tokens: too large", ErrorKind::Rejected),
        ] {
            let error = error(400, &[], &body("invalid_request_error", message));
            assert_eq!((error.kind(), error.retry()), (kind, Retry::Never), "{message}");
        }
    }

    #[test]
    fn a_key_that_litellm_refuses_is_refused_whatever_the_status() {
        let unknown = error(400, &[], &body("no_db_connection", "No connected db."));
        assert_eq!((unknown.kind(), unknown.retry()), (ErrorKind::Unauthorized, Retry::Never));
        assert!(unknown.message().contains("api_key"), "{unknown}");
        for status in [400, 429] {
            let spent = error(status, &[], &body("budget_exceeded", "Budget has been exceeded!"));
            assert_eq!((spent.kind(), spent.retry()), (ErrorKind::Unauthorized, Retry::Never), "{status}");
            assert!(spent.message().contains("credit"), "{spent}");
        }
    }

    #[test]
    fn waits_are_read_from_every_header() {
        let wait = |headers: &[(&'static str, &'static str)]| error(429, headers, &Value::Null).retry();
        let after = |seconds| Retry::After(Duration::from_secs(seconds));
        assert_eq!(wait(&[("retry-after", "7")]), after(7));
        let limits = [
            ("anthropic-ratelimit-requests-remaining", "3"),
            ("anthropic-ratelimit-requests-reset", "2026-03-01T13:00:00Z"),
            ("anthropic-ratelimit-input-tokens-remaining", "0"),
            ("anthropic-ratelimit-input-tokens-reset", "2026-03-01T12:00:09Z"),
            ("anthropic-ratelimit-output-tokens-remaining", "0"),
            ("anthropic-ratelimit-output-tokens-reset", "2026-03-01T12:00:04Z"),
        ];
        assert_eq!(wait(&limits), after(9));
        assert_eq!(wait(&[&limits[..], &[("retry-after", "2")]].concat()), after(2));
        assert_eq!(wait(&[("anthropic-ratelimit-tokens-remaining", "0")]), Retry::After(DEFAULT_THROTTLE));
        assert_eq!(wait(&[("retry-after", "7"), ("x-should-retry", "false")]), Retry::Never);
        assert_eq!(error(400, &[("x-should-retry", "true")], &Value::Null).retry(), after(0));
        assert_eq!(error(529, &[("retry-after", "3")], &Value::Null).retry(), after(3));
    }

    #[test]
    fn throttling_tells_the_limits_and_no_one_waits_too_long() {
        let headers = [("anthropic-ratelimit-requests-limit", "50"), ("retry-after", "3600")];
        let error = error(429, &headers, &body("rate_limit_error", "x"));
        assert!(error.context().contains(&("limit_requests", "50".to_owned())), "{error}");
        assert!(error.context().contains(&("retry_after_ms", "3600000".to_owned())), "{error}");
        assert_eq!(error.retry(), Retry::Exhausted);
    }

    #[test]
    fn what_is_no_error_body_is_told_by_its_status() {
        for text in ["", "<html>bad gateway</html>", "[]", "{\"error\": 5}", "{\"error\": {\"message\": {}}}"]
        {
            let status = StatusCode::BAD_GATEWAY;
            let error = of_status(status, &HeaderMap::new(), text.as_bytes(), Timestamp::default(), None);
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{text}");
            assert_eq!(error.message(), "the provider answered with status 502", "{text}");
        }
        let redirect = error(302, &[], &Value::Null);
        assert_eq!((redirect.kind(), redirect.retry()), (ErrorKind::Unavailable, Retry::Never));
    }

    #[test]
    fn no_message_shows_a_key_or_grows() {
        let key = Secret::new("sk-ant-sesame");
        for status in [400, 401, 500] {
            let long = format!("bad sk-ant-sesame {}", "x".repeat(9_000));
            let body =
                json!({"error": {"type": "sk-ant-sesame", "message": long}, "request_id": "sk-ant-sesame"});
            let status = StatusCode::from_u16(status).unwrap();
            let bytes = body.to_string();
            let error =
                of_status(status, &HeaderMap::new(), bytes.as_bytes(), Timestamp::default(), Some(&key));
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("sesame") && shown.len() < 2_000, "{shown}");
        }
    }
}
