//! What comes of a step. The workers do what the executor does; every decision is the library's.

use std::sync::Arc;
use std::time::Duration;

use xynergy_core::ads::{Activity, ChangeField, OwnerState, ThrottleScope};
use xynergy_core::execution::machine::{AccountView, Action, Settlement};
use xynergy_core::execution::{ChangeStatus, Reason, reconcile};

use super::setup::{Flaw, Setup, at, ticks};
use super::state::{Answer, Edit, Request, State, Worker};
use super::steps::Step;
use super::store::{Intent, Outcome, Row, Store, WishIndex, token};

/// The world after a step; `None` when it is the same world.
pub(crate) fn after(setup: &Setup, before: &State, step: &Step) -> Option<State> {
    let mut state = before.clone();
    if let Step::Abandon(wish) | Step::ReadLog(wish) | Step::ReadValues(wish) | Step::Reconcile(wish) = step {
        let now = state.now;
        state.store().hide(setup, *wish, now);
    }
    match step {
        Step::Abandon(wish) => {
            apply(setup, &mut state, *wish, Action::Abandon);
        }
        Step::Begin(worker) => begin(setup, &mut state, worker),
        Step::Crash(worker) => {
            state.crashes += 1;
            state.go(worker, Worker::Idle);
        }
        Step::Edit(owner, value) => {
            state.edits += 1;
            set(&mut state, *owner, super::setup::small(*value), None);
        }
        Step::Judge(worker) => {
            let Worker::ReadLog { wish, attempt, log } = worker else { return None };
            judge(setup, &mut state, *wish, *attempt, log);
            state.go(worker, Worker::Idle);
        }
        Step::Kill(on) => kill(setup, &mut state, *on),
        Step::Land(request) => land(setup, &mut state, request),
        Step::Load(worker) => {
            let Worker::ReadValues { wish, values, at } = worker.clone() else { return None };
            let view = Arc::clone(&state.store);
            state.go(worker, Worker::Loaded { wish, values, at, view });
        }
        Step::Lose(request) => {
            state.wire.retain(|r| r != request);
            state.lost_requests += 1;
        }
        Step::Queue(wish) => {
            let now = state.now;
            state.store().queue(setup, *wish, now);
        }
        Step::ReadLog(wish) => {
            let row = state.store.row(*wish)?;
            let (attempt, log) = (row.attempt, entries(setup, &state, *wish, row));
            state.go(&Worker::Idle, Worker::ReadLog { wish: *wish, attempt, log });
        }
        Step::ReadValues(wish) => {
            let mut values = state.live.clone();
            if !setup.capped() {
                values = vec![values[setup.wishes[usize::from(*wish)].owner]];
            }
            let at = state.now;
            state.go(&Worker::Idle, Worker::ReadValues { wish: *wish, values, at });
        }
        Step::Reconcile(wish) => {
            let row = state.store.row(*wish)?;
            let (attempt, log) = (row.attempt, entries(setup, &state, *wish, row));
            judge(setup, &mut state, *wish, attempt, &log);
        }
        Step::Refuse(request, answer) => {
            state.refusals += 1;
            state.wire.retain(|r| r != request);
            reply(&mut state, request, *answer);
        }
        Step::Rescue(wish) => {
            let now = state.now;
            let row = state.store().rows[usize::from(*wish)].as_mut()?;
            (row.status, row.due, row.lease) = (ChangeStatus::Pending, Some(now), None);
        }
        Step::Reserve(worker) => reserve(setup, &mut state, worker),
        Step::SearchLate(wish, attempt) => {
            let action = Action::Late { attempt: u32::from(*attempt), detail: String::new() };
            apply(setup, &mut state, *wish, action);
        }
        Step::Settle(worker) => {
            let Worker::Answered { wish, attempt, answer } = worker else { return None };
            let settlement = match answer {
                Answer::Applied => Settlement::Applied,
                Answer::Rejected => Settlement::Rejected(String::new()),
                Answer::Throttled => Settlement::Blocked {
                    reason: Reason::Throttled,
                    retry_after: Duration::from_millis(setup.policy.throttled_retry_ms),
                    detail: String::new(),
                    pause: Some(ThrottleScope::Owner),
                },
            };
            settle(setup, &mut state, *wish, *attempt, settlement);
            state.go(worker, Worker::Idle);
        }
        Step::Tick => {
            state.now += 1;
            state.forget(setup);
        }
        Step::Timeout(worker) => {
            let Worker::Sent { wish, attempt } = worker else { return None };
            if state.wire.iter().any(|r| (r.wish, r.attempt) == (*wish, *attempt)) {
                state.lost_replies += 1;
            }
            settle(setup, &mut state, *wish, *attempt, Settlement::Ambiguous(String::new()));
            state.go(worker, Worker::Idle);
        }
    }
    (state != *before).then_some(state)
}

