use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::ctx::TenantId;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Document, StateStore};

type Documents = BTreeMap<(TenantId, String), BTreeMap<String, Document>>;

/// A [`StateStore`] in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryState(Arc<Mutex<Documents>>);

#[async_trait]
impl StateStore for MemoryState {
    async fn get(&self, tenant: &TenantId, collection: &str, key: &str) -> Result<Option<Document>> {
        let documents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(documents.get(&(tenant.clone(), collection.to_owned())).and_then(|c| c.get(key)).cloned())
    }

    async fn put(
        &self,
        tenant: &TenantId,
        collection: &str,
        key: &str,
        expected: Option<u64>,
        value: &str,
    ) -> Result<u64> {
        let mut documents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let documents = documents.entry((tenant.clone(), collection.to_owned())).or_default();
        let stored = documents.get(key).map_or(0, |d| d.version);
        if expected.is_some_and(|expected| expected != stored) {
            return Err(Error::new(
                ErrorKind::Conflict,
                "state.put",
                "the document was changed by somebody else: read it again",
            )
            .with_context("document", format!("{collection}/{key}")));
        }
        documents.insert(key.to_owned(), Document { version: stored + 1, value: value.to_owned() });
        Ok(stored + 1)
    }

    async fn list(&self, tenant: &TenantId, collection: &str) -> Result<Vec<(String, Document)>> {
        let documents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(documents
            .get(&(tenant.clone(), collection.to_owned()))
            .map(|c| c.iter().map(|(k, d)| (k.clone(), d.clone())).collect())
            .unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_the_contract() {
        crate::conformance::state_store(&MemoryState::default()).await;
    }
}
