//! What the library has to say to one event loop, in a queue that the loop empties when it is woken.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use tokio::sync::{mpsc, oneshot};
use xynergy_bindings::host::HostFailure;
use xynergy_bindings::{Outcome, SandboxHandle};

use crate::attach::detached;
use crate::sandbox::Sandbox;

/// The queue of the thread that serves host objects when no loop of a caller can.
static BACKGROUND: ArcSwapOption<Queue> = ArcSwapOption::const_empty();

static ASKED: AtomicU64 = AtomicU64::new(1);

/// One thing for the loop to do.
#[derive(Debug)]
pub(crate) enum Message {
    /// A call ended.
    Ended(u64, Outcome),
    /// A sandbox started.
    Started(u64, Box<SandboxHandle>),
    /// A method of a host object is to be called.
    Ask { id: u64, host: u64, method: &'static str, arguments: String, call: Option<u64>, pieces: bool },
    /// What was asked for is not wanted any more.
    Withdraw(u64),
    /// So many more pieces may be sent.
    More(u64, u32),
}

/// Where the answer to an [`Message::Ask`] goes.
#[derive(Debug)]
pub(crate) enum Reply {
    Value(oneshot::Sender<Result<String, HostFailure>>),
    Pieces(mpsc::UnboundedSender<Result<String, HostFailure>>),
}

#[derive(Debug)]
pub(crate) struct Queue {
    process: u32,
    state: Mutex<State>,
    arrived: Condvar,
    #[cfg(unix)]
    bell: Option<(std::os::unix::net::UnixStream, std::os::unix::net::UnixStream)>,
}

#[derive(Debug, Default)]
struct State {
    messages: VecDeque<Message>,
    replies: HashMap<u64, Reply>,
    closed: bool,
}

impl Queue {
    fn new() -> Self {
        Self {
            process: std::process::id(),
            state: Mutex::default(),
            arrived: Condvar::new(),
            #[cfg(unix)]
            bell: bell(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a message and wakes the loop when it is the first. Dropped when the loop is closed.
    pub(crate) fn push(&self, message: Message) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        state.messages.push_back(message);
        if state.messages.len() == 1 {
            drop(state);
            self.ring();
        }
    }

    /// Asks a host object, and remembers where its answer goes. Nothing when the loop is closed.
    pub(crate) fn ask(
        &self,
        host: u64,
        method: &'static str,
        arguments: String,
        call: Option<u64>,
        reply: Reply,
    ) -> Option<u64> {
        let id = ASKED.fetch_add(1, Ordering::Relaxed);
        let pieces = matches!(reply, Reply::Pieces(_));
        let mut state = self.lock();
        if state.closed {
            return None;
        }
        state.replies.insert(id, reply);
        drop(state);
        self.push(Message::Ask { id, host, method, arguments, call, pieces });
        Some(id)
    }

    /// Tells the loop that an answer is not wanted any more.
    pub(crate) fn withdraw(&self, id: u64) {
        if self.lock().replies.remove(&id).is_some() {
            self.push(Message::Withdraw(id));
        }
    }

    /// Whether a loop of this process empties it.
    pub(crate) fn is_served(&self) -> bool {
        self.process == std::process::id() && !self.lock().closed
    }

    fn take(&self) -> VecDeque<Message> {
        #[cfg(unix)]
        if let Some((_, ears)) = &self.bell {
            // What was rung is heard before the queue is emptied, so that no later ring is lost.
            let mut heard = [0_u8; 64];
            let _ = std::io::Read::read(&mut &*ears, &mut heard);
        }
        std::mem::take(&mut self.lock().messages)
    }

    fn ring(&self) {
        #[cfg(unix)]
        if let Some((clapper, _)) = &self.bell {
            // A full socket means that it has been rung already.
            let _ = std::io::Write::write(&mut &*clapper, &[1]);
        }
        // For a loop that cannot watch a descriptor, whose thread waits here; it costs nothing where none does.
        self.arrived.notify_all();
    }

    fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let dropped = (std::mem::take(&mut state.messages), std::mem::take(&mut state.replies));
        drop(state);
        drop(dropped);
        self.arrived.notify_all();
    }
}

/// A pair of sockets: one byte in it wakes a loop without its interpreter's lock. `None` when the system has no more of them.
#[cfg(unix)]
fn bell() -> Option<(std::os::unix::net::UnixStream, std::os::unix::net::UnixStream)> {
    let (clapper, ears) = std::os::unix::net::UnixStream::pair().ok()?;
    clapper.set_nonblocking(true).ok()?;
    ears.set_nonblocking(true).ok()?;
    Some((clapper, ears))
}

/// The queue of the background loop, when it runs in this process.
pub(crate) fn background() -> Option<Arc<Queue>> {
    BACKGROUND.load_full().filter(|queue| queue.is_served())
}

/// One event loop's end of the library.
#[pyclass(frozen, module = "xynergy._native")]
#[derive(Debug)]
pub(crate) struct Bridge(pub(crate) Arc<Queue>);

#[pymethods]
impl Bridge {
    #[new]
    fn new() -> Self {
        Self(Arc::new(Queue::new()))
    }

