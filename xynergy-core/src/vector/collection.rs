mod stored;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::dot;
use super::entry::{Added, IndexKind, IndexStats, Metadata, Neighbour, VectorEntry};
use super::filter::MetadataFilter;
use super::flat::{self, Best, Rows};
use super::hnsw::{Graph, Space};
use super::limits::{MOST_VECTORS, VectorLimits, check_id, check_k, check_metadata};
use super::unit::{make_unit, unit};
use crate::error::{Error, ErrorKind, Result};

/// Rows that go into the graph with each one that is added, so that it catches up without any call taking long.
const CATCH_UP: usize = 8;
/// What one candidate of a search by graph costs, in rows that are compared one by one.
const COST_OF_A_CANDIDATE: usize = 32;
/// From here on are the numbers of ids that are no numbers.
const FIRST_NAMED: i64 = 1 << 62;

/// One tenant's vectors, with an id and metadata each.
///
/// A plain value without I/O. Vectors are kept at length 1. Up to [`VectorLimits::exact_up_to`] of them every search compares all, and its
/// answer is the same on every machine; above that a graph of near neighbours is searched, together with the rows that are not yet in
/// it.
#[derive(Clone)]
pub struct Collection {
    limits: VectorLimits,
    vectors: Vec<f32>,
    ids: Vec<Arc<str>>,
    metadata: Vec<Metadata>,
    /// The number of each id in FAISS's file: its own where it is one.
    numbers: Vec<i64>,
    next_named: i64,
    rows: HashMap<Arc<str>, u32>,
    /// Of the first rows.
    graph: Graph,
}

impl fmt::Debug for Collection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collection")
            .field("limits", &self.limits)
            .field("len", &self.len())
            .field("in_graph", &self.graph.len())
            .finish_non_exhaustive()
    }
}

impl Collection {
    /// An empty one.
    pub fn new(limits: VectorLimits) -> Self {
        Self {
            limits,
            vectors: Vec::new(),
            ids: Vec::new(),
            metadata: Vec::new(),
            numbers: Vec::new(),
            next_named: FIRST_NAMED,
            rows: HashMap::new(),
            graph: Graph::new(),
        }
    }

    /// How many vectors there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Whether there is an entry of this id.
    pub fn contains(&self, id: &str) -> bool {
        self.rows.contains_key(id)
    }

    fn dimensions(&self) -> usize {
        self.limits.dimensions as usize
    }

    fn vector(&self, row: u32) -> &[f32] {
        let at = row as usize * self.dimensions();
        &self.vectors[at..at + self.dimensions()]
    }

    /// Adds entries, all or none. An entry whose id is there replaces it; of equal ids among them the last one stays.
    ///
    /// # Errors
    /// As [`VectorIndex::add`](super::VectorIndex::add).
    pub fn add(&mut self, operation: &'static str, mut entries: Vec<VectorEntry>) -> Result<Added> {
        let several = entries.len() > 1;
        for (index, entry) in entries.iter_mut().enumerate() {
            let VectorEntry { id, embedding, metadata } = entry;
            check_id(operation, id)
                .and_then(|()| make_unit(operation, embedding, self.limits.dimensions as usize))
                .and_then(|()| check_metadata(operation, metadata))
                .map_err(|error| if several { of_entry(&error, index) } else { error })?;
        }
        if self.len() + entries.len() > MOST_VECTORS {
            let message = format!("the index would have more than {MOST_VECTORS} vectors");
            return Err(Error::new(ErrorKind::LimitExceeded, operation, message));
        }
        let mut added = Added::default();
        for entry in entries {
            match self.rows.get(&*entry.id).copied() {
                Some(row) => {
                    added.replaced_count += 1;
                    let row = self.leave_graph(row);
                    let (at, d) = (row as usize * self.dimensions(), self.dimensions());
                    self.vectors[at..at + d].copy_from_slice(&entry.embedding);
                    self.metadata[row as usize] = entry.metadata;
                }
                None => {
                    added.inserted += 1;
                    let number = self.number_of(&entry.id);
                    self.push(entry.id.into(), number, &entry.embedding, entry.metadata);
                }
            }
            self.catch_up(CATCH_UP);
        }
        Ok(added)
    }

