//! Brings the process's one outbox of events and log lines to the environments that asked for them.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use xynergy_bindings::outbox::Item;
use xynergy_bindings::{Failure, runtime};

use crate::json::mark_great_integers;
use crate::mailbox::Mailbox;

/// Where events of an engine go, or log lines.
struct Route {
    /// The engine; log lines when absent.
    engine: Option<u64>,
    to: Weak<Mailbox>,
}

static ROUTES: OnceLock<Mutex<Vec<Route>>> = OnceLock::new();

/// Sends the events of `engine`, or all log lines, to `mailbox` until [`leave`] or the end of its environment.
pub(crate) fn join(engine: Option<u64>, mailbox: &Arc<Mailbox>) -> Result<(), Failure> {
    let pool = runtime::pool()?;
    let routes = ROUTES.get_or_init(|| {
        // The waker must not touch the outbox, so the work is done on the pool.
        pool.outbox().set_waker(move || drop(pool.handle().spawn(async { deliver() })));
        Mutex::default()
    });
    routes.lock().unwrap_or_else(PoisonError::into_inner).push(Route { engine, to: Arc::downgrade(mailbox) });
    // What was there before the waker was set.
    drop(pool.handle().spawn(async { deliver() }));
    Ok(())
}

/// Ends what [`join`] began.
pub(crate) fn leave(engine: Option<u64>, mailbox: &Arc<Mailbox>) {
    let Some(routes) = ROUTES.get() else { return };
    let gone = Arc::downgrade(mailbox);
    routes
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .retain(|route| route.to.strong_count() > 0 && (route.engine != engine || !route.to.ptr_eq(&gone)));
}

fn deliver() {
    let (Ok(pool), Some(routes)) = (runtime::pool(), ROUTES.get()) else { return };
    let routes = routes.lock().unwrap_or_else(PoisonError::into_inner);
    let (items, dropped) = pool.outbox().take();
    for item in items {
        let (engine, entry) = match item {
            Item::Event { engine, event } => (Some(engine), format!("[5,{engine},{event}]")),
            Item::Log(record) => {
                let Ok(record) = serde_json::to_string(&record) else { continue };
                (None, format!("[6,0,{}]", mark_great_integers(&record)))
            }
        };
        send(&routes, engine, &entry);
    }
    if dropped > 0 {
        send(
            &routes,
            None,
            &format!(
                r#"[6,0,{{"level":"warn","target":"xynergy","message":"{dropped} log lines or events were dropped: they came faster than they were taken","fields":{{}}}}]"#
            ),
        );
    }
}

fn send(routes: &[Route], engine: Option<u64>, entry: &str) {
    for route in routes.iter().filter(|route| route.engine == engine) {
        if let Some(mailbox) = route.to.upgrade() {
            mailbox.push(entry);
        }
    }
}
