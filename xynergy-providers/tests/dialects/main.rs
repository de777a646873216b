//! The OpenAI-compatible provider over real sockets: what each dialect is sent, and what hostile servers answer.
#![cfg(feature = "ai")]
#![allow(clippy::unwrap_used, clippy::expect_used)] // Helpers of tests are no tests to clippy.

mod embeddings;
mod hostile;
mod requests;
mod support;
