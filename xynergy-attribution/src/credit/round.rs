//! Real shares to integers by largest remainder, so that they sum to the total exactly.

use std::cmp::{Ordering, Reverse};

/// A real number as its floor and the rest, 0 to 1: large sums keep their last digit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Mixed {
    pub(super) whole: i128,
    pub(super) rest: f64,
}

impl Mixed {
    /// `numerator / denominator`, floored.
    pub(super) fn ratio(numerator: i128, denominator: u64) -> Self {
        let by = i128::from(denominator.max(1));
        Self { whole: numerator.div_euclid(by), rest: real(numerator.rem_euclid(by)) / real(by) }
    }

    pub(super) fn of(number: f64) -> Self {
        let floor = libm::floor(number);
        Self { whole: whole(floor), rest: number - floor }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        let rest = self.rest + other.rest;
        let carry = libm::floor(rest);
        Self { whole: self.whole.saturating_add(other.whole) + whole(carry), rest: rest - carry }
    }

    pub(super) fn number(self) -> f64 {
        real(self.whole) + self.rest
    }
}

/// A float in the middle of the computation: exact up to 2^53, and by a relative 2^-53 beyond.
#[expect(
    clippy::cast_precision_loss,
    reason = "a float has no more digits; credit is rounded to integers at the end"
)]
pub(super) fn real(number: i128) -> f64 {
    number as f64
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a cast from float saturates, and totals are checked to be far below"
)]
fn whole(number: f64) -> i128 {
    number as i128
}

/// Integers next to `shares` that sum to `total`: the largest remainders are rounded up first, of equal ones the earlier.
///
/// Shares that sum to the total up to the error of floats get their floor, or one more; what that error makes too much or too little is
/// the largest share's, so that a share of nothing stays nothing.
pub(super) fn to_total(shares: &[Mixed], total: i128) -> Vec<i128> {
    let mut parts: Vec<i128> = shares.iter().map(|share| share.whole).collect();
    let mut order: Vec<usize> = (0..shares.len()).filter(|&index| shares[index].rest > 0.0).collect();
    order.sort_by(|&a, &b| {
        shares[b].rest.partial_cmp(&shares[a].rest).unwrap_or(Ordering::Equal).then(a.cmp(&b))
    });
    let missing = total - parts.iter().sum::<i128>();
    let up = usize::try_from(missing.max(0)).unwrap_or(usize::MAX).min(order.len());
    for &index in &order[..up] {
        parts[index] += 1;
    }
    let error = total - parts.iter().sum::<i128>();
    if let Some(largest) = (0..parts.len()).max_by_key(|&index| (shares[index].whole, Reverse(index))) {
        parts[largest] += error;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn thirds_go_to_the_first() {
        let third = Mixed::ratio(1_000_000, 3);
        assert_eq!(to_total(&[third; 3], 1_000_000), [333_334, 333_333, 333_333]);
        assert_eq!(to_total(&[], 5), [0; 0]);
        assert_eq!(Mixed::ratio(-7, 2), Mixed { whole: -4, rest: 0.5 });
        assert_eq!(Mixed::of(-3.5), Mixed { whole: -4, rest: 0.5 });
    }

    #[test]
    fn the_error_of_floats_is_the_largest_shares() {
        let shares = [Mixed::default(), Mixed::of(2.0), Mixed::of(3.0), Mixed::of(3.0), Mixed::default()];
        assert_eq!(to_total(&shares, 7), [0, 2, 2, 3, 0]);
        assert_eq!(to_total(&shares, 9), [0, 2, 4, 3, 0]);
        assert_eq!(to_total(&[Mixed::of(0.5), Mixed::default()], 5), [5, 0]);
    }

    proptest! {
        #[test]
        fn parts_sum_to_the_total_and_are_next_to_their_share(
            numerators in prop::collection::vec(-1_000_000_i128..1_000_000, 1..40),
            denominator in 1_u64..1_000,
        ) {
            let shares: Vec<Mixed> = numerators.iter().map(|&n| Mixed::ratio(n, denominator)).collect();
            let total = numerators.iter().sum::<i128>().div_euclid(i128::from(denominator));
            let parts = to_total(&shares, total);
            prop_assert_eq!(parts.iter().sum::<i128>(), total);
            for (part, share) in parts.iter().zip(&shares) {
                prop_assert!((share.whole..=share.whole + 1).contains(part));
            }
        }
    }
}
