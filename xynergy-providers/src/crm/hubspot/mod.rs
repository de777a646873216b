//! HubSpot: its signed webhooks and the reads of deals and contacts.
//!
//! A delivery is [verified](verify) on its raw bytes, [parsed](parse_events) and stored by the caller before it
//! answers; [`Hubspot`] reads what the events do not carry.

mod backend;
mod config;
mod error;
mod events;
mod oauth;
mod pace;
mod signature;
mod wire;

pub use backend::Hubspot;
pub use config::{HubspotConfig, OAuthConfig, Signatures};
pub use events::{EventBatch, EventProblem, parse_events};
pub use signature::{Delivery, configured_address, verify};
