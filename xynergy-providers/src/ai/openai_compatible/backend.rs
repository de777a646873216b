use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use xynergy_core::config::{ProviderConfig, Secret};
use xynergy_core::env::{HttpBody, HttpFailure, HttpRequest};
use xynergy_core::provider::{Capability, ChatChunk, ChatRequest, ChatResponse, ChatStream, Provider};
use xynergy_core::registry::ProviderParts;
use xynergy_core::{Ctx, Error, ErrorKind, Result};

use super::config::Settings;
use super::dialect::KeyHeader;
use super::echo::Echo;
use super::error::{of_failure, of_status, unreadable};
use super::wire::{self, StreamEvent};
use crate::ai::sse::SseParser;

/// No answer takes longer; the layers around have shorter deadlines.
const LONGEST: Duration = Duration::from_secs(600);
/// The greatest answer, whole or streamed, in bytes.
const MAX_ANSWER: usize = 32 * 1024 * 1024;
/// The greatest event of a stream, in bytes.
const MAX_EVENT: usize = 8 * 1024 * 1024;
/// The greatest part of an error's body that is read, in bytes.
const MAX_ERROR: usize = 64 * 1024;

/// A provider that speaks OpenAI's chat completions.
#[derive(Debug)]
pub struct OpenAiCompatible {
    settings: Settings,
    parts: ProviderParts,
}

impl OpenAiCompatible {
    /// The provider `name`. Does no I/O: the API key is looked up at each call.
    ///
    /// Errors: an address or a model that is missing or wrong.
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
    ) -> Result<HttpRequest> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let accepted = if stream { "text/event-stream" } else { "application/json" };
        headers.insert(ACCEPT, HeaderValue::from_static(accepted));
        if let Some(key) = key {
            let (name, text) = match self.settings.ways.key {
                KeyHeader::Bearer => (AUTHORIZATION, format!("Bearer {}", key.expose())),
                KeyHeader::ApiKey => (HeaderName::from_static("api-key"), key.expose().to_owned()),
            };
            let mut value = HeaderValue::from_str(&text).map_err(|_| {
                let message =
                    "the API key holds characters that no header can carry; check where it is stored";
                Error::new(ErrorKind::Unauthorized, "ai.chat", message)
            })?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let ids = [("x-request-id", Some(&ctx.request_id)), ("traceparent", ctx.traceparent.as_ref())];
        for (name, id) in ids {
            // An id that no header can carry must not fail the call: it is in the caller's own log.
            if let Some(value) = id.and_then(|id| HeaderValue::from_str(id).ok()) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        Ok(HttpRequest {
            method: Method::POST,
            url: self.settings.endpoint(request),
            headers,
            body: wire::body(request, &self.settings, stream)?,
            timeout: LONGEST,
            max_response_bytes: MAX_ANSWER,
        })
    }

    /// What an answer to `request` may repeat before it goes on.
    fn echo(&self, request: &ChatRequest) -> Option<Echo> {
        self.settings.continues(request).filter(|prefill| prefill.echoed)?;
        Echo::of(request.messages.last()?)
    }

    fn named(&self, error: Error) -> Error {
        error.with_context("provider", self.settings.name.clone())
    }

    async fn ask(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        let key = self.key(ctx).await?;
        let sent = self.request(ctx, request, key.as_ref(), false)?;
        let answer = self.parts.http.send(sent).await.map_err(of_failure)?;
        if !answer.status.is_success() {
            let now = ctx.env.clock.now();
            return Err(of_status(answer.status, &answer.headers, &answer.body, now, key.as_ref()));
        }
        let mut response = wire::response(&answer.body, key.as_ref())?;
        if let Some(mut echo) = self.echo(request) {
            echo.clean_response(&mut response);
        }
        Ok(response)
    }

    async fn open(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        let key = self.key(ctx).await?;
        let sent = self.request(ctx, request, key.as_ref(), true)?;
        let HttpBody { status, headers, chunks } = self.parts.http.stream(sent).await.map_err(of_failure)?;
        let mut chunks = chunks.fuse().boxed();
        if !status.is_success() {
            // Half of an error is better than none.
            let (body, _) = collected(Vec::new(), &mut chunks, MAX_ERROR).await;
            return Err(of_status(status, &headers, &body, ctx.env.clock.now(), key.as_ref()));
        }
        let start = start_of(&mut chunks).await?;
        let mut echo = self.echo(request);
        if !is_event_stream(&headers, &start) {
            // Some servers answer as a whole, whatever was asked, and some with an error under status 200.
            let (body, ended) = collected(start, &mut chunks, MAX_EVENT).await;
            ended?;
            let mut response = wire::response(&body, key.as_ref())?;
            if let Some(echo) = &mut echo {
                echo.clean_response(&mut response);
            }
            return Ok(futures_util::stream::iter([Ok(wire::as_chunk(response))]).boxed());
        }
        let mut reading = Reading {
            pieces: chunks,
            parser: SseParser::new(MAX_EVENT),
            ready: VecDeque::new(),
            ended: false,
            key,
            echo,
            provider: Arc::from(self.settings.name.as_str()),
        };
        reading.take(Some(Ok(Bytes::from(start))));
        Ok(futures_util::stream::unfold(Some(reading), Reading::next).boxed())
    }
}

