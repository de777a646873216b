use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use xynergy::attribution::Layers;
use xynergy::env::{ManualClock, SeededEntropy};
use xynergy::secrets::{Secret, StaticSecrets};
use xynergy::{Client, Config, Error, ErrorKind, Result, Stores};

use crate::host::{
    EmbedderTraits, Host, HostAdPlatform, HostCache, HostClicks, HostCrm, HostEmbedder, HostProvider,
    HostRevenue, HostSecrets, HostState, ProviderTraits,
};
use crate::outbox::Outbox;
use crate::telemetry::EngineEvents;

/// What a client is built from, as the host writes it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The configuration as a value.
    pub config: Option<Value>,
    /// The configuration as TOML text, instead of `config`.
    pub config_toml: Option<String>,
    /// Whether the configuration is read from environment variables, instead of `config`.
    pub from_env: bool,
    /// Credentials by the name that the configuration's `{ env = NAME }` refers to; the environment is not read then.
    pub secrets: Option<BTreeMap<String, SecretValue>>,
    /// What each of the host's AI providers can do, by name; the objects are in [`Backends::providers`].
    pub providers: BTreeMap<String, ProviderTraits>,
    /// What each of the host's embedders can do, by name; the objects are in [`Backends::embedders`].
    pub embedders: BTreeMap<String, EmbedderTraits>,
    /// The layers of matching when the configuration names none: what the rules of the host's platform allow.
    pub default_layers: Option<Layers>,
    /// Whether events go to the outbox.
    pub events: bool,
    /// The seed of every id and draw: for tests and simulated runs.
    pub seed: Option<u64>,
    /// How long a call into an object of the host's may take, in milliseconds; 30,000 when absent.
    pub host_timeout_ms: Option<u64>,
}

/// A credential on its way into the engine: never shown.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct SecretValue(String);

impl std::fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Options {
    /// Reads it from JSON.
    ///
    /// # Errors
    /// [`ConfigInvalid`](ErrorKind::ConfigInvalid) that names the field.
    pub fn from_json(json: &str) -> Result<Self> {
        crate::methods::read_as(ErrorKind::ConfigInvalid, "client", json)
    }

    fn config(&self) -> Result<Config> {
        let given = [self.config.is_some(), self.config_toml.is_some(), self.from_env];
        if given.iter().filter(|given| **given).count() > 1 {
            return Err(Error::new(
                ErrorKind::ConfigInvalid,
                "client",
                "config: give a value, TOML or the environment, only one of them",
            ));
        }
        let mut config = match (&self.config, &self.config_toml) {
            _ if self.from_env => Config::from_env()?,
            (_, Some(text)) => Config::from_toml(text)?,
            (Some(value), None) => Config::from_value(value)?,
            (None, None) => Config::default(),
        };
        if config.attribution.layers.is_none() {
            config.attribution.layers.clone_from(&self.default_layers);
        }
        Ok(config)
    }
}

/// Objects of the host's that stand behind the library's traits.
#[derive(Clone, Debug, Default)]
pub struct Backends {
    /// AI providers, by name.
    pub providers: BTreeMap<String, Arc<dyn Host>>,
    /// Embedders, by name.
    pub embedders: BTreeMap<String, Arc<dyn Host>>,
    /// The response cache.
    pub cache: Option<Arc<dyn Host>>,
    /// The CRM.
    pub crm: Option<Arc<dyn Host>>,
    /// The ad platform.
    pub ad_platform: Option<Arc<dyn Host>>,
    /// Where credentials come from.
    pub secrets: Option<Arc<dyn Host>>,
    /// Small documents.
    pub state: Option<Arc<dyn Host>>,
    /// Clicks.
    pub clicks: Option<Arc<dyn Host>>,
    /// CRM events and the revenue ledger.
    pub revenue: Option<Arc<dyn Host>>,
    /// The time of every decision, instead of the system's.
    pub clock: Option<Arc<ManualClock>>,
}

