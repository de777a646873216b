use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::config::SecretRef;
use xynergy_core::{Error, ErrorKind, Result};

const OPERATION: &str = "webhooks.config";

const MAX_BODY_BYTES: u64 = 8 * 1024 * 1024;

/// Deals and contacts that any backend sends, as signed webhooks of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhooksConfig {
    /// The secrets that deliveries may be signed with, each `whsec_` and base64 of 24 to 64 bytes. Give the old one beside the new
    /// one while senders change over.
    pub secrets: Vec<SecretRef>,
    /// The greatest body of a delivery, in bytes. A greater one is refused before anything of it is read.
    #[serde(default = "max_body_bytes")]
    pub max_body_bytes: u64,
}

fn max_body_bytes() -> u64 {
    MAX_BODY_BYTES
}

impl WebhooksConfig {
    /// With these secrets, and a body of at most 8 MiB.
    pub fn new(secrets: Vec<SecretRef>) -> Self {
        Self { secrets, max_body_bytes: MAX_BODY_BYTES }
    }

    /// Checks what a user configured.
    ///
    /// # Errors
    /// [`ConfigInvalid`](ErrorKind::ConfigInvalid), naming the field.
    pub fn validate(&self) -> Result<()> {
        if self.secrets.is_empty() {
            return Err(invalid("secrets: is empty, so that no delivery can be signed: name at least one"));
        }
        if self.max_body_bytes == 0 {
            return Err(invalid("max_body_bytes: 0 lets no delivery in: give at least 1"));
        }
        Ok(())
    }
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::ConfigInvalid, OPERATION, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_let_nothing_in_is_refused() {
        let config = |json: &str| serde_json::from_str::<WebhooksConfig>(json).unwrap();
        config(r#"{"secrets":[{"env":"A"},{"env":"B"}]}"#).validate().unwrap();
        for (json, field) in [
            (r#"{"secrets":[]}"#, "secrets"),
            (r#"{"secrets":[{"env":"A"}],"max_body_bytes":0}"#, "max_body_bytes"),
        ] {
            assert!(config(json).validate().unwrap_err().message().starts_with(field), "{json}");
        }
        assert!(serde_json::from_str::<WebhooksConfig>(r#"{"secrets":[],"tolerance":1}"#).is_err());
    }
}
