use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};

use super::{Capability, ChatChunk, ChatRequest, ChatResponse, ChatStream, FinishReason, Provider};
use crate::ctx::Ctx;
use crate::error::Result;

type Answer = dyn Fn(&ChatRequest) -> Result<String> + Send + Sync;

/// A provider that answers from a function, without I/O: for tests, and for hosts that answer themselves.
///
/// It reports no usage, so that its cost is its price a request or unknown.
#[derive(Clone)]
pub struct MemoryProvider {
    name: String,
    model: String,
    prefill: bool,
    answer: Arc<Answer>,
}

impl MemoryProvider {
    /// A provider of this name with one model, whose answer to a request is the text or error that `answer` gives.
    pub fn new(
        name: impl Into<String>,
        model: impl Into<String>,
        answer: impl Fn(&ChatRequest) -> Result<String> + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), model: model.into(), prefill: false, answer: Arc::new(answer) }
    }

    /// The same provider, which says that it continues a message of the assistant's: `answer` gives what follows it.
    #[must_use]
    pub fn with_prefill(mut self) -> Self {
        self.prefill = true;
        self
    }
}

impl fmt::Debug for MemoryProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryProvider")
            .field("name", &self.name)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Provider for MemoryProvider {
    fn name(&self) -> &str {
        &self.name
    }

    fn capability(&self) -> Capability {
        Capability {
            tools: false,
            response_format: false,
            images: false,
            prefill: self.prefill,
            ..Capability::all(&self.model)
        }
    }

    async fn chat(&self, _ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        Ok(ChatResponse::text(&self.model, (self.answer)(request)?))
    }

    async fn stream(&self, _ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        let text = (self.answer)(request)?;
        // A word a chunk, as a model would.
        let words: Vec<_> = text.split_inclusive(' ').map(|word| Ok(ChatChunk::text(word))).collect();
        let end = [Ok(ChatChunk::end(FinishReason::Stop))];
        Ok(stream::iter(words.into_iter().chain(end)).boxed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Env, TenantId};

    #[tokio::test]
    async fn keeps_the_contract() {
        let provider = MemoryProvider::new("own", "echo-1", |_| Ok("Hello to you.".to_owned()));
        let ctx = Ctx::new(&Env::default(), TenantId::default());
        crate::conformance::provider::suite(Arc::new(provider), &ctx).await;
    }
}
