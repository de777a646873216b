use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use foldhash::fast::FixedState;

use super::index::{ByKey, Known};
use super::names::{Ad, Names};
use super::rows::{Row, Rows};
use crate::env::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{
    AdClicks, Around, Candidate, Click, Erased, ErasedClick, KeyedHash, Pruned, Tracked, Utm,
};

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// The places that 31 bits name.
const MOST: usize = (1 << 31) - 1;

/// The clicks of one tenant.
#[derive(Default)]
pub(super) struct Clicks {
    ads: Names<Ad>,
    utms: Names<Utm>,
    rows: Rows,
    known: Known,
    by_key: ByKey,
    /// Clicks by day and ad, of all that ever came.
    by_ad: HashMap<(i32, u32), u64, FixedState>,
    by_source: BTreeMap<String, u64>,
}

fn day_of(at: i64) -> i32 {
    // 2^63 microseconds are 107 million days.
    i32::try_from(at.div_euclid(DAY)).unwrap_or(if at < 0 { i32::MIN } else { i32::MAX })
}

impl Clicks {
    /// In three rounds, each over memory of its own.
    pub(super) fn track(&mut self, clicks: &[Click], source: &str) -> Result<Tracked> {
        if self.rows.len() + clicks.len() > MOST {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                "clicks.track",
                "memory holds at most 2^31 clicks",
            ));
        }
        let first = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let mut new = Vec::with_capacity(clicks.len());
        let mut place = first;
        for click in clicks {
            if self.known.insert(click.key, day_of(click.at.micros()), place) {
                new.push(click);
                place += 1;
            }
        }
        let mut keys = Vec::with_capacity(new.len() * 4);
        for (place, click) in (first..).zip(&new) {
            let (ad, utm) = (self.ads.ad_of(click), self.utms.utm_of(click));
            self.rows.push(click, ad, utm);
            *self.by_ad.entry((day_of(click.at.micros()), ad)).or_default() += 1;
            keys.extend(click.match_keys().map(|key| (key, place)));
        }
        let rows = &self.rows;
        self.by_key.extend(&keys, |place| time_of(rows, place));
        let tracked = Tracked { inserted: new.len() as u64, duplicates: (clicks.len() - new.len()) as u64 };
        *self.by_source.entry(source.to_owned()).or_default() += tracked.inserted;
        Ok(tracked)
    }

    pub(super) fn candidates(
        &mut self,
        keys: &[KeyedHash],
        from: Timestamp,
        to: Timestamp,
    ) -> Vec<Candidate> {
        let mut found = Vec::new();
        for key in keys {
            let rows = &self.rows;
            let latest = self.by_key.latest(*key, from.micros(), to.micros(), |place| time_of(rows, place));
            found.extend(latest.into_iter().filter_map(|place| self.candidate(*key, self.rows.get(place)?)));
        }
        found
    }

    pub(super) fn around(
        &mut self,
        networks: &[KeyedHash],
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Around {
        let mut networks = networks.to_vec();
        networks.sort_unstable();
        networks.dedup();
        let mut found = Vec::new();
        for network in networks {
            let rows = &self.rows;
            let within =
                self.by_key.within(network, from.micros(), to.micros(), |place| time_of(rows, place));
            found.extend(within.into_iter().map(|(_, place)| (network, place)));
        }
        let total = found.len() as u64;
        found.sort_by_cached_key(|(network, place)| {
            Reverse((time_of(&self.rows, *place), self.rows.get(*place).map(|row| row.key), *network))
        });
        let newest = found.into_iter().take(limit);
        let clicks =
            newest.filter_map(|(network, place)| self.candidate(network, self.rows.get(place)?)).collect();
        Around { clicks, total }
    }

    pub(super) fn prune(&mut self, before: Timestamp) -> Pruned {
        let first_kept = day_of(before.micros());
        let count = self.rows.len();
        if !self.rows.iter().any(|(_, row)| day_of(row.at) < first_kept) {
            return Pruned::default();
        }
        self.keep(|_, row| day_of(row.at) >= first_kept);
        Pruned { clicks: (count - self.rows.len()) as u64 }
    }

    pub(super) fn erase(&mut self, keys: &[KeyedHash]) -> Erased {
        let days: HashSet<i32> = self.by_ad.keys().map(|(day, _)| *day).collect();
        let mut gone = HashSet::new();
        for key in keys {
            gone.extend(days.iter().filter_map(|day| self.known.get(*key, *day)));
            let rows = &self.rows;
            let of_key = self.by_key.within(*key, i64::MIN, i64::MAX, |place| time_of(rows, place));
            gone.extend(of_key.into_iter().map(|(_, place)| place));
        }
        if gone.is_empty() {
            return Erased::default();
        }
        let rows = gone.iter().filter_map(|place| self.rows.get(*place));
        let mut clicks: Vec<_> =
            rows.map(|row| ErasedClick { key: row.key, id: self.rows.id(row) }).collect();
        clicks.sort_unstable();
        self.keep(|place, _| !gone.contains(&place));
        Erased { clicks }
    }

    pub(super) fn by_ad(&self, from: Timestamp, to: Timestamp) -> Vec<AdClicks> {
        let days = day_of(from.micros())..=day_of(to.micros());
        let rows = self.by_ad.iter().filter(|((day, _), _)| days.contains(day));
        let mut found: Vec<_> = rows
            .filter_map(|((day, ad), clicks)| {
                let ad = self.ads.get(*ad)?;
                Some(AdClicks {
                    day: Timestamp::from_micros(i64::from(*day).saturating_mul(DAY)),
                    ad_id: ad.ad_id.clone(),
                    adset_id: ad.adset_id.clone(),
                    campaign_id: ad.campaign_id.clone(),
                    clicks: *clicks,
                })
            })
            .collect();
        found.sort_unstable();
        found
    }

    pub(super) fn count(&self, source: Option<&str>) -> u64 {
        match source {
            Some(source) => self.by_source.get(source).copied().unwrap_or_default(),
            None => self.by_source.values().sum(),
        }
    }

    /// Keeps these rows and whatever they need; of the others only the numbers stay.
    fn keep(&mut self, keeps: impl Fn(u32, &Row) -> bool) {
        let places = self.rows.keep(keeps);
        self.known.moved(&places);
        self.by_key.moved(&places);
        // A person's name may stand in a UTM parameter.
        let used: HashSet<u32> = self.rows.iter().map(|(_, row)| row.utm).collect();
        self.utms.keep(|place| used.contains(&place));
    }

    fn candidate(&self, matched: KeyedHash, row: &Row) -> Option<Candidate> {
        let ad = self.ads.get(row.ad)?;
        Some(Candidate {
            matched,
            at: Timestamp::from_micros(row.at),
            id: self.rows.id(row),
            key: row.key,
            ad_id: ad.ad_id.clone(),
            adset_id: ad.adset_id.clone(),
            campaign_id: ad.campaign_id.clone(),
            utm: self.utms.get(row.utm)?.clone(),
            device: self.rows.device(row).cloned(),
        })
    }
}

fn time_of(rows: &Rows, place: u32) -> i64 {
    rows.get(place).map_or(i64::MIN, |row| row.at)
}
