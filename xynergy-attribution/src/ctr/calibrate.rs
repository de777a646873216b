use serde::{Deserialize, Serialize};

use super::model::{Exact, logistic};

const STEPS: usize = 50;
/// What the scale is held to one with, and the shift to zero: a standard deviation of one.
const PRIOR: f64 = 1.0;

/// What was predicted before it was learned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Foreseen {
    /// The log-odds of the base rate of that moment.
    pub(super) base: f64,
    /// What the features added.
    pub(super) addition: f64,
    pub(super) impressions: f64,
    pub(super) clicks: f64,
}

/// Platt's scaling of what features add (1999, Advances in Large Margin Classifiers): a model that is too sure is taken back towards the base
/// rate, and one that is always too high is lowered.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Calibration {
    scale: Exact,
    shift: Exact,
}

impl Default for Calibration {
    fn default() -> Self {
        Self { scale: Exact(1.0), shift: Exact(0.0) }
    }
}

impl Calibration {
    pub(super) fn probability(self, base: f64, addition: f64) -> f64 {
        logistic(base + self.shift.0 + self.scale.0 * addition)
    }

    /// The most probable scale and shift, held to these by a normal prior; by Newton's method.
    pub(super) fn fit(self, foreseen: &[Foreseen]) -> Self {
        let mut found = self;
        for _ in 0..STEPS {
            let (mut of_scale, mut of_shift) =
                ((found.scale.0 - self.scale.0) / PRIOR, (found.shift.0 - self.shift.0) / PRIOR);
            let (mut scale_twice, mut both, mut shift_twice) = (1.0 / PRIOR, 0.0, 1.0 / PRIOR);
            for row in foreseen {
                let p = found.probability(row.base, row.addition);
                let error = row.impressions * p - row.clicks;
                let curve = row.impressions * p * (1.0 - p);
                of_scale += error * row.addition;
                of_shift += error;
                scale_twice += curve * row.addition * row.addition;
                both += curve * row.addition;
                shift_twice += curve;
            }
            let determinant = scale_twice * shift_twice - both * both;
            let scale_step = (of_scale * shift_twice - of_shift * both) / determinant;
            let shift_step = (of_shift * scale_twice - of_scale * both) / determinant;
            // A step at a time stays where the quadratic is one.
            found.scale.0 -= scale_step.clamp(-1.0, 1.0);
            found.shift.0 -= shift_step.clamp(-1.0, 1.0);
            if scale_step.abs() < 1e-10 && shift_step.abs() < 1e-10 {
                break;
            }
        }
        found
    }
}
