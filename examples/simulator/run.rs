//! A policy through many worlds, and what came of it.

use std::error::Error;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use indicatif::ProgressBar;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::Serialize;
use xynergy::allocation::Millionths;

use crate::policy::Policy;
use crate::world::{BUDGET_MINOR, Setting, World};
use crate::xynergy_policy::Seen;

/// What a policy's spend is expected to bring each day, and the oracle's.
#[derive(Clone, Debug)]
pub(crate) struct Days(Vec<(f64, f64)>);

impl Days {
    /// In dollars.
    pub(crate) fn regret(&self) -> f64 {
        self.0.iter().map(|(own, best)| (best - own) / 100.0).sum()
    }

    pub(crate) fn part_of_oracle(&self) -> f64 {
        let (own, best) = self.0.iter().fold((0.0, 0.0), |sum, day| (sum.0 + day.0, sum.1 + day.1));
        own / best
    }
}

/// The mean regret up to each day, in dollars.
pub(crate) fn mean_regret(runs: &[Days]) -> Vec<f64> {
    let mut regret = vec![0.0; runs.first().map_or(0, |run| run.0.len())];
    for run in runs {
        let mut so_far = 0.0;
        for (sum, (own, best)) in regret.iter_mut().zip(&run.0) {
            so_far += (best - own) / 100.0;
            *sum += so_far / runs.len() as f64;
        }
    }
    regret
}

/// A mean with its 95 % interval, by the normal distribution.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Estimate {
    pub(crate) mean: f64,
    pub(crate) lower: f64,
    pub(crate) upper: f64,
}

impl Estimate {
    pub(crate) fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0).max(1.0);
        let half = 1.96 * (variance / n).sqrt();
        Self { mean, lower: mean - half, upper: mean + half }
    }

    pub(crate) fn in_dollars(self) -> String {
        format!("{:.0}  [{:.0}, {:.0}]", self.mean, self.lower, self.upper)
    }
}

/// One run for each seed, in their order, on every core.
pub(crate) fn simulate(
    policy: Policy,
    setting: Setting,
    seeds: &[u64],
    progress: &ProgressBar,
) -> Result<Vec<Days>, Box<dyn Error>> {
    let next = AtomicUsize::new(0);
    let runs: Mutex<Vec<Option<Result<Days, String>>>> = Mutex::new(vec![None; seeds.len()]);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(&seed) = seeds.get(index) else { return };
                    let run = one(policy, setting, seed).map_err(|error| error.to_string());
                    if let Ok(mut runs) = runs.lock() {
                        runs[index] = Some(run);
                    }
                    progress.inc(1);
                }
            });
        }
    });
    let runs = runs.into_inner().map_err(|_| "a world ended early")?;
    runs.into_iter()
        .map(|run| run.unwrap_or_else(|| Err("a world ended early".to_owned())).map_err(Into::into))
        .collect()
}

fn one(policy: Policy, setting: Setting, seed: u64) -> Result<Days, Box<dyn Error>> {
    let mut world = World::new(setting, seed);
    let mut random = ChaCha12Rng::seed_from_u64(seed ^ 0x5eed);
    let step = (policy == Policy::Xynergy).then_some(Millionths::ONE);
    let mut seen = Seen::new(seed, step);
    let mut days = Vec::with_capacity(setting.days);
    for _ in 0..setting.days {
        let budgets = match policy {
            Policy::Xynergy | Policy::XynergySteps => seen.budgets(&world)?,
            simple => whole(&simple.shares(&world, &mut random)),
        };
        let returns = world.returns();
        let own: f64 = budgets.iter().zip(&returns).map(|(&budget, each)| budget as f64 * each).sum();
        let best = returns.iter().copied().fold(0.0, f64::max) * BUDGET_MINOR as f64;
        days.push((own, best));
        world.spend(&budgets);
    }
    Ok(Days(days))
}

/// Shares as minor units that sum to the budget.
fn whole(shares: &[f64]) -> Vec<i64> {
    let mut budgets: Vec<i64> = shares.iter().map(|share| (share * BUDGET_MINOR as f64) as i64).collect();
    let rest = BUDGET_MINOR - budgets.iter().sum::<i64>();
    if let Some(first) = budgets.first_mut() {
        *first += rest;
    }
    budgets
}
