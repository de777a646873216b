use std::collections::BTreeMap;

use super::log::LoggedDecision;
use super::policy::TargetPolicy;
use super::weigh::Weighed;

const FOLDS: usize = 5;
/// How many rows of the mean an action begins with.
const PRIOR_ROWS: f64 = 50.0;

/// What a reward model expects of each row: of the action that was chosen, and of what the policy would choose.
pub(super) struct Expected {
    pub(super) chosen: Vec<f64>,
    pub(super) policy: Vec<f64>,
}

#[derive(Clone, Copy, Default)]
struct Sums {
    weight: f64,
    reward: f64,
}

impl Sums {
    fn add(&mut self, row: &LoggedDecision) {
        self.weight += row.weight();
        self.reward += row.weight() * row.reward;
    }

    fn without(self, other: Self) -> Self {
        Self { weight: self.weight - other.weight, reward: self.reward - other.reward }
    }
}

/// The caller's predictions, or else the mean reward of each action, shrunk to that of all by 50 rows and fitted without the fifth of
/// the units that a row belongs to: a model that has seen a row's own reward would hide its error.
pub(super) fn expected(weighed: &Weighed<'_>, policy: Option<&TargetPolicy>) -> Expected {
    let means = Means::fit(weighed);
    let (mut chosen, mut of_policy) = (Vec::new(), Vec::new());
    for (index, row) in weighed.log.iter().enumerate() {
        let fold = weighed.units[index] % FOLDS;
        let reward = |action: &str| match &row.predicted {
            Some(predicted) => predicted.get(action).copied().unwrap_or(0.0),
            None => means.of(action, fold),
        };
        chosen.push(reward(&row.action));
        of_policy.push(match policy {
            None => reward(&row.action),
            Some(policy) => {
                policy.within(&row.context).into_iter().flatten().map(|(action, p)| p * reward(action)).sum()
            }
        });
    }
    Expected { chosen, policy: of_policy }
}

struct Means<'a> {
    all: [Sums; FOLDS],
    by_action: BTreeMap<&'a str, [Sums; FOLDS]>,
}

impl<'a> Means<'a> {
    /// The sums outside of each fold.
    fn fit(weighed: &Weighed<'a>) -> Self {
        let (mut whole, mut within) = (Sums::default(), [Sums::default(); FOLDS]);
        let mut by_action: BTreeMap<&str, (Sums, [Sums; FOLDS])> = BTreeMap::new();
        for (index, row) in weighed.log.iter().enumerate() {
            let fold = weighed.units[index] % FOLDS;
            whole.add(row);
            within[fold].add(row);
            let action = by_action.entry(&row.action).or_default();
            action.0.add(row);
            action.1[fold].add(row);
        }
        let outside = |(whole, within): (Sums, [Sums; FOLDS])| within.map(|inner| whole.without(inner));
        Self {
            all: outside((whole, within)),
            by_action: by_action.into_iter().map(|(action, sums)| (action, outside(sums))).collect(),
        }
    }

    fn of(&self, action: &str, fold: usize) -> f64 {
        let all = self.all[fold];
        let mean = if all.weight > 0.0 { all.reward / all.weight } else { 0.0 };
        let own = self.by_action.get(action).map(|folds| folds[fold]).unwrap_or_default();
        (PRIOR_ROWS * mean + own.reward) / (PRIOR_ROWS + own.weight)
    }
}
