//! The AI side of a client: one request, through all layers, to one answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use tracing::Instrument;

mod embed;
mod ending;
mod span;

use embed::{Embedding, Seats};
use ending::Ending;

use crate::cache::{CacheKey, CacheStats, MemoryCache, ResponseCache};
use crate::config::{AiConfig, ProviderConfig};
use crate::ctx::Ctx;
use crate::embed::Embedder;
use crate::env::Timestamp;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::health::Performance;
use crate::layer::{Layer, stack};
use crate::layers::{
    AttemptLayer, BreakerLayer, BreakerSnapshot, CacheLayer, ClassLists, Fallback, HedgeLayer,
    RateLimitLayer, RecoverLayer, RetryLayer, RouteLayer, ShedLayer, SizeLayer, SpendLayer, ThrottleLayer,
    TimeoutLayer,
};
use crate::metrics::AiMetrics;
use crate::provider::{
    Call, CallReport, ChatRequest, ChatResponse, ChatStream, GenerateRequest, Generation, Provider, Usage,
};
use crate::rate::{MemoryLimiter, RateLimiter};
use crate::route::{CanarySnapshot, Candidate, Complexity, Features, Figures, RouteDecision, Router, score};
use crate::spend::{
    LimitScope, MemoryLedger, PriceBook, PriceMap, ProviderPricing, Spend, SpendLedger, SpendLimit, Window,
};
use crate::tokens::{TokenCounter, TokenOptimization};

/// What an [`AiClient`] is built on.
#[derive(Clone, Debug)]
pub struct AiParts {
    /// The providers, each under its own name.
    pub providers: Vec<Arc<dyn Provider>>,
    /// What embeds texts, beside the providers that do.
    pub embedders: Vec<Arc<dyn Embedder>>,
    /// Where answers are kept; in memory, as large as configured, when `None`.
    pub cache: Option<Arc<dyn ResponseCache>>,
    /// The account of spend; in memory when `None`.
    pub ledger: Option<Arc<dyn SpendLedger>>,
    /// What counts requests and tokens a minute; in this process when `None`.
    pub limiter: Option<Arc<dyn RateLimiter>>,
    /// What counts tokens, and learns from the usage that providers report.
    pub counter: Arc<TokenCounter>,
}

impl AiParts {
    /// These providers, with cache and account in memory.
    pub fn new(providers: Vec<Arc<dyn Provider>>) -> Self {
        Self {
            providers,
            embedders: Vec::new(),
            cache: None,
            ledger: None,
            limiter: None,
            counter: Arc::default(),
        }
    }
}

/// Sends each request to the cheapest provider that can answer it well, within limits, and accounts for it.
///
/// Cheap to clone. Building one does no I/O and starts nothing. Every call may be dropped at any point: what was reserved is given
/// back, and the call to the provider is aborted.
#[derive(Clone, Debug)]
pub struct AiClient(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: AiConfig,
    whole: Arc<dyn Provider>,
    router: Arc<Router>,
    ledger: Arc<dyn SpendLedger>,
    prices: Arc<PriceBook>,
    cache: Arc<dyn ResponseCache>,
    cache_layer: CacheLayer,
    embedding: Embedding,
    breakers: BreakerLayer,
    providers: Vec<String>,
    metrics: Arc<AiMetrics>,
    counter: Arc<TokenCounter>,
}

