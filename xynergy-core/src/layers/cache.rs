use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;

use super::flight::{Flight, Flights, Ticket, landing};
use super::replay::{replayed, served};
use crate::cache::{CacheEntry, CacheKey, ResponseCache};
use crate::ctx::{Ctx, TenantId};
use crate::error::Result;
use crate::layer::Layer;
use crate::provider::{
    Assembler, CallReport, Capability, ChatChunk, ChatRequest, ChatResponse, ChatStream, Outcome, Provider,
};

/// Serves equal requests of a tenant from the cache, and sends only one of those that are in flight together.
///
/// Only complete answers are kept. A call with `cache: false` passes by. A cache that is away is a miss.
#[derive(Clone, Debug)]
pub struct CacheLayer {
    cache: Arc<dyn ResponseCache>,
    ttl: Duration,
    routing: Arc<str>,
    by_tags: bool,
    flights: Arc<Flights>,
    counts: Arc<Mutex<BTreeMap<TenantId, Counts>>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    hits: u64,
    misses: u64,
}

impl CacheLayer {
    /// The same layer where tags choose models too: answers are then shared only under equal tags.
    #[must_use]
    pub fn by_tags(self, by_tags: bool) -> Self {
        Self { by_tags, ..self }
    }

    /// A layer on `cache`. `routing` names the configuration that chooses models: answers are shared only under an equal one.
    pub fn new(cache: Arc<dyn ResponseCache>, ttl: Duration, routing: impl Into<Arc<str>>) -> Self {
        Self {
            cache,
            ttl,
            routing: routing.into(),
            by_tags: false,
            flights: Arc::default(),
            counts: Arc::default(),
        }
    }

    /// Hits and misses of the tenant.
    pub fn counts(&self, tenant: &TenantId) -> (u64, u64) {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(tenant).map_or((0, 0), |counts| (counts.hits, counts.misses))
    }

    fn count(&self, tenant: &TenantId, hit: bool) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = counts.entry(tenant.clone()).or_default();
        *(if hit { &mut mine.hits } else { &mut mine.misses }) += 1;
    }

    fn key(&self, ctx: &Ctx, request: &ChatRequest, stream: bool) -> Option<CacheKey> {
        if request.options.cache == Some(false) {
            return None;
        }
        if self.by_tags && !request.options.tags.is_empty() {
            let routing = format!("{} {:?}", self.routing, request.options.tags);
            return CacheKey::of(&ctx.tenant, &routing, request, stream).ok();
        }
        CacheKey::of(&ctx.tenant, &self.routing, request, stream).ok()
    }

    async fn get(&self, ctx: &Ctx, key: &CacheKey) -> Option<Arc<ChatResponse>> {
        match self.cache.get(&ctx.tenant, key, ctx.env.clock.now()).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(event = "cache_unavailable", kind = error.kind().as_str());
                None
            }
        }
    }

    async fn put(&self, ctx: &Ctx, key: &CacheKey, response: Arc<ChatResponse>) {
        let entry = CacheEntry { response, expires_at: ctx.env.clock.now().plus(self.ttl) };
        if let Err(error) = self.cache.put(&ctx.tenant, key, entry).await {
            tracing::warn!(event = "cache_unavailable", kind = error.kind().as_str());
        }
    }
}

impl Layer for CacheLayer {
    fn wrap(&self, inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
        Arc::new(Cached { inner, layer: self.clone() })
    }
}

#[derive(Debug)]
struct Cached {
    inner: Arc<dyn Provider>,
    layer: CacheLayer,
}

fn is_kept(response: &ChatResponse) -> bool {
    matches!(response.outcome, Outcome::Complete | Outcome::Spliced)
}

#[async_trait]
impl Provider for Cached {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn capability(&self) -> Capability {
        self.inner.capability()
    }

    async fn chat(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        let layer = &self.layer;
        let Some(key) = layer.key(ctx, request, false) else { return self.inner.chat(ctx, request).await };
        let hit = |kept: &ChatResponse| {
            layer.count(&ctx.tenant, true);
            Ok(served(kept))
        };
        loop {
            if let Some(kept) = layer.get(ctx, &key).await {
                return hit(&kept);
            }
            let leader = match layer.flights.join(&ctx.tenant, &key) {
                Ticket::Leader(leader) => leader,
                Ticket::Follower(flight) => match landing(flight).await {
                    Some(Flight::Landed(shared)) => return hit(&shared),
                    Some(_) => {
                        layer.count(&ctx.tenant, false);
                        return self.inner.chat(ctx, request).await;
                    }
                    None => continue,
                },
            };
            // An earlier leader may have landed between the look and the take-off.
            if let Some(kept) = layer.get(ctx, &key).await {
                leader.land(Flight::Landed(Arc::clone(&kept)));
                return hit(&kept);
            }
            layer.count(&ctx.tenant, false);
            let outcome = self.inner.chat(ctx, request).await;
            match &outcome {
                Ok(response) if is_kept(response) => {
                    let shared = Arc::new(response.clone());
                    layer.put(ctx, &key, Arc::clone(&shared)).await;
                    leader.land(Flight::Landed(shared));
                }
                _ => leader.land(Flight::Lost),
            }
            return outcome;
        }
    }

    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        let Some(key) = self.layer.key(ctx, request, true) else {
            return self.inner.stream(ctx, request).await;
        };
        if let Some(kept) = self.layer.get(ctx, &key).await {
            self.layer.count(&ctx.tenant, true);
            return Ok(replayed(&kept));
        }
        self.layer.count(&ctx.tenant, false);
        let recording = Recording {
            inner: self.inner.stream(ctx, request).await?,
            seen: Assembler::default(),
            layer: self.layer.clone(),
            ctx: ctx.clone(),
            key,
        };
        Ok(futures_util::stream::unfold(Some(recording), Recording::next).boxed())
    }
}

/// Keeps a streamed answer once it has come to its end.
struct Recording {
    inner: ChatStream,
    seen: Assembler,
    layer: CacheLayer,
    ctx: Ctx,
    key: CacheKey,
}

impl Recording {
    async fn next(state: Option<Self>) -> Option<(Result<ChatChunk>, Option<Self>)> {
        let mut recording = state?;
        let item = recording.inner.next().await?;
        let Ok(chunk) = &item else { return Some((item, None)) };
        recording.seen.push(chunk);
        if let Some(report) = &chunk.report {
            recording.keep(report, chunk.outcome.unwrap_or_default()).await;
        }
        Some((item, Some(recording)))
    }

    async fn keep(&mut self, report: &CallReport, outcome: Outcome) {
        let mut response = self.seen.response();
        response.report = report.clone();
        response.outcome = outcome;
        if is_kept(&response) {
            self.layer.put(&self.ctx, &self.key, Arc::new(response)).await;
        }
    }
}
