use std::cmp::Ordering;

use super::{BASE_LINKS, BASE_STRIDE, Found, Graph, LINKS, Ordered, STRIDE, Space, TOP, Walk};
use crate::vector::dot;

/// Candidates among which a new node finds its links.
const BREADTH_OF_BUILDING: usize = 128;

impl Graph {
    /// Adds the next row. `name` decides on how many layers it is: the same name always on as many.
    pub(crate) fn insert(&mut self, space: Space<'_>, name: &str) {
        let Ok(node) = u32::try_from(self.len()) else { return };
        self.measure(space, node);
        let layer = layer_of(name);
        self.base.resize(self.base.len() + BASE_STRIDE, 0);
        self.upper.push(vec![0; layer * STRIDE].into_boxed_slice());
        if node == 0 {
            self.entry = node;
            return;
        }
        let top = self.layer(self.entry);
        let query = space.row(node);
        let mut start = self.descend(space, query, layer.min(top));
        let mut walk = Walk::new(self.len());
        for layer in (0..=layer.min(top)).rev() {
            let found = self.walk(space, query, start, BREADTH_OF_BUILDING, layer, &mut walk);
            start = found.iter().copied().max_by(nearer).unwrap_or(start);
            let chosen = spread(space, found, LINKS);
            self.set_links(node, layer, &chosen);
            for other in chosen {
                self.link(space, other, node, layer);
            }
        }
        if layer > top {
            self.entry = node;
        }
    }

    /// Adds a link from `from` to `to`; of too many the most useful stay.
    pub(super) fn link(&mut self, space: Space<'_>, from: u32, to: u32, layer: usize) {
        let most = if layer == 0 { BASE_LINKS } else { LINKS };
        let mut links = self.links(from, layer).to_vec();
        if links.contains(&to) || from == to {
            return;
        }
        links.push(to);
        if links.len() > most {
            let mut products = vec![0.0; links.len()];
            dot::products_of(space.level, space.row(from), space.vectors, &links, &mut products);
            let found = products.into_iter().map(Ordered).zip(links).collect();
            links = spread(space, found, most);
        }
        self.set_links(from, layer, &links);
    }
}

/// The nearer of two; of equally near ones the one that was there first.
fn nearer(a: &Found, b: &Found) -> Ordering {
    a.0.cmp(&b.0).then(b.1.cmp(&a.1))
}

/// Of those found at most `most` that lie in different directions: none that is nearer to one that was chosen than to the node itself.
pub(super) fn spread(space: Space<'_>, mut found: Vec<Found>, most: usize) -> Vec<u32> {
    found.sort_unstable_by(|a, b| nearer(b, a));
    let mut chosen: Vec<u32> = Vec::with_capacity(most);
    let mut products = vec![0.0; most];
    for (near, node) in found {
        if chosen.len() == most {
            break;
        }
        let products = &mut products[..chosen.len()];
        dot::products_of(space.level, space.row(node), space.vectors, &chosen, products);
        if products.iter().all(|&between| between <= near.0) {
            chosen.push(node);
        }
    }
    chosen
}

/// How many layers above the lowest one a node is on: each with a chance of 1 in [`LINKS`], drawn from its name.
fn layer_of(name: &str) -> usize {
    // FNV-1a, and the last step of SplitMix64.
    let mut hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^= hash >> 31;
    // Five bits a layer: a chance of 1 in 32.
    const { assert!(LINKS == 32) };
    (hash.leading_zeros() as usize / 5).min(TOP)
}
