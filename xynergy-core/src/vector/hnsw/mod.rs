//! A graph of near neighbours in layers (Malkov and Yashunin 2016, arXiv 1603.09320): a search walks from far to near.
//!
//! Written here because the crate `hnsw_rs` takes forty others along, maps files into memory as they are, draws its layers from the
//! operating system's randomness and removes nothing. This one is a plain value: the same vectors added in the same order on the same
//! machine make the same graph.

mod build;
mod remove;
mod stored;
mod tune;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use fearless_simd::Level;

use super::dot;
use super::flat::Ordered;

pub(super) use stored::StoredGraph;

/// Links of a node on each upper layer.
const LINKS: usize = 32;
/// Links of a node on the lowest layer.
const BASE_LINKS: usize = 2 * LINKS;
/// Numbers that a node takes on the lowest layer: how many links it has, and they.
const BASE_STRIDE: usize = 1 + BASE_LINKS;
/// Numbers that a node takes on each upper layer.
const STRIDE: usize = 1 + LINKS;
/// Candidates that a search looks at before there is experience.
const BREADTH: u32 = 64;
/// The highest layer.
const TOP: usize = 12;

/// The vectors that the nodes stand for: node `i` is row `i`.
#[derive(Clone, Copy)]
pub(super) struct Space<'a> {
    pub(super) vectors: &'a [f32],
    pub(super) dimensions: usize,
    pub(super) level: Level,
}

impl<'a> Space<'a> {
    fn row(&self, row: u32) -> &'a [f32] {
        let at = row as usize * self.dimensions;
        &self.vectors[at..at + self.dimensions]
    }
}

/// A node and its product with what is looked for.
pub(super) type Found = (Ordered, u32);

/// The links of the first so many rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Graph {
    /// The links on the lowest layer, [`BASE_STRIDE`] numbers a node.
    base: Vec<u32>,
    /// The links on the upper layers of each node, [`STRIDE`] numbers a layer.
    upper: Vec<Box<[u32]>>,
    /// A node of the highest layer.
    entry: u32,
    /// What the last measurements needed; see `tune`.
    needed: Vec<u32>,
}

impl Graph {
    pub(super) fn new() -> Self {
        Self { base: Vec::new(), upper: Vec::new(), entry: 0, needed: Vec::new() }
    }

    /// How many rows are in it.
    pub(super) fn len(&self) -> usize {
        self.upper.len()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let upper: usize = self.upper.iter().map(|links| size_of_val(&**links) + 16).sum();
        upper + 4 * self.base.len()
    }

    /// The highest layer on which the node is.
    fn layer(&self, node: u32) -> usize {
        self.upper[node as usize].len() / STRIDE
    }

    fn links(&self, node: u32, layer: usize) -> &[u32] {
        let all = match layer {
            0 => &self.base[node as usize * BASE_STRIDE..][..BASE_STRIDE],
            _ => &self.upper[node as usize][(layer - 1) * STRIDE..][..STRIDE],
        };
        &all[1..=all[0] as usize]
    }

    fn set_links(&mut self, node: u32, layer: usize, links: &[u32]) {
        let all = match layer {
            0 => &mut self.base[node as usize * BASE_STRIDE..][..BASE_STRIDE],
            _ => &mut self.upper[node as usize][(layer - 1) * STRIDE..][..STRIDE],
        };
        all[0] = u32::try_from(links.len()).unwrap_or(0);
        all[1..=links.len()].copy_from_slice(links);
    }

    /// The nearest nodes that a search which keeps `breadth` candidates comes to, in no order.
    pub(super) fn search(&self, space: Space<'_>, query: &[f32], breadth: usize) -> Vec<u32> {
        if self.upper.is_empty() {
            return Vec::new();
        }
        let start = self.descend(space, query, 0);
        let mut walk = Walk::new(self.len());
        self.walk(space, query, start, breadth, 0, &mut walk).into_iter().map(|(_, node)| node).collect()
    }

    /// The nearest node that a greedy walk from the entry finds on the layer above `down_to`.
    fn descend(&self, space: Space<'_>, query: &[f32], down_to: usize) -> Found {
        let mut here = (Ordered(product(space, query, self.entry)), self.entry);
        let mut products = [0.0; LINKS];
        for layer in ((down_to + 1)..=self.layer(self.entry)).rev() {
            loop {
                let links = self.links(here.1, layer);
                let products = &mut products[..links.len()];
                dot::products_of(space.level, query, space.vectors, links, products);
                let nearest = products.iter().map(|&p| Ordered(p)).zip(links.iter().copied()).max();
                match nearest.filter(|nearest| nearest.0 > here.0) {
                    Some(nearest) => here = nearest,
                    None => break,
                }
            }
        }
        here
    }

    /// The nearest nodes on a layer that a walk from `start` finds while it keeps `breadth` candidates.
    fn walk(
        &self,
        space: Space<'_>,
        query: &[f32],
        start: Found,
        breadth: usize,
        layer: usize,
        walk: &mut Walk,
    ) -> Vec<Found> {
        walk.restart(start.1);
        let mut ahead = BinaryHeap::from([start]);
        let mut found = BinaryHeap::with_capacity(breadth + 1);
        found.push(Reverse(start));
        let mut products = [0.0; BASE_LINKS];
        while let Some(next) = ahead.pop() {
            let full = found.len() >= breadth;
            if full && found.peek().is_some_and(|Reverse(worst)| next.0 < worst.0) {
                break;
            }
            walk.unseen.clear();
            for &link in self.links(next.1, layer) {
                if walk.visit(link) {
                    walk.unseen.push(link);
                }
            }
            let products = &mut products[..walk.unseen.len()];
            dot::products_of(space.level, query, space.vectors, &walk.unseen, products);
            for (&node, &product) in walk.unseen.iter().zip(&*products) {
                let one = (Ordered(product), node);
                if found.len() < breadth {
                    found.push(Reverse(one));
                } else if found.peek().is_some_and(|Reverse(worst)| one.0 > worst.0) {
                    found.pop();
                    found.push(Reverse(one));
                } else {
                    continue;
                }
                ahead.push(one);
            }
        }
        found.into_iter().map(|Reverse(one)| one).collect()
    }
}

fn product(space: Space<'_>, query: &[f32], row: u32) -> f32 {
    let mut out = [0.0];
    dot::products_of(space.level, query, space.vectors, &[row], &mut out);
    out[0]
}

/// Which nodes a walk has seen.
struct Walk {
    seen: Vec<u64>,
    unseen: Vec<u32>,
}

impl Walk {
    fn new(nodes: usize) -> Self {
        Self { seen: vec![0; nodes.div_ceil(64)], unseen: Vec::with_capacity(BASE_LINKS) }
    }

    fn restart(&mut self, first: u32) {
        self.seen.fill(0);
        self.visit(first);
    }

    /// Whether the node is seen for the first time.
    fn visit(&mut self, node: u32) -> bool {
        let (word, bit) = (&mut self.seen[node as usize / 64], 1 << (node % 64));
        let first = *word & bit == 0;
        *word |= bit;
        first
    }
}
