//! Both directions between chat completions and the Messages API, without I/O.

mod answer;
mod conversation;
mod prefill;
mod request;
mod stream;
#[cfg(test)]
mod tests;
mod tools;
mod usage;

use xynergy_core::{Error, ErrorKind};

pub(super) use answer::response;
pub(super) use prefill::Prefill;
pub(super) use request::{Outgoing, outgoing};
pub(super) use stream::StreamReader;

/// The field of a message with the blocks of an answer as they came, where chat completions have no place for them.
const CONTENT: &str = "anthropic_content";

/// What another provider may be able to do: the router moves on.
fn unsupported(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unsupported, "ai.chat", what.into())
}
