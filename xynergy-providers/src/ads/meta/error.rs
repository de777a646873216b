//! What Meta's refusals mean. Pure functions of the answer.

use std::collections::BTreeMap;
use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use xynergy_core::ads::{ThrottleScope, WriteClass, WriteFailure};
use xynergy_core::env::{HttpFailure, HttpPhase, HttpResponse};
use xynergy_core::{Error, ErrorKind, Retry};

/// Meta blocks the budget of an ad set for an hour after four changes in one.
const TOO_MANY_BUDGET_CHANGES: (i64, Option<i64>) = (613, Some(1_487_632));

/// "The action is blocked for now": an alert of the abuse detection.
const BLOCKED_FOR_NOW: i64 = 368;

const LONG_BLOCK: Duration = Duration::from_secs(3_600);

/// The wait of a throttled read where Meta names none. Meta counts refused calls too.
const UNSAID_WAIT: Duration = Duration::from_secs(300);

/// How much of Meta's own words is shown.
const MAX_TEXT_CHARS: usize = 240;

/// A longer word may be a token: Meta quotes one that it cannot read.
const MAX_WORD_CHARS: usize = 40;

/// Why Meta did not do what it was asked, or did not say that it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    class: Class,
    retry_after: Option<Duration>,
    status: StatusCode,
    code: Option<i64>,
    subcode: Option<i64>,
    trace: String,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// There is no such object, or it is not the token's to see.
    Missing,
    /// A read asked for more than Meta answers at once.
    TooMuch,
    /// It failed on Meta's side: a write may have taken effect.
    Failed {
        /// Whether Meta says that it would fail again.
        lasting: bool,
    },
    Rejected,
    Throttled,
    Unauthorized,
}

#[derive(Deserialize)]
struct Envelope {
    error: Option<Body>,
}

/// Meta's error body, as far as it is of use.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    code: Option<i64>,
    error_subcode: Option<i64>,
    is_transient: Option<bool>,
    message: Option<String>,
    error_user_msg: Option<String>,
    fbtrace_id: Option<String>,
}

/// The refusal in an answer; `None` for a success. Meta may answer 200 with an error, or with a text of some proxy.
pub(super) fn refusal(response: &HttpResponse) -> Option<Refusal> {
    let envelope: Option<Envelope> = serde_json::from_slice(&response.body).ok();
    let readable = envelope.is_some();
    let body = envelope.and_then(|envelope| envelope.error);
    if response.status.is_success() && readable && body.is_none() {
        return None;
    }
    let body = body.unwrap_or_default();
    let class = classify(response.status, &body);
    let mut refusal = Refusal {
        class,
        retry_after: None,
        status: response.status,
        code: body.code,
        subcode: body.error_subcode,
        trace: words(body.fbtrace_id.as_deref().unwrap_or_default()),
        text: String::new(),
    };
    if class == Class::Throttled {
        refusal.retry_after = retry_after(&response.headers, &body);
    }
    if class != Class::Unauthorized {
        refusal.text = words(body.error_user_msg.or(body.message).as_deref().unwrap_or_default());
    }
    Some(refusal)
}

fn classify(status: StatusCode, body: &Body) -> Class {
    let failed = Class::Failed { lasting: body.is_transient == Some(false) };
    match body.code {
        Some(4 | 17 | 32 | 341 | 613 | BLOCKED_FOR_NOW | 80_000..=80_014) => return Class::Throttled,
        Some(3 | 10 | 102 | 104 | 190 | 200..=299 | 450 | 452) => return Class::Unauthorized,
        Some(1 | 100) if asks_too_much(body) => return Class::TooMuch,
        Some(1 | 2) => return failed,
        _ => {}
    }
    if body.is_transient == Some(true) || status.is_server_error() {
        return failed;
    }
    match (body.code, body.error_subcode) {
        (Some(100), Some(33)) | (Some(803), _) => return Class::Missing,
        (Some(100), _) if status != StatusCode::TOO_MANY_REQUESTS => {
            // Meta knows each type's fields: an ad set's field of a campaign means that the id is of the other level.
            let wrong_level = body.message.as_ref().is_some_and(|m| m.contains("nonexisting field"));
            return if wrong_level { Class::Missing } else { Class::Rejected };
        }
        _ => {}
    }
    match status {
        StatusCode::TOO_MANY_REQUESTS => Class::Throttled,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Class::Unauthorized,
        StatusCode::REQUEST_TIMEOUT => failed,
        status if status.is_client_error() => Class::Rejected,
        // A success that cannot be read, or an error in one whose code is known, or a redirect.
        status if status.is_success() && body.code.is_some() => Class::Rejected,
        _ => failed,
    }
}

