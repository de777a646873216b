//! Embeddings: texts as vectors that lie close where their meanings do.

mod memory;
mod parts;
mod request;
mod response;
mod ride;
mod targets;

pub use memory::MemoryEmbedder;
pub use request::EmbedRequest;
pub use response::{EmbedResponse, Embeddings};
pub use targets::EmbedTable;

pub(crate) use parts::parts;
pub(crate) use ride::{Answered, Ride, as_chat};

use std::fmt::Debug;

use async_trait::async_trait;

use crate::ctx::Ctx;
use crate::error::Result;

/// An AI service that embeds texts. Each call is one attempt: no retries, no fallback, no caching, which are layers around it.
///
/// Errors say by their kind what an outer layer does, as those of a [`Provider`](crate::provider::Provider) do. Dropping a future aborts
/// the call. It is then unknown whether the service bills it.
#[async_trait]
pub trait Embedder: Send + Sync + Debug + 'static {
    /// The name under which it is configured, as `openai`. A provider of the same name is the same account.
    fn name(&self) -> &str;

    /// What it can do.
    fn capability(&self) -> EmbedCapability;

    /// Embeds every text of `request`: one vector each, in their order. `request.model` is never empty, and there are no more texts
    /// than it takes at once.
    async fn embed(&self, ctx: &Ctx, request: &EmbedRequest) -> Result<EmbedResponse>;
}

/// What an embedder can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbedCapability {
    /// The model that is asked when nobody names one; none when empty.
    pub default_model: String,
    /// How many texts one call takes; more are sent in several.
    pub max_inputs: usize,
    /// How many bytes of text one call takes, unless a single text is longer. No tokenizer makes more tokens than bytes, so that a limit
    /// of tokens is kept by as many bytes.
    pub max_bytes: usize,
}

impl EmbedCapability {
    /// That of OpenAI's API: 2,048 texts of 300,000 tokens together.
    pub fn new(default_model: impl Into<String>) -> Self {
        Self { default_model: default_model.into(), max_inputs: 2_048, max_bytes: 300_000 }
    }
}
