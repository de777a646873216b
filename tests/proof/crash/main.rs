//! A crash at every await point and between every two statements, enumerated: another process goes on, and nothing is
//! lost, doubled or unaudited.
//!
//! `XYNERGY_PROOF_FULL=1` takes every point of every unit of work; otherwise one in a few, and another one in each run
//! of a unit.

mod check;
mod child;
#[cfg(feature = "postgres")]
mod cut_off;

mod hourly;
mod killed;
mod place;

mod site;
mod statements;

mod unit;
#[cfg(feature = "postgres")]
mod wire;

/// What a child of one of the tests does; nothing when nobody started it as one.
#[test]
#[ignore = "the tests start it"]
fn child() {
    child::work();
}

/// Whether every point is to be taken.
fn full() -> bool {
    std::env::var_os("XYNERGY_PROOF_FULL").is_some()
}
