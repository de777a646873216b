//! How a client fares: the values, and how single checks add up. What asks is the client's side.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::layers::{BreakerSnapshot, BreakerState};
use crate::route::CanarySnapshot;

/// The check that decides whether the work can be done.
pub const STORE: &str = "store";

/// How something fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// It works.
    Healthy,
    /// Of a client: a dependency is away. Of a check: it is being tried again.
    Degraded,
    /// Of a client: the work cannot be done. Of a check: it does not work.
    Unhealthy,
}

/// How a client and what it depends on fare now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// What answers.
    pub service: String,
    /// All checks together.
    pub status: HealthStatus,
    /// Each check by its name: `store`, `cache`, `ai.PROVIDER`, `canary.ROUTE`, `crm`, `ad_platform`.
    pub checks: BTreeMap<String, HealthCheck>,
    /// What the process uses.
    pub resources: Resources,
    /// How the AI calls went since the client was built.
    pub performance: Performance,
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HealthCheck {
    /// How it fares.
    pub status: HealthStatus,
    /// How long the check took, in milliseconds.
    pub latency_ms: u64,
    /// What there is to say about it. Never a credential.
    pub detail: HealthDetail,
}

/// What there is to say about a check; absent is what does not belong to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HealthDetail {
    /// For a person: what is wrong, or what was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The kind of the error, as [`ErrorKind::as_str`](crate::ErrorKind::as_str) names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The state of a breaker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<BreakerState>,
    /// Consecutive faults that a breaker has counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_count: Option<u32>,
    /// How far a canary route is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary: Option<CanarySnapshot>,
}

/// What the process uses; `None` where the platform does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Resources {
    /// Memory that is resident, in MiB.
    pub memory_mb: Option<f64>,
    /// Percent of one processor, since the health was asked before; at first since the process started.
    pub cpu_percent: Option<f64>,
    /// Threads.
    pub threads: Option<u32>,
}

/// How calls went. Those that the caller dropped, and requests that were refused before they began, do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Performance {
    /// Calls that came to an end.
    pub request_count: u64,
    /// Those that ended with an error.
    pub error_count: u64,
    /// The mean time from a call to its end, in seconds.
    pub average_response_time: f64,
    /// Errors among the calls, in percent.
    pub error_rate: f64,
}

impl Health {
    /// The verdict on all checks: unhealthy when the store does not work, degraded when anything else does not.
    pub fn of(
        service: impl Into<String>,
        checks: BTreeMap<String, HealthCheck>,
        resources: Resources,
        performance: Performance,
    ) -> Self {
        let broken = |check: &HealthCheck| check.status != HealthStatus::Healthy;
        let status = if checks.get(STORE).is_some_and(|store| store.status == HealthStatus::Unhealthy) {
            HealthStatus::Unhealthy
        } else if checks.values().any(broken) {
            HealthStatus::Degraded
        } else {
            HealthStatus::Healthy
        };
        Self { service: service.into(), status, checks, resources, performance }
    }
}

impl HealthCheck {
    /// A check that was made and took so long.
    pub fn made(outcome: Result<HealthDetail, Error>, took: Duration) -> Self {
        let (status, detail) = match outcome {
            Ok(detail) => (HealthStatus::Healthy, detail),
            Err(error) => (HealthStatus::Unhealthy, HealthDetail::from_error(&error)),
        };
        Self { status, latency_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX), detail }
    }

    /// A provider by the breakers of its models: the worst of them speaks for it.
    pub fn of_breakers<'a>(breakers: impl IntoIterator<Item = &'a BreakerSnapshot>) -> Self {
        let standing = |state| match state {
            BreakerState::Closed => HealthStatus::Healthy,
            BreakerState::HalfOpen => HealthStatus::Degraded,
            BreakerState::Open => HealthStatus::Unhealthy,
        };
        let worst = breakers.into_iter().max_by_key(|b| (standing(b.state), b.failure_count));
        let (state, failure_count) = worst.map_or((BreakerState::Closed, 0), |b| (b.state, b.failure_count));
        let message = worst.filter(|b| b.state != BreakerState::Closed).map(|b| {
            format!("the model {} failed repeatedly; calls go to other providers meanwhile", b.model)
        });
        let detail = HealthDetail {
            message,
            state: Some(state),
            failure_count: Some(failure_count),
            ..HealthDetail::default()
        };
        Self { status: standing(state), latency_ms: 0, detail }
    }
}

