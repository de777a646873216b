//! Matching on record batches against a search of every pair of rows.
#![cfg(feature = "arrow")]
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, TimestampMicrosecondType, UInt8Type, UInt64Type};
use arrow_array::{
    Array as _, ArrayRef, FixedSizeBinaryArray, Int32Array, Int64Array, LargeStringArray, RecordBatch,
    StringArray, StringViewArray, TimestampMicrosecondArray, TimestampNanosecondArray, TimestampSecondArray,
};
use proptest::prelude::*;
use xynergy_attribution::batch::{Windows, attribute, attribution_schema, one_per_conversion};
use xynergy_core::ErrorKind;

const HOUR: i64 = 3_600_000_000;

type ClickRow = (String, i64, String, String, Option<String>);
type ConversionRow = (String, String, i64, i32);
type Answer = (String, u8, Option<(String, String, Option<String>, i64)>, u64);

fn clicks(rows: &[ClickRow]) -> RecordBatch {
    let text = |column: fn(&ClickRow) -> &String| StringViewArray::from_iter_values(rows.iter().map(column));
    RecordBatch::try_from_iter([
        ("key", Arc::new(text(|r| &r.0)) as ArrayRef),
        ("at", Arc::new(TimestampMicrosecondArray::from_iter_values(rows.iter().map(|r| r.1)))),
        ("click_id", Arc::new(text(|r| &r.2))),
        ("ad_id", Arc::new(LargeStringArray::from_iter_values(rows.iter().map(|r| &r.3)))),
        ("campaign_id", Arc::new(rows.iter().map(|r| r.4.as_deref()).collect::<StringArray>())),
        ("what else is there", Arc::new(Int64Array::from_iter_values(rows.iter().map(|r| r.1)))),
    ])
    .unwrap()
}

fn conversions(rows: &[ConversionRow]) -> RecordBatch {
    RecordBatch::try_from_iter([
        ("conversion_id", Arc::new(StringArray::from_iter_values(rows.iter().map(|r| &r.0))) as ArrayRef),
        ("key", Arc::new(StringArray::from_iter_values(rows.iter().map(|r| &r.1)))),
        ("at", Arc::new(TimestampNanosecondArray::from_iter_values(rows.iter().map(|r| r.2 * 1_000 + 999)))),
        ("layer", Arc::new(Int32Array::from_iter_values(rows.iter().map(|r| r.3)))),
    ])
    .unwrap()
}

fn answers(batch: &RecordBatch) -> Vec<Answer> {
    assert_eq!(batch.schema(), attribution_schema());
    let text = |name: &str, row: usize| {
        let column = batch.column_by_name(name).unwrap().as_string::<i32>();
        column.is_valid(row).then(|| column.value(row).to_owned())
    };
    let row = |row: usize| {
        let layer = batch.column_by_name("layer").unwrap().as_primitive::<UInt8Type>().value(row);
        let at = batch.column_by_name("clicked_at").unwrap().as_primitive::<TimestampMicrosecondType>();
        let confidence = batch.column_by_name("confidence").unwrap().as_primitive::<Float64Type>();
        let found = text("click_id", row).map(|id| {
            assert!((confidence.value(row) - [1.0, 0.9, 0.7][usize::from(layer) - 1]).abs() < f64::EPSILON);
            (id, text("ad_id", row).unwrap(), text("campaign_id", row), at.value(row))
        });
        assert_eq!(found.is_none(), confidence.is_null(row) && at.is_null(row));
        let candidates = batch.column_by_name("candidates").unwrap().as_primitive::<UInt64Type>().value(row);
        (text("conversion_id", row).unwrap(), layer, found, candidates)
    };
    (0..batch.num_rows()).map(row).collect()
}

fn by_every_pair(clicks: &[ClickRow], conversions: &[ConversionRow]) -> Vec<Answer> {
    let one = |(id, key, at, layer): &ConversionRow| {
        let reach = [30, 7, 1][usize::try_from(*layer).unwrap() - 1] * 24 * HOUR;
        let mut found: Vec<&ClickRow> =
            clicks.iter().filter(|c| c.0 == *key && c.1 <= *at && c.1 >= at - reach).collect();
        found.sort_by(|a, b| (b.1, &a.2, &a.3, &a.4).cmp(&(a.1, &b.2, &b.3, &b.4)));
        let best = found.first().map(|c| (c.2.clone(), c.3.clone(), c.4.clone(), c.1));
        (id.clone(), u8::try_from(*layer).unwrap(), best, found.len() as u64)
    };
    conversions.iter().map(one).collect()
}

