//! Errors on their way across.

use std::fmt;

use uniffi::UnexpectedUniFFICallbackError;
use xynergy_bindings::host::HostFailure;
use xynergy_bindings::{Error, ErrorKind, Failure};

/// Why a call into the library failed.
#[derive(Debug, uniffi::Error)]
pub enum NativeError {
    /// An error of the library's, as JSON.
    Failed {
        /// The shape of every language: `kind`, `message` and what belongs to them.
        json: String,
    },
}

impl fmt::Display for NativeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Failed { json } = self;
        f.write_str(json)
    }
}

impl std::error::Error for NativeError {}

impl From<Failure> for NativeError {
    fn from(failure: Failure) -> Self {
        Self::Failed { json: failure.to_json() }
    }
}

impl From<Error> for NativeError {
    fn from(error: Error) -> Self {
        Failure::from(error).into()
    }
}

impl From<UnexpectedUniFFICallbackError> for NativeError {
    fn from(unexpected: UnexpectedUniFFICallbackError) -> Self {
        Error::new(ErrorKind::Unexpected, "client", unexpected.reason).into()
    }
}

/// What a method of the host's threw.
#[derive(Debug, uniffi::Error)]
pub enum HostError {
    /// It threw.
    Threw {
        /// The kind, when it was an error of the library's.
        kind: Option<String>,
        /// What it said.
        message: String,
        /// After how many milliseconds it may be tried again.
        retry_after_ms: Option<u64>,
        /// The name by which Swift finds the error itself again.
        token: Option<u64>,
    },
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Threw { message, .. } = self;
        f.write_str(message)
    }
}

impl std::error::Error for HostError {}

impl From<UnexpectedUniFFICallbackError> for HostError {
    fn from(unexpected: UnexpectedUniFFICallbackError) -> Self {
        Self::Threw { kind: None, message: unexpected.reason, retry_after_ms: None, token: None }
    }
}

impl From<HostError> for HostFailure {
    fn from(error: HostError) -> Self {
        let HostError::Threw { kind, message, retry_after_ms, token } = error;
        Self { kind, message, retry_after_ms, token }
    }
}
