//! The account of AI spend and the limits of rates in Redis, for many workers: every change is one atomic script, and all keys of a
//! tenant are in one slot of a cluster.
//!
//! Redis keeps what it is told to keep: switch its append-only file on, and let it evict nothing (`maxmemory-policy noeviction`).

mod config;
mod error;
mod ledger;
mod limiter;

pub use config::{RedisConfig, RedisUrl};
pub use ledger::RedisLedger;
pub use limiter::RedisLimiter;
