use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::ctx::{Ctx, TenantId};
use crate::env::Timestamp;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::layer::Layer;
use crate::provider::{Capability, ChatRequest, ChatResponse, ChatStream, Provider};

/// The longest time for which one answer of a provider keeps it from being asked.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);
/// From how many notes on those that have run out are dropped.
const MANY: usize = 1_024;

/// Remembers, per tenant and provider, until when a provider asked to be left alone, and does not ask it before. The clock is that
/// of the context.
///
/// Where no other model is left, a wait that is no longer than `patience` is waited out.
#[derive(Clone, Debug)]
pub struct ThrottleLayer {
    patience: Duration,
    until: Arc<Mutex<BTreeMap<Key, Timestamp>>>,
}

type Key = (TenantId, String);

impl ThrottleLayer {
    /// A layer that remembers nothing yet.
    pub fn new(patience: Duration) -> Self {
        Self { patience, until: Arc::default() }
    }

    /// How long the provider is still to be left alone.
    fn left(&self, ctx: &Ctx, provider: &str) -> Option<Duration> {
        let until = *self.notes().get(&(ctx.tenant.clone(), provider.to_owned()))?;
        Some(until.since(ctx.env.clock.now())).filter(|left| !left.is_zero())
    }

    async fn admit(&self, ctx: &Ctx, provider: &str, request: &ChatRequest) -> Result<()> {
        let Some(left) = self.left(ctx, provider) else { return Ok(()) };
        if request.call.last_resort && left <= self.patience {
            tokio::time::sleep(left).await;
            return Ok(());
        }
        request.call.note_skipped(provider, &request.model, ErrorKind::Throttled, "it asked to wait");
        Err(Error::new(ErrorKind::Throttled, "ai.chat", "the provider asked to be left alone for a while")
            .with_retry(Retry::After(left))
            .with_context("provider", provider))
    }

    fn note(&self, ctx: &Ctx, provider: &str, error: &Error) {
        let (ErrorKind::Throttled, Retry::After(wait)) = (error.kind(), error.retry()) else { return };
        if wait.is_zero() {
            return;
        }
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
        answer.inspect_err(|error| self.layer.note(ctx, self.inner.name(), error))
    }

    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        self.layer.admit(ctx, self.inner.name(), request).await?;
        let answer = self.inner.stream(ctx, request).await;
        answer.inspect_err(|error| self.layer.note(ctx, self.inner.name(), error))
    }
}
