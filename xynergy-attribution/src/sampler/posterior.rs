use super::request::AdEvidence;

/// How many deals at the pool's rate an ad starts with.
const PRIOR_DEALS: f64 = 2.0;
/// How many deals at the pool's value an ad starts with.
const PRIOR_VALUED_DEALS: f64 = 5.0;
/// The deals at which click-through and return weigh the same.
const EVEN_DEALS: f64 = 3.0;

/// A Beta distribution; both parameters are at least 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Beta {
    /// Successes and the prior's.
    pub(super) alpha: f64,
    /// Failures and the prior's.
    pub(super) beta: f64,
}

/// A Gamma distribution by shape (at least 1) and rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Gamma {
    /// Events and the prior's.
    pub(super) shape: f64,
    /// Exposure and the prior's.
    pub(super) rate: f64,
}

/// What all ads of a request did together: the prior of each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pool {
    /// Clicks an impression.
    pub(super) click_through: f64,
    /// Deals a minor unit of spend.
    pub(super) deals_per_minor: f64,
    /// Minor units a deal; 0 when no deal is worth anything yet.
    pub(super) value_per_deal: f64,
}

/// What is believed of one ad.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Posterior {
    /// Click-through.
    pub(super) click_through: Beta,
    /// Deals a minor unit of spend.
    pub(super) deals_per_minor: Gamma,
    /// Minor units a deal, shrunk to the pool's.
    pub(super) value_per_deal: f64,
    /// How much the return counts beside the click-through: 0 to 1, growing with evidence.
    pub(super) return_weight: f64,
}

impl Pool {
    /// The pool of `ads`, those that do not run included. Validated ads only; their order must be fixed by the caller.
    pub(super) fn of<'a>(ads: impl IntoIterator<Item = &'a AdEvidence>) -> Self {
        let [mut impressions, mut clicks, mut spend, mut deals, mut value] = [0_i128; 5];
        for ad in ads {
            impressions += i128::from(ad.impressions);
            clicks += i128::from(ad.clicks);
            spend += i128::from(ad.spend_minor);
            deals += i128::from(ad.deals);
            value += i128::from(ad.value_minor);
        }
        Self {
            click_through: (clicks + 1) as f64 / (impressions + 2) as f64,
            deals_per_minor: (deals as f64 + 0.5) / spend.max(1) as f64,
            value_per_deal: value as f64 / deals.max(1) as f64,
        }
    }
}

impl Posterior {
    /// The posterior of `ad` within `pool`.
    ///
    /// The priors are one click, two deals and five deals' values at the pool's rates: an ad without data is drawn
    /// like an uncertain average ad, and not, as from a flat prior, like the best of all. The return's weight moves with the deals
    /// of the ad, or with those that its spend should have brought: spending without a deal is evidence too.
    pub(super) fn new(ad: &AdEvidence, pool: &Pool) -> Self {
        let deals = ad.deals as f64;
        let spend = ad.spend_minor as f64;
        let evidence = deals.max(spend * pool.deals_per_minor);
        Self {
            click_through: Beta {
                alpha: 1.0 + ad.clicks as f64,
                beta: (1.0 / pool.click_through - 1.0).max(1.0) + (ad.impressions - ad.clicks) as f64,
            },
            deals_per_minor: Gamma {
                shape: PRIOR_DEALS + deals,
                rate: PRIOR_DEALS / pool.deals_per_minor + spend,
            },
            value_per_deal: (PRIOR_VALUED_DEALS * pool.value_per_deal + ad.value_minor as f64)
                / (PRIOR_VALUED_DEALS + deals),
            // Without any value in the pool there is no return to compare.
            return_weight: if pool.value_per_deal > 0.0 { evidence / (evidence + EVEN_DEALS) } else { 0.0 },
        }
    }

    /// The blended score of one draw, 1 for an ad like the pool.
    pub(super) fn score(&self, click_through: f64, deals_per_minor: f64, pool: &Pool) -> f64 {
        let clicks = (1.0 - self.return_weight) * click_through / pool.click_through;
        if self.return_weight > 0.0 {
            let pooled = pool.deals_per_minor * pool.value_per_deal;
            clicks + self.return_weight * deals_per_minor * self.value_per_deal / pooled
        } else {
            clicks
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ad(impressions: i64, clicks: i64, spend_minor: i64, deals: i64, value_minor: i64) -> AdEvidence {
        AdEvidence {
            ad_id: "a".into(),
            active: true,
            impressions,
            clicks,
            spend_minor,
            deals,
            value_minor,
            ..AdEvidence::default()
        }
    }

    fn mean_score(posterior: &Posterior, pool: &Pool) -> f64 {
        let (b, g) = (posterior.click_through, posterior.deals_per_minor);
        posterior.score(b.alpha / (b.alpha + b.beta), g.shape / g.rate, pool)
    }

    #[test]
    fn without_any_data_the_prior_is_flat() {
        let new = ad(0, 0, 0, 0, 0);
        let pool = Pool::of([&new]);
        let posterior = Posterior::new(&new, &pool);
        assert_eq!(posterior.click_through, Beta { alpha: 1.0, beta: 1.0 });
        assert!(posterior.return_weight.abs() < f64::EPSILON);
    }

    #[test]
    fn a_new_ad_scores_like_the_pool() {
        let old = ad(100_000, 1_500, 100_000, 30, 4_500_000);
        let new = ad(0, 0, 0, 0, 0);
        let pool = Pool::of([&old, &new]);
        let score = mean_score(&Posterior::new(&new, &pool), &pool);
        assert!((score - 1.0).abs() < 0.05, "{score}");
    }

    #[test]
    fn spending_without_a_deal_is_evidence() {
        let good = ad(50_000, 500, 100_000, 40, 8_000_000);
        let clicky = ad(50_000, 2_500, 100_000, 0, 0);
        let pool = Pool::of([&good, &clicky]);
        let [good, clicky] = [&good, &clicky].map(|ad| Posterior::new(ad, &pool));
        assert!(clicky.return_weight > 0.6, "{clicky:?}");
        assert!(mean_score(&good, &pool) > mean_score(&clicky, &pool));
    }

    #[test]
    fn the_return_takes_over_as_deals_come() {
        let pool = Pool::of([&ad(100_000, 1_500, 100_000, 30, 4_500_000)]);
        let weights =
            [0, 1, 3, 100].map(|deals| Posterior::new(&ad(100, 1, 0, deals, 1), &pool).return_weight);
        assert!(weights.windows(2).all(|pair| pair[0] < pair[1]), "{weights:?}");
        assert!((weights[2] - 0.5).abs() < 1e-12);
    }

    #[test]
    fn lost_deals_lower_the_value() {
        let pool = Pool::of([&ad(100_000, 1_500, 100_000, 30, 4_500_000)]);
        let lost = Posterior::new(&ad(1_000, 15, 1_000, 10, 0), &pool);
        assert!(lost.value_per_deal < pool.value_per_deal / 2.0 && lost.value_per_deal > 0.0);
    }
}
