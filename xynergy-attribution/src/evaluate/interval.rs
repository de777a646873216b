//! Intervals that hold for rare rewards with weights of great variety.

use crate::distributions::{gamma_quantile, normal_quantile};

/// What the observations of a sum are made of: what is rare and skewed apart from what is not.
pub(crate) struct Parts {
    /// What each unit adds: 0 or more.
    pub(crate) gains: Vec<f64>,
    /// What each unit takes away: 0 or more.
    pub(crate) losses: Vec<f64>,
    /// What each unit adds besides, of any sign and without great skew.
    pub(crate) rest: Vec<f64>,
    /// The largest gain that a unit could have had.
    pub(crate) largest_gain: f64,
    /// The largest loss that a unit could have had.
    pub(crate) largest_loss: f64,
}

/// How far a sum may lie below and above what was found.
#[derive(Clone, Copy)]
struct Reach {
    below: f64,
    above: f64,
}

/// The ends of the interval around `point`, which is the sum of all parts over `scale`.
///
/// Gains and losses get the gamma interval for weighted sums of rare events (Fay and Feuer 1997, Statistics in Medicine 16:791) with
/// the variance of the sample, which has the nominal coverage or more where a normal interval has far less; the rest gets a normal
/// one. The parts are joined by recovering variances from their limits, with their correlations (Zou and Donner 2008, Statistics in
/// Medicine 27:1693).
pub(crate) fn bounds(parts: &Parts, scale: f64, point: f64, confidence: f64) -> (f64, f64) {
    let tail = (1.0 - confidence) / 2.0;
    let [gains, losses, rest] = [&parts.gains, &parts.losses, &parts.rest].map(|values| Moments::of(values));
    let gained = rare(&gains, parts.largest_gain, tail);
    let lost = rare(&losses, parts.largest_loss, tail);
    let spread = -normal_quantile(tail) * libm::sqrt(rest.variance);
    let reaches =
        [gained, Reach { below: lost.above, above: lost.below }, Reach { below: spread, above: spread }];
    let correlations = [
        -correlation(&parts.gains, &gains, &parts.losses, &losses),
        correlation(&parts.gains, &gains, &parts.rest, &rest),
        -correlation(&parts.losses, &losses, &parts.rest, &rest),
    ];
    let joined = |of: fn(&Reach) -> f64| {
        let [a, b, c] = reaches.each_ref().map(of);
        let [ab, ac, bc] = correlations;
        let square = a * a + b * b + c * c + 2.0 * (ab * a * b + ac * a * c + bc * b * c);
        libm::sqrt(square.max(0.0)) / scale
    };
    (point - joined(|reach| reach.below), point + joined(|reach| reach.above))
}

struct Moments {
    sum: f64,
    mean: f64,
    /// Of the sum.
    variance: f64,
}

impl Moments {
    fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let sum: f64 = values.iter().sum();
        let mean = if n > 0.0 { sum / n } else { 0.0 };
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        Self { sum, mean, variance: if n > 1.0 { squares * n / (n - 1.0) } else { 0.0 } }
    }
}

fn rare(moments: &Moments, largest: f64, tail: f64) -> Reach {
    let Moments { sum, variance, .. } = *moments;
    let quantile = |mean: f64, variance: f64, probability: f64| {
        variance / mean * gamma_quantile(mean * mean / variance, probability)
    };
    let low = if sum > 0.0 && variance > 0.0 { quantile(sum, variance, tail) } else { sum };
    let high =
        if largest > 0.0 { quantile(sum + largest, variance + largest * largest, 1.0 - tail) } else { sum };
    Reach { below: (sum - low).max(0.0), above: (high - sum).max(0.0) }
}

fn correlation(left: &[f64], of_left: &Moments, right: &[f64], of_right: &Moments) -> f64 {
    if left.is_empty() || right.is_empty() || of_left.variance <= 0.0 || of_right.variance <= 0.0 {
        return 0.0;
    }
    let n = left.len() as f64;
    let products: f64 = left.iter().zip(right).map(|(l, r)| (l - of_left.mean) * (r - of_right.mean)).sum();
    let covariance = if n > 1.0 { products * n / (n - 1.0) } else { 0.0 };
    (covariance / libm::sqrt(of_left.variance * of_right.variance)).clamp(-1.0, 1.0)
}
