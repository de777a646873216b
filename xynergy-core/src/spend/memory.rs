use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::{
    LimitScope, LimitState, ProviderSpend, Reserve, Settlement, Spend, SpendLedger, SpendLimit, Window,
};
use crate::ctx::TenantId;
use crate::env::Timestamp;
use crate::error::{Error, ErrorKind, Result, Retry};

/// For how long the history by the minute is kept.
const KEPT: Duration = Duration::from_secs(100 * 86_400);

/// A [`SpendLedger`] in memory: for one process, gone with it.
#[derive(Debug, Default)]
pub struct MemoryLedger(Mutex<BTreeMap<TenantId, Account>>);

#[derive(Debug, Default)]
struct Account {
    limits: BTreeMap<(LimitScope, Window), SpendLimit>,
    counters: BTreeMap<(LimitScope, Window), BTreeMap<Timestamp, Counter>>,
    open: BTreeMap<u128, Open>,
    minutes: BTreeMap<Timestamp, BTreeMap<String, ProviderSpend>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counter {
    settled: u64,
    reserved: u64,
}

#[derive(Debug)]
struct Open {
    amount: u64,
    at: Timestamp,
    tags: BTreeSet<String>,
}

impl MemoryLedger {
    fn accounts(&self) -> MutexGuard<'_, BTreeMap<TenantId, Account>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    fn counter(&self, scope: &LimitScope, window: Window, at: Timestamp) -> Counter {
        let spans = self.counters.get(&(scope.clone(), window));
        spans.and_then(|spans| spans.get(&window.start(at))).copied().unwrap_or_default()
    }

    /// Changes the counters of every window and scope that a call belongs to. All windows are counted, with a limit or
    /// without, so that a limit set later knows what was spent before.
    fn count(&mut self, tags: &BTreeSet<String>, at: Timestamp, mut change: impl FnMut(&mut Counter)) {
        for scope in scopes(tags) {
            for window in Window::ALL {
                let start = window.start(at);
                let spans = self.counters.entry((scope.clone(), window)).or_default();
                change(spans.entry(start).or_default());
                spans.retain(|span, counter| *span >= start || counter.reserved > 0);
            }
        }
    }

    fn close(&mut self, id: u128, used: Option<&Settlement>) {
        let Some(Open { amount, at, tags }) = self.open.remove(&id) else { return };
        let cost = used.and_then(|used| used.cost_nano_usd).unwrap_or(0);
        self.count(&tags, at, |counter| {
            counter.reserved = counter.reserved.saturating_sub(amount);
            counter.settled = counter.settled.saturating_add(cost);
        });
        if let Some(used) = used {
            let minute = Window::Minute.start(at);
            let by_provider = self.minutes.entry(minute).or_default();
            by_provider.entry(used.provider.clone()).or_default().add(&ProviderSpend::of(used));
            let oldest = minute.minus(KEPT);
            while self.minutes.first_key_value().is_some_and(|(first, _)| *first < oldest) {
                self.minutes.pop_first();
            }
        }
    }
}

#[async_trait]
impl SpendLedger for MemoryLedger {
    async fn set_limit(&self, tenant: &TenantId, limit: SpendLimit) -> Result<()> {
        let mut accounts = self.accounts();
        let account = accounts.entry(tenant.clone()).or_default();
        account.limits.insert((limit.scope.clone(), limit.window), limit);
        Ok(())
    }

    async fn limits(&self, tenant: &TenantId) -> Result<Vec<SpendLimit>> {
        Ok(self.accounts().get(tenant).map(|a| a.limits.values().cloned().collect()).unwrap_or_default())
    }

    async fn reserve(&self, tenant: &TenantId, request: &Reserve) -> Result<Vec<SpendLimit>> {
        let mut accounts = self.accounts();
        let account = accounts.entry(tenant.clone()).or_default();
        let mut crossed = Vec::new();
        let standing =
            request.standing.iter().filter(|l| !account.limits.contains_key(&(l.scope.clone(), l.window)));
        let scopes: Vec<LimitScope> = scopes(&request.tags).collect();
        for limit in account.limits.values().chain(standing).filter(|limit| scopes.contains(&limit.scope)) {
            let counter = account.counter(&limit.scope, limit.window, request.at);
            let taken = counter.settled.saturating_add(counter.reserved);
            if taken.saturating_add(request.amount_nano_usd) > limit.amount_nano_usd {
                if limit.hard {
                    return Err(refusal(limit, counter, request));
                }
                crossed.push(limit.clone());
            }
        }
        account.count(&request.tags, request.at, |counter| {
            counter.reserved = counter.reserved.saturating_add(request.amount_nano_usd);
        });
        let open = Open { amount: request.amount_nano_usd, at: request.at, tags: request.tags.clone() };
        account.open.insert(request.id, open);
        Ok(crossed)
    }

    async fn settle(&self, tenant: &TenantId, id: u128, settlement: &Settlement) -> Result<()> {
        if let Some(account) = self.accounts().get_mut(tenant) {
            account.close(id, Some(settlement));
        }
        Ok(())
    }

    fn close(&self, tenant: &TenantId, id: u128, used: Option<Settlement>) {
        if let Some(account) = self.accounts().get_mut(tenant) {
            account.close(id, used.as_ref());
        }
    }

    async fn spend(&self, tenant: &TenantId, since: Option<Timestamp>, now: Timestamp) -> Result<Spend> {
        let accounts = self.accounts();
        let mut spend = Spend { since, ..Spend::default() };
        let Some(account) = accounts.get(tenant) else { return Ok(spend) };
        let from = since.map_or(Timestamp::from_micros(i64::MIN), |since| Window::Minute.start(since));
        for (provider, minute) in account.minutes.range(from..).flat_map(|(_, by_provider)| by_provider) {
            spend.add(provider, minute);
        }
        spend.reserved_nano_usd = account.open.values().fold(0, |sum, open| sum.saturating_add(open.amount));
        spend.limits = account
            .limits
            .values()
            .map(|limit| {
                let counter = account.counter(&limit.scope, limit.window, now);
                LimitState {
                    limit: limit.clone(),
                    settled_nano_usd: counter.settled,
                    reserved_nano_usd: counter.reserved,
                }
            })
            .collect();
        Ok(spend)
    }
}

fn scopes(tags: &BTreeSet<String>) -> impl Iterator<Item = LimitScope> {
    std::iter::once(LimitScope::Tenant).chain(tags.iter().cloned().map(LimitScope::Tag))
}

fn refusal(limit: &SpendLimit, counter: Counter, request: &Reserve) -> Error {
    let until = limit.window.end(request.at);
    Error::new(
        ErrorKind::LimitExceeded,
        "ai.spend",
        format!(
            "the hard spend limit of {} for a {} is reached; wait until {until} or raise it with set_limit",
            limit.scope,
            limit.window.as_str()
        ),
    )
    .with_retry(Retry::After(until.since(request.at)))
    .with_context("limit_nano_usd", limit.amount_nano_usd.to_string())
    .with_context("settled_nano_usd", counter.settled.to_string())
    .with_context("reserved_nano_usd", counter.reserved.to_string())
    .with_context("needed_nano_usd", request.amount_nano_usd.to_string())
}
