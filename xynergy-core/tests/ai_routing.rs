//! Routes with strategies, policies and context windows, through the whole client.
#![allow(clippy::unwrap_used)] // Helpers of tests are no tests to clippy.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use xynergy_core::client::{AiClient, AiParts};
use xynergy_core::config::AiConfig;
use xynergy_core::env::{MemoryEvents, SeededEntropy};
use xynergy_core::provider::{CallOptions, ChatRequest, MemoryProvider, Provider};
use xynergy_core::{Ctx, Env, ErrorKind, TenantId};

struct World {
    ai: AiClient,
    ctx: Ctx,
    events: Arc<MemoryEvents>,
    calls: Arc<AtomicU32>,
}

/// Providers that answer with their names, at 1, 2 and 3 thousandths of a dollar a request.
fn world(text: &str) -> World {
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
