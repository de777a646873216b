use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use xynergy::provider::ChatResponse;
use xynergy::{Result, TenantId, Timestamp};
use xynergy_core::cache::{CacheEntry, CacheKey, ResponseCache};

use super::{Host, Seat};

/// A response cache of the host's.
#[derive(Clone, Debug)]
pub struct HostCache(Seat);

impl HostCache {
    /// The cache behind `host`.
    pub fn new(host: Arc<dyn Host>, timeout: Duration) -> Self {
        Self(Seat::new("cache", host, timeout))
    }
}

#[derive(Serialize)]
struct Get<'a> {
    tenant: &'a TenantId,
    key: String,
    now: Timestamp,
}

#[derive(Serialize)]
struct Put<'a> {
    tenant: &'a TenantId,
    key: String,
    response: &'a ChatResponse,
    expires_at: Timestamp,
}

#[derive(Serialize)]
struct Invalidate<'a> {
    tenant: &'a TenantId,
    pattern: &'a str,
}

#[async_trait]
impl ResponseCache for HostCache {
    fn name(&self) -> &str {
        "host"
    }

    async fn get(
        &self,
        tenant: &TenantId,
        key: &CacheKey,
        now: Timestamp,
    ) -> Result<Option<Arc<ChatResponse>>> {
        let found: Option<ChatResponse> =
            self.0.call("get", &Get { tenant, key: key.stored_name(tenant), now }).await?;
        Ok(found.map(Arc::new))
    }

    async fn put(&self, tenant: &TenantId, key: &CacheKey, entry: CacheEntry) -> Result<()> {
        let key = key.stored_name(tenant);
        let put = Put { tenant, key, response: &entry.response, expires_at: entry.expires_at };
        self.0.call::<serde::de::IgnoredAny>("put", &put).await.map(drop)
    }

    async fn invalidate(&self, tenant: &TenantId, pattern: &str) -> Result<u64> {
        self.0.call("invalidate", &Invalidate { tenant, pattern }).await
    }
}
