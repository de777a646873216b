//! The client: one configuration, its stores and its backends.

#[cfg(feature = "ai")]
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
#[cfg(feature = "ai")]
use std::time::Duration;

#[cfg(feature = "ai")]
use tokio::sync::OnceCell;
#[cfg(feature = "execution")]
use xynergy_core::ads::AdPlatform;
#[cfg(feature = "ai")]
use xynergy_core::cache::ResponseCache;
#[cfg(feature = "ai")]
use xynergy_core::client::{AiClient, AiParts};
#[cfg(feature = "ai")]
use xynergy_core::config::{CachedSecrets, HOST, ProviderConfig};
use xynergy_core::config::{EnvSecrets, SecretSource};
#[cfg(feature = "attribution")]
use xynergy_core::crm::Crm;
#[cfg(feature = "ai")]
use xynergy_core::embed::Embedder;
use xynergy_core::env::{Clock, Entropy, EventSink, HttpSend};
#[cfg(feature = "execution")]
use xynergy_core::execution::{ExecutionMetrics, Executor, Policy};
#[cfg(any(feature = "ai", feature = "attribution"))]
use xynergy_core::rate::RateLimiter;
#[cfg(feature = "ai")]
use xynergy_core::spend::SpendLedger;
#[cfg(feature = "ai")]
use xynergy_core::tokens::{TokenCounter, Tokenizer};
#[cfg(feature = "allocation")]
use xynergy_core::vector::VectorIndex;
use xynergy_core::{Env, Result, TenantId};
#[cfg(feature = "ai")]
use xynergy_core::{Error, ErrorKind, provider::Provider, registry::ProviderParts};
#[cfg(feature = "execution")]
use xynergy_providers::ads::meta::{MetaAds, MetaConfig};
#[cfg(feature = "attribution")]
use xynergy_providers::crm::{
    hubspot::{Hubspot, HubspotConfig},
    webhooks::WebhooksConfig,
};

#[cfg(all(feature = "redis", feature = "ai"))]
use xynergy_providers::redis::{RedisLedger, RedisLimiter};

#[cfg(feature = "attribution")]
use crate::attribution::keyring::Keyring;
use crate::config::Config;
#[cfg(all(feature = "redis", feature = "ai"))]
use crate::config::RedisConfig;
use crate::health::Sampler;
#[cfg(feature = "ai")]
use crate::ledger::StoredLedger;
#[cfg(any(feature = "attribution", feature = "execution"))]
use crate::per_tenant::PerTenant;
use crate::scope::Scope;
use crate::stores::{Opener, Stores};

/// The library, ready to be used: the [`Scope`] of the tenant `default`, and the way to every other.
///
/// Building one does no I/O and starts no thread; stores are opened and connections made at their first use. Clones
/// share everything.
#[derive(Clone, Debug)]
pub struct Client {
    scope: Scope,
}

/// What the scopes of a client share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) env: Env,
    #[cfg(any(feature = "attribution", feature = "execution"))]
    pub(crate) secrets: Arc<dyn SecretSource>,
    #[cfg(feature = "ai")]
    pub(crate) ai: Option<AiClient>,
    #[cfg(feature = "ai")]
    pub(crate) counter: Arc<TokenCounter>,
    #[cfg(feature = "attribution")]
    pub(crate) crm: Option<Arc<dyn Crm>>,
    #[cfg(feature = "attribution")]
    pub(crate) hubspot: Option<Arc<Hubspot>>,
    #[cfg(feature = "execution")]
    pub(crate) ad_platform: Option<Arc<dyn AdPlatform>>,
    #[cfg(feature = "execution")]
    pub(crate) policy: Policy,
    #[cfg(feature = "execution")]
    pub(crate) metrics: ExecutionMetrics,
    #[cfg(feature = "allocation")]
    pub(crate) winners: Arc<dyn VectorIndex>,
    pub(crate) sampler: Sampler,
    stores: Arc<Opener>,
    #[cfg(feature = "ai")]
    pub(crate) prices_read: OnceCell<()>,
    #[cfg(feature = "attribution")]
    keyrings: PerTenant<Arc<Keyring>>,
    #[cfg(feature = "attribution")]
    pub(crate) models: PerTenant<Arc<xynergy_attribution::matching::Versioned>>,
    #[cfg(feature = "execution")]
    executors: PerTenant<Executor>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) async fn stores(&self) -> Result<&Stores> {
        self.stores.get().await
    }

    /// Opens the stores if they are not open yet; the names of the migrations that this applied.
    pub(crate) async fn open_stores(&self) -> Result<Vec<String>> {
        self.stores.open().await
    }

    /// The tenant's keyring, opened at its first use.
    #[cfg(feature = "attribution")]
    pub(crate) async fn keyring<F>(&self, tenant: &TenantId, open: impl FnOnce() -> F) -> Result<Arc<Keyring>>
    where
        F: Future<Output = Result<Arc<Keyring>>>,
    {
        self.keyrings.get_or_make(tenant, open).await
    }

    /// The tenant's executor, made at its first use.
    #[cfg(feature = "execution")]
    pub(crate) async fn executor<F>(&self, tenant: &TenantId, make: impl FnOnce() -> F) -> Result<Executor>
    where
        F: Future<Output = Result<Executor>>,
    {
        self.executors.get_or_make(tenant, make).await
    }
}