impl AiClient {
    /// A client of a configuration that [`AiConfig::validate`] accepts.
    ///
    /// Errors: a wrong configuration, two providers of one name, or a route to a provider that does not exist.
    pub fn new(config: AiConfig, parts: AiParts) -> Result<Self> {
        config.validate()?;
        let ledger = parts.ledger.unwrap_or_else(|| Arc::new(MemoryLedger::default()));
        let cache = parts.cache.unwrap_or_else(|| Arc::new(MemoryCache::new(config.cache.max_bytes)));

        let limiter = parts.limiter.unwrap_or_else(|| Arc::new(MemoryLimiter::default()));
        let breakers = BreakerLayer::new(config.breaker.clone());
        let throttles = ThrottleLayer::new(Duration::from_millis(config.retry.max_ms));
        let layers_of = |name: &str, own: &ProviderConfig| {
            let mut around: Vec<Arc<dyn Layer>> = Vec::new();
            if config.concurrency.per_provider > 0 {
                let most = config.concurrency.per_provider;
                around.push(Arc::new(ShedLayer::new(most, "ai.concurrency.per_provider")));
            }
            around.push(Arc::new(throttles.clone()));
            if let Some(limit) = own.rate_limit {
                let (limiter, counter) = (Arc::clone(&limiter), Arc::clone(&parts.counter));
                let answer = config.tokens.default_limit;
                let layer = RateLimitLayer::of_provider(name, limit.rate(), limiter, counter, answer);
                around.push(Arc::new(layer));
            }
            around.push(Arc::new(breakers.clone()));
            around.push(Arc::new(RetryLayer::new(config.retry.clone())));
            around.push(Arc::new(TimeoutLayer {
                attempt: config.timeouts.attempt(),
                first_token: config.timeouts.first_token(),
                idle: config.timeouts.idle(),
            }));
            around.push(Arc::new(AttemptLayer));
            around
        };
        let mut seats = Seats::new();
        let mut candidates = Vec::new();
        let mut prices = BTreeMap::new();
        let mut stacks = BTreeMap::new();
        for provider in parts.providers {
            let name = provider.name().to_owned();
            let own = config.providers.get(&name).cloned().unwrap_or_default();
            let mut pricing = own.pricing(&name)?;
            pricing.default_model = provider.capability().default_model;
            let windows = own.windows(&pricing.default_model);
            prices.insert(name.clone(), pricing);
            candidates.push(Candidate { name: name.clone(), capability: provider.capability(), windows });
            let around = layers_of(&name, &own);
            let embedder = provider.embedder();
            if stacks.insert(name.clone(), stack(provider, &around)).is_some() {
                return Err(wrong(format!("ai.providers: two are called {name:?}; rename one")));
            }
            if let Some(embedder) = embedder {
                Embedding::seat(&mut seats, embedder, around)?;
            }
        }

        for embedder in parts.embedders {
            let name = embedder.name().to_owned();
            let own = config.providers.get(&name).cloned().unwrap_or_default();
            if !prices.contains_key(&name) {
                let default_model = embedder.capability().default_model;
                prices.insert(name.clone(), ProviderPricing { default_model, ..own.pricing(&name)? });
            }
            Embedding::seat(&mut seats, embedder, layers_of(&name, &own))?;
        }

        let known: Vec<_> =
            candidates.iter().map(|c| (c.name.clone(), c.capability.default_model.clone())).collect();
        let metrics = Arc::new(AiMetrics::new(&known)?);
        let capabilities =
            candidates.iter().map(|c| (c.name.clone(), c.capability.clone())).collect::<BTreeMap<_, _>>();
        let names: Vec<String> = candidates.iter().map(|candidate| candidate.name.clone()).collect();
        let routing = routing_name(&candidates, &config);
        let prices = Arc::new(PriceBook::new(prices));
        let figures = Figures { prices: Arc::clone(&prices), counter: Arc::clone(&parts.counter) };
        let router = Arc::new(Router::new(candidates, config.routing())?.with_figures(figures));
        let ttl = Duration::from_secs(config.cache.ttl_seconds);
        let by_tags = config.policies.iter().any(|policy| !policy.when.tags.is_empty());
        let cache_layer = CacheLayer::new(Arc::clone(&cache), ttl, routing).by_tags(by_tags);
        let mut around: Vec<Arc<dyn Layer>> = Vec::new();
        if config.cache.enabled {
            around.push(Arc::new(cache_layer.clone()));
        }
        let shed = Arc::new(ShedLayer::new(config.concurrency.max, "ai.concurrency.max"));
        let mut around_embedding: Vec<Arc<dyn Layer>> = vec![shed];
        if let Some(limit) = config.rate_limit {
            let counter = Arc::clone(&parts.counter);
            let answer = config.tokens.default_limit;
            let layer = RateLimitLayer::of_tenant(limit.rate(), Arc::clone(&limiter), counter, answer);
            around_embedding.push(Arc::new(layer));
        }
        around.extend(around_embedding.iter().cloned());
        around.push(Arc::new(RouteLayer::new(Arc::clone(&router))));
        around.push(Arc::new(SizeLayer::new(config.tokens.clone())));
        let lists = class_lists(&config, &router)?;
        around.push(Arc::new(RecoverLayer::new(capabilities, lists)));
        if config.hedge.enabled {
            around.push(Arc::new(HedgeLayer::new(config.hedge.clone())));
        }
        let standing = config.standing_limits();
        let spend = Arc::new(SpendLayer::new(Arc::clone(&ledger), Arc::clone(&prices), standing));
        around_embedding.push(spend.clone());
        around.push(spend);
        let embedding = Embedding::new(seats, &names, around_embedding, &config.embeddings)?;
        let whole = stack(Arc::new(Fallback::new(stacks)), &around);
        Ok(Self(Arc::new(Inner {
            config,
            whole,
            router,
            ledger,
            prices,
            cache,
            cache_layer,
            embedding,
            breakers,
            providers: names,
            metrics,
            counter: parts.counter,
        })))
    }

