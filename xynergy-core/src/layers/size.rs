use std::sync::Arc;

use async_trait::async_trait;

use crate::config::TokenConfig;
use crate::ctx::Ctx;
use crate::error::Result;
use crate::layer::Layer;
use crate::provider::{Capability, ChatRequest, ChatResponse, ChatStream, FinishReason, Provider, Usage};
use crate::route::Complexity;
use crate::tokens::{self, TokenOptimization};

/// Sizes the limit of an answer where the caller asks for it and has none. If that limit cuts the answer, the model is asked once
/// more without it, and the report says so; the cost and the tokens are those of both calls.
///
/// A user's own limit is left as it is. Never with tools or a response format, and never for streams, whose output cannot be
/// taken back.
#[derive(Clone, Debug)]
pub struct SizeLayer {
    settings: TokenConfig,
}

impl SizeLayer {
    /// A layer with these limits.
    pub fn new(settings: TokenConfig) -> Self {
        Self { settings }
    }
}

impl Layer for SizeLayer {
    fn wrap(&self, inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
        Arc::new(SizedAnswers { inner, settings: self.settings.clone() })
    }
}

#[derive(Debug)]
struct SizedAnswers {
    inner: Arc<dyn Provider>,
    settings: TokenConfig,
}

impl SizedAnswers {
    /// How a request is sized, and whether a limit of ours goes with it.
    fn size(&self, request: &ChatRequest) -> (TokenOptimization, bool) {
        let decision = request.call.decision();
        let complexity = decision.map_or(Complexity::Simple, |decision| decision.complexity);
        if let Some(limit) = request.token_limit() {
            return (TokenOptimization::unchanged(limit, complexity), false);
        }
        let reasons = decision.is_some_and(|decision| decision.models.iter().any(|c| is_reasoning(&c.model)));
        if !self.settings.optimize
            || reasons
            || !request.tools.is_empty()
            || request.response_format.is_some()
        {
            return (TokenOptimization::unchanged(self.settings.default_limit, complexity), false);
        }
        let sized =
            tokens::optimize(complexity, self.settings.default_limit, self.settings.simple_limit, None);
        (sized, true)
    }
}

/// Models whose reasoning counts towards the limit: a small one would leave no room for the answer.
fn is_reasoning(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    ["o1", "o3", "o4", "gpt-5"].iter().any(|family| name.starts_with(family))
}

#[async_trait]
impl Provider for SizedAnswers {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn capability(&self) -> Capability {
        self.inner.capability()
    }

    async fn chat(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        if !request.options.optimize_tokens {
            return self.inner.chat(ctx, request).await;
        }
        let (sized, ours) = self.size(request);
        let limited = if ours {
            request.clone().with_token_limit(Some(sized.optimized_limit))
        } else {
            request.clone()
        };
        let mut response = self.inner.chat(ctx, &limited).await?;
        let cut = response.choices.iter().any(|choice| choice.finish_reason == Some(FinishReason::Length));
        if ours && cut {
            // What fails now leaves the first answer, which says that it is truncated.
            if let Ok(whole) = self.inner.chat(ctx, &request.clone().with_token_limit(None)).await {
                response = joined(&response, whole);
            }
        }
        response.report.token_optimization = Some(sized);
        Ok(response)
    }

    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        self.inner.stream(ctx, request).await
    }
}

/// The second answer, at the cost of both.
fn joined(first: &ChatResponse, mut second: ChatResponse) -> ChatResponse {
    let costs = first.report.cost_nano_usd.zip(second.report.cost_nano_usd);
    second.report.set_cost(costs.map(|(a, b)| a.saturating_add(b)));
    second.report.usage_estimated |= first.report.usage_estimated;
    second.report.continued = true;
    let (before, after) = (first.usage.clone().unwrap_or_default(), second.usage.take().unwrap_or_default());
    second.usage = Some(Usage {
        prompt_tokens: before.prompt_tokens.saturating_add(after.prompt_tokens),
        completion_tokens: before.completion_tokens.saturating_add(after.completion_tokens),
        total_tokens: before.total().saturating_add(after.total()),
        extra: after.extra,
    });
    second
}
