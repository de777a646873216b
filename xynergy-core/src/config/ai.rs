use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    DefaultStrategy, EmbeddingsConfig, PolicyConfig, ProviderConfig, RateLimit, RouteConfig, SecretRef,
};
use crate::error::{Error, ErrorKind, Result};
use crate::route::RoutingTable;
use crate::spend::{LimitScope, SpendLimit, Window, Zone};
use crate::tokens::{DEFAULT_LIMIT, SIMPLE_LIMIT};

/// How AI requests are routed, cached and paid for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AiConfig {
    /// The providers by name. One that has the name of a dialect, as `openai` or `mistral`, brings its defaults.
    pub providers: BTreeMap<String, ProviderConfig>,
    /// In which order the providers are asked.
    pub order: OrderConfig,
    /// Named routes, asked for as `model`: each an ordered list of `PROVIDER` or `PROVIDER/MODEL`, or a table with a strategy.
    pub routes: BTreeMap<String, RouteConfig>,
    /// Which requests without a model go to which route. The first policy that matches decides.
    pub policies: Vec<PolicyConfig>,
    /// What chooses for requests that name no model and that no policy is for.
    pub strategy: DefaultStrategy,
    /// Who is asked where every model of a list fails alike.
    pub fallbacks: FallbackConfig,
    /// The cache of answers.
    pub cache: CacheConfig,
    /// How limits of answers are sized.
    pub tokens: TokenConfig,
    /// How texts are embedded.
    pub embeddings: EmbeddingsConfig,
    /// Spend limits that hold for every tenant.
    pub limits: Vec<SpendLimitConfig>,
    /// A price list in the format of LiteLLM's `model_prices_and_context_window.json`, read at the first call and when asked to. It
    /// goes before the embedded table, and after `ai.providers.NAME.price`.
    pub price_file: Option<PathBuf>,
    /// How many requests and tokens a minute a tenant may send; unlimited when absent. Cache hits do not count.
    pub rate_limit: Option<RateLimit>,
    /// Deadlines.
    pub timeouts: TimeoutConfig,
    /// Retries of temporary faults.
    pub retry: RetryConfig,
    /// When a failing model is left alone.
    pub breaker: BreakerConfig,
    /// Second calls beside slow ones.
    pub hedge: HedgeConfig,
    /// How many calls may be in flight.
    pub concurrency: ConcurrencyConfig,
    /// The greatest prompt, in bytes of text.
    pub max_prompt_bytes: usize,
    /// For how long an API key is kept before it is read anew where it is found, in seconds; 0 reads it at each call. A key that a
    /// provider refuses is read anew at once.
    pub secrets_ttl_seconds: u64,
}

impl Default for AiConfig {
    fn default() -> Self {
        Self {
            providers: BTreeMap::new(),
            order: OrderConfig::default(),
            routes: BTreeMap::new(),
            policies: Vec::new(),
            strategy: DefaultStrategy::default(),
            fallbacks: FallbackConfig::default(),
            cache: CacheConfig::default(),
            tokens: TokenConfig::default(),
            embeddings: EmbeddingsConfig::default(),
            limits: Vec::new(),
            price_file: None,
            rate_limit: None,
            timeouts: TimeoutConfig::default(),
            retry: RetryConfig::default(),
            breaker: BreakerConfig::default(),
            hedge: HedgeConfig::default(),
            concurrency: ConcurrencyConfig::default(),
            max_prompt_bytes: 4 * 1024 * 1024,
            secrets_ttl_seconds: 300,
        }
    }
}

/// In which order the providers are asked. Names that are not configured are passed over; configured providers that an
/// order does not name come last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OrderConfig {
    /// For complex requests.
    pub complex: Vec<String>,
    /// For simple requests.
    pub simple: Vec<String>,
}

impl Default for OrderConfig {
    fn default() -> Self {
        let names = |names: [&str; 3]| names.map(str::to_owned).to_vec();
        Self {
            complex: names(["abacus", "openai", "internal"]),
            simple: names(["internal", "abacus", "openai"]),
        }
    }
}

/// Who is asked where every model of a list would fail alike: lists of `PROVIDER` or `PROVIDER/MODEL`. Where a list is empty, the
/// error reaches the caller at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FallbackConfig {
    /// When the prompt does not fit a model's context window: models with a larger one.
    pub context_too_long: Vec<String>,
    /// When a provider's content filter refuses.
    pub content_filtered: Vec<String>,
}

/// The cache of answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CacheConfig {
    /// Whether answers are kept.
    pub enabled: bool,
    /// For how long, in seconds.
    pub ttl_seconds: u64,
    /// The room of the cache in memory, in bytes.
    pub max_bytes: u64,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self { enabled: true, ttl_seconds: 3_600, max_bytes: 64 * 1024 * 1024 }
    }
}

