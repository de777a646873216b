//! How long models took, and the order of those that were the fastest: an average that forgets (EWMA), and the better of two that
//! are drawn (power of two choices), so that not every request runs to the same model at once.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::ModelChoice;
use crate::env::Timestamp;

/// The share of a new measurement in the average, as 1 of so many.
const NEW: f64 = 8.0;
/// A failed attempt counts as one of so many times the average, and at least of [`FAILED_MS`].
const FAILED: f64 = 3.0;
const FAILED_MS: f64 = 1_000.0;
/// A model that was not asked for so long is unknown again: what made it slow may be over.
const STALE: Duration = Duration::from_secs(60);
/// In one decision of so many those that are not known are tried.
const EXPLORE: u64 = 10;
/// How many models are kept; a caller may name as many as it likes.
const MODELS: usize = 1_024;

/// How long the models took of late, until their answer or the first piece of a stream. All tenants' calls together, of this
/// process.
#[derive(Debug, Default)]
pub(super) struct Latencies(Mutex<BTreeMap<ModelChoice, Average>>);

#[derive(Clone, Copy, Debug)]
struct Average {
    ms: f64,
    at: Timestamp,
}

impl Latencies {
    /// Learns from one attempt.
    pub(super) fn observe(&self, model: &ModelChoice, took_ms: u64, failed: bool, now: Timestamp) {
        #[allow(clippy::cast_precision_loss)] // An average.
        let took = took_ms as f64;
        let mut models = self.models();
        if let Some(average) = models.get_mut(model) {
            let sample = if failed { took.max(average.ms * FAILED).max(FAILED_MS) } else { took };
            // After a long silence what is new says more than what was.
            let kept = if now.since(average.at) > STALE { 0.0 } else { 1.0 - 1.0 / NEW };
            *average = Average { ms: average.ms * kept + sample * (1.0 - kept), at: now };
        } else if models.len() < MODELS {
            let ms = if failed { took.max(FAILED_MS) } else { took };
            models.insert(model.clone(), Average { ms, at: now });
        }
    }

    /// The averages of these models in milliseconds; `None` for those that are not known, or not any more.
    pub(super) fn of<'a>(
        &self,
        asked: impl Iterator<Item = &'a ModelChoice>,
        now: Timestamp,
    ) -> Vec<Option<f64>> {
        let models = self.models();
        let known = |model| models.get(model).filter(|average: &&Average| now.since(average.at) <= STALE);
        asked.map(|model| known(model).map(|average| average.ms)).collect()
    }

    fn models(&self) -> MutexGuard<'_, BTreeMap<ModelChoice, Average>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Draws two of the models and puts the faster one first; the rest follow, the fastest first. Those that are not known count as
/// the fastest in one decision of [`EXPLORE`], so that they become known, and else as the slowest, so that not every request runs to
/// one that nobody knows. Beside it the probability of the first.
///
/// `draw` gives a whole number below the one that it is asked for, each as likely as the other.
#[allow(clippy::cast_precision_loss)] // Probabilities.
pub(super) fn order(averages: &[Option<f64>], mut draw: impl FnMut(u64) -> u64) -> (Vec<usize>, f64) {
    let count = averages.len() as u64;
    if count < 2 {
        return ((0..averages.len()).collect(), 1.0);
    }
    let explores = draw(EXPLORE) == 0;
    let mut order = ranking(averages, explores);
    let one = draw(count);
    let other = draw(count - 1);
    let other = if other >= one { other + 1 } else { other };
    // Of two places of the ranking the smaller is the faster.
    let rank = usize::try_from(one.min(other)).unwrap_or(0);
    let first = order.remove(rank);
    order.insert(0, first);
    let otherwise = ranking(averages, !explores).iter().position(|place| *place == first).unwrap_or(rank);
    let (when_explored, else_) = if explores { (rank, otherwise) } else { (otherwise, rank) };
    let propensity = (probability(when_explored, count) + probability(else_, count) * (EXPLORE - 1) as f64)
        / EXPLORE as f64;
    (order, propensity)
}

/// From the fastest to the slowest; of equal ones the earlier first. Those that are not known first or last.
fn ranking(averages: &[Option<f64>], unknown_first: bool) -> Vec<usize> {
    let unknown = if unknown_first { -1.0 } else { f64::INFINITY };
    let of = |place: &usize| averages[*place].unwrap_or(unknown);
    let mut ranking: Vec<usize> = (0..averages.len()).collect();
    ranking.sort_by(|a, b| of(a).total_cmp(&of(b)).then(a.cmp(b)));
    ranking
}

