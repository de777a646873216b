// The interpreter's values are handed over as values.
#![allow(clippy::needless_pass_by_value)]

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use xynergy_bindings::host::Host;
use xynergy_bindings::{Backends, CallInfo, Error, ErrorKind, Options, Outcome};

use crate::attach::detached;
use crate::bridge::{Bridge, Message};
use crate::clock::Clock;
use crate::host::{Home, PythonObject};
use crate::{failed, text};

/// How often a blocking call looks for Ctrl-C.
const LOOK: Duration = Duration::from_millis(50);

/// Whose calls they are; made once for a scope.
#[pyclass(frozen, module = "xynergy._native")]
#[derive(Clone, Debug)]
pub(crate) struct Info(CallInfo);

#[pymethods]
impl Info {
    #[new]
    fn new(json: &str) -> PyResult<Self> {
        let info = CallInfo::from_json(json).map_err(failed)?;
        info.validate().map_err(failed)?;
        Ok(Self(info))
    }

    /// The same with what one call adds.
    #[pyo3(signature = (request_id, timeout_ms))]
    fn with_options(&self, request_id: Option<String>, timeout_ms: Option<u64>) -> PyResult<Self> {
        let mut info = self.0.clone();
        info.request_id = request_id.or(info.request_id);
        info.timeout_ms = timeout_ms.or(info.timeout_ms);
        info.validate().map_err(failed)?;
        Ok(Self(info))
    }
}

/// A client's engine.
#[pyclass(frozen, module = "xynergy._native")]
#[derive(Debug)]
pub(crate) struct Engine {
    engine: xynergy_bindings::Engine,
    home: Home,
}

#[pymethods]
impl Engine {
    /// `hosts` are pairs of a place, as `cache` or `providers.mine`, and the number of the object in it.
    #[new]
    #[pyo3(signature = (options, hosts, clock))]
    fn new(
        py: Python<'_>,
        options: PyBackedStr,
        hosts: Vec<(String, u64)>,
        clock: Option<&Bound<'_, Clock>>,
    ) -> PyResult<Self> {
        let home = Home::default();
        let clock = clock.map(|clock| clock.get().0.clone());
        let made = detached(py, || {
            let mut backends = Backends { clock, ..Backends::default() };
            for (place, key) in hosts {
                seat(&mut backends, &place, Arc::new(PythonObject::new(key, home.clone())))?;
            }
            text::check(&options)?;
            let options = Options::from_json(&options)?;
            xynergy_bindings::Engine::new(options, backends)
        });
        Ok(Self { engine: made.map_err(failed)?, home })
    }

    /// The number by which notices name it.
    #[getter]
    fn id(&self) -> u64 {
        self.engine.id()
    }

    #[getter]
    fn in_flight(&self) -> usize {
        self.engine.in_flight()
    }

    #[getter]
    fn is_closed(&self) -> bool {
        self.engine.is_closed()
    }

    /// Serves the host objects in this loop when a call has no loop of its own.
    fn live_in(&self, bridge: &Bridge) {
        self.home.store(Some(bridge.0.clone()));
    }

    /// A number for a call.
    fn next_call_id(&self) -> u64 {
        self.engine.next_call_id()
    }

    /// Starts a call. The result as text when it is there at once; else the number of the call, whose end comes through the bridge.
    fn start<'py>(
        &self,
        py: Python<'py>,
        bridge: &Bridge,
        method: PyBackedStr,
        info: &Info,
        arguments: PyBackedStr,
    ) -> PyResult<Bound<'py, PyAny>> {
        let id = self.engine.next_call_id();
        let queue = bridge.0.clone();
        let outcome = detached(py, || {
            if let Err(error) = text::check(&arguments) {
                return Some(Err(error.in_operation("arguments").into()));
            }
            let origin = queue.clone();
            self.engine.start_from(Some(origin), id, &method, &info.0, &arguments, move |outcome| {
                queue.push(Message::Ended(id, outcome));
            })
        });
        match outcome {
            None => id.into_bound_py_any(py),
            Some(Ok(json)) => json.into_bound_py_any(py),
            Some(Err(failure)) => Err(failed(failure)),
        }
    }

    /// Makes the call `id` and waits for it in this thread, without the interpreter's lock. Ctrl-C ends it.
    fn call(
        &self,
        py: Python<'_>,
        id: u64,
        bridge: Option<&Bridge>,
        method: PyBackedStr,
        info: &Info,
        arguments: PyBackedStr,
    ) -> PyResult<String> {
        let origin = bridge.map(|bridge| bridge.0.clone() as xynergy_bindings::Origin);
        let (sender, receiver) = channel::<Outcome>();
        let begun = detached(py, || {
            text::check(&arguments)?;
            let started = self.engine.start_from(origin, id, &method, &info.0, &arguments, move |outcome| {
                let _ = sender.send(outcome);
            });
            Ok::<_, Error>(started)
        });
        if let Some(outcome) = begun.map_err(failed)? {
            return outcome.map_err(failed);
        }
        let receiver = Mutex::new(receiver);
        loop {
            let waited =
                detached(py, || receiver.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(LOOK));
            match waited {
                Ok(outcome) => return outcome.map_err(failed),
                Err(RecvTimeoutError::Timeout) => {
                    py.check_signals().inspect_err(|_| {
                        self.engine.cancel(id);
                    })?;
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(failed(Error::new(ErrorKind::Cancelled, "client", "the call was cancelled")));
                }
            }
        }
    }

    /// Cancels a call.
    fn cancel(&self, py: Python<'_>, id: u64) -> bool {
        detached(py, || self.engine.cancel(id))
    }

    /// Closes a stream that is not read to its end.
    fn close_stream(&self, py: Python<'_>, stream: u64) {
        detached(py, || self.engine.close_stream(stream));
    }

    /// Closes it; the number of the call that ends when that is done.
    fn close(&self, bridge: &Bridge, grace_ms: u64) -> PyResult<u64> {
        let id = self.engine.next_call_id();
        let (engine, queue) = (self.engine.clone(), bridge.0.clone());
        let pool = xynergy_bindings::runtime::pool().map_err(failed)?;
        pool.handle().spawn(async move {
            engine.close(Duration::from_millis(grace_ms)).await;
            queue.push(Message::Ended(id, Ok("null".to_owned())));
        });
        Ok(id)
    }

    /// Closes it and waits in this thread.
    fn close_blocking(&self, py: Python<'_>, grace_ms: u64) {
        detached(py, || self.engine.close_blocking(Duration::from_millis(grace_ms)));
    }
}

fn seat(backends: &mut Backends, place: &str, host: Arc<dyn Host>) -> Result<(), xynergy_bindings::Failure> {
    let slot = match place {
        "cache" => &mut backends.cache,
        "crm" => &mut backends.crm,
        "ad_platform" => &mut backends.ad_platform,
        "secrets" => &mut backends.secrets,
        "stores.state" => &mut backends.state,
        "stores.clicks" => &mut backends.clicks,
        "stores.revenue" => &mut backends.revenue,
        other => {
            let (named, name) = match other.split_once('.') {
                Some(("providers", name)) => (&mut backends.providers, name),
                Some(("embedders", name)) => (&mut backends.embedders, name),
                _ => return Err(Error::invalid("client", format!("{other}: there is no such place")).into()),
            };
            named.insert(name.to_owned(), host);
            return Ok(());
        }
    };
    *slot = Some(host);
    Ok(())
}
