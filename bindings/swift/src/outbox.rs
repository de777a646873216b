//! Logs and events on their way to Swift.

use std::sync::OnceLock;

use serde_json::json;
use tokio::sync::Notify;
use xynergy_bindings::runtime::pool;

use crate::failure::NativeError;

/// Waits for logs and events, and takes them: `{"items": [...], "dropped": n}`. There is one taker for the process.
///
/// # Errors
/// The system gives no threads for the pool.
#[uniffi::export]
pub async fn next_items() -> Result<String, NativeError> {
    static ARRIVED: OnceLock<Notify> = OnceLock::new();
    let outbox = pool()?.outbox();
    let arrived = ARRIVED.get_or_init(|| {
        outbox.set_waker(|| ARRIVED.get().into_iter().for_each(Notify::notify_one));
        Notify::new()
    });
    loop {
        let (items, dropped) = outbox.take();
        if !items.is_empty() {
            return Ok(json!({"items": items, "dropped": dropped}).to_string());
        }
        arrived.notified().await;
    }
}

/// The least level that is logged: `off`, `error`, `warn`, `info`, `debug` or `trace`.
///
/// # Errors
/// Another name.
#[uniffi::export]
pub fn set_log_level(name: &str) -> Result<(), NativeError> {
    Ok(xynergy_bindings::set_log_level(name)?)
}
