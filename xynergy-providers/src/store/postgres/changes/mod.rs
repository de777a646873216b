//! Ad changes in PostgreSQL: it locks, loads what the machine asks for and saves what it returns, in one transaction of
//! two trips.
//!
//! The account's row is locked first, then the campaign's, then the owner's. The account's alone would do, since its history
//! is one chain; campaign and owner are locked against `pick`, and so that a history of another shape could let accounts go.

mod load;
mod rows;
mod save;
mod sql;
pub(super) mod wake;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use xynergy_core::execution::machine::{
    self, AccountView, Action, ApprovalRequest, ApprovalView, CallTime, KillScope, QueueBatch, QueueView,
    Queued, Transition, Transitioned,
};
use xynergy_core::execution::{
    AccountLimits, AdChange, AuditRow, ChainHead, ChangeId, ChangeRow, ChangeStatus, Policy, Reason,
};
use xynergy_core::store::{
    AccountRules, Backlog, BacklogCount, ChangeFilter, ChangeStore, HistoryFilter, WatchedAttempt,
};
use xynergy_core::{Error, ErrorKind, Result, TenantId, Timestamp};

use super::PostgresStore;
use super::error::Failure;
use super::numbers::unsigned;
use super::transaction::{Transaction, retried};
use super::values::values;
use rows::Columns;

#[async_trait]
impl ChangeStore for PostgresStore {
    async fn queue(&self, tenant: &TenantId, batch: QueueBatch) -> Result<Queued> {
        let queued = retried(|| self.queue_once(tenant, &batch)).await;
        queued.map_err(|failure| failure.into_error("execution.queue")).inspect(|_| self.wake.wake())
    }

    async fn approve(&self, tenant: &TenantId, request: ApprovalRequest) -> Result<Vec<ChangeRow>> {
        let released = retried(|| self.approve_once(tenant, &request)).await;
        released.map_err(|failure| failure.into_error("execution.approve")).inspect(|_| self.wake.wake())
    }

    async fn transition(
        &self,
        tenant: &TenantId,
        id: ChangeId,
        transition: Transition,
    ) -> Result<Transitioned> {
        let called = Instant::now();
        let moved = retried(|| self.transition_once(tenant, id, &transition, called)).await;
        moved.map_err(|failure| failure.into_error("execution.transition")).inspect(|moved| {
            if moved.taken {
                self.wake.wake();
            }
        })
    }

    async fn view(
        &self,
        tenant: &TenantId,
        change: &AdChange,
        at: CallTime,
        policy: &Policy,
    ) -> Result<AccountView> {
        let viewed = async {
            let transaction = self.snapshot().await?;
            load::view(&transaction, tenant, change, at, policy).await
        };
        viewed.await.map_err(|failure: Failure| failure.into_error("execution.view"))
    }

    async fn pick(
        &self,
        tenant: &TenantId,
        at: CallTime,
        hold: Duration,
        limit: usize,
    ) -> Result<Vec<ChangeRow>> {
        let (bound, hold) = (at.bound.then_some(at.now.micros()), load::micros(hold));
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let picked = self.call("execution.pick", async |client| {
            let statement = client.prepare_cached(sql::PICK).await?;
            let rows = client.query(&statement, &[&tenant.as_str(), &bound, &hold, &limit]).await?;
            rows.iter().map(rows::change).collect::<Result<_, _>>()
        });
        picked.await
    }

    async fn next_due(&self, tenant: &TenantId) -> Result<Option<Timestamp>> {
        self.time("execution.next_due", sql::NEXT_DUE, Some(tenant)).await
    }

    async fn tenants_due(&self, at: CallTime) -> Result<Vec<TenantId>> {
        let bound = at.bound.then_some(at.now.micros());
        let found = self.call("execution.tenants_due", async |client| {
            let statement = client.prepare_cached(sql::TENANTS_DUE).await?;
            tenants(&client.query(&statement, &[&bound]).await?)
        });
        found.await
    }

    async fn tenants(&self) -> Result<Vec<TenantId>> {
        let found = self.call("execution.tenants", async |client| {
            let statement = client.prepare_cached(sql::TENANTS).await?;
            tenants(&client.query(&statement, &[]).await?)
        });
        found.await
    }

    async fn next_due_of_any(&self) -> Result<Option<Timestamp>> {
        self.time("execution.next_due", sql::NEXT_DUE_OF_ANY, None).await
    }

    async fn woken(&self) {
        self.wake.woken(&self.connector, &format!("LISTEN \"{}\"", self.channel())).await;
    }

    async fn get(&self, tenant: &TenantId, id: ChangeId) -> Result<Option<ChangeRow>> {
        let found = self.call("execution.get", async |client| {
            let statement = client.prepare_cached(sql::CHANGES).await?;
            let rows = client.query(&statement, &[&tenant.as_str(), &[id.to_string()].as_slice()]).await?;
            rows.first().map(rows::change).transpose()
        });
        found.await
    }

