//! AI providers: the trait that each one implements, and the chat-completion types that all of them speak.

mod assemble;
mod call;
mod capability;
mod chunk;
mod lenient;
mod memory;
mod merge;
mod message;
mod of_value;
mod open;
mod request;
mod response;
mod usage;
mod validate;

pub use assemble::Assembler;
pub(crate) use call::Try;
pub use call::{Attempt, AttemptStatus, Call, CallOptions, CallReport};
pub use capability::Capability;
pub use chunk::{ChatChunk, ChunkChoice, Delta};
pub use memory::MemoryProvider;
pub use message::{Content, ContentPart, Message, Role};
pub use request::{ChatRequest, GenerateRequest};
pub use response::{ChatResponse, Choice, FinishReason, Generation, Outcome};
pub use usage::Usage;

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::BoxStream;

use crate::ctx::Ctx;
use crate::embed::Embedder;
use crate::error::Result;

/// The pieces of a streamed answer. It ends after the first error; dropping it aborts the call.
pub type ChatStream = BoxStream<'static, Result<ChatChunk>>;

/// An AI service. Each call is one attempt: no retries, no fallback, no caching, which are layers around it.
///
/// Errors say by their kind what an outer layer does: `Unauthorized`, `Throttled`, `Timeout` and `Unavailable` go on to the
/// next provider, `Rejected` and its like return to the caller. An answer that was cut is not [`Outcome::Complete`].
///
/// Dropping a future aborts the call. It is then unknown whether the provider bills it.
#[async_trait]
pub trait Provider: Send + Sync + Debug + 'static {
    /// The name under which it is configured, as `openai`.
    fn name(&self) -> &str;

    /// What it can do.
    fn capability(&self) -> Capability;

    /// Answers `request` as a whole. An empty `request.model` means the default model.
    async fn chat(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse>;

    /// Answers `request` in pieces; returns when the provider has accepted it.
    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream>;

    /// What embeds texts at the same account, where it does.
    fn embedder(&self) -> Option<Arc<dyn Embedder>> {
        None
    }
}
