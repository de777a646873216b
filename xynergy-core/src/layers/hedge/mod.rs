mod latency;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{BoxFuture, Either, select};
use tokio::time::Instant;

use crate::config::HedgeConfig;
use crate::ctx::Ctx;
use crate::error::Result;
use crate::layer::Layer;
use crate::provider::{AttemptStatus, Capability, ChatRequest, ChatResponse, ChatStream, Provider};
use crate::route::{ModelChoice, RouteDecision};
use latency::Latencies;

/// What one second call costs of the budget; a request pays in `budget_percent`.
const HEDGE: i64 = 100;

/// Asks the next model as well when the first one takes longer than it mostly did, and takes the first answer, or the first stream
/// with a token. The other call is aborted.
///
/// It stands outside the spend layer: each call is reserved by itself, and the one that lost is paid for by its prompt, which is
/// what a provider bills of a call that is aborted.
#[derive(Clone, Debug)]
pub struct HedgeLayer {
    settings: HedgeConfig,
    latencies: Arc<Latencies>,
    budget: Arc<AtomicI64>,
}

impl HedgeLayer {
    /// A layer that has measured nothing yet, with one second call in its budget.
    pub fn new(settings: HedgeConfig) -> Self {
        Self { settings, latencies: Arc::default(), budget: Arc::new(AtomicI64::new(HEDGE)) }
    }

    /// How long the first model may take before the second one is asked; `None` where there is to be no second call.
    fn patience(&self, models: &[ModelChoice]) -> Option<Duration> {
        let [first, _, ..] = models else { return None };
        let p95 = self.latencies.p95(first, self.settings.min_calls)?;
        Some(p95.max(Duration::from_millis(self.settings.min_wait_ms)))
    }

    fn earn(&self) {
        let income = i64::from(self.settings.budget_percent);
        self.change(|budget| Some((budget + income).min(10 * HEDGE)));
    }

    fn spend(&self) -> bool {
        self.change(|budget| (budget >= HEDGE).then_some(budget - HEDGE))
    }

    fn change(&self, change: impl Fn(i64) -> Option<i64>) -> bool {
        self.budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change).is_ok()
    }

    /// Learns from a first model that answered by itself.
    fn learn(&self, request: &ChatRequest, first: Option<&ModelChoice>, took: Duration) {
        let Some(first) = first else { return };
        let attempts = request.call.attempts();
        let by_itself = attempts.first().is_some_and(|attempt| {
            attempt.status == AttemptStatus::Answered
                && attempt.provider == first.provider
                && attempt.model == first.model
        });
        if by_itself {
            self.latencies.add(first, took);
        }
    }

    async fn race<'a, T: Send + 'a>(
        &self,
        request: &ChatRequest,
        ask: impl Fn(ChatRequest) -> BoxFuture<'a, Result<T>> + Send,
    ) -> Result<T> {
        self.earn();
        let models = request.call.decision().map(|decision| decision.models.clone()).unwrap_or_default();
        let started = Instant::now();
        let Some(patience) = self.patience(&models) else {
            let answer = ask(request.clone()).await;
            self.learn(request, models.first(), started.elapsed());
            return answer;
        };

        let (one, two) = (contender(request, models.clone()), contender(request, models[1..].to_vec()));
        let mut first = ask(one.clone());
        if let Ok(answer) = tokio::time::timeout(patience, &mut first).await {
            self.learn(request, models.first(), started.elapsed());
            return answer;
        }
        if !self.spend() {
            let answer = first.await;
            self.learn(request, models.first(), started.elapsed());
            return answer;
        }
        request.call.note_hedge();
        tracing::debug!(event = "hedged", provider = %models[0].provider, model = %models[0].model);
        let second = ask(two.clone());
        let (answer, left, lost) = match select(first, second).await {
            Either::Left((answer, left)) => (answer, left, two),
            Either::Right((answer, left)) => (answer, left, one),
        };
        if answer.is_err() {
            return left.await;
        }
        // The first model took at least this long, whoever won.
        self.latencies.add(&models[0], started.elapsed());
        lost.call.lose();
        let noted = request.call.attempts().len();
        drop(left);
        request.call.note_lost(noted);
        answer
    }
}

/// A request of its own, which can lose, for these models.
fn contender(request: &ChatRequest, models: Vec<ModelChoice>) -> ChatRequest {
    let mut contender = request.clone();
    if let Some(decision) = request.call.decision() {
        let decision = RouteDecision { models, ..RouteDecision::clone(decision) };
        contender.call = request.call.narrowed(Arc::new(decision)).contending();
    }
    contender
}

impl Layer for HedgeLayer {
    fn wrap(&self, inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
        Arc::new(Hedged { inner, layer: self.clone() })
    }
}

#[derive(Debug)]
struct Hedged {
    inner: Arc<dyn Provider>,
    layer: HedgeLayer,
}

#[async_trait]
impl Provider for Hedged {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn capability(&self) -> Capability {
        self.inner.capability()
    }

    async fn chat(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        let ask = |asked: ChatRequest| -> BoxFuture<'_, _> {
            Box::pin(async move { self.inner.chat(ctx, &asked).await })
        };
        self.layer.race(request, ask).await
    }

    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        let ask = |asked: ChatRequest| -> BoxFuture<'_, _> {
            Box::pin(async move { self.inner.stream(ctx, &asked).await })
        };
        self.layer.race(request, ask).await
    }
}
