use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;

use super::{
    Added, Collection, IndexStats, MetadataFilter, Neighbour, Persisted, VectorEntry, VectorIndex,
    VectorLimits,
};
use crate::ctx::TenantId;
use crate::error::{Error, ErrorKind, Result};

/// A [`VectorIndex`] in memory: for one process, gone with it.
#[derive(Debug)]
pub struct MemoryIndex {
    limits: VectorLimits,
    tenants: RwLock<HashMap<TenantId, Arc<RwLock<Collection>>>>,
}

impl MemoryIndex {
    /// An empty index.
    pub fn new(limits: VectorLimits) -> Self {
        Self { limits, tenants: RwLock::default() }
    }

    fn tenant(&self, tenant: &TenantId) -> Arc<RwLock<Collection>> {
        if let Some(known) = self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(tenant) {
            return known.clone();
        }
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        tenants
            .entry(tenant.clone())
            .or_insert_with(|| Arc::new(RwLock::new(Collection::new(self.limits))))
            .clone()
    }

    fn read<T>(&self, tenant: &TenantId, with: impl FnOnce(&Collection) -> T) -> T {
        with(&self.tenant(tenant).read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, tenant: &TenantId, with: impl FnOnce(&mut Collection) -> T) -> T {
        with(&mut self.tenant(tenant).write().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl VectorIndex for MemoryIndex {
    async fn add(&self, tenant: &TenantId, entries: Vec<VectorEntry>) -> Result<Added> {
        self.write(tenant, |collection| collection.add("winners.add", entries))
    }

    async fn search(
        &self,
        tenant: &TenantId,
        embeddings: &[Vec<f32>],
        k: usize,
        filter: &MetadataFilter,
    ) -> Result<Vec<Vec<Neighbour>>> {
        self.read(tenant, |collection| collection.search("winners.find_similar", embeddings, k, filter))
    }

    async fn get(&self, tenant: &TenantId, id: &str) -> Result<Option<VectorEntry>> {
        Ok(self.read(tenant, |collection| collection.get(id)))
    }

    async fn remove(&self, tenant: &TenantId, id: &str) -> Result<bool> {
        Ok(self.write(tenant, |collection| collection.remove(id)))
    }

    async fn stats(&self, tenant: &TenantId) -> Result<IndexStats> {
        Ok(self
            .read(tenant, |collection| IndexStats { unsaved: !collection.is_empty(), ..collection.stats() }))
    }

    async fn persist(&self, _tenant: &TenantId) -> Result<Persisted> {
        let message = "the index is in memory alone; configure `allocation.winners.path` to keep it";
        Err(Error::new(ErrorKind::Unsupported, "winners.persist", message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_behaves_like_an_index() {
        let limits = VectorLimits { dimensions: 3, exact_up_to: 50_000 };
        crate::conformance::vector_index(&MemoryIndex::new(limits)).await;
        // Searched by graph where there is more than one.
        crate::conformance::vector_index(&MemoryIndex::new(VectorLimits { exact_up_to: 1, ..limits })).await;
    }
}
