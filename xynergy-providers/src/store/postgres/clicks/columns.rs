use std::collections::HashSet;

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use xynergy_core::Timestamp;
use xynergy_core::store::{Click, KeyedHash};

use crate::store::postgres::error::Failure;
use crate::store::postgres::kept::{Kept, hash};

/// Days since 1970-01-01 UTC.
pub(super) fn day_of(at: Timestamp) -> i32 {
    let day = at.micros().div_euclid(24 * 60 * 60 * 1_000_000);
    // 2^63 microseconds are 107 million days.
    i32::try_from(day).unwrap_or(if day < 0 { i32::MIN } else { i32::MAX })
}

/// The first click of each key, by key: in the order of the clicks each would touch another page of the index.
pub(super) fn distinct(clicks: &[Click]) -> Vec<&Click> {
    let mut distinct: Vec<&Click> = clicks.iter().collect();
    distinct.sort_by_key(|click| click.key);
    distinct.dedup_by_key(|click| click.key);
    distinct
}

/// Those of the clicks whose keys came back as inserted.
pub(super) fn new_of<'a>(clicks: &[&'a Click], inserted: &[Row]) -> Result<Vec<&'a Click>, Failure> {
    if inserted.len() == clicks.len() {
        return Ok(clicks.to_vec());
    }
    let inserted: HashSet<KeyedHash> =
        inserted.iter().map(|row| hash(row.get(0))).collect::<Result<_, Failure>>()?;
    Ok(clicks.iter().copied().filter(|click| inserted.contains(&click.key)).collect())
}

/// A key under which a click is found.
pub(super) type FoundBy<'a> = (i32, KeyedHash, Timestamp, &'a KeyedHash);

/// The days of the clicks, and every key of each once, in the order of their indexes.
pub(super) fn keys_of<'a>(clicks: &[&'a Click]) -> (Vec<i32>, Vec<FoundBy<'a>>) {
    let mut keys: Vec<FoundBy<'a>> = clicks
        .iter()
        .flat_map(|click| click.match_keys().map(|key| (day_of(click.at), key, click.at, &click.key)))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    let mut days: Vec<i32> = keys.iter().map(|(day, ..)| *day).collect();
    days.dedup();
    (days, keys)
}

/// Clicks, column by column.
pub(super) struct ClickColumns<'a> {
    key: Vec<&'a [u8]>,
    clicked_at: Vec<i64>,
    texts: [Vec<Option<Kept<'a>>>; 10],
}

impl<'a> ClickColumns<'a> {
    pub(super) fn of(clicks: &[&'a Click]) -> Self {
        let column = |of: fn(&'a Click) -> Option<&'a str>| -> Vec<Option<Kept<'a>>> {
            clicks.iter().map(|click| of(click).map(Kept)).collect()
        };
        Self {
            key: clicks.iter().map(|click| click.key.as_bytes().as_slice()).collect(),
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
        }
    }

    pub(super) fn parameters<'s>(&'s self, tenant: &'s &str) -> Vec<&'s (dyn ToSql + Sync)> {
        let fixed: [&(dyn ToSql + Sync); 3] = [tenant, &self.key, &self.clicked_at];
        fixed.into_iter().chain(self.texts.iter().map(|t| t as &(dyn ToSql + Sync))).collect()
    }
}
