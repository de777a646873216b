use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::act::Host;
use super::clock::WrongClock;
use super::invariants::{self, Facts, I11};
use super::ledger::AttemptKey;
use super::profile::Delivery;
use super::turn::{IDLE, SENDING};
use super::worker::Worker;
use super::world::World;
use super::{Simulated, Simulation, count};
use crate::ads::{AdPlatform, WriteFault};
use crate::ctx::Ctx;
use crate::env::{Clock, Env, NoEvents, SeededEntropy, Timestamp};
use crate::execution::ChangeRow;
use crate::store::{ChangeFilter, ChangeStore, HistoryFilter};

/// How often a worker asks when nothing is due.
const POLL: Duration = Duration::from_secs(2);
/// How long everything may take to come to rest after the faults: a ramp's steps are hours apart.
const REST: Duration = Duration::from_secs(72 * 3_600);
/// What the steps of a busy day's workers may take, beside lease, landing and poll.
const STEPS: Duration = Duration::from_secs(120);
const MOST_TURNS: u64 = 2_000_000;

pub(super) fn run(store: &Arc<dyn ChangeStore>, simulation: Simulation) -> Simulated {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(Run::day(store, simulation))
}

struct Run {
    world: Arc<World>,
    host: Host,
    workers: Vec<Worker>,
    lives: usize,
    seed: u64,
    turns: u64,
}

impl Run {
    async fn day(store: &Arc<dyn ChangeStore>, simulation: Simulation) -> Simulated {
        let Simulation { seed, hours, flaw } = simulation;
        let world = Arc::new(World::new(store, seed, hours, flaw));
        let start = world.now();
        let host = Host::new(&world, seed).await;
        let workers = (0..world.profile.workers)
            .map(|_| Worker {
                clock: Arc::new(WrongClock::new(Arc::clone(&world.clock))),
                life: None,
                halted_until: start,
                wakes_for_rival: false,
                starts_at: start,
            })
            .collect();
        let mut run = Self { world, host, workers, lives: 0, seed, turns: 0 };
        run.until(start.plus(Duration::from_secs(u64::from(hours) * 3_600))).await;
        let (worst_unknown, worst_rest) = run.come_to_rest().await;
        run.report(start, worst_unknown, worst_rest).await
    }

    fn broken(&self) -> bool {
        !self.world.ledger().violations.is_empty()
    }

    /// Goes on until a time, or until a rule is broken.
    async fn until(&mut self, end: Timestamp) {
        while self.world.now() < end && !self.broken() {
            if !self.step(end).await {
                break;
            }
        }
    }

    /// One turn of one worker, or the time to the next event; `false` when nothing will ever happen.
    async fn step(&mut self, end: Timestamp) -> bool {
        self.turns += 1;
        if self.turns > MOST_TURNS {
            self.world.ledger().break_rule(I11, "the workers turn in circles".to_owned());
            return false;
        }
        self.host.act().await;
        self.start_workers().await;
        let now = self.world.now();
        // Those who have nothing to do need not be asked at every turn of the others.
        let mut ready = self.ready(now, false);
        let mut due = None;
        if ready.is_empty() || self.turns.is_multiple_of(8) {
            due =
                self.world.store.next_due_of_any().await.unwrap().map(|t| self.world.store_clock.earliest(t));
            ready = self.ready(now, due.is_some_and(|due| due <= now));
        }
        if ready.is_empty() {
            return self.wait(now, due, end);
        }
        let number = *self.world.dice.of(&ready);
        self.turn(number, ready.len()).await;
        self.wake_rivals();
        true
    }

    fn wake_rivals(&mut self) {
        let (now, ledger) = (self.world.now(), self.world.ledger());
        let halted = self.workers.iter_mut().filter(|w| w.wakes_for_rival && w.halted_until > now);
        for worker in halted {
            if worker.life.as_ref().is_some_and(|life| ledger.has_rival(life.number)) {
                worker.halted_until = now;
                worker.wakes_for_rival = false;
            }
        }
    }

