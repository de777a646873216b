//! Meta by the Marketing API as a guarded [`AdPlatform`](xynergy_core::ads::AdPlatform): budgets, bids and statuses of ad sets and
//! campaigns; campaigns, ad sets, ads, creatives and videos themselves; and what ads did.
//!
//! Reads are repeated while Meta is away. A write is one request with one absolute value; what its answer means for a
//! repetition is told from Meta's codes, and whatever leaves that open is
//! [`Ambiguous`](xynergy_core::ads::WriteClass::Ambiguous). What Meta's usage headers say spaces reads out, and holds everything
//! back before Meta would.
//!
//! A created object has a tag with its nonce behind its name, as `Spring [xy:9f86d081884c7d65]`: Meta has no key of idempotency
//! and no hidden field of objects that a list can be filtered by, but campaigns, ad sets and ads by a part of their names
//! (`filtering`) and videos by their title. Creatives are read through. Labels would need a second write for each object.

mod activity;
mod backend;
mod client;
mod config;
mod error;
mod insight;
mod object;
mod pace;
mod report;
mod request;
mod wire;

pub use backend::MetaAds;
pub use config::MetaConfig;
