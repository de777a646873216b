use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;
use xynergy::{Client, Error, ErrorKind, Result};

use crate::call::{CallInfo, Calls};
use crate::failure::Failure;
use crate::fork::{Inside, Polled};
use crate::methods::{self, Method, Session};
use crate::options::{Backends, Options, build};
use crate::runtime::{Pool, pool};
use crate::streams::Streams;

/// What became of a call: its result as JSON, or why there is none.
pub type Outcome = std::result::Result<String, Failure>;

type Running = Polled<Outcome>;

/// Arguments of more bytes than this are read on another thread.
const MUCH: usize = 64 * 1024;

/// How often a blocking call looks whether the host wants it to end.
const LOOK: Duration = Duration::from_millis(50);

static IDS: AtomicU64 = AtomicU64::new(1);

/// Where a call comes from, in the host's terms: whatever it needs to serve its own objects for that call.
pub type Origin = Arc<dyn std::any::Any + Send + Sync>;

tokio::task_local! {
    static CALL: (u64, Option<Origin>);
}

/// The call that the running task belongs to; `None` in tasks that outlive their call, as a budget write does.
pub fn current_call() -> Option<u64> {
    CALL.try_with(|(id, _)| *id).ok()
}

/// What [`start_from`](Engine::start_from) was given for the call that the running task belongs to. It needs no lock, so it is there in a
/// forked child as well.
pub fn current_origin() -> Option<Origin> {
    CALL.try_with(|(_, origin)| origin.clone()).ok().flatten()
}

/// A client behind one door: every call is a name, JSON in and JSON out.
///
/// Cheap to clone; clones share everything. It survives a fork: in the child the client is built anew from its options at the first
/// use, so what was only in memory is not there, and no socket or file of the parent's is used.
#[derive(Clone, Debug)]
pub struct Engine(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    id: u64,
    options: Options,
    backends: Backends,
    closed: AtomicBool,
    state: AtomicPtr<State>,
}

/// What belongs to one process.
#[derive(Debug)]
pub(crate) struct State {
    pool: &'static Pool,
    client: Client,
    calls: Calls,
    closing: watch::Sender<bool>,
    pub(crate) streams: Streams,
}

impl Engine {
    /// Checks the options and builds the client. No I/O happens and no thread starts but those of the pool.
    ///
    /// # Errors
    /// [`ConfigInvalid`](ErrorKind::ConfigInvalid) that names the part of the options that is wrong.
    pub fn new(options: Options, backends: Backends) -> std::result::Result<Self, Failure> {
        let inner = Inner {
            id: IDS.fetch_add(1, Ordering::Relaxed),
            options,
            backends,
            closed: AtomicBool::new(false),
            state: AtomicPtr::new(ptr::null_mut()),
        };
        inner.state()?;
        Ok(Self(Arc::new(inner)))
    }

    /// The number by which the outbox names this engine's events.
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// A fresh id for a call.
    pub fn next_call_id(&self) -> u64 {
        IDS.fetch_add(1, Ordering::Relaxed)
    }

    /// Starts a call. It is begun on the calling thread, and is answered there when nothing has to be waited for: a cache hit, a wrong
    /// argument. Otherwise `None` is returned, the pool goes on with it, and `complete` is called once, on a thread of the pool, also
    /// when the call is cancelled or the pool ends. Release the host's lock before.
    ///
    /// What computes for long, or has much to read, is left to a thread of its own from the start: the calling thread may be the
    /// host's event loop.
    pub fn start(
        &self,
        id: u64,
        method: &str,
        info: &CallInfo,
        arguments: &str,
        complete: impl FnOnce(Outcome) + Send + 'static,
    ) -> Option<Outcome> {
        self.start_from(None, id, method, info, arguments, complete)
    }

    /// As [`start`](Self::start), for a host whose objects have to know where a call comes from: [`current_origin`].
    pub fn start_from(
        &self,
        origin: Option<Origin>,
        id: u64,
        method: &str,
        info: &CallInfo,
        arguments: &str,
        complete: impl FnOnce(Outcome) + Send + 'static,
    ) -> Option<Outcome> {
        if arguments.len() > MUCH {
            return self.start_apart(origin, id, method, info, arguments, complete);
        }
        let _inside = Inside::enter();
        let (state, mut running) = match self.prepare(origin, id, method, info, arguments) {
            Ok(prepared) => prepared,
            Err(failure) => return Some(Err(failure)),
        };
        if methods::find(method).is_ok_and(Method::computes) {
            let completion = Completion(Some(complete));
            let handle = state.pool.handle();
            drop(handle.spawn_blocking(move || completion.complete(handle.block_on(running))));
            return None;
        }
        state.pool.enter(|| {
            // The waker does nothing: the task polls again at once.
            if let Poll::Ready(outcome) = Pin::new(&mut running).poll(&mut Context::from_waker(Waker::noop()))
            {
                return Some(outcome);
            }
            let completion = Completion(Some(complete));
            tokio::spawn(async move { completion.complete(running.await) });
            None
        })
    }

