use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::{Error, Result};

use super::family::{Belief, Family};
use super::prior::{
    BetaPrior, GammaPrior, Likeness, PoolPrior, PriorFromWinners, WinnerEvidence, WinnerWithNeighbours,
};

const OPERATION: &str = "winners.learn";
/// Fewer winners tell nothing about how well neighbours predict.
const FEWEST: usize = 30;
/// How much likeness counts: similarity to this power.
const SHARPNESS: [f64; 4] = [1.0, 4.0, 16.0, 64.0];
/// How much more than the pool's prior the neighbours' may be worth.
const STRENGTH: [f64; 8] = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 64.0, 256.0];
/// Steps from not counting at all to counting alone.
const STEPS: u32 = 10;
/// By how many standard errors neighbours have to predict better than the pool before they count.
const SURELY: f64 = 2.5;

/// How well the neighbours of winners predict them, learnt from the winners themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WinnerPrior {
    /// What winners do that are left out, from what their neighbours do.
    pub click_through: LearnedWeight,
    /// The same of deals.
    pub deals: LearnedWeight,
    evidence: Vec<WinnerEvidence>,
    pool: PoolPrior,
}

/// How much neighbours count for one rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LearnedWeight {
    /// From 0 (not at all) to 1 (they alone).
    pub weight: f64,
    /// Evidence that the prior is worth: impressions, or deals.
    pub strength: f64,
    /// The power of the similarity by which a neighbour counts.
    pub sharpness: f64,
    /// By how much a winner that was left out is likelier than without neighbours: the mean difference of the logarithms.
    pub gain: f64,
    /// Its standard error.
    pub gain_error: f64,
    /// The mean rate of the winners, in proportion to which a neighbour is good or bad.
    pub mean: f64,
}

/// One winner that is predicted: its counts, and the rates of its neighbours.
struct Case {
    counts: (f64, f64),
    neighbours: Vec<(f64, f64)>,
}

#[derive(Clone, Copy, PartialEq)]
struct Setting {
    weight: f64,
    strength: f64,
    sharpness: f64,
}

impl WinnerPrior {
    /// Learns from all winners how much their neighbours say.
    ///
    /// For each rate and setting, every winner is predicted from its neighbours in proportion to the winners' mean, and the prediction is
    /// scored by the likelihood of what the winner did (empirical Bayes). Settings that are best on one half of the winners are scored on the other. Where
    /// they are not surely better than no neighbours, the weight is 0. The order of the winners decides the halves, so keep it fixed.
    ///
    /// # Errors
    /// [`InvalidInput`](xynergy_core::ErrorKind::InvalidInput) for a count that is negative or not finite, clicks above impressions,
    /// a neighbour that is none of the winners or the winner itself, and a pool that is no prior.
    pub fn learn(winners: &[WinnerWithNeighbours], pool: &PoolPrior) -> Result<Self> {
        pool.check(OPERATION)?;
        for (at, winner) in winners.iter().enumerate() {
            winner.evidence.check(OPERATION, at)?;
            for near in &winner.neighbours {
                check_likeness(near, winners.len(), at)?;
                if near.winner as usize == at {
                    let message = format!("winners[{at}].neighbours: the winner itself is no neighbour");
                    return Err(Error::invalid(OPERATION, message));
                }
            }
        }
        let learn = |family| learn(family, winners, pool);
        Ok(Self {
            click_through: learn(Family::ClickThrough),
            deals: learn(Family::Deals),
            evidence: winners.iter().map(|winner| winner.evidence).collect(),
            pool: *pool,
        })
    }

