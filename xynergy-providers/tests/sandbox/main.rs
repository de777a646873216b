//! The sandbox over real HTTP on loopback.

#![cfg(feature = "sandbox")]
#![allow(clippy::unwrap_used)]

mod ai;
mod clients;
mod control;
mod crm;
mod faults;
mod graph;
mod log;
mod objects;
mod support;
