use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;

use crate::ads::Owner;
use crate::ctx::TenantId;
use crate::env::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::execution::guard::RecentChanges;
use crate::execution::machine::{
    self, AccountView, ApprovalRequest, ApprovalView, CallTime, ChangeView, Commit, KillScope, Known,
    QueueBatch, QueueView, Queued, Transition, Transitioned,
};
use crate::execution::{
    AccountLimits, AdChange, AuditRow, ChainHead, ChangeId, ChangeRow, Movement, Pause, Policy,
};
use crate::store::{
    AccountRules, Backlog, BacklogCount, ChangeFilter, ChangeStore, HistoryFilter, WatchedAttempt,
};

/// A [`ChangeStore`] in memory: the reference that durable stores are compared with.
#[derive(Clone, Debug, Default)]
pub struct MemoryChanges {
    tenants: Arc<Mutex<Tenants>>,
    wake: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Tenants {
    by_id: BTreeMap<TenantId, Tenant>,
    killed: bool,
}

#[derive(Debug, Default)]
struct Tenant {
    changes: BTreeMap<ChangeId, ChangeRow>,
    accounts: BTreeMap<String, Account>,
    kills: BTreeSet<KillScope>,
    /// Owners that somebody is at work on, by account, and until when they are hidden from others.
    hidden: BTreeMap<(String, Owner), Timestamp>,
}

#[derive(Debug, Default)]
struct Account {
    high_water: Option<Timestamp>,
    limits: Option<AccountLimits>,
    known: Known,
    movements: Vec<Movement>,
    pauses: BTreeMap<Option<Owner>, Pause>,
    watched: BTreeMap<(Timestamp, ChangeId, u32), ()>,
    history: Vec<AuditRow>,
}

impl Account {
    fn head(&self) -> ChainHead {
        self.history.last().map(|r| ChainHead { seq: r.seq, hash: r.hash.clone() }).unwrap_or_default()
    }

    fn known_of(&self, changes: &[&AdChange]) -> Known {
        let of_owner = |owner: &Owner| changes.iter().any(|c| c.owner == *owner);
        self.known.iter().filter(|((owner, _), _)| of_owner(owner)).map(|(k, v)| (k.clone(), *v)).collect()
    }

    fn now(&self, at: CallTime) -> Timestamp {
        self.high_water.map_or(at.now, |seen| seen.max(at.now))
    }

    fn pauses(&self, now: Timestamp) -> Vec<Pause> {
        let counts = |p: &&Pause| p.until > now || p.learned.is_some_and(|l| l.until > now);
        self.pauses.values().filter(counts).cloned().collect()
    }

    fn recent(&self, now: Timestamp, policy: &Policy) -> RecentChanges {
        let window = now.minus(Duration::from_millis(policy.rate_window_ms));
        let recent = self.movements.iter().filter(|m| m.own.is_some() && (m.open || m.at > window));
        let oldest = recent.clone().map(|m| m.at).min();
        RecentChanges { count: u32::try_from(recent.count()).unwrap_or(u32::MAX), oldest }
    }
}

impl Tenant {
    /// What the machine sees; without a policy there are no windows to look back over.
    fn view(
        &self,
        account_id: &str,
        changes: &[&AdChange],
        at: CallTime,
        policy: Option<&Policy>,
        killed: bool,
    ) -> AccountView {
        let account = self.accounts.get(account_id);
        let now = account.map_or(at.now, |a| a.now(at));
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
        let movements = account.into_iter().flat_map(|a| &a.movements).filter(|m| {
            let of_campaign = changes.iter().any(|c| c.campaign_id == m.campaign_id);
            policy.is_some_and(|policy| {
                of_campaign && (m.open || m.at > now.minus(policy.longest_window()))
                    || m.own.is_some() && m.at > policy.read_since(at.now)
            })
        });
        AccountView {
            now,
            asked_at: at.now,
            limits: account.and_then(|a| a.limits.clone()),
            kills: self.kills(killed),
            pauses: account.map(|a| a.pauses(now)).unwrap_or_default(),
            recent: account.zip(policy).map(|(a, policy)| a.recent(now, policy)).unwrap_or_default(),
            head: account.map(Account::head).unwrap_or_default(),
            known: account.map(|a| a.known_of(changes)).unwrap_or_default(),
            open: open.cloned().collect(),
            movements: movements.cloned().collect(),
        }
    }

