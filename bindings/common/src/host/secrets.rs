use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
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
        let found: Option<String> =
            self.0.call("get", &Get { tenant, reference }).await.map_err(|error| {
                // What was returned may hold the credential, so nothing of it is shown.
                if error.message().contains("cannot be used") {
                    Error::new(ErrorKind::Unauthorized, "secrets.get", "secrets.get: it returned no text")
                } else {
                    error
                }
            })?;
        found.filter(|value| !value.is_empty()).map(Secret::new).ok_or_else(|| {
            let message = format!("no credential: secrets.get returned nothing for the {reference}");
            Error::new(ErrorKind::Unauthorized, "secrets.get", message)
        })
    }
}
