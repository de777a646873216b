//! The tables of the configured store.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::Result;

use crate::client::Client;
use crate::config::StoreConfig;

/// What [`Client::migrate`] did, or would have others do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Migration {
    /// The names of the migrations that this call applied, in their order.
    pub applied: Vec<String>,
    /// Everything that makes the tables in an empty store, if it was asked for and the store has tables.
    pub sql: Option<String>,
    /// The version of the tables that this library works on; 0 for a store without tables.
    pub version: u32,
}

impl Client {
    /// Brings the configured store to this version: opens it and applies the migrations that it lacks, all or none. The
    /// first use of a store does the same, so that no call of this is needed; it is for those who want it to happen at a
    /// time of their own, and who want to see it. When the store is open already, or is one that the host gave, nothing is
    /// left to apply.
    ///
    /// With `print_sql` nothing is opened and nothing is made: the answer holds the SQL for those who migrate with a tool
    /// of their own.
    ///
    /// # Errors
    /// The store cannot be opened, is of another program, or of a newer version; it is left as it was.
    pub async fn migrate(&self, print_sql: bool) -> Result<Migration> {
        let (version, sql) = tables(&self.shared.config.store)?;
        if print_sql {
            return Ok(Migration { applied: Vec::new(), sql, version });
        }
        Ok(Migration { applied: self.shared.open_stores().await?, sql: None, version })
    }
}

/// The version of a store's tables and what makes them.
fn tables(store: &StoreConfig) -> Result<(u32, Option<String>)> {
    Ok(match store {
        StoreConfig::Memory => (0, None),
        #[cfg(feature = "sqlite")]
        StoreConfig::Sqlite { .. } => {
            let schema = xynergy_providers::store::sqlite::schema();
            (schema.version, Some(schema.sql))
        }
        #[cfg(feature = "postgres")]
        StoreConfig::Postgres(config) => {
            let schema = xynergy_providers::store::postgres::schema(config)?;
            (schema.version, Some(schema.sql))
        }
    })
}
