use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;
use xynergy_core::config::SecretRef;
use xynergy_core::{Error, ErrorKind, Result};

use super::request;
use crate::http::api::base_url;

const OPERATION: &str = "meta.config";
const ACCESS_TOKEN: &str = "META_ACCESS_TOKEN";
const APP_SECRET: &str = "META_APP_SECRET";

/// How Meta's Graph API is reached, and as which app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MetaConfig {
    /// The API's address without the version; plain HTTP only on this machine.
    pub base_url: String,
    /// The version of the API, such as `v26.0`.
    pub version: String,
    /// The ad account, with or without `act_`; empty where every call names one.
    pub account_id: String,
    /// The access token of a system user, with `ads_read` and `ads_management`.
    pub access_token: SecretRef,
    /// The id of the token's app. Without it the log of edits cannot tell its own edits from a person's, so that a
    /// write whose answer was lost is settled by the value alone or by a person.
    pub app_id: Option<String>,
    /// The app's secret, for an app that requires a proof of it with every call.
    pub app_secret: Option<SecretRef>,
    /// The time for one request, in milliseconds.
    pub timeout_ms: u64,
    /// For how many days at most figures are asked for at once; for more, and when Meta finds it too much, a report is ordered.
    pub insights_sync_days: u32,
    /// The time for a report, in milliseconds.
    pub report_timeout_ms: u64,
}

impl Default for MetaConfig {
    fn default() -> Self {
        Self {
            base_url: "https://graph.facebook.com".into(),
            version: "v26.0".into(),
            account_id: String::new(),
            access_token: SecretRef::Env(ACCESS_TOKEN.into()),
            app_id: None,
            app_secret: None,
            timeout_ms: 20_000,
            insights_sync_days: 31,
            report_timeout_ms: 600_000,
        }
    }
}

impl MetaConfig {
    /// What the environment configures: `META_ACCESS_TOKEN` and `META_AD_ACCOUNT_ID`, `None` without both, and
    /// `META_API_VERSION`, `META_APP_ID` and `META_APP_SECRET` where they are set. The secrets stay where they are.
    pub fn from_env(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let set = |name| variable(name).filter(|value| !value.trim().is_empty());
        set(ACCESS_TOKEN)?;
        let account = set("META_AD_ACCOUNT_ID")?;
        let default = Self::default();
        Some(Self {
            account_id: request::with_prefix(account.trim()),
            version: set("META_API_VERSION").map_or(default.version, |version| version.trim().to_owned()),
            app_id: set("META_APP_ID").map(|id| id.trim().to_owned()),
            app_secret: set(APP_SECRET).map(|_| SecretRef::Env(APP_SECRET.into())),
            ..Self::default()
        })
    }

    /// Checks what a user configured.
    ///
    /// # Errors
    /// [`ConfigInvalid`](ErrorKind::ConfigInvalid), naming the field.
    pub fn validate(&self) -> Result<()> {
        if self.timeout_ms == 0 {
            return Err(invalid("timeout_ms: 0 lets no request finish: give at least 1"));
        }
        if self.report_timeout_ms == 0 {
            return Err(invalid("report_timeout_ms: 0 lets no report finish: give at least 1"));
        }
        if !is_version(&self.version) {
            return Err(invalid("version: is no version such as v26.0"));
        }
        if !self.account_id.is_empty() && request::account_number(&self.account_id, OPERATION).is_err() {
            return Err(invalid("account_id: is no ad account such as act_1234567890"));
        }
        if self.app_id.as_ref().is_some_and(|id| id.is_empty() || !id.bytes().all(|b| b.is_ascii_digit())) {
            return Err(invalid("app_id: is no app id of digits: leave it out if it is not known"));
        }
        self.parsed_base_url().map(|_| ())
    }

    /// The API's address without a slash at its end.
    pub(super) fn parsed_base_url(&self) -> Result<Url> {
        base_url(&self.base_url, OPERATION)
    }
}

fn is_version(text: &str) -> bool {
    let digits = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    text.strip_prefix('v')
        .and_then(|numbers| numbers.split_once('.'))
        .is_some_and(|(major, minor)| digits(major) && digits(minor))
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::ConfigInvalid, OPERATION, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> Option<MetaConfig> {
        let found = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, v)| (*v).to_owned());
        MetaConfig::from_env(found)
    }

    #[test]
    fn comes_from_the_environment_with_token_and_account_only() {
        let (token, account) = (("META_ACCESS_TOKEN", "EAAB"), ("META_AD_ACCOUNT_ID", "77"));
        assert_eq!(from(&[token]), None);
        assert_eq!(from(&[account]), None);
        assert_eq!(from(&[("META_ACCESS_TOKEN", " "), account]), None);
        let least = from(&[token, account]).unwrap();
        assert_eq!(least, MetaConfig { account_id: "act_77".into(), ..MetaConfig::default() });
        least.validate().unwrap();
        let all = from(&[
            token,
            ("META_AD_ACCOUNT_ID", "act_77"),
            ("META_API_VERSION", "v25.0"),
            ("META_APP_ID", "42"),
            ("META_APP_SECRET", "s3cret"),
        ])
        .unwrap();
        assert_eq!((all.account_id.as_str(), all.version.as_str()), ("act_77", "v25.0"));
        assert_eq!(all.app_id.as_deref(), Some("42"));
        assert_eq!(all.app_secret, Some(SecretRef::Env("META_APP_SECRET".into())));
        assert!(!format!("{all:?}").contains("s3cret") && !format!("{all:?}").contains("EAAB"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        MetaConfig { base_url: "http://127.0.0.1:1/graph".into(), ..MetaConfig::default() }
            .validate()
            .unwrap();
        let default = MetaConfig::default;
        for (field, config) in [
            ("base_url", MetaConfig { base_url: "http://graph.facebook.com".into(), ..default() }),
            ("base_url", MetaConfig { base_url: "https://graph.facebook.com?a=1".into(), ..default() }),
            ("version", MetaConfig { version: "26.0".into(), ..default() }),
            ("version", MetaConfig { version: "v26.0/../v1.0".into(), ..default() }),
            ("version", MetaConfig { version: "v26".into(), ..default() }),
            ("account_id", MetaConfig { account_id: "act_".into(), ..default() }),
            ("account_id", MetaConfig { account_id: "7/7".into(), ..default() }),
            ("app_id", MetaConfig { app_id: Some("Xynergy".into()), ..default() }),
            ("timeout_ms", MetaConfig { timeout_ms: 0, ..default() }),
            ("report_timeout_ms", MetaConfig { report_timeout_ms: 0, ..default() }),
        ] {
            let error = config.validate().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
            assert!(error.message().starts_with(&format!("{field}: ")), "{error}");
        }
        assert!(serde_json::from_str::<MetaConfig>(r#"{"token":"x"}"#).is_err());
    }
}
