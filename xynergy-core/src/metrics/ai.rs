use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{
    Gauge, GaugeVec, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry,
};

use super::series::{OPERATIONS, Operation, QUANTILES, Series, Timing, number};
use crate::error::{Error, ErrorKind, Result};
use crate::health::Performance;
use crate::layers::{BreakerSnapshot, BreakerState};
use crate::provider::{Attempt, AttemptStatus, CallReport, Outcome, Usage};
use crate::route::{CanarySnapshot, CanaryState};

/// Models that have series of their own beside those that were known from the start; all others are counted as one.
const MODELS: usize = 100;
const OTHER: &str = "other";

/// From an answer out of memory to a model that thinks for minutes.
const SECONDS: [f64; 16] =
    [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 300.0];
/// The same for what the library adds: microseconds.
const OVERHEAD: [f64; 14] =
    [2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 5e-2, 0.25];

/// The models of one provider.
type Models = HashMap<Box<str>, Arc<Series>>;

/// How the AI calls of one client went, all tenants together. No label names a tenant, and there are only so many models.
#[derive(Debug)]
pub struct AiMetrics {
    registry: Registry,
    models: RwLock<HashMap<Box<str>, Models>>,
    /// How many models may still get series of their own.
    left: AtomicU64,
    ended: AtomicU64,
    failed: AtomicU64,
    micros: AtomicU64,
    requests: IntCounterVec,
    errors: IntCounterVec,
    duration: HistogramVec,
    first_token: HistogramVec,
    overhead: [Timing; OPERATIONS.len()],
    attempts: IntCounterVec,
    retries: IntCounter,
    fallbacks: IntCounter,
    hedges: IntCounter,
    tokens: IntCounterVec,
    cost: IntCounterVec,
    hits: IntCounter,
    misses: IntCounter,
    in_flight: IntGauge,
}

/// What there is to count of one call at its end.
#[derive(Clone, Copy, Debug)]
pub struct Ended<'a> {
    /// As `ai.chat`.
    pub operation: &'static str,
    /// What the answer is; `None` for a call that was dropped.
    pub outcome: Option<Outcome>,
    /// Of a call that failed.
    pub error: Option<ErrorKind>,
    /// Of the answer, where there is one.
    pub report: Option<&'a CallReport>,
    /// Of the answer, where it is known.
    pub usage: Option<&'a Usage>,
    /// All that were made.
    pub attempts: &'a [Attempt],
    /// How often the same model was asked again.
    pub retries: u64,
    /// Second calls because the first one took long.
    pub hedges: u64,
    /// Whether the cache was asked.
    pub cached: bool,
    /// From the beginning to the end.
    pub took: Duration,
    /// Until a stream's first piece.
    pub first_token: Option<Duration>,
}

impl AiMetrics {
    /// Counters at zero. The models that are `known`, by provider, always have series of their own.
    ///
    /// # Errors
    /// None but a defect's.
    pub fn new(known: &[(String, String)]) -> Result<Self> {
        let metrics = Self::registered().map_err(|e| {
            Error::new(ErrorKind::Unexpected, "metrics", "the counters cannot be made").with_source(e)
        })?;
        for (provider, model) in known {
            metrics.make(provider, model);
        }
        metrics.left.store(MODELS as u64, Ordering::Relaxed);
        Ok(metrics)
    }

