use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use xynergy::provider::{
    Capability, ChatChunk, ChatRequest, ChatResponse, ChatStream, FinishReason, Provider,
};
use xynergy::{Ctx, Result};

use super::{CallContext, Host, Seat};

/// What a provider of the host's can do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderTraits {
    /// The model that is asked when the request names none; the provider's name when absent.
    pub default_model: Option<String>,
    /// Whether it streams.
    pub streaming: bool,
    /// Whether it takes tools.
    pub tools: bool,
    /// Whether it takes a response format.
    pub response_format: bool,
    /// Whether it reads images.
    pub images: bool,
}

/// An AI provider of the host's.
#[derive(Clone)]
pub struct HostProvider {
    name: String,
    traits: ProviderTraits,
    seat: Seat,
}

impl fmt::Debug for HostProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostProvider").field("name", &self.name).finish_non_exhaustive()
    }
}

impl HostProvider {
    /// The provider `name`.
    pub fn new(name: &str, traits: ProviderTraits, host: Arc<dyn Host>, timeout: Duration) -> Self {
        Self { name: name.to_owned(), traits, seat: Seat::new(format!("providers.{name}"), host, timeout) }
    }

    fn model(&self, request: &ChatRequest) -> String {
        if request.model.is_empty() { self.capability().default_model } else { request.model.clone() }
    }
}

#[derive(Serialize)]
struct ChatArguments<'a> {
    ctx: CallContext,
    request: &'a ChatRequest,
}

#[async_trait]
impl Provider for HostProvider {
    fn name(&self) -> &str {
        &self.name
    }

    fn capability(&self) -> Capability {
        let ProviderTraits { default_model, streaming, tools, response_format, images } = self.traits.clone();
        let default_model = default_model.unwrap_or_else(|| self.name.clone());
        Capability { default_model, streaming, tools, response_format, images, prefill: false }
    }

    /// The host answers with a chat completion, or with the text alone.
    async fn chat(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        let answer: Value = self.seat.call("chat", &ChatArguments { ctx: ctx.into(), request }).await?;
        let mut response = match answer {
            Value::String(text) => return Ok(ChatResponse::text(self.model(request), text)),
            other => self.seat.read::<ChatResponse>("chat", &other.to_string())?,
        };
        if response.choices.is_empty() {
            return self.seat.read("chat", r#"{"choices": "none: give at least one choice"}"#);
        }
        if response.model.is_empty() {
            response.model = self.model(request);
        }
        Ok(response.judged())
    }

    /// The host answers with chunks, or with pieces of text.
    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        let pieces = self.seat.stream("stream", &ChatArguments { ctx: ctx.into(), request }).await?;
        let seat = self.seat.clone();
        let chunks = pieces.map(move |piece| {
            let piece = piece.map_err(|failure| seat.failed("stream", failure))?;
            match seat.read::<Value>("stream", &piece)? {
                Value::String(text) => Ok((ChatChunk::text(text), false)),
                other => {
                    let chunk: ChatChunk = seat.read("stream", &other.to_string())?;
                    let ends = chunk.choices.iter().any(|choice| choice.finish_reason.is_some());
                    Ok((chunk, ends))
                }
            }
        });
        Ok(ended(chunks).boxed())
    }
}

/// A host that sends only text has said all of it when its stream ends: the end is added for it.
fn ended(
    chunks: impl futures_util::Stream<Item = Result<(ChatChunk, bool)>> + Send + 'static,
) -> impl futures_util::Stream<Item = Result<ChatChunk>> + Send {
    let chunks = chunks.map(Some).chain(futures_util::stream::iter([None]));
    let states = chunks.scan((false, false), |(ended, failed), item| {
        let piece = match item {
            Some(Ok((chunk, ends))) => {
                *ended |= ends;
                Some(Ok(chunk))
            }
            Some(Err(error)) => {
                *failed = true;
                Some(Err(error))
            }
            None if *ended || *failed => None,
            None => Some(Ok(ChatChunk::end(FinishReason::Stop))),
        };
        std::future::ready(Some(piece))
    });
    states.filter_map(std::future::ready)
}