impl HealthCheck {
    /// A canary route. It works wherever it is: without its candidate, the baseline answers as it did before.
    pub fn of_canary(canary: CanarySnapshot) -> Self {
        let told = |why: &String| format!("the candidate is rolled back, the baseline answers: {why}");
        let message = canary.reason.as_ref().map(told);
        let detail = HealthDetail { message, canary: Some(canary), ..HealthDetail::default() };
        Self { status: HealthStatus::Healthy, latency_ms: 0, detail }
    }
}

impl HealthDetail {
    /// Nothing but a sentence.
    pub fn note(message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..Self::default() }
    }

    /// An error without its source, whose text is not ours and may quote anything.
    fn from_error(error: &Error) -> Self {
        Self {
            message: Some(error.message().to_owned()),
            error: Some(error.kind().as_str().to_owned()),
            ..Self::default()
        }
    }
}

impl Performance {
    /// The figures of so many calls that took so long together.
    #[allow(clippy::cast_precision_loss)] // Figures for people.
    pub fn of(request_count: u64, error_count: u64, together: Duration) -> Self {
        if request_count == 0 {
            return Self::default();
        }
        let calls = request_count as f64;
        Self {
            request_count,
            error_count,
            average_response_time: together.as_secs_f64() / calls,
            error_rate: error_count as f64 * 100.0 / calls,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn check(status: HealthStatus) -> HealthCheck {
        HealthCheck { status, latency_ms: 1, detail: HealthDetail::default() }
    }

    #[test]
    fn the_store_decides_and_the_rest_degrades() {
        use HealthStatus::{Degraded, Healthy, Unhealthy};
        for (store, crm, expected) in [
            (Healthy, Healthy, Healthy),
            (Healthy, Degraded, Degraded),
            (Healthy, Unhealthy, Degraded),
            (Unhealthy, Healthy, Unhealthy),
            (Unhealthy, Unhealthy, Unhealthy),
        ] {
            let checks = [(STORE.to_owned(), check(store)), ("crm".to_owned(), check(crm))].into();
            let health = Health::of("x", checks, Resources::default(), Performance::default());
            assert_eq!(health.status, expected, "{store:?} {crm:?}");
        }
    }

    #[test]
    fn an_error_is_told_without_its_source() {
        let error = Error::new(ErrorKind::Unavailable, "crm", "it is away").with_source("Bearer s3cret");
        let check = HealthCheck::made(Err(error), Duration::from_millis(7));
        let json = serde_json::to_value(&check).unwrap();
        let expected = serde_json::json!({"status": "unhealthy", "latency_ms": 7,
            "detail": {"message": "it is away", "error": "unavailable"}});
        assert_eq!(json, expected);
    }

    #[test]
    fn the_worst_breaker_speaks_for_a_provider() {
        let breaker = |model: &str, state, failure_count| BreakerSnapshot {
            provider: "openai".into(),
            model: model.into(),
            state,
            failure_count,
        };
        assert_eq!(HealthCheck::of_breakers([]).status, HealthStatus::Healthy);
        let closed = breaker("a", BreakerState::Closed, 4);
        let half = breaker("b", BreakerState::HalfOpen, 0);
        let open = breaker("c", BreakerState::Open, 5);
        assert_eq!(HealthCheck::of_breakers([&closed]).detail.failure_count, Some(4));
        assert_eq!(HealthCheck::of_breakers([&closed, &half]).status, HealthStatus::Degraded);
        let worst = HealthCheck::of_breakers([&open, &half, &closed]);
        assert_eq!((worst.status, worst.detail.failure_count), (HealthStatus::Unhealthy, Some(5)));
        assert!(worst.detail.message.unwrap().contains("model c"));
    }

    #[test]
    fn figures_are_means_and_percent() {
        assert_eq!(Performance::of(0, 0, Duration::ZERO), Performance::default());
        let figures = Performance::of(4, 1, Duration::from_secs(2));
        assert_eq!((figures.average_response_time, figures.error_rate), (0.5, 25.0));
    }
}
