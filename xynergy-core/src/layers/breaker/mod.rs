mod machine;
mod window;

pub use machine::{BreakerState, Machine, Permit, Verdict};

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::config::BreakerConfig;
use crate::ctx::{Ctx, TenantId};
use crate::env::{EventType, Timestamp};
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::layer::Layer;
use crate::provider::{Capability, ChatRequest, ChatResponse, ChatStream, Provider};

/// From how many breakers on those that hold nothing are dropped: models are the caller's to name.
const MANY: usize = 4_096;

/// A breaker a tenant, provider and model: after consecutive faults of the provider, or too many in a window, it refuses at once, for
/// a while.
///
/// Only faults of the provider count: no answer, a broken one, one too late; slow calls count in the window. The clock is that of
/// the context, and slowness is in real time.
#[derive(Clone, Debug)]
pub struct BreakerLayer {
    settings: BreakerConfig,
    machines: Arc<Mutex<BTreeMap<Key, Machine>>>,
}

type Key = (TenantId, String, String);

/// How a breaker stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakerSnapshot {
    /// The provider.
    pub provider: String,
    /// The model.
    pub model: String,
    /// Its state.
    pub state: BreakerState,
    /// Consecutive faults.
    pub failure_count: u32,
}

impl BreakerLayer {
    /// Breakers that are all closed.
    pub fn new(settings: BreakerConfig) -> Self {
        Self { settings, machines: Arc::default() }
    }

    /// The breakers of the tenant that have seen a call, ordered by provider and model.
    pub fn snapshot(&self, ctx: &Ctx) -> Vec<BreakerSnapshot> {
        let now = ctx.env.clock.now();
        let machines = self.machines();
        let mine = machines.iter().filter(|((tenant, ..), _)| *tenant == ctx.tenant);
        mine.map(|((_, provider, model), machine)| {
            let (state, failure_count) = machine.state(now);
            BreakerSnapshot { provider: provider.clone(), model: model.clone(), state, failure_count }
        })
        .collect()
    }

    /// The breakers of all tenants that have seen a call.
    pub(crate) fn all(&self, now: Timestamp) -> Vec<BreakerSnapshot> {
        let machines = self.machines();
        let snapshot = |((_, provider, model), machine): (&Key, &Machine)| {
            let (state, failure_count) = machine.state(now);
            BreakerSnapshot { provider: provider.clone(), model: model.clone(), state, failure_count }
        };
        machines.iter().map(snapshot).collect()
    }

    fn machines(&self) -> MutexGuard<'_, BTreeMap<Key, Machine>> {
        self.machines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admit(&self, ctx: &Ctx, provider: &str, request: &ChatRequest) -> Result<Held> {
        let key = (ctx.tenant.clone(), provider.to_owned(), request.model.clone());
        let now = ctx.env.clock.now();
        let mut machines = self.machines();
        if machines.len() >= MANY && !machines.contains_key(&key) {
            machines.retain(|_, machine| !machine.is_pristine(now));
        }
        let machine = machines.entry(key.clone()).or_insert_with(|| Machine::new(self.settings.clone()));
        match machine.admit(now) {
            Ok(permit) => {
                let started = tokio::time::Instant::now();
                Ok(Held {
                    layer: self.clone(),
                    key,
                    permit: Some(permit),
                    ctx: ctx.clone(),
                    started,
                    slow: false,
                })
            }
            Err(wait) => {
                request.call.note_skipped(provider, &request.model, ErrorKind::Unavailable, "circuit open");
                Err(Error::new(
                    ErrorKind::Unavailable,
                    "ai.chat",
                    "the circuit is open after repeated faults",
                )
                .with_retry(Retry::After(wait))
                .with_context("provider", provider)
                .with_context("model", request.model.clone()))
            }
        }
    }
}

impl Layer for BreakerLayer {
    fn wrap(&self, inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
        Arc::new(Broken { inner, layer: self.clone() })
    }
}

/// A permit that comes back by itself: dropped without a verdict, it says nothing about the provider.
struct Held {
    layer: BreakerLayer,
    key: Key,
    permit: Option<Permit>,
    ctx: Ctx,
    started: tokio::time::Instant,
    slow: bool,
}

impl Held {
    /// The answer is there, or the first token of a stream.
    fn answered(&mut self) {
        let slow = Duration::from_millis(self.layer.settings.slow_ms);
        self.slow = !slow.is_zero() && self.started.elapsed() >= slow;
    }

    fn report(mut self, verdict: Verdict) {
        let verdict = if self.slow && verdict == Verdict::Good { Verdict::Slow } else { verdict };
        self.close(verdict);
    }

    fn close(&mut self, verdict: Verdict) {
        let Some(permit) = self.permit.take() else { return };
        let now = self.ctx.env.clock.now();
        let may_open = matches!(verdict, Verdict::Fault | Verdict::Slow);
        let random = if may_open { self.ctx.env.entropy.next_u64() } else { 0 };
        let mut machines = self.layer.machines();
        let Some(machine) = machines.get_mut(&self.key) else { return };
        let before = machine.state(now).0;
        machine.report(permit, verdict, now, random);
        let (after, failure_count) = machine.state(now);
        drop(machines);
        if before != after {
            let (_, provider, model) = &self.key;
            let event = match after {
                BreakerState::Open => Some(EventType::BREAKER_OPENED),
                BreakerState::Closed => Some(EventType::BREAKER_CLOSED),
                BreakerState::HalfOpen => None,
            };
            if let Some(event) = event {
                self.ctx.emit(
                    event,
                    || json!({"provider": provider, "model": model, "failure_count": failure_count}),
                );
            }
            tracing::warn!(
                event = "circuit_breaker_state_changed",
                %provider,
                %model,
                from = before.as_str(),
                to = after.as_str()
            );
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.close(Verdict::Nothing);
    }
}

fn verdict_of(error: &Error) -> Verdict {
    match error.kind() {
        ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Corrupt => Verdict::Fault,
        // It answers, whatever it says.
        ErrorKind::Rejected | ErrorKind::ContextTooLong | ErrorKind::ContentFiltered => Verdict::Good,
        _ => Verdict::Nothing,
    }
}

#[derive(Debug)]
struct Broken {
    inner: Arc<dyn Provider>,
    layer: BreakerLayer,
}

#[async_trait]
impl Provider for Broken {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn capability(&self) -> Capability {
        self.inner.capability()
    }

    async fn chat(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        let mut held = self.layer.admit(ctx, self.inner.name(), request)?;
        let outcome = self.inner.chat(ctx, request).await;
        held.answered();
        held.report(outcome.as_ref().map_or_else(verdict_of, |_| Verdict::Good));
        outcome
    }

    /// A stream holds its permit to the end: what breaks on the way is a fault as well.
    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        let mut held = self.layer.admit(ctx, self.inner.name(), request)?;
        let stream = match self.inner.stream(ctx, request).await {
            Ok(stream) => stream,
            Err(error) => {
                held.report(verdict_of(&error));
                return Err(error);
            }
        };
        held.answered();
        let watched = futures_util::stream::unfold(Some((stream, held)), |state| async move {
            let (mut stream, held) = state?;
            match stream.next().await {
                Some(Ok(chunk)) => Some((Ok(chunk), Some((stream, held)))),
                Some(Err(error)) => {
                    held.report(verdict_of(&error));
                    Some((Err(error), None))
                }
                None => {
                    held.report(Verdict::Good);
                    None
                }
            }
        });
        Ok(watched.boxed())
    }
}
