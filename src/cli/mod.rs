//! The command `xynergy`, as a function: the program, the Python wheel and the npm package call the same one.
//!
//! `demo`, `ask` and `sandbox` are the examples of the repository, and read there.

mod approve;
mod bundled;
mod changes;
#[path = "../../examples/shared/command_line.rs"]
mod command_line;
mod desk;
mod health;
mod kill;
mod migrate;
mod output;
mod run;
mod verify_audit;

#[path = "../../examples/ask/run.rs"]
mod ask;
#[path = "../../examples/closed_loop/run.rs"]
mod demo;
#[path = "../../examples/sandbox/run.rs"]
mod sandbox;

use std::ffi::OsString;
use std::future::Future;
use std::io::Write;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use output::Ended;

/// Ctrl-C, as shells count it.
const INTERRUPTED: u8 = 130;

/// AI routing, attribution, ad-budget allocation and safe ad-platform execution, from the command line.
#[derive(Debug, Parser)]
#[command(name = "xynergy", version, arg_required_else_help = false, after_help = EXIT_CODES)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "demo, ask and sandbox need nothing. The others work on the store of --config, or of DATABASE_URL.\n\n\
    Exit codes: 0 done, 1 failed, 2 wrong use, 130 Ctrl-C, 143 SIGTERM.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the closed loop once, on bundled data against the sandbox
    Demo(Box<demo::Options>),
    /// Ask one question, and print the answer as JSON
    Ask(ask::Options),
    /// Serve stand-ins for the AI providers, Meta and HubSpot until Ctrl-C
    Sandbox(sandbox::Options),
    /// Bring the store's tables to this version, or print the SQL that would
    Migrate(migrate::Options),
    /// List budget changes, show one with its history, and decide about them
    Changes(Box<changes::Options>),
    /// Approve the budget changes that wait under a digest
    Approve(approve::Options),
    /// Switch a kill switch on or off, or show those that are on
    Kill(kill::Options),
    /// Apply budget changes as they fall due, until Ctrl-C or SIGTERM
    Run(run::Options),
    /// Verify the audit chain of every budget change
    VerifyAudit(verify_audit::Options),
    /// Ask the store, the CRM and the ad platform how they fare
    Health(health::Options),
}

/// Runs the command line and returns its exit code: 0 done, 1 failed, 2 wrong use, 130 Ctrl-C, 143 a
/// `run` that SIGTERM ended. The first argument is the
/// program's name, whatever it is.
///
/// It has a runtime of its own and blocks until the end, so it must not be called from an asynchronous task. It prints to
/// standard output and error and leaves no subscriber and no panic hook behind. A handler of Ctrl-C stays, which hands
/// on to the one that was there before: where that was the system's own, Ctrl-C no longer ends the process afterwards. Only a
/// second Ctrl-C in `demo` ends the process from within.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let ended = match command_line::parse::<CommandLine>(arguments) {
        Ok(None) => Ok(command_line::DONE),
        Ok(Some(line)) => run(line.command),
        Err(problem) => Err(problem),
    };
    let code = command_line::code("xynergy", ended);
    // A host that is no Rust program flushes nothing of ours at its end.
    let _ = std::io::stdout().flush();
    code
}

fn run(command: Command) -> Result<u8, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| format!("the threads cannot be started ({e})"))?;
    runtime.block_on(async {
        match command {
            Command::Demo(options) => Box::pin(demo::run(&options, &DEMO)).await,
            Command::Ask(options) => {
                until_interrupted(ask::run(&options, "xynergy ask", bundled::bundled)).await
            }
            Command::Sandbox(options) => sandbox::run(&options, bundled::bundled).await,
            Command::Migrate(options) => operate(migrate::run(&options)).await,
            Command::Changes(options) => operate(Box::pin(changes::run(&options))).await,
            Command::Approve(options) => operate(approve::run(&options)).await,
            Command::Kill(options) => operate(kill::run(&options)).await,
            Command::Run(options) => Box::pin(run::run(&options)).await,
            Command::VerifyAudit(options) => operate(verify_audit::run(&options)).await,
            Command::Health(options) => operate(health::run(&options)).await,
        }
    })
}

/// A command on the user's own store.
async fn operate(work: impl Future<Output = xynergy::Result<Ended>>) -> Result<u8, String> {
    until_interrupted(async { output::show(work.await) }).await
}

/// Drops the work at Ctrl-C: every call of the library may be dropped at any point.
async fn until_interrupted(work: impl Future<Output = Result<u8, String>>) -> Result<u8, String> {
    tokio::select! {
        // In this order, so that Ctrl-C is seen from before the work begins.
        biased;
        Ok(()) = tokio::signal::ctrl_c() => Ok(INTERRUPTED),
        ended = work => ended,
    }
}

const DEMO: demo::Host =
    demo::Host { name: "xynergy demo", command: "xynergy demo", bundled: bundled::bundled, fresh_store };

/// A path in a new folder that nobody else can write to.
fn fresh_store() -> Result<PathBuf, String> {
    let folder = tempfile::Builder::new()
        .prefix("xynergy-demo-")
        .tempdir()
        .map_err(|e| format!("no folder for the store can be made ({e}): give --store"))?;
    Ok(folder.keep().join("run.sqlite"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }
}
