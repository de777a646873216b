//! Ways to divide a budget by what has been seen.

use rand_chacha::ChaCha12Rng;
use rand_distr::{Beta, Distribution, Gamma};

use crate::world::World;

/// How often the simple policies draw.
const DRAWS: usize = 400;
/// What every ad keeps of the budget, so that no ad stops teaching.
const FLOOR: f64 = 0.02;

/// A policy and how it is called in the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// The same for every ad.
    Uniform,
    /// Thompson sampling of click-through alone.
    ClickOnly,
    /// Thompson sampling of closes for spend, to which each open lead is a failure.
    Naive,
    /// From click-through to closes in four weeks, by the calendar: the plain blend that this library began with.
    PlainBlend,
    /// `allocation.select` of this library, each budget changed by at most all of itself a day.
    Xynergy,
    /// The same with steps of a fifth a day, as the guards of safe execution admit.
    XynergySteps,
}

impl Policy {
    pub(crate) const ALL: [Self; 6] =
        [Self::Uniform, Self::ClickOnly, Self::Naive, Self::PlainBlend, Self::XynergySteps, Self::Xynergy];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::ClickOnly => "click-through only",
            Self::Naive => "naive Thompson",
            Self::PlainBlend => "plain blend",
            Self::XynergySteps => "xynergy, 20 % steps",
            Self::Xynergy => "xynergy",
        }
    }

    /// The parts of the next day's budget, by the simple rules; they sum to one.
    pub(crate) fn shares(self, world: &World, random: &mut ChaCha12Rng) -> Vec<f64> {
        let ads = world.setting.ads;
        let today = world.days.len();
        let equal = vec![1.0 / ads as f64; ads];
        if today == 0 || self == Self::Uniform {
            return equal;
        }
        let mut clicks = vec![(0.0, 0.0); ads];
        let mut spend = vec![0.0; ads];
        for row in &world.days {
            for (ad, seen) in row.iter().enumerate() {
                clicks[ad].0 += seen.clicks as f64;
                clicks[ad].1 += (seen.impressions - seen.clicks) as f64;
                spend[ad] += seen.spend_minor as f64 / 100.0;
            }
        }
        let mut closes = vec![0.0; ads];
        for deal in &world.deals {
            if deal.closes.is_some_and(|day| day <= today as f64) {
                closes[deal.credited] += 1.0;
            }
        }
        let by_clicks = |random: &mut ChaCha12Rng| -> Vec<f64> {
            let draw = |&(hits, misses): &(f64, f64)| {
                Beta::new(1.0 + hits, 1.0 + misses).expect("positive parameters")
            };
            clicks.iter().map(|ad| draw(ad).sample(random)).collect()
        };
        let by_closes = |random: &mut ChaCha12Rng| -> Vec<f64> {
            closes
                .iter()
                .zip(&spend)
                .map(|(closes, spend)| {
                    Gamma::new(0.5 + closes, 1.0 / (50.0 + spend)).expect("positive").sample(random)
                })
                .collect()
        };
        let late = (today as f64 / 28.0).min(1.0);
        let draws: Vec<(Vec<f64>, Vec<f64>)> =
            (0..DRAWS).map(|_| (by_clicks(random), by_closes(random))).collect();
        let mean = |of: &dyn Fn(&(Vec<f64>, Vec<f64>)) -> f64| draws.iter().map(of).sum::<f64>();
        let (all_clicks, all_closes) = (mean(&|draw| draw.0.iter().sum()), mean(&|draw| draw.1.iter().sum()));
        let mut best = vec![0.0; ads];
        for (by_clicks, by_closes) in &draws {
            let score = |ad: usize| match self {
                Self::ClickOnly => by_clicks[ad],
                Self::Naive => by_closes[ad],
                _ => (1.0 - late) * by_clicks[ad] / all_clicks + late * by_closes[ad] / all_closes,
            };
            let first = (0..ads).max_by(|&a, &b| score(a).total_cmp(&score(b))).unwrap_or(0);
            best[first] += 1.0 / DRAWS as f64;
        }
        best.iter().map(|p| FLOOR + (1.0 - FLOOR * ads as f64) * p).collect()
    }
}
