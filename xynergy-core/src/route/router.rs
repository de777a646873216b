use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

mod order;

use super::canary::{Arm, Canary, Ended, Phase, Plan};
use super::latency::Latencies;
use super::policy::{self, Facts};
use super::sticky::{Affinities, Turn};
use super::window::{Fitting, Misfit};
use super::{CanarySnapshot, Complexity, Features, ModelChoice, RouteDecision, Score, score};
use crate::config::{DefaultStrategy, PolicyConfig, RouteConfig, StrategyConfig, TokenConfig};
use crate::ctx::Ctx;
use crate::error::{Error, ErrorKind, Result};
use crate::provider::{Attempt, AttemptStatus, Capability, ChatRequest};
use crate::spend::PriceBook;
use crate::tokens::TokenCounter;

/// The provider that OpenAI's own models go to when a request names one by itself, as code that was written for OpenAI does.
const OPENAI: &str = "openai";

/// `gpt-4o`, `chatgpt-4o-latest`, `o3-mini`.
fn is_openais(model: &str) -> bool {
    let reasoning = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    ["gpt-", "chatgpt-"].iter().any(|family| model.starts_with(family))
        || model.strip_prefix('o').is_some_and(reasoning)
}

/// The policy of the decisions that `ai.order` makes.
const COMPLEXITY: &str = "complexity";

/// A provider that requests can go to.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its configured name.
    pub name: String,
    /// What it can do.
    pub capability: Capability,
    /// The tokens that prompt and answer may have together, by the names of its models, where the user says so.
    pub windows: BTreeMap<String, u64>,
}

/// The order of the providers, the named routes, and who decides for which request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoutingTable {
    /// Providers for complex requests, the best first. Those that are not configured are passed over.
    pub complex: Vec<String>,
    /// Providers for simple requests, the cheapest first.
    pub simple: Vec<String>,
    /// Named routes, over `provider` or `provider/model`.
    pub routes: BTreeMap<String, RouteConfig>,
    /// What chooses for requests that name no model and that no policy is for.
    pub strategy: DefaultStrategy,
    /// Which route answers which requests; the first that matches.
    pub policies: Vec<PolicyConfig>,
    /// Who is asked when a prompt fits no model of the decision.
    pub context_too_long: Vec<String>,
    /// How answers are sized, which says how long one is expected to be.
    pub tokens: TokenConfig,
}

/// What decisions are made by, beside the table.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Prices, and the longest prompts that models take.
    pub prices: Arc<PriceBook>,
    /// What counts tokens.
    pub counter: Arc<TokenCounter>,
}

/// Decides which models are asked, in which order.
#[derive(Debug)]
pub struct Router {
    candidates: BTreeMap<String, Candidate>,
    table: RoutingTable,
    routes: BTreeMap<String, Route>,
    figures: Figures,
    latencies: Latencies,
    measures: bool,
    affinities: Affinities,
}

/// A decision, and what is to be known of it when its call has ended.
#[derive(Clone, Debug)]
pub struct Decided {
    /// The decision.
    pub decision: RouteDecision,
    /// For [`Router::conclude`]; `None` where nothing is learnt.
    pub memo: Option<Memo>,
}

/// What the router must know of a call that has ended.
#[derive(Clone, Debug)]
pub struct Memo(Noted);

#[derive(Clone, Debug)]
enum Noted {
    /// A turn of a conversation on a sticky route, with the tokens of its prompt at each model.
    Turn { key: u128, lifetime: Duration, prompts: Vec<(ModelChoice, u64)>, answer: u64 },
    /// A call of an arm of a canary route.
    Canary { route: String, phase: Phase, arm: Arm, choice: ModelChoice },
}

/// A named route with its models.
#[derive(Debug)]
struct Route {
    strategy: Strategy,
    models: Vec<Entry>,
    canary: Option<Canary>,
}

/// A model of a route.
#[derive(Clone, Debug)]
struct Entry {
    choice: ModelChoice,
    weight: u32,
    /// Its place in its route; none of them for what is of no route.
    place: usize,
}

impl From<ModelChoice> for Entry {
    fn from(choice: ModelChoice) -> Self {
        Self { choice, weight: 1, place: usize::MAX }
    }
}

/// How the order of the models is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strategy {
    Given,
    Weighted,
    Cheapest,
    LowestLatency,
    Sticky { ttl_seconds: u64 },
    Canary,
}

