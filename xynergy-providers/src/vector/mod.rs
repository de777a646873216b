//! Vector indexes that outlive the process.

mod files;

use std::fs::File;
use std::path::Path;

use xynergy_core::Result;
use xynergy_core::vector::files::{IndexFile, read_index};

pub use files::FileIndex;

/// Reads an index file of FAISS's; see [`read_index`].
///
/// # Errors
/// As [`read_index`], and [`Unavailable`](xynergy_core::ErrorKind::Unavailable) when the file cannot be opened.
pub async fn read_index_file(path: &Path) -> Result<IndexFile> {
    const OPERATION: &str = "winners.import_file";
    let path = path.to_owned();
    let read = move || {
        let open = || File::open(&path).and_then(|file| file.metadata().map(|about| (file, about.len())));
        let (file, length) = open().map_err(|error| files::failed(OPERATION, &path, error))?;
        read_index(file, length)
            .map_err(|e| e.in_operation(OPERATION).with_context("file", path.display().to_string()))
    };
    files::blocking(OPERATION, read).await
}
