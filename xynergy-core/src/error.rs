//! The one error type of the library.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

/// The result of every fallible call of the library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn StdError + Send + Sync + 'static>;

/// What went wrong, as a caller would branch on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The outcome of a write is unknown: it was sent, and no answer tells whether it took effect.
    Ambiguous,
    /// The call was cancelled by the caller.
    Cancelled,
    /// The configuration is wrong; nothing was started.
    ConfigInvalid,
    /// What is stored contradicts itself or the request (a newer database, a changed precondition).
    Conflict,
    /// A content filter refused the request or the answer.
    ContentFiltered,
    /// The prompt does not fit the model's context window.
    ContextTooLong,
    /// A stored file or row cannot be read back as what it should be.
    Corrupt,
    /// An argument is wrong; the message names the field.
    InvalidInput,
    /// A limit that the user set (spend, budget, kill switch) refuses the call.
    LimitExceeded,
    /// The object does not exist.
    NotFound,
    /// The other side refused the request as it stands.
    Rejected,
    /// The other side asks to slow down.
    Throttled,
    /// No answer came in time.
    Timeout,
    /// The credentials are missing, wrong or without the permission.
    Unauthorized,
    /// A dependency is away or broken.
    Unavailable,
    /// A defect of this library.
    Unexpected,
    /// The backend has no such ability.
    Unsupported,
}

impl ErrorKind {
    /// The kind's name as it appears in every language.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ambiguous => "ambiguous",
            Self::Cancelled => "cancelled",
            Self::ConfigInvalid => "config_invalid",
            Self::Conflict => "conflict",
            Self::ContentFiltered => "content_filtered",
            Self::ContextTooLong => "context_too_long",
            Self::Corrupt => "corrupt",
            Self::InvalidInput => "invalid_input",
            Self::LimitExceeded => "limit_exceeded",
            Self::NotFound => "not_found",
            Self::Rejected => "rejected",
            Self::Throttled => "throttled",
            Self::Timeout => "timeout",
            Self::Unauthorized => "unauthorized",
            Self::Unavailable => "unavailable",
            Self::Unexpected => "unexpected",
            Self::Unsupported => "unsupported",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether the same call may be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The same call fails the same way, or must not be repeated.
    Never,
    /// It may be repeated after this time.
    After(Duration),
    /// It was temporary, and the retries are already spent; an outer layer must not multiply them.
    Exhausted,
}

/// An error: a kind, one sentence, the operation, whether to retry, context pairs and the cause.
///
/// Secrets never enter it: whoever builds one passes names and numbers, not credentials or bodies.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    operation: &'static str,
    retry: Retry,
    context: Vec<(&'static str, String)>,
    partial_text: Option<String>,
    source: Option<Source>,
}

impl Error {
    /// An error of `kind` in `operation` (`area.method`, as `ai.chat`), not to be retried.
    pub fn new(kind: ErrorKind, operation: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            operation,
            retry: Retry::Never,
            context: Vec::new(),
            partial_text: None,
            source: None,
        }))
    }

    /// An [`ErrorKind::InvalidInput`] whose message names the field, the problem and the way out.
    pub fn invalid(operation: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::InvalidInput, operation, message)
    }

    /// The same error with another operation: set by the outermost call that gives it a meaning.
    #[must_use]
    pub fn in_operation(mut self, operation: &'static str) -> Self {
        self.0.operation = operation;
        self
    }

    /// The same error with whether to retry.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// The same error with one more context pair, such as the provider's name.
    #[must_use]
    pub fn with_context(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.0.context.push((key, value.into()));
        self
    }

    /// The same error with what had come of an answer before it broke off. It is the model's text: it is serialised, and neither
    /// `Display` nor `Debug` shows it, so that it does not reach a log.
    #[must_use]
    pub fn with_partial_text(mut self, text: impl Into<String>) -> Self {
        self.0.partial_text = Some(text.into());
        self
    }

    /// The same error with its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// One sentence for a person.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The call in which it happened, as `ai.chat`.
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// Whether the same call may be made again.
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// What had come of an answer before it broke off, where something had.
    pub fn partial_text(&self) -> Option<&str> {
        self.0.partial_text.as_deref()
    }

    /// The context pairs in the order in which they were added.
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.0.context
    }
}

impl fmt::Display for Error {
    /// One line: `operation: message (key=value, ...): cause`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.operation, self.0.message)?;
        for (i, (key, value)) in self.0.context.iter().enumerate() {
            write!(f, "{}{key}={value}", if i == 0 { " (" } else { ", " })?;
        }
        if !self.0.context.is_empty() {
            f.write_str(")")?;
        }
        if let Some(source) = &self.0.source {
            write!(f, ": {source}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("operation", &self.0.operation)
            .field("message", &self.0.message)
            .field("retry", &self.0.retry)
            .field("context", &self.0.context)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|s| s as &(dyn StdError + 'static))
    }
}

impl Serialize for Error {
    /// `{kind, message, operation, retryable, retry_after_ms, context, cause}`, the shape of every language, and `partial_text`
    /// where an answer broke off.
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let retry_after_ms = match self.0.retry {
            Retry::After(after) => Some(u64::try_from(after.as_millis()).unwrap_or(u64::MAX)),
            Retry::Never | Retry::Exhausted => None,
        };
        let context: std::collections::BTreeMap<_, _> =
            self.0.context.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let mut s = serializer.serialize_struct("Error", 7 + usize::from(self.0.partial_text.is_some()))?;
        s.serialize_field("kind", &self.0.kind)?;
        s.serialize_field("message", &self.0.message)?;
        s.serialize_field("operation", self.0.operation)?;
        s.serialize_field("retryable", &retry_after_ms.is_some())?;
        s.serialize_field("retry_after_ms", &retry_after_ms)?;
        s.serialize_field("context", &context)?;
        s.serialize_field("cause", &self.0.source.as_ref().map(ToString::to_string))?;
        if let Some(text) = &self.0.partial_text {
            s.serialize_field("partial_text", text)?;
        }
        s.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Error {
        Error::new(ErrorKind::Throttled, "ads.update", "the account is over its limit")
            .with_retry(Retry::After(Duration::from_millis(1500)))
            .with_context("code", "17")
            .with_context("account", "act_1")
            .with_source("HTTP 400")
    }

    #[test]
    fn displays_on_one_line() {
        assert_eq!(
            sample().to_string(),
            "ads.update: the account is over its limit (code=17, account=act_1): HTTP 400"
        );
    }

    #[test]
    fn serialises_to_the_shape_of_every_language() {
        let json = serde_json::to_value(sample()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "kind": "throttled", "message": "the account is over its limit", "operation": "ads.update",
                "retryable": true, "retry_after_ms": 1500,
                "context": {"code": "17", "account": "act_1"}, "cause": "HTTP 400"
            })
        );
    }

    #[test]
    fn the_partial_text_is_told_to_the_caller_and_to_no_log() {
        let error = sample().with_partial_text("a poem");
        assert_eq!(error.partial_text(), Some("a poem"));
        assert_eq!(serde_json::to_value(&error).unwrap()["partial_text"], "a poem");
        assert!(!format!("{error} {error:?}").contains("poem"));
    }

    #[test]
    fn an_exhausted_error_is_not_retryable() {
        let json = serde_json::to_value(sample().with_retry(Retry::Exhausted)).unwrap();
        assert_eq!(json["retryable"], false);
    }
}
