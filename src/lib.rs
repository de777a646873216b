//! AI routing, attribution, ad-budget allocation and safe ad-platform execution, embedded in your backend.
//!
//! A [`Client`] is built from one [`Config`]; a [`Scope`] is the client of one tenant, on which everything is done. The
//! client itself is the scope of the tenant `default`.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> xynergy::Result<()> {
//! # #[cfg(feature = "attribution")]
//! # {
//! use xynergy::{Client, Config, TenantId};
//!
//! let client = Client::new(Config::from_toml("version = 1")?)?; // in memory, nothing configured
//! let acme = client.scope(TenantId::new("acme")?);
//!
//! let line = br#"{"ts":"2026-03-01T12:00:00Z","url":"https://shop.example/?fbclid=IwAR1","ad_id":"1","adset_id":"2",
//!     "campaign_id":"3","ip":"192.0.2.7","user_agent":"Mozilla/5.0","consent":true}"#;
//! let click = acme.attribution().parse_click(line).await?.expect("the line is a click");
//! let tracked = acme.attribution().track_clicks(&[click], "today").await?;
//! assert_eq!(tracked.inserted, 1);
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! Every effect is a method of an area: [`Scope::ai`], [`Scope::attribution`], [`Scope::hubspot`], [`Scope::webhooks`], [`Scope::allocation`], [`Scope::winners`],
//! [`Scope::execution`], [`Scope::ads`], [`Scope::insights`]. Nothing runs in the background: the host calls, and what is due later says when.
#![forbid(unsafe_code)]

// The command line is made of the examples, and they say `xynergy`.
#[cfg(feature = "cli")]
extern crate self as xynergy;

#[cfg(feature = "cli")]
pub mod cli;
mod client;
mod config;
#[cfg(any(feature = "attribution", feature = "execution"))]
mod keys;
#[cfg(feature = "ai")]
mod ledger;
mod migration;
#[cfg(any(feature = "attribution", feature = "execution"))]
mod per_tenant;
#[cfg(feature = "sandbox")]
pub mod sandbox;
mod scope;
mod stores;

#[cfg(feature = "execution")]
pub mod ads;
#[cfg(feature = "ai")]
pub mod ai;
#[cfg(feature = "allocation")]
pub mod allocation;
#[cfg(feature = "attribution")]
pub mod attribution;
#[cfg(feature = "arrow")]
pub use xynergy_attribution::batch;
#[cfg(all(feature = "attribution", feature = "allocation", feature = "execution"))]
pub mod closed_loop;
#[cfg(feature = "allocation")]
mod documents;
#[cfg(feature = "allocation")]
pub mod evaluation;
#[cfg(feature = "execution")]
pub mod execution;
#[cfg(feature = "allocation")]
pub mod experiments;
pub mod health;
#[cfg(feature = "attribution")]
pub mod hubspot;
#[cfg(feature = "attribution")]
mod inbox;
#[cfg(feature = "logs")]
pub mod logs;
pub mod metrics;
#[cfg(feature = "otel")]
pub mod otel;
#[cfg(feature = "allocation")]
pub mod predict;
#[cfg(feature = "attribution")]
pub mod webhooks;
#[cfg(feature = "allocation")]
pub mod winners;

pub use client::{Client, ClientBuilder};
#[cfg(feature = "allocation")]
pub use config::AllocationConfig;
#[cfg(feature = "attribution")]
pub use config::AttributionConfig;
pub use config::{Config, StoreConfig};
#[cfg(feature = "postgres")]
pub use config::{DatabaseUrl, PostgresConfig};
#[cfg(all(feature = "redis", feature = "ai"))]
pub use config::{RedisConfig, RedisUrl};
pub use migration::Migration;
pub use scope::Scope;
pub use stores::Stores;

#[cfg(not(feature = "execution"))]
pub use xynergy_core::ads;
pub use xynergy_core::{
    Clock, Ctx, Currency, Entropy, Env, Error, ErrorKind, Minor, Result, Retry, TenantId, Timestamp,
};
pub use xynergy_core::{crm, embed, env, provider, store};

/// Credentials: where they are found, and how they are kept from every log.
pub mod secrets {
    pub use xynergy_core::config::{
        CachedSecrets, EnvSecrets, Secret, SecretRef, SecretSource, StaticSecrets,
    };
}
