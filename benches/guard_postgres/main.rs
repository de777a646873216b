//! What a guard costs on PostgreSQL beside the least that any guard would do, how fast a queued change is claimed, and
//! whether a long queue starves anybody: `cargo bench --bench guard_postgres --features postgres`.
//!
//! Needs `XYNERGY_TEST_POSTGRES` (`tests/services start DIR` starts a server with durable settings). A part by its name:
//! `... -- guard`, `wake` or `queue`.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod bare;
mod guard;
mod queue;
mod wake;
mod world;

use world::World;

fn main() {
    let Ok(url) = std::env::var("XYNERGY_TEST_POSTGRES") else {
        println!("skipped: XYNERGY_TEST_POSTGRES is not set (tests/services start DIR)");
        return;
    };
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let runs = |part: &str| wanted.is_empty() || wanted.iter().any(|w| w == part);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        if runs("guard") {
            guard::run(&url).await;
        }
        if runs("wake") {
            wake::run(&url).await;
        }
        if runs("queue") {
            queue::run(&url).await;
        }
    });
}

/// The value that so many of a hundred are not above.
fn percentile(sorted: &[std::time::Duration], percent: usize) -> std::time::Duration {
    sorted[(sorted.len() * percent).div_ceil(100).clamp(1, sorted.len()) - 1]
}