/// How limits of answers are sized.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TokenConfig {
    /// Whether `generate` sizes them.
    pub optimize: bool,
    /// The limit where the user gives none, in tokens.
    pub default_limit: u32,
    /// The limit for simple prompts, in tokens.
    pub simple_limit: u32,
}

impl Default for TokenConfig {
    fn default() -> Self {
        Self { optimize: true, default_limit: DEFAULT_LIMIT, simple_limit: SIMPLE_LIMIT }
    }
}

/// A spend limit that holds for every tenant, each by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpendLimitConfig {
    /// Only for calls with this tag.
    #[serde(default)]
    pub tag: Option<String>,
    /// Only for calls under this key of the caller's.
    #[serde(default)]
    pub key: Option<String>,
    /// Over which span of the calendar.
    pub window: Window,
    /// Whose calendar and clock it is: an IANA name, UTC when absent.
    #[serde(default)]
    pub zone: Zone,
    /// The cap, in billionths of a dollar.
    pub amount_nano_usd: u64,
    /// Whether calls are refused at it; otherwise it only warns.
    #[serde(default = "yes")]
    pub hard: bool,
}

fn yes() -> bool {
    true
}

/// Deadlines, in milliseconds of real time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TimeoutConfig {
    /// Until the whole answer is there, or the first piece of a stream, whoever is asked.
    pub total_ms: u64,
    /// Until the whole answer of one attempt at one provider.
    pub attempt_ms: u64,
    /// Until the first token of a stream of one attempt: text, a tool call, reasoning or a refusal.
    pub first_token_ms: u64,
    /// Between two pieces of a stream.
    pub idle_ms: u64,
    /// Until the end of a stream, from its call; 0 for as long as it takes.
    pub stream_total_ms: u64,
}

impl Default for TimeoutConfig {
    fn default() -> Self {
        Self {
            total_ms: 30_000,
            attempt_ms: 20_000,
            first_token_ms: 20_000,
            idle_ms: 20_000,
            stream_total_ms: 600_000,
        }
    }
}

impl TimeoutConfig {
    /// The whole call.
    pub fn total(&self) -> Duration {
        Duration::from_millis(self.total_ms)
    }

    /// One attempt.
    pub fn attempt(&self) -> Duration {
        Duration::from_millis(self.attempt_ms)
    }

    /// The first token of a stream.
    pub fn first_token(&self) -> Duration {
        Duration::from_millis(self.first_token_ms)
    }

    /// A whole stream; `None` for as long as it takes.
    pub fn stream_total(&self) -> Option<Duration> {
        (self.stream_total_ms > 0).then(|| Duration::from_millis(self.stream_total_ms))
    }

    /// Silence within a stream.
    pub fn idle(&self) -> Duration {
        Duration::from_millis(self.idle_ms)
    }
}

/// Retries of temporary faults at one provider, before the next is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetryConfig {
    /// How often at most; 0 for never.
    pub max_retries: u32,
    /// The wait before the first one, in milliseconds; it doubles each time, and half of it is random.
    pub base_ms: u64,
    /// The longest wait, in milliseconds. A provider that asks for a longer one is left for the next.
    pub max_ms: u64,
    /// Retries for a hundred requests, over time, so that retries do not multiply an outage.
    pub budget_percent: u32,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self { max_retries: 3, base_ms: 250, max_ms: 4_000, budget_percent: 20 }
    }
}

/// When a failing model is left alone: after so many faults in a row, or when too many of the calls of a window are faults or slow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BreakerConfig {
    /// Consecutive faults that open it.
    pub failures: u32,
    /// The window of the rate, in seconds.
    pub window_seconds: u64,
    /// The share of the window's calls that opens it when they are faults or slow, in percent; 0 for never.
    pub rate_percent: u32,
    /// Calls that the window must hold before the rate counts.
    pub min_calls: u32,
    /// From how long on a call is slow, until its answer or the first token of its stream, in milliseconds of real time; 0 for
    /// never.
    pub slow_ms: u64,
    /// How long it stays open, in seconds.
    pub open_seconds: u64,
    /// How much shorter than that it may be at random, in percent, so that not all processes try again at once.
    pub jitter_percent: u32,
    /// Trial calls after that; all must succeed.
    pub probes: u32,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            failures: 5,
            window_seconds: 60,
            rate_percent: 50,
            min_calls: 20,
            slow_ms: 15_000,
            open_seconds: 60,
            jitter_percent: 10,
            probes: 3,
        }
    }
}