    /// The prior of a new ad whose nearest winners are `neighbours`. Where they say nothing it is the pool's, to the bit.
    ///
    /// Winners are better than other ads, so a neighbour counts in proportion to the mean of the winners: one that is half as good as
    /// they are halves the pool's rate.
    ///
    /// # Errors
    /// [`InvalidInput`](xynergy_core::ErrorKind::InvalidInput) for a neighbour that is none of the winners.
    pub fn prior(&self, neighbours: &[Likeness]) -> Result<PriorFromWinners> {
        for near in neighbours {
            check_likeness(near, self.evidence.len(), 0)?;
        }
        let mut prior = PriorFromWinners {
            click_through: self.pool.click_through,
            click_through_weight: 0.0,
            deals: self.pool.deals,
            deals_weight: 0.0,
            neighbours: u32::try_from(neighbours.len()).unwrap_or(u32::MAX),
        };
        if let Some(Belief { mean, strength }) = self.belief(Family::ClickThrough, neighbours) {
            prior.click_through = BetaPrior { alpha: mean * strength, beta: (1.0 - mean) * strength };
            prior.click_through_weight = self.click_through.weight;
        }
        if let Some(Belief { mean, strength }) = self.belief(Family::Deals, neighbours) {
            prior.deals = GammaPrior { shape: strength, rate: strength / mean };
            prior.deals_weight = self.deals.weight;
        }
        Ok(prior)
    }

    /// What the neighbours say; nothing where they do not count.
    fn belief(&self, family: Family, neighbours: &[Likeness]) -> Option<Belief> {
        let learned = match family {
            Family::ClickThrough => &self.click_through,
            Family::Deals => &self.deals,
        };
        let pool = family.pool(&self.pool);
        let winners = Belief { mean: learned.mean, strength: pool.strength };
        let rates = rates(family, neighbours, |at| &self.evidence[at], winners);
        let relative = weighted_mean(&rates, learned.sharpness)? / learned.mean;
        (learned.weight > 0.0).then(|| Belief {
            mean: family.possible(pool.mean * (1.0 + learned.weight * (relative - 1.0))),
            strength: learned.strength,
        })
    }
}

fn check_likeness(near: &Likeness, winners: usize, at: usize) -> Result<()> {
    if near.winner as usize >= winners {
        let message = format!("winners[{at}].neighbours: {} is none of the {winners} winners", near.winner);
        return Err(Error::invalid(OPERATION, message));
    }
    if !near.similarity.is_finite() {
        let message = format!("winners[{at}].neighbours: a similarity of {}", near.similarity);
        return Err(Error::invalid(OPERATION, message));
    }
    Ok(())
}

fn learn(family: Family, winners: &[WinnerWithNeighbours], pool: &PoolPrior) -> LearnedWeight {
    let pool = family.pool(pool);
    let (events, exposure) = winners
        .iter()
        .map(|winner| family.counts(&winner.evidence))
        .fold((0.0, 0.0), |(events, exposure), more| (events + more.0, exposure + more.1));
    // The mean of the ads and not of their impressions, so that a large one does not stand for all.
    let all = Belief { mean: family.possible(family.shrunk((events, exposure), pool)), ..pool };
    let seen: Vec<f64> = winners
        .iter()
        .map(|winner| family.counts(&winner.evidence))
        .filter(|counts| counts.1 > 0.0)
        .map(|counts| family.shrunk(counts, all))
        .collect();
    let mean = if seen.is_empty() { all.mean } else { seen.iter().sum::<f64>() / seen.len() as f64 };
    let mean = family.possible(mean);
    let unlearned = LearnedWeight {
        weight: 0.0,
        strength: pool.strength,
        sharpness: SHARPNESS[0],
        gain: 0.0,
        gain_error: 0.0,
        mean,
    };
    let shrink_to = Belief { mean, strength: pool.strength };
    let cases: Vec<Case> = winners
        .iter()
        .map(|winner| Case {
            counts: family.counts(&winner.evidence),
            neighbours: rates(family, &winner.neighbours, |at| &winners[at].evidence, shrink_to),
        })
        .filter(|case| case.counts.1 > 0.0 && !case.neighbours.is_empty())
        .collect();
    if cases.len() < FEWEST {
        return unlearned;
    }
    // What no neighbours can predict is that of the best prior without them: neighbours are to beat that one.
    let scores = scores(family, &cases, mean, pool.strength);
    let sum = |scores: &[f64], half: Option<usize>| -> f64 {
        let chosen = scores.iter().enumerate().filter(|(i, _)| half.is_none_or(|half| i % 2 == half));
        chosen.map(|(_, score)| score).sum()
    };
    let best = |half: Option<usize>, with: bool| {
        scores
            .iter()
            .filter(|(setting, _)| with || setting.weight <= 0.0)
            .max_by(|a, b| sum(&a.1, half).total_cmp(&sum(&b.1, half)))
    };
    let mut gains = vec![0.0; cases.len()];
    for half in [0, 1] {
        let (Some(with), Some(without)) = (best(Some(half), true), best(Some(half), false)) else {
            return unlearned;
        };
        for at in (0..cases.len()).filter(|at| at % 2 != half) {
            gains[at] = with.1[at] - without.1[at];
        }
    }
    let count = gains.len() as f64;
    let gain = gains.iter().sum::<f64>() / count;
    let variance = gains.iter().map(|g| (g - gain) * (g - gain)).sum::<f64>() / (count - 1.0);
    let gain_error = (variance / count).sqrt();
    let told = LearnedWeight { gain, gain_error, ..unlearned };
    match best(None, true) {
        Some((setting, _)) if gain > SURELY * gain_error && gain > 0.0 => LearnedWeight {
            weight: setting.weight,
            strength: setting.strength,
            sharpness: setting.sharpness,
            ..told
        },
        _ => told,
    }
}

