//! What a probability is worth: isotonic calibration on conversions whose click is known, and the error that is left.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ppm::{ONE, Ppm, ppm};

/// A block of fewer judged conversions than this says more of chance than of the probability.
const LEAST_BLOCK: f64 = 60.0;

/// The most blocks before equal ones are pooled.
const MOST_BLOCKS: f64 = 40.0;

/// One judged conversion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// What the model says, in parts per million.
    pub said: Ppm,
    /// Whether it was right.
    pub right: bool,
    /// For how many conversions it stands.
    pub weight: f64,
}

/// A curve from what a model says to how often it is right: straight lines between knots in rising order, both in parts per
/// million. Without knots it says what it is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Calibration(Vec<(Ppm, Ppm)>);

impl Calibration {
    /// The curve of these conversions: pool adjacent violators (Ayer et al. 1955) over blocks of enough of them, with straight
    /// lines between the blocks' centres (centred isotonic regression, Oron and Flournoy 2017), which errs less than steps.
    /// Their order does not matter.
    pub fn fit(judged: &[Judged]) -> Self {
        let mut sorted: Vec<&Judged> = judged.iter().filter(|j| j.weight > 0.0).collect();
        sorted.sort_by(|a, b| {
            (a.said.cmp(&b.said)).then(a.right.cmp(&b.right)).then(a.weight.total_cmp(&b.weight))
        });
        let mass: f64 = sorted.iter().map(|j| j.weight).sum();
        let least = LEAST_BLOCK.max(mass / MOST_BLOCKS);
        if mass < 2.0 * least {
            return Self::default();
        }
        let mut blocks: Vec<Block> = Vec::new();
        let mut open = Block::default();
        for (at, one) in sorted.iter().enumerate() {
            open.add(one);
            // What says the same stays together, or the order of equals would matter.
            let ends = sorted.get(at + 1).is_none_or(|next| next.said != one.said);
            if ends && open.mass >= least {
                blocks.push(std::mem::take(&mut open));
            }
        }
        match blocks.last_mut() {
            Some(last) if open.mass > 0.0 => last.merge(&open),
            _ => {}
        }
        let mut pooled: Vec<Block> = Vec::with_capacity(blocks.len());
        for mut block in blocks {
            while let Some(before) = pooled.pop_if(|before| before.rate() >= block.rate()) {
                block.merge(&before);
            }
            pooled.push(block);
        }
        let mut knots: Vec<(Ppm, Ppm)> =
            pooled.iter().map(|b| (ppm(b.said / b.mass), ppm(b.rate()))).collect();
        knots.dedup_by_key(|(said, _)| *said);
        Self(knots)
    }

    /// How often the model is right when it says `said`.
    pub fn apply(&self, said: Ppm) -> Ppm {
        Self::between(&self.0, said)
    }

    /// The knots that decide at these: of each the one before and the one after it.
    pub fn knots(&self, said: &[Ppm]) -> Vec<(Ppm, Ppm)> {
        let mut used: Vec<usize> = Vec::with_capacity(2 * said.len());
        for said in said {
            let after = self.0.partition_point(|(knot, _)| knot <= said);
            used.extend(after.checked_sub(1));
            used.extend(Some(after).filter(|after| *after < self.0.len()));
        }
        used.sort_unstable();
        used.dedup();
        used.into_iter().map(|at| self.0[at]).collect()
    }

    /// How much of what a model says of the others they may keep when it says `said` of the best, so that all of them together are no more
    /// than the whole: the least of `(1 - C(x)) / (1 - x)` from there on, so that it never rises when `said` falls.
    pub(super) fn left(&self, said: Ppm) -> Ppm {
        let share = |said: Ppm| {
            let (free, given) = (u64::from(ONE.saturating_sub(said)), u64::from(ONE - self.apply(said)));
            (given * u64::from(ONE)).checked_div(free).unwrap_or(u64::from(ONE))
        };
        let later = self.0.iter().map(|(knot, _)| *knot).filter(|knot| *knot > said);
        let least = later.chain([said.min(ONE)]).map(share).min().unwrap_or(u64::from(ONE));
        u32::try_from(least).unwrap_or(ONE).min(ONE)
    }

    /// What these knots, in rising order, say at `said`, in integers alone.
    pub fn between(knots: &[(Ppm, Ppm)], said: Ppm) -> Ppm {
        let after = knots.partition_point(|(knot, _)| *knot <= said);
        match (after.checked_sub(1).and_then(|before| knots.get(before)), knots.get(after)) {
            (None, None) => said.min(ONE),
            (Some((_, rate)), None) | (None, Some((_, rate))) => (*rate).min(ONE),
            (Some((from, low)), Some((to, high))) => {
                let span = u64::from(to.saturating_sub(*from)).max(1);
                let way = u64::from(said.saturating_sub(*from)).min(span);
                let rise = u64::from(high.saturating_sub(*low));
                let risen = u32::try_from((rise * way + span / 2) / span).unwrap_or(ONE);
                low.saturating_add(risen).min(ONE)
            }
        }
    }

    #[cfg(test)]
    pub(super) fn of_knots(knots: Vec<(Ppm, Ppm)>) -> Self {
        Self(knots)
    }
}

