//! How wide a search has to be is measured, since it depends on the vectors: some tens of candidates where they lie in clusters,
//! thousands where they are noise.
//!
//! A new row is an honest question, because nothing links to it yet: its nearest neighbours are sought by the graph and by comparing
//! all, and the width at which the graph finds enough of them is kept.

use super::{BREADTH, Graph, Space};
use crate::vector::flat::{Rows, search};

/// Every so many new rows one is measured.
const EVERY: u32 = 256;
/// Rows before the first measurement.
const FIRST: u32 = 1_024;
/// Measurements that count.
const KEPT: usize = 40;
/// Neighbours that are sought.
const SOUGHT: usize = 10;
/// Those that have to be found.
const ENOUGH: usize = 9;
/// The widths that are tried; beyond the last one comparing all is quicker.
const WIDTHS: [u32; 8] = [32, 64, 128, 256, 512, 1_024, 2_048, 4_096];

impl Graph {
    /// Candidates that a search keeps: enough for four of five measurements.
    pub(crate) fn breadth(&self) -> u32 {
        let mut needed = self.needed.clone();
        needed.sort_unstable();
        needed.get(needed.len() * 4 / 5).or(needed.last()).copied().unwrap_or(BREADTH)
    }

    /// Measures what the next row needs, where it is its turn.
    pub(super) fn measure(&mut self, space: Space<'_>, node: u32) {
        if node < FIRST || !node.is_multiple_of(EVERY) {
            return;
        }
        let query = space.row(node);
        let rows = Rows {
            vectors: &space.vectors[..node as usize * space.dimensions],
            dimensions: space.dimensions,
            order: &|a, b| a.cmp(&b),
        };
        let Some(best) = search(rows, 0, query, SOUGHT).pop() else { return };
        let truth: Vec<u32> = best.finish(rows, query).iter().map(|hit| hit.row).collect();
        let enough = |width: &&u32| {
            let found = self.search(space, query, **width as usize);
            truth.iter().filter(|row| found.contains(row)).count() >= ENOUGH
        };
        // What even the widest does not find needs more than it.
        let needed = WIDTHS.iter().find(enough).copied().unwrap_or(2 * WIDTHS[WIDTHS.len() - 1]);
        if self.needed.len() == KEPT {
            self.needed.remove(0);
        }
        self.needed.push(needed);
    }
}
