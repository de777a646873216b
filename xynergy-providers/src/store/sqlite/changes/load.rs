use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rusqlite::{OptionalExtension, Params, Transaction, params};
use xynergy_core::execution::machine::{AccountView, KillScope};
use xynergy_core::execution::{AccountLimits, AdChange, ChainHead, ChangeId, ChangeRow, Movement};
use xynergy_core::{TenantId, Timestamp};

use super::rows;
use crate::store::sqlite::error::Failure;

/// What the machine sees of one change's account.
pub(super) fn view(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    change: &AdChange,
    now: Timestamp,
    window: Duration,
) -> Result<AccountView, Failure> {
    let mut view = account(transaction, tenant, &change.account_id, &[change], now)?;
    view.movements = movements(transaction, tenant, change, view.now.minus(window))?;
    Ok(view)
}

/// What the machine sees of an account, without movements.
pub(super) fn account(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    account_id: &str,
    changes: &[&AdChange],
    now: Timestamp,
) -> Result<AccountView, Failure> {
    let head = transaction
        .prepare_cached("SELECT seq, hash FROM ad_change_heads WHERE tenant_id = ?1 AND account_id = ?2")?
        .query_row(params![tenant.as_str(), account_id], |row| {
            Ok(ChainHead { seq: row.get(0)?, hash: row.get(1)? })
        })
        .optional()?;
    Ok(AccountView {
        now: time(transaction, tenant)?.map_or(now, |seen| seen.max(now)),
        limits: limits(transaction, tenant, account_id)?,
        kills: kills(transaction, tenant)?,
        head: head.unwrap_or_default(),
        known: known(transaction, tenant, account_id)?,
        open: open(transaction, tenant, account_id, changes)?,
        movements: Vec::new(),
    })
}

pub(super) fn change(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    id: ChangeId,
) -> Result<Option<ChangeRow>, Failure> {
    let found = changes(
        transaction,
        "SELECT * FROM pending_ad_changes WHERE tenant_id = ?1 AND id = ?2",
        params![tenant.as_str(), id.to_string()],
    )?;
    Ok(found.into_iter().next())
}

/// The changes that were queued under a digest, by id.
pub(super) fn of_plan(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    digest: &str,
) -> Result<Vec<ChangeRow>, Failure> {
    changes(
        transaction,
        "SELECT * FROM pending_ad_changes WHERE tenant_id = ?1 AND plan_digest = ?2 ORDER BY id",
        params![tenant.as_str(), digest],
    )
}

/// The change to be looked at next. One whose owner has another one in flight is left out.
pub(super) fn most_urgent(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
) -> Result<Option<ChangeRow>, Failure> {
    let found = changes(
        transaction,
        "SELECT * FROM pending_ad_changes AS c
         WHERE tenant_id = ?1 AND due_at IS NOT NULL
           AND (status IN ('claimed', 'executing') OR NOT EXISTS (
             SELECT 1 FROM pending_ad_changes AS f
             WHERE f.tenant_id = c.tenant_id AND f.account_id = c.account_id AND f.owner_level = c.owner_level
               AND f.owner_id = c.owner_id AND f.status IN ('claimed', 'executing')))
         ORDER BY due_at, id LIMIT 1",
        params![tenant.as_str()],
    )?;
    Ok(found.into_iter().next())
}

pub(super) fn time(transaction: &Transaction<'_>, tenant: &TenantId) -> Result<Option<Timestamp>, Failure> {
    Ok(transaction
        .prepare_cached("SELECT high_water FROM execution_clock WHERE tenant_id = ?1")?
        .query_row([tenant.as_str()], |row| row.get(0).map(Timestamp::from_micros))
        .optional()?)
}

pub(super) fn limits(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    account_id: &str,
) -> Result<Option<AccountLimits>, Failure> {
    let mut statement = transaction
        .prepare_cached("SELECT * FROM ad_account_limits WHERE tenant_id = ?1 AND account_id = ?2")?;
    let mut found = statement.query(params![tenant.as_str(), account_id])?;
    let Some(row) = found.next()? else { return Ok(None) };
    Ok(Some(AccountLimits {
        currency: rows::parsed(row, "currency")?,
        total_daily_minor: row.get("total_daily_minor")?,
        min_minor: row.get("min_minor")?,
        max_minor: row.get("max_minor")?,
    }))
}

