//! What a person decides about one change.

use clap::{Args, ValueEnum};
use serde::Serialize;
use xynergy_core::execution::ChangeId;
use xynergy_core::execution::machine::HumanVerdict;

use super::{change_id, listed};
use crate::cli::desk::Place;
use crate::cli::output::{Ended, GOOD, styled};
use crate::execution::ChangeRow;
use crate::{Error, ErrorKind, Result};

#[derive(Clone, Debug, Args)]
pub(super) struct One {
    /// The change's id, as the list has it
    #[arg(value_parser = change_id)]
    id: ChangeId,
    #[command(flatten)]
    place: Place,
}

/// Say what became of a request that reading the ad platform could not tell.
///
/// `xynergy changes --needs-human` lists them. Look into the platform's own log of edits first: a wrong verdict is how a
/// change is applied twice, or never. The history keeps the verdict, the note and who gave them.
#[derive(Clone, Debug, Args)]
pub(super) struct Resolve {
    /// The change's id, as the list has it
    #[arg(value_parser = change_id)]
    id: ChangeId,
    /// What became of its request
    #[arg(value_enum)]
    verdict: Verdict,
    /// How that is known, in 1 to 300 characters
    #[arg(long, value_name = "TEXT")]
    note: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Verdict {
    /// It took effect
    Applied,
    /// It had no effect, and can have none any more
    NotApplied,
}

#[derive(Serialize)]
struct Decided {
    change: ChangeRow,
}

pub(super) async fn cancel(options: &One) -> Result<Ended> {
    let desk = options.place.open().await?;
    let step = desk.executor.cancel(&desk.ctx, options.id).await?;
    if !step.moved {
        let standing = super::standing(step.row.status, step.row.reason);
        return Err(Error::new(
            ErrorKind::Conflict,
            "execution.cancel",
            format!("{}: it is {standing}: only what waits can be withdrawn", options.id),
        ));
    }
    ended(options.place.json, step.row, "withdrawn")
}

pub(super) async fn resolve(options: &Resolve) -> Result<Ended> {
    let desk = options.place.open().await?;
    let verdict = match options.verdict {
        Verdict::Applied => HumanVerdict::Applied,
        Verdict::NotApplied => HumanVerdict::NotApplied,
    };
    let row = desk.executor.resolve(&desk.ctx, options.id, verdict, &options.note).await?;
    ended(options.place.json, row, "resolved")
}

pub(super) async fn retry(options: &One) -> Result<Ended> {
    let desk = options.place.open().await?;
    let row = desk.executor.retry(&desk.ctx, options.id).await?;
    ended(options.place.json, row, "queued again")
}

fn ended(json: bool, change: ChangeRow, done: &str) -> Result<Ended> {
    if json {
        return Ended::json(&Decided { change });
    }
    Ok(Ended::text(format!("{}\n{}\n", listed(&[change]), styled(GOOD, done))))
}
