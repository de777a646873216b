//! What the input files share: reading, ids, and rows that are left out.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Deserializer};
use xynergy_core::{Error, ErrorKind, Result};

pub(super) const OPERATION: &str = "sandbox.files";

/// A row of an input file that was left out, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowProblem {
    /// The row's number in its file, from 1.
    pub row: usize,
    /// The row's id, where it could be read.
    pub id: Option<String>,
    /// The field and what is wrong with it.
    pub message: String,
}

impl fmt::Display for RowProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {}", self.row)?;
        if let Some(id) = &self.id {
            write!(f, " ({id})")?;
        }
        write!(f, ": {}", self.message)
    }
}

pub(super) fn read(path: &Path, what: &str) -> Result<String> {
    std::fs::read_to_string(path).map_err(|e| {
        let (kind, advice) = match e.kind() {
            std::io::ErrorKind::NotFound => (ErrorKind::NotFound, "does not exist; give the path of another"),
            std::io::ErrorKind::InvalidData => (ErrorKind::InvalidInput, "is not UTF-8 text"),
            _ => (ErrorKind::Unavailable, "cannot be read"),
        };
        Error::new(kind, OPERATION, format!("the {what} file {} {advice}", path.display())).with_source(e)
    })
}

/// The text without the byte-order mark that some editors begin a file with.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// The same error with the file that it is about.
pub(super) fn in_file(error: Error, path: &Path) -> Error {
    error.with_context("file", path.display().to_string())
}

/// An id: a string that is not empty, or an integer, which is what some exports write.
pub(super) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "an id is a string or a whole number")]
    enum Id {
        Text(String),
        Number(u64),
    }
    match Id::deserialize(deserializer)? {
        Id::Text(text) if text.is_empty() => Err(serde::de::Error::custom("an id is empty")),
        Id::Text(text) => Ok(text),
        Id::Number(number) => Ok(number.to_string()),
    }
}
