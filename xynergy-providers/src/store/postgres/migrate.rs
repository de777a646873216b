use std::fmt::Write;

use tokio_postgres::Client;
use xynergy_core::{Error, ErrorKind, Result};

use super::config::PostgresConfig;
use super::error::Failure;
use super::session;
use crate::store::migrations::{self, Applied, Migration};

const MIGRATIONS: &[Migration] = migrations::embed!(
    "postgres":
    1 "state",
    2 "execution",
    3 "attribution",
    4 "spend",
    5 "clicks_by_day",
    6 "ledger",
);

/// What was applied, and when.
const HISTORY: &str = "CREATE TABLE IF NOT EXISTS refinery_schema_history (\n    version    int4 PRIMARY KEY,\n    \
     name       varchar(255),\n    applied_on varchar(255),\n    checksum   varchar(255)\n);\n";

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
    let mut sql = format!(
        "BEGIN;\nCREATE SCHEMA \"{name}\";\nSET LOCAL search_path TO \"{name}\", pg_temp;\n\n{HISTORY}"
    );
    for migration in MIGRATIONS {
        // Writing to a string cannot fail.
        let _ = write!(sql, "\n-- {migration}\n{}\n{}", migration.sql.trim_end(), recorded(migration));
    }
    sql.push_str("\nCOMMIT;\n");
    Ok(Schema { version: u32::try_from(newest()).unwrap_or(0), sql })
}

/// The number of this version's newest migration.
fn newest() -> i32 {
    MIGRATIONS.last().map_or(0, |migration| migration.version)
}

/// What puts a migration into the history. Its name has no quotes.
fn recorded(migration: &Migration) -> String {
    format!(
        "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)\n\
         VALUES ({}, '{}', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), '{}');\n",
        migration.version,
        migration.name,
        migration.checksum()
    )
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
    let transaction = client.transaction().await?;
    transaction.batch_execute(HISTORY).await?;
    let rows = transaction
        .query("SELECT version, name, checksum FROM refinery_schema_history ORDER BY version", &[])
        .await?;
    let applied: Vec<Applied> = rows
        .iter()
        .map(|row| Applied { version: row.get(0), name: row.get(1), checksum: row.get(2) })
        .collect();
    let mut names = Vec::new();
    for migration in migrations::pending(MIGRATIONS, &applied).map_err(unfit)? {
        let sql = format!("{}\n{}", migration.sql, recorded(migration));
        transaction.batch_execute(&sql).await.map_err(|error| {
            let why =
                std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            unfit(format!("{migration}: {why}"))
        })?;
        names.push(migration.to_string());
    }
    transaction.commit().await?;
    Ok(names)
}

fn unfit(why: String) -> Failure {
    Failure::Domain(
        Error::new(
            ErrorKind::Conflict,
            "store.migrate",
            "the schema's tables cannot be brought to this version: nothing was changed",
        )
        .with_source(why),
    )
}

#[cfg(test)]
mod tests {
    use super::super::DatabaseUrl;
    use super::*;

    #[test]
    fn every_file_is_listed() {
        migrations::assert_are_the_files_of("postgres", MIGRATIONS);
    }

    #[test]
    fn every_migration_says_what_version_it_makes() {
        for Migration { version, name, sql } in MIGRATIONS {
            let stated = [
                format!("UPDATE xynergy_schema SET version = {version};"),
                format!("UPDATE xynergy_schema SET version = {version}, compatible_from ="),
                format!("INSERT INTO xynergy_schema (version, compatible_from) VALUES ({version}, "),
            ];
            assert!(stated.iter().any(|s| sql.contains(s)), "V{version}__{name}");
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