    /// The workers that can take a turn.
    fn ready(&self, now: Timestamp, something_due: bool) -> Vec<usize> {
        let takes = |worker: &Worker| {
            let Some(life) = worker.life.as_ref().filter(|_| worker.halted_until <= now) else {
                return false;
            };
            match life.idle_since {
                Some(since) => something_due && since.plus(POLL) <= now || since.plus(POLL * 600) <= now,
                None => true,
            }
        };
        (0..self.workers.len()).filter(|number| takes(&self.workers[*number])).collect()
    }

    /// Lets the time pass until something can happen.
    fn wait(&self, now: Timestamp, due: Option<Timestamp>, end: Timestamp) -> bool {
        let lives = self.workers.iter().filter_map(|w| Some((w, w.life.as_ref()?)));
        let wakes = lives.map(|(worker, life)| {
            let asks = life.idle_since.map(|since| {
                let poll = since.plus(POLL);
                due.map_or(since.plus(POLL * 600), |due| due.max(poll).min(since.plus(POLL * 600)))
            });
            asks.unwrap_or(now).max(worker.halted_until)
        });
        let starts = self.workers.iter().filter(|w| w.life.is_none()).map(|w| w.starts_at);
        let next = wakes.chain(starts).chain(self.host.next()).filter(|t| *t > now).min();
        let Some(next) = next else { return false };
        self.world.clock.set(next.min(end));
        true
    }

    async fn start_workers(&mut self) {
        let now = self.world.now();
        for number in 0..self.workers.len() {
            if self.workers[number].life.is_none() && self.workers[number].starts_at <= now {
                self.lives += 1;
                let (world, life, seed) = (Arc::clone(&self.world), self.lives, self.seed);
                self.workers[number].start(&world, life, seed).await;
            }
        }
    }

    /// One worker goes on to its next place, or does not.
    async fn turn(&mut self, number: usize, ready: usize) {
        let world = Arc::clone(&self.world);
        let dice = &world.dice;
        let worker = &mut self.workers[number];
        let Some(life) = worker.life.as_mut() else { return };
        let place = life.turn.place();
        let busy = place != Some(IDLE);
        if world.faulty() && busy {
            if dice.chance(world.profile.crashes) {
                return self.crash(number).await;
            }
            if dice.chance(world.profile.halts) {
                return self.halt(number);
            }
        }
        // How long a call takes a worker measures by a clock that nobody can set: here it has only the one.
        let measures = matches!(place, Some("before a transition" | "after a transition"));
        if world.faulty() && world.profile.wrong_clocks && !measures && dice.chance(150) {
            set_wrong(&world, &worker.clock);
        }
        life.turn.take().await;
        let idle = life.turn.place() == Some(IDLE);
        life.idle_since = idle.then(|| world.now());
        let passes = match dice.below(100) {
            0..70 => dice.time(Duration::ZERO, Duration::from_millis(2)),
            70..96 => dice.time(Duration::ZERO, Duration::from_millis(200)),
            _ => dice.time(Duration::ZERO, Duration::from_secs(5)) / u32::try_from(ready).unwrap_or(1),
        };
        let passes = if world.profile.slow && world.faulty() && dice.percent(25) {
            dice.time(Duration::ZERO, Duration::from_secs(12)) / u32::try_from(ready).unwrap_or(1)
        } else {
            passes
        };
        world.clock.advance(passes + Duration::from_micros(1));
    }

    /// The process of a worker is gone; a request that it had let go of may still land.
    async fn crash(&mut self, number: usize) {
        let world = Arc::clone(&self.world);
        let worker = &mut self.workers[number];
        let Some(life) = worker.life.take() else { return };
        world.count("worker crashed");
        world.tell(|| format!("life {} ends {:?}", life.number, life.turn.place()));
        let sending = world.ledger().bury(life.number);
        let on_its_way = life.turn.place() == Some(SENDING) && world.dice.percent(60);
        life.end();
        worker.starts_at = world.now().plus(world.dice.seconds(1, 600));
        if let Some(sending) = sending.filter(|_| on_its_way) {
            world.count("crashed with a request on its way");
            let tenant = &world.tenants[sending.key.0];
            let left = sending.deadline.minus(world.margin(sending.key.0)).since(world.now());
            let delay = world.dice.time(Duration::ZERO, left);
            invariants::arrived(&world, sending.key, sending.write.value, false);
            tenant.platform.fault_writes([Some(WriteFault::LandAt(delay))]);
            // Nobody is there to hear the answer.
            drop(tenant.platform.set(&onlooker(&world, tenant.id.clone()), &sending.write).await);
        }
    }

