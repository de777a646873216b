use std::fmt;
use std::time::Duration;

use deadpool_postgres::{HookError, PoolError};
use tokio_postgres::error::SqlState;
use xynergy_core::{Error, ErrorKind, Retry};

use super::migrate::NEWER;

/// What ends a piece of work on a connection: PostgreSQL's own failure, the pool's, or a decision of ours.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A statement or the connection failed.
    Postgres(tokio_postgres::Error),
    /// There was no connection.
    Pool(PoolError),
    /// The work itself refused.
    Domain(Error),
}

impl Failure {
    /// The library's error for it.
    pub(crate) fn into_error(self, operation: &'static str) -> Error {
        match self {
            Self::Postgres(error) => from_postgres(operation, &error),
            Self::Pool(error) => from_pool(operation, error),
            Self::Domain(error) => error,
        }
    }

    /// Whether PostgreSQL ended the transaction for the sake of another one: nothing was done, and the same work may
    /// be done again at once.
    pub(crate) fn lost_to_another(&self) -> bool {
        let Self::Postgres(error) = self else { return false };
        matches!(
            error.code(),
            Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED)
                | Some(&SqlState::LOCK_NOT_AVAILABLE)
        )
    }

    /// Whether the connection broke: the network did, or the server ended it.
    pub(crate) fn lost_connection(&self) -> bool {
        let Self::Postgres(error) = self else { return false };
        match error.code() {
            None => true,
            Some(&SqlState::QUERY_CANCELED) => false,
            Some(state) => matches!(state.code().get(..2), Some("08" | "57")),
        }
    }

    /// Whether this unique index refused a row.
    pub(crate) fn refused_by(&self, index: &str) -> bool {
        let Self::Postgres(error) = self else { return false };
        error.code() == Some(&SqlState::UNIQUE_VIOLATION)
            && error.as_db_error().and_then(tokio_postgres::error::DbError::constraint) == Some(index)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres(error) => error.fmt(f),
            Self::Pool(error) => error.fmt(f),
            Self::Domain(error) => error.fmt(f),
        }
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

impl From<PoolError> for Failure {
    fn from(error: PoolError) -> Self {
        Self::Pool(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Domain(error)
    }
}

const SOON: Retry = Retry::After(Duration::from_millis(200));
const LATER: Retry = Retry::After(Duration::from_secs(2));

/// The library's error for one of PostgreSQL's. Its detail, which quotes values of rows, never enters it.
pub(crate) fn from_postgres(operation: &'static str, error: &tokio_postgres::Error) -> Error {
    let Some(state) = error.code() else { return without_state(operation, error) };
    let (kind, message, retry) = classify(state);
    let code = state.code().to_owned();
    let said = error.as_db_error().map(|e| e.message().to_owned()).unwrap_or_default();
    Error::new(kind, operation, message).with_retry(retry).with_context("sqlstate", code).with_source(said)
}

fn classify(state: &SqlState) -> (ErrorKind, &'static str, Retry) {
    match *state {
        SqlState::T_R_SERIALIZATION_FAILURE
        | SqlState::T_R_DEADLOCK_DETECTED
        | SqlState::LOCK_NOT_AVAILABLE => {
            return (ErrorKind::Unavailable, "others hold the rows: nothing was done, try again", SOON);
        }
        SqlState::UNIQUE_VIOLATION => {
            return (
                ErrorKind::Conflict,
                "somebody else wrote it at the same time: read it again",
                Retry::Never,
            );
        }
        SqlState::QUERY_CANCELED => {
            return (ErrorKind::Timeout, "a statement took longer than statement_timeout_ms", LATER);
        }
        SqlState::CHARACTER_NOT_IN_REPERTOIRE => {
            return (
                ErrorKind::InvalidInput,
                "a text holds a NUL character, which PostgreSQL cannot keep: remove it",
                Retry::Never,
            );
        }
        SqlState::INVALID_CATALOG_NAME => {
            return (ErrorKind::ConfigInvalid, "url: the server has no database of this name", Retry::Never);
        }
        SqlState::INSUFFICIENT_PRIVILEGE => {
            return (
                ErrorKind::Unauthorized,
                "the database user may not do this: grant it the rights on the schema, or migrate as its owner",
                Retry::Never,
            );
        }
        SqlState::READ_ONLY_SQL_TRANSACTION => {
            return (
                ErrorKind::Unavailable,
                "the server only reads: it is a standby, or is failing over",
                LATER,
            );
        }
        _ => {}
    }
    match state.code().get(..2) {
        Some("08" | "57") => (ErrorKind::Unavailable, "the database server ended the connection", LATER),
        Some("53") => {
            (ErrorKind::Unavailable, "the database server has no room: connections, memory or disk", LATER)
        }
        Some("58" | "XX") => (ErrorKind::Unavailable, "the database server failed inside", Retry::Exhausted),
        Some("28") => {
            (ErrorKind::Unauthorized, "the database server refuses the user or the password", Retry::Never)
        }
        Some("42") => (
            ErrorKind::Corrupt,
            "the tables are not those of this version: migrate, or choose another schema",
            Retry::Never,
        ),
        _ => (ErrorKind::Unexpected, "a statement on the database failed", Retry::Never),
    }
}

/// An error that the server did not send: the network, TLS, or this process.
fn without_state(operation: &'static str, error: &tokio_postgres::Error) -> Error {
    // What it says may quote the configuration: only what the operating system says is passed on.
    let cause = std::error::Error::source(error).map(ToString::to_string);
    let error = Error::new(
        ErrorKind::Unavailable,
        operation,
        "the database server cannot be reached, or the connection broke",
    )
    .with_retry(LATER);
    match cause {
        Some(cause) => error.with_source(cause),
        None => error,
    }
}

/// The error of a pool that has no connection to give.
fn from_pool(operation: &'static str, error: PoolError) -> Error {
    match error {
        PoolError::Backend(error) => from_postgres(operation, &error),
        PoolError::PostCreateHook(HookError::Backend(error)) => from_postgres(operation, &error),
        PoolError::PostCreateHook(HookError::Message(message)) if message.starts_with(NEWER) => {
            Error::new(ErrorKind::Conflict, operation, message)
        }
        PoolError::PostCreateHook(HookError::Message(message)) => {
            Error::new(ErrorKind::ConfigInvalid, operation, message)
        }
        PoolError::Timeout(_) => Error::new(
            ErrorKind::Unavailable,
            operation,
            "no connection to the database was free in time: raise max_connections or connect_timeout_ms",
        )
        .with_retry(SOON),
        other => Error::new(ErrorKind::Unavailable, operation, "the store is closed: open it again")
            .with_source(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_their_kinds() {
        for (code, kind) in [
            ("40001", ErrorKind::Unavailable),
            ("40P01", ErrorKind::Unavailable),
            ("55P03", ErrorKind::Unavailable),
            ("23505", ErrorKind::Conflict),
            ("57014", ErrorKind::Timeout),
            ("57P01", ErrorKind::Unavailable),
            ("53300", ErrorKind::Unavailable),
            ("25006", ErrorKind::Unavailable),
            ("28P01", ErrorKind::Unauthorized),
            ("42501", ErrorKind::Unauthorized),
            ("42P01", ErrorKind::Corrupt),
            ("3D000", ErrorKind::ConfigInvalid),
            ("22021", ErrorKind::InvalidInput),
            ("22012", ErrorKind::Unexpected),
        ] {
            assert_eq!(classify(&SqlState::from_code(code)).0, kind, "{code}");
        }
    }
}