    /// Starts a call whose arguments alone would take the calling thread too long.
    fn start_apart(
        &self,
        origin: Option<Origin>,
        id: u64,
        method: &str,
        info: &CallInfo,
        arguments: &str,
        complete: impl FnOnce(Outcome) + Send + 'static,
    ) -> Option<Outcome> {
        let state = match self.0.state() {
            Ok(state) => state,
            Err(error) => return Some(Err(error.into())),
        };
        let completion = Completion(Some(complete));
        let (engine, name) = (self.clone(), method.to_owned());
        let (info, arguments) = (info.clone(), arguments.to_owned());
        let work = async move {
            let running = engine.prepare(origin, id, &name, &info, &arguments).map(|(_, running)| running);
            match running {
                Ok(running) => running.await,
                Err(failure) => Err(failure),
            }
        };
        // From here on it can be cancelled, also before it was read.
        let tracked = state.calls.track(id, work);
        let done = Untrack { engine: self.clone(), id };
        let handle = state.pool.handle();
        drop(handle.spawn_blocking(move || {
            let outcome = handle.block_on(tracked).unwrap_or_else(|_| Err(cancelled().into()));
            drop(done);
            completion.complete(outcome);
        }));
        None
    }

    /// Makes a call from a future of the host's. Dropping the future cancels the call.
    pub async fn call(&self, id: u64, method: &str, info: &CallInfo, arguments: &str) -> Outcome {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let cancelling = CancelOnDrop { engine: self.clone(), id };
        let started = self.start(id, method, info, arguments, move |outcome| drop(sender.send(outcome)));
        let outcome = match started {
            Some(outcome) => outcome,
            None => receiver.await.unwrap_or_else(|_| Err(cancelled().into())),
        };
        drop(cancelling);
        outcome
    }

    /// Makes a call and waits for it on this thread. `is_interrupted` is asked twenty times a second whether to give up.
    pub fn call_blocking(
        &self,
        method: &str,
        info: &CallInfo,
        arguments: &str,
        mut is_interrupted: impl FnMut() -> bool,
    ) -> Outcome {
        let (state, mut running) = self.prepare(None, self.next_call_id(), method, info, arguments)?;
        state.pool.enter(|| {
            state.pool.handle().block_on(async {
                loop {
                    match tokio::time::timeout(LOOK, &mut running).await {
                        Ok(outcome) => return outcome,
                        Err(_) if is_interrupted() => return Err(cancelled().into()),
                        Err(_) => {}
                    }
                }
            })
        })
    }

    /// Cancels a call: its future is dropped, and it completes with `cancelled`. A write to the ad platform that is under way is
    /// not torn: it goes on in a task of its own. Returns whether there was such a call.
    pub fn cancel(&self, id: u64) -> bool {
        self.0.current().is_some_and(|state| state.calls.cancel(id))
    }

    /// Closes a stream that is not read to its end. Nothing happens when it is over.
    pub fn close_stream(&self, stream: u64) {
        if let Some(state) = self.0.current() {
            state.pool.enter(|| state.streams.close(stream));
        }
    }

