//! Ad changes in SQLite: it loads what the machine asks for and saves what it returns, in one immediate transaction.

mod load;
mod rows;
mod save;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::params;
use xynergy_core::execution::machine::{
    self, AccountView, ApprovalRequest, ApprovalView, CallTime, ChangeView, KillScope, QueueBatch, QueueView,
    Queued, Transition, Transitioned,
};
use xynergy_core::execution::{AccountLimits, AdChange, AuditRow, ChainHead, ChangeId, ChangeRow, Policy};
use xynergy_core::store::{AccountRules, Backlog, ChangeFilter, ChangeStore, HistoryFilter, WatchedAttempt};
use xynergy_core::{Error, ErrorKind, Result, TenantId, Timestamp};

use super::SqliteStore;
use super::error::Failure;

#[async_trait]
impl ChangeStore for SqliteStore {
    async fn queue(&self, tenant: &TenantId, batch: QueueBatch) -> Result<Queued> {
        let tenant = tenant.clone();
        self.transaction("execution.queue", move |transaction| {
            let changes: Vec<_> = batch.changes.iter().map(|(c, _)| c).collect();
            let mut existing = Vec::new();
            for change in &changes {
                existing.extend(load::change(transaction, &tenant, change.id)?);
            }
            let account = load::account(transaction, &tenant, &batch.account_id, &changes, batch.at)?;
            let (commit, queued) = machine::queue(&tenant, QueueView { account, existing }, &batch)?;
            save::commit(transaction, &tenant, &batch.account_id, &commit)?;
            Ok(queued)
        })
        .await
        .inspect(|_| self.wake.notify_one())
    }

    async fn approve(&self, tenant: &TenantId, request: ApprovalRequest) -> Result<Vec<ChangeRow>> {
        let tenant = tenant.clone();
        self.transaction("execution.approve", move |transaction| {
            let mut accounts: BTreeMap<String, Vec<ChangeRow>> = BTreeMap::new();
            for row in load::of_plan(transaction, &tenant, &request.digest)? {
                accounts.entry(row.change.account_id.clone()).or_default().push(row);
            }
            let (mut ids, mut views) = (Vec::new(), Vec::new());
            for (account_id, rows) in accounts {
                let changes: Vec<_> = rows.iter().map(|row| &row.change).collect();
                let account = load::account(transaction, &tenant, &account_id, &changes, request.at)?;
                ids.push(account_id);
                views.push(ApprovalView { account, rows });
            }
            let (commits, released) = machine::approve(&tenant, views, &request)?;
            for (account_id, commit) in ids.iter().zip(&commits) {
                save::commit(transaction, &tenant, account_id, commit)?;
            }
            Ok(released)
        })
        .await
        .inspect(|_| self.wake.notify_one())
    }

    async fn transition(
        &self,
        tenant: &TenantId,
        id: ChangeId,
        transition: Transition,
    ) -> Result<Transitioned> {
        let tenant = tenant.clone();
        self.transaction("execution.transition", move |transaction| {
            let row = load::change(transaction, &tenant, id)?.ok_or_else(|| unknown(id))?;
            let account_id = row.change.account_id.clone();
            let account = load::view(transaction, &tenant, &row.change, transition.at, &transition.policy)?;
            let (commit, answer) = machine::apply(&tenant, ChangeView { account, row }, &transition);
            if let Some(commit) = commit {
                save::unhide(transaction, &tenant, &answer.row)?;
                save::commit(transaction, &tenant, &account_id, &commit)?;
            }
            Ok(answer)
        })
        .await
        .inspect(|_| self.wake.notify_one())
    }

    async fn view(
        &self,
        tenant: &TenantId,
        change: &AdChange,
        at: CallTime,
        policy: &Policy,
    ) -> Result<AccountView> {
        let (tenant, change, policy) = (tenant.clone(), change.clone(), *policy);
        self.call("execution.view", move |connection| {
            let transaction = connection.transaction()?;
            load::view(&transaction, &tenant, &change, at, &policy)
        })
        .await
    }

