//! The client of one tenant.

use std::fmt;
use std::sync::Arc;

use xynergy_core::{Ctx, Result, TenantId};

use crate::client::Shared;
use crate::stores::Stores;

/// A handle on the client for one tenant, and perhaps one actor and request. Cheap to make and to clone.
#[derive(Clone)]
pub struct Scope {
    pub(crate) shared: Arc<Shared>,
    tenant: TenantId,
    actor: Option<Arc<str>>,
    request_id: Option<Arc<str>>,
    traceparent: Option<Arc<str>>,
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("tenant", &self.tenant)
            .field("actor", &self.actor)
            .finish_non_exhaustive()
    }
}

impl Scope {
    pub(crate) fn new(shared: Arc<Shared>, tenant: TenantId) -> Self {
        Self { shared, tenant, actor: None, request_id: None, traceparent: None }
    }

    /// Whose handle it is.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The same tenant with the person or program that acts, for the audit trail.
    #[must_use]
    pub fn with_actor(mut self, actor: impl AsRef<str>) -> Self {
        self.actor = Some(actor.as_ref().into());
        self
    }

    /// The same tenant with the caller's id of the request. Without one, each call makes its own.
    #[must_use]
    pub fn with_request_id(mut self, request_id: impl AsRef<str>) -> Self {
        self.request_id = Some(request_id.as_ref().into());
        self
    }

    /// The same tenant with the W3C trace context to continue.
    #[must_use]
    pub fn with_traceparent(mut self, traceparent: impl AsRef<str>) -> Self {
        self.traceparent = Some(traceparent.as_ref().into());
        self
    }

    /// The same actor and traces at work for another tenant.
    #[cfg(feature = "execution")]
    pub(crate) fn of_tenant(&self, tenant: TenantId) -> Self {
        Self { tenant, ..self.clone() }
    }

    /// The context of one call.
    pub fn ctx(&self) -> Ctx {
        let mut ctx = Ctx::new(&self.shared.env, self.tenant.clone());
        ctx.actor.clone_from(&self.actor);
        ctx.traceparent.clone_from(&self.traceparent);
        if let Some(request_id) = &self.request_id {
            ctx.request_id = request_id.clone();
        }
        ctx
    }

    /// The stores, opened at the first use.
    ///
    /// # Errors
    /// The store cannot be opened; the next call tries again.
    pub async fn stores(&self) -> Result<&Stores> {
        self.shared.stores().await
    }
}
