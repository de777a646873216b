use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::bend::Flaw;
use super::invariants;
use super::ledger::{AttemptKey, Sending, Shown};
use super::profile::Delivery;
use super::turn::{SENDING, Turn};
use super::world::{Tenant, World};
use crate::ads::{
    AccountState, Activity, AdInsight, AdPlatform, AdWrite, Owner, OwnerState, ThrottleScope, WriteClass,
    WriteFailure, WriteFault,
};
use crate::ctx::Ctx;
use crate::env::{Clock, Env, Timestamp};
use crate::error::{Error, ErrorKind, Result};
use crate::store::HistoryFilter;

/// A tenant's platform as one worker, or the host, sees it. The platform has the true time.
#[derive(Debug)]
pub(super) struct SimPlatform {
    pub(super) world: Arc<World>,
    pub(super) tenant: usize,
    /// The life of the worker; 0 for the host.
    pub(super) life: usize,
    /// `None` for the host, whose calls neither wait nor fail.
    pub(super) turn: Option<Arc<Turn>>,
    /// What was read, for a client that keeps it.
    pub(super) cache: Mutex<BTreeMap<Owner, OwnerState>>,
}

impl SimPlatform {
    fn of(&self) -> &Tenant {
        &self.world.tenants[self.tenant]
    }

    async fn pass(&self, place: &'static str) {
        if let Some(turn) = &self.turn {
            turn.pass(place).await;
        }
    }

    /// The call at the platform's own time.
    fn truly(&self, ctx: &Ctx) -> Ctx {
        let clock = Arc::clone(&self.world.clock) as Arc<dyn Clock>;
        Ctx { env: Env { clock, ..ctx.env.clone() }, ..ctx.clone() }
    }

    /// Whether a reading fails, and how.
    fn readable(&self) -> Result<()> {
        let (world, dice, now) = (&self.world, &self.world.dice, self.world.now());
        if self.turn.is_none() {
            return Ok(());
        }
        let fail = |kind| Err(Error::new(kind, "ads", "the platform cannot be read"));
        if world.flaw == Some(Flaw::SharedBreaker)
            && world.tenants.iter().any(|t| now < t.trouble().token_dead_until)
        {
            return fail(ErrorKind::Unauthorized);
        }
        let mut trouble = self.of().trouble();
        if now < trouble.unreadable_until {
            return fail(ErrorKind::Unavailable);
        }
        if world.faulty() && dice.chance(world.profile.read_faults) {
            world.count("readings failed");
            if dice.percent(25) {
                trouble.had_throttle = true;
                return fail(ErrorKind::Throttled);
            }
            trouble.had_unreadable = true;
            return fail(*dice.of(&[ErrorKind::Unavailable, ErrorKind::Timeout]));
        }
        Ok(())
    }

    fn see(&self, state: &OwnerState) {
        let shown = Shown { state: state.clone(), at: self.world.now() };
        self.world.ledger().shown.insert((self.life, self.tenant, state.owner.clone()), shown);
    }

    fn cached(&self, owner: &Owner) -> Option<OwnerState> {
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        (self.world.flaw == Some(Flaw::CachedReadings)).then(|| cache.get(owner).cloned()).flatten()
    }

    /// What goes wrong with a request.
    fn fault(&self, deadline: Timestamp) -> Option<WriteFault> {
        let (world, dice) = (&self.world, &self.world.dice);
        if self.turn.is_none() || !world.faulty() || !dice.percent(world.profile.write_faults) {
            return None;
        }
        let fail = |class, after: Option<Duration>, scope| {
            WriteFault::Fail(WriteFailure {
                retry_after: after,
                scope,
                ..WriteFailure::new(class, "simulated")
            })
        };
        let some_time = |dice: &super::dice::Dice| dice.percent(50).then(|| dice.seconds(10, 3_600));
        let (path, fault) = match dice.below(12) {
            0 => ("reply lost before", WriteFault::LostBefore),
            1 => ("reply lost after", WriteFault::LostAfter),
            2..=3 => {
                let left = deadline.minus(world.margin(self.tenant)).since(world.now());
                ("landed at the last moment", WriteFault::LandAt(left))
            }
            4 => {
                self.of().trouble().had_throttle = true;
                ("throttled: owner", fail(WriteClass::Throttled, some_time(dice), ThrottleScope::Owner))
            }
            5 => {
                self.of().trouble().had_throttle = true;
                ("throttled: account", fail(WriteClass::Throttled, some_time(dice), ThrottleScope::Account))
            }
            6 => {
                let landed = dice.percent(50);
                ("server error", if landed { WriteFault::LostAfter } else { WriteFault::LostBefore })
            }
            7 => ("wrong body", WriteFault::LostAfter),
            8 => ("rejected", fail(WriteClass::Rejected, None, ThrottleScope::Account)),
            9 => {
                self.of().trouble().had_unreadable = true;
                ("not sent", fail(WriteClass::NotSent, None, ThrottleScope::Account))
            }
            _ if world.profile.delivery == Delivery::Bounded => ("reply lost before", WriteFault::LostBefore),
            _ => {
                let late = deadline.since(world.now()) + dice.seconds(1, 6 * 3_600);
                ("landed beyond the promise", WriteFault::LandAt(late))
            }
        };
        world.count(path);
        world.tell(|| format!("life {}: the request meets: {path}", self.life));
        Some(fault)
    }

