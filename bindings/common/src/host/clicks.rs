use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use xynergy::store::{AdClicks, Around, Candidate, Click, ClickStore, Erased, KeyedHash, Pruned, Tracked};
use xynergy::{Result, TenantId, Timestamp};

use super::{Host, Seat};

/// A store of clicks of the host's.
#[derive(Clone, Debug)]
pub struct HostClicks(Seat);

impl HostClicks {
    /// The store behind `host`.
    pub fn new(host: Arc<dyn Host>, timeout: Duration) -> Self {
        Self(Seat::new("stores.clicks", host, timeout))
    }
}

#[derive(Serialize)]
struct Track<'a> {
    tenant: &'a TenantId,
    clicks: &'a [Click],
    source: &'a str,
}

#[derive(Serialize)]
struct Candidates<'a> {
    tenant: &'a TenantId,
    keys: &'a [KeyedHash],
    from: Timestamp,
    to: Timestamp,
}

#[derive(Serialize)]
struct Networks<'a> {
    tenant: &'a TenantId,
    networks: &'a [KeyedHash],
    from: Timestamp,
    to: Timestamp,
    limit: usize,
}

#[derive(Serialize)]
struct Prune<'a> {
    tenant: &'a TenantId,
    before: Timestamp,
}

#[derive(Serialize)]
struct Erase<'a> {
    tenant: &'a TenantId,
    keys: &'a [KeyedHash],
}

#[derive(Serialize)]
struct Days<'a> {
    tenant: &'a TenantId,
    from: Timestamp,
    to: Timestamp,
}

#[derive(Serialize)]
struct Count<'a> {
    tenant: &'a TenantId,
    source: Option<&'a str>,
}

#[async_trait]
impl ClickStore for HostClicks {
    async fn track(&self, tenant: &TenantId, clicks: &[Click], source: &str) -> Result<Tracked> {
        self.0.call("track", &Track { tenant, clicks, source }).await
    }

    async fn candidates(
        &self,
        tenant: &TenantId,
        keys: &[KeyedHash],
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Candidate>> {
        self.0.call("candidates", &Candidates { tenant, keys, from, to }).await
    }

    async fn around(
        &self,
        tenant: &TenantId,
        networks: &[KeyedHash],
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Around> {
        self.0.call("around", &Networks { tenant, networks, from, to, limit }).await
    }

    async fn prune(&self, tenant: &TenantId, before: Timestamp) -> Result<Pruned> {
        self.0.call("prune", &Prune { tenant, before }).await
    }

    async fn erase(&self, tenant: &TenantId, keys: &[KeyedHash]) -> Result<Erased> {
        self.0.call("erase", &Erase { tenant, keys }).await
    }

    async fn clicks_by_ad(&self, tenant: &TenantId, from: Timestamp, to: Timestamp) -> Result<Vec<AdClicks>> {
        self.0.call("clicks_by_ad", &Days { tenant, from, to }).await
    }

    async fn count(&self, tenant: &TenantId, source: Option<&str>) -> Result<u64> {
        self.0.call("count", &Count { tenant, source }).await
    }
}
