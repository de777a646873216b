use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use xynergy::crm::{Contact, Crm, Deal};
use xynergy::{Ctx, Result};

use super::{CallContext, Host, Seat};

/// A CRM of the host's.
#[derive(Clone, Debug)]
pub struct HostCrm(Seat);

impl HostCrm {
    /// The CRM behind `host`.
    pub fn new(host: Arc<dyn Host>, timeout: Duration) -> Self {
        Self(Seat::new("crm", host, timeout))
    }
}

#[derive(Serialize)]
struct Ids<'a> {
    ctx: CallContext,
    ids: &'a [String],
}

#[async_trait]
impl Crm for HostCrm {
    async fn deals(&self, ctx: &Ctx, ids: &[String]) -> Result<BTreeMap<String, Deal>> {
        self.0.call("deals", &Ids { ctx: ctx.into(), ids }).await
    }

    async fn contacts(&self, ctx: &Ctx, ids: &[String]) -> Result<BTreeMap<String, Contact>> {
        self.0.call("contacts", &Ids { ctx: ctx.into(), ids }).await
    }
}
