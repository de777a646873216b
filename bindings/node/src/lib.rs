//! The native module: a thin skin over `xynergy-bindings`.
//!
//! It is private: `lib/` is what users see. Values cross as JSON. Whatever native code has to say later (answers of calls, calls of host
//! objects, events, log lines) is gathered in one [mailbox](mailbox::Mailbox) for each Node environment, which JavaScript empties in one
//! go whenever it is woken.

mod clock;
mod engine;
mod environment;
mod host;
mod json;
mod mailbox;
mod router;
mod sandbox;

use napi::Error;
use napi_derive::napi;
use xynergy_bindings::Failure;

/// An error whose message is the failure's JSON; the JavaScript side makes the public one of it.
fn refused(failure: impl Into<Failure>) -> Error {
    Error::from_reason(failure.into().to_json())
}

/// A JSON text in the form that is the same, byte for byte, in every language.
///
/// # Errors
/// The text is no JSON.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value, reason = "a string from JavaScript arrives owned")]
pub fn canonical_json(text: String) -> napi::Result<String> {
    xynergy_bindings::canonical_json(&text).map_err(refused)
}

/// The least level of the log that reaches JavaScript; one for the process.
///
/// # Errors
/// There is no such level.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value, reason = "a string from JavaScript arrives owned")]
pub fn set_log_level(level: String) -> napi::Result<()> {
    xynergy_bindings::set_log_level(&level).map_err(refused)
}

/// The version of the package.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Runs the command line and returns its exit code. It blocks until the end.
#[napi(catch_unwind)]
pub fn command_line(arguments: Vec<String>) -> u8 {
    xynergy_bindings::command_line(arguments.into_iter().map(Into::into))
}
