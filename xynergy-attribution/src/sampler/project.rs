/// The scale of targets: millionths of the smallest amount.
const MILLIONTHS: i128 = 1_000_000;

/// One part of a whole: what it should be and what it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounded {
    /// The wish, in millionths of the smallest amount.
    pub(super) target_millionths: i128,
    /// The least allowed, in units.
    pub(super) lower: i64,
    /// The greatest allowed, in units; not below `lower`.
    pub(super) upper: i64,
}

/// What some parts may be together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// The places of its parts. Every part is in one group.
    pub(super) parts: Vec<usize>,
    /// The least allowed sum, in units.
    pub(super) lower: i64,
    /// The greatest allowed sum, in units; not below `lower`.
    pub(super) upper: i64,
}

/// The parts that were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Projection {
    /// One value a part, in their order, in units and within its bounds.
    pub(super) values: Vec<i64>,
    /// Whether they sum to the total; otherwise the sum is as near to it as bounds and groups allow.
    pub(super) reached: bool,
}

impl Bounded {
    /// The nearest allowed integer to the target moved by `level`; a half goes down. `scale` is millionths in a unit.
    fn at(&self, level: i128, scale: i128) -> i64 {
        let doubled = 2 * (self.target_millionths + level) - scale;
        let rounded = -(-doubled).div_euclid(2 * scale);
        i64::try_from(rounded.clamp(self.lower.into(), self.upper.into())).unwrap_or(self.lower)
    }
}

/// The integers within the bounds that sum to `total` and lie nearest to the targets (least squares), exactly.
///
/// A separable convex cost over integers with one sum has its optimum where every free part stands at its target moved by one
/// common level and rounded; the level is found by bisection on integers, and parts that are equal candidates for the last units
/// get them in their order. Where no such integers exist, the parts go to their bounds, as near to `total` as these allow.
pub(super) fn project(parts: &[Bounded], total: i64) -> Projection {
    let all = Group { parts: (0..parts.len()).collect(), lower: 0, upper: i64::MAX };
    project_grouped(parts, &[all], total, 1)
}

/// Like [`project`], with bounds on the sums of groups of parts too, and in units of so many smallest amounts.
///
/// The least cost of a group by its sum is convex again, and its marginal cost is the level of its parts: the sum of each group is
/// that of its parts at the common level, within the group's bounds, and its parts are the nearest to that sum. This is exact for
/// constraints in two levels. Groups whose parts cannot reach their bounds go as near to them as the parts allow.
pub(super) fn project_grouped(parts: &[Bounded], groups: &[Group], total: i64, unit: i64) -> Projection {
    let scale = MILLIONTHS * i128::from(unit);
    let total = i128::from(total);
    let groups: Vec<Bounds<'_>> = groups.iter().map(|group| Bounds::of(group, parts)).collect();
    let lowest: i128 = groups.iter().map(|group| group.lower).sum();
    let highest: i128 = groups.iter().map(|group| group.upper).sum();
    let aim = total.clamp(lowest, highest);
    let sum = |level: i128| groups.iter().map(|group| group.at(level, parts, scale)).sum::<i128>();
    let (below, above) = levels(parts, scale, |level| sum(level) <= aim);
    let mut missing = aim - sum(below);
    let mut values = vec![0; parts.len()];
    for group in &groups {
        let own = group.at(below, parts, scale);
        let more = missing.min(group.at(above, parts, scale) - own).max(0);
        missing -= more;
        fill(&mut values, parts, group.parts, own + more, scale);
    }
    Projection { values, reached: aim == total }
}

/// A group with the sums that both its bounds and its parts allow, or that come nearest to the bounds.
struct Bounds<'a> {
    parts: &'a [usize],
    lower: i128,
    upper: i128,
}

impl<'a> Bounds<'a> {
    fn of(group: &'a Group, parts: &[Bounded]) -> Self {
        let lowest: i128 = group.parts.iter().map(|&i| i128::from(parts[i].lower)).sum();
        let highest: i128 = group.parts.iter().map(|&i| i128::from(parts[i].upper)).sum();
        Self {
            parts: &group.parts,
            lower: i128::from(group.lower).clamp(lowest, highest),
            upper: i128::from(group.upper).clamp(lowest, highest),
        }
    }

    fn at(&self, level: i128, parts: &[Bounded], scale: i128) -> i128 {
        let sum: i128 = self.parts.iter().map(|&i| i128::from(parts[i].at(level, scale))).sum();
        sum.clamp(self.lower, self.upper)
    }
}

/// Sets the values of a group's parts, which sum to `total`: one that they can reach.
fn fill(values: &mut [i64], parts: &[Bounded], members: &[usize], total: i128, scale: i128) {
    let sum = |level: i128| members.iter().map(|&i| i128::from(parts[i].at(level, scale))).sum::<i128>();
    let (below, above) = levels(parts, scale, |level| sum(level) <= total);
    let mut missing = total - sum(below);
    for &i in members {
        values[i] = parts[i].at(below, scale);
        if missing > 0 && parts[i].at(above, scale) > values[i] {
            values[i] += 1;
            missing -= 1;
        }
    }
}