type Pieces = BoxStream<'static, Result<Bytes, HttpFailure>>;

/// The first bytes that are no blank, as many as a name of a field of an event has.
async fn start_of(pieces: &mut Pieces) -> Result<Vec<u8>> {
    let mut start = Vec::new();
    while start.trim_ascii_start().len() < 6 && start.len() < MAX_ERROR {
        match pieces.next().await {
            Some(piece) => start.extend_from_slice(&piece.map_err(of_failure)?),
            None => break,
        }
    }
    Ok(start)
}

/// By what comes rather than by what is said of it: servers say `text/plain` of events and `text/event-stream` of an error.
fn is_event_stream(headers: &HeaderMap, start: &[u8]) -> bool {
    let start = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start).trim_ascii_start();
    if [&b":"[..], b"data:", b"event:", b"id:", b"retry:"].iter().any(|field| start.starts_with(field)) {
        return true;
    }
    if matches!(start.first(), Some(b'{' | b'[' | b'<')) {
        return false;
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    // A server that does not say is believed to do as asked.
    kind.is_none_or(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/event-stream"))
}

/// The body as far as it came, at most `limit` bytes, and whether that was all.
async fn collected(start: Vec<u8>, pieces: &mut Pieces, limit: usize) -> (Vec<u8>, Result<()>) {
    let mut body = start;
    while let Some(piece) = pieces.next().await {
        match piece {
            Ok(piece) if body.len() + piece.len() <= limit => body.extend_from_slice(&piece),
            Ok(_) => return (body, Err(unreadable("the answer is larger than 8 MiB, and no stream"))),
            Err(failure) => return (body, Err(of_failure(failure))),
        }
    }
    (body, Ok(()))
}

#[async_trait]
impl Provider for OpenAiCompatible {
    fn name(&self) -> &str {
        &self.settings.name
    }

    fn capability(&self) -> Capability {
        Capability { prefill: self.settings.prefill.is_some(), ..Capability::all(&self.settings.model) }
    }

    async fn chat(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        self.ask(ctx, request).await.map_err(|error| self.named(error))
    }

    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        self.open(ctx, request).await.map_err(|error| self.named(error))
    }
}

/// A stream as it is read. It ends at `[DONE]`, at the end of the bytes, or after an error.
struct Reading {
    pieces: Pieces,
    parser: SseParser,
    ready: VecDeque<Result<StreamEvent>>,
    ended: bool,
    key: Option<Secret>,
    echo: Option<Echo>,
    provider: Arc<str>,
}

impl Reading {
    async fn next(state: Option<Self>) -> Option<(Result<ChatChunk>, Option<Self>)> {
        let mut reading = state?;
        loop {
            match reading.ready.pop_front() {
                Some(Ok(StreamEvent::Chunk(mut chunk))) => {
                    if let Some(echo) = &mut reading.echo {
                        echo.clean_chunk(&mut chunk);
                    }
                    return Some((Ok(*chunk), Some(reading)));
                }
                Some(Ok(StreamEvent::Nothing)) => {}
                Some(Ok(StreamEvent::Done)) => return None,
                Some(Err(error)) => {
                    let provider = reading.provider.as_ref().to_owned();
                    return Some((Err(error.with_context("provider", provider)), None));
                }
                None if reading.ended => return None,
                None => {
                    let piece = reading.pieces.next().await;
                    reading.take(piece);
                }
            }
        }
    }

    fn take(&mut self, piece: Option<Result<Bytes, HttpFailure>>) {
        let Self { parser, ready, key, .. } = self;
        let mut keep = |data: &[u8]| ready.push_back(wire::event(data, key.as_ref()));
        match piece {
            Some(Ok(bytes)) => {
                if let Err(error) = parser.push(&bytes, &mut keep) {
                    ready.push_back(Err(error));
                }
            }
            Some(Err(failure)) => ready.push_back(Err(of_failure(failure))),
            None => {
                parser.finish(&mut keep);
                self.ended = true;
            }
        }
    }
}
