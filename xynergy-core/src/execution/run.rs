use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::change::{ChangeRow, ChangeStatus};
use super::execute::{Executor, Step};
use super::machine::CallTime;
use crate::ctx::{Ctx, TenantId};
use crate::env::{Env, Timestamp};
use crate::error::{Error, ErrorKind, Result};
use crate::store::ChangeStore;

const FIRST_BACK_OFF: Duration = Duration::from_millis(200);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(30);

/// How a worker process works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RunOptions {
    /// How many changes are worked on at once, 1 to 256.
    pub workers: usize,
    /// How often the store is asked for something due when nothing wakes the run.
    pub poll_ms: u64,
    /// How often requests that were judged not applied are searched for late landings; 0 for never.
    pub reconcile_ms: u64,
}

impl Default for RunOptions {
    /// 4 workers, asking each second, searching every 10 minutes.
    fn default() -> Self {
        Self { workers: 4, poll_ms: 1_000, reconcile_ms: 600_000 }
    }
}

impl RunOptions {
    /// Refuses what could not run.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the field.
    pub fn validate(&self) -> Result<()> {
        if !(1..=256).contains(&self.workers) {
            return Err(Error::invalid("execution.run", "workers: give 1 to 256"));
        }
        if self.poll_ms == 0 {
            return Err(Error::invalid("execution.run", "poll_ms: give at least 1"));
        }
        Ok(())
    }
}

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunReport {
    /// Steps that were taken.
    pub steps: u64,
    /// Changes that were completed.
    pub completed: u64,
    /// Steps after which a change was blocked.
    pub blocked: u64,
    /// Changes that failed.
    pub failed: u64,
    /// Steps that left a request unknown.
    pub unknown: u64,
    /// Steps that another worker was ahead of.
    pub passed_by: u64,
    /// Requests that were found to have landed late.
    pub late: u64,
    /// Errors of the store, after each of which the run went on.
    pub errors: u64,
}

/// The executor of each tenant, with the context that it works in.
#[async_trait]
pub trait TenantExecutors: Send + Sync + fmt::Debug {
    /// The tenant's executor.
    ///
    /// # Errors
    /// Where its keys or its ad platform cannot be had: its changes are left for later then, and those of other tenants
    /// go on.
    async fn executor(&self, tenant: &TenantId) -> Result<(Executor, Ctx)>;

    /// Whether the tenant's changes are to be worked on at all.
    fn serves(&self, tenant: &TenantId) -> bool {
        let _ = tenant;
        true
    }
}

