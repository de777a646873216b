//! What a transition or a queueing changed, as statements that go out with the commit in one trip.

use xynergy_core::TenantId;
use xynergy_core::ads::Owner;
use xynergy_core::execution::machine::{Commit, Known};
use xynergy_core::execution::{AuditRow, ChainHead, ChangeRow, Movement, Pause, Reason};

use super::{load, sql};
use crate::store::postgres::values::{Value, by_column, values};

/// Statements with their parameters, in their order.
pub(super) type Saves<'a> = Vec<(&'static str, Vec<Value<'a>>)>;

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
        let columns = by_column(new.into_iter().map(inserted).collect());
        saves
            .push((sql::INSERT_CHANGES, [values![tenant.as_str()], columns].into_iter().flatten().collect()));
    }
    if let Some(unmoved) = commit.unmoved {
        let key = || values![tenant.as_str(), unmoved.change_id.to_string(), unmoved.attempt];
        saves.push((sql::UNMOVE, key()));
        if let Some(at) = unmoved.watch {
            saves.push((sql::WATCH, [key(), values![at]].into_iter().flatten().collect()));
        }
    }
    for row in &commit.movements {
        saves.push((sql::SAVE_MOVEMENT, moved(tenant, account_id, row)));
        if let Some((id, attempt)) = row.own.filter(|_| !row.open) {
            saves.push((sql::UNWATCH, values![tenant.as_str(), id.to_string(), attempt]));
        }
    }
    saves.extend(commit.pauses.iter().map(|pause| (sql::SAVE_PAUSE, paused(tenant, account_id, pause))));
    saves.extend(known_values(tenant, account_id, &commit.known));
    match commit.history.as_slice() {
        [] => {}
        [row] => saves.push((
            sql::INSERT_AUDIT,
            [values![tenant.as_str()], audited(row)].into_iter().flatten().collect(),
        )),
        rows => {
            let columns = by_column(rows.iter().map(audited).collect());
            saves.push((
                sql::INSERT_AUDITS,
                [values![tenant.as_str()], columns].into_iter().flatten().collect(),
            ));
        }
    }
    let (seq, hash) = match commit.history.last() {
        Some(newest) => (newest.seq, &newest.hash),
        None => (head.seq, &head.hash),
    };
    let seq = i64::try_from(seq).unwrap_or(i64::MAX);
    saves.push((sql::SAVE_ACCOUNT, values![tenant.as_str(), account_id, commit.now, seq, hash]));
    saves
}

/// Shows an owner to other workers again.
pub(super) fn unhide<'a>(
    tenant: &'a TenantId,
    account_id: &'a str,
    owner: &'a Owner,
) -> (&'static str, Vec<Value<'a>>) {
    (sql::UNHIDE, load::owner_values(tenant, account_id, owner))
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
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
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
