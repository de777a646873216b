//! How much ads differ, learned from all of them: the strength of the priors that each starts from (empirical Bayes).

/// The strengths that are weighed, each this much greater than the one before.
const STEP: f64 = std::f64::consts::SQRT_2;
const CANDIDATES: usize = 15;

/// Of rates: the shape of the Gamma distribution that the ads' rates come from, given each ad's `(events, expected events)`.
///
/// The marginal likelihood of the counts is negative binomial; a log-normal prior around `usual`, a factor of e wide, keeps a few
/// ads from deciding it.
pub(super) fn of_rates(usual: f64, ads: &[(f64, f64)]) -> f64 {
    weighed(usual, |shape| {
        let alone = libm::lgamma(shape) - shape * libm::log(shape);
        ads.iter()
            .map(|&(events, expected)| {
                libm::lgamma(shape + events) - alone - (shape + events) * libm::log(shape + expected)
            })
            .sum()
    })
}

/// Of parts: the sum of the parameters of the Beta distribution with this mean that the ads' parts come from, given each ad's
/// `(hits, misses)`. The marginal likelihood is beta-binomial.
pub(super) fn of_parts(usual: f64, mean: f64, ads: &[(f64, f64)]) -> f64 {
    weighed(usual, |strength| {
        let (a, b) = (mean * strength, (1.0 - mean) * strength);
        let alone = log_beta(a, b);
        ads.iter().map(|&(hits, misses)| log_beta(a + hits, b + misses) - alone).sum()
    })
}

fn log_beta(a: f64, b: f64) -> f64 {
    libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b)
}

/// The geometric mean of the strengths around the usual one, weighed by prior and likelihood.
fn weighed(usual: f64, log_likelihood: impl Fn(f64) -> f64) -> f64 {
    let middle = (CANDIDATES / 2) as f64;
    let candidates: Vec<(f64, f64)> = (0..CANDIDATES)
        .map(|n| {
            let distance = (n as f64 - middle) * libm::log(STEP);
            (distance, log_likelihood(usual * libm::exp(distance)) - 0.5 * distance * distance)
        })
        .collect();
    let best = candidates.iter().map(|c| c.1).fold(f64::NEG_INFINITY, f64::max);
    let (sum, weighted) = candidates.iter().fold((0.0, 0.0), |(sum, weighted), (distance, log_weight)| {
        let weight = libm::exp(log_weight - best);
        (sum + weight, weighted + weight * distance)
    });
    usual * libm::exp(weighted / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ads_that_differ_share_less() {
        let alike: Vec<_> = (0..20).map(|n| (50.0 + f64::from(n % 3), 50.0)).collect();
        let apart: Vec<_> = (0..20).map(|n| (5.0 + 10.0 * f64::from(n % 10), 50.0)).collect();
        let (alike, apart) = (of_rates(2.0, &alike), of_rates(2.0, &apart));
        assert!(alike > 10.0 && apart < 4.0, "{alike} {apart}");
        assert!((of_rates(2.0, &[]) - 2.0).abs() < 1e-9);
        let alike: Vec<_> = (0..20).map(|_| (10.0, 90.0)).collect();
        let apart: Vec<_> = (0..20).map(|n| (2.0 * f64::from(n % 10) + 1.0, 90.0)).collect();
        let (alike, apart) = (of_parts(10.0, 0.1, &alike), of_parts(10.0, 0.1, &apart));
        assert!(alike > 40.0 && apart < alike / 2.0, "{alike} {apart}");
    }
}