    /// A request arrives, or will.
    async fn arrive(
        &self,
        ctx: &Ctx,
        key: AttemptKey,
        write: &AdWrite,
        fault: Option<WriteFault>,
    ) -> Result<(), WriteFailure> {
        let before = self.of().value(&write.owner, write.field);
        if !matches!(fault, Some(WriteFault::Fail(_) | WriteFault::LostBefore)) {
            invariants::arrived(&self.world, key, write.value, before == Some(write.value));
        }
        self.of().platform.fault_writes([fault]);
        let answer = self.of().platform.set(&self.truly(ctx), write).await;
        if let Err(failure) = &answer
            && failure.message.contains("613")
        {
            self.world.count("platform's own limit of changes");
        }
        answer
    }
}

#[async_trait]
impl AdPlatform for SimPlatform {
    async fn account(&self, ctx: &Ctx, account_id: &str) -> Result<AccountState> {
        self.of().platform.account(&self.truly(ctx), account_id).await
    }

    async fn owner(&self, ctx: &Ctx, owner: &Owner) -> Result<OwnerState> {
        let read_at = ctx.env.clock.now();
        self.pass("before reading the owner").await;
        if let Some(state) = self.cached(owner) {
            return Ok(OwnerState { read_at, ..state });
        }
        let state = match self.readable() {
            Ok(()) => self.of().platform.owner(&self.truly(ctx), owner).await,
            Err(error) => Err(error),
        };
        let state = state.map(|state| OwnerState { read_at, ..state });
        if let Ok(state) = &state {
            self.see(state);
            let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
            cache.insert(owner.clone(), state.clone());
        }
        self.pass("after reading the owner").await;
        state
    }

    async fn owners(&self, ctx: &Ctx, account_id: &str) -> Result<Vec<OwnerState>> {
        let read_at = ctx.env.clock.now();
        self.pass("before reading the account").await;
        let states = match self.readable() {
            Ok(()) => self.of().platform.owners(&self.truly(ctx), account_id).await,
            Err(error) => Err(error),
        };
        let states: Result<Vec<_>> =
            states.map(|states| states.into_iter().map(|s| OwnerState { read_at, ..s }).collect());
        self.pass("after reading the account").await;
        states
    }

    async fn set(&self, ctx: &Ctx, write: &AdWrite) -> Result<(), WriteFailure> {
        let tenant = &self.of().id;
        let filter = HistoryFilter { change_id: Some(write.change_id), after_seq: 0, limit: usize::MAX };
        let history = self.world.store.history(tenant, &self.of().account, &filter).await;
        let history = history.expect("the bare store answers");
        let key = (self.tenant, write.change_id, write.attempt);
        let deadline = invariants::sending(&self.world, self.life, self.tenant, write, &history);
        self.world.ledger().sending.insert(self.life, Sending { key, write: write.clone(), deadline });
        self.pass(SENDING).await;
        self.world.ledger().sending.remove(&self.life);
        let mut write = write.clone();
        if self.world.flaw == Some(Flaw::FuzzAfterCheck) {
            write.value += 1;
        }
        let mut answer = self.arrive(ctx, key, &write, self.fault(deadline)).await;
        let unanswered = |a: &Result<(), WriteFailure>| {
            a.as_ref().is_err_and(|failure| failure.class == WriteClass::Ambiguous)
        };
        if self.world.flaw == Some(Flaw::RetryingClient) && unanswered(&answer) {
            answer = self.arrive(ctx, key, &write, None).await;
        }
        self.pass("after the request").await;
        answer
    }

    async fn validate(&self, ctx: &Ctx, write: &AdWrite) -> Result<(), WriteFailure> {
        if self.world.flaw == Some(Flaw::WritingDryRun) {
            return self.of().platform.set(&self.truly(ctx), write).await;
        }
        self.of().platform.validate(&self.truly(ctx), write).await
    }

    async fn activities(
        &self,
        ctx: &Ctx,
        account_id: &str,
        owner: &Owner,
        since: Timestamp,
    ) -> Result<Vec<Activity>> {
        self.pass("before reading the log of edits").await;
        let away = self.turn.is_some() && self.world.now() < self.of().trouble().log_away_until;
        let log = match self.readable() {
            Ok(()) if away => Err(Error::new(ErrorKind::Unavailable, "ads.activities", "the log is away")),
            Ok(()) => self.of().platform.activities(&self.truly(ctx), account_id, owner, since).await,
            Err(error) => Err(error),
        };
        self.pass("after reading the log of edits").await;
        if self.world.flaw == Some(Flaw::BlindToEdits) { log.map(|_| Vec::new()) } else { log }
    }

    async fn insights(
        &self,
        ctx: &Ctx,
        account_id: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<AdInsight>> {
        self.of().platform.insights(&self.truly(ctx), account_id, since, until).await
    }
}
