//! Backends of the Xynergy SDK: everything that talks to something.

#![forbid(unsafe_code)]

#[cfg(feature = "http-client")]
pub mod http;
