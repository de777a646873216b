use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::ctx::TenantId;
use crate::env::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::execution::machine::{
    self, AccountView, ApprovalRequest, ApprovalView, ChangeView, Commit, KillScope, Known, QueueBatch,
    QueueView, Transition, Transitioned,
};
use crate::execution::{AccountLimits, AdChange, AuditRow, ChainHead, ChangeId, ChangeRow, Movement};
use crate::store::{ChangeFilter, ChangeStore, HistoryFilter};

/// A [`ChangeStore`] in memory: the reference that durable stores are compared with.
#[derive(Clone, Debug, Default)]
pub struct MemoryChanges(Arc<Mutex<BTreeMap<TenantId, Tenant>>>);

#[derive(Debug, Default)]
struct Tenant {
    high_water: Option<Timestamp>,
    changes: BTreeMap<ChangeId, ChangeRow>,
    accounts: BTreeMap<String, Account>,
    kills: BTreeSet<KillScope>,
}

#[derive(Debug, Default)]
struct Account {
    limits: Option<AccountLimits>,
    known: Known,
    movements: Vec<Movement>,
    history: Vec<AuditRow>,
}

impl Account {
    fn head(&self) -> ChainHead {
        self.history.last().map(|r| ChainHead { seq: r.seq, hash: r.hash.clone() }).unwrap_or_default()
    }
}

impl Tenant {
    fn view(&self, account_id: &str, changes: &[&AdChange], now: Timestamp, window: Duration) -> AccountView {
        let now = self.high_water.map_or(now, |seen| seen.max(now));
        let shared = |row: &ChangeRow| {
            changes.iter().any(|c| {
                c.owner == row.change.owner
                    || c.allocation_id.is_some() && c.allocation_id == row.change.allocation_id
            })
        };
        let open = self
            .changes
            .values()
            .filter(|r| r.change.account_id == account_id && (r.in_flight() || r.waiting() && shared(r)));
        let account = self.accounts.get(account_id);
        let movements = account.into_iter().flat_map(|a| &a.movements).filter(|m| {
            changes.iter().any(|c| c.campaign_id == m.campaign_id) && (m.open || m.at > now.minus(window))
        });
        AccountView {
            now,
            limits: account.and_then(|a| a.limits.clone()),
            kills: self.kills.iter().cloned().collect(),
            head: account.map(Account::head).unwrap_or_default(),
            known: account.map(|a| a.known.clone()).unwrap_or_default(),
            open: open.cloned().collect(),
            movements: movements.cloned().collect(),
        }
    }

    fn save(&mut self, account_id: &str, commit: Commit) {
        self.high_water = self.high_water.max(Some(commit.now));
        for row in commit.changes {
            self.changes.insert(row.change.id, row);
        }
        let account = self.accounts.entry(account_id.to_owned()).or_default();
        account.movements.retain(|m| m.own.is_none() || m.own != commit.unmoved);
        for movement in commit.movements {
            match account.movements.iter_mut().find(|m| m.own.is_some() && m.own == movement.own) {
                Some(stored) => *stored = movement,
                None => account.movements.push(movement),
            }
        }
        account.known.extend(commit.known);
        account.history.extend(commit.history);
    }

    /// The changes that something has to be done about, by due time and id.
    fn by_due(&self) -> Option<(Timestamp, &ChangeRow)> {
        let in_flight: BTreeSet<_> = self
            .changes
            .values()
            .filter(|r| r.in_flight())
            .map(|r| (&r.change.account_id, &r.change.owner))
            .collect();
        self.changes
            .values()
            .filter(|r| r.in_flight() || !in_flight.contains(&(&r.change.account_id, &r.change.owner)))
            .filter_map(|r| Some((r.due_at?, r)))
            .min_by_key(|(due, r)| (*due, r.change.id))
    }
}

impl MemoryChanges {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<TenantId, Tenant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, tenant: &TenantId, read: impl FnOnce(&Tenant) -> T) -> T {
        let tenants = self.lock();
        match tenants.get(tenant) {
            Some(stored) => read(stored),
            None => read(&Tenant::default()),
        }
    }
}

