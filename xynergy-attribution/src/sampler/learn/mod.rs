//! From what is remembered to what is believed: a posterior of each ad.
//!
//! The return of an ad's spend is taken apart into what is known soon and what is known late, each with a prior that all ads
//! share:
//!
//! - click-through, `Beta`;
//! - leads a unit of spend, `Gamma`, with the pool's rate times the ad's click-through against the pool's as its prior mean;
//! - closes a lead, `Beta` (beta-binomial), over leads weighted by how many of their closes should have arrived;
//! - or, where only closes are reported, closes a unit of spend: Poisson over spend weighted in the same way, `Gamma` prior;
//! - what a close is worth, log-normal, its mean shrunk to the pool's.
//!
//! How strong the priors are is learned from how much the ads differ. The score blends the click-through with the return:
//! `score = click-through^(1 - w) * return^w`, and `w` follows the evidence there is of returns. All factors are independent, so that the
//! cumulants of their logarithms add: see [`Score`].

mod count;
mod delay;
mod strength;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::{Error, Result};

use self::count::{Counts, Today, closed, count, totals};
use self::delay::Delay;
use super::best::{Cumulants, Score, mean_of, quantiles};
use super::millionths::Ratio;
use super::options::SamplerOptions;
use super::posterior::Beta;
use super::request::{AdEvidence, AdPrior};
use super::state::{AdState, Day, SamplerState};
use super::summary::{ClickThrough, PosteriorSummary, ReturnOnSpend};

/// Days after which evidence is not counted any more, whatever the discount: with the usual one a millionth of it would be left
/// after 454 days. What is older may be forgotten.
pub const DAYS_THAT_COUNT: u32 = 500;
pub(super) const LARGEST_AGE: usize = DAYS_THAT_COUNT as usize;
/// Deals at which click-through and return weigh the same.
const EVEN_DEALS: f64 = 3.0;
/// What a strength is without data: ads' rates differ by about 70 %, their closing rates by about as much.
const USUAL_RATE_SHAPE: f64 = 2.0;
const USUAL_CLOSING_STRENGTH: f64 = 12.0;
/// Closes at the pool's value that an ad starts with.
const PRIOR_TICKETS: f64 = 5.0;
/// Closes a lead before any is known, as one of ten.
const PRIOR_CLOSING: (f64, f64) = (1.0, 10.0);
/// The variance of the logarithm of what a close is worth before any is known, and how many closes it counts for.
const PRIOR_SPREAD: (f64, f64) = (0.25, 4.0);

/// What is believed of the ads of a state.
#[derive(Clone, Debug)]
pub(super) struct Beliefs {
    pool: Pool,
    today: Today,
}

/// What all ads did together, and how they differ.
#[derive(Clone, Debug)]
struct Pool {
    click_through: f64,
    /// Leads a minor unit; `None` where only closes are reported.
    leads: Option<Rate>,
    /// Closes a minor unit.
    closes: Rate,
    /// Closes a lead.
    closing: f64,
    closing_strength: f64,
    log_value: f64,
    spread: f64,
    /// How much the return counts: 0 without any, towards 1 with many.
    return_weight: f64,
    discounts: Vec<f64>,
    exposures: Vec<f64>,
    median_days: f64,
}

#[derive(Clone, Copy, Debug)]
struct Rate {
    mean: f64,
    shape: f64,
}

/// What is believed of one ad.
#[derive(Clone, Debug)]
pub(super) struct Belief {
    /// What it is judged by.
    pub(super) score: Score,
    click_through: Beta,
    /// Minor units a minor unit.
    returned: Option<Score>,
}

impl Beliefs {
    /// Learns from all ads of a state, as of a day.
    pub(super) fn of(state: &SamplerState, options: &SamplerOptions, today: Day) -> Self {
        let now = Today(today);
        let discount = f64::from(options.discount.get()) / 1e6;
        let fixed = options.median_delay_days.is_some();
        let median = f64::from(options.median_delay_days.unwrap_or(options.expected_delay_days)).max(0.5);
        let delay = Delay::learn(&closed(state.ads.values(), now), median, fixed);
        let discounts: Vec<f64> =
            std::iter::successors(Some(1.0), |weight| Some(weight * discount)).take(LARGEST_AGE).collect();
        let exposures = delay.exposure(discount);
        let counts: Vec<Counts> =
            state.ads.values().map(|ad| count(ad, now, &discounts, &exposures)).collect();
        let median_days = delay.median_days;
        Self { pool: Pool::of(&counts, discounts, exposures, median_days), today: now }
    }

