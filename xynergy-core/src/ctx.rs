//! Who calls, for whom, and what ties the call to the host's own traces.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::env::{Entropy, Env};
use crate::error::{Error, Result};

/// Whose data and credentials a call uses. A parameter of every store, cache, ledger and limiter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct TenantId(Arc<str>);

impl TenantId {
    /// A tenant by its name: 1 to 64 of `A-Z a-z 0-9 . _ -`.
    pub fn new(name: impl AsRef<str>) -> Result<Self> {
        let name = name.as_ref();
        let valid = (1..=64).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        if valid {
            Ok(Self(name.into()))
        } else {
            Err(Error::invalid(
                "scope",
                format!(
                    "tenant: {:?} is not 1 to 64 of A-Z a-z 0-9 . _ -",
                    name.chars().take(80).collect::<String>()
                ),
            ))
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TenantId {
    /// The tenant `default`: the only one of a host that has no tenants.
    fn default() -> Self {
        Self("default".into())
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for TenantId {
    type Error = Error;

    fn try_from(name: String) -> Result<Self> {
        Self::new(name)
    }
}

impl From<TenantId> for String {
    fn from(tenant: TenantId) -> Self {
        tenant.0.as_ref().to_owned()
    }
}

/// The context of one call: the first argument of every effect.
#[derive(Clone, Debug)]
pub struct Ctx {
    /// Whose call it is.
    pub tenant: TenantId,
    /// The person or program that asked, for the audit trail.
    pub actor: Option<Arc<str>>,
    /// The caller's id of the request, or `req_` and 12 hex digits. Sent as `X-Request-ID`; no key.
    pub request_id: Arc<str>,
    /// The W3C trace context to continue.
    pub traceparent: Option<Arc<str>>,
    /// Clock, randomness and events.
    pub env: Env,
}

impl Ctx {
    /// A context of `tenant` with a fresh request id.
    pub fn new(env: &Env, tenant: TenantId) -> Self {
        Self {
            tenant,
            actor: None,
            request_id: fresh_request_id(&*env.entropy),
            traceparent: None,
            env: env.clone(),
        }
    }

    /// The same context with another request id.
    #[must_use]
    pub fn with_request_id(mut self, request_id: impl AsRef<str>) -> Self {
        self.request_id = request_id.as_ref().into();
        self
    }

    /// The same context with an actor.
    #[must_use]
    pub fn with_actor(mut self, actor: impl AsRef<str>) -> Self {
        self.actor = Some(actor.as_ref().into());
        self
    }
}

/// `req_` and 12 hex digits.
fn fresh_request_id(entropy: &dyn Entropy) -> Arc<str> {
    format!("req_{:012x}", entropy.next_u64() & 0xffff_ffff_ffff).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_are_plain_names() {
        assert!(TenantId::new("acme-eu.1").is_ok());
        for bad in ["", "a b", "a/b", "ä", &"x".repeat(65)] {
            assert!(TenantId::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn request_ids_are_twelve_hex_digits() {
        let ctx = Ctx::new(&Env::default(), TenantId::default());
        assert_eq!(ctx.request_id.len(), 16);
        assert!(ctx.request_id.starts_with("req_"));
    }
}
