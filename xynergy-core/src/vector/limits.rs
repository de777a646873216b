use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::entry::Metadata;
use crate::error::{Error, ErrorKind, Result};

/// The longest id, in bytes.
const ID_BYTES: usize = 256;
/// The longest metadata of one entry, in bytes of JSON.
const METADATA_BYTES: usize = 16 * 1024;
/// The most neighbours of one search.
const MOST_NEIGHBOURS: usize = 10_000;
/// The most numbers of a vector.
const MOST_DIMENSIONS: u32 = 65_536;
/// The most vectors of a collection: a row is a `u32`.
pub(super) const MOST_VECTORS: usize = 1 << 31;

/// The size of vectors, and up to how many are searched exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VectorLimits {
    /// How many numbers every vector has: 768 by default, 1 to 65536.
    pub dimensions: u32,
    /// Up to how many vectors every one is compared. With more, a graph of near neighbours (HNSW) is searched, which is approximate.
    pub exact_up_to: u32,
}

impl Default for VectorLimits {
    fn default() -> Self {
        Self { dimensions: 768, exact_up_to: 50_000 }
    }
}

impl VectorLimits {
    /// Whether they can hold. `name` is their place in the configuration.
    ///
    /// # Errors
    /// [`ConfigInvalid`](ErrorKind::ConfigInvalid) that names the field.
    pub fn validate(&self, name: &str) -> Result<()> {
        if (1..=MOST_DIMENSIONS).contains(&self.dimensions) {
            return Ok(());
        }
        let message = format!(
            "{name}.dimensions: {} is not 1 to {MOST_DIMENSIONS}; give the size of your embeddings",
            self.dimensions
        );
        Err(Error::new(ErrorKind::ConfigInvalid, "config", message))
    }
}

/// Whether an id can be kept.
pub(super) fn check_id(operation: &'static str, id: &str) -> Result<()> {
    let problem = if id.is_empty() {
        "is empty".to_owned()
    } else if id.len() > ID_BYTES {
        format!("has {} bytes, more than {ID_BYTES}", id.len())
    } else if id.chars().any(char::is_control) {
        "has a control character".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::invalid(operation, format!("id: {problem}; give 1 to {ID_BYTES} bytes of text")))
}

/// Whether metadata can be kept.
pub(super) fn check_metadata(operation: &'static str, metadata: &Metadata) -> Result<()> {
    let bytes = serde_json::to_vec(metadata).map_or(usize::MAX, |json| json.len());
    if bytes <= METADATA_BYTES {
        return Ok(());
    }
    let message = format!(
        "metadata: {bytes} bytes of JSON, more than {METADATA_BYTES}; keep what is large elsewhere, by the id"
    );
    Err(Error::invalid(operation, message))
}

/// Whether so many neighbours can be asked for.
pub(super) fn check_k(operation: &'static str, k: usize) -> Result<()> {
    if (1..=MOST_NEIGHBOURS).contains(&k) {
        return Ok(());
    }
    Err(Error::invalid(operation, format!("k: {k} is not 1 to {MOST_NEIGHBOURS}")))
}
