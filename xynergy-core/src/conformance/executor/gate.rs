use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::ads::{
    AccountState, Activity, AdInsight, AdPlatform, AdWrite, MemoryPlatform, Owner, OwnerState, WriteFailure,
};
use crate::ctx::{Ctx, TenantId};
use crate::env::Timestamp;
use crate::error::Result;
use crate::execution::machine::{
    AccountView, ApprovalRequest, CallTime, KillScope, QueueBatch, Queued, Transition, Transitioned,
};
use crate::execution::{AccountLimits, AdChange, AuditRow, ChainHead, ChangeId, ChangeRow, Policy};
use crate::store::{AccountRules, Backlog, ChangeFilter, ChangeStore, HistoryFilter, WatchedAttempt};

/// Holds a worker at one of the places where it waits: before and after each call of the store and the platform.
#[derive(Debug)]
pub(super) struct Gate {
    passed: AtomicUsize,
    stop_at: usize,
    stopped: watch::Sender<Option<&'static str>>,
    open: watch::Sender<bool>,
}

impl Gate {
    pub(super) fn new(stop_at: usize) -> Arc<Self> {
        Arc::new(Self {
            passed: AtomicUsize::new(0),
            stop_at,
            stopped: watch::Sender::new(None),
            open: watch::Sender::new(false),
        })
    }

    async fn pass(&self, place: &'static str) {
        if self.passed.fetch_add(1, Ordering::SeqCst) == self.stop_at {
            self.stopped.send_replace(Some(place));
            self.open.subscribe().wait_for(|open| *open).await.unwrap();
        }
    }

    /// Waits until the worker stands at the gate; the place.
    pub(super) async fn stopped(&self) -> &'static str {
        let mut stopped = self.stopped.subscribe();
        let place = *stopped.wait_for(Option::is_some).await.unwrap();
        place.unwrap()
    }

    pub(super) fn release(&self) {
        self.open.send_replace(true);
    }
}

/// A store behind a gate.
#[derive(Debug)]
pub(super) struct GatedStore(pub(super) Arc<dyn ChangeStore>, pub(super) Arc<Gate>);

#[async_trait]
impl ChangeStore for GatedStore {
    async fn queue(&self, tenant: &TenantId, batch: QueueBatch) -> Result<Queued> {
        self.0.queue(tenant, batch).await
    }

    async fn approve(&self, tenant: &TenantId, request: ApprovalRequest) -> Result<Vec<ChangeRow>> {
        self.1.pass("before an approval").await;
        let answer = self.0.approve(tenant, request).await;
        self.1.pass("after an approval").await;
        answer
    }

    async fn transition(
        &self,
        tenant: &TenantId,
        id: ChangeId,
        transition: Transition,
    ) -> Result<Transitioned> {
        self.1.pass("before a transition").await;
        let answer = self.0.transition(tenant, id, transition).await;
        self.1.pass("after a transition").await;
        answer
    }

    async fn view(
        &self,
        tenant: &TenantId,
        change: &AdChange,
        at: CallTime,
        policy: &Policy,
    ) -> Result<AccountView> {
        let view = self.0.view(tenant, change, at, policy).await;
        self.1.pass("after looking at the account").await;
        view
    }

    async fn pick(
        &self,
        tenant: &TenantId,
        at: CallTime,
        hold: Duration,
        limit: usize,
    ) -> Result<Vec<ChangeRow>> {
        let picked = self.0.pick(tenant, at, hold, limit).await;
        self.1.pass("after looking for what is due").await;
        picked
    }

    async fn tenants_due(&self, at: CallTime) -> Result<Vec<TenantId>> {
        self.0.tenants_due(at).await
    }

    async fn tenants(&self) -> Result<Vec<TenantId>> {
        self.0.tenants().await
    }

    async fn next_due_of_any(&self) -> Result<Option<Timestamp>> {
        self.0.next_due_of_any().await
    }

    async fn woken(&self) {
        self.0.woken().await;
    }

