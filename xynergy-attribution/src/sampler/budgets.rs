//! From shares to budgets.

use std::collections::BTreeMap;

use xynergy_core::Minor;

use super::constraints::Constraints;
use super::project::{Bounded, Group, project_grouped};
use super::request::OwnerBudget;

/// A proposed budget and what decided it.
pub(super) struct Proposal {
    pub(super) share: i64,
    pub(super) target_minor: Minor,
    pub(super) proposed_minor: Minor,
    pub(super) step: Step,
    /// What a step is, in minor units.
    pub(super) step_minor: Minor,
    pub(super) total_reached: bool,
    /// Whether the change would have been too small to be worth it.
    pub(super) too_small: bool,
    /// Whether its group is at one of its limits.
    pub(super) group_binds: bool,
}

/// Where one change may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Between these amounts, in minor units.
    Within { lower: Minor, upper: Minor },
    /// Nowhere: the step and the limits have no amount in common.
    Held,
    /// Nowhere: the platform is still learning.
    Learning,
}

impl Step {
    fn of(owner: &OwnerBudget, constraints: &Constraints) -> Self {
        if owner.learning {
            return Self::Learning;
        }
        let current = owner.current_minor;
        let step = step_of(current, constraints);
        let (least, greatest) = constraints.bounds(owner);
        let unit = constraints.unit();
        let lower = least.max((current - step + unit - 1).div_euclid(unit) * unit);
        let upper = greatest.min((current + step).div_euclid(unit) * unit);
        if lower <= upper { Self::Within { lower, upper } } else { Self::Held }
    }
}

fn step_of(current: Minor, constraints: &Constraints) -> Minor {
    let step = i128::from(current) * i128::from(constraints.step_millionths()) / 1_000_000;
    i64::try_from(step).unwrap_or(i64::MAX)
}

/// The nearest budgets to the shares that the steps and limits allow, one an owner: least squares in minor units, exactly.
///
/// Then changes that are too small are taken back, all at once, and the others found again; it is repeated until none is left,
/// and given up where the total would be lost by it.
pub(super) fn propose(owners: &[&OwnerBudget], shares: &[i64], constraints: &Constraints) -> Vec<Proposal> {
    let steps: Vec<_> = owners.iter().map(|owner| Step::of(owner, constraints)).collect();
    let mut frozen: Vec<bool> = steps.iter().map(|step| !matches!(step, Step::Within { .. })).collect();
    let fixed = frozen.clone();
    let (mut values, mut reached) = divide(owners, shares, constraints, &steps, &frozen);
    if let Some(hysteresis) = constraints.hysteresis.map(|part| i128::from(part.get())) {
        loop {
            let mut next = frozen.clone();
            for ((owner, value), freeze) in owners.iter().zip(&values).zip(&mut next) {
                let change = i128::from(value - owner.current_minor).abs();
                let small = change * 1_000_000 < hysteresis * i128::from(owner.current_minor);
                // Only where it is: an owner outside of its limits must move, however little.
                *freeze |= small && allows(owner, constraints);
            }
            if next == frozen {
                break;
            }
            let (tried, still) = divide(owners, shares, constraints, &steps, &next);
            let sum = |values: &[Minor]| values.iter().map(|value| i128::from(*value)).sum::<i128>();
            if still != reached
                || sum(&tried) != sum(&values)
                || broken(owners, constraints, &tried) > broken(owners, constraints, &values)
            {
                break;
            }
            (frozen, values, reached) = (next, tried, still);
        }
    }
    let sums = group_sums(owners, &values);
    let total = constraints.total_daily_minor;
    owners
        .iter()
        .zip(steps)
        .enumerate()
        .map(|(i, (owner, step))| {
            let target = i128::from(shares[i]) * i128::from(total);
            Proposal {
                share: shares[i],
                target_minor: i64::try_from((target + 500_000) / 1_000_000).unwrap_or(i64::MAX),
                proposed_minor: values[i],
                step,
                step_minor: step_of(owner.current_minor, constraints),
                total_reached: reached,
                too_small: frozen[i] && !fixed[i],
                group_binds: owner.group.as_deref().is_some_and(|name| {
                    let sum = sums.get(name).copied().unwrap_or_default();
                    constraints.groups.iter().any(|group| {
                        group.name == name
                            && [group.min_minor, group.max_minor]
                                .into_iter()
                                .flatten()
                                .any(|limit| (i128::from(limit) - sum).abs() < i128::from(constraints.unit()))
                    })
                }),
            }
        })
        .collect()
}

