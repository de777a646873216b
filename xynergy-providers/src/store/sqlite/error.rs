use rusqlite::ErrorCode;
use xynergy_core::{Error, ErrorKind, Retry};

/// What ends a piece of work on the connection: SQLite's own failure, or a decision of ours.
#[derive(Debug)]
pub(crate) enum Failure {
    /// SQLite failed.
    Sqlite(rusqlite::Error),
    /// The work itself refused.
    Domain(Error),
}

impl Failure {
    /// The library's error for it.
    pub(crate) fn into_error(self, operation: &'static str) -> Error {
        match self {
            Self::Sqlite(error) => from_sqlite(operation, error),
            Self::Domain(error) => error,
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Domain(error)
    }
}

/// The library's error for one of SQLite's. The text of a statement or a value never enters it.
pub(crate) fn from_sqlite(operation: &'static str, error: rusqlite::Error) -> Error {
    let (kind, message, retry) = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => (
            ErrorKind::Corrupt,
            "the file is not a readable SQLite database: restore it, or choose another path",
            Retry::Never,
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            ErrorKind::Unavailable,
            "another process holds the database's write lock: wait until it ends, or choose another path",
            Retry::After(std::time::Duration::from_millis(100)),
        ),
        Some(ErrorCode::DiskFull) => (ErrorKind::Unavailable, "the disk is full", Retry::Exhausted),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => (
            ErrorKind::Unavailable,
            "the database file cannot be opened for writing: check that its folder exists and is writable",
            Retry::Exhausted,
        ),
        Some(ErrorCode::SystemIoFailure) => {
            (ErrorKind::Unavailable, "reading or writing the database file failed", Retry::Exhausted)
        }
        _ => (ErrorKind::Unexpected, "a statement on the database failed", Retry::Never),
    };
    Error::new(kind, operation, message).with_retry(retry).with_source(error)
}
