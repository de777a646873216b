use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::route::ModelChoice;

/// How many of the latest latencies of a model are kept.
const KEPT: usize = 128;
/// How many models are kept; a caller may name as many as it likes.
const MODELS: usize = 1_024;

/// How long the models took until their answer or first token: the latest of each.
#[derive(Debug, Default)]
pub(super) struct Latencies(Mutex<BTreeMap<ModelChoice, Ring>>);

#[derive(Debug, Default)]
struct Ring {
    micros: Vec<u64>,
    next: usize,
}

impl Latencies {
    pub(super) fn add(&self, model: &ModelChoice, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let mut rings = self.rings();
        if !rings.contains_key(model) {
            if rings.len() >= MODELS {
                return;
            }
            rings.insert(model.clone(), Ring::default());
        }
        let Some(ring) = rings.get_mut(model) else { return };
        match ring.micros.get_mut(ring.next) {
            Some(oldest) => *oldest = micros,
            None => ring.micros.push(micros),
        }
        ring.next = (ring.next + 1) % KEPT;
    }

    /// What 95 of 100 of the latest did not exceed; `None` before there are `least`.
    pub(super) fn p95(&self, model: &ModelChoice, least: u32) -> Option<Duration> {
        let mut micros = self.rings().get(model)?.micros.clone();
        if micros.len() < usize::try_from(least).unwrap_or(usize::MAX).clamp(1, KEPT) {
            return None;
        }
        // The smallest value with 95 of 100 at or below it.
        let rank = (micros.len() * 95).div_ceil(100) - 1;
        let (_, value, _) = micros.select_nth_unstable(rank);
        Some(Duration::from_micros(*value))
    }

    fn rings(&self) -> MutexGuard<'_, BTreeMap<ModelChoice, Ring>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_95th_of_the_latest_hundred_and_so(all in proptest::collection::vec(0_u64..1_000_000, 1..400)) {
            let latencies = Latencies::default();
            let model = ModelChoice { provider: "a".into(), model: "m".into() };
            for micros in &all {
                latencies.add(&model, Duration::from_micros(*micros));
            }
            let latest: Vec<u64> = all.iter().rev().take(KEPT).copied().collect();
            let p95 = latencies.p95(&model, 20);
            if latest.len() < 20 {
                prop_assert_eq!(p95, None);
            } else {
                let p95 = u64::try_from(p95.unwrap().as_micros()).unwrap();
                let below = latest.iter().filter(|&&micros| micros <= p95).count();
                prop_assert!(latest.contains(&p95) && below * 100 >= latest.len() * 95);
                let strictly = latest.iter().filter(|&&micros| micros < p95).count();
                prop_assert!(strictly * 100 < latest.len() * 95);
            }
        }
    }
}
