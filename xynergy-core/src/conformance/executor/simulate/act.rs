//! What the host and people do: they queue, edit, decide, switch and look, each at its own times.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

use super::invariants::I16;
use super::worker::executor;
use super::world::{Object, World};
use crate::ads::ChangeField;
use crate::ctx::{Ctx, TenantId};
use crate::env::{Clock, Env, NoEvents, SeededEntropy, Timestamp};
use crate::execution::machine::{HumanVerdict, KillScope};
use crate::execution::{AdChange, ChangeId, ChangeRow, Executor};
use crate::money::Currency;
use crate::store::ChangeFilter;

/// Something that is going to be done to a tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Approve(String),
    Cancel,
    Edit,
    Kill,
    KillOff(KillScope),
    Learn,
    Limits,
    LogTrouble,
    Plan,
    Queue,
    ReadTrouble,
    Retry,
    Resolve,
    SetBack(usize, ChangeField, i64),
    TokenDies,
    Unlearn(usize),
}

/// The host: it has an executor of each tenant, and does nothing by itself.
pub(super) struct Host {
    world: Arc<World>,
    executors: Vec<(Executor, Ctx)>,
    todo: BinaryHeap<Reverse<(Timestamp, u64, usize, Act)>>,
    number: u64,
    named: u64,
}

impl Host {
    pub(super) async fn new(world: &Arc<World>, seed: u64) -> Self {
        let env = Env {
            clock: Arc::clone(&world.clock) as Arc<dyn Clock>,
            entropy: Arc::new(SeededEntropy::new(seed ^ 0x5eed)),
            events: Arc::new(NoEvents),
        };
        let executors: Vec<_> =
            (0..world.tenants.len()).map(|n| executor(world, n, 0, None, &env, seed)).collect();
        let mut host =
            Self { world: Arc::clone(world), executors, todo: BinaryHeap::new(), number: 0, named: 0 };
        for tenant in 0..world.tenants.len() {
            let (executor, ctx) = &host.executors[tenant];
            let limits = world.tenants[tenant].limits(&world.dice);
            executor.set_limits(ctx, &world.tenants[tenant].account, &limits).await.unwrap();
            let all = [
                Act::Cancel,
                Act::Edit,
                Act::Kill,
                Act::Learn,
                Act::Limits,
                Act::LogTrouble,
                Act::Plan,
                Act::Queue,
                Act::ReadTrouble,
                Act::Retry,
                Act::Resolve,
                Act::TokenDies,
            ];
            for act in all {
                host.again(tenant, act);
            }
        }
        host
    }

