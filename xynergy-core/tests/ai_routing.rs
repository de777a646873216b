//! Routes with strategies, policies and context windows, through the whole client.
#![allow(clippy::unwrap_used)] // Helpers of tests are no tests to clippy.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use serde_json::json;

use xynergy_core::client::{AiClient, AiParts};
use xynergy_core::config::AiConfig;
use xynergy_core::env::{ManualClock, MemoryEvents, SeededEntropy};
use xynergy_core::provider::{
    CallOptions, Capability, ChatChunk, ChatRequest, ChatResponse, ChatStream, FinishReason, MemoryProvider,
    Provider,
};
use xynergy_core::route::{CanaryState, RouteDecision};
use xynergy_core::{Ctx, Env, Error, ErrorKind, Result, TenantId, Timestamp};

struct World {
    ai: AiClient,
    ctx: Ctx,
    events: Arc<MemoryEvents>,
    calls: Arc<AtomicU32>,
}

/// Providers that answer with their names, at 1, 2 and 3 thousandths of a dollar a request.
fn world(text: &str) -> World {
    world_of(text, None)
}

/// The same with another one in the place of the largest.
fn world_of(text: &str, large: Option<Arc<dyn Provider>>) -> World {
    let mut config: AiConfig = toml::from_str(text).unwrap();
    let calls = Arc::new(AtomicU32::new(0));
    let mut providers: Vec<Arc<dyn Provider>> = Vec::new();
    for (name, milli) in [("small", 1), ("middle", 2), ("large", 3)] {
        let own = config.providers.entry(name.to_owned()).or_default();
        own.kind = "memory".to_owned();
        own.price = Some(toml::from_str(&format!("per_request_nano_usd = {}", milli * 1_000_000)).unwrap());
        let calls = Arc::clone(&calls);
        providers.push(Arc::new(MemoryProvider::new(name, format!("{name}-1"), move |_| {
            calls.fetch_add(1, Ordering::SeqCst);
            Ok(name.to_owned())
        })));
    }
    if let Some(large) = large {
        providers[2] = large;
    }
    let events = Arc::new(MemoryEvents::default());
    let env =
        Env { entropy: Arc::new(SeededEntropy::new(3)), events: Arc::clone(&events) as _, ..Env::default() };
    let ai = AiClient::new(config, AiParts::new(providers)).unwrap();
    World { ai, ctx: Ctx::new(&env, TenantId::default()), events, calls }
}

fn named(model: &str, text: impl Into<String>) -> ChatRequest {
    ChatRequest { model: model.to_owned(), ..ChatRequest::prompt(text) }
}

impl World {
    async fn answered_by(&self, request: ChatRequest) -> String {
        self.ai.chat(&self.ctx, request).await.unwrap().report.provider
    }
}

#[tokio::test]
async fn a_weighted_route_splits_calls_and_logs_the_propensity() {
    let world = world(
        "cache.enabled = false
         routes.split = {strategy = 'weighted', models = ['small', 'large'], weights = [4, 1]}",
    );
    let mut answered = BTreeMap::<String, u32>::new();
    for _ in 0..500 {
        let answer = world.ai.chat(&world.ctx, named("split", "Hi")).await.unwrap();
        assert_eq!(answer.report.routed_via, "weighted");
        *answered.entry(answer.report.provider).or_default() += 1;
    }
    // 400 expected, with a standard deviation of 8.9.
    assert!((356..=444).contains(&answered["small"]) && answered.len() == 2, "{answered:?}");
    for event in world.events.drain() {
        let decision = &event.payload["decision"];
        let expected = if event.payload["provider"] == "small" { 0.8 } else { 0.2 };
        assert_eq!((&decision["policy"], &decision["propensity"]), (&"weighted".into(), &expected.into()));
    }
}

#[tokio::test]
async fn the_cheapest_answers_and_route_shows_it_before() {
    let world = world("strategy = 'cheapest'");
    let request = named("", "Prove it step by step: design a compiler.");
    let shown = world.ai.route(&world.ctx, &request).unwrap();
    assert_eq!((shown.models[0].provider.as_str(), shown.policy.as_str()), ("small", "cheapest"));
    assert_eq!(world.answered_by(request).await, "small");
    let event = &world.events.drain()[0];
    assert_eq!(event.payload["decision"], serde_json::to_value(&shown).unwrap());
}

