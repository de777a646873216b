use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is known of an entry beside its vector: a JSON object.
pub type Metadata = serde_json::Map<String, Value>;

/// A vector with its id and metadata.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorEntry {
    /// Its id: 1 to 256 bytes without control characters.
    pub id: String,
    /// The vector. Only its direction counts: it is kept at length 1.
    pub embedding: Vec<f32>,
    /// What is known of it.
    pub metadata: Metadata,
}

/// An entry that is near what was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbour {
    /// Its id.
    pub id: String,
    /// The cosine of the angle between the two: 1 is the same direction, -1 the opposite.
    pub similarity: f32,
    /// What is known of it.
    pub metadata: Metadata,
}

/// What became of entries that were added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Added {
    /// How many ids were not there before.
    pub inserted: u64,
    /// How many were there and are replaced.
    pub replaced_count: u64,
}

/// How vectors are searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IndexKind {
    /// Every vector is compared: exact.
    Flat,
    /// By a graph of near neighbours: approximate.
    Hnsw,
}

/// How much there is, and how it is searched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IndexStats {
    /// How many vectors there are.
    pub vector_count: u64,
    /// How many numbers each has.
    pub dimensions: u32,
    /// How they are searched.
    pub kind: IndexKind,
    /// How many are in the graph; the others are compared one by one.
    pub graph_count: u64,
    /// How many candidates a search of the graph looks at. It follows from what searching for new vectors found.
    pub graph_breadth: u32,
    /// The bytes of vectors and graph in memory.
    pub memory_bytes: u64,
    /// The number of the state that was persisted last, or loaded; 0 when there is none.
    pub generation_seq: u64,
    /// Whether something changed since.
    pub unsaved: bool,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Persisted {
    /// The number of this state: one more at each write.
    pub generation_seq: u64,
    /// How many vectors are in it.
    pub vector_count: u64,
    /// The file of the vectors, which FAISS reads as well.
    pub vectors_file: String,
}
