use super::build::spread;
use super::{BASE_LINKS, BASE_STRIDE, Found, Graph, LINKS, Ordered, STRIDE, Space};
use crate::vector::dot;

impl Graph {
    /// Removes a node as its row is: the last one takes its place. `space` is the one before the removal.
    ///
    /// Who had a link to it gets links to its neighbours instead, so that nobody is cut off. This looks at every link once: some
    /// milliseconds for 100,000 rows.
    pub(crate) fn remove(&mut self, space: Space<'_>, node: u32) {
        let Some(last) = self.len().checked_sub(1).and_then(|last| u32::try_from(last).ok()) else { return };
        for layer in 0..=self.layer(node) {
            let orphans = self.linked_to(node, layer);
            let heirs = self.links(node, layer).to_vec();
            for orphan in orphans {
                self.adopt(space, orphan, node, &heirs, layer);
            }
        }
        self.take_out(node, last);
        if self.entry == node {
            let highest = (0..last).max_by_key(|&other| (self.layer(other), std::cmp::Reverse(other)));
            self.entry = highest.unwrap_or(0);
        } else if self.entry == last {
            self.entry = node;
        }
    }

    /// Who has a link to the node.
    fn linked_to(&self, node: u32, layer: usize) -> Vec<u32> {
        let has = |&other: &u32| self.layer(other) >= layer && self.links(other, layer).contains(&node);
        (0..u32::try_from(self.len()).unwrap_or(u32::MAX)).filter(has).collect()
    }

    /// Gives who loses the link to `gone` the best of its own links and those of `gone`.
    fn adopt(&mut self, space: Space<'_>, orphan: u32, gone: u32, heirs: &[u32], layer: usize) {
        let mut links = self.links(orphan, layer).to_vec();
        links.retain(|&link| link != gone);
        for &heir in heirs {
            if heir != orphan && heir != gone && !links.contains(&heir) {
                links.push(heir);
            }
        }
        let most = if layer == 0 { BASE_LINKS } else { LINKS };
        let mut products = vec![0.0; links.len()];
        dot::products_of(space.level, space.row(orphan), space.vectors, &links, &mut products);
        let found: Vec<Found> = products.into_iter().map(Ordered).zip(links).collect();
        let chosen = spread(space, found, most);
        self.set_links(orphan, layer, &chosen);
        for &other in &chosen {
            self.link(space, other, orphan, layer);
        }
    }

    /// Takes a node out that nobody has a link to, and gives the last node its number.
    fn take_out(&mut self, node: u32, last: u32) {
        for layer in 0..=self.layer(last) {
            for other in self.linked_to(last, layer) {
                let links: Vec<u32> = self
                    .links(other, layer)
                    .iter()
                    .map(|&link| if link == last { node } else { link })
                    .collect();
                self.set_links(other, layer, &links);
            }
        }
        let (to, from) = (node as usize * BASE_STRIDE, last as usize * BASE_STRIDE);
        self.base.copy_within(from..from + BASE_STRIDE, to);
        self.base.truncate(from);
        self.upper.swap_remove(node as usize);
        debug_assert!(self.upper.iter().all(|links| links.len() % STRIDE == 0));
    }
}
