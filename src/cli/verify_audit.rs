//! `xynergy verify-audit`

use clap::Args;

use super::desk::Place;
use super::output::{BAD, Ended, GOOD, styled};
use crate::Result;

/// Verify the audit chain of every budget change.
///
/// Each row is sealed with the one before it, so that a row that was altered, replaced, removed or cut off is found. Exit
/// code 1 when one is, and the row is named as ACCOUNT#NUMBER.
#[derive(Clone, Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    place: Place,
}

pub(super) async fn run(options: &Options) -> Result<Ended> {
    let desk = options.place.open().await?;
    let report = desk.executor.verify_audit(&desk.ctx).await?;
    let broken = !report.chain_ok;
    if options.place.json {
        return Ok(Ended::json(&report)?.failed_if(broken));
    }
    let verdict = match &report.first_bad {
        Some(row) => format!("{} at {row}", styled(BAD, "BROKEN")),
        None => styled(GOOD, "verified"),
    };
    let open = match report.open_intents {
        0 => String::new(),
        1 => ", 1 change in flight".to_owned(),
        n => format!(", {n} changes in flight"),
    };
    Ok(Ended::text(format!("{} rows{open}: {verdict}\n", report.rows)).failed_if(broken))
}