    fn kills(&self, global: bool) -> Vec<KillScope> {
        let mut kills = self.kills.clone();
        kills.extend(global.then_some(KillScope::Global));
        kills.into_iter().collect()
    }

    fn save(&mut self, account_id: &str, commit: Commit) {
        for row in commit.changes {
            self.changes.insert(row.change.id, row);
        }
        let account = self.accounts.entry(account_id.to_owned()).or_default();
        account.high_water = account.high_water.max(Some(commit.now));
        if let Some(unmoved) = commit.unmoved {
            account.movements.retain(|m| m.own != Some((unmoved.change_id, unmoved.attempt)));
            if let Some(at) = unmoved.watch {
                account.watched.insert((at, unmoved.change_id, unmoved.attempt), ());
            }
        }
        for pause in commit.pauses {
            account.pauses.insert(pause.owner.clone(), pause);
        }
        for movement in commit.movements {
            account.watched.retain(|(_, id, attempt), ()| movement.own != Some((*id, *attempt)));
            match account.movements.iter_mut().find(|m| m.own.is_some() && m.own == movement.own) {
                Some(stored) => *stored = movement,
                None => account.movements.push(movement),
            }
        }
        account.known.extend(commit.known);
        account.history.extend(commit.history);
    }

    /// The changes that something has to be done about, by the time from which it may be and id.
    fn by_due(&self) -> Vec<(Timestamp, &ChangeRow)> {
        let in_flight: BTreeSet<_> = self
            .changes
            .values()
            .filter(|r| r.in_flight())
            .map(|r| (&r.change.account_id, &r.change.owner))
            .collect();
        let mut due: Vec<_> = self
            .changes
            .values()
            .filter(|r| r.in_flight() || !in_flight.contains(&(&r.change.account_id, &r.change.owner)))
            .filter_map(|r| Some((r.due_at?, r)))
            .collect();
        due.sort_by_key(|(due, r)| (*due, r.change.id));
        due
    }

    /// Until when the owner of a change is hidden.
    fn hidden_until(&self, row: &ChangeRow) -> Option<Timestamp> {
        self.hidden.get(&(row.change.account_id.clone(), row.change.owner.clone())).copied()
    }

    fn now(&self, account_id: &str, at: CallTime) -> Timestamp {
        self.accounts.get(account_id).map_or(at.now, |a| a.now(at))
    }
}

impl MemoryChanges {
    fn lock(&self) -> MutexGuard<'_, Tenants> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, tenant: &TenantId, read: impl FnOnce(&Tenant) -> T) -> T {
        let tenants = self.lock();
        match tenants.by_id.get(tenant) {
            Some(stored) => read(stored),
            None => read(&Tenant::default()),
        }
    }
}

#[async_trait]
impl ChangeStore for MemoryChanges {
    async fn queue(&self, tenant: &TenantId, batch: QueueBatch) -> Result<Queued> {
        let mut tenants = self.lock();
        let killed = tenants.killed;
        let stored = tenants.by_id.entry(tenant.clone()).or_default();
        let changes: Vec<_> = batch.changes.iter().map(|(c, _)| c).collect();
        let view = QueueView {
            account: stored.view(&batch.account_id, &changes, batch.at, None, killed),
            existing: changes.iter().filter_map(|c| stored.changes.get(&c.id)).cloned().collect(),
        };
        let (commit, queued) = machine::queue(tenant, view, &batch)?;
        stored.save(&batch.account_id, commit);
        self.wake.notify_one();
        Ok(queued)
    }

    async fn approve(&self, tenant: &TenantId, request: ApprovalRequest) -> Result<Vec<ChangeRow>> {
        let mut tenants = self.lock();
        let killed = tenants.killed;
        let stored = tenants.by_id.entry(tenant.clone()).or_default();
        let mut accounts: BTreeMap<String, Vec<ChangeRow>> = BTreeMap::new();
        let under = |row: &&ChangeRow| row.approval.as_ref().is_some_and(|a| a.digest == request.digest);
        for row in stored.changes.values().filter(under) {
            accounts.entry(row.change.account_id.clone()).or_default().push(row.clone());
        }
        let views = accounts.iter().map(|(account_id, rows)| {
            let changes: Vec<_> = rows.iter().map(|row| &row.change).collect();
            let account = stored.view(account_id, &changes, request.at, None, killed);
            ApprovalView { account, rows: rows.clone() }
        });
        let (commits, released) = machine::approve(tenant, views.collect(), &request)?;
        for (account_id, commit) in accounts.keys().zip(commits) {
            stored.save(account_id, commit);
        }
        self.wake.notify_one();
        Ok(released)
    }

