//! One request of an AI provider over HTTP, whatever it speaks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use url::Url;
use xynergy_core::config::{ApiKeys, Secret};
use xynergy_core::env::{HttpBody, HttpFailure, HttpRequest, HttpSend, Timestamp};
use xynergy_core::provider::{Call, ChatChunk, ChatRequest, ChatResponse, ChatStream};
use xynergy_core::registry::ProviderParts;
use xynergy_core::{Ctx, Error, ErrorKind, Result};

use super::headers::rate_limits;
use super::keys::Keys;
use super::openai_compatible::error::of_failure;
use super::openai_compatible::wire::as_chunk;
use super::pieces::{Pieces, collected, is_event_stream, start_of};
use super::sse::SseParser;

/// No answer takes longer; the layers around have shorter deadlines.
const LONGEST: Duration = Duration::from_secs(600);
/// The greatest answer, whole or streamed, in bytes.
const MAX_ANSWER: usize = 32 * 1024 * 1024;
/// The greatest event of a stream, in bytes.
const MAX_EVENT: usize = 8 * 1024 * 1024;
/// The greatest part of an error's body that is read, in bytes.
const MAX_ERROR: usize = 64 * 1024;
/// How long it is read.
const LONGEST_ERROR: Duration = Duration::from_secs(2);

/// What a provider speaks. Without I/O.
pub(crate) trait Speech: Send + Sync + 'static {
    /// What reads the answer to one request.
    type Reader: Reader;

    /// The request as it goes out.
    fn outgoing(
        &self,
        request: &ChatRequest,
        key: Option<&Secret>,
        stream: bool,
    ) -> Result<Outgoing<Self::Reader>>;

    /// Reads an answer with an error status.
    fn refusal(&self, refusal: &Refusal<'_>) -> Error;
}

/// A request as it goes out.
#[derive(Debug)]
pub(crate) struct Outgoing<R> {
    pub(crate) url: Url,
    /// Those that say who asks, and in which version.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) reader: R,
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

/// Reads the answer to one request: as a whole, or the events of a stream in their order.
pub(crate) trait Reader: Send + 'static {
    /// An answer that came as a whole.
    fn response(&mut self, body: &[u8], key: Option<&Secret>) -> Result<ChatResponse>;

    /// The data of one event.
    fn event(&mut self, data: &[u8], key: Option<&Secret>) -> Result<StreamEvent>;
}

/// What an event of a stream says.
#[derive(Debug)]
pub(crate) enum StreamEvent {
    Chunk(Box<ChatChunk>),
    /// The provider's last word, and no proof of success: what comes after is not read.
    Done,
    /// Nothing that a chunk could say.
    Nothing,
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

/// A provider's end of the wire.
#[derive(Debug)]
pub(crate) struct Exchange<S> {
    pub(crate) name: String,
    pub(crate) speech: S,
    http: Arc<dyn HttpSend>,
    keys: Keys,
}

impl<S: Speech> Exchange<S> {
    pub(crate) fn new(name: &str, api_key: Option<&ApiKeys>, parts: ProviderParts, speech: S) -> Self {
        let keys = Keys::new(name, api_key, parts.secrets);
        Self { name: name.to_owned(), speech, http: parts.http, keys }
    }

    /// Sends a request and reads its answer as a whole.
    pub(crate) async fn chat(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        let outgoing = |key: Option<&Secret>| self.speech.outgoing(request, key, false);
        self.ask(ctx, (&request.call, &request.model), outgoing, S::Reader::response).await
    }

    /// Sends a request of whatever kind, for this model, and reads its answer as a whole.
    pub(crate) async fn ask<R: Send, T: Send>(
        &self,
        ctx: &Ctx,
        (call, model): (&Call, &str),
        outgoing: impl Fn(Option<&Secret>) -> Result<Outgoing<R>> + Send + Sync,
        read: impl Fn(&mut R, &[u8], Option<&Secret>) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        let (outgoing, read) = (&outgoing, &read);
        let ask = |key: Option<Secret>| -> BoxFuture<'_, Result<T>> {
            Box::pin(async move {
                let (sent, mut reader) = Self::request(ctx, outgoing(key.as_ref())?, "application/json");
                let answer = self.http.send(sent).await.map_err(|failure| match failure.status {
                    // Half of an error is better than none, and a wrong request is wrong whatever became of the rest.
                    Some(status) if !status.is_success() => {
                        self.refused(ctx, status, &HeaderMap::new(), b"", key.as_ref())
                    }
                    _ => of_failure(failure),
                })?;
                self.tell_limits(ctx, (call, model), &answer.headers);
                if !answer.status.is_success() {
                    return Err(self.refused(
                        ctx,
                        answer.status,
                        &answer.headers,
                        &answer.body,
                        key.as_ref(),
                    ));
                }
                read(&mut reader, &answer.body, key.as_ref())
            })
        };
        self.keys.send(ctx, (call, model), ask).await.map_err(|error| self.named(error))
    }

