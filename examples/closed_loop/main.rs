//! The whole loop on one command: ad clicks and CRM webhooks in, guarded budget changes out.
//!
//! `cargo run --release --example closed_loop` needs no keys, no servers and no network. The AI providers, the ad
//! platform and the CRM are a sandbox on loopback; the store is a real SQLite file. The same command again resumes a run
//! that was killed.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod clock;
#[path = "../shared/command_line.rs"]
mod command_line;
mod explain;
mod gather;
mod inputs;
mod options;
mod report;
mod stages;
mod world;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use inputs::Inputs;
use options::Options;
use report::Report;
use stages::{Run, Stopped};
use world::{World, line};

/// Wrong use: nothing was started.
const WRONG_USE: u8 = 2;
/// Ctrl-C, as shells count it.
const INTERRUPTED: u8 = 130;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("closed_loop: {problem}");
            ExitCode::from(WRONG_USE)
        }
    }
}

async fn run() -> Result<ExitCode, String> {
    let options = Options::from_command_line()?;
    let inputs = Inputs::read(&options)?;
    options.prepare_report()?;
    let interrupted = Arc::new(AtomicBool::new(false));
    watch_for_interrupt(interrupted.clone());
    let world = World::build(&options, &inputs).await?;
    let mut run = Run {
        options: &options,
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
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(Stopped::Interrupted) => {
            eprintln!(
                "closed_loop: interrupted; what was in flight is settled, and the same command goes on from here"
            );
            Ok(ExitCode::from(INTERRUPTED))
        }
        Err(Stopped::Failed(error)) => {
            eprintln!("closed_loop: {}", line(&error));
            let wrong_use = error.kind() == xynergy::ErrorKind::ConfigInvalid;
            Ok(if wrong_use { ExitCode::from(WRONG_USE) } else { ExitCode::FAILURE })
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
    match std::io::stdout().write_all(text.as_bytes()) {
        // Whoever reads may have seen enough, as `head` has.
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(format!("the report cannot be printed ({e})"))
        }
        _ => Ok(()),
    }
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