    async fn watched(&self, tenant: &TenantId, since: Timestamp) -> Result<Vec<WatchedAttempt>> {
        self.0.watched(tenant, since).await
    }

    async fn backlog(&self, tenant: &TenantId) -> Result<Backlog> {
        self.0.backlog(tenant).await
    }

    async fn next_due(&self, tenant: &TenantId) -> Result<Option<Timestamp>> {
        self.0.next_due(tenant).await
    }

    async fn get(&self, tenant: &TenantId, id: ChangeId) -> Result<Option<ChangeRow>> {
        self.0.get(tenant, id).await
    }

    async fn list(&self, tenant: &TenantId, filter: &ChangeFilter) -> Result<Vec<ChangeRow>> {
        self.0.list(tenant, filter).await
    }

    async fn set_limits(&self, tenant: &TenantId, account_id: &str, limits: &AccountLimits) -> Result<()> {
        self.0.set_limits(tenant, account_id, limits).await
    }

    async fn rules(&self, tenant: &TenantId, account_id: &str, at: CallTime) -> Result<AccountRules> {
        let rules = self.0.rules(tenant, account_id, at).await;
        self.1.pass("after reading the rules").await;
        rules
    }

    async fn set_kill(&self, tenant: &TenantId, scope: &KillScope, on: bool) -> Result<()> {
        self.0.set_kill(tenant, scope, on).await
    }

    async fn kills(&self, tenant: &TenantId) -> Result<Vec<KillScope>> {
        self.0.kills(tenant).await
    }

    async fn heads(&self, tenant: &TenantId) -> Result<Vec<(String, ChainHead)>> {
        self.0.heads(tenant).await
    }

    async fn history(
        &self,
        tenant: &TenantId,
        account_id: &str,
        filter: &HistoryFilter,
    ) -> Result<Vec<AuditRow>> {
        self.0.history(tenant, account_id, filter).await
    }

    async fn high_water(&self, tenant: &TenantId) -> Result<Option<Timestamp>> {
        self.0.high_water(tenant).await
    }
}

/// A platform behind a gate.
#[derive(Debug)]
pub(super) struct GatedPlatform(pub(super) MemoryPlatform, pub(super) Arc<Gate>);

/// Here the request is under way: nothing but the platform's patience ends it.
pub(super) const SENDING: &str = "before the request arrives";

#[async_trait]
impl AdPlatform for GatedPlatform {
    async fn account(&self, ctx: &Ctx, account_id: &str) -> Result<AccountState> {
        self.0.account(ctx, account_id).await
    }

    async fn owner(&self, ctx: &Ctx, owner: &Owner) -> Result<OwnerState> {
        self.1.pass("before reading the owner").await;
        let state = self.0.owner(ctx, owner).await;
        self.1.pass("after reading the owner").await;
        state
    }

    async fn owners(&self, ctx: &Ctx, account_id: &str) -> Result<Vec<OwnerState>> {
        let states = self.0.owners(ctx, account_id).await;
        self.1.pass("after reading the account").await;
        states
    }

    async fn set(&self, ctx: &Ctx, write: &AdWrite) -> Result<(), WriteFailure> {
        self.1.pass(SENDING).await;
        let answer = self.0.set(ctx, write).await;
        self.1.pass("after the request took effect").await;
        answer
    }

    async fn validate(&self, ctx: &Ctx, write: &AdWrite) -> Result<(), WriteFailure> {
        self.0.validate(ctx, write).await
    }

    async fn activities(
        &self,
        ctx: &Ctx,
        account_id: &str,
        owner: &Owner,
        since: Timestamp,
    ) -> Result<Vec<Activity>> {
        let log = self.0.activities(ctx, account_id, owner, since).await;
        self.1.pass("after reading the log of edits").await;
        log
    }

    async fn insights(
        &self,
        ctx: &Ctx,
        account_id: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<AdInsight>> {
        self.0.insights(ctx, account_id, since, until).await
    }
}
