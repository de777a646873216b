//! Reports that Meta makes in its own time: ordered, watched, and read when they are done.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;
use xynergy_core::env::{Event, EventType};
use xynergy_core::{Ctx, Error, ErrorKind, Result, Retry};

use super::client::{Ask, Client};
use super::insight::InsightRow;
use super::request;
use super::wire::Id;

const FIRST_LOOK: Duration = Duration::from_millis(250);
const LONGEST_LOOK: Duration = Duration::from_secs(15);

#[derive(Debug, Deserialize)]
struct Ordered {
    report_run_id: Id,
}

#[derive(Debug, Deserialize)]
struct Status {
    #[serde(default)]
    async_status: String,
    #[serde(default)]
    async_percent_completion: u8,
}

impl Client {
    /// The rows of a query, by a report. Every look at it is an event `insights.report` with how far it is.
    pub(super) async fn report(&self, ctx: &Ctx, ask: Ask<'_>) -> Result<Vec<InsightRow>> {
        let operation = ask.operation;
        let Ordered { report_run_id } = self.order(ctx, ask).await?;
        let id = report_run_id.to_string();
        let path = request::checked_id(&id, "report_run_id", operation)?;
        let deadline = Instant::now() + Duration::from_millis(self.config.report_timeout_ms);
        let fields = [("fields", "async_status,async_percent_completion")];
        let mut wait = FIRST_LOOK;
        loop {
            let look = Ask { path, parameters: &fields, ..ask };
            let status: Status = self.read(ctx, look).await?;
            announce(ctx, &id, &status);
            match status.async_status.as_str() {
                "Job Completed" if status.async_percent_completion >= 100 => break,
                "Job Failed" | "Job Skipped" => {
                    return Err(Error::new(
                        ErrorKind::Unavailable,
                        operation,
                        "Meta could not make the report: ask again, or for fewer days",
                    )
                    .with_retry(Retry::After(LONGEST_LOOK))
                    .with_context("report_run_id", id));
                }
                _ => {}
            }
            if Instant::now() + wait > deadline {
                return Err(Error::new(
                    ErrorKind::Timeout,
                    operation,
                    "Meta has not finished the report in time: ask for fewer days, or give report_timeout_ms more",
                )
                .with_retry(Retry::After(LONGEST_LOOK))
                .with_context("report_run_id", id));
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 3 / 2).min(LONGEST_LOOK);
        }
        let path = format!("{path}/insights");
        self.list(ctx, Ask { path: &path, parameters: &[], ..ask }).await
    }
}

fn announce(ctx: &Ctx, report_run_id: &str, status: &Status) {
    let percent = status.async_percent_completion;
    let event_id = format!("{}-{report_run_id}-{percent}", ctx.request_id);
    let payload = serde_json::json!({
        "report_run_id": report_run_id,
        "status": status.async_status.chars().take(40).collect::<String>(),
        "percent": percent,
    });
    ctx.env.events.emit(Event::with_id(ctx, EventType::INSIGHTS_REPORT, event_id, payload));
}
