//! What every part's configuration shares.

mod ai;
mod embeddings;
mod provider;
mod secret;

pub use ai::{
    AiConfig, BreakerConfig, CacheConfig, ConcurrencyConfig, FallbackConfig, HedgeConfig, OrderConfig,
    RetryConfig, SpendLimitConfig, TimeoutConfig, TokenConfig,
};
pub use embeddings::EmbeddingsConfig;
pub use provider::{
    ANTHROPIC, Dialect, OPENAI_COMPATIBLE, OPENAI_RESPONSES, PriceConfig, ProviderConfig, RateLimit,
    is_loopback,
};
pub use secret::{EnvSecrets, Secret, SecretRef, SecretSource, StaticSecrets};