    fn push(&mut self, id: Arc<str>, number: i64, vector: &[f32], metadata: Metadata) {
        let row = u32::try_from(self.len()).unwrap_or(u32::MAX);
        self.rows.insert(id.clone(), row);
        self.ids.push(id);
        self.numbers.push(number);
        self.vectors.extend_from_slice(vector);
        self.metadata.push(metadata);
    }

    /// The number of an id in FAISS's file: the id itself where it is a number as it is usually written, else the next one of those
    /// that no ad has.
    fn number_of(&mut self, id: &str) -> i64 {
        let own = id.parse::<i64>().ok().filter(|n| (0..FIRST_NAMED).contains(n) && n.to_string() == id);
        own.unwrap_or_else(|| {
            self.next_named += 1;
            self.next_named - 1
        })
    }

    /// The entry, its vector at length 1.
    pub fn get(&self, id: &str) -> Option<VectorEntry> {
        let row = *self.rows.get(id)?;
        Some(VectorEntry {
            id: id.to_owned(),
            embedding: self.vector(row).to_vec(),
            metadata: self.metadata[row as usize].clone(),
        })
    }

    /// Removes the entry; whether it was there.
    pub fn remove(&mut self, id: &str) -> bool {
        let Some(&row) = self.rows.get(id) else { return false };
        let row = self.leave_graph(row);
        let last = u32::try_from(self.len() - 1).unwrap_or(u32::MAX);
        self.swap(row, last);
        self.rows.remove(id);
        self.ids.pop();
        self.numbers.pop();
        self.metadata.pop();
        self.vectors.truncate(last as usize * self.dimensions());
        // Few are compared quicker than the graph is kept. The half in between is for an index whose size goes up and down.
        if self.len() <= self.limits.exact_up_to as usize / 2 {
            self.graph = Graph::new();
        }
        true
    }

    /// Takes a row out of the graph; the row at which it is then.
    fn leave_graph(&mut self, row: u32) -> u32 {
        if row as usize >= self.graph.len() {
            return row;
        }
        let space = Space {
            vectors: &self.vectors,
            dimensions: self.limits.dimensions as usize,
            level: dot::level(),
        };
        self.graph.remove(space, row);
        // The last row of the graph is now the first behind it.
        let free = u32::try_from(self.graph.len()).unwrap_or(u32::MAX);
        self.swap(row, free);
        free
    }

    fn swap(&mut self, a: u32, b: u32) {
        if a == b {
            return;
        }
        let ((low, high), d) = ((a.min(b) as usize, a.max(b) as usize), self.dimensions());
        let (head, tail) = self.vectors.split_at_mut(high * d);
        head[low * d..(low + 1) * d].swap_with_slice(&mut tail[..d]);
        self.ids.swap(low, high);
        self.metadata.swap(low, high);
        self.numbers.swap(low, high);
        for row in [a, b] {
            self.rows.insert(self.ids[row as usize].clone(), row);
        }
    }

    /// Puts at most so many rows into the graph, where there is to be one.
    fn catch_up(&mut self, most: usize) {
        if self.graph.len() == 0 && self.len() <= self.limits.exact_up_to as usize {
            return;
        }
        let space = Space {
            vectors: &self.vectors,
            dimensions: self.limits.dimensions as usize,
            level: dot::level(),
        };
        for _ in 0..most.min(self.ids.len() - self.graph.len()) {
            let name = self.ids[self.graph.len()].clone();
            self.graph.insert(space, &name);
        }
    }

