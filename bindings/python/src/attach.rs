//! How a thread lets the interpreter go and comes back.
//!
//! Before Python 3.14 a thread that comes back while the interpreter ends is ended right there, by unwinding through whatever is on its
//! stack. That is no place for frames of ours: such a thread sleeps here instead, as it does in later versions of Python.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pyo3::marker::Ungil;
use pyo3::prelude::*;

/// Who is on the way back gets the lock within this time, unless the host keeps it from everybody.
const PATIENCE: Duration = Duration::from_secs(2);

static ENDING: AtomicBool = AtomicBool::new(false);
static RETURNING: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Whether this is the thread that ends the interpreter.
    static ENDS: Cell<bool> = const { Cell::new(false) };
}

/// On its way back to the interpreter, until it is dropped there.
struct Returning;

impl Returning {
    fn enter() -> Self {
        RETURNING.fetch_add(1, Ordering::SeqCst);
        if ENDING.load(Ordering::SeqCst) && !ENDS.get() {
            RETURNING.fetch_sub(1, Ordering::SeqCst);
            loop {
                std::thread::park();
            }
        }
        Self
    }
}

impl Drop for Returning {
    fn drop(&mut self) {
        // In a child of a fork the count began anew.
        let _ = RETURNING.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| count.checked_sub(1));
    }
}

/// Does something without the interpreter's lock.
pub(crate) fn detached<T: Ungil + Send>(py: Python<'_>, work: impl FnOnce() -> T + Ungil + Send) -> T {
    let (done, _returning) = py.detach(|| (work(), Returning::enter()));
    done
}

/// From now on only this thread comes back: the interpreter ends.
#[pyfunction]
pub(crate) fn keep_others_out(py: Python<'_>) {
    ENDS.set(true);
    ENDING.store(true, Ordering::SeqCst);
    detached(py, || {
        let begun = Instant::now();
        while RETURNING.load(Ordering::SeqCst) > 0 && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_micros(50));
        }
    });
}

/// In the child of a fork, where there is only this thread.
pub(crate) fn begin_anew() {
    RETURNING.store(0, Ordering::SeqCst);
    ENDING.store(false, Ordering::SeqCst);
}