/// The log likelihood of every case under every setting.
fn scores(family: Family, cases: &[Case], mean: f64, strength: f64) -> Vec<(Setting, Vec<f64>)> {
    let mut scored = Vec::new();
    for sharpness in SHARPNESS {
        let relative: Vec<f64> = cases
            .iter()
            .map(|case| weighted_mean(&case.neighbours, sharpness).unwrap_or(mean) / mean)
            .collect();
        for step in 0..=STEPS {
            // Without neighbours likeness does not matter.
            if step == 0 && sharpness > SHARPNESS[0] {
                continue;
            }
            let weight = f64::from(step) / f64::from(STEPS);
            for times in STRENGTH {
                let setting = Setting { weight, strength: times * strength, sharpness };
                let score = cases.iter().zip(&relative).map(|(case, relative)| {
                    let mean = family.possible(mean * (1.0 + weight * (relative - 1.0)));
                    family.log_likelihood(case.counts, Belief { mean, strength: setting.strength })
                });
                scored.push((setting, score.collect()));
            }
        }
    }
    scored
}

/// The rate of each neighbour that was tried at all, with its similarity.
fn rates<'a>(
    family: Family,
    neighbours: &[Likeness],
    evidence: impl Fn(usize) -> &'a WinnerEvidence,
    shrink_to: Belief,
) -> Vec<(f64, f64)> {
    neighbours
        .iter()
        .filter(|near| near.similarity > 0.0)
        .map(|near| (f64::from(near.similarity), family.counts(evidence(near.winner as usize))))
        .filter(|(_, counts)| counts.1 > 0.0)
        .map(|(similarity, counts)| (similarity, family.shrunk(counts, shrink_to)))
        .collect()
}

/// The mean of the rates by the power of their similarities; none without rates.
fn weighted_mean(rates: &[(f64, f64)], sharpness: f64) -> Option<f64> {
    // In proportion to the nearest, so that no power of a small number is lost.
    let nearest = rates.iter().map(|rate| rate.0).fold(0.0, f64::max);
    let (mut sum, mut weights) = (0.0, 0.0);
    for &(similarity, rate) in rates {
        let weight = libm::pow(similarity / nearest, sharpness);
        sum += weight * rate;
        weights += weight;
    }
    (weights > 0.0).then(|| sum / weights)
}
