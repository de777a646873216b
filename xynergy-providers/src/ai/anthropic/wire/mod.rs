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

use super::CONTENT;
pub(super) use answer::response;
pub(super) use prefill::Prefill;
pub(super) use request::{Outgoing, outgoing};
pub(super) use stream::StreamReader;

/// What another provider may be able to do: the router moves on.
fn unsupported(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unsupported, "ai.chat", what.into())
}
