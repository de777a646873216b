//! What a store holds, as little of it as decides anything: loaded into the library's views, saved from its commits.
//!
//! Left out is what no transition reads: texts, hashes, the head of the history, and everything of a change that is
//! over but its status.

use std::collections::BTreeMap;
use std::time::Duration;

use xynergy_core::ads::{ChangeField, DeliveryStatus};
use xynergy_core::execution::guard::RecentChanges;
use xynergy_core::execution::machine::{
    self, AccountView, Action, CallTime, ChangeView, Commit, KillScope, QueueView, Transition, Transitioned,
    Unmoved,
};
use xynergy_core::execution::{
    AuditKind, AuditRow, ChangeId, ChangeRow, ChangeStatus, LearnedRate, LeaseToken, Movement, Pause, Reason,
};

use super::setup::{Flaw, Setup, at, small, tick};

/// A change, by its place among the wishes.
pub(crate) type WishIndex = u8;

/// What decides of a stored change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Row {
    pub(crate) status: ChangeStatus,
    pub(crate) reason: Option<Reason>,
    pub(crate) retry: Option<u8>,
    pub(crate) due: Option<u8>,
    pub(crate) attempt: u8,
    pub(crate) intent_at: Option<u8>,
    pub(crate) lease: Option<u8>,
}

/// A stored movement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Moved {
    pub(crate) owner: u8,
    pub(crate) own: Option<(WishIndex, u8)>,
    pub(crate) from: i32,
    pub(crate) to: i32,
    pub(crate) at: u8,
    pub(crate) open: bool,
}

/// What the history says of an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Outcome {
    Conflict,
    Landed,
    Nothing,
    Open,
}

/// An intent in the history, with its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Intent {
    pub(crate) wish: WishIndex,
    pub(crate) attempt: u8,
    pub(crate) from: i32,
    pub(crate) value: i32,
    pub(crate) outcome: Outcome,
}

/// What a throttled request taught about an ad set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Paused {
    pub(crate) until: u8,
    pub(crate) reason: Reason,
    pub(crate) learned: Option<(u32, u8)>,
}

/// The store of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Store {
    /// By wish; `None` before it is queued.
    pub(crate) rows: Vec<Option<Row>>,
    pub(crate) moves: Vec<Moved>,
    /// By ad set.
    pub(crate) known: Vec<Option<i32>>,
    pub(crate) killed: bool,
    /// What throttling taught, by ad set.
    pub(crate) pauses: Vec<Option<Paused>>,
    /// Until when an ad set is hidden from other workers.
    pub(crate) hidden: Vec<Option<u8>>,
    pub(crate) intents: Vec<Intent>,
    /// Attempts that were judged not applied after they may have been sent, with the time of their intents; only where
    /// somebody searches for them.
    pub(crate) watched: Vec<(WishIndex, u8, u8)>,
    /// Whether an outcome was written where none was open.
    pub(crate) closed_twice: bool,
}

impl Row {
    pub(crate) fn in_flight(&self) -> bool {
        matches!(self.status, ChangeStatus::Claimed | ChangeStatus::Executing)
    }

    pub(crate) fn waiting(&self) -> bool {
        self.status == ChangeStatus::Pending || self.status == ChangeStatus::Blocked && self.retry.is_some()
    }

    pub(crate) fn is_over(&self) -> bool {
        !self.in_flight() && !self.waiting()
    }

    fn of(row: &ChangeRow) -> Self {
        // The next claim writes them anew.
        let held = |value| if row.in_flight() { value } else { None };
        Self {
            status: row.status,
            reason: row.reason,
            retry: row.retry_at.map(tick),
            due: row.due_at.map(tick),
            attempt: u8::try_from(row.attempt).unwrap_or(u8::MAX),
            intent_at: held(row.intent_at.map(tick)),
            lease: held(row.lease_until.map(tick)),
        }
    }
}

/// The token of an attempt. Attempts count up with every claim, so that each claim has another one.
pub(crate) fn token(wish: WishIndex, attempt: u8) -> LeaseToken {
    match format!("{wish:08x}{attempt:08x}").parse() {
        Ok(token) => token,
        Err(error) => panic!("{error}"),
    }
}

