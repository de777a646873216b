use std::sync::Arc;

use async_trait::async_trait;

use crate::ctx::Ctx;
use crate::error::Result;
use crate::layer::Layer;
use crate::provider::{Capability, ChatRequest, ChatResponse, ChatStream, Provider};
use crate::route::Router;

/// Decides which models are asked, and leaves the decision for the layers within.
#[derive(Clone, Debug)]
pub struct RouteLayer {
    router: Arc<Router>,
}

impl RouteLayer {
    /// A layer that decides by `router`.
    pub fn new(router: Arc<Router>) -> Self {
        Self { router }
    }
}

impl Layer for RouteLayer {
    fn wrap(&self, inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
        Arc::new(Routed { inner, router: Arc::clone(&self.router) })
    }
}

#[derive(Debug)]
struct Routed {
    inner: Arc<dyn Provider>,
    router: Arc<Router>,
}

#[async_trait]
impl Provider for Routed {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn capability(&self) -> Capability {
        self.inner.capability()
    }

    async fn chat(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        request.call.decide(Arc::new(self.router.decide(ctx, request, false)?));
        self.inner.chat(ctx, request).await
    }

    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        request.call.decide(Arc::new(self.router.decide(ctx, request, true)?));
        self.inner.stream(ctx, request).await
    }
}
