use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use futures_util::{StreamExt, TryStreamExt};
use tracing::Instrument;

use super::ending::Ending;
use super::{AiClient, wrong};
use crate::config::EmbeddingsConfig;
use crate::ctx::Ctx;
use crate::embed::{Answered, EmbedRequest, EmbedTable, Embedder, Embeddings, Ride, as_chat, parts};
use crate::error::{Error, ErrorKind, Result};
use crate::layer::{Layer, stack};
use crate::layers::Fallback;
use crate::provider::{Call, CallReport, ChatRequest, ChatResponse, Outcome, Provider, Usage};
use crate::route::{Complexity, ModelChoice, RouteDecision};

/// Who embeds, each within the layers of its provider, and the layers around all of them: those of chat, with the same state.
#[derive(Debug)]
pub(super) struct Embedding {
    table: EmbedTable,
    seats: Seats,
    around: Vec<Arc<dyn Layer>>,
}

/// Embedders by their names, and the layers around each.
pub(super) type Seats = BTreeMap<String, (Arc<dyn Embedder>, Vec<Arc<dyn Layer>>)>;

impl Embedding {
    pub(super) fn new(
        seats: Seats,
        providers: &[String],
        around: Vec<Arc<dyn Layer>>,
        settings: &EmbeddingsConfig,
    ) -> Result<Self> {
        let embedders = seats.iter().map(|(name, (embedder, _))| (name.clone(), embedder.capability()));
        let table = EmbedTable::new(embedders.collect(), providers.iter().cloned(), settings)
            .map_err(|error| error.in_operation("ai.new"))?;
        Ok(Self { table, seats, around })
    }

    /// Puts an embedder in its place.
    pub(super) fn seat(
        seats: &mut Seats,
        embedder: Arc<dyn Embedder>,
        layers: Vec<Arc<dyn Layer>>,
    ) -> Result<()> {
        let name = embedder.name().to_owned();
        match seats.insert(name.clone(), (embedder, layers)) {
            Some(_) => Err(wrong(format!("embedders: two are called {name:?}; rename one"))),
            None => Ok(()),
        }
    }

    /// Those of `choices`, for one request, with everything around them.
    fn whole(
        &self,
        choices: &[ModelChoice],
        request: &Arc<EmbedRequest>,
        answered: &Arc<Mutex<Answered>>,
    ) -> Arc<dyn Provider> {
        let named = choices.iter().filter_map(|choice| Some((choice, self.seats.get(&choice.provider)?)));
        let stacks = named.map(|(choice, (embedder, layers))| {
            let ride = Ride {
                embedder: Arc::clone(embedder),
                request: Arc::clone(request),
                answered: Arc::clone(answered),
            };
            (choice.provider.clone(), stack(Arc::new(ride), layers))
        });
        stack(Arc::new(Fallback::new(stacks.collect())), &self.around)
    }

    /// How many texts, and bytes of them, every one of `choices` takes at once.
    fn limits(&self, choices: &[ModelChoice]) -> (usize, usize) {
        let seats = choices.iter().filter_map(|choice| self.seats.get(&choice.provider));
        seats
            .map(|(embedder, _)| embedder.capability())
            .fold((usize::MAX, usize::MAX), |least, capability| {
                (least.0.min(capability.max_inputs), least.1.min(capability.max_bytes))
            })
    }
}

/// A part of a request, answered.
struct Part {
    range: Range<usize>,
    answered: Answered,
    report: CallReport,
    tokens: u64,
}

impl AiClient {
    /// Embeds texts: a vector each, in their order. More than the provider takes at once are sent in several requests, each with
    /// retries, limits and deadlines of its own; if one of them fails, the call fails and what was answered is paid for.
    ///
    /// Only providers of the same model stand in for one another. Nothing is cached.
    pub async fn embed(&self, ctx: &Ctx, mut request: EmbedRequest) -> Result<Embeddings> {
        let started = Instant::now();
        let settings = &self.0.config.embeddings;
        request.validate(settings, self.0.config.max_prompt_bytes)?;
        let configured = request.model.is_empty() || settings.model.as_deref() == Some(&*request.model);
        request.dimensions = request.dimensions.or(settings.dimensions.filter(|_| configured));
        let asked = ChatRequest { model: request.model.clone(), ..ChatRequest::default() };
        let mut ending = Ending::new(&self.0.metrics, ctx, &asked, "ai.embed", false, started);
        let work = self.embedded(ctx, request, &asked.call).instrument(ending.span());
        match asked.call.busy().call(work).await {
            Ok((mut embeddings, mut report)) => {
                let usage = Usage::new(embeddings.tokens_used, 0);
                ending.ended(&mut report, Outcome::Complete, Some(&usage));
                embeddings.request_id = report.request_id;
                embeddings.attempts = report.attempts;
                Ok(embeddings)
            }
            Err(error) => Err(ending.failed(error)),
        }
    }