/// The nearest budgets, those that are frozen left as they are, and whether they sum to the total.
fn divide(
    owners: &[&OwnerBudget],
    shares: &[i64],
    constraints: &Constraints,
    steps: &[Step],
    frozen: &[bool],
) -> (Vec<Minor>, bool) {
    let unit = constraints.unit();
    let total = constraints.total_daily_minor;
    let free: Vec<usize> = (0..owners.len()).filter(|&i| !frozen[i]).collect();
    let kept = |i: &usize| i128::from(owners[*i].current_minor);
    let fixed: Vec<usize> = (0..owners.len()).filter(|&i| frozen[i]).collect();
    let parts: Vec<Bounded> = free
        .iter()
        .map(|&i| {
            let (lower, upper) = match steps[i] {
                Step::Within { lower, upper } => (lower / unit, upper / unit),
                Step::Held | Step::Learning => (0, 0),
            };
            Bounded { target_millionths: i128::from(shares[i]) * i128::from(total), lower, upper }
        })
        .collect();
    let mut members: BTreeMap<Option<&str>, Vec<usize>> = BTreeMap::new();
    for (place, &i) in free.iter().enumerate() {
        members.entry(owners[i].group.as_deref()).or_default().push(place);
    }
    let groups: Vec<Group> = members
        .into_iter()
        .map(|(name, parts)| {
            let limit = name.and_then(|name| constraints.groups.iter().find(|group| group.name == name));
            let kept: i128 = fixed
                .iter()
                .filter(|&&i| name.is_some() && owners[i].group.as_deref() == name)
                .map(kept)
                .sum();
            let least = i128::from(limit.and_then(|limit| limit.min_minor).unwrap_or(0)) - kept;
            let most = i128::from(limit.and_then(|limit| limit.max_minor).unwrap_or(i64::MAX)) - kept;
            let unit = i128::from(unit);
            let lower = saturated((least + unit - 1).div_euclid(unit));
            Group { parts, lower, upper: saturated(most.div_euclid(unit)).max(lower) }
        })
        .collect();
    let left = i128::from(total) - fixed.iter().map(kept).sum::<i128>();
    let projection = project_grouped(&parts, &groups, saturated(left.div_euclid(unit.into())), unit);
    let mut values: Vec<Minor> = owners.iter().map(|owner| owner.current_minor).collect();
    for (&i, value) in free.iter().zip(&projection.values) {
        values[i] = value * unit;
    }
    // What remains of budgets that are no multiples of the unit cannot be given to anybody.
    (values, projection.reached && (!free.is_empty() || left == 0))
}

/// Whether an owner may stay where it is.
fn allows(owner: &OwnerBudget, constraints: &Constraints) -> bool {
    let (least, greatest) = constraints.bounds(owner);
    (least..=greatest).contains(&owner.current_minor)
}

/// By how much groups miss their limits, in minor units.
fn broken(owners: &[&OwnerBudget], constraints: &Constraints, values: &[Minor]) -> i128 {
    let sums = group_sums(owners, values);
    constraints
        .groups
        .iter()
        .filter_map(|group| {
            let sum = sums.get(group.name.as_str()).copied()?;
            let below = i128::from(group.min_minor.unwrap_or(0)) - sum;
            let above = sum - i128::from(group.max_minor.unwrap_or(i64::MAX));
            Some(below.max(above).max(0))
        })
        .sum()
}

fn group_sums<'a>(owners: &[&'a OwnerBudget], values: &[Minor]) -> BTreeMap<&'a str, i128> {
    let mut sums = BTreeMap::new();
    for (owner, value) in owners.iter().zip(values) {
        if let Some(name) = &owner.group {
            *sums.entry(name.as_str()).or_default() += i128::from(*value);
        }
    }
    sums
}

fn saturated(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}
