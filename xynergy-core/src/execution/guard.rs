//! The one decision whether a change may be sent now, and with which final value.
//!
//! A pure function over what the store loaded inside its transaction: the executor, the dry run, the tests and a
//! model checker all call this one.

use std::time::Duration;

use super::change::{AccountLimits, ChangeRow, Direction, Movement, Pause, Reason};
use super::policy::Policy;
use crate::ads::{ChangeField, DeliveryStatus, OwnerLevel, OwnerState};
use crate::env::Timestamp;

/// All that the decision depends on.
#[derive(Clone, Debug)]
pub struct GuardInput {
    /// The store's time: never before a time that it has seen.
    pub now: Timestamp,
    /// How old the values read from the platform are, by the clock that stamped them.
    pub snapshot_age: Duration,
    /// When they were read at the latest, by the store's clock: what was settled since is not in them.
    pub read_at: Timestamp,
    /// The change.
    pub row: ChangeRow,
    /// The owner as just read.
    pub live: OwnerState,
    /// All owners of the account as just read; needed where an account total is set.
    pub account: Option<Vec<OwnerState>>,
    /// How far the value should be moved from its target, if limits let it.
    pub fuzz: i64,
    /// What the user allows in the account.
    pub limits: Option<AccountLimits>,
    /// Whether a kill switch covers the change.
    pub killed: bool,
    /// What the platform's refusals taught about the account and its owners.
    pub pauses: Vec<Pause>,
    /// How many changes of the account, of any campaign, are in the rate's window.
    pub recent: RecentChanges,
    /// Other changes of the account that are in flight, or waiting in the same allocation.
    pub open: Vec<ChangeRow>,
    /// Movements in the change's campaign within the windows, reservations included, and the newest of the whole account;
    /// in the order of their writing.
    pub movements: Vec<Movement>,
}

/// Our own changes of an account within the rate's window, reservations included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecentChanges {
    /// How many.
    pub count: u32,
    /// The time of the oldest one.
    pub oldest: Option<Timestamp>,
}

/// The decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Write the intent and send this value.
    Send {
        /// The live value.
        from: i64,
        /// The final value.
        value: i64,
    },
    /// Do not send it; ask again at the time, if there is one.
    Block {
        /// Why.
        reason: Reason,
        /// When to ask again; `None` when asking again cannot help.
        retry_at: Option<Timestamp>,
    },
    /// Another change of this owner is on its way: leave this one as it is.
    Wait,
}

/// When a raise is asked again if another worker is about to do its cuts; the end of the last one wakes it anyway.
const CUT_RECHECK_MS: u64 = 1_000;

/// When a change is asked again whose owner was read before another change of it was settled.
const REREAD_MS: u64 = 1_000;

/// When a step of a ramp is asked again after the one before it was due.
const STEP_RECHECK_MS: u64 = 1_000;

/// Why a value is outside a limit.
type Outside = (Reason, Option<Timestamp>);

/// Decides. The order of the checks is part of the contract: what needs no reading of the platform comes first.
pub fn decide(input: &GuardInput, policy: &Policy) -> Verdict {
    match check(input, policy) {
        Ok(Some((from, value))) => Verdict::Send { from, value },
        Ok(None) => Verdict::Wait,
        Err((reason, retry_at)) => Verdict::Block { reason, retry_at },
    }
}

fn check(input: &GuardInput, policy: &Policy) -> Result<Option<(i64, i64)>, Outside> {
    let (row, change) = (&input.row, &input.row.change);
    if input.killed {
        return Err((Reason::KillSwitch, Some(after(input.now, policy.kill_switch_retry_ms))));
    }
    if input.now >= row.expires_at {
        return Err((Reason::Expired, None));
    }
    if row.needs_approval() {
        return Err((Reason::AwaitingApproval, Some(row.expires_at)));
    }
    paused(input)?;
    if input.open.iter().any(|o| o.in_flight() && o.change.owner == change.owner) {
        return Ok(None);
    }
    awaiting_step(input)?;
    awaiting_cuts(input)?;
    let live = live_value(input, policy)?;
    if live != change.expected_from {
        return Err((Reason::Drifted, None));
    }
    learning(input, policy)?;
    let limits = Limits { input, policy, live };
    if let Some(fixed) = row.sent_value {
        limits.allow(fixed)?;
        return Ok(Some((live, fixed)));
    }
    limits.allow(change.target)?;
    let value = limits.clamp_fuzz();
    limits.allow(value)?;
    Ok(Some((live, value)))
}

