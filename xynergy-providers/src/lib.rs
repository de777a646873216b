//! Backends of the Xynergy SDK: everything that talks to something.
//!
//! Each is behind a feature, implements a trait of `xynergy-core` and is built from its part of the configuration.

#![forbid(unsafe_code)]

#[cfg(feature = "meta")]
pub mod ads;
#[cfg(feature = "ai")]
pub mod ai;
#[cfg(feature = "hubspot")]
pub mod crm;
#[cfg(feature = "http-client")]
pub mod http;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(feature = "ai")]
pub mod registry;
#[cfg(feature = "sandbox")]
pub mod sandbox;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "redis"))]
mod spend;
pub mod store;
#[cfg(any(feature = "ring", feature = "postgres", feature = "redis"))]
mod tls;
#[cfg(feature = "vector")]
pub mod vector;
