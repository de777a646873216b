//! What a command on the user's store prints: for people, or one JSON document.

use std::io::stdout;

use anstream::{AutoStream, ColorChoice, adapter::strip_str};
use clap::builder::styling::{AnsiColor, Style};
use comfy_table::{Table, presets};
use serde::Serialize;

use super::command_line::{DONE, WRONG_USE, print};
use crate::{Error, ErrorKind, Result};

/// Something failed, or was found wrong.
pub(super) const FAILED: u8 = 1;

/// Good news.
pub(super) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Bad news.
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();

/// How a command ended, and what it has to say.
pub(super) struct Ended {
    text: String,
    code: u8,
}

impl Ended {
    /// What is said to a person; it may be styled.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), code: DONE }
    }

    /// One JSON document.
    pub(super) fn json(document: &impl Serialize) -> Result<Self> {
        let text = serde_json::to_string_pretty(document).map_err(|e| {
            Error::new(ErrorKind::Unexpected, "cli", "the result cannot be written as JSON").with_source(e)
        })?;
        Ok(Self { text: format!("{text}\n"), code: DONE })
    }

    /// The same with an exit code of 1 when something was found wrong.
    pub(super) fn failed_if(self, wrong: bool) -> Self {
        Self { code: if wrong { FAILED } else { self.code }, ..self }
    }
}

/// Prints what a command has to say, styled only where a terminal asks for it.
pub(super) fn show(ended: Result<Ended>) -> Result<u8, String> {
    match ended {
        Ok(Ended { text, code }) => {
            if AutoStream::choice(&stdout()) == ColorChoice::Never {
                print(&strip_str(&text).to_string())?;
            } else {
                print(&text)?;
            }
            Ok(code)
        }
        Err(error) => Ok(tell(&error)),
    }
}

#[allow(clippy::print_stderr)]
fn tell(error: &Error) -> u8 {
    eprintln!("xynergy: {}", error.to_string().replace('\n', " "));
    match error.kind() {
        ErrorKind::ConfigInvalid | ErrorKind::InvalidInput => WRONG_USE,
        _ => FAILED,
    }
}

/// A word in a style.
pub(super) fn styled(style: Style, word: &str) -> String {
    format!("{style}{word}{style:#}")
}

/// A table with a header.
pub(super) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header(header.to_vec());
    table
}
