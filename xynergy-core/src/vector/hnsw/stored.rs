use std::io::{self, Read, Write};

use super::{BASE_LINKS, BASE_STRIDE, Graph, LINKS, STRIDE, TOP};
use crate::error::Result;
use crate::vector::files::{Reader, write_words};

const OPERATION: &str = "winners.load";
const KIND: [u8; 4] = *b"XYHN";
const VERSION: u32 = 1;

/// A graph as a file: `"XYHN"` and numbers of 4 bytes, little-endian: the version, [`LINKS`], the rows, the entry, how many measurements
/// there are and they, the layers of each row, the links on the lowest layer, and those above.
pub(crate) struct StoredGraph;

impl StoredGraph {
    pub(crate) fn write(graph: &Graph, to: &mut impl Write) -> io::Result<()> {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        to.write_all(&KIND)?;
        let head = [VERSION, number(LINKS), number(graph.len()), graph.entry, number(graph.needed.len())];
        write_words(to, &head)?;
        write_words(to, &graph.needed)?;
        let layers: Vec<u32> = graph.upper.iter().map(|links| number(links.len() / STRIDE)).collect();
        write_words(to, &layers)?;
        write_words(to, &graph.base)?;
        write_words(to, &graph.upper.concat())
    }

    /// Reads a graph over the first of `rows` rows.
    pub(crate) fn read(from: impl Read, length: u64, rows: usize) -> Result<Graph> {
        let mut reader = Reader::new(OPERATION, from, length);
        if reader.array::<4>("the kind of file")? != KIND {
            return Err(reader.corrupt("it is no graph"));
        }
        let head = reader.words(5, "the header")?;
        let [version, links, count, entry, measured] = head[..] else {
            return Err(reader.corrupt("its header is short"));
        };
        if (version, links as usize) != (VERSION, LINKS) {
            return Err(reader.corrupt(format!("it is a graph of version {version} with {links} links")));
        }
        if count as usize > rows || (count > 0 && entry >= count) {
            return Err(
                reader.corrupt(format!("it has {count} rows, of which {entry} is the first, for {rows}"))
            );
        }
        let needed = reader.words(measured.into(), "the measurements")?;
        let layers = reader.words(count.into(), "the layers")?;
        if layers.iter().any(|&layer| layer as usize > TOP) {
            return Err(reader.corrupt("a row is on too many layers"));
        }
        let base = reader.words(u64::from(count) * BASE_STRIDE as u64, "the links")?;
        let mut upper: Vec<Box<[u32]>> = Vec::with_capacity(layers.len());
        for &layer in &layers {
            let words = u64::from(layer) * STRIDE as u64;
            upper.push(reader.words(words, "the upper links")?.into_boxed_slice());
        }
        reader.end()?;
        let graph = Graph { base, upper, entry, needed };
        if graph.holds_together() {
            return Ok(graph);
        }
        Err(reader.corrupt("its links lead nowhere"))
    }
}

impl Graph {
    /// Whether every link leads to a row that is on the same layer, and the entry is on the highest one.
    fn holds_together(&self) -> bool {
        let rows = |links: &[u32], most: usize, layer: usize| {
            let count = links[0] as usize;
            count <= most
                && links[1..=count]
                    .iter()
                    .all(|&link| self.upper.get(link as usize).is_some_and(|u| u.len() / STRIDE >= layer))
        };
        let top = self.upper.get(self.entry as usize).map_or(0, |links| links.len());
        self.base.chunks_exact(BASE_STRIDE).all(|links| rows(links, BASE_LINKS, 0))
            && self.upper.iter().all(|links| {
                links.len() <= top
                    && (1..).zip(links.chunks_exact(STRIDE)).all(|(layer, links)| rows(links, LINKS, layer))
            })
    }
}