    async fn list(&self, tenant: &TenantId, filter: &ChangeFilter) -> Result<Vec<ChangeRow>> {
        let after = match filter.after {
            Some(id) => self.get(tenant, id).await?.map(|row| (row.queued_at.micros(), id.to_string())),
            None => None,
        };
        let limit = filter.limit.map_or(i64::MAX, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
        let listed = self.call("execution.list", async |client| {
            let statement = client.prepare_cached(sql::LIST).await?;
            let rows = client
                .query(
                    &statement,
                    &[
                        &tenant.as_str(),
                        &filter.account_id,
                        &filter.allocation_id,
                        &filter.status.map(ChangeStatus::as_str),
                        &filter.reason.map(Reason::as_str),
                        &filter.needs_human,
                        &after.as_ref().map(|(at, _)| *at),
                        &after.as_ref().map(|(_, id)| id),
                        &limit,
                    ],
                )
                .await?;
            rows.iter().map(rows::change).collect::<Result<_, _>>()
        });
        listed.await
    }

    async fn set_limits(&self, tenant: &TenantId, account_id: &str, limits: &AccountLimits) -> Result<()> {
        let set = self.call("execution.set_limits", async |client| {
            let statement = client.prepare_cached(sql::SET_LIMITS).await?;
            let AccountLimits { currency, total_daily_minor, min_minor, max_minor } = limits;
            client
                .execute(
                    &statement,
                    &[
                        &tenant.as_str(),
                        &account_id,
                        &currency.as_str(),
                        total_daily_minor,
                        min_minor,
                        max_minor,
                    ],
                )
                .await?;
            Ok(())
        });
        set.await
    }

    async fn rules(&self, tenant: &TenantId, account_id: &str, at: CallTime) -> Result<AccountRules> {
        let read = async {
            let transaction = self.snapshot().await?;
            load::rules(&transaction, tenant, account_id, at).await
        };
        read.await.map_err(|failure: Failure| failure.into_error("execution.rules"))
    }

    async fn set_kill(&self, tenant: &TenantId, scope: &KillScope, on: bool) -> Result<()> {
        let tenant = if *scope == KillScope::Global { "" } else { tenant.as_str() };
        let switched = retried(|| self.set_kill_once(tenant, scope, on)).await;
        switched.map_err(|failure| failure.into_error("execution.kill"))
    }

    async fn kills(&self, tenant: &TenantId) -> Result<Vec<KillScope>> {
        let read = self.call("execution.kills", async |client| {
            let statement = client.prepare_cached(sql::KILLS).await?;
            let rows = client.query(&statement, &[&tenant.as_str()]).await?;
            let scopes: BTreeSet<_> =
                rows.iter().map(|row| rows::kill(row.get(0))).collect::<Result<_, _>>()?;
            Ok(scopes.into_iter().collect())
        });
        read.await
    }

    async fn heads(&self, tenant: &TenantId) -> Result<Vec<(String, ChainHead)>> {
        let read = self.call("execution.verify_audit", async |client| {
            let statement = client.prepare_cached(sql::HEADS).await?;
            let rows = client.query(&statement, &[&tenant.as_str()]).await?;
            rows.iter()
                .map(|row| Ok((row.get(0), ChainHead { seq: unsigned(row.get(1))?, hash: row.get(2) })))
                .collect()
        });
        read.await
    }

    async fn history(
        &self,
        tenant: &TenantId,
        account_id: &str,
        filter: &HistoryFilter,
    ) -> Result<Vec<AuditRow>> {
        let after = i64::try_from(filter.after_seq).unwrap_or(i64::MAX);
        let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
        let read = self.call("execution.history", async |client| {
            let rows = match filter.change_id {
                None => {
                    let statement = client.prepare_cached(sql::HISTORY).await?;
                    client.query(&statement, &[&tenant.as_str(), &account_id, &after, &limit]).await?
                }
                Some(id) => {
                    let statement = client.prepare_cached(sql::HISTORY_OF_CHANGE).await?;
                    let id = id.to_string();
                    client.query(&statement, &[&tenant.as_str(), &account_id, &after, &limit, &id]).await?
                }
            };
            rows.iter().map(rows::audit).collect::<Result<_, _>>()
        });
        read.await
    }

    async fn watched(&self, tenant: &TenantId, since: Timestamp) -> Result<Vec<WatchedAttempt>> {
        let read = self.call("execution.watched", async |client| {
            let statement = client.prepare_cached(sql::WATCHED).await?;
            let rows = client.query(&statement, &[&tenant.as_str(), &since.micros()]).await?;
            let watched = rows.iter().map(|row| {
                let columns = &mut Columns::from(row, 0);
                let row = rows::change_from(columns)?;
                let attempt = unsigned(columns.get()?)?;
                Ok(WatchedAttempt { row, attempt, intent_at: Timestamp::from_micros(columns.get()?) })
            });
            watched.collect::<Result<_, Failure>>()
        });
        read.await
    }

    async fn backlog(&self, tenant: &TenantId) -> Result<Backlog> {
        let read = self.call("execution.backlog", async |client| {
            let statement = client.prepare_cached(sql::BACKLOG).await?;
            let mut backlog = Backlog::default();
            for row in client.query(&statement, &[&tenant.as_str()]).await? {
                let (status, reason): (&str, Option<&str>) = (row.try_get(0)?, row.try_get(1)?);
                let count = unsigned(row.try_get(2)?)?;
                if status.is_empty() {
                    backlog.needs_human = count;
                    continue;
                }
                let oldest = row.try_get::<_, Option<i64>>(3)?.map(Timestamp::from_micros);
                backlog.oldest_due = [backlog.oldest_due, oldest].into_iter().flatten().min();
                backlog.open.push(BacklogCount {
                    status: status.parse().map_err(|_| rows::unreadable("status"))?,
                    reason: reason.map(|r| r.parse().map_err(|_| rows::unreadable("reason"))).transpose()?,
                    count,
                });
            }
            backlog.open.sort_by_key(|count| (count.status, count.reason));
            Ok(backlog)
        });
        read.await
    }

    async fn high_water(&self, tenant: &TenantId) -> Result<Option<Timestamp>> {
        self.time("execution.high_water", sql::HIGH_WATER, Some(tenant)).await
    }
}

impl PostgresStore {
    async fn queue_once(&self, tenant: &TenantId, batch: &QueueBatch) -> Result<Queued, Failure> {
        let changes: Vec<_> = batch.changes.iter().map(|(change, _)| change).collect();
        let transaction = Transaction::on(self.connection().await?);
        let stored = transaction.prepared(sql::CHANGES).await?;
        let account_id = batch.account_id.as_str();
        transaction.begin().await?;
        load::lock(&transaction, tenant, account_id, &changes).await?;
        let ids: Vec<_> = changes.iter().map(|change| change.id.to_string()).collect();
        let existing = transaction.query(&stored, values![tenant.as_str(), ids]);
        let account =
            load::account(&transaction, tenant, account_id, &changes, batch.at, sql::LOCK_ACCOUNT).await?;
        let existing = load::changes(&existing.await?)?;
        let head = account.head.clone();
        let known: BTreeSet<_> =
            existing.keys().copied().chain(account.open.iter().map(|row| row.change.id)).collect();
        let view = QueueView { account, existing: existing.into_values().collect() };
        let (commit, queued) = machine::queue(tenant, view, batch)?;
        let mut saves =
            save::commit(tenant, account_id, &head, &commit, |row| !known.contains(&row.change.id));
        saves.push((sql::NOTIFY, values![self.channel()]));
        transaction.commit_with(saves).await?;
        Ok(queued)
    }

