//! The behaviour that every implementation of a trait must show, as code.
//!
//! Call a suite from a test with an empty backend; it panics at the first behaviour that differs. Suites write to
//! the backend and are no part of the stable interface.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod ads;
mod changes;
mod executor;
mod state;

pub use ads::ad_platform;
pub use changes::{change_store, change_stores_agree};
pub use executor::{Simulated, executor, executor_simulation};
pub use state::state_store;
