//! Guarded changes of budgets, and their audit trail.

#[cfg(feature = "allocation")]
mod proposal;

use std::sync::Arc;

use async_trait::async_trait;
use xynergy_core::ads::OwnerState;
use xynergy_core::config::Secret;
use xynergy_core::execution::{DrawKey, Executor, TenantExecutors};
use xynergy_core::{Ctx, Error, ErrorKind, Result, TenantId, Timestamp};

#[cfg(feature = "allocation")]
pub use proposal::propose;
pub use xynergy_core::execution::machine::{HumanVerdict, KillScope};
pub use xynergy_core::execution::{
    AccountLimits, AdChange, Approval, AuditKind, AuditReport, AuditRow, ChainHead, ChainVerifier, ChangeId,
    ChangeRow, ChangeStatus, Plan, PlannedChange, PlannedOutcome, Policy, RampStep, Reason, Reconciled, Role,
    Roles, RunOptions, RunReport, Step, plan_digest,
};
use xynergy_core::store::ChangeStore;
pub use xynergy_core::store::{Backlog, BacklogCount, ChangeFilter, HistoryFilter};
pub use xynergy_providers::ads::meta::MetaConfig;

use crate::client::Client;
use crate::config::ExecutionConfig;
use crate::keys;
use crate::scope::Scope;

/// Budget changes of one tenant.
#[derive(Clone, Copy, Debug)]
pub struct Execution<'a>(&'a Scope);

impl Scope {
    /// Budget changes, planned, queued, executed and audited.
    pub fn execution(&self) -> Execution<'_> {
        Execution(self)
    }
}

impl Client {
    /// Does every budget change that is due now, of all tenants and with the usual [`RunOptions`], and returns: what a
    /// scheduler calls.
    ///
    /// # Errors
    /// Those of [`Execution::run`].
    pub async fn tick(&self) -> Result<RunReport> {
        self.execution().tick(RunOptions::default()).await
    }
}

