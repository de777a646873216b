use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;

use crate::ctx::Ctx;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::layer::Layer;
use crate::provider::{Capability, ChatRequest, ChatResponse, ChatStream, Provider};

/// Bounds an attempt: until the answer or a stream's first piece, and the silence between two pieces. Real time.
#[derive(Clone, Copy, Debug)]
pub struct TimeoutLayer {
    /// Until the answer, or the first piece of a stream.
    pub attempt: Duration,
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
        let limit = self.limits.attempt;
        let opened = tokio::time::timeout(limit, self.inner.stream(ctx, request));
        let stream = opened.await.unwrap_or_else(|_| Err(late(self.inner.name(), "no answer", limit)))?;
        let (idle, name) = (self.limits.idle, self.inner.name().to_owned());
        let timed = futures_util::stream::unfold(Some(stream), move |state| {
            let name = name.clone();
            async move {
                let mut stream = state?;
                match tokio::time::timeout(idle, stream.next()).await {
                    Ok(item) => item.map(|item| (item, Some(stream))),
                    Err(_) => Some((Err(late(&name, "the stream fell silent", idle)), None)),
                }
            }
        });
        Ok(timed.boxed())
    }
}

fn late(provider: &str, what: &str, limit: Duration) -> Error {
    let message = format!("{what} within {} ms", limit.as_millis());
    Error::new(ErrorKind::Timeout, "ai.chat", message)
        .with_retry(Retry::After(Duration::ZERO))
        .with_context("provider", provider)
}