/// Who is asked for a request, before it is known who can.
struct Picked {
    policy: &'static str,
    /// The name of the route, where it is one.
    route: String,
    reason: String,
    strategy: Strategy,
    models: Vec<Entry>,
}

/// An order of the models that are left.
struct Order {
    places: Vec<usize>,
    propensity: f64,
    reason: Option<String>,
    memo: Option<Memo>,
}

impl Router {
    /// A router over these providers, without prices. A route that names an unknown provider is an error.
    pub fn new(candidates: Vec<Candidate>, table: RoutingTable) -> Result<Self> {
        let candidates =
            candidates.into_iter().map(|candidate| (candidate.name.clone(), candidate)).collect();
        let mut router = Self {
            candidates,
            table,
            routes: BTreeMap::new(),
            figures: Figures::default(),
            latencies: Latencies::default(),
            measures: false,
            affinities: Affinities::default(),
        };
        for (name, config) in &router.table.routes {
            let route = router.resolved(name, config)?;
            router.routes.insert(name.clone(), route);
        }
        router.measures = router.table.strategy == DefaultStrategy::LowestLatency
            || router.routes.values().any(|route| route.strategy == Strategy::LowestLatency);
        for (number, policy) in router.table.policies.iter().enumerate() {
            if !router.routes.contains_key(&policy.route) && router.target(&policy.route).is_none() {
                let routes: Vec<&str> = router.routes.keys().map(String::as_str).collect();
                return Err(config(format!(
                    "policies[{number}].route: {:?} is unknown; use a route ({}), or NAME or NAME/MODEL with one of: {}",
                    policy.route,
                    routes.join(", "),
                    router.names()
                )));
            }
        }
        Ok(router)
    }

    /// The same router with prices and a counter.
    #[must_use]
    pub fn with_figures(mut self, figures: Figures) -> Self {
        self.figures = figures;
        self
    }

    fn resolved(&self, name: &str, route: &RouteConfig) -> Result<Route> {
        let targets = route.targets();
        if targets.is_empty() {
            return Err(config(format!("routes.{name}: empty; name at least one provider")));
        }
        let resolve = |target: &&str| {
            self.target(target).map(Entry::from).ok_or_else(|| {
                config(format!(
                    "routes.{name}: {target:?} is no provider; use NAME or NAME/MODEL with one of: {}",
                    self.names()
                ))
            })
        };
        let mut models = targets.iter().map(resolve).collect::<Result<Vec<_>>>()?;
        for (place, entry) in models.iter_mut().enumerate() {
            entry.place = place;
        }
        let mut canary = None;
        let strategy = match route {
            RouteConfig::Table(StrategyConfig::Canary {
                stages,
                min_calls,
                confidence_percent,
                max_slowdown_percent,
                ..
            }) => {
                let candidate = &models[1].choice;
                if models.iter().filter(|entry| entry.choice == *candidate).count() > 1 {
                    return Err(config(format!(
                        "routes.{name}.candidate: {}/{} is its baseline or a fallback too; name another model",
                        candidate.provider, candidate.model
                    )));
                }
                let plan = Plan {
                    stages: stages.clone(),
                    min_calls: *min_calls,
                    confidence_percent: *confidence_percent,
                    max_slowdown_percent: *max_slowdown_percent,
                };
                canary = Some(Canary::new(name, &models[0].choice, candidate, plan));
                Strategy::Canary
            }
            RouteConfig::List(_) | RouteConfig::Table(StrategyConfig::Ordered { .. }) => Strategy::Given,
            RouteConfig::Table(StrategyConfig::Weighted { weights, .. }) => {
                for (entry, weight) in models.iter_mut().zip(weights) {
                    entry.weight = *weight;
                }
                Strategy::Weighted
            }
            RouteConfig::Table(StrategyConfig::Cheapest { .. }) => Strategy::Cheapest,
            RouteConfig::Table(StrategyConfig::LowestLatency { .. }) => Strategy::LowestLatency,
            RouteConfig::Table(StrategyConfig::Sticky { ttl_seconds, .. }) => {
                Strategy::Sticky { ttl_seconds: *ttl_seconds }
            }
        };
        Ok(Route { strategy, models, canary })
    }

