//! The creatives that won, found again by likeness.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::Result;
use xynergy_core::vector::Collection;
pub use xynergy_core::vector::{
    Added, IndexKind, IndexStats, MemoryIndex, Metadata, MetadataFilter, Neighbour, Persisted, VectorEntry,
    VectorIndex, VectorLimits, files,
};
pub use xynergy_providers::vector::FileIndex;
use xynergy_providers::vector::read_index_file;

use crate::scope::Scope;

/// Where the winners are kept, and how large their embeddings are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WinnersConfig {
    /// The folder in which `winners.persist` keeps them, a folder in it for each tenant. Without one they are gone with the process.
    pub path: Option<PathBuf>,
    /// How many numbers an embedding has: 768 by default, 1 to 65536.
    pub dimensions: u32,
    /// Up to how many winners a search compares every one; with more it goes through a graph of near neighbours (HNSW) and is
    /// approximate. 50000 by default.
    pub exact_up_to: u32,
}

impl Default for WinnersConfig {
    fn default() -> Self {
        let VectorLimits { dimensions, exact_up_to } = VectorLimits::default();
        Self { path: None, dimensions, exact_up_to }
    }
}

impl WinnersConfig {
    /// The index that is meant. Nothing is read yet.
    ///
    /// # Errors
    /// [`ConfigInvalid`](crate::ErrorKind::ConfigInvalid) that names the field.
    pub(crate) fn index(&self) -> Result<Arc<dyn VectorIndex>> {
        let limits = VectorLimits { dimensions: self.dimensions, exact_up_to: self.exact_up_to };
        limits.validate("allocation.winners")?;
        Ok(match &self.path {
            Some(path) => Arc::new(FileIndex::new(path, limits)),
            None => Arc::new(MemoryIndex::new(limits)),
        })
    }
}

/// An ad that won, with the embedding of its creative.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Winner {
    /// The ad: 1 to 256 bytes.
    pub ad_id: String,
    /// The embedding of its creative. Only its direction counts: it is kept, and given back, at length 1.
    pub embedding: Vec<f32>,
    /// What is known of it, at most 16 kB: filters ask for it.
    #[serde(default)]
    pub metadata: Metadata,
}

/// A winner that is near what was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SimilarWinner {
    /// The ad.
    pub ad_id: String,
    /// The cosine of the angle between the two embeddings: 1 is the same direction, 0 has nothing in common, -1 is the opposite.
    pub similarity: f32,
    /// What is known of it.
    pub metadata: Metadata,
}

impl From<Winner> for VectorEntry {
    fn from(winner: Winner) -> Self {
        Self { id: winner.ad_id, embedding: winner.embedding, metadata: winner.metadata }
    }
}

impl From<VectorEntry> for Winner {
    fn from(entry: VectorEntry) -> Self {
        Self { ad_id: entry.id, embedding: entry.embedding, metadata: entry.metadata }
    }
}

impl From<Neighbour> for SimilarWinner {
    fn from(found: Neighbour) -> Self {
        Self { ad_id: found.id, similarity: found.similarity, metadata: found.metadata }
    }
}

/// The winners of one tenant, loaded at the first use.
#[derive(Clone, Copy, Debug)]
pub struct Winners<'a>(&'a Scope);

impl Scope {
    /// The creatives that won.
    pub fn winners(&self) -> Winners<'_> {
        Winners(self)
    }
}

impl Winners<'_> {
    fn index(&self) -> &dyn VectorIndex {
        &*self.0.shared.winners
    }

    /// Adds winners, all or none; an ad that is there is replaced. They are found at once, and outlive the process once
    /// [`persist`](Self::persist) has written them. Above [`exact_up_to`](WinnersConfig::exact_up_to) each takes some milliseconds of computing.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) that names the field: an embedding of another size, with a number that is not
    /// finite or with zeros alone, an empty or too long `ad_id`, metadata that are too large. Nothing is changed then.
    pub async fn add(&self, winners: Vec<Winner>) -> Result<Added> {
        self.index().add(self.0.tenant(), winners.into_iter().map(Into::into).collect()).await
    }

    /// The `k` winners whose embeddings are nearest, the nearest first; of equally near ones the first by ad. It computes on the
    /// calling thread: about a millisecond for 10,000 winners of 768 dimensions.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an embedding as in [`add`](Self::add), and for a `k` that is not 1 to 10,000.
    pub async fn find_similar(
        &self,
        embedding: &[f32],
        k: usize,
        filter: &MetadataFilter,
    ) -> Result<Vec<SimilarWinner>> {
        let mut found = self.find_similar_many(&[embedding.to_vec()], k, filter).await?;
        Ok(found.pop().unwrap_or_default())
    }

    /// The nearest of each of many embeddings, in their order. This takes less than one after the other.
    ///
    /// # Errors
    /// As [`find_similar`](Self::find_similar).
    pub async fn find_similar_many(
        &self,
        embeddings: &[Vec<f32>],
        k: usize,
        filter: &MetadataFilter,
    ) -> Result<Vec<Vec<SimilarWinner>>> {
        let found = self.index().search(self.0.tenant(), embeddings, k, filter).await?;
        Ok(found.into_iter().map(|found| found.into_iter().map(Into::into).collect()).collect())
    }

    /// The winner, its embedding at length 1.
    ///
    /// # Errors
    /// Those of loading: [`Corrupt`](crate::ErrorKind::Corrupt) names the file that cannot be read.
    pub async fn get(&self, ad_id: &str) -> Result<Option<Winner>> {
        Ok(self.index().get(self.0.tenant(), ad_id).await?.map(Into::into))
    }

    /// Removes the winner; whether it was there.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn remove(&self, ad_id: &str) -> Result<bool> {
        self.index().remove(self.0.tenant(), ad_id).await
    }

    /// How many winners there are, and how they are searched.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn stats(&self) -> Result<IndexStats> {
        self.index().stats(self.0.tenant()).await
    }

    /// Writes all of it to the configured folder. A crash at any moment leaves this state or the one before, whole. When its future is dropped it
    /// is written nevertheless.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) without a configured path, and [`Conflict`](crate::ErrorKind::Conflict) when
    /// another process has written since this one loaded: it would be lost.
    pub async fn persist(&self) -> Result<Persisted> {
        self.index().persist(self.0.tenant()).await
    }

    /// Adds the vectors of a file of FAISS's: an `IndexFlatIP`, or an `IndexIDMap2` of one, whose ids become ads. All are added or none.
    /// Their metadata are empty.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) for a file that is cut off or another kind of index, and those of [`add`](Self::add).
    pub async fn import_file(&self, path: &Path) -> Result<Added> {
        let file = read_index_file(path).await?;
        self.index().add(self.0.tenant(), Collection::entries_of(&file)).await
    }
}
