use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::task::JoinHandle;

use super::clock::WrongClock;
use super::platform::SimPlatform;
use super::store::SimStore;
use super::turn::{IDLE, Turn};
use super::world::World;
use crate::ctx::{Ctx, TenantId};
use crate::env::{Env, NoEvents, SeededEntropy, Timestamp};
use crate::error::Result;
use crate::execution::{DrawKey, Executor, RunOptions, TenantExecutors, tick};
use crate::store::ChangeStore;

/// A tenant's executor for one life of a worker, or for the host.
pub(super) fn executor(
    world: &Arc<World>,
    tenant: usize,
    life: usize,
    turn: Option<&Arc<Turn>>,
    env: &Env,
    seed: u64,
) -> (Executor, Ctx) {
    let store = SimStore { world: Arc::clone(world), life, turn: turn.cloned() };
    let platform = SimPlatform {
        world: Arc::clone(world),
        tenant,
        life,
        turn: turn.cloned(),
        cache: Mutex::new(BTreeMap::new()),
    };
    let of = &world.tenants[tenant];
    let key = DrawKey::from_seed(seed);
    let executor = Executor::new(Arc::new(store), Arc::new(platform), world.profile.policy, key).unwrap();
    let ctx = Ctx::new(env, of.id.clone()).with_actor("somebody");
    (executor.with_approval(of.approves), ctx)
}

/// One worker: it lives, dies and lives again, with the same clock.
pub(super) struct Worker {
    pub(super) clock: Arc<WrongClock>,
    pub(super) life: Option<Life>,
    /// It halts until then.
    pub(super) halted_until: Timestamp,
    /// It wakes as soon as another worker is at what it was at.
    pub(super) wakes_for_rival: bool,
    /// It is started again then.
    pub(super) starts_at: Timestamp,
}

/// One life of a worker.
pub(super) struct Life {
    pub(super) number: usize,
    pub(super) turn: Arc<Turn>,
    pub(super) task: JoinHandle<()>,
    /// Since when it has nothing to do.
    pub(super) idle_since: Option<Timestamp>,
}

#[derive(Debug)]
struct Executors(Vec<(TenantId, Executor, Ctx)>);

#[async_trait]
impl TenantExecutors for Executors {
    async fn executor(&self, tenant: &TenantId) -> Result<(Executor, Ctx)> {
        let found = self.0.iter().find(|(id, ..)| id == tenant).unwrap();
        Ok((found.1.clone(), found.2.clone()))
    }
}

impl Worker {
    /// Begins a life.
    pub(super) async fn start(&mut self, world: &Arc<World>, number: usize, seed: u64) {
        let turn = Arc::new(Turn::default());
        let env = Env {
            clock: Arc::clone(&self.clock) as _,
            entropy: Arc::new(SeededEntropy::new(seed ^ ((number as u64) << 20))),
            events: Arc::new(NoEvents),
        };
        let executors = (0..world.tenants.len()).map(|tenant| {
            let (executor, ctx) = executor(world, tenant, number, Some(&turn), &env, seed);
            (world.tenants[tenant].id.clone(), executor, ctx)
        });
        let executors = Executors(executors.collect());
        let store: Arc<dyn ChangeStore> =
            Arc::new(SimStore { world: Arc::clone(world), life: number, turn: Some(Arc::clone(&turn)) });
        let task = tokio::spawn(work(Arc::clone(world), store, executors, env, Arc::clone(&turn)));
        turn.started().await;
        self.life = Some(Life { number, turn, task, idle_since: None });
    }
}

impl Life {
    /// The worker's process is gone, with all that it was about to do.
    pub(super) fn end(self) {
        self.task.abort();
    }
}

/// What a worker's process does: all that is due, and every ten minutes the search for late landings.
async fn work(
    world: Arc<World>,
    store: Arc<dyn ChangeStore>,
    executors: Executors,
    env: Env,
    turn: Arc<Turn>,
) {
    turn.pass("at its start").await;
    let mut searched: Option<Timestamp> = None;
    loop {
        let search = searched.is_none_or(|at| world.now().since(at).as_secs() >= 600);
        if search {
            searched = Some(world.now());
        }
        let options = RunOptions { workers: 1, poll_ms: 1_000, reconcile_ms: u64::from(search) };
        tick(&store, &executors, &env, options).await.unwrap();
        turn.pass(IDLE).await;
    }
}