fn index(wish: usize) -> WishIndex {
    u8::try_from(wish).unwrap_or(u8::MAX)
}

/// One transaction; whether it took place.
fn apply(setup: &Setup, state: &mut State, wish: WishIndex, action: Action) -> bool {
    let now = state.now;
    state.store().apply(setup, wish, now, action)
}

fn reserve(setup: &Setup, state: &mut State, worker: &Worker) {
    let (wish, values, read_at, view) = match worker {
        Worker::ReadValues { wish, values, at } => (*wish, values, *at, Arc::clone(&state.store)),
        Worker::Loaded { wish, values, at, view } => (*wish, values, *at, Arc::clone(view)),
        _ => return,
    };
    let wanted = &setup.wishes[usize::from(wish)];
    let read: Vec<OwnerState> = if setup.capped() {
        (0..).zip(values).map(|(owner, value)| Setup::shown(owner, *value, read_at)).collect()
    } else {
        values.iter().map(|value| Setup::shown(wanted.owner, *value, read_at)).collect()
    };
    let own = Setup::owner(wanted.owner);
    let Some(live) = read.iter().find(|s| s.owner == own).cloned() else { return };
    let attempt = view.row(wish).map_or(0, |row| row.attempt) + 1;
    let action = Action::Reserve {
        live: Box::new(live),
        account: setup.capped().then_some(read),
        fuzz: if setup.breaks(Flaw::FuzzAfterCheck) { 0 } else { wanted.fuzz },
        token: token(wish, attempt),
    };
    let (commit, answer) = view.decide(setup, wish, state.now, action);
    if let Some(commit) = commit {
        state.store().commit(setup, wish, commit);
    }
    let claimed = answer.taken && answer.row.status == ChangeStatus::Claimed;
    state.go(worker, if claimed { Worker::Claimed { wish, attempt } } else { Worker::Idle });
}

fn begin(setup: &Setup, state: &mut State, worker: &Worker) {
    let Worker::Claimed { wish, attempt } = *worker else { return };
    let wanted = &setup.wishes[usize::from(wish)];
    let Some(row) = state.store.row(wish).copied() else { return };
    let live = state.live[wanted.owner];
    let held = state.store.intents.iter().rfind(|i| i.wish == wish).copied();
    let read = if setup.breaks(Flaw::NoReread) { held.map_or(live, |i| i.from) } else { live };
    let action = Action::Begin {
        attempt: u32::from(attempt),
        token: token(wish, attempt),
        live: Box::new(Setup::shown(wanted.owner, read, state.now)),
    };
    let taken = apply(setup, state, wish, action);
    fence(state, taken, &row, attempt);
    let begun = state.store.row(wish).filter(|r| taken && r.status == ChangeStatus::Executing).copied();
    let (Some(Row { lease: Some(lease), .. }), Some(Intent { from, value: checked, .. })) = (begun, held)
    else {
        state.go(worker, Worker::Idle);
        return;
    };
    let fuzz = if setup.breaks(Flaw::FuzzAfterCheck) { wanted.fuzz } else { 0 };
    let value = checked + super::setup::small(fuzz);
    let now = state.now;
    let others = || state.store.intents.iter().filter(|i| i.wish == wish && i.attempt != attempt);
    let resent = others().any(|i| i.outcome != Outcome::Nothing);
    let varied = others().any(|i| i.value != checked);
    state.seen.resent |= resent;
    state.seen.varied |= varied;
    state.seen.too_late |= wanted.expires.is_some_and(|end| now >= end);
    state.seen.killed |= state.store.killed;
    state.seen.over_an_edit |= live != from || i64::from(from) != wanted.from;
    let deadline = lease + ticks(setup.policy.landing_ms);
    state.wire.push(Request { wish, attempt, from, value, deadline });
    state.wire.sort_unstable();
    state.go(worker, Worker::Sent { wish, attempt });
}

fn land(setup: &Setup, state: &mut State, request: &Request) {
    state.wire.retain(|r| r != request);
    let owner = setup.wishes[usize::from(request.wish)].owner;
    if state.live[owner] != request.value {
        state.effects[usize::from(request.wish)] += 1;
    }
    set(state, owner, request.value, Some((request.wish, request.attempt, request.from)));
    reply(state, request, Answer::Applied);
}

fn set(state: &mut State, owner: usize, value: i32, own: Option<(WishIndex, u8, i32)>) {
    let edit = Edit { at: state.now, owner: index(owner), from: state.live[owner], to: value, own };
    state.log.push(edit);
    state.live[owner] = value;
}

