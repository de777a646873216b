//! Credit of paths in columns against credit of the same paths one by one.
#![cfg(feature = "arrow")]
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow_array::builder::{
    LargeListBuilder, ListBuilder, StringBuilder, StringViewBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::{
    ArrayRef, Int64Array, LargeStringArray, RecordBatch, StringArray, TimestampSecondArray, UInt32Array,
    UInt64Array,
};
use proptest::prelude::*;
use xynergy_attribution::batch;
use xynergy_attribution::credit::{CreditModel, CreditParameters, TouchPath, credit};
use xynergy_core::Timestamp;

const MODELS: [CreditModel; 4] =
    [CreditModel::LastNonDirect, CreditModel::TimeDecay, CreditModel::Markov, CreditModel::Shapley];

fn some_paths() -> impl Strategy<Value = Vec<TouchPath>> {
    let touches = prop::collection::vec((0_usize..5, 0_i64..40), 0..6);
    let one = (touches, prop::option::of(10_i64..50), 1_u64..5, -5_000_i64..20_000, 0_u64..5);
    prop::collection::vec(one, 0..30).prop_map(|rows| {
        let hour = |hour: i64| Timestamp::from_micros(hour * 3_600_000_000);
        let path = |(touches, at, conversions, value_minor, nulls): (
            Vec<(usize, i64)>,
            Option<i64>,
            u64,
            i64,
            u64,
        )| TouchPath {
            channels: touches
                .iter()
                .map(|t| ["search", "social", "direct", "mail", "\u{e9}"][t.0].to_owned())
                .collect(),
            times: Some(touches.iter().map(|t| hour(t.1)).collect()),
            at: at.map(hour),
            conversions,
            value_minor,
            nulls,
        };
        rows.into_iter().map(path).collect()
    })
}

fn channels(paths: &[TouchPath], form: usize) -> ArrayRef {
    let joined = paths.iter().map(|path| path.channels.join(" > "));
    match form {
        0 => {
            let mut lists = ListBuilder::new(StringBuilder::new());
            paths.iter().for_each(|path| lists.append_value(path.channels.iter().map(Some)));
            Arc::new(lists.finish())
        }
        1 => {
            let mut lists = LargeListBuilder::new(StringViewBuilder::new());
            paths.iter().for_each(|path| lists.append_value(path.channels.iter().map(Some)));
            Arc::new(lists.finish())
        }
        2 => Arc::new(StringArray::from_iter_values(joined)),
        _ => Arc::new(LargeStringArray::from_iter_values(joined)),
    }
}

fn table(paths: &[TouchPath], form: usize) -> RecordBatch {
    let mut times = ListBuilder::new(TimestampMicrosecondBuilder::new());
    for path in paths {
        times.append_value(path.times.iter().flatten().map(|at| Some(at.micros())));
    }
    let at = paths.iter().map(|path| path.at.map(|at| at.micros() / 1_000_000));
    let count = |field: fn(&TouchPath) -> u64| paths.iter().map(field);
    RecordBatch::try_from_iter([
        ("other", Arc::new(UInt64Array::from_iter_values(count(|path| path.nulls))) as ArrayRef),
        ("channels", channels(paths, form)),
        ("times", Arc::new(times.finish())),
        ("at", Arc::new(at.collect::<TimestampSecondArray>())),
        ("conversions", Arc::new(UInt64Array::from_iter_values(count(|path| path.conversions)))),
        ("value_minor", Arc::new(Int64Array::from_iter_values(paths.iter().map(|path| path.value_minor)))),
        (
            "nulls",
            Arc::new(UInt32Array::from_iter_values(
                count(|path| path.nulls).map(|n| u32::try_from(n).unwrap()),
            )),
        ),
    ])
    .unwrap()
}

proptest! {
    #[test]
    fn columns_have_the_credit_of_their_rows(
        given in some_paths(), form in 0_usize..4, cut in 0_usize..30, days in prop::option::of(1_u32..3),
    ) {
        let cut = cut.min(given.len());
        // A slice begins behind what it was cut from.
        let whole = table(&given, form);
        let batches = [whole.slice(cut, given.len() - cut), table(&given[..cut], (form + 2) % 2 + 2 * (form / 2))];
        let separator = (form >= 2).then_some(" > ");
        for model in MODELS {
            let parameters = CreditParameters { lookback_days: days, ..CreditParameters::default() };
            let expected = credit(&given, model, &parameters).unwrap();
            let found = batch::credit(&batches, separator, model, &parameters).unwrap();
            prop_assert_eq!(serde_json::to_string(&found).unwrap(), serde_json::to_string(&expected).unwrap());
        }
    }
}

#[test]
fn what_is_missing_is_as_if_it_were_not_given() {
    let paths = [TouchPath { channels: vec!["a".to_owned(), "b".to_owned()], ..TouchPath::default() }];
    let only = RecordBatch::try_from_iter([("channels", channels(&paths, 0))]).unwrap();
    let parameters = CreditParameters::default();
    let found = batch::credit(std::slice::from_ref(&only), None, CreditModel::Linear, &parameters).unwrap();
    assert_eq!(found, credit(&paths, CreditModel::Linear, &parameters).unwrap());
    let error = batch::credit(&[only], None, CreditModel::TimeDecay, &parameters).unwrap_err();
    assert!(error.message().starts_with("paths[0].times: lookback_days and time_decay need"), "{error}");
    let none =
        RecordBatch::try_from_iter([("nulls", Arc::new(UInt64Array::from(vec![1])) as ArrayRef)]).unwrap();
    let error = batch::credit(&[none], None, CreditModel::Linear, &parameters).unwrap_err();
    assert_eq!(error.message(), "paths.channels: is missing; there are nulls");
    assert_eq!(error.operation(), "arrow.credit");
}
