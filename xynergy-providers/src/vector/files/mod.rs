//! A vector index in files: a folder for each tenant, in it the files of one generation and `current.json`, which names them.
//!
//! A generation is written beside the one before. Renaming `current.json` is the one step that makes it count; whatever a crash leaves
//! behind before that is swept by the next write. `vectors-N.faiss` is a file that FAISS reads (`IndexIDMap2` of an `IndexFlatIP`).

mod folder;
mod load;
mod manifest;
mod write;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use async_trait::async_trait;
use tokio::sync::OnceCell;
use xynergy_core::vector::{
    Added, Collection, IndexStats, MetadataFilter, Neighbour, Persisted, VectorEntry, VectorIndex,
    VectorLimits,
};
use xynergy_core::{Error, ErrorKind, Result, TenantId};

/// A [`VectorIndex`] in memory that is loaded from files at a tenant's first use and written to them by `persist`.
///
/// Several processes may read one folder. Of those that write, one that has not loaded what another wrote since is refused.
#[derive(Debug)]
pub struct FileIndex {
    root: PathBuf,
    limits: VectorLimits,
    tenants: Mutex<HashMap<TenantId, Arc<OnceCell<Arc<Loaded>>>>>,
}

/// What one tenant has.
#[derive(Debug)]
struct Loaded {
    state: RwLock<State>,
    /// What was loaded or written last; 0 for nothing. Held by who writes.
    generation: Arc<tokio::sync::Mutex<u64>>,
}

#[derive(Debug)]
struct State {
    /// Shared with who writes it; whoever changes it meanwhile changes a copy.
    collection: Arc<Collection>,
    /// The generation of [`Loaded`], for who does not wait.
    generation: u64,
    /// Changes since this process began, and how many of them are written.
    changes: u64,
    written: u64,
}

impl Loaded {
    fn read<T>(&self, with: impl FnOnce(&State) -> T) -> T {
        with(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut self.state.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes what there is.
    fn persist(&self, folder: &Path, generation: &mut u64, watch: &dyn write::Watch) -> Result<Persisted> {
        let (collection, changes) = self.read(|state| (state.collection.clone(), state.changes));
        let written = write::write(folder, &collection, *generation, watch)?;
        *generation = written.generation_seq;
        self.write(|state| {
            state.generation = written.generation_seq;
            state.written = changes;
        });
        Ok(written)
    }
}

impl FileIndex {
    /// An index in the folder `root`, which is made by the first `persist`. Nothing is read yet.
    pub fn new(root: impl Into<PathBuf>, limits: VectorLimits) -> Self {
        Self { root: root.into(), limits, tenants: Mutex::default() }
    }

    async fn tenant(&self, tenant: &TenantId) -> Result<Arc<Loaded>> {
        let cell = {
            let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
            tenants.entry(tenant.clone()).or_default().clone()
        };
        let load = || async {
            let (folder, limits) = (folder::of(&self.root, tenant), self.limits);
            let (collection, generation) =
                blocking("winners.load", move || load::load(&folder, limits)).await?;
            let state = State { collection: Arc::new(collection), generation, changes: 0, written: 0 };
            let generation = Arc::new(tokio::sync::Mutex::new(generation));
            Ok::<_, Error>(Arc::new(Loaded { state: RwLock::new(state), generation }))
        };
        cell.get_or_try_init(load).await.cloned()
    }
}

#[async_trait]
impl VectorIndex for FileIndex {
    async fn add(&self, tenant: &TenantId, entries: Vec<VectorEntry>) -> Result<Added> {
        self.tenant(tenant).await?.write(|state| {
            let added = Arc::make_mut(&mut state.collection).add("winners.add", entries)?;
            state.changes += 1;
            Ok(added)
        })
    }

    async fn search(
        &self,
        tenant: &TenantId,
        embeddings: &[Vec<f32>],
        k: usize,
        filter: &MetadataFilter,
    ) -> Result<Vec<Vec<Neighbour>>> {
        let loaded = self.tenant(tenant).await?;
        loaded.read(|state| state.collection.search("winners.find_similar", embeddings, k, filter))
    }

    async fn get(&self, tenant: &TenantId, id: &str) -> Result<Option<VectorEntry>> {
        Ok(self.tenant(tenant).await?.read(|state| state.collection.get(id)))
    }

    async fn remove(&self, tenant: &TenantId, id: &str) -> Result<bool> {
        Ok(self.tenant(tenant).await?.write(|state| {
            // A copy is made for what is there alone.
            let removed = state.collection.contains(id) && Arc::make_mut(&mut state.collection).remove(id);
            state.changes += u64::from(removed);
            removed
        }))
    }

    async fn stats(&self, tenant: &TenantId) -> Result<IndexStats> {
        Ok(self.tenant(tenant).await?.read(|state| IndexStats {
            generation_seq: state.generation,
            unsaved: state.changes != state.written,
            ..state.collection.stats()
        }))
    }

    async fn persist(&self, tenant: &TenantId) -> Result<Persisted> {
        let folder = folder::of(&self.root, tenant);
        let loaded = self.tenant(tenant).await?;
        let mut generation = loaded.generation.clone().lock_owned().await;
        // It goes on to its end when this future is dropped.
        blocking("winners.persist", move || loaded.persist(&folder, &mut generation, &write::Undisturbed))
            .await
    }
}

/// Runs what reads and writes files where nobody waits for the thread.
pub(super) async fn blocking<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        Error::new(ErrorKind::Unexpected, operation, "the work on files has ended early").with_source(error)
    })?
}

/// An error of the file system.
pub(super) fn failed(operation: &'static str, path: &Path, error: std::io::Error) -> Error {
    let message = format!("{}: it cannot be read or written", path.display());
    Error::new(ErrorKind::Unavailable, operation, message).with_source(error)
}

#[cfg(test)]
mod tests;
