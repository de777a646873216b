//! Anthropic's Messages API: recorded and written exchanges at every cut, and faults over real sockets.
#![cfg(feature = "ai")]
#![allow(clippy::unwrap_used, clippy::print_stdout)] // Helpers of tests are no tests to clippy.

mod exchanges;
mod faults;
mod requests;
mod support;
