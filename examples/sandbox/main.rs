//! Serves the sandbox on a port: `cargo run --example sandbox`.
//!
//! Point a backend under development at the printed addresses instead of OpenAI, Abacus.AI, Meta and HubSpot. `GET /_sandbox/`
//! says how it is watched and steered. It is the same code as `xynergy sandbox`.

#[path = "../shared/command_line.rs"]
mod command_line;
#[path = "../shared/on_disk.rs"]
mod on_disk;
#[path = "run.rs"]
mod run;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let ended = match command_line::parse(std::env::args_os()) {
        Ok(Some(options)) => run::run(&options, on_disk::bundled).await,
        Ok(None) => Ok(command_line::DONE),
        Err(problem) => Err(problem),
    };
    ExitCode::from(command_line::code("sandbox", ended))
}
