use async_trait::async_trait;
use xynergy_core::store::{Document, StateStore};
use xynergy_core::{Error, ErrorKind, Result, TenantId};

use super::PostgresStore;
use super::error::Failure;
use super::numbers::{stored, unsigned};

#[async_trait]
impl StateStore for PostgresStore {
    async fn get(&self, tenant: &TenantId, collection: &str, key: &str) -> Result<Option<Document>> {
        let found = self.call("state.get", async |client| {
            let statement = client
                .prepare_cached(
                    "SELECT version, value FROM state_documents WHERE tenant_id = $1 AND collection = $2 AND key = $3",
                )
                .await?;
            let row = client.query_opt(&statement, &[&tenant.as_str(), &collection, &key]).await?;
            row.map(|row| Ok(Document { version: unsigned(row.get(0))?, value: row.get(1) })).transpose()
        });
        found.await
    }

    async fn put(
        &self,
        tenant: &TenantId,
        collection: &str,
        key: &str,
        expected: Option<u64>,
        value: &str,
    ) -> Result<u64> {
        let sql = match expected {
            None => {
                "INSERT INTO state_documents AS d (tenant_id, collection, key, version, value)
                 VALUES ($1, $2, $3, 1 + coalesce($4::bigint, 0), $5)
                 ON CONFLICT (tenant_id, collection, key) DO UPDATE SET version = d.version + 1, value = excluded.value
                 RETURNING version"
            }
            Some(0) => {
                "INSERT INTO state_documents (tenant_id, collection, key, version, value)
                 VALUES ($1, $2, $3, 1 + $4::bigint, $5)
                 ON CONFLICT (tenant_id, collection, key) DO NOTHING RETURNING version"
            }
            Some(_) => {
                "UPDATE state_documents SET version = version + 1, value = $5
                 WHERE tenant_id = $1 AND collection = $2 AND key = $3 AND version = $4 RETURNING version"
            }
        };
        let expected = expected.map(stored).transpose()?;
        let written = self.call("state.put", async |client| {
            let statement = client.prepare_cached(sql).await?;
            let row = client
                .query_opt(&statement, &[&tenant.as_str(), &collection, &key, &expected, &value])
                .await?;
            let Some(row) = row else {
                return Err(Failure::Domain(
                    Error::new(
                        ErrorKind::Conflict,
                        "state.put",
                        "the document was changed by somebody else: read it again",
                    )
                    .with_context("document", format!("{collection}/{key}")),
                ));
            };
            unsigned(row.get(0))
        });
        written.await
    }

    async fn list(&self, tenant: &TenantId, collection: &str) -> Result<Vec<(String, Document)>> {
        let listed = self.call("state.list", async |client| {
            let statement = client
                .prepare_cached(
                    "SELECT key, version, value FROM state_documents WHERE tenant_id = $1 AND collection = $2 ORDER BY key",
                )
                .await?;
            let rows = client.query(&statement, &[&tenant.as_str(), &collection]).await?;
            rows.iter()
                .map(|row| Ok((row.get(0), Document { version: unsigned(row.get(1))?, value: row.get(2) })))
                .collect()
        });
        listed.await
    }
}
