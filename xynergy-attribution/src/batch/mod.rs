//! Matching and credit in bulk, on Arrow record batches: clicks and conversions in and attributions out, by the rules of the layers; paths
//! in, and the credit of their channels out.
//!
//! Keys are whatever identifies: of layer 1 a click id, of layer 2 and 3 keyed hashes. The inputs are borrowed: keys and ids are compared and
//! read where they lie. A row's answer depends on the clicks of its own key only, so any engine that brings the rows of a key together gets
//! the rows of one process; [`one_per_conversion`] is the last step over a conversion's keys.

mod columns;
mod index;
mod output;
mod paths;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use xynergy_core::{Error, Result};

use columns::{Conversions, MatchedRows};
use index::Clicks;
use output::Rows;
pub use paths::credit;

const OPERATION: &str = "arrow.attribute";

/// How far before the conversion a click of each layer may lie, the bound included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows(pub [Duration; 3]);

impl Default for Windows {
    /// 30 days, 7 days and 1 day.
    fn default() -> Self {
        Self([30, 7, 1].map(|days| Duration::from_secs(days * 24 * 60 * 60)))
    }
}

/// The click behind each row of `conversions`: of those of the same key within its layer's window the latest, of several at that
/// moment the one with the smallest id. The answer has one batch for each of `conversions` and one row for each of its rows, in their order.
///
/// Clicks have the columns `key`, `at`, `click_id` and `ad_id`, and perhaps `adset_id` and `campaign_id`; conversions have `conversion_id`, `key`
/// and `at`, and perhaps `layer` (1 to 3, 1 without it): a conversion has a row for each key. Keys are text or binary, ids text, times
/// timestamps of any unit (without a time zone they are UTC), compared in microseconds. Other columns are left alone.
///
/// # Errors
/// [`InvalidInput`](xynergy_core::ErrorKind::InvalidInput) that names the column, and the row where it is one.
pub fn attribute(
    clicks: &[RecordBatch],
    conversions: &[RecordBatch],
    windows: Windows,
) -> Result<Vec<RecordBatch>> {
    let clicks = Clicks::of(clicks)?;
    let mut first_row = 0;
    let batches = conversions.iter().map(|batch| {
        let conversions = Conversions::of(batch, first_row)?;
        first_row += batch.num_rows();
        let mut rows = Rows::default();
        for row in 0..batch.num_rows() {
            let conversion = conversions.row(row)?;
            let found = clicks.latest(conversion.key, conversion.at, windows.reach(conversion.layer));
            rows.push(conversion.id, conversion.layer, found);
        }
        rows.into_batch()
    });
    batches.collect()
}

/// One row for each conversion: that of its best layer, of those the latest click, of those the smallest id. `attributions` are answers
/// of [`attribute`], of any parts of the keys.
///
/// # Errors
/// [`InvalidInput`](xynergy_core::ErrorKind::InvalidInput) that names the column.
pub fn one_per_conversion(attributions: &[RecordBatch]) -> Result<RecordBatch> {
    let parts: Vec<MatchedRows<'_>> = attributions.iter().map(MatchedRows::of).collect::<Result<_>>()?;
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut best = Vec::new();
    for part in &parts {
        for row in 0..part.len() {
            let (conversion, layer, found) = part.row(row)?;
            match places.get(conversion) {
                None => {
                    places.insert(conversion, best.len());
                    best.push((conversion, layer, found));
                }
                Some(&place) => {
                    let (_, held_layer, held) = &best[place];
                    if rank(layer, found) < rank(*held_layer, *held) {
                        best[place] = (conversion, layer, found);
                    }
                }
            }
        }
    }
    let mut rows = Rows::default();
    for (conversion, layer, found) in best {
        rows.push(conversion, layer, found);
    }
    rows.into_batch()
}

/// The best is the least.
fn rank<'a>(layer: u8, found: Option<output::Found<'a>>) -> impl Ord + use<'a> {
    (found.is_none(), layer, found.map(|click| Reverse(click.at)), found.map(|click| click.texts))
}

/// The columns of the answers: `conversion_id`, `layer`, `click_id`, `ad_id`, `adset_id`, `campaign_id`, `clicked_at` (microseconds, UTC),
/// `confidence` (1.00, 0.90 or 0.70) and `candidates` (the clicks in the window). Without a match all but the first two are null, and
/// `candidates` is 0.
pub fn attribution_schema() -> SchemaRef {
    Schema::new(output::fields()).into()
}

impl Windows {
    /// In microseconds.
    fn reach(self, layer: u8) -> i64 {
        let window = self.0.get(usize::from(layer.saturating_sub(1))).copied().unwrap_or_default();
        i64::try_from(window.as_micros()).unwrap_or(i64::MAX)
    }
}

fn invalid(table: &str, column: &'static str, problem: impl std::fmt::Display) -> Error {
    let operation = if table == paths::TABLE { paths::OPERATION } else { OPERATION };
    Error::invalid(operation, format!("{table}.{column}: {problem}")).with_context("field", column)
}
