use std::error::Error as StdError;
use std::fmt;

use serde_json::Value;
use xynergy::{Error, ErrorKind};

use crate::host::HostFault;

/// An error on its way to the host: the one shape of every language, as JSON.
#[derive(Debug)]
pub struct Failure(Error);

impl Failure {
    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind()
    }

    /// `{kind, message, operation, retryable, retry_after_ms, context, cause, causes, host_token}`: `causes` is the chain below it, the
    /// nearest first, and `host_token` names the exception of the host that is behind it, where there is one. `partial_text` is
    /// there where an answer broke off.
    pub fn to_value(&self) -> Value {
        let mut value = serde_json::to_value(&self.0).unwrap_or_default();
        let mut causes = Vec::new();
        let mut token = None;
        let mut next = self.0.source();
        while let Some(cause) = next {
            token = token.or_else(|| cause.downcast_ref::<HostFault>().and_then(|fault| fault.token));
            causes.push(Value::from(cause.to_string()));
            next = cause.source();
        }
        if let Value::Object(object) = &mut value {
            object.insert("causes".to_owned(), causes.into());
            object.insert("host_token".to_owned(), token.into());
        }
        value
    }

    /// The same as JSON text.
    pub fn to_json(&self) -> String {
        self.to_value().to_string()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Failure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}
