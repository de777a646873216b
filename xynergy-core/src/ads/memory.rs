use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::{
    AccountState, Activity, AdInsight, AdPlatform, AdWrite, ChangeField, DeliveryStatus, Owner, OwnerState,
    WriteClass, WriteFailure,
};
use crate::ctx::Ctx;
use crate::env::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::execution::ChangeId;
use crate::money::Currency;

/// An ad platform in memory with faults on request: for tests, and to try a policy out without an account.
///
/// It is one account for all tenants. Clones share it.
#[derive(Clone, Debug)]
pub struct MemoryPlatform(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    account_id: String,
    currency: Currency,
    owners: BTreeMap<Owner, OwnerState>,
    activities: Vec<(Owner, Activity)>,
    effects: Vec<PlatformEffect>,
    requests: usize,
    write_faults: VecDeque<Option<WriteFault>>,
    read_fault: Option<ErrorKind>,
    edits_before_read: VecDeque<Option<(Owner, ChangeField, i64)>>,
}

/// A value that was set, as the platform itself recorded it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformEffect {
    /// When, by the caller's clock.
    pub at: Timestamp,
    /// Which object.
    pub owner: Owner,
    /// Which field.
    pub field: ChangeField,
    /// The value before.
    pub before: i64,
    /// The value after.
    pub after: i64,
    /// The change and attempt that did it; `None` for a person.
    pub change: Option<(ChangeId, u32)>,
}

/// What goes wrong with one write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteFault {
    /// It never answers, and took effect.
    HangAfter,
    /// It never answers, and had no effect.
    HangBefore,
    /// It fails in this way, without effect.
    Fail(WriteFailure),
    /// The answer is lost, and it took effect.
    LostAfter,
    /// The answer is lost, and it had no effect.
    LostBefore,
}