/// Works until `until` is over: takes what is due, of one tenant after the other so that none waits for another's queue,
/// with so many workers; sleeps until the next due time, the next poll, or until the store wakes it.
///
/// At its start it reconciles what an earlier process left. When `until` is over it takes nothing new and waits for the
/// steps that are under way. Errors of the store are counted and tried again with growing pauses.
///
/// Cancel safety: dropping the future takes nothing new; the steps under way end by themselves.
///
/// # Errors
/// [`InvalidInput`](ErrorKind::InvalidInput) for options that could not run.
pub async fn run(
    store: &Arc<dyn ChangeStore>,
    executors: &dyn TenantExecutors,
    env: &Env,
    options: RunOptions,
    until: impl Future<Output = ()>,
) -> Result<RunReport> {
    options.validate()?;
    let mut until = pin!(until);
    let mut run = Run::new(store, executors, env, options);
    let mut reconcile_at: Option<Timestamp> = None;
    loop {
        if options.reconcile_ms > 0 && reconcile_at.is_none_or(|at| at <= env.clock.now()) {
            tokio::select! {
                biased;
                () = &mut until => break,
                () = run.search_late() => {}
            }
            reconcile_at = Some(env.clock.now().plus(Duration::from_millis(options.reconcile_ms)));
        }
        let taken = tokio::select! {
            biased;
            () = &mut until => break,
            taken = run.take() => taken,
        };
        let full = run.steps.len() >= options.workers;
        if taken && !full {
            continue;
        }
        let pause = run.pause(full).await;
        tokio::select! {
            biased;
            () = &mut until => break,
            Some(ended) = run.steps.join_next() => run.ended(ended),
            () = store.woken(), if !full => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    Ok(run.drain().await)
}

/// Does everything that is due now and returns, for schedulers and functions that scale to zero: what is due later is
/// left to the next call.
///
/// # Errors
/// Those of [`run`].
pub async fn tick(
    store: &Arc<dyn ChangeStore>,
    executors: &dyn TenantExecutors,
    env: &Env,
    options: RunOptions,
) -> Result<RunReport> {
    options.validate()?;
    let mut run = Run::new(store, executors, env, options);
    if options.reconcile_ms > 0 {
        run.search_late().await;
    }
    loop {
        let taken = run.take().await;
        if !run.back_off.is_zero() {
            break;
        }
        if taken && run.steps.len() < options.workers {
            continue;
        }
        match run.steps.join_next().await {
            Some(ended) => run.ended(ended),
            None => break,
        }
    }
    Ok(run.drain().await)
}

struct Run<'a> {
    store: &'a Arc<dyn ChangeStore>,
    executors: &'a dyn TenantExecutors,
    env: &'a Env,
    options: RunOptions,
    /// The tenants of this lap that were not asked yet.
    lap: VecDeque<TenantId>,
    steps: JoinSet<Result<Step>>,
    /// Tenants that failed by themselves, each with its pause and when that is over: others do not wait for them.
    resting: BTreeMap<TenantId, (Duration, Instant)>,
    /// How long to wait for a store that fails.
    back_off: Duration,
    report: RunReport,
}

impl<'a> Run<'a> {
    fn new(
        store: &'a Arc<dyn ChangeStore>,
        executors: &'a dyn TenantExecutors,
        env: &'a Env,
        options: RunOptions,
    ) -> Self {
        Self {
            store,
            executors,
            env,
            options,
            lap: VecDeque::new(),
            steps: JoinSet::new(),
            resting: BTreeMap::new(),
            back_off: Duration::ZERO,
            report: RunReport::default(),
        }
    }

    /// Takes one change of each tenant in turn until all workers are busy or a whole lap gave nothing; whether it took any.
    async fn take(&mut self) -> bool {
        let mut taken = false;
        let mut new_lap = self.lap.is_empty();
        while self.steps.len() < self.options.workers {
            if self.lap.is_empty() {
                if !new_lap {
                    break;
                }
                new_lap = false;
                match self.store.tenants_due(CallTime::of(&*self.env.clock)).await {
                    Ok(tenants) => {
                        self.back_off = Duration::ZERO;
                        let now = Instant::now();
                        let rests = |t: &TenantId| self.resting.get(t).is_some_and(|(_, until)| *until > now);
                        self.lap
                            .extend(tenants.into_iter().filter(|t| self.executors.serves(t) && !rests(t)));
                    }
                    Err(_) => self.failed(),
                }
                if self.lap.is_empty() {
                    break;
                }
            }
            let Some(tenant) = self.lap.pop_front() else { break };
            match self.take_one(&tenant).await {
                Ok(some) => {
                    self.resting.remove(&tenant);
                    taken |= some;
                }
                Err(_) => self.rest(tenant),
            }
        }
        taken
    }

    async fn take_one(&mut self, tenant: &TenantId) -> Result<bool> {
        let (executor, ctx) = self.executors.executor(tenant).await?;
        let picked: Vec<ChangeRow> = executor.pick(&ctx, 1).await?;
        let taken = !picked.is_empty();
        for row in picked {
            let (executor, ctx) = (executor.clone(), ctx.clone());
            self.steps.spawn(async move { executor.advance(&ctx, row).await });
        }
        Ok(taken)
    }

    /// A tenant's own failure, as of its keys: it is asked again later.
    fn rest(&mut self, tenant: TenantId) {
        self.report.errors += 1;
        let before = self.resting.get(&tenant).map_or(Duration::ZERO, |(pause, _)| *pause);
        let pause = (before * 2).clamp(FIRST_BACK_OFF, LONGEST_BACK_OFF);
        self.resting.insert(tenant, (pause, Instant::now() + pause));
    }

    fn failed(&mut self) {
        self.report.errors += 1;
        self.back_off = (self.back_off * 2).clamp(FIRST_BACK_OFF, LONGEST_BACK_OFF);
    }

    fn ended(&mut self, ended: std::result::Result<Result<Step>, tokio::task::JoinError>) {
        // A step that failed comes up again when its hold is over.
        let Ok(Ok(step)) = ended else {
            self.report.errors += 1;
            return;
        };
        self.report.steps += 1;
        let report = &mut self.report;
        match step.row.status {
            _ if !step.moved => report.passed_by += 1,
            ChangeStatus::Blocked => report.blocked += 1,
            ChangeStatus::Completed => report.completed += 1,
            ChangeStatus::Executing => report.unknown += 1,
            ChangeStatus::Failed => report.failed += 1,
            ChangeStatus::Claimed | ChangeStatus::Pending => {}
        }
    }

    /// How long there is nothing to do but to wait for a step or a wake-up.
    async fn pause(&mut self, full: bool) -> Duration {
        let poll = Duration::from_millis(self.options.poll_ms);
        if full {
            return poll;
        }
        if !self.back_off.is_zero() {
            return self.back_off;
        }
        match self.store.next_due_of_any().await {
            Ok(Some(due)) => {
                let ahead = due.since(self.env.clock.now());
                // What is due but hidden or in flight is not asked for over and over.
                if ahead.is_zero() { poll } else { ahead.min(poll) }
            }
            Ok(None) => poll,
            Err(_) => {
                self.failed();
                self.back_off
            }
        }
    }

    async fn search_late(&mut self) {
        let Ok(tenants) = self.store.tenants().await else { return self.failed() };
        for tenant in tenants.into_iter().filter(|t| self.executors.serves(t)) {
            let Ok((executor, ctx)) = self.executors.executor(&tenant).await else {
                self.report.errors += 1;
                continue;
            };
            match executor.reconcile(&ctx).await {
                Ok(found) => self.report.late += found.late,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(_) => self.report.errors += 1,
            }
        }
    }

    async fn drain(mut self) -> RunReport {
        while let Some(ended) = self.steps.join_next().await {
            self.ended(ended);
        }
        self.report
    }
}
