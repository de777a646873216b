//! One run from the command line to the report.
#![allow(clippy::print_stderr)]

mod clock;
mod explain;
mod gather;
mod inputs;
mod options;
mod report;
mod stages;
mod world;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use inputs::Inputs;
pub(crate) use options::Options;
use report::Report;
use stages::{Run, Stopped};
use world::{World, line};

use super::command_line::{Bundled, DONE, WRONG_USE, print};

/// The run failed.
const FAILED: u8 = 1;
/// Ctrl-C, as shells count it.
const INTERRUPTED: u8 = 130;

/// What runs the loop: the example, or the command line.
pub(crate) struct Host {
    /// What messages begin with.
    pub(crate) name: &'static str,
    /// The command that a reader of the report would type.
    pub(crate) command: &'static str,
    /// The inputs where no file is given.
    pub(crate) bundled: Bundled,
    /// The path of a new store where none is given.
    pub(crate) fresh_store: fn() -> Result<PathBuf, String>,
}

/// Runs the loop once, shows its report and says the exit code.
///
/// # Errors
/// One line on a wrong option or input; nothing was started.
pub(crate) async fn run(options: &Options, host: &Host) -> Result<u8, String> {
    options.check()?;
    let inputs = Inputs::read(options, host.bundled)?;
    options.prepare_report()?;
    let interrupted = Arc::new(AtomicBool::new(false));
    watch_for_interrupt(interrupted.clone());
    let world = World::build(options, &inputs, host).await?;
    let mut run = Run {
        host,
        options,
        inputs: &inputs,
        world: &world,
        id: inputs.run_id(options.seed, world.asked),
        interrupted,
        problems: Vec::new(),
        counts: stages::InputCounts::default(),
        plan: None,
    };
    let ended = match run.go().await {
        Ok(()) => finish(&mut run).await,
        Err(Stopped::Interrupted) => Err(Stopped::Interrupted),
        Err(failed) => Err(failed),
    };
    world.sandbox.shutdown().await;
    match ended {
        Ok(()) => Ok(DONE),
        Err(Stopped::Interrupted) => {
            eprintln!(
                "{}: interrupted; what was in flight is settled, and the same command goes on from here",
                host.name
            );
            Ok(INTERRUPTED)
        }
        Err(Stopped::Failed(error)) => {
            eprintln!("{}: {}", host.name, line(&error));
            let wrong_use = error.kind() == xynergy::ErrorKind::ConfigInvalid;
            Ok(if wrong_use { WRONG_USE } else { FAILED })
        }
    }
}

/// Asks for the sentences, and shows the report.
async fn finish(run: &mut Run<'_>) -> Result<(), Stopped> {
    let changes = run.changes().await?;
    run.explain(&changes).await?;
    let report = run.report().await?;
    show(run.options, &report).map_err(|problem| {
        Stopped::Failed(xynergy::Error::new(xynergy::ErrorKind::Unavailable, "closed_loop.report", problem))
    })
}

fn show(options: &Options, report: &Report) -> Result<(), String> {
    let page = report.to_page().map_err(|e| format!("the page cannot be drawn ({e})"))?;
    std::fs::write(&options.report, page).map_err(|e| {
        format!("{} cannot be written ({e}): give --report another path", options.report.display())
    })?;
    for problem in &report.details.problems {
        eprintln!("skipped: {problem}");
    }
    let text = if options.json {
        report.to_json().map_err(|e| format!("the report cannot be written as JSON ({e})"))?
    } else {
        format!("{}page:  {}\n", report.to_tables(), options.report.display())
    };
    print(&text)
}

/// The first Ctrl-C ends the run between two steps; the second ends the process.
fn watch_for_interrupt(interrupted: Arc<AtomicBool>) {
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            if interrupted.swap(true, Ordering::SeqCst) {
                std::process::exit(i32::from(INTERRUPTED));
            }
        }
    });
}
