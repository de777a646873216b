//! A crash at every await point and between every two statements, enumerated: another process goes on, and nothing is
//! lost, doubled or unaudited.
//!
//! `XYNERGY_PROOF_FULL=1` takes every point of every unit of work; otherwise it is one in many.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod check;
mod child;
#[cfg(feature = "postgres")]
mod cut_off;

mod hourly;
mod killed;
mod place;
mod places;

mod site;
mod statements;
mod torn;

mod unit;
#[cfg(feature = "postgres")]
mod wire;

/// What a child of one of the tests does; nothing when nobody started it as one.
#[test]
#[ignore = "the tests start it"]
fn child() {
    child::work();
}

/// The units of work to be tried: those whose names begin with `XYNERGY_PROOF_UNIT`, all when it is not set.
fn units() -> impl Iterator<Item = (u64, unit::Unit)> {
    let only = std::env::var("XYNERGY_PROOF_UNIT").unwrap_or_default();
    (0..).zip(unit::Unit::ALL).filter(move |(_, unit)| format!("{unit:?}").starts_with(&only))
}

/// Whether every point is to be taken.
fn full() -> bool {
    std::env::var_os("XYNERGY_PROOF_FULL").is_some()
}