    /// Answers a prompt. The limit of the answer is sized unless the request has one; a cut by a limit of ours is not seen.
    pub async fn generate(&self, ctx: &Ctx, request: GenerateRequest) -> Result<Generation> {
        let chat = request.into_chat();
        let complexity = self.complexity(&chat);
        let limit = chat.token_limit().unwrap_or(self.0.config.tokens.default_limit);
        let response = self.answer(ctx, chat, "ai.generate").await?;
        let unsized_limit = TokenOptimization::unchanged(limit, complexity);
        let sized = response.report.token_optimization.unwrap_or(unsized_limit);
        Ok(Generation::from_response(response, sized))
    }

    /// Answers a conversation.
    pub async fn chat(&self, ctx: &Ctx, request: ChatRequest) -> Result<ChatResponse> {
        self.answer(ctx, request, "ai.chat").await
    }

    /// Answers a conversation in pieces. Returns when the first piece is there; until then other providers are tried.
    ///
    /// The last chunk has the outcome, the usage and the report. A stream that breaks is continued by the next model that can
    /// ([`Capability::prefill`](crate::provider::Capability)), where that is safe; its outcome is then `spliced`. Otherwise its last
    /// chunk has the outcome `errored` and the partial text, and an error follows, which carries the text as well.
    pub async fn stream(&self, ctx: &Ctx, request: ChatRequest) -> Result<ChatStream> {
        let started = Instant::now();
        let mut request = self.admitted(request, "ai.stream")?;
        let total = self.0.config.timeouts.stream_total();
        request.call.deadline = total.and_then(|total| tokio::time::Instant::now().checked_add(total));
        let mut ending = self.ending(ctx, &request, "ai.stream", started);
        let work = self.within_deadline(self.0.whole.stream(ctx, &request)).instrument(ending.span());
        let stream = match request.call.busy().call(work).await {
            Ok(stream) => stream,
            Err(error) => return Err(ending.failed(error)),
        };
        ending.opened();
        let client = self.clone();
        let watched = futures_util::stream::unfold(
            Some((stream, ending, client, ctx.clone(), request)),
            |state| async move {
                let (mut stream, mut ending, client, ctx, request) = state?;
                let piece = stream.next().instrument(ending.span());
                match request.call.busy().call(piece).await? {
                    Ok(mut chunk) => {
                        ending.saw(&mut chunk);
                        if let Some(report) = &chunk.report {
                            client.learn(&ctx, &request, report, chunk.usage.as_ref());
                        }
                        Some((Ok(chunk), Some((stream, ending, client, ctx, request))))
                    }
                    Err(error) => Some((Err(ending.failed(error)), None)),
                }
            },
        );
        Ok(watched.boxed())
    }

