//! Backends of the Xynergy SDK: everything that talks to something.

#![forbid(unsafe_code)]

#[cfg(feature = "ai")]
pub mod ai;
#[cfg(feature = "http-client")]
pub mod http;
#[cfg(feature = "ai")]
pub mod registry;
