//! `xynergy run`

use std::cell::Cell;
use std::future::Future;
use std::time::Duration;

use clap::Args;
use tokio::sync::Notify;

use super::INTERRUPTED;
use super::command_line::DONE;
use super::desk::Place;
use super::output::{Ended, show};
use crate::Result;
use crate::execution::{RunOptions, RunReport};

/// SIGTERM, as shells count it.
const TERMINATED: u8 = 143;

/// Apply budget changes as they fall due, until Ctrl-C or SIGTERM.
///
/// A worker on the service's store, for where no process of the service runs one; as many as you like may run at once. It takes
/// what is due of every tenant, or of --tenant alone, with the credentials of the configuration. At its end it takes nothing
/// new, waits for the steps that are under way, and tells what it did. A second Ctrl-C or SIGTERM does not wait: what was on its
/// way then is found out by reading, by whoever works next.
#[derive(Clone, Debug, Args)]
pub(super) struct Options {
    /// How many changes are worked on at once
    #[arg(long, value_name = "N", default_value_t = RunOptions::default().workers)]
    workers: usize,
    /// How often the store is asked for something due when nothing wakes the worker
    #[arg(long, value_name = "MS", default_value_t = RunOptions::default().poll_ms)]
    poll_ms: u64,
    /// How often late landings are searched for; 0 for never
    #[arg(long, value_name = "MS", default_value_t = RunOptions::default().reconcile_ms)]
    reconcile_ms: u64,
    /// Do what is due now and end
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    place: Place,
}

/// Runs and tells; the exit code says which signal ended it.
pub(super) async fn run(options: &Options) -> Result<u8, String> {
    let (code, stop) = (Cell::new(DONE), Notify::new());
    let signals = async {
        code.set(signal().await);
        tell("no new change is taken; waiting for those under way (once more: end at once)");
        stop.notify_one();
        signal().await
    };
    tokio::select! {
        // In this order, so that a signal is seen from before the work begins.
        biased;
        second = signals => Ok(second),
        ended = work(options, stop.notified()) => {
            let shown = show(ended)?;
            Ok(if shown == DONE { code.get() } else { shown })
        }
    }
}

async fn work(options: &Options, until: impl Future<Output = ()>) -> Result<Ended> {
    let client = options.place.client()?;
    let scope = options.place.scope_of(&client);
    let execution = scope.execution();
    let Options { workers, poll_ms, reconcile_ms, .. } = *options;
    let how = RunOptions { workers, poll_ms, reconcile_ms };
    let report = if options.once {
        let report = tokio::select! {
            report = execution.tick(how) => report?,
            () = until => RunReport::default(),
        };
        client.drain().await;
        report
    } else {
        execution.run(how, until).await?
    };
    if options.place.json { Ended::json(&report) } else { Ok(Ended::text(told(&report))) }
}

fn told(report: &RunReport) -> String {
    let RunReport { steps, completed, blocked, failed, unknown, late, errors, .. } = report;
    let mut text = format!(
        "{steps} steps: {completed} completed, {blocked} blocked, {failed} failed, {unknown} without an answer\n"
    );
    if *late > 0 {
        text.push_str(&format!("{late} requests were found to have landed late\n"));
    }
    if *errors > 0 {
        text.push_str(&format!(
            "{errors} errors of the store or of a tenant's credentials, after each of which it went on\n"
        ));
    }
    text
}

/// The exit code of the next Ctrl-C or SIGTERM.
async fn signal() -> u8 {
    #[cfg(unix)]
    if let Ok(mut terminated) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        return tokio::select! {
            Ok(()) = tokio::signal::ctrl_c() => INTERRUPTED,
            _ = terminated.recv() => TERMINATED,
        };
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a handler there is no signal to wait for.
        tokio::time::sleep(Duration::MAX).await;
    }
    INTERRUPTED
}

#[allow(clippy::print_stderr)]
fn tell(line: &str) {
    eprintln!("xynergy run: {line}");
}
