//! One small pool of threads for each process, made at its first use.
//!
//! After a fork the child has none of the parent's threads, so it makes a pool of its own and never touches the parent's, whose locks
//! may be held by threads that do not exist in it.

use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tracing::Dispatch;
use xynergy::ai::Encoding;
use xynergy::{Error, ErrorKind, Result};

use crate::fork;
use crate::outbox::Outbox;
use crate::telemetry;

/// The most threads of a pool: calls are mostly waits.
const MOST_WORKERS: usize = 4;

/// One core is left to the host's own thread. A call that stays on one thread of ours is answered sooner than one that hops.
fn workers() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    cores.saturating_sub(1).clamp(1, MOST_WORKERS)
}

/// The pool of one process.
#[derive(Debug)]
pub struct Pool {
    process: u32,
    ended: AtomicBool,
    handle: Handle,
    runtime: Mutex<Option<Runtime>>,
    outbox: Arc<Outbox>,
    dispatch: Dispatch,
}

static POOL: AtomicPtr<Pool> = AtomicPtr::new(ptr::null_mut());

/// The pool of this process.
///
/// # Errors
/// [`Unavailable`](ErrorKind::Unavailable) when the system gives no threads.
pub fn pool() -> Result<&'static Pool> {
    let process = std::process::id();
    loop {
        let current = POOL.load(Ordering::Acquire);
        // SAFETY: a pool is never freed once it is in the slot, so the pointer is null or valid for ever.
        if let Some(pool) = unsafe { current.as_ref() }
            && pool.process == process
        {
            return Ok(pool);
        }
        let made = Box::into_raw(Box::new(Pool::new(process)?));
        if POOL.compare_exchange(current, made, Ordering::AcqRel, Ordering::Acquire).is_err() {
            // SAFETY: it was made above and nobody else has seen it.
            unsafe { Box::from_raw(made) }.discard();
        }
    }
}

/// Stops the pool of this process, as an interpreter does before it ends: tasks are dropped, threads joined for at most `grace`.
/// Release the host's own lock first, or threads that need it never end.
pub fn shutdown(grace: Duration) {
    // SAFETY: as in `pool`.
    let Some(pool) = (unsafe { POOL.load(Ordering::Acquire).as_ref() }) else { return };
    if pool.process != std::process::id() {
        return;
    }
    pool.outbox.close();
    // No thread of the host's is in the middle of a call when the runtime goes, and none begins one after.
    fork::close();
    pool.ended.store(true, Ordering::SeqCst);
    fork::open();
    let runtime = pool.runtime.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(runtime) = runtime {
        runtime.shutdown_timeout(grace);
    }
}

impl Pool {
    fn new(process: u32) -> Result<Self> {
        // Unpacking it at the first count would stop all calls for that long where the pool is one thread.
        Encoding::O200k.prepare();
        let outbox = Arc::new(Outbox::default());
        let dispatch = telemetry::dispatch(outbox.clone());
        let of_thread = dispatch.clone();
        let runtime = Builder::new_multi_thread()
            .worker_threads(workers())
            .enable_all()
            .thread_name("xynergy")
            .on_thread_start(move || telemetry::keep_for_thread(&of_thread))
            .on_thread_unpark(fork::awake)
            .on_thread_park(fork::asleep)
            .on_thread_stop(fork::asleep)
            .build()
            .map_err(|e| {
                Error::new(ErrorKind::Unavailable, "runtime", "the system gives no threads for the pool")
                    .with_source(e)
            })?;
        Ok(Self {
            process,
            ended: AtomicBool::new(false),
            handle: runtime.handle().clone(),
            runtime: Mutex::new(Some(runtime)),
            outbox,
            dispatch,
        })
    }

    /// Ends a pool that another thread's came before. Its threads are not waited for: the caller may be a task of a runtime of
    /// its own, which must not wait.
    fn discard(self) {
        let runtime = self.runtime.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = runtime {
            runtime.shutdown_background();
        }
    }

    /// The process it belongs to.
    pub fn process(&self) -> u32 {
        self.process
    }

    /// Whether it was shut down: nothing begins any more.
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Where tasks are spawned.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// What waits for the host: logs and events.
    pub fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// Runs `work` as a thread of the pool would: the library's logs go to the outbox, and tasks can be spawned.
    pub fn enter<T>(&self, work: impl FnOnce() -> T) -> T {
        let _entered = self.handle.enter();
        tracing::dispatcher::with_default(&self.dispatch, work)
    }
}
