use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

use async_trait::async_trait;

use crate::ctx::TenantId;
use crate::error::Result;

/// A stored document and its version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Document {
    /// 1 when it was first written, one more at each write.
    pub version: u64,
    /// The document, usually JSON.
    pub value: String,
}

/// Small versioned documents by collection and key: sampler state, receipts, runs, marks.
///
/// A document is written whole and at once. Cancel safety: a call whose future is dropped may or may not have
/// been written, never half.
#[async_trait]
pub trait StateStore: Send + Sync + fmt::Debug + 'static {
    /// The document, or `None` when there is none.
    async fn get(&self, tenant: &TenantId, collection: &str, key: &str) -> Result<Option<Document>>;

    /// Writes a document and returns its new version.
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) when `expected` is given and is not the stored version; 0 expects
    /// that there is none. Nothing is written then.
    async fn put(
        &self,
        tenant: &TenantId,
        collection: &str,
        key: &str,
        expected: Option<u64>,
        value: &str,
    ) -> Result<u64>;

    /// The documents of a collection, by key in byte order.
    async fn list(&self, tenant: &TenantId, collection: &str) -> Result<Vec<(String, Document)>>;
}
