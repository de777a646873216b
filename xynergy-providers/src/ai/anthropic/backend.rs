use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue};
use xynergy_core::config::{ProviderConfig, Secret};
use xynergy_core::provider::{Capability, ChatChunk, ChatRequest, ChatResponse, ChatStream, Provider};
use xynergy_core::registry::ProviderParts;
use xynergy_core::{Ctx, Error, Result};

use super::config::Settings;
use super::error::of_status;
use super::model::Abilities;
use super::wire::{self, Outgoing, Prefill, StreamReader};
use crate::ai::exchange::{Events, Exchange, Refusal, Speech, credential};

/// The version of the API that the wire module speaks.
const VERSION: &str = "2023-06-01";

/// A provider that speaks Anthropic's Messages API.
#[derive(Debug)]
pub struct Anthropic {
    settings: Settings,
    parts: ProviderParts,
}

impl Anthropic {
    /// The provider `name`. Does no I/O: the API key is looked up at each call.
    ///
    /// Errors: an address or a model that is wrong.
    pub fn new(name: &str, config: &ProviderConfig, parts: ProviderParts) -> Result<Self> {
        Ok(Self { settings: Settings::new(name, config)?, parts })
    }

    /// An exchange of its own for each request: how an answer is read depends on what was asked.
    fn exchange(&self, speech: Messages) -> Exchange<Messages> {
        Exchange {
            name: self.settings.name.clone(),
            endpoint: self.settings.endpoint.clone(),
            api_key: self.settings.api_key.clone(),
            parts: self.parts.clone(),
            speech,
        }
    }

    fn outgoing(&self, request: &ChatRequest, stream: bool) -> Result<Outgoing> {
        wire::outgoing(request, &self.settings.model, stream)
            .map_err(|error| error.with_context("provider", self.settings.name.clone()))
    }
}

#[async_trait]
impl Provider for Anthropic {
    fn name(&self) -> &str {
        &self.settings.name
    }

    fn capability(&self) -> Capability {
        let prefill = Abilities::of(&self.settings.model).prefill == Some(true);
        Capability { prefill, ..Capability::all(&self.settings.model) }
    }

    async fn chat(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        let Outgoing { body, betas, prefill } = self.outgoing(request, false)?;
        self.exchange(Messages { betas, prefill }).ask(ctx, Ok(body)).await
    }

    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        let Outgoing { body, betas, prefill } = self.outgoing(request, true)?;
        self.exchange(Messages { betas, prefill }).open(ctx, Ok(body)).await
    }
}

/// The Messages API, for one request.
#[derive(Debug)]
struct Messages {
    betas: Option<String>,
    prefill: Prefill,
}

impl Speech for Messages {
    type Events = StreamReader;

    fn response(&self, body: &[u8], key: Option<&Secret>) -> Result<ChatResponse> {
        wire::response(body, key, self.prefill.clone())
    }

    fn events(&self) -> StreamReader {
        StreamReader::new(self.prefill.clone())
    }

    fn error(&self, answer: &Refusal<'_>) -> Error {
        of_status(answer.status, answer.headers, answer.body, answer.now, answer.key)
    }

    fn sign(&self, headers: &mut HeaderMap, key: Option<&Secret>) -> Result<()> {
        headers.insert(HeaderName::from_static("anthropic-version"), HeaderValue::from_static(VERSION));
        if let Some(betas) = &self.betas {
            let value = HeaderValue::from_str(betas).map_err(|_| {
                Error::invalid("ai.chat", "betas: holds characters that no header can carry; give names")
            })?;
            headers.insert(HeaderName::from_static("anthropic-beta"), value);
        }
        if let Some(key) = key {
            headers.insert(HeaderName::from_static("x-api-key"), credential(key.expose())?);
        }
        Ok(())
    }
}

impl Events for StreamReader {
    fn read(&mut self, data: &[u8], key: Option<&Secret>) -> Result<Option<ChatChunk>> {
        self.event(data, key)
    }

    fn is_over(&self) -> bool {
        self.is_over()
    }
}
