use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;

use crate::ctx::Ctx;
use crate::error::{Error, ErrorKind, Result};
use crate::layer::Layer;
use crate::provider::{
    Assembler, AttemptStatus, CallReport, Capability, ChatChunk, ChatRequest, ChatResponse, ChatStream,
    Message, Provider, Usage,
};
use crate::route::{ModelChoice, RouteDecision};
use crate::spend::{LimitScope, PriceBook, Reserve, Settlement, SpendGuard, SpendLedger, SpendLimit};
use crate::tokens;

/// Reserves the dearest that a call may cost before it is made, and settles or refunds after it, also when it is dropped.
///
/// Under a hard limit a model without a known price is not asked.
#[derive(Clone, Debug)]
pub struct SpendLayer {
    ledger: Arc<dyn SpendLedger>,
    prices: Arc<PriceBook>,
    standing: Arc<[SpendLimit]>,
}

impl SpendLayer {
    /// A layer on this account. The `standing` limits hold for every tenant.
    pub fn new(ledger: Arc<dyn SpendLedger>, prices: Arc<PriceBook>, standing: Vec<SpendLimit>) -> Self {
        Self { ledger, prices, standing: standing.into() }
    }

    async fn is_hard(&self, ctx: &Ctx, tags: &BTreeSet<String>) -> Result<bool> {
        let stored = self.ledger.limits(&ctx.tenant).await?;
        let applies = |limit: &SpendLimit| match &limit.scope {
            LimitScope::Tenant => limit.hard,
            LimitScope::Tag(tag) => limit.hard && tags.contains(tag),
        };
        Ok(stored.iter().chain(self.standing.iter()).any(applies))
    }

    /// Reserves for the models of the decision; returns the request whose decision holds those that may be asked.
    async fn reserve(&self, ctx: &Ctx, request: &ChatRequest) -> Result<(SpendGuard, ChatRequest)> {
        let Some(decision) = request.call.decision() else {
            return Err(Error::new(
                ErrorKind::Unexpected,
                "ai.spend",
                "nothing was decided before the reservation",
            ));
        };
        let mut allowed = request.clone();
        let priced = |choice: &ModelChoice| self.prices.price(&choice.provider, &choice.model).is_some();
        if !decision.models.iter().all(priced) && self.is_hard(ctx, &request.options.tags).await? {
            let kept: Vec<ModelChoice> =
                decision.models.iter().filter(|choice| priced(choice)).cloned().collect();
            if kept.is_empty() {
                return Err(unpriced(decision));
            }
            let narrowed = RouteDecision { models: kept, ..RouteDecision::clone(decision) };
            allowed.call = request.call.narrowed(Arc::new(narrowed));
        }
        let amount = self.dearest(&allowed);
        let id = u128::from(ctx.env.entropy.next_u64()) << 64 | u128::from(ctx.env.entropy.next_u64());
        let reserve = Reserve {
            id,
            amount_nano_usd: amount,
            tags: request.options.tags.clone(),
            standing: self.standing.to_vec(),
            at: ctx.env.clock.now(),
        };
        let (guard, crossed) = SpendGuard::reserve(&self.ledger, ctx, &reserve).await?;
        for limit in crossed {
            tracing::warn!(
                event = "spend_limit_crossed",
                tenant_id = ctx.tenant.as_str(),
                scope = %limit.scope,
                window = limit.window.as_str(),
                limit_nano_usd = limit.amount_nano_usd
            );
        }
        Ok((guard, allowed))
    }

    fn dearest(&self, request: &ChatRequest) -> u64 {
        // No tokenizer makes more tokens than bytes.
        let prompt_tokens = most_prompt_tokens(request);
        let answers = u64::from(request.n.unwrap_or(1));
        let cost = |choice: &ModelChoice| {
            let limit =
                request.token_limit().map_or_else(|| self.prices.longest_answer(&choice.model), u64::from);
            let price = self.prices.price(&choice.provider, &choice.model)?;
            Some(price.at_most(prompt_tokens, limit.saturating_mul(answers)))
        };
        let models = request.call.decision().map(|decision| decision.models.as_slice()).unwrap_or_default();
        models.iter().filter_map(cost).max().unwrap_or(0)
    }

    /// What a call cost: by the provider's count, or by ours where it does not say.
    fn settlement(&self, request: &ChatRequest, who: (&str, &str), usage: &Usage) -> Settlement {
        let (provider, model) = who;
        let model_asked = if model.is_empty() { request.model.as_str() } else { model };
        Settlement {
            provider: provider.to_owned(),
            model: model_asked.to_owned(),
            cost_nano_usd: self.prices.price(provider, model_asked).map(|price| price.cost(usage)),
            tokens: usage.total(),
        }
    }
}

