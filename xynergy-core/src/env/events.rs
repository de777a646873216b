use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;

use super::Timestamp;
use crate::ctx::{Ctx, TenantId};

/// One event of the library, in the envelope that all of them share. `docs/observing.md` lists them.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
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
    /// What belongs to this type of event; never a secret, a prompt, an answer or what identifies a person.
    pub payload: Value,
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

/// A type of event. There are no others than those of [`EventType::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventType {
    name: &'static str,
    source_service: &'static str,
}

macro_rules! types {
    ($($constant:ident = $source:literal $name:literal, $about:literal;)*) => {
        impl EventType {
            $(#[doc = $about] pub const $constant: Self = Self { name: $name, source_service: $source };)*

            /// Every type that there is.
            pub const ALL: &[Self] = &[$(Self::$constant),*];
        }
    };
}

types! {
    AI_REQUEST = "ai" "ai.request", "An AI call is over.";
    ALLOCATION_MADE = "allocation" "allocation.made", "Budgets were drawn.";
    BREAKER_CLOSED = "ai" "breaker.closed", "A model of a provider works again.";
    BREAKER_OPENED = "ai" "breaker.opened", "A model of a provider is not asked for a while.";
    CANARY_ADVANCED = "ai" "canary.advanced", "The candidate of a canary route has a greater share, or all.";
    CANARY_ROLLED_BACK = "ai" "canary.rolled_back", "The candidate of a canary route is worse and has no calls any more.";
    CHANGE_APPROVED = "execution" "change.approved", "Somebody approved a budget change.";
    CHANGE_BLOCKED = "execution" "change.blocked", "A budget change may not be made, for good or until `retry_at`.";
    CHANGE_COMPLETED = "execution" "change.completed", "A budget change took effect.";
    CHANGE_FAILED = "execution" "change.failed", "The ad platform refused a budget change.";
    CHANGE_INTENT = "execution" "change.intent", "The intent of a budget change is written; it is sent next.";
    CHANGE_NEEDS_HUMAN = "execution" "change.needs_human", "A budget change waits for a person's verdict.";
    CHANGE_QUEUED = "execution" "change.queued", "A budget change is stored, to be made later.";
    CHANGE_REQUEUED = "execution" "change.requeued", "A budget change waits again.";
    CHANGE_UNKNOWN = "execution" "change.unknown", "Whether a budget change took effect is not known yet.";
    CLICKS_TRACKED = "attribution" "clicks.tracked", "A batch of clicks is stored.";
    DEAL_ATTRIBUTED = "attribution" "deal.attributed", "The click behind a deal was looked for.";
    DELIVERY_ACCEPTED = "hubspot" "delivery.accepted", "A delivery of the CRM is stored.";
    INSIGHTS_REPORT = "ads" "insights.report", "How far a report of the ad platform is.";
    KILL_SWITCHED = "execution" "kill_switch.switched", "A kill switch was switched on or off.";
    PRICES_LOADED = "ai" "prices.loaded", "Another price list holds.";
    REVENUE_CHANGED = "attribution" "revenue.changed", "What a deal is worth was booked.";
    SPEND_LIMIT_CROSSED = "ai" "spend.limit_crossed", "A soft spend limit is used up.";
    STAGES_REVALUED = "attribution" "stages.revalued", "The pipeline stages have other values.";
}

impl EventType {
    /// As `ai.request`.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The part of the library that speaks, as `ai`.
    pub const fn source_service(self) -> &'static str {
        self.source_service
    }
}

impl Event {
    /// An event of this call, now.
    pub fn new(ctx: &Ctx, event: EventType, payload: Value) -> Self {
        let entropy = &ctx.env.entropy;
        let id = format!("evt_{:016x}{:016x}", entropy.next_u64(), entropy.next_u64());
        Self::with_id(ctx, event, id, payload)
    }

    /// The same with an id that follows from what happened, so that telling it twice is seen.
    pub fn with_id(ctx: &Ctx, event: EventType, event_id: impl Into<String>, payload: Value) -> Self {
        Self {
            event_type: event.name,
            event_id: event_id.into(),
            timestamp: ctx.env.clock.now(),
            tenant_id: ctx.tenant.clone(),
            source_service: event.source_service,
            payload,
            metadata: EventMetadata {
                correlation_id: ctx.request_id.as_ref().to_owned(),
                causation_id: None,
                schema_version: 1,
            },
        }
    }

    /// The same event with what caused it: another event, or a request.
    #[must_use]
    pub fn caused_by(mut self, cause: Option<String>) -> Self {
        self.metadata.causation_id = cause;
        self
    }
}

impl Ctx {
    /// Sends an event of this call, where somebody listens: `payload` is not made otherwise.
    pub fn emit(&self, event: EventType, payload: impl FnOnce() -> Value) {
        if self.env.events.is_wanted() {
            self.env.events.emit(Event::new(self, event, payload()));
        }
    }
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
