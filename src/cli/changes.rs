//! `xynergy changes`

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use comfy_table::{Cell, CellAlignment};
use serde::Serialize;
use xynergy_core::execution::{AuditKind, AuditRow, ChangeId, ChangeRow, ChangeStatus, Reason};
use xynergy_core::store::{ChangeFilter, HistoryFilter};

use super::desk::{Desk, Place};
use super::kill;
use super::output::{BAD, Ended, styled, table};
use crate::ads::ChangeField;
use crate::execution::AdChange;
use crate::{Currency, Error, ErrorKind, Result};

/// List budget changes, or show one with its history.
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

fn change_id(text: &str) -> Result<ChangeId, String> {
    text.parse().map_err(|e: Error| e.message().to_owned())
}

pub(super) async fn run(options: &Options) -> Result<Ended> {
    match &options.what {
        None => list(&options.list).await,
        Some(What::List(options)) => list(options).await,
        Some(What::Show(options)) => show(options).await,
    }
}

async fn list(options: &List) -> Result<Ended> {
    #[derive(Serialize)]
    struct Listed {
        changes: Vec<ChangeRow>,
        kills: Vec<String>,
    }
    let desk = options.place.open().await?;
    let filter = ChangeFilter {
        account_id: options.account.clone(),
        allocation_id: options.allocation.clone(),
        status: options.status,
        ..ChangeFilter::default()
    };
    let rows = desk.executor.list(&desk.ctx, &filter).await?;
    let kills = kill::names(&kill::switched_on(&desk).await?);
    if options.place.json {
        return Ended::json(&Listed { changes: rows, kills });
    }
    Ok(Ended::text(format!(
        "{}{}\n{}\n{}",
        warning(&kills),
        listed(&rows),
        counted(&rows),
        unapproved(&rows)
    )))
}

fn warning(kills: &[String]) -> String {
    kills.iter().map(|scope| format!("{} {scope}\n", styled(BAD, "kill switch on:"))).collect()
}

pub(super) fn listed(rows: &[ChangeRow]) -> String {
    let mut table = table(&["id", "account", "owner", "field", "from", "asked", "set", "status", "again at"]);
    for row in rows {
        let change = &row.change;
        let show = |value| shown(change.field, change.currency, value);
        table.add_row([
            Cell::new(change.id),
            Cell::new(&change.account_id),
            Cell::new(&change.owner),
            Cell::new(change.field.as_str()),
            right(show(change.expected_from)),
            right(show(change.target)),
            right(applied(row).map(show).unwrap_or_default()),
            Cell::new(standing(row.status, row.reason)),
            Cell::new(row.due_at.map(|at| at.to_string()).unwrap_or_default()),
        ]);
    }
    table.to_string()
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
    line("set", &applied(&row).map(show).unwrap_or_default());
    line("status", &standing(row.status, row.reason));
    line("detail", row.detail.as_deref().unwrap_or_default());
    line("again at", &row.due_at.map(|at| at.to_string()).unwrap_or_default());
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

fn told(history: &[AuditRow], change: &AdChange) -> String {
    let mut table = table(&["row", "at", "kind", "attempt", "from", "to", "status", "actor", "detail"]);
    for row in history {
        let show = |value| shown(change.field, change.currency, value);
        table.add_row([
            right(row.seq),
            Cell::new(row.at),
            Cell::new(row.kind.as_str()),
            right(row.attempt),
            right(show(row.from_value)),
            right(show(row.to_value)),
            // The status of an intent says only that it is one.
            Cell::new(if row.kind == AuditKind::Intent {
                String::new()
            } else {
                standing(row.status, row.reason)
            }),
            Cell::new(row.actor.as_deref().unwrap_or_default()),
            Cell::new(row.detail.as_deref().unwrap_or_default()),
        ]);
    }
    table.to_string()
}

/// A value of a field for people.
fn shown(field: ChangeField, currency: Currency, value: i64) -> String {
    match (field, value) {
        (ChangeField::Budget | ChangeField::Bid, _) => currency.show(value),
        (ChangeField::Status, 0) => "paused".to_owned(),
        (ChangeField::Status, _) => "active".to_owned(),
    }
}

/// What the platform has now because of the change.
fn applied(row: &ChangeRow) -> Option<i64> {
    row.sent_value.filter(|_| row.status == ChangeStatus::Completed)
}

fn standing(status: ChangeStatus, reason: Option<Reason>) -> String {
    match reason {
        Some(reason) => format!("{}: {}", status.as_str(), reason.as_str().replace('_', " ")),
        None => status.as_str().to_owned(),
    }
}

fn right(text: impl ToString) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}
