//! One request of an AI provider over HTTP, whatever it speaks.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use url::Url;
use xynergy_core::config::{Secret, SecretRef};
use xynergy_core::env::{HttpBody, HttpFailure, HttpRequest};
use xynergy_core::provider::{ChatChunk, ChatResponse, ChatStream};
use xynergy_core::registry::ProviderParts;
use xynergy_core::{Ctx, Error, ErrorKind, Result, Timestamp};

use super::openai_compatible::error::of_failure;
use super::openai_compatible::wire::as_chunk;
use super::sse::SseParser;

/// No answer takes longer; the layers around have shorter deadlines.
const LONGEST: Duration = Duration::from_secs(600);
/// The greatest answer, whole or streamed, in bytes.
const MAX_ANSWER: usize = 64 * 1024 * 1024;
/// The greatest event of a stream, in bytes.
const MAX_EVENT: usize = 8 * 1024 * 1024;
/// The greatest part of an error's body that is read, in bytes.
const MAX_ERROR: usize = 64 * 1024;

/// What a provider speaks: how its answers, events and errors are read.
pub(crate) trait Speech: Send + Sync + 'static {
    /// What remembers from one event of a stream to the next.
    type Events: Events;

    /// An answer that came as a whole.
    fn response(&self, body: &[u8], key: Option<&Secret>) -> Result<ChatResponse>;
    /// A stream that begins.
    fn events(&self) -> Self::Events;
    /// An answer with an error status.
    fn error(&self, answer: &Refusal<'_>) -> Error;

    /// Adds what says who asks, and in which version; a bearer token unless it is said otherwise.
    fn sign(&self, headers: &mut HeaderMap, key: Option<&Secret>) -> Result<()> {
        if let Some(key) = key {
            headers.insert(AUTHORIZATION, credential(&format!("Bearer {}", key.expose()))?);
        }
        Ok(())
    }
}

/// An answer with an error status.
#[derive(Debug)]
pub(crate) struct Refusal<'a> {
    pub(crate) status: StatusCode,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
    pub(crate) now: Timestamp,
    /// Not to be told on.
    pub(crate) key: Option<&'a Secret>,
}

/// A header that no log shows.
pub(crate) fn credential(value: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        let message = "the API key holds characters that no header can carry; check where it is stored";
        Error::new(ErrorKind::Unauthorized, "ai.chat", message)
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// The events of one stream, read in their order.
pub(crate) trait Events: Send + 'static {
    /// Reads the data of one event; some say nothing.
    fn read(&mut self, data: &[u8], key: Option<&Secret>) -> Result<Option<ChatChunk>>;
    /// Whether the provider has said that it is over: what comes after is not read.
    fn is_over(&self) -> bool;
}

/// Where requests go, and with whose key.
#[derive(Debug)]
pub(crate) struct Exchange<S> {
    pub(crate) name: String,
    pub(crate) endpoint: Url,
    pub(crate) api_key: Option<SecretRef>,
    pub(crate) parts: ProviderParts,
    pub(crate) speech: S,
}

impl<S: Speech> Exchange<S> {
    /// Sends a request and reads its answer as a whole.
    pub(crate) async fn ask(&self, ctx: &Ctx, body: Result<Bytes>) -> Result<ChatResponse> {
        self.asked(ctx, body?).await.map_err(|error| self.named(error))
    }

    /// Sends a request and reads its answer in pieces.
    pub(crate) async fn open(&self, ctx: &Ctx, body: Result<Bytes>) -> Result<ChatStream> {
        self.opened(ctx, body?).await.map_err(|error| self.named(error))
    }

    async fn asked(&self, ctx: &Ctx, body: Bytes) -> Result<ChatResponse> {
        let key = self.key(ctx).await?;
        let request = self.request(ctx, body, key.as_ref(), "application/json")?;
        let answer = self.parts.http.send(request).await.map_err(of_failure)?;
        if !answer.status.is_success() {
            return Err(self.speech.error(&Refusal {
                status: answer.status,
                headers: &answer.headers,
                body: &answer.body,
                now: ctx.env.clock.now(),
                key: key.as_ref(),
            }));
        }
        self.speech.response(&answer.body, key.as_ref())
    }