#[async_trait]
impl ChangeStore for MemoryChanges {
    async fn queue(&self, tenant: &TenantId, batch: QueueBatch) -> Result<Vec<ChangeRow>> {
        let mut tenants = self.lock();
        let stored = tenants.entry(tenant.clone()).or_default();
        let changes: Vec<_> = batch.changes.iter().map(|(c, _)| c).collect();
        let view = QueueView {
            account: stored.view(&batch.account_id, &changes, batch.at, Duration::ZERO),
            existing: changes.iter().filter_map(|c| stored.changes.get(&c.id)).cloned().collect(),
        };
        let (commit, rows) = machine::queue(tenant, view, &batch)?;
        stored.save(&batch.account_id, commit);
        Ok(rows)
    }

    async fn approve(&self, tenant: &TenantId, request: ApprovalRequest) -> Result<Vec<ChangeRow>> {
        let mut tenants = self.lock();
        let stored = tenants.entry(tenant.clone()).or_default();
        let mut accounts: BTreeMap<String, Vec<ChangeRow>> = BTreeMap::new();
        let under = |row: &&ChangeRow| row.approval.as_ref().is_some_and(|a| a.digest == request.digest);
        for row in stored.changes.values().filter(under) {
            accounts.entry(row.change.account_id.clone()).or_default().push(row.clone());
        }
        let views = accounts.iter().map(|(account_id, rows)| {
            let changes: Vec<_> = rows.iter().map(|row| &row.change).collect();
            let account = stored.view(account_id, &changes, request.at, Duration::ZERO);
            ApprovalView { account, rows: rows.clone() }
        });
        let (commits, released) = machine::approve(tenant, views.collect(), &request)?;
        for (account_id, commit) in accounts.keys().zip(commits) {
            stored.save(account_id, commit);
        }
        Ok(released)
    }

    async fn transition(
        &self,
        tenant: &TenantId,
        id: ChangeId,
        transition: Transition,
    ) -> Result<Transitioned> {
        let mut tenants = self.lock();
        let stored = tenants.entry(tenant.clone()).or_default();
        let row = stored.changes.get(&id).cloned().ok_or_else(|| unknown(id))?;
        let account_id = row.change.account_id.clone();
        let window = transition.policy.longest_window();
        let view =
            ChangeView { account: stored.view(&account_id, &[&row.change], transition.at, window), row };
        let (commit, answer) = machine::apply(tenant, view, &transition);
        if let Some(commit) = commit {
            stored.save(&account_id, commit);
        }
        Ok(answer)
    }

    async fn view(
        &self,
        tenant: &TenantId,
        change: &AdChange,
        now: Timestamp,
        window: Duration,
    ) -> Result<AccountView> {
        Ok(self.read(tenant, |t| t.view(&change.account_id, &[change], now, window)))
    }

    async fn due(&self, tenant: &TenantId, now: Timestamp) -> Result<Option<ChangeRow>> {
        Ok(self.read(tenant, |t| {
            let now = t.high_water.map_or(now, |seen| seen.max(now));
            t.by_due().filter(|(due, _)| *due <= now).map(|(_, row)| row.clone())
        }))
    }

    async fn next_due(&self, tenant: &TenantId) -> Result<Option<Timestamp>> {
        Ok(self.read(tenant, |t| t.by_due().map(|(due, _)| due)))
    }

    async fn get(&self, tenant: &TenantId, id: ChangeId) -> Result<Option<ChangeRow>> {
        Ok(self.read(tenant, |t| t.changes.get(&id).cloned()))
    }

    async fn list(&self, tenant: &TenantId, filter: &ChangeFilter) -> Result<Vec<ChangeRow>> {
        let mut rows: Vec<_> =
            self.read(tenant, |t| t.changes.values().filter(|r| filter.matches(r)).cloned().collect());
        rows.sort_by_key(|r: &ChangeRow| (r.queued_at, r.change.id));
        Ok(rows)
    }

