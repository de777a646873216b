use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::StreamExt;
use serde_json::Value;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use crate::ctx::Ctx;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::layer::Layer;
use crate::provider::{
    Assembler, Attempt, AttemptStatus, Call, Capability, ChatChunk, ChatRequest, ChatResponse, ChatStream,
    Content, Delta, FinishReason, Outcome, Provider, Try,
};

/// Pieces that are held back before the first one with some output. Of more, those that say nothing are left out.
const MAX_HELD: usize = 64;
/// The same in bytes, as JSON: who annotates more before a first word is believed to have begun.
const MAX_HELD_BYTES: usize = 256 * 1024;

/// What one attempt is: noted in the trace, and held to the truth whoever wrote the provider.
///
/// An answer without a choice is a fault, and so is a stream that ends without a reason, with `[DONE]` or not. A stream is
/// returned when its first output is there, so that every fault before it is an error that outer layers can act on. What breaks
/// after every answer has said why it ended, spoils nothing.
#[derive(Debug)]
pub struct AttemptLayer;

impl Layer for AttemptLayer {
    fn wrap(&self, inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
        Arc::new(Attempted { inner })
    }
}

#[derive(Debug)]
struct Attempted {
    inner: Arc<dyn Provider>,
}

impl Attempted {
    /// The span of one try, below that of the call. It has no tokens: those are the call's.
    fn span(&self, ctx: &Ctx, request: &ChatRequest) -> Span {
        tracing::info_span!(
            "attempt",
            "otel.name" = format_args!("attempt {}", request.model),
            "otel.kind" = "client",
            "otel.status_code" = Empty,
            "gen_ai.provider.name" = self.inner.name(),
            "gen_ai.request.model" = request.model.as_str(),
            "server.address" = Empty,
            "server.port" = Empty,
            "error.type" = Empty,
            request_id = &*ctx.request_id,
            tenant_id = ctx.tenant.as_str(),
        )
    }

    fn note<T>(&self, request: &ChatRequest, started: Instant, span: &Span, outcome: &Result<T>) {
        let error = outcome.as_ref().err();
        if let Some(error) = error {
            span.record("otel.status_code", "ERROR");
            span.record("error.type", error.kind().as_str());
        }
        let (reason, since) = match request.call.end_try(self.inner.name(), &request.model) {
            Some(Try::Noted) if error.is_some() => return,
            Some(Try::Open { name, since }) => (name, since),
            Some(Try::Noted) | None => (None, started),
        };
        let elapsed = since.elapsed();
        request.call.note(Attempt {
            provider: self.inner.name().to_owned(),
            model: request.model.clone(),
            status: if error.is_none() { AttemptStatus::Answered } else { AttemptStatus::Failed },
            error: error.map(|error| error.kind().as_str().to_owned()),
            reason,
            latency_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        });
    }

    async fn open(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        let busy = request.call.busy();
        let mut inner = busy.provider(self.inner.stream(ctx, request)).await?;
        let mut seen = Assembler::default();
        let mut held = VecDeque::new();
        let mut held_bytes = 0;
        loop {
            match busy.provider(inner.next()).await {
                Some(Ok(chunk)) => {
                    checked(&chunk, self.inner.name())?;
                    seen.push(&chunk);
                    let begun = seen.has_output() || seen.is_finished();
                    if !begun && held.len() >= MAX_HELD && says_nothing(&chunk) {
                        // The time until the first token is heeded also where a piece is always ready.
                        tokio::task::yield_now().await;
                        continue;
                    }
                    held_bytes += if begun { 0 } else { size(&chunk) };
                    held.push_back(chunk);
                    if begun || held_bytes >= MAX_HELD_BYTES {
                        break;
                    }
                }
                Some(Err(error)) => return Err(error),
                None => return Err(cut(self.inner.name())),
            }
        }
        let answers = usize::try_from(request.n.unwrap_or(1)).unwrap_or(usize::MAX);
        let (call, provider) = (request.call.clone(), self.inner.name().to_owned());
        let state = Reading { call, inner, seen, held, answers, provider, failed: None };
        Ok(futures_util::stream::unfold(Some(state), Reading::next).boxed())
    }
}

#[async_trait]
impl Provider for Attempted {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn capability(&self) -> Capability {
        self.inner.capability()
    }

