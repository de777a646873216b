//! Chat through the cheapest provider that can answer well.

use xynergy_core::cache::CacheStats;
use xynergy_core::client::AiClient;
use xynergy_core::provider::{ChatRequest, ChatResponse, ChatStream};
use xynergy_core::route::RouteDecision;
use xynergy_core::{Error, ErrorKind, Result, Timestamp};

pub use xynergy_core::config::AiConfig;
pub use xynergy_core::provider::{GenerateRequest, Generation};
pub use xynergy_core::spend::{Spend, SpendLimit};

use crate::scope::Scope;

/// The AI providers for one tenant.
#[derive(Clone, Copy, Debug)]
pub struct Ai<'a>(&'a Scope);

impl Scope {
    /// Chat, streams, routing, cache and spend.
    pub fn ai(&self) -> Ai<'_> {
        Ai(self)
    }
}

impl Ai<'_> {
    /// Answers a prompt. The limit of the answer is sized unless the request has one; a limit of ours that cuts the answer
    /// is not seen by the user.
    ///
    /// Cancel safety: dropping the future aborts the HTTP call and refunds what was not used.
    ///
    /// # Errors
    /// The last provider's, when none can answer; a wrong request reaches the caller at once.
    pub async fn generate(&self, request: GenerateRequest) -> Result<Generation> {
        self.client()?.generate(&self.0.ctx(), request).await
    }

    /// Answers a conversation in OpenAI's chat-completion shape. Errors and cancel safety as [`generate`](Self::generate).
    pub async fn chat(&self, request: ChatRequest) -> Result<ChatResponse> {
        self.client()?.chat(&self.0.ctx(), request).await
    }

    /// Answers a conversation in pieces. Until the first piece other providers are tried; the last one has the outcome,
    /// and a stream that breaks ends with an error, never as a complete answer.
    pub async fn stream(&self, request: ChatRequest) -> Result<ChatStream> {
        self.client()?.stream(&self.0.ctx(), request).await
    }

    /// Which models would be asked in which order, and why. Sends nothing.
    pub fn route(&self, request: &ChatRequest) -> Result<RouteDecision> {
        self.client()?.route(&self.0.ctx(), request)
    }

    /// What the tenant spent since `since`, rounded down to the minute; all that is kept when `None`.
    pub async fn spend(&self, since: Option<Timestamp>) -> Result<Spend> {
        self.client()?.spend(&self.0.ctx(), since).await
    }

    /// Sets a spend limit of the tenant, at once. It replaces the one of the same scope and window.
    pub async fn set_limit(&self, limit: SpendLimit) -> Result<()> {
        self.client()?.set_limit(&self.0.ctx(), limit).await
    }

    /// How the cache fares for the tenant, in this process.
    pub fn cache_stats(&self) -> Result<CacheStats> {
        Ok(self.client()?.cache_stats(&self.0.ctx()))
    }

    /// Drops the tenant's answers that match `pattern`, all of them when `None`, and says how many.
    pub async fn cache_invalidate(&self, pattern: Option<&str>) -> Result<u64> {
        self.client()?.cache_invalidate(&self.0.ctx(), pattern).await
    }

    fn client(&self) -> Result<&AiClient> {
        self.0.shared.ai.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::ConfigInvalid,
                "ai",
                "ai.providers: none is configured; set OPENAI_API_KEY, ABACUS_API_KEY or INTERNAL_AI_URL, or add [ai.providers.NAME]",
            )
        })
    }
}
