use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::prelude::*;
use xynergy_bindings::{Failure, SandboxHandle, runtime, testing};

use crate::bridge::{Bridge, Message};
use crate::clock::Clock;
use crate::failed;
use crate::host::{Home, PythonObject};

/// Their numbers are told from those of calls by their highest bit but one.
static IDS: AtomicU64 = AtomicU64::new(1 << 62);

/// Runs `work` on the pool; its end comes through the bridge under the number that is returned.
fn spawn(
    bridge: &Bridge,
    work: impl Future<Output = Result<Done, Failure>> + Send + 'static,
) -> PyResult<u64> {
    let id = IDS.fetch_add(1, Ordering::Relaxed);
    let queue = bridge.0.clone();
    let pool = runtime::pool().map_err(failed)?;
    pool.handle().spawn(async move {
        queue.push(match work.await {
            Ok(Done::Text(json)) => Message::Ended(id, Ok(json)),
            Ok(Done::Started(handle)) => Message::Started(id, handle),
            Err(failure) => Message::Ended(id, Err(failure)),
        });
    });
    Ok(id)
}

enum Done {
    Text(String),
    Started(Box<SandboxHandle>),
}

/// A running sandbox. Its methods give the number of a call whose end comes through the bridge.
#[pyclass(frozen, module = "xynergy._native")]
#[derive(Debug)]
pub(crate) struct Sandbox(Arc<SandboxHandle>);

impl Sandbox {
    pub(crate) fn new(handle: SandboxHandle) -> Self {
        Self(Arc::new(handle))
    }
}

/// Starts a sandbox.
#[pyfunction]
#[pyo3(signature = (bridge, options, clock))]
pub(crate) fn start_sandbox(
    bridge: &Bridge,
    options: String,
    clock: Option<&Bound<'_, Clock>>,
) -> PyResult<u64> {
    let clock = clock.map(|clock| clock.get().0.clone());
    spawn(bridge, async move {
        SandboxHandle::start(&options, clock).await.map(|handle| Done::Started(Box::new(handle)))
    })
}

/// Runs a behaviour suite against a host object, which is served by the loop of `bridge`.
#[pyfunction]
pub(crate) fn check(bridge: &Bridge, suite: String, host: u64, options: String) -> PyResult<u64> {
    let home = Home::default();
    home.store(Some(bridge.0.clone()));
    let object = Arc::new(PythonObject::new(host, home));
    spawn(bridge, async move {
        testing::check(&suite, object, &options).await.map(|()| Done::Text("null".to_owned()))
    })
}

#[pymethods]
impl Sandbox {
    fn describe(&self) -> String {
        self.0.describe()
    }

    fn state(&self, bridge: &Bridge) -> PyResult<u64> {
        let handle = self.0.clone();
        spawn(bridge, async move { handle.state().await.map(Done::Text) })
    }

    fn apply_due(&self, bridge: &Bridge) -> PyResult<u64> {
        let handle = self.0.clone();
        spawn(bridge, async move { handle.apply_due().await.map(|()| Done::Text("null".to_owned())) })
    }

    fn next_due(&self, bridge: &Bridge) -> PyResult<u64> {
        let handle = self.0.clone();
        spawn(bridge, async move {
            let due = handle.next_due().await;
            Ok(Done::Text(due.map_or_else(|| "null".to_owned(), |due| format!("\"{due}\""))))
        })
    }

    fn stop(&self, bridge: &Bridge) -> PyResult<u64> {
        let handle = self.0.clone();
        spawn(bridge, async move {
            handle.stop().await;
            Ok(Done::Text("null".to_owned()))
        })
    }
}
