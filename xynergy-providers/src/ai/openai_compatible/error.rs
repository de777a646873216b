use std::time::{Duration, UNIX_EPOCH};

use http::{HeaderMap, StatusCode};
use serde_json::Value;
use xynergy_core::config::Secret;
use xynergy_core::env::{HttpFailure, Timestamp};
use xynergy_core::{Error, ErrorKind, Retry};

/// The greatest part of a provider's message that is told on.
const MAX_MESSAGE: usize = 400;
/// How long to wait after throttling that names no time.
const DEFAULT_THROTTLE: Duration = Duration::from_secs(1);

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
        Some(b"true") if error.retry() == Retry::Never => {
            error = error.with_retry(Retry::After(Duration::ZERO));
        }
        _ => {}
    }
    let id = ["x-request-id", "request-id", "apim-request-id"]
        .iter()
        .find_map(|name| headers.get(*name)?.to_str().ok());
    match id {
        Some(id) => error.with_context("provider_request_id", shortened(id)),
        None => error,
    }
}

/// An `{"error": ...}` in a body or an event under status 200, if it is one.
pub(in crate::ai) fn in_band(body: &Value, key: Option<&Secret>) -> Option<Error> {
    let error = body.get("error").filter(|error| !error.is_null())?;
    let told = Told::read(body);
    let status = ["code", "status_code", "status"]
        .iter()
        .find_map(|name| error.get(*name)?.as_u64())
        .and_then(|status| u16::try_from(status).ok())
        .filter(|status| (400..600).contains(status))
        .unwrap_or_else(|| told.status_by_name());
    Some(classify(status, &told, None, key))
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

/// What an error body tells.
#[derive(Debug, Default)]
struct Told {
    message: String,
    code: String,
    kind: String,
}

impl Told {
    /// OpenAI's `{"error": {message, type, code}}`, Ollama's `{"error": "..."}`, Mistral's `{"message"}`, FastAPI's `{"detail"}`,
    /// Gemini's list of one.
    fn read(body: &Value) -> Self {
        let body = body.get(0).unwrap_or(body);
        let error = body.get("error").filter(|error| !error.is_null()).unwrap_or(body);
        let text = |name: &str| match error.get(name).or_else(|| body.get(name)) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Null) | None => None,
            Some(other) => Some(other.to_string()),
        };
        let whole = error.as_str().map(str::to_owned);
        Self {
            message: whole.or_else(|| text("message")).or_else(|| text("detail")).unwrap_or_default(),
            code: text("code").unwrap_or_default(),
            kind: text("type").or_else(|| text("status")).unwrap_or_default(),
        }
    }

    fn status_by_name(&self) -> u16 {
        let named = |name: &str| self.code == name || self.kind == name;
        if named("insufficient_quota") || named("rate_limit_exceeded") || named("rate_limit_error") {
            429
        } else if named("invalid_api_key") || named("authentication_error") || named("permission_error") {
            401
        } else if named("overloaded_error") {
            529
        } else if named("not_found_error") || named("model_not_found") {
            404
        } else if named("invalid_request_error") || self.is_too_long() || self.is_filtered() {
            400
        } else {
            502
        }
    }

    fn is_too_long(&self) -> bool {
        let message = self.message.to_ascii_lowercase();
        self.code == "context_length_exceeded"
            || ["maximum context length", "context window", "prompt is too long", "context length"]
                .iter()
                .any(|part| message.contains(part))
    }

    fn is_filtered(&self) -> bool {
        ["content_filter", "content_policy_violation"]
            .iter()
            .any(|name| self.code == *name || self.kind == *name)
    }
}

