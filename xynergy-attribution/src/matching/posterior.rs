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
    /// The match weights of the listed in millionths of a bit, the best first: all but the likeness, and the likeness.
    pub(super) bits: Vec<(i64, i64)>,
    /// The sum of `2^w` over the candidates that are not listed, in millionths, without likeness.
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
    /// The knots of the calibration between which the listed candidates lie.
    pub curve: Vec<(Ppm, Ppm)>,
    /// How much of what the weights say of the other candidates they keep.
    pub left: Ppm,
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

/// A prior as a share.
pub(super) fn share_of(prior: Ppm) -> f64 {
    f64::from(prior.clamp(LEAST_PRIOR, ONE - LEAST_PRIOR)) / f64::from(ONE)
}

/// What the weights say of the listed candidates.
struct Shares {
    /// With the likeness of the best for all.
    listed: Vec<f64>,
    /// Of those that are not listed.
    rest: f64,
    /// Of each, were its own likeness that of all.
    own: Vec<Ppm>,
}

impl Posterior {
    /// `P_i = a 2^w_i / (a sum_j 2^w_j + (1 - a))` (kappa is 1: a weight is the density of a click at this place and time among matches over
    /// that among clicks of others). How alike the clicks of the network are to one counts for all of them at once: had each rival its
    /// own likeness, another click like it would make the rivals together weigh less, and so raise the others.
    fn shares(&self) -> Shares {
        let prior = share_of(self.prior);
        let weights: Vec<f64> = self.bits.iter().map(|(bits, _)| weighed(*bits)).collect();
        let sum = weights.iter().sum::<f64>() + unmicro(self.rest.max(0));
        let elsewhere = prior * f64::from(self.unlisted) / f64::from(ONE) + 1.0 - prior;
        // The same for all that are as alike, which most are.
        let mut before = None;
        let mut scale = |likeness: i64| match before {
            Some((same, scale)) if same == likeness => scale,
            _ => before.insert((likeness, prior * weighed(likeness))).1,
        };
        let best = self.bits.first().map_or(prior, |(_, likeness)| scale(*likeness));
        let all = best * sum + elsewhere;
        let own = self.bits.iter().zip(&weights).map(|((_, likeness), weight)| {
            let scale = scale(*likeness);
            ppm(scale * weight / (scale * sum + elsewhere))
        });
        Shares {
            own: own.collect(),
            rest: (best * unmicro(self.rest.max(0)) + prior * f64::from(self.unlisted) / f64::from(ONE))
                / all,
            listed: weights.iter().map(|weight| best * weight / all).collect(),
        }
    }

    /// What the weights say of the best candidate.
    pub(super) fn said(&self) -> Ppm {
        self.shares().own.first().copied().unwrap_or(0)
    }

    /// The calibrated probabilities by all of a calibration.
    pub(super) fn calibrated(&self, calibration: &Calibration, cap: Option<Ppm>) -> Stated {
        let shares = self.shares();
        let left = calibration.left(shares.own.first().copied().unwrap_or(0));
        let curve = calibration.knots(&shares.own);
        self.by(&shares, curve, left, cap)
    }

    /// The calibrated probabilities, which sum to 1,000,000. The best candidate has what the calibration says, and no other more than what
    /// it would say of it, nor more than its weight gives it: what the calibration takes is rather nobody's. So what was the best never
    /// becomes more probable by another candidate's coming, whether it stays the best or not.
    pub(super) fn stated(&self, curve: Vec<(Ppm, Ppm)>, left: Ppm, cap: Option<Ppm>) -> Stated {
        self.by(&self.shares(), curve, left, cap)
    }