    /// The `k` nearest of each embedding among those that match `filter`, the nearest first; of equally near ones the first by id.
    ///
    /// # Errors
    /// As [`VectorIndex::search`](super::VectorIndex::search).
    pub fn search(
        &self,
        operation: &'static str,
        embeddings: &[Vec<f32>],
        k: usize,
        filter: &MetadataFilter,
    ) -> Result<Vec<Vec<Neighbour>>> {
        check_k(operation, k)?;
        let mut queries = Vec::with_capacity(embeddings.len() * self.dimensions());
        for (index, embedding) in embeddings.iter().enumerate() {
            let query = unit(operation, embedding, self.dimensions());
            queries.extend(
                query.map_err(|error| if embeddings.len() > 1 { of_entry(&error, index) } else { error })?,
            );
        }
        let order = |a: u32, b: u32| self.ids[a as usize].cmp(&self.ids[b as usize]);
        let rows = Rows { vectors: &self.vectors, dimensions: self.dimensions(), order: &order };
        let found = if filter.is_empty() {
            self.nearest(rows, &queries, k)
        } else {
            self.nearest_of(rows, &queries, k, filter)
        };
        let queries = queries.chunks_exact(self.dimensions());
        Ok(found
            .into_iter()
            .zip(queries)
            .map(|(best, query)| best.finish(rows, query).iter().map(|hit| self.neighbour(*hit)).collect())
            .collect())
    }

    fn neighbour(&self, hit: flat::Hit) -> Neighbour {
        let row = hit.row as usize;
        Neighbour {
            id: self.ids[row].as_ref().to_owned(),
            similarity: hit.similarity,
            metadata: self.metadata[row].clone(),
        }
    }

    /// How many candidates a search by graph keeps; none where comparing all is quicker.
    fn breadth(&self, k: usize) -> Option<usize> {
        let breadth = (self.graph.breadth() as usize).max(2 * k);
        (breadth * COST_OF_A_CANDIDATE < self.graph.len()).then_some(breadth)
    }

    fn nearest(&self, rows: Rows<'_>, queries: &[f32], k: usize) -> Vec<Best> {
        let Some(breadth) = self.breadth(k) else { return flat::search(rows, 0, queries, k) };
        let mut best = flat::search(rows, self.graph.len(), queries, k);
        let space = Space { vectors: rows.vectors, dimensions: rows.dimensions, level: dot::level() };
        for (query, best) in queries.chunks_exact(rows.dimensions).zip(&mut best) {
            let found = self.graph.search(space, query, breadth);
            flat::offer_some(rows, space.level, query, &found, best);
        }
        best
    }

    fn nearest_of(&self, rows: Rows<'_>, queries: &[f32], k: usize, filter: &MetadataFilter) -> Vec<Best> {
        let meant: Vec<u32> =
            (0..).zip(&self.metadata).filter(|(_, m)| filter.matches(m)).map(|(row, _)| row).collect();
        let level = dot::level();
        let space = Space { vectors: rows.vectors, dimensions: rows.dimensions, level };
        let by_graph = self.breadth(k).filter(|_| meant.len() > self.limits.exact_up_to as usize);
        let behind = meant.partition_point(|&row| (row as usize) < self.graph.len());
        let search = |query: &[f32]| {
            let mut best = Best::new(k, rows.dimensions);
            if let Some(breadth) = by_graph {
                // As many of those that are meant as there would be without the filter.
                let wider = breadth * self.len() / meant.len().max(1);
                let mut found = self.graph.search(space, query, wider);
                found.retain(|row| meant.binary_search(row).is_ok());
                if found.len() >= k {
                    flat::offer_some(rows, level, query, &found, &mut best);
                    flat::offer_some(rows, level, query, &meant[behind..], &mut best);
                    return best;
                }
            }
            flat::offer_some(rows, level, query, &meant, &mut best);
            best
        };
        queries.chunks_exact(rows.dimensions).map(search).collect()
    }

    /// How much there is, and how it is searched. What was persisted is for who persists it to say.
    pub fn stats(&self) -> IndexStats {
        let by_graph = self.breadth(1).is_some();
        IndexStats {
            vector_count: self.len() as u64,
            dimensions: self.limits.dimensions,
            kind: if by_graph { IndexKind::Hnsw } else { IndexKind::Flat },
            graph_count: self.graph.len() as u64,
            graph_breadth: if self.graph.len() == 0 { 0 } else { self.graph.breadth() },
            memory_bytes: (4 * self.vectors.len() + self.graph.memory_bytes()) as u64,
            generation_seq: 0,
            unsaved: false,
        }
    }
}

/// An error of one of several.
fn of_entry(error: &Error, index: usize) -> Error {
    Error::new(error.kind(), error.operation(), format!("[{index}].{}", error.message()))
}

#[cfg(test)]
mod tests;
