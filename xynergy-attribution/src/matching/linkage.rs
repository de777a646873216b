//! Record linkage after Fellegi and Sunter (1969): how much an agreement says, and how that is learnt without labels.
//!
//! A pair of records is compared field by field, and each comparison gives a level (0 is the least agreement) or nothing where a
//! value is missing. `m` is how often a level occurs among pairs that belong together, `u` among those that do not, `lambda` the
//! share of pairs that do. The match weight of a pair is `sum log2(m / u)`; missing values say nothing.

use std::collections::BTreeMap;

use xynergy_core::{Error, Result};

const OPERATION: &str = "linkage";

/// The most levels that one comparison may have.
const MOST_LEVELS: usize = 64;

/// No estimate is nearer to 0 or 1: a level that was never seen must not decide alone, for or against.
const LEAST: f64 = 1e-12;

/// The levels of one compared pair; `None` where a value is missing.
pub type Levels = Vec<Option<u8>>;

/// What one comparison says.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// By level: its share among the pairs that belong together.
    pub m: Vec<f64>,
    /// By level: its share among the pairs that do not.
    pub u: Vec<f64>,
}

impl Comparison {
    /// Where an estimate starts: `levels` levels of which the highest is likely among matches and unlikely among the others, as
    /// Splink starts (0.95 of `m` on the highest level, the rest even).
    pub fn start(levels: usize) -> Self {
        let rest = levels.saturating_sub(1).max(1) as f64;
        let spread = |top: f64, of_rest: f64| {
            (0..levels)
                .map(|level| if level + 1 == levels { top } else { of_rest / rest })
                .collect::<Vec<_>>()
        };
        let mut m = spread(0.95, 0.05);
        let mut u = spread(0.05, 0.95);
        normalise(&mut m);
        normalise(&mut u);
        Self { m, u }
    }

    /// The match weight of a level in bits, `log2(m / u)`; 0 for a missing value.
    pub fn bits(&self, level: Option<u8>) -> f64 {
        let at =
            |shares: &[f64], level: u8| shares.get(usize::from(level)).copied().unwrap_or(1.0).max(LEAST);
        level.map_or(0.0, |level| libm::log2(at(&self.m, level)) - libm::log2(at(&self.u, level)))
    }
}

/// A model of pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct Linkage {
    /// The share of all pairs that belong together.
    pub lambda: f64,
    /// One a compared field.
    pub comparisons: Vec<Comparison>,
}

/// What an estimate leaves as it was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fixed {
    /// The levels among matches.
    pub m: bool,
    /// The levels among the others: measure them on random pairs, which hardly ever match.
    pub u: bool,
    /// The share of matches.
    pub lambda: bool,
}

/// When an estimate ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Until {
    /// No estimate moved by more than this in a step.
    pub moved: f64,
    /// After so many steps in any case.
    pub steps: usize,
}

impl Default for Until {
    fn default() -> Self {
        Self { moved: 1e-12, steps: 10_000 }
    }
}

/// An estimate.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The model.
    pub linkage: Linkage,
    /// The steps that were done.
    pub steps: usize,
    /// Whether it stopped because nothing moved any more.
    pub converged: bool,
}

/// How often each combination of levels occurs: all that an estimate needs of the pairs, in an order of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patterns(BTreeMap<Levels, u64>);

impl Patterns {
    /// Counts one more pair of these levels.
    pub fn add(&mut self, levels: Levels) {
        self.add_many(levels, 1);
    }

    /// Counts `pairs` more pairs of these levels.
    pub fn add_many(&mut self, levels: Levels, pairs: u64) {
        let count = self.0.entry(levels).or_default();
        *count = count.saturating_add(pairs);
    }

    /// How many pairs were counted.
    pub fn pairs(&self) -> u64 {
        self.0.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The combinations with their counts, in the order of their levels.
    pub fn iter(&self) -> impl Iterator<Item = (&[Option<u8>], u64)> {
        self.0.iter().map(|(levels, count)| (levels.as_slice(), *count))
    }
}

impl FromIterator<Levels> for Patterns {
    fn from_iter<T: IntoIterator<Item = Levels>>(pairs: T) -> Self {
        let mut patterns = Self::default();
        pairs.into_iter().for_each(|levels| patterns.add(levels));
        patterns
    }
}

impl Linkage {
    /// Where an estimate starts, with so many levels a comparison.
    pub fn start(lambda: f64, levels: &[usize]) -> Self {
        Self { lambda, comparisons: levels.iter().map(|levels| Comparison::start(*levels)).collect() }
    }

    /// The match weight of a pair in bits, without the prior.
    pub fn bits(&self, levels: &[Option<u8>]) -> f64 {
        self.comparisons.iter().zip(levels).map(|(comparison, level)| comparison.bits(*level)).sum()
    }

    /// The probability that a pair belongs together: `lambda 2^w / (lambda 2^w + 1 - lambda)`.
    pub fn probability(&self, levels: &[Option<u8>]) -> f64 {
        let lambda = self.lambda.clamp(LEAST, 1.0 - LEAST);
        let odds = libm::log2(lambda) - libm::log2(1.0 - lambda) + self.bits(levels);
        1.0 / (1.0 + libm::exp2(-odds))
    }

