//! The behaviour that every implementation of a trait must show, as code.
//!
//! Call a suite from a test with an empty backend; it panics at the first behaviour that differs. Suites write to
//! the backend and are no part of the stable interface. They say nothing about speed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod ads;
pub mod cache;
mod changes;
mod clicks;
mod crm;
pub mod embedder;
mod executor;
pub mod provider;
pub mod rate;
mod revenue;
pub mod spend;
mod state;
mod vector;

pub use ads::ad_platform;
pub use changes::{change_store, change_stores_agree};
pub use clicks::click_store;
pub use crm::crm;
pub use executor::simulate as simulation;
pub use executor::{executor, executor_crashes, executor_edits, executor_simulation, executor_zombies};
pub use revenue::revenue_store;
pub use state::state_store;
pub use vector::vector_index;