    /// When something is done next.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.todo.peek().map(|Reverse((at, ..))| *at)
    }

    /// Does all whose time has come.
    pub(super) async fn act(&mut self) {
        while let Some(Reverse((at, ..))) = self.todo.peek() {
            if *at > self.world.now() {
                break;
            }
            let Some(Reverse((_, _, tenant, act))) = self.todo.pop() else { break };
            self.perform(tenant, act).await;
        }
    }

    /// Nothing new is done; what is switched on is switched off.
    pub(super) async fn stop(&mut self) {
        let todo = std::mem::take(&mut self.todo);
        for Reverse((_, _, tenant, act)) in todo.into_sorted_vec() {
            match act {
                Act::KillOff(_) | Act::Unlearn(_) | Act::Approve(_) => self.perform(tenant, act).await,
                _ => {}
            }
        }
        for tenant in 0..self.executors.len() {
            self.resolve(tenant).await;
        }
    }

    /// Everybody looks for what landed late.
    pub(super) async fn reconcile(&self) -> u64 {
        let mut late = 0;
        for (executor, ctx) in &self.executors {
            late += executor.reconcile(ctx).await.unwrap().late;
        }
        late
    }

    pub(super) fn of(&self, tenant: usize) -> &(Executor, Ctx) {
        &self.executors[tenant]
    }

    fn at(&mut self, after: Duration, tenant: usize, act: Act) {
        self.number += 1;
        self.todo.push(Reverse((self.world.now().plus(after), self.number, tenant, act)));
    }

    /// Plans the same again, after a time of its own kind.
    fn again(&mut self, tenant: usize, act: Act) {
        let hours = |n: u64| Duration::from_secs(n * 3_600);
        let every = match &act {
            Act::Queue => self.world.profile.queue_every,
            Act::Retry | Act::Resolve => hours(2),
            Act::Edit => hours(3),
            Act::Cancel | Act::Plan | Act::LogTrouble => hours(5),
            Act::Kill | Act::Limits | Act::ReadTrouble => hours(8),
            Act::Learn | Act::TokenDies => hours(16),
            _ => return,
        };
        let after = self.world.dice.time(Duration::ZERO, every * 2);
        self.at(after, tenant, act);
    }

    async fn perform(&mut self, tenant: usize, act: Act) {
        self.again(tenant, act.clone());
        match act {
            Act::Approve(digest) => self.approve(tenant, &digest).await,
            Act::Cancel => self.cancel(tenant).await,
            Act::Edit => self.edit(tenant),
            Act::Kill => self.kill(tenant).await,
            Act::KillOff(scope) => self.switch(tenant, &scope, false).await,
            Act::Learn => self.learn(tenant),
            Act::Limits => self.limits(tenant).await,
            Act::LogTrouble => self.log_trouble(tenant),
            Act::Plan => self.plan(tenant).await,
            Act::Queue => self.queue(tenant).await,
            Act::ReadTrouble => self.read_trouble(tenant),
            Act::Retry => self.retry(tenant).await,
            Act::Resolve => self.resolve(tenant).await,
            Act::SetBack(object, field, value) => self.set(tenant, object, field, value),
            Act::TokenDies => self.token_dies(tenant),
            Act::Unlearn(object) => self.platform_learning(tenant, object, false),
        }
    }

    // What is queued.

    async fn queue(&mut self, tenant: usize) {
        let world = Arc::clone(&self.world);
        let (dice, of) = (&world.dice, &world.tenants[tenant]);
        let allocation = dice.percent(50).then(|| format!("allocation {}", self.named));
        let reach = *dice.of(&[3, 8, 20]);
        let ramped = dice.percent(12);
        let mut changes = Vec::new();
        for object in &of.objects {
            if dice.percent(45) {
                let change = self.change(tenant, object, reach, ramped, allocation.clone());
                changes.extend(change);
            }
        }
        self.named += 1;
        if changes.is_empty() {
            return;
        }
        let waiting = self.waiting(tenant).await;
        let (executor, ctx) = &self.executors[tenant];
        let rows = if ramped {
            executor.queue_ramped(ctx, changes).await
        } else {
            executor.queue(ctx, changes).await
        };
        let Ok(rows) = rows else { return };
        world.tell(|| format!("t{tenant}: {} changes are queued", rows.len()));
        let mut ledger = world.ledger();
        ledger.counts.entry("queued").and_modify(|n| *n += rows.len() as u64).or_insert(rows.len() as u64);
        if rows.iter().any(|r| r.change.ramp.is_some()) {
            ledger.count("queued as a ramp");
        }
        for row in waiting {
            let newer = rows
                .iter()
                .any(|new| new.change.owner == row.change.owner && new.change.field == row.change.field);
            if newer {
                ledger.withdrawn.insert((tenant, row.change.id), world.now());
            }
        }
        drop(ledger);
        if let Some(digest) = rows.iter().find_map(|r| r.approval.as_ref()).map(|a| a.digest.clone())
            && dice.percent(75)
        {
            self.at(dice.seconds(1, 3_600), tenant, Act::Approve(digest));
        }
        // A person who watches sets the very target, or does and undoes.
        if !of.calm && dice.percent(8) {
            let row = dice.of(&rows);
            let object = of.objects.iter().position(|o| o.owner == row.change.owner).unwrap();
            world.count("edit to the target");
            let after = dice.seconds(1, 120);
            self.at(after, tenant, Act::SetBack(object, row.change.field, row.change.target));
        }
    }

    fn change(
        &mut self,
        tenant: usize,
        object: &Object,
        reach: u64,
        ramped: bool,
        allocation: Option<String>,
    ) -> Option<AdChange> {
        let (dice, of) = (&self.world.dice, &self.world.tenants[tenant]);
        let field = match dice.below(20) {
            0..=1 if object.bid => ChangeField::Bid,
            2..=3 => ChangeField::Status,
            _ => ChangeField::Budget,
        };
        let mut from = of.value(&object.owner, field).or_else(|| object.lifetime.then_some(90_000))?;
        // Somebody decided on an old value.
        if dice.percent(3) && field != ChangeField::Status {
            from += 1;
        }
        let target = match field {
            ChangeField::Status => 1 - from,
            _ if ramped => from * i64::try_from(dice.between(60, 150)).unwrap() / 100,
            _ if dice.percent(3) => from * 2,
            _ => {
                let percent =
                    i64::try_from(dice.between(0, 2 * reach)).unwrap() - i64::try_from(reach).unwrap();
                from + from * percent / 100
            }
        };
        if target == from || target < 1 && field != ChangeField::Status {
            return None;
        }
        self.named += 1;
        let soon = dice.percent(10).then(|| self.world.store_clock.now().plus(dice.seconds(5, 1_800)));
        // Somebody means another object.
        let campaign = if dice.percent(1) && object.campaign.starts_with('c') {
            "elsewhere".to_owned()
        } else {
            object.campaign.clone()
        };
        Some(AdChange {
            id: ChangeId::derive(&[&of.account, &self.named.to_string()]),
            account_id: of.account.clone(),
            campaign_id: campaign,
            owner: object.owner.clone(),
            field,
            expected_from: from,
            target,
            currency: Currency::USD,
            allocation_id: allocation,
            causation_id: None,
            reason: String::new(),
            expires_at: soon,
            ramp: None,
        })
    }

    async fn waiting(&self, tenant: usize) -> Vec<ChangeRow> {
        let all = ChangeFilter::default();
        let rows = self.world.store.list(&self.world.tenants[tenant].id, &all).await.unwrap();
        rows.into_iter().filter(ChangeRow::waiting).collect()
    }

    // What people decide.

    async fn approve(&mut self, tenant: usize, digest: &str) {
        let (executor, ctx) = &self.executors[tenant];
        let Ok(released) = executor.approve(ctx, digest).await else { return };
        self.world.tell(|| format!("t{tenant}: {} changes are approved", released.len()));
        self.world.ledger().approved.extend(released.iter().map(|row| (tenant, row.change.id)));
    }

    async fn cancel(&mut self, tenant: usize) {
        let waiting = self.waiting(tenant).await;
        if waiting.is_empty() {
            return;
        }
        let row = self.world.dice.of(&waiting);
        let (executor, ctx) = &self.executors[tenant];
        if executor.cancel(ctx, row.change.id).await.unwrap().moved {
            let now = self.world.now();
            self.world.ledger().withdrawn.insert((tenant, row.change.id), now);
        }
    }

    async fn retry(&mut self, tenant: usize) {
        let all = ChangeFilter::default();
        let rows = self.world.store.list(&self.world.tenants[tenant].id, &all).await.unwrap();
        for row in rows.iter().filter(|row| row.not_applied()) {
            if self.world.dice.percent(50) {
                let (executor, ctx) = &self.executors[tenant];
                // What was replaced, or has expired, cannot be sent again.
                drop(executor.retry(ctx, row.change.id).await);
            }
        }
    }

    /// A person looks at the platform itself.
    async fn resolve(&mut self, tenant: usize) {
        let of = &self.world.tenants[tenant];
        of.platform.land(self.world.now());
        let effects = of.platform.effects();
        let rows = self.world.store.list(&of.id, &ChangeFilter::default()).await.unwrap();
        for row in rows.iter().filter(|row| row.needs_human() && !row.not_applied()) {
            if !self.world.dice.percent(60) {
                continue;
            }
            let landed = effects.iter().any(|e| e.change == Some((row.change.id, row.attempt)));
            let verdict = if landed { HumanVerdict::Applied } else { HumanVerdict::NotApplied };
            let (executor, ctx) = &self.executors[tenant];
            // It may have been told meanwhile.
            drop(executor.resolve(ctx, row.change.id, verdict, "the platform's own pages show it").await);
        }
    }

    async fn kill(&mut self, tenant: usize) {
        let dice = &self.world.dice;
        let account_id = self.world.tenants[tenant].account.clone();
        let (scope, path) = match dice.below(if tenant == 0 { 7 } else { 6 }) {
            0..=1 => (KillScope::Tenant, "kill: tenant"),
            2..=3 => (KillScope::Account(account_id), "kill: account"),
            4..=5 => {
                let owner = dice.of(&self.world.tenants[tenant].objects).owner.clone();
                (KillScope::Owner { account_id, owner }, "kill: owner")
            }
            _ => (KillScope::Global, "kill: global"),
        };
        self.world.count(path);
        self.switch(tenant, &scope, true).await;
        let after = self.world.dice.seconds(30, 5_400);
        self.at(after, tenant, Act::KillOff(scope));
    }

    async fn switch(&mut self, tenant: usize, scope: &KillScope, on: bool) {
        self.world.tell(|| format!("t{tenant}: kill switch {} {on}", scope.key()));
        for (number, of) in self.world.tenants.iter().enumerate() {
            if *scope == KillScope::Global || number == tenant {
                of.trouble().had_kill = true;
            }
        }
        let (executor, ctx) = &self.executors[tenant];
        executor.kill(ctx, scope, on).await.unwrap();
    }

    async fn limits(&mut self, tenant: usize) {
        let of = &self.world.tenants[tenant];
        if of.calm {
            return;
        }
        let limits = of.limits(&self.world.dice);
        self.world.count("limits changed");
        self.world.tell(|| format!("t{tenant}: {limits:?}"));
        let (executor, ctx) = &self.executors[tenant];
        executor.set_limits(ctx, &of.account, &limits).await.unwrap();
    }

    /// A dry run writes nothing, here or there.
    async fn plan(&mut self, tenant: usize) {
        let world = Arc::clone(&self.world);
        let of = &world.tenants[tenant];
        let changes: Vec<_> = of
            .objects
            .iter()
            .filter_map(|object| self.change(tenant, object, 10, false, None))
            .map(|change| AdChange { expires_at: None, ..change })
            .collect();
        of.platform.land(world.now());
        let account = of.account.as_str();
        let id: &TenantId = &of.id;
        let all = crate::store::HistoryFilter { limit: usize::MAX, ..Default::default() };
        let rows = |history: &[crate::execution::AuditRow]| history.len();
        let before = (of.platform.requests(), rows(&world.store.history(id, account, &all).await.unwrap()));
        let (executor, ctx) = &self.executors[tenant];
        let planned = executor.plan(ctx, &changes, true).await;
        let after = (of.platform.requests(), rows(&world.store.history(id, account, &all).await.unwrap()));
        world.count("dry run");
        if before != after {
            let message = format!("requests and history rows: {before:?}, then {after:?}, {planned:?}");
            world.ledger().break_rule(I16, message);
        }
    }

    // What people do to the account.

    fn edit(&mut self, tenant: usize) {
        let world = Arc::clone(&self.world);
        let (dice, of) = (&world.dice, &world.tenants[tenant]);
        if of.calm {
            return;
        }
        let object = dice.index(of.objects.len());
        let field = if dice.percent(80) { ChangeField::Budget } else { ChangeField::Status };
        let Some(before) = of.value(&of.objects[object].owner, field) else { return };
        let value = if field == ChangeField::Status {
            1 - before
        } else {
            (before * i64::try_from(dice.between(60, 140)).unwrap() / 100).max(1)
        };
        self.set(tenant, object, field, value);
        if dice.percent(50) {
            world.count("edit and back");
            self.at(dice.seconds(1, 400), tenant, Act::SetBack(object, field, before));
        } else {
            world.count("edit");
        }
    }

    fn set(&mut self, tenant: usize, object: usize, field: ChangeField, value: i64) {
        let of = &self.world.tenants[tenant];
        let owner = &of.objects[object].owner;
        of.platform.edit(owner, field, value, self.world.now());
        self.world.tell(|| format!("t{tenant}: a person sets {owner} {field:?} = {value}"));
    }

    fn learn(&mut self, tenant: usize) {
        let dice = &self.world.dice;
        let object = dice.index(self.world.tenants[tenant].objects.len());
        let after = dice.seconds(600, 7_200);
        self.world.count("learning");
        self.platform_learning(tenant, object, true);
        self.at(after, tenant, Act::Unlearn(object));
    }

    fn platform_learning(&self, tenant: usize, object: usize, learning: bool) {
        let of = &self.world.tenants[tenant];
        of.platform.set_learning(&of.objects[object].owner, learning);
    }

    fn log_trouble(&mut self, tenant: usize) {
        let of = &self.world.tenants[tenant];
        if self.world.dice.percent(50) {
            self.world.count("log away");
            of.trouble().log_away_until = self.world.now().plus(self.world.dice.seconds(60, 1_200));
        } else if of.lags {
            self.world.count("log lagged");
            of.platform.lag_activities(self.world.lag());
        }
    }

    fn read_trouble(&mut self, tenant: usize) {
        let of = &self.world.tenants[tenant];
        if self.world.dice.percent(50) {
            self.world.count("readings failed");
            let mut trouble = of.trouble();
            trouble.had_unreadable = true;
            trouble.unreadable_until = self.world.now().plus(self.world.dice.seconds(30, 1_200));
        } else if of.lags {
            self.world.count("readings lagged");
            of.platform.lag_reads(self.world.lag());
        }
    }

    fn token_dies(&mut self, tenant: usize) {
        let (world, now) = (&self.world, self.world.now());
        let until = now.plus(world.dice.seconds(300, 7_200));
        world.count("token died");
        world.tell(|| format!("t{tenant}: the token is dead until {until}"));
        world.tenants[tenant].platform.fault_token(now, until);
        let mut trouble = world.tenants[tenant].trouble();
        trouble.had_dead_token = true;
        trouble.token_dead_until = until;
    }
}