/// That the model of this rank is the faster one of two different ones of `count`: all pairs with a slower one, of all pairs.
#[allow(clippy::cast_precision_loss)] // A probability.
fn probability(rank: usize, count: u64) -> f64 {
    let slower = count - 1 - rank as u64;
    2.0 * slower as f64 / (count * (count - 1)) as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::env::{Entropy, SeededEntropy};
    use crate::route::weighted::below;

    fn model(name: &str) -> ModelChoice {
        ModelChoice { provider: name.into(), model: "m".into() }
    }

    fn average(latencies: &Latencies, name: &str, now: Timestamp) -> Option<f64> {
        latencies.of(std::iter::once(&model(name)), now)[0]
    }

    #[test]
    fn the_average_follows_forgets_and_counts_failures() {
        let latencies = Latencies::default();
        let now = Timestamp::from_millis(1_000);
        assert_eq!(average(&latencies, "a", now), None);
        latencies.observe(&model("a"), 100, false, now);
        latencies.observe(&model("a"), 180, false, now);
        assert_eq!(average(&latencies, "a", now), Some(110.0));
        // A fast failure is no fast answer.
        latencies.observe(&model("a"), 1, true, now);
        assert_eq!(average(&latencies, "a", now), Some(110.0 * 0.875 + 125.0));
        let later = now.plus(STALE + Duration::from_millis(1));
        assert_eq!(average(&latencies, "a", later), None);
        latencies.observe(&model("a"), 40, false, later);
        assert_eq!(average(&latencies, "a", later), Some(40.0));
    }

    #[test]
    fn memory_is_bounded() {
        let latencies = Latencies::default();
        for n in 0..2 * MODELS {
            latencies.observe(&model(&n.to_string()), 1, false, Timestamp::default());
        }
        assert_eq!(latencies.models().len(), MODELS);
    }

    #[test]
    fn the_slowest_is_never_first_and_unknown_ones_are_tried() {
        let entropy = SeededEntropy::new(4);
        let mut firsts = [0_u32; 3];
        let mut told = [0.0; 3];
        for _ in 0..6_000 {
            let (order, propensity) = order(&[Some(90.0), Some(10.0), None], |bound| below(&entropy, bound));
            firsts[order[0]] += 1;
            told[order[0]] = propensity;
        }
        // Of three the fastest is first for 2 of 3 pairs, the next for 1: for 9 of 10 decisions by one ranking, else by the other.
        for (place, expected) in
            [0.9 / 3.0, 0.9 * 2.0 / 3.0 + 0.1 / 3.0, 0.1 * 2.0 / 3.0].into_iter().enumerate()
        {
            assert!((told[place] - expected).abs() < 1e-9, "{told:?}");
            // Five standard deviations.
            let off = f64::from(firsts[place]) - 6_000.0 * expected;
            assert!(off.abs() < 5.0 * (6_000.0 * expected * (1.0 - expected)).sqrt(), "{firsts:?}");
        }
        for _ in 0..100 {
            let (order, propensity) = super::order(&[Some(9.0), Some(8.0)], |bound| below(&entropy, bound));
            assert_eq!((order, propensity), (vec![1, 0], 1.0), "the faster of two that are known");
        }
    }

    proptest! {
        #[test]
        fn each_once_the_rest_by_rank_and_the_probabilities_add_up(
            averages in proptest::collection::vec(proptest::option::of(0.0_f64..1e6), 1..7),
            seed: u64,
        ) {
            let entropy = SeededEntropy::new(seed);
            let (order, propensity) = order(&averages, |bound| below(&entropy, bound));
            prop_assert!(propensity > 0.0 && propensity <= 1.0 + 1e-9);
            let known: Vec<f64> = order[1..].iter().filter_map(|place| averages[*place]).collect();
            prop_assert!(known.windows(2).all(|pair| pair[0] <= pair[1]));
            let mut sorted = order;
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (0..averages.len()).collect::<Vec<_>>());
            let count = averages.len() as u64;
            if count > 1 {
                let all: f64 = (0..averages.len()).map(|rank| probability(rank, count)).sum();
                prop_assert!((all - 1.0).abs() < 1e-9);
            }
        }
    }

    /// A model that slows down the more it is asked at once, and is now and then a hundred times slower or fails.
    struct Server {
        base_ms: f64,
        outage: std::ops::Range<usize>,
    }

    /// The mean latency of 4,000 requests, each of which asks the first model and after a failure the next.
    fn simulated(seed: u64, servers: &[Server], by_latency: bool) -> f64 {
        let entropy = SeededEntropy::new(seed);
        let latencies = Latencies::default();
        let names: Vec<ModelChoice> = (0..servers.len()).map(|n| model(&n.to_string())).collect();
        let mut load = vec![0.0_f64; servers.len()];
        let mut now = Timestamp::default();
        let mut whole = 0.0;
        let requests = 4_000;
        for request in 0..requests {
            now = now.plus(Duration::from_millis(100));
            let places = if by_latency {
                order(&latencies.of(names.iter(), now), |bound| below(&entropy, bound)).0
            } else {
                super::super::weighted::order(&vec![1; servers.len()], |bound| below(&entropy, bound)).0
            };
            for place in places {
                let server = &servers[place];
                for other in &mut load {
                    *other *= 0.95;
                }
                load[place] += 1.0;
                #[allow(clippy::cast_precision_loss)]
                let noise = 0.5 + entropy.next_u64() as f64 / u64::MAX as f64;
                let failed = server.outage.contains(&request);
                let took = if failed { 30.0 } else { server.base_ms * noise * (1.0 + load[place] / 20.0) };
                whole += took;
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                latencies.observe(&names[place], took as u64, failed, now);
                if !failed {
                    break;
                }
            }
        }
        whole / f64::from(u32::try_from(requests).unwrap())
    }

    #[test]
    fn it_is_faster_than_chance_on_every_seed() {
        for seed in 0..20 {
            let servers = || {
                [(120.0, 0..0), (200.0, 0..0), (90.0, 1_000..2_000), (600.0, 0..0)]
                    .map(|(base_ms, outage)| Server { base_ms, outage })
            };
            let (by_latency, by_chance) =
                (simulated(seed, &servers(), true), simulated(seed, &servers(), false));
            assert!(by_latency < 0.75 * by_chance, "seed {seed}: {by_latency} against {by_chance}");
        }
    }
}
