//! What a person hands to the workers, and what they would do by themselves later.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::{listed, shown};
use crate::cli::desk::Place;
use crate::cli::output::{Ended, GOOD, styled};
use crate::execution::{AdChange, ChangeRow, Plan, PlannedChange, PlannedOutcome};
use crate::{Error, ErrorKind, Result};

/// Queue changes from a JSON file or standard input.
///
/// The file has a list of changes, or one: objects with id (32 hex digits), account_id, campaign_id, owner (level, id), field
/// (budget, bid or status), expected_from, target (integers in minor units), currency, and at will reason, expires_at,
/// allocation_id and causation_id. An id that is stored already is left as it is. Workers send them after their jitter.
#[derive(Clone, Debug, Args)]
pub(super) struct Options {
    /// The file; `-` for standard input
    #[arg(default_value = "-")]
    file: PathBuf,
    /// Reach targets that are further away than one window allows in steps, each a change of its own
    #[arg(long)]
    ramp: bool,
    /// Queue nothing, and say what would become of them if they were applied now
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    place: Place,
}

/// Find out what became of requests without an answer, and whether any that was judged not applied landed late.
///
/// A worker does so by itself; this is for where none runs. It reads the ad platform with the credentials of the
/// configuration and sends nothing.
#[derive(Clone, Debug, Args)]
pub(super) struct Reconcile {
    #[command(flatten)]
    place: Place,
}

pub(super) async fn run(options: &Options) -> Result<Ended> {
    #[derive(Serialize)]
    struct Queued {
        changes: Vec<ChangeRow>,
    }
    let changes = read(options)?;
    let scope = options.place.scope()?;
    let execution = scope.execution();
    if options.dry_run {
        let changes = if options.ramp { execution.ramped(&changes).await? } else { changes };
        let plan = execution.plan(&changes, false).await?;
        return if options.place.json { Ended::json(&plan) } else { Ok(Ended::text(planned(&plan))) };
    }
    let changes =
        if options.ramp { execution.queue_ramped(changes).await? } else { execution.queue(changes).await? };
    if options.place.json {
        return Ended::json(&Queued { changes });
    }
    let count = changes.len();
    Ok(Ended::text(format!("{}\n{count} changes {}\n", listed(&changes), styled(GOOD, "queued"))))
}

fn read(options: &Options) -> Result<Vec<AdChange>> {
    let from = (options.file.as_os_str() != "-").then_some(&options.file);
    let wrong = |why: String| {
        let name = from.map_or("standard input".to_owned(), |path| path.display().to_string());
        Error::new(ErrorKind::InvalidInput, "execution.queue", format!("{name}: {why}"))
    };
    let text = match from {
        Some(path) => std::fs::read_to_string(path),
        None => std::io::read_to_string(std::io::stdin()),
    };
    let text = text
        .map_err(|e| wrong(format!("it cannot be read ({e}); give a JSON file, or - for standard input")))?;
    let list = if text.trim_start().starts_with('{') { format!("[{text}]") } else { text };
    xynergy_core::json::read(&list).map_err(|why| match why.path().as_str() {
        "" => wrong(why.error.to_string()),
        path => wrong(format!("{path}: {}", why.error)),
    })
}

fn planned(plan: &Plan) -> String {
    let line = |change: &PlannedChange| {
        let AdChange { id, field, currency, .. } = change.change;
        let said = match &change.outcome {
            PlannedOutcome::Blocked { reason, retry_at } => {
                let again = retry_at.map(|at| format!(" until {at}")).unwrap_or_default();
                format!("blocked: {}{again}", reason.as_str().replace('_', " "))
            }
            PlannedOutcome::Refused { message } => format!("refused by the platform: {message}"),
            PlannedOutcome::Sent { value, .. } => {
                format!("would be set to {}", shown(field, currency, *value))
            }
        };
        format!("{id}  {said}\n")
    };
    let lines: String = plan.changes.iter().map(line).collect();
    format!("{lines}digest {}\n", plan.digest)
}

pub(super) async fn reconcile(options: &Reconcile) -> Result<Ended> {
    let found = options.place.scope()?.execution().reconcile().await?;
    if options.place.json {
        return Ended::json(&found);
    }
    Ok(Ended::text(format!(
        "{} settled, {} still unknown, {} found to have landed late\n",
        found.settled, found.unknown, found.late
    )))
}
