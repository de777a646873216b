//! Verifies the history of every budget change in a store, offline: `cargo run --example verify_audit -- PATH|URL`.
//!
//! Each row is sealed with the one before it, so that one that was altered, replaced or removed is found, and so is an end
//! that was cut off. Whoever can write to the database can also cut the end off and write the head anew: that is what an
//! anchor is for, a copy of the heads that is kept somewhere else.
//!
//! Exit code 1 when something is wrong.

#[path = "../shared/command_line.rs"]
#[allow(dead_code, reason = "this one has no data")]
mod command_line;
#[path = "run.rs"]
mod run;

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let ended = match command_line::parse(std::env::args_os()) {
        Ok(Some(options)) => match run::run(&options).await {
            Ok((text, code)) => command_line::print(&text).map(|()| code),
            Err(problem) => Err(problem),
        },
        Ok(None) => Ok(command_line::DONE),
        Err(problem) => Err(problem),
    };
    ExitCode::from(command_line::code("verify_audit", ended))
}