fn click_rows() -> impl Strategy<Value = Vec<ClickRow>> {
    let row = (0..6_u8, -40_i64..800, 0..9_u8, 0..3_u8, prop::option::of(0..3_u8));
    prop::collection::vec(row, 0..60).prop_map(|rows| {
        let text = |kind: &str, n: u8| format!("{kind}{n}");
        rows.into_iter()
            .map(|(k, at, id, ad, c)| {
                (text("k", k), at * HOUR, text("c", id), text("a", ad), c.map(|c| text("p", c)))
            })
            .collect()
    })
}

fn conversion_rows() -> impl Strategy<Value = Vec<ConversionRow>> {
    prop::collection::vec((0..8_u8, 0..7_u8, 0_i64..900, 1..=3_i32), 0..40).prop_map(|rows| {
        rows.into_iter()
            .map(|(id, k, at, layer)| (format!("v{id}"), format!("k{k}"), at * HOUR, layer))
            .collect()
    })
}

proptest! {
    #[test]
    fn rows_are_those_of_a_search_of_every_pair(
        given in click_rows(), asked in conversion_rows(), cut in 0_usize..40, other_cut in 0_usize..60,
    ) {
        let expected = by_every_pair(&given, &asked);
        let (a, b) = asked.split_at(cut.min(asked.len()));
        let (c, d) = given.split_at(other_cut.min(given.len()));
        let found = attribute(&[clicks(d), clicks(c)], &[conversions(a), conversions(b)], Windows::default()).unwrap();
        prop_assert_eq!(found.len(), 2);
        prop_assert_eq!(found.iter().flat_map(answers).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn parts_by_key_give_the_rows_of_the_whole(given in click_rows(), asked in conversion_rows()) {
        let whole = attribute(&[clicks(&given)], &[conversions(&asked)], Windows::default()).unwrap();
        let mut parts = Vec::new();
        for key in ["k6", "k3", "k0", "k1", "k5", "k4", "k2"] {
            let c: Vec<_> = given.iter().filter(|row| row.0 == key).cloned().collect();
            let v: Vec<_> = asked.iter().filter(|row| row.1 == key).cloned().collect();
            parts.extend(attribute(&[clicks(&c)], &[conversions(&v)], Windows::default()).unwrap());
        }
        let sorted = |batches: &[RecordBatch]| {
            let mut rows: Vec<_> = batches.iter().flat_map(answers).collect();
            rows.sort();
            rows
        };
        prop_assert_eq!(sorted(&whole), sorted(&parts));

        let one = one_per_conversion(&whole).unwrap();
        let rows = answers(&one);
        prop_assert_eq!(rows.len(), rows.iter().map(|row| &row.0).collect::<std::collections::BTreeSet<_>>().len());
        for row in &rows {
            let best = answers(&whole[0])
                .into_iter()
                .filter(|other| other.0 == row.0)
                .min_by_key(|(_, layer, found, _)| {
                    let click = found.clone();
                    (click.is_none(), *layer, click.as_ref().map(|c| std::cmp::Reverse(c.3)), click.map(|c| (c.0, c.1, c.2)))
                })
                .unwrap();
            prop_assert_eq!((&row.1, &row.2), (&best.1, &best.2));
        }
        let strip = |rows: Vec<Answer>| rows.into_iter().map(|row| (row.0, row.1, row.2)).collect::<Vec<_>>();
        prop_assert_eq!(
            strip(sorted(&[one])),
            strip(sorted(&[one_per_conversion(&parts).unwrap()])),
        );
    }
}

#[test]
fn windows_are_inclusive_and_can_be_set() {
    let given = [("k".to_owned(), 0, "c".to_owned(), "a".to_owned(), None)];
    let found = |at: i64, windows: Windows| {
        let asked = [("v".to_owned(), "k".to_owned(), at, 3)];
        answers(&attribute(&[clicks(&given)], &[conversions(&asked)], windows).unwrap()[0])[0].3
    };
    let hour = Windows([Duration::ZERO, Duration::ZERO, Duration::from_secs(3_600)]);
    assert_eq!([found(0, hour), found(HOUR, hour), found(HOUR + 1, hour), found(-1, hour)], [1, 1, 0, 0]);
    assert_eq!([found(24 * HOUR, Windows::default()), found(24 * HOUR + 1, Windows::default())], [1, 0]);
}

#[test]
fn binary_keys_and_whole_seconds() {
    let key = || Arc::new(FixedSizeBinaryArray::try_from_iter([[0_u8; 16], [255; 16]].into_iter()).unwrap());
    let seconds = |at: [i64; 2]| Arc::new(TimestampSecondArray::from(at.to_vec()));
    let ids = || Arc::new(StringArray::from(vec!["x", "y"]));
    let clicks = RecordBatch::try_from_iter([
        ("key", key() as ArrayRef),
        ("at", seconds([10, 20])),
        ("click_id", ids()),
        ("ad_id", ids()),
    ]);
    let conversions = RecordBatch::try_from_iter([
        ("key", key() as ArrayRef),
        ("at", seconds([9, 20])),
        ("conversion_id", ids()),
    ]);
    let found = attribute(&[clicks.unwrap()], &[conversions.unwrap()], Windows::default()).unwrap();
    let found: Vec<_> =
        answers(&found[0]).into_iter().map(|row| (row.0, row.1, row.2.map(|c| (c.0, c.3)))).collect();
    let expected = [("x".into(), 1, None), ("y".into(), 1, Some(("y".into(), 20_000_000)))];
    assert_eq!(found, expected);
}

#[test]
fn what_is_wrong_names_the_column() {
    let given = [("k".to_owned(), 0, "c".to_owned(), "a".to_owned(), None)];
    let asked = [("v".to_owned(), "k".to_owned(), 0, 1)];
    let changed = |batch: &RecordBatch, name: &str, column: Option<ArrayRef>| {
        let schema = batch.schema();
        let columns = schema.fields().iter().zip(batch.columns()).filter_map(|(field, array)| {
            let array = if field.name() == name { column.clone()? } else { array.clone() };
            Some((field.name().clone(), array))
        });
        RecordBatch::try_from_iter(columns.collect::<Vec<_>>()).unwrap()
    };
    let fails = |c: &RecordBatch, v: &RecordBatch, field: &str, message: &str| {
        let error =
            attribute(&[clicks(&given), c.clone()], &[conversions(&asked), v.clone()], Windows::default());
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(error.context(), [("field", field.to_owned())]);
        assert_eq!(error.message(), message);
    };
    let (good_c, good_v) = (clicks(&given), conversions(&asked));
    let numbers = || Some(Arc::new(Int64Array::from(vec![7])) as ArrayRef);
    let null = || Some(Arc::new(StringArray::from(vec![None::<&str>])) as ArrayRef);
    fails(
        &changed(&good_c, "ad_id", None),
        &good_v,
        "ad_id",
        "clicks.ad_id: is missing; there are key, at, click_id, campaign_id, what else is there",
    );
    fails(
        &changed(&good_c, "at", numbers()),
        &good_v,
        "at",
        "clicks.at: is Int64, and has to be a timestamp; cast it",
    );
    fails(
        &changed(&good_c, "key", numbers()),
        &good_v,
        "key",
        "clicks.key: is Int64, and has to be text or binary; cast it",
    );
    fails(
        &changed(&good_c, "click_id", numbers()),
        &good_v,
        "click_id",
        "clicks.click_id: is Int64, and has to be text; cast it",
    );
    fails(
        &changed(&good_c, "key", null()),
        &good_v,
        "key",
        "clicks.key: row 1 is null; leave out the rows without it",
    );
    fails(
        &good_c,
        &changed(&good_v, "conversion_id", null()),
        "conversion_id",
        "conversions.conversion_id: row 1 is null; leave out the rows without it",
    );
    fails(
        &good_c,
        &changed(&good_v, "layer", numbers()),
        "layer",
        "conversions.layer: row 1 has 7, which is not 1, 2 or 3",
    );
    fails(
        &good_c,
        &changed(&good_v, "layer", null()),
        "layer",
        "conversions.layer: row 1 is null; leave out the rows without it",
    );
    fails(
        &good_c,
        &changed(&good_v, "at", None),
        "at",
        "conversions.at: is missing; there are conversion_id, key, layer",
    );
}
