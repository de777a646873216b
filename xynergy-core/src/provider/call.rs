use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ErrorKind;
use crate::metrics::Busy;
use crate::rate::RateLimits;
use crate::route::RouteDecision;
use crate::tokens::TokenOptimization;

/// What a caller tells this library about one call. No provider sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CallOptions {
    /// Names under which the spend is counted and limited.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<String>,
    /// A name of the caller's that the spend is counted and limited under, as that of the API key which the host handed out. Never
    /// the secret itself: it is stored and reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// False neither reads nor fills the cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<bool>,
    /// A name of the caller's for the conversation that the call belongs to. By it `sticky` and `canary` routes keep a conversation
    /// at one model; without it they know one by its first messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Whether the library sizes the limit of the answer. Not with tools or a response format.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub optimize_tokens: bool,
}

impl CallOptions {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// One try of one provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// The provider.
    pub provider: String,
    /// The model.
    pub model: String,
    /// What became of it.
    pub status: AttemptStatus,
    /// The kind of the error, as `throttled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Why, in a few words; never text of the provider's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Real time until the answer, or the first piece of a stream, in milliseconds.
    #[serde(default)]
    pub latency_ms: u64,
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttemptStatus {
    /// The provider answered.
    Answered,
    /// The provider was asked and failed.
    Failed,
    /// It was not asked: its breaker is open, its rate is used up.
    Skipped,
}

impl AttemptStatus {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// What became of a call: who answered, at what cost, by which way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CallReport {
    /// The id of the request.
    pub request_id: String,
    /// The provider that answered.
    pub provider: String,
    /// The model that was asked there.
    pub model: String,
    /// The cost in dollars, for people; null when the price is not known.
    pub cost: Option<f64>,
    /// The cost in billionths of a dollar; null when the price is not known.
    pub cost_nano_usd: Option<u64>,
    /// Whether the tokens were counted here because the provider did not say.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub usage_estimated: bool,
    /// Whether it came from the cache.
    pub cache_hit: bool,
    /// What chose the model: `cache`, or the `policy` of the decision, as `complexity`, `model`, `route` or `weighted`.
    pub routed_via: String,
    /// Whether a limit of ours had cut a first answer and the model was asked again without it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub continued: bool,
    /// How the limit of the answer was sized, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_optimization: Option<TokenOptimization>,
    /// What had come of an answer that broke off; only in the last chunk of a stream that ends with an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial_text: Option<String>,
    /// Every attempt, in order.
    pub attempts: Vec<Attempt>,
}

impl CallReport {
    /// Sets both forms of the cost.
    pub fn set_cost(&mut self, nano_usd: Option<u64>) {
        self.cost_nano_usd = nano_usd;
        self.cost = nano_usd.map(crate::spend::dollars);
    }
}

/// One of several tries of a provider within an attempt.
#[derive(Clone, Debug)]
pub(crate) enum Try {
    /// Under way, or answered.
    Open { name: Option<String>, since: Instant },
    /// Failed, and in the trace.
    Noted,
}

/// What the layers of one call tell one another. Clones of a request share it; each call starts a new one.
#[derive(Clone, Debug, Default)]
pub struct Call {
    trace: Arc<Trace>,
    /// The latest try at each model.
    tries: Arc<Mutex<Vec<(String, String, Try)>>>,
    decision: Arc<OnceLock<Arc<RouteDecision>>>,
    /// Whether no other model is left, so that waiting for a throttled one is better than giving up.
    pub last_resort: bool,
    /// The class of error whose own list is asked: the next of the list may do better where the first fails alike.
    pub elsewhere: Option<ErrorKind>,
    /// When a stream must have come to its end, in real time.
    pub deadline: Option<tokio::time::Instant>,
    /// Whether another call of the same request was faster; `None` where there is no other.
    lost: Option<Arc<AtomicBool>>,
}

/// What is noted of a call on its way.
#[derive(Debug, Default)]
struct Trace {
    attempts: Mutex<Vec<Attempt>>,
    told: Mutex<Vec<(String, String, RateLimits)>>,
    busy: Busy,
    retries: AtomicU64,
    hedges: AtomicU64,
}

impl Trace {
    fn attempts(&self) -> MutexGuard<'_, Vec<Attempt>> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Call {
    /// Notes one attempt.
    pub fn note(&self, attempt: Attempt) {
        self.trace.attempts().push(attempt);
    }

