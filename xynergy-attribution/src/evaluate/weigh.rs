use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::log::{EvaluationOptions, LoggedDecision};
use super::policy::TargetPolicy;

/// The log as a policy sees it.
pub(super) struct Weighed<'a> {
    pub(super) log: &'a [LoggedDecision],
    /// The importance weight of each row: the policy's probability over the logged one, clipped.
    pub(super) ratios: Vec<f64>,
    /// Whether replay counts the row.
    pub(super) matched: Vec<bool>,
    /// The unit of each row, counted from 0 in the order of the log.
    pub(super) units: Vec<usize>,
    pub(super) unit_count: usize,
    pub(super) clipped_count: u64,
    /// The actions that the policy may choose and the log does not show where it would, and their share of the policy's choices.
    pub(super) unsupported: BTreeSet<String>,
    pub(super) unsupported_share: f64,
}

impl<'a> Weighed<'a> {
    pub(super) fn new(
        log: &'a [LoggedDecision],
        policy: Option<&TargetPolicy>,
        options: &EvaluationOptions,
    ) -> Self {
        let raw: Vec<f64> = log
            .iter()
            // Without a policy it is the logged one that is evaluated.
            .map(|row| policy.map_or(1.0, |p| p.probability(&row.context, &row.action) / row.propensity))
            .collect();
        let limit = options.max_weight.unwrap_or(f64::INFINITY);
        let (units, unit_count) = units(log);
        let (unsupported, unsupported_share) = policy.map_or_else(Default::default, |p| unsupported(log, p));
        Self {
            log,
            matched: matched(log, policy, &raw, options.seed),
            clipped_count: raw.iter().filter(|ratio| **ratio > limit).count() as u64,
            ratios: raw.into_iter().map(|ratio| ratio.min(limit)).collect(),
            units,
            unit_count,
            unsupported,
            unsupported_share,
        }
    }

    /// Sums of what a row is worth, by unit.
    pub(super) fn by_unit(&self, of: impl Fn(usize, &LoggedDecision) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.unit_count];
        for (index, row) in self.log.iter().enumerate() {
            sums[self.units[index]] += of(index, row);
        }
        sums
    }
}

/// The rows that a replay of the policy keeps: those that it would have chosen for sure; of a policy that draws, those that a
/// rejection by the ratio of probabilities leaves (Li et al. 2011, WSDM).
fn matched(log: &[LoggedDecision], policy: Option<&TargetPolicy>, ratios: &[f64], seed: u64) -> Vec<bool> {
    let Some(policy) = policy else { return vec![true; log.len()] };
    if policy.is_deterministic() {
        return ratios.iter().map(|ratio| *ratio > 0.0).collect();
    }
    let largest = ratios.iter().copied().fold(0.0, f64::max);
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    ratios
        .iter()
        .map(|ratio| {
            let uniform = (random.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0;
            uniform * largest < *ratio
        })
        .collect()
}

fn units(log: &[LoggedDecision]) -> (Vec<usize>, usize) {
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    let mut next = 0;
    let mut new = || {
        next += 1;
        next - 1
    };
    let units: Vec<usize> = log
        .iter()
        .map(|row| match &row.unit {
            Some(unit) => *known.entry(unit).or_insert_with(&mut new),
            None => new(),
        })
        .collect();
    (units, next)
}

/// What the policy may choose where the log never shows it, and how much of its choices that is.
fn unsupported(log: &[LoggedDecision], policy: &TargetPolicy) -> (BTreeSet<String>, f64) {
    let mut seen: BTreeMap<&str, (f64, BTreeSet<&str>)> = BTreeMap::new();
    let mut whole = 0.0;
    for row in log {
        let context = seen.entry(&row.context).or_default();
        context.0 += row.weight();
        context.1.insert(&row.action);
        whole += row.weight();
    }
    let (mut actions, mut share) = (BTreeSet::new(), 0.0);
    for (context, (weight, shown)) in &seen {
        for (action, probability) in policy.within(context).into_iter().flatten() {
            if *probability > 0.0 && !shown.contains(action.as_str()) {
                actions.insert(action.clone());
                share += probability * weight / whole;
            }
        }
    }
    (actions, share)
}
