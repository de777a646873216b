//! `xynergy kill`

use clap::{Args, ValueEnum};
use serde::Serialize;
use xynergy_core::execution::machine::KillScope;

use super::desk::{Desk, Place};
use super::output::{BAD, Ended, GOOD, styled};
use crate::ads::Owner;
use crate::{Error, Result};

/// Switch a kill switch on or off, or show those that are on.
///
/// While one is on, no budget change that it covers is sent by any worker on the store; a request that was already under
/// way may still land. Switched off, what it held back is due at once. Without --account, --owner and
/// --global it covers everything of the tenant. Where the configuration gives roles, only an operator switches one off.
#[derive(Clone, Debug, Args)]
pub(super) struct Options {
    /// What to do
    #[arg(value_enum)]
    switch: Switch,
    /// Everything of every tenant
    #[arg(long, conflicts_with_all = ["account", "owner"])]
    global: bool,
    /// One ad account
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// One budget owner; LEVEL is adset or campaign
    #[arg(long, num_args = 3, value_names = ["ACCOUNT", "LEVEL", "ID"], conflicts_with = "account")]
    owner: Option<Vec<String>>,
    #[command(flatten)]
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    /// Send nothing
    On,
    /// Send again
    Off,
    /// Show what is on
    Status,
}

impl Options {
    fn scope(&self) -> Result<KillScope> {
        if self.global {
            return Ok(KillScope::Global);
        }
        match (&self.account, self.owner.as_deref()) {
            (Some(account), _) => Ok(KillScope::Account(account.clone())),
            (None, Some([account, level, id])) => Ok(KillScope::Owner {
                account_id: account.clone(),
                owner: Owner { level: level.parse()?, id: id.clone() },
            }),
            (None, Some(_)) => Err(Error::invalid("kill", "--owner: give ACCOUNT LEVEL ID")),
            (None, None) => Ok(KillScope::Tenant),
        }
    }
}

pub(super) async fn run(options: &Options) -> Result<Ended> {
    let scope = options.scope()?;
    let desk = options.place.open().await?;
    let named = options.global || options.account.is_some() || options.owner.is_some();
    match options.switch {
        Switch::Status => {
            let on = switched_on(&desk).await?.into_iter().filter(|s| !named || *s == scope);
            status(&on.collect::<Vec<_>>(), options.place.json)
        }
        switch => {
            desk.executor.kill(&desk.ctx, &scope, switch == Switch::On).await?;
            status(&switched_on(&desk).await?, options.place.json)
        }
    }
}

/// The kill switches that are on.
pub(super) async fn switched_on(desk: &Desk) -> Result<Vec<KillScope>> {
    desk.stores.changes.kills(&desk.ctx.tenant).await
}

/// The scopes as people and documents name them.
pub(super) fn names(scopes: &[KillScope]) -> Vec<String> {
    scopes.iter().map(KillScope::key).collect()
}

fn status(on: &[KillScope], json: bool) -> Result<Ended> {
    #[derive(Serialize)]
    struct Status {
        kills: Vec<String>,
    }
    let kills = names(on);
    if json {
        return Ended::json(&Status { kills });
    }
    if kills.is_empty() {
        return Ok(Ended::text(format!("kill switches: {}\n", styled(GOOD, "all off"))));
    }
    Ok(Ended::text(kills.iter().map(|scope| format!("{} {scope}\n", styled(BAD, "on"))).collect::<String>()))
}
