use rusqlite::{Connection, OptionalExtension};
use xynergy_core::{Error, ErrorKind};

use super::error::Failure;

mod embedded {
    refinery::embed_migrations!("migrations/sqlite");
}

/// `Xyng`, in the file's header: it marks a database as one of this library.
const APPLICATION_ID: i32 = 0x5879_6e67;

/// Refuses a database that belongs to another program or to a newer version, before anything is changed.
pub(super) fn check_ownership(connection: &Connection) -> Result<(), Failure> {
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
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

/// Applies the migrations that the database lacks, all or none of them.
pub(super) fn run(connection: &mut Connection) -> Result<(), Failure> {
    embedded::migrations::runner().set_grouped(true).run(connection).map_err(|error| {
        Failure::Domain(
            Error::new(
                ErrorKind::Conflict,
                "store.migrate",
                "the database's tables cannot be brought to this version: its history differs from the library's",
            )
            .with_source(error.to_string()),
        )
    })?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    Ok(())
}
