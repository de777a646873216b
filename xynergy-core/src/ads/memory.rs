mod account;
mod objects;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use account::{Account, Landing};
use async_trait::async_trait;

use super::{
    AccountState, Activity, AdInsight, AdObject, AdObjectKind, AdObjectPage, AdObjectQuery, AdObjectSpec,
    AdObjectUpdate, AdPlatform, AdWrite, ChangeField, DayRange, Owner, OwnerState, WriteClass, WriteFailure,
    field_names,
};
use crate::ctx::Ctx;
use crate::env::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::execution::ChangeId;
use crate::money::Currency;

/// An ad platform in memory with faults on request: for tests, and to try a policy out without an account.
///
/// It is one account for all tenants. Clones share it. Its time is that of its callers: what is to happen at a time
/// happens at the first call at or after it, as of its own time.
#[derive(Clone, Debug)]
pub struct MemoryPlatform(Arc<Mutex<Account>>);

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
    /// The answer is lost, and it takes effect so much later, if the object can take it then.
    LandAt(Duration),
    /// The answer is lost, and it took effect.
    LostAfter,
    /// The answer is lost, and it had no effect.
    LostBefore,
}

impl MemoryPlatform {
    /// An empty account.
    pub fn new(account_id: impl Into<String>, currency: Currency) -> Self {
        Self(Arc::new(Mutex::new(Account::new(account_id.into(), currency))))
    }

    /// Adds an active object with a daily budget.
    #[must_use]
    pub fn with_owner(self, owner: Owner, campaign_id: &str, daily_budget_minor: i64) -> Self {
        self.lock().add(owner, campaign_id, (Some(daily_budget_minor), None));
        self
    }

    /// Adds an active object with a budget for its whole life.
    #[must_use]
    pub fn with_lifetime_owner(self, owner: Owner, campaign_id: &str, lifetime_budget_minor: i64) -> Self {
        self.lock().add(owner, campaign_id, (None, Some(lifetime_budget_minor)));
        self
    }

    /// Gives an object that is there a bid.
    #[must_use]
    pub fn with_bid(self, owner: &Owner, bid_minor: i64) -> Self {
        if let Some(state) = self.lock().owners.get_mut(owner) {
            state.bid_minor = Some(bid_minor);
        }
        self
    }

    /// Lets an ad set that is there be in its learning phase.
    #[must_use]
    pub fn with_learning(self, owner: &Owner) -> Self {
        self.set_learning(owner, true);
        self
    }

    /// Takes as many changes of a budget by writes in an hour; one more answers like Meta (code 613), and the object's
    /// budget is blocked for an hour.
    #[must_use]
    pub fn with_budget_changes_per_hour(self, most: usize) -> Self {
        self.lock().budget_changes_per_hour = Some(most);
        self
    }

    /// Adds what an ad did on a day, as `2026-03-01`.
    #[must_use]
    pub fn with_day(self, day: &str, insight: AdInsight) -> Self {
        self.lock().days.entry(day.to_owned()).or_default().push(insight);
        self
    }

    /// Lets an object be in its learning phase, or not any more.
    pub fn set_learning(&self, owner: &Owner, learning: bool) {
        if let Some(state) = self.lock().owners.get_mut(owner) {
            state.learning = learning;
        }
    }

    /// A person changes a value, at a time.
    pub fn edit(&self, owner: &Owner, field: ChangeField, value: i64, at: Timestamp) {
        let mut account = self.lock();
        account.land(at);
        account.apply(owner, field, value, at, None);
    }

    /// A person changes a value just before the `skip`-th next reading of one owner, 0 for the very next.
    pub fn edit_before_read(&self, skip: usize, owner: Owner, field: ChangeField, value: i64) {
        let mut account = self.lock();
        let edits = &mut account.edits_before_read;
        edits.resize(edits.len().max(skip + 1), None);
        edits[skip] = Some((owner, field, value));
    }

    /// What goes wrong with the next writes, in their order; `None` for one that goes well.
    pub fn fault_writes(&self, faults: impl IntoIterator<Item = Option<WriteFault>>) {
        self.lock().write_faults.extend(faults);
    }

