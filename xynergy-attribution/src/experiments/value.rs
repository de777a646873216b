//! The always-valid test of values.

use super::tally::Sums;

/// So many units an arm before anything is said.
const LEAST_UNITS: u64 = 100;
/// So many values of equal size an arm: the interval is asymptotic, and few large deals are no large sample.
const LEAST_EFFECTIVE: f64 = 30.0;

/// What is known of the difference of two means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Difference {
    pub(super) estimate: f64,
    pub(super) lower: f64,
    pub(super) upper: f64,
    pub(super) p_value: f64,
}

/// The mean of a metric over all units of an arm, and the variance of that mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mean {
    pub(super) units: u64,
    pub(super) mean: f64,
    pub(super) variance: f64,
    effective: f64,
}

impl Mean {
    pub(super) fn of(units: u64, sums: &Sums) -> Self {
        let n = units.max(1) as f64;
        let (sum, squares) = (sums.sum as f64, sums.squares as f64);
        let mean = sum / n;
        let spread = (squares - n * mean * mean).max(0.0) / (n - 1.0).max(1.0);
        Self {
            units,
            mean,
            variance: spread / n,
            effective: if squares > 0.0 { sum * sum / squares } else { 0.0 },
        }
    }

    fn is_enough(&self) -> bool {
        self.units >= LEAST_UNITS && self.effective >= LEAST_EFFECTIVE
    }
}

/// The difference of the arm's mean to the control's; none while there is too little.
///
/// An asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024, Annals of Statistics 52:2613, theorem 2.2),
/// narrowest at `planned` units: it holds at all looks after the first ones together, as closely as a normal interval holds at one.
pub(super) fn difference(control: &Mean, arm: &Mean, alpha: f64, planned: u32) -> Option<Difference> {
    if !(control.is_enough() && arm.is_enough()) {
        return None;
    }
    let t = (control.units + arm.units) as f64;
    let spread = t * (control.variance + arm.variance);
    if spread <= 0.0 {
        return None;
    }
    let ends = -2.0 * libm::log(alpha);
    let rho = (ends + libm::log1p(ends)) / f64::from(planned);
    let grown = t * rho + 1.0;
    let radius =
        libm::sqrt(spread * 2.0 * grown / (t * t * rho) * (0.5 * libm::log(grown) - libm::log(alpha)));
    let estimate = arm.mean - control.mean;
    let exponent = estimate * estimate * t * t * rho / (2.0 * spread * grown);
    Some(Difference {
        estimate,
        lower: estimate - radius,
        upper: estimate + radius,
        p_value: (libm::sqrt(grown) * libm::exp(-exponent)).min(1.0),
    })
}