/// What the platform asked to be left alone is.
fn paused(input: &GuardInput) -> Result<(), Outside> {
    let owner = &input.row.change.owner;
    let latest =
        input.pauses.iter().filter(|p| p.covers(owner) && p.until > input.now).max_by_key(|p| p.until);
    latest.map_or(Ok(()), |pause| Err((pause.reason, Some(pause.until))))
}

/// A step of a ramp waits for those before it: it starts from where they arrive.
fn awaiting_step(input: &GuardInput) -> Result<(), Outside> {
    let Some(ramp) = input.row.change.ramp else { return Ok(()) };
    let earlier = input.open.iter().filter(|o| {
        !o.is_over() && o.change.ramp.is_some_and(|other| other.id == ramp.id && other.step < ramp.step)
    });
    match earlier.map(|o| o.due_at).max() {
        Some(due) => {
            let due = due.filter(|due| *due > input.now).unwrap_or(input.now);
            Err((Reason::AwaitingStep, Some(after(due, STEP_RECHECK_MS))))
        }
        None => Ok(()),
    }
}

/// A change of budget or bid would start the learning phase anew. A cut is never held back.
fn learning(input: &GuardInput, policy: &Policy) -> Result<(), Outside> {
    let change = &input.row.change;
    let held = policy.respect_learning
        && input.live.learning
        && change.field != ChangeField::Status
        && change.direction() != Direction::Cut;
    if held {
        return Err((Reason::LearningPhase, Some(after(input.now, policy.learning_retry_ms))));
    }
    Ok(())
}

/// A raise waits until no cut of its allocation can still fail to make room for it.
fn awaiting_cuts(input: &GuardInput) -> Result<(), Outside> {
    let change = &input.row.change;
    let Some(allocation) = change.allocation_id.as_ref().filter(|_| change.direction() == Direction::Raise)
    else {
        return Ok(());
    };
    let cuts = input.open.iter().filter(|o| {
        o.change.allocation_id.as_ref() == Some(allocation)
            && o.change.direction() == Direction::Cut
            && !o.is_over()
            && o.change.id != change.id
    });
    // A cut whose owner has another request on its way waits for that one first.
    let moves_at = |cut: &ChangeRow| {
        let ahead = input.open.iter().filter(|o| o.in_flight() && o.change.owner == cut.change.owner);
        ahead.filter_map(|o| o.due_at).chain(cut.due_at).max()
    };
    match cuts.map(moves_at).max() {
        Some(Some(latest)) if latest > input.now => Err((Reason::AwaitingCuts, Some(after(latest, 1)))),
        Some(_) => Err((Reason::AwaitingCuts, Some(after(input.now, CUT_RECHECK_MS)))),
        None => Ok(()),
    }
}

/// The live value of the change's field, if what was read is fresh and is what the change means.
fn live_value(input: &GuardInput, policy: &Policy) -> Result<i64, Outside> {
    let (change, live) = (&input.row.change, &input.live);
    if input.snapshot_age > Duration::from_millis(policy.snapshot_max_age_ms) {
        return Err((Reason::StaleSnapshot, Some(after(input.now, policy.unreachable_retry_ms))));
    }
    if settled_since_read(input).any(|m| m.owner == change.owner) {
        return Err((Reason::StaleSnapshot, Some(after(input.now, REREAD_MS))));
    }
    if live.owner != change.owner
        || live.campaign_id != change.campaign_id
        || live.account_id != change.account_id
    {
        return Err((Reason::WrongObject, None));
    }
    if live.currency != change.currency || input.limits.as_ref().is_some_and(|l| l.currency != live.currency)
    {
        return Err((Reason::WrongCurrency, None));
    }
    let lifetime = change.field == ChangeField::Budget && live.lifetime_budget_minor.is_some();
    let absent = if lifetime { Reason::WrongBudgetType } else { Reason::WrongObject };
    live.value(change.field).ok_or((absent, None))
}

/// Our own movements that the values that were read may lack.
fn settled_since_read(input: &GuardInput) -> impl Iterator<Item = &Movement> {
    input.movements.iter().filter(|m| m.own.is_some() && !m.open && m.at > input.read_at)
}

/// The limits on one value.
struct Limits<'a> {
    input: &'a GuardInput,
    policy: &'a Policy,
    live: i64,
}

