//! The log on disk or in memory: appended and flushed before any answer, read back line by line.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use xynergy_core::{Error, ErrorKind, Result};

use super::record::Record;

const OPERATION: &str = "sandbox.log";

#[derive(Debug)]
pub(super) enum Journal {
    Memory(Vec<u8>),
    File { file: Arc<File>, path: PathBuf },
    Closed,
}

impl Journal {
    /// Opens or makes the log at `path` and returns its lines. A last line without its end was never acknowledged: it is
    /// cut off.
    pub(super) async fn open(path: PathBuf) -> Result<(Self, Vec<Record>)> {
        blocking(move || {
            let mut file = File::options()
                .read(true)
                .append(true)
                .create(true)
                .open(&path)
                .map_err(|e| failed(&path, "cannot be opened", e))?;
            file.try_lock().map_err(|e| {
                Error::new(
                    ErrorKind::Conflict,
                    OPERATION,
                    format!("{} is in use by another sandbox; stop it or give another path", path.display()),
                )
                .with_source(e)
            })?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map_err(|e| failed(&path, "cannot be read", e))?;
            let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
            if whole < bytes.len() {
                let kept = u64::try_from(whole).unwrap_or(u64::MAX);
                file.set_len(kept)
                    .and_then(|()| file.sync_data())
                    .map_err(|e| failed(&path, "cannot be cut to its last whole line", e))?;
            }
            sync_folder(&path);
            let records = read(&bytes[..whole]).map_err(|(line, why)| {
                Error::new(
                    ErrorKind::Corrupt,
                    OPERATION,
                    format!(
                        "line {line} of {} cannot be read: {why}; restore the file or move it away",
                        path.display()
                    ),
                )
            })?;
            Ok((Self::File { file: Arc::new(file), path }, records))
        })
        .await
    }

    /// Appends whole lines, on disk when it returns.
    pub(super) async fn append(&mut self, lines: Vec<u8>) -> Result<()> {
        match self {
            Self::Memory(all) => {
                all.extend_from_slice(&lines);
                Ok(())
            }
            Self::File { file, path } => {
                let (file, path) = (file.clone(), path.clone());
                blocking(move || {
                    (&*file)
                        .write_all(&lines)
                        .and_then(|()| file.sync_data())
                        .map_err(|e| failed(&path, "cannot be written", e))
                })
                .await
            }
            Self::Closed => Err(Error::new(ErrorKind::Cancelled, OPERATION, "the sandbox was shut down")),
        }
    }

    /// The whole log.
    pub(super) async fn text(&self) -> Result<Vec<u8>> {
        match self {
            Self::Memory(all) => Ok(all.clone()),
            Self::File { file, path } => {
                let (file, path) = (file.clone(), path.clone());
                blocking(move || {
                    let mut all = Vec::new();
                    let mut reader = &*file;
                    reader
                        .seek(SeekFrom::Start(0))
                        .and_then(|_| reader.read_to_end(&mut all))
                        .map_err(|e| failed(&path, "cannot be read", e))?;
                    Ok(all)
                })
                .await
            }
            Self::Closed => Ok(Vec::new()),
        }
    }
}

fn read(bytes: &[u8]) -> Result<Vec<Record>, (usize, String)> {
    bytes
        .split_inclusive(|b| *b == b'\n')
        .enumerate()
        .map(|(index, line)| serde_json::from_slice(line).map_err(|e| (index + 1, e.to_string())))
        .collect()
}

/// Makes a new file's name durable too; where a folder cannot be synced, the file itself still is.
fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

fn failed(path: &Path, what: &'static str, source: std::io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, OPERATION, format!("the log {} {what}", path.display()))
        .with_source(source)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| {
        Err(Error::new(ErrorKind::Unexpected, OPERATION, "the thread that keeps the log ended")
            .with_source(e))
    })
}
