//! Asks one question and prints the answer as JSON: `cargo run --release --example ask -- "PROMPT"`.
//!
//! Without keys the sandbox answers. With `OPENAI_API_KEY`, `ABACUS_API_KEY` or `ANTHROPIC_API_KEY` in the environment, or with `--config FILE`,
//! real providers do. It is the same code as `xynergy ask`.

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
        Ok(Some(options)) => run::run(&options, "ask", on_disk::bundled).await,
        Ok(None) => Ok(command_line::DONE),
        Err(problem) => Err(problem),
    };
    ExitCode::from(command_line::code("ask", ended))
}
