use std::sync::OnceLock;
use std::time::Duration;

use histogram::AtomicHistogram;
use prometheus::{Histogram, HistogramVec, IntCounter};

/// The quantiles that the text gives by itself.
pub(super) const QUANTILES: [(f64, &str); 3] = [(0.5, "0.5"), (0.95, "0.95"), (0.99, "0.99")];

/// The calls that are told apart. Another one that comes to be is counted as `other`.
pub(super) const OPERATIONS: [&str; 5] = ["ai.chat", "ai.embed", "ai.generate", "ai.stream", "other"];

/// A value is known to 2^-5, about 3 %; a sketch of 9 KiB reaches to 2^40 - 1, as nanoseconds 18 minutes.
const GROUPING: u8 = 5;
const POWER: u8 = 40;

/// Quantiles of whatever was recorded. Recording is one atomic addition.
#[derive(Debug)]
pub(super) struct Sketch(Option<AtomicHistogram>);

impl Sketch {
    pub(super) fn new() -> Self {
        Self(AtomicHistogram::new(GROUPING, POWER).ok())
    }

    /// Takes one value; what is too large counts as the largest.
    pub(super) fn record(&self, value: u128) {
        let largest = (1_u64 << POWER) - 1;
        let value = u64::try_from(value).unwrap_or(largest).min(largest);
        if let Some(sketch) = &self.0 {
            let _ = sketch.increment(value);
        }
    }

    /// The values at [`QUANTILES`], each not below the true one by more than 3 %; `None` before the first value.
    pub(super) fn quantiles(&self) -> Option<[u64; 3]> {
        let sketch = self.0.as_ref()?.load();
        let found = QUANTILES.map(|(quantile, _)| sketch.quantile(quantile).ok().flatten());
        let [Some(p50), Some(p95), Some(p99)] = found else { return None };
        let value =
            |of: histogram::QuantilesResult| of.entries().values().next().map_or(0, histogram::Bucket::end);
        Some([p50, p95, p99].map(value))
    }
}

/// How long something took: buckets for Prometheus, and a sketch, in nanoseconds, for the quantiles of this process.
#[derive(Debug)]
pub(super) struct Timing {
    buckets: Histogram,
    pub(super) sketch: Sketch,
}

impl Timing {
    pub(super) fn of(family: &HistogramVec, labels: &[&str]) -> Self {
        Self { buckets: family.with_label_values(labels), sketch: Sketch::new() }
    }

    pub(super) fn took(&self, time: Duration) {
        self.buckets.observe(time.as_secs_f64());
        self.sketch.record(time.as_nanos());
    }
}

/// What belongs to one model of a provider, found once a call.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) provider: Box<str>,
    pub(super) model: Box<str>,
    pub(super) operations: [OnceLock<Operation>; OPERATIONS.len()],
    pub(super) first_token: OnceLock<Timing>,
    pub(super) answered: IntCounter,
    pub(super) input_tokens: IntCounter,
    pub(super) output_tokens: IntCounter,
    pub(super) cost_nano_usd: IntCounter,
}

/// What belongs to one kind of call of a model.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) complete: IntCounter,
    pub(super) duration: Timing,
}

/// Where `operation` stands in [`OPERATIONS`].
pub(super) fn number(operation: &str) -> usize {
    OPERATIONS.iter().position(|known| *known == operation).unwrap_or(OPERATIONS.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_values() {
        let sketch = Sketch::new();
        assert_eq!(sketch.quantiles(), None);
        (1..=10_000_u128).for_each(|value| sketch.record(value));
        let found = sketch.quantiles().unwrap();
        for (found, exact) in found.into_iter().zip([5_000_u64, 9_500, 9_900]) {
            assert!(found >= exact && found * 100 <= exact * 104, "{found} for {exact}");
        }
        sketch.record(u128::MAX);
    }
}
