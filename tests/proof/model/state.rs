//! One moment of the world: the clock, the platform, the wire, the workers and the store.

use std::sync::Arc;

use super::setup::{Setup, small};
use super::store::{Store, WishIndex};

/// One moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) now: u8,
    /// What the platform has, by ad set.
    pub(crate) live: Vec<i32>,
    /// The platform's own log of edits, as far as anything still depends on it.
    pub(crate) log: Vec<Edit>,
    /// Requests that may still land.
    pub(crate) wire: Vec<Request>,
    /// In order, since they are all alike.
    pub(crate) workers: Vec<Worker>,
    pub(crate) store: Arc<Store>,
    /// How many effects each wish has had that moved a value.
    pub(crate) effects: Vec<u8>,
    pub(crate) crashes: u8,
    pub(crate) lost_replies: u8,
    pub(crate) lost_requests: u8,
    pub(crate) edits: u8,
    pub(crate) refusals: u8,
    pub(crate) kills: u8,
    pub(crate) seen: Seen,
}

/// Broken rules that show in a step, not in a state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Seen {
    /// A worker without the claim moved a change.
    pub(crate) unfenced: bool,
    /// A request was sent while an earlier one of its change had no verdict of no effect.
    pub(crate) resent: bool,
    /// Two requests of one change carried different values.
    pub(crate) varied: bool,
    /// A request was sent after its change had expired.
    pub(crate) too_late: bool,
    /// A request was sent under a kill switch.
    pub(crate) killed: bool,
    /// A request was sent although the value was not the one that the decision was made on.
    pub(crate) over_an_edit: bool,
}

/// An entry of the platform's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Edit {
    pub(crate) at: u8,
    pub(crate) owner: u8,
    pub(crate) from: i32,
    pub(crate) to: i32,
    /// The request that did it, with the value that the library had seen; `None` for somebody else.
    pub(crate) own: Option<(WishIndex, u8, i32)>,
}

/// A request under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Request {
    pub(crate) wish: WishIndex,
    pub(crate) attempt: u8,
    pub(crate) from: i32,
    pub(crate) value: i32,
    /// It lands before this tick or never.
    pub(crate) deadline: u8,
}

/// What the platform answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Answer {
    Applied,
    Rejected,
    Throttled,
}

/// Where a worker is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Worker {
    /// It has the platform's answer.
    Answered {
        wish: WishIndex,
        attempt: u8,
        answer: Answer,
    },
    /// It has claimed the change.
    Claimed {
        wish: WishIndex,
        attempt: u8,
    },
    Idle,
    /// It has read the platform's log to find out what became of a request.
    ReadLog {
        wish: WishIndex,
        attempt: u8,
        log: Vec<Edit>,
    },
    /// It has read the values of the ad sets.
    ReadValues {
        wish: WishIndex,
        values: Vec<i32>,
        at: u8,
    },
    /// Its transaction has loaded what it sees and has not saved yet; only where a lock is missing.
    Loaded {
        wish: WishIndex,
        values: Vec<i32>,
        at: u8,
        view: Arc<Store>,
    },
    /// It has sent and waits.
    Sent {
        wish: WishIndex,
        attempt: u8,
    },
}

impl State {
    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            now: 0,
            live: setup.start.iter().map(|v| small(*v)).collect(),
            log: Vec::new(),
            wire: Vec::new(),
            workers: vec![Worker::Idle; setup.workers],
            store: Arc::new(Store::new(setup)),
            effects: vec![0; setup.wishes.len()],
            crashes: 0,
            lost_replies: 0,
            lost_requests: 0,
            edits: 0,
            refusals: 0,
            kills: 0,
            seen: Seen::default(),
        }
    }

    /// The store, to be written.
    pub(crate) fn store(&mut self) -> &mut Store {
        Arc::make_mut(&mut self.store)
    }

    /// Puts a worker somewhere else.
    pub(crate) fn go(&mut self, worker: &Worker, next: Worker) {
        if let Some(place) = self.workers.iter().position(|w| w == worker) {
            self.workers[place] = next;
            self.workers.sort_unstable();
        }
    }

    /// Forgets what nothing depends on any more, so that states that differ in it alone are one.
    pub(crate) fn forget(&mut self, setup: &Setup) {
        let now = self.now;
        let window = setup.longest_window().as_millis();
        let oldest = self.store.stored().filter_map(|(_, row)| row.intent_at).min().unwrap_or(now);
        let judged = |e: &Edit| {
            e.own.is_none_or(|(wish, attempt, _)| {
                let open = super::store::Outcome::Open;
                self.store.intents.iter().any(|i| (i.wish, i.attempt) == (wish, attempt) && i.outcome != open)
            })
        };
        let kept = |e: &Edit| e.at >= oldest || u128::from(now - e.at) < window || !judged(e);
        let log = self.log.iter().copied().filter(kept).collect();
        self.log = log;
        self.store().forget(setup, now);
    }
}