    fn by(&self, shares: &Shares, curve: Vec<(Ppm, Ppm)>, left: Ppm, cap: Option<Ppm>) -> Stated {
        let said = shares.own.first().copied().unwrap_or(0);
        let mut open = ONE;
        let mut most = if self.bits.is_empty() { 0 } else { cap.unwrap_or(ONE).min(ONE) };
        let kept = f64::from(left.min(ONE));
        let mut probabilities = Vec::with_capacity(self.bits.len());
        for (at, (share, own)) in shares.listed.iter().zip(&shares.own).enumerate() {
            let whole = if at == 0 { ONE } else { ppm_floor(share * kept) };
            // Nobody is likelier than one before it.
            most = most.min(Calibration::between(&curve, *own)).min(whole).min(open);
            open -= most;
            probabilities.push(most);
        }
        let rest = ppm_floor(shares.rest * kept).min(open);
        Stated {
            prior: self.prior,
            rest_weight: self.rest,
            unlisted: self.unlisted,
            said,
            curve,
            left,
            cap,
            probabilities,
            rest,
            none: open - rest,
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
        Posterior { prior: 600_000, bits: bits.iter().map(|bits| (*bits, 0)).collect(), rest: 0, unlisted: 0 }
    }

    #[test]
    fn one_click_at_most_and_perhaps_none() {
        let one = posterior(&[3_000_000]).stated(Vec::new(), ONE, None);
        // 0.6 * 8 / (0.6 * 8 + 0.4)
        assert_eq!((one.probabilities.as_slice(), one.none), (&[923_077][..], 76_923));
        let two = posterior(&[3_000_000, 3_000_000]).stated(Vec::new(), ONE, None);
        assert_eq!((two.probabilities.as_slice(), two.none), (&[480_000, 480_000][..], 40_000));
        let nobody = posterior(&[]).stated(Vec::new(), ONE, None);
        assert_eq!((nobody.said, nobody.none), (0, ONE));
    }

    #[test]
    fn what_calibration_takes_is_rather_nobodys() {
        let curve = Calibration::of_knots(vec![(0, 0), (ONE, 500_000)]);
        let halved = posterior(&[3_000_000, 2_000_000]).calibrated(&curve, None);
        assert!(halved.probabilities[0] >= halved.probabilities[1]);
        assert!(halved.probabilities[0] < 400_000 && halved.none > 400_000, "{halved:?}");
        assert_eq!(halved.probabilities.iter().sum::<u32>() + halved.rest + halved.none, ONE);
        let capped = posterior(&[3_000_000]).stated(Vec::new(), ONE, Some(100_000));
        assert_eq!((capped.probabilities[0], capped.none), (100_000, 900_000));
    }

    proptest! {
        #[test]
        fn they_sum_to_the_whole_and_the_best_never_wins_by_another_sharer(
            mut bits in proptest::collection::vec((-40_000_000_i64..40_000_000, -8_000_000_i64..8_000_000), 0..30),
            another in (-40_000_000_i64..40_000_000, -8_000_000_i64..8_000_000),
            prior in 0..=ONE, rest in 0_i64..10_000_000_000, unlisted in 0..=ONE,
            knots in proptest::collection::btree_map(0..=ONE, 0..=ONE, 0..5), cap in proptest::option::of(0..=ONE),
        ) {
            bits.sort_unstable_by_key(|(bits, _)| std::cmp::Reverse(*bits));
            let mut rates: Vec<Ppm> = knots.values().copied().collect();
            rates.sort_unstable();
            let curve = Calibration::of_knots(knots.keys().copied().zip(rates).collect());
            let before = Posterior { prior, bits, rest, unlisted };
            let stated = before.calibrated(&curve, cap);
            prop_assert_eq!(&before.stated(stated.curve.clone(), stated.left, cap), &stated, "replayed");
            let sum = u64::from(stated.none) + u64::from(stated.rest)
                + stated.probabilities.iter().map(|p| u64::from(*p)).sum::<u64>();
            prop_assert_eq!(sum, u64::from(ONE));
            let mut more = before.clone();
            let place = before.bits.partition_point(|(bits, _)| *bits >= another.0);
            more.bits.insert(place, another);
            let now = more.calibrated(&curve, cap).probabilities;
            if let Some(before) = stated.probabilities.first() {
                let now = now[usize::from(place == 0)];
                // One part in a million may be rounded up.
                prop_assert!(now <= before + 1, "{} became {}", before, now);
            }
        }
    }
}
