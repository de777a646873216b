//! What providers really send, at every cut, and every fault on the way, over real sockets.
#![cfg(feature = "ai")]
#![allow(clippy::unwrap_used)] // Helpers of tests are no tests to clippy.

mod anthropic;
mod chat;
mod faults;
mod load;
mod replay;
mod responses;
mod server;