impl Limits<'_> {
    /// Whether the value may be set now: rates, velocity, floor, ceiling, account total.
    fn allow(&self, value: i64) -> Result<(), Outside> {
        self.account_rate()?;
        self.campaign_rate()?;
        self.owner_rate()?;
        self.velocity(value)?;
        self.bounds(value)?;
        self.account_cap(value)
    }

    fn account_rate(&self) -> Result<(), Outside> {
        let limit = self
            .learned(|p| p.owner.is_none())
            .map_or(self.policy.account_changes, |learned| learned.min(self.policy.account_changes));
        if self.input.recent.count < limit {
            return Ok(());
        }
        let oldest = self.input.recent.oldest.unwrap_or(self.input.now);
        let leaves = after(oldest, self.policy.rate_window_ms).max(after(self.input.now, 1_000));
        Err((Reason::RateLimitAccount, Some(leaves)))
    }

    /// The lowest limit that the platform's refusals taught, of those that still count.
    fn learned(&self, of: impl Fn(&Pause) -> bool) -> Option<u32> {
        let learned = self.input.pauses.iter().filter(|p| of(p)).filter_map(|p| p.learned);
        learned.filter(|l| l.until > self.input.now).map(|l| l.changes.max(1)).min()
    }

    fn campaign_rate(&self) -> Result<(), Outside> {
        let campaign = &self.input.row.change.campaign_id;
        let times = self.times(|m| m.own.is_some() && m.campaign_id == *campaign);
        self.rate(&times, self.policy.campaign_changes, Reason::RateLimitCampaign)
    }

    fn owner_rate(&self) -> Result<(), Outside> {
        let change = &self.input.row.change;
        if change.field != ChangeField::Budget {
            return Ok(());
        }
        let documented =
            (change.owner.level == OwnerLevel::AdSet).then_some(self.policy.adset_budget_changes);
        let learned = self.learned(|p| p.owner.as_ref() == Some(&change.owner));
        let Some(limit) = documented.into_iter().chain(learned).min() else { return Ok(()) };
        let times = self.times(|m| m.field == ChangeField::Budget && m.owner == change.owner);
        self.rate(&times, limit, Reason::RateLimitOwner)
    }

    /// The times of these movements within the rate's window, oldest first.
    fn times(&self, of: impl Fn(&Movement) -> bool) -> Vec<Timestamp> {
        let mut times: Vec<_> = self
            .input
            .movements
            .iter()
            .filter(|m| of(m) && within(m, self.input.now, self.policy.rate_window_ms))
            .map(|m| m.at)
            .collect();
        times.sort_unstable();
        times
    }

    fn rate(&self, times: &[Timestamp], limit: u32, reason: Reason) -> Result<(), Outside> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        match times.len().checked_sub(limit) {
            Some(surplus) => {
                let leaves = times.get(surplus).copied().unwrap_or(self.input.now);
                Err((reason, Some(after(leaves, self.policy.rate_window_ms))))
            }
            None => Ok(()),
        }
    }

    fn velocity(&self, value: i64) -> Result<(), Outside> {
        if self.input.row.change.field == ChangeField::Status {
            return Ok(());
        }
        let step = distance(self.live, value);
        if step > allowance(self.live, self.policy) {
            return Err((Reason::Velocity, None));
        }
        for (movement, room) in self.suffixes() {
            if step > room {
                return Err((Reason::Velocity, Some(after(movement.at, self.policy.velocity_window_ms))));
            }
        }
        Ok(())
    }

    /// Every suffix of the window, the shortest first: its first movement and the room that it leaves for one more
    /// step. With every suffix within its limit, so is every shorter window inside of it.
    fn suffixes(&self) -> Vec<(&Movement, i128)> {
        let change = &self.input.row.change;
        let mut movements: Vec<_> = self
            .input
            .movements
            .iter()
            .filter(|m| m.owner == change.owner && m.field == change.field)
            .filter(|m| within(m, self.input.now, self.policy.velocity_window_ms))
            .collect();
        movements.sort_by_key(|m| m.at);
        let mut used = 0;
        movements
            .into_iter()
            .rev()
            .map(|m| {
                used += distance(m.from, m.to);
                (m, allowance(m.from, self.policy) - used)
            })
            .collect()
    }

    fn bounds(&self, value: i64) -> Result<(), Outside> {
        let (least, most) = self.floor_and_ceiling();
        if value < least {
            return Err((Reason::BelowFloor, None));
        }
        if value > most {
            return Err((Reason::AboveCeiling, None));
        }
        Ok(())
    }

    fn floor_and_ceiling(&self) -> (i64, i64) {
        if self.input.row.change.field != ChangeField::Budget {
            return (i64::MIN, i64::MAX);
        }
        let limits = self.input.limits.as_ref();
        (
            limits.and_then(|l| l.min_minor).unwrap_or(1).max(1),
            limits.and_then(|l| l.max_minor).unwrap_or(i64::MAX),
        )
    }

    fn account_cap(&self, value: i64) -> Result<(), Outside> {
        let change = &self.input.row.change;
        let Some(cap) = self.input.limits.as_ref().and_then(|l| l.total_daily_minor) else { return Ok(()) };
        // What this owner adds to the total, if the change makes it spend more.
        let own = match change.field {
            ChangeField::Budget if value > self.live => value,
            ChangeField::Status if value == DeliveryStatus::Active.code() => {
                self.input.live.daily_budget_minor.unwrap_or(0)
            }
            _ => return Ok(()),
        };
        let others = self.others_total(false).ok_or_else(|| {
            (Reason::StaleSnapshot, Some(after(self.input.now, self.policy.unreachable_retry_ms)))
        })?;
        if others + i128::from(own) > i128::from(cap) {
            return Err((Reason::AccountCap, Some(after(self.input.now, self.policy.account_cap_retry_ms))));
        }
        Ok(())
    }

    /// The daily total of the account's other active owners, each counted at the most that it can come to: what was
    /// read or a target that is in flight, and with `planned` a raise that still waits in the same allocation.
    /// `None` without a reading that shows this owner too.
    fn others_total(&self, planned: bool) -> Option<i128> {
        let change = &self.input.row.change;
        let account = self.input.account.as_ref()?;
        account.iter().find(|o| o.owner == change.owner)?;
        let total = account
            .iter()
            .filter(|o| o.owner != change.owner)
            .map(|o| self.most_of(o, planned).map_or(0, i128::from))
            .sum();
        Some(total)
    }

    /// The most that another owner can come to spend a day; `None` when it is off and stays off.
    fn most_of(&self, other: &OwnerState, planned: bool) -> Option<i64> {
        let counted = |o: &&ChangeRow| {
            let same_allocation = o.change.allocation_id.is_some()
                && o.change.allocation_id == self.input.row.change.allocation_id;
            o.change.owner == other.owner && (o.in_flight() || planned && o.waiting() && same_allocation)
        };
        let target = |field: ChangeField| {
            self.input
                .open
                .iter()
                .filter(counted)
                .filter(move |o| o.change.field == field)
                .map(|o| o.sent_value.unwrap_or(o.change.target))
                .max()
        };
        let settled = |field: ChangeField| {
            let of_other = move |m: &&Movement| m.owner == other.owner && m.field == field;
            settled_since_read(self.input).filter(of_other).map(|m| m.to).max()
        };
        let active = Some(DeliveryStatus::Active.code());
        let on = other.status == DeliveryStatus::Active
            || target(ChangeField::Status) == active
            || settled(ChangeField::Status) == active;
        let budget = target(ChangeField::Budget).max(settled(ChangeField::Budget));
        let most = other.daily_budget_minor.max(budget.filter(|_| other.daily_budget_minor.is_some()));
        most.filter(|_| on)
    }

    /// The target moved by the fuzz, as far as every limit lets it; the direction of the change is kept.
    fn clamp_fuzz(&self) -> i64 {
        let target = self.input.row.change.target;
        if self.input.fuzz == 0 || self.input.row.change.field != ChangeField::Budget {
            return target;
        }
        let room = self
            .suffixes()
            .into_iter()
            .map(|(_, room)| room)
            .fold(allowance(self.live, self.policy), i128::min);
        let live = i128::from(self.live);
        let (floor, ceiling) = self.floor_and_ceiling();
        let mut least = (live - room).max(i128::from(floor));
        let mut most = (live + room).min(i128::from(ceiling));
        if target > self.live {
            least = least.max(live + 1);
        } else {
            most = most.min(live - 1);
        }
        if let Some(cap) = self.input.limits.as_ref().and_then(|l| l.total_daily_minor) {
            let left = self.others_total(true).map_or(i128::MIN, |others| i128::from(cap) - others);
            most = most.min(left.max(i128::from(target)));
        }
        let moved = i128::from(target) + i128::from(self.input.fuzz);
        i64::try_from(moved.min(most).max(least)).unwrap_or(target)
    }
}

/// How far a value that was `base` at the start of a window may move in it.
fn allowance(base: i64, policy: &Policy) -> i128 {
    i128::from(base.max(0)) * i128::from(policy.velocity_per_mille) / 1_000
}

fn distance(from: i64, to: i64) -> i128 {
    (i128::from(to) - i128::from(from)).abs()
}

/// Whether a movement counts in a window that ends now. A reservation always does: it has not happened yet.
fn within(movement: &Movement, now: Timestamp, window_ms: u64) -> bool {
    movement.open || movement.at > now.minus(Duration::from_millis(window_ms))
}

fn after(time: Timestamp, ms: u64) -> Timestamp {
    time.plus(Duration::from_millis(ms))
}

#[cfg(test)]
mod tests;
