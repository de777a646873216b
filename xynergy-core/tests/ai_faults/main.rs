//! What happens to a request when things go wrong. Time is tokio's, paused.
#![allow(clippy::unwrap_used)] // Helpers of tests are no tests to clippy.

mod breaker;
mod figures;
mod hedge;
mod load;
mod matrix;
mod spans;
mod streams;
mod support;
