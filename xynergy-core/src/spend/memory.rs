use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{
    KEPT, LATE, LimitScope, OpenReserve, Reserve, Settlement, Span, Spend, SpendCell, SpendLedger,
    SpendLimit, SpendTotal, Window,
};
use crate::ctx::TenantId;
use crate::env::Timestamp;
use crate::error::Result;

/// A [`SpendLedger`] in memory: for one process, gone with it.
#[derive(Debug, Default)]
pub struct MemoryLedger(Mutex<BTreeMap<TenantId, Account>>);

#[derive(Debug, Default)]
struct Account {
    limits: Vec<SpendLimit>,
    /// Sums of the history and of what is open: made when a limit first asks for one, and kept up from then on.
    counters: Vec<Counter>,
    open: BTreeMap<u128, OpenReserve>,
    leases: BTreeMap<(Timestamp, u128), ()>,
    cells: BTreeMap<SpendCell, SpendTotal>,
}

#[derive(Debug)]
struct Counter {
    scope: LimitScope,
    start: Timestamp,
    end: Timestamp,
    settled: u64,
    reserved: u64,
}

impl MemoryLedger {
    fn accounts(&self) -> MutexGuard<'_, BTreeMap<TenantId, Account>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn within<T>(&self, tenant: &TenantId, work: impl FnOnce(&mut Account) -> T) -> T {
        let mut accounts = self.accounts();
        match accounts.get_mut(tenant) {
            Some(account) => work(account),
            None => work(accounts.entry(tenant.clone()).or_default()),
        }
    }
}

impl Account {
    fn counter(&mut self, span: &Span) -> &Counter {
        let Span { limit, start, end } = span;
        let is_it = |c: &Counter| c.start == *start && c.end == *end && c.scope == limit.scope;
        if let Some(place) = self.counters.iter().position(is_it) {
            return &self.counters[place];
        }
        // One that has ended is made again when something late asks for it.
        self.counters.retain(|counter| counter.end > *start);
        let first = SpendCell {
            minute: *start,
            provider: String::new(),
            model: String::new(),
            key: None,
            tags: [].into(),
        };
        let cells = self.cells.range(first..).take_while(|(cell, _)| cell.minute < *end);
        let covered = cells.filter(|(cell, _)| limit.scope.covers(&cell.tags, cell.key.as_deref()));
        let settled = covered.fold(0_u64, |sum, (_, total)| sum.saturating_add(total.cost_nano_usd));
        let open = self.open.values().filter(|o| *start <= o.at && o.at < *end);
        let covered = open.filter(|open| limit.scope.covers(&open.tags, open.key.as_deref()));
        let reserved = covered.fold(0_u64, |sum, open| sum.saturating_add(open.amount_nano_usd));
        let made = Counter { scope: limit.scope.clone(), start: *start, end: *end, settled, reserved };
        self.counters.push(made);
        &self.counters[self.counters.len() - 1]
    }

    /// Changes the counters that a reservation is in.
    fn count(&mut self, open: &OpenReserve, mut change: impl FnMut(&mut Counter)) {
        let is_of = |c: &&mut Counter| {
            c.start <= open.at && open.at < c.end && c.scope.covers(&open.tags, open.key.as_deref())
        };
        self.counters.iter_mut().filter(is_of).for_each(&mut change);
    }

    /// Gives back what nobody has settled within its lease, and forgets what nobody will.
    fn expire(&mut self, now: Timestamp) {
        while let Some((&(due, id), ())) = self.leases.first_key_value().filter(|((due, _), ())| *due <= now)
        {
            self.leases.pop_first();
            let Some(mut open) = self.open.remove(&id) else { continue };
            if due > open.expires {
                continue;
            }
            let amount = std::mem::take(&mut open.amount_nano_usd);
            self.count(&open, |counter| counter.reserved = counter.reserved.saturating_sub(amount));
            self.leases.insert((due.plus(LATE), id), ());
            self.open.insert(id, open);
        }
    }