    /// One step of expectation and maximisation (Dempster, Laird and Rubin 1977) over the pairs.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn step(&self, patterns: &Patterns, fixed: Fixed) -> Result<Self> {
        self.check(patterns)?;
        Ok(self.stepped(patterns, fixed))
    }

    /// Steps until nothing moves. The same patterns give the same bytes: they are summed in their own order, with the logarithms
    /// and powers of `libm`.
    ///
    /// # Errors
    /// [`InvalidInput`](xynergy_core::ErrorKind::InvalidInput) for a model with shares that are no shares, and for pairs with
    /// other comparisons or levels than the model, or none.
    pub fn fit(self, patterns: &Patterns, fixed: Fixed, until: Until) -> Result<Fit> {
        self.check(patterns)?;
        let mut linkage = self;
        for step in 1..=until.steps {
            let next = linkage.stepped(patterns, fixed);
            let moved = next.distance(&linkage);
            linkage = next;
            if moved <= until.moved {
                return Ok(Fit { linkage, steps: step, converged: true });
            }
        }
        Ok(Fit { linkage, steps: until.steps, converged: false })
    }

    fn stepped(&self, patterns: &Patterns, fixed: Fixed) -> Self {
        let mut m: Vec<Vec<f64>> = self.comparisons.iter().map(|c| vec![0.0; c.m.len()]).collect();
        let mut u = m.clone();
        let (mut matches, mut pairs) = (0.0, 0.0);
        for (levels, count) in patterns.iter() {
            let count = count as f64;
            let matched = self.probability(levels) * count;
            pairs += count;
            matches += matched;
            for ((level, m), u) in levels.iter().zip(&mut m).zip(&mut u) {
                if let Some(level) = level.map(usize::from) {
                    m[level] += matched;
                    u[level] += count - matched;
                }
            }
        }
        let comparisons = self.comparisons.iter().zip(m).zip(u).map(|((now, mut m), mut u)| {
            let m = if fixed.m || !normalise(&mut m) { now.m.clone() } else { m };
            let u = if fixed.u || !normalise(&mut u) { now.u.clone() } else { u };
            Comparison { m, u }
        });
        let lambda = if fixed.lambda { self.lambda } else { matches / pairs };
        Self { lambda, comparisons: comparisons.collect() }
    }

