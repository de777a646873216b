use std::fmt::Write;

use tokio_postgres::Client;
use xynergy_core::{Error, ErrorKind, Result};

use super::config::PostgresConfig;
use super::error::Failure;
use super::session;

mod embedded {
    refinery::embed_migrations!("migrations/postgres");
}

/// How the refusal of a database of a newer version starts: a pool's hook can pass on nothing but a text.
pub(super) const NEWER: &str = "the database was migrated by a newer version of the library";

/// The tables of this version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The number of the newest migration.
    pub version: u32,
    /// What makes them in a database that has no such schema, for those who migrate with a tool of their own. A
    /// schema that was made by it opens as one that the library made.
    pub sql: String,
}

/// The tables of this version as SQL, in the configuration's schema. Touches no database.
///
/// # Errors
/// [`ConfigInvalid`](ErrorKind::ConfigInvalid) for a configuration that is not valid.
pub fn schema(config: &PostgresConfig) -> Result<Schema> {
    config.validate()?;
    let name = &config.schema;
    let runner = embedded::migrations::runner();
    let mut migrations: Vec<_> = runner.get_migrations().iter().collect();
    migrations.sort_by_key(|migration| migration.version());
    let mut sql = format!(
        "BEGIN;\nCREATE SCHEMA \"{name}\";\nSET LOCAL search_path TO \"{name}\", pg_temp;\n\n\
         CREATE TABLE refinery_schema_history (\n    version    int4 PRIMARY KEY,\n    \
         name       varchar(255),\n    applied_on varchar(255),\n    checksum   varchar(255)\n);\n"
    );
    for migration in &migrations {
        // Writing to a string cannot fail.
        let _ = write!(
            sql,
            "\n-- {migration}\n{}\nINSERT INTO refinery_schema_history (version, name, applied_on, checksum)\n\
             VALUES ({}, '{}', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), '{}');\n",
            migration.sql().unwrap_or_default().trim_end(),
            migration.version(),
            migration.name(),
            migration.checksum()
        );
    }
    sql.push_str("\nCOMMIT;\n");
    Ok(Schema { version: u32::try_from(newest()).unwrap_or(0), sql })
}

/// The number of this version's newest migration.
fn newest() -> i32 {
    embedded::migrations::runner()
        .get_migrations()
        .iter()
        .map(refinery::Migration::version)
        .max()
        .unwrap_or(0)
}

/// The version of the session's tables; none when it has none.
///
/// Tables of a newer version are accepted when that version declared that this one may still use them, so that old and
/// new workers run side by side while one is replaced by the other.
pub(super) async fn check_version(client: &Client) -> Result<Option<i32>, Failure> {
    let known: bool = client.query_one("SELECT to_regclass('xynergy_schema') IS NOT NULL", &[]).await?.get(0);
    if !known {
        return Ok(None);
    }
    let row = client.query_one("SELECT version, compatible_from FROM xynergy_schema", &[]).await?;
    let (version, compatible_from): (i32, i32) = (row.get(0), row.get(1));
    if compatible_from > newest() {
        return Err(Failure::Domain(
            Error::new(
                ErrorKind::Conflict,
                "store.open",
                format!("{NEWER}, which this one cannot work beside: upgrade, or choose another schema"),
            )
            .with_context("database_version", version.to_string())
            .with_context("compatible_from", compatible_from.to_string())
            .with_context("library_version", newest().to_string()),
        ));
    }
    Ok(Some(version))
}

/// Brings the schema's tables to this version, all migrations or none of them, and returns the names of those that were
/// applied. Many workers may do it at once: one does it, the others wait.
pub(super) async fn run(client: &mut Client, config: &PostgresConfig) -> Result<Vec<String>, Failure> {
    if check_version(client).await? >= Some(newest()) {
        return Ok(Vec::new());
    }
    client.batch_execute("SET lock_timeout TO 0; SET statement_timeout TO 0").await?;
    client
        .execute("SELECT pg_advisory_lock(hashtextextended('xynergy schema ' || $1, 0))", &[&config.schema])
        .await?;
    // A table that others use is not waited for without end: they would have to wait behind it.
    client.batch_execute(&session::settings(config)).await?;
    client.batch_execute("SET statement_timeout TO 0").await?;
    let applied = run_locked(client, config).await;
    client
        .execute("SELECT pg_advisory_unlock(hashtextextended('xynergy schema ' || $1, 0))", &[&config.schema])
        .await?;
    applied
}

async fn run_locked(client: &mut Client, config: &PostgresConfig) -> Result<Vec<String>, Failure> {
    let stored = check_version(client).await?;
    if stored >= Some(newest()) {
        return Ok(Vec::new());
    }
    let tables: i64 = client
        .query_one(
            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = $1 AND c.relname <> 'refinery_schema_history' AND c.relkind IN ('r', 'v', 'm', 'p')",
            &[&config.schema],
        )
        .await?
        .get(0);
    if stored.is_none() && tables > 0 {
        return Err(Failure::Domain(
            Error::new(
                ErrorKind::Corrupt,
                "store.open",
                "the schema holds tables of another program: choose another schema",
            )
            .with_context("schema", config.schema.clone()),
        ));
    }
    let exists: bool = client
        .query_one("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", &[&config.schema])
        .await?
        .get(0);
    if !exists {
        client.batch_execute(&format!("CREATE SCHEMA \"{}\"", config.schema)).await?;
    }
    let report = embedded::migrations::runner().set_grouped(true).run_async(client).await;
    let report = report.map_err(|error| {
        let source = std::error::Error::source(&error).map(ToString::to_string);
        Failure::Domain(
            Error::new(
                ErrorKind::Conflict,
                "store.migrate",
                "the schema's tables cannot be brought to this version: nothing was changed",
            )
            .with_source(source.unwrap_or_else(|| error.to_string())),
        )
    })?;
    Ok(report.applied_migrations().iter().map(ToString::to_string).collect())
}

#[cfg(test)]
mod tests {
    use super::super::DatabaseUrl;
    use super::*;

    #[test]
    fn every_migration_says_what_version_it_makes() {
        let runner = embedded::migrations::runner();
        for migration in runner.get_migrations() {
            let sql = migration.sql().unwrap();
            let version = migration.version();
            let stated = [
                format!("UPDATE xynergy_schema SET version = {version};"),
                format!("UPDATE xynergy_schema SET version = {version}, compatible_from ="),
                format!("INSERT INTO xynergy_schema (version, compatible_from) VALUES ({version}, "),
            ];
            assert!(stated.iter().any(|s| sql.contains(s)), "{migration}");
        }
    }

    #[test]
    fn prints_the_tables_of_a_schema() {
        let mut config = PostgresConfig::new(DatabaseUrl::Text("postgres://u@localhost/d".into()));
        config.schema = "ads".into();
        let printed = schema(&config).unwrap();
        assert!(printed.sql.contains("CREATE SCHEMA \"ads\"") && printed.version >= 1);
        config.schema = "\"".into();
        assert!(schema(&config).is_err());
    }
}
