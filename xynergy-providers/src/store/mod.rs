//! Durable stores.

#[cfg(feature = "sqlite")]
pub mod sqlite;
