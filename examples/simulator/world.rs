//! The world that budgets are spent in: what each ad really is, and what a day of spending it brings.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Beta, Binomial, Distribution, Gamma, LogNormal, Normal, Poisson, Uniform};

/// What a world is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// Ads, each alone in its ad set.
    pub(crate) ads: usize,
    /// Days.
    pub(crate) days: usize,
    /// The median time from a lead to its close, in days.
    pub(crate) delay: f64,
    /// The standard deviation of a day's step of the logarithm of each ad's rates: 0 is no drift.
    pub(crate) drift: f64,
    /// The part of deals that is credited to an ad at random, and the standard deviation of the logarithm of a ticket.
    pub(crate) noise: f64,
}

/// The daily budget of the account, in minor units.
pub(crate) const BUDGET_MINOR: i64 = 100_000;
/// What a closed deal is worth on average, in minor units.
const TICKET_MINOR: f64 = 500_000.0;
/// Impressions for a minor unit: ten dollars a thousand.
const IMPRESSIONS_PER_MINOR: f64 = 1.0;
/// A gamma distribution of this shape has its median at 1.678 times its scale.
const DELAY_SHAPE: f64 = 2.0;
const MEDIAN_OF_SHAPE: f64 = 1.678;

/// A deal as its seller sees it: what is not yet closed may never be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deal {
    /// The ad that attribution credits: with noise, not always the one that brought it.
    pub(crate) credited: usize,
    /// The probability that the credit is right, as matching tells it.
    pub(crate) probability: f64,
    /// The day on which it became a lead.
    pub(crate) day: usize,
    /// When it closes, in days from the start; never when `None`.
    pub(crate) closes: Option<f64>,
    /// What it brings when it closes, in minor units.
    pub(crate) ticket_minor: i64,
}

/// What one ad did on one day.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AdDay {
    pub(crate) impressions: u64,
    pub(crate) clicks: u64,
    pub(crate) spend_minor: i64,
}

/// A world on its way: what is true, and what has been seen of it.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) setting: Setting,
    /// One row a day that is over, one column an ad.
    pub(crate) days: Vec<Vec<AdDay>>,
    /// In the order in which they became leads.
    pub(crate) deals: Vec<Deal>,
    click_through: Vec<f64>,
    leads_per_click: Vec<f64>,
    closes_per_lead: Vec<f64>,
    random: ChaCha12Rng,
}

impl World {
    /// The world of a seed. Every policy meets the same ads; what then happens depends on what it spends.
    pub(crate) fn new(setting: Setting, seed: u64) -> Self {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let many = |random: &mut ChaCha12Rng, mut one: Box<dyn FnMut(&mut ChaCha12Rng) -> f64>| {
            (0..setting.ads).map(|_| one(random)).collect::<Vec<f64>>()
        };
        let uniform = |low: f64, high: f64| {
            let range = Uniform::new(low, high).expect("a range");
            Box::new(move |random: &mut ChaCha12Rng| range.sample(random))
        };
        let closing = Beta::new(2.0, 18.0).expect("positive parameters");
        Self {
            setting,
            days: Vec::new(),
            deals: Vec::new(),
            click_through: many(&mut random, uniform(0.008, 0.02)),
            leads_per_click: many(&mut random, uniform(0.02, 0.08)),
            closes_per_lead: many(
                &mut random,
                Box::new(move |random| f64::clamp(closing.sample(random), 0.01, 0.5)),
            ),
            random,
        }
    }

    /// What a minor unit on each ad is expected to bring today, in minor units.
    pub(crate) fn returns(&self) -> Vec<f64> {
        (0..self.setting.ads)
            .map(|ad| {
                IMPRESSIONS_PER_MINOR
                    * self.click_through[ad]
                    * self.leads_per_click[ad]
                    * self.closes_per_lead[ad]
                    * TICKET_MINOR
            })
            .collect()
    }

    /// Spends a day's budget and notes what can be seen of it.
    pub(crate) fn spend(&mut self, spend_minor: &[i64]) {
        let day = self.days.len();
        let mut row = Vec::with_capacity(self.setting.ads);
        for (ad, &spend_minor) in spend_minor.iter().enumerate() {
            let impressions = self.poisson(spend_minor as f64 * IMPRESSIONS_PER_MINOR);
            let clicks = self.binomial(impressions, self.click_through[ad]);
            let leads = self.binomial(clicks, self.leads_per_click[ad]);
            for _ in 0..leads {
                let deal = self.deal(ad, day);
                self.deals.push(deal);
            }
            row.push(AdDay { impressions, clicks, spend_minor });
        }
        self.days.push(row);
        if self.setting.drift > 0.0 {
            let step = Normal::new(0.0, self.setting.drift).expect("a standard deviation");
            for ad in 0..self.setting.ads {
                let factor = |random: &mut ChaCha12Rng| step.sample(random).exp();
                self.click_through[ad] =
                    (self.click_through[ad] * factor(&mut self.random)).clamp(0.002, 0.08);
                self.closes_per_lead[ad] =
                    (self.closes_per_lead[ad] * factor(&mut self.random)).clamp(0.01, 0.5);
            }
        }
    }

    fn deal(&mut self, ad: usize, day: usize) -> Deal {
        let noise = self.setting.noise;
        let fair = Uniform::new(0.0, 1.0).expect("a range");
        let closes = (fair.sample(&mut self.random) < self.closes_per_lead[ad]).then(|| {
            let scale = self.setting.delay / MEDIAN_OF_SHAPE;
            day as f64
                + 1.0
                + Gamma::new(DELAY_SHAPE, scale).expect("positive parameters").sample(&mut self.random)
        });
        let credited = if fair.sample(&mut self.random) < noise {
            (fair.sample(&mut self.random) * self.setting.ads as f64) as usize
        } else {
            ad
        };
        // The mean stays what it is without noise.
        let ticket = LogNormal::new(TICKET_MINOR.ln() - noise * noise / 2.0, noise).expect("a deviation");
        Deal {
            credited,
            probability: 1.0 - noise * (1.0 - 1.0 / self.setting.ads as f64),
            day,
            closes,
            ticket_minor: ticket.sample(&mut self.random) as i64,
        }
    }

    fn poisson(&mut self, mean: f64) -> u64 {
        if mean <= 0.0 { 0 } else { Poisson::new(mean).expect("a mean").sample(&mut self.random) as u64 }
    }

    fn binomial(&mut self, trials: u64, probability: f64) -> u64 {
        Binomial::new(trials, probability).expect("a probability").sample(&mut self.random)
    }
}