    fn close(&mut self, id: u128, used: Option<&Settlement>) {
        let Some(open) = self.open.remove(&id) else { return };
        self.leases.remove(&(open.expires, id));
        self.leases.remove(&(open.expires.plus(LATE), id));
        let cost = used.and_then(|used| used.cost_nano_usd).unwrap_or(0);
        self.count(&open, |counter| {
            counter.reserved = counter.reserved.saturating_sub(open.amount_nano_usd);
            counter.settled = counter.settled.saturating_add(cost);
        });
        let Some(used) = used else { return };
        let cell = SpendCell::of(open.at, &open.tags, open.key.as_deref(), used);
        let oldest = cell.minute.minus(KEPT);
        self.cells.entry(cell).or_default().add(&SpendTotal::of(used));
        while self.cells.first_key_value().is_some_and(|(first, _)| first.minute < oldest) {
            self.cells.pop_first();
        }
    }
}

#[async_trait]
impl SpendLedger for MemoryLedger {
    async fn set_limit(&self, tenant: &TenantId, limit: SpendLimit) -> Result<()> {
        self.within(tenant, |account| {
            account.limits.retain(|old| !old.is_of(&limit.scope, limit.window));
            account.limits.push(limit);
            account.limits.sort_by(|a, b| (&a.scope, a.window).cmp(&(&b.scope, b.window)));
        });
        Ok(())
    }

    async fn remove_limit(&self, tenant: &TenantId, scope: &LimitScope, window: Window) -> Result<bool> {
        Ok(self.within(tenant, |account| {
            let before = account.limits.len();
            account.limits.retain(|limit| !limit.is_of(scope, window));
            account.limits.len() < before
        }))
    }

    async fn limits(&self, tenant: &TenantId) -> Result<Vec<SpendLimit>> {
        Ok(self.accounts().get(tenant).map(|a| a.limits.clone()).unwrap_or_default())
    }

    fn remembered(&self, tenant: &TenantId) -> Option<Vec<SpendLimit>> {
        Some(self.accounts().get(tenant).map(|a| a.limits.clone()).unwrap_or_default())
    }

    async fn reserve(&self, tenant: &TenantId, request: &Reserve) -> Result<Vec<SpendLimit>> {
        self.within(tenant, |account| {
            account.expire(request.at);
            if account.open.contains_key(&request.id) {
                return Ok(Vec::new());
            }
            let mut crossed = Vec::new();
            for span in request.spans(&account.limits) {
                let &Counter { settled, reserved, .. } = account.counter(&span);
                let taken = settled.saturating_add(reserved);
                if taken.saturating_add(request.amount_nano_usd) > span.limit.amount_nano_usd {
                    if span.limit.hard {
                        return Err(request.refusal(&span, settled, reserved));
                    }
                    crossed.push(span.limit);
                }
            }
            let open = OpenReserve {
                amount_nano_usd: request.amount_nano_usd,
                at: request.at,
                expires: request.expires(),
                tags: request.tags.clone(),
                key: request.key.clone(),
            };
            account.count(&open, |counter| {
                counter.reserved = counter.reserved.saturating_add(request.amount_nano_usd);
            });
            account.leases.insert((open.expires, request.id), ());
            account.open.insert(request.id, open);
            Ok(crossed)
        })
    }

    async fn settle(&self, tenant: &TenantId, id: u128, settlement: &Settlement) -> Result<()> {
        self.within(tenant, |account| account.close(id, Some(settlement)));
        Ok(())
    }

    fn close(&self, tenant: &TenantId, id: u128, used: Option<Settlement>) {
        self.within(tenant, |account| account.close(id, used.as_ref()));
    }

    async fn spend(&self, tenant: &TenantId, since: Option<Timestamp>, now: Timestamp) -> Result<Spend> {
        let accounts = self.accounts();
        let Some(account) = accounts.get(tenant) else { return Ok(Spend { since, ..Spend::default() }) };
        let open: Vec<OpenReserve> = account.open.values().cloned().collect();
        Ok(Spend::report(&account.cells, &open, &account.limits, since, now))
    }
}
