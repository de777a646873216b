//! What every command line does: help where it is asked for, one line where it is wrong, and no complaint about a reader
//! that has gone.
#![allow(clippy::print_stderr)]

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use clap::Parser;

/// Everything was done.
pub(crate) const DONE: u8 = 0;
/// Wrong use: nothing was started.
pub(crate) const WRONG_USE: u8 = 2;

/// Where a file of the example's data comes from: how a person would name it, and its bytes.
pub(crate) type Bundled = fn(&str) -> Result<(PathBuf, Vec<u8>), String>;

/// Reads the options; prints the help when that is what was asked for, and then there are none.
///
/// # Errors
/// One line that says what is wrong and where the options are listed.
pub(crate) fn parse<T: Parser>(arguments: impl IntoIterator<Item = OsString>) -> Result<Option<T>, String> {
    T::try_parse_from(arguments).map(Some).or_else(|error| {
        if !error.use_stderr() {
            // Whoever reads may have seen enough, as `head` has.
            let _ = error.print();
            return Ok(None);
        }
        let text = error.to_string();
        let problem: Vec<&str> = text
            .lines()
            .map(str::trim)
            .take_while(|line| !line.starts_with("Usage:"))
            .filter(|line| !line.is_empty())
            .collect();
        Err(format!("{}; --help lists the options", problem.join(" ").trim_start_matches("error: ")))
    })
}

/// Prints a whole result.
///
/// # Errors
/// Standard output cannot be written, for another reason than that its reader has seen enough.
pub(crate) fn print(text: &str) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(format!("the result cannot be printed ({e})"))
        }
        _ => Ok(()),
    }
}

/// The exit code of what ended; a problem is told in one line.
pub(crate) fn code(name: &str, ended: Result<u8, String>) -> u8 {
    ended.unwrap_or_else(|problem| {
        eprintln!("{name}: {}", problem.replace('\n', " "));
        WRONG_USE
    })
}