impl Client {
    /// A client with the backends that the configuration names.
    ///
    /// # Errors
    /// [`ConfigInvalid`](crate::ErrorKind::ConfigInvalid): a part of the configuration is wrong; the message names it.
    pub fn new(config: Config) -> Result<Self> {
        Self::builder(config).build()
    }

    /// A client configured by environment variables; see [`Config::from_env`].
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_env() -> Result<Self> {
        Self::new(Config::from_env()?)
    }

    /// A client with backends of the host's own.
    pub fn builder(config: Config) -> ClientBuilder {
        ClientBuilder {
            config,
            env: Env::default(),
            secrets: Arc::new(EnvSecrets),
            http: None,
            stores: None,
            #[cfg(feature = "ai")]
            providers: Vec::new(),
            #[cfg(feature = "ai")]
            embedders: Vec::new(),
            #[cfg(feature = "ai")]
            cache: None,
            #[cfg(feature = "ai")]
            tokenizers: Vec::new(),
            #[cfg(feature = "attribution")]
            crm: None,
            #[cfg(feature = "execution")]
            ad_platform: None,
            #[cfg(feature = "allocation")]
            winners: None,
        }
    }

    /// Waits until no budget write is under way, of any tenant, and writes what AI calls that were dropped have used. Call it
    /// before the runtime ends.
    pub async fn drain(&self) {
        #[cfg(feature = "ai")]
        if let Some(ai) = &self.scope.shared.ai
            && let Err(error) = ai.drain().await
        {
            tracing::error!(event = "spend_not_settled", kind = error.kind().as_str());
        }
        #[cfg(feature = "execution")]
        for executor in self.scope.shared.executors.all() {
            executor.drain().await;
        }
    }

    /// The client of another tenant.
    pub fn scope(&self, tenant: TenantId) -> Scope {
        Scope::new(self.scope.shared.clone(), tenant)
    }
}

impl Deref for Client {
    type Target = Scope;

    /// The scope of the tenant `default`.
    fn deref(&self) -> &Scope {
        &self.scope
    }
}

/// Puts the host's own parts into a client.
#[derive(Debug)]
pub struct ClientBuilder {
    config: Config,
    env: Env,
    secrets: Arc<dyn SecretSource>,
    http: Option<Arc<dyn HttpSend>>,
    stores: Option<Stores>,
    #[cfg(feature = "ai")]
    providers: Vec<Arc<dyn Provider>>,
    #[cfg(feature = "ai")]
    embedders: Vec<Arc<dyn Embedder>>,
    #[cfg(feature = "ai")]
    cache: Option<Arc<dyn ResponseCache>>,
    #[cfg(feature = "ai")]
    tokenizers: Vec<(String, Arc<dyn Tokenizer>)>,
    #[cfg(feature = "attribution")]
    crm: Option<Arc<dyn Crm>>,
    #[cfg(feature = "execution")]
    ad_platform: Option<Arc<dyn AdPlatform>>,
    #[cfg(feature = "allocation")]
    winners: Option<Arc<dyn VectorIndex>>,
}