    async fn embedded(
        &self,
        ctx: &Ctx,
        request: EmbedRequest,
        call: &Call,
    ) -> Result<(Embeddings, CallReport)> {
        let choices = self.0.embedding.table.choose(&request.model)?;
        let (max_inputs, max_bytes) = self.0.embedding.limits(&choices);
        call.decide(Arc::new(decision(choices)));
        let ranges = parts(&request.input, max_inputs, max_bytes);
        let several = ranges.len() > 1;
        let request = &request;
        let at_once = usize::try_from(self.0.config.embeddings.concurrency).unwrap_or(usize::MAX);
        let sent = ranges.into_iter().map(|range| async move {
            let told = format!("input[{}] to input[{}]", range.start, range.end - 1);
            let part = self.part(ctx, request, range, call).await;
            part.map_err(|error| if several { error.with_context("part", told) } else { error })
        });
        let mut answers: Vec<Part> =
            futures_util::stream::iter(sent).buffer_unordered(at_once).try_collect().await?;
        answers.sort_by_key(|part| part.range.start);
        together(answers)
    }

    async fn part(
        &self,
        ctx: &Ctx,
        request: &EmbedRequest,
        range: Range<usize>,
        call: &Call,
    ) -> Result<Part> {
        let input = request.input.get(range.clone()).unwrap_or_default().to_vec();
        let part = Arc::new(EmbedRequest {
            input,
            model: request.model.clone(),
            dimensions: request.dimensions,
            options: request.options.clone(),
            call: call.part(),
            extra: request.extra.clone(),
        });
        let chat = ChatRequest { model: part.model.clone(), call: part.call.clone(), ..as_chat(&part) };
        let answered = Arc::<Mutex<Answered>>::default();
        let choices = call.decision().map(|decision| decision.models.as_slice()).unwrap_or_default();
        let whole = self.0.embedding.whole(choices, &part, &answered);
        let ChatResponse { usage, report, .. } = self.within_deadline(whole.chat(ctx, &chat)).await?;
        let answered = std::mem::take(&mut *answered.lock().unwrap_or_else(PoisonError::into_inner));
        let tokens = usage.as_ref().map_or(0, Usage::total);
        Ok(Part { range, answered, report, tokens })
    }
}

fn decision(models: Vec<ModelChoice>) -> RouteDecision {
    RouteDecision {
        complexity: Complexity::Simple,
        score: 0.0,
        models,
        policy: "model".to_owned(),
        reason: "embeddings: only providers of the same model".to_owned(),
        propensity: 1.0,
    }
}

/// The answers to all parts as one.
fn together(parts: Vec<Part>) -> Result<(Embeddings, CallReport)> {
    let first = parts.first().map(|part| part.report.clone()).unwrap_or_default();
    let tokens_used = parts.iter().map(|part| part.tokens).fold(0, u64::saturating_add);
    let usage_estimated = parts.iter().any(|part| part.answered.usage_estimated);
    let cost = parts.iter().try_fold(0_u64, |sum, part| Some(sum.saturating_add(part.report.cost_nano_usd?)));
    let vectors: Vec<Vec<f32>> = parts.into_iter().flat_map(|part| part.answered.vectors).collect();
    let dimensions = vectors.first().map_or(0, Vec::len);
    if vectors.iter().any(|vector| vector.len() != dimensions) {
        let message = "the vectors of the parts differ in length: the providers do not serve the same model";
        return Err(Error::new(ErrorKind::Corrupt, "ai.embed", message));
    }
    let mut report =
        CallReport { provider: first.provider, model: first.model, usage_estimated, ..CallReport::default() };
    report.set_cost(cost);
    let embeddings = Embeddings {
        vectors,
        dimensions: u32::try_from(dimensions).unwrap_or(u32::MAX),
        provider: report.provider.clone(),
        model: report.model.clone(),
        tokens_used,
        usage_estimated,
        cost: report.cost,
        cost_nano_usd: report.cost_nano_usd,
        ..Embeddings::default()
    };
    Ok((embeddings, report))
}
