use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use serde_json::Value;
use xynergy::secrets::{Secret, SecretRef, SecretSource};
use xynergy::{Error, ErrorKind, Result, TenantId};

use super::{Host, Seat};

/// A source of credentials of the host's, as a vault.
#[derive(Clone, Debug)]
pub struct HostSecrets(Seat);

impl HostSecrets {
    /// The source behind `host`.
    pub fn new(host: Arc<dyn Host>, timeout: Duration) -> Self {
        Self(Seat::new("secrets", host, timeout))
    }
}

#[derive(Serialize)]
struct Get<'a> {
    tenant: &'a TenantId,
    reference: &'a SecretRef,
}

#[async_trait]
impl SecretSource for HostSecrets {
    async fn get(&self, tenant: &TenantId, reference: &SecretRef) -> Result<Secret> {
        // Read as any value first: an error about its shape would show what may be the credential.
        let found = match self.0.call("get", &Get { tenant, reference }).await? {
            Value::String(value) => Some(value),
            Value::Null => None,
            _ => {
                let message = "secrets.get: it returned no text; return the credential as text, or nothing";
                return Err(Error::new(ErrorKind::Unauthorized, "secrets.get", message));
            }
        };
        found.filter(|value| !value.is_empty()).map(Secret::new).ok_or_else(|| {
            let message = format!("no credential: secrets.get returned nothing for the {reference}");
            Error::new(ErrorKind::Unauthorized, "secrets.get", message)
        })
    }
}
