use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::bend::Flaw;
use super::invariants;
use super::turn::Turn;
use super::world::World;
use crate::ctx::TenantId;
use crate::env::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::execution::machine::{
    AccountView, Action, ApprovalRequest, CallTime, KillScope, QueueBatch, Queued, Transition, Transitioned,
};
use crate::execution::{AccountLimits, AdChange, AuditRow, ChainHead, ChangeId, ChangeRow, Policy};
use crate::store::{AccountRules, Backlog, ChangeFilter, ChangeStore, HistoryFilter, WatchedAttempt};

/// The store as one worker, or the host, sees it: with a clock that all share, and calls that fail before or after they
/// were done. An onlooker compares its answers with what was promised.
#[derive(Debug)]
pub(super) struct SimStore {
    pub(super) world: Arc<World>,
    /// The life of the worker; 0 for the host.
    pub(super) life: usize,
    /// `None` for the host, whose calls neither wait nor fail.
    pub(super) turn: Option<Arc<Turn>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fails {
    No,
    Before,
    After,
}

impl SimStore {
    async fn pass(&self, place: &'static str) {
        if let Some(turn) = &self.turn {
            turn.pass(place).await;
        }
    }

    fn draw(&self) -> Fails {
        let (world, dice) = (&self.world, &self.world.dice);
        if self.turn.is_none() || !world.faulty() || !dice.chance(world.profile.store_errors) {
            return Fails::No;
        }
        let (fails, path) = if dice.percent(50) {
            (Fails::Before, "store failed before")
        } else {
            (Fails::After, "store failed after")
        };
        world.count(path);
        world.tell(|| format!("life {}: {path}", self.life));
        fails
    }

    /// A call that may fail before or after it was done.
    async fn call<T>(&self, call: impl Future<Output = Result<T>> + Send) -> Result<T> {
        let fails = self.draw();
        let failed = || Err(Error::new(ErrorKind::Unavailable, "store", "the store is away"));
        if fails == Fails::Before {
            return failed();
        }
        let answer = call.await;
        if fails == Fails::After { failed() } else { answer }
    }

    /// The time that the store goes by, whatever the caller's clock says.
    fn time(&self, at: CallTime) -> CallTime {
        if self.world.flaw == Some(Flaw::WorkersClock) {
            return CallTime::bound(at.now);
        }
        CallTime::bound(self.world.store_clock.now())
    }

    /// The transition in the store's time: what was read is as old as the caller's clock says.
    fn shifted(&self, mut transition: Transition) -> Transition {
        let at = self.time(transition.at);
        let shift = at.now.micros().saturating_sub(transition.at.now.micros());
        let moved = |time: Timestamp| Timestamp::from_micros(time.micros().saturating_add(shift));
        if let Action::Reserve { live, account, .. } = &mut transition.action {
            live.read_at = moved(live.read_at);
            for state in account.iter_mut().flatten() {
                state.read_at = moved(state.read_at);
            }
        }
        transition.at = at;
        transition
    }
}

#[async_trait]
impl ChangeStore for SimStore {
    async fn queue(&self, tenant: &TenantId, mut batch: QueueBatch) -> Result<Queued> {
        batch.at = self.time(batch.at);
        if self.world.flaw == Some(Flaw::SkippedApproval) {
            batch.plan_digest = None;
        }
        self.world.store.queue(tenant, batch).await
    }

    async fn approve(&self, tenant: &TenantId, mut request: ApprovalRequest) -> Result<Vec<ChangeRow>> {
        request.at = self.time(request.at);
        self.world.store.approve(tenant, request).await
    }

    async fn transition(
        &self,
        tenant: &TenantId,
        id: ChangeId,
        transition: Transition,
    ) -> Result<Transitioned> {
        self.pass("before a transition").await;
        let transition = self.shifted(transition);
        let key = (self.world.tenant(tenant), id);
        let answer = self
            .call(async {
                let asked = transition.action.clone();
                let mut bent = transition;
                let holder = self.world.ledger().held.get(&key).and_then(|h| Some((h.attempt, h.token?)));
                if let Some(flaw) = self.world.flaw {
                    flaw.bend(&mut bent, holder);
                }
                let answer = self.world.store.transition(tenant, id, bent).await?;
                invariants::transitioned(&self.world, self.life, key.0, &asked, &answer);
                Ok(answer)
            })
            .await;
        if answer.is_err() {
            // The worker was not told that it may send.
            self.world.ledger().begun.remove(&self.life);
        }
        self.pass("after a transition").await;
        answer
    }