    /// What goes wrong with the next creates of objects, in their order; `None` for one that goes well.
    pub fn fault_creates(&self, faults: impl IntoIterator<Item = Option<WriteFault>>) {
        self.lock().create_faults.extend(faults);
    }

    /// Lets every reading fail, or none.
    pub fn fault_reads(&self, kind: Option<ErrorKind>) {
        self.lock().read_fault = kind;
    }

    /// The access token is dead from a time until before another: every call is refused.
    pub fn fault_token(&self, from: Timestamp, until: Timestamp) {
        self.lock().dead_token = Some((from, until));
    }

    /// Readings of owners show what was so long ago, as a replica that lags does. Their `read_at` does not say so.
    pub fn lag_reads(&self, lag: Duration) {
        self.lock().read_lag = lag;
    }

    /// The log of edits shows what happened so long ago, and nothing newer.
    pub fn lag_activities(&self, lag: Duration) {
        self.lock().activity_lag = lag;
    }

    /// Lets everything land whose time has come, as every call with a clock does.
    pub fn land(&self, now: Timestamp) {
        self.lock().land(now);
    }

    /// When the next write lands that is on its way.
    pub fn next_landing(&self) -> Option<Timestamp> {
        self.lock().landing.keys().next().map(|(at, _)| *at)
    }

    /// Everything that was set, in order. [`land`](Self::land) first where writes may be on their way.
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

    fn lock(&self) -> MutexGuard<'_, Account> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The account as it is now.
    fn at(&self, now: Timestamp) -> MutexGuard<'_, Account> {
        let mut account = self.lock();
        account.land(now);
        account
    }

    fn of_account(
        &self,
        ctx: &Ctx,
        account_id: &str,
        operation: &'static str,
    ) -> Result<MutexGuard<'_, Account>> {
        let now = ctx.env.clock.now();
        let account = self.at(now);
        account.readable(operation, now)?;
        account.is(account_id, operation)?;
        Ok(account)
    }
}

#[async_trait]
impl AdPlatform for MemoryPlatform {
    async fn account(&self, ctx: &Ctx, account_id: &str) -> Result<AccountState> {
        let account = self.of_account(ctx, account_id, "ads.account")?;
        Ok(AccountState {
            account_id: account.id.clone(),
            currency: account.currency,
            minimum_daily_minor: None,
        })
    }