    async fn set_limits(&self, tenant: &TenantId, account_id: &str, limits: &AccountLimits) -> Result<()> {
        let mut tenants = self.lock();
        let account =
            tenants.entry(tenant.clone()).or_default().accounts.entry(account_id.to_owned()).or_default();
        account.limits = Some(limits.clone());
        Ok(())
    }

    async fn limits(&self, tenant: &TenantId, account_id: &str) -> Result<Option<AccountLimits>> {
        Ok(self.read(tenant, |t| t.accounts.get(account_id).and_then(|a| a.limits.clone())))
    }

    async fn set_kill(&self, tenant: &TenantId, scope: &KillScope, on: bool) -> Result<()> {
        let mut tenants = self.lock();
        let kills = &mut tenants.entry(tenant.clone()).or_default().kills;
        if on {
            kills.insert(scope.clone());
        } else {
            kills.remove(scope);
        }
        Ok(())
    }

    async fn kills(&self, tenant: &TenantId) -> Result<Vec<KillScope>> {
        Ok(self.read(tenant, |t| t.kills.iter().cloned().collect()))
    }

    async fn heads(&self, tenant: &TenantId) -> Result<Vec<(String, ChainHead)>> {
        Ok(self.read(tenant, |t| {
            let accounts = t.accounts.iter().filter(|(_, a)| !a.history.is_empty());
            accounts.map(|(id, a)| (id.clone(), a.head())).collect()
        }))
    }

    async fn history(
        &self,
        tenant: &TenantId,
        account_id: &str,
        filter: &HistoryFilter,
    ) -> Result<Vec<AuditRow>> {
        Ok(self.read(tenant, |t| {
            let rows = t.accounts.get(account_id).into_iter().flat_map(|a| &a.history);
            rows.filter(|r| r.seq > filter.after_seq && filter.change_id.is_none_or(|id| id == r.change_id))
                .take(filter.limit)
                .cloned()
                .collect()
        }))
    }

    async fn high_water(&self, tenant: &TenantId) -> Result<Option<Timestamp>> {
        Ok(self.read(tenant, |t| t.high_water))
    }
}

fn unknown(id: ChangeId) -> Error {
    Error::new(ErrorKind::NotFound, "execution", "there is no such change")
        .with_context("change_id", id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_the_contract() {
        crate::conformance::change_store(&MemoryChanges::default()).await;
    }

    #[tokio::test]
    async fn agrees_with_itself() {
        for seed in 0..20 {
            let (a, b) = (MemoryChanges::default(), MemoryChanges::default());
            crate::conformance::change_stores_agree(&a, &b, seed, 200).await;
        }
    }

    #[tokio::test]
    async fn carries_the_executor() {
        crate::conformance::executor(Arc::new(MemoryChanges::default())).await;
    }

    #[tokio::test]
    async fn keeps_the_invariants_through_random_days() {
        let mut sum = (0, 0);
        for seed in 0..200 {
            let day = crate::conformance::executor_simulation(Arc::new(MemoryChanges::default()), seed).await;
            sum = (sum.0 + day.queued, sum.1 + day.completed);
        }
        assert!(sum.1 * 4 > sum.0, "too little happened to prove anything: {sum:?}");
    }

    #[test]
    fn survives_a_crash_at_every_place() {
        let store: Arc<dyn ChangeStore> = Arc::new(MemoryChanges::default());
        let places = crate::conformance::executor_crashes(&store);
        assert!(places.len() >= 9 && places.values().sum::<usize>() >= 20, "{places:?}");
    }

    #[tokio::test]
    async fn fences_a_worker_that_wakes_late() {
        let store: Arc<dyn ChangeStore> = Arc::new(MemoryChanges::default());
        let places = crate::conformance::executor_zombies(&store).await;
        assert!(places.values().sum::<usize>() >= 20, "{places:?}");
    }
}
