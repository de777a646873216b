//! Meta: budgets and statuses of ad sets and campaigns by the Marketing API, as a guarded
//! [`AdPlatform`](xynergy_core::ads::AdPlatform).
//!
//! Reads are repeated while Meta is away. A write is one request with one absolute value; what its answer means for a
//! repetition is told from Meta's codes, and whatever leaves that open is
//! [`Ambiguous`](xynergy_core::ads::WriteClass::Ambiguous).

mod activity;
mod backend;
mod config;
mod error;
mod insight;
mod request;
mod wire;

pub use backend::MetaAds;
pub use config::MetaConfig;
