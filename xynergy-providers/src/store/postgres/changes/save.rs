//! What a transition or a queueing changed, as statements that go out with the commit in one trip.

use xynergy_core::TenantId;
use xynergy_core::ads::Owner;
use xynergy_core::execution::machine::{Commit, Known};
use xynergy_core::execution::{AuditRow, ChainHead, ChangeRow, Movement, Pause, Reason};

use super::{load, sql};
use crate::store::postgres::values::{Value, by_column, values};

/// Statements with their parameters, in their order.
pub(super) type Saves<'a> = Vec<(&'static str, Vec<Value<'a>>)>;

/// What to save of a transition; `hidden` tells whether its owner is.
pub(super) fn step<'a>(
    tenant: &'a TenantId,
    row: &'a ChangeRow,
    head: &'a ChainHead,
    commit: &'a Commit,
    hidden: bool,
) -> Saves<'a> {
    let account_id = row.change.account_id.as_str();
    let of_row = |m: &&Movement| m.own == Some((row.change.id, row.attempt)) && m.owner == row.change.owner;
    let simple = commit.changes.len() == 1
        && commit.history.len() <= 1
        && commit.history.iter().all(|audit| audit.change_id == row.change.id)
        && commit.movements.len() <= 1
        && commit.movements.iter().all(|m| of_row(&m));
    if simple {
        let mut saves = vec![(sql::SAVE_STEP, one_step(tenant, row, head, commit, hidden))];
        saves.extend(unmoved(tenant, commit));
        saves.extend(commit.movements.iter().filter_map(|row| unwatched(tenant, row)));
        saves.extend(taught(tenant, account_id, commit));
        return saves;
    }
    let mut saves = self::commit(tenant, account_id, head, commit, |_| false);
    if hidden {
        saves.push((sql::UNHIDE, load::owner_values(tenant, account_id, &row.change.owner)));
    }
    saves
}

fn one_step<'a>(
    tenant: &'a TenantId,
    row: &'a ChangeRow,
    head: &'a ChainHead,
    commit: &'a Commit,
    hidden: bool,
) -> Vec<Value<'a>> {
    let change = &row.change;
    let (movement, audit) = (commit.movements.first(), commit.history.first());
    let mut values = updated(tenant, row);
    values.extend(values![
        &change.account_id,
        change.owner.level.as_str(),
        &change.owner.id,
        &change.campaign_id,
        change.field.as_str(),
        movement.map(|_| i64::from(row.attempt)),
        movement.map(|m| m.from),
        movement.map(|m| m.to),
        movement.map(|m| m.at),
        movement.is_some_and(|m| m.open),
        audit.map(|a| number(a.seq)),
        audit.map(|a| a.kind.as_str()),
        audit.map(|a| i64::from(a.attempt)),
        audit.map(|a| a.from_value),
        audit.map(|a| a.to_value),
        audit.map(|a| a.status.as_str()),
        audit.and_then(|a| a.reason).map(Reason::as_str),
        audit.and_then(|a| a.retry_at),
        audit.and_then(|a| a.detail.as_deref()),
        audit.and_then(|a| a.duration_ms).map(number),
        audit.and_then(|a| a.allocation_id.as_deref()),
        audit.and_then(|a| a.causation_id.as_deref()),
        audit.map(|a| a.purpose.as_str()),
        audit.and_then(|a| a.actor.as_deref()),
        audit.map(|a| a.request_id.as_str()),
        audit.map(|a| a.at),
        audit.map(|a| a.prev_hash.as_str()),
        commit.now,
    ]);
    values.extend(newest(head, commit));
    values.extend(values![hidden]);
    values
}

/// What to save of a commit. Of its changes, those that `is_new` are inserted, the others are there already.
pub(super) fn commit<'a>(
    tenant: &'a TenantId,
    account_id: &'a str,
    head: &'a ChainHead,
    commit: &'a Commit,
    is_new: impl Fn(&ChangeRow) -> bool,
) -> Saves<'a> {
    let mut saves = Saves::new();
    let (new, known): (Vec<_>, Vec<_>) = commit.changes.iter().partition(|row| is_new(row));
    // What ends before what begins: the index of what is in flight never sees two of one owner.
    let (in_flight, other): (Vec<_>, Vec<_>) = known.into_iter().partition(|row| row.in_flight());
    saves.extend(other.into_iter().chain(in_flight).map(|row| (sql::UPDATE_CHANGE, updated(tenant, row))));
    if !new.is_empty() {
        saves.push((
            sql::INSERT_CHANGES,
            of_tenant(tenant, by_column(new.into_iter().map(inserted).collect())),
        ));
    }
    saves.extend(unmoved(tenant, commit));
    for row in &commit.movements {
        saves.push((sql::SAVE_MOVEMENT, moved(tenant, account_id, row)));
        saves.extend(unwatched(tenant, row));
    }
    saves.extend(taught(tenant, account_id, commit));
    match commit.history.as_slice() {
        [] => {}
        [row] => saves.push((sql::INSERT_AUDIT, of_tenant(tenant, audited(row)))),
        rows => {
            let columns = by_column(rows.iter().map(audited).collect());
            saves.push((sql::INSERT_AUDITS, of_tenant(tenant, columns)));
        }
    }
    let mut account = values![tenant.as_str(), account_id, commit.now];
    account.extend(newest(head, commit));
    saves.push((sql::SAVE_ACCOUNT, account));
    saves
}

/// The newest row of the history.
fn newest<'a>(head: &'a ChainHead, commit: &'a Commit) -> Vec<Value<'a>> {
    match commit.history.last() {
        Some(newest) => values![number(newest.seq), &newest.hash],
        None => values![number(head.seq), &head.hash],
    }
}