/// The greatest level that is not too high, and the next one.
fn levels(parts: &[Bounded], scale: i128, fits: impl Fn(i128) -> bool) -> (i128, i128) {
    let distance = |part: &Bounded, bound: i64| i128::from(bound) * scale - part.target_millionths;
    let mut below = parts.iter().map(|part| distance(part, part.lower)).min().unwrap_or(0) - scale;
    let mut above = parts.iter().map(|part| distance(part, part.upper)).max().unwrap_or(0) + scale;
    while above - below > 1 {
        let middle = below + (above - below) / 2;
        if fits(middle) {
            below = middle;
        } else {
            above = middle;
        }
    }
    (below, above)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn part() -> impl Strategy<Value = Bounded> {
        (0_i64..9, 0_i64..9, -4_000_000_i128..14_000_000, prop::bool::ANY).prop_map(
            |(lower, width, target, round)| Bounded {
                // Half of the targets are halves of units, so that ties are common.
                target_millionths: if round { target / 500_000 * 500_000 } else { target },
                lower,
                upper: lower + width,
            },
        )
    }

    fn cost(part: &Bounded, value: i64, unit: i64) -> i128 {
        (i128::from(value) * MILLIONTHS * i128::from(unit) - part.target_millionths).pow(2)
    }

    /// The least cost by trying everything.
    fn least(parts: &[Bounded], groups: &[(usize, i64, i64)], total: i64, unit: i64) -> Option<i128> {
        fn go(
            (parts, groups, unit): (&[Bounded], &[(usize, i64, i64)], i64),
            values: &mut Vec<i64>,
            left: i64,
        ) -> Option<i128> {
            let Some(part) = parts.get(values.len()) else {
                let mut start = 0;
                let fits = groups.iter().all(|&(count, lower, upper)| {
                    let sum: i64 = values[start..start + count].iter().sum();
                    start += count;
                    (lower..=upper).contains(&sum)
                });
                return (fits && left == 0).then_some(0);
            };
            let mut best = None;
            for value in part.lower..=part.upper {
                values.push(value);
                let found =
                    go((parts, groups, unit), values, left - value).map(|c| c + cost(part, value, unit));
                values.pop();
                best = match (best, found) {
                    (Some(a), Some(b)) => Some(std::cmp::min::<i128>(a, b)),
                    (a, b) => a.or(b),
                };
            }
            best
        }
        go((parts, groups, unit), &mut Vec::new(), total)
    }

    proptest! {
        #[test]
        fn is_the_nearest_of_all(parts in prop::collection::vec(part(), 1..5), total in 0_i64..45) {
            let found = project(&parts, total);
            for (value, part) in found.values.iter().zip(&parts) {
                prop_assert!((part.lower..=part.upper).contains(value));
            }
            let sum: i64 = found.values.iter().sum();
            match least(&parts, &[], total, 1) {
                Some(cheapest) => {
                    prop_assert!(found.reached);
                    prop_assert_eq!(sum, total);
                    let cost: i128 = parts.iter().zip(&found.values).map(|(p, &v)| cost(p, v, 1)).sum();
                    prop_assert_eq!(cost, cheapest);
                }
                None => {
                    prop_assert!(!found.reached);
                    let (lowest, highest): (i64, i64) =
                        (parts.iter().map(|p| p.lower).sum(), parts.iter().map(|p| p.upper).sum());
                    prop_assert_eq!(sum, total.clamp(lowest, highest));
                }
            }
        }

        #[test]
        fn is_the_nearest_of_all_in_groups(
            shapes in prop::collection::vec((prop::collection::vec(part(), 1..3), 0_i64..16, 0_i64..16), 1..4),
            total in 0_i64..50,
            unit in prop_oneof![Just(1_i64), Just(3)],
        ) {
            let mut parts: Vec<Bounded> = shapes.iter().flat_map(|(parts, ..)| parts.clone()).collect();
            parts.iter_mut().for_each(|part| part.target_millionths *= i128::from(unit));
            let limits: Vec<_> = shapes.iter().map(|(p, lower, width)| (p.len(), *lower, lower + width)).collect();
            let mut start = 0;
            let groups: Vec<_> = limits.iter().map(|&(count, lower, upper)| {
                start += count;
                Group { parts: (start - count..start).collect(), lower, upper }
            }).collect();
            let found = project_grouped(&parts, &groups, total, unit);
            for (value, part) in found.values.iter().zip(&parts) {
                prop_assert!((part.lower..=part.upper).contains(value));
            }
            if let Some(cheapest) = least(&parts, &limits, total, unit) {
                prop_assert!(found.reached);
                prop_assert_eq!(found.values.iter().sum::<i64>(), total);
                for group in &groups {
                    let sum: i64 = group.parts.iter().map(|&i| found.values[i]).sum();
                    prop_assert!((group.lower..=group.upper).contains(&sum));
                }
                let cost: i128 = parts.iter().zip(&found.values).map(|(p, &v)| cost(p, v, unit)).sum();
                prop_assert_eq!(cost, cheapest);
            }
        }
    }

    #[test]
    fn huge_amounts_stay_exact() {
        let huge = 1_000_000_000_000_000;
        let parts = [
            Bounded { target_millionths: i128::from(huge) * 600_000, lower: 0, upper: huge },
            Bounded { target_millionths: i128::from(huge) * 400_000, lower: 0, upper: huge },
        ];
        assert_eq!(project(&parts, huge).values, [600_000_000_000_000, 400_000_000_000_000]);
        assert_eq!(project(&[], 5), Projection { values: vec![], reached: false });
    }
}