/// Builds the client. It is done once for each process that uses the engine.
pub(crate) fn build(
    options: &Options,
    backends: &Backends,
    engine: u64,
    outbox: &Arc<Outbox>,
) -> Result<Client> {
    let config = options.config()?;
    let timeout = std::time::Duration::from_millis(options.host_timeout_ms.unwrap_or(30_000));
    if timeout.is_zero() {
        return Err(Error::new(
            ErrorKind::ConfigInvalid,
            "client",
            "host_timeout_ms: 0 leaves no time; give at least 1",
        ));
    }
    let stores = host_stores(&config, backends, timeout)?;
    let mut builder = Client::builder(config);
    if let Some(stores) = stores {
        builder = builder.stores(stores);
    }
    match (&backends.secrets, &options.secrets) {
        (Some(_), Some(_)) => {
            return Err(Error::new(
                ErrorKind::ConfigInvalid,
                "client",
                "secrets: give values or a source of your own, not both",
            ));
        }
        (Some(host), None) => builder = builder.secrets(Arc::new(HostSecrets::new(host.clone(), timeout))),
        (None, Some(values)) => {
            let fixed = values.iter().fold(StaticSecrets::default(), |fixed, (name, value)| {
                fixed.with(name, Secret::new(value.0.clone()))
            });
            builder = builder.secrets(Arc::new(fixed));
        }
        (None, None) => {}
    }
    for (name, host) in &backends.providers {
        let traits = options.providers.get(name).cloned().unwrap_or_default();
        builder = builder.provider(Arc::new(HostProvider::new(name, traits, host.clone(), timeout)));
    }
    for (name, host) in &backends.embedders {
        let traits = options.embedders.get(name).cloned().unwrap_or_default();
        if traits.max_inputs == Some(0) {
            return Err(Error::new(
                ErrorKind::ConfigInvalid,
                "client",
                format!("embedders.{name}.max_inputs: 0 takes no text; give at least 1"),
            ));
        }
        builder = builder.embedder(Arc::new(HostEmbedder::new(name, traits, host.clone(), timeout)));
    }
    if let Some(host) = &backends.cache {
        builder = builder.cache(Arc::new(HostCache::new(host.clone(), timeout)));
    }
    if let Some(host) = &backends.crm {
        builder = builder.crm(Arc::new(HostCrm::new(host.clone(), timeout)));
    }
    if let Some(host) = &backends.ad_platform {
        builder = builder.ad_platform(Arc::new(HostAdPlatform::new(host.clone(), timeout)));
    }
    if let Some(clock) = &backends.clock {
        builder = builder.clock(clock.clone());
    }
    if let Some(seed) = options.seed {
        builder = builder.entropy(Arc::new(SeededEntropy::new(seed)));
    }
    if options.events {
        builder = builder.on_event(Arc::new(EngineEvents::new(engine, outbox.clone())));
    }
    builder.build()
}

/// The stores with the host's own in their places. Those that the host does not bring are in memory, which a durable store in the
/// configuration contradicts.
fn host_stores(config: &Config, backends: &Backends, timeout: std::time::Duration) -> Result<Option<Stores>> {
    if backends.state.is_none() && backends.clicks.is_none() && backends.revenue.is_none() {
        return Ok(None);
    }
    if !matches!(config.store, xynergy::StoreConfig::Memory) {
        return Err(Error::new(
            ErrorKind::ConfigInvalid,
            "client",
            "stores: the configuration names a store as well; leave `store` out of it to use your own",
        ));
    }
    let mut stores = Stores::memory();
    if let Some(host) = &backends.state {
        stores.state = Arc::new(HostState::new(host.clone(), timeout));
    }
    if let Some(host) = &backends.clicks {
        stores.clicks = Arc::new(HostClicks::new(host.clone(), timeout));
    }
    if let Some(host) = &backends.revenue {
        stores.revenue = Arc::new(HostRevenue::new(host.clone(), timeout));
    }
    Ok(Some(stores))
}
