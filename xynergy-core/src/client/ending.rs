use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tracing::Span;

use super::span;
use crate::ctx::Ctx;
use crate::env::EventType;
use crate::error::{Error, ErrorKind};
use crate::metrics::{AiMetrics, Ended};
use crate::provider::{CallReport, ChatChunk, ChatRequest, ChatResponse, FinishReason, Outcome, Usage};

/// The one event, the span and the figures of a call. They are sent at the end, whatever the end is: also when the call is
/// dropped.
pub(super) struct Ending {
    metrics: Arc<AiMetrics>,
    ctx: Ctx,
    call: crate::provider::Call,
    operation: &'static str,
    cached: bool,
    started: Instant,
    first_token: Option<Duration>,
    finish_reasons: Vec<FinishReason>,
    span: Span,
    sent: bool,
    /// What is to be told of an answer that broke off, once the error is there.
    broken: Option<Box<Answer>>,
}

/// What came of a call.
#[derive(Clone)]
struct Answer {
    report: CallReport,
    usage: Option<Usage>,
}

impl Ending {
    /// Of a call that came at `started`. `cached` says whether the cache may answer it.
    pub(super) fn new(
        metrics: &Arc<AiMetrics>,
        ctx: &Ctx,
        request: &ChatRequest,
        operation: &'static str,
        cached: bool,
        started: Instant,
    ) -> Self {
        metrics.began();
        let ending = Self {
            metrics: Arc::clone(metrics),
            ctx: ctx.clone(),
            call: request.call.clone(),
            operation,
            cached: cached && request.options.cache != Some(false),
            started,
            first_token: None,
            finish_reasons: Vec::new(),
            span: span::of_call(ctx, request, operation),
            sent: false,
            broken: None,
        };
        ending.call.busy().add(started.elapsed());
        ending
    }

    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Takes note that the first piece of a stream is there.
    pub(super) fn opened(&mut self) {
        self.first_token = Some(self.started.elapsed());
    }

    /// Completes the report of a whole answer and tells of it.
    pub(super) fn answered(&mut self, response: &mut ChatResponse) {
        if !self.span.is_disabled() {
            self.finish_reasons
                .extend(response.choices.iter().filter_map(|choice| choice.finish_reason.clone()));
            self.record_answer(&response.id, &response.model);
        }
        self.ended(&mut response.report, response.outcome, response.usage.as_ref());
    }

    /// Takes note of a piece; the last one completes the report. That of an answer that broke off is told with the error that
    /// follows.
    pub(super) fn saw(&mut self, chunk: &mut ChatChunk) {
        if !self.span.is_disabled() {
            self.finish_reasons
                .extend(chunk.choices.iter().filter_map(|choice| choice.finish_reason.clone()));
        }
        if let (Some(report), Some(outcome)) = (&mut chunk.report, chunk.outcome) {
            self.record_answer(&chunk.id, &chunk.model);
            self.ended(report, outcome, chunk.usage.as_ref());
        }
    }

    fn record_answer(&self, id: &str, model: &str) {
        span::record_answer(&self.span, id, model, &self.finish_reasons);
    }

    /// Completes a report and tells of it; that of an answer that broke off is told with the error that follows.
    pub(super) fn ended(&mut self, report: &mut CallReport, outcome: Outcome, usage: Option<&Usage>) {
        report.request_id = self.ctx.request_id.as_ref().to_owned();
        if report.cache_hit {
            report.routed_via = "cache".to_owned();
        } else {
            report.attempts = self.call.attempts();
            report.routed_via =
                self.call.decision().map(|decision| decision.policy.clone()).unwrap_or_default();
        }
        span::record_report(&self.span, report, usage);
        if outcome == Outcome::Errored {
            self.broken = Some(Box::new(Answer { report: report.clone(), usage: usage.cloned() }));
        } else {
            self.send(Some(outcome), None, Some((&*report, usage)));
        }
    }

    /// Tells of a failure, and gives the error the operation and the id of the call.
    pub(super) fn failed(&mut self, error: Error) -> Error {
        span::record_failure(&self.span, error.kind());
        let broken = self.broken.take();
        let answer = broken.as_ref().map(|answer| (&answer.report, answer.usage.as_ref()));
        self.send(Some(Outcome::Errored), Some(error.kind()), answer);
        error.in_operation(self.operation).with_context("request_id", &*self.ctx.request_id)
    }

    /// Tells of the end, once. `outcome` is `None` for a call that did not come to its end.
    fn send(
        &mut self,
        outcome: Option<Outcome>,
        error: Option<ErrorKind>,
        answer: Option<(&CallReport, Option<&Usage>)>,
    ) {
        if std::mem::replace(&mut self.sent, true) {
            return;
        }
        let began = Instant::now();
        let took = began.duration_since(self.started);
        let attempts = match answer {
            Some((report, _)) if !report.cache_hit => None,
            _ => Some(self.call.attempts()),
        };
        let attempts = match (&attempts, answer) {
            (Some(attempts), _) => attempts.as_slice(),
            (None, Some((report, _))) => report.attempts.as_slice(),
            (None, None) => &[],
        };
        let (retries, hedges) = self.call.repeated();
        let (report, usage) = (answer.map(|(report, _)| report), answer.and_then(|(_, usage)| usage));
        self.metrics.ended(&Ended {
            operation: self.operation,
            outcome,
            error,
            report,
            usage,
            attempts,
            retries,
            hedges,
            cached: self.cached,
            took,
            first_token: self.first_token,
        });
        self.ctx.emit(EventType::AI_REQUEST, || {
            let mut payload = report.map(|report| told(report, usage)).unwrap_or_else(|| json!({}));
            payload["outcome"] = outcome.map_or("cancelled", Outcome::as_str).into();
            if let Some(kind) = error {
                payload["error"] = kind.as_str().into();
            }
            payload["operation"] = self.operation.into();
            payload["request_id"] = (*self.ctx.request_id).into();
            payload["attempts"] = json!(attempts);
            payload["decision"] = json!(self.call.decision().map(|decision| &**decision));
            payload["latency_ms"] = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).into();
            payload
        });
        self.call.busy().add(began.elapsed());
        self.metrics.worked(self.operation, self.call.busy().own());
    }
}

fn told(report: &CallReport, usage: Option<&Usage>) -> Value {
    json!({
        "provider": report.provider,
        "model": report.model,
        "routed_via": report.routed_via,
        "cost_nano_usd": report.cost_nano_usd,
        "cache_hit": report.cache_hit,
        "continued": report.continued,
        "usage_estimated": report.usage_estimated,
        "prompt_tokens": usage.map(|usage| usage.prompt_tokens),
        "completion_tokens": usage.map(|usage| usage.completion_tokens),
    })
}

impl Drop for Ending {
    fn drop(&mut self) {
        let broken = self.broken.take();
        let answer = broken.as_ref().map(|answer| (&answer.report, answer.usage.as_ref()));
        // An answer that broke off did, whether or not its error was read.
        let outcome = answer.map(|_| Outcome::Errored);
        self.send(outcome, None, answer);
    }
}