    async fn owner(&self, ctx: &Ctx, owner: &Owner) -> Result<OwnerState> {
        let now = ctx.env.clock.now();
        let mut account = self.at(now);
        account.readable("ads.owner", now)?;
        if let Some(Some((edited, field, value))) = account.edits_before_read.pop_front() {
            account.apply(&edited, field, value, now, None);
        }
        account.shown(owner, now).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "ads.owner", "there is no such object")
                .with_context("owner", owner.to_string())
        })
    }

    async fn owners(&self, ctx: &Ctx, account_id: &str) -> Result<Vec<OwnerState>> {
        let account = self.of_account(ctx, account_id, "ads.owners")?;
        let now = ctx.env.clock.now();
        let daily = account.owners.iter().filter(|(_, state)| state.daily_budget_minor.is_some());
        Ok(daily.filter_map(|(owner, _)| account.shown(owner, now)).collect())
    }

    async fn set(&self, ctx: &Ctx, write: &AdWrite) -> Result<(), WriteFailure> {
        let now = ctx.env.clock.now();
        let lost = || WriteFailure::new(WriteClass::Ambiguous, "the connection was cut");
        let (fault, answer) = {
            let mut account = self.at(now);
            account.requests += 1;
            let fault = account.write_faults.pop_front().flatten();
            let lands = matches!(fault, None | Some(WriteFault::LostAfter | WriteFault::HangAfter));
            let answer = if lands { account.accepts(write, now) } else { Ok(()) };
            if lands && answer.is_ok() {
                account.apply_write(write, now);
            }
            if let Some(WriteFault::LandAt(delay)) = fault {
                let number = account.requests;
                account.landing.insert((now.plus(delay), number), Landing::Write(write.clone()));
            }
            (fault, answer)
        };
        match fault {
            None => answer,
            Some(WriteFault::Fail(failure)) => Err(failure),
            Some(WriteFault::HangAfter | WriteFault::HangBefore) => std::future::pending().await,
            Some(WriteFault::LandAt(_) | WriteFault::LostAfter | WriteFault::LostBefore) => Err(lost()),
        }
    }

    async fn validate(&self, ctx: &Ctx, write: &AdWrite) -> Result<(), WriteFailure> {
        let now = ctx.env.clock.now();
        let account = self.at(now);
        if !account.token_lives(now) {
            return Err(WriteFailure::new(WriteClass::Unauthorized, "the access token has expired"));
        }
        account.check(write)
    }

    async fn activities(
        &self,
        ctx: &Ctx,
        account_id: &str,
        owner: &Owner,
        since: Timestamp,
    ) -> Result<Vec<Activity>> {
        let account = self.of_account(ctx, account_id, "ads.activities")?;
        Ok(account.log(owner, since, ctx.env.clock.now()))
    }

    async fn insights(
        &self,
        ctx: &Ctx,
        account_id: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<AdInsight>> {
        let range = DayRange::new(since, until)?;
        Ok(self.of_account(ctx, account_id, "ads.insights")?.totals(range))
    }

    async fn object(&self, ctx: &Ctx, kind: AdObjectKind, id: &str, fields: &[String]) -> Result<AdObject> {
        const OPERATION: &str = "ads.get";
        field_names(fields, OPERATION)?;
        let now = ctx.env.clock.now();
        let account = self.at(now);
        account.readable(OPERATION, now)?;
        account.object(kind, id, fields).ok_or_else(|| objects::missing(OPERATION, kind, id))
    }

    async fn objects(&self, ctx: &Ctx, query: &AdObjectQuery) -> Result<AdObjectPage> {
        let limit = query.validate()?;
        Ok(self.of_account(ctx, &query.account_id, "ads.list")?.page(query, limit))
    }

    async fn create_object(&self, ctx: &Ctx, spec: &AdObjectSpec, nonce: &str) -> Result<AdObject> {
        const OPERATION: &str = "ads.create";
        spec.validate()?;
        let now = ctx.env.clock.now();
        let (fault, created) = {
            let mut account = self.at(now);
            account.is(&spec.account_id, OPERATION)?;
            if !account.token_lives(now) {
                return Err(Error::new(ErrorKind::Unauthorized, OPERATION, "the access token has expired"));
            }
            account.requests += 1;
            let fault = account.create_faults.pop_front().flatten();
            let lands = matches!(fault, None | Some(WriteFault::LostAfter | WriteFault::HangAfter));
            let created = lands.then(|| account.create(spec, nonce));
            if let Some(WriteFault::LandAt(delay)) = fault {
                let number = account.requests;
                let landing = Landing::Create(spec.clone(), nonce.to_owned());
                account.landing.insert((now.plus(delay), number), landing);
            }
            (fault, created)
        };
        match (fault, created) {
            (None, Some(object)) => Ok(object),
            (Some(WriteFault::Fail(failure)), _) => Err(objects::failed(OPERATION, &failure)),
            (Some(WriteFault::HangAfter | WriteFault::HangBefore), _) => std::future::pending().await,
            _ => Err(Error::new(ErrorKind::Ambiguous, OPERATION, "the connection was cut")),
        }
    }

    async fn find_created(&self, ctx: &Ctx, spec: &AdObjectSpec, nonce: &str) -> Result<Option<AdObject>> {
        Ok(self.of_account(ctx, &spec.account_id, "ads.create")?.created(spec, nonce))
    }

    async fn update_object(&self, ctx: &Ctx, update: &AdObjectUpdate) -> Result<()> {
        const OPERATION: &str = "ads.update";
        update.validate()?;
        let now = ctx.env.clock.now();
        let mut account = self.at(now);
        account.readable(OPERATION, now)?;
        if account.update(update) {
            return Ok(());
        }
        Err(objects::missing(OPERATION, update.kind, &update.id))
    }
}
