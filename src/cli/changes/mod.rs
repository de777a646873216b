//! `xynergy changes`

mod decide;
mod queue;
mod tables;

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use serde::Serialize;
use xynergy_core::execution::{AuditRow, ChangeId, ChangeRow, ChangeStatus, Reason};
use xynergy_core::store::{ChangeFilter, HistoryFilter};

pub(super) use tables::listed;
use tables::{applied, shown, standing, told};

use super::desk::{Desk, Place};
use super::output::{BAD, Ended, styled};
use super::{approve, kill};
use crate::{Error, ErrorKind, Result};

/// List budget changes, show one with its history, and decide about them.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Options {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    list: List,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    /// The changes that match, by the time of queueing; this is the default
    List(List),
    /// One change, and every row of its history
    Show(Show),
    /// Approve the changes that wait under a digest; `xynergy approve` for short
    Approve(approve::Options),
    /// Withdraw a change that is not in flight
    Cancel(decide::One),
    /// Switch a kill switch on or off; `xynergy kill` for short
    Kill(kill::Options),
    /// Queue changes from a JSON file or standard input
    Queue(queue::Options),
    /// Find out what became of requests without an answer
    Reconcile(queue::Reconcile),
    /// Say what became of a request that reading the ad platform could not tell
    Resolve(decide::Resolve),
    /// Send a change again whose last request had no effect
    Retry(decide::One),
}

#[derive(Clone, Debug, Args)]
struct List {
    /// Only with this status: pending, claimed, executing, completed, failed or blocked
    #[arg(long, value_name = "STATUS", value_parser = status)]
    status: Option<ChangeStatus>,
    /// Only of this ad account
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Only of this allocation
    #[arg(long, value_name = "ID")]
    allocation: Option<String>,
    /// Only with this reason, as the list shows it: velocity, kill_switch, conflict and so on
    #[arg(long, value_name = "REASON", value_parser = reason)]
    reason: Option<Reason>,
    /// Only those that a person has to look at: see `changes resolve` and `changes retry`
    #[arg(long)]
    needs_human: bool,
    /// At most so many
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Only those after this change in the list: the last one of the page before
    #[arg(long, value_name = "ID", value_parser = change_id)]
    after: Option<ChangeId>,
    #[command(flatten)]
    place: Place,
}

#[derive(Clone, Debug, Args)]
struct Show {
    /// The change's id, as the list has it
    #[arg(value_parser = change_id)]
    id: ChangeId,
    #[command(flatten)]
    place: Place,
}

fn status(name: &str) -> Result<ChangeStatus, String> {
    name.parse().map_err(|e: Error| e.message().to_owned())
}

fn reason(name: &str) -> Result<Reason, String> {
    let unknown =
        |_| "there is no such reason; `xynergy changes` shows those of the changes that there are".to_owned();
    name.replace([' ', '-'], "_").parse().map_err(unknown)
}

fn change_id(text: &str) -> Result<ChangeId, String> {
    text.parse().map_err(|e: Error| e.message().to_owned())
}

pub(super) async fn run(options: &Options) -> Result<Ended> {
    match &options.what {
        None => list(&options.list).await,
        Some(What::List(options)) => list(options).await,
        Some(What::Show(options)) => show(options).await,
        Some(What::Approve(options)) => approve::run(options).await,
        Some(What::Cancel(options)) => decide::cancel(options).await,
        Some(What::Kill(options)) => kill::run(options).await,
        Some(What::Queue(options)) => queue::run(options).await,
        Some(What::Reconcile(options)) => queue::reconcile(options).await,
        Some(What::Resolve(options)) => decide::resolve(options).await,
        Some(What::Retry(options)) => decide::retry(options).await,
    }
}

async fn list(options: &List) -> Result<Ended> {
    #[derive(Serialize)]
    struct Listed {
        changes: Vec<ChangeRow>,
        kills: Vec<String>,
        /// What `--after` takes for the next page; nothing on the last one.
        next: Option<ChangeId>,
    }
    let desk = options.place.open().await?;
    let filter = ChangeFilter {
        account_id: options.account.clone(),
        allocation_id: options.allocation.clone(),
        status: options.status,
        reason: options.reason,
        needs_human: options.needs_human,
        after: options.after,
        // One more tells whether there is another page.
        limit: options.limit.map(|limit| limit.saturating_add(1)),
    };
    let mut rows = desk.executor.list(&desk.ctx, &filter).await?;
    let more = options.limit.is_some_and(|limit| rows.len() > limit);
    rows.truncate(options.limit.unwrap_or(usize::MAX));
    let next = rows.last().map(|row| row.change.id).filter(|_| more);
    let kills = kill::names(&kill::switched_on(&desk).await?);
    if options.place.json {
        return Ended::json(&Listed { changes: rows, kills, next });
    }
    let next = next.map(|id| format!("more: --after {id}\n")).unwrap_or_default();
    Ok(Ended::text(format!(
        "{}{}\n{}\n{}{}{next}",
        warning(&kills),
        listed(&rows),
        counted(&rows),
        unapproved(&rows),
        undecided(&rows)
    )))
}