    /// Learns from attempts that were made: how long they took, and which failed by a fault of the model's.
    pub fn learn<'a>(&self, ctx: &Ctx, attempts: impl IntoIterator<Item = &'a Attempt>) {
        if !self.measures {
            return;
        }
        let now = ctx.env.clock.now();
        for attempt in attempts {
            let failed = attempt.status == AttemptStatus::Failed;
            let says_nothing = failed && !is_the_models_fault(attempt.error.as_deref());
            if attempt.status != AttemptStatus::Skipped && !says_nothing {
                let model = ModelChoice { provider: attempt.provider.clone(), model: attempt.model.clone() };
                self.latencies.observe(&model, attempt.latency_ms, failed, now);
            }
        }
    }

    /// Learns from a call that has ended, whatever the end was.
    pub fn conclude(&self, ctx: &Ctx, memo: &Memo, attempts: &[Attempt]) {
        match &memo.0 {
            Noted::Turn { key, lifetime, prompts, answer } => {
                let answered = attempts.iter().rfind(|attempt| attempt.status == AttemptStatus::Answered);
                let is_its = |(choice, _): &&(ModelChoice, u64)| {
                    answered.is_some_and(|a| a.provider == choice.provider && a.model == choice.model)
                };
                if let Some((model, prompt)) = prompts.iter().find(is_its) {
                    let (now, lifetime) = (ctx.env.clock.now(), *lifetime);
                    self.affinities
                        .put(*key, &Turn { model, prompt: *prompt, answer: *answer, now, lifetime });
                }
            }
            Noted::Canary { route, phase, arm, choice } => {
                let is_its = |attempt: &&Attempt| {
                    attempt.provider == choice.provider
                        && attempt.model == choice.model
                        && attempt.status != AttemptStatus::Skipped
                };
                let last = attempts.iter().rfind(is_its);
                let canary = self.routes.get(route).and_then(|route| route.canary.as_ref());
                let (Some(last), Some(canary)) = (last, canary) else { return };
                let cancelled = last.error.as_deref() == Some(ErrorKind::Cancelled.as_str());
                if last.status == AttemptStatus::Answered {
                    canary.observe(ctx, *phase, *arm, Ended::Answered(last.latency_ms));
                } else if !cancelled {
                    canary.observe(ctx, *phase, *arm, Ended::Failed);
                }
            }
        }
    }

    /// How far each canary route is, by its name.
    pub fn canaries(&self) -> Vec<CanarySnapshot> {
        self.routes.values().filter_map(|route| Some(route.canary.as_ref()?.snapshot())).collect()
    }

    /// Whether anything is chosen by what [`learn`](Self::learn) learns.
    pub fn measures(&self) -> bool {
        self.measures
    }

    /// Decides for one request. `stream` says whether the answer is to be streamed. What is drawn comes from the context's
    /// randomness, and nothing is remembered: two decisions differ by nothing but their draws, and by what is measured between them.
    ///
    /// Errors: an unknown model, no provider at all, none that can do what the request asks, or none that it fits.
    pub fn decide(&self, ctx: &Ctx, request: &ChatRequest, stream: bool) -> Result<Decided> {
        let features = Features::of(request);
        let score = score(&features);
        let complexity = score.complexity();
        let mut picked = self.pick(ctx, request, &features, &score)?;
        if picked.models.is_empty() {
            return Err(Error::new(
                ErrorKind::ConfigInvalid,
                "ai.route",
                "no AI provider is configured; set OPENAI_API_KEY, ABACUS_API_KEY, ANTHROPIC_API_KEY or INTERNAL_AI_URL, or name one in [ai.providers]",
            ));
        }
        let passed_over = self.keep_able(ctx, request, stream, &mut picked)?;
        let order = self.order(ctx, request, complexity, &picked);
        let models: Vec<ModelChoice> =
            order.places.into_iter().map(|place| picked.models[place].choice.clone()).collect();
        let reason = [Some(picked.reason), order.reason, passed_over];
        let decision = RouteDecision {
            complexity,
            score: f64::from(score.points) / 1_000.0,
            models,
            policy: picked.policy.to_owned(),
            reason: reason.into_iter().flatten().collect::<Vec<_>>().join("; "),
            propensity: order.propensity,
        };
        Ok(Decided { decision, memo: order.memo })
    }

    fn pick(&self, ctx: &Ctx, request: &ChatRequest, features: &Features, score: &Score) -> Result<Picked> {
        let complexity = score.complexity();
        if !matches!(request.model.as_str(), "" | "auto") {
            return self.by_name(&request.model, format!("the request names {}", request.model));
        }
        let facts = Facts { tenant: &ctx.tenant, request, features, complexity };
        let is_for = |policy: &&PolicyConfig| facts.meet(&policy.when);
        if let Some(policy) = self.table.policies.iter().find(is_for) {
            let why = format!("a policy ({}) chose {}", policy::explain(&policy.when), policy.route);
            return self.by_name(&policy.route, why);
        }
        let (policy, strategy) = match self.table.strategy {
            DefaultStrategy::Complexity => (COMPLEXITY, Strategy::Given),
            DefaultStrategy::Cheapest => (Strategy::Cheapest.policy(), Strategy::Cheapest),
            DefaultStrategy::LowestLatency => (Strategy::LowestLatency.policy(), Strategy::LowestLatency),
        };
        let models = self.by_complexity(complexity).into_iter().map(Entry::from).collect();
        Ok(Picked { policy, route: String::new(), reason: score.explain(), strategy, models })
    }

    /// Leaves the models that can do what the request asks and that it fits, and says who was passed over.
    fn keep_able(
        &self,
        ctx: &Ctx,
        request: &ChatRequest,
        stream: bool,
        picked: &mut Picked,
    ) -> Result<Option<String>> {
        let fitting = Fitting::new(&self.figures.prices, &self.figures.counter, &ctx.tenant, request);
        let mut lacking = Vec::new();
        let mut too_long = Vec::new();
        let mut can = |choice: &ModelChoice| {
            let candidate = self.candidates.get(&choice.provider);
            if let Some(what) = candidate.and_then(|c| c.capability.lacks(request, stream)) {
                lacking.push(format!("{} has no {what}", choice.provider));
                return false;
            }
            let window = candidate.and_then(|c| c.windows.get(&choice.model).copied());
            let Some(misfit) = fitting.misfit(choice, window) else { return true };
            too_long.push((choice.clone(), misfit));
            false
        };
        let first = picked.models[0].choice.clone();
        picked.models.retain(|entry| can(&entry.choice));
        let mut elsewhere = Vec::new();
        if picked.models.is_empty() {
            let longer = self.table.context_too_long.iter().filter_map(|target| self.target(target));
            elsewhere = longer.filter(|choice| can(choice)).map(Entry::from).collect();
        }
        if picked.models.is_empty() && (elsewhere.is_empty() || too_long.is_empty()) {
            return Err(nobody(request, &lacking, &too_long));
        }
        let list = (!elsewhere.is_empty()).then(|| "the list of ai.fallbacks.context_too_long".to_owned());
        picked.models.append(&mut elsewhere);
        if picked.policy == COMPLEXITY {
            self.upward(&first, &mut picked.models);
        }
        let passed_over: Vec<String> =
            lacking.into_iter().chain(too_long.iter().map(told)).chain(list).collect();
        Ok((!passed_over.is_empty()).then(|| passed_over.join(", ")))
    }

    /// Puts the models that are weaker than the first choice behind the others, where that one cannot serve the request: what it
    /// lacks is looked for at its betters first. How strong a model is, is said by the order for complex requests.
    fn upward(&self, first: &ModelChoice, models: &mut [Entry]) {
        let weakness = |choice: &ModelChoice| {
            let listed = self.table.complex.iter().position(|name| *name == choice.provider);
            listed.unwrap_or(usize::MAX)
        };
        if models.first().is_some_and(|entry| entry.choice != *first) {
            let limit = weakness(first);
            models.sort_by_key(|entry| weakness(&entry.choice) > limit);
        }
    }

    fn by_name(&self, name: &str, why: String) -> Result<Picked> {
        let listed = |models: Vec<ModelChoice>| models.into_iter().map(Entry::from).collect();
        let of_models = |models| Picked {
            policy: "model",
            route: String::new(),
            reason: why.clone(),
            strategy: Strategy::Given,
            models,
        };
        if let Some(route) = self.routes.get(name) {
            let Route { strategy, models, .. } = route;
            return Ok(Picked {
                policy: strategy.policy(),
                route: name.to_owned(),
                reason: why,
                strategy: *strategy,
                models: models.clone(),
            });
        }
        if let Some(choice) = self.target(name) {
            return Ok(of_models(listed(vec![choice])));
        }
        let mut serving: Vec<ModelChoice> = self
            .candidates
            .iter()
            .filter(|(_, candidate)| candidate.capability.default_model == name)
            .filter_map(|(provider, _)| self.target(provider))
            .collect();
        if serving.is_empty() && is_openais(name) && self.candidates.contains_key(OPENAI) {
            serving.push(ModelChoice { provider: OPENAI.to_owned(), model: name.to_owned() });
        }
        if serving.is_empty() {
            let shown: String = name.chars().take(80).collect();
            let routes: Vec<&str> = self.routes.keys().map(String::as_str).collect();
            return Err(Error::invalid(
                "ai.route",
                format!(
                    "model: {shown:?} is unknown; use auto, PROVIDER/MODEL, a provider ({}) or a route ({})",
                    self.names(),
                    routes.join(", ")
                ),
            ));
        }
        Ok(of_models(listed(serving)))
    }

    /// The configured order, then every provider that it does not name.
    fn by_complexity(&self, complexity: Complexity) -> Vec<ModelChoice> {
        let order = match complexity {
            Complexity::Complex => &self.table.complex,
            Complexity::Simple => &self.table.simple,
        };
        let listed = order.iter().filter(|name| self.candidates.contains_key(*name));
        let others = self.candidates.keys().filter(|name| !order.contains(name));
        listed.chain(others).filter_map(|name| self.target(name)).collect()
    }

    /// `provider` or `provider/model`; a model's own name may hold slashes. `None` when no such provider is known.
    pub fn target(&self, target: &str) -> Option<ModelChoice> {
        if let Some(candidate) = self.candidates.get(target) {
            return Some(ModelChoice {
                provider: target.to_owned(),
                model: candidate.capability.default_model.clone(),
            });
        }
        let (provider, model) = target.split_once('/')?;
        let known = self.candidates.contains_key(provider) && !model.is_empty();
        known.then(|| ModelChoice { provider: provider.to_owned(), model: model.to_owned() })
    }

    fn names(&self) -> String {
        self.candidates.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

/// Whether an attempt failed for a reason that the next request may meet as well.
fn is_the_models_fault(error: Option<&str>) -> bool {
    let kinds = [
        ErrorKind::Unauthorized,
        ErrorKind::Throttled,
        ErrorKind::Timeout,
        ErrorKind::Unavailable,
        ErrorKind::NotFound,
        ErrorKind::Corrupt,
        ErrorKind::Unexpected,
    ];
    kinds.iter().any(|kind| error == Some(kind.as_str()))
}

impl Strategy {
    /// Its name in decisions.
    fn policy(self) -> &'static str {
        match self {
            Self::Given => "route",
            Self::Weighted => "weighted",
            Self::Cheapest => "cheapest",
            Self::LowestLatency => "lowest_latency",
            Self::Sticky { .. } => "sticky",
            Self::Canary => "canary",
        }
    }
}