/// Second calls beside slow ones: when the first model takes longer than 95 of 100 of its calls took, the next one is asked too.
/// The first answer, or the first token of a stream, wins; the other call is aborted. Both are paid for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HedgeConfig {
    /// Whether there are any.
    pub enabled: bool,
    /// Second calls for a hundred requests at most, over time.
    pub budget_percent: u32,
    /// Answers of a model that must have been measured before.
    pub min_calls: u32,
    /// The shortest wait before the second call, in milliseconds.
    pub min_wait_ms: u64,
}

impl Default for HedgeConfig {
    fn default() -> Self {
        Self { enabled: false, budget_percent: 5, min_calls: 20, min_wait_ms: 50 }
    }
}

/// How many calls may be in flight at once, all tenants together. One more is refused at once, as `throttled`; nothing queues. A
/// stream is in flight until its end, and answers from the cache are not counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ConcurrencyConfig {
    /// Of the whole client.
    pub max: u32,
    /// At each provider, after which the next one is asked; 0 for no bound but that of the client.
    pub per_provider: u32,
}

impl Default for ConcurrencyConfig {
    fn default() -> Self {
        Self { max: 16_384, per_provider: 0 }
    }
}

impl AiConfig {
    /// The providers that these environment variables name: `OPENAI_API_KEY` (with `OPENAI_BASE_URL` another address
    /// than OpenAI's), `ABACUS_API_KEY`, `ANTHROPIC_API_KEY`, `INTERNAL_AI_URL`; and `TOKEN_OPTIMIZATION_ENABLED`. `variable` looks one up.
    pub fn from_env(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let mut config = Self::default();
        let keys =
            [("openai", "OPENAI_API_KEY"), ("abacus", "ABACUS_API_KEY"), ("anthropic", "ANTHROPIC_API_KEY")];
        for (provider, name) in keys {
            if set(name).is_some() {
                let api_key = Some(SecretRef::Env(name.to_owned()).into());
                let base_url = if provider == "openai" { set("OPENAI_BASE_URL") } else { None };
                let configured = ProviderConfig { api_key, base_url, ..ProviderConfig::default() };
                config.providers.insert(provider.to_owned(), configured);
            }
        }
        if let Some(url) = set("INTERNAL_AI_URL") {
            let internal = ProviderConfig { base_url: Some(url), ..ProviderConfig::default() };
            config.providers.insert("internal".to_owned(), internal);
        }
        if let Some(value) = set("TOKEN_OPTIMIZATION_ENABLED") {
            config.tokens.optimize =
                !matches!(value.trim().to_ascii_lowercase().as_str(), "false" | "0" | "no" | "off");
        }
        config
    }