fn warning(kills: &[String]) -> String {
    kills.iter().map(|scope| format!("{} {scope}\n", styled(BAD, "kill switch on:"))).collect()
}

fn counted(rows: &[ChangeRow]) -> String {
    let with = |status| rows.iter().filter(|row| row.status == status).count();
    let waiting = rows.iter().filter(|row| !row.is_over()).count();
    format!(
        "{} changes: {} completed, {} blocked, {} failed; {waiting} not over yet",
        rows.len(),
        with(ChangeStatus::Completed),
        with(ChangeStatus::Blocked),
        with(ChangeStatus::Failed),
    )
}

/// What waits for an approval, and the command that gives it.
fn unapproved(rows: &[ChangeRow]) -> String {
    let mut waiting = BTreeMap::<&str, usize>::new();
    for row in rows.iter().filter(|row| row.reason == Some(Reason::AwaitingApproval)) {
        if let Some(approval) = &row.approval {
            *waiting.entry(&approval.digest).or_default() += 1;
        }
    }
    waiting.iter().map(|(digest, count)| format!("{count} wait for: xynergy approve {digest}\n")).collect()
}

/// What waits for a person, and the command that decides.
fn undecided(rows: &[ChangeRow]) -> String {
    let line = |row: &&ChangeRow| {
        let (id, conflict) = (row.change.id, row.reason == Some(Reason::Conflict));
        let command = if conflict {
            format!("changes resolve {id} VERDICT --note TEXT")
        } else {
            format!("changes retry {id}")
        };
        format!("waits for a person: xynergy {command}\n")
    };
    rows.iter().filter(|row| row.needs_human()).map(|row| line(&row)).collect()
}

async fn show(options: &Show) -> Result<Ended> {
    #[derive(Serialize)]
    struct Shown {
        #[serde(flatten)]
        row: ChangeRow,
        history: Vec<AuditRow>,
    }
    let desk = options.place.open().await?;
    let row = desk.executor.get(&desk.ctx, options.id).await?.ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            "execution.get",
            format!("{}: the tenant has no such change; `xynergy changes` lists them", options.id),
        )
    })?;
    let history = whole_history(&desk, &row).await?;
    if options.place.json {
        return Ended::json(&Shown { row, history });
    }
    let change = &row.change;
    let show = |value| shown(change.field, change.currency, value);
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            text.push_str(&format!("{name:<12}{value}\n"));
        }
    };
    line("change", &change.id.to_string());
    line("account", &change.account_id);
    line("campaign", &change.campaign_id);
    line("owner", &change.owner.to_string());
    line(change.field.as_str(), &format!("{} to {}", show(change.expected_from), show(change.target)));
    if let Some(ramp) = change.ramp {
        line("ramp", &format!("step {} of {} to {}", ramp.step, ramp.steps, show(ramp.target)));
    }
    line("set", &applied(&row).map(show).unwrap_or_default());
    line("status", &standing(row.status, row.reason));
    line("detail", row.detail.as_deref().unwrap_or_default());
    line("again at", &row.due_at.map(|at| at.to_string()).unwrap_or_default());
    line("attempts", &row.attempt.to_string());
    line("why", &change.reason);
    line("allocation", change.allocation_id.as_deref().unwrap_or_default());
    if let Some(approval) = &row.approval {
        line("approval", &approval.digest);
        line("approved by", approval.approved_by.as_deref().unwrap_or("nobody yet"));
    }
    line("queued at", &row.queued_at.to_string());
    line("expires at", &row.expires_at.to_string());
    Ok(Ended::text(format!("{text}\n{}\n", told(&history, change))))
}

/// Every row of one change, page by page.
async fn whole_history(desk: &Desk, row: &ChangeRow) -> Result<Vec<AuditRow>> {
    let mut filter = HistoryFilter { change_id: Some(row.change.id), ..HistoryFilter::default() };
    let mut whole = Vec::new();
    loop {
        let rows = desk.executor.history(&desk.ctx, &row.change.account_id, &filter).await?;
        let (full, last) = (rows.len() == filter.limit, rows.last().map(|row| row.seq));
        whole.extend(rows);
        match last {
            Some(last) if full => filter.after_seq = last,
            _ => return Ok(whole),
        }
    }
}