fn unmoved<'a>(tenant: &'a TenantId, commit: &Commit) -> Saves<'a> {
    let Some(unmoved) = commit.unmoved else { return Saves::new() };
    let key = || values![tenant.as_str(), unmoved.change_id.to_string(), unmoved.attempt];
    let mut saves = vec![(sql::UNMOVE, key())];
    if let Some(at) = unmoved.watch {
        saves.push((sql::WATCH, [key(), values![at]].into_iter().flatten().collect()));
    }
    saves
}

/// What moved after all is not watched any more.
fn unwatched<'a>(tenant: &'a TenantId, row: &Movement) -> Option<(&'static str, Vec<Value<'a>>)> {
    let (id, attempt) = row.own.filter(|_| !row.open)?;
    Some((sql::UNWATCH, values![tenant.as_str(), id.to_string(), attempt]))
}

/// What was learned of the platform.
fn taught<'a>(tenant: &'a TenantId, account_id: &'a str, commit: &'a Commit) -> Saves<'a> {
    let pauses = commit.pauses.iter().map(|pause| (sql::SAVE_PAUSE, paused(tenant, account_id, pause)));
    pauses.chain(known_values(tenant, account_id, &commit.known)).collect()
}

fn of_tenant<'a>(tenant: &'a TenantId, values: Vec<Value<'a>>) -> Vec<Value<'a>> {
    [values![tenant.as_str()], values].into_iter().flatten().collect()
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn updated<'a>(tenant: &'a TenantId, row: &'a ChangeRow) -> Vec<Value<'a>> {
    let approval = row.approval.as_ref();
    values![
        tenant.as_str(),
        row.change.id.to_string(),
        row.status.as_str(),
        row.reason.map(Reason::as_str),
        row.retry_at,
        row.due_at,
        row.run_at,
        row.attempt,
        row.attempts_forgiven,
        row.observed_from,
        row.sent_value,
        row.intent_at,
        row.lease_until,
        row.token.map(|t| t.to_string()),
        row.detail.as_deref(),
        approval.and_then(|a| a.approved_by.as_deref()),
        approval.and_then(|a| a.approved_at),
        row.updated_at,
    ]
}

fn inserted(row: &ChangeRow) -> Vec<Value<'_>> {
    let change = &row.change;
    let approval = row.approval.as_ref();
    values![
        change.id.to_string(),
        &change.account_id,
        &change.campaign_id,
        change.owner.level.as_str(),
        &change.owner.id,
        change.field.as_str(),
        change.expected_from,
        change.target,
        change.currency.as_str(),
        change.allocation_id.as_deref(),
        change.causation_id.as_deref(),
        &change.reason,
        change.expires_at,
        change.ramp.map(|r| r.id.to_string()),
        change.ramp.map(|r| i64::from(r.step)),
        change.ramp.map(|r| i64::from(r.steps)),
        change.ramp.map(|r| r.target),
        row.status.as_str(),
        row.reason.map(Reason::as_str),
        row.retry_at,
        row.due_at,
        row.run_at,
        row.expires_at,
        row.attempt,
        row.attempts_forgiven,
        row.observed_from,
        row.sent_value,
        row.intent_at,
        row.lease_until,
        row.token.map(|t| t.to_string()),
        row.detail.as_deref(),
        approval.map(|a| a.digest.as_str()),
        approval.and_then(|a| a.approved_by.as_deref()),
        approval.and_then(|a| a.approved_at),
        row.queued_at,
        row.updated_at,
    ]
}

fn moved<'a>(tenant: &'a TenantId, account_id: &'a str, row: &'a Movement) -> Vec<Value<'a>> {
    values![
        tenant.as_str(),
        account_id,
        row.owner.level.as_str(),
        &row.owner.id,
        &row.campaign_id,
        row.field.as_str(),
        row.from,
        row.to,
        row.at,
        row.own.map(|(id, _)| id.to_string()),
        row.own.map(|(_, attempt)| i64::from(attempt)),
        row.open,
    ]
}

fn paused<'a>(tenant: &'a TenantId, account_id: &'a str, pause: &'a Pause) -> Vec<Value<'a>> {
    let (level, id) = pause.owner.as_ref().map_or(("", ""), |o| (o.level.as_str(), o.id.as_str()));
    values![
        tenant.as_str(),
        account_id,
        level,
        id,
        pause.until,
        pause.reason.as_str(),
        pause.learned.map(|l| i64::from(l.changes)),
        pause.learned.map(|l| l.until),
    ]
}

fn known_values<'a>(tenant: &'a TenantId, account_id: &'a str, known: &'a Known) -> Saves<'a> {
    let save = |((owner, field), value): (&'a (Owner, xynergy_core::ads::ChangeField), &i64)| {
        let key = load::owner_values(tenant, account_id, owner);
        (sql::SAVE_KNOWN, [key, values![field.as_str(), *value]].into_iter().flatten().collect())
    };
    known.iter().map(save).collect()
}

fn audited(row: &AuditRow) -> Vec<Value<'_>> {
    values![
        &row.account_id,
        number(row.seq),
        row.kind.as_str(),
        row.change_id.to_string(),
        row.attempt,
        &row.campaign_id,
        row.owner.level.as_str(),
        &row.owner.id,
        row.field.as_str(),
        row.from_value,
        row.to_value,
        row.status.as_str(),
        row.reason.map(Reason::as_str),
        row.retry_at,
        row.detail.as_deref(),
        row.duration_ms.map(number),
        row.allocation_id.as_deref(),
        row.causation_id.as_deref(),
        &row.purpose,
        row.actor.as_deref(),
        &row.request_id,
        row.at,
        &row.prev_hash,
        &row.hash,
    ]
}
