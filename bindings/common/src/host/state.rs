use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use xynergy::store::{Document, StateStore};
use xynergy::{Result, TenantId};

use super::{Host, Seat};

/// A store of small documents of the host's.
#[derive(Clone, Debug)]
pub struct HostState(Seat);

impl HostState {
    /// The store behind `host`.
    pub fn new(host: Arc<dyn Host>, timeout: Duration) -> Self {
        Self(Seat::new("stores.state", host, timeout))
    }
}

#[derive(Serialize)]
struct Get<'a> {
    tenant: &'a TenantId,
    collection: &'a str,
    key: &'a str,
}

#[derive(Serialize)]
struct Put<'a> {
    tenant: &'a TenantId,
    collection: &'a str,
    key: &'a str,
    expected: Option<u64>,
    value: &'a str,
}

#[derive(Serialize)]
struct List<'a> {
    tenant: &'a TenantId,
    collection: &'a str,
}

#[async_trait]
impl StateStore for HostState {
    async fn get(&self, tenant: &TenantId, collection: &str, key: &str) -> Result<Option<Document>> {
        self.0.call("get", &Get { tenant, collection, key }).await
    }

    async fn put(
        &self,
        tenant: &TenantId,
        collection: &str,
        key: &str,
        expected: Option<u64>,
        value: &str,
    ) -> Result<u64> {
        self.0.call("put", &Put { tenant, collection, key, expected, value }).await
    }

    async fn list(&self, tenant: &TenantId, collection: &str) -> Result<Vec<(String, Document)>> {
        self.0.call("list", &List { tenant, collection }).await
    }
}