#[derive(Default)]
struct Block {
    mass: f64,
    said: f64,
    right: f64,
}

impl Block {
    fn add(&mut self, one: &Judged) {
        self.mass += one.weight;
        self.said += one.weight * f64::from(one.said) / f64::from(ONE);
        self.right += if one.right { one.weight } else { 0.0 };
    }

    fn merge(&mut self, other: &Self) {
        self.mass += other.mass;
        self.said += other.said;
        self.right += other.right;
    }

    fn rate(&self) -> f64 {
        self.right / self.mass
    }
}

/// The expected calibration error in parts per million: the conversions in `bins` of equal mass by what was said, and the mean over
/// the bins of how far the mean of what was said is from how often it was right (Naeini et al. 2015, with bins of equal mass as
/// Nixon et al. 2019). `None` without conversions.
pub fn expected_calibration_error(judged: &[Judged], bins: usize) -> Option<Ppm> {
    let mut sorted: Vec<&Judged> = judged.iter().filter(|j| j.weight > 0.0).collect();
    // Of those that say the same, an order that knows nothing of who was right: as they came.
    sorted.sort_by_key(|j| j.said);
    let mass: f64 = sorted.iter().map(|j| j.weight).sum();
    if mass <= 0.0 || bins == 0 {
        return None;
    }
    let (mut error, mut block, mut closed) = (0.0, Block::default(), 0.0);
    let mut ends = mass / bins as f64;
    let last = sorted.len() - 1;
    for (at, one) in sorted.iter().enumerate() {
        block.add(one);
        if closed + block.mass >= ends - 1e-9 || at == last {
            error += (block.said - block.right).abs();
            closed += block.mass;
            block = Block::default();
            while ends <= closed + 1e-9 {
                ends += mass / bins as f64;
            }
        }
    }
    Some(ppm(error / mass))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `n` conversions in which `said` is right `rate(said)` of the time, spread evenly.
    fn world(n: u32, rate: impl Fn(f64) -> f64) -> Vec<Judged> {
        (0..n)
            .map(|i| {
                let said = f64::from(i % 100) / 100.0 + 0.005;
                // A low-discrepancy sequence in place of chance.
                let u = (f64::from(i / 100) * 0.618_033_988_75 + f64::from(i % 100) * 0.37).fract();
                Judged { said: ppm(said), right: u < rate(said), weight: 1.0 }
            })
            .collect()
    }

    #[test]
    fn a_crooked_probability_becomes_a_straight_one() {
        let crooked = world(20_000, |said| said * said);
        assert!(expected_calibration_error(&crooked, 15).unwrap() > 140_000);
        let curve = Calibration::fit(&crooked);
        let straight: Vec<_> = crooked.iter().map(|j| Judged { said: curve.apply(j.said), ..*j }).collect();
        assert!(expected_calibration_error(&straight, 15).unwrap() < 8_000);
        for said in [100_000, 500_000, 900_000] {
            let expected = u64::from(said) * u64::from(said) / 1_000_000;
            assert!(u64::from(curve.apply(said)).abs_diff(expected) < 20_000, "{said}");
        }
    }

    #[test]
    fn what_is_straight_stays_and_few_change_nothing() {
        let curve = Calibration::fit(&world(20_000, |said| said));
        for said in [50_000, 300_000, 700_000, 950_000] {
            assert!(curve.apply(said).abs_diff(said) < 15_000, "{said} became {}", curve.apply(said));
        }
        let few = Calibration::fit(&world(100, |_| 0.0));
        assert_eq!((few.apply(400_000), few.apply(2_000_000)), (400_000, ONE));
    }

    #[test]
    fn the_error_of_a_constant_is_its_distance() {
        let judged: Vec<_> =
            (0..1000).map(|i| Judged { said: 700_000, right: i % 2 == 0, weight: 1.0 }).collect();
        let error = expected_calibration_error(&judged, 15).unwrap();
        assert!(error.abs_diff(200_000) < 2_000, "{error}");
        assert_eq!(expected_calibration_error(&[], 15), None);
    }

    fn judged() -> impl Strategy<Value = Vec<Judged>> {
        let one = (0u32..=20, any::<bool>(), 1u8..4);
        let one = one.prop_map(|(said, right, weight)| Judged {
            said: said * 50_000,
            right,
            weight: f64::from(weight) * 20.0,
        });
        proptest::collection::vec(one, 0..80)
    }

    proptest! {
        #[test]
        fn it_never_falls_and_order_changes_nothing(
            (given, shuffled) in judged().prop_flat_map(|j| (Just(j.clone()), Just(j).prop_shuffle()))
        ) {
            let curve = Calibration::fit(&given);
            prop_assert_eq!(&curve, &Calibration::fit(&shuffled));
            let mut before = 0;
            for said in (0..=ONE).step_by(9_973) {
                let now = curve.apply(said);
                prop_assert!(before <= now && now <= ONE, "{} at {}", now, said);
                before = now;
            }
            let stored = serde_json::to_string(&curve).unwrap();
            prop_assert_eq!(serde_json::from_str::<Calibration>(&stored).unwrap(), curve);
        }
    }
}
