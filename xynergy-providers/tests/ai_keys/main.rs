//! Several API keys for one provider, and keys that change.
#![cfg(feature = "ai")]
#![allow(clippy::unwrap_used)] // Helpers of tests are no tests to clippy.

mod canary;
mod support;
mod turns;
