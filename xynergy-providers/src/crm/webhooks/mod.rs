//! Deals and contacts that any backend sends as signed webhooks: the scheme is Standard Webhooks'.
//!
//! A delivery is [verified](verify) on its raw bytes before anything of it is read.

mod config;
mod signature;

pub use config::WebhooksConfig;
pub use signature::{Delivery, verify};
