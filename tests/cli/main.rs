//! The command `xynergy` as a user starts it.
#![allow(clippy::unwrap_used)]

mod examples;
mod operate;
mod readme;
mod support;
mod use_of_it;
mod workers;
