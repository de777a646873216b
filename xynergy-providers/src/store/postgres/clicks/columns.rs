use std::collections::{BTreeMap, BTreeSet, HashSet};

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use xynergy_core::store::{Click, KeyedHash};
use xynergy_core::{Error, ErrorKind, Timestamp};

use crate::store::postgres::error::Failure;
use crate::store::postgres::kept::{Kept, hash};

/// Days since 1970-01-01 UTC.
pub(super) fn day_of(at: Timestamp) -> i32 {
    let day = at.micros().div_euclid(24 * 60 * 60 * 1_000_000);
    // 2^63 microseconds are 107 million days.
    i32::try_from(day).unwrap_or(if day < 0 { i32::MIN } else { i32::MAX })
}

/// The first click of each key and day, by key: in the order of the clicks each would touch another page of the index.
pub(super) fn distinct(clicks: &[Click]) -> Vec<&Click> {
    let mut distinct: Vec<&Click> = clicks.iter().collect();
    distinct.sort_by_key(|click| (click.key, day_of(click.at)));
    distinct.dedup_by_key(|click| (click.key, day_of(click.at)));
    distinct
}

/// Those of the clicks whose keys came back as inserted.
pub(super) fn new_of<'a>(clicks: &[&'a Click], inserted: &[Row]) -> Result<Vec<&'a Click>, Failure> {
    if inserted.len() == clicks.len() {
        return Ok(clicks.to_vec());
    }
    let inserted: HashSet<(KeyedHash, i32)> =
        inserted.iter().map(|row| Ok((hash(row.get(0))?, row.get(1)))).collect::<Result<_, Failure>>()?;
    let is_new = |click: &&Click| inserted.contains(&(click.key, day_of(click.at)));
    Ok(clicks.iter().copied().filter(is_new).collect())
}

/// A key under which a click is found.
pub(super) type FoundBy<'a> = (i32, KeyedHash, Timestamp, &'a KeyedHash);

/// The days of the clicks, in order.
pub(super) fn days_of(clicks: &[&Click]) -> Vec<i32> {
    let days: BTreeSet<i32> = clicks.iter().map(|click| day_of(click.at)).collect();
    days.into_iter().collect()
}

/// Every key of each click once, in the order of their index.
pub(super) fn keys_of<'a>(clicks: &[&'a Click]) -> Vec<FoundBy<'a>> {
    let mut keys: Vec<FoundBy<'a>> = clicks
        .iter()
        .flat_map(|click| click.match_keys().map(|key| (day_of(click.at), key, click.at, &click.key)))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// How often each ad was clicked on each day, column by column in the order of the table's key.
#[derive(Default)]
pub(super) struct CountColumns<'a> {
    day: Vec<i32>,
    ad: Vec<Kept<'a>>,
    adset: Vec<Kept<'a>>,
    campaign: Vec<Kept<'a>>,
    clicks: Vec<i64>,
}

impl<'a> CountColumns<'a> {
    pub(super) fn of(clicks: &[&'a Click]) -> Self {
        let mut counts: BTreeMap<(i32, &str, &str, &str), i64> = BTreeMap::new();
        for click in clicks {
            let ad =
                (day_of(click.at), click.ad_id.as_str(), click.adset_id.as_str(), click.campaign_id.as_str());
            *counts.entry(ad).or_default() += 1;
        }
        let mut columns = Self::default();
        for ((day, ad, adset, campaign), clicks) in counts {
            columns.day.push(day);
            columns.ad.push(Kept(ad));
            columns.adset.push(Kept(adset));
            columns.campaign.push(Kept(campaign));
            columns.clicks.push(clicks);
        }
        columns
    }

    pub(super) fn parameters<'s>(&'s self, tenant: &'s &str) -> [&'s (dyn ToSql + Sync); 6] {
        [tenant, &self.day, &self.ad, &self.adset, &self.campaign, &self.clicks]
    }
}

/// The latest clicks of keys, one row for each key and click, column by column.
#[derive(Default)]
pub(super) struct LatestColumns {
    key: Vec<Vec<u8>>,
    clicked_at: Vec<i64>,
    day: Vec<i32>,
    click: Vec<Vec<u8>>,
}

impl LatestColumns {
    /// From rows of a key, a time, a day and the clicks of that time.
    pub(super) fn of(rows: &[Row]) -> Self {
        let mut columns = Self::default();
        for row in rows {
            for click in row.get::<_, Vec<Vec<u8>>>(3) {
                columns.key.push(row.get(0));
                columns.clicked_at.push(row.get(1));
                columns.day.push(row.get(2));
                columns.click.push(click);
            }
        }
        columns
    }

    /// The first and the last day; nothing without a row.
    pub(super) fn days(&self) -> Option<(i32, i32)> {
        Some((*self.day.iter().min()?, *self.day.iter().max()?))
    }

    pub(super) fn parameters<'s>(
        &'s self,
        tenant: &'s &str,
        first_day: &'s i32,
        last_day: &'s i32,
    ) -> [&'s (dyn ToSql + Sync); 7] {
        [tenant, &self.key, &self.clicked_at, &self.day, &self.click, first_day, last_day]
    }
}

/// Clicks, column by column.
pub(super) struct ClickColumns<'a> {
    key: Vec<&'a [u8]>,
    day: Vec<i32>,
    clicked_at: Vec<i64>,
    texts: [Vec<Option<Kept<'a>>>; 10],
    device: Vec<Option<String>>,
}

impl<'a> ClickColumns<'a> {
    pub(super) fn of(clicks: &[&'a Click]) -> Result<Self, Failure> {
        let device = |click: &&Click| {
            let device = click.personal.as_ref().and_then(|personal| personal.device.as_ref());
            device.map(serde_json::to_string).transpose().map_err(|error| {
                let message = "a click cannot be written as JSON";
                Failure::Domain(Error::new(ErrorKind::Unexpected, "store.write", message).with_source(error))
            })
        };
        let column = |of: fn(&'a Click) -> Option<&'a str>| -> Vec<Option<Kept<'a>>> {
            clicks.iter().map(|click| of(click).map(Kept)).collect()
        };
        Ok(Self {
            key: clicks.iter().map(|click| click.key.as_bytes().as_slice()).collect(),
            day: clicks.iter().map(|click| day_of(click.at)).collect(),
            clicked_at: clicks.iter().map(|click| click.at.micros()).collect(),
            texts: [
                column(|c| Some(&c.ad_id)),
                column(|c| Some(&c.adset_id)),
                column(|c| Some(&c.campaign_id)),
                column(|c| c.utm.source.as_deref()),
                column(|c| c.utm.medium.as_deref()),
                column(|c| c.utm.campaign.as_deref()),
                column(|c| c.utm.content.as_deref()),
                column(|c| c.utm.term.as_deref()),
                column(|c| c.personal.as_ref().map(|p| p.click_id.as_str())),
                column(|c| c.personal.as_ref().map(|p| p.raw.as_str())),
            ],
            device: clicks.iter().map(device).collect::<Result<_, Failure>>()?,
        })
    }

    pub(super) fn parameters<'s>(&'s self, tenant: &'s &str) -> Vec<&'s (dyn ToSql + Sync)> {
        let fixed: [&(dyn ToSql + Sync); 4] = [tenant, &self.key, &self.day, &self.clicked_at];
        let texts = self.texts.iter().map(|t| t as &(dyn ToSql + Sync));
        fixed.into_iter().chain(texts).chain([&self.device as &(dyn ToSql + Sync)]).collect()
    }
}
