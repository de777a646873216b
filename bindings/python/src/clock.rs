use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;
use xynergy_bindings::{ManualClock, Timestamp};

use crate::failed;

/// A clock that stands until it is moved.
#[pyclass(frozen, module = "xynergy._native")]
#[derive(Debug)]
pub(crate) struct Clock(pub(crate) Arc<ManualClock>);

fn read(text: &str) -> PyResult<Timestamp> {
    text.parse().map_err(|error: xynergy_bindings::Error| failed(error))
}

#[pymethods]
impl Clock {
    #[new]
    fn new(now: &str) -> PyResult<Self> {
        Ok(Self(Arc::new(ManualClock::new(read(now)?))))
    }

    fn now(&self) -> String {
        use xynergy_bindings::Clock as _;
        self.0.now().to_string()
    }

    fn set(&self, now: &str) -> PyResult<()> {
        self.0.set(read(now)?);
        Ok(())
    }

    fn advance(&self, micros: u64) {
        self.0.advance(Duration::from_micros(micros));
    }
}
