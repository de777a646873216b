use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;
use xynergy_core::config::SecretRef;
use xynergy_core::{Error, ErrorKind, Result};

use crate::http::api::base_url;

const OPERATION: &str = "hubspot.config";

/// A hundred events whose properties are as long as HubSpot lets them be.
const MAX_BODY_BYTES: u64 = 8 * 1024 * 1024;

/// How HubSpot is reached and whom its webhooks are believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HubspotConfig {
    /// The API's address; plain HTTP only on this machine.
    pub base_url: String,
    /// The access token of a private app, with the scopes to read deals and contacts.
    pub access_token: SecretRef,
    /// The app's client secret, with which webhooks are signed.
    pub client_secret: SecretRef,
    /// Which signatures are accepted.
    pub signatures: Signatures,
    /// The addresses that HubSpot has of this server, each in full as it stands in HubSpot. With them, a delivery is checked against
    /// the one with its path and query, and scheme and host of a request, which its sender chooses, are not looked at. Without any,
    /// the caller gives the right address with each delivery.
    pub webhook_urls: Vec<String>,
    /// The greatest body of a delivery, in bytes. A greater one is refused before anything of it is read.
    pub max_body_bytes: u64,
    /// The time for one read, in milliseconds.
    pub timeout_ms: u64,
    /// How many reads of a tenant are sent in any 10 seconds at most. HubSpot lets 100 through for an app of its free plans.
    pub reads_per_10_seconds: u32,
    /// Access tokens by OAuth instead of `access_token`: for an app that many accounts install.
    pub oauth: Option<OAuthConfig>,
}

/// What access tokens are asked for with. Each tenant has its own refresh token, by its `SecretSource`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OAuthConfig {
    /// The app's client id.
    pub client_id: SecretRef,
    /// The app's client secret; `client_secret` of `[hubspot]` when absent, for it is the same one.
    #[serde(default)]
    pub client_secret: Option<SecretRef>,
    /// The refresh token that the account's installation gave.
    pub refresh_token: SecretRef,
}

/// Which signatures of webhooks are accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Signatures {
    /// Version 3 only: it covers the address and the time.
    #[default]
    V3,
    /// Also versions 1 and 2 where there is no version 3. They carry no time: whoever saw such a delivery once can
    /// send it again for ever.
    V1V2V3,
}

impl Default for HubspotConfig {
    fn default() -> Self {
        Self {
            base_url: "https://api.hubapi.com".into(),
            access_token: SecretRef::Env("HUBSPOT_ACCESS_TOKEN".into()),
            client_secret: SecretRef::Env("HUBSPOT_CLIENT_SECRET".into()),
            signatures: Signatures::default(),
            webhook_urls: Vec::new(),
            max_body_bytes: MAX_BODY_BYTES,
            timeout_ms: 10_000,
            reads_per_10_seconds: 100,
            oauth: None,
        }
    }
}

impl HubspotConfig {
    /// Checks what a user configured.
    ///
    /// # Errors
    /// [`ConfigInvalid`](ErrorKind::ConfigInvalid), naming the field.
    pub fn validate(&self) -> Result<()> {
        if self.timeout_ms == 0 {
            return Err(invalid("timeout_ms: 0 lets no read finish: give at least 1"));
        }
        if self.max_body_bytes == 0 {
            return Err(invalid("max_body_bytes: 0 lets no delivery in: give at least 1"));
        }
        if self.reads_per_10_seconds == 0 {
            return Err(invalid("reads_per_10_seconds: 0 lets no read out: give at least 1"));
        }
        for address in &self.webhook_urls {
            let url = Url::parse(address).ok().filter(|url| url.has_host() && url.fragment().is_none());
            if !url.is_some_and(|url| matches!(url.scheme(), "https" | "http")) {
                return Err(invalid(
                    "webhook_urls: holds no whole address such as https://host/webhooks/hubspot",
                ));
            }
        }
        self.parsed_base_url().map(|_| ())
    }

    /// The API's address without a slash at its end.
    pub(super) fn parsed_base_url(&self) -> Result<Url> {
        base_url(&self.base_url, OPERATION)
    }
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::ConfigInvalid, OPERATION, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(base_url: &str) -> Result<()> {
        HubspotConfig { base_url: base_url.into(), ..HubspotConfig::default() }.validate()
    }

    #[test]
    fn plain_http_stays_on_this_machine() {
        for good in [
            "https://api.hubapi.com",
            "http://127.0.0.1:8787/hubspot",
            "http://[::1]:1",
            "http://localhost:1",
        ] {
            with(good).unwrap();
        }
        for bad in [
            "http://api.hubapi.com",
            "http://localhost.example.com",
            "ftp://127.0.0.1",
            "https://me:pw@x.example",
        ] {
            let error = with(bad).unwrap_err();
            assert!(error.message().starts_with("base_url: "), "{bad}: {error}");
            assert!(!error.to_string().contains("pw"), "{error}");
        }
    }

    #[test]
    fn what_would_let_nothing_through_is_refused() {
        let valid = HubspotConfig::default();
        for (name, config) in [
            ("max_body_bytes", HubspotConfig { max_body_bytes: 0, ..valid.clone() }),
            ("reads_per_10_seconds", HubspotConfig { reads_per_10_seconds: 0, ..valid.clone() }),
            ("webhook_urls", HubspotConfig { webhook_urls: vec!["/hook".into()], ..valid.clone() }),
            ("webhook_urls", HubspotConfig { webhook_urls: vec!["https://h/#a".into()], ..valid.clone() }),
        ] {
            assert!(config.validate().unwrap_err().message().starts_with(name), "{name}");
        }
        HubspotConfig { webhook_urls: vec!["https://h/hook?a=b".into()], ..valid }.validate().unwrap();
    }

    #[test]
    fn reads_from_configuration_and_names_unknown_keys() {
        let config: HubspotConfig =
            serde_json::from_str(r#"{"client_secret":{"env":"S"},"signatures":"v1_v2_v3"}"#).unwrap();
        assert_eq!(config.signatures, Signatures::V1V2V3);
        assert!(serde_json::from_str::<HubspotConfig>(r#"{"secret":"x"}"#).is_err());
    }
}