    /// How many calls are under way.
    pub fn in_flight(&self) -> usize {
        self.0.current().map_or(0, |state| state.calls.count())
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::SeqCst)
    }

    /// Closes it: new calls are refused, those under way are waited for at most `grace` and then cancelled, budget writes are waited for.
    /// Closing twice does nothing.
    pub async fn close(&self, grace: Duration) {
        if self.0.closed.swap(true, Ordering::SeqCst) {
            return;
        }
        let Some(state) = self.0.current() else { return };
        let handle = state.pool.handle();
        let inner = self.0.clone();
        let closing = async move {
            let Some(state) = inner.current() else { return };
            // A worker that runs until then takes nothing new and ends when its steps do.
            state.closing.send_replace(true);
            let waiting = async {
                while state.calls.count() > 0 {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            let _ = tokio::time::timeout(grace, waiting).await;
            state.calls.cancel_all();
            state.streams.close_all();
            state.client.drain().await;
        };
        let _ = handle.spawn(closing).await;
    }

    /// As [`close`](Self::close), for a thread without a loop.
    pub fn close_blocking(&self, grace: Duration) {
        if let Some(state) = self.0.current() {
            state.pool.handle().block_on(self.close(grace));
        }
        self.0.closed.store(true, Ordering::SeqCst);
    }

    /// Ends when the client is being closed.
    pub(crate) fn closing(&self) -> impl Future<Output = ()> + Send + use<> {
        let closing = self.0.current().map(|state| state.closing.subscribe());
        async move {
            if let Some(mut closing) = closing {
                // Its sender is gone with the client.
                drop(closing.wait_for(|closing| *closing).await);
            }
        }
    }

    fn prepare(
        &self,
        origin: Option<Origin>,
        id: u64,
        method: &str,
        info: &CallInfo,
        arguments: &str,
    ) -> std::result::Result<(&State, Running), Failure> {
        if self.is_closed() {
            return Err(Error::invalid("client", "client: it is closed; make another one").into());
        }
        let _inside = Inside::enter();
        let state = self.0.state()?;
        if state.pool.has_ended() {
            return Err(Error::new(ErrorKind::Cancelled, "client", "client: the process is ending").into());
        }
        let method = methods::find(method)?;
        let session =
            Session { client: state.client.clone(), scope: info.scope(&state.client)?, engine: self.clone() };
        let work = (method.run)(session, arguments)?;
        let guarded = AssertUnwindSafe(work).catch_unwind();
        let tracked = state.calls.track(id, guarded);
        let done = Untrack { engine: self.clone(), id };
        let timeout = info.timeout_ms.map(Duration::from_millis);
        let name = method.name;
        let running = async move {
            let ended = match timeout {
                None => tracked.await,
                Some(limit) => match tokio::time::timeout(limit, tracked).await {
                    Ok(ended) => ended,
                    Err(_) => {
                        let message =
                            format!("no answer within {} ms: give a longer timeout", limit.as_millis());
                        return Err(Error::new(ErrorKind::Timeout, name, message).into());
                    }
                },
            };
            drop(done);
            match ended {
                Ok(Ok(result)) => result.map_err(Failure::from),
                Ok(Err(panic)) => Err(panicked(name, &*panic).into()),
                Err(_) => Err(cancelled().in_operation(name).into()),
            }
        };
        Ok((state, Polled(Box::pin(CALL.scope((id, origin), running)))))
    }

    /// The streams of this process.
    pub(crate) fn streams(&self) -> Result<&Streams> {
        self.0.state().map(|state| &state.streams)
    }
}

impl Inner {
    /// What belongs to this process, when it was built already.
    fn current(&self) -> Option<&State> {
        // SAFETY: the pointer is null, or was leaked by `state` and is freed only when `self` is dropped.
        let state = unsafe { self.state.load(Ordering::Acquire).as_ref() };
        state.filter(|state| state.pool.process() == std::process::id())
    }

    /// What belongs to this process, built at its first use.
    fn state(&self) -> Result<&State> {
        if let Some(state) = self.current() {
            return Ok(state);
        }
        let _inside = Inside::enter();
        loop {
            if let Some(state) = self.current() {
                return Ok(state);
            }
            let seen = self.state.load(Ordering::Acquire);
            let pool = pool()?;
            let client = pool.enter(|| build(&self.options, &self.backends, self.id, pool.outbox()))?;
            let (calls, streams) = (Calls::default(), Streams::default());
            let state = State { pool, client, calls, closing: watch::Sender::new(false), streams };
            let made = Box::into_raw(Box::new(state));
            // The state of the parent, if there was one, is left as it is: its locks and sockets are not this process's to touch.
            if self.state.compare_exchange(seen, made, Ordering::AcqRel, Ordering::Acquire).is_err() {
                // SAFETY: it was made above and nobody else has seen it.
                drop(unsafe { Box::from_raw(made) });
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.current().is_none() {
            return;
        }
        // SAFETY: it was leaked by `state` in this process, and nobody else can have a reference any more.
        let state = unsafe { Box::from_raw(*self.state.get_mut()) };
        let pool = state.pool;
        let _inside = Inside::enter();
        // What is in it may want to spawn the end of its work.
        pool.enter(|| drop(state));
    }
}

/// Calls `complete` once, also when the pool drops the task.
struct Completion<F: FnOnce(Outcome)>(Option<F>);

impl<F: FnOnce(Outcome)> Completion<F> {
    fn complete(mut self, outcome: Outcome) {
        if let Some(complete) = self.0.take() {
            complete(outcome);
        }
    }
}

impl<F: FnOnce(Outcome)> Drop for Completion<F> {
    fn drop(&mut self) {
        if let Some(complete) = self.0.take() {
            complete(Err(cancelled().into()));
        }
    }
}

/// Takes the call out of those under way, however it ends.
struct Untrack {
    engine: Engine,
    id: u64,
}

impl Drop for Untrack {
    fn drop(&mut self) {
        if let Some(state) = self.engine.0.current() {
            state.calls.done(self.id);
        }
    }
}

struct CancelOnDrop {
    engine: Engine,
    id: u64,
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.engine.cancel(self.id);
    }
}

fn cancelled() -> Error {
    Error::new(ErrorKind::Cancelled, "client", "the call was cancelled")
}

/// A panic is a defect of this library; the host gets its message, and goes on.
fn panicked(operation: &'static str, panic: &(dyn std::any::Any + Send)) -> Error {
    let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let said = said
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a message".to_owned());
    Error::new(ErrorKind::Unexpected, operation, format!("a defect of xynergy: {said}; please report it"))
}
