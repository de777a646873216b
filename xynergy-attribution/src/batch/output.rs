use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::types::{Float64Type, TimestampMicrosecondType, UInt8Type, UInt64Type};
use arrow_array::{ArrayRef, PrimitiveArray, RecordBatch};
use arrow_schema::{DataType, Field, TimeUnit};
use xynergy_core::{Error, ErrorKind, Result};

use super::OPERATION;

const TEXTS: [&str; 4] = ["click_id", "ad_id", "adset_id", "campaign_id"];

/// A click that was found.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    /// Its id, its ad, ad set and campaign.
    pub(super) texts: [Option<&'a str>; 4],
    /// In microseconds.
    pub(super) at: i64,
    /// How many clicks there were.
    pub(super) candidates: u64,
}

/// Rows of an answer under way.
#[derive(Default)]
pub(super) struct Rows {
    conversions: StringBuilder,
    layers: Vec<u8>,
    texts: [StringBuilder; 4],
    at: Vec<Option<i64>>,
    candidates: Vec<u64>,
    text_bytes: usize,
}

pub(super) fn fields() -> Vec<Field> {
    let mut fields =
        vec![Field::new("conversion_id", DataType::Utf8, false), Field::new("layer", DataType::UInt8, false)];
    fields.extend(TEXTS.map(|name| Field::new(name, DataType::Utf8, true)));
    fields.push(Field::new(
        "clicked_at",
        DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        true,
    ));
    fields.push(Field::new("confidence", DataType::Float64, true));
    fields.push(Field::new("candidates", DataType::UInt64, false));
    fields
}

impl Rows {
    pub(super) fn push(&mut self, conversion: &str, layer: u8, found: Option<Found<'_>>) {
        let texts = found.map_or([None; 4], |found| found.texts);
        let longest = texts.iter().flatten().map(|text| text.len()).chain([conversion.len()]).max();
        self.text_bytes += longest.unwrap_or(0);
        // Offsets have 31 bits: what is beyond makes the batch fail, and is not written.
        if i32::try_from(self.text_bytes).is_err() {
            return;
        }
        self.conversions.append_value(conversion);
        self.layers.push(layer);
        for (column, text) in self.texts.iter_mut().zip(texts) {
            column.append_option(text);
        }
        self.at.push(found.map(|found| found.at));
        self.candidates.push(found.map_or(0, |found| found.candidates));
    }

    pub(super) fn into_batch(mut self) -> Result<RecordBatch> {
        if i32::try_from(self.text_bytes).is_err() {
            let message = "conversions: a batch has more than 2 GB of ids; give smaller batches";
            return Err(Error::new(ErrorKind::LimitExceeded, OPERATION, message));
        }
        let confidence: PrimitiveArray<Float64Type> = self
            .layers
            .iter()
            .zip(&self.at)
            .map(|(layer, at)| {
                at.map(|_| match layer {
                    1 => 1.0,
                    2 => 0.9,
                    _ => 0.7,
                })
            })
            .collect();
        let at: PrimitiveArray<TimestampMicrosecondType> = self.at.into_iter().collect();
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.conversions.finish()),
            Arc::new(PrimitiveArray::<UInt8Type>::from_iter_values(self.layers)),
        ];
        for column in &mut self.texts {
            columns.push(Arc::new(column.finish()));
        }
        columns.push(Arc::new(at.with_timezone("UTC")));
        columns.push(Arc::new(confidence));
        columns.push(Arc::new(PrimitiveArray::<UInt64Type>::from_iter_values(self.candidates)));
        RecordBatch::try_new(super::attribution_schema(), columns).map_err(|e| {
            Error::new(ErrorKind::Unexpected, OPERATION, "the answer is no record batch").with_source(e)
        })
    }
}
