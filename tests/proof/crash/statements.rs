//! Counts the SQL statements of this process, and ends it at one of them.
//!
//! SQLite calls an automatic extension for each connection that is opened, whoever opens it: the store needs no hook.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rusqlite::ffi;

static ARMED: AtomicBool = AtomicBool::new(false);
static SEEN: AtomicU64 = AtomicU64::new(0);
static STOP_AT: AtomicU64 = AtomicU64::new(0);

/// Watches every connection that is opened from now on.
pub(crate) fn watch() {
    // SAFETY: the function below has the signature that SQLite asks for, opens and closes nothing, and lives as long as
    // the process.
    unsafe { rusqlite::auto_extension::register_auto_extension(on_open) }.unwrap();
}

/// Counts from now on, and ends the process at the point of this number; 0 for never.
pub(crate) fn arm(stop_at: u64) {
    STOP_AT.store(stop_at, Ordering::SeqCst);
    ARMED.store(true, Ordering::SeqCst);
}

/// How many points were passed since.
pub(crate) fn disarm() -> u64 {
    ARMED.store(false, Ordering::SeqCst);
    SEEN.load(Ordering::SeqCst)
}

unsafe extern "C" fn on_open(
    db: *mut ffi::sqlite3,
    _error: *mut *mut c_char,
    _api: *const ffi::sqlite3_api_routines,
) -> c_int {
    let events = ffi::SQLITE_TRACE_STMT | ffi::SQLITE_TRACE_PROFILE;
    // SAFETY: SQLite hands over a connection that is open.
    unsafe { ffi::sqlite3_trace_v2(db, events, Some(on_event), null_mut()) }
}

/// A statement, or one of a trigger, is about to begin; or a transaction was just committed.
unsafe extern "C" fn on_event(
    event: c_uint,
    _context: *mut c_void,
    statement: *mut c_void,
    _detail: *mut c_void,
) -> c_int {
    // SAFETY: both events come with a statement that is not finalized; its text is kept as long as it is.
    let ends = || unsafe {
        let sql = ffi::sqlite3_sql(statement.cast());
        !sql.is_null() && CStr::from_ptr(sql).to_bytes() == b"COMMIT"
    };
    if event != ffi::SQLITE_TRACE_STMT && !ends() {
        return 0;
    }
    if ARMED.load(Ordering::SeqCst) {
        let point = SEEN.fetch_add(1, Ordering::SeqCst) + 1;
        if point == STOP_AT.load(Ordering::SeqCst) {
            // Nothing is unwound, flushed or closed.
            std::process::abort();
        }
    }
    0
}
