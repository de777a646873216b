use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{EmbedRequest, EmbedResponse, Embedder};
use crate::ctx::Ctx;
use crate::error::{Error, ErrorKind, Result};
use crate::provider::{
    CallOptions, Capability, ChatRequest, ChatResponse, ChatStream, Message, Provider, Role, Usage,
};
use crate::tokens;

/// The texts of one request in the shape of a chat's, so that the layers of a chat serve it as they are: its texts are the messages, by
/// which limits and reservations count, and its answer has no tokens.
pub(crate) fn as_chat(request: &EmbedRequest) -> ChatRequest {
    ChatRequest {
        messages: request.input.iter().map(|text| Message::text(Role::User, text)).collect(),
        max_tokens: Some(0),
        options: CallOptions { cache: Some(false), ..request.options.clone() },
        ..ChatRequest::default()
    }
}

/// An embedder, for one request, in the place of a provider. The vectors of the answer that came last are left in `answered`.
#[derive(Debug)]
pub(crate) struct Ride {
    pub(crate) embedder: Arc<dyn Embedder>,
    pub(crate) request: Arc<EmbedRequest>,
    pub(crate) answered: Arc<Mutex<Answered>>,
}

/// What an embedder answered one request.
#[derive(Debug, Default)]
pub(crate) struct Answered {
    pub(crate) vectors: Vec<Vec<f32>>,
    pub(crate) usage_estimated: bool,
}

#[async_trait]
impl Provider for Ride {
    fn name(&self) -> &str {
        self.embedder.name()
    }

    fn capability(&self) -> Capability {
        Capability::all(self.embedder.capability().default_model)
    }

    async fn chat(&self, ctx: &Ctx, asked: &ChatRequest) -> Result<ChatResponse> {
        let request = EmbedRequest {
            model: asked.model.clone(),
            call: asked.call.clone(),
            ..EmbedRequest::clone(&self.request)
        };
        let answer = self.embedder.embed(ctx, &request).await;
        let EmbedResponse { vectors, tokens } = answer
            .and_then(|answer| answer.checked(request.input.len(), request.dimensions))
            .map_err(|error| error.with_context("provider", self.embedder.name()))?;
        let usage_estimated = tokens.is_none();
        let tokens =
            tokens.unwrap_or_else(|| request.input.iter().map(|text| tokens::count_text(text)).sum());
        *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = Answered { vectors, usage_estimated };
        Ok(ChatResponse { usage: Some(Usage::new(tokens, 0)), ..ChatResponse::text(&asked.model, "") })
    }

    async fn stream(&self, _ctx: &Ctx, _request: &ChatRequest) -> Result<ChatStream> {
        Err(Error::new(ErrorKind::Unsupported, "ai.embed", "vectors are not streamed"))
    }
}
