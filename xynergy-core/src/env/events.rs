use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::Timestamp;
use crate::ctx::TenantId;

/// One event of the library, in the envelope that all of them share.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// What happened, as `ai.request` or `change.completed`.
    pub event_type: &'static str,
    /// Unique; the same event sent twice has the same id.
    pub event_id: String,
    /// When it happened.
    pub timestamp: Timestamp,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The part of the library that speaks.
    pub source_service: &'static str,
    /// What belongs to this type of event; never a secret, a prompt or an answer.
    pub payload: serde_json::Value,
    /// Where it comes from.
    pub metadata: EventMetadata,
}

/// What ties events together.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EventMetadata {
    /// The same for all events of one call or one change.
    pub correlation_id: String,
    /// The event or request that caused this one.
    pub causation_id: Option<String>,
    /// The version of the payload's shape.
    pub schema_version: u32,
}

/// Where events go. It must not block: a sink that writes somewhere queues and returns.
pub trait EventSink: Send + Sync + fmt::Debug + 'static {
    /// Takes one event.
    fn emit(&self, event: Event);
}

/// Drops every event.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEvents;

impl EventSink for NoEvents {
    fn emit(&self, _event: Event) {}
}

/// Keeps events in memory, for tests.
#[derive(Debug, Default)]
pub struct MemoryEvents(Mutex<Vec<Event>>);

impl MemoryEvents {
    /// Takes out what was kept.
    pub fn drain(&self) -> Vec<Event> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl EventSink for MemoryEvents {
    fn emit(&self, event: Event) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }
}
