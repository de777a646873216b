//! Whether what is seen of two arms is more than chance.

/// The probability of at least as many failures in the first of two arms when both fail alike: Fisher's exact test, one-sided (R. A.
/// Fisher, The Design of Experiments, 1935). It holds for any number of calls. Each arm is its failures and its calls.
pub(super) fn fails_more(first: (u64, u64), second: (u64, u64)) -> f64 {
    let (calls, all, failures) = (first.1, first.1 + second.1, first.0 + second.0);
    let most = failures.min(calls);
    let all_ways = ln_choose(all, calls);
    let exactly = |in_first: u64| {
        let ways = ln_choose(failures, in_first) + ln_choose(all - failures, calls - in_first);
        libm::exp(ways - all_ways)
    };
    // No fewer failures than do not fit into the second arm.
    let least = failures.saturating_sub(second.1).max(first.0);
    (least..=most).map(exactly).sum::<f64>().min(1.0)
}

/// The logarithm of the number of ways to choose.
#[allow(clippy::cast_precision_loss)] // A logarithm.
fn ln_choose(of: u64, chosen: u64) -> f64 {
    let ln_factorial = |n: u64| libm::lgamma(n as f64 + 1.0);
    ln_factorial(of) - ln_factorial(chosen) - ln_factorial(of - chosen)
}

/// Mean and variance of values, kept as they come (B. P. Welford, 1962).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sample {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Sample {
    #[allow(clippy::cast_precision_loss)] // A mean.
    pub(super) fn add(&mut self, value: f64) {
        self.count += 1;
        let off = value - self.mean;
        self.mean += off / self.count as f64;
        self.squares += off * (value - self.mean);
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn mean(&self) -> f64 {
        self.mean
    }

    /// The variance of the mean.
    #[allow(clippy::cast_precision_loss)] // A variance.
    fn of_mean(&self) -> f64 {
        let n = self.count as f64;
        if self.count < 2 { f64::INFINITY } else { self.squares / (n - 1.0) / n }
    }
}

/// The probability of a difference as great when the first mean is not above the second by more than `by`: Welch's test (B. L.
/// Welch, 1947), one-sided, with the normal distribution in place of Student's, so only for samples of some thirty and more.
pub(super) fn is_greater(first: &Sample, second: &Sample, by: f64) -> f64 {
    let off = first.mean - second.mean - by;
    let deviation = (first.of_mean() + second.of_mean()).sqrt();
    if deviation == 0.0 {
        return if off > 0.0 { 0.0 } else { 1.0 };
    }
    0.5 * libm::erfc(off / deviation / std::f64::consts::SQRT_2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fishers_own_example() {
        // The lady who tastes eight cups of tea, four of each kind.
        for (right, expected) in [(4, 1.0 / 70.0), (3, 17.0 / 70.0), (2, 53.0 / 70.0), (0, 1.0)] {
            let p = fails_more((right, 4), (4 - right, 4));
            assert!((p - expected).abs() < 1e-12, "{right}: {p}");
        }
    }

    #[test]
    fn means_and_their_difference() {
        let sample = |values: &[f64]| {
            let mut sample = Sample::default();
            values.iter().for_each(|value| sample.add(*value));
            sample
        };
        let (low, high) = (sample(&[1.0, 2.0, 3.0]), sample(&[11.0, 12.0, 13.0]));
        assert_eq!((high.mean(), low.count()), (12.0, 3));
        // Each mean has a variance of 1/3, the difference of 10 is 12.2 deviations.
        assert!(is_greater(&high, &low, 0.0) < 1e-12 && is_greater(&low, &high, 0.0) > 0.999);
        assert!((is_greater(&high, &low, 10.0) - 0.5).abs() < 1e-12);
        let one = |by: f64| is_greater(&sample(&[5.0, 5.0]), &sample(&[4.0, 4.0]), by);
        assert_eq!((one(0.5), one(2.0)), (0.0, 1.0));
    }

    proptest! {
        #[test]
        fn more_failures_are_never_more_probable(calls in 1_u64..60, other in 1_u64..60, failed in 0_u64..60) {
            let failed = failed.min(other);
            let p: Vec<f64> = (0..=calls).map(|failures| fails_more((failures, calls), (failed, other))).collect();
            prop_assert!(p.iter().all(|p| (0.0..=1.0).contains(p)));
            prop_assert!(p.windows(2).all(|pair| pair[1] <= pair[0] + 1e-9));
            prop_assert!((p[0] - 1.0).abs() < 1e-9, "at least none is certain: {}", p[0]);
        }
    }
}
