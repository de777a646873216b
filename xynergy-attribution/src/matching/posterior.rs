//! From match weights to probabilities: at most one click is behind a conversion, and perhaps none.

use serde::{Deserialize, Serialize};

use super::calibrate::Calibration;
use super::ppm::{ONE, Ppm, ppm, unmicro};

/// No prior is nearer to 0 or 1: what never happened in training may happen.
const LEAST_PRIOR: Ppm = 1_000;

/// What decides, all of it in integers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Posterior {
    /// How probable it is that there is a click at all.
    pub(super) prior: Ppm,
    /// The match weights in millionths of a bit, the best first.
    pub(super) bits: Vec<i64>,
    /// The sum of `2^w` over the candidates that are not listed, in millionths.
    pub(super) rest: i64,
    /// How probable it is, if there is a click, that it was not even compared.
    pub(super) unlisted: Ppm,
}

/// What was decided from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stated {
    /// How probable a click was before anything was compared.
    pub prior: Ppm,
    /// The sum of `2^w` over the candidates that are not listed, in millionths.
    pub rest_weight: i64,
    /// How probable it is, if there is a click, that it was not even compared.
    pub unlisted: Ppm,
    /// What the weights say of the best candidate, before calibration.
    pub said: Ppm,
    /// The knots of the calibration between which that lies.
    pub curve: Vec<(Ppm, Ppm)>,
    /// What it is at most, because a less busy network would make it no more probable.
    pub cap: Option<Ppm>,
    /// The probabilities of the listed candidates.
    pub probabilities: Vec<Ppm>,
    /// That it is one of the others.
    pub rest: Ppm,
    /// That it is none.
    pub none: Ppm,
}

/// `2^w` of a weight in millionths of a bit.
pub(super) fn weighed(bits: i64) -> f64 {
    libm::exp2(unmicro(bits).clamp(-500.0, 500.0))
}

impl Posterior {
    /// The masses of the listed, of the others and of none: `a 2^w` each, and `1 - a` (kappa is 1: a weight is the density of a click at
    /// this place and time among matches over that among clicks of others).
    fn masses(&self) -> (Vec<f64>, f64, f64) {
        let prior = f64::from(self.prior.clamp(LEAST_PRIOR, ONE - LEAST_PRIOR)) / f64::from(ONE);
        let listed: Vec<f64> = self.bits.iter().map(|bits| prior * weighed(*bits)).collect();
        let unlisted = f64::from(self.unlisted) / f64::from(ONE);
        let rest = prior * (unmicro(self.rest.max(0)) + unlisted);
        (listed, rest, 1.0 - prior)
    }

    /// What the weights say of the best candidate: `a 2^w / (a sum 2^w + 1 - a)`.
    pub(super) fn said(&self) -> Ppm {
        let (listed, rest, none) = self.masses();
        let sum = listed.iter().sum::<f64>() + rest + none;
        listed.first().map_or(0, |best| ppm(best / sum))
    }

    /// The calibrated probabilities: the best as calibration has it, and what it leaves in the proportions of the weights. They sum to
    /// 1,000,000.
    pub(super) fn stated(&self, curve: Vec<(Ppm, Ppm)>, cap: Option<Ppm>) -> Stated {
        let said = self.said();
        let best = match self.bits.len() {
            0 => 0,
            _ => Calibration::between(&curve, said).min(cap.unwrap_or(ONE)),
        };
        let (listed, rest, none) = self.masses();
        let others = listed.iter().skip(1).sum::<f64>() + rest + none;
        let left = f64::from(ONE - best);
        let share = |mass: f64| ppm_floor(left * (mass / others)).min(ONE - best);
        let mut probabilities: Vec<Ppm> = listed.iter().take(1).map(|_| best).collect();
        // Nobody else is likelier than the best: what calibration took from it is rather nobody's.
        probabilities.extend(listed.iter().skip(1).map(|mass| share(*mass).min(best)));
        let rest = share(rest);
        let given = probabilities.iter().fold(rest, |sum, one| sum.saturating_add(*one));
        Stated {
            prior: self.prior,
            rest_weight: self.rest,
            unlisted: self.unlisted,
            said,
            curve,
            cap,
            probabilities,
            rest,
            none: ONE.saturating_sub(given),
        }
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn ppm_floor(parts: f64) -> Ppm {
    if parts.is_nan() { 0 } else { libm::floor(parts.clamp(0.0, f64::from(ONE))) as Ppm }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn posterior(bits: &[i64]) -> Posterior {
        Posterior { prior: 600_000, bits: bits.to_vec(), rest: 0, unlisted: 0 }
    }

    #[test]
    fn one_click_at_most_and_perhaps_none() {
        let one = posterior(&[3_000_000]).stated(Vec::new(), None);
        // 0.6 * 8 / (0.6 * 8 + 0.4)
        assert_eq!((one.probabilities.as_slice(), one.none), (&[923_077][..], 76_923));
        let two = posterior(&[3_000_000, 3_000_000]).stated(Vec::new(), None);
        assert_eq!((two.probabilities.as_slice(), two.none), (&[480_000, 479_999][..], 40_001));
        let nobody = posterior(&[]).stated(Vec::new(), None);
        assert_eq!((nobody.said, nobody.none), (0, ONE));
    }

    #[test]
    fn what_calibration_takes_goes_to_the_rest_in_proportion() {
        let halved = posterior(&[3_000_000, 2_000_000]).stated(vec![(0, 0), (ONE, 500_000)], None);
        assert!(halved.probabilities[0] >= halved.probabilities[1]);
        assert!(halved.probabilities[0] < 400_000 && halved.none > 40_000, "{halved:?}");
        assert_eq!(halved.probabilities.iter().sum::<u32>() + halved.rest + halved.none, ONE);
        let capped = posterior(&[3_000_000]).stated(Vec::new(), Some(100_000));
        assert_eq!((capped.probabilities[0], capped.none), (100_000, 900_000));
    }

    proptest! {
        #[test]
        fn they_sum_to_the_whole_and_another_sharer_takes_from_the_best(
            mut bits in proptest::collection::vec(-40_000_000_i64..40_000_000, 0..30),
            another in -40_000_000_i64..40_000_000,
            prior in 0..=ONE, rest in 0_i64..10_000_000_000, unlisted in 0..=ONE,
            curve in (0..ONE, 0..ONE, 0..ONE, 0..ONE), cap in proptest::option::of(0..=ONE),
        ) {
            bits.sort_unstable_by_key(|bits| std::cmp::Reverse(*bits));
            let (x0, x1, y0, y1) = (curve.0.min(curve.1), curve.0.max(curve.1), curve.2.min(curve.3), curve.2.max(curve.3));
            let curve = vec![(x0, y0), (x1, y1)];
            let before = Posterior { prior, bits, rest, unlisted };
            let stated = before.stated(curve.clone(), cap);
            let sum = u64::from(stated.none) + u64::from(stated.rest)
                + stated.probabilities.iter().map(|p| u64::from(*p)).sum::<u64>();
            prop_assert_eq!(sum, u64::from(ONE));
            let mut more = before.clone();
            if let Some(best) = before.bits.first() {
                more.bits.push(another.min(*best));
                more.bits.sort_unstable_by_key(|bits| std::cmp::Reverse(*bits));
                prop_assert!(more.stated(curve, cap).probabilities[0] <= stated.probabilities[0]);
            }
        }
    }
}