    /// Checks what types cannot. An error names the key, the problem and the way out.
    pub fn validate(&self) -> Result<()> {
        let positive = [
            ("cache.ttl_seconds", self.cache.ttl_seconds),
            ("cache.max_bytes", self.cache.max_bytes),
            ("tokens.default_limit", u64::from(self.tokens.default_limit)),
            ("tokens.simple_limit", u64::from(self.tokens.simple_limit)),
            ("timeouts.total_ms", self.timeouts.total_ms),
            ("timeouts.attempt_ms", self.timeouts.attempt_ms),
            ("timeouts.first_token_ms", self.timeouts.first_token_ms),
            ("timeouts.idle_ms", self.timeouts.idle_ms),
            ("retry.base_ms", self.retry.base_ms),
            ("breaker.failures", u64::from(self.breaker.failures)),
            ("breaker.window_seconds", self.breaker.window_seconds),
            ("breaker.min_calls", u64::from(self.breaker.min_calls)),
            ("breaker.open_seconds", self.breaker.open_seconds),
            ("breaker.probes", u64::from(self.breaker.probes)),
            ("hedge.min_calls", u64::from(self.hedge.min_calls)),
            ("embeddings.max_inputs", self.embeddings.max_inputs as u64),
            ("embeddings.concurrency", u64::from(self.embeddings.concurrency)),
            ("embeddings.dimensions", self.embeddings.dimensions.map_or(1, u64::from)),
            ("concurrency.max", u64::from(self.concurrency.max)),
            ("max_prompt_bytes", self.max_prompt_bytes as u64),
        ];
        if let Some((key, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return Err(wrong(format!("ai.{key}: 0 is not allowed; give at least 1")));
        }
        let percents = [
            ("retry.budget_percent", self.retry.budget_percent),
            ("breaker.rate_percent", self.breaker.rate_percent),
            ("breaker.jitter_percent", self.breaker.jitter_percent),
            ("hedge.budget_percent", self.hedge.budget_percent),
        ];
        if let Some((key, given)) = percents.iter().find(|(_, percent)| *percent > 100) {
            return Err(wrong(format!("ai.{key}: {given} is more than 100; give 0 to 100")));
        }
        if let Some(limit) = &self.rate_limit {
            limit.validate("ai.rate_limit")?;
        }
        if self.limits.iter().any(|limit| limit.tag.is_some() && limit.key.is_some()) {
            return Err(wrong("ai.limits: one has both tag and key; give two limits, one each".to_owned()));
        }
        for (name, provider) in &self.providers {
            provider.validate(name)?;
            if name.is_empty() || name.contains('/') || name == "auto" {
                return Err(wrong(format!(
                    "ai.providers: {name:?} is no name; it must not be empty, auto or hold a /"
                )));
            }
        }
        for (name, route) in &self.routes {
            route.validate(name)?;
        }
        match self.routes.keys().find(|route| self.providers.contains_key(*route) || *route == "auto") {
            Some(route) => Err(wrong(format!("ai.routes.{route}: the name is taken; choose another"))),
            None => Ok(()),
        }
    }

    /// The order and the routes.
    pub fn routing(&self) -> RoutingTable {
        RoutingTable {
            complex: self.order.complex.clone(),
            simple: self.order.simple.clone(),
            routes: self.routes.clone(),
            strategy: self.strategy,
            policies: self.policies.clone(),
            context_too_long: self.fallbacks.context_too_long.clone(),
            tokens: self.tokens.clone(),
        }
    }

    /// The limits that hold for every tenant.
    pub fn standing_limits(&self) -> Vec<SpendLimit> {
        let limit = |config: &SpendLimitConfig| SpendLimit {
            scope: match (&config.tag, &config.key) {
                (Some(tag), _) => LimitScope::Tag(tag.clone()),
                (None, Some(key)) => LimitScope::Key(key.clone()),
                (None, None) => LimitScope::Tenant,
            },
            window: config.window,
            zone: config.zone.clone(),
            amount_nano_usd: config.amount_nano_usd,
            hard: config.hard,
        };
        self.limits.iter().map(limit).collect()
    }
}

pub(super) fn wrong(message: String) -> Error {
    Error::new(ErrorKind::ConfigInvalid, "ai.new", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> AiConfig {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn the_environment_names_providers() {
        let variables = BTreeMap::from([
            ("OPENAI_API_KEY", "sk-1"),
            ("OPENAI_BASE_URL", "http://127.0.0.1:8787/openai/v1"),
            ("INTERNAL_AI_URL", "http://localhost:8000/v1"),
            ("ABACUS_API_KEY", " "),
            ("ANTHROPIC_API_KEY", "sk-ant-1"),
            ("TOKEN_OPTIMIZATION_ENABLED", "False"),
        ]);
        let config = AiConfig::from_env(|name| variables.get(name).map(|&value| value.to_owned()));
        assert_eq!(config.providers.keys().collect::<Vec<_>>(), ["anthropic", "internal", "openai"]);
        assert!(!config.tokens.optimize);
        assert_eq!(config.providers["openai"].base_url.as_deref(), Some("http://127.0.0.1:8787/openai/v1"));
        config.validate().unwrap();
        assert!(!format!("{config:?}").contains("sk-"));
    }

    #[test]
    fn unknown_keys_are_named() {
        let error = toml::from_str::<AiConfig>("[cache]\nttl = 5").unwrap_err().to_string();
        assert!(error.contains("ttl") && error.contains("ttl_seconds"), "{error}");
    }

    #[test]
    fn wrong_values_are_named() {
        for (text, part) in [
            ("[breaker]\nprobes = 0", "ai.breaker.probes"),
            ("[retry]\nbudget_percent = 101", "budget_percent"),
            ("rate_limit = { per_minute = 0 }", "ai.rate_limit"),
            ("[providers.\"a/b\"]\nbase_url = 'https://x.example'\nmodel = 'm'", "or hold a /"),
            ("[[limits]]\nwindow = 'day'\namount_nano_usd = 1\ntag = 'a'\nkey = 'b'", "both tag and key"),
            ("[routes]\nauto = ['openai']", "ai.routes.auto"),
        ] {
            let error = parse(text).validate().unwrap_err();
            assert!(error.message().contains(part), "{error}");
        }
    }

    #[test]
    fn limits_are_hard_unless_said() {
        let config = parse("[[limits]]\nwindow = 'day'\namount_nano_usd = 5000000000\ntag = 'x'");
        let limit = &config.standing_limits()[0];
        assert!(limit.hard);
        assert_eq!(limit.scope, LimitScope::Tag("x".into()));
    }
}