    fn registered() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let counters = |name: &str, help: &str, labels: &[&str]| {
            let family = IntCounterVec::new(Opts::new(format!("xynergy_ai_{name}"), help), labels)?;
            kept(&registry, family)
        };
        let counter =
            |name: &str, help: &str| kept(&registry, IntCounter::new(format!("xynergy_ai_{name}"), help)?);
        let histogram = |name: &str, help: &str, labels: &[&str], buckets: &[f64]| {
            let options = HistogramOpts::new(format!("xynergy_ai_{name}"), help).buckets(buckets.to_vec());
            kept(&registry, HistogramVec::new(options, labels)?)
        };
        let overhead = histogram(
            "overhead_seconds",
            "What the library itself did of a call: its time without providers, stores, waits.",
            &["operation"],
            &OVERHEAD,
        )?;
        let answers = counters(
            "cache_requests_total",
            "AI calls that may be answered from the cache, by whether they were.",
            &["result"],
        )?;
        let in_flight = IntGauge::new("xynergy_ai_requests_in_flight", "AI calls that are under way.")?;
        Ok(Self {
            requests: counters(
                "requests_total",
                "AI calls by the model that answered, or was asked last, and by what became of them.",
                &["operation", "provider", "model", "outcome"],
            )?,
            errors: counters(
                "request_errors_total",
                "AI calls that ended with an error, by its kind.",
                &["operation", "kind"],
            )?,
            duration: histogram(
                "request_duration_seconds",
                "How long AI calls took until their end.",
                &["operation", "provider", "model"],
                &SECONDS,
            )?,
            first_token: histogram(
                "time_to_first_token_seconds",
                "How long streams took until their first piece.",
                &["provider", "model"],
                &SECONDS,
            )?,
            overhead: OPERATIONS.map(|operation| Timing::of(&overhead, &[operation])),
            attempts: counters(
                "attempts_total",
                "Tries of a provider, by what became of them.",
                &["provider", "model", "status", "error"],
            )?,
            retries: counter("retries_total", "Tries of the same model after one that failed.")?,
            fallbacks: counter(
                "fallbacks_total",
                "AI calls that another model than the first one answered.",
            )?,
            hedges: counter("hedges_total", "Second calls because the first one took long.")?,
            tokens: counters("tokens_total", "Tokens that were paid for.", &["provider", "model", "type"])?,
            cost: counters(
                "cost_nano_usd_total",
                "What the calls cost, in billionths of a dollar.",
                &["provider", "model"],
            )?,
            hits: answers.with_label_values(&["hit"]),
            misses: answers.with_label_values(&["miss"]),
            in_flight: kept(&registry, in_flight)?,
            models: RwLock::default(),
            left: AtomicU64::new(u64::MAX),
            ended: AtomicU64::default(),
            failed: AtomicU64::default(),
            micros: AtomicU64::default(),
            registry,
        })
    }

    /// A call begins. [`worked`](Self::worked) tells of its end.
    pub fn began(&self) {
        self.in_flight.inc();
    }

    /// A call is over; `own` is the library's own work on it.
    pub fn worked(&self, operation: &str, own: Duration) {
        self.in_flight.dec();
        self.overhead[number(operation)].took(own);
    }

    /// Counts a call by how it went.
    pub fn ended(&self, call: &Ended<'_>) {
        let last = call.attempts.last();
        let (provider, model) = match (call.report, last) {
            (Some(report), _) => (report.provider.as_str(), report.model.as_str()),
            (None, Some(last)) => (last.provider.as_str(), last.model.as_str()),
            (None, None) => ("", ""),
        };
        let series = self.series(provider, model, call.error.is_none() && call.outcome.is_some());
        let hit = call.report.is_some_and(|report| report.cache_hit);
        self.count_attempts(call, &series);

        let Some(outcome) = call.outcome else {
            let labels = [call.operation, &series.provider, &series.model, "cancelled"];
            return self.requests.with_label_values(&labels).inc();
        };
        let took = u64::try_from(call.took.as_micros()).unwrap_or(u64::MAX);
        self.ended.fetch_add(1, Ordering::Relaxed);
        self.failed.fetch_add(u64::from(call.error.is_some()), Ordering::Relaxed);
        self.micros.fetch_add(took, Ordering::Relaxed);

        let operation = self.operation(&series, call.operation);
        operation.duration.took(call.took);
        match outcome {
            Outcome::Complete => operation.complete.inc(),
            other => {
                let labels = [call.operation, &*series.provider, &*series.model, other.as_str()];
                self.requests.with_label_values(&labels).inc();
            }
        }
        if let Some(kind) = call.error {
            self.errors.with_label_values(&[call.operation, kind.as_str()]).inc();
        }
        if call.cached {
            if hit { self.hits.inc() } else { self.misses.inc() }
        }
        if hit {
            return;
        }
        if let Some(took) = call.first_token {
            let labels = [&*series.provider, &*series.model];
            series.first_token.get_or_init(|| Timing::of(&self.first_token, &labels)).took(took);
        }
        if let Some(usage) = call.usage {
            series.input_tokens.inc_by(usage.prompt_tokens);
            series.output_tokens.inc_by(usage.completion_tokens);
        }
        if let Some(cost) = call.report.and_then(|report| report.cost_nano_usd) {
            series.cost_nano_usd.inc_by(cost);
        }
    }

    fn count_attempts(&self, call: &Ended<'_>, answering: &Series) {
        self.retries.inc_by(call.retries);
        self.hedges.inc_by(call.hedges);
        for attempt in call.attempts {
            if attempt.status == AttemptStatus::Answered
                && *attempt.provider == *answering.provider
                && *attempt.model == *answering.model
            {
                answering.answered.inc();
                continue;
            }
            let series = self.series(&attempt.provider, &attempt.model, false);
            let error = attempt.error.as_deref().unwrap_or_default();
            let labels = [&*series.provider, &*series.model, attempt.status.as_str(), error];
            self.attempts.with_label_values(&labels).inc();
        }
        if let (Some(report), Some(first), 0) = (call.report, call.attempts.first(), call.hedges)
            && (first.provider != report.provider || first.model != report.model)
        {
            self.fallbacks.inc();
        }
    }

    /// The series of a model: its own, or that of all others. A model that nobody knew gets one when it `answered`, so that
    /// made-up names take none.
    fn series(&self, provider: &str, model: &str, answered: bool) -> Arc<Series> {
        if let Some(series) = self.known(provider, model) {
            return series;
        }
        let taken = |left: u64| left.checked_sub(1);
        if answered && self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken).is_ok() {
            return self.make(provider, model);
        }
        // What a call that asked nobody would have used has no name at all.
        let model = if model.is_empty() { "" } else { OTHER };
        self.known(provider, model).unwrap_or_else(|| self.make(provider, model))
    }

    fn known(&self, provider: &str, model: &str) -> Option<Arc<Series>> {
        let models = self.models.read().unwrap_or_else(PoisonError::into_inner);
        models.get(provider)?.get(model).cloned()
    }

    fn make(&self, provider: &str, model: &str) -> Arc<Series> {
        let mut models = self.models.write().unwrap_or_else(PoisonError::into_inner);
        let of_provider = models.entry(provider.into()).or_default();
        let series = of_provider.entry(model.into()).or_insert_with(|| {
            Arc::new(Series {
                provider: provider.into(),
                model: model.into(),
                operations: Default::default(),
                first_token: Default::default(),
                answered: self.attempts.with_label_values(&[provider, model, "answered", ""]),
                input_tokens: self.tokens.with_label_values(&[provider, model, "input"]),
                output_tokens: self.tokens.with_label_values(&[provider, model, "output"]),
                cost_nano_usd: self.cost.with_label_values(&[provider, model]),
            })
        });
        Arc::clone(series)
    }

    fn operation<'a>(&self, series: &'a Series, name: &str) -> &'a Operation {
        let number = number(name);
        series.operations[number].get_or_init(|| {
            let labels = [OPERATIONS[number], &*series.provider, &*series.model];
            let [operation, provider, model] = labels;
            Operation {
                complete: self.requests.with_label_values(&[operation, provider, model, "complete"]),
                duration: Timing::of(&self.duration, &labels),
            }
        })
    }

    /// The means that [`Health`](crate::health::Health) tells.
    pub fn performance(&self) -> Performance {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Performance::of(read(&self.ended), read(&self.failed), Duration::from_micros(read(&self.micros)))
    }

    /// Everything, for the text. `breakers` are those of all tenants.
    pub(crate) fn families(
        &self,
        breakers: Vec<BreakerSnapshot>,
        canaries: &[CanarySnapshot],
    ) -> prometheus::Result<Vec<MetricFamily>> {
        let mut families = self.registry.gather();
        let now = Registry::new();
        self.quantiles(&now)?;
        self.rates(&now)?;
        self.breakers(&now, breakers)?;
        tell_canaries(&now, canaries)?;
        families.extend(now.gather());
        Ok(families)
    }

    fn quantiles(&self, now: &Registry) -> prometheus::Result<()> {
        let gauges = |name: &str, help: &str, labels: &[&str]| {
            kept(now, GaugeVec::new(Opts::new(format!("xynergy_ai_{name}"), help), labels)?)
        };
        let duration = gauges(
            "request_duration_quantile_seconds",
            "How long AI calls took at most, for this share of them since the process began.",
            &["operation", "provider", "model", "quantile"],
        )?;
        let first_token = gauges(
            "time_to_first_token_quantile_seconds",
            "How long streams took at most until their first piece, for this share of them.",
            &["provider", "model", "quantile"],
        )?;
        let overhead = gauges(
            "overhead_quantile_seconds",
            "What the library itself did of a call at most, for this share of the calls.",
            &["operation", "quantile"],
        )?;
        let models = self.models.read().unwrap_or_else(PoisonError::into_inner);
        for series in models.values().flat_map(HashMap::values) {
            let labels = [&*series.provider, &*series.model];
            if let Some(timing) = series.first_token.get() {
                told(&first_token, &labels, timing);
            }
            for (operation, name) in series.operations.iter().zip(OPERATIONS) {
                if let Some(operation) = operation.get() {
                    told(&duration, &[name, labels[0], labels[1]], &operation.duration);
                }
            }
        }
        for (timing, name) in self.overhead.iter().zip(OPERATIONS) {
            told(&overhead, &[name], timing);
        }
        Ok(())
    }

    #[allow(clippy::cast_precision_loss)] // Shares for people.
    fn rates(&self, now: &Registry) -> prometheus::Result<()> {
        let share = |part: u64, all: u64| if all == 0 { 0.0 } else { part as f64 / all as f64 };
        let (hits, misses) = (self.hits.get(), self.misses.get());
        let performance = self.performance();
        let gauge = |name: &str, help: &str, value: f64| {
            kept(now, Gauge::new(format!("xynergy_ai_{name}"), help)?).map(|gauge| gauge.set(value))
        };
        gauge(
            "cache_hit_ratio",
            "The share of calls that the cache answered, among those that it may.",
            share(hits, hits + misses),
        )?;
        gauge(
            "request_error_ratio",
            "The share of AI calls that ended with an error.",
            share(performance.error_count, performance.request_count),
        )
    }

    fn breakers(&self, now: &Registry, breakers: Vec<BreakerSnapshot>) -> prometheus::Result<()> {
        let help =
            "How the breaker of a model stands, the worst of all tenants: 0 closed, 1 half open, 2 open.";
        let states = kept(
            now,
            IntGaugeVec::new(Opts::new("xynergy_ai_breaker_state", help), &["provider", "model"])?,
        )?;
        let mut worst: BTreeMap<(Box<str>, Box<str>), i64> = BTreeMap::new();
        for breaker in breakers {
            let series = self.series(&breaker.provider, &breaker.model, false);
            let state = match breaker.state {
                BreakerState::Closed => 0,
                BreakerState::HalfOpen => 1,
                BreakerState::Open => 2,
            };
            let told = worst.entry((series.provider.clone(), series.model.clone())).or_default();
            *told = state.max(*told);
        }
        for ((provider, model), state) in worst {
            states.with_label_values(&[&*provider, &*model]).set(state);
        }
        Ok(())
    }
}

