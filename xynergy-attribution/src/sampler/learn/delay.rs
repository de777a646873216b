use std::f64::consts::LN_2;

use super::LARGEST_AGE;

/// Medians that a deal's time from click to close may have, in days.
const MEDIANS: usize = 26;
const SHORTEST_MEDIAN: f64 = 0.5;
/// From one median to the next.
const STEP: f64 = 1.25;
/// Shapes of the Gamma distribution of the time, and the medians of those distributions at scale 1.
const SHAPES: [(u32, f64); 3] = [(1, LN_2), (2, 1.678_346_990_016_660_8), (4, 3.672_060_748_850_897)];
/// How far, as a logarithm, the true median may easily be from the one that is expected: a factor of two.
const UNSURE: f64 = LN_2;

/// How much of a day's return has arrived after so many days.
#[derive(Clone, Debug)]
pub(super) struct Delay {
    /// By age in days: the part of the deals that close on just that day after the click.
    daily: Vec<f64>,
    /// The median in days, the middle of what is believed.
    pub(super) median_days: f64,
}

/// Deals that closed: how long each took, and how long it could have taken and still be seen. By whole days.
#[derive(Clone, Debug)]
pub(super) struct Closed {
    pub(super) took: Vec<f64>,
    pub(super) seen_for: Vec<f64>,
}

impl Closed {
    pub(super) fn new() -> Self {
        Self { took: vec![0.0; LARGEST_AGE], seen_for: vec![0.0; LARGEST_AGE] }
    }

    pub(super) fn add(&mut self, took: usize, seen_for: usize, weight: f64) {
        self.took[took.min(LARGEST_AGE - 1)] += weight;
        self.seen_for[seen_for.min(LARGEST_AGE - 1)] += weight;
    }
}

impl Delay {
    /// The distribution of the time from click to close, averaged over what the closed deals leave possible.
    ///
    /// Gamma distributions of three shapes and 26 medians are weighed by a log-normal prior around `expected_median` and by the
    /// likelihood of the closed deals. A deal that takes longer than it has had time is not seen yet, so that the likelihood of a
    /// time is that among the times that could have been seen (right truncation): short times are not mistaken for the rule while
    /// the account is young. With `fixed`, the expected median is taken as it is, at shape 2.
    pub(super) fn learn(closed: &Closed, expected_median: f64, fixed: bool) -> Self {
        if fixed {
            return Self { daily: daily(2, expected_median / SHAPES[1].1), median_days: expected_median };
        }
        let mut candidates = Vec::with_capacity(MEDIANS * SHAPES.len());
        let mut median = SHORTEST_MEDIAN;
        for _ in 0..MEDIANS {
            let distance = (libm::log(median) - libm::log(expected_median)) / UNSURE;
            for (shape, unit_median) in SHAPES {
                let daily = daily(shape, median / unit_median);
                let log_weight = -0.5 * distance * distance + likelihood(&daily, closed);
                candidates.push((log_weight, median, daily));
            }
            median *= STEP;
        }
        let best = candidates.iter().map(|c| c.0).fold(f64::NEG_INFINITY, f64::max);
        let mut mixed = vec![0.0; LARGEST_AGE];
        let (mut sum, mut log_median) = (0.0, 0.0);
        for (log_weight, median, daily) in candidates {
            let weight = libm::exp(log_weight - best);
            sum += weight;
            log_median += weight * libm::log(median);
            if weight > 1e-9 {
                mixed.iter_mut().zip(daily).for_each(|(all, part)| *all += weight * part);
            }
        }
        mixed.iter_mut().for_each(|part| *part /= sum);
        Self { daily: mixed, median_days: libm::exp(log_median / sum) }
    }

    /// By age of a day's spend: how many of its deals, discounted from the day each closes on, are expected by now, when all
    /// of them together would be one.
    pub(super) fn exposure(&self, discount: f64) -> Vec<f64> {
        self.daily
            .iter()
            .scan(0.0, |sum, part| {
                *sum = *sum * discount + part;
                Some(*sum)
            })
            .collect()
    }
}

/// The part of a Gamma distribution of a whole shape that lies in each day.
fn daily(shape: u32, scale: f64) -> Vec<f64> {
    let mut before = 0.0;
    (1..=LARGEST_AGE)
        .map(|age| {
            let x = age as f64 / scale;
            let (mut term, mut sum) = (1.0, 1.0);
            for n in 1..shape {
                term *= x / f64::from(n);
                sum += term;
            }
            let by_now = 1.0 - libm::exp(-x) * sum;
            let part = (by_now - before).max(0.0);
            before = by_now;
            part
        })
        .collect()
}

fn likelihood(daily: &[f64], closed: &Closed) -> f64 {
    let mut by_now = 0.0;
    let mut sum = 0.0;
    for ((part, took), seen_for) in daily.iter().zip(&closed.took).zip(&closed.seen_for) {
        by_now += part;
        if *took > 0.0 {
            sum += took * libm::log(part.max(1e-300));
        }
        if *seen_for > 0.0 {
            sum -= seen_for * libm::log(by_now.max(1e-300));
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed_after(median: f64, days: usize, a_day: f64) -> Closed {
        let daily = daily(2, median / SHAPES[1].1);
        let mut closed = Closed::new();
        for clicked in 0..days {
            for (took, part) in daily.iter().enumerate().take(days - clicked) {
                closed.add(took, days - clicked - 1, a_day * part);
            }
        }
        closed
    }

    #[test]
    fn without_deals_it_is_what_is_expected() {
        let delay = Delay::learn(&Closed::new(), 21.0, false);
        assert!((delay.median_days / 21.0 - 1.0).abs() < 0.1, "{}", delay.median_days);
        let fixed = Delay::learn(&closed_after(5.0, 90, 10.0), 21.0, true);
        assert!((fixed.daily[..21].iter().sum::<f64>() - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_young_account_does_not_take_the_short_for_the_rule() {
        for median in [7.0, 45.0] {
            let delay = Delay::learn(&closed_after(median, 40, 12.0), 21.0, false);
            assert!((delay.median_days / median).abs() > 0.7, "{median}: {}", delay.median_days);
            assert!((delay.median_days / median).abs() < 1.4, "{median}: {}", delay.median_days);
        }
    }

    #[test]
    fn exposure_is_the_distribution_function_without_a_discount() {
        let delay = Delay::learn(&Closed::new(), 10.0, true);
        let exposure = delay.exposure(1.0);
        assert!((exposure[9] - 0.5).abs() < 1e-9 && exposure[LARGEST_AGE - 1] > 0.999_999);
        assert!(delay.exposure(0.97)[60] < exposure[60]);
    }
}
