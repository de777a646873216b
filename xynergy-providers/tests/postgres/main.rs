//! The stores in PostgreSQL, against the server that `XYNERGY_TEST_POSTGRES` names (`tests/services` starts one).
#![cfg(feature = "postgres")]
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod attribution;
mod changes;
mod click_days;
mod faults;
mod migrations;
mod open;
mod race;
mod spend;
mod state;
mod support;