fn classify(status: u16, told: &Told, asked: Option<Duration>, key: Option<&Secret>) -> Error {
    let now = Retry::After(asked.unwrap_or(Duration::ZERO));
    let (kind, retry) = match status {
        401..=403 => (ErrorKind::Unauthorized, Retry::Never),
        404 => (ErrorKind::NotFound, Retry::Never),
        408 | 409 => (ErrorKind::Unavailable, now),
        429 if told.code == "insufficient_quota" => (ErrorKind::Throttled, Retry::Never),
        429 => (ErrorKind::Throttled, Retry::After(asked.unwrap_or(DEFAULT_THROTTLE))),
        500.. => (ErrorKind::Unavailable, now),
        300..=399 => (ErrorKind::Unavailable, Retry::Never),
        _ if told.is_too_long() => (ErrorKind::ContextTooLong, Retry::Never),
        _ if told.is_filtered() => (ErrorKind::ContentFiltered, Retry::Never),
        _ => (ErrorKind::Rejected, Retry::Never),
    };
    let message = match kind {
        // Providers repeat the credential in this answer.
        ErrorKind::Unauthorized if status == 402 => "the provider's credit is used up".to_owned(),
        ErrorKind::Unauthorized => {
            "the provider refused the API key; check ai.providers.NAME.api_key".to_owned()
        }
        _ if (300..400).contains(&status) => {
            "the provider redirects; check ai.providers.NAME.base_url".to_owned()
        }
        _ if told.message.is_empty() => format!("the provider answered with status {status}"),
        _ => shortened(&without(&told.message, key)),
    };
    let mut error =
        Error::new(kind, "ai.chat", message).with_retry(retry).with_context("status", status.to_string());
    if !told.code.is_empty() {
        error = error.with_context("code", shortened(&without(&told.code, key)));
    }
    error
}

fn without(text: &str, key: Option<&Secret>) -> String {
    match key.map(Secret::expose).filter(|key| !key.is_empty()) {
        Some(key) => text.replace(key, "***"),
        None => text.to_owned(),
    }
}

fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(MAX_MESSAGE).collect();
    if short.len() < text.len() {
        short.push_str(" ...");
    }
    short
}

/// How long the provider asks to wait: milliseconds, seconds or a date; what is not positive and finite is passed over.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let number = |name: &str| text(name)?.trim().parse::<f64>().ok();
    let positive = |seconds: f64| Duration::try_from_secs_f64(seconds).ok().filter(|wait| !wait.is_zero());
    let milliseconds = number("retry-after-ms").and_then(|ms| positive(ms / 1_000.0));
    let azure = || number("x-ms-retry-after-ms").and_then(|ms| positive(ms / 1_000.0));
    let seconds = || number("retry-after").and_then(positive);
    let date = || {
        let since_epoch =
            httpdate::parse_http_date(text("retry-after")?).ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Timestamp::default().plus(since_epoch).since(now)).filter(|wait| !wait.is_zero())
    };
    milliseconds.or_else(azure).or_else(seconds).or_else(date)
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
        let concurrency =
            error(429, &[], &json!({"error": {"message": "INSUFFICIENT QUOTA", "code": "429"}}));
        assert_eq!(concurrency.retry(), Retry::After(DEFAULT_THROTTLE));
        assert_eq!(coded(400, "context_length_exceeded").kind(), ErrorKind::ContextTooLong);
        assert_eq!(coded(400, "content_filter").kind(), ErrorKind::ContentFiltered);
    }

    #[test]
    fn waits_are_read_in_every_form() {
        let wait = |headers: &[(&'static str, &'static str)]| error(429, headers, &Value::Null).retry();
        let after = |ms| Retry::After(Duration::from_millis(ms));
        assert_eq!(wait(&[("retry-after-ms", "1500"), ("retry-after", "9")]), after(1_500));
        assert_eq!(wait(&[("retry-after-ms", "0"), ("retry-after", "1")]), after(1_000));
        assert_eq!(wait(&[("retry-after", "0.25")]), after(250));
        assert_eq!(wait(&[("retry-after", "Sun, 01 Mar 2026 12:00:07 GMT")]), after(7_000));
        for odd in ["-1", "NaN", "inf", "soon", "Sun, 01 Mar 2020 12:00:07 GMT"] {
            assert_eq!(wait(&[("retry-after", odd)]), after(1_000), "{odd}");
        }
        assert_eq!(wait(&[("retry-after", "5"), ("x-should-retry", "false")]), Retry::Never);
        let told_to = error(400, &[("x-should-retry", "true")], &Value::Null);
        assert_eq!(told_to.retry(), after(0));
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