    /// What is believed of one ad; of one without a state, what is believed of any ad.
    pub(super) fn about(&self, ad: Option<&AdState>, prior: Option<&AdPrior>) -> Belief {
        let pool = &self.pool;
        let counts =
            ad.map_or_else(Counts::default, |ad| count(ad, self.today, &pool.discounts, &pool.exposures));
        let click_through = pool.clicks_of(&counts, prior);
        let clicks = Cumulants::beta(click_through);
        let mean = click_through.alpha / (click_through.alpha + click_through.beta);
        if pool.return_weight <= 0.0 {
            return Belief { score: Score::click(click_through), click_through, returned: None };
        }
        let (rest, elasticity) = pool.return_of(&counts, mean, prior);
        // Around its mean the rate follows the click-through by this power: fully before there is spend, and not at all in the end.
        let followed = Cumulants { mean: clicks.mean - libm::log(mean), ..clicks };
        let returned = rest.times(followed.powered(elasticity));
        let w = pool.return_weight;
        let blended = rest.powered(w).times(followed.powered(1.0 - w + w * elasticity));
        // The part of the click-through that the blend keeps, relative to the pool.
        let kept = (1.0 - w) * libm::log(mean / pool.click_through);
        Belief {
            score: Score::of(Cumulants { mean: blended.mean + kept, ..blended }),
            click_through,
            returned: Some(Score::of(returned)),
        }
    }

    /// What an ad did in all, for words.
    pub(super) fn evidence(&self, ad_id: &str, active: bool, ad: Option<&AdState>) -> AdEvidence {
        let totals = ad.map(|ad| totals(ad, self.today)).unwrap_or_default();
        AdEvidence {
            ad_id: ad_id.to_owned(),
            active,
            impressions: totals.impressions,
            clicks: totals.clicks,
            spend_minor: totals.spend_minor,
            deals: totals.deals,
            value_minor: totals.value_minor,
            prior: None,
        }
    }
}

impl Belief {
    /// Means and 90 % intervals, for people.
    pub(super) fn summary(&self) -> PosteriorSummary {
        let Beta { alpha, beta } = self.click_through;
        let [low, high] = quantiles(&Score::click(self.click_through), [0.05, 0.95]).map(Ratio::rounded);
        PosteriorSummary {
            click_through: ClickThrough { mean: Ratio::rounded(alpha / (alpha + beta)), low, high },
            returned: self.returned.as_ref().map(|score| {
                let [low, high] = quantiles(score, [0.05, 0.95]).map(Ratio::rounded);
                ReturnOnSpend { mean: Ratio::rounded(mean_of(score)), low, high }
            }),
        }
    }
}

/// What is believed of every ad of a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Posteriors {
    /// The day as of which it is believed.
    pub day: Day,
    /// How long half of the deals take from click to close, in days.
    pub median_delay_days: Ratio,
    /// By ad.
    pub ads: BTreeMap<String, PosteriorSummary>,
}

/// What is believed of every ad of a state, as of [`SamplerOptions::day`].
///
/// # Errors
/// [`InvalidInput`](xynergy_core::ErrorKind::InvalidInput) for options out of range and without a day.
pub fn posteriors(state: &SamplerState, options: &SamplerOptions) -> Result<Posteriors> {
    const OPERATION: &str = "allocation.posteriors";
    options.validate(OPERATION)?;
    let day = options
        .day
        .ok_or_else(|| Error::invalid(OPERATION, "sampler: day: is missing; give the day that it is"))?;
    let beliefs = Beliefs::of(state, options, day);
    let summary = |(ad_id, ad): (&String, &AdState)| (ad_id.clone(), beliefs.about(Some(ad), None).summary());
    Ok(Posteriors {
        day,
        median_delay_days: Ratio::rounded(beliefs.pool.median_days),
        ads: state.ads.iter().map(summary).collect(),
    })
}