    /// A worker stands still, perhaps for longer than its lease; a request that is under way lands in time, or in a world
    /// without that promise whenever the worker wakes.
    fn halt(&mut self, number: usize) {
        let world = &self.world;
        let worker = &mut self.workers[number];
        let Some(life) = worker.life.as_ref() else { return };
        let lease = Duration::from_millis(world.profile.policy.lease_ms);
        let landing = Duration::from_millis(world.profile.policy.landing_ms);
        let mut until = world.now().plus(world.dice.time(Duration::from_secs(1), (lease + landing) * 2));
        let sending = world.ledger().sending.get(&life.number).map(|s| (s.deadline, s.key));
        if let (Some((deadline, key)), true) = (sending, world.profile.delivery == Delivery::Bounded) {
            until = until.min(deadline.minus(world.margin(key.0)));
        }
        // The worst moment to wake is when somebody else is at the same change.
        worker.wakes_for_rival = world.dice.percent(50) && sending.is_none();
        if worker.wakes_for_rival {
            until = until.plus(world.dice.seconds(0, 3_600));
        }
        world.count("worker halted");
        if until.since(world.now()) > lease {
            world.count("halted over its lease");
        }
        world.tell(|| format!("life {} halts {:?} until {until}", life.number, life.turn.place()));
        worker.halted_until = until;
    }

    /// The faults stop: everything must come to its end. How long requests without an answer stayed unknown, and how long
    /// all of it took.
    async fn come_to_rest(&mut self) -> (Duration, Duration) {
        if self.broken() {
            return Default::default();
        }
        let world = Arc::clone(&self.world);
        world.tell(|| "the faults stop".to_owned());
        world.stop_faults();
        self.host.stop().await;
        for worker in &mut self.workers {
            worker.clock.set_seconds(0);
        }
        let now = world.now();
        // One worker at least is there.
        let there = |w: &Worker| w.life.is_some() && w.halted_until <= now;
        if !self.workers.iter().any(there) {
            if let Some(life) = self.workers[0].life.take() {
                world.ledger().bury(life.number);
                life.end();
            }
            self.workers[0].halted_until = now;
            self.workers[0].starts_at = now;
        }
        let worst_unknown = self.settle_unknown(now).await;
        let mut last = now;
        while world.now() < now.plus(REST) && !self.broken() {
            let rest = self.at_rest().await;
            if rest {
                break;
            }
            last = world.now();
            if !self.step(now.plus(REST)).await {
                break;
            }
        }
        if !self.broken() && !self.at_rest().await {
            let open = self.open().await;
            world.ledger().break_rule(I11, format!("after {REST:?} without a fault: {open:?}"));
        }
        (worst_unknown, last.since(now))
    }

    /// Every request that is on its way when the faults stop is settled within its lease, the time to land, and a poll.
    async fn settle_unknown(&mut self, stopped: Timestamp) -> Duration {
        let world = Arc::clone(&self.world);
        let store_now = world.store_clock.now();
        let policy = &world.profile.policy;
        let landing = Duration::from_millis(policy.landing_ms);
        let mut open: BTreeMap<AttemptKey, Timestamp> = BTreeMap::new();
        for (tenant, row) in self.open().await {
            if row.in_flight() {
                let told = row.lease_until.unwrap_or(store_now).plus(landing);
                // Where the store's clock stands still, it is later; a reading that failed is repeated after its wait.
                let told = told.max(row.due_at.unwrap_or(told)).max(store_now);
                let told = stopped.plus(told.since(store_now)).plus(POLL).plus(STEPS);
                open.insert((tenant, row.change.id, row.attempt), told);
            }
        }
        let mut worst = Duration::ZERO;
        let end = stopped.plus(REST);
        while !open.is_empty() && world.now() < end && !self.broken() {
            if !self.step(end).await {
                break;
            }
            let ledger = world.ledger();
            open.retain(|(tenant, id, attempt), _| {
                let held = ledger.held.get(&(*tenant, *id));
                held.is_some_and(|h| {
                    h.attempt == *attempt
                        && matches!(
                            h.status,
                            crate::execution::ChangeStatus::Claimed
                                | crate::execution::ChangeStatus::Executing
                        )
                })
            });
            drop(ledger);
            let late =
                open.iter().find(|(_, told)| world.now() > **told && world.profile.store_ahead.is_zero());
            if let Some(((tenant, id, attempt), told)) = late {
                let message = format!("tenant {tenant}: {id}#{attempt} was to be known by {told}");
                world.ledger().break_rule(I11, message);
            }
            worst = world.now().since(stopped);
        }
        // A store whose clock stands still until the true time has caught up tells nothing of how long it takes.
        if world.profile.store_ahead.is_zero() { worst } else { Duration::ZERO }
    }

