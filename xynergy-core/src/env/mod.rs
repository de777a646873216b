//! What a decision takes from the world: time, randomness, HTTP and a place for events.
//!
//! They are traits so that everything replays: the same inputs, clock and seed give the same bytes.

mod clock;
mod entropy;
mod events;
mod http;

pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use entropy::{Entropy, SeededEntropy, SystemEntropy};
pub use events::{Event, EventMetadata, EventSink, EventType, MemoryEvents, NoEvents};
pub use http::{HttpBody, HttpFailure, HttpPhase, HttpRequest, HttpResponse, HttpSend};

use std::sync::Arc;

/// The environment that a call runs in.
#[derive(Clone, Debug)]
pub struct Env {
    /// The time of every decision and every stored row.
    pub clock: Arc<dyn Clock>,
    /// The randomness of ids, jitter and draws.
    pub entropy: Arc<dyn Entropy>,
    /// Where events go.
    pub events: Arc<dyn EventSink>,
}

impl Default for Env {
    /// The system's clock and randomness, and no event sink.
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy), events: Arc::new(NoEvents) }
    }
}