/// What Meta says of a query whose rows are too many.
const TOO_MUCH: &str = "Meta finds the answer too large: ask for fewer days";

/// "Please reduce the amount of data you're asking for", by its subcodes or its words.
fn asks_too_much(body: &Body) -> bool {
    let says = |text: &Option<String>| text.as_ref().is_some_and(|t| t.contains("reduce the amount of data"));
    matches!(body.error_subcode, Some(1_487_534 | 1_504_018))
        || says(&body.message)
        || says(&body.error_user_msg)
}

/// Whether a read was refused because its rows are too many.
pub(super) fn is_too_much(error: &Error) -> bool {
    error.kind() == ErrorKind::Rejected && error.message() == TOO_MUCH
}

impl Refusal {
    /// The refusal of an object that was to be created or updated.
    pub(super) fn of_object(&self, operation: &'static str) -> Error {
        match self.class {
            Class::Failed { .. } | Class::TooMuch => {
                let refused = Self { class: Class::Failed { lasting: true }, ..self.clone() };
                let message = "Meta failed to answer: it may have taken effect";
                Error::new(ErrorKind::Ambiguous, operation, message).with_source(refused.of_read(operation))
            }
            _ => self.of_read(operation),
        }
    }

    /// The refusal of a read. A retry waits for as long as Meta asks, 0 for no wish.
    pub(super) fn of_read(&self, operation: &'static str) -> Error {
        let kind = match self.class {
            Class::Missing => ErrorKind::NotFound,
            Class::Failed { lasting: false } => ErrorKind::Unavailable,
            Class::Failed { lasting: true } | Class::Rejected | Class::TooMuch => ErrorKind::Rejected,
            Class::Throttled => ErrorKind::Throttled,
            Class::Unauthorized => ErrorKind::Unauthorized,
        };
        let mut error =
            Error::new(kind, operation, self.sentence()).with_context("status", self.status.as_str());
        let numbers = [("code", self.code), ("subcode", self.subcode)];
        for (key, number) in numbers {
            if let Some(number) = number {
                error = error.with_context(key, number.to_string());
            }
        }
        for (key, text) in [("trace", &self.trace), ("says", &self.text)] {
            if !text.is_empty() {
                error = error.with_context(key, text);
            }
        }
        match self.class {
            Class::Throttled => error.with_retry(Retry::After(self.retry_after.unwrap_or(UNSAID_WAIT))),
            Class::Failed { lasting: false } => error.with_retry(Retry::After(Duration::ZERO)),
            _ => error,
        }
    }

    /// The refusal of a write.
    pub(super) fn of_write(&self) -> WriteFailure {
        let class = match self.class {
            Class::Failed { .. } | Class::TooMuch => WriteClass::Ambiguous,
            Class::Missing | Class::Rejected => WriteClass::Rejected,
            Class::Throttled => WriteClass::Throttled,
            Class::Unauthorized => WriteClass::Unauthorized,
        };
        let mut message = format!("{} (HTTP {}", self.sentence(), self.status.as_str());
        let numbers = [("code", self.code), ("subcode", self.subcode)];
        for (key, number) in numbers {
            if let Some(number) = number {
                message.push_str(&format!(", {key} {number}"));
            }
        }
        if !self.trace.is_empty() {
            message.push_str(&format!(", trace {}", self.trace));
        }
        message.push(')');
        if !self.text.is_empty() {
            message.push_str(&format!(": {}", self.text));
        }
        let of_owner =
            (self.code, self.subcode) == (Some(TOO_MANY_BUDGET_CHANGES.0), TOO_MANY_BUDGET_CHANGES.1);
        let scope = if of_owner { ThrottleScope::Owner } else { ThrottleScope::Account };
        WriteFailure { retry_after: self.retry_after, scope, ..WriteFailure::new(class, message) }
    }

    fn sentence(&self) -> &'static str {
        match self.class {
            Class::Missing => "there is no such object of this level, or the access token may not see it",
            Class::Failed { .. } => "Meta failed to answer",
            Class::Rejected => "Meta refused the request",
            Class::TooMuch => TOO_MUCH,
            Class::Throttled => "Meta asks to slow down",
            Class::Unauthorized => {
                "Meta refuses the access token: check access_token, app_secret and the app's permissions ads_read and \
                 ads_management"
            }
        }
    }
}

/// The error of a read without an answer. Reads may always be repeated.
pub(super) fn unanswered_read(failure: HttpFailure, operation: &'static str) -> Error {
    let (kind, message) = if failure.timed_out {
        (ErrorKind::Timeout, "Meta did not answer in time")
    } else {
        (ErrorKind::Unavailable, "Meta cannot be reached")
    };
    Error::new(kind, operation, message).with_retry(Retry::After(Duration::ZERO)).with_source(failure)
}

