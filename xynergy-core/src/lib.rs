//! Types, traits, pure decisions and in-memory backends of the Xynergy SDK.
//!
//! Nothing here talks to anything: backends with I/O are in `xynergy-providers`, and hosts use both through the
//! `xynergy` crate.

#![forbid(unsafe_code)]

pub mod ads;
pub mod cache;
pub mod client;
pub mod config;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod crm;
pub mod ctx;
pub mod embed;
pub mod env;
pub mod error;
pub mod execution;
pub mod health;
pub mod json;
pub mod layer;
pub mod layers;
pub mod metrics;
pub mod money;
pub mod provider;
pub mod rate;
pub mod registry;
pub mod route;
pub mod spend;
pub mod store;
pub mod tokens;
pub mod vector;

pub use ctx::{Ctx, TenantId};
pub use env::{Clock, Entropy, Env, Timestamp};
pub use error::{Error, ErrorKind, Result, Retry};
pub use money::{Currency, Minor};
