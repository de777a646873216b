//! The account behind the platform in memory: its objects, what was done to them, and what is arranged to go wrong.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::{PlatformEffect, WriteFault};
use crate::ads::{
    Activity, AdInsight, AdObject, AdObjectSpec, AdWrite, ChangeField, DeliveryStatus, Owner, OwnerState,
    ThrottleScope, WriteClass, WriteFailure,
};
use crate::env::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::execution::ChangeId;
use crate::money::Currency;

/// The time in which changes of a budget are counted, and for which a budget is blocked after too many.
pub(super) const BUDGET_WINDOW: Duration = Duration::from_secs(3_600);

/// A request that takes effect later.
#[derive(Debug)]
pub(super) enum Landing {
    Create(AdObjectSpec, String),
    Write(AdWrite),
}

#[derive(Debug)]
pub(super) struct Account {
    pub(super) id: String,
    pub(super) currency: Currency,
    pub(super) owners: BTreeMap<Owner, OwnerState>,
    pub(super) activities: Vec<(Owner, Activity)>,
    pub(super) effects: Vec<PlatformEffect>,
    pub(super) requests: usize,
    pub(super) write_faults: VecDeque<Option<WriteFault>>,
    pub(super) read_fault: Option<ErrorKind>,
    pub(super) edits_before_read: VecDeque<Option<(Owner, ChangeField, i64)>>,
    /// Requests that are on their way, by the time at which they land and then by their order.
    pub(super) landing: BTreeMap<(Timestamp, usize), Landing>,
    pub(super) objects: BTreeMap<String, AdObject>,
    pub(super) create_faults: VecDeque<Option<WriteFault>>,
    pub(super) days: BTreeMap<String, Vec<AdInsight>>,
    pub(super) activity_lag: Duration,
    pub(super) read_lag: Duration,
    pub(super) dead_token: Option<(Timestamp, Timestamp)>,
    pub(super) budget_changes_per_hour: Option<usize>,
    pub(super) blocked_until: BTreeMap<Owner, Timestamp>,
}

