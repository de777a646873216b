//! Answers kept for the same question again. A hit costs nothing and never crosses a tenant.

mod key;
mod memory;

pub use key::CacheKey;
pub use memory::MemoryCache;

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ctx::TenantId;
use crate::env::Timestamp;
use crate::error::Result;
use crate::provider::ChatResponse;

/// A kept answer.
#[derive(Clone, Debug)]
pub struct CacheEntry {
    /// The answer, complete.
    pub response: Arc<ChatResponse>,
    /// From when on it is no longer served.
    pub expires_at: Timestamp,
}

/// Where answers are kept. An error is taken as a miss: a cache that is away must not fail a call.
#[async_trait]
pub trait ResponseCache: Send + Sync + Debug + 'static {
    /// What it is, as `memory`.
    fn name(&self) -> &str;

    /// The answer under `key`, unless it has expired at `now`.
    async fn get(
        &self,
        tenant: &TenantId,
        key: &CacheKey,
        now: Timestamp,
    ) -> Result<Option<Arc<ChatResponse>>>;

    /// Keeps an answer, replacing an older one. It may be dropped again at any time, for room.
    async fn put(&self, tenant: &TenantId, key: &CacheKey, entry: CacheEntry) -> Result<()>;

    /// Drops the tenant's answers that match `pattern`, in which `*` stands for anything: against
    /// `ai_routing:response:TENANT:HASH`, or against the `provider/model` that answered. Returns how many.
    async fn invalidate(&self, tenant: &TenantId, pattern: &str) -> Result<u64>;
}

/// How the cache fares, per tenant and process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CacheStats {
    /// Answers from the cache, or shared with an equal request in flight.
    pub hits: u64,
    /// Requests that had to be sent.
    pub misses: u64,
    /// Hits of all requests, in percent.
    pub hit_rate: f64,
    /// Hits and misses.
    pub total_requests: u64,
    /// Whether the cache is on.
    pub enabled: bool,
    /// For how many seconds an answer is kept.
    pub ttl_seconds: u64,
    /// What keeps it, as `memory`.
    pub provider: String,
    /// Whether answers are found by meaning as well.
    pub semantic_enabled: bool,
    /// Whether limits of answers are sized.
    pub token_optimization_enabled: bool,
}

/// Whether `text` matches `pattern`, in which `*` stands for anything. Linear in practice: no other wildcard exists.
pub fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut rest = rest;
    let mut last = None;
    for part in parts {
        if let Some(middle) = last.replace(part) {
            match rest.find(middle) {
                Some(at) => rest = &rest[at + middle.len()..],
                None => return false,
            }
        }
    }
    match last {
        Some(end) => rest.ends_with(end),
        None => rest.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_match_anything() {
        for (pattern, text) in [
            ("*", ""),
            ("a*", "abc"),
            ("*c", "abc"),
            ("a*b*c", "axxbyyc"),
            ("openai/*", "openai/gpt-4o"),
            ("ab", "ab"),
            ("a**c", "abc"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("", "a"), ("a", "ab"), ("a*b*b", "ab"), ("*b", "abc"), ("ab*ba", "aba")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