/// How far the canary routes are. Routes are the configuration's, so that there are only so many.
fn tell_canaries(now: &Registry, canaries: &[CanarySnapshot]) -> prometheus::Result<()> {
    let gauges = |name: &str, help: &str| {
        kept(now, IntGaugeVec::new(Opts::new(format!("xynergy_ai_canary_{name}"), help), &["route"])?)
    };
    let states = gauges(
        "state",
        "What became of the candidate of a canary route: 0 rolled back, 1 staged, 2 promoted.",
    )?;
    let stages =
        gauges("stage", "The stage that a canary route is in, or in which it was rolled back, from 1.")?;
    let shares = gauges("share_percent", "The candidate's share of the conversations of a canary route.")?;
    for canary in canaries {
        let state = match canary.state {
            CanaryState::RolledBack => 0,
            CanaryState::Staged => 1,
            CanaryState::Promoted => 2,
        };
        let figures = [(&states, state), (&stages, canary.stage.into()), (&shares, canary.percent.into())];
        for (family, value) in figures {
            family.with_label_values(&[&canary.route]).set(value);
        }
    }
    Ok(())
}

/// The quantiles of a timing that has seen something.
#[allow(clippy::cast_precision_loss)] // A value known to 3 %.
fn told(family: &GaugeVec, labels: &[&str], timing: &Timing) {
    let Some(values) = timing.sketch.quantiles() else { return };
    for ((_, quantile), value) in QUANTILES.iter().zip(values) {
        let labels: Vec<&str> = labels.iter().chain([quantile]).copied().collect();
        family.with_label_values(&labels).set(value as f64 / 1e9);
    }
}

fn kept<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> prometheus::Result<C> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}