/// The error of an object that was to be created or updated, without an answer.
pub(super) fn unanswered_object(failure: HttpFailure, operation: &'static str) -> Error {
    match failure.phase {
        HttpPhase::NotSent => Error::new(ErrorKind::Unavailable, operation, "Meta cannot be reached")
            .with_retry(Retry::After(Duration::ZERO))
            .with_source(failure),
        HttpPhase::MaybeSent => {
            Error::new(ErrorKind::Ambiguous, operation, "Meta did not answer: it may have taken effect")
                .with_source(failure)
        }
    }
}

/// The error of an answer that is no refusal and does not say that it was done either.
pub(super) fn unconfirmed(operation: &'static str) -> Error {
    Error::new(ErrorKind::Ambiguous, operation, "Meta answered without saying that it was done")
}

/// Whether an answer says that it was done.
pub(super) fn says_success(response: &HttpResponse) -> bool {
    let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    answer.get("success") == Some(&Value::Bool(true))
}

/// The failure of a write without an answer.
pub(super) fn unanswered_write(failure: &HttpFailure) -> WriteFailure {
    let (class, message) = match failure.phase {
        HttpPhase::NotSent => (WriteClass::NotSent, "Meta cannot be reached"),
        HttpPhase::MaybeSent => (WriteClass::Ambiguous, "Meta did not answer"),
    };
    WriteFailure::new(class, format!("{message}: {}", words(&failure.message)))
}

/// The failure of a write for whose request something is missing on this side.
pub(super) fn unsent_write(error: &Error) -> WriteFailure {
    let class = match error.kind() {
        ErrorKind::InvalidInput | ErrorKind::ConfigInvalid => WriteClass::Rejected,
        ErrorKind::Unauthorized => WriteClass::Unauthorized,
        _ => WriteClass::NotSent,
    };
    let retry_after = match error.retry() {
        Retry::After(after) if !after.is_zero() => Some(after),
        _ => None,
    };
    WriteFailure { retry_after, ..WriteFailure::new(class, error.message()) }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct BusinessUsage {
    /// Minutes.
    estimated_time_to_regain_access: u32,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AccountUsage {
    /// Seconds.
    reset_time_duration: u32,
}

/// How long Meta asks to wait: the longest of what it says in any place. A header that cannot be read says nothing.
fn retry_after(headers: &HeaderMap, body: &Body) -> Option<Duration> {
    let business: BTreeMap<String, Vec<BusinessUsage>> =
        usage(headers, "x-business-use-case-usage").unwrap_or_default();
    let account: AccountUsage = usage(headers, "x-ad-account-usage").unwrap_or_default();
    let plain: Option<u64> =
        headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let minutes = business.values().flatten().map(|u| u.estimated_time_to_regain_access).max().unwrap_or(0);
    let said = [
        Duration::from_secs(u64::from(minutes) * 60),
        Duration::from_secs(u64::from(account.reset_time_duration)),
        Duration::from_secs(plain.unwrap_or(0)),
    ];
    let blocked = body.code == Some(BLOCKED_FOR_NOW)
        || (body.code, body.error_subcode) == (Some(TOO_MANY_BUDGET_CHANGES.0), TOO_MANY_BUDGET_CHANGES.1);
    let known = if blocked { LONG_BLOCK } else { Duration::ZERO };
    said.into_iter().chain([known]).max().filter(|wait| !wait.is_zero())
}

fn usage<T: DeserializeOwned>(headers: &HeaderMap, name: &str) -> Option<T> {
    serde_json::from_slice(headers.get(name)?.as_bytes()).ok()
}

/// Foreign text for one line of a message: shortened, and without what may be a credential.
fn words(text: &str) -> String {
    let masked: Vec<&str> = text
        .split_whitespace()
        .map(|word| if word.chars().count() > MAX_WORD_CHARS && !word.contains("://") { "***" } else { word })
        .collect();
    masked.join(" ").chars().filter(|c| !c.is_control()).take(MAX_TEXT_CHARS).collect()
}

/// The error for an answer that is not what the API describes.
pub(super) fn corrupt(operation: &'static str, message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Corrupt, operation, message)
}

/// Whether a write was confirmed. Anything but a plain yes leaves open what happened.
pub(super) fn confirmed(response: &HttpResponse) -> Result<(), WriteFailure> {
    if let Some(refusal) = refusal(response) {
        return Err(refusal.of_write());
    }
    if says_success(response) {
        return Ok(());
    }
    Err(WriteFailure::new(
        WriteClass::Ambiguous,
        format!("Meta answered HTTP {} without confirming the write", response.status.as_str()),
    ))
}

#[cfg(test)]
mod tests;