    async fn approve_once(
        &self,
        tenant: &TenantId,
        request: &ApprovalRequest,
    ) -> Result<Vec<ChangeRow>, Failure> {
        let transaction = Transaction::on(self.connection().await?);
        let of_plan = transaction.prepared(sql::OF_PLAN).await?;
        transaction.begin().await?;
        let plan = || transaction.query(&of_plan, values![tenant.as_str(), &request.digest]);
        let named = by_account(load::changes(&plan().await?)?);
        for (account_id, rows) in &named {
            let lock = transaction.prepared(sql::LOCK_ACCOUNT).await?;
            transaction.query(&lock, values![tenant.as_str(), account_id]).await?;
            debug_assert!(!rows.is_empty(), "an account of the plan has changes");
        }
        for (account_id, rows) in &named {
            let changes: Vec<_> = rows.iter().map(|row| &row.change).collect();
            load::lock(&transaction, tenant, account_id, &changes).await?;
        }
        let accounts = by_account(load::changes(&plan().await?)?);
        if accounts.keys().any(|account_id| !named.contains_key(account_id)) {
            return Err(Failure::Domain(Error::new(
                ErrorKind::Conflict,
                "execution.approve",
                "changes are being queued under the digest: approve when that is done",
            )));
        }
        let (mut views, mut heads) = (Vec::new(), Vec::new());
        for (account_id, rows) in &accounts {
            let changes: Vec<_> = rows.iter().map(|row| &row.change).collect();
            let account =
                load::account(&transaction, tenant, account_id, &changes, request.at, sql::LOCK_ACCOUNT)
                    .await?;
            heads.push(account.head.clone());
            views.push(ApprovalView { account, rows: rows.clone() });
        }
        let (commits, released) = machine::approve(tenant, views, request)?;
        let mut saves = save::Saves::new();
        for ((account_id, head), commit) in accounts.keys().zip(&heads).zip(&commits) {
            saves.extend(save::commit(tenant, account_id, head, commit, |_| false));
        }
        saves.push((sql::NOTIFY, values![self.channel()]));
        transaction.commit_with(saves).await?;
        Ok(released)
    }

