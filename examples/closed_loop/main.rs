//! The whole loop on one command: ad clicks and CRM webhooks in, guarded budget changes out.
//!
//! `cargo run --release --example closed_loop` needs no keys, no servers and no network. The AI providers, the ad
//! platform and the CRM are a sandbox on loopback; the store is a real SQLite file. The same command again resumes a run
//! that was killed. `run.rs` is the way through it, `stages.rs` what it does; it is the same code as `xynergy demo`.

#[path = "../shared/command_line.rs"]
mod command_line;
#[path = "../shared/on_disk.rs"]
mod on_disk;
#[path = "run.rs"]
mod run;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HOST: run::Host = run::Host {
    name: "closed_loop",
    command: "cargo run --release --example closed_loop",
    bundled: on_disk::bundled,
    fresh_store,
};

#[tokio::main]
async fn main() -> ExitCode {
    let ended = match command_line::parse(std::env::args_os()) {
        Ok(Some(options)) => run::run(&options, &HOST).await,
        Ok(None) => Ok(command_line::DONE),
        Err(problem) => Err(problem),
    };
    ExitCode::from(command_line::code(HOST.name, ended))
}

/// A path that no run has used, under the target directory.
fn fresh_store() -> Result<PathBuf, String> {
    // target/PROFILE/examples/closed_loop
    let program = std::env::current_exe()
        .map_err(|e| format!("the program's own path is unknown ({e}): give --store"))?;
    let target = program.ancestors().nth(3).unwrap_or(Path::new("."));
    let folder = target.join("closed_loop");
    std::fs::create_dir_all(&folder)
        .map_err(|e| format!("{} cannot be made ({e}): give --store", folder.display()))?;
    let micros = xynergy::Clock::now(&xynergy::env::SystemClock).micros();
    Ok(folder.join(format!("run-{micros}-{}.sqlite", std::process::id())))
}