impl ClientBuilder {
    /// The time of every decision and stored row, instead of the system's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.env.clock = clock;
        self
    }

    /// The randomness of ids and draws, instead of the system's.
    #[must_use]
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.env.entropy = entropy;
        self
    }

    /// Where events go; nowhere when not given.
    #[must_use]
    pub fn on_event(mut self, events: Arc<dyn EventSink>) -> Self {
        self.env.events = events;
        self
    }

    /// Where credentials come from, instead of the environment and files.
    #[must_use]
    pub fn secrets(mut self, secrets: Arc<dyn SecretSource>) -> Self {
        self.secrets = secrets;
        self
    }

    /// The HTTP client of every backend, instead of the library's own.
    #[must_use]
    pub fn http(mut self, http: Arc<dyn HttpSend>) -> Self {
        self.http = Some(http);
        self
    }

    /// Stores that the host has opened, instead of those of the configuration.
    #[must_use]
    pub fn stores(mut self, stores: Stores) -> Self {
        self.stores = Some(stores);
        self
    }

    /// One more AI provider, of the host's own.
    #[cfg(feature = "ai")]
    #[must_use]
    pub fn provider(mut self, provider: Arc<dyn Provider>) -> Self {
        self.providers.push(provider);
        self
    }

    /// One more embedder, of the host's own, beside the providers that embed.
    #[cfg(feature = "ai")]
    #[must_use]
    pub fn embedder(mut self, embedder: Arc<dyn Embedder>) -> Self {
        self.embedders.push(embedder);
        self
    }

    /// Where answers are kept, instead of in this process's memory. `ai.cache` of the configuration still says whether
    /// and for how long.
    #[cfg(feature = "ai")]
    #[must_use]
    pub fn cache(mut self, cache: Arc<dyn ResponseCache>) -> Self {
        self.cache = Some(cache);
        self
    }

    /// A tokenizer for the models whose names begin with `prefix`, which are estimated otherwise.
    #[cfg(feature = "ai")]
    #[must_use]
    pub fn tokenizer(mut self, prefix: impl Into<String>, tokenizer: Arc<dyn Tokenizer>) -> Self {
        self.tokenizers.push((prefix.into(), tokenizer));
        self
    }

    /// The CRM, instead of the one of the configuration.
    #[cfg(feature = "attribution")]
    #[must_use]
    pub fn crm(mut self, crm: Arc<dyn Crm>) -> Self {
        self.crm = Some(crm);
        self
    }

    /// The ad platform, instead of the one of the configuration.
    #[cfg(feature = "execution")]
    #[must_use]
    pub fn ad_platform(mut self, platform: Arc<dyn AdPlatform>) -> Self {
        self.ad_platform = Some(platform);
        self
    }

    /// Where the winners are kept and searched, instead of `allocation.winners` of the configuration.
    #[cfg(feature = "allocation")]
    #[must_use]
    pub fn winners(mut self, index: Arc<dyn VectorIndex>) -> Self {
        self.winners = Some(index);
        self
    }

    /// Builds the client. No I/O happens and no thread starts.
    ///
    /// # Errors
    /// [`ConfigInvalid`](crate::ErrorKind::ConfigInvalid): a part of the configuration is wrong; the message names it.
    pub fn build(self) -> Result<Client> {
        let Self { config, env, secrets, stores, .. } = &self;
        #[cfg(any(feature = "ai", feature = "attribution", feature = "execution"))]
        let http = self.http.clone().unwrap_or_else(|| Arc::new(xynergy_providers::http::ReqwestHttp::new()));
        #[cfg(all(feature = "redis", feature = "ai"))]
        let limiter = self.build_limiter()?;
        #[cfg(all(
            any(feature = "ai", feature = "attribution"),
            not(all(feature = "redis", feature = "ai"))
        ))]
        let limiter = None;
        #[cfg(feature = "attribution")]
        let hubspot = self.build_hubspot(&http, limiter.as_ref())?;
        #[cfg(feature = "ai")]
        let counter = {
            let with = |counter: TokenCounter, (prefix, tokenizer): &(String, Arc<dyn Tokenizer>)| {
                counter.with_tokenizer(prefix, Arc::clone(tokenizer))
            };
            Arc::new(self.tokenizers.iter().fold(TokenCounter::new(), with))
        };
        let opener = Arc::new(Opener::new(config.store.clone(), secrets.clone(), stores.clone()));
        let shared = Shared {
            #[cfg(feature = "ai")]
            ai: self.build_ai(&http, limiter, &counter, &opener)?,
            #[cfg(feature = "ai")]
            counter,
            #[cfg(feature = "attribution")]
            crm: self.crm.clone().or_else(|| hubspot.clone().map(|hubspot| hubspot as Arc<dyn Crm>)),
            #[cfg(feature = "attribution")]
            hubspot,
            #[cfg(feature = "execution")]
            ad_platform: self.build_ad_platform(&http)?,
            #[cfg(feature = "execution")]
            policy: config.execution.policy()?,
            #[cfg(feature = "execution")]
            metrics: ExecutionMetrics::new()?,
            config: config.clone(),
            env: env.clone(),
            #[cfg(any(feature = "attribution", feature = "execution"))]
            secrets: secrets.clone(),
            #[cfg(feature = "allocation")]
            winners: match &self.winners {
                Some(own) => own.clone(),
                None => config.allocation.winners.index()?,
            },
            sampler: Sampler::default(),
            stores: opener,
            #[cfg(feature = "ai")]
            prices_read: OnceCell::new(),
            #[cfg(feature = "attribution")]
            keyrings: PerTenant::default(),
            #[cfg(feature = "attribution")]
            models: PerTenant::default(),
            #[cfg(feature = "execution")]
            executors: PerTenant::default(),
        };
        Ok(Client { scope: Scope::new(Arc::new(shared), TenantId::default()) })
    }

    /// What counts rates for every process, where that is configured.
    #[cfg(all(feature = "redis", feature = "ai"))]
    fn build_limiter(&self) -> Result<Option<Arc<dyn RateLimiter>>> {
        let build = |redis: &RedisConfig| {
            RedisLimiter::new(redis.clone(), self.secrets.clone())
                .map(|limiter| Arc::new(limiter) as Arc<dyn RateLimiter>)
        };
        self.config.redis.as_ref().map(build).transpose()
    }

    #[cfg(feature = "attribution")]
    fn build_hubspot(
        &self,
        http: &Arc<dyn HttpSend>,
        limiter: Option<&Arc<dyn RateLimiter>>,
    ) -> Result<Option<Arc<Hubspot>>> {
        let properties = self.config.attribution.contact_properties.names();
        self.config.attribution.windows.validate()?;
        self.config.attribution.rules().validate()?;
        self.config.webhooks.as_ref().map(WebhooksConfig::validate).transpose()?;
        let build = |config: &HubspotConfig| {
            let built = Hubspot::new(config.clone(), properties, http.clone(), self.secrets.clone())?
                .reading(self.config.attribution.deal_properties());
            Ok(Arc::new(match limiter {
                Some(limiter) => built.paced_by(limiter.clone()),
                None => built,
            }))
        };
        self.config.hubspot.as_ref().map(build).transpose()
    }

    #[cfg(feature = "ai")]
    fn build_ai(
        &self,
        http: &Arc<dyn HttpSend>,
        limiter: Option<Arc<dyn RateLimiter>>,
        counter: &Arc<TokenCounter>,
        opener: &Arc<Opener>,
    ) -> Result<Option<AiClient>> {
        let mut providers = self.providers.clone();
        let secrets = CachedSecrets::new(
            self.secrets.clone(),
            Duration::from_secs(self.config.ai.secrets_ttl_seconds),
            self.env.clock.clone(),
        );
        let parts = ProviderParts { http: http.clone(), secrets: Arc::new(secrets) };
        let mut built = self.config.ai.providers.clone();
        built.retain(|_, own| own.kind != HOST);
        providers.extend(xynergy_providers::registry::providers().build_all(&built, &parts)?);
        self.check_given()?;
        if providers.is_empty() && self.embedders.is_empty() {
            self.config.ai.validate()?;
            return Ok(None);
        }
        #[allow(unused_mut)] // Without Redis there is no other place.
        let mut ledger: Arc<dyn SpendLedger> = Arc::new(StoredLedger(opener.clone()));
        #[cfg(feature = "redis")]
        if let Some(redis) = &self.config.redis {
            ledger = Arc::new(RedisLedger::new(redis.clone(), self.secrets.clone())?);
        }
        let parts = AiParts {
            embedders: self.embedders.clone(),
            cache: self.cache.clone(),
            ledger: Some(ledger),
            limiter,
            counter: Arc::clone(counter),
            ..AiParts::new(providers)
        };
        AiClient::new(self.config.ai.clone(), parts).map(Some)
    }

    /// What is configured of the host's own objects is of objects that it gives.
    #[cfg(feature = "ai")]
    fn check_given(&self) -> Result<()> {
        let providers = self.providers.iter().map(|provider| provider.name());
        let given: BTreeSet<_> =
            providers.chain(self.embedders.iter().map(|embedder| embedder.name())).collect();
        let absent =
            |(name, own): &(&String, &ProviderConfig)| own.kind == HOST && !given.contains(name.as_str());
        self.config.ai.providers.iter().find(absent).map_or(Ok(()), |(name, _)| {
            let message = format!(
                "ai.providers.{name}.type: host, but no provider and no embedder of that name is given; give one, or remove it"
            );
            Err(Error::new(ErrorKind::ConfigInvalid, "client", message))
        })
    }

    #[cfg(feature = "execution")]
    fn build_ad_platform(&self, http: &Arc<dyn HttpSend>) -> Result<Option<Arc<dyn AdPlatform>>> {
        if let Some(own) = &self.ad_platform {
            return Ok(Some(own.clone()));
        }
        let build = |config: &MetaConfig| {
            MetaAds::new(config.clone(), http.clone(), self.secrets.clone())
                .map(|platform| Arc::new(platform) as Arc<dyn AdPlatform>)
        };
        self.config.meta.as_ref().map(build).transpose()
    }
}
