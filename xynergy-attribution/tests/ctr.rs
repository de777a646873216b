//! Click-through from features: on a synthetic world with known truth, and on the Open Bandit data.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use std::io::Read as _;

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use xynergy_attribution::ctr::{CtrAd, CtrModel, CtrOptions, CtrRow, FeatureValue, Features, train};

fn uniform(random: &mut ChaCha12Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0
}

fn features(of: &[(&str, FeatureValue)]) -> Features {
    of.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn text(value: &str) -> FeatureValue {
    FeatureValue::Text(value.to_owned())
}

/// A world of formats, hours and a price, whose click-through is known.
fn world(rows: usize, seed: u64, signal: bool) -> (Vec<CtrRow>, Vec<f64>) {
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let formats = [("video", 0.9), ("image", 0.0), ("carousel", -0.9)];
    (0..rows)
        .map(|row| {
            let (format, effect) = formats[(uniform(&mut random) * 3.0) as usize];
            let hour = (uniform(&mut random) * 24.0) as u32;
            let evening = if hour >= 18 { 0.7 } else { 0.0 };
            let noise = (uniform(&mut random) * 50.0) as u32;
            let log_odds: f64 = -3.5 + if signal { effect + evening } else { 0.0 };
            let rate = 1.0 / (1.0 + (-log_odds).exp());
            let row = CtrRow {
                features: features(&[
                    ("format", text(format)),
                    ("hour", text(&hour.to_string())),
                    ("site", text(&noise.to_string())),
                    ("retina", FeatureValue::Boolean(row % 2 == 0)),
                    (
                        "age",
                        if row % 3 == 0 {
                            FeatureValue::Null
                        } else {
                            FeatureValue::Number(f64::from(noise))
                        },
                    ),
                ]),
                clicks: u32::from(uniform(&mut random) < rate),
                impressions: 1,
                ad_id: Some(format!("{format}-{}", row % 20)),
            };
            (row, rate)
        })
        .unzip()
}

#[test]
fn a_signal_is_learned_and_calibrated() {
    let (rows, rates) = world(40_000, 1, true);
    let (model, report) = train(&rows, &CtrOptions::default(), None).unwrap();
    println!("{report:#?}");
    assert!(report.better && report.gain_lower > 0.0 && report.verdict.contains("is better"));
    // Most of what can be gained is gained: the loss of the truth itself is the least.
    let loss = |p: f64, clicks: u32| if clicks > 0 { -p.ln() } else { -(1.0 - p).ln() };
    let judged = rows.iter().zip(&rates).skip(8000);
    let least = judged.map(|(row, rate)| loss(*rate, row.clicks)).sum::<f64>() / 32_000.0;
    let gained = report.gain / (report.base_log_loss - least);
    assert!(gained > 0.8, "{gained} of what can be gained");
    assert!((report.predicted_over_clicked.unwrap() - 1.0).abs() < 0.1);
    assert!(report.calibration_error < 0.01, "{}", report.calibration_error);
    let ads: Vec<CtrAd> = [("video", "20", 0.1301), ("carousel", "3", 0.0121)]
        .map(|(format, hour, _)| CtrAd {
            ad_id: format.into(),
            features: features(&[("format", text(format)), ("hour", text(hour))]),
        })
        .into();
    let found = model.predict(&ads, 3).unwrap();
    for (prediction, truth) in found.iter().zip([0.1301, 0.0121]) {
        assert!((prediction.ctr / truth - 1.0).abs() < 0.25, "{prediction:?}, and the truth is {truth}");
        assert!((prediction.alpha / prediction.effective_impressions - prediction.ctr).abs() < 1e-12);
        assert!(prediction.alpha >= 1.0 - 1e-12 && prediction.version == 3);
    }
}

#[test]
fn without_a_signal_it_says_so_and_stays_at_the_base_rate() {
    let (rows, _) = world(20_000, 2, false);
    let (model, report) = train(&rows, &CtrOptions::default(), None).unwrap();
    assert!(!report.better && report.verdict.contains("not shown to be better"), "{report:#?}");
    assert!(report.log_loss < report.base_log_loss * 1.01, "{report:#?}");
    let clicks: u32 = rows.iter().map(|row| row.clicks).sum();
    let base = f64::from(clicks) / 20_000.0;
    let ad = CtrAd { ad_id: "a".into(), features: features(&[("format", text("video"))]) };
    let found = model.predict(&[ad], 1).unwrap();
    assert!((found[0].ctr / base - 1.0).abs() < 0.3, "{found:?} at {base}");
}

/// The interval of the gain holds what a large world shows to be the gain: it covers 0 where there is nothing to gain.
#[test]
fn nothing_to_gain_is_rarely_called_better() {
    let better = (0..40).filter(|seed| {
        let (rows, _) = world(3000, 100 + seed, false);
        train(&rows, &CtrOptions::default(), None).unwrap().1.better
    });
    let better = better.count();
    println!("{better} of 40 worlds without a signal are called better");
    assert!(better <= 3, "{better}");
}

#[test]
fn ads_that_differ_from_their_predictions_make_them_worth_less() {
    let rows = |spread: f64| -> Vec<CtrRow> {
        let mut random = ChaCha12Rng::seed_from_u64(4);
        let rates: Vec<f64> = (0..50).map(|ad| 0.05 * (1.0 + spread * f64::from(ad % 3 - 1))).collect();
        (0..20_000)
            .map(|n| {
                let ad = n % 50;
                CtrRow {
                    features: features(&[("format", text("video"))]),
                    clicks: u32::from(uniform(&mut random) < rates[ad]),
                    impressions: 1,
                    ad_id: Some(ad.to_string()),
                }
            })
            .collect()
    };
    let worth =
        |spread| train(&rows(spread), &CtrOptions::default(), None).unwrap().1.effective_impressions.unwrap();
    let (alike, apart) = (worth(0.0), worth(0.5));
    // Rates of 0.025, 0.05 and 0.075 have a variance of 0.00042: 0.05 x 0.95 / 0.00042 - 1 = 113.
    assert!((60.0..200.0).contains(&apart) && alike > 5.0 * apart, "{alike} {apart}");
}

#[test]
fn the_same_rows_give_the_same_bytes_and_training_goes_on_where_it_ended() {
    let (rows, _) = world(20_000, 5, true);
    let bytes = |model: &CtrModel| serde_json::to_string(model).unwrap();
    let all = |rows: &[CtrRow], from| train(rows, &CtrOptions::default(), from).unwrap().0;
    let whole = all(&rows, None);
    assert_eq!(bytes(&whole), bytes(&all(&rows, None)));
    let read: CtrModel = serde_json::from_str(&bytes(&whole)).unwrap();
    assert_eq!(bytes(&read), bytes(&whole), "what is stored is what was learned");
    let further = all(&rows[10_000..], Some(all(&rows[..10_000], None)));
    let ad = CtrAd { ad_id: "a".into(), features: rows[0].features.clone() };
    let [at_once, in_parts] =
        [&whole, &further].map(|model| model.predict(std::slice::from_ref(&ad), 1).unwrap()[0].ctr);
    assert!((in_parts / at_once - 1.0).abs() < 0.15, "{at_once} {in_parts}");
}

#[test]
fn what_is_wrong_is_named_by_row_and_field() {
    let row = CtrRow { features: features(&[("x", text("y"))]), clicks: 0, impressions: 1, ad_id: None };
    let plain = CtrOptions::default();
    let problem =
        |rows: &[CtrRow], options: &CtrOptions| train(rows, options, None).unwrap_err().message().to_owned();
    let nan = CtrRow { features: features(&[("price", FeatureValue::Number(f64::NAN))]), ..row.clone() };
    let cases = [
        (problem(&[], &plain), "rows: there are none"),
        (problem(&[row.clone(), CtrRow { impressions: 0, ..row.clone() }], &plain), "rows[1].impressions"),
        (problem(&[CtrRow { clicks: 2, ..row.clone() }], &plain), "rows[0].clicks: 2 are more"),
        (problem(std::slice::from_ref(&nan), &plain), "rows[0].features.price: NaN"),
        (
            problem(std::slice::from_ref(&row), &CtrOptions { hash_bits: 30, ..plain }),
            "options.hash_bits: 30",
        ),
        (
            problem(std::slice::from_ref(&row), &CtrOptions { learning_rate: 0.0, ..plain }),
            "options.learning_rate",
        ),
        (problem(std::slice::from_ref(&row), &CtrOptions { l1: f64::NAN, ..plain }), "options.l1"),
    ];
    for (message, expected) in cases {
        assert!(message.contains(expected), "{message:?} has no {expected:?}");
    }
    let (model, _) = train(&[row], &plain, None).unwrap();
    let ad = CtrAd { ad_id: "a".into(), features: nan.features };
    let message = model.predict(&[ad], 1).unwrap_err().message().to_owned();
    assert!(message.starts_with("ads[0].features.price: NaN"), "{message}");
    let nested = serde_json::from_value::<CtrRow>(serde_json::json!({"features": {"x": [1]}, "clicks": 0}));
    assert!(nested.is_err(), "a list is no feature");
}

/// The real log, in the order of time: 10,000 impressions and few clicks. What is found is printed, and it must not be claimed to be
/// more than it is.
#[test]
fn the_open_bandit_data_is_judged_honestly() {
    for name in ["obd_random_men", "obd_bts_men"] {
        let path = format!("{}/../../shared/data/bandit/{name}.csv.gz", env!("CARGO_MANIFEST_DIR"));
        let Ok(file) = std::fs::File::open(&path) else {
            println!("skipped: {path} is not there");
            return;
        };
        let mut csv = String::new();
        flate2::read::GzDecoder::new(file).read_to_string(&mut csv).unwrap();
        let mut rows: Vec<(String, CtrRow)> = csv
            .lines()
            .skip(1)
            .map(|line| {
                let fields: Vec<&str> = line.split(',').collect();
                let mut of = features(&[("item", text(fields[2])), ("position", text(fields[3]))]);
                for (n, value) in fields[6..10].iter().enumerate() {
                    of.insert(format!("user_{n}"), text(value));
                }
                let affinity = fields[10 + fields[2].parse::<usize>().unwrap()].parse().unwrap();
                of.insert("affinity".into(), FeatureValue::Number(affinity));
                let clicks = fields[4].parse().unwrap();
                (
                    fields[1].to_owned(),
                    CtrRow { features: of, clicks, impressions: 1, ad_id: Some(fields[2].into()) },
                )
            })
            .collect();
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        let rows: Vec<CtrRow> = rows.into_iter().map(|row| row.1).collect();
        let (_, report) = train(&rows, &CtrOptions::default(), None).unwrap();
        println!(
            "{name}: log loss {:.6} against {:.6} of the base rate, gain {:.6} ({:.6} to {:.6}) on {} impressions with {} clicks; predicted over clicked {:.3?}; {}",
            report.log_loss,
            report.base_log_loss,
            report.gain,
            report.gain_lower,
            report.gain_upper,
            report.judged_count,
            report.clicked_count,
            report.predicted_over_clicked,
            report.verdict
        );
        assert_eq!(report.better, report.gain_lower > 0.0);
        assert!(report.log_loss < report.base_log_loss * 1.02, "it is never much worse than the base rate");
    }
}