#[tokio::test]
async fn a_policy_by_tag_holds_for_cached_answers_too() {
    let world =
        world("policies = [{when = {tags = ['important']}, route = 'large'}]\norder.simple = ['small']");
    let tagged = |tag: &str| ChatRequest {
        options: CallOptions { tags: [tag.to_owned()].into(), ..CallOptions::default() },
        ..named("", "Hi")
    };
    assert_eq!(world.answered_by(tagged("other")).await, "small");
    assert_eq!(world.answered_by(tagged("important")).await, "large", "not the cached one of another route");
    assert_eq!(world.answered_by(tagged("important")).await, "large");
    assert_eq!(world.calls.load(Ordering::SeqCst), 2, "the last one came from the cache");
}

#[tokio::test]
async fn what_fits_nowhere_is_refused_before_anything_is_sent_or_reserved() {
    let world = world(
        "order = {simple = ['small', 'middle', 'large'], complex = ['small', 'middle', 'large']}
         providers.small = {context_window = 100}
         providers.middle = {context_windows = {middle-1 = 500, other = 900}}
         providers.large = {context_window = 1000}",
    );
    assert_eq!(world.answered_by(named("", "word ".repeat(20))).await, "small");
    assert_eq!(world.answered_by(named("", "word ".repeat(300))).await, "middle");
    assert_eq!(world.answered_by(named("", "word ".repeat(800))).await, "large");
    let spent = world.ai.spend(&world.ctx, None).await.unwrap();
    let error = world.ai.chat(&world.ctx, named("", "word ".repeat(2_000))).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::ContextTooLong, "ai.chat"));
    for part in ["small/small-1 takes 100", "middle/middle-1 takes 500", "large/large-1 takes 1000"] {
        assert!(error.message().contains(part), "{error}");
    }
    assert_eq!(world.calls.load(Ordering::SeqCst), 3);
    let after = world.ai.spend(&world.ctx, None).await.unwrap();
    assert_eq!((after.cost_nano_usd, after.reserved_nano_usd), (spent.cost_nano_usd, 0));
    let stream = world.ai.stream(&world.ctx, named("", "word ".repeat(2_000))).await;
    assert_eq!(stream.map(drop).unwrap_err().kind(), ErrorKind::ContextTooLong);
}

/// Answers after a time of the test's, or fails.
#[derive(Debug)]
struct Paced {
    name: &'static str,
    ms: u64,
    failing: AtomicBool,
}

#[async_trait]
impl Provider for Paced {
    fn name(&self) -> &str {
        self.name
    }

    fn capability(&self) -> Capability {
        Capability::all("m")
    }

    async fn chat(&self, _ctx: &Ctx, _request: &ChatRequest) -> Result<ChatResponse> {
        // Attempts are measured in real time.
        tokio::time::sleep(Duration::from_millis(self.ms)).await;
        if self.failing.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Unavailable, "ai.chat", "down"));
        }
        Ok(ChatResponse::text("m", self.name))
    }

    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        self.chat(ctx, request).await?;
        let end = if request.options.tags.contains("break") {
            Err(Error::new(ErrorKind::Unavailable, "ai.stream", "cut"))
        } else {
            Ok(ChatChunk::end(FinishReason::Stop))
        };
        let chunks = vec![Ok(ChatChunk::text(self.name)), end];
        Ok(futures_util::stream::iter(chunks).boxed())
    }
}

#[tokio::test]
async fn the_fastest_model_gets_the_calls_until_it_fails() {
    let text = "cache.enabled = false
        retry.max_retries = 0
        breaker.failures = 1000
        routes.fast = {strategy = 'lowest_latency', models = ['slow', 'quick']}";
    let config: AiConfig = toml::from_str(text).unwrap();
    let paced = |name, ms| Arc::new(Paced { name, ms, failing: AtomicBool::new(false) });
    let (slow, quick) = (paced("slow", 40), paced("quick", 5));
    let providers: Vec<Arc<dyn Provider>> = vec![Arc::clone(&slow) as _, Arc::clone(&quick) as _];
    let ai = AiClient::new(config, AiParts::new(providers)).unwrap();
    let ctx = Ctx::new(&Env::default(), TenantId::default());
    let first = |expected: &'static str| {
        let decision = ai.route(&ctx, &named("fast", "Hi")).unwrap();
        assert_eq!((decision.policy.as_str(), decision.propensity), ("lowest_latency", 1.0));
        assert_eq!(decision.models[0].provider, expected, "{}", decision.reason);
    };
    for name in ["slow", "quick"] {
        // Whoever is asked by name is measured too; a stream from its first piece on.
        let mut stream = ai.stream(&ctx, named(name, "Hi")).await.unwrap();
        if name == "quick" {
            first("quick");
        }
        while let Some(chunk) = stream.next().await {
            chunk.unwrap();
        }
    }
    assert_eq!(ai.chat(&ctx, named("fast", "Hi")).await.unwrap().report.provider, "quick");
    // A stream that breaks off counts as a failure too.
    let options = CallOptions { tags: ["break".to_owned()].into(), ..CallOptions::default() };
    let mut stream = ai.stream(&ctx, ChatRequest { options, ..named("quick", "Hi") }).await.unwrap();
    while stream.next().await.is_some() {}
    drop(stream);
    first("slow");
    for _ in 0..60 {
        ai.chat(&ctx, named("quick", "Hi")).await.unwrap();
    }
    first("quick");
    quick.failing.store(true, Ordering::SeqCst);
    assert_eq!(ai.chat(&ctx, named("fast", "Hi")).await.unwrap().report.provider, "slow", "it falls back");
    first("slow");
}