    async fn transition_once(
        &self,
        tenant: &TenantId,
        id: ChangeId,
        transition: &Transition,
        called: Instant,
    ) -> Result<Transitioned, Failure> {
        let transaction = Transaction::on(self.connection().await?);
        let load::Loaded { view, hidden } =
            load::change(&transaction, tenant, id, transition, called).await?;
        let (head, was_in_flight) = (view.account.head.clone(), view.row.in_flight());
        let owner = view.row.change.owner.clone();
        let sibling = |row: &ChangeRow| row.change.id != id && row.change.owner == owner;
        let siblings_wait = view.account.open.iter().any(sibling);
        let (commit, answer) = machine::apply(tenant, view, transition);
        let Some(commit) = commit else { return Ok(answer) };
        let mut saves = save::step(tenant, &answer.row, &head, &commit, hidden);
        let freed = was_in_flight && !answer.row.in_flight() && siblings_wait;
        let others = commit.changes.iter().any(|row| row.change.id != id && row.due_at.is_some());
        let asked = matches!(transition.action, Action::Resolve { .. } | Action::Retry { .. } | Action::Wake);
        if freed || others || asked {
            saves.push((sql::NOTIFY, values![self.channel()]));
        }
        transaction.commit_with(saves).await.map_err(|failure| contended(failure, id))?;
        Ok(answer)
    }

    async fn set_kill_once(&self, tenant: &str, scope: &KillScope, on: bool) -> Result<(), Failure> {
        let transaction = Transaction::on(self.connection().await?);
        transaction.begin().await?;
        let key = scope.key();
        let saves = if on {
            let value = serde_json::to_string(scope).map_err(|e| {
                Error::new(ErrorKind::Unexpected, "execution.kill", "the scope cannot be written")
                    .with_source(e)
            })?;
            transaction.client().batch_execute(sql::HOLD_TRANSITIONS).await?;
            vec![(sql::KILL, values![tenant, &key, value])]
        } else {
            vec![(sql::UNKILL, values![tenant, &key])]
        };
        transaction.commit_with(saves).await
    }

    /// A transaction that only reads, all of it as of one moment.
    async fn snapshot(&self) -> Result<Transaction, Failure> {
        let transaction = Transaction::on(self.connection().await?);
        transaction.client().batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        Ok(transaction)
    }

    /// A time that a statement finds; its parameter is the tenant where one is given.
    async fn time(
        &self,
        operation: &'static str,
        sql: &'static str,
        tenant: Option<&TenantId>,
    ) -> Result<Option<Timestamp>> {
        let tenant = tenant.map(TenantId::as_str);
        let found = self.call(operation, async |client| {
            let statement = client.prepare_cached(sql).await?;
            let row = match &tenant {
                Some(tenant) => client.query_one(&statement, &[tenant]).await?,
                None => client.query_one(&statement, &[]).await?,
            };
            Ok(row.try_get::<_, Option<i64>>(0)?.map(Timestamp::from_micros))
        });
        found.await
    }

    /// Where this schema's workers are woken. A name of PostgreSQL has at most 63 bytes.
    fn channel(&self) -> String {
        let name = format!("xynergy_{}", self.config.schema);
        if name.len() > 63 { self.config.schema.clone() } else { name }
    }
}

fn by_account(changes: BTreeMap<ChangeId, ChangeRow>) -> BTreeMap<String, Vec<ChangeRow>> {
    let mut accounts: BTreeMap<String, Vec<ChangeRow>> = BTreeMap::new();
    for row in changes.into_values() {
        accounts.entry(row.change.account_id.clone()).or_default().push(row);
    }
    accounts
}

fn tenants(found: &[tokio_postgres::Row]) -> Result<Vec<TenantId>, Failure> {
    found.iter().map(|row| Ok(TenantId::new(row.try_get::<_, &str>(0)?)?)).collect()
}

/// The index of what is in flight holds where the guard did not: another change of the owner was faster.
fn contended(failure: Failure, id: ChangeId) -> Failure {
    if !failure.refused_by("pending_ad_changes_in_flight") {
        return failure;
    }
    let source = failure.into_error("execution.transition").to_string();
    Failure::Domain(
        Error::new(ErrorKind::Conflict, "execution", "another change of the same owner is in flight")
            .with_context("change_id", id.to_string())
            .with_source(source),
    )
}
