//! The command line of every example: help where it is asked for, and one line where it is wrong.

use std::path::{Path, PathBuf};

use clap::Parser;

/// Reads the options; prints the help and ends the program when asked to.
///
/// # Errors
/// One line that says what is wrong and where the options are listed.
pub(crate) fn parse<T: Parser>() -> Result<T, String> {
    T::try_parse().map_err(|error| {
        if !error.use_stderr() {
            error.exit();
        }
        let text = error.to_string();
        let problem: Vec<&str> = text
            .lines()
            .map(str::trim)
            .take_while(|line| !line.starts_with("Usage:"))
            .filter(|line| !line.is_empty())
            .collect();
        format!("{}; --help lists the options", problem.join(" ").trim_start_matches("error: "))
    })
}

/// A file of examples/data.
pub(crate) fn bundled(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data").join(file)
}
