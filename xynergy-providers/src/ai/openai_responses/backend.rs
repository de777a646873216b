use std::sync::Arc;

use async_trait::async_trait;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use url::Url;
use xynergy_core::config::{ProviderConfig, Secret};
use xynergy_core::embed::Embedder;
use xynergy_core::provider::{Capability, ChatRequest, ChatResponse, ChatStream, Provider};
use xynergy_core::registry::ProviderParts;
use xynergy_core::{Ctx, Error, ErrorKind, Result};

use super::request;
use super::stream::Events;
use crate::ai::exchange::{Exchange, Outgoing, Refusal, Speech, credential};
use crate::ai::openai_compatible::OpenAiEmbedder;
use crate::ai::openai_compatible::error::of_status;

/// OpenAI's Responses API.
#[derive(Debug)]
pub struct OpenAiResponses {
    exchange: Exchange<Responses>,
    embedder: Option<Arc<dyn Embedder>>,
}

impl OpenAiResponses {
    /// The provider `name`. Does no I/O: the API key is looked up at each call.
    ///
    /// Errors: an address or a model that is missing or wrong.
    pub fn new(name: &str, config: &ProviderConfig, parts: ProviderParts) -> Result<Self> {
        let mut endpoint = config.base_url(name)?;
        endpoint
            .path_segments_mut()
            .map_err(|()| {
                let message = format!(
                    "ai.providers.{name}.base_url: has no path; give an address such as https://host/v1"
                );
                Error::new(ErrorKind::ConfigInvalid, "ai.new", message)
            })?
            .pop_if_empty()
            .push("responses");
        let speech = Responses { endpoint, model: config.model(name)? };
        let embedder = OpenAiEmbedder::of(name, config, &parts)?;
        Ok(Self { exchange: Exchange::new(name, config.api_key.as_ref(), parts, speech), embedder })
    }
}

#[async_trait]
impl Provider for OpenAiResponses {
    fn name(&self) -> &str {
        &self.exchange.name
    }

    fn capability(&self) -> Capability {
        Capability::all(&self.exchange.speech.model)
    }

    async fn chat(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        self.exchange.chat(ctx, request).await
    }

    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        self.exchange.stream(ctx, request).await
    }

    fn embedder(&self) -> Option<Arc<dyn Embedder>> {
        self.embedder.clone()
    }
}

#[derive(Debug)]
struct Responses {
    endpoint: Url,
    model: String,
}

impl Speech for Responses {
    type Reader = Events;

    fn outgoing(
        &self,
        request: &ChatRequest,
        key: Option<&Secret>,
        stream: bool,
    ) -> Result<Outgoing<Events>> {
        let mut headers = HeaderMap::new();
        if let Some(key) = key {
            headers.insert(AUTHORIZATION, credential(&format!("Bearer {}", key.expose()))?);
        }
        let body = request::body(request, &self.model, stream)?;
        Ok(Outgoing { url: self.endpoint.clone(), headers, body, reader: Events::default() })
    }

    fn refusal(&self, refusal: &Refusal<'_>) -> Error {
        of_status(refusal.status, refusal.headers, refusal.body, refusal.now, refusal.key)
    }
}
