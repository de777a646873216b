//! What every part's configuration shares.

mod ai;
mod api_keys;
mod cached_secrets;
mod embeddings;
mod provider;
mod rate_limit;
mod routing;
mod secret;

pub use ai::{
    AiConfig, BreakerConfig, CacheConfig, ConcurrencyConfig, FallbackConfig, HedgeConfig, OrderConfig,
    RetryConfig, SpendLimitConfig, TimeoutConfig, TokenConfig,
};
pub use api_keys::ApiKeys;
pub use cached_secrets::CachedSecrets;
pub use embeddings::EmbeddingsConfig;
pub use provider::{
    ANTHROPIC, Dialect, HOST, OPENAI_COMPATIBLE, OPENAI_RESPONSES, PriceConfig, ProviderConfig, is_loopback,
};
pub use rate_limit::{RateFigures, RateLimit, RatePreset, RequestRate};
pub use routing::{ConditionConfig, DefaultStrategy, Need, PolicyConfig, RouteConfig, StrategyConfig};
pub use secret::{EnvSecrets, Secret, SecretRef, SecretSource, StaticSecrets};
