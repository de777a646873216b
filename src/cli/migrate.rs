//! `xynergy migrate`

use clap::Args;

use super::desk::Place;
use super::output::{Ended, GOOD, styled};
use crate::{Client, Result};

/// Bring the store's tables to this version, or print the SQL that would.
///
/// The first use of a store does the same; this is for those who want it to happen at a time of their own. A store of a
/// newer version, or of another program, is left as it is.
#[derive(Clone, Debug, Args)]
pub(super) struct Options {
    /// Open and change nothing: print the SQL that makes the tables in an empty store, for a migration tool of your own
    #[arg(long)]
    print_sql: bool,
    #[command(flatten)]
    place: Place,
}

pub(super) async fn run(options: &Options) -> Result<Ended> {
    let client = Client::new(options.place.lasting()?)?;
    let migration = client.migrate(options.print_sql).await?;
    if options.place.json {
        return Ended::json(&migration);
    }
    if let Some(sql) = migration.sql {
        return Ok(Ended::text(sql));
    }
    let applied: String = migration.applied.iter().map(|name| format!("applied {name}\n")).collect();
    Ok(Ended::text(format!(
        "{applied}the store is at version {}: {}\n",
        migration.version,
        styled(GOOD, "up to date")
    )))
}
