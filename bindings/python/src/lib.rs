//! The native module: a thin skin over `xynergy-bindings`.
//!
//! One rule keeps it free of deadlocks and of crashes at the interpreter's end: no thread of the library's ever takes the interpreter's lock.
//! What the library has to say goes into a [`bridge`], and a thread of Python's takes it from there. So nothing of Python's is held here
//! either: the host's objects are numbers, by which the Python side finds them.

mod arrow;
mod attach;
mod bridge;
mod clock;
mod engine;
mod host;
mod outbox;
mod sandbox;
mod text;

use std::time::Duration;

use pyo3::prelude::*;
use xynergy_bindings::{Failure, fork, runtime};

use crate::attach::detached;

pyo3::create_exception!(
    _native,
    Failed,
    pyo3::exceptions::PyException,
    "A call failed; its one argument is the failure as JSON."
);

/// A failure as the exception that the Python side turns into one of its own.
fn failed(failure: impl Into<Failure>) -> PyErr {
    Failed::new_err(failure.into().to_json())
}

/// Stops the threads of this process, as the interpreter ends.
#[pyfunction]
fn shutdown(py: Python<'_>, grace_ms: u64) {
    detached(py, || runtime::shutdown(Duration::from_millis(grace_ms)));
}

/// The process is about to fork: waits until no thread is in the middle of something, and keeps others out.
#[pyfunction]
fn before_fork() {
    fork::close();
}

/// The fork is over, in the parent.
#[pyfunction]
fn after_fork_in_parent() {
    fork::open();
}

/// The fork is over, in the child.
#[pyfunction]
fn after_fork_in_child() {
    attach::begin_anew();
    fork::open_in_child();
}

/// The least level of log lines that are handed over.
#[pyfunction]
fn set_log_level(name: &str) -> PyResult<()> {
    xynergy_bindings::set_log_level(name).map_err(failed)
}

/// The one form of a JSON text that is the same in every language.
#[pyfunction]
fn canonical_json(json: &str) -> PyResult<String> {
    xynergy_bindings::canonical_json(json).map_err(failed)
}

/// The command line; its exit code.
#[pyfunction]
fn command_line(py: Python<'_>, arguments: Vec<std::ffi::OsString>) -> u8 {
    detached(py, || xynergy_bindings::command_line(arguments))
}

#[pymodule]
mod _native {
    #[pymodule_export]
    use super::arrow::{ArrowBatches, arrow_attribute, arrow_credit, arrow_one_per_conversion};
    #[pymodule_export]
    use super::attach::keep_others_out;
    #[pymodule_export]
    use super::bridge::Bridge;
    #[pymodule_export]
    use super::clock::Clock;
    #[pymodule_export]
    use super::engine::{Engine, Info};
    #[pymodule_export]
    use super::outbox::wait_for_notices;
    #[pymodule_export]
    use super::sandbox::{Sandbox, check, start_sandbox};
    #[pymodule_export]
    use super::{
        Failed, after_fork_in_child, after_fork_in_parent, before_fork, canonical_json, command_line,
        set_log_level, shutdown,
    };

    #[pymodule_init]
    fn init(module: &pyo3::Bound<'_, pyo3::types::PyModule>) -> pyo3::PyResult<()> {
        use pyo3::types::PyModuleMethods;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
