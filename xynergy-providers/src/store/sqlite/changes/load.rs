use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, Params, Transaction, params};
use xynergy_core::execution::guard::RecentChanges;
use xynergy_core::execution::machine::{AccountView, CallTime, KillScope};
use xynergy_core::execution::{
    AccountLimits, AdChange, ChainHead, ChangeId, ChangeRow, Movement, Pause, Policy,
};
use xynergy_core::execution::{ChangeStatus, Reason};
use xynergy_core::store::{Backlog, BacklogCount, ChangeFilter, WatchedAttempt};
use xynergy_core::{TenantId, Timestamp};

use super::rows;
use crate::store::sqlite::error::Failure;

/// What the machine sees of one change's account.
pub(super) fn view(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    change: &AdChange,
    at: CallTime,
    policy: &Policy,
) -> Result<AccountView, Failure> {
    let mut view = account(transaction, tenant, &change.account_id, &[change], at)?;
    view.movements = movements(transaction, tenant, change, &view, policy)?;
    let window = std::time::Duration::from_millis(policy.rate_window_ms);
    view.recent = recent(transaction, tenant, &change.account_id, view.now.minus(window))?;
    Ok(view)
}

/// What the machine sees of an account, without movements.
pub(super) fn account(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    account_id: &str,
    changes: &[&AdChange],
    at: CallTime,
) -> Result<AccountView, Failure> {
    let head = transaction
        .prepare_cached("SELECT seq, hash FROM ad_change_heads WHERE tenant_id = ?1 AND account_id = ?2")?
        .query_row(params![tenant.as_str(), account_id], |row| {
            Ok(ChainHead { seq: row.get(0)?, hash: row.get(1)? })
        })
        .optional()?;
    let now = time(transaction, tenant, account_id, at)?;
    Ok(AccountView {
        now,
        asked_at: at.now,
        limits: limits(transaction, tenant, account_id)?,
        kills: kills(transaction, tenant)?,
        pauses: pauses(transaction, tenant, account_id, now)?,
        recent: RecentChanges::default(),
        head: head.unwrap_or_default(),
        known: known(transaction, tenant, account_id, changes)?,
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

/// The changes that are due and hidden from nobody, one of each owner. One whose owner has another one in flight is left
/// out.
pub(super) fn most_urgent(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<ChangeRow>, Failure> {
    let mut statement = transaction.prepare_cached(
        "SELECT c.* FROM pending_ad_changes AS c
         LEFT JOIN ad_account_clocks AS t ON t.tenant_id = c.tenant_id AND t.account_id = c.account_id
         LEFT JOIN ad_owner_picks AS p ON p.tenant_id = c.tenant_id AND p.account_id = c.account_id
           AND p.owner_level = c.owner_level AND p.owner_id = c.owner_id
         WHERE c.tenant_id = ?1 AND c.due_at IS NOT NULL AND c.due_at <= max(?2, coalesce(t.high_water, ?2))
           AND (p.until IS NULL OR p.until <= max(?2, coalesce(t.high_water, ?2)))
           AND (c.status IN ('claimed', 'executing') OR NOT EXISTS (
             SELECT 1 FROM pending_ad_changes AS f
             WHERE f.tenant_id = c.tenant_id AND f.account_id = c.account_id AND f.owner_level = c.owner_level
               AND f.owner_id = c.owner_id AND f.status IN ('claimed', 'executing')))
         ORDER BY c.due_at, c.id",
    )?;
    let mut found = statement.query(params![tenant.as_str(), now.micros()])?;
    let (mut picked, mut owners) = (Vec::new(), BTreeSet::new());
    while picked.len() < limit {
        let Some(row) = found.next()? else { break };
        let change = rows::change(row)?;
        if owners.insert((change.change.account_id.clone(), change.change.owner.clone())) {
            picked.push(change);
        }
    }
    Ok(picked)
}

/// When the first change is due that is neither hidden nor waits for another one of its owner.
pub(super) fn next_due(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
) -> Result<Option<Timestamp>, Failure> {
    let mut due: Vec<i64> = Vec::with_capacity(2);
    // In the order of the index to the first that nobody is at work on, and of the few that somebody is.
    for sql in [
        "SELECT c.due_at FROM pending_ad_changes AS c
         LEFT JOIN ad_owner_picks AS p ON p.tenant_id = c.tenant_id AND p.account_id = c.account_id
           AND p.owner_level = c.owner_level AND p.owner_id = c.owner_id
         WHERE c.tenant_id = ?1 AND c.due_at IS NOT NULL AND (p.until IS NULL OR p.until <= c.due_at)
           AND (c.status IN ('claimed', 'executing') OR NOT EXISTS (
             SELECT 1 FROM pending_ad_changes AS f
             WHERE f.tenant_id = c.tenant_id AND f.account_id = c.account_id AND f.owner_level = c.owner_level
               AND f.owner_id = c.owner_id AND f.status IN ('claimed', 'executing')))
         ORDER BY c.due_at, c.id LIMIT 1",
        "SELECT min(max(c.due_at, p.until)) FROM ad_owner_picks AS p
         JOIN pending_ad_changes AS c ON c.tenant_id = p.tenant_id AND c.account_id = p.account_id
           AND c.owner_level = p.owner_level AND c.owner_id = p.owner_id
         WHERE p.tenant_id = ?1 AND c.due_at IS NOT NULL
           AND (c.status IN ('claimed', 'executing') OR NOT EXISTS (
             SELECT 1 FROM pending_ad_changes AS f
             WHERE f.tenant_id = c.tenant_id AND f.account_id = c.account_id AND f.owner_level = c.owner_level
               AND f.owner_id = c.owner_id AND f.status IN ('claimed', 'executing')))",
    ] {
        let found = transaction
            .prepare_cached(sql)?
            .query_row([tenant.as_str()], |row| row.get::<_, Option<i64>>(0))
            .optional()?;
        due.extend(found.flatten());
    }
    Ok(due.into_iter().min().map(Timestamp::from_micros))
}

/// The account's time: never before one that it has seen.
pub(super) fn time(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    account_id: &str,
    at: CallTime,
) -> Result<Timestamp, Failure> {
    let seen = transaction
        .prepare_cached("SELECT high_water FROM ad_account_clocks WHERE tenant_id = ?1 AND account_id = ?2")?
        .query_row([tenant.as_str(), account_id], |row| row.get(0).map(Timestamp::from_micros))
        .optional()?;
    Ok(seen.map_or(at.now, |seen| seen.max(at.now)))
}

/// What was learned of the account and its owners and still counts; the account's own first.
pub(super) fn pauses(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    account_id: &str,
    now: Timestamp,
) -> Result<Vec<Pause>, Failure> {
    let mut statement = transaction.prepare_cached(
        "SELECT * FROM ad_platform_pauses
         WHERE tenant_id = ?1 AND account_id = ?2 AND (until > ?3 OR learned_until > ?3)",
    )?;
    let mut found = statement.query(params![tenant.as_str(), account_id, now.micros()])?;
    let mut pauses = Vec::new();
    while let Some(row) = found.next()? {
        pauses.push(rows::pause(row)?);
    }
    pauses.sort_by(|a: &Pause, b| a.owner.cmp(&b.owner));
    Ok(pauses)
}

fn recent(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    account_id: &str,
    since: Timestamp,
) -> Result<RecentChanges, Failure> {
    let mut statement = transaction.prepare_cached(
        "SELECT count(*), min(at) FROM (
           SELECT at FROM ad_owner_movements
           WHERE tenant_id = ?1 AND account_id = ?2 AND change_id IS NOT NULL AND at > ?3
           UNION ALL
           SELECT at FROM ad_owner_movements
           WHERE tenant_id = ?1 AND account_id = ?2 AND change_id IS NOT NULL AND open = 1 AND at <= ?3)",
    )?;
    let recent = statement.query_row(params![tenant.as_str(), account_id, since.micros()], |row| {
        let oldest: Option<i64> = row.get(1)?;
        Ok(RecentChanges { count: row.get(0)?, oldest: oldest.map(Timestamp::from_micros) })
    })?;
    Ok(recent)
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
    let mut statement =
        transaction.prepare_cached("SELECT value FROM kill_switches WHERE tenant_id IN (?1, '')")?;
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
    of: &[&AdChange],
) -> Result<xynergy_core::execution::machine::Known, Failure> {
    let mut statement = transaction.prepare_cached(
        "SELECT field, value FROM ad_owner_values
         WHERE tenant_id = ?1 AND account_id = ?2 AND owner_level = ?3 AND owner_id = ?4",
    )?;
    let mut known = BTreeMap::new();
    let owners: BTreeSet<_> = of.iter().map(|c| &c.owner).collect();
    for owner in owners {
        let mut found =
            statement.query(params![tenant.as_str(), account_id, owner.level.as_str(), owner.id])?;
        while let Some(row) = found.next()? {
            known.insert((owner.clone(), rows::parsed(row, "field")?), row.get("value")?);
        }
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
    view: &AccountView,
    policy: &Policy,
) -> Result<Vec<Movement>, Failure> {
    let mut statement = transaction.prepare_cached(
        "SELECT * FROM ad_owner_movements
         WHERE tenant_id = ?1 AND account_id = ?2 AND campaign_id = ?3 AND (open OR at > ?4)
         UNION
         SELECT * FROM ad_owner_movements
         WHERE tenant_id = ?1 AND account_id = ?2 AND change_id IS NOT NULL AND at > ?5
         ORDER BY id",
    )?;
    let mut found = statement.query(params![
        tenant.as_str(),
        change.account_id,
        change.campaign_id,
        view.now.minus(policy.longest_window()).micros(),
        policy.read_since(view.asked_at).micros(),
    ])?;
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

pub(super) fn tenants(
    statement: &mut rusqlite::CachedStatement<'_>,
    params: impl Params,
) -> Result<Vec<TenantId>, Failure> {
    let found = statement.query_map(params, |row| row.get::<_, String>(0))?;
    let mut tenants = Vec::new();
    for id in found {
        tenants.push(TenantId::new(id?)?);
    }
    Ok(tenants)
}

/// A page of the tenant's changes.
pub(super) fn list(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    filter: &ChangeFilter,
) -> Result<Vec<ChangeRow>, Failure> {
    let after = match filter.after {
        Some(id) => change(transaction, tenant, id)?.map(|row| (row.queued_at.micros(), row.change.id)),
        None => None,
    };
    let mut statement = transaction.prepare_cached(
        "SELECT * FROM pending_ad_changes
         WHERE tenant_id = ?1 AND (?2 IS NULL OR account_id = ?2) AND (?3 IS NULL OR allocation_id = ?3)
           AND (?4 IS NULL OR status = ?4) AND (?5 IS NULL OR reason = ?5)
           AND (NOT ?6 OR reason IN ('attempts_exhausted', 'conflict') AND due_at IS NULL)
           AND (?7 IS NULL OR (queued_at, id) > (?7, ?8))
         ORDER BY queued_at, id LIMIT ?9",
    )?;
    let mut found = statement.query(params![
        tenant.as_str(),
        filter.account_id,
        filter.allocation_id,
        filter.status.map(ChangeStatus::as_str),
        filter.reason.map(Reason::as_str),
        filter.needs_human,
        after.map(|(queued_at, _)| queued_at),
        after.map(|(_, id)| id.to_string()),
        filter.limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX)),
    ])?;
    let mut list = Vec::new();
    while let Some(row) = found.next()? {
        list.push(rows::change(row)?);
    }
    Ok(list)
}

pub(super) fn watched(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    since: Timestamp,
) -> Result<Vec<WatchedAttempt>, Failure> {
    let mut statement = transaction.prepare_cached(
        "SELECT c.*, w.attempt AS watched_attempt, w.intent_at AS watched_since FROM ad_watched_attempts AS w
         JOIN pending_ad_changes AS c ON c.tenant_id = w.tenant_id AND c.id = w.change_id
         WHERE w.tenant_id = ?1 AND w.intent_at > ?2 ORDER BY w.intent_at, w.change_id, w.attempt",
    )?;
    let mut found = statement.query(params![tenant.as_str(), since.micros()])?;
    let mut watched = Vec::new();
    while let Some(row) = found.next()? {
        watched.push(WatchedAttempt {
            row: rows::change(row)?,
            attempt: row.get("watched_attempt")?,
            intent_at: rows::time(row, "watched_since")?,
        });
    }
    Ok(watched)
}

pub(super) fn backlog(transaction: &Transaction<'_>, tenant: &TenantId) -> Result<Backlog, Failure> {
    let mut statement = transaction.prepare_cached(
        "SELECT status, reason, count(*) AS count, min(due_at) AS oldest FROM pending_ad_changes
         WHERE tenant_id = ?1 AND due_at IS NOT NULL GROUP BY status, reason",
    )?;
    let mut backlog = Backlog::default();
    let mut found = statement.query([tenant.as_str()])?;
    while let Some(row) = found.next()? {
        let oldest = rows::time(row, "oldest")?;
        backlog.oldest_due = Some(backlog.oldest_due.map_or(oldest, |due: Timestamp| due.min(oldest)));
        backlog.open.push(BacklogCount {
            status: rows::parsed(row, "status")?,
            reason: rows::maybe_parsed(row, "reason")?,
            count: row.get("count")?,
        });
    }
    backlog.open.sort_by_key(|count| (count.status, count.reason));
    backlog.needs_human = transaction
        .prepare_cached(
            "SELECT count(*) FROM pending_ad_changes
             WHERE tenant_id = ?1 AND reason IN ('attempts_exhausted', 'conflict') AND due_at IS NULL",
        )?
        .query_row([tenant.as_str()], |row| row.get(0))?;
    Ok(backlog)
}
