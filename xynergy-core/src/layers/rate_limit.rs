use std::sync::Arc;

use async_trait::async_trait;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};

use crate::config::RateLimit;
use crate::ctx::{Ctx, TenantId};
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::layer::Layer;
use crate::provider::{Capability, ChatRequest, ChatResponse, ChatStream, Provider};

/// Admits so many requests a minute, a tenant by itself, in bursts up to the whole minute's. Real time, this process.
#[derive(Clone, Debug)]
pub struct RateLimitLayer {
    limit: RateLimit,
    limiter: Arc<DefaultKeyedRateLimiter<TenantId>>,
    clock: DefaultClock,
}

impl RateLimitLayer {
    /// A limiter with its whole burst free.
    pub fn new(limit: RateLimit) -> Self {
        let quota = Quota::per_minute(limit.per_minute());
        Self {
            limit,
            limiter: Arc::new(DefaultKeyedRateLimiter::keyed(quota)),
            clock: DefaultClock::default(),
        }
    }

    fn admit(&self, ctx: &Ctx, provider: &str, request: &ChatRequest) -> Result<()> {
        let Err(refused) = self.limiter.check_key(&ctx.tenant) else { return Ok(()) };
        request.call.note_skipped(provider, &request.model, ErrorKind::Throttled, "rate limit");
        let message =
            format!("the configured limit of {} requests a minute is used up", self.limit.per_minute());
        Err(Error::new(ErrorKind::Throttled, "ai.chat", message)
            .with_retry(Retry::After(refused.wait_time_from(self.clock.now())))
            .with_context("provider", provider))
    }
}

impl Layer for RateLimitLayer {
    fn wrap(&self, inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
        Arc::new(Limited { inner, layer: self.clone() })
    }
}

#[derive(Debug)]
struct Limited {
    inner: Arc<dyn Provider>,
    layer: RateLimitLayer,
}

#[async_trait]
impl Provider for Limited {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn capability(&self) -> Capability {
        self.inner.capability()
    }

    async fn chat(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        self.layer.admit(ctx, self.inner.name(), request)?;
        self.inner.chat(ctx, request).await
    }

    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        self.layer.admit(ctx, self.inner.name(), request)?;
        self.inner.stream(ctx, request).await
    }
}
