//! What must hold in every moment, checked on the platform's own log wherever it can be.

use stateright::{Model, Property};
use xynergy_core::execution::{ChangeStatus, Reason};

use super::after::after;
use super::setup::{Setup, ticks};
use super::state::{Edit, State, Worker};
use super::steps::{self, Step};
use super::store::{Intent, Outcome, Row};

pub(crate) const VELOCITY: &str = "I1 velocity, against the values observed";
pub(crate) const STRICT_VELOCITY: &str = "I1 velocity, against the true values";
pub(crate) const ONCE: &str = "I2 each change at most once";
pub(crate) const AUDIT: &str = "I3 each effect is in the history";
pub(crate) const FOUND: &str = "I3 in the end, after a search, each effect is in the history";
pub(crate) const RATE: &str = "I4 rate of the campaign and of the ad set";
pub(crate) const EXCLUSIVE: &str = "I5 one in flight on an ad set";
pub(crate) const FENCE: &str = "I6 only the claim's holder moves a change";
pub(crate) const RESEND: &str = "I7 no second request without a verdict on the first";
pub(crate) const BOUNDS: &str = "I9 floor, ceiling, fuzz and the account's total";
pub(crate) const KILL: &str = "I10 nothing is sent under a kill switch";
pub(crate) const LIVENESS: &str = "I11 what is not over has a time at which it moves on";
pub(crate) const FRESH: &str = "I12 nothing is sent after its time, or over an edit";
pub(crate) const NO_GHOST: &str = "an edit that the history counts was made";
pub(crate) const COMPLETED: &str = "all complete";
pub(crate) const TOLD: &str = "a lost reply is told by reading";
pub(crate) const AGAIN: &str = "a lost request is sent again and completes";
pub(crate) const FOUND_LATE: &str = "a late landing is found";
pub(crate) const LIMITED: &str = "a limit holds a change back";
pub(crate) const SUPERSEDED: &str = "a newer change takes the place of an older one";

impl Model for Setup {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        // When the first change is queued makes no difference: the world begins with it.
        let mut state = State::new(self);
        state.store().queue(self, 0, 0);
        vec![state]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Step>) {
        steps::possible(self, state, actions);
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        after(self, state, &step)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(VELOCITY, |setup: &Self, state| {
                velocity(setup, state, |edit| edit.own.map(|(_, _, observed)| observed))
            }),
            Property::always(STRICT_VELOCITY, |setup: &Self, state| {
                velocity(setup, state, |edit| edit.own.map(|_| edit.from))
            }),
            Property::always(ONCE, |_, state: &State| {
                state.effects.iter().all(|n| *n <= 1) && !state.seen.varied
            }),
            Property::always(AUDIT, |_, state| audited(state)),
            Property::always(FOUND, |setup: &Self, state| !at_rest(setup, state) || effects_counted(state)),
            Property::always(RATE, rate),
            Property::always(EXCLUSIVE, exclusive),
            Property::always(FENCE, |_, state: &State| !state.seen.unfenced),
            Property::always(RESEND, |_, state: &State| !state.seen.resent),
            Property::always(BOUNDS, bounds),
            Property::always(KILL, |_, state: &State| !state.seen.killed),
            Property::always(LIVENESS, alive),
            Property::always(FRESH, |_, state: &State| !state.seen.too_late && !state.seen.over_an_edit),
            Property::always(NO_GHOST, |_, state: &State| {
                // What cannot be told counts as moved, and what is read after it as moved back.
                let untold = state.store.intents.iter().any(|i| i.outcome == Outcome::Conflict);
                state.edits > 0 || untold || state.store.moves.iter().all(|m| m.own.is_some())
            }),
            Property::sometimes(COMPLETED, |_, state| {
                all(state, |row| row.status == ChangeStatus::Completed)
            }),
            Property::sometimes(TOLD, |_, state| any(state, |row| row.reason == Some(Reason::Reconciled))),
            Property::sometimes(AGAIN, |_, state| {
                any(state, |row| row.attempt > 1 && row.status == ChangeStatus::Completed)
            }),
            Property::sometimes(FOUND_LATE, |_, state| {
                any(state, |row| row.reason == Some(Reason::LandedLate))
            }),
            Property::sometimes(LIMITED, |_, state| any(state, limited)),
            Property::sometimes(SUPERSEDED, |_, state| {
                any(state, |row| row.reason == Some(Reason::Superseded))
            }),
        ]
    }
}

/// Whether a property is a situation that must come up, not an invariant.
pub(crate) fn is_situation(name: &str) -> bool {
    [COMPLETED, TOLD, AGAIN, FOUND_LATE, LIMITED, SUPERSEDED].contains(&name)
}

fn any(state: &State, is: impl Fn(&Row) -> bool) -> bool {
    state.store.stored().any(|(_, row)| is(row))
}

fn all(state: &State, is: impl Fn(&Row) -> bool) -> bool {
    state.store.rows.iter().all(|row| row.as_ref().is_some_and(&is))
}

fn limited(row: &Row) -> bool {
    use Reason::{AccountCap, RateLimitCampaign, RateLimitOwner, Velocity};
    matches!(row.reason, Some(AccountCap | RateLimitCampaign | RateLimitOwner | Velocity))
}

