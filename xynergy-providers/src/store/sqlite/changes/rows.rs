use std::str::FromStr;

use rusqlite::Row;
use xynergy_core::ads::Owner;
use xynergy_core::execution::{
    AdChange, Approval, AuditRow, ChangeRow, LearnedRate, Movement, Pause, RampStep,
};
use xynergy_core::{Error, ErrorKind, TenantId, Timestamp};

use crate::store::sqlite::error::Failure;

/// A change from a row of `pending_ad_changes`.
pub(super) fn change(row: &Row<'_>) -> Result<ChangeRow, Failure> {
    Ok(ChangeRow {
        change: AdChange {
            id: parsed(row, "id")?,
            account_id: row.get("account_id")?,
            campaign_id: row.get("campaign_id")?,
            owner: owner(row)?,
            field: parsed(row, "field")?,
            expected_from: row.get("expected_from")?,
            target: row.get("target")?,
            currency: parsed(row, "currency")?,
            allocation_id: row.get("allocation_id")?,
            causation_id: row.get("causation_id")?,
            reason: row.get("purpose")?,
            expires_at: maybe_time(row, "wanted_until")?,
            ramp: ramp(row)?,
        },
        status: parsed(row, "status")?,
        reason: maybe_parsed(row, "reason")?,
        retry_at: maybe_time(row, "retry_at")?,
        due_at: maybe_time(row, "due_at")?,
        run_at: time(row, "run_at")?,
        expires_at: time(row, "expires_at")?,
        attempt: row.get("attempt")?,
        attempts_forgiven: row.get("attempts_forgiven")?,
        observed_from: row.get("observed_from")?,
        sent_value: row.get("sent_value")?,
        intent_at: maybe_time(row, "intent_at")?,
        lease_until: maybe_time(row, "lease_until")?,
        token: maybe_parsed(row, "token")?,
        detail: row.get("detail")?,
        approval: approval(row)?,
        queued_at: time(row, "queued_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

fn ramp(row: &Row<'_>) -> Result<Option<RampStep>, Failure> {
    let Some(id) = maybe_parsed(row, "ramp_id")? else { return Ok(None) };
    let (step, steps) = (row.get("ramp_step")?, row.get("ramp_steps")?);
    Ok(Some(RampStep { id, step, steps, target: row.get("ramp_target")? }))
}

/// A row of `ad_platform_pauses`.
pub(super) fn pause(row: &Row<'_>) -> Result<Pause, Failure> {
    let whole_account = row.get_ref("owner_level")?.as_str().is_ok_and(str::is_empty);
    let changes: Option<u32> = row.get("learned_changes")?;
    let until = maybe_time(row, "learned_until")?;
    Ok(Pause {
        owner: if whole_account { None } else { Some(owner(row)?) },
        until: time(row, "until")?,
        reason: parsed(row, "reason")?,
        learned: changes.zip(until).map(|(changes, until)| LearnedRate { changes, until }),
    })
}

fn approval(row: &Row<'_>) -> Result<Option<Approval>, Failure> {
    let digest: Option<String> = row.get("plan_digest")?;
    let Some(digest) = digest else { return Ok(None) };
    let approved_at = maybe_time(row, "approved_at")?;
    Ok(Some(Approval { digest, approved_by: row.get("approved_by")?, approved_at }))
}

/// A row of `ad_change_history`.
pub(super) fn audit(row: &Row<'_>) -> Result<AuditRow, Failure> {
    Ok(AuditRow {
        tenant_id: TenantId::new(row.get::<_, String>("tenant_id")?)?,
        account_id: row.get("account_id")?,
        seq: row.get("seq")?,
        kind: parsed(row, "kind")?,
        change_id: parsed(row, "change_id")?,
        attempt: row.get("attempt")?,
        campaign_id: row.get("campaign_id")?,
        owner: owner(row)?,
        field: parsed(row, "field")?,
        from_value: row.get("from_value")?,
        to_value: row.get("to_value")?,
        status: parsed(row, "status")?,
        reason: maybe_parsed(row, "reason")?,
        retry_at: maybe_time(row, "retry_at")?,
        detail: row.get("detail")?,
        duration_ms: row.get("duration_ms")?,
        allocation_id: row.get("allocation_id")?,
        causation_id: row.get("causation_id")?,
        purpose: row.get("purpose")?,
        actor: row.get("actor")?,
        request_id: row.get("request_id")?,
        at: time(row, "at")?,
        prev_hash: row.get("prev_hash")?,
        hash: row.get("hash")?,
    })
}

/// A row of `ad_owner_movements`.
pub(super) fn movement(row: &Row<'_>) -> Result<Movement, Failure> {
    let attempt: Option<u32> = row.get("attempt")?;
    Ok(Movement {
        owner: owner(row)?,
        campaign_id: row.get("campaign_id")?,
        field: parsed(row, "field")?,
        from: row.get("from_value")?,
        to: row.get("to_value")?,
        at: time(row, "at")?,
        own: maybe_parsed(row, "change_id")?.zip(attempt),
        open: row.get("open")?,
    })
}

/// The owner in the columns `owner_level` and `owner_id`.
pub(super) fn owner(row: &Row<'_>) -> Result<Owner, Failure> {
    Ok(Owner { level: parsed(row, "owner_level")?, id: row.get("owner_id")? })
}

/// A value that is stored by its name.
pub(super) fn parsed<T: FromStr>(row: &Row<'_>, column: &'static str) -> Result<T, Failure> {
    let text: String = row.get(column)?;
    text.parse().map_err(|_| unreadable(column))
}

pub(super) fn maybe_parsed<T: FromStr>(row: &Row<'_>, column: &'static str) -> Result<Option<T>, Failure> {
    let text: Option<String> = row.get(column)?;
    text.map(|t| t.parse().map_err(|_| unreadable(column))).transpose()
}

pub(super) fn time(row: &Row<'_>, column: &'static str) -> Result<Timestamp, Failure> {
    Ok(Timestamp::from_micros(row.get(column)?))
}

fn maybe_time(row: &Row<'_>, column: &'static str) -> Result<Option<Timestamp>, Failure> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_micros))
}

/// A stored value that this version does not know: nothing is decided on a guess.
pub(super) fn unreadable(column: &'static str) -> Failure {
    Failure::Domain(
        Error::new(ErrorKind::Corrupt, "execution", "a stored value cannot be read back")
            .with_context("column", column),
    )
}
