//! The command `xynergy` as a user starts it.
#![allow(clippy::unwrap_used)]

mod examples;
mod operate;
mod support;
mod use_of_it;
