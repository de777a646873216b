use std::fmt::Write;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use xynergy_core::{Error, ErrorKind};

use super::error::Failure;
use crate::store::migrations::{self, Applied, Migration};

const MIGRATIONS: &[Migration] = migrations::embed!(
    "sqlite":
    1 "state",
    2 "execution",
    3 "clicks",
    4 "revenue",
    5 "approval",
    6 "operations",
    7 "spend",
    8 "clicks_by_day",
    9 "ledger",
);

/// What was applied, and when.
const HISTORY: &str = "CREATE TABLE IF NOT EXISTS refinery_schema_history (\n    version    int4 PRIMARY KEY,\n    \
     name       VARCHAR(255),\n    applied_on VARCHAR(255),\n    checksum   VARCHAR(255)\n);\n";

/// `Xyng`, in the file's header: it marks a database as one of this library.
const APPLICATION_ID: i32 = 0x5879_6e67;

/// The tables of this version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The number of the newest migration.
    pub version: u32,
    /// What makes them in an empty database, for those who migrate with a tool of their own. A database that was made by
    /// it opens as one that the library made.
    pub sql: String,
}

/// The tables of this version as SQL. Touches no database.
pub fn schema() -> Schema {
    let mut sql = format!("PRAGMA application_id = {APPLICATION_ID};\nBEGIN IMMEDIATE;\n\n{HISTORY}");
    for migration in MIGRATIONS {
        // Writing to a string cannot fail.
        let _ = write!(sql, "\n-- {migration}\n{}\n{}", migration.sql.trim_end(), recorded(migration));
    }
    sql.push_str("\nCOMMIT;\n");
    Schema { version: u32::try_from(newest()).unwrap_or(0), sql }
}

/// The number of this version's newest migration.
fn newest() -> i32 {
    MIGRATIONS.last().map_or(0, |migration| migration.version)
}

/// What puts a migration into the history. Its name has no quotes.
fn recorded(migration: &Migration) -> String {
    format!(
        "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)\n\
         VALUES ({}, '{}', strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), '{}');\n",
        migration.version,
        migration.name,
        migration.checksum()
    )
}

/// Refuses a database that belongs to another program or to a newer version, before anything is changed.
pub(super) fn check_ownership(connection: &Connection) -> Result<(), Failure> {
    // In this order: whoever makes tables meanwhile has marked the database before.
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if id != APPLICATION_ID && (id != 0 || tables > 0) {
        return Err(Failure::Domain(Error::new(
            ErrorKind::Corrupt,
            "store.open",
            "the file is a database of another program: choose another path",
        )));
    }
    if tables == 0 {
        return Ok(());
    }
    let newest = i64::from(newest());
    let stored: Option<i64> = connection
        .query_row("SELECT max(version) FROM refinery_schema_history", [], |row| row.get(0))
        .optional()?
        .flatten();
    if stored > Some(newest) {
        return Err(Failure::Domain(
            Error::new(
                ErrorKind::Conflict,
                "store.open",
                "the database was written by a newer version of the library: upgrade, or choose another path",
            )
            .with_context("database_version", stored.unwrap_or_default().to_string())
            .with_context("library_version", newest.to_string()),
        ));
    }
    Ok(())
}

/// Applies the migrations that the database lacks, all or none of them, and returns their names. Many processes may do it at
/// once: one does it, the others wait.
///
/// The database is marked first: a process that dies among its tables leaves one that the next process goes on with.
pub(super) fn run(connection: &mut Connection) -> Result<Vec<String>, Failure> {
    run_to(connection, newest())
}

/// The same up to this version, for the tests of what later migrations make of an older one's tables.
pub(super) fn run_to(connection: &mut Connection, version: i32) -> Result<Vec<String>, Failure> {
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.execute_batch(HISTORY)?;
    // Immediate: what is read here is still so when it is written upon.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let applied: Vec<Applied> = transaction
        .prepare("SELECT version, name, checksum FROM refinery_schema_history ORDER BY version")?
        .query_map([], |row| Ok(Applied { version: row.get(0)?, name: row.get(1)?, checksum: row.get(2)? }))?
        .collect::<Result<_, _>>()?;
    let pending = migrations::pending(MIGRATIONS, &applied).map_err(differs)?;
    let mut names = Vec::new();
    for migration in pending.iter().take_while(|migration| migration.version <= version) {
        transaction
            .execute_batch(migration.sql)
            .and_then(|()| transaction.execute_batch(&recorded(migration)))
            .map_err(|error| differs(format!("{migration}: {error}")))?;
        names.push(migration.to_string());
    }
    transaction.commit()?;
    Ok(names)
}

fn differs(why: String) -> Failure {
    Failure::Domain(
        Error::new(
            ErrorKind::Conflict,
            "store.migrate",
            "the database's tables cannot be brought to this version: its history differs from the library's",
        )
        .with_source(why),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_listed() {
        migrations::assert_are_the_files_of("sqlite", MIGRATIONS);
    }

    #[test]
    fn a_history_that_differs_is_refused_and_left() {
        let mut connection = Connection::open_in_memory().unwrap();
        run_to(&mut connection, 3).unwrap_or_else(|e| panic!("{}", e.into_error("test")));
        connection
            .execute_batch("UPDATE refinery_schema_history SET checksum = '1' WHERE version = 2")
            .unwrap();
        let error = run(&mut connection).unwrap_err().into_error("test");
        assert_eq!(error.kind(), ErrorKind::Conflict);
        let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        assert!(source.contains("V2__execution was applied with another text"), "{source}");
        let stored: i32 = connection
            .query_row("SELECT max(version) FROM refinery_schema_history", [], |row| row.get(0))
            .unwrap();
        assert_eq!(stored, 3);
    }

    #[test]
    fn a_database_is_ours_before_its_first_table() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE state_documents (in_the_way)").unwrap();
        assert!(run(&mut connection).is_err(), "it breaks off at the first migration");
        assert!(check_ownership(&connection).is_ok(), "what broke off can be opened again");
        connection.execute_batch("DROP TABLE state_documents").unwrap();
        assert!(run(&mut connection).is_ok() && check_ownership(&connection).is_ok());
    }

    #[test]
    fn several_may_open_a_new_database_at_once() {
        for _ in 0..30 {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("new.sqlite");
            Connection::open(&path).unwrap().pragma_update(None, "journal_mode", "WAL").unwrap();
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        let mut connection = Connection::open(&path).unwrap();
                        connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
                        run(&mut connection).map_err(|e| e.into_error("test")).unwrap();
                    });
                }
            });
        }
    }
}
