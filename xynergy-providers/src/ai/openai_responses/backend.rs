use async_trait::async_trait;
use xynergy_core::config::{ProviderConfig, Secret};
use xynergy_core::provider::{Capability, ChatRequest, ChatResponse, ChatStream, Provider};
use xynergy_core::registry::ProviderParts;
use xynergy_core::{Ctx, Error, ErrorKind, Result};

use super::stream::Events;
use super::{answer, request};
use crate::ai::exchange::{Exchange, Refusal, Speech};
use crate::ai::openai_compatible::error::of_status;

/// OpenAI's Responses API.
#[derive(Debug)]
pub struct OpenAiResponses {
    exchange: Exchange<Responses>,
    model: String,
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
        let api_key = config.api_key.clone();
        let exchange = Exchange { name: name.to_owned(), endpoint, api_key, parts, speech: Responses };
        Ok(Self { exchange, model: config.model(name)? })
    }
}

#[async_trait]
impl Provider for OpenAiResponses {
    fn name(&self) -> &str {
        &self.exchange.name
    }

    fn capability(&self) -> Capability {
        Capability::all(&self.model)
    }

    async fn chat(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        self.exchange.ask(ctx, request::body(request, &self.model, false)).await
    }

    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        self.exchange.open(ctx, request::body(request, &self.model, true)).await
    }
}

#[derive(Debug)]
struct Responses;

impl Speech for Responses {
    type Events = Events;

    fn response(&self, body: &[u8], key: Option<&Secret>) -> Result<ChatResponse> {
        answer::response(body, key)
    }

    fn events(&self) -> Events {
        Events::default()
    }

    fn error(&self, answer: &Refusal<'_>) -> Error {
        of_status(answer.status, answer.headers, answer.body, answer.now, answer.key)
    }
}
