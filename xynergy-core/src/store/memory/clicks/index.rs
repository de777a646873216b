use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::store::KeyedHash;

/// In how many parts an index is kept: a part that grows is small enough to be moved within a processor's cache.
const PARTS: usize = 256;

/// A bit of a place that says that it is one among `many`.
const MANY: u32 = 1 << 31;

fn part_of(key: KeyedHash) -> usize {
    usize::from(key.as_bytes()[15])
}

/// Which clicks are there, by key and day.
pub(super) struct Known(Vec<HashMap<(KeyedHash, i32), u32, FixedState>>);

impl Default for Known {
    fn default() -> Self {
        Self((0..PARTS).map(|_| HashMap::default()).collect())
    }
}

impl Known {
    /// Whether it was not there; it is then.
    pub(super) fn insert(&mut self, key: KeyedHash, day: i32, place: u32) -> bool {
        let Some(part) = self.0.get_mut(part_of(key)) else { return false };
        let mut is_new = false;
        part.entry((key, day)).or_insert_with(|| {
            is_new = true;
            place
        });
        is_new
    }

    pub(super) fn get(&self, key: KeyedHash, day: i32) -> Option<u32> {
        self.0.get(part_of(key))?.get(&(key, day)).copied()
    }

    /// Follows the clicks to where they are now.
    pub(super) fn moved(&mut self, places: &[Option<u32>]) {
        for part in &mut self.0 {
            part.retain(|_, place| follow(place, places));
        }
    }
}

fn follow(place: &mut u32, places: &[Option<u32>]) -> bool {
    match places.get(*place as usize).copied().flatten() {
        Some(now) => {
            *place = now;
            true
        }
        None => false,
    }
}

/// Where the clicks of a key are. Most keys have one.
#[derive(Default)]
pub(super) struct ByKey {
    parts: Vec<HashMap<KeyedHash, u32, FixedState>>,
    many: Vec<Many>,
}

/// The clicks of one key by time. They are sorted when they are asked for: clicks arrive in any order, and a key that a
/// whole carrier shares would make sorted inserts quadratic.
#[derive(Default)]
struct Many {
    sorted: bool,
    clicks: Vec<(i64, u32)>,
}

impl ByKey {
    /// Adds the clicks at these places: by parts, so that each part is worked on once. `at` is the time of a place.
    pub(super) fn extend(&mut self, keys: &[(KeyedHash, u32)], at: impl Fn(u32) -> i64) {
        if self.parts.is_empty() {
            self.parts = (0..PARTS).map(|_| HashMap::default()).collect();
        }
        let mut starts = [0_usize; PARTS + 1];
        for (key, _) in keys {
            starts[part_of(*key) + 1] += 1;
        }
        for part in 0..PARTS {
            starts[part + 1] += starts[part];
        }
        let mut ordered: Vec<u32> = vec![0; keys.len()];
        let mut next = starts;
        for (from, (key, _)) in (0_u32..).zip(keys) {
            let slot = &mut next[part_of(*key)];
            ordered[*slot] = from;
            *slot += 1;
        }
        for (part, range) in self.parts.iter_mut().zip(starts.windows(2)) {
            let [start, end] = *range else { continue };
            for from in &ordered[start..end] {
                let (key, place) = keys[*from as usize];
                insert(part, &mut self.many, key, place, &at);
            }
        }
    }

    /// The clicks of a key within a time, oldest first, each once.
    pub(super) fn within(
        &mut self,
        key: KeyedHash,
        from: i64,
        to: i64,
        at: impl Fn(u32) -> i64,
    ) -> Vec<(i64, u32)> {
        let Some(place) = self.parts.get(part_of(key)).and_then(|part| part.get(&key)).copied() else {
            return Vec::new();
        };
        if place & MANY == 0 {
            let time = at(place);
            return if (from..=to).contains(&time) { vec![(time, place)] } else { Vec::new() };
        }
        self.range(place, from, to).to_vec()
    }

    /// The clicks at the latest time of a key within a time.
    pub(super) fn latest(&mut self, key: KeyedHash, from: i64, to: i64, at: impl Fn(u32) -> i64) -> Vec<u32> {
        let Some(place) = self.parts.get(part_of(key)).and_then(|part| part.get(&key)).copied() else {
            return Vec::new();
        };
        if place & MANY == 0 {
            return if (from..=to).contains(&at(place)) { vec![place] } else { Vec::new() };
        }
        let clicks = self.range(place, from, to);
        let Some((latest, _)) = clicks.last().copied() else { return Vec::new() };
        clicks.iter().rev().take_while(|(at, _)| *at == latest).map(|(_, place)| *place).collect()
    }

    fn range(&mut self, place: u32, from: i64, to: i64) -> &[(i64, u32)] {
        let Some(many) = self.many.get_mut((place & !MANY) as usize) else { return &[] };
        if !many.sorted {
            many.clicks.sort_unstable();
            many.clicks.dedup();
            many.sorted = true;
        }
        let start = many.clicks.partition_point(|(at, _)| *at < from);
        let end = many.clicks.partition_point(|(at, _)| *at <= to);
        many.clicks.get(start..end).unwrap_or_default()
    }

    /// Follows the clicks to where they are now, and forgets the keys of those that are gone.
    pub(super) fn moved(&mut self, places: &[Option<u32>]) {
        let old = std::mem::take(&mut self.many);
        for part in &mut self.parts {
            part.retain(|_, place| {
                let Some(many) = (*place & MANY != 0).then(|| old.get((*place & !MANY) as usize)).flatten()
                else {
                    return follow(place, places);
                };
                let kept: Vec<(i64, u32)> = many
                    .clicks
                    .iter()
                    .filter_map(|(at, place)| Some((*at, places.get(*place as usize).copied().flatten()?)))
                    .collect();
                match kept.as_slice() {
                    [] => return false,
                    [(_, only)] => *place = *only,
                    _ => {
                        *place = MANY | u32::try_from(self.many.len()).unwrap_or(0);
                        self.many.push(Many { sorted: many.sorted, clicks: kept });
                    }
                }
                true
            });
        }
    }
}

fn insert(
    part: &mut HashMap<KeyedHash, u32, FixedState>,
    many: &mut Vec<Many>,
    key: KeyedHash,
    place: u32,
    at: &impl Fn(u32) -> i64,
) {
    let mut is_new = false;
    let known = part.entry(key).or_insert_with(|| {
        is_new = true;
        place
    });
    if is_new || *known == place {
        return;
    }
    if *known & MANY == 0 {
        many.push(Many { sorted: false, clicks: vec![(at(*known), *known)] });
        *known = MANY | u32::try_from(many.len() - 1).unwrap_or(0);
    }
    if let Some(many) = many.get_mut((*known & !MANY) as usize) {
        many.sorted = false;
        many.clicks.push((at(place), place));
    }
}
