use std::time::Duration;

use http::StatusCode;
use http::header::RETRY_AFTER;
use serde::Deserialize;
use xynergy_core::env::{HttpFailure, HttpResponse};
use xynergy_core::{Error, ErrorKind, Retry};

const OPERATION: &str = "hubspot.read";

/// HubSpot's error body, as far as it is of use.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    category: String,
    #[serde(rename = "correlationId")]
    correlation_id: String,
    #[serde(rename = "policyName")]
    policy_name: String,
}

/// The wait where HubSpot names a limit and no time.
const TEN_SECONDS: Duration = Duration::from_secs(10);
/// The same where the limit is the day's: nobody waits in a call for that.
const AN_HOUR: Duration = Duration::from_secs(3_600);

/// The library's error for an answer other than a success. A retry waits for as long as HubSpot asks, 0 for no wish.
pub(super) fn from_response(response: &HttpResponse) -> Error {
    let (kind, message, repeatable) = match response.status {
        StatusCode::UNAUTHORIZED => {
            (ErrorKind::Unauthorized, "HubSpot refuses the access token: check access_token", false)
        }
        StatusCode::FORBIDDEN => (
            ErrorKind::Unauthorized,
            "the access token may not read this: give its app the scopes to read deals and contacts",
            false,
        ),
        StatusCode::TOO_MANY_REQUESTS => (ErrorKind::Throttled, "HubSpot asks to slow down", true),
        status if status.is_server_error() => (ErrorKind::Unavailable, "HubSpot failed to answer", true),
        _ => (ErrorKind::Rejected, "HubSpot refused the read", false),
    };
    let body: Body = serde_json::from_slice(&response.body).unwrap_or_default();
    let mut error = Error::new(kind, OPERATION, message).with_context("status", response.status.as_str());
    let wait = retry_after(response, &body.policy_name);
    let named =
        [("category", body.category), ("correlation_id", body.correlation_id), ("policy", body.policy_name)];
    for (key, value) in named {
        if !value.is_empty() {
            error = error.with_context(key, value.chars().take(80).collect::<String>());
        }
    }
    if repeatable { error.with_retry(Retry::After(wait)) } else { error }
}

/// The library's error for a request without an answer. Reads may always be repeated.
pub(super) fn from_failure(failure: HttpFailure) -> Error {
    let (kind, message) = if failure.timed_out {
        (ErrorKind::Timeout, "HubSpot did not answer in time")
    } else {
        (ErrorKind::Unavailable, "HubSpot cannot be reached")
    };
    Error::new(kind, OPERATION, message).with_retry(Retry::After(Duration::ZERO)).with_source(failure)
}

/// The library's error for a refused request of an access token. HubSpot's message is left out: it may repeat what was sent.
pub(super) fn of_token(response: &HttpResponse) -> Error {
    let (kind, message) = match response.status {
        StatusCode::TOO_MANY_REQUESTS => (ErrorKind::Throttled, "HubSpot asks to slow down"),
        status if status.is_server_error() => {
            (ErrorKind::Unavailable, "HubSpot failed to give an access token")
        }
        _ => (
            ErrorKind::Unauthorized,
            "HubSpot gives no access token: check hubspot.oauth's client_id, client_secret and refresh_token, and that the app is still installed",
        ),
    };
    let error =
        Error::new(kind, super::oauth::OPERATION, message).with_context("status", response.status.as_str());
    if kind == ErrorKind::Unauthorized {
        error
    } else {
        error.with_retry(Retry::After(retry_after(response, "")))
    }
}

/// How long HubSpot asks to wait: by its header, else by the limit that it names.
fn retry_after(response: &HttpResponse, policy: &str) -> Duration {
    let header = response.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    match header {
        Some(seconds) => Duration::from_secs(seconds),
        None if policy.contains("TEN_SECONDLY") => TEN_SECONDS,
        None if policy.contains("SECONDLY") => Duration::from_secs(1),
        None if policy.contains("DAILY") => AN_HOUR,
        None => Duration::ZERO,
    }
}
