use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::{EmbedCapability, EmbedRequest, EmbedResponse, Embedder};
use crate::ctx::Ctx;
use crate::error::Result;

type Answer = dyn Fn(&EmbedRequest) -> Result<EmbedResponse> + Send + Sync;

/// An embedder that answers from a function, without I/O: for tests, and for hosts that embed themselves.
#[derive(Clone)]
pub struct MemoryEmbedder {
    name: String,
    capability: EmbedCapability,
    answer: Arc<Answer>,
}

impl MemoryEmbedder {
    /// An embedder of this name with one model, whose answer to a request is what `answer` gives.
    pub fn new(
        name: impl Into<String>,
        model: impl Into<String>,
        answer: impl Fn(&EmbedRequest) -> Result<EmbedResponse> + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), capability: EmbedCapability::new(model), answer: Arc::new(answer) }
    }

    /// The same embedder, which takes so many texts at once.
    #[must_use]
    pub fn with_max_inputs(mut self, max_inputs: usize) -> Self {
        self.capability.max_inputs = max_inputs;
        self
    }
}

impl fmt::Debug for MemoryEmbedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryEmbedder")
            .field("name", &self.name)
            .field("capability", &self.capability)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Embedder for MemoryEmbedder {
    fn name(&self) -> &str {
        &self.name
    }

    fn capability(&self) -> EmbedCapability {
        self.capability.clone()
    }

    async fn embed(&self, _ctx: &Ctx, request: &EmbedRequest) -> Result<EmbedResponse> {
        (self.answer)(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Env, TenantId};

    #[tokio::test]
    async fn keeps_the_contract() {
        let embedder = MemoryEmbedder::new("own", "letters", |request| {
            let of = |text: &String| text.bytes().take(4).map(f32::from).chain([1.0; 4]).take(4).collect();
            Ok(EmbedResponse { vectors: request.input.iter().map(of).collect(), tokens: None })
        });
        let ctx = Ctx::new(&Env::default(), TenantId::default());
        crate::conformance::embedder::suite(Arc::new(embedder), &ctx).await;
    }
}
