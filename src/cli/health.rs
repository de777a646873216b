//! `xynergy health`

use clap::Args;
use comfy_table::{Cell, CellAlignment};

use super::desk::Place;
use super::output::{BAD, Ended, GOOD, styled, table};
use crate::Result;
use crate::health::{Health, HealthDetail, HealthStatus};

/// Say how a service's dependencies fare, by asking each of them.
///
/// The store is written and read, the CRM and the ad platform are read with the credentials of the configuration; the whole
/// answers within 5 s. Exit code 0 when it is healthy; 1 when it is degraded (a dependency is away) or unhealthy (the store
/// does not work). No AI provider is asked: its breaker, and the figures of calls, are those of this process, not of
/// the service's.
#[derive(Clone, Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    place: Place,
}

pub(super) async fn run(options: &Options) -> Result<Ended> {
    let health = options.place.scope()?.health().await;
    let wrong = health.status != HealthStatus::Healthy;
    if options.place.json {
        return Ok(Ended::json(&health)?.failed_if(wrong));
    }
    Ok(Ended::text(told(&health)).failed_if(wrong))
}

fn told(health: &Health) -> String {
    let mut table = table(&["check", "status", "ms", "detail"]);
    for (name, check) in &health.checks {
        table.add_row([
            Cell::new(name),
            Cell::new(word(check.status)),
            Cell::new(check.latency_ms).set_alignment(CellAlignment::Right),
            Cell::new(detail(&check.detail)),
        ]);
    }
    let style = if health.status == HealthStatus::Healthy { GOOD } else { BAD };
    format!("{table}\n{}: {}\n", health.service, styled(style, word(health.status)))
}

fn word(status: HealthStatus) -> &'static str {
    match status {
        HealthStatus::Healthy => "healthy",
        HealthStatus::Degraded => "degraded",
        HealthStatus::Unhealthy => "unhealthy",
    }
}

fn detail(detail: &HealthDetail) -> String {
    match (&detail.error, &detail.message) {
        (Some(kind), Some(message)) => format!("{kind}: {message}"),
        (kind, message) => kind.as_ref().or(message.as_ref()).cloned().unwrap_or_default(),
    }
}
