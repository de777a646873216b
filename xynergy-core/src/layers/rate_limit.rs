use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;

use crate::ctx::Ctx;
use crate::env::Clock;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::layer::Layer;
use crate::provider::{Capability, ChatChunk, ChatRequest, ChatResponse, ChatStream, Content, Provider};
use crate::rate::{Admission, Ask, Counted, Rate, RateLimiter};
use crate::tokens::{TokenCounter, count_text, usage};

/// Admits so many requests and tokens a minute, a tenant by itself, in bursts up to the whole minute's.
///
/// The tokens of a call are estimated before it, prompt and answer, and corrected by those that it used: a call that failed used
/// none, and one that is dropped used what had come of it.
#[derive(Clone, Debug)]
pub struct RateLimitLayer {
    limiter: Arc<dyn RateLimiter>,
    rate: Rate,
    /// Which of the limits of a tenant it is, and how the configuration calls it.
    key: String,
    setting: String,
    counter: Arc<TokenCounter>,
    /// The tokens that an answer is expected to have at most where the request does not say.
    answer: u32,
}

impl RateLimitLayer {
    /// A limit of all of a tenant's calls.
    pub fn of_tenant(
        rate: Rate,
        limiter: Arc<dyn RateLimiter>,
        counter: Arc<TokenCounter>,
        answer: u32,
    ) -> Self {
        let setting = "ai.rate_limit".to_owned();
        Self { limiter, rate, key: String::new(), setting, counter, answer }
    }

    /// A limit of a tenant's calls to one provider.
    pub fn of_provider(
        provider: &str,
        rate: Rate,
        limiter: Arc<dyn RateLimiter>,
        counter: Arc<TokenCounter>,
        answer: u32,
    ) -> Self {
        let setting = format!("ai.providers.{provider}.rate_limit");
        Self { limiter, rate, key: provider.to_owned(), setting, counter, answer }
    }

    /// The tokens of the prompt, and those to be taken: an answer that may be longer than the rest of a minute's is not waited for.
    fn estimate(&self, ctx: &Ctx, request: &ChatRequest) -> (u64, u64) {
        let Some(limit) = self.rate.tokens else { return (0, 0) };
        let prompt = self.counter.count(&ctx.tenant, request, &request.model).tokens;
        let answers = u64::from(request.n.unwrap_or(1));
        let answer = u64::from(request.token_limit().unwrap_or(self.answer)).saturating_mul(answers);
        (prompt, prompt.saturating_add(answer).min(u64::from(limit.get()).max(prompt)))
    }

    async fn admit(&self, ctx: &Ctx, provider: &str, request: &ChatRequest) -> Result<Taken> {
        let (prompt, tokens) = self.estimate(ctx, request);
        let ask = Ask::new(ctx, self.key.clone(), self.rate, tokens);
        let (message, retry) = match self.limiter.acquire(&ask).await {
            Admission::Admitted => {
                let limiter = Arc::clone(&self.limiter);
                let clock = Arc::clone(&ctx.env.clock);
                return Ok(Taken { ask, limiter, clock, prompt, used: None });
            }
            Admission::Wait(what, wait) => {
                let limit = match what {
                    Counted::Requests => self.rate.requests,
                    Counted::Tokens => self.rate.tokens,
                };
                let most = limit.map_or(0, NonZeroU32::get);
                (
                    format!("the configured limit of {most} {} a minute is used up", what.as_str()),
                    Retry::After(wait),
                )
            }
            Admission::TooLarge => {
                let most = self.rate.tokens.map_or(0, NonZeroU32::get);
                let setting = &self.setting;
                let message = format!(
                    "the prompt has about {prompt} tokens and {setting}.tokens_per_minute is {most}: it would never fit; shorten it or raise the limit"
                );
                (message, Retry::Never)
            }
        };
        request.call.note_skipped(provider, &request.model, ErrorKind::Throttled, "rate limit");
        Err(Error::new(ErrorKind::Throttled, "ai.chat", message)
            .with_retry(retry)
            .with_context("provider", provider))
    }
}

/// What was taken for one call. Dropped, it is corrected by what is known to have been used.
struct Taken {
    ask: Ask,
    limiter: Arc<dyn RateLimiter>,
    clock: Arc<dyn Clock>,
    prompt: u64,
    /// Until there is a figure, the prompt: it was sent, whatever came of it.
    used: Option<u64>,
}

impl Taken {
    fn counts_tokens(&self) -> bool {
        self.ask.rate.tokens.is_some()
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let used = self.used.unwrap_or(self.prompt);
        if self.counts_tokens() && used != self.ask.tokens {
            self.limiter.correct(&self.ask, used, self.clock.now());
        }
    }
}

impl Layer for RateLimitLayer {
    fn wrap(&self, inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
        Arc::new(Limited { inner, layer: self.clone() })
    }
}

#[derive(Debug)]
struct Limited {
    inner: Arc<dyn Provider>,
    layer: RateLimitLayer,
}

#[async_trait]
impl Provider for Limited {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn capability(&self) -> Capability {
        self.inner.capability()
    }

    async fn chat(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        let mut taken = self.layer.admit(ctx, self.inner.name(), request).await?;
        let answer = self.inner.chat(ctx, request).await;
        if taken.counts_tokens() {
            taken.used = Some(answer.as_ref().map_or(0, |response| match &response.usage {
                Some(usage) => usage.total(),
                None => usage(request, response, &request.model).total(),
            }));
        }
        answer
    }

    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        let mut taken = self.layer.admit(ctx, self.inner.name(), request).await?;
        let stream = match self.inner.stream(ctx, request).await {
            Ok(stream) => stream,
            Err(error) => {
                taken.used = Some(0);
                return Err(error);
            }
        };
        if !taken.counts_tokens() {
            return Ok(stream);
        }
        let mut seen = Seen { counted: taken.prompt, reported: 0, taken };
        Ok(stream.inspect(move |chunk| chunk.as_ref().map_or((), |chunk| seen.push(chunk))).boxed())
    }
}

/// The tokens of a stream so far: the provider's last figure where that is more than what has come.
struct Seen {
    counted: u64,
    reported: u64,
    taken: Taken,
}

impl Seen {
    fn push(&mut self, chunk: &ChatChunk) {
        for choice in &chunk.choices {
            let content = match &choice.delta.content {
                Some(Content::Text(text)) => count_text(text),
                _ => 0,
            };
            let calls: u64 = choice.delta.tool_calls.iter().map(|call| count_text(&call.to_string())).sum();
            self.counted = self.counted.saturating_add(content).saturating_add(calls);
        }
        if let Some(usage) = &chunk.usage {
            let is_last = chunk.choices.is_empty();
            self.reported = usage.total();
            // The figure at the end is right, also where ours is greater.
            self.counted = if is_last { self.reported } else { self.counted };
        }
        self.taken.used = Some(self.counted.max(self.reported));
    }
}