/// One that a prompt does not fit, for a person.
fn told((choice, misfit): &(ModelChoice, Misfit)) -> String {
    format!(
        "{}/{} takes {} tokens and the prompt has {}",
        choice.provider, choice.model, misfit.holds, misfit.prompt
    )
}

/// The error when no model can serve a request.
fn nobody(request: &ChatRequest, lacking: &[String], too_long: &[(ModelChoice, Misfit)]) -> Error {
    let all: Vec<String> = lacking.iter().cloned().chain(too_long.iter().map(told)).collect();
    let Some((_, longest)) = too_long.iter().max_by_key(|(_, misfit)| misfit.holds) else {
        let message = format!("no provider can serve the request: {}", all.join(", "));
        return Error::new(ErrorKind::Unsupported, "ai.route", message);
    };
    let asked = request.token_limit();
    let and_answer = asked.map(|limit| format!(", {limit} are asked for the answer")).unwrap_or_default();
    Error::new(
        ErrorKind::ContextTooLong,
        "ai.route",
        format!(
            "the prompt fits no model: {}{and_answer}; shorten it, or name a model with a larger window in the route or in ai.fallbacks.context_too_long",
            all.join(", ")
        ),
    )
    .with_context("prompt_tokens", longest.prompt.to_string())
    .with_context("answer_tokens", asked.unwrap_or(0).to_string())
    .with_context("window_tokens", longest.holds.to_string())
}

fn config(message: String) -> Error {
    Error::new(ErrorKind::ConfigInvalid, "ai.new", message)
}

#[cfg(test)]
mod tests;
