//! Every store of the library in one SQLite file, with no server.
//!
//! The file is opened in WAL mode with `synchronous=FULL`: a transaction that was acknowledged survives a power
//! loss, which a budget change relies on. One thread owns the connection; calls queue for it.

mod changes;
mod clicks;
mod error;
mod json;
mod migrate;
mod revenue;
mod spend;
mod state;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::TransactionBehavior;
use tokio::sync::Notify;
use tokio_rusqlite::Connection;
use xynergy_core::{Error, ErrorKind, Result};

use error::{Failure, from_sqlite};
pub use migrate::{Schema, schema};

/// How long a call waits for another process that writes to the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How many prepared statements are kept.
const STATEMENTS: usize = 128;

/// Memory for pages, in the unit that SQLite takes as a negative number of KiB: indexes of random keys need their pages again.
const CACHE_KIB: i32 = -32 * 1024;

/// The stores in an SQLite file. Clones share the connection.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    connection: Connection,
    path: PathBuf,
    applied: Arc<[String]>,
    /// Whoever waits in this process for a change to become due; other processes poll.
    wake: Arc<Notify>,
    spend: Arc<spend::Ledger>,
}

impl SqliteStore {
    /// Opens the file, creates it when absent, and brings its tables to this version.
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) for a file that is no SQLite database or not one of this library,
    /// [`Conflict`](ErrorKind::Conflict) for one that a newer version wrote, and
    /// [`Unavailable`](ErrorKind::Unavailable) when it cannot be opened or locked. The file is not changed then.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let connection = Connection::open(&path)
            .await
            .map_err(|e| from_sqlite("store.open", e).with_context("path", path.display().to_string()))?;
        let mut store =
            Self { connection, path, applied: Arc::default(), wake: Arc::default(), spend: Arc::default() };
        let prepared = store.prepare().await;
        store.applied =
            prepared.map_err(|e| e.with_context("path", store.path.display().to_string()))?.into();
        Ok(store)
    }

    /// The names of the migrations that opening it applied; none when the file was of this version already.
    pub fn applied(&self) -> &[String] {
        &self.applied
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Checks the file, sets the durability and migrates.
    async fn prepare(&self) -> Result<Vec<String>> {
        self.call("store.open", |connection| {
            connection.busy_timeout(BUSY_TIMEOUT)?;
            migrate::check_ownership(connection)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "foreign_keys", true)?;
            // What is deleted or replaced, as an erased click or a key that was thrown away, is overwritten with zeros.
            connection.pragma_update(None, "secure_delete", true)?;
            connection.pragma_update(None, "cache_size", CACHE_KIB)?;
            connection.set_prepared_statement_cache_capacity(STATEMENTS);
            assert_durable(connection)?;
            migrate::run(connection)
        })
        .await
    }

    /// Runs `work` on the connection's thread. Cancel safety: once started it runs to its end.
    async fn call<T, F>(&self, operation: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut rusqlite::Connection) -> std::result::Result<T, Failure> + Send + 'static,
    {
        match self.connection.call(work).await {
            Ok(value) => Ok(value),
            Err(tokio_rusqlite::Error::Error(failure)) => Err(failure.into_error(operation)),
            Err(_) => {
                Err(Error::new(ErrorKind::Unavailable, operation, "the store is closed: open it again"))
            }
        }
    }

    /// Moves the write-ahead log into the file and empties it: it still has what was deleted. What another process is reading
    /// just now stays until the next time.
    async fn empty_log(&self) -> Result<()> {
        self.call("store.empty_log", |connection| {
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            Ok(())
        })
        .await
    }

    /// Runs `work` in one immediate transaction: it holds the write lock from the first statement on, so that what
    /// it reads cannot change before it writes. An error rolls back.
    async fn transaction<T, F>(&self, operation: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&rusqlite::Transaction<'_>) -> std::result::Result<T, Failure> + Send + 'static,
    {
        self.call(operation, move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })
        .await
    }
}

/// Refuses settings under which an acknowledged intent could be lost.
fn assert_durable(connection: &rusqlite::Connection) -> std::result::Result<(), Failure> {
    let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    let synchronous: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    if mode == "wal" && synchronous == 2 {
        return Ok(());
    }
    Err(Failure::Domain(Error::new(
        ErrorKind::ConfigInvalid,
        "store.open",
        format!(
            "the file cannot be opened durably (journal_mode={mode}, synchronous={synchronous}): put it on a local disk"
        ),
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn temporary() -> (tempfile::TempDir, SqliteStore) {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path().join("xynergy.sqlite")).await.unwrap();
        (directory, store)
    }

    #[tokio::test]
    async fn keeps_the_contract_of_a_state_store() {
        let (_directory, store) = temporary().await;
        xynergy_core::conformance::state_store(&store).await;
    }

    #[tokio::test]
    async fn opens_again_with_what_was_written() {
        use xynergy_core::{TenantId, store::StateStore};
        let (_directory, store) = temporary().await;
        let tenant = TenantId::default();
        store.put(&tenant, "c", "k", None, "v").await.unwrap();
        let again = SqliteStore::open(store.path()).await.unwrap();
        assert_eq!(again.get(&tenant, "c", "k").await.unwrap().unwrap().value, "v");
    }

    #[tokio::test]
    async fn refuses_what_is_no_database() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notes.txt");
        std::fs::write(&path, "x".repeat(5000)).unwrap();
        let error = SqliteStore::open(&path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "x".repeat(5000), "the file is left as it was");
    }

    #[tokio::test]
    async fn refuses_a_foreign_database() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("other.sqlite");
        rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
        let error = SqliteStore::open(&path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    }

    #[tokio::test]
    async fn refuses_a_database_of_a_newer_version() {
        let (_directory, store) = temporary().await;
        store
            .call("test", |c| {
                Ok(c.execute(
                    "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
                     VALUES (9999, 'future', '2030-01-01T00:00:00Z', '1')",
                    [],
                )?)
            })
            .await
            .unwrap();
        let error = SqliteStore::open(store.path()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
        assert!(error.message().contains("newer version"), "{error}");
    }

    #[tokio::test]
    async fn a_database_made_by_the_printed_sql_is_as_one_that_was_opened() {
        let directory = tempfile::tempdir().unwrap();
        let (printed, opened) =
            (directory.path().join("printed.sqlite"), directory.path().join("opened.sqlite"));
        rusqlite::Connection::open(&printed).unwrap().execute_batch(&schema().sql).unwrap();
        let store = SqliteStore::open(&printed).await.unwrap();
        assert!(store.applied().is_empty(), "nothing is left to apply: {:?}", store.applied());
        let other = SqliteStore::open(&opened).await.unwrap();
        assert_eq!(other.applied().len(), usize::try_from(schema().version).unwrap());
        assert_eq!(other.applied()[0], "V1__state");
        assert!(SqliteStore::open(&opened).await.unwrap().applied().is_empty(), "the second opening");
        let tables = |path: &Path| -> Vec<(String, String)> {
            let connection = rusqlite::Connection::open(path).unwrap();
            let mut statement = connection
                .prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'refinery%' ORDER BY name")
                .unwrap();
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            rows.collect::<std::result::Result<_, _>>().unwrap()
        };
        assert_eq!(tables(&printed), tables(&opened));
    }

    #[tokio::test]
    async fn a_missing_folder_is_named() {
        let error = SqliteStore::open("/nowhere/at/all/x.sqlite").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains("/nowhere/at/all/x.sqlite"), "{error}");
    }
}
