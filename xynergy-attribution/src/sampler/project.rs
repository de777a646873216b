/// The scale of targets: millionths of the unit that is divided.
const SCALE: i128 = 1_000_000;

/// One part of a whole: what it should be and what it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounded {
    /// The wish, in millionths of a unit.
    pub(super) target_millionths: i128,
    /// The least allowed, in units.
    pub(super) lower: i64,
    /// The greatest allowed, in units; not below `lower`.
    pub(super) upper: i64,
}

/// The parts that were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Projection {
    /// One value a part, in their order, within its bounds.
    pub(super) values: Vec<i64>,
    /// Whether they sum to the total; otherwise they are all at the bound nearest to it.
    pub(super) reached: bool,
}

impl Bounded {
    /// The nearest allowed integer to the target moved by `level`; a half goes down.
    fn at(&self, level: i128) -> i64 {
        let doubled = 2 * (self.target_millionths + level) - SCALE;
        let rounded = -(-doubled).div_euclid(2 * SCALE);
        i64::try_from(rounded.clamp(self.lower.into(), self.upper.into())).unwrap_or(self.lower)
    }
}

/// The integers within the bounds that sum to `total` and lie nearest to the targets (least squares), exactly.
///
/// A separable convex cost over integers with one sum has its optimum where every free part stands at its target moved by one
/// common level and rounded; the level is found by bisection on integers, and parts that are equal candidates for the last units
/// get them in their order. Where no such integers exist, the parts go to their bounds, as near to `total` as these allow.
pub(super) fn project(parts: &[Bounded], total: i64) -> Projection {
    let total = i128::from(total);
    let sum = |level: i128| parts.iter().map(|part| i128::from(part.at(level))).sum::<i128>();
    let lowest: i128 = parts.iter().map(|part| i128::from(part.lower)).sum();
    let highest: i128 = parts.iter().map(|part| i128::from(part.upper)).sum();
    if total <= lowest {
        return Projection {
            values: parts.iter().map(|part| part.lower).collect(),
            reached: total == lowest,
        };
    }
    if total >= highest {
        return Projection {
            values: parts.iter().map(|part| part.upper).collect(),
            reached: total == highest,
        };
    }
    let distance = |part: &Bounded, bound: i64| i128::from(bound) * SCALE - part.target_millionths;
    let mut below = parts.iter().map(|part| distance(part, part.lower)).min().unwrap_or(0) - SCALE;
    let mut above = parts.iter().map(|part| distance(part, part.upper)).max().unwrap_or(0) + SCALE;
    while above - below > 1 {
        let middle = below + (above - below) / 2;
        if sum(middle) <= total {
            below = middle;
        } else {
            above = middle;
        }
    }
    let mut values: Vec<i64> = parts.iter().map(|part| part.at(below)).collect();
    let mut missing = total - values.iter().map(|&value| i128::from(value)).sum::<i128>();
    for (value, part) in values.iter_mut().zip(parts) {
        if missing > 0 && part.at(above) > *value {
            *value += 1;
            missing -= 1;
        }
    }
    Projection { values, reached: missing == 0 }
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

    fn cost(parts: &[Bounded], values: &[i64]) -> i128 {
        parts.iter().zip(values).map(|(p, &v)| (i128::from(v) * SCALE - p.target_millionths).pow(2)).sum()
    }

    /// The least cost by trying everything.
    fn least(parts: &[Bounded], total: i64) -> Option<i128> {
        match parts {
            [] => (total == 0).then_some(0),
            [first, rest @ ..] => (first.lower..=first.upper)
                .filter_map(|value| Some(cost(&[*first], &[value]) + least(rest, total - value)?))
                .min(),
        }
    }

    proptest! {
        #[test]
        fn is_the_nearest_of_all(parts in prop::collection::vec(part(), 1..5), total in 0_i64..45) {
            let found = project(&parts, total);
            for (value, part) in found.values.iter().zip(&parts) {
                prop_assert!((part.lower..=part.upper).contains(value));
            }
            let sum: i64 = found.values.iter().sum();
            match least(&parts, total) {
                Some(cheapest) => {
                    prop_assert!(found.reached);
                    prop_assert_eq!(sum, total);
                    prop_assert_eq!(cost(&parts, &found.values), cheapest);
                }
                None => {
                    prop_assert!(!found.reached);
                    let (lowest, highest): (i64, i64) =
                        (parts.iter().map(|p| p.lower).sum(), parts.iter().map(|p| p.upper).sum());
                    prop_assert_eq!(sum, total.clamp(lowest, highest));
                }
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