fn reply(state: &mut State, request: &Request, answer: Answer) {
    let Request { wish, attempt, .. } = *request;
    state.go(&Worker::Sent { wish, attempt }, Worker::Answered { wish, attempt, answer });
}

fn settle(setup: &Setup, state: &mut State, wish: WishIndex, attempt: u8, settlement: Settlement) {
    let Some(row) = state.store.row(wish).copied() else { return };
    let action =
        Action::Settle { attempt: u32::from(attempt), token: token(wish, attempt), settlement, took: None };
    let taken = apply(setup, state, wish, action);
    fence(state, taken, &row, attempt);
}

/// Only the claim's holder moves a change in flight.
fn fence(state: &mut State, taken: bool, before: &Row, attempt: u8) {
    state.seen.unfenced |= taken && (!before.in_flight() || before.attempt != attempt);
}

fn kill(setup: &Setup, state: &mut State, on: bool) {
    state.kills += 1;
    state.store().killed = on;
    if !on {
        let held = |row: &Row| row.reason == Some(Reason::KillSwitch) && row.waiting();
        let held: Vec<_> = state.store.stored().filter(|(_, r)| held(r)).map(|(wish, _)| wish).collect();
        for wish in held {
            apply(setup, state, wish, Action::Wake);
        }
    }
}

/// The platform's log of the ad set since the change's intent.
fn entries(setup: &Setup, state: &State, wish: WishIndex, row: &Row) -> Vec<Edit> {
    let owner = index(setup.wishes[usize::from(wish)].owner);
    let since = row.intent_at.unwrap_or(0);
    state.log.iter().filter(|e| e.owner == owner && e.at >= since).copied().collect()
}

/// What the executor does with a request whose answer is missing.
fn judge(setup: &Setup, state: &mut State, wish: WishIndex, attempt: u8, log: &[Edit]) {
    let Some(row) = state.store.row(wish).copied() else { return };
    let owner = setup.wishes[usize::from(wish)].owner;
    let stored = state.store.load(setup, wish, &row);
    let live = Setup::shown(owner, state.live[owner], state.now);
    let shown = |e: &Edit| Activity {
        at: at(e.at),
        field: ChangeField::Budget,
        before: Some(i64::from(e.from)),
        after: Some(i64::from(e.to)),
        own: e.own.is_some(),
    };
    let log: Vec<_> =
        if setup.breaks(Flaw::ValueOnly) { Vec::new() } else { log.iter().map(shown).collect() };
    let earlier = earlier(setup, &state.store, wish, &row, state.now);
    let log = setup.log.then_some(log);
    let (finding, detail) = reconcile::judge(&stored, Some(&live), log.as_deref(), earlier);
    let (attempt, live, detail) = (u32::from(attempt), Some(Box::new(live)), detail.to_owned());
    apply(setup, state, wish, Action::Reconcile { attempt, finding, live, detail });
}

/// How many own movements to the same value may be among the entries, as the executor counts them.
fn earlier(setup: &Setup, store: &Store, wish: WishIndex, row: &Row, now: u8) -> usize {
    let view = store.view(setup, setup.wishes[usize::from(wish)].owner, now);
    others(setup, store, &view, (wish, row.attempt), row.intent_at.unwrap_or(0))
}

/// Own movements of other attempts to the value of this one, since a tick.
fn others(setup: &Setup, store: &Store, view: &AccountView, own: (WishIndex, u8), since: u8) -> usize {
    let change = &setup.rows[usize::from(own.0)].change;
    let value = store.intents.iter().find(|i| (i.wish, i.attempt) == own).map(|i| i64::from(i.value));
    let same = view.movements.iter().filter(|m| {
        let other = m.own.is_some_and(|other| other != (change.id, u32::from(own.1)));
        let same = m.owner == change.owner && m.field == change.field && Some(m.to) == value;
        other && same && m.at >= at(since)
    });
    same.count()
}

/// Whether the platform's log has more entries of ours than attempts that are known to have made them, as the executor's
/// search tells it.
pub(crate) fn landed_late(setup: &Setup, state: &State, wish: WishIndex, attempt: u8, since: u8) -> bool {
    let owner = setup.wishes[usize::from(wish)].owner;
    let value = state.store.intents.iter().find(|i| (i.wish, i.attempt) == (wish, attempt)).map(|i| i.value);
    let shown =
        |e: &&Edit| e.own.is_some() && usize::from(e.owner) == owner && Some(e.to) == value && e.at >= since;
    let shown = state.log.iter().filter(shown).count();
    let view = state.store.look_back(setup, owner, state.now, setup.longest_window());
    shown > others(setup, &state.store, &view, (wish, attempt), since)
}
