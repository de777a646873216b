use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;
use serde_json::json;

use crate::ctx::Ctx;
use crate::env::EventType;
use crate::error::{Error, ErrorKind, Result};
use crate::layer::Layer;
use crate::provider::{
    Assembler, AttemptStatus, CallOptions, CallReport, Capability, ChatChunk, ChatRequest, ChatResponse,
    ChatStream, Message, Outcome, Provider, Usage,
};
use crate::route::{ModelChoice, RouteDecision};
use crate::spend::{LEASE, PriceBook, Reserve, Service, Settlement, SpendGuard, SpendLedger, SpendLimit};
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

    /// Whether a hard limit holds for a call; `stored` are the tenant's own.
    fn is_hard(&self, options: &CallOptions, stored: &[SpendLimit]) -> bool {
        let replaced = |limit: &SpendLimit| stored.iter().any(|own| own.is_of(&limit.scope, limit.window));
        let standing = self.standing.iter().filter(|limit| !replaced(limit));
        let covers = |limit: &SpendLimit| limit.scope.covers(&options.tags, options.key.as_deref());
        stored.iter().chain(standing).any(|limit| limit.hard && covers(limit))
    }

    /// Reserves. When the ledger is away, a call under a hard limit is refused; under soft ones or none it is allowed and told,
    /// and what it costs is not in the account.
    async fn admit(
        &self,
        ctx: &Ctx,
        options: &CallOptions,
        reserve: &Reserve,
    ) -> Result<(Option<SpendGuard>, Vec<SpendLimit>)> {
        let away = match SpendGuard::reserve(&self.ledger, ctx, reserve).await {
            Ok((guard, crossed)) => return Ok((Some(guard), crossed)),
            Err(error) if !is_away(&error) => return Err(error),
            Err(error) => error,
        };
        let remembered = self.ledger.remembered(&ctx.tenant);
        if remembered.as_deref().is_none_or(|stored| self.is_hard(options, stored)) {
            let message = match remembered {
                Some(_) => {
                    "the spend ledger is away and a hard limit holds: the call is refused; wait until it is back"
                }
                None => {
                    "the spend ledger is away and whether a hard limit holds is not known: the call is refused; wait until it is back"
                }
            };
            return Err(Error::new(away.kind(), "ai.spend", message)
                .with_retry(away.retry())
                .with_source(away));
        }
        tracing::error!(
            event = "spend_not_reserved",
            tenant_id = ctx.tenant.as_str(),
            kind = away.kind().as_str(),
            amount_nano_usd = reserve.amount_nano_usd
        );
        Ok((None, Vec::new()))
    }

    /// Reserves for the models of the decision; returns the request whose decision holds those that may be asked.
    async fn reserve(&self, ctx: &Ctx, request: &ChatRequest) -> Result<(Option<SpendGuard>, ChatRequest)> {
        let Some(decision) = request.call.decision() else {
            return Err(Error::new(
                ErrorKind::Unexpected,
                "ai.spend",
                "nothing was decided before the reservation",
            ));
        };
        let mut allowed = request.clone();
        let priced = |choice: &ModelChoice| self.prices.price(&choice.provider, &choice.model).is_some();
        let unpriced_one = !decision.models.iter().all(priced);
        if unpriced_one && self.is_hard(&request.options, &self.ledger.limits(&ctx.tenant).await?) {
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
            key: request.options.key.clone(),
            standing: self.standing.to_vec(),
            at: ctx.env.clock.now(),
            lease: LEASE,
        };
        let (guard, crossed) = self.admit(ctx, &request.options, &reserve).await?;
        for limit in crossed {
            tracing::warn!(
                event = "spend_limit_crossed",
                tenant_id = ctx.tenant.as_str(),
                scope = %limit.scope,
                window = limit.window.as_str(),
                limit_nano_usd = limit.amount_nano_usd
            );
            ctx.emit(EventType::SPEND_LIMIT_CROSSED, || {
                json!({
                    "scope": limit.scope,
                    "window": limit.window.as_str(),
                    "limit_nano_usd": limit.amount_nano_usd,
                })
            });
        }
        Ok((guard, allowed))
    }

    fn dearest(&self, request: &ChatRequest) -> u64 {
        // No tokenizer makes more tokens than bytes.
        let prompt_tokens = most_prompt_tokens(request);
        let answers = u64::from(request.n.unwrap_or(1));
        let (service, images) = (Service::of(request.extra.get("service_tier")), images(request));
        let cost = |choice: &ModelChoice| {
            let limit = request
                .token_limit()
                .map_or_else(|| self.prices.longest_answer(&choice.provider, &choice.model), u64::from);
            let price = self.prices.price(&choice.provider, &choice.model)?;
            Some(price.at_most_as(prompt_tokens, limit.saturating_mul(answers), service, images))
        };
        let models = request.call.decision().map(|decision| decision.models.as_slice()).unwrap_or_default();
        models.iter().filter_map(cost).max().unwrap_or(0)
    }

    /// What a call cost: by the provider's count, or by ours where it does not say.
    fn settlement(
        &self,
        request: &ChatRequest,
        who: (&str, &str),
        usage: &Usage,
        served: Option<&serde_json::Value>,
    ) -> Settlement {
        let (provider, model) = who;
        let asked = request.extra.get("service_tier");
        let service = Service::of(usage.extra.get("service_tier").or(served).or(asked));
        let model_asked = if model.is_empty() { request.model.as_str() } else { model };
        Settlement {
            provider: provider.to_owned(),
            model: model_asked.to_owned(),
            cost_nano_usd: self
                .prices
                .price(provider, model_asked)
                .map(|price| price.cost_as(usage, service, images(request))),
            tokens: usage.total(),
        }
    }
}

