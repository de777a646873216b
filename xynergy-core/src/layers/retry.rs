use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use futures_util::future::BoxFuture;

use super::backoff::wait_before_retry;
use crate::config::RetryConfig;
use crate::ctx::Ctx;
use crate::error::Result;
use crate::layer::Layer;
use crate::provider::{Capability, ChatRequest, ChatResponse, ChatStream, Provider};

/// What one retry costs of the budget; a request pays in `budget_percent`.
const RETRY: i64 = 100;
/// The budget is never more than ten retries, which is also what it starts with.
const MOST: i64 = 10 * RETRY;

/// Repeats an attempt after a temporary fault, within a budget, so that retries do not multiply an outage.
///
/// The budget is shared by everything that one layer wraps. A stream is repeated only before its first output.
#[derive(Debug)]
pub struct RetryLayer {
    settings: RetryConfig,
    budget: Arc<AtomicI64>,
}

impl RetryLayer {
    /// A layer with a full budget.
    pub fn new(settings: RetryConfig) -> Self {
        Self { settings, budget: Arc::new(AtomicI64::new(MOST)) }
    }
}

impl Layer for RetryLayer {
    fn wrap(&self, inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
        Arc::new(Retried { inner, settings: self.settings.clone(), budget: Arc::clone(&self.budget) })
    }
}

#[derive(Debug)]
struct Retried {
    inner: Arc<dyn Provider>,
    settings: RetryConfig,
    budget: Arc<AtomicI64>,
}

impl Retried {
    async fn repeat<'a, T>(
        &'a self,
        ctx: &'a Ctx,
        request: &'a ChatRequest,
        attempt: impl Fn() -> BoxFuture<'a, Result<T>> + Send,
    ) -> Result<T> {
        let income = i64::from(self.settings.budget_percent);
        change(&self.budget, |budget| Some((budget + income).min(MOST)));
        let mut retries = 0;
        loop {
            let error = match attempt().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let random = ctx.env.entropy.next_u64();
            let wait = wait_before_retry(&self.settings, &error, retries, request.call.last_resort, random);
            let Some(wait) = wait else { return Err(error) };
            if !change(&self.budget, |budget| (budget >= RETRY).then_some(budget - RETRY)) {
                tracing::warn!(provider = self.inner.name(), "the retry budget is used up");
                return Err(error);
            }
            tokio::time::sleep(wait).await;
            request.call.note_retry();
            retries += 1;
        }
    }
}

fn change(budget: &AtomicI64, change: impl Fn(i64) -> Option<i64>) -> bool {
    budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change).is_ok()
}

#[async_trait]
impl Provider for Retried {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn capability(&self) -> Capability {
        self.inner.capability()
    }

    async fn chat(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        self.repeat(ctx, request, || self.inner.chat(ctx, request)).await
    }

    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        self.repeat(ctx, request, || self.inner.stream(ctx, request)).await
    }
}
