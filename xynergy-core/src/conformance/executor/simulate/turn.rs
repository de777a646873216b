use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// Lets one worker go on from one place to the next, when it is its turn.
#[derive(Debug, Default)]
pub(super) struct Turn {
    place: Mutex<Option<&'static str>>,
    arrived: Notify,
    go: Notify,
}

/// Nothing is due for the worker.
pub(super) const IDLE: &str = "idle";
/// The request is under way: nothing but the platform's patience ends it.
pub(super) const SENDING: &str = "before the request arrives";

impl Turn {
    /// Waits at a place for the next turn. A worker that died never gets one.
    pub(super) async fn pass(&self, place: &'static str) {
        self.set(Some(place));
        self.arrived.notify_one();
        self.go.notified().await;
        self.set(None);
    }

    /// Where the worker waits.
    pub(super) fn place(&self) -> Option<&'static str> {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets it go on, and waits until it stands at its next place.
    pub(super) async fn take(&self) {
        self.go.notify_one();
        self.arrived.notified().await;
    }

    /// Waits until it stands at its first place.
    pub(super) async fn started(&self) {
        self.arrived.notified().await;
    }

    fn set(&self, place: Option<&'static str>) {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }
}
