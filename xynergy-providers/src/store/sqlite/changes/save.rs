use rusqlite::{ErrorCode, Transaction, named_params, params};
use xynergy_core::execution::machine::Commit;
use xynergy_core::execution::{AuditRow, ChangeId, ChangeRow, Movement, Pause, Reason};
use xynergy_core::{Error, ErrorKind, TenantId, Timestamp};

use crate::store::sqlite::error::Failure;

/// Saves what a transition or a queueing changed.
pub(super) fn commit(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    account_id: &str,
    commit: &Commit,
) -> Result<(), Failure> {
    transaction
        .prepare_cached(
            "INSERT INTO ad_account_clocks VALUES (?1, ?2, ?3)
             ON CONFLICT (tenant_id, account_id) DO UPDATE SET high_water = max(high_water, excluded.high_water)",
        )?
        .execute(params![tenant.as_str(), account_id, commit.now.micros()])?;
    for row in &commit.changes {
        change(transaction, tenant, row)?;
    }
    if let Some(unmoved) = &commit.unmoved {
        let (id, attempt) = (unmoved.change_id.to_string(), unmoved.attempt);
        transaction
            .prepare_cached(
                "DELETE FROM ad_owner_movements WHERE tenant_id = ?1 AND change_id = ?2 AND attempt = ?3",
            )?
            .execute(params![tenant.as_str(), id, attempt])?;
        if let Some(intent_at) = unmoved.watch {
            transaction
                .prepare_cached("INSERT OR REPLACE INTO ad_watched_attempts VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![tenant.as_str(), id, attempt, intent_at.micros()])?;
        }
    }
    for row in &commit.pauses {
        pause(transaction, tenant, account_id, row)?;
    }
    for row in &commit.movements {
        movement(transaction, tenant, account_id, row)?;
    }
    for ((owner, field), value) in &commit.known {
        transaction
            .prepare_cached("INSERT OR REPLACE INTO ad_owner_values VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![
                tenant.as_str(),
                account_id,
                owner.level.as_str(),
                owner.id,
                field.as_str(),
                value
            ])?;
    }
    for row in &commit.history {
        audit(transaction, row)?;
    }
    Ok(())
}

fn change(transaction: &Transaction<'_>, tenant: &TenantId, row: &ChangeRow) -> Result<(), Failure> {
    let change = &row.change;
    let saved = transaction
        .prepare_cached(
            "INSERT INTO pending_ad_changes
             VALUES (:tenant_id, :id, :account_id, :campaign_id, :owner_level, :owner_id, :field, :expected_from,
                     :target, :currency, :allocation_id, :causation_id, :purpose, :wanted_until, :status, :reason,
                     :retry_at, :due_at, :run_at, :expires_at, :attempt, :observed_from, :sent_value, :intent_at,
                     :lease_until, :token, :detail, :queued_at, :updated_at, :plan_digest, :approved_by, :approved_at,
                     :attempts_forgiven, :ramp_id, :ramp_step, :ramp_steps, :ramp_target)
             ON CONFLICT (tenant_id, id) DO UPDATE SET
                     status = excluded.status, reason = excluded.reason, retry_at = excluded.retry_at,
                     due_at = excluded.due_at, run_at = excluded.run_at, attempt = excluded.attempt,
                     observed_from = excluded.observed_from, sent_value = excluded.sent_value,
                     intent_at = excluded.intent_at, lease_until = excluded.lease_until, token = excluded.token,
                     detail = excluded.detail, updated_at = excluded.updated_at,
                     approved_by = excluded.approved_by, approved_at = excluded.approved_at,
                     attempts_forgiven = excluded.attempts_forgiven",
        )?
        .execute(named_params! {
            ":tenant_id": tenant.as_str(),
            ":id": change.id.to_string(),
            ":account_id": change.account_id,
            ":campaign_id": change.campaign_id,
            ":owner_level": change.owner.level.as_str(),
            ":owner_id": change.owner.id,
            ":field": change.field.as_str(),
            ":expected_from": change.expected_from,
            ":target": change.target,
            ":currency": change.currency.as_str(),
            ":allocation_id": change.allocation_id,
            ":causation_id": change.causation_id,
            ":purpose": change.reason,
            ":wanted_until": micros(change.expires_at),
            ":status": row.status.as_str(),
            ":reason": row.reason.map(Reason::as_str),
            ":retry_at": micros(row.retry_at),
            ":due_at": micros(row.due_at),
            ":run_at": row.run_at.micros(),
            ":expires_at": row.expires_at.micros(),
            ":attempt": row.attempt,
            ":observed_from": row.observed_from,
            ":sent_value": row.sent_value,
            ":intent_at": micros(row.intent_at),
            ":lease_until": micros(row.lease_until),
            ":token": row.token.map(|t| t.to_string()),
            ":detail": row.detail,
            ":queued_at": row.queued_at.micros(),
            ":updated_at": row.updated_at.micros(),
            ":plan_digest": row.approval.as_ref().map(|approval| &approval.digest),
            ":approved_by": row.approval.as_ref().and_then(|approval| approval.approved_by.as_ref()),
            ":approved_at": micros(row.approval.as_ref().and_then(|approval| approval.approved_at)),
            ":attempts_forgiven": row.attempts_forgiven,
            ":ramp_id": change.ramp.map(|ramp| ramp.id.to_string()),
            ":ramp_step": change.ramp.map(|ramp| ramp.step),
            ":ramp_steps": change.ramp.map(|ramp| ramp.steps),
            ":ramp_target": change.ramp.map(|ramp| ramp.target),
        });
    saved.map(|_| ()).map_err(|error| contended(error, change.id))
}

