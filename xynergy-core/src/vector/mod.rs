//! Vectors by likeness: what is near a vector, by inner product on vectors of length 1.
//!
//! A [`Collection`] is one tenant's vectors with an id and metadata each. It is searched exactly up to a number of vectors, and by a graph
//! (HNSW) above it. A [`VectorIndex`] has a collection for each tenant: [`MemoryIndex`] here, one on files in `xynergy-providers`.

mod collection;
mod dot;
mod entry;
pub mod files;
mod filter;
mod flat;
mod hnsw;
mod limits;
mod memory;
mod unit;

pub use collection::Collection;
pub use entry::{Added, IndexKind, IndexStats, Metadata, Neighbour, Persisted, VectorEntry};
pub use filter::MetadataFilter;
pub use limits::VectorLimits;
pub use memory::MemoryIndex;

use std::fmt::Debug;

use async_trait::async_trait;

use crate::ctx::TenantId;
use crate::error::Result;

/// Where vectors are kept and found by likeness, apart for each tenant.
///
/// An implementation loads a tenant's vectors at their first use. What is added is found at once; it outlives the process once it is
/// persisted. Searching computes on the calling thread. Cancel safety: a call whose future is dropped has done all of its work or
/// none.
#[async_trait]
pub trait VectorIndex: Send + Sync + Debug + 'static {
    /// Adds entries, all or none. An entry whose id is there replaces it; of equal ids among them the last one stays.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) that names the field of a vector of another size, with a number that is not
    /// finite, or with zeros alone, and of an id or metadata out of its limits.
    async fn add(&self, tenant: &TenantId, entries: Vec<VectorEntry>) -> Result<Added>;

    /// The `k` nearest of each embedding among those that match `filter`, the nearest first; of equally near ones the first by id. Many
    /// embeddings at once take less than one after the other.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a vector as in [`add`](Self::add), and for a `k` of 0 or too many.
    async fn search(
        &self,
        tenant: &TenantId,
        embeddings: &[Vec<f32>],
        k: usize,
        filter: &MetadataFilter,
    ) -> Result<Vec<Vec<Neighbour>>>;

    /// The entry, its vector at length 1.
    async fn get(&self, tenant: &TenantId, id: &str) -> Result<Option<VectorEntry>>;

    /// Removes the entry; whether it was there.
    async fn remove(&self, tenant: &TenantId, id: &str) -> Result<bool>;

    /// How much there is, and how it is searched.
    async fn stats(&self, tenant: &TenantId) -> Result<IndexStats>;

    /// Writes all of it so that it outlives the process: afterwards the new state is there, after a crash at any moment the new or the
    /// one before.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) where nothing outlives the process, and
    /// [`Conflict`](crate::ErrorKind::Conflict) when another process has persisted since this one loaded.
    async fn persist(&self, tenant: &TenantId) -> Result<Persisted>;
}
