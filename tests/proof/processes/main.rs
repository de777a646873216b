//! Real processes: workers that are killed with -9 at random and started again, a database that is restarted, a platform
//! that loses answers, lets writes land late, throttles and is edited by people. In the end the platform's own log is
//! judged by a program that shares no code with the library.
//!
//! `XYNERGY_PROOF_FULL=1`: 16 workers for 60 s on PostgreSQL; 6 workers for 15 s otherwise, and on SQLite too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod chaos;
mod database;
mod field;
mod judge;
mod load;
mod role;
mod run;

use std::sync::Mutex;

use database::Database;

/// One run has the machine to itself.
static MACHINE: Mutex<()> = Mutex::new(());

/// What a process that one of the tests starts does.
#[test]
#[ignore = "the tests start it"]
fn role() {
    role::play();
}

fn full() -> bool {
    std::env::var_os("XYNERGY_PROOF_FULL").is_some()
}

#[cfg(feature = "postgres")]
#[test]
fn workers_on_postgres_are_killed_and_every_invariant_holds() {
    let _machine = MACHINE.lock();
    let size = if full() {
        run::Size { workers: 16, seconds: 60, restarts: true }
    } else {
        run::Size { workers: 6, seconds: 15, restarts: true }
    };
    run::run_all(Database::postgres, &size);
}

#[test]
fn workers_on_sqlite_are_killed_and_every_invariant_holds() {
    let _machine = MACHINE.lock();
    let size = run::Size { workers: 6, seconds: if full() { 60 } else { 15 }, restarts: false };
    run::run_all(|| Some(Database::sqlite()), &size);
}