/// The index of what is in flight holds where the guard did not: another change of the owner was faster.
fn contended(error: rusqlite::Error, id: ChangeId) -> Failure {
    if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) {
        return Failure::Domain(
            Error::new(ErrorKind::Conflict, "execution", "another change of the same owner is in flight")
                .with_context("change_id", id.to_string())
                .with_source(error),
        );
    }
    Failure::Sqlite(error)
}

/// The owner may be picked again.
pub(super) fn unhide(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    row: &ChangeRow,
) -> Result<(), Failure> {
    let owner = &row.change.owner;
    transaction
        .prepare_cached(
            "DELETE FROM ad_owner_picks
             WHERE tenant_id = ?1 AND account_id = ?2 AND owner_level = ?3 AND owner_id = ?4",
        )?
        .execute(params![tenant.as_str(), row.change.account_id, owner.level.as_str(), owner.id])?;
    Ok(())
}

/// The owner is hidden from other picks.
pub(super) fn hide(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    row: &ChangeRow,
    until: Timestamp,
) -> Result<(), Failure> {
    let owner = &row.change.owner;
    transaction
        .prepare_cached("INSERT OR REPLACE INTO ad_owner_picks VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![
            tenant.as_str(),
            row.change.account_id,
            owner.level.as_str(),
            owner.id,
            until.micros()
        ])?;
    Ok(())
}

fn pause(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    account_id: &str,
    row: &Pause,
) -> Result<(), Failure> {
    let (level, id) = row.owner.as_ref().map_or(("", ""), |owner| (owner.level.as_str(), &owner.id));
    transaction
        .prepare_cached("INSERT OR REPLACE INTO ad_platform_pauses VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
        .execute(params![
            tenant.as_str(),
            account_id,
            level,
            id,
            row.until.micros(),
            row.reason.as_str(),
            row.learned.map(|learned| learned.changes),
            micros(row.learned.map(|learned| learned.until)),
        ])?;
    Ok(())
}

fn movement(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    account_id: &str,
    row: &Movement,
) -> Result<(), Failure> {
    transaction
        .prepare_cached(
            "INSERT INTO ad_owner_movements (tenant_id, account_id, campaign_id, owner_level, owner_id, field,
                                             from_value, to_value, at, change_id, attempt, open)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
             ON CONFLICT (tenant_id, change_id, attempt) WHERE change_id IS NOT NULL
             DO UPDATE SET at = excluded.at, open = excluded.open",
        )?
        .execute(params![
            tenant.as_str(),
            account_id,
            row.campaign_id,
            row.owner.level.as_str(),
            row.owner.id,
            row.field.as_str(),
            row.from,
            row.to,
            row.at.micros(),
            row.own.map(|(id, _)| id.to_string()),
            row.own.map(|(_, attempt)| attempt),
            row.open
        ])?;
    if let Some((id, attempt)) = row.own {
        transaction
            .prepare_cached(
                "DELETE FROM ad_watched_attempts WHERE tenant_id = ?1 AND change_id = ?2 AND attempt = ?3",
            )?
            .execute(params![tenant.as_str(), id.to_string(), attempt])?;
    }
    Ok(())
}

fn audit(transaction: &Transaction<'_>, row: &AuditRow) -> Result<(), Failure> {
    transaction
        .prepare_cached(
            "INSERT INTO ad_change_history
             (tenant_id, account_id, seq, kind, change_id, attempt, campaign_id, owner_level, owner_id, field,
              from_value, to_value, status, reason, retry_at, detail, duration_ms, allocation_id, causation_id,
              purpose, actor, request_id, at, prev_hash, hash)
             VALUES (:tenant_id, :account_id, :seq, :kind, :change_id, :attempt, :campaign_id, :owner_level,
                     :owner_id, :field, :from_value, :to_value, :status, :reason, :retry_at, :detail, :duration_ms,
                     :allocation_id, :causation_id, :purpose, :actor, :request_id, :at, :prev_hash, :hash)",
        )?
        .execute(named_params! {
            ":tenant_id": row.tenant_id.as_str(),
            ":account_id": row.account_id,
            ":seq": row.seq,
            ":kind": row.kind.as_str(),
            ":change_id": row.change_id.to_string(),
            ":attempt": row.attempt,
            ":campaign_id": row.campaign_id,
            ":owner_level": row.owner.level.as_str(),
            ":owner_id": row.owner.id,
            ":field": row.field.as_str(),
            ":from_value": row.from_value,
            ":to_value": row.to_value,
            ":status": row.status.as_str(),
            ":reason": row.reason.map(Reason::as_str),
            ":retry_at": micros(row.retry_at),
            ":detail": row.detail,
            ":duration_ms": row.duration_ms,
            ":allocation_id": row.allocation_id,
            ":causation_id": row.causation_id,
            ":purpose": row.purpose,
            ":actor": row.actor,
            ":request_id": row.request_id,
            ":at": row.at.micros(),
            ":prev_hash": row.prev_hash,
            ":hash": row.hash,
        })?;
    transaction
        .prepare_cached("INSERT OR REPLACE INTO ad_change_heads VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![row.tenant_id.as_str(), row.account_id, row.seq, row.hash])?;
    Ok(())
}

fn micros(time: Option<Timestamp>) -> Option<i64> {
    time.map(Timestamp::micros)
}
