//! What an onlooker writes down who sees the wire, the platform and every answer of the store.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::Violation;
use crate::ads::{AdWrite, ChangeField, Owner, OwnerState};
use crate::env::Timestamp;
use crate::execution::machine::KillScope;
use crate::execution::{AccountLimits, ChangeId, ChangeStatus, LeaseToken};

const TAIL: usize = 60;
const MOST_VIOLATIONS: usize = 20;

/// A change of a tenant.
pub(super) type Key = (usize, ChangeId);
/// An attempt of a change of a tenant.
pub(super) type AttemptKey = (usize, ChangeId, u32);

#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) counts: BTreeMap<&'static str, u64>,
    pub(super) violations: Vec<Violation>,
    tail: VecDeque<String>,
    /// Whose change is in flight, as the store's answers say.
    pub(super) held: BTreeMap<Key, Held>,
    pub(super) flying: BTreeMap<(usize, Owner), ChangeId>,
    /// What the platform showed to each life of a worker last.
    pub(super) shown: BTreeMap<(usize, usize, Owner), Shown>,
    /// The attempt that a life of a worker took last.
    pub(super) took: BTreeMap<usize, AttemptKey>,
    /// The permission to send that a life of a worker holds.
    pub(super) begun: BTreeMap<usize, Begun>,
    /// Requests on their way to the platform, by the life of the worker.
    pub(super) sending: BTreeMap<usize, Sending>,
    pub(super) reserved_at: BTreeMap<AttemptKey, Timestamp>,
    pub(super) wire: BTreeMap<AttemptKey, Wire>,
    pub(super) kills: Vec<KillPeriod>,
    pub(super) limits: Vec<Option<AccountLimits>>,
    /// Changes that were cancelled, or that a newer one took the place of while they waited, by the host's own record.
    pub(super) withdrawn: BTreeMap<Key, Timestamp>,
    pub(super) approved: BTreeSet<Key>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) attempt: u32,
    pub(super) token: Option<LeaseToken>,
    pub(super) status: ChangeStatus,
}

#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) state: OwnerState,
    pub(super) at: Timestamp,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Begun {
    pub(super) key: AttemptKey,
    /// Until when its request may land, in true time.
    pub(super) deadline: Timestamp,
}

/// A request that its worker has let go of.
#[derive(Clone, Debug)]
pub(super) struct Sending {
    pub(super) key: AttemptKey,
    pub(super) write: AdWrite,
    pub(super) deadline: Timestamp,
}

/// A request as the platform's side of the wire saw it.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    pub(super) owner: Owner,
    pub(super) field: ChangeField,
    pub(super) campaign: String,
    pub(super) value: i64,
    /// What the platform had shown of the field to the worker that sends.
    pub(super) observed: i64,
    /// The values with which it arrived, or will.
    pub(super) arrived: Vec<i64>,
    /// It arrived when the value was there already.
    pub(super) without_effect: bool,
}

#[derive(Clone, Debug)]
pub(super) struct KillPeriod {
    /// `None` for the global switch.
    pub(super) tenant: Option<usize>,
    pub(super) scope: KillScope,
    pub(super) on: Timestamp,
    pub(super) off: Option<Timestamp>,
}

impl KillPeriod {
    pub(super) fn covers(&self, tenant: usize, account: &str, owner: &Owner) -> bool {
        self.tenant.is_none_or(|t| t == tenant) && self.scope.covers(account, owner)
    }
}

impl Ledger {
    pub(super) fn new(tenants: usize) -> Self {
        Self { limits: vec![None; tenants], ..Self::default() }
    }

    pub(super) fn count(&mut self, path: &'static str) {
        *self.counts.entry(path).or_default() += 1;
    }

    pub(super) fn tell(&mut self, line: String) {
        if self.violations.is_empty() {
            if self.tail.len() == TAIL {
                self.tail.pop_front();
            }
            self.tail.push_back(line);
        }
    }

    pub(super) fn break_rule(&mut self, invariant: &'static str, message: String) {
        if self.violations.len() < MOST_VIOLATIONS {
            self.violations.push(Violation { invariant, message });
        }
    }

    pub(super) fn tail(&self) -> Vec<String> {
        self.tail.iter().cloned().collect()
    }

    /// Whether a switch that is on covers the owner.
    pub(super) fn killed(&self, tenant: usize, account: &str, owner: &Owner) -> bool {
        self.kills.iter().any(|k| k.off.is_none() && k.covers(tenant, account, owner))
    }

    /// A switch was switched, as the host was told.
    pub(super) fn switched(&mut self, tenant: usize, scope: &KillScope, on: bool, now: Timestamp) {
        let tenant = (*scope != KillScope::Global).then_some(tenant);
        let open = self.kills.iter_mut().find(|k| k.off.is_none() && k.tenant == tenant && k.scope == *scope);
        match (open, on) {
            (None, true) => self.kills.push(KillPeriod { tenant, scope: scope.clone(), on: now, off: None }),
            (Some(period), false) => period.off = Some(now),
            _ => {}
        }
    }

    /// Whether somebody else is at a later attempt of the change that this life of a worker was at.
    pub(super) fn has_rival(&self, life: usize) -> bool {
        self.took.get(&life).is_some_and(|(tenant, id, attempt)| {
            let flying = [ChangeStatus::Claimed, ChangeStatus::Executing];
            let held = self.held.get(&(*tenant, *id));
            held.is_some_and(|held| held.attempt > *attempt && flying.contains(&held.status))
        })
    }

    /// What belongs to a life of a worker that is over.
    pub(super) fn bury(&mut self, life: usize) -> Option<Sending> {
        self.shown.retain(|(of, ..), _| *of != life);
        self.begun.remove(&life);
        self.took.remove(&life);
        self.sending.remove(&life)
    }
}

/// The true time until when a request may land that begins now under such a lease.
pub(super) fn deadline(
    now: Timestamp,
    store_now: Timestamp,
    lease_until: Timestamp,
    landing: Duration,
) -> Timestamp {
    now.plus(lease_until.since(store_now)).plus(landing)
}
