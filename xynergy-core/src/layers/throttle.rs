use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::ctx::{Ctx, TenantId};
use crate::env::Timestamp;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::layer::Layer;
use crate::provider::{Capability, ChatRequest, ChatResponse, ChatStream, Content, Message, Provider};
use crate::rate::RateLimits;
use crate::tokens::count_request;

/// The longest time for which one answer of a provider keeps it from being asked.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);
/// From how many notes on those that have run out are dropped.
const MANY: usize = 1_024;
/// When what was told of a limit is old, where there are many notes.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// Remembers, per tenant and provider, until when a provider asked to be left alone, and per model what it told to be left of its
/// limits: it is not asked before, nor for more than is left. The clock is that of the context.
///
/// Where no other model is left, a wait that is no longer than `patience` is waited out.
#[derive(Clone, Debug)]
pub struct ThrottleLayer {
    patience: Duration,
    until: Arc<Mutex<BTreeMap<Key, Timestamp>>>,
    told: Arc<Mutex<BTreeMap<ModelKey, Told>>>,
}

type Key = (TenantId, String);
type ModelKey = (TenantId, String, String);

/// What an answer told of the limits.
#[derive(Debug)]
struct Told {
    at: Timestamp,
    limits: RateLimits,
}

impl ThrottleLayer {
    /// A layer that remembers nothing yet.
    pub fn new(patience: Duration) -> Self {
        Self { patience, until: Arc::default(), told: Arc::default() }
    }

    /// How long the provider is still to be left alone, and why.
    fn left(&self, ctx: &Ctx, provider: &str, request: &ChatRequest) -> Option<(Duration, &'static str)> {
        let now = ctx.env.clock.now();
        let until = self.notes().get(&(ctx.tenant.clone(), provider.to_owned())).copied();
        let asked = until.map(|until| until.since(now)).unwrap_or_default();
        let key = (ctx.tenant.clone(), provider.to_owned(), request.model.clone());
        let told = self.all_told().get(&key).map(|told| (told.limits.clone(), now.since(told.at)));
        let refills =
            told.map(|(limits, since)| limits.wait(most_tokens(request), || count_request(request), since));
        let refills = refills.unwrap_or_default();
        let left = asked.max(refills);
        let reason = if asked >= refills { "it asked to wait" } else { "its limit is used up" };
        (!left.is_zero()).then_some((left, reason))
    }

    async fn admit(&self, ctx: &Ctx, provider: &str, request: &ChatRequest) -> Result<()> {
        let Some((left, reason)) = self.left(ctx, provider, request) else { return Ok(()) };
        if request.call.last_resort && left <= self.patience {
            tokio::time::sleep(left).await;
            return Ok(());
        }
        request.call.note_skipped(provider, &request.model, ErrorKind::Throttled, reason);
        Err(Error::new(ErrorKind::Throttled, "ai.chat", "the provider asked to be left alone for a while")
            .with_retry(Retry::After(left))
            .with_context("provider", provider))
    }

    /// Takes note of what the provider told while it was asked.
    fn learn(&self, ctx: &Ctx, provider: &str, request: &ChatRequest) {
        let Some(limits) = request.call.take_limits(provider, &request.model) else { return };
        let now = ctx.env.clock.now();
        let mut told = self.all_told();
        if told.len() >= MANY {
            told.retain(|_, told| now.since(told.at) < FORGOTTEN);
            while told.len() >= MANY {
                told.pop_first();
            }
        }
        told.insert(
            (ctx.tenant.clone(), provider.to_owned(), request.model.clone()),
            Told { at: now, limits },
        );
    }

    fn all_told(&self) -> MutexGuard<'_, BTreeMap<ModelKey, Told>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, ctx: &Ctx, provider: &str, error: &Error) {
        let wait = match (error.kind(), error.retry()) {
            (ErrorKind::Throttled, Retry::After(wait)) if !wait.is_zero() => wait,
            (ErrorKind::Throttled, Retry::Exhausted) => match told_wait(error) {
                Some(wait) if wait <= LONGEST => wait,
                // Nobody means a year.
                _ => return,
            },
            _ => return,
        };
        let now = ctx.env.clock.now();
        let until = now.plus(wait.min(LONGEST));
        let mut notes = self.notes();
        if notes.len() >= MANY {
            notes.retain(|_, until| *until > now);
        }
        let note = notes.entry((ctx.tenant.clone(), provider.to_owned())).or_insert(until);
        *note = until.max(*note);
    }

    fn notes(&self) -> MutexGuard<'_, BTreeMap<Key, Timestamp>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The wait that a provider asks for and that is too long for a caller, which is why it is no longer what is to be waited.
fn told_wait(error: &Error) -> Option<Duration> {
    let (_, told) = error.context().iter().find(|(name, _)| *name == "retry_after_ms")?;
    told.parse().ok().map(Duration::from_millis)
}

/// More tokens than a prompt of texts can have, as no tokenizer makes more than there are bytes; what is not text is always counted.
fn most_tokens(request: &ChatRequest) -> u64 {
    let is_more = |message: &Message| {
        matches!(message.content, Some(Content::Parts(_))) || !message.tool_calls.is_empty()
    };
    if !request.tools.is_empty() || request.response_format.is_some() || request.messages.iter().any(is_more)
    {
        return u64::MAX;
    }
    let framing = 16 * (request.messages.len() as u64 + 1);
    framing + request.messages.iter().flat_map(Message::texts).map(|text| text.len() as u64).sum::<u64>()
}

impl Layer for ThrottleLayer {
    fn wrap(&self, inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
        Arc::new(Throttled { inner, layer: self.clone() })
    }
}

#[derive(Debug)]
struct Throttled {
    inner: Arc<dyn Provider>,
    layer: ThrottleLayer,
}

#[async_trait]
impl Provider for Throttled {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn capability(&self) -> Capability {
        self.inner.capability()
    }

    async fn chat(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        self.layer.admit(ctx, self.inner.name(), request).await?;
        let answer = self.inner.chat(ctx, request).await;
        self.layer.learn(ctx, self.inner.name(), request);
        answer.inspect_err(|error| self.layer.note(ctx, self.inner.name(), error))
    }

    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        self.layer.admit(ctx, self.inner.name(), request).await?;
        let answer = self.inner.stream(ctx, request).await;
        self.layer.learn(ctx, self.inner.name(), request);
        answer.inspect_err(|error| self.layer.note(ctx, self.inner.name(), error))
    }
}
