//! What can happen next.

use xynergy_core::execution::ChangeStatus;

use super::after::landed_late;
use super::setup::{Flaw, Setup};
use super::state::{Answer, Request, State, Worker};
use super::store::{Row, WishIndex};

/// One step of the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A worker gives up a claim whose lease is over.
    Abandon(WishIndex),
    /// A worker reads again and begins to send.
    Begin(Worker),
    /// A worker dies, and starts again without memory.
    Crash(Worker),
    /// Somebody else sets an ad set's budget.
    Edit(usize, i64),
    /// A worker tells from what it has read what became of a request.
    Judge(Worker),
    /// The kill switch is switched.
    Kill(bool),
    /// A request takes effect; a worker that still waits has its answer.
    Land(Request),
    /// A transaction loads what it sees.
    Load(Worker),
    /// A request is lost.
    Lose(Request),
    /// Somebody queues a change.
    Queue(WishIndex),
    /// A worker reads the platform's log.
    ReadLog(WishIndex),
    /// A worker reads the values of the platform.
    ReadValues(WishIndex),
    /// A worker reads log and value and tells what became of a request.
    Reconcile(WishIndex),
    /// The platform answers that it does nothing.
    Refuse(Request, Answer),
    /// Somebody makes a change pending again whose lease is over.
    Rescue(WishIndex),
    /// The guard decides.
    Reserve(Worker),
    /// A worker finds in the platform's log the effect of an attempt that was judged not applied.
    SearchLate(WishIndex, u8),
    /// A worker writes down its answer.
    Settle(Worker),
    /// Time passes.
    Tick,
    /// The reply does not reach the worker.
    Timeout(Worker),
}

/// All that can happen next.
pub(crate) fn possible(setup: &Setup, state: &State, steps: &mut Vec<Step>) {
    let (now, store) = (state.now, &state.store);
    // A request lands in time or is lost.
    if now < setup.horizon
        && state.wire.iter().all(|r| setup.breaks(Flaw::LateLanding) || now + 1 < r.deadline)
    {
        steps.push(Step::Tick);
    }
    if let Some(next) = store.rows.iter().position(Option::is_none)
        && !locked(setup, state, setup.wishes[next].owner)
    {
        steps.push(Step::Queue(u8::try_from(next).unwrap_or(u8::MAX)));
    }
    if state.edits < setup.max_edits {
        let other = setup.edits.iter().filter(|(owner, value)| i64::from(state.live[*owner]) != *value);
        steps.extend(other.map(|(owner, value)| Step::Edit(*owner, *value)));
    }
    if setup.kill && state.kills < 2 {
        steps.push(Step::Kill(state.kills == 0));
    }
    for request in &state.wire {
        on_the_wire(setup, state, request, steps);
    }
    let mut last = None;
    for worker in state.workers.iter().filter(|w| last.replace(*w) != Some(*w)) {
        if state.crashes < setup.crashes && *worker != Worker::Idle {
            steps.push(Step::Crash(worker.clone()));
        }
        match worker {
            Worker::Answered { .. } => steps.push(Step::Settle(worker.clone())),
            Worker::Claimed { .. } => steps.push(Step::Begin(worker.clone())),
            Worker::Idle => due(setup, state, steps),
            Worker::ReadLog { .. } => steps.push(Step::Judge(worker.clone())),
            Worker::Loaded { .. } => steps.push(Step::Reserve(worker.clone())),
            Worker::ReadValues { wish, .. } => {
                if setup.breaks(Flaw::OwnerLockAlone) {
                    if !locked(setup, state, setup.wishes[usize::from(*wish)].owner) {
                        steps.push(Step::Load(worker.clone()));
                    }
                } else {
                    steps.push(Step::Reserve(worker.clone()));
                }
            }
            Worker::Sent { wish, attempt } => {
                let under_way = state.wire.iter().any(|r| (r.wish, r.attempt) == (*wish, *attempt));
                if state.lost_replies < setup.lost_replies || !under_way {
                    steps.push(Step::Timeout(worker.clone()));
                }
            }
        }
    }
}

fn on_the_wire(setup: &Setup, state: &State, request: &Request, steps: &mut Vec<Step>) {
    steps.push(Step::Land(*request));
    if state.lost_requests < setup.lost_requests {
        steps.push(Step::Lose(*request));
    }
    if state.refusals < setup.refusals {
        steps.push(Step::Refuse(*request, Answer::Rejected));
        steps.push(Step::Refuse(*request, Answer::Throttled));
    }
}

/// What an idle worker finds to do.
fn due(setup: &Setup, state: &State, steps: &mut Vec<Step>) {
    for (wish, row) in state.store.stored().filter(|(_, row)| row.due.is_some_and(|due| due <= state.now)) {
        let owner = setup.wishes[usize::from(wish)].owner;
        let blocked = state.store.busy(setup, owner) && !setup.breaks(Flaw::TwoInFlight);
        match row.status {
            _ if locked(setup, state, owner) || state.store.hidden(owner, state.now) => {}
            ChangeStatus::Claimed => steps.push(Step::Abandon(wish)),
            ChangeStatus::Executing if setup.two_readings() => steps.push(Step::ReadLog(wish)),
            ChangeStatus::Executing => steps.push(Step::Reconcile(wish)),
            _ if blocked => {}
            _ => steps.push(Step::ReadValues(wish)),
        }
    }
    let late =
        |(wish, attempt, since): &&(WishIndex, u8, u8)| landed_late(setup, state, *wish, *attempt, *since);
    let late = state.store.watched.iter().filter(late);
    steps.extend(late.map(|(wish, attempt, _)| Step::SearchLate(*wish, *attempt)));
    if setup.breaks(Flaw::NaiveRescue) {
        let expired = |row: &Row| row.in_flight() && row.lease.is_some_and(|end| end <= state.now);
        let expired = state.store.stored().filter(|(_, row)| expired(row));
        steps.extend(expired.map(|(wish, _)| Step::Rescue(wish)));
    }
}

/// Whether a transaction of the ad set is open; only where transactions are not one step.
fn locked(setup: &Setup, state: &State, owner: usize) -> bool {
    state.workers.iter().any(|w| match w {
        Worker::Loaded { wish, .. } => setup.wishes[usize::from(*wish)].owner == owner,
        _ => false,
    })
}