/// Two models, of which one is cheap to read and the other cheap to write, and answers of the length that is asked for.
#[tokio::test]
async fn a_conversation_stays_where_its_prompt_is_cached() {
    let text = "cache.enabled = false
        routes.talk = {strategy = 'sticky', models = ['reader', 'writer']}
        [providers.reader]
        price = {input_per_million_nano_usd = 1_000_000_000, cached_input_per_million_nano_usd = 100_000_000, output_per_million_nano_usd = 20_000_000_000}
        [providers.writer]
        price = {input_per_million_nano_usd = 3_000_000_000, cached_input_per_million_nano_usd = 300_000_000, output_per_million_nano_usd = 4_000_000_000}";
    let mut config: AiConfig = toml::from_str(text).unwrap();
    let mut providers: Vec<Arc<dyn Provider>> = Vec::new();
    for name in ["reader", "writer"] {
        config.providers.get_mut(name).unwrap().kind = "memory".to_owned();
        providers.push(Arc::new(MemoryProvider::new(name, "m", move |_| Ok(name.to_owned()))));
    }
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_700_000_000_000)));
    let env = Env { clock: Arc::clone(&clock) as _, ..Env::default() };
    let ctx = Ctx::new(&env, TenantId::default());
    let ai = AiClient::new(config, AiParts::new(providers)).unwrap();
    let said = |session: &str, answer: u32| ChatRequest {
        max_tokens: Some(answer),
        options: CallOptions { session: Some(session.to_owned()), ..CallOptions::default() },
        ..named("talk", "word ".repeat(2_000))
    };
    let ask = |session: &'static str, answer| {
        let (ai, ctx, request) = (ai.clone(), ctx.clone(), said(session, answer));
        async move {
            let shown = ai.route(&ctx, &request).unwrap();
            let answered = ai.chat(&ctx, request).await.unwrap().report;
            assert_eq!(
                (&answered.provider, answered.routed_via.as_str()),
                (&shown.models[0].provider, "sticky")
            );
            (answered.provider, shown.reason)
        }
    };
    // 2,000 tokens to read cost 0.002 or 0.006 dollars, 100 to write 0.002 or 0.0004.
    assert_eq!(ask("one", 100).await.0, "reader");
    // For an answer of 300 the writer would be cheaper by itself (0.0072 against 0.008), but nothing is cached there.
    let (provider, reason) = ask("one", 300).await;
    assert_eq!(provider, "reader");
    // 2,008 tokens at 2.7 dollars a million, for 4.398 thousandths now and half of the 1.198 of a turn like the first.
    let figures = "stays at reader/m: switching to writer/m costs 5421600 nano-dollars and saves 4997600";
    assert!(reason.contains(figures), "{reason}");
    let (provider, reason) = ask("two", 300).await;
    assert_eq!((provider.as_str(), reason.contains("begins")), ("writer", true), "{reason}");
    // What was cached is gone after five minutes, the conversation is not.
    clock.advance(Duration::from_secs(301));
    let (provider, reason) = ask("one", 3_000).await;
    assert_eq!(provider, "writer");
    assert!(reason.contains("leaves reader/m: switching to writer/m costs"), "{reason}");
    clock.advance(Duration::from_secs(12 * 300 + 1));
    assert!(ask("one", 100).await.1.contains("begins"));
    let other = Ctx::new(&env, TenantId::new("other").unwrap());
    assert!(
        ai.route(&other, &said("two", 300)).unwrap().reason.contains("begins"),
        "no tenant sees another's"
    );
}

/// 400 conversations of one call each; how many of them the candidate answered.
async fn converse(world: &World, from: u32) -> u32 {
    let mut answered = 0;
    for number in from..from + 400 {
        let options = CallOptions { session: Some(number.to_string()), ..CallOptions::default() };
        let request = ChatRequest { options, ..named("next", "Hi") };
        let answer = world.ai.chat(&world.ctx, request).await.unwrap();
        answered += u32::from(answer.report.provider == "large");
    }
    answered
}