impl Pool {
    fn of(counts: &[Counts], discounts: Vec<f64>, exposures: Vec<f64>, median_days: f64) -> Self {
        let sum = |field: fn(&Counts) -> f64| counts.iter().map(field).sum::<f64>();
        let (impressions, clicks) = (sum(|c| c.impressions), sum(|c| c.clicks));
        let (spend, exposure) = (sum(|c| c.spend), sum(|c| c.exposure));
        let (leads, closes) = (sum(|c| c.leads), sum(|c| c.closes));
        let mut pool = Self {
            click_through: (clicks + 1.0) / (impressions + 2.0),
            leads: None,
            closes: Rate { mean: (closes + 0.5) / exposure.max(1e-9), shape: USUAL_RATE_SHAPE },
            closing: 0.0,
            closing_strength: USUAL_CLOSING_STRENGTH,
            log_value: 0.0,
            spread: PRIOR_SPREAD.0,
            return_weight: 0.0,
            discounts,
            exposures,
            median_days,
        };
        // Without spend nothing can be said of what it brings.
        if spend < 0.5 || exposure <= 0.0 || leads <= 0.0 {
            return pool;
        }
        // Where every deal is won, only closes are reported.
        let has_leads = sum(|c| c.unfinished) > 0.0;
        pool.values(counts);
        let relative = |c: &Counts| {
            let beta = pool.clicks_of(c, None);
            beta.alpha / (beta.alpha + beta.beta) / pool.click_through
        };
        if has_leads {
            let mean = (leads + 0.5) / spend;
            let expected: Vec<_> = counts.iter().map(|c| (c.leads, c.spend * mean * relative(c))).collect();
            let lead_exposure = sum(|c| c.lead_exposure);
            let closing = ((closes + PRIOR_CLOSING.0) / (lead_exposure + PRIOR_CLOSING.1)).min(0.9);
            let parts: Vec<_> =
                counts.iter().map(|c| (c.closes, (c.lead_exposure - c.closes).max(0.0))).collect();
            pool.leads = Some(Rate { mean, shape: strength::of_rates(USUAL_RATE_SHAPE, &expected) });
            pool.closing = closing;
            pool.closing_strength = strength::of_parts(USUAL_CLOSING_STRENGTH, closing, &parts);
            pool.return_weight = leads / (leads + EVEN_DEALS);
        } else {
            let mean = pool.closes.mean;
            let expected: Vec<_> =
                counts.iter().map(|c| (c.closes, c.exposure * mean * relative(c))).collect();
            pool.closes.shape = strength::of_rates(USUAL_RATE_SHAPE, &expected);
            pool.return_weight = closes / (closes + EVEN_DEALS);
        }
        pool
    }

    /// The mean and the spread of what a close is worth.
    fn values(&mut self, counts: &[Counts]) {
        let tickets: f64 = counts.iter().map(|c| c.tickets).sum();
        if tickets <= 0.0 {
            return;
        }
        self.log_value = counts.iter().map(|c| c.log_values).sum::<f64>() / tickets;
        // Within ads: what ads differ by is not spread.
        let within: f64 = counts
            .iter()
            .filter(|c| c.tickets > 0.0)
            .map(|c| (c.log_squares - c.log_values * c.log_values / c.tickets).max(0.0))
            .sum();
        self.spread = (PRIOR_SPREAD.0 * PRIOR_SPREAD.1 + within) / (PRIOR_SPREAD.1 + tickets);
    }

    /// The posterior of an ad's click-through.
    fn clicks_of(&self, counts: &Counts, prior: Option<&AdPrior>) -> Beta {
        let prior = prior.and_then(|prior| prior.click_through).map_or_else(
            || Beta { alpha: 1.0, beta: (1.0 / self.click_through - 1.0).max(1.0) },
            |given| Beta { alpha: given.alpha, beta: given.beta },
        );
        Beta {
            alpha: prior.alpha + counts.clicks,
            beta: prior.beta + (counts.impressions - counts.clicks).max(0.0),
        }
    }

    /// The logarithm of an ad's return without what follows from the uncertainty of its click-through, and the power by which
    /// it follows that.
    fn return_of(&self, counts: &Counts, click_through: f64, prior: Option<&AdPrior>) -> (Cumulants, f64) {
        let given = prior.and_then(|prior| prior.returned).map_or(1.0, |returned| returned.factor);
        let relative = click_through / self.click_through * given;
        let (rate, events, exposure, closing) = match self.leads {
            Some(leads) => {
                let q = Beta {
                    alpha: self.closing_strength * self.closing + counts.closes,
                    beta: self.closing_strength * (1.0 - self.closing)
                        + (counts.lead_exposure - counts.closes).max(0.0),
                };
                (leads, counts.leads, counts.spend, Cumulants::beta(q))
            }
            None => (self.closes, counts.closes, counts.exposure, Cumulants::default()),
        };
        let shape =
            prior.and_then(|prior| prior.returned).map_or(rate.shape, |returned| returned.deals.max(0.01));
        let before = shape / (rate.mean * relative);
        let rate = Cumulants::gamma(shape + events, before + exposure);
        let tickets = PRIOR_TICKETS + counts.tickets;
        let mean = (PRIOR_TICKETS * self.log_value + counts.log_values) / tickets;
        let value = Cumulants::normal(mean + self.spread / 2.0, self.spread / tickets);
        (rate.times(closing).times(value), before / (before + exposure))
    }
}
