//! The one engine that the Python, Node and Swift bindings call.
//!
//! A binding is a thin skin: it turns the host language's values into JSON and back, and its futures into the host's.
//! Everything else is here, once: which calls there are ([`methods`]), their description from which each language's types are
//! generated ([`description`]), cancellation by call id, caught panics, logs and events through one bounded queue
//! ([`outbox`]), objects of the host behind the library's traits ([`host`]), and one runtime for each process, which survives a fork
//! ([`runtime`], [`fork`]).
//!
//! JSON is the form of every value at the border because it is the same in every language, down to the byte. The engine reads
//! it into typed values, so that a wrong one is refused with the argument's name before anything starts.

mod call;
#[cfg(feature = "describe")]
pub mod description;
mod engine;
mod failure;
pub mod fork;
pub mod host;
pub mod methods;
mod options;
pub mod outbox;
pub mod runtime;
mod sandbox;
mod streams;
mod telemetry;
pub mod testing;

pub use call::CallInfo;
pub use engine::{Engine, Origin, Outcome, current_call, current_origin};
pub use failure::Failure;
pub use methods::canonical_json;
pub use options::{Backends, Options};
pub use sandbox::SandboxHandle;
pub use telemetry::set_log_level;
#[cfg(feature = "arrow")]
pub use xynergy::batch;
#[cfg(feature = "cli")]
pub use xynergy::cli::main as command_line;
pub use xynergy::env::{Clock, ManualClock};
pub use xynergy::{Error, ErrorKind, Timestamp};
