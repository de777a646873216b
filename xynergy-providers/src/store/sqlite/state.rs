use async_trait::async_trait;
use rusqlite::{OptionalExtension, params};
use xynergy_core::store::{Document, StateStore};
use xynergy_core::{Error, ErrorKind, Result, TenantId};

use super::SqliteStore;
use super::error::Failure;

#[async_trait]
impl StateStore for SqliteStore {
    async fn get(&self, tenant: &TenantId, collection: &str, key: &str) -> Result<Option<Document>> {
        let (tenant, collection, key) = (tenant.to_string(), collection.to_owned(), key.to_owned());
        self.call("state.get", move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT version, value FROM state_documents WHERE tenant_id = ?1 AND collection = ?2 AND key = ?3",
            )?;
            let row = statement.query_row(params![tenant, collection, key], |row| {
                Ok(Document { version: row.get(0)?, value: row.get(1)? })
            });
            Ok(row.optional()?)
        })
        .await
    }

    async fn put(
        &self,
        tenant: &TenantId,
        collection: &str,
        key: &str,
        expected: Option<u64>,
        value: &str,
    ) -> Result<u64> {
        let (tenant, collection, key) = (tenant.to_string(), collection.to_owned(), key.to_owned());
        let value = value.to_owned();
        self.transaction("state.put", move |transaction| {
            let stored: u64 = transaction
                .prepare_cached(
                    "SELECT version FROM state_documents WHERE tenant_id = ?1 AND collection = ?2 AND key = ?3",
                )?
                .query_row(params![tenant, collection, key], |row| row.get(0))
                .optional()?
                .unwrap_or(0);
            if expected.is_some_and(|expected| expected != stored) {
                return Err(Failure::Domain(
                    Error::new(
                        ErrorKind::Conflict,
                        "state.put",
                        "the document was changed by somebody else: read it again",
                    )
                    .with_context("document", format!("{collection}/{key}")),
                ));
            }
            transaction
                .prepare_cached(
                    "INSERT INTO state_documents (tenant_id, collection, key, version, value)
                     VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT (tenant_id, collection, key)
                     DO UPDATE SET version = excluded.version, value = excluded.value",
                )?
                .execute(params![tenant, collection, key, stored + 1, value])?;
            Ok(stored + 1)
        })
        .await
    }

    async fn list(&self, tenant: &TenantId, collection: &str) -> Result<Vec<(String, Document)>> {
        let (tenant, collection) = (tenant.to_string(), collection.to_owned());
        self.call("state.list", move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT key, version, value FROM state_documents WHERE tenant_id = ?1 AND collection = ?2 ORDER BY key",
            )?;
            let rows = statement.query_map(params![tenant, collection], |row| {
                Ok((row.get(0)?, Document { version: row.get(1)?, value: row.get(2)? }))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }
}
