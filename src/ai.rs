//! Chat through the cheapest provider that can answer well, and embeddings.

use std::path::{Path, PathBuf};

use xynergy_core::client::AiClient;
use xynergy_core::embed::{EmbedRequest, Embeddings};
use xynergy_core::env::EventType;
use xynergy_core::provider::{ChatRequest, ChatResponse, ChatStream};
use xynergy_core::route::RouteDecision;
use xynergy_core::spend::PriceMap;
use xynergy_core::{Error, ErrorKind, Result, Timestamp, tokens};

pub use xynergy_core::cache;
pub use xynergy_core::config::AiConfig;
pub use xynergy_core::provider::{GenerateRequest, Generation};
pub use xynergy_core::spend::{LimitScope, PriceReport, SkippedPrice, Spend, SpendLimit, Window, Zone};
pub use xynergy_core::tokens::{Countable, Encoding, Frame, TokenCount, TokenOptimization, Tokenizer};

#[cfg(feature = "otel")]
use crate::otel::traced;
use crate::scope::Scope;

/// The AI providers for one tenant.
#[derive(Clone, Copy, Debug)]
pub struct Ai<'a>(&'a Scope);

impl Scope {
    /// Chat, streams, embeddings, routing, cache and spend.
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
        let (client, ctx) = (self.priced_client().await?, self.0.ctx());
        traced(&ctx, client.generate(&ctx, request)).await
    }

    /// Answers a conversation in OpenAI's chat-completion shape. Errors and cancel safety as [`generate`](Self::generate).
    pub async fn chat(&self, request: ChatRequest) -> Result<ChatResponse> {
        let (client, ctx) = (self.priced_client().await?, self.0.ctx());
        traced(&ctx, client.chat(&ctx, request)).await
    }

    /// Answers a conversation in pieces. Until the first piece other providers are tried; the last one has the outcome,
    /// and a stream that breaks ends with an error, never as a complete answer.
    pub async fn stream(&self, request: ChatRequest) -> Result<ChatStream> {
        let (client, ctx) = (self.priced_client().await?, self.0.ctx());
        traced(&ctx, client.stream(&ctx, request)).await
    }

    /// Embeds texts: a vector each, in their order. More than the provider takes at once are sent in several requests; if one of
    /// them fails, the call fails, and what was answered is paid for.
    ///
    /// Only providers of the same model stand in for one another: vectors of two models cannot be compared. Errors and cancel safety
    /// as [`generate`](Self::generate); an answer with vectors that are missing, cut or no numbers is
    /// [`Corrupt`](ErrorKind::Corrupt), never returned.
    pub async fn embed(&self, request: impl Into<EmbedRequest>) -> Result<Embeddings> {
        let (client, ctx) = (self.priced_client().await?, self.0.ctx());
        traced(&ctx, client.embed(&ctx, request.into())).await
    }

    /// Which models would be asked in which order, and why. Sends nothing.
    pub fn route(&self, request: &ChatRequest) -> Result<RouteDecision> {
        self.client()?.route(&self.0.ctx(), request)
    }

    /// How many tokens a text or a request has for `model` (the request's own when `None`). Asks no provider and needs none.
    ///
    /// A text is counted as it is, a request as its prompt is billed: with what frames the messages, tools, images and the format
    /// of the answer. OpenAI's models and those with a tokenizer of the host's are counted exactly; others are estimated, with a
    /// stated error that shrinks as their providers report usage. The first count of a process unpacks a table, in some 20 ms.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a request without messages and for a blank model.
    pub fn count_tokens<'c>(
        &self,
        what: impl Into<Countable<'c>>,
        model: Option<&str>,
    ) -> Result<TokenCount> {
        const OPERATION: &str = "ai.count_tokens";
        let what = what.into();
        if model.is_some_and(|model| model.trim().is_empty()) {
            return Err(Error::invalid(OPERATION, "model: blank; name one or leave it away"));
        }
        let own = match what {
            Countable::Request(request) if request.messages.is_empty() => {
                return Err(Error::invalid(OPERATION, "messages: empty; give at least one message"));
            }
            Countable::Request(request) => request.model.as_str(),
            Countable::Text(_) => "",
        };
        Ok(self.0.shared.counter.count(self.0.tenant(), what, model.unwrap_or(own)))
    }

    /// How the limit of an answer would be sized: `default_limit` (the configured one when `None`), or the user's own, at
    /// most lowered to the limit for simple prompts. Never above the user's own. Asks no provider and needs none.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a blank prompt and for a limit of 0.
    pub fn optimize_tokens(
        &self,
        prompt: &str,
        default_limit: Option<u32>,
        user_limit: Option<u32>,
    ) -> Result<TokenOptimization> {
        const OPERATION: &str = "ai.optimize_tokens";
        for (name, limit) in [("default_limit", default_limit), ("user_limit", user_limit)] {
            if limit == Some(0) {
                let message = format!("{name}: 0 allows no answer; give at least 1 or leave it away");
                return Err(Error::invalid(OPERATION, message));
            }
        }
        if prompt.trim().is_empty() {
            return Err(Error::invalid(OPERATION, "prompt: blank; give the prompt that will be sent"));
        }
        let settings = &self.0.shared.config.ai.tokens;
        Ok(tokens::optimize_prompt(prompt, settings, default_limit, user_limit))
    }

    /// What the tenant spent since `since`, rounded down to the minute; all that is kept when `None`.
    pub async fn spend(&self, since: Option<Timestamp>) -> Result<Spend> {
        self.client()?.spend(&self.0.ctx(), since).await
    }

    /// Sets a spend limit of the tenant, at once. It replaces the one of the same scope and window.
    pub async fn set_limit(&self, limit: SpendLimit) -> Result<()> {
        self.client()?.set_limit(&self.0.ctx(), limit).await
    }

    /// Removes a spend limit of the tenant, and says whether there was one. One of the configuration then holds again.
    pub async fn remove_limit(&self, scope: &LimitScope, window: Window) -> Result<bool> {
        self.client()?.remove_limit(&self.0.ctx(), scope, window).await
    }

    /// How the cache fares for the tenant, in this process.
    pub fn cache_stats(&self) -> Result<cache::CacheStats> {
        Ok(self.client()?.cache_stats(&self.0.ctx()))
    }

    /// Drops the tenant's answers that match `pattern`, all of them when `None`, and says how many.
    pub async fn cache_invalidate(&self, pattern: Option<&str>) -> Result<u64> {
        self.client()?.cache_invalidate(&self.0.ctx(), pattern).await
    }

    /// Reads `ai.price_file` again and takes its prices from now on, those of all tenants. A file that cannot be read leaves the
    /// prices as they are. Says what it held; nothing when no file is configured.
    pub async fn reload_prices(&self) -> Result<PriceReport> {
        let client = self.client()?;
        let Some(path) = self.0.shared.config.ai.price_file.clone() else {
            return Ok(PriceReport::default());
        };
        let prices = read_prices(path).await?;
        let report = prices.report();
        client.set_prices(prices);
        self.0.ctx().emit(
            EventType::PRICES_LOADED,
            || serde_json::json!({"models": report.models, "skipped": report.skipped.len()}),
        );
        Ok(report)
    }

    /// The client, once the price file has been read.
    async fn priced_client(&self) -> Result<&AiClient> {
        let client = self.client()?;
        if self.0.shared.config.ai.price_file.is_some() {
            let read = || async { self.reload_prices().await.map(drop) };
            self.0.shared.prices_read.get_or_try_init(read).await?;
        }
        Ok(client)
    }

    fn client(&self) -> Result<&AiClient> {
        self.0.shared.ai.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::ConfigInvalid,
                "ai",
                "ai.providers: none is configured; set OPENAI_API_KEY, ABACUS_API_KEY, ANTHROPIC_API_KEY or INTERNAL_AI_URL, or add [ai.providers.NAME]",
            )
        })
    }
}

/// Without traces there is nothing to run it below.
#[cfg(not(feature = "otel"))]
fn traced<F: Future>(_ctx: &xynergy_core::Ctx, call: F) -> F {
    call
}

/// Reads a price list, away from the threads that wait for answers: it is a megabyte or more.
async fn read_prices(path: PathBuf) -> Result<PriceMap> {
    let wrong = |path: &Path, message: &str| {
        Error::new(ErrorKind::ConfigInvalid, "ai.reload_prices", format!("ai.price_file: {message}"))
            .with_context("path", path.display().to_string())
    };
    let reading = tokio::task::spawn_blocking(move || {
        let text = std::fs::read_to_string(&path)
            .map_err(|error| wrong(&path, "it cannot be read as text").with_source(error))?;
        PriceMap::parse(&text).map_err(|error| wrong(&path, error.message()))
    });
    reading
        .await
        .map_err(|_| Error::new(ErrorKind::Unexpected, "ai.reload_prices", "reading it broke off"))?
}
