use std::collections::HashMap;
use std::io::{self, BufRead, Read, Write};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Collection, FIRST_NAMED};
use crate::error::{Error, ErrorKind, Result};
use crate::vector::entry::{Metadata, VectorEntry};
use crate::vector::files::{self, IndexFile};
use crate::vector::hnsw::{Graph, StoredGraph};
use crate::vector::limits::VectorLimits;

const OPERATION: &str = "winners.load";
const FORMAT: &str = "xynergy-vectors";
const VERSION: u32 = 1;

/// The first line of the metadata file.
#[derive(Deserialize, Serialize)]
struct Head {
    format: String,
    version: u32,
    vector_count: u64,
}

impl Collection {
    /// Writes the vectors as FAISS writes an `IndexIDMap2` of an `IndexFlatIP`. An id that is a number is its own in the file.
    ///
    /// # Errors
    /// What `to` answers.
    pub fn write_vectors(&self, to: &mut impl Write) -> io::Result<()> {
        files::write_index(to, self.dimensions(), &self.vectors, Some(&self.numbers))
    }

    /// Writes ids and metadata, a line of JSON for each vector in their order, behind one that says what it is.
    ///
    /// # Errors
    /// What `to` answers.
    pub fn write_metadata(&self, to: &mut impl Write) -> io::Result<()> {
        let head = Head { format: FORMAT.to_owned(), version: VERSION, vector_count: self.len() as u64 };
        serde_json::to_writer(&mut *to, &head)?;
        to.write_all(b"\n")?;
        for (id, metadata) in self.ids.iter().zip(&self.metadata) {
            serde_json::to_writer(&mut *to, &(&**id, metadata))?;
            to.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Whether there is a graph to write.
    pub fn has_graph(&self) -> bool {
        self.graph.len() > 0
    }

    /// Writes the graph.
    ///
    /// # Errors
    /// What `to` answers.
    pub fn write_graph(&self, to: &mut impl Write) -> io::Result<()> {
        StoredGraph::write(&self.graph, to)
    }

    /// The collection that was written as these parts.
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) for parts that do not belong together, and [`Conflict`](ErrorKind::Conflict) for vectors of
    /// another size than `limits` say.
    pub fn read(limits: VectorLimits, vectors: IndexFile, metadata: impl BufRead) -> Result<Self> {
        if vectors.dimensions != limits.dimensions as usize {
            let message = format!(
                "dimensions: {} are configured, but the stored vectors have {}; configure those, or another path",
                limits.dimensions, vectors.dimensions
            );
            return Err(Error::new(ErrorKind::Conflict, OPERATION, message));
        }
        let Some(numbers) = vectors.ids else { return Err(corrupt("the vectors have no ids")) };
        let count = numbers.len();
        let mut lines = metadata.lines();
        let mut line =
            || lines.next().transpose().map_err(|e| corrupt("metadata cannot be read").with_source(e));
        let head: Head = parse(&line()?.unwrap_or_default(), 0)?;
        if head.format != FORMAT || head.version != VERSION || head.vector_count != count as u64 {
            return Err(corrupt("metadata are of another format, or of other vectors"));
        }
        let next_named = numbers.iter().copied().max().unwrap_or(0).saturating_add(1).max(FIRST_NAMED);
        let mut read = Self {
            vectors: vectors.vectors,
            numbers,
            next_named,
            ids: Vec::with_capacity(count),
            metadata: Vec::with_capacity(count),
            rows: HashMap::with_capacity(count),
            ..Self::new(limits)
        };
        while let Some(line) = line()? {
            let (id, metadata): (String, Metadata) = parse(&line, read.ids.len() + 1)?;
            let (id, row): (Arc<str>, _) = (id.into(), u32::try_from(read.ids.len()).unwrap_or(u32::MAX));
            if read.rows.insert(id.clone(), row).is_some() {
                return Err(corrupt("an id is there twice"));
            }
            read.ids.push(id);
            read.metadata.push(metadata);
        }
        if read.ids.len() != count {
            return Err(corrupt(format!("metadata are of {} vectors, not of {count}", read.ids.len())));
        }
        Ok(read)
    }

    /// Reads the graph that was written with this collection.
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) for what is none.
    pub fn read_graph(&mut self, from: impl Read, length: u64) -> Result<()> {
        let graph = StoredGraph::read(from, length, self.len())?;
        // Fewer are compared since the configuration changed.
        let few = self.len() <= self.limits.exact_up_to as usize / 2;
        self.graph = if few { Graph::new() } else { graph };
        Ok(())
    }

    /// The vectors of an index file as entries: their ids are those of the file, or their places in it from 0.
    pub fn entries_of(file: &IndexFile) -> Vec<VectorEntry> {
        let entry = |(row, vector): (usize, &[f32])| VectorEntry {
            id: file.ids.as_ref().map_or_else(|| row.to_string(), |ids| ids[row].to_string()),
            embedding: vector.to_vec(),
            metadata: Metadata::new(),
        };
        file.vectors.chunks_exact(file.dimensions).enumerate().map(entry).collect()
    }
}

fn parse<'a, T: Deserialize<'a>>(line: &'a str, number: usize) -> Result<T> {
    serde_json::from_str(line)
        .map_err(|e| corrupt(format!("line {} of the metadata is none", number + 1)).with_source(e))
}

fn corrupt(problem: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Corrupt, OPERATION, format!("the stored index cannot be used: {problem}"))
}
