//! The command `xynergy`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(xynergy::cli::main(std::env::args_os()))
}
