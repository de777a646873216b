//! Deals and contacts that any backend sends as signed webhooks: the scheme is Standard Webhooks'.
//!
//! A delivery is [verified](verify) on its raw bytes before anything of it is read.

mod backend;
mod config;
mod events;
mod signature;

pub use backend::{PropertyNames, WebhookCrm};
pub use config::WebhooksConfig;
pub use events::{Told, WebhookBatch, WebhookContact, is_event, parse_events};
pub use signature::{Delivery, verify};

use xynergy_core::Result;

/// Refuses a body that is greater than configured, before anything of it is read.
///
/// # Errors
/// [`LimitExceeded`](xynergy_core::ErrorKind::LimitExceeded) with `max_body_bytes` as the limit in its context: a server answers 413.
pub fn check_size(config: &WebhooksConfig, body: &[u8]) -> Result<()> {
    let checked = super::within(body, "webhooks.max_body_bytes", config.max_body_bytes);
    checked.map_err(|error| error.in_operation("webhooks.accept"))
}
