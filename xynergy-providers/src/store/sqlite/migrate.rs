use std::fmt::Write;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use xynergy_core::{Error, ErrorKind};

use super::error::Failure;

mod embedded {
    refinery::embed_migrations!("migrations/sqlite");
}

/// `Xyng`, in the file's header: it marks a database as one of this library.
const APPLICATION_ID: i32 = 0x5879_6e67;

/// How often the tables are tried to be brought to this version while other processes do the same.
const ATTEMPTS: u32 = 5;

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
    let runner = embedded::migrations::runner();
    let mut migrations: Vec<_> = runner.get_migrations().iter().collect();
    migrations.sort_by_key(|migration| migration.version());
    let mut sql = format!(
        "PRAGMA application_id = {APPLICATION_ID};\nBEGIN IMMEDIATE;\n\n\
         CREATE TABLE IF NOT EXISTS refinery_schema_history (\n    version    int4 PRIMARY KEY,\n    \
         name       VARCHAR(255),\n    applied_on VARCHAR(255),\n    checksum   VARCHAR(255)\n);\n"
    );
    for migration in &migrations {
        // Writing to a string cannot fail.
        let _ = write!(
            sql,
            "\n-- {migration}\n{}\nINSERT INTO refinery_schema_history (version, name, applied_on, checksum)\n\
             VALUES ({}, '{}', strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), '{}');\n",
            migration.sql().unwrap_or_default().trim_end(),
            migration.version(),
            migration.name(),
            migration.checksum()
        );
    }
    sql.push_str("\nCOMMIT;\n");
    let newest = migrations.last().map_or(0, |migration| migration.version());
    Schema { version: u32::try_from(newest).unwrap_or(0), sql }
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
    let newest = embedded::migrations::runner().get_migrations().iter().map(|m| i64::from(m.version())).max();
    let stored: Option<i64> = connection
        .query_row("SELECT max(version) FROM refinery_schema_history", [], |row| row.get(0))
        .optional()?
        .flatten();
    if stored > newest {
        return Err(Failure::Domain(
            Error::new(
                ErrorKind::Conflict,
                "store.open",
                "the database was written by a newer version of the library: upgrade, or choose another path",
            )
            .with_context("database_version", stored.unwrap_or_default().to_string())
            .with_context("library_version", newest.unwrap_or_default().to_string()),
        ));
    }
    Ok(())
}

/// Applies the migrations that the database lacks, all or none of them, and returns their names.
///
/// The database is marked first: a process that dies among its tables leaves one that the next process goes on with.
pub(super) fn run(connection: &mut Connection) -> Result<Vec<String>, Failure> {
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    let mut attempts_left = ATTEMPTS;
    loop {
        let error = match embedded::migrations::runner().set_grouped(true).run(connection) {
            Ok(report) => return Ok(report.applied_migrations().iter().map(ToString::to_string).collect()),
            Err(error) => error,
        };
        attempts_left -= 1;
        if attempts_left == 0 {
            return Err(Failure::Domain(
                Error::new(
                    ErrorKind::Conflict,
                    "store.migrate",
                    "the database's tables cannot be brought to this version: its history differs from the library's",
                )
                .with_source(error.to_string()),
            ));
        }
        // Another process may have been at it: once its write is over, there is less or nothing left to do.
        connection.transaction_with_behavior(TransactionBehavior::Immediate)?.rollback()?;
    }
}

/// The tables of an older version, for the tests of what later migrations make of them.
#[cfg(test)]
pub(super) fn run_to(connection: &mut Connection, version: i32) -> Result<(), refinery::Error> {
    let target = refinery::Target::Version(version);
    connection.pragma_update(None, "application_id", APPLICATION_ID).ok();
    embedded::migrations::runner().set_grouped(true).set_target(target).run(connection).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

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
