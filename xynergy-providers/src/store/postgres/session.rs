use tokio_postgres::Client;
use xynergy_core::{Error, ErrorKind};

use super::config::PostgresConfig;
use super::error::Failure;
use super::migrate;

/// The oldest server that is used: older ones do not notice a client that is gone while they wait for a lock.
const OLDEST_SERVER: i32 = 140_000;

/// What a session sets for itself, so that the server's or the role's defaults do not matter.
pub(super) fn settings(config: &PostgresConfig) -> String {
    let PostgresConfig { schema, statement_timeout_ms, lock_timeout_ms, .. } = config;
    // Statements are prepared once and find what they touch by an index, also in tables that were empty when they were
    // planned. A worker that is gone must not keep its locks: not while it waits, nor while it does nothing.
    format!(
        "SET search_path TO \"{schema}\", pg_temp;
         SET default_transaction_isolation TO 'read committed';
         SET default_transaction_read_only TO off;
         SET statement_timeout TO {statement_timeout_ms};
         SET lock_timeout TO {lock_timeout_ms};
         SET idle_in_transaction_session_timeout TO {statement_timeout_ms};
         SET client_connection_check_interval TO 1000;
         SET jit TO off;
         SET plan_cache_mode TO force_generic_plan;
         SET enable_seqscan TO off;
         SET enable_bitmapscan TO off;
         SET enable_hashjoin TO off;
         SET enable_mergejoin TO off;
         SET enable_sort TO off"
    )
}

/// Sets a new session up and refuses a server on which an acknowledged intent could be lost, or on which a guard
/// would count what was there before it waited for its lock.
pub(super) async fn prepare(client: &Client, config: &PostgresConfig) -> Result<(), Failure> {
    let version: i32 =
        client.query_one("SELECT current_setting('server_version_num')::int", &[]).await?.get(0);
    if version < OLDEST_SERVER {
        return Err(refused(format!("the server is PostgreSQL {}: use 14 or newer", version / 10_000)));
    }
    client.batch_execute(&settings(config)).await?;
    let row = client
        .query_one(
            "SELECT current_setting('synchronous_commit'), current_setting('fsync'),
                    current_setting('full_page_writes'), current_setting('transaction_isolation'),
                    current_setting('transaction_read_only') = 'on'",
            &[],
        )
        .await?;
    let isolation: String = row.get(3);
    if isolation != "read committed" {
        return Err(refused(format!(
            "the session's isolation is {isolation:?} and must be \"read committed\": connect without a proxy that sets it"
        )));
    }
    if row.get::<_, bool>(4) {
        return Err(Failure::Domain(Error::new(
            ErrorKind::Unavailable,
            "store.open",
            "the server only reads: it is a standby, or is failing over",
        )));
    }
    if config.allow_unsafe_durability {
        return Ok(());
    }
    let names = ["synchronous_commit", "fsync", "full_page_writes"];
    for (column, name) in names.into_iter().enumerate() {
        let value: String = row.get(column);
        if value != "on" && !(name == "synchronous_commit" && value == "remote_apply") {
            return Err(refused(format!(
                "the server can lose what it acknowledged ({name}={value}): set {name} to on for this server and role"
            )));
        }
    }
    Ok(())
}

/// Sets a connection of the pool up; its tables may have been migrated since the store was opened.
pub(super) async fn prepare_pooled(client: &Client, config: &PostgresConfig) -> Result<(), Failure> {
    prepare(client, config).await?;
    migrate::check_version(client).await.map(drop)
}

fn refused(message: String) -> Failure {
    Failure::Domain(Error::new(ErrorKind::ConfigInvalid, "store.open", message))
}