    /// Which models would be asked, and why. Sends nothing. The call decides alike, but for what is drawn: a weighted route draws
    /// anew.
    pub fn route(&self, ctx: &Ctx, request: &ChatRequest) -> Result<RouteDecision> {
        request.validate("ai.route", self.0.config.max_prompt_bytes)?;
        self.0.router.decide(ctx, request, false).map(|decided| decided.decision)
    }

    /// What the tenant spent since `since`, rounded down to the minute; all that is kept when `None`.
    pub async fn spend(&self, ctx: &Ctx, since: Option<Timestamp>) -> Result<Spend> {
        self.0.ledger.spend(&ctx.tenant, since, ctx.env.clock.now()).await
    }

    /// Sets a spend limit of the tenant, at once. It replaces the one of the same scope and window, also one of the configuration.
    pub async fn set_limit(&self, ctx: &Ctx, limit: SpendLimit) -> Result<()> {
        self.0.ledger.set_limit(&ctx.tenant, limit).await
    }

    /// Removes a spend limit of the tenant, and says whether there was one. One of the configuration then holds again.
    pub async fn remove_limit(&self, ctx: &Ctx, scope: &LimitScope, window: Window) -> Result<bool> {
        self.0.ledger.remove_limit(&ctx.tenant, scope, window).await
    }

    /// Takes another price list from now on; calls that are under way are settled by it too.
    pub fn set_prices(&self, prices: PriceMap) {
        self.0.prices.replace(prices);
    }

    /// Writes what calls that were dropped left to the ledger. Call it before the runtime ends.
    pub async fn drain(&self) -> Result<()> {
        self.0.ledger.drain().await
    }

    /// How the cache fares for the tenant, in this process.
    pub fn cache_stats(&self, ctx: &Ctx) -> CacheStats {
        let (hits, misses) = self.0.cache_layer.counts(&ctx.tenant);
        let total_requests = hits + misses;
        #[allow(clippy::cast_precision_loss)] // A percentage for people.
        let hit_rate = if total_requests == 0 { 0.0 } else { hits as f64 * 100.0 / total_requests as f64 };
        CacheStats {
            hits,
            misses,
            hit_rate,
            total_requests,
            enabled: self.0.config.cache.enabled,
            ttl_seconds: self.0.config.cache.ttl_seconds,
            provider: self.0.cache.name().to_owned(),
            semantic_enabled: false,
            token_optimization_enabled: self.0.config.tokens.optimize,
        }
    }

    /// Drops the tenant's answers that match `pattern` (see [`ResponseCache::invalidate`]); all of them when `None`.
    pub async fn cache_invalidate(&self, ctx: &Ctx, pattern: Option<&str>) -> Result<u64> {
        self.0.cache.invalidate(&ctx.tenant, pattern.unwrap_or("*")).await
    }

    /// The breakers of the tenant's models that have seen a call.
    pub fn breakers(&self, ctx: &Ctx) -> Vec<BreakerSnapshot> {
        self.0.breakers.snapshot(ctx)
    }

    /// How far each canary route is, by its name; the same for all tenants.
    pub fn canaries(&self) -> Vec<CanarySnapshot> {
        self.0.router.canaries()
    }

    /// The names of the providers.
    pub fn providers(&self) -> &[String] {
        &self.0.providers
    }

    /// How the calls went since the client was built, those of all tenants together.
    pub fn performance(&self) -> Performance {
        self.0.metrics.performance()
    }

    /// The figures since the client was built, those of all tenants together.
    pub(crate) fn families(
        &self,
        now: Timestamp,
    ) -> prometheus::Result<Vec<prometheus::proto::MetricFamily>> {
        self.0.metrics.families(self.0.breakers.all(now), &self.canaries())
    }