impl Store {
    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            rows: vec![None; setup.wishes.len()],
            known: vec![None; setup.start.len()],
            pauses: vec![None; setup.start.len()],
            hidden: vec![None; setup.start.len()],
            ..Self::default()
        }
    }

    pub(crate) fn row(&self, wish: WishIndex) -> Option<&Row> {
        self.rows.get(usize::from(wish)).and_then(Option::as_ref)
    }

    /// Whether a change of the ad set is in flight.
    pub(crate) fn busy(&self, setup: &Setup, owner: usize) -> bool {
        self.stored().any(|(wish, row)| row.in_flight() && setup.wishes[usize::from(wish)].owner == owner)
    }

    /// Whether somebody has taken a change of the ad set.
    pub(crate) fn hidden(&self, owner: usize, now: u8) -> bool {
        self.hidden[owner].is_some_and(|until| until > now)
    }

    /// Hides the ad set of a change that a worker takes.
    pub(crate) fn hide(&mut self, setup: &Setup, wish: WishIndex, now: u8) {
        if setup.hiding {
            let until = at(now).plus(Duration::from_millis(setup.policy.lease_ms));
            self.hidden[setup.wishes[usize::from(wish)].owner] = Some(tick(until));
        }
    }

    /// What is queued, by wish.
    pub(crate) fn stored(&self) -> impl Iterator<Item = (WishIndex, &Row)> {
        (0..).zip(&self.rows).filter_map(|(wish, row)| Some((wish, row.as_ref()?)))
    }

    /// Queues a wish with the library's function.
    pub(crate) fn queue(&mut self, setup: &Setup, wish: WishIndex, now: u8) {
        let owner = setup.wishes[usize::from(wish)].owner;
        let view = QueueView { account: self.view(setup, owner, now), existing: Vec::new() };
        match machine::queue(&setup.tenant, view, &setup.batch(usize::from(wish), now)) {
            Ok((commit, _)) => self.save(setup, commit),
            Err(error) => panic!("a wish was refused: {error}"),
        }
    }

    /// Moves a change on with the library's function, as one transaction; whether it took place.
    pub(crate) fn apply(&mut self, setup: &Setup, wish: WishIndex, now: u8, action: Action) -> bool {
        let (commit, answer) = self.decide(setup, wish, now, action);
        commit.into_iter().for_each(|commit| self.commit(setup, wish, commit));
        answer.taken
    }

    /// Ends a transaction of a change.
    pub(crate) fn commit(&mut self, setup: &Setup, wish: WishIndex, commit: Commit) {
        self.hidden[setup.wishes[usize::from(wish)].owner] = None;
        self.save(setup, commit);
    }

    /// What the library wants saved, and its answer, given what is stored now.
    pub(crate) fn decide(
        &self,
        setup: &Setup,
        wish: WishIndex,
        now: u8,
        action: Action,
    ) -> (Option<Commit>, Transitioned) {
        let owner = setup.wishes[usize::from(wish)].owner;
        let Some(row) = self.row(wish).map(|row| self.load(setup, wish, row)) else {
            panic!("it is moved before it is queued")
        };
        let view = ChangeView { account: self.view(setup, owner, now), row };
        let transition = Transition {
            at: CallTime::bound(at(now)),
            policy: setup.policy,
            actor: None,
            request_id: String::new(),
            action,
        };
        machine::apply(&setup.tenant, view, &transition)
    }

    /// What a store loads for a change of the ad set.
    pub(crate) fn view(&self, setup: &Setup, owner: usize, now: u8) -> AccountView {
        self.look_back(setup, owner, now, setup.policy.longest_window())
    }

    /// The same with movements of so long ago.
    pub(crate) fn look_back(&self, setup: &Setup, owner: usize, now: u8, window: Duration) -> AccountView {
        let same = |wish: WishIndex| setup.wishes[usize::from(wish)].owner == owner;
        let open = self.stored().filter(|(wish, row)| {
            let hidden = setup.breaks(Flaw::TwoInFlight) && same(*wish) && row.in_flight();
            !hidden && (row.in_flight() || row.waiting() && same(*wish))
        });
        let movements = self.moves.iter().filter(|m| m.open || at(m.at) > at(now).minus(window));
        let known = self.known[owner].map(|v| ((Setup::owner(owner), ChangeField::Budget), i64::from(v)));
        AccountView {
            now: at(now),
            asked_at: at(now),
            limits: setup.limits.clone(),
            kills: if self.killed { vec![KillScope::Tenant] } else { Vec::new() },
            pauses: self.pauses(now),
            recent: self.recent(setup, now),
            known: known.into_iter().collect(),
            open: open.map(|(wish, row)| self.load(setup, wish, row)).collect(),
            movements: movements.map(|m| self.movement(setup, m)).collect(),
            ..AccountView::default()
        }
    }

    fn pauses(&self, now: u8) -> Vec<Pause> {
        let counts = |p: &&Paused| p.until > now || p.learned.is_some_and(|(_, until)| until > now);
        let stored = (0..).zip(&self.pauses).filter_map(|(owner, p)| Some((owner, p.as_ref()?)));
        let counting = stored.filter(|(_, p)| counts(p));
        let pause = |(owner, p): (usize, &Paused)| Pause {
            owner: Some(Setup::owner(owner)),
            until: at(p.until),
            reason: p.reason,
            learned: p.learned.map(|(changes, until)| LearnedRate { changes, until: at(until) }),
        };
        counting.map(pause).collect()
    }

    fn recent(&self, setup: &Setup, now: u8) -> RecentChanges {
        let window = at(now).minus(Duration::from_millis(setup.policy.rate_window_ms));
        let recent = self.moves.iter().filter(|m| m.own.is_some() && (m.open || at(m.at) > window));
        let oldest = recent.clone().map(|m| at(m.at)).min();
        RecentChanges { count: u32::try_from(recent.count()).unwrap_or(u32::MAX), oldest }
    }

    /// A change as the library knows it.
    pub(crate) fn load(&self, setup: &Setup, wish: WishIndex, row: &Row) -> ChangeRow {
        let held = row.in_flight().then(|| token(wish, row.attempt));
        let last = self.intents.iter().rfind(|i| i.wish == wish);
        ChangeRow {
            status: row.status,
            reason: row.reason,
            retry_at: row.retry.map(at),
            due_at: row.due.map(at),
            attempt: u32::from(row.attempt),
            observed_from: last.map(|i| i64::from(i.from)),
            sent_value: last.map(|i| i64::from(i.value)),
            intent_at: row.intent_at.map(at),
            lease_until: row.lease.map(at),
            token: held,
            ..setup.rows[usize::from(wish)].clone()
        }
    }

    fn movement(&self, setup: &Setup, moved: &Moved) -> Movement {
        let any = &setup.rows[0].change;
        Movement {
            owner: Setup::owner(usize::from(moved.owner)),
            campaign_id: any.campaign_id.clone(),
            field: any.field,
            from: i64::from(moved.from),
            to: i64::from(moved.to),
            at: at(moved.at),
            own: moved
                .own
                .map(|(wish, attempt)| (setup.rows[usize::from(wish)].change.id, u32::from(attempt))),
            open: moved.open,
        }
    }

    /// Saves what the library wants saved.
    fn save(&mut self, setup: &Setup, commit: Commit) {
        let now = tick(commit.now);
        for row in &commit.changes {
            let wish = wish_of(setup, row.change.id);
            self.rows[usize::from(wish)] = Some(Row::of(row));
        }
        if let Some(Unmoved { change_id, attempt, watch }) = commit.unmoved {
            let own = own(setup, change_id, attempt);
            self.moves.retain(|m| m.own != Some(own));
            let watch = watch.filter(|_| setup.searching);
            self.watched.extend(watch.map(|intent_at| (own.0, own.1, tick(intent_at))));
        }
        for movement in &commit.movements {
            self.save_movement(setup, movement, now);
        }
        for ((owner, field), value) in commit.known {
            // Whether an ad set is on is the same for ever here, and none has a bid.
            match field {
                ChangeField::Budget => self.known[owner_of(setup, &owner.id)] = Some(small(value)),
                ChangeField::Status => assert_eq!(value, DeliveryStatus::Active.code()),
                ChangeField::Bid => panic!("nobody has set a bid"),
            }
        }
        for pause in &commit.pauses {
            let Some(owner) = &pause.owner else { panic!("the account is never throttled here") };
            let learned = pause.learned.map(|l| (l.changes, tick(l.until)));
            let paused = Paused { until: tick(pause.until), reason: pause.reason, learned };
            self.pauses[owner_of(setup, &owner.id)] = Some(paused);
        }
        commit.history.iter().for_each(|row| self.record(setup, row));
    }

    fn save_movement(&mut self, setup: &Setup, movement: &Movement, now: u8) {
        let own = movement.own.map(|(id, attempt)| own(setup, id, attempt));
        let mut moved = Moved {
            owner: u8::try_from(owner_of(setup, &movement.owner.id)).unwrap_or(u8::MAX),
            own,
            from: small(movement.from),
            to: small(movement.to),
            at: tick(movement.at),
            open: movement.open,
        };
        self.watched.retain(|(wish, attempt, _)| own != Some((*wish, *attempt)));
        let stored = self.moves.iter_mut().find(|m| own.is_some() && m.own == own);
        if setup.breaks(Flaw::WindowFromReservation) && own.is_some() {
            moved.at = stored.as_ref().map_or(now, |m| m.at);
            moved.open = false;
        }
        match stored {
            Some(stored) => *stored = moved,
            None => self.moves.push(moved),
        }
    }

    fn record(&mut self, setup: &Setup, row: &AuditRow) {
        let (wish, attempt) = own(setup, row.change_id, row.attempt);
        match row.kind {
            AuditKind::Intent => self.intents.push(Intent {
                wish,
                attempt,
                from: small(row.from_value),
                value: small(row.to_value),
                outcome: Outcome::Open,
            }),
            AuditKind::Outcome => {
                let outcome = match (row.status, row.reason) {
                    (ChangeStatus::Completed, _) => Outcome::Landed,
                    (_, Some(Reason::Conflict)) => Outcome::Conflict,
                    _ => Outcome::Nothing,
                };
                match self.intents.iter_mut().find(|i| (i.wish, i.attempt) == (wish, attempt)) {
                    Some(intent) if intent.outcome == Outcome::Open => intent.outcome = outcome,
                    _ => self.closed_twice = true,
                }
            }
            AuditKind::Late => {
                let denied = self.intents.iter_mut().find(|i| (i.wish, i.attempt) == (wish, attempt));
                denied.into_iter().for_each(|intent| intent.outcome = Outcome::Landed);
            }
            // Nobody approves, resolves or retries here.
            AuditKind::Approved | AuditKind::Blocked | AuditKind::Resolved | AuditKind::Retried => {}
        }
    }

    /// Forgets what no view shows any more.
    pub(crate) fn forget(&mut self, setup: &Setup, now: u8) {
        let window = setup.longest_window();
        self.moves.retain(|m| m.open || at(m.at) > at(now).minus(window));
        for hidden in &mut self.hidden {
            *hidden = hidden.filter(|until| *until > now);
        }
        for pause in &mut self.pauses {
            *pause = pause.filter(|p| p.until > now || p.learned.is_some_and(|(_, until)| until > now));
        }
    }
}

fn own(setup: &Setup, id: ChangeId, attempt: u32) -> (WishIndex, u8) {
    (wish_of(setup, id), u8::try_from(attempt).unwrap_or(u8::MAX))
}

fn wish_of(setup: &Setup, id: ChangeId) -> WishIndex {
    let place = setup.rows.iter().position(|row| row.change.id == id);
    place.and_then(|wish| u8::try_from(wish).ok()).unwrap_or(u8::MAX)
}

fn owner_of(setup: &Setup, id: &str) -> usize {
    let owners: BTreeMap<_, _> = (0..setup.start.len()).map(|o| (Setup::owner(o).id, o)).collect();
    owners.get(id).copied().unwrap_or(usize::MAX)
}
