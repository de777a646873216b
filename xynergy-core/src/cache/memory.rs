use std::sync::Arc;

use async_trait::async_trait;
use moka::sync::Cache;

use super::{CacheEntry, CacheKey, ResponseCache, matches};
use crate::ctx::TenantId;
use crate::env::Timestamp;
use crate::error::Result;
use crate::provider::ChatResponse;

/// A [`ResponseCache`] in memory, bounded by the bytes of its answers. For one process, gone with it.
#[derive(Debug)]
pub struct MemoryCache(Cache<(TenantId, CacheKey), CacheEntry>);

impl MemoryCache {
    /// A cache of at most `max_bytes`.
    pub fn new(max_bytes: u64) -> Self {
        Self(Cache::builder().max_capacity(max_bytes).weigher(|_, entry| weight(entry)).build())
    }
}

/// The bytes of an answer as JSON, with some for what surrounds it.
fn weight(entry: &CacheEntry) -> u32 {
    let bytes =
        serde_json::to_vec(&*entry.response).map_or(usize::MAX, |json| json.len().saturating_add(256));
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

#[async_trait]
impl ResponseCache for MemoryCache {
    fn name(&self) -> &str {
        "memory"
    }

    async fn get(
        &self,
        tenant: &TenantId,
        key: &CacheKey,
        now: Timestamp,
    ) -> Result<Option<Arc<ChatResponse>>> {
        let key = (tenant.clone(), *key);
        match self.0.get(&key) {
            Some(entry) if now < entry.expires_at => Ok(Some(entry.response)),
            Some(_) => {
                self.0.invalidate(&key);
                Ok(None)
            }
            None => Ok(None),
        }
    }

    async fn put(&self, tenant: &TenantId, key: &CacheKey, entry: CacheEntry) -> Result<()> {
        self.0.insert((tenant.clone(), *key), entry);
        Ok(())
    }

    async fn invalidate(&self, tenant: &TenantId, pattern: &str) -> Result<u64> {
        let mut dropped = 0;
        for (key, entry) in &self.0 {
            let (owner, name) = &*key;
            let report = &entry.response.report;
            let hit = owner == tenant
                && (matches(pattern, &name.stored_name(tenant))
                    || matches(pattern, &format!("{}/{}", report.provider, report.model)));
            if hit && self.0.remove(&*key).is_some() {
                dropped += 1;
            }
        }
        Ok(dropped)
    }
}