impl Execution<'_> {
    /// The live budget owners of an account: its ad sets, and its campaigns where the budget sits there.
    ///
    /// # Errors
    /// The ad platform's.
    pub async fn owners(&self, account_id: &str) -> Result<Vec<OwnerState>> {
        self.platform()?.owners(&self.0.ctx(), account_id).await
    }

    /// What would become of changes if they were applied now. Writes nothing, here or on the platform; with
    /// `ask_platform` the platform validates what would be sent.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a change that no platform could execute.
    pub async fn plan(&self, changes: &[AdChange], ask_platform: bool) -> Result<Plan> {
        let ctx = self.0.ctx();
        self.executor(&ctx).await?.plan(&ctx, changes, ask_platform).await
    }

    /// Stores changes to be applied after their jitter. A change whose id is stored already is left as it is, whatever
    /// became of it, so that a resumed run may queue everything again.
    ///
    /// With `execution.require_approval` they wait as `blocked` with the reason `awaiting_approval`, until somebody
    /// [approves](Self::approve) the digest of all of them together, which is the plan's and stands in each row.
    ///
    /// Cancel safety: the changes of one account are stored all or none.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the field; nothing is stored then.
    pub async fn queue(&self, changes: Vec<AdChange>) -> Result<Vec<ChangeRow>> {
        let ctx = self.0.ctx();
        self.executor(&ctx).await?.queue(&ctx, changes).await
    }

    /// Like [`queue`](Self::queue), but a target that is further away than one window allows is not refused: it is reached
    /// in steps over the coming windows, each a change of its own. A step waits for those before it; a newer change of
    /// the same field takes the place of all that still wait, and cancelling one cancels those after it.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the field, also for a way of more than 100 steps.
    pub async fn queue_ramped(&self, changes: Vec<AdChange>) -> Result<Vec<ChangeRow>> {
        let ctx = self.0.ctx();
        self.executor(&ctx).await?.queue_ramped(&ctx, changes).await
    }

    /// The changes that [`queue_ramped`](Self::queue_ramped) would queue, for a plan and its digest.
    ///
    /// # Errors
    /// Those of [`queue_ramped`](Self::queue_ramped).
    pub async fn ramped(&self, changes: &[AdChange]) -> Result<Vec<AdChange>> {
        let ctx = self.0.ctx();
        let steps = self.executor(&ctx).await?.ramped(&ctx, changes)?;
        Ok(steps.into_iter().map(|(change, _)| change).collect())
    }

    /// Approves what was queued under a digest: exactly those changes, as they were queued. They run after their jitter, and
    /// expire when they would have expired. The history names the scope's actor as the one who approved;
    /// `execution.roles` says who may.
    ///
    /// Cancel safety: all of it is approved or nothing.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a scope without an actor and for a text that is no digest;
    /// [`Unauthorized`](ErrorKind::Unauthorized) for an actor without the role `approver`;
    /// [`NotFound`](ErrorKind::NotFound) when nothing waits under it, as after an approval that was given already.
    pub async fn approve(&self, digest: &str) -> Result<Vec<ChangeRow>> {
        let ctx = self.0.ctx();
        self.executor(&ctx).await?.approve(&ctx, digest).await
    }

    /// Does the most urgent thing that is due; `None` when nothing is. It never sleeps: the host calls it until nothing is
    /// due, and again at [`next_due`](Self::next_due).
    ///
    /// Cancel safety: a step runs in a task of its own, so that dropping this future tears no send.
    ///
    /// # Errors
    /// Those of the store and of reading the platform. What became of a write is no error: the change says it.
    pub async fn run_once(&self) -> Result<Option<Step>> {
        let ctx = self.0.ctx();
        self.executor(&ctx).await?.run_once(&ctx).await
    }

    /// Works until `until` is over: takes what is due with so many workers, sleeps until more is, reconciles at its start
    /// what an earlier process left, and waits for the steps under way at its end. On the client itself it works for
    /// every tenant, of each in turn so that none waits for another's queue; on a scope for that tenant alone.
    ///
    /// Cancel safety: dropping the future takes nothing new; the steps under way end by themselves.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for options that could not run, and those of opening the store. Later
    /// errors of the store are counted in the report and tried again.
    pub async fn run(
        &self,
        options: RunOptions,
        until: impl std::future::Future<Output = ()>,
    ) -> Result<RunReport> {
        let (store, tenants) = self.tenants().await?;
        xynergy_core::execution::run(&store, &tenants, &self.0.shared.env, options, until).await
    }

    /// Does everything that is due now and returns: for schedulers and functions that scale to zero. It covers the same
    /// tenants as [`run`](Self::run).
    ///
    /// # Errors
    /// Those of [`run`](Self::run).
    pub async fn tick(&self, options: RunOptions) -> Result<RunReport> {
        let (store, tenants) = self.tenants().await?;
        xynergy_core::execution::tick(&store, &tenants, &self.0.shared.env, options).await
    }

    /// Finds out what became of every request that is unknown and can land no more, and whether one that was judged not
    /// applied landed late.
    ///
    /// # Errors
    /// Those of the store. A platform that cannot be read is no error: what it would tell stays unknown.
    pub async fn reconcile(&self) -> Result<Reconciled> {
        let ctx = self.0.ctx();
        self.executor(&ctx).await?.reconcile(&ctx).await
    }

    /// Sends a change again whose last request had no effect, with the same value and after its jitter.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) for an unknown id; [`Conflict`](ErrorKind::Conflict) for a change without such a
    /// verdict, one that has expired, and one that a newer change of the same field replaced;
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a scope without an actor, [`Unauthorized`](ErrorKind::Unauthorized)
    /// for one without the role `operator`.
    pub async fn retry(&self, id: ChangeId) -> Result<ChangeRow> {
        let ctx = self.0.ctx();
        self.executor(&ctx).await?.retry(&ctx, id).await
    }

    /// Says what became of a request that reading the platform could not tell: those that
    /// [`ChangeFilter::needs_human`] lists. The note tells how it is known, and is kept in the history with the actor.
    ///
    /// # Errors
    /// As [`retry`](Self::retry); [`Conflict`](ErrorKind::Conflict) for a change that waits for no verdict.
    pub async fn resolve(&self, id: ChangeId, verdict: HumanVerdict, note: &str) -> Result<ChangeRow> {
        let ctx = self.0.ctx();
        self.executor(&ctx).await?.resolve(&ctx, id, verdict, note).await
    }

    /// What is still to be done: changes that are not over, by status and reason, those that wait for a person, and when
    /// the oldest was due.
    pub async fn backlog(&self) -> Result<Backlog> {
        let ctx = self.0.ctx();
        self.executor(&ctx).await?.backlog(&ctx).await
    }

    /// Waits until no step is under way. Call it before the runtime ends.
    pub async fn drain(&self) -> Result<()> {
        self.executor(&self.0.ctx()).await?.drain().await;
        Ok(())
    }

    /// When something is due next: a change to run or to try again, or an unknown outcome to reconcile. It may be past.
    pub async fn next_due(&self) -> Result<Option<Timestamp>> {
        let ctx = self.0.ctx();
        self.executor(&ctx).await?.next_due(&ctx).await
    }

    /// A change.
    pub async fn get(&self, id: ChangeId) -> Result<Option<ChangeRow>> {
        let ctx = self.0.ctx();
        self.executor(&ctx).await?.get(&ctx, id).await
    }

    /// The changes that match, by the time of queueing and then id.
    pub async fn list(&self, filter: &ChangeFilter) -> Result<Vec<ChangeRow>> {
        let ctx = self.0.ctx();
        self.executor(&ctx).await?.list(&ctx, filter).await
    }

    /// Rows of an account's history, in order.
    pub async fn history(&self, account_id: &str, filter: &HistoryFilter) -> Result<Vec<AuditRow>> {
        let ctx = self.0.ctx();
        self.executor(&ctx).await?.history(&ctx, account_id, filter).await
    }

    /// Withdraws a change that is not in flight; `moved` tells whether it could be.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) for an unknown id.
    pub async fn cancel(&self, id: ChangeId) -> Result<Step> {
        let ctx = self.0.ctx();
        self.executor(&ctx).await?.cancel(&ctx, id).await
    }

    /// Sets what the user allows in an account: the total, the floor and the ceiling.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) when the limits contradict themselves.
    pub async fn set_limits(&self, account_id: &str, limits: &AccountLimits) -> Result<()> {
        let ctx = self.0.ctx();
        self.executor(&ctx).await?.set_limits(&ctx, account_id, limits).await
    }

    /// Switches a kill switch. While it is on, nothing that it covers is sent; what was already under way may land.
    pub async fn kill(&self, scope: &KillScope, on: bool) -> Result<()> {
        let ctx = self.0.ctx();
        self.executor(&ctx).await?.kill(&ctx, scope, on).await
    }

    /// The kill switches that are on, in the order of their scopes.
    pub async fn kills(&self) -> Result<Vec<KillScope>> {
        let ctx = self.0.ctx();
        self.executor(&ctx).await?.kills(&ctx).await
    }

    /// Reads the tenant's whole history and verifies its chains.
    pub async fn verify_audit(&self) -> Result<AuditReport> {
        let ctx = self.0.ctx();
        self.executor(&ctx).await?.verify_audit(&ctx).await
    }

    async fn executor(&self, ctx: &Ctx) -> Result<Executor> {
        let shared = &self.0.shared;
        shared
            .executor(&ctx.tenant, || async {
                let key = match &shared.config.execution.draw_key {
                    Some(reference) => shared.secrets.get(&ctx.tenant, reference).await?,
                    None => Secret::new(keys::stored(self.0.stores().await?, ctx, "draw").await?),
                };
                let changes = self.0.stores().await?.changes.clone();
                let key = DrawKey::new(key);
                let executor = Executor::new(changes, self.platform()?.clone(), shared.policy, key)?;
                let ExecutionConfig { require_approval, roles, .. } = &shared.config.execution;
                let executor = executor.with_approval(*require_approval).with_roles(roles.clone());
                Ok(executor.with_metrics(shared.metrics.clone()))
            })
            .await
    }

    async fn tenants(&self) -> Result<(Arc<dyn ChangeStore>, Tenants)> {
        let only = (*self.0.tenant() != TenantId::default()).then(|| self.0.tenant().clone());
        let tenants = Tenants { scope: self.0.clone(), only };
        Ok((self.0.stores().await?.changes.clone(), tenants))
    }

    fn platform(&self) -> Result<&std::sync::Arc<dyn xynergy_core::ads::AdPlatform>> {
        self.0.shared.ad_platform.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::ConfigInvalid,
                "execution",
                "meta: not configured; add [meta] to the configuration, or give the client an ad platform of your own",
            )
        })
    }
}

/// The executors of a run.
#[derive(Debug)]
struct Tenants {
    scope: Scope,
    only: Option<TenantId>,
}

#[async_trait]
impl TenantExecutors for Tenants {
    async fn executor(&self, tenant: &TenantId) -> Result<(Executor, Ctx)> {
        let scope = self.scope.of_tenant(tenant.clone());
        let ctx = scope.ctx();
        let executor = scope.execution().executor(&ctx).await?;
        Ok((executor, ctx))
    }

    fn serves(&self, tenant: &TenantId) -> bool {
        self.only.as_ref().is_none_or(|only| only == tenant)
    }
}