impl MemoryPlatform {
    /// An empty account.
    pub fn new(account_id: impl Into<String>, currency: Currency) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            account_id: account_id.into(),
            currency,
            owners: BTreeMap::new(),
            activities: Vec::new(),
            effects: Vec::new(),
            requests: 0,
            write_faults: VecDeque::new(),
            read_fault: None,
            edits_before_read: VecDeque::new(),
        })))
    }

    /// Adds an active object with a daily budget.
    #[must_use]
    pub fn with_owner(self, owner: Owner, campaign_id: &str, daily_budget_minor: i64) -> Self {
        {
            let mut inner = self.lock();
            let state = OwnerState {
                account_id: inner.account_id.clone(),
                campaign_id: campaign_id.to_owned(),
                name: owner.to_string(),
                currency: inner.currency,
                daily_budget_minor: Some(daily_budget_minor),
                bid_minor: None,
                status: DeliveryStatus::Active,
                read_at: Timestamp::default(),
                owner: owner.clone(),
            };
            inner.owners.insert(owner, state);
        }
        self
    }

    /// A person changes a value, at a time.
    pub fn edit(&self, owner: &Owner, field: ChangeField, value: i64, at: Timestamp) {
        self.lock().apply(owner, field, value, at, None);
    }

    /// A person changes a value just before the `skip`-th next reading of one owner, 0 for the very next.
    pub fn edit_before_read(&self, skip: usize, owner: Owner, field: ChangeField, value: i64) {
        let mut inner = self.lock();
        let edits = &mut inner.edits_before_read;
        edits.resize(edits.len().max(skip + 1), None);
        edits[skip] = Some((owner, field, value));
    }

    /// What goes wrong with the next writes, in their order; `None` for one that goes well.
    pub fn fault_writes(&self, faults: impl IntoIterator<Item = Option<WriteFault>>) {
        self.lock().write_faults.extend(faults);
    }

    /// Lets every reading fail, or none.
    pub fn fault_reads(&self, kind: Option<ErrorKind>) {
        self.lock().read_fault = kind;
    }

    /// Everything that was set, in order.
    pub fn effects(&self) -> Vec<PlatformEffect> {
        self.lock().effects.clone()
    }

    /// How many writes arrived, those without effect included.
    pub fn requests(&self) -> usize {
        self.lock().requests
    }

    /// The value of a field now.
    pub fn value(&self, owner: &Owner, field: ChangeField) -> Option<i64> {
        self.lock().owners.get(owner).and_then(|o| o.value(field))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn readable(&self, operation: &'static str) -> Result<MutexGuard<'_, Inner>> {
        let inner = self.lock();
        match inner.read_fault {
            Some(kind) => Err(Error::new(kind, operation, "the platform cannot be read")),
            None => Ok(inner),
        }
    }

    fn of_account(&self, account_id: &str, operation: &'static str) -> Result<MutexGuard<'_, Inner>> {
        let inner = self.readable(operation)?;
        if inner.account_id == account_id {
            return Ok(inner);
        }
        Err(Error::new(ErrorKind::NotFound, operation, "there is no such account")
            .with_context("account_id", account_id))
    }
}

impl Inner {
    fn apply(
        &mut self,
        owner: &Owner,
        field: ChangeField,
        value: i64,
        at: Timestamp,
        change: Option<(ChangeId, u32)>,
    ) {
        let Some(state) = self.owners.get_mut(owner) else { return };
        let Some(before) = state.value(field) else { return };
        if before == value {
            return;
        }
        match field {
            ChangeField::Bid => state.bid_minor = Some(value),
            ChangeField::Budget => state.daily_budget_minor = Some(value),
            ChangeField::Status => {
                state.status = if value == 1 { DeliveryStatus::Active } else { DeliveryStatus::Paused };
            }
        }
        let activity =
            Activity { at, field, before: Some(before), after: Some(value), own: change.is_some() };
        self.activities.push((owner.clone(), activity));
        self.effects.push(PlatformEffect { at, owner: owner.clone(), field, before, after: value, change });
    }

    fn check(&self, write: &AdWrite) -> Result<(), WriteFailure> {
        let rejected = |message: &str| WriteFailure {
            class: WriteClass::Rejected,
            retry_after: None,
            message: message.to_owned(),
        };
        let state = self.owners.get(&write.owner).ok_or_else(|| rejected("there is no such object"))?;
        if state.value(write.field).is_none() {
            return Err(rejected("the object has no such field"));
        }
        let valid =
            if write.field == ChangeField::Status { (0..=1).contains(&write.value) } else { write.value > 0 };
        if valid { Ok(()) } else { Err(rejected("the value is not valid for the field")) }
    }
}

#[async_trait]
impl AdPlatform for MemoryPlatform {
    async fn account(&self, _ctx: &Ctx, account_id: &str) -> Result<AccountState> {
        let inner = self.of_account(account_id, "ads.account")?;
        Ok(AccountState {
            account_id: inner.account_id.clone(),
            currency: inner.currency,
            minimum_daily_minor: None,
        })
    }

    async fn owner(&self, ctx: &Ctx, owner: &Owner) -> Result<OwnerState> {
        let mut inner = self.readable("ads.owner")?;
        let now = ctx.env.clock.now();
        if let Some(Some((edited, field, value))) = inner.edits_before_read.pop_front() {
            inner.apply(&edited, field, value, now, None);
        }
        let state = inner.owners.get(owner).cloned();
        state.map(|s| OwnerState { read_at: now, ..s }).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "ads.owner", "there is no such object")
                .with_context("owner", owner.to_string())
        })
    }

    async fn owners(&self, ctx: &Ctx, account_id: &str) -> Result<Vec<OwnerState>> {
        let inner = self.of_account(account_id, "ads.owners")?;
        let read_at = ctx.env.clock.now();
        Ok(inner.owners.values().cloned().map(|o| OwnerState { read_at, ..o }).collect())
    }

    async fn set(&self, ctx: &Ctx, write: &AdWrite) -> Result<(), WriteFailure> {
        let (fault, answer) = {
            let mut inner = self.lock();
            inner.requests += 1;
            let fault = inner.write_faults.pop_front().flatten();
            let answer = inner.check(write);
            let lands = matches!(fault, None | Some(WriteFault::LostAfter | WriteFault::HangAfter));
            if lands && answer.is_ok() {
                let change = Some((write.change_id, write.attempt));
                inner.apply(&write.owner, write.field, write.value, ctx.env.clock.now(), change);
            }
            (fault, answer)
        };
        match fault {
            None => answer,
            Some(WriteFault::Fail(failure)) => Err(failure),
            Some(WriteFault::HangAfter | WriteFault::HangBefore) => std::future::pending().await,
            Some(WriteFault::LostAfter | WriteFault::LostBefore) => Err(WriteFailure {
                class: WriteClass::Ambiguous,
                retry_after: None,
                message: "the connection was cut".to_owned(),
            }),
        }
    }

    async fn validate(&self, _ctx: &Ctx, write: &AdWrite) -> Result<(), WriteFailure> {
        self.lock().check(write)
    }

    async fn activities(
        &self,
        _ctx: &Ctx,
        account_id: &str,
        owner: &Owner,
        since: Timestamp,
    ) -> Result<Vec<Activity>> {
        let inner = self.of_account(account_id, "ads.activities")?;
        // A log in whole seconds, as real ones are.
        let cut =
            |a: &Activity| Activity { at: a.at.minus(Duration::from_micros(sub_second(a.at))), ..a.clone() };
        let of_owner = inner.activities.iter().filter(|(o, _)| o == owner).map(|(_, a)| cut(a));
        Ok(of_owner.filter(|a| a.at >= since.minus(Duration::from_micros(sub_second(since)))).collect())
    }

    async fn insights(
        &self,
        _ctx: &Ctx,
        account_id: &str,
        _since: Timestamp,
        _until: Timestamp,
    ) -> Result<Vec<AdInsight>> {
        self.of_account(account_id, "ads.insights").map(|_| Vec::new())
    }
}

fn sub_second(time: Timestamp) -> u64 {
    time.micros().rem_euclid(1_000_000).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ctx::TenantId;
    use crate::env::Env;

    #[tokio::test]
    async fn keeps_the_contract() {
        let owner = Owner::ad_set("s1");
        let platform = MemoryPlatform::new("act_1", Currency::USD)
            .with_owner(Owner::campaign("c2"), "c2", 5_000)
            .with_owner(owner.clone(), "c1", 1_000);
        let ctx = Ctx::new(&Env::default(), TenantId::default());
        crate::conformance::ad_platform(&platform, &ctx, "act_1", &owner).await;
    }
}
