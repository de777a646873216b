use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use async_trait::async_trait;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::ctx::TenantId;
use crate::error::{Error, ErrorKind, Result};

/// A credential in memory: no Debug, log, error or serialisation shows it, and it is wiped when dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes the credential.
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }

    /// The credential itself, for the one place that signs or sends it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// Where a credential is found. A configuration holds this, never the credential.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SecretRef {
    /// The environment variable of this name.
    Env(String),
    /// The file at this path; white space at its end is dropped.
    File(PathBuf),
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
        }
    }
}

/// Where credentials come from, per tenant. A host may bring its own vault.
#[async_trait]
pub trait SecretSource: Send + Sync + fmt::Debug + 'static {
    /// The credential that `reference` names for `tenant`, read anew at each call.
    async fn get(&self, tenant: &TenantId, reference: &SecretRef) -> Result<Secret>;

    /// Says that the other side refused this credential. A source that keeps it reads it anew; others need not do anything.
    fn refused(&self, _tenant: &TenantId, _reference: &SecretRef, _secret: &Secret) {}
}

/// Environment variables and files, the same for every tenant.
#[derive(Clone, Copy, Debug, Default)]
pub struct EnvSecrets;

#[async_trait]
impl SecretSource for EnvSecrets {
    async fn get(&self, _tenant: &TenantId, reference: &SecretRef) -> Result<Secret> {
        let value = match reference {
            SecretRef::Env(name) => std::env::var(name).ok(),
            SecretRef::File(path) => std::fs::read_to_string(path).ok().map(|s| s.trim_end().to_owned()),
        };
        value.filter(|v| !v.is_empty()).map(Secret::new).ok_or_else(|| {
            Error::new(
                ErrorKind::Unauthorized,
                "secrets.get",
                format!("no credential: the {reference} is missing or empty"),
            )
        })
    }
}

/// Credentials that the host already holds, by the name that an [`SecretRef::Env`] refers to; files are read as by
/// [`EnvSecrets`]. The same for every tenant.
#[derive(Clone, Debug, Default)]
pub struct StaticSecrets(BTreeMap<String, Secret>);

impl StaticSecrets {
    /// The same credentials and one more.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, secret: Secret) -> Self {
        self.0.insert(name.into(), secret);
        self
    }
}

#[async_trait]
impl SecretSource for StaticSecrets {
    async fn get(&self, tenant: &TenantId, reference: &SecretRef) -> Result<Secret> {
        match reference {
            SecretRef::Env(name) => match self.0.get(name) {
                Some(secret) => Ok(secret.clone()),
                None => EnvSecrets.get(tenant, reference).await,
            },
            SecretRef::File(_) => EnvSecrets.get(tenant, reference).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_it() {
        assert_eq!(format!("{:?}", Secret::new("sk-123")), "Secret(***)");
    }

    #[test]
    fn references_are_one_key() {
        let r: SecretRef = serde_json::from_str(r#"{"env":"OPENAI_API_KEY"}"#).unwrap();
        assert_eq!(r, SecretRef::Env("OPENAI_API_KEY".into()));
        assert!(serde_json::from_str::<SecretRef>(r#"{"value":"sk-123"}"#).is_err());
    }
}