    async fn transition(
        &self,
        tenant: &TenantId,
        id: ChangeId,
        transition: Transition,
    ) -> Result<Transitioned> {
        let mut tenants = self.lock();
        let killed = tenants.killed;
        let stored = tenants.by_id.entry(tenant.clone()).or_default();
        let row = stored.changes.get(&id).cloned().ok_or_else(|| unknown(id))?;
        let account_id = row.change.account_id.clone();
        let account =
            stored.view(&account_id, &[&row.change], transition.at, Some(&transition.policy), killed);
        let (commit, answer) = machine::apply(tenant, ChangeView { account, row }, &transition);
        if let Some(commit) = commit {
            stored.hidden.remove(&(account_id.clone(), answer.row.change.owner.clone()));
            stored.save(&account_id, commit);
            self.wake.notify_one();
        }
        Ok(answer)
    }

    async fn view(
        &self,
        tenant: &TenantId,
        change: &AdChange,
        at: CallTime,
        policy: &Policy,
    ) -> Result<AccountView> {
        let killed = self.lock().killed;
        Ok(self.read(tenant, |t| t.view(&change.account_id, &[change], at, Some(policy), killed)))
    }

    async fn pick(
        &self,
        tenant: &TenantId,
        at: CallTime,
        hold: Duration,
        limit: usize,
    ) -> Result<Vec<ChangeRow>> {
        let mut tenants = self.lock();
        let Some(stored) = tenants.by_id.get_mut(tenant) else { return Ok(Vec::new()) };
        let mut picked: Vec<ChangeRow> = Vec::new();
        for (due, row) in stored.by_due() {
            let now = stored.now(&row.change.account_id, at);
            let same_owner = |other: &ChangeRow| {
                (&other.change.account_id, &other.change.owner) == (&row.change.account_id, &row.change.owner)
            };
            let free = stored.hidden_until(row).is_none_or(|until| until <= now);
            if picked.len() < limit && due <= now && free && !picked.iter().any(same_owner) {
                picked.push(row.clone());
            }
        }
        for row in &picked {
            let until = stored.now(&row.change.account_id, at).plus(hold);
            stored.hidden.insert((row.change.account_id.clone(), row.change.owner.clone()), until);
        }
        Ok(picked)
    }

    async fn next_due(&self, tenant: &TenantId) -> Result<Option<Timestamp>> {
        Ok(self.read(tenant, |t| {
            t.by_due().into_iter().map(|(due, row)| t.hidden_until(row).map_or(due, |h| h.max(due))).min()
        }))
    }

    async fn tenants_due(&self, at: CallTime) -> Result<Vec<TenantId>> {
        let tenants = self.lock();
        let due = |t: &Tenant| {
            let mut open = t.changes.values().filter_map(|row| Some((row.due_at?, row)));
            open.any(|(due, row)| due <= t.now(&row.change.account_id, at))
        };
        Ok(tenants.by_id.iter().filter(|(_, t)| due(t)).map(|(id, _)| id.clone()).collect())
    }

    async fn tenants(&self) -> Result<Vec<TenantId>> {
        let tenants = self.lock();
        Ok(tenants.by_id.iter().filter(|(_, t)| !t.changes.is_empty()).map(|(id, _)| id.clone()).collect())
    }

    async fn next_due_of_any(&self) -> Result<Option<Timestamp>> {
        let tenants = self.lock();
        Ok(tenants.by_id.values().flat_map(|t| t.changes.values()).filter_map(|row| row.due_at).min())
    }

    async fn woken(&self) {
        self.wake.notified().await;
    }

    async fn get(&self, tenant: &TenantId, id: ChangeId) -> Result<Option<ChangeRow>> {
        Ok(self.read(tenant, |t| t.changes.get(&id).cloned()))
    }

    async fn list(&self, tenant: &TenantId, filter: &ChangeFilter) -> Result<Vec<ChangeRow>> {
        let place = |row: &ChangeRow| (row.queued_at, row.change.id);
        let mut rows: Vec<_> = self.read(tenant, |t| {
            let after = filter.after.and_then(|id| t.changes.get(&id)).map(place);
            let page = |row: &&ChangeRow| after.is_none_or(|after| place(row) > after);
            t.changes.values().filter(|r| filter.matches(r)).filter(page).cloned().collect()
        });
        rows.sort_by_key(place);
        rows.truncate(filter.limit.unwrap_or(usize::MAX));
        Ok(rows)
    }