    async fn pick(
        &self,
        tenant: &TenantId,
        at: CallTime,
        hold: Duration,
        limit: usize,
    ) -> Result<Vec<ChangeRow>> {
        let tenant = tenant.clone();
        self.call("execution.pick", move |connection| {
            // Nothing due is the usual answer: it takes no lock.
            if load::most_urgent(&connection.transaction()?, &tenant, at.now, 1)?.is_empty() {
                return Ok(Vec::new());
            }
            let transaction =
                connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            let picked = load::most_urgent(&transaction, &tenant, at.now, limit)?;
            for row in &picked {
                let now = load::time(&transaction, &tenant, &row.change.account_id, at)?;
                save::hide(&transaction, &tenant, row, now.plus(hold))?;
            }
            transaction.commit()?;
            Ok(picked)
        })
        .await
    }

    async fn next_due(&self, tenant: &TenantId) -> Result<Option<Timestamp>> {
        let tenant = tenant.clone();
        self.call("execution.next_due", move |connection| load::next_due(&connection.transaction()?, &tenant))
            .await
    }

    async fn tenants_due(&self, at: CallTime) -> Result<Vec<TenantId>> {
        self.call("execution.tenants_due", move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT DISTINCT c.tenant_id FROM pending_ad_changes AS c
                 LEFT JOIN ad_account_clocks AS t ON t.tenant_id = c.tenant_id AND t.account_id = c.account_id
                 WHERE c.due_at IS NOT NULL AND c.due_at <= max(?1, coalesce(t.high_water, ?1))
                 ORDER BY c.tenant_id",
            )?;
            load::tenants(&mut statement, params![at.now.micros()])
        })
        .await
    }

    async fn tenants(&self) -> Result<Vec<TenantId>> {
        self.call("execution.tenants", |connection| {
            // From one tenant to the next by the key, however many changes each has.
            let mut statement = connection.prepare_cached(
                "WITH RECURSIVE t (id) AS (
                   SELECT min(tenant_id) FROM pending_ad_changes
                   UNION ALL
                   SELECT (SELECT min(tenant_id) FROM pending_ad_changes WHERE tenant_id > t.id) FROM t
                   WHERE t.id IS NOT NULL)
                 SELECT id FROM t WHERE id IS NOT NULL",
            )?;
            load::tenants(&mut statement, [])
        })
        .await
    }

    async fn next_due_of_any(&self) -> Result<Option<Timestamp>> {
        self.call("execution.next_due", |connection| {
            let due: Option<i64> = connection
                .prepare_cached("SELECT min(due_at) FROM pending_ad_changes WHERE due_at IS NOT NULL")?
                .query_row([], |row| row.get(0))?;
            Ok(due.map(Timestamp::from_micros))
        })
        .await
    }

    async fn woken(&self) {
        self.wake.notified().await;
    }

    async fn get(&self, tenant: &TenantId, id: ChangeId) -> Result<Option<ChangeRow>> {
        let tenant = tenant.clone();
        self.call("execution.get", move |connection| {
            let transaction = connection.transaction()?;
            load::change(&transaction, &tenant, id)
        })
        .await
    }

    async fn list(&self, tenant: &TenantId, filter: &ChangeFilter) -> Result<Vec<ChangeRow>> {
        let (tenant, filter) = (tenant.clone(), filter.clone());
        self.call("execution.list", move |connection| {
            load::list(&connection.transaction()?, &tenant, &filter)
        })
        .await
    }

    async fn set_limits(&self, tenant: &TenantId, account_id: &str, limits: &AccountLimits) -> Result<()> {
        let (tenant, account_id, limits) = (tenant.to_string(), account_id.to_owned(), limits.clone());
        self.transaction("execution.set_limits", move |transaction| {
            transaction
                .prepare_cached("INSERT OR REPLACE INTO ad_account_limits VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                .execute(params![
                    tenant,
                    account_id,
                    limits.currency.as_str(),
                    limits.total_daily_minor,
                    limits.min_minor,
                    limits.max_minor
                ])?;
            Ok(())
        })
        .await
    }

    async fn rules(&self, tenant: &TenantId, account_id: &str, at: CallTime) -> Result<AccountRules> {
        let (tenant, account_id) = (tenant.clone(), account_id.to_owned());
        self.call("execution.rules", move |connection| {
            let transaction = connection.transaction()?;
            let now = load::time(&transaction, &tenant, &account_id, at)?;
            Ok(AccountRules {
                limits: load::limits(&transaction, &tenant, &account_id)?,
                kills: load::kills(&transaction, &tenant)?,
                pauses: load::pauses(&transaction, &tenant, &account_id, now)?,
                now,
            })
        })
        .await
    }

    async fn set_kill(&self, tenant: &TenantId, scope: &KillScope, on: bool) -> Result<()> {
        let scope = scope.clone();
        let tenant = if scope == KillScope::Global { String::new() } else { tenant.to_string() };
        self.transaction("execution.kill", move |transaction| {
            if on {
                let value = serde_json::to_string(&scope).map_err(|e| {
                    Error::new(ErrorKind::Unexpected, "execution.kill", "the scope cannot be written")
                        .with_source(e)
                })?;
                transaction
                    .prepare_cached("INSERT OR REPLACE INTO kill_switches VALUES (?1, ?2, ?3)")?
                    .execute(params![tenant, scope.key(), value])?;
            } else {
                transaction
                    .prepare_cached("DELETE FROM kill_switches WHERE tenant_id = ?1 AND scope = ?2")?
                    .execute(params![tenant, scope.key()])?;
            }
            Ok(())
        })
        .await
    }

    async fn kills(&self, tenant: &TenantId) -> Result<Vec<KillScope>> {
        let tenant = tenant.clone();
        self.call("execution.kills", move |connection| {
            let transaction = connection.transaction()?;
            load::kills(&transaction, &tenant)
        })
        .await
    }

    async fn heads(&self, tenant: &TenantId) -> Result<Vec<(String, ChainHead)>> {
        let tenant = tenant.to_string();
        self.call("execution.verify_audit", move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT account_id, seq, hash FROM ad_change_heads WHERE tenant_id = ?1 ORDER BY account_id",
            )?;
            let heads = statement.query_map([tenant], |row| {
                Ok((row.get(0)?, ChainHead { seq: row.get(1)?, hash: row.get(2)? }))
            })?;
            Ok(heads.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn history(
        &self,
        tenant: &TenantId,
        account_id: &str,
        filter: &HistoryFilter,
    ) -> Result<Vec<AuditRow>> {
        let (tenant, account_id, filter) = (tenant.to_string(), account_id.to_owned(), filter.clone());
        self.call("execution.history", move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT * FROM ad_change_history
                 WHERE tenant_id = ?1 AND account_id = ?2 AND seq > ?3 AND (?4 IS NULL OR change_id = ?4)
                 ORDER BY seq LIMIT ?5",
            )?;
            let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
            let change = filter.change_id.map(|id| id.to_string());
            let mut found = statement.query(params![tenant, account_id, filter.after_seq, change, limit])?;
            let mut list = Vec::new();
            while let Some(row) = found.next()? {
                list.push(rows::audit(row)?);
            }
            Ok(list)
        })
        .await
    }

    async fn watched(&self, tenant: &TenantId, since: Timestamp) -> Result<Vec<WatchedAttempt>> {
        let tenant = tenant.clone();
        self.call("execution.watched", move |connection| {
            load::watched(&connection.transaction()?, &tenant, since)
        })
        .await
    }

    async fn backlog(&self, tenant: &TenantId) -> Result<Backlog> {
        let tenant = tenant.clone();
        self.call("execution.backlog", move |connection| load::backlog(&connection.transaction()?, &tenant))
            .await
    }

    async fn high_water(&self, tenant: &TenantId) -> Result<Option<Timestamp>> {
        let tenant = tenant.clone();
        self.call("execution.high_water", move |connection| {
            let seen: Option<i64> = connection
                .prepare_cached("SELECT max(high_water) FROM ad_account_clocks WHERE tenant_id = ?1")?
                .query_row([tenant.as_str()], |row| row.get(0))?;
            Ok(seen.map(Timestamp::from_micros))
        })
        .await
    }
}

fn unknown(id: ChangeId) -> Failure {
    Failure::Domain(
        Error::new(ErrorKind::NotFound, "execution", "there is no such change")
            .with_context("change_id", id.to_string()),
    )
}

#[cfg(test)]
mod tests;
