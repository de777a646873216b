use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, Opts, Registry};

use super::attempt::event_of;
use super::change::{ChangeRow, Reason};
use super::machine::Settlement;
use super::reconcile::Finding;
use crate::env::EventType;
use crate::error::{Error, ErrorKind, Result};

const WRITES: [&str; 6] = ["ambiguous", "applied", "not_sent", "rejected", "throttled", "unauthorized"];
const FINDINGS: [&str; 3] = ["conflict", "landed", "not_applied"];

/// No write takes longer than its limit, 30 s unless configured.
const WRITE_SECONDS: [f64; 9] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// From a wake-up by the store to a queue that a worker too few has left behind.
const WAIT_SECONDS: [f64; 10] = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 60.0, 600.0, 3_600.0];

/// What executors of this process did, counted since it was made. Clones share the counts. No label names a tenant, an
/// account or an object: those would be without bound, and nobody's business who may read figures.
#[derive(Clone, Debug)]
pub struct ExecutionMetrics {
    registry: Registry,
    steps: IntCounterVec,
    writes: IntCounterVec,
    write_seconds: Histogram,
    wait_seconds: Histogram,
    reconciliations: IntCounterVec,
    late: IntCounter,
    store_errors: IntCounter,
}

impl ExecutionMetrics {
    /// Counters at zero.
    ///
    /// # Errors
    /// None but a defect's.
    pub fn new() -> Result<Self> {
        Self::registered().map_err(|e| {
            Error::new(ErrorKind::Unexpected, "metrics", "the counters cannot be made").with_source(e)
        })
    }

    fn registered() -> prometheus::Result<Self> {
        let counters = |name: &str, help: &str, labels: &[&str]| {
            IntCounterVec::new(Opts::new(format!("xynergy_execution_{name}"), help), labels)
        };
        let histogram = |name: &str, help: &str, buckets: &[f64]| {
            let options = HistogramOpts::new(format!("xynergy_execution_{name}"), help);
            Histogram::with_opts(options.buckets(buckets.to_vec()))
        };
        let metrics = Self {
            registry: Registry::new(),
            steps: counters(
                "steps_total",
                "Steps of budget changes by the event that they ended in, and its reason.",
                &["event", "reason"],
            )?,
            writes: counters(
                "writes_total",
                "Requests to the ad platform that set a value, by what is known of their effect.",
                &["class"],
            )?,
            write_seconds: histogram(
                "write_duration_seconds",
                "How long a request that sets a value took.",
                &WRITE_SECONDS,
            )?,
            wait_seconds: histogram(
                "wait_seconds",
                "How long a change that was due waited for a worker.",
                &WAIT_SECONDS,
            )?,
            reconciliations: counters(
                "reconciliations_total",
                "Requests without an answer by what reading the ad platform found.",
                &["finding"],
            )?,
            late: IntCounter::new(
                "xynergy_execution_late_landings_total",
                "Requests that took effect after the verdict that they had not.",
            )?,
            store_errors: IntCounter::new(
                "xynergy_execution_store_errors_total",
                "Calls of the store of changes that failed.",
            )?,
        };
        // A series that begins with its first count hides that count from every rate.
        WRITES.iter().for_each(|class| drop(metrics.writes.with_label_values(&[class])));
        FINDINGS.iter().for_each(|finding| drop(metrics.reconciliations.with_label_values(&[finding])));
        let collectors: [Box<dyn Collector>; 7] = [
            Box::new(metrics.steps.clone()),
            Box::new(metrics.writes.clone()),
            Box::new(metrics.write_seconds.clone()),
            Box::new(metrics.wait_seconds.clone()),
            Box::new(metrics.reconciliations.clone()),
            Box::new(metrics.late.clone()),
            Box::new(metrics.store_errors.clone()),
        ];
        collectors.into_iter().try_for_each(|collector| metrics.registry.register(collector))?;
        Ok(metrics)
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    pub(super) fn stepped(&self, row: &ChangeRow) {
        // Most steps end in an intent before their real end.
        if let Some(event) = event_of(row).filter(|event| *event != EventType::CHANGE_INTENT) {
            let event = event.name().strip_prefix("change.").unwrap_or(event.name());
            self.steps.with_label_values(&[event, row.reason.map_or("", Reason::as_str)]).inc();
        }
    }

    pub(super) fn waited(&self, wait: Duration) {
        self.wait_seconds.observe(wait.as_secs_f64());
    }

    pub(super) fn wrote(&self, settlement: &Settlement, took: Duration) {
        let class = match settlement {
            Settlement::Applied => "applied",
            Settlement::Ambiguous(_) => "ambiguous",
            Settlement::Blocked { reason: Reason::Throttled, .. } => "throttled",
            Settlement::Blocked { reason: Reason::Unauthorized, .. } => "unauthorized",
            Settlement::Blocked { .. } => "not_sent",
            Settlement::Rejected(_) => "rejected",
        };
        self.writes.with_label_values(&[class]).inc();
        self.write_seconds.observe(took.as_secs_f64());
    }

    pub(super) fn reconciled(&self, finding: Finding) {
        let finding = match finding {
            Finding::Conflict => "conflict",
            Finding::Landed => "landed",
            Finding::NotApplied => "not_applied",
        };
        self.reconciliations.with_label_values(&[finding]).inc();
    }

    pub(super) fn landed_late(&self, requests: u64) {
        self.late.inc_by(requests);
    }

    /// Counts a failed call of the store. What the store refuses for good reason is no failure of its own.
    pub(super) fn stored<T>(&self, outcome: &Result<T>) {
        let kind = outcome.as_ref().err().map(Error::kind);
        if kind.is_some_and(|kind| !matches!(kind, ErrorKind::NotFound | ErrorKind::Conflict)) {
            self.store_errors.inc();
        }
    }
}
