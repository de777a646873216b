use std::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use crate::store::{Click, Utm};

/// An ad with what it hangs on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ad {
    pub(super) ad_id: String,
    pub(super) adset_id: String,
    pub(super) campaign_id: String,
}

/// Values that many clicks share, each kept once and named by its place.
pub(super) struct Names<T> {
    places: HashTable<u32>,
    values: Vec<T>,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self { places: HashTable::new(), values: Vec::new() }
    }
}

impl<T: Hash + Eq> Names<T> {
    pub(super) fn get(&self, place: u32) -> Option<&T> {
        self.values.get(place as usize)
    }

    /// The place of a value that has this hash and is `same`, which `make` makes when it is new.
    fn place(&mut self, hash: u64, same: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> u32 {
        let values = &self.values;
        if let Some(place) = self.places.find(hash, |place| values.get(*place as usize).is_some_and(&same)) {
            return *place;
        }
        let place = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.values.push(make());
        let values = &self.values;
        self.places.insert_unique(hash, place, |place| values.get(*place as usize).map_or(0, hash_of));
        place
    }

    /// Forgets the values that `is_used` denies; their places are not given again.
    pub(super) fn keep(&mut self, is_used: impl Fn(u32) -> bool)
    where
        T: Default,
    {
        self.places.retain(|place| is_used(*place));
        for (place, value) in (0..).zip(&mut self.values) {
            if !is_used(place) {
                *value = T::default();
            }
        }
    }
}

fn hash_of<T: Hash>(value: &T) -> u64 {
    FixedState::default().hash_one(value)
}

impl Names<Ad> {
    pub(super) fn ad_of(&mut self, click: &Click) -> u32 {
        // As the derived hash of an `Ad` does it.
        let hash = hash_of(&(&click.ad_id, &click.adset_id, &click.campaign_id));
        self.place(
            hash,
            |ad| {
                ad.ad_id == click.ad_id
                    && ad.adset_id == click.adset_id
                    && ad.campaign_id == click.campaign_id
            },
            || Ad {
                ad_id: click.ad_id.clone(),
                adset_id: click.adset_id.clone(),
                campaign_id: click.campaign_id.clone(),
            },
        )
    }
}

impl Names<Utm> {
    pub(super) fn utm_of(&mut self, click: &Click) -> u32 {
        self.place(hash_of(&click.utm), |utm| *utm == click.utm, || click.utm.clone())
    }
}