    /// The greatest difference of two estimates.
    fn distance(&self, other: &Self) -> f64 {
        let shares = |model: &Self| {
            let all =
                model.comparisons.iter().flat_map(|c| c.m.iter().chain(&c.u).copied().collect::<Vec<_>>());
            all.chain([model.lambda]).collect::<Vec<_>>()
        };
        shares(self).into_iter().zip(shares(other)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    fn check(&self, patterns: &Patterns) -> Result<()> {
        let wrong = |field: &str, problem: String| {
            Err(Error::invalid(OPERATION, format!("{field}: {problem}")).with_context("field", field))
        };
        if !(self.lambda > 0.0 && self.lambda < 1.0) {
            return wrong("lambda", format!("{} is no share: give one between 0 and 1", self.lambda));
        }
        for (at, comparison) in self.comparisons.iter().enumerate() {
            let levels = comparison.m.len();
            if levels != comparison.u.len() || !(2..=MOST_LEVELS).contains(&levels) {
                return wrong(
                    "comparisons",
                    format!("{at}: give m and u for the same 2 to {MOST_LEVELS} levels"),
                );
            }
            let share = |share: &f64| (0.0..=1.0).contains(share);
            if !comparison.m.iter().chain(&comparison.u).all(share) {
                return wrong("comparisons", format!("{at}: m and u are shares from 0 to 1"));
            }
        }
        if patterns.pairs() == 0 {
            return wrong("pairs", "there are none: compare at least one pair".to_owned());
        }
        for (levels, _) in patterns.iter() {
            let known =
                |(level, c): (&Option<u8>, &Comparison)| level.is_none_or(|l| usize::from(l) < c.m.len());
            if levels.len() != self.comparisons.len() || !levels.iter().zip(&self.comparisons).all(known) {
                return wrong(
                    "pairs",
                    format!("{levels:?} does not fit the model of {} comparisons", self.comparisons.len()),
                );
            }
        }
        Ok(())
    }
}

/// Makes them sum to 1. Returns false, and leaves them, when they sum to nothing.
fn normalise(shares: &mut [f64]) -> bool {
    let sum: f64 = shares.iter().sum();
    if sum <= LEAST || sum.is_nan() {
        return false;
    }
    for share in shares {
        *share = (*share / sum).clamp(LEAST, 1.0);
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The model that Splink's `known_params_comparison_vectors` were drawn from.
    fn known() -> Linkage {
        let binary = |m: f64, u: f64| Comparison { m: vec![1.0 - m, m], u: vec![1.0 - u, u] };
        Linkage { lambda: 0.5, comparisons: vec![binary(0.7, 0.1), binary(0.9, 0.025), binary(0.95, 0.2)] }
    }

    /// Pairs in exactly the proportions of a model, `pairs` of them but for rounding.
    fn proportioned(model: &Linkage, pairs: f64) -> Patterns {
        let mut patterns = Patterns::default();
        for bits in 0..8_u8 {
            let levels: Levels = (0..3).map(|at| Some(bits >> at & 1)).collect();
            let of = |shares: fn(&Comparison) -> &Vec<f64>| -> f64 {
                let each = model.comparisons.iter().zip(&levels);
                each.map(|(c, level)| shares(c)[usize::from(level.unwrap())]).product()
            };
            let share = model.lambda * of(|c| &c.m) + (1.0 - model.lambda) * of(|c| &c.u);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            patterns.add_many(levels, (share * pairs).round() as u64);
        }
        patterns
    }

    #[test]
    fn the_known_model_is_found_again_without_labels() {
        let patterns = proportioned(&known(), 4e9);
        let fit = Linkage::start(0.2, &[2, 2, 2]).fit(&patterns, Fixed::default(), Until::default()).unwrap();
        assert!(fit.converged, "after {} steps", fit.steps);
        assert!(fit.linkage.distance(&known()) < 1e-6, "{:?}", fit.linkage);
        for (levels, _) in patterns.iter() {
            assert!(
                (fit.linkage.probability(levels) - known().probability(levels)).abs() < 1e-6,
                "{levels:?}"
            );
        }
    }

    #[test]
    fn four_thousand_pairs_find_it_to_their_rounding() {
        let fit = Linkage::start(0.3, &[2, 2, 2])
            .fit(&proportioned(&known(), 4_000.0), Fixed::default(), Until::default())
            .unwrap();
        assert!(fit.converged && fit.linkage.distance(&known()) < 2e-3, "{:?}", fit.linkage);
    }

    #[test]
    fn what_is_fixed_stays() {
        let start = known();
        let other = Linkage::start(0.3, &[2, 2, 2]);
        let patterns = proportioned(&known(), 1e6);
        let mixed = Linkage {
            lambda: 0.3,
            comparisons: (other.comparisons.iter().zip(&start.comparisons))
                .map(|(mine, known)| Comparison { m: mine.m.clone(), u: known.u.clone() })
                .collect(),
        };
        let fixed = Fixed { u: true, ..Fixed::default() };
        let fit = mixed.clone().fit(&patterns, fixed, Until::default()).unwrap();
        for (found, known) in fit.linkage.comparisons.iter().zip(&start.comparisons) {
            assert_eq!(found.u, known.u);
        }
        assert!(fit.linkage.distance(&known()) < 1e-4, "{:?}", fit.linkage);
        let all = Fixed { m: true, u: true, lambda: true };
        assert_eq!(mixed.clone().step(&patterns, all).unwrap(), mixed);
    }

    #[test]
    fn missing_values_say_nothing() {
        let model = known();
        let none = vec![None, None, None];
        assert!((model.bits(&none), model.probability(&none)) == (0.0, 0.5));
        let one = [Some(1), None, None];
        assert!((model.bits(&one) - libm::log2(7.0)).abs() < 1e-12, "log2(0.7 / 0.1)");
    }

    #[test]
    fn what_is_no_model_and_no_pair_is_named() {
        let patterns: Patterns = [vec![Some(1), Some(0)]].into_iter().collect();
        let fails = |model: Linkage, patterns: &Patterns, field: &str| {
            let error = model.fit(patterns, Fixed::default(), Until::default()).unwrap_err();
            assert!(error.message().starts_with(field), "{error}");
        };
        fails(Linkage::start(f64::NAN, &[2, 2]), &patterns, "lambda");
        fails(Linkage::start(0.5, &[2, 1]), &patterns, "comparisons");
        fails(Linkage::start(0.5, &[2]), &patterns, "pairs");
        fails(Linkage::start(0.5, &[2, 2]), &Patterns::default(), "pairs");
        let high: Patterns = [vec![Some(2), Some(0)]].into_iter().collect();
        fails(Linkage::start(0.5, &[2, 2]), &high, "pairs");
    }

    proptest! {
        #[test]
        fn any_pairs_give_shares_and_order_changes_nothing(
            (pairs, shuffled) in proptest::collection::vec(
                proptest::collection::vec(proptest::option::of(0u8..3), 2), 1..40,
            ).prop_flat_map(|pairs| (Just(pairs.clone()), Just(pairs).prop_shuffle()))
        ) {
            let until = Until { steps: 50, ..Until::default() };
            let fit = |pairs: Vec<Levels>| {
                Linkage::start(0.2, &[3, 3]).fit(&pairs.into_iter().collect(), Fixed::default(), until).unwrap()
            };
            let fitted = fit(pairs);
            prop_assert_eq!(&fitted, &fit(shuffled));
            let each = fitted.linkage.comparisons.iter().flat_map(|c| [&c.m, &c.u]);
            for shares in each {
                prop_assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            }
            prop_assert!((0.0..=1.0).contains(&fitted.linkage.lambda));
        }
    }
}