    async fn opened(&self, ctx: &Ctx, body: Bytes) -> Result<ChatStream> {
        let key = self.key(ctx).await?;
        let request = self.request(ctx, body, key.as_ref(), "text/event-stream")?;
        let answer = self.parts.http.stream(request).await.map_err(of_failure)?;
        if !answer.status.is_success() {
            let (status, headers) = (answer.status, answer.headers.clone());
            let body = collected(answer, MAX_ERROR).await;
            let now = ctx.env.clock.now();
            return Err(self.speech.error(&Refusal {
                status,
                headers: &headers,
                body: &body,
                now,
                key: key.as_ref(),
            }));
        }
        if !is_event_stream(&answer.headers) {
            // Some servers answer as a whole, whatever was asked, and some with an error under status 200.
            let body = collected(answer, MAX_EVENT).await;
            let chunk = as_chunk(self.speech.response(&body, key.as_ref())?);
            return Ok(futures_util::stream::iter([Ok(chunk)]).boxed());
        }
        let reading = Reading {
            pieces: answer.chunks,
            parser: SseParser::new(MAX_EVENT),
            ready: VecDeque::new(),
            ended: false,
            events: self.speech.events(),
            key,
            provider: self.name.clone(),
        };
        Ok(futures_util::stream::unfold(Some(reading), Reading::next).boxed())
    }

    async fn key(&self, ctx: &Ctx) -> Result<Option<Secret>> {
        match &self.api_key {
            Some(reference) => Ok(Some(self.parts.secrets.get(&ctx.tenant, reference).await?)),
            None => Ok(None),
        }
    }

    fn request(
        &self,
        ctx: &Ctx,
        body: Bytes,
        key: Option<&Secret>,
        accepted: &'static str,
    ) -> Result<HttpRequest> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static(accepted));
        self.speech.sign(&mut headers, key)?;
        let ids = [("x-request-id", Some(&ctx.request_id)), ("traceparent", ctx.traceparent.as_ref())];
        for (name, id) in ids {
            // An id that no header can carry must not fail the call: it is in the caller's own log.
            if let Some(value) = id.and_then(|id| HeaderValue::from_str(id).ok()) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        Ok(HttpRequest {
            method: Method::POST,
            url: self.endpoint.clone(),
            headers,
            body,
            timeout: LONGEST,
            max_response_bytes: MAX_ANSWER,
        })
    }

    fn named(&self, error: Error) -> Error {
        error.with_context("provider", self.name.clone())
    }
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    // A server that does not say is believed to do as asked.
    kind.is_none_or(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/event-stream"))
}

/// The body as far as it came, at most `limit` bytes.
async fn collected(answer: HttpBody, limit: usize) -> Bytes {
    let mut chunks = answer.chunks;
    let mut body = BytesMut::new();
    while let Some(Ok(chunk)) = chunks.next().await {
        if body.len() + chunk.len() > limit {
            break;
        }
        body.extend_from_slice(&chunk);
    }
    body.freeze()
}

/// A stream as it is read. It ends when the provider says so, at the end of the bytes, or after an error.
struct Reading<E> {
    pieces: BoxStream<'static, Result<Bytes, HttpFailure>>,
    parser: SseParser,
    ready: VecDeque<Result<ChatChunk>>,
    ended: bool,
    events: E,
    key: Option<Secret>,
    provider: String,
}

impl<E: Events> Reading<E> {
    async fn next(state: Option<Self>) -> Option<(Result<ChatChunk>, Option<Self>)> {
        let mut reading = state?;
        loop {
            match reading.ready.pop_front() {
                Some(Ok(chunk)) => return Some((Ok(chunk), Some(reading))),
                Some(Err(error)) => {
                    let provider = reading.provider;
                    return Some((Err(error.with_context("provider", provider)), None));
                }
                None if reading.ended => return None,
                None => {}
            }
            let piece = reading.pieces.next().await;
            let Reading { parser, ready, events, key, .. } = &mut reading;
            let mut keep = |data: &[u8]| {
                if !events.is_over() {
                    ready.extend(events.read(data, key.as_ref()).transpose());
                }
            };
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
            reading.ended |= reading.events.is_over();
        }
    }
}