const CANARY: &str = "cache.enabled = false
    routes.next = {strategy = 'canary', baseline = 'small', candidate = 'large', fallbacks = ['middle'], stages = [20, 50, 100], min_calls = 40}";

#[tokio::test]
async fn a_good_candidate_gets_all_calls_in_the_end_and_no_conversation_flaps() {
    let world = world(CANARY);
    let decided = |session: &str| {
        let options = CallOptions { session: Some(session.to_owned()), ..CallOptions::default() };
        world.ai.route(&world.ctx, &ChatRequest { options, ..named("next", "Hi") }).unwrap()
    };
    let of_candidate = |decision: &RouteDecision| decision.models[0].provider == "large";
    let before: Vec<RouteDecision> = (0..100).map(|session| decided(&session.to_string())).collect();
    for decision in &before {
        let share = if of_candidate(decision) { 0.2 } else { 0.8 };
        assert_eq!((decision.policy.as_str(), decision.propensity), ("canary", share));
        let others: Vec<&str> = decision.models[1..].iter().map(|choice| choice.provider.as_str()).collect();
        // A call of the baseline's falls back to anybody but the candidate.
        assert_eq!(others, if of_candidate(decision) { vec!["small", "middle"] } else { vec!["middle"] });
    }
    // 80 expected in the first stage, which ends when there are 40.
    let answered = converse(&world, 0).await;
    assert!((40..400).contains(&answered), "{answered}");
    converse(&world, 400).await;
    assert_eq!(converse(&world, 800).await, 400, "promoted");
    for (session, before) in before.iter().enumerate() {
        let after = decided(&session.to_string());
        assert!(of_candidate(&after), "whoever had the candidate {before:?} keeps it");
        assert_eq!((after.propensity, after.models.len()), (1.0, 3));
    }
    let (moves, calls): (Vec<_>, Vec<_>) =
        world.events.drain().into_iter().partition(|event| event.event_type.starts_with("canary."));
    assert!(calls.iter().all(|event| event.payload["decision"]["policy"] == "canary"));
    let of = |stage: u32, percent: u32, state: &str| {
        json!({
            "route": "next", "state": state, "stage": stage, "stages": 3, "percent": percent,
            "baseline": {"provider": "small", "model": "small-1"},
            "candidate": {"provider": "large", "model": "large-1"},
        })
    };
    let told: Vec<_> = moves.iter().map(|event| (event.event_type, event.payload.clone())).collect();
    let advanced = "canary.advanced";
    assert_eq!(told, [(advanced, of(2, 50, "staged")), (advanced, of(3, 100, "promoted"))], "each once");
    assert!(moves.iter().all(|event| event.metadata.correlation_id == *world.ctx.request_id));
    assert_eq!(json!(world.ai.canaries()), json!([of(3, 100, "promoted")]));
}

#[tokio::test]
async fn a_candidate_that_fails_is_taken_back_and_its_callers_are_answered() {
    let failing: Arc<dyn Provider> = Arc::new(MemoryProvider::new("large", "large-1", |_| {
        Err(Error::new(ErrorKind::Unavailable, "ai.chat", "down"))
    }));
    let world = world_of(
        &format!("retry.max_retries = 0\nbreaker.failures = 100\nbreaker.rate_percent = 0\n{CANARY}"),
        Some(failing),
    );
    assert_eq!(world.ai.canaries()[0].state, CanaryState::Staged);
    assert_eq!(converse(&world, 0).await, 0, "whoever the candidate fails is answered by the baseline");
    let events = world.events.drain();
    let moves: Vec<_> = events.iter().filter(|event| event.event_type.starts_with("canary.")).collect();
    assert_eq!(moves.iter().map(|event| event.event_type).collect::<Vec<_>>(), ["canary.rolled_back"]);
    let now = world.ai.canaries().remove(0);
    assert_eq!(moves[0].payload, json!(now));
    assert_eq!((now.state, now.stage, now.percent), (CanaryState::RolledBack, 1, 0));
    let why = now.reason.unwrap();
    assert!(why.contains("calls failed, of the baseline 0 of"), "{why}");
    let asked = events.iter().filter(|event| event.payload["attempts"][0]["provider"] == "large").count();
    assert!((5..=20).contains(&asked), "asked {asked} times before it was taken back");
    let shown = world.ai.route(&world.ctx, &named("next", "Hi")).unwrap();
    assert!(shown.reason.contains("rolled back"), "{}", shown.reason);
    assert!(shown.models.iter().all(|choice| choice.provider != "large"), "not even as a fallback");
}
