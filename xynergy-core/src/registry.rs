//! Names of types in a configuration, and what builds them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::config::{ProviderConfig, SecretSource};
use crate::env::HttpSend;
use crate::error::{Error, ErrorKind, Result};
use crate::provider::Provider;

/// What a provider is built with.
#[derive(Clone, Debug)]
pub struct ProviderParts {
    /// The HTTP client, shared by all.
    pub http: Arc<dyn HttpSend>,
    /// Where credentials come from, at each call.
    pub secrets: Arc<dyn SecretSource>,
}

/// Builds a provider of one type from its name and configuration, without I/O.
pub type ProviderFactory =
    Arc<dyn Fn(&str, &ProviderConfig, &ProviderParts) -> Result<Arc<dyn Provider>> + Send + Sync>;

/// Builds providers by the `type` of their configuration. A host adds its own types.
#[derive(Clone, Default)]
pub struct ProviderRegistry(BTreeMap<String, ProviderFactory>);

impl ProviderRegistry {
    /// Adds a type, replacing one of the same name.
    pub fn register(&mut self, kind: impl Into<String>, factory: ProviderFactory) {
        self.0.insert(kind.into(), factory);
    }

    /// Builds one provider. An unknown type is an error that names the known ones.
    pub fn build(
        &self,
        name: &str,
        config: &ProviderConfig,
        parts: &ProviderParts,
    ) -> Result<Arc<dyn Provider>> {
        let Some(factory) = self.0.get(config.kind(name)) else {
            let known: Vec<&str> = self.0.keys().map(String::as_str).collect();
            return Err(Error::new(
                ErrorKind::ConfigInvalid,
                "ai.new",
                format!(
                    "ai.providers.{name}.type: {:?} is unknown; use one of: {}",
                    config.kind,
                    known.join(", ")
                ),
            ));
        };
        factory(name, config, parts)
    }

    /// Builds all providers of a configuration.
    pub fn build_all(
        &self,
        configs: &BTreeMap<String, ProviderConfig>,
        parts: &ProviderParts,
    ) -> Result<Vec<Arc<dyn Provider>>> {
        configs.iter().map(|(name, config)| self.build(name, config, parts)).collect()
    }
}

impl fmt::Debug for ProviderRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProviderRegistry").field(&self.0.keys().collect::<Vec<_>>()).finish()
    }
}
