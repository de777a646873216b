use libm::lgamma;

use super::prior::{BetaPrior, GammaPrior, PoolPrior, WinnerEvidence};

/// A prior by its mean and by how much evidence it is worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Belief {
    pub(super) mean: f64,
    /// Impressions of a Beta, events of a Gamma.
    pub(super) strength: f64,
}

/// Which of the two rates of an ad is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// Clicks an impression: Beta.
    ClickThrough,
    /// Deals a unit of exposure: Gamma.
    Deals,
}

impl Family {
    /// Events and what they are counted by.
    pub(super) fn counts(self, of: &WinnerEvidence) -> (f64, f64) {
        match self {
            Self::ClickThrough => (of.clicks, of.impressions),
            Self::Deals => (of.deals, of.exposure),
        }
    }

    pub(super) fn pool(self, pool: &PoolPrior) -> Belief {
        match self {
            Self::ClickThrough => {
                let BetaPrior { alpha, beta } = pool.click_through;
                Belief { mean: alpha / (alpha + beta), strength: alpha + beta }
            }
            Self::Deals => {
                let GammaPrior { shape, rate } = pool.deals;
                Belief { mean: shape / rate, strength: shape }
            }
        }
    }

    /// The rate that the counts show, shrunk to the belief.
    pub(super) fn shrunk(self, (events, exposure): (f64, f64), to: Belief) -> f64 {
        match self {
            Self::ClickThrough => (events + to.mean * to.strength) / (exposure + to.strength),
            Self::Deals => (events + to.strength) / (exposure + to.strength / to.mean),
        }
    }

    /// A mean that the family can have.
    pub(super) fn possible(self, mean: f64) -> f64 {
        match self {
            Self::ClickThrough => mean.clamp(1e-9, 1.0 - 1e-9),
            Self::Deals => mean.clamp(1e-100, 1e100),
        }
    }

    /// The logarithm of how likely the counts are under the belief, but for what does not depend on it: Beta-binomial, and
    /// Gamma-Poisson.
    pub(super) fn log_likelihood(self, (events, exposure): (f64, f64), under: Belief) -> f64 {
        let Belief { mean, strength } = under;
        match self {
            Self::ClickThrough => {
                let (alpha, beta) = (mean * strength, (1.0 - mean) * strength);
                let ln_beta = |a: f64, b: f64| lgamma(a) + lgamma(b) - lgamma(a + b);
                ln_beta(alpha + events, beta + exposure - events) - ln_beta(alpha, beta)
            }
            Self::Deals => {
                let rate = strength / mean;
                lgamma(strength + events) - lgamma(strength) + strength * libm::log(rate)
                    - (strength + events) * libm::log(rate + exposure)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn likelihoods_are_those_of_the_textbooks() {
        // A uniform prior makes every number of clicks equally likely: 1 / (n + 1), over the binomial coefficient.
        let uniform = Belief { mean: 0.5, strength: 2.0 };
        let found = Family::ClickThrough.log_likelihood((3.0, 10.0), uniform);
        assert!((found - (1.0_f64 / 11.0 / 120.0).ln()).abs() < 1e-12, "{found}");
        // Gamma(1, 1) and exposure 1 make the number of deals geometric with 1/2: P(2) = 1/8 = density / 2!.
        let unit = Belief { mean: 1.0, strength: 1.0 };
        let found = Family::Deals.log_likelihood((2.0, 1.0), unit);
        assert!((found - (0.125_f64 * 2.0).ln()).abs() < 1e-12, "{found}");
    }
}