    async fn set_limits(&self, tenant: &TenantId, account_id: &str, limits: &AccountLimits) -> Result<()> {
        let mut tenants = self.lock();
        let stored = tenants.by_id.entry(tenant.clone()).or_default();
        stored.accounts.entry(account_id.to_owned()).or_default().limits = Some(limits.clone());
        Ok(())
    }

    async fn rules(&self, tenant: &TenantId, account_id: &str, at: CallTime) -> Result<AccountRules> {
        let killed = self.lock().killed;
        Ok(self.read(tenant, |t| {
            let (account, now) = (t.accounts.get(account_id), t.now(account_id, at));
            AccountRules {
                limits: account.and_then(|a| a.limits.clone()),
                kills: t.kills(killed),
                pauses: account.map(|a| a.pauses(now)).unwrap_or_default(),
                now,
            }
        }))
    }

    async fn set_kill(&self, tenant: &TenantId, scope: &KillScope, on: bool) -> Result<()> {
        let mut tenants = self.lock();
        if *scope == KillScope::Global {
            tenants.killed = on;
            return Ok(());
        }
        let kills = &mut tenants.by_id.entry(tenant.clone()).or_default().kills;
        if on {
            kills.insert(scope.clone());
        } else {
            kills.remove(scope);
        }
        Ok(())
    }

    async fn kills(&self, tenant: &TenantId) -> Result<Vec<KillScope>> {
        let killed = self.lock().killed;
        Ok(self.read(tenant, |t| t.kills(killed)))
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

    async fn watched(&self, tenant: &TenantId, since: Timestamp) -> Result<Vec<WatchedAttempt>> {
        Ok(self.read(tenant, |t| {
            let keys = t.accounts.values().flat_map(|a| a.watched.keys()).filter(|(at, ..)| *at > since);
            let mut watched: Vec<_> = keys
                .filter_map(|(intent_at, id, attempt)| {
                    let row = t.changes.get(id)?.clone();
                    Some(WatchedAttempt { row, attempt: *attempt, intent_at: *intent_at })
                })
                .collect();
            watched.sort_by_key(|w| (w.intent_at, w.row.change.id, w.attempt));
            watched
        }))
    }

    async fn backlog(&self, tenant: &TenantId) -> Result<Backlog> {
        Ok(self.read(tenant, |t| {
            let mut open = BTreeMap::new();
            for row in t.changes.values().filter(|row| !row.is_over()) {
                *open.entry((row.status, row.reason)).or_insert(0) += 1;
            }
            Backlog {
                open: open
                    .into_iter()
                    .map(|((status, reason), count)| BacklogCount { status, reason, count })
                    .collect(),
                needs_human: t.changes.values().filter(|row| row.needs_human()).map(|_| 1).sum(),
                oldest_due: t.changes.values().filter_map(|row| row.due_at).min(),
            }
        }))
    }

    async fn high_water(&self, tenant: &TenantId) -> Result<Option<Timestamp>> {
        Ok(self.read(tenant, |t| t.accounts.values().filter_map(|a| a.high_water).max()))
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

    #[test]
    fn keeps_the_invariants_through_random_days() {
        use crate::conformance::simulation::Simulation;
        for seed in 0..8 {
            let store: Arc<dyn ChangeStore> = Arc::new(MemoryChanges::default());
            let day = crate::conformance::executor_simulation(&store, Simulation::day(seed));
            assert!(day.violations.is_empty(), "{}", day.explain());
        }
    }

    #[test]
    fn survives_a_crash_at_every_place() {
        let store: Arc<dyn ChangeStore> = Arc::new(MemoryChanges::default());
        let places = crate::conformance::executor_crashes(&store);
        assert!(places.len() >= 9 && places.values().sum::<usize>() >= 20, "{places:?}");
    }

    #[tokio::test]
    async fn yields_to_an_edit_at_every_place() {
        let store: Arc<dyn ChangeStore> = Arc::new(MemoryChanges::default());
        let places = crate::conformance::executor_edits(&store).await;
        assert!(places.len() >= 9 && places.values().sum::<usize>() >= 60, "{places:?}");
    }

    #[tokio::test]
    async fn fences_a_worker_that_wakes_late() {
        let store: Arc<dyn ChangeStore> = Arc::new(MemoryChanges::default());
        let places = crate::conformance::executor_zombies(&store).await;
        assert!(places.values().sum::<usize>() >= 20, "{places:?}");
    }
}
