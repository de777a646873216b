//! Predictions that were written down before the truth was known, and how good they were.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::{Error, Result};

const BINS: usize = 10;
/// No prediction is so sure that one error makes everything infinite.
const SUREST: f64 = 1e-15;

/// A prediction, written down before its truth is known. It has a `probability` of something that happens or not, or a `value` with the
/// ends of an interval.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoggedPrediction {
    /// Names the prediction: the same id twice is one prediction.
    pub prediction_id: String,
    /// What predicted, as `ctr-3`: scores are asked for by this.
    pub model: String,
    /// The probability that it happens: 0 to 1.
    #[serde(default)]
    pub probability: Option<f64>,
    /// The predicted value.
    #[serde(default)]
    pub value: Option<f64>,
    /// The lower end of the interval of the value.
    #[serde(default)]
    pub lower: Option<f64>,
    /// The upper end of the interval of the value.
    #[serde(default)]
    pub upper: Option<f64>,
    /// How much of the truths the interval is meant to hold: 0.95 by default.
    #[serde(default)]
    pub confidence: Option<f64>,
}

/// What came true of a prediction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PredictionTruth {
    /// The prediction's id.
    pub prediction_id: String,
    /// 1 or 0 for whether it happened, else the true value.
    pub truth: f64,
}

/// A prediction and, where it is known, its truth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScoredPrediction {
    /// What was predicted.
    pub prediction: LoggedPrediction,
    /// What came true; null while it is not known.
    pub truth: Option<f64>,
}

/// How many predictions of a range came true.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CalibrationBin {
    /// How many predictions there are.
    pub prediction_count: u64,
    /// The mean predicted probability.
    pub predicted: f64,
    /// How often it happened: 0 to 1.
    pub observed: f64,
}

/// How good predictions were.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PredictionScores {
    /// Predictions whose truth is not known yet.
    pub open_count: u64,
    /// Probabilities whose truth is known.
    pub probability_count: u64,
    /// The mean logarithmic loss of the probabilities, in nats; null without any.
    pub log_loss: Option<f64>,
    /// The logarithmic loss of always saying the share that came true: a model without skill has this one or more.
    pub base_log_loss: Option<f64>,
    /// The mean squared error of the probabilities.
    pub brier: Option<f64>,
    /// The mean distance of predicted from observed, over tenths of the predictions in their order.
    pub calibration_error: Option<f64>,
    /// Tenths of the predictions from the lowest to the highest probability.
    pub calibration: Vec<CalibrationBin>,
    /// Values whose truth is known.
    pub value_count: u64,
    /// The mean distance of value and truth.
    pub mean_absolute_error: Option<f64>,
    /// The mean of value less truth.
    pub bias: Option<f64>,
    /// Values with an interval whose truth is known.
    pub interval_count: u64,
    /// The share of these truths that lay within.
    pub coverage: Option<f64>,
    /// The share that was meant to.
    pub intended_coverage: Option<f64>,
}

/// Whether two numbers are the same but for what a decimal may lose.
pub fn is_same(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-12 * one.abs().max(other.abs())
}

impl LoggedPrediction {
    /// Whether it says the same.
    pub fn is_same(&self, other: &Self) -> bool {
        let numbers = |it: &Self| [it.probability, it.value, it.lower, it.upper, it.confidence];
        let same = |(one, other): (Option<f64>, Option<f64>)| match (one, other) {
            (Some(one), Some(other)) => is_same(one, other),
            (one, other) => one == other,
        };
        self.prediction_id == other.prediction_id
            && self.model == other.model
            && numbers(self).into_iter().zip(numbers(other)).all(same)
    }

    /// Checks the fields.
    ///
    /// # Errors
    /// `invalid_input` that names the field.
    pub fn validate(&self, place: &str) -> Result<()> {
        let wrong = |field: &str, problem: &str| {
            Err(Error::invalid("allocation.log_predictions", format!("{place}.{field}: {problem}")))
        };
        if self.prediction_id.is_empty() {
            return wrong("prediction_id", "it is empty; name the prediction");
        }
        match (self.probability, self.value) {
            (Some(p), None) if !(0.0..=1.0).contains(&p) => {
                wrong("probability", &format!("{p} is not 0 to 1"))
            }
            (Some(_), None) if self.lower.is_some() || self.upper.is_some() => {
                wrong("lower", "a probability has no interval; leave lower and upper out")
            }
            (Some(_), None) => Ok(()),
            (None, Some(value)) => {
                if !value.is_finite() {
                    return wrong("value", &format!("{value} is no number"));
                }
                if let Some(confidence) = self.confidence.filter(|c| !(*c > 0.0 && *c < 1.0)) {
                    return wrong("confidence", &format!("{confidence} is not between 0 and 1"));
                }
                match (self.lower, self.upper) {
                    (None, None) => Ok(()),
                    (Some(lower), Some(upper))
                        if lower <= upper && lower.is_finite() && upper.is_finite() =>
                    {
                        Ok(())
                    }
                    (Some(_), Some(_)) => wrong("lower", "it is no number of at most upper"),
                    (Some(_), None) => wrong("upper", "it is missing beside lower"),
                    (None, Some(_)) => wrong("lower", "it is missing beside upper"),
                }
            }
            _ => wrong("probability", "give either probability or value"),
        }
    }