    /// Sends a request and reads its answer in pieces.
    pub(crate) async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        let open = |key| -> BoxFuture<'_, Result<_>> { Box::pin(self.open(ctx, request, key)) };
        self.keys.send(ctx, (&request.call, &request.model), open).await.map_err(|error| self.named(error))
    }

    async fn open(&self, ctx: &Ctx, request: &ChatRequest, key: Option<Secret>) -> Result<ChatStream> {
        let outgoing = self.speech.outgoing(request, key.as_ref(), true)?;
        let (sent, mut reader) = Self::request(ctx, outgoing, "text/event-stream");
        let HttpBody { status, headers, chunks } = self.http.stream(sent).await.map_err(of_failure)?;
        self.tell_limits(ctx, (&request.call, &request.model), &headers);
        let mut pieces = chunks.fuse().boxed();
        if !status.is_success() {
            // Half of an error is better than none.
            let (body, _) = collected(Vec::new(), &mut pieces, (MAX_ERROR, LONGEST_ERROR)).await;
            return Err(self.refused(ctx, status, &headers, &body, key.as_ref()));
        }
        let start = start_of(&mut pieces).await?;
        if !is_event_stream(&headers, &start) {
            // Some servers answer as a whole, whatever was asked, and some with an error under status 200.
            let (body, ended) = collected(start, &mut pieces, (MAX_EVENT, LONGEST)).await;
            ended?;
            let chunk = as_chunk(reader.response(&body, key.as_ref())?);
            return Ok(futures_util::stream::iter([Ok(chunk)]).boxed());
        }
        let parser = SseParser::new(MAX_EVENT);
        let provider = self.name.clone();
        let mut reading =
            Reading { pieces, parser, reader, ready: VecDeque::new(), ended: false, key, provider };
        reading.take(Some(Ok(Bytes::from(start))));
        Ok(futures_util::stream::unfold(Some(reading), Reading::next).boxed())
    }

    /// What is left of a limit; where there are several keys, that of one says nothing of the others.
    fn tell_limits(&self, ctx: &Ctx, (call, model): (&Call, &str), headers: &HeaderMap) {
        if self.keys.are_several() {
            return;
        }
        let limits = rate_limits(headers, ctx.env.clock.now());
        if limits.is_known() {
            call.tell_limits(&self.name, model, limits);
        }
    }

    fn request<R>(ctx: &Ctx, outgoing: Outgoing<R>, accepted: &'static str) -> (HttpRequest, R) {
        let Outgoing { url, mut headers, body, reader } = outgoing;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static(accepted));
        let ids = [("x-request-id", Some(&ctx.request_id)), ("traceparent", ctx.traceparent.as_ref())];
        for (name, id) in ids {
            // An id that no header can carry must not fail the call: it is in the caller's own log.
            if let Some(value) = id.and_then(|id| HeaderValue::from_str(id).ok()) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        let sent = HttpRequest {
            method: Method::POST,
            url,
            headers,
            body,
            timeout: LONGEST,
            max_response_bytes: MAX_ANSWER,
        };
        (sent, reader)
    }

    fn refused(
        &self,
        ctx: &Ctx,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        key: Option<&Secret>,
    ) -> Error {
        self.speech.refusal(&Refusal { status, headers, body, now: ctx.env.clock.now(), key })
    }

    fn named(&self, error: Error) -> Error {
        error.with_context("provider", self.name.clone())
    }
}

/// A stream as it is read. It ends at the provider's last word, at the end of the bytes, or after an error.
struct Reading<R> {
    pieces: Pieces,
    parser: SseParser,
    reader: R,
    ready: VecDeque<Result<StreamEvent>>,
    ended: bool,
    key: Option<Secret>,
    provider: String,
}

impl<R: Reader> Reading<R> {
    async fn next(state: Option<Self>) -> Option<(Result<ChatChunk>, Option<Self>)> {
        let mut reading = state?;
        loop {
            match reading.ready.pop_front() {
                Some(Ok(StreamEvent::Chunk(chunk))) => return Some((Ok(*chunk), Some(reading))),
                Some(Ok(StreamEvent::Nothing)) => {}
                Some(Ok(StreamEvent::Done)) => return None,
                Some(Err(error)) => {
                    return Some((Err(error.with_context("provider", reading.provider)), None));
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
        let Self { parser, reader, ready, ended, key, .. } = self;
        let mut keep = |data: &[u8]| {
            if !*ended {
                let event = reader.event(data, key.as_ref());
                *ended = matches!(event, Ok(StreamEvent::Done) | Err(_));
                ready.push_back(event);
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
                self.ended = true;
            }
        }
    }
}
