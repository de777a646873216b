//! The nearest vectors by comparing every one.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use fearless_simd::Level;

use super::dot;
use super::unit::narrow;

/// Rows whose products are computed before the next ones: what stays in the second cache while every query passes over it.
const BLOCK: usize = 128;
/// Candidates that are kept before those that fell behind are thrown away.
const KEPT: usize = 64;

/// A row and how near it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hit {
    pub(super) row: u32,
    pub(super) similarity: f32,
}

/// What a search runs over.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    /// Whole vectors, one behind the other.
    pub(super) vectors: &'a [f32],
    /// Numbers of each.
    pub(super) dimensions: usize,
    /// Of rows that are equally near, which comes first.
    pub(super) order: &'a (dyn Fn(u32, u32) -> Ordering + 'a),
}

/// The `k` nearest rows of each query in `queries`, the nearest first. Of `rows` those from `from` on.
pub(super) fn search(rows: Rows<'_>, from: usize, queries: &[f32], k: usize) -> Vec<Best> {
    let (d, level) = (rows.dimensions, dot::level());
    let count = queries.len() / d;
    let mut best: Vec<Best> = (0..count).map(|_| Best::new(k, d)).collect();
    let mut products = vec![0.0; BLOCK * count];
    let mut first = u32::try_from(from).unwrap_or(u32::MAX);
    for block in rows.vectors[from * d..].chunks(BLOCK * d) {
        let size = block.len() / d;
        let products = &mut products[..size * count];
        dot::products(level, d, queries, block, products);
        for (best, products) in best.iter_mut().zip(products.chunks_exact(size)) {
            best.offer_all(first, products);
        }
        first += u32::try_from(size).unwrap_or(u32::MAX);
    }
    best
}

/// Offers the rows of these numbers.
pub(super) fn offer_some(rows: Rows<'_>, level: Level, query: &[f32], chosen: &[u32], best: &mut Best) {
    let mut products = [0.0; BLOCK];
    for chosen in chosen.chunks(BLOCK) {
        let products = &mut products[..chosen.len()];
        dot::products_of(level, query, rows.vectors, chosen, products);
        for (&row, &product) in chosen.iter().zip(&*products) {
            best.offer(row, product);
        }
    }
}

/// The best so far: by the kernels' products, with everything that their errors could have put behind.
pub(super) struct Best {
    k: usize,
    bound: f32,
    floor: f32,
    nearest: BinaryHeap<Reverse<Ordered>>,
    candidates: Vec<(f32, u32)>,
    room: usize,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) struct Ordered(pub(super) f32);
impl Eq for Ordered {}
impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Best {
    pub(super) fn new(k: usize, dimensions: usize) -> Self {
        Self {
            k,
            bound: 2.0 * dot::error_bound(dimensions),
            floor: f32::NEG_INFINITY,
            nearest: BinaryHeap::with_capacity(k.min(1024) + 1),
            candidates: Vec::with_capacity(KEPT),
            room: KEPT + 4 * k,
        }
    }

    fn offer_all(&mut self, first: u32, products: &[f32]) {
        let (groups, rest) = products.as_chunks::<16>();
        let mut row = first;
        for group in groups {
            // Most rows are far from the best ones, and are passed over together.
            let mut any = false;
            for &product in group {
                any |= product >= self.floor;
            }
            if any {
                for (offset, &product) in (0..).zip(group) {
                    self.offer(row + offset, product);
                }
            }
            row += 16;
        }
        for (offset, &product) in (0..).zip(rest) {
            self.offer(row + offset, product);
        }
    }

    pub(super) fn offer(&mut self, row: u32, product: f32) {
        if product < self.floor {
            return;
        }
        self.candidates.push((product, row));
        if self.nearest.len() < self.k {
            self.nearest.push(Reverse(Ordered(product)));
        } else if self.nearest.peek().is_some_and(|Reverse(worst)| worst.0 < product) {
            self.nearest.pop();
            self.nearest.push(Reverse(Ordered(product)));
        }
        if self.nearest.len() == self.k
            && let Some(Reverse(worst)) = self.nearest.peek()
        {
            self.floor = worst.0 - self.bound;
        }
        if self.candidates.len() > self.room {
            self.candidates.retain(|(product, _)| *product >= self.floor);
            // Where all are equally near none falls behind.
            self.room = self.room.max(2 * self.candidates.len());
        }
    }

    /// The `k` nearest by their exact products.
    pub(super) fn finish(mut self, rows: Rows<'_>, query: &[f32]) -> Vec<Hit> {
        self.candidates.retain(|(product, _)| *product >= self.floor);
        let d = rows.dimensions;
        let mut exact: Vec<(f64, u32)> = self
            .candidates
            .iter()
            .map(|&(_, row)| {
                let at = row as usize * d;
                (dot::exact(query, &rows.vectors[at..at + d]), row)
            })
            .collect();
        exact.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then_with(|| (rows.order)(a.1, b.1)));
        exact.truncate(self.k);
        exact.into_iter().map(|(similarity, row)| Hit { row, similarity: narrow(similarity) }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::unit::unit;
    use super::*;
    use proptest::prelude::*;

    fn by_row(a: u32, b: u32) -> Ordering {
        a.cmp(&b)
    }

    proptest! {
        /// Against sorting everything; coarse numbers make many equally near.
        #[test]
        fn the_nearest_are_those_of_a_full_sort(
            raw in prop::collection::vec(prop::collection::vec(-2_i8..3, 5), 1..400),
            k in 1_usize..12,
            queries in 1_usize..6,
        ) {
            let mut vectors = Vec::new();
            for row in raw {
                let mut row: Vec<f32> = row.into_iter().map(f32::from).collect();
                row[0] += 0.5;
                vectors.extend(unit("t", &row, 5).unwrap());
            }
            let rows = Rows { vectors: &vectors, dimensions: 5, order: &by_row };
            let asked = vectors[..5 * queries.min(vectors.len() / 5)].to_vec();
            for (query, best) in asked.chunks(5).zip(search(rows, 0, &asked, k)) {
                let mut all: Vec<(f64, u32)> =
                    (0..).zip(vectors.chunks(5)).map(|(row, v)| (dot::exact(query, v), row)).collect();
                all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                let expected: Vec<u32> = all.iter().take(k).map(|hit| hit.1).collect();
                let found: Vec<u32> = best.finish(rows, query).iter().map(|hit| hit.row).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