pub(super) fn kills(transaction: &Transaction<'_>, tenant: &TenantId) -> Result<Vec<KillScope>, Failure> {
    let mut statement = transaction.prepare_cached("SELECT value FROM kill_switches WHERE tenant_id = ?1")?;
    let found = statement.query_map([tenant.as_str()], |row| row.get::<_, String>(0))?;
    let mut scopes = BTreeSet::new();
    for value in found {
        scopes.insert(serde_json::from_str(&value?).map_err(|_| rows::unreadable("kill_switches.value"))?);
    }
    Ok(scopes.into_iter().collect())
}

fn known(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    account_id: &str,
) -> Result<xynergy_core::execution::machine::Known, Failure> {
    let mut statement = transaction.prepare_cached(
        "SELECT owner_level, owner_id, field, value FROM ad_owner_values WHERE tenant_id = ?1 AND account_id = ?2",
    )?;
    let mut found = statement.query(params![tenant.as_str(), account_id])?;
    let mut known = BTreeMap::new();
    while let Some(row) = found.next()? {
        known.insert((rows::owner(row)?, rows::parsed(row, "field")?), row.get("value")?);
    }
    Ok(known)
}

/// Changes in flight, and those that wait and share an owner or an allocation with one of `changes`; by id.
fn open(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    account_id: &str,
    of: &[&AdChange],
) -> Result<Vec<ChangeRow>, Failure> {
    let mut open = BTreeMap::new();
    let mut add = |rows: Vec<ChangeRow>| open.extend(rows.into_iter().map(|r| (r.change.id, r)));
    add(changes(
        transaction,
        "SELECT * FROM pending_ad_changes
         WHERE tenant_id = ?1 AND account_id = ?2 AND status IN ('claimed', 'executing')",
        params![tenant.as_str(), account_id],
    )?);
    let owners: BTreeSet<_> = of.iter().map(|c| &c.owner).collect();
    for owner in owners {
        add(changes(
            transaction,
            "SELECT * FROM pending_ad_changes
             WHERE tenant_id = ?1 AND account_id = ?2 AND owner_level = ?3 AND owner_id = ?4 AND due_at IS NOT NULL",
            params![tenant.as_str(), account_id, owner.level.as_str(), owner.id],
        )?);
    }
    let allocations: BTreeSet<_> = of.iter().filter_map(|c| c.allocation_id.as_ref()).collect();
    for allocation in allocations {
        add(changes(
            transaction,
            "SELECT * FROM pending_ad_changes
             WHERE tenant_id = ?1 AND account_id = ?2 AND allocation_id = ?3 AND due_at IS NOT NULL",
            params![tenant.as_str(), account_id, allocation],
        )?);
    }
    Ok(open.into_values().collect())
}

fn movements(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    change: &AdChange,
    since: Timestamp,
) -> Result<Vec<Movement>, Failure> {
    let mut statement = transaction.prepare_cached(
        "SELECT * FROM ad_owner_movements
         WHERE tenant_id = ?1 AND account_id = ?2 AND campaign_id = ?3 AND (open OR at > ?4) ORDER BY id",
    )?;
    let mut found =
        statement.query(params![tenant.as_str(), change.account_id, change.campaign_id, since.micros()])?;
    let mut movements = Vec::new();
    while let Some(row) = found.next()? {
        movements.push(rows::movement(row)?);
    }
    Ok(movements)
}

fn changes(
    transaction: &Transaction<'_>,
    sql: &'static str,
    params: impl Params,
) -> Result<Vec<ChangeRow>, Failure> {
    let mut statement = transaction.prepare_cached(sql)?;
    let mut found = statement.query(params)?;
    let mut changes = Vec::new();
    while let Some(row) = found.next()? {
        changes.push(rows::change(row)?);
    }
    Ok(changes)
}
