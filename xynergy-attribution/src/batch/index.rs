use std::collections::HashMap;

use arrow_array::RecordBatch;
use xynergy_core::{Error, ErrorKind, Result};

use super::columns::ClickColumns;
use super::output::Found;

/// Where a click is, beside its time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    key: u32,
    at: i64,
    batch: u32,
    row: u32,
}

/// The clicks by key and time; keys and ids stay where they are.
pub(super) struct Clicks<'a> {
    columns: Vec<ClickColumns<'a>>,
    numbers: HashMap<&'a [u8], u32, foldhash::fast::RandomState>,
    /// Sorted by key and time.
    places: Vec<Place>,
    /// Where the clicks of each key begin, and the end.
    starts: Vec<usize>,
}

impl<'a> Clicks<'a> {
    pub(super) fn of(batches: &'a [RecordBatch]) -> Result<Self> {
        let rows = batches.iter().map(RecordBatch::num_rows).sum();
        let mut columns = Vec::with_capacity(batches.len());
        let mut numbers: HashMap<&[u8], u32, foldhash::fast::RandomState> = HashMap::default();
        let mut places = Vec::with_capacity(rows);
        let mut first_row = 0;
        for (batch, index) in batches.iter().zip(0..) {
            let clicks = ClickColumns::of(batch, first_row)?;
            first_row += batch.num_rows();
            for row in 0..batch.num_rows() {
                let next = u32::try_from(numbers.len()).map_err(|_| too_many())?;
                let key = *numbers.entry(clicks.key.bytes(row).unwrap_or_default()).or_insert(next);
                let row = u32::try_from(row).map_err(|_| too_many())?;
                places.push(Place { key, at: clicks.at.micros(row as usize), batch: index, row });
            }
            columns.push(clicks);
        }
        places.sort_unstable();
        let mut starts = vec![0; numbers.len() + 1];
        for place in &places {
            starts[place.key as usize + 1] += 1;
        }
        for key in 0..numbers.len() {
            starts[key + 1] += starts[key];
        }
        Ok(Self { columns, numbers, places, starts })
    }

    /// The latest click of `key` at most `reach` before `at`, and how many there are.
    pub(super) fn latest(&self, key: &[u8], at: i64, reach: i64) -> Option<Found<'_>> {
        let key = *self.numbers.get(key)? as usize;
        let clicks = &self.places[self.starts[key]..self.starts[key + 1]];
        let until = clicks.partition_point(|click| click.at <= at);
        let oldest = at.saturating_sub(reach);
        let from = clicks[..until].partition_point(|click| click.at < oldest);
        let found = &clicks[from..until];
        let latest = found.last()?.at;
        let candidates = found.len() as u64;
        let at_once = found.iter().rev().take_while(|click| click.at == latest);
        let texts = at_once.map(|click| self.texts(*click)).min()?;
        Some(Found { texts, at: latest, candidates })
    }

    fn texts(&self, click: Place) -> [Option<&str>; 4] {
        let columns = &self.columns[click.batch as usize];
        let row = click.row as usize;
        let ids = [
            Some(&columns.click_id),
            Some(&columns.ad_id),
            columns.adset_id.as_ref(),
            columns.campaign_id.as_ref(),
        ];
        ids.map(|column| column.and_then(|column| column.text(row)))
    }
}

fn too_many() -> Error {
    let message = "clicks: a batch or the keys are more than 2^32; split the clicks by key";
    Error::new(ErrorKind::LimitExceeded, super::OPERATION, message)
}
