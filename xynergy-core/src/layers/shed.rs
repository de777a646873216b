use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::ctx::Ctx;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::layer::Layer;
use crate::provider::{Capability, ChatRequest, ChatResponse, ChatStream, Provider};

/// How soon a call that was refused may be made again.
const SOON: Duration = Duration::from_secs(1);

/// Bounds how many calls are in flight at once, all tenants together. One more is refused at once: nothing queues. A stream is in
/// flight until its end.
#[derive(Clone, Debug)]
pub struct ShedLayer {
    most: u32,
    key: &'static str,
    places: Arc<Semaphore>,
}

impl ShedLayer {
    /// A layer with `most` places; `key` is the setting that says so.
    pub fn new(most: u32, key: &'static str) -> Self {
        let places = usize::try_from(most).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self { most, key, places: Arc::new(Semaphore::new(places)) }
    }

    fn admit(&self, provider: &str, request: &ChatRequest) -> Result<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            request.call.note_skipped(provider, &request.model, ErrorKind::Throttled, "too many in flight");
            let message = format!("{} calls are in flight, as many as {} allows", self.most, self.key);
            Error::new(ErrorKind::Throttled, "ai.chat", message)
                .with_retry(Retry::After(SOON))
                .with_context("provider", provider)
        })
    }
}

impl Layer for ShedLayer {
    fn wrap(&self, inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
        Arc::new(Bounded { inner, layer: self.clone() })
    }
}

#[derive(Debug)]
struct Bounded {
    inner: Arc<dyn Provider>,
    layer: ShedLayer,
}

#[async_trait]
impl Provider for Bounded {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn capability(&self) -> Capability {
        self.inner.capability()
    }

    async fn chat(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        let _place = self.layer.admit(self.inner.name(), request)?;
        self.inner.chat(ctx, request).await
    }

    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        let place = self.layer.admit(self.inner.name(), request)?;
        let stream = self.inner.stream(ctx, request).await?;
        let held = futures_util::stream::unfold(Some((stream, place)), |state| async move {
            let (mut stream, place) = state?;
            let item = stream.next().await?;
            let open = item.is_ok();
            Some((item, open.then_some((stream, place))))
        });
        Ok(held.boxed())
    }
}