/// Up and down added, no window holds more movement of ours than its part of the value at its start.
fn velocity(setup: &Setup, state: &State, base: impl Fn(&Edit) -> Option<i32>) -> bool {
    let window = ticks(setup.policy.velocity_window_ms);
    (0..setup.start.len()).all(|owner| {
        let own = |e: &&Edit| e.own.is_some() && usize::from(e.owner) == owner;
        let own: Vec<_> = state.log.iter().filter(own).collect();
        let Some(last) = own.last() else { return true };
        let in_window: Vec<_> = own.iter().filter(|e| last.at - e.at < window).collect();
        (0..in_window.len()).all(|start| {
            let from = |e: &Edit| i64::from(base(e).unwrap_or(e.from));
            let moved: i64 = in_window[start..].iter().map(|e| (i64::from(e.to) - from(e)).abs()).sum();
            moved * 1_000 <= from(in_window[start]) * i64::from(setup.policy.velocity_per_mille)
        })
    })
}

/// Each effect has an intent with its value that does not deny it; each intent is closed once, and not before its
/// change is at rest.
fn audited(state: &State) -> bool {
    let store = &state.store;
    let in_flight = |wish| store.row(wish).is_some_and(Row::in_flight);
    let mut open = store.intents.iter().filter(|i| i.outcome == Outcome::Open);
    effects_audited(state) && !store.closed_twice && open.all(|i| in_flight(i.wish))
}

/// The platform's log does not tell the attempts of a change apart: that there are as many is what can be found out.
fn effects_counted(state: &State) -> bool {
    state.store.stored().all(|(wish, _)| {
        let effects = state.log.iter().filter(|e| e.own.is_some_and(|own| own.0 == wish)).count();
        let counts = |i: &&Intent| i.wish == wish && i.outcome != Outcome::Nothing;
        effects <= state.store.intents.iter().filter(counts).count()
    })
}

fn effects_audited(state: &State) -> bool {
    let mut effects = state.log.iter().filter_map(|e| e.own.map(|(wish, attempt, _)| (wish, attempt, e.to)));
    effects.all(|effect| {
        let mut intents = state.store.intents.iter().filter(|i| i.outcome != Outcome::Nothing);
        intents.any(|i| (i.wish, i.attempt, i.value) == effect)
    })
}

fn rate(setup: &Setup, state: &State) -> bool {
    let window = ticks(setup.policy.rate_window_ms);
    let Some(last) = state.log.iter().rfind(|e| e.own.is_some()) else { return true };
    let recent: Vec<_> =
        state.log.iter().filter(|e| e.own.is_some() && last.at - e.at < window).map(|e| e.owner).collect();
    let within = |n: usize, limit: u32| n <= usize::try_from(limit).unwrap_or(usize::MAX);
    let of = |owner: usize| recent.iter().filter(|o| usize::from(**o) == owner).count();
    within(recent.len(), setup.policy.campaign_changes)
        && (0..setup.start.len()).all(|owner| within(of(owner), setup.policy.adset_budget_changes))
}

fn exclusive(setup: &Setup, state: &State) -> bool {
    (0..setup.start.len()).all(|owner| {
        let same = |wish: u8| setup.wishes[usize::from(wish)].owner == owner;
        state.store.stored().filter(|(wish, row)| same(*wish) && row.in_flight()).count() <= 1
    })
}

fn bounds(setup: &Setup, state: &State) -> bool {
    let limits = setup.limits.as_ref();
    let least = limits.and_then(|l| l.min_minor).unwrap_or(1);
    let most = limits.and_then(|l| l.max_minor).unwrap_or(i64::MAX);
    let total: i64 = state.live.iter().map(|v| i64::from(*v)).sum();
    let cap = limits.and_then(|l| l.total_daily_minor).filter(|_| state.edits == 0);
    let own = state.log.iter().filter_map(|e| Some((i64::from(e.to), setup.wishes[usize::from(e.own?.0)])));
    cap.is_none_or(|cap| total <= cap)
        && own
            .clone()
            .all(|(to, wish)| (least..=most).contains(&to) && (to - wish.target).abs() <= wish.fuzz.abs())
}

/// Nothing is left behind: what waits or is in flight is due at a bounded time, and at the end of the world nothing is
/// due that nobody can move on.
fn alive(setup: &Setup, state: &State) -> bool {
    let Setup { policy, .. } = setup;
    let longest = policy.velocity_window_ms.max(policy.rate_window_ms).max(policy.unreachable_retry_ms);
    let bound = ticks(policy.lease_ms + policy.landing_ms + longest);
    let alarmed = |row: &Row| row.is_over() || row.due.is_some_and(|due| due <= state.now + bound);
    if !state.store.stored().all(|(_, row)| alarmed(row)) {
        return false;
    }
    // Behind a request whose lease ends after the world does, a change may wait; and one that a dead worker has taken.
    let behind = |wish: u8| state.store.busy(setup, setup.wishes[usize::from(wish)].owner);
    let taken = |wish: u8| state.store.hidden(setup.wishes[usize::from(wish)].owner, state.now);
    let due = |row: &Row| !row.is_over() && row.due.is_some_and(|due| due <= state.now);
    let stuck = state
        .store
        .stored()
        .any(|(wish, row)| due(row) && !taken(wish) && (row.in_flight() || !behind(wish)));
    if state.now < setup.horizon || !stuck {
        return true;
    }
    !at_rest(setup, state)
}

/// Whether nothing goes on at the end of the world: no worker has anything in hand or finds anything to do.
fn at_rest(setup: &Setup, state: &State) -> bool {
    let idle = state.workers.iter().all(|w| *w == Worker::Idle) && state.wire.is_empty();
    if state.now < setup.horizon || !idle {
        return false;
    }
    let mut steps = Vec::new();
    steps::possible(setup, state, &mut steps);
    let moves = |s: &Step| !matches!(s, Step::Crash(_) | Step::Edit(..) | Step::Kill(_) | Step::Queue(_));
    !steps.iter().any(|step| moves(step) && after(setup, state, step).is_some())
}
