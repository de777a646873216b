use std::time::Duration;

use pyo3::prelude::*;
use xynergy_bindings::runtime;

use crate::attach::detached;
use crate::failed;

/// Waits for log lines and events, at most so long: how many were dropped since the last time, and a JSON array of them. `None` when there
/// will be no more.
#[pyfunction]
pub(crate) fn wait_for_notices(py: Python<'_>, timeout_ms: u64) -> PyResult<Option<(u64, Option<String>)>> {
    let waited = detached(py, || {
        let outbox = runtime::pool()?.outbox();
        let waited = outbox.wait(Duration::from_millis(timeout_ms));
        Ok(waited.map(|(items, dropped)| {
            let json = (!items.is_empty()).then(|| serde_json::to_string(&items).unwrap_or_default());
            (dropped, json)
        }))
    });
    waited.map_err(|error: xynergy_bindings::Error| failed(error))
}
