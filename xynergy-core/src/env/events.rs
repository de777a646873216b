use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::Timestamp;
use crate::ctx::{Ctx, TenantId};

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

/// A type of event: its name, and the part of the library that speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventType {
    /// As `ai.request`.
    pub name: &'static str,
    /// As `ai`.
    pub source_service: &'static str,
}

impl Event {
    /// An AI call that is over.
    pub const AI_REQUEST: EventType = of("ai.request", "ai");

    /// Every type that there is.
    pub const TYPES: &[EventType] = &[Self::AI_REQUEST];
}

const fn of(name: &'static str, source_service: &'static str) -> EventType {
    EventType { name, source_service }
}

impl Ctx {
    /// Sends an event of this call, now.
    pub fn emit(&self, event: EventType, payload: serde_json::Value) {
        self.emit_caused(event, None, payload);
    }

    /// The same with what caused it: another event or request.
    pub fn emit_caused(&self, event: EventType, cause: Option<String>, payload: serde_json::Value) {
        let entropy = &self.env.entropy;
        self.env.events.emit(Event {
            event_type: event.name,
            event_id: format!("evt_{:016x}{:016x}", entropy.next_u64(), entropy.next_u64()),
            timestamp: self.env.clock.now(),
            tenant_id: self.tenant.clone(),
            source_service: event.source_service,
            payload,
            metadata: EventMetadata {
                correlation_id: self.request_id.as_ref().to_owned(),
                causation_id: cause,
                schema_version: 1,
            },
        });
    }
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

    /// Whether it does anything with them. Where it does not, none is made.
    fn is_wanted(&self) -> bool {
        true
    }
}

/// Drops every event.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEvents;

impl EventSink for NoEvents {
    fn emit(&self, _event: Event) {}

    fn is_wanted(&self) -> bool {
        false
    }
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
