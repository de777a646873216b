use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::gate::{Gate, GatedPlatform, GatedStore, SENDING};
use super::world::{ACCOUNT, World};
use crate::ads::WriteFault;
use crate::execution::{AccountLimits, ChangeStatus, DrawKey, Executor, Policy};
use crate::money::Currency;
use crate::store::ChangeStore;

const HOUR: Duration = Duration::from_secs(3_600);

/// What the worker that is about to stop does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    /// It applies a change.
    Apply,
    /// It finds out what became of a request whose reply was lost; the request had landed, or not.
    Reconcile(bool),
}

/// Ends a worker for good at every place where it waits, one after the other, and lets another one go on: every
/// change is applied once and audited. The places by name, with how often each was found.
///
/// Not to be called on a runtime: it makes one for each worker and drops it.
///
/// # Panics
/// At the first place after which an invariant is broken.
pub fn executor_crashes(store: &Arc<dyn ChangeStore>) -> BTreeMap<&'static str, usize> {
    let mut places = BTreeMap::new();
    for work in [Work::Apply, Work::Reconcile(true), Work::Reconcile(false)] {
        for point in 0.. {
            let world = World::new(store, &format!("crash-{point}-{}", work.name()), Policy::seed());
            let gate = Gate::new(point);
            on_new_runtime(prepare(&world, work));
            let place = on_new_runtime(async {
                let worker = gated(&world, store, &gate, Policy::seed());
                tokio::select! {
                    biased;
                    place = gate.stopped() => Some(place),
                    _ = worker.run_once(&world.ctx) => None,
                }
            });
            on_new_runtime(finished(&world, &format!("{work:?}, stopped {place:?}")));
            match place {
                Some(place) => *places.entry(place).or_insert(0) += 1,
                None => break,
            }
        }
    }
    places
}

/// Halts a worker at every place for longer than anything can last, lets another one go on, and then wakes it: what
/// it does late changes nothing, and it sends nothing any more. A request that is under way when it halts is left out: it
/// lands whenever it does.
///
/// # Panics
/// At the first place after which an invariant is broken.
pub async fn executor_zombies(store: &Arc<dyn ChangeStore>) -> BTreeMap<&'static str, usize> {
    let mut places = BTreeMap::new();
    for work in [Work::Apply, Work::Reconcile(true), Work::Reconcile(false)] {
        for point in 0.. {
            let world = World::new(store, &format!("zombie-{point}-{}", work.name()), Policy::seed());
            let gate = Gate::new(point);
            prepare(&world, work).await;
            let worker = gated(&world, store, &gate, Policy::seed());
            let ctx = world.ctx.clone();
            let zombie = tokio::spawn(async move { worker.run_once(&ctx).await });
            let place = tokio::select! {
                biased;
                place = gate.stopped() => place,
                _ = wait(&zombie) => break,
            };
            if place != SENDING {
                finished(&world, &format!("{work:?}, halted {place}")).await;
                let seen =
                    || async { (world.history().await, world.platform.effects(), world.platform.requests()) };
                let before = seen().await;
                gate.release();
                zombie.await.unwrap().unwrap();
                assert_eq!(seen().await, before, "{work:?}, woken {place}");
                world.at_rest().await;
                *places.entry(place).or_insert(0) += 1;
            } else {
                gate.release();
                zombie.await.unwrap().unwrap();
            }
        }
    }
    places
}

/// A caller that goes away tears no send: the step goes on by itself, and draining waits for it.
pub(super) async fn dropped_caller(store: &Arc<dyn ChangeStore>) {
    let world = World::new(store, "crash-dropped", Policy::seed());
    prepare(&world, Work::Apply).await;
    // The twelfth place of applying a change is where its request is under way.
    let gate = Gate::new(11);
    let worker = gated(&world, store, &gate, Policy::seed());
    let place = tokio::select! {
        biased;
        place = gate.stopped() => Some(place),
        _ = worker.run_once(&world.ctx) => None,
    };
    assert_eq!(place, Some(SENDING));
    gate.release();
    worker.drain().await;
    assert_eq!(world.status("crashed").await, (ChangeStatus::Completed, None));
    world.at_rest().await;
}

impl Work {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Reconcile(true) => "landed",
            Self::Reconcile(false) => "lost",
        }
    }
}

async fn prepare(world: &World, work: Work) {
    let limits = AccountLimits {
        currency: Currency::USD,
        total_daily_minor: Some(10_000),
        min_minor: None,
        max_minor: None,
    };
    world.executor.set_limits(&world.ctx, ACCOUNT, &limits).await.unwrap();
    world.queue(vec![world.change("crashed", "s1", 1_000, 1_100)]).await;
    if let Work::Reconcile(landed) = work {
        let fault = if landed { WriteFault::LostAfter } else { WriteFault::LostBefore };
        world.platform.fault_writes([Some(fault)]);
        world.step().await;
    }
    let due = world.executor.next_due(&world.ctx).await.unwrap().unwrap();
    world.clock.set(due.max(world.now()));
}

pub(super) fn gated(
    world: &World,
    store: &Arc<dyn ChangeStore>,
    gate: &Arc<Gate>,
    policy: Policy,
) -> Executor {
    let store = Arc::new(GatedStore(Arc::clone(store), Arc::clone(gate)));
    let platform = Arc::new(GatedPlatform(world.platform.clone(), Arc::clone(gate)));
    Executor::new(store, platform, policy, DrawKey::from_seed(7)).unwrap()
}

/// Another worker brings it to its end: applied once, and audited.
async fn finished(world: &World, context: &str) {
    world.run(HOUR).await;
    assert_eq!(world.status("crashed").await.0, ChangeStatus::Completed, "{context}");
    let row = world.get("crashed").await;
    assert_eq!(Some(world.budget("s1")), row.sent_value, "{context}");
    assert_eq!(world.platform.effects().len(), 1, "{context}");
    assert!(world.platform.requests() <= 2, "{context}");
    world.at_rest().await;
}

pub(super) async fn wait<T>(task: &tokio::task::JoinHandle<T>) {
    while !task.is_finished() {
        tokio::task::yield_now().await;
    }
}

/// Runs on a runtime that is dropped afterwards with every task on it, as a process that ends.
fn on_new_runtime<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(work)
}
