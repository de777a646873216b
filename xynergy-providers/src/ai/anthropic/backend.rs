use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue};
use xynergy_core::config::{ProviderConfig, Secret};
use xynergy_core::provider::{Capability, ChatRequest, ChatResponse, ChatStream, Provider};
use xynergy_core::registry::ProviderParts;
use xynergy_core::{Ctx, Error, Result};

use super::config::Settings;
use super::error::of_status;
use super::model::Abilities;
use super::wire::{self, StreamReader};
use crate::ai::exchange::{Exchange, Outgoing, Reader, Refusal, Speech, StreamEvent, credential};

/// The version of the API that the wire module speaks.
const VERSION: &str = "2023-06-01";

/// A provider that speaks Anthropic's Messages API.
#[derive(Debug)]
pub struct Anthropic(Exchange<Settings>);

impl Anthropic {
    /// The provider `name`. Does no I/O: the API key is looked up at each call.
    ///
    /// Errors: an address or a model that is wrong.
    pub fn new(name: &str, config: &ProviderConfig, parts: ProviderParts) -> Result<Self> {
        let speech = Settings::new(name, config)?;
        Ok(Self(Exchange::new(name, config.api_key.as_ref(), parts, speech)))
    }
}

#[async_trait]
impl Provider for Anthropic {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn capability(&self) -> Capability {
        let model = &self.0.speech.model;
        Capability { prefill: Abilities::of(model).prefill == Some(true), ..Capability::all(model) }
    }

    async fn chat(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        self.0.chat(ctx, request).await
    }

    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        self.0.stream(ctx, request).await
    }
}

impl Speech for Settings {
    type Reader = StreamReader;

    fn outgoing(
        &self,
        request: &ChatRequest,
        key: Option<&Secret>,
        stream: bool,
    ) -> Result<Outgoing<StreamReader>> {
        let wire::Outgoing { body, betas, prefill } = wire::outgoing(request, &self.model, stream)?;
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static("anthropic-version"), HeaderValue::from_static(VERSION));
        if let Some(betas) = betas {
            let value = HeaderValue::from_str(&betas).map_err(|_| {
                Error::invalid("ai.chat", "betas: holds characters that no header can carry; give names")
            })?;
            headers.insert(HeaderName::from_static("anthropic-beta"), value);
        }
        if let Some(key) = key {
            headers.insert(HeaderName::from_static("x-api-key"), credential(key.expose())?);
        }
        Ok(Outgoing { url: self.endpoint.clone(), headers, body, reader: StreamReader::new(prefill) })
    }

    fn refusal(&self, refusal: &Refusal<'_>) -> Error {
        of_status(refusal.status, refusal.headers, refusal.body, refusal.now, refusal.key)
    }
}

impl Reader for StreamReader {
    fn response(&mut self, body: &[u8], key: Option<&Secret>) -> Result<ChatResponse> {
        wire::response(body, key, std::mem::take(&mut self.prefill))
    }

    fn event(&mut self, data: &[u8], key: Option<&Secret>) -> Result<StreamEvent> {
        self.read(data, key)
    }
}
