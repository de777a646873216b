use std::sync::Arc;

use async_trait::async_trait;
use xynergy_core::config::{ProviderConfig, Secret};
use xynergy_core::embed::Embedder;
use xynergy_core::provider::{Capability, ChatRequest, ChatResponse, ChatStream, Provider};
use xynergy_core::registry::ProviderParts;
use xynergy_core::{Ctx, Error, Result};

use super::config::Settings;
use super::echo::Echo;
use super::embedder::OpenAiEmbedder;
use super::error::of_status;
use super::wire;
use crate::ai::exchange::{Exchange, Outgoing, Reader, Refusal, Speech, StreamEvent};

/// A provider that speaks OpenAI's chat completions, and embeddings where it has them.
#[derive(Debug)]
pub struct OpenAiCompatible(Arc<Exchange<Settings>>);

impl OpenAiCompatible {
    /// The provider `name`. Does no I/O: the API key is looked up at each call.
    ///
    /// Errors: an address or a model that is missing or wrong.
    pub fn new(name: &str, config: &ProviderConfig, parts: ProviderParts) -> Result<Self> {
        let speech = Settings::new(name, config)?;
        Ok(Self(Arc::new(Exchange::new(name, config.api_key.as_ref(), parts, speech))))
    }
}

#[async_trait]
impl Provider for OpenAiCompatible {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn capability(&self) -> Capability {
        let settings = &self.0.speech;
        Capability { prefill: settings.prefill.is_some(), ..Capability::all(&settings.model) }
    }

    async fn chat(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        self.0.chat(ctx, request).await
    }

    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        self.0.stream(ctx, request).await
    }

    fn embedder(&self) -> Option<Arc<dyn Embedder>> {
        OpenAiEmbedder::beside(&self.0)
    }
}

impl Speech for Settings {
    type Reader = Completion;

    fn outgoing(
        &self,
        request: &ChatRequest,
        key: Option<&Secret>,
        stream: bool,
    ) -> Result<Outgoing<Completion>> {
        let headers = self.credentials(key)?;
        // What an answer may repeat before it goes on.
        let echoed = self.continues(request).is_some_and(|prefill| prefill.echoed);
        let echo = request.messages.last().filter(|_| echoed).and_then(Echo::of);
        let body = wire::body(request, self, stream)?;
        Ok(Outgoing { url: self.endpoint(request), headers, body, reader: Completion(echo) })
    }

    fn refusal(&self, refusal: &Refusal<'_>) -> Error {
        of_status(refusal.status, refusal.headers, refusal.body, refusal.now, refusal.key)
    }
}

/// Reads one completion.
#[derive(Debug)]
pub(crate) struct Completion(Option<Echo>);

impl Reader for Completion {
    fn response(&mut self, body: &[u8], key: Option<&Secret>) -> Result<ChatResponse> {
        let mut response = wire::response(body, key)?;
        if let Some(echo) = &mut self.0 {
            echo.clean_response(&mut response);
        }
        Ok(response)
    }

    fn event(&mut self, data: &[u8], key: Option<&Secret>) -> Result<StreamEvent> {
        let mut event = wire::event(data, key)?;
        if let (StreamEvent::Chunk(chunk), Some(echo)) = (&mut event, &mut self.0) {
            echo.clean_chunk(chunk);
        }
        Ok(event)
    }
}