    /// The descriptor that becomes readable when there is something to take; `None` where there is none, so that a thread has to wait.
    fn fileno(&self) -> Option<i32> {
        #[cfg(unix)]
        {
            use std::os::fd::AsRawFd;
            self.0.bell.as_ref().map(|(_, ears)| ears.as_raw_fd())
        }
        #[cfg(not(unix))]
        None
    }

    /// Waits until there is something to take, at most so long. False when it is closed.
    fn wait(&self, py: Python<'_>, timeout_ms: u64) -> bool {
        let timeout = Duration::from_millis(timeout_ms);
        detached(py, || {
            let waiting = self.0.arrived.wait_timeout_while(self.0.lock(), timeout, |state| {
                state.messages.is_empty() && !state.closed
            });
            !waiting.unwrap_or_else(PoisonError::into_inner).0.closed
        })
    }

    /// Takes everything that waits, as tuples that begin with what it is: 0 a result, 1 a failure, 2 a question to a host object, 3 the
    /// withdrawal of one, 4 room for more pieces.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        self.0.take().into_iter().map(|message| as_tuple(py, message)).collect()
    }

    /// Makes it the bridge of the background loop.
    fn serve_background(&self) {
        BACKGROUND.store(Some(self.0.clone()));
    }

    /// Ends it: host objects are not asked any more, and those who wait for them are told.
    fn close(&self, py: Python<'_>) {
        detached(py, || self.0.close());
    }

    /// The answer of a host object.
    fn answer(&self, id: u64, json: String) {
        // Taken out of the lock before it is used: sending wakes, and waking may drop what locks again.
        let reply = self.0.lock().replies.remove(&id);
        if let Some(Reply::Value(sender)) = reply {
            let _ = sender.send(Ok(json));
        }
    }

    /// A piece of a host object's answer. False when nobody wants more.
    fn piece(&self, id: u64, json: String) -> bool {
        let sender = match self.0.lock().replies.get(&id) {
            Some(Reply::Pieces(sender)) => sender.clone(),
            _ => return false,
        };
        sender.send(Ok(json)).is_ok()
    }

    /// The end of the pieces.
    fn end(&self, id: u64) {
        let reply = self.0.lock().replies.remove(&id);
        drop(reply);
    }

    /// A host object failed.
    #[pyo3(signature = (id, kind, message, retry_after_ms, token))]
    fn fail(
        &self,
        id: u64,
        kind: Option<String>,
        message: String,
        retry_after_ms: Option<u64>,
        token: Option<u64>,
    ) {
        let failure = HostFailure { kind, message, retry_after_ms, token };
        let reply = self.0.lock().replies.remove(&id);
        match reply {
            Some(Reply::Value(sender)) => drop(sender.send(Err(failure))),
            Some(Reply::Pieces(sender)) => drop(sender.send(Err(failure))),
            None => {}
        }
    }
}

fn as_tuple(py: Python<'_>, message: Message) -> PyResult<Bound<'_, PyAny>> {
    match message {
        Message::Ended(id, Ok(json)) => (0, id, json).into_bound_py_any(py),
        Message::Ended(id, Err(failure)) => (1, id, failure.to_json()).into_bound_py_any(py),
        Message::Started(id, handle) => (0, id, Sandbox::new(*handle)).into_bound_py_any(py),
        Message::Ask { id, host, method, arguments, call, pieces } => {
            (2, id, host, method, arguments, call, pieces).into_bound_py_any(py)
        }
        Message::Withdraw(id) => (3, id).into_bound_py_any(py),
        Message::More(id, pieces) => (4, id, pieces).into_bound_py_any(py),
    }
}
