//! Changes and their history as tables that fit into 80 columns.

use comfy_table::Table;
use xynergy_core::execution::{AuditKind, AuditRow, ChangeRow, ChangeStatus, Reason};

use crate::ads::ChangeField;
use crate::cli::output::table;
use crate::execution::AdChange;
use crate::{Currency, Timestamp};

/// One change in a few lines: its id in one piece, so that it can be copied.
pub(in crate::cli) fn listed(rows: &[ChangeRow]) -> String {
    let mut table = table(&["change", "value", "standing"]);
    for row in rows {
        let change = &row.change;
        let show = |value| shown(change.field, change.currency, value);
        let what = lines([change.id.to_string(), change.account_id.clone(), change.owner.to_string()]);
        let value = lines([
            format!("{} {}", change.field.as_str(), show(change.expected_from)),
            format!("to {}{}", show(change.target), step(change)),
            // What the platform has is worth a line where it is not what was asked for.
            applied(row)
                .filter(|set| *set != change.target)
                .map(|set| format!("set {}", show(set)))
                .unwrap_or_default(),
        ]);
        let again = row.due_at.map(|at| format!("at {}", whole_seconds(at))).unwrap_or_default();
        table.add_row([what, value, lines([standing(row.status, row.reason), again])]);
    }
    fitted(table)
}

/// The rows of a change's history.
pub(super) fn told(history: &[AuditRow], change: &AdChange) -> String {
    let mut table = table(&["row", "at", "value", "what"]);
    for row in history {
        let show = |value| shown(change.field, change.currency, value);
        // The status of an intent says only that it is one.
        let what = match row.kind {
            AuditKind::Intent => format!("intent {}", row.attempt),
            _ => format!("{}: {}", row.kind.as_str(), standing(row.status, row.reason)),
        };
        let who = row.actor.as_ref().map(|actor| format!("by {actor}")).unwrap_or_default();
        table.add_row([
            row.seq.to_string(),
            whole_seconds(row.at),
            lines([show(row.from_value), format!("to {}", show(row.to_value))]),
            lines([what, row.detail.clone().unwrap_or_default(), who]),
        ]);
    }
    fitted(table)
}

fn fitted(mut table: Table) -> String {
    use comfy_table::{ColumnConstraint, ContentArrangement};
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(80);
    let last = table.column_count().saturating_sub(1);
    for column in table.column_iter_mut().take(last) {
        // Ids, times and money are whole or wrong.
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    format!("{table}")
}

fn lines<const N: usize>(lines: [String; N]) -> String {
    lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

fn step(change: &AdChange) -> String {
    change.ramp.map(|ramp| format!(" ({} of {})", ramp.step, ramp.steps)).unwrap_or_default()
}

fn whole_seconds(at: Timestamp) -> String {
    let at = at.to_string();
    match at.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => at,
    }
}

/// A value of a field for people.
pub(super) fn shown(field: ChangeField, currency: Currency, value: i64) -> String {
    match (field, value) {
        (ChangeField::Budget | ChangeField::Bid, _) => currency.show(value),
        (ChangeField::Status, 0) => "paused".to_owned(),
        (ChangeField::Status, _) => "active".to_owned(),
    }
}

/// What the platform has now because of the change.
pub(super) fn applied(row: &ChangeRow) -> Option<i64> {
    row.sent_value.filter(|_| row.status == ChangeStatus::Completed)
}

pub(super) fn standing(status: ChangeStatus, reason: Option<Reason>) -> String {
    match reason {
        Some(reason) => format!("{}: {}", status.as_str(), reason.as_str().replace('_', " ")),
        None => status.as_str().to_owned(),
    }
}
