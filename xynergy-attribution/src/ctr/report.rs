use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::calibrate::Foreseen;
use super::features::CtrRow;
use super::model::logistic;
use crate::evaluate::{CalibrationBin, Parts, bounds, calibration, calibration_error, log_loss};

const CONFIDENCE: f64 = 0.95;
/// So many ads tell how far ads lie from their predictions.
const LEAST_ADS: usize = 5;

/// How good a model was on impressions that it had not learned yet, against always saying the base rate of that moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CtrReport {
    /// Impressions that were judged: those behind the first fifth of the rows.
    pub judged_count: u64,
    /// Their clicks.
    pub clicked_count: u64,
    /// The mean logarithmic loss an impression, in nats.
    pub log_loss: f64,
    /// The same of the base rate.
    pub base_log_loss: f64,
    /// How much lower the model's is.
    pub gain: f64,
    /// The lower end of the gain's 95 % interval.
    pub gain_lower: f64,
    /// The upper end of the gain's 95 % interval.
    pub gain_upper: f64,
    /// Whether the model is better than the base rate: the interval is above 0.
    pub better: bool,
    /// Predicted clicks over clicks; null without clicks. 1 is calibrated.
    pub predicted_over_clicked: Option<f64>,
    /// The mean distance of predicted from observed click-through, over tenths of the impressions in the order of their predictions.
    pub calibration_error: f64,
    /// Tenths of the impressions from the lowest to the highest prediction.
    pub calibration: Vec<CalibrationBin>,
    /// How many impressions a prediction is worth, from how far ads lie from theirs; null with fewer than 5 ads.
    pub effective_impressions: Option<f64>,
    /// What that says, in words.
    pub verdict: String,
}

/// An impression's prediction by the model as it was calibrated then.
#[derive(Clone, Copy)]
pub(super) struct Judged<'a> {
    pub(super) row: &'a CtrRow,
    pub(super) foreseen: Foreseen,
    pub(super) probability: f64,
}

pub(super) fn report(judged: &[Judged<'_>]) -> CtrReport {
    let impressions: f64 = judged.iter().map(|j| j.foreseen.impressions).sum();
    let clicks: f64 = judged.iter().map(|j| j.foreseen.clicks).sum();
    let losses = |of: &dyn Fn(&Judged<'_>) -> f64| -> Vec<f64> {
        let loss = |j: &Judged<'_>| {
            j.foreseen.impressions * log_loss(of(j), j.foreseen.clicks / j.foreseen.impressions)
        };
        judged.iter().map(loss).collect()
    };
    let own = losses(&|j| j.probability);
    let base = losses(&|j| logistic(j.foreseen.base));
    let scale = impressions.max(1.0);
    let gain = base.iter().zip(&own).map(|(base, own)| base - own).sum::<f64>() / scale;
    let differences: Vec<f64> = base.iter().zip(&own).map(|(base, own)| base - own).collect();
    let (gain_lower, gain_upper) = interval(judged, &differences, gain, scale);
    let mut chances: Vec<(f64, f64, f64)> = judged
        .iter()
        .map(|j| (j.probability, j.foreseen.clicks / j.foreseen.impressions, j.foreseen.impressions))
        .collect();
    let calibration = calibration(&mut chances);
    let predicted: f64 = judged.iter().map(|j| j.foreseen.impressions * j.probability).sum();
    let better = gain_lower > 0.0;
    let sum = |of: fn(&CtrRow) -> u32| judged.iter().map(|j| u64::from(of(j.row))).sum();
    CtrReport {
        judged_count: sum(|row| row.impressions),
        clicked_count: sum(|row| row.clicks),
        log_loss: own.iter().sum::<f64>() / scale,
        base_log_loss: base.iter().sum::<f64>() / scale,
        gain,
        gain_lower,
        gain_upper,
        better,
        predicted_over_clicked: (clicks > 0.0).then(|| predicted / clicks),
        calibration_error: calibration_error(&calibration).unwrap_or(0.0),
        calibration,
        effective_impressions: effective_impressions(judged),
        verdict: if better {
            "the model is better than the base rate".into()
        } else if gain_upper < 0.0 {
            "the model is worse than the base rate; do not use it".into()
        } else {
            "the model is not shown to be better than the base rate; more clicks or other features may show it".into()
        },
    }
}

/// The interval of the gain: of rare clicks, so gains and losses at clicks are apart from what the others add.
fn interval(judged: &[Judged<'_>], differences: &[f64], gain: f64, scale: f64) -> (f64, f64) {
    let of = |clicked: bool, value: &dyn Fn(f64) -> f64| -> Vec<f64> {
        let part = |(j, difference): (&Judged<'_>, &f64)| {
            if (j.row.clicks > 0) == clicked { value(*difference) } else { 0.0 }
        };
        judged.iter().zip(differences).map(part).collect()
    };
    let gains = of(true, &|difference| difference.max(0.0));
    let losses = of(true, &|difference| (-difference).max(0.0));
    let mut rest = of(false, &|difference| difference);
    for (rest, j) in rest.iter_mut().zip(judged) {
        *rest -= gain * j.foreseen.impressions;
    }
    let most = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    let (largest_gain, largest_loss) = (most(&gains), most(&losses));
    bounds(&Parts { gains, losses, rest, largest_gain, largest_loss }, scale, gain, CONFIDENCE)
}

/// The impressions that a prediction is worth, by the moments of a beta-binomial around it: how much more ads differ from their predictions
/// than clicks do by chance, and at least as much as could be told from it.
fn effective_impressions(judged: &[Judged<'_>]) -> Option<f64> {
    let mut ads: BTreeMap<&str, [f64; 4]> = BTreeMap::new();
    for j in judged {
        let Some(ad_id) = &j.row.ad_id else { continue };
        let [impressions, clicks, predicted, variance] = ads.entry(ad_id).or_default();
        *impressions += j.foreseen.impressions;
        *clicks += j.foreseen.clicks;
        *predicted += j.foreseen.impressions * j.probability;
        *variance += j.foreseen.impressions * j.probability * (1.0 - j.probability);
    }
    if ads.len() < LEAST_ADS {
        return None;
    }
    let (mut excess, mut possible) = (0.0, 0.0);
    for [impressions, clicks, predicted, variance] in ads.values() {
        excess += (clicks - predicted) * (clicks - predicted) - variance;
        possible += variance * (impressions - 1.0);
    }
    if possible <= 0.0 {
        return None;
    }
    // Less difference than this could not be told from chance: a standard error of what is measured where ads do not differ.
    let (count, impressions) = (ads.len() as f64, ads.values().map(|ad| ad[0]).sum::<f64>());
    let least = libm::sqrt(2.0 / count) * count / impressions;
    let between = (excess / possible).max(least);
    Some((1.0 / between - 1.0).max(1.0))
}