fn most_prompt_tokens(request: &ChatRequest) -> u64 {
    let framing = 16 * (request.messages.len() as u64 + 1);
    let text: u64 = request.messages.iter().flat_map(Message::texts).map(|text| text.len() as u64).sum();
    // Tools, images and what else is not text: the estimate, doubled.
    text + framing + 2 * tokens::count_request(request)
}

fn unpriced(decision: &RouteDecision) -> Error {
    let names: Vec<String> =
        decision.models.iter().map(|choice| format!("{}/{}", choice.provider, choice.model)).collect();
    Error::new(
        ErrorKind::LimitExceeded,
        "ai.spend",
        format!(
            "a hard spend limit holds and the price of {} is not known; set ai.providers.NAME.price",
            names.join(", ")
        ),
    )
}

impl Layer for SpendLayer {
    fn wrap(&self, inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
        Arc::new(Accounted { inner, layer: self.clone() })
    }
}

#[derive(Debug)]
struct Accounted {
    inner: Arc<dyn Provider>,
    layer: SpendLayer,
}

#[async_trait]
impl Provider for Accounted {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn capability(&self) -> Capability {
        self.inner.capability()
    }

    async fn chat(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        let (guard, allowed) = self.layer.reserve(ctx, request).await?;
        let mut response = self.inner.chat(ctx, &allowed).await?;
        if response.usage.is_none() {
            response.report.usage_estimated = true;
            response.usage = Some(tokens::usage(request, &response, &response.report.model));
        }
        let usage = response.usage.clone().unwrap_or_default();
        let who = (response.report.provider.as_str(), response.report.model.as_str());
        let settlement = self.layer.settlement(request, who, &usage);
        response.report.set_cost(settlement.cost_nano_usd);
        // The answer is there and paid for: a ledger that is away must not take it from the caller.
        if let Err(error) = guard.settle(settlement).await {
            tracing::error!(event = "spend_not_settled", kind = error.kind().as_str());
        }
        Ok(response)
    }

    /// Ends the stream with a chunk of the library's own: usage, outcome and report.
    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        let (guard, allowed) = self.layer.reserve(ctx, request).await?;
        let inner = self.inner.stream(ctx, &allowed).await?;
        let answered = request.call.attempts().into_iter().rfind(|a| a.status == AttemptStatus::Answered);
        let (provider, model) = answered.map(|a| (a.provider, a.model)).unwrap_or_default();
        let metered = Metered {
            inner,
            guard: Some(guard),
            layer: self.layer.clone(),
            request: request.clone(),
            seen: Assembler::default(),
            provider,
            model,
        };
        Ok(futures_util::stream::unfold(Some(metered), Metered::next).boxed())
    }
}

struct Metered {
    inner: ChatStream,
    guard: Option<SpendGuard>,
    layer: SpendLayer,
    request: ChatRequest,
    seen: Assembler,
    provider: String,
    model: String,
}

impl Metered {
    fn usage(&self) -> (Usage, bool) {
        match self.seen.usage() {
            Some(usage) => (usage.clone(), false),
            None => (tokens::usage(&self.request, &self.seen.response(), &self.model), true),
        }
    }

    fn settlement(&self, usage: &Usage) -> Settlement {
        self.layer.settlement(&self.request, (&self.provider, &self.model), usage)
    }

    async fn next(state: Option<Self>) -> Option<(Result<ChatChunk>, Option<Self>)> {
        let mut metered = state?;
        loop {
            match metered.inner.next().await {
                Some(Ok(chunk)) => {
                    metered.seen.push(&chunk);
                    // The provider's own usage chunk is told again in the last one.
                    if !chunk.choices.is_empty() || chunk.usage.is_none() {
                        return Some((Ok(chunk), Some(metered)));
                    }
                }
                Some(Err(error)) => return Some((Err(error), None)),
                None => return Some((Ok(metered.finish().await), None)),
            }
        }
    }

    async fn finish(mut self) -> ChatChunk {
        let (usage, usage_estimated) = self.usage();
        let settlement = self.settlement(&usage);
        let whole = self.seen.response();
        let mut report = CallReport {
            provider: self.provider.clone(),
            model: self.model.clone(),
            usage_estimated,
            ..CallReport::default()
        };
        report.set_cost(settlement.cost_nano_usd);
        if let Some(guard) = self.guard.take()
            && let Err(error) = guard.settle(settlement).await
        {
            tracing::error!(event = "spend_not_settled", kind = error.kind().as_str());
        }
        ChatChunk {
            id: whole.id,
            model: whole.model,
            usage: Some(usage),
            outcome: Some(whole.outcome),
            report: Some(Box::new(report)),
            extra: whole.extra.into_iter().filter(|(key, _)| key == "created").collect(),
            ..ChatChunk::default()
        }
    }
}

impl Drop for Metered {
    /// A stream that breaks or is dropped pays for what has come.
    fn drop(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            let (usage, _) = self.usage();
            guard.note(self.settlement(&usage));
        }
    }
}