    /// Notes that the same model is asked again.
    pub(crate) fn note_retry(&self) {
        self.trace.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that another model is asked as well.
    pub(crate) fn note_hedge(&self) {
        self.trace.hedges.fetch_add(1, Ordering::Relaxed);
    }

    /// How often the same model was asked again, and another one as well.
    pub(crate) fn repeated(&self) -> (u64, u64) {
        (self.trace.retries.load(Ordering::Relaxed), self.trace.hedges.load(Ordering::Relaxed))
    }

    /// How long the call was at work.
    pub(crate) fn busy(&self) -> &Busy {
        &self.trace.busy
    }

    /// Says that a provider begins one of several tries within an attempt, as with one of its keys, by its name in the trace.
    pub fn begin_try(&self, provider: &str, model: &str, name: Option<String>) {
        self.set_try(provider, model, Try::Open { name, since: Instant::now() });
    }

    /// Notes that the open try failed. The attempt is then not noted once more, unless another try begins.
    pub fn fail_try(&self, provider: &str, model: &str, kind: ErrorKind) {
        let Some(Try::Open { name, since }) = self.end_try(provider, model) else { return };
        self.note(Attempt {
            provider: provider.to_owned(),
            model: model.to_owned(),
            status: AttemptStatus::Failed,
            error: Some(kind.as_str().to_owned()),
            reason: name,
            latency_ms: u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
        self.set_try(provider, model, Try::Noted);
    }

    /// Notes what a provider told of its limits, for the layer that leaves it alone where they are used up.
    pub fn tell_limits(&self, provider: &str, model: &str, limits: RateLimits) {
        let mut told = self.trace.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|(of, at, _)| !(of == provider && at == model));
        told.push((provider.to_owned(), model.to_owned(), limits));
    }

    /// Takes what a provider told last.
    pub(crate) fn take_limits(&self, provider: &str, model: &str) -> Option<RateLimits> {
        let mut told = self.trace.told.lock().unwrap_or_else(PoisonError::into_inner);
        let place = told.iter().position(|(of, at, _)| of == provider && at == model)?;
        Some(told.swap_remove(place).2)
    }

    /// Takes what is known of the latest try at this model.
    pub(crate) fn end_try(&self, provider: &str, model: &str) -> Option<Try> {
        let mut tries = self.tries();
        let place = tries.iter().position(|(of, at, _)| of == provider && at == model)?;
        Some(tries.swap_remove(place).2)
    }

    /// The same call as one of several parts that are on their way at once: what they try is told apart, and noted together.
    pub(crate) fn part(&self) -> Self {
        Self { tries: Arc::default(), ..self.clone() }
    }

    fn tries(&self) -> MutexGuard<'_, Vec<(String, String, Try)>> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_try(&self, provider: &str, model: &str, latest: Try) {
        let mut tries = self.tries();
        match tries.iter_mut().find(|(of, at, _)| of == provider && at == model) {
            Some(known) => known.2 = latest,
            None => tries.push((provider.to_owned(), model.to_owned(), latest)),
        }
    }

    /// Notes that the answer of the latest attempt at this model broke off after its first piece.
    pub fn note_broken(&self, provider: &str, model: &str, kind: ErrorKind) {
        let mut attempts = self.trace.attempts();
        let answered = attempts.iter_mut().rfind(|attempt| {
            attempt.status == AttemptStatus::Answered
                && attempt.provider == provider
                && attempt.model == model
        });
        if let Some(attempt) = answered {
            attempt.status = AttemptStatus::Failed;
            attempt.error = Some(kind.as_str().to_owned());
            attempt.reason = Some("broke off after its first piece".to_owned());
        }
    }

    /// Notes that the attempts from number `from` on were aborted because another call was faster.
    pub fn note_lost(&self, from: usize) {
        let mut attempts = self.trace.attempts();
        for attempt in attempts.iter_mut().skip(from) {
            attempt.status = AttemptStatus::Failed;
            attempt.error = Some(ErrorKind::Cancelled.as_str().to_owned());
            attempt.reason = Some("another call was faster".to_owned());
        }
    }

    /// The same call as one of two that race.
    #[must_use]
    pub fn contending(self) -> Self {
        Self { lost: Some(Arc::default()), ..self }
    }

    /// Says that it is dropped because the other one was faster: what it used is then paid for.
    pub fn lose(&self) {
        if let Some(lost) = &self.lost {
            lost.store(true, Ordering::Relaxed);
        }
    }

    /// Whether the other one was faster.
    pub fn is_lost(&self) -> bool {
        self.lost.as_ref().is_some_and(|lost| lost.load(Ordering::Relaxed))
    }

    /// Notes that a provider was not asked.
    pub fn note_skipped(&self, provider: &str, model: &str, kind: ErrorKind, reason: &str) {
        self.note(Attempt {
            provider: provider.to_owned(),
            model: model.to_owned(),
            status: AttemptStatus::Skipped,
            error: Some(kind.as_str().to_owned()),
            reason: Some(reason.to_owned()),
            latency_ms: 0,
        });
    }

    /// The attempts so far.
    pub fn attempts(&self) -> Vec<Attempt> {
        self.trace.attempts().clone()
    }

    /// Keeps the decision of the router; the first one stays.
    pub fn decide(&self, decision: Arc<RouteDecision>) -> &RouteDecision {
        self.decision.get_or_init(|| decision)
    }

    /// The same call with another decision for the layers within.
    #[must_use]
    pub fn narrowed(&self, decision: Arc<RouteDecision>) -> Self {
        Self { decision: Arc::new(OnceLock::from(decision)), ..self.clone() }
    }

    /// The decision of the router, once it has decided.
    pub fn decision(&self) -> Option<&Arc<RouteDecision>> {
        self.decision.get()
    }
}

impl PartialEq for Call {
    /// Always: it is no part of what is asked.
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}