    async fn view(
        &self,
        tenant: &TenantId,
        change: &AdChange,
        at: CallTime,
        policy: &Policy,
    ) -> Result<AccountView> {
        let view = self.call(self.world.store.view(tenant, change, self.time(at), policy)).await;
        self.pass("after looking at the account").await;
        view
    }

    async fn pick(
        &self,
        tenant: &TenantId,
        at: CallTime,
        hold: Duration,
        limit: usize,
    ) -> Result<Vec<ChangeRow>> {
        let picked = self.call(self.world.store.pick(tenant, self.time(at), hold, limit)).await;
        self.pass("after looking for what is due").await;
        picked
    }

    async fn next_due(&self, tenant: &TenantId) -> Result<Option<Timestamp>> {
        self.world.store.next_due(tenant).await
    }

    async fn tenants_due(&self, at: CallTime) -> Result<Vec<TenantId>> {
        self.call(self.world.store.tenants_due(self.time(at))).await
    }

    async fn tenants(&self) -> Result<Vec<TenantId>> {
        self.call(self.world.store.tenants()).await
    }

    async fn next_due_of_any(&self) -> Result<Option<Timestamp>> {
        self.world.store.next_due_of_any().await
    }

    async fn woken(&self) {
        self.world.store.woken().await;
    }

    async fn get(&self, tenant: &TenantId, id: ChangeId) -> Result<Option<ChangeRow>> {
        self.call(self.world.store.get(tenant, id)).await
    }

    async fn list(&self, tenant: &TenantId, filter: &ChangeFilter) -> Result<Vec<ChangeRow>> {
        let rows = self.call(self.world.store.list(tenant, filter)).await;
        self.pass("after listing changes").await;
        rows
    }

    async fn set_limits(&self, tenant: &TenantId, account_id: &str, limits: &AccountLimits) -> Result<()> {
        self.world.store.set_limits(tenant, account_id, limits).await?;
        let tenant = self.world.tenant(tenant);
        self.world.ledger().limits[tenant] = Some(limits.clone());
        Ok(())
    }

    async fn rules(&self, tenant: &TenantId, account_id: &str, at: CallTime) -> Result<AccountRules> {
        let rules = self.call(self.world.store.rules(tenant, account_id, self.time(at))).await;
        self.pass("after reading the rules").await;
        rules
    }

    async fn set_kill(&self, tenant: &TenantId, scope: &KillScope, on: bool) -> Result<()> {
        if !(on && self.world.flaw == Some(Flaw::DeafKillSwitch)) {
            self.world.store.set_kill(tenant, scope, on).await?;
        }
        let (number, now) = (self.world.tenant(tenant), self.world.now());
        self.world.ledger().switched(number, scope, on, now);
        Ok(())
    }

    async fn kills(&self, tenant: &TenantId) -> Result<Vec<KillScope>> {
        self.world.store.kills(tenant).await
    }

    async fn heads(&self, tenant: &TenantId) -> Result<Vec<(String, ChainHead)>> {
        self.world.store.heads(tenant).await
    }

    async fn history(
        &self,
        tenant: &TenantId,
        account_id: &str,
        filter: &HistoryFilter,
    ) -> Result<Vec<AuditRow>> {
        self.world.store.history(tenant, account_id, filter).await
    }

    async fn watched(&self, tenant: &TenantId, since: Timestamp) -> Result<Vec<WatchedAttempt>> {
        let watched = self.call(self.world.store.watched(tenant, since)).await;
        self.pass("after looking for what may have landed late").await;
        watched
    }

    async fn backlog(&self, tenant: &TenantId) -> Result<Backlog> {
        self.world.store.backlog(tenant).await
    }

    async fn high_water(&self, tenant: &TenantId) -> Result<Option<Timestamp>> {
        self.world.store.high_water(tenant).await
    }
}
