use tracing::Span;
use tracing::field::Empty;

use crate::ctx::Ctx;
use crate::error::ErrorKind;
use crate::provider::{CallReport, ChatRequest, FinishReason, Usage};

/// The span of a call, with the names of OpenTelemetry's conventions for generative AI. It never holds a prompt or an answer, and
/// costs nothing where nobody listens.
pub(super) fn of_call(ctx: &Ctx, request: &ChatRequest, operation: &'static str) -> Span {
    let number = |name: &str| request.extra.get(name).and_then(serde_json::Value::as_f64);
    let kind = if operation == "ai.embed" { "embeddings" } else { "chat" };
    tracing::info_span!(
        "chat",
        "otel.name" = display(format_args!("{kind} {}", request.model)),
        "otel.kind" = "client",
        "otel.status_code" = Empty,
        "gen_ai.operation.name" = kind,
        "gen_ai.provider.name" = Empty,
        "gen_ai.request.model" = request.model.as_str(),
        "gen_ai.request.max_tokens" = request.token_limit(),
        "gen_ai.request.temperature" = request.temperature,
        "gen_ai.request.choice.count" = request.n,
        "gen_ai.request.top_p" = number("top_p"),
        "gen_ai.request.frequency_penalty" = number("frequency_penalty"),
        "gen_ai.request.presence_penalty" = number("presence_penalty"),
        "gen_ai.request.seed" = request.extra.get("seed").and_then(serde_json::Value::as_i64),
        "gen_ai.response.id" = Empty,
        "gen_ai.response.model" = Empty,
        "gen_ai.response.finish_reasons" = Empty,
        "gen_ai.usage.input_tokens" = Empty,
        "gen_ai.usage.output_tokens" = Empty,
        "error.type" = Empty,
        "xynergy.operation" = operation,
        "xynergy.cost_nano_usd" = Empty,
        "xynergy.cache_hit" = Empty,
        "xynergy.routed_via" = Empty,
        traceparent = ctx.traceparent.as_deref(),
        request_id = &*ctx.request_id,
        tenant_id = ctx.tenant.as_str(),
    )
}

/// What the provider said of its answer.
pub(super) fn record_answer(span: &Span, id: &str, model: &str, reasons: &[FinishReason]) {
    if span.is_disabled() {
        return;
    }
    if !id.is_empty() {
        span.record("gen_ai.response.id", id);
    }
    if !model.is_empty() {
        span.record("gen_ai.response.model", model);
    }
    if !reasons.is_empty() {
        let reasons: Vec<&str> = reasons.iter().map(FinishReason::as_str).collect();
        span.record("gen_ai.response.finish_reasons", reasons.join(","));
    }
}

/// What the library knows of it.
pub(super) fn record_report(span: &Span, report: &CallReport, usage: Option<&Usage>) {
    if span.is_disabled() {
        return;
    }
    span.record("gen_ai.provider.name", report.provider.as_str());
    span.record("xynergy.cache_hit", report.cache_hit);
    span.record("xynergy.routed_via", report.routed_via.as_str());
    if let Some(cost) = report.cost_nano_usd {
        span.record("xynergy.cost_nano_usd", cost);
    }
    if let Some(usage) = usage {
        span.record("gen_ai.usage.input_tokens", usage.prompt_tokens);
        span.record("gen_ai.usage.output_tokens", usage.completion_tokens);
    }
}

/// How a call or an attempt failed.
pub(super) fn record_failure(span: &Span, kind: ErrorKind) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", kind.as_str());
}