/// Settles, or says that it could not: the answer is there all the same, and the guard has taken note.
async fn settle(guard: Option<SpendGuard>, settlement: Settlement) {
    let cost_nano_usd = settlement.cost_nano_usd;
    let settled = match guard {
        Some(guard) => guard.settle(settlement).await,
        None => return tracing::error!(event = "spend_not_settled", kind = "unavailable", cost_nano_usd),
    };
    if let Err(error) = settled {
        tracing::error!(event = "spend_not_settled", kind = error.kind().as_str(), cost_nano_usd);
    }
}

/// Whether the ledger could not be asked.
fn is_away(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout)
}

/// The images of a request, which some models have a price for.
fn images(request: &ChatRequest) -> u64 {
    request.messages.iter().map(|message| message.images() as u64).sum()
}

fn most_prompt_tokens(request: &ChatRequest) -> u64 {
    let framing = 16 * (request.messages.len() as u64 + 1);
    let text: u64 = request.messages.iter().flat_map(Message::texts).map(|text| text.len() as u64).sum();
    // Tools, images and what else is not text: the estimate, doubled.
    text + framing + 2 * tokens::count_beside_text(request)
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
        let mut pending = Pending { guard, layer: &self.layer, request: &allowed };
        let mut response = self.inner.chat(ctx, &allowed).await?;
        let guard = pending.guard.take();
        if response.usage.is_none() {
            response.report.usage_estimated = true;
            response.usage = Some(tokens::usage(request, &response, &response.report.model));
        }
        let usage = response.usage.clone().unwrap_or_default();
        let who = (response.report.provider.as_str(), response.report.model.as_str());
        let settlement = self.layer.settlement(request, who, &usage, response.extra.get("service_tier"));
        response.report.set_cost(settlement.cost_nano_usd);
        // The answer is there and paid for: a ledger that is away must not take it from the caller.
        settle(guard, settlement).await;
        Ok(response)
    }

    /// Ends the stream with a chunk of the library's own: usage, outcome and report. Where the stream breaks it comes before the error.
    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        let (guard, allowed) = self.layer.reserve(ctx, request).await?;
        let mut pending = Pending { guard, layer: &self.layer, request: &allowed };
        let inner = self.inner.stream(ctx, &allowed).await?;
        let guard = pending.guard.take();
        let answered = request.call.attempts().into_iter().rfind(|a| a.status == AttemptStatus::Answered);
        let (provider, model) = answered.map(|a| (a.provider, a.model)).unwrap_or_default();
        let metered = Metered {
            inner,
            guard,
            layer: self.layer.clone(),
            request: request.clone(),
            seen: Assembler::default(),
            provider,
            model,
        };
        Ok(futures_util::stream::unfold(Metering::Open(Box::new(metered)), Metered::next).boxed())
    }
}

/// The reservation of a call that is not answered yet. Dropped, it is given back, unless the call lost a race: an aborted call is
/// paid for by its prompt, at the model that was asked last.
struct Pending<'a> {
    guard: Option<SpendGuard>,
    layer: &'a SpendLayer,
    request: &'a ChatRequest,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !self.request.call.is_lost() {
            return;
        }
        let (Some(mut guard), Some(decision)) = (self.guard.take(), self.request.call.decision()) else {
            return;
        };
        // The attempt that was just aborted is the latest; where there is none, the call waited, and nobody is owed anything.
        let Some(last) = self.request.call.attempts().pop() else { return };
        let asked = |choice: &&ModelChoice| choice.provider == last.provider && choice.model == last.model;
        let aborted = last.status == AttemptStatus::Failed;
        if let Some(choice) = decision.models.iter().find(asked).filter(|_| aborted) {
            let usage = Usage::new(tokens::count_request(self.request), 0);
            guard.note(self.layer.settlement(self.request, (&choice.provider, &choice.model), &usage, None));
        }
    }
}

enum Metering {
    Open(Box<Metered>),
    Broken(Error),
    Ended,
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
            // What a provider reports at the beginning or on the way does not hold what came after it.
            Some(usage) if !self.seen.is_finished() => {
                let here = tokens::usage(&self.request, &self.seen.response(), &self.model);
                let mut usage = usage.clone();
                let more = here.completion_tokens > usage.completion_tokens;
                usage.completion_tokens = usage.completion_tokens.max(here.completion_tokens);
                usage.total_tokens = usage.total();
                (usage, more)
            }
            Some(usage) => (usage.clone(), false),
            None => (tokens::usage(&self.request, &self.seen.response(), &self.model), true),
        }
    }

    fn settlement(&self, usage: &Usage) -> Settlement {
        self.layer.settlement(&self.request, (&self.provider, &self.model), usage, None)
    }

    async fn next(state: Metering) -> Option<(Result<ChatChunk>, Metering)> {
        let mut metered = match state {
            Metering::Open(metered) => metered,
            Metering::Broken(error) => return Some((Err(error), Metering::Ended)),
            Metering::Ended => return None,
        };
        loop {
            match metered.inner.next().await {
                Some(Ok(chunk)) => {
                    metered.seen.push(&chunk);
                    // The provider's own usage chunk is told again in the last one.
                    if !chunk.choices.is_empty() || chunk.usage.is_none() {
                        return Some((Ok(chunk), Metering::Open(metered)));
                    }
                }
                Some(Err(error)) => {
                    let mut last = metered.finish().await;
                    last.outcome = Some(Outcome::Errored);
                    return Some((Ok(last), Metering::Broken(error)));
                }
                None => return Some((Ok(metered.finish().await), Metering::Ended)),
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
        settle(self.guard.take(), settlement).await;
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
