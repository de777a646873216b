use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;

use crate::ctx::Ctx;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::layer::Layer;
use crate::provider::{Capability, ChatRequest, ChatResponse, ChatStream, Provider};

/// Bounds an attempt: until the answer or a stream's first token, the silence between two pieces, and the end of a stream where
/// the call has a deadline. Real time.
#[derive(Clone, Copy, Debug)]
pub struct TimeoutLayer {
    /// Until the answer.
    pub attempt: Duration,
    /// Until the first token of a stream.
    pub first_token: Duration,
    /// Between two pieces of a stream.
    pub idle: Duration,
}

impl Layer for TimeoutLayer {
    fn wrap(&self, inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
        Arc::new(Timed { inner, limits: *self })
    }
}

#[derive(Debug)]
struct Timed {
    inner: Arc<dyn Provider>,
    limits: TimeoutLayer,
}

#[async_trait]
impl Provider for Timed {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn capability(&self) -> Capability {
        self.inner.capability()
    }

    async fn chat(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        let limit = self.limits.attempt;
        let answer = tokio::time::timeout(limit, self.inner.chat(ctx, request));
        answer.await.unwrap_or_else(|_| Err(late(self.inner.name(), "no answer", limit)))
    }

    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        let limit = self.limits.first_token;
        let opened = tokio::time::timeout(limit, self.inner.stream(ctx, request));
        let stream =
            opened.await.unwrap_or_else(|_| Err(late(self.inner.name(), "no first token", limit)))?;
        let (idle, name, deadline) = (self.limits.idle, self.inner.name().to_owned(), request.call.deadline);
        let timed = futures_util::stream::unfold(Some(stream), move |state| {
            let name = name.clone();
            async move {
                let mut stream = state?;
                let now = tokio::time::Instant::now();
                // A stream that always has a piece ready would never be found late.
                if deadline.is_some_and(|deadline| deadline <= now) {
                    return Some((Err(overdue(&name)), None));
                }
                let silent = now + idle;
                let until = deadline.map_or(silent, |deadline| deadline.min(silent));
                match tokio::time::timeout_at(until, stream.next()).await {
                    Ok(item) => item.map(|item| (item, Some(stream))),
                    Err(_) if until < silent => Some((Err(overdue(&name)), None)),
                    Err(_) => Some((Err(late(&name, "no further piece of the stream", idle)), None)),
                }
            }
        });
        Ok(timed.boxed())
    }
}

fn overdue(provider: &str) -> Error {
    let message = "the stream did not end in time; raise ai.timeouts.stream_total_ms to wait longer";
    Error::new(ErrorKind::Timeout, "ai.stream", message)
        .with_retry(Retry::Exhausted)
        .with_context("provider", provider)
}

fn late(provider: &str, what: &str, limit: Duration) -> Error {
    let message = format!("{what} within {} ms", limit.as_millis());
    Error::new(ErrorKind::Timeout, "ai.chat", message)
        .with_retry(Retry::After(Duration::ZERO))
        .with_context("provider", provider)
}