    async fn open(&self) -> Vec<(usize, ChangeRow)> {
        let mut open = Vec::new();
        for (number, tenant) in self.world.tenants.iter().enumerate() {
            let rows = self.world.store.list(&tenant.id, &ChangeFilter::default()).await.unwrap();
            open.extend(rows.into_iter().filter(|row| !row.is_over()).map(|row| (number, row)));
        }
        open
    }

    async fn at_rest(&self) -> bool {
        let landing = self
            .world
            .tenants
            .iter()
            .any(|t| t.platform.next_landing().is_some_and(|at| at > self.world.now()));
        !landing && self.world.store.next_due_of_any().await.unwrap().is_none()
    }

    async fn report(self, start: Timestamp, worst_unknown: Duration, worst_rest: Duration) -> Simulated {
        let world = &self.world;
        let mut chains = 0;
        if !self.broken() {
            // The last landings are over: whoever looks now finds all of them.
            world.clock.advance(Duration::from_secs(1));
            self.host.reconcile().await;
        }
        let mut counts = BTreeMap::new();
        for (number, tenant) in world.tenants.iter().enumerate() {
            tenant.platform.land(world.now());
            let all = HistoryFilter { limit: usize::MAX, ..HistoryFilter::default() };
            let history = world.store.history(&tenant.id, &tenant.account, &all).await.unwrap();
            let effects = tenant.platform.effects();
            count::of_history(&mut counts, &history);
            *counts.entry("effect").or_default() +=
                effects.iter().filter(|e| e.change.is_some()).count() as u64;
            if !self.broken() {
                invariants::at_rest(&Facts { world, number, effects: &effects, history: &history });
            }
            let (executor, ctx) = self.host.of(number);
            let audit = executor.verify_audit(ctx).await.unwrap();
            chains += 1;
            if !audit.chain_ok || audit.open_intents > 0 && !self.broken() {
                world.ledger().break_rule("I3 audit first", format!("{audit:?}"));
            }
        }
        let ledger = world.ledger();
        for (path, times) in &ledger.counts {
            *counts.entry(path).or_default() += times;
        }
        Simulated {
            seed: self.seed,
            delivery: world.profile.delivery,
            workers: world.profile.workers,
            tenants: world.profile.tenants,
            counts,
            simulated: world.now().since(start),
            worst_unknown,
            worst_rest,
            chains,
            violations: ledger.violations.clone(),
            tail: ledger.tail(),
        }
    }
}

fn set_wrong(world: &World, clock: &WrongClock) {
    let seconds = *world.dice.of(&[0, 0, 1, -1, 3_600, -3_600, 86_400, -86_400, i64::MIN]);
    if seconds == i64::MIN {
        world.count("clock back to 1970");
        clock.reset_to_1970();
    } else {
        world.count("clock set wrong");
        clock.set_seconds(seconds);
    }
}

/// A call that nobody waits for, at the true time.
fn onlooker(world: &World, tenant: crate::ctx::TenantId) -> Ctx {
    let env = Env {
        clock: Arc::clone(&world.clock) as Arc<dyn Clock>,
        entropy: Arc::new(SeededEntropy::new(0)),
        events: Arc::new(NoEvents),
    };
    Ctx::new(&env, tenant)
}
