//! `xynergy approve`

use clap::Args;
use serde::Serialize;

use super::changes::listed;
use super::desk::Place;
use super::output::{Ended, GOOD, styled};
use crate::execution::ChangeRow;
use crate::{Error, Result};

/// Approve the budget changes that wait under a digest.
///
/// Exactly those that were queued under it, as they were queued, all or none; `xynergy changes` names the digests that
/// wait. They then run after their jitter and through every guard. The history says who approved.
#[derive(Clone, Debug, Args)]
pub(super) struct Options {
    /// The digest of the plan: 64 hex digits
    digest: String,
    #[command(flatten)]
    place: Place,
}

pub(super) async fn run(options: &Options) -> Result<Ended> {
    #[derive(Serialize)]
    struct Approved {
        approved: Vec<ChangeRow>,
    }
    let desk = options.place.open().await?;
    let Some(actor) = desk.ctx.actor.clone() else {
        return Err(Error::invalid(
            "approve",
            "--actor: an approval must say whose it is, and the environment has no user name: give one",
        ));
    };
    let approved = desk.executor.approve(&desk.ctx, &options.digest).await?;
    if options.place.json {
        return Ended::json(&Approved { approved });
    }
    let count = approved.len();
    Ok(Ended::text(format!(
        "{}\n{count} changes {} by {actor}\n",
        listed(&approved),
        styled(GOOD, "approved")
    )))
}