impl Account {
    pub(super) fn new(id: String, currency: Currency) -> Self {
        Self {
            id,
            currency,
            owners: BTreeMap::new(),
            activities: Vec::new(),
            effects: Vec::new(),
            requests: 0,
            write_faults: VecDeque::new(),
            read_fault: None,
            edits_before_read: VecDeque::new(),
            landing: BTreeMap::new(),
            objects: BTreeMap::new(),
            create_faults: VecDeque::new(),
            days: BTreeMap::new(),
            activity_lag: Duration::ZERO,
            read_lag: Duration::ZERO,
            dead_token: None,
            budget_changes_per_hour: None,
            blocked_until: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, owner: Owner, campaign_id: &str, budget: (Option<i64>, Option<i64>)) {
        let state = OwnerState {
            account_id: self.id.clone(),
            campaign_id: campaign_id.to_owned(),
            name: owner.to_string(),
            currency: self.currency,
            daily_budget_minor: budget.0,
            lifetime_budget_minor: budget.1,
            bid_minor: None,
            status: DeliveryStatus::Active,
            learning: false,
            read_at: Timestamp::default(),
            owner: owner.clone(),
        };
        self.owners.insert(owner, state);
    }

    /// Lets everything land whose time has come, each at its own.
    pub(super) fn land(&mut self, now: Timestamp) {
        while let Some(next) = self.landing.first_entry().filter(|next| next.key().0 <= now) {
            let ((at, _), landing) = next.remove_entry();
            match landing {
                Landing::Create(spec, nonce) => {
                    self.create(&spec, &nonce);
                }
                Landing::Write(write) => {
                    if self.accepts(&write, at).is_ok() {
                        self.apply_write(&write, at);
                    }
                }
            }
        }
    }

    pub(super) fn token_lives(&self, now: Timestamp) -> bool {
        self.dead_token.is_none_or(|(from, until)| now < from || until <= now)
    }

    pub(super) fn readable(&self, operation: &'static str, now: Timestamp) -> Result<()> {
        if let Some(kind) = self.read_fault {
            return Err(Error::new(kind, operation, "the platform cannot be read"));
        }
        if !self.token_lives(now) {
            return Err(Error::new(ErrorKind::Unauthorized, operation, "the access token has expired"));
        }
        Ok(())
    }

    pub(super) fn is(&self, account_id: &str, operation: &'static str) -> Result<()> {
        if self.id == account_id {
            return Ok(());
        }
        Err(Error::new(ErrorKind::NotFound, operation, "there is no such account")
            .with_context("account_id", account_id))
    }

    /// The owner as a reading shows it: as it was a while ago where reads lag.
    pub(super) fn shown(&self, owner: &Owner, now: Timestamp) -> Option<OwnerState> {
        let mut state = OwnerState { read_at: now, ..self.owners.get(owner)?.clone() };
        let as_of = now.minus(self.read_lag);
        let later = self.effects.iter().rev().take_while(|_| !self.read_lag.is_zero());
        for effect in later.filter(|effect| effect.owner == *owner && effect.at > as_of) {
            set(&mut state, effect.field, effect.before);
        }
        Some(state)
    }

    /// The log of an owner's edits, in whole seconds as real ones are, as far as it has been written.
    pub(super) fn log(&self, owner: &Owner, since: Timestamp, now: Timestamp) -> Vec<Activity> {
        let since = whole_seconds(since);
        let written = now.minus(self.activity_lag);
        let of_owner = self.activities.iter().filter(|(of, a)| of == owner && a.at <= written);
        let whole = of_owner.map(|(_, a)| Activity { at: whole_seconds(a.at), ..a.clone() });
        whole.filter(|a| a.at >= since).collect()
    }

    /// Checks a write that would land at a time, and blocks the budget when it is one too many.
    pub(super) fn accepts(&mut self, write: &AdWrite, at: Timestamp) -> Result<(), WriteFailure> {
        if !self.token_lives(at) {
            return Err(WriteFailure::new(WriteClass::Unauthorized, "the access token has expired"));
        }
        self.check(write)?;
        let Some(most) = self.budget_changes_per_hour.filter(|_| write.field == ChangeField::Budget) else {
            return Ok(());
        };
        let blocked = self.blocked_until.get(&write.owner).copied().filter(|until| at < *until);
        let recent = self.effects.iter().rev().take_while(|effect| at.since(effect.at) < BUDGET_WINDOW);
        let ours = |e: &&PlatformEffect| {
            e.change.is_some() && e.field == ChangeField::Budget && e.owner == write.owner
        };
        let changes = recent.filter(ours).count();
        let unchanged = self.owners.get(&write.owner).and_then(|o| o.value(write.field)) == Some(write.value);
        let until = match blocked {
            Some(until) => until,
            None if unchanged || changes < most => return Ok(()),
            None => at.plus(BUDGET_WINDOW),
        };
        self.blocked_until.insert(write.owner.clone(), until);
        Err(WriteFailure {
            retry_after: Some(until.since(at)),
            scope: ThrottleScope::Owner,
            ..WriteFailure::new(
                WriteClass::Throttled,
                "the budget was changed too often in an hour (code 613, subcode 1487632)",
            )
        })
    }

    /// Whether a write is one that its object can take.
    pub(super) fn check(&self, write: &AdWrite) -> Result<(), WriteFailure> {
        let rejected = |message: &str| WriteFailure::new(WriteClass::Rejected, message);
        let state = self.owners.get(&write.owner).ok_or_else(|| rejected("there is no such object"))?;
        if write.field == ChangeField::Budget && state.lifetime_budget_minor.is_some() {
            return Err(rejected(
                "the object has a lifetime budget, which no daily budget replaces: change it where it was set",
            ));
        }
        if state.value(write.field).is_none() {
            return Err(rejected("the object has no such field"));
        }
        let valid =
            if write.field == ChangeField::Status { (0..=1).contains(&write.value) } else { write.value > 0 };
        if valid { Ok(()) } else { Err(rejected("the value is not valid for the field")) }
    }

    pub(super) fn apply_write(&mut self, write: &AdWrite, at: Timestamp) {
        let change = Some((write.change_id, write.attempt));
        self.apply(&write.owner, write.field, write.value, at, change);
    }

    pub(super) fn apply(
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
        set(state, field, value);
        let activity =
            Activity { at, field, before: Some(before), after: Some(value), own: change.is_some() };
        self.activities.push((owner.clone(), activity));
        self.effects.push(PlatformEffect { at, owner: owner.clone(), field, before, after: value, change });
    }
}

fn set(state: &mut OwnerState, field: ChangeField, value: i64) {
    match field {
        ChangeField::Bid => state.bid_minor = Some(value),
        ChangeField::Budget => state.daily_budget_minor = Some(value),
        ChangeField::Status => {
            state.status = if value == 1 { DeliveryStatus::Active } else { DeliveryStatus::Paused };
        }
    }
}

fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_micros(time.micros().div_euclid(1_000_000).saturating_mul(1_000_000))
}
