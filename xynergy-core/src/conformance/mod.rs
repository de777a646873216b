//! The behaviour that every implementation of a trait must have, as code: call a suite from a test of yours.
//!
//! A suite panics with what is wrong. It says nothing about speed.

// A suite is a test, and a test that fails panics.
#![allow(clippy::unwrap_used, clippy::expect_used)]

pub mod cache;
pub mod provider;
pub mod spend;
