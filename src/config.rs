//! The one configuration: a TOML file, or any serde value, becomes the same struct in every language.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "attribution")]
use xynergy_attribution::{matching::ContactProperties, revenue::StageValues};
#[cfg(feature = "ai")]
use xynergy_core::config::AiConfig;
#[cfg(any(feature = "attribution", feature = "execution"))]
use xynergy_core::config::SecretRef;
#[cfg(feature = "execution")]
use xynergy_core::execution::PolicyConfig;
use xynergy_core::{Error, ErrorKind, Result};
#[cfg(feature = "execution")]
use xynergy_providers::ads::meta::MetaConfig;
#[cfg(feature = "attribution")]
use xynergy_providers::crm::hubspot::HubspotConfig;

/// The version of the configuration's shape that this library reads.
const VERSION: u32 = 1;

/// What a [`Client`](crate::Client) is built from. Unknown keys are errors that name the known ones.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The version of this shape: 1.
    pub version: u32,
    /// Where clicks, revenue, changes and state are kept.
    #[serde(default)]
    pub store: StoreConfig,
    /// AI providers, routing, cache and limits.
    #[cfg(feature = "ai")]
    #[serde(default)]
    pub ai: AiConfig,
    /// Clicks, matching and stage values.
    #[cfg(feature = "attribution")]
    #[serde(default)]
    pub attribution: AttributionConfig,
    /// The CRM: webhooks in, deals read.
    #[cfg(feature = "attribution")]
    #[serde(default)]
    pub hubspot: Option<HubspotConfig>,
    /// The ad platform.
    #[cfg(feature = "execution")]
    #[serde(default)]
    pub meta: Option<MetaConfig>,
    /// The limits of budget changes.
    #[cfg(feature = "execution")]
    #[serde(default)]
    pub execution: PolicyConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            version: VERSION,
            store: StoreConfig::default(),
            #[cfg(feature = "ai")]
            ai: AiConfig::default(),
            #[cfg(feature = "attribution")]
            attribution: AttributionConfig::default(),
            #[cfg(feature = "attribution")]
            hubspot: None,
            #[cfg(feature = "execution")]
            meta: None,
            #[cfg(feature = "execution")]
            execution: PolicyConfig::default(),
        }
    }
}

/// Where everything durable is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum StoreConfig {
    /// Nothing is kept beyond the process.
    #[default]
    Memory,
    /// One SQLite file on a local disk.
    #[cfg(feature = "sqlite")]
    Sqlite {
        /// The file; created when absent.
        path: PathBuf,
    },
}

/// Clicks, matching and stage values.
#[cfg(feature = "attribution")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AttributionConfig {
    /// The key of every hash of something that identifies: 64 hex digits. Without one, a key is made at the first use
    /// and kept in the store; keep it elsewhere if whoever reads the store must not be able to test addresses.
    pub identity_key: Option<SecretRef>,
    /// What a deal is worth by its stage.
    pub stages: StageValues,
    /// The CRM's names of the contact properties that are read.
    pub contact_properties: ContactProperties,
}

impl Config {
    /// Reads a TOML text.
    ///
    /// # Errors
    /// [`ConfigInvalid`](ErrorKind::ConfigInvalid): one line that names the key, the problem and the choices.
    pub fn from_toml(text: &str) -> Result<Self> {
        /// Read first, so that a file of another version is told so and not which keys it has.
        #[derive(Deserialize)]
        struct Version {
            version: Option<u32>,
        }
        let read: Version = toml::from_str(text).map_err(|e| invalid(text, &e))?;
        match read.version {
            Some(VERSION) => toml::from_str(text).map_err(|e| invalid(text, &e)),
            Some(version) => Err(Error::new(
                ErrorKind::ConfigInvalid,
                "config",
                format!(
                    "version: {version} is not one that this library reads (it reads {VERSION}): upgrade the library"
                ),
            )),
            None => Err(Error::new(
                ErrorKind::ConfigInvalid,
                "config",
                format!("version: missing; begin the file with `version = {VERSION}`"),
            )),
        }
    }

    /// The JSON Schema of this shape, for editors and for checking a file before it is used.
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }
}

/// One line of a TOML error: where, and what.
fn invalid(text: &str, error: &toml::de::Error) -> Error {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    Error::new(ErrorKind::ConfigInvalid, "config", format!("line {line}: {}", error.message().replace('\n', " ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_file_is_a_version() {
        assert_eq!(Config::from_toml("version = 1").unwrap().store, StoreConfig::Memory);
    }

    #[test]
    fn an_unknown_key_is_named_with_the_choices() {
        let error = Config::from_toml("version = 1\n[aii]\n").unwrap_err();
        assert!(error.message().contains("aii") && error.message().contains("`store`"), "{error}");
        assert!(error.message().contains("line 2"), "{error}");
    }

    #[test]
    fn another_version_is_told_before_its_keys() {
        let error = Config::from_toml("version = 2\nnew_key = 1").unwrap_err();
        assert!(error.message().contains("version: 2"), "{error}");
        assert!(Config::from_toml("[store]\ntype = \"memory\"").unwrap_err().message().contains("version: missing"));
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn stores_are_chosen_by_type() {
        let config = Config::from_toml("version = 1\n[store]\ntype = \"sqlite\"\npath = \"x.db\"").unwrap();
        assert_eq!(config.store, StoreConfig::Sqlite { path: "x.db".into() });
        let error = Config::from_toml("version = 1\n[store]\ntype = \"mysql\"").unwrap_err();
        assert!(error.message().contains("sqlite"), "{error}");
    }
}
