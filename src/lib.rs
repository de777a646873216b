//! AI routing, attribution, ad-budget allocation and safe ad-platform execution, embedded in your backend.
//!
//! A [`Client`] is built from one [`Config`]; a [`Scope`] is the client of one tenant, on which everything is done. The
//! client itself is the scope of the tenant `default`.
#![forbid(unsafe_code)]

mod client;
mod config;
#[cfg(any(feature = "attribution", feature = "execution"))]
mod keys;
#[cfg(feature = "sandbox")]
pub mod sandbox;
mod scope;
mod stores;

#[cfg(feature = "ai")]
pub mod ai;
#[cfg(feature = "allocation")]
pub mod allocation;
#[cfg(feature = "attribution")]
pub mod attribution;
#[cfg(feature = "execution")]
pub mod execution;
#[cfg(feature = "attribution")]
pub mod hubspot;

pub use client::{Client, ClientBuilder};
#[cfg(feature = "attribution")]
pub use config::AttributionConfig;
pub use config::{Config, StoreConfig};
pub use scope::Scope;
pub use stores::Stores;

pub use xynergy_core::{
    Clock, Ctx, Currency, Entropy, Env, Error, ErrorKind, Minor, Result, Retry, TenantId, Timestamp,
};
pub use xynergy_core::{ads, crm, env, provider, store};

/// Credentials: where they are found, and how they are kept from every log.
pub mod secrets {
    pub use xynergy_core::config::{EnvSecrets, Secret, SecretRef, SecretSource, StaticSecrets};
}
