use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use xynergy_core::config::{ProviderConfig, Secret};
use xynergy_core::env::{HttpFailure, HttpRequest};
use xynergy_core::provider::{Capability, ChatChunk, ChatRequest, ChatResponse, ChatStream, Provider};
use xynergy_core::registry::ProviderParts;
use xynergy_core::{Ctx, Error, ErrorKind, Result};

use super::config::Settings;
use super::error::of_status;
use super::model::Abilities;
use super::wire::{self, Outgoing, Prefill, StreamEvent, StreamReader};
use crate::ai::openai_compatible::backend::{collected, is_event_stream};
use crate::ai::openai_compatible::error::of_failure;
use crate::ai::openai_compatible::wire::as_chunk;
use crate::ai::sse::SseParser;

/// The version of the API that the wire module speaks.
const VERSION: &str = "2023-06-01";
/// No answer takes longer; the layers around have shorter deadlines.
const LONGEST: Duration = Duration::from_secs(600);
/// The greatest answer, whole or streamed, in bytes.
const MAX_ANSWER: usize = 64 * 1024 * 1024;
/// The greatest event of a stream, in bytes.
const MAX_EVENT: usize = 8 * 1024 * 1024;
/// The greatest part of an error's body that is read, in bytes.
const MAX_ERROR: usize = 64 * 1024;

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

    async fn key(&self, ctx: &Ctx) -> Result<Option<Secret>> {
        match &self.settings.api_key {
            Some(reference) => Ok(Some(self.parts.secrets.get(&ctx.tenant, reference).await?)),
            None => Ok(None),
        }
    }

    fn request(
        &self,
        ctx: &Ctx,
        request: &ChatRequest,
        key: Option<&Secret>,
        stream: bool,
    ) -> Result<(HttpRequest, Prefill)> {
        let Outgoing { body, betas, prefill } = wire::outgoing(request, &self.settings.model, stream)?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let accepted = if stream { "text/event-stream" } else { "application/json" };
        headers.insert(ACCEPT, HeaderValue::from_static(accepted));
        headers.insert(HeaderName::from_static("anthropic-version"), HeaderValue::from_static(VERSION));
        if let Some(betas) = betas {
            let value = HeaderValue::from_str(&betas).map_err(|_| {
                Error::invalid("ai.chat", "betas: holds characters that no header can carry; give names")
            })?;
            headers.insert(HeaderName::from_static("anthropic-beta"), value);
        }
        if let Some(key) = key {
            let mut value = HeaderValue::from_str(key.expose()).map_err(|_| {
                let message =
                    "the API key holds characters that no header can carry; check where it is stored";
                Error::new(ErrorKind::Unauthorized, "ai.chat", message)
            })?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static("x-api-key"), value);
        }
        let ids = [("x-request-id", Some(&ctx.request_id)), ("traceparent", ctx.traceparent.as_ref())];
        for (name, id) in ids {
            // An id that no header can carry must not fail the call: it is in the caller's own log.
            if let Some(value) = id.and_then(|id| HeaderValue::from_str(id).ok()) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        let request = HttpRequest {
            method: Method::POST,
            url: self.settings.endpoint.clone(),
            headers,
            body,
            timeout: LONGEST,
            max_response_bytes: MAX_ANSWER,
        };
        Ok((request, prefill))
    }

    fn named(&self, error: Error) -> Error {
        error.with_context("provider", self.settings.name.clone())
    }

    async fn ask(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        let key = self.key(ctx).await?;
        let (request, prefill) = self.request(ctx, request, key.as_ref(), false)?;
        let answer = self.parts.http.send(request).await.map_err(of_failure)?;
        if !answer.status.is_success() {
            let now = ctx.env.clock.now();
            return Err(of_status(answer.status, &answer.headers, &answer.body, now, key.as_ref()));
        }
        wire::response(&answer.body, key.as_ref(), prefill)
    }

    async fn open(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        let key = self.key(ctx).await?;
        let (request, prefill) = self.request(ctx, request, key.as_ref(), true)?;
        let answer = self.parts.http.stream(request).await.map_err(of_failure)?;
        if !answer.status.is_success() {
            let (status, headers) = (answer.status, answer.headers.clone());
            let body = collected(answer, MAX_ERROR).await;
            return Err(of_status(status, &headers, &body, ctx.env.clock.now(), key.as_ref()));
        }
        if !is_event_stream(&answer.headers) {
            // Proxies answer as a whole, whatever was asked, and some with an error under status 200.
            let body = collected(answer, MAX_EVENT).await;
            let chunk = as_chunk(wire::response(&body, key.as_ref(), prefill)?);
            return Ok(futures_util::stream::iter([Ok(chunk)]).boxed());
        }
        let reading = Reading {
            pieces: answer.chunks,
            parser: SseParser::new(MAX_EVENT),
            reader: StreamReader::new(prefill),
            ready: VecDeque::new(),
            ended: false,
            key,
            provider: Arc::from(self.settings.name.as_str()),
        };
        Ok(futures_util::stream::unfold(Some(reading), Reading::next).boxed())
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
        self.ask(ctx, request).await.map_err(|error| self.named(error))
    }

    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        self.open(ctx, request).await.map_err(|error| self.named(error))
    }
}

/// A stream as it is read. It ends at `message_stop`, at the end of the bytes, or after an error.
struct Reading {
    pieces: BoxStream<'static, Result<Bytes, HttpFailure>>,
    parser: SseParser,
    reader: StreamReader,
    ready: VecDeque<Result<StreamEvent>>,
    ended: bool,
    key: Option<Secret>,
    provider: Arc<str>,
}

impl Reading {
    async fn next(state: Option<Self>) -> Option<(Result<ChatChunk>, Option<Self>)> {
        let mut reading = state?;
        loop {
            match reading.ready.pop_front() {
                Some(Ok(StreamEvent::Chunk(chunk))) => return Some((Ok(*chunk), Some(reading))),
                Some(Ok(StreamEvent::Nothing)) => continue,
                Some(Ok(StreamEvent::Done)) => return None,
                Some(Err(error)) => {
                    let provider = reading.provider.as_ref().to_owned();
                    return Some((Err(error.with_context("provider", provider)), None));
                }
                None if reading.ended => return None,
                None => {}
            }
            let piece = reading.pieces.next().await;
            let Reading { parser, reader, ready, key, .. } = &mut reading;
            let mut keep = |data: &[u8]| ready.push_back(reader.event(data, key.as_ref()));
            match piece {
                Some(Ok(bytes)) => {
                    if let Err(error) = parser.push(&bytes, &mut keep) {
                        ready.push_back(Err(error));
                    }
                }
                Some(Err(failure)) => ready.push_back(Err(of_failure(failure))),
                None => {
                    parser.finish(&mut keep);
                    reading.ended = true;
                }
            }
        }
    }
}