    /// Asks the cache for an answer that is hardly there, to see whether it can be asked.
    ///
    /// Errors: those of the cache, which a call takes as a miss. None when the cache is off.
    pub async fn probe_cache(&self, ctx: &Ctx) -> Result<()> {
        if !self.0.config.cache.enabled {
            return Ok(());
        }
        let key = CacheKey::of(&ctx.tenant, "health", &ChatRequest::prompt("health"), false)?;
        self.0.cache.get(&ctx.tenant, &key, ctx.env.clock.now()).await.map(drop)
    }

    async fn answer(&self, ctx: &Ctx, request: ChatRequest, operation: &'static str) -> Result<ChatResponse> {
        let started = Instant::now();
        let request = self.admitted(request, operation)?;
        let mut ending = self.ending(ctx, &request, operation, started);
        let work = self.within_deadline(self.0.whole.chat(ctx, &request)).instrument(ending.span());
        match request.call.busy().call(work).await {
            Ok(mut response) => {
                ending.answered(&mut response);
                self.learn(ctx, &request, &response.report, response.usage.as_ref());
                Ok(response)
            }
            Err(error) => Err(ending.failed(error)),
        }
    }

    fn ending(&self, ctx: &Ctx, request: &ChatRequest, operation: &'static str, started: Instant) -> Ending {
        Ending::new(&self.0.metrics, ctx, request, operation, self.0.config.cache.enabled, started)
    }

    /// Holds our estimate of the prompt against what the provider reports; where that is one prompt's and not known before.
    fn learn(&self, ctx: &Ctx, request: &ChatRequest, report: &CallReport, usage: Option<&Usage>) {
        if let Some(usage) = usage
            && !(report.cache_hit || report.continued || report.usage_estimated)
        {
            self.0.counter.learn(&ctx.tenant, request, &report.model, usage.prompt_tokens);
        }
    }

    /// The request, checked, with a trace of its own.
    fn admitted(&self, mut request: ChatRequest, operation: &'static str) -> Result<ChatRequest> {
        request.validate(operation, self.0.config.max_prompt_bytes)?;
        request.call = Call::default();
        Ok(request)
    }

    async fn within_deadline<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let limit = self.0.config.timeouts.total();
        tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
            let message = format!(
                "no answer within {} ms; raise ai.timeouts.total_ms to wait longer",
                limit.as_millis()
            );
            Err(Error::new(ErrorKind::Timeout, "ai.chat", message).with_retry(Retry::Exhausted))
        })
    }

    fn complexity(&self, request: &ChatRequest) -> Complexity {
        score(&Features::of(request)).complexity()
    }
}

/// A name for what chooses the model, so that a cache shared by differently configured clients keeps their answers apart.
fn routing_name(candidates: &[Candidate], config: &AiConfig) -> String {
    let models: Vec<String> =
        candidates.iter().map(|c| format!("{}/{}", c.name, c.capability.default_model)).collect();
    let AiConfig { order, routes, policies, strategy, fallbacks, tokens, .. } = config;
    format!("{models:?} {order:?} {routes:?} {policies:?} {strategy:?} {fallbacks:?} {tokens:?}")
}

/// The lists of `ai.fallbacks`, with the default models of providers that are named alone.
fn class_lists(config: &AiConfig, router: &Router) -> Result<ClassLists> {
    let resolve = |key: &str, targets: &[String]| {
        let resolved = |target: &String| {
            router.target(target).ok_or_else(|| {
                let known: Vec<&str> = config.providers.keys().map(String::as_str).collect();
                wrong(format!(
                    "ai.fallbacks.{key}: {target:?} is no provider; use NAME or NAME/MODEL with one of: {}",
                    known.join(", ")
                ))
            })
        };
        targets.iter().map(resolved).collect::<Result<Vec<_>>>()
    };
    Ok(ClassLists {
        context_too_long: resolve("context_too_long", &config.fallbacks.context_too_long)?,
        content_filtered: resolve("content_filtered", &config.fallbacks.content_filtered)?,
    })
}

fn wrong(message: String) -> Error {
    Error::new(ErrorKind::ConfigInvalid, "ai.new", message)
}
