//! Meta's backend over real HTTP against the sandbox.
#![cfg(all(feature = "meta", feature = "sandbox"))]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod budgets;
mod objects;
mod pacing;
mod reports;
mod support;