    /// Checks what came true of it.
    ///
    /// # Errors
    /// `invalid_input` that names the field.
    pub fn validate_truth(&self, place: &str, truth: f64) -> Result<()> {
        let wrong = |problem: String| {
            Err(Error::invalid("allocation.score_predictions", format!("{place}.truth: {problem}")))
        };
        if self.probability.is_some() && truth != 0.0 && truth != 1.0 {
            return wrong(format!("{truth} is not 1 or 0, and a probability was predicted"));
        }
        if !truth.is_finite() {
            return wrong(format!("{truth} is no number"));
        }
        Ok(())
    }
}

/// How good these predictions were, as far as their truths are known. Their order does not matter.
pub fn score_predictions(predictions: &[ScoredPrediction]) -> PredictionScores {
    let (mut chances, mut errors, mut inside, mut open) = (Vec::new(), Vec::new(), Vec::new(), 0);
    let mut sorted: Vec<&ScoredPrediction> = predictions.iter().collect();
    sorted.sort_by(|a, b| a.prediction.prediction_id.cmp(&b.prediction.prediction_id));
    for scored in sorted {
        let (prediction, Some(truth)) = (&scored.prediction, scored.truth) else {
            open += 1;
            continue;
        };
        if let Some(probability) = prediction.probability {
            chances.push((probability, truth, 1.0));
        } else if let Some(value) = prediction.value {
            errors.push(value - truth);
            if let (Some(lower), Some(upper)) = (prediction.lower, prediction.upper) {
                let within = f64::from(u8::from((lower..=upper).contains(&truth)));
                inside.push((within, prediction.confidence.unwrap_or(0.95)));
            }
        }
    }
    let base = mean(chances.iter().map(|c| c.1));
    let calibration = calibration(&mut chances);
    PredictionScores {
        open_count: open,
        probability_count: chances.len() as u64,
        log_loss: mean(chances.iter().map(|(p, truth, _)| log_loss(*p, *truth))),
        base_log_loss: base.and_then(|base| mean(chances.iter().map(|c| log_loss(base, c.1)))),
        brier: mean(chances.iter().map(|(p, truth, _)| (p - truth) * (p - truth))),
        calibration_error: calibration_error(&calibration),
        calibration,
        value_count: errors.len() as u64,
        mean_absolute_error: mean(errors.iter().map(|e| e.abs())),
        bias: mean(errors.iter().copied()),
        interval_count: inside.len() as u64,
        coverage: mean(inside.iter().map(|i| i.0)),
        intended_coverage: mean(inside.iter().map(|i| i.1)),
    }
}

/// What a probability costs when this share came true.
pub(crate) fn log_loss(probability: f64, share: f64) -> f64 {
    let p = probability.clamp(SUREST, 1.0 - SUREST);
    let of = |share: f64, p: f64| if share > 0.0 { -share * libm::log(p) } else { 0.0 };
    of(share, p) + of(1.0 - share, 1.0 - p)
}

/// Tenths of probabilities with the share that came true and how often each counts, from the lowest to the highest.
pub(crate) fn calibration(chances: &mut [(f64, f64, f64)]) -> Vec<CalibrationBin> {
    chances.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2)));
    let whole: f64 = chances.iter().map(|c| c.2).sum();
    let mut bins = [(0.0, 0.0, 0.0); BINS];
    let mut before = 0.0;
    for (probability, share, count) in chances.iter() {
        let part = (before + count / 2.0) / whole * BINS as f64;
        let bin = (0..BINS).rev().find(|bin| part >= *bin as f64).unwrap_or(0);
        bins[bin].0 += count;
        bins[bin].1 += count * probability;
        bins[bin].2 += count * share;
        before += count;
    }
    let filled = bins.into_iter().filter(|bin| bin.0 > 0.0);
    filled
        .map(|(count, predicted, observed)| CalibrationBin {
            prediction_count: whole_number(count),
            predicted: predicted / count,
            observed: observed / count,
        })
        .collect()
}

/// The mean distance of predicted from observed.
pub(crate) fn calibration_error(bins: &[CalibrationBin]) -> Option<f64> {
    let whole: u64 = bins.iter().map(|bin| bin.prediction_count).sum();
    let distance = |bin: &CalibrationBin| bin.prediction_count as f64 * (bin.predicted - bin.observed).abs();
    (whole > 0).then(|| bins.iter().map(distance).sum::<f64>() / whole as f64)
}

/// A count that was summed as a float; those are exact up to 2^53.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole_number(count: f64) -> u64 {
    count as u64
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        sum += value;
        count += 1.0;
    }
    (count > 0.0).then(|| sum / count)
}
