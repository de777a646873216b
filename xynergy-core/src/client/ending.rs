use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use tracing::Span;
use tracing::field::Empty;

use super::counters::Counters;
use crate::ctx::Ctx;
use crate::env::{Event, EventMetadata};
use crate::error::Error;
use crate::provider::{CallReport, ChatRequest, Outcome, Usage};

/// The one event and the span of a call. It is sent at the end, whatever the end is: also when the call is dropped.
pub(super) struct Ending {
    counters: Arc<Counters>,
    ctx: Ctx,
    call: crate::provider::Call,
    operation: &'static str,
    started: Instant,
    span: Span,
    sent: bool,
    /// What is to be told of an answer that broke off, once the error is there.
    broken: Option<serde_json::Value>,
}

impl Ending {
    pub(super) fn new(
        counters: &Arc<Counters>,
        ctx: &Ctx,
        request: &ChatRequest,
        operation: &'static str,
    ) -> Self {
        let span = tracing::info_span!(
            "chat",
            "gen_ai.operation.name" = if operation == "ai.embed" { "embeddings" } else { "chat" },
            "gen_ai.request.model" = request.model.as_str(),
            "gen_ai.provider.name" = Empty,
            "gen_ai.response.model" = Empty,
            "gen_ai.usage.input_tokens" = Empty,
            "gen_ai.usage.output_tokens" = Empty,
            "error.type" = Empty,
            operation,
            request_id = &*ctx.request_id,
            tenant_id = ctx.tenant.as_str(),
        );
        let call = request.call.clone();
        let counters = Arc::clone(counters);
        Self {
            counters,
            ctx: ctx.clone(),
            call,
            operation,
            started: Instant::now(),
            span,
            sent: false,
            broken: None,
        }
    }

    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Completes the report and sends the event; that of an answer that broke off is sent with the error that follows.
    pub(super) fn answered(&mut self, report: &mut CallReport, outcome: Outcome, usage: Option<&Usage>) {
        report.request_id = self.ctx.request_id.as_ref().to_owned();
        if report.cache_hit {
            report.routed_via = "cache".to_owned();
        } else {
            report.attempts = self.call.attempts();
            report.routed_via =
                self.call.decision().map(|decision| decision.policy.clone()).unwrap_or_default();
        }
        self.span.record("gen_ai.provider.name", report.provider.as_str());
        self.span.record("gen_ai.response.model", report.model.as_str());
        if let Some(usage) = usage {
            self.span.record("gen_ai.usage.input_tokens", usage.prompt_tokens);
            self.span.record("gen_ai.usage.output_tokens", usage.completion_tokens);
        }
        let payload = json!({
                "outcome": outcome.as_str(),
                "provider": report.provider,
                "model": report.model,
                "routed_via": report.routed_via,
                "cost_nano_usd": report.cost_nano_usd,
                "cache_hit": report.cache_hit,
                "continued": report.continued,
                "usage_estimated": report.usage_estimated,
                "prompt_tokens": usage.map(|usage| usage.prompt_tokens),
                "completion_tokens": usage.map(|usage| usage.completion_tokens),
        });
        if outcome == Outcome::Errored {
            self.broken = Some(payload);
        } else {
            self.send(Some(false), payload);
        }
    }

    /// Sends the event of a failure, and gives the error the operation and the id of the call.
    pub(super) fn failed(&mut self, error: Error) -> Error {
        self.span.record("error.type", error.kind().as_str());
        let mut payload = self.broken.take().unwrap_or_else(|| json!({"outcome": "errored"}));
        payload["error"] = error.kind().as_str().into();
        self.send(Some(true), payload);
        error.in_operation(self.operation).with_context("request_id", &*self.ctx.request_id)
    }

    /// Sends the event, once. `failed` is `None` for a call that did not come to its end.
    fn send(&mut self, failed: Option<bool>, mut payload: serde_json::Value) {
        if std::mem::replace(&mut self.sent, true) {
            return;
        }
        if let Some(failed) = failed {
            self.counters.add(failed, self.started.elapsed());
        }
        if let serde_json::Value::Object(payload) = &mut payload {
            payload.insert("operation".into(), json!(self.operation));
            payload.insert("request_id".into(), json!(&*self.ctx.request_id));
            payload.insert("attempts".into(), json!(self.call.attempts()));
            payload.insert("decision".into(), json!(self.call.decision().map(|decision| &**decision)));
            let elapsed = self.started.elapsed().as_millis();
            payload.insert("latency_ms".into(), json!(u64::try_from(elapsed).unwrap_or(u64::MAX)));
        }
        let entropy = &self.ctx.env.entropy;
        self.ctx.env.events.emit(Event {
            event_type: "ai.request",
            event_id: format!("evt_{:016x}{:016x}", entropy.next_u64(), entropy.next_u64()),
            timestamp: self.ctx.env.clock.now(),
            tenant_id: self.ctx.tenant.clone(),
            source_service: "ai",
            payload,
            metadata: EventMetadata {
                correlation_id: self.ctx.request_id.as_ref().to_owned(),
                causation_id: None,
                schema_version: 1,
            },
        });
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        match self.broken.take() {
            Some(payload) => self.send(Some(true), payload),
            None => self.send(None, json!({"outcome": "cancelled"})),
        }
    }
}