    async fn chat(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        let started = Instant::now();
        let span = self.span(ctx, request);
        let mut noted = Unanswered { layer: self, request, started, span: span.clone(), open: true };
        let answered =
            request.call.busy().provider(self.inner.chat(ctx, request)).instrument(span.clone()).await;
        let outcome = answered.and_then(|response| {
            let response = response.judged();
            if response.outcome == Outcome::Errored {
                Err(no_answer(self.inner.name()))
            } else {
                Ok(response)
            }
        });
        noted.open = false;
        self.note(request, started, &span, &outcome);
        outcome
    }

    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        let started = Instant::now();
        let span = self.span(ctx, request);
        let mut noted = Unanswered { layer: self, request, started, span: span.clone(), open: true };
        let outcome = self.open(ctx, request).instrument(span.clone()).await;
        noted.open = false;
        self.note(request, started, &span, &outcome);
        outcome
    }
}

/// An attempt that a timeout or the caller drops is in the trace as well.
struct Unanswered<'a> {
    layer: &'a Attempted,
    request: &'a ChatRequest,
    started: Instant,
    span: Span,
    open: bool,
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if self.open {
            let given_up = Err::<(), _>(Error::new(ErrorKind::Timeout, "ai.chat", "given up"));
            self.layer.note(self.request, self.started, &self.span, &given_up);
        }
    }
}

struct Reading {
    call: Call,
    inner: ChatStream,
    seen: Assembler,
    held: VecDeque<ChatChunk>,
    answers: usize,
    provider: String,
    /// The fault that came with the last piece.
    failed: Option<Error>,
}

impl Reading {
    async fn next(state: Option<Self>) -> Option<(Result<ChatChunk>, Option<Self>)> {
        let mut reading = state?;
        if let Some(chunk) = reading.held.pop_front() {
            return Some((Ok(chunk), Some(reading)));
        }
        if let Some(error) = reading.failed.take() {
            return Some((Err(error), None));
        }
        match reading.call.busy().provider(reading.inner.next()).await {
            Some(Ok(mut chunk)) => {
                match checked(&chunk, &reading.provider) {
                    Ok(()) => {}
                    Err(error) if says_nothing(&chunk) => return Some((Err(error), None)),
                    // The last words before the fault were said all the same.
                    Err(error) => {
                        chunk.choices.iter_mut().for_each(|choice| choice.finish_reason = None);
                        reading.failed = Some(error);
                    }
                }
                reading.seen.push(&chunk);
                Some((Ok(chunk), Some(reading)))
            }
            Some(Err(_)) if reading.seen.are_finished(reading.answers) => None,
            Some(Err(error)) => Some((Err(error), None)),
            None if reading.seen.is_finished() => None,
            None => Some((Err(cut(&reading.provider)), None)),
        }
    }
}

/// Whether a piece only shows that the connection lives.
fn says_nothing(chunk: &ChatChunk) -> bool {
    let empty = |content: &Content| matches!(content, Content::Text(text) if text.is_empty());
    chunk.usage.is_none()
        && !chunk.choices.is_empty()
        && chunk.choices.iter().all(|choice| {
            let Delta { role: _, content, refusal, tool_calls, extra } = &choice.delta;
            content.as_ref().is_none_or(empty)
                && refusal.as_ref().is_none_or(String::is_empty)
                && tool_calls.is_empty()
                && extra.values().chain(choice.extra.values()).all(Value::is_null)
        })
}

/// How much a piece without output holds.
fn size(chunk: &ChatChunk) -> usize {
    serde_json::to_vec(chunk).map_or(0, |json| json.len())
}

fn checked(chunk: &ChatChunk, provider: &str) -> Result<()> {
    let failed = |finish: &FinishReason| finish.outcome() == Outcome::Errored;
    if chunk.choices.iter().any(|choice| choice.finish_reason.as_ref().is_some_and(failed)) {
        return Err(fault(provider, "the provider failed on the way"));
    }
    Ok(())
}

fn cut(provider: &str) -> Error {
    fault(provider, "the stream ended without a finish reason")
}

fn no_answer(provider: &str) -> Error {
    fault(provider, "the answer holds no choice, or one that failed")
}

fn fault(provider: &str, message: &'static str) -> Error {
    Error::new(ErrorKind::Unavailable, "ai.chat", message)
        .with_retry(Retry::After(Duration::ZERO))
        .with_context("provider", provider)
}
