//! The layers together, around providers that do what each test says.
#![allow(clippy::unwrap_used)] // Helpers of tests are no tests to clippy.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt};
use proptest::prelude::*;
use xynergy_core::client::{AiClient, AiParts};
use xynergy_core::config::{AiConfig, PriceConfig, ProviderConfig, RateLimit, RatePreset};
use xynergy_core::env::{ManualClock, MemoryEvents, SeededEntropy};
use xynergy_core::layers::BreakerState;
use xynergy_core::provider::{
    AttemptStatus, Capability, ChatChunk, ChatRequest, ChatResponse, ChatStream, FinishReason,
    GenerateRequest, Outcome, Provider, Usage,
};
use xynergy_core::spend::{LimitScope, SpendLimit, Window, Zone};
use xynergy_core::{Ctx, Env, Error, ErrorKind, Result, Retry, TenantId, Timestamp};

type Step = Box<dyn Fn(&ChatRequest) -> Result<ChatResponse> + Send + Sync>;
type StreamStep = Vec<Result<ChatChunk>>;

/// Answers by its script, then with its name.
struct Scripted {
    name: &'static str,
    steps: Mutex<VecDeque<Step>>,
    streams: Mutex<VecDeque<StreamStep>>,
    calls: AtomicU32,
    /// How often a call waits for its task to be polled again.
    pauses: u32,
    hangs: bool,
}

impl std::fmt::Debug for Scripted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

fn provider(name: &'static str) -> Scripted {
    Scripted {
        name,
        steps: Mutex::default(),
        streams: Mutex::default(),
        calls: AtomicU32::new(0),
        pauses: 0,
        hangs: false,
    }
}

impl Scripted {
    fn step(self, step: impl Fn(&ChatRequest) -> Result<ChatResponse> + Send + Sync + 'static) -> Self {
        self.steps.lock().unwrap().push_back(Box::new(step));
        self
    }

    fn fails(mut self, times: usize, kind: ErrorKind, retry: Retry) -> Self {
        for _ in 0..times {
            self = self.step(move |_| Err(Error::new(kind, "ai.chat", "as scripted").with_retry(retry)));
        }
        self
    }

    fn streams(self, chunks: StreamStep) -> Self {
        self.streams.lock().unwrap().push_back(chunks);
        self
    }

    fn calls(&self) -> u32 {
        self.calls.load(Ordering::SeqCst)
    }

    async fn wait(&self) {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.hangs {
            std::future::pending::<()>().await;
        }
        for _ in 0..self.pauses {
            tokio::task::yield_now().await;
        }
    }
}

fn answer(model: &str, text: &str) -> ChatResponse {
    let mut response = ChatResponse::text(model, text);
    response.usage = Some(Usage::new(10, 20));
    response
}

fn cut(text: &str) -> ChatResponse {
    let mut response = answer("m", text);
    response.choices[0].finish_reason = Some(FinishReason::Length);
    response
}

#[async_trait]
impl Provider for Scripted {
    fn name(&self) -> &str {
        self.name
    }

    fn capability(&self) -> Capability {
        Capability::all("m")
    }

    async fn chat(&self, _ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        self.wait().await;
        let step = self.steps.lock().unwrap().pop_front();
        step.map_or_else(|| Ok(answer("m", self.name)), |step| step(request))
    }

    async fn stream(&self, _ctx: &Ctx, _request: &ChatRequest) -> Result<ChatStream> {
        self.wait().await;
        let chunks =
            self.streams.lock().unwrap().pop_front().unwrap_or_else(|| {
                vec![Ok(ChatChunk::text(self.name)), Ok(ChatChunk::end(FinishReason::Stop))]
            });
        let pauses = self.pauses;
        Ok(futures_util::stream::iter(chunks)
            .then(move |chunk| async move {
                for _ in 0..pauses {
                    tokio::task::yield_now().await;
                }
                chunk
            })
            .boxed())
    }
}

struct World {
    ai: AiClient,
    ctx: Ctx,
    clock: Arc<ManualClock>,
    events: Arc<MemoryEvents>,
    providers: Vec<Arc<Scripted>>,
}

const NANO_PER_CALL: u64 = 1_000;

/// Every provider costs the same, so that sums are easy.
fn world(providers: Vec<Scripted>, change: impl Fn(&mut AiConfig)) -> World {
    let mut config = AiConfig::default();
    for provider in &providers {
        let price = PriceConfig { per_request_nano_usd: Some(NANO_PER_CALL), ..PriceConfig::default() };
        let entry =
            ProviderConfig { kind: "scripted".into(), price: Some(price), ..ProviderConfig::default() };
        config.providers.insert(provider.name.to_owned(), entry);
    }
    change(&mut config);
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_700_000_000_000)));
    let events = Arc::new(MemoryEvents::default());
    let env = Env {
        clock: Arc::clone(&clock) as _,
        entropy: Arc::new(SeededEntropy::new(7)),
        events: Arc::clone(&events) as _,
    };
    let providers: Vec<Arc<Scripted>> = providers.into_iter().map(Arc::new).collect();
    let parts = AiParts::new(providers.iter().map(|provider| Arc::clone(provider) as _).collect());
    let ai = AiClient::new(config, parts).unwrap();
    World { ai, ctx: Ctx::new(&env, TenantId::default()), clock, events, providers }
}

impl World {
    async fn settled_and_reserved(&self) -> (u64, u64) {
        let spend = self.ai.spend(&self.ctx, None).await.unwrap();
        (spend.cost_nano_usd, spend.reserved_nano_usd)
    }

    async fn limit(&self, amount_nano_usd: u64) {
        let limit = SpendLimit {
            scope: LimitScope::Tenant,
            window: Window::Day,
            zone: Zone::UTC,
            amount_nano_usd,
            hard: true,
        };
        self.ai.set_limit(&self.ctx, limit).await.unwrap();
    }
}

fn now() -> Retry {
    Retry::After(Duration::ZERO)
}

#[tokio::test]
async fn a_simple_prompt_goes_to_the_cheapest_and_is_told_whole() {
    let world = world(vec![provider("openai"), provider("internal"), provider("abacus")], |_| {});
    let generation = world.ai.generate(&world.ctx, GenerateRequest::new("Hello!")).await.unwrap();
    assert_eq!((generation.text.as_str(), generation.provider.as_str()), ("internal", "internal"));
    assert_eq!((generation.cost_nano_usd, generation.tokens_used), (Some(NANO_PER_CALL), 30));
    assert_eq!(generation.token_optimization.optimized_limit, 256);
    assert_eq!((generation.routed_via.as_str(), generation.outcome), ("complexity", Outcome::Complete));
    assert_eq!(generation.request_id, *world.ctx.request_id);

    let events = world.events.drain();
    assert_eq!(events.len(), 1);
    let payload = &events[0].payload;
    assert_eq!(
        (&payload["provider"], &payload["cost_nano_usd"]),
        (&"internal".into(), &NANO_PER_CALL.into())
    );
    assert!(payload["decision"]["reason"].as_str().unwrap().contains("1000 points"));
    assert!(!payload.to_string().contains("Hello"), "no prompt in an event");
}

#[tokio::test(start_paused = true)]
async fn what_falls_back_and_what_does_not() {
    for (kind, retry, moves) in [
        (ErrorKind::Unauthorized, Retry::Never, true),
        (ErrorKind::Throttled, Retry::After(Duration::from_secs(1)), true),
        (ErrorKind::Throttled, Retry::Never, true),
        (ErrorKind::Timeout, now(), true),
        (ErrorKind::Unavailable, Retry::Never, true),
        (ErrorKind::Rejected, Retry::Never, false),
        (ErrorKind::ContextTooLong, Retry::Never, false),
        (ErrorKind::ContentFiltered, Retry::Never, false),
    ] {
        let world = world(vec![provider("internal").fails(1, kind, retry), provider("openai")], |_| {});
        let outcome = world.ai.chat(&world.ctx, "Hi".into()).await;
        assert_eq!(world.providers[0].calls(), 1, "{kind} is not repeated in place");
        assert_eq!(world.providers[1].calls(), u32::from(moves), "{kind}");
        if moves {
            let report = outcome.unwrap().report;
            assert_eq!(report.provider, "openai");
            let statuses: Vec<AttemptStatus> = report.attempts.iter().map(|attempt| attempt.status).collect();
            assert_eq!(statuses, [AttemptStatus::Failed, AttemptStatus::Answered]);
            assert_eq!(report.attempts[0].error.as_deref(), Some(kind.as_str()));
            assert_eq!(world.settled_and_reserved().await, (NANO_PER_CALL, 0));
        } else {
            assert_eq!(outcome.unwrap_err().kind(), kind);
            assert_eq!(world.settled_and_reserved().await, (0, 0));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn temporary_faults_are_repeated_within_the_budget() {
    let world = world(vec![provider("internal").fails(3, ErrorKind::Unavailable, now())], |config| {
        config.breaker.failures = 1_000;
        config.breaker.rate_percent = 0;
    });
    assert_eq!(world.ai.chat(&world.ctx, "Hi".into()).await.unwrap().report.attempts.len(), 4);

    let down = provider("internal").fails(1_000, ErrorKind::Unavailable, now());
    let world = world_of_one(down);
    for number in 0..100 {
        let error = world.ai.chat(&world.ctx, format!("Hi {number}").as_str().into()).await.unwrap_err();
        assert_eq!(error.retry(), Retry::Exhausted);
    }
    // Ten retries to start with, and twenty for a hundred requests.
    assert!((125..=130).contains(&world.providers[0].calls()), "{}", world.providers[0].calls());
}

fn world_of_one(scripted: Scripted) -> World {
    world(vec![scripted], |config| {
        config.breaker.failures = 1_000;
        config.breaker.rate_percent = 0;
    })
}

#[tokio::test(start_paused = true)]
async fn the_last_model_waits_for_its_throttle() {
    let throttled = provider("internal").fails(1, ErrorKind::Throttled, Retry::After(Duration::from_secs(2)));
    let world = world_of_one(throttled);
    let started = tokio::time::Instant::now();
    world.ai.chat(&world.ctx, "Hi".into()).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_hanging_provider_is_left_and_a_deadline_ends_all() {
    let hanging = Scripted { hangs: true, ..provider("internal") };
    let world_a = world(vec![hanging, provider("openai")], |_| {});
    let response = world_a.ai.chat(&world_a.ctx, "Hi".into()).await.unwrap();
    assert_eq!(response.report.provider, "openai");
    assert_eq!(response.report.attempts[0].error.as_deref(), Some("timeout"));

    let hanging = Scripted { hangs: true, ..provider("internal") };
    let world_b = world(vec![hanging], |config| config.timeouts.attempt_ms = 60_000);
    let started = tokio::time::Instant::now();
    let error = world_b.ai.chat(&world_b.ctx, "Hi".into()).await.unwrap_err();
    assert_eq!((error.kind(), started.elapsed()), (ErrorKind::Timeout, Duration::from_secs(30)));
    assert_eq!(world_b.settled_and_reserved().await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_breaker_opens_per_tenant_and_closes_by_probes() {
    let world = world(
        vec![provider("internal").fails(5, ErrorKind::Unavailable, Retry::Never), provider("openai")],
        |config| config.cache.enabled = false,
    );
    for _ in 0..6 {
        world.ai.chat(&world.ctx, "Hi".into()).await.unwrap();
    }
    assert_eq!(world.providers[0].calls(), 5, "the sixth did not reach it");
    let breakers = world.ai.breakers(&world.ctx);
    assert_eq!((breakers[0].provider.as_str(), breakers[0].state), ("internal", BreakerState::Open));

    let mut other = world.ctx.clone();
    other.tenant = TenantId::new("other").unwrap();
    world.ai.chat(&other, "Hi".into()).await.unwrap();
    assert_eq!(world.providers[0].calls(), 6, "another tenant has a breaker of its own");

    world.clock.advance(Duration::from_secs(60));
    for _ in 0..3 {
        world.ai.chat(&world.ctx, "Hi".into()).await.unwrap();
    }
    assert_eq!(world.ai.breakers(&world.ctx)[0].state, BreakerState::Closed);
}

#[tokio::test]
async fn hits_are_free_expire_and_never_cross_a_tenant() {
    let world = world(vec![provider("internal")], |_| {});
    let ask = |ctx: Ctx, prompt: &'static str| {
        let ai = world.ai.clone();
        async move { ai.generate(&ctx, GenerateRequest::new(prompt)).await.unwrap() }
    };
    let mut other = world.ctx.clone();
    other.tenant = TenantId::new("other").unwrap();

    assert!(!ask(world.ctx.clone(), "Hi").await.cache_hit);
    let hit = ask(world.ctx.clone(), "Hi").await;
    assert_eq!(
        (hit.cache_hit, hit.cost_nano_usd, hit.cost, hit.routed_via.as_str()),
        (true, Some(0), Some(0.0), "cache")
    );
    assert!(!ask(other.clone(), "Hi").await.cache_hit, "a hit crossed a tenant");
    assert_eq!(world.settled_and_reserved().await, (NANO_PER_CALL, 0));
    let stats = world.ai.cache_stats(&world.ctx);
    assert_eq!((stats.hits, stats.misses, stats.hit_rate.to_string().as_str()), (1, 1, "50"));

    let bypass = GenerateRequest { cache: Some(false), ..GenerateRequest::new("Hi") };
    assert!(!world.ai.generate(&world.ctx, bypass).await.unwrap().cache_hit);
    assert_eq!(world.ai.cache_invalidate(&world.ctx, Some("internal/*")).await.unwrap(), 1);
    assert!(!ask(world.ctx.clone(), "Hi").await.cache_hit);
    assert!(ask(other, "Hi").await.cache_hit, "an invalidation crossed a tenant");

    world.clock.advance(Duration::from_secs(3_600));
    assert!(!ask(world.ctx.clone(), "Hi").await.cache_hit, "it lived longer than an hour");
}

#[tokio::test]
async fn truncated_answers_are_not_kept() {
    let world = world(vec![provider("internal").step(|_| Ok(cut("half"))).step(|_| Ok(cut("half")))], |_| {});
    for _ in 0..2 {
        let request = ChatRequest { max_tokens: Some(5), ..ChatRequest::prompt("Hi") };
        let response = world.ai.chat(&world.ctx, request).await.unwrap();
        assert_eq!((response.outcome, response.report.cache_hit), (Outcome::Truncated, false));
    }
}

#[tokio::test]
async fn equal_requests_in_flight_are_sent_once() {
    let slow = Scripted { pauses: 10, ..provider("internal") };
    let world = world(vec![slow], |_| {});
    let calls = (0..20).map(|_| world.ai.chat(&world.ctx, "Hi".into()));
    let answers = futures_util::future::join_all(calls).await;
    assert_eq!(world.providers[0].calls(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.as_ref().unwrap().report.cache_hit).count(), 19);
}

#[tokio::test]
async fn a_dropped_leader_strands_nobody() {
    let slow = Scripted { pauses: 10, ..provider("internal") };
    let world = world(vec![slow], |_| {});
    let mut leader = Box::pin(world.ai.chat(&world.ctx, "Hi".into()));
    assert!((&mut leader).now_or_never().is_none());
    let mut follower = Box::pin(world.ai.chat(&world.ctx, "Hi".into()));
    assert!((&mut follower).now_or_never().is_none());
    drop(leader);
    assert!(!follower.await.unwrap().report.cache_hit);
    assert_eq!(world.providers[0].calls(), 2);
    assert_eq!(world.settled_and_reserved().await, (NANO_PER_CALL, 0));
}

#[tokio::test]
async fn a_cut_by_our_limit_is_not_seen_and_a_users_limit_is_obeyed() {
    let cutting = provider("internal")
        .step(|request| {
            assert_eq!(request.token_limit(), Some(256));
            Ok(cut("half"))
        })
        .step(|request| {
            assert_eq!(request.token_limit(), None);
            Ok(answer("m", "the whole answer"))
        })
        .step(|request| {
            assert_eq!(request.token_limit(), Some(300));
            Ok(cut("as the user wished"))
        });
    let world = world(vec![cutting], |_| {});
    let generation = world.ai.generate(&world.ctx, GenerateRequest::new("Hi")).await.unwrap();
    assert_eq!((generation.text.as_str(), generation.outcome), ("the whole answer", Outcome::Complete));
    assert!(generation.continued);
    assert_eq!((generation.cost_nano_usd, generation.tokens_used), (Some(2 * NANO_PER_CALL), 60));
    assert_eq!(world.settled_and_reserved().await, (2 * NANO_PER_CALL, 0));

    let own = GenerateRequest { max_tokens: Some(300), ..GenerateRequest::new("Hi") };
    let generation = world.ai.generate(&world.ctx, own).await.unwrap();
    assert_eq!((generation.outcome, generation.continued), (Outcome::Truncated, false));
    assert_eq!(generation.token_optimization.optimized_limit, 300);
}

#[tokio::test]
async fn a_hard_limit_refuses_and_says_until_when() {
    let world = world(vec![provider("internal")], |config| config.cache.enabled = false);
    world.limit(2 * NANO_PER_CALL).await;
    for _ in 0..2 {
        world.ai.chat(&world.ctx, "Hi".into()).await.unwrap();
    }
    let error = world.ai.chat(&world.ctx, "Hi".into()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert!(matches!(error.retry(), Retry::After(wait) if !wait.is_zero()));
    assert_eq!(world.providers[0].calls(), 2, "nothing was sent");
}

#[tokio::test]
async fn an_unknown_price_is_told_and_refused_under_a_hard_limit() {
    let world = world(vec![provider("other"), provider("internal")], |config| {
        config.cache.enabled = false;
        config.order.simple = vec!["other".into()];
        if let Some(other) = config.providers.get_mut("other") {
            other.price = None;
        }
    });
    let response = world.ai.chat(&world.ctx, "Hi".into()).await.unwrap();
    assert_eq!((response.report.provider.as_str(), response.report.cost_nano_usd), ("other", None));
    assert_eq!(world.ai.spend(&world.ctx, None).await.unwrap().unpriced_requests, 1);

    world.limit(100 * NANO_PER_CALL).await;
    let response = world.ai.chat(&world.ctx, "Hi".into()).await.unwrap();
    assert_eq!(response.report.provider, "internal", "only the priced one is asked");
    let named = ChatRequest { model: "other".into(), ..ChatRequest::prompt("Hi") };
    let error = world.ai.chat(&world.ctx, named).await.unwrap_err();
    assert!(error.message().contains("price of other/m"), "{error}");
}

#[tokio::test]
async fn bad_input_reserves_and_sends_nothing() {
    let world = world(vec![provider("internal")], |config| config.max_prompt_bytes = 100);
    let long = "x".repeat(101);
    for request in [
        ChatRequest::prompt(""),
        ChatRequest::prompt(long),
        ChatRequest { model: "gpt-9".into(), ..ChatRequest::prompt("Hi") },
    ] {
        assert_eq!(world.ai.chat(&world.ctx, request).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    assert_eq!(world.providers[0].calls(), 0);
    assert_eq!(world.settled_and_reserved().await, (0, 0));
}

async fn read(stream: ChatStream) -> (String, Vec<ChatChunk>, Option<Error>) {
    let (mut text, mut chunks, mut failed) = (String::new(), Vec::new(), None);
    for item in stream.collect::<Vec<_>>().await {
        match item {
            Ok(chunk) => {
                let mut seen = xynergy_core::provider::Assembler::default();
                seen.push(&chunk);
                text.push_str(&seen.response().first_text());
                chunks.push(chunk);
            }
            Err(error) => failed = Some(error),
        }
    }
    (text, chunks, failed)
}

#[tokio::test(start_paused = true)]
async fn a_stream_falls_back_before_its_first_output_only() {
    let broken = || Err(Error::new(ErrorKind::Unavailable, "ai.chat", "cut"));
    let early = provider("internal").streams(vec![Ok(ChatChunk::text("")), broken()]);
    let world_a = world(vec![early, provider("openai")], |config| config.retry.max_retries = 0);
    let (text, chunks, failed) = read(world_a.ai.stream(&world_a.ctx, "Hi".into()).await.unwrap()).await;
    assert_eq!((text.as_str(), failed.is_none()), ("openai", true));
    let last = chunks.last().unwrap();
    assert_eq!(last.outcome, Some(Outcome::Complete));
    let report = last.report.as_ref().unwrap();
    assert_eq!((report.provider.as_str(), report.cost_nano_usd), ("openai", Some(NANO_PER_CALL)));
    assert_eq!((report.usage_estimated, report.attempts.len()), (true, 2));

    let late = provider("internal").streams(vec![Ok(ChatChunk::text("half")), broken()]);
    let world_b = world(vec![late, provider("openai")], |_| {});
    let (text, chunks, failed) = read(world_b.ai.stream(&world_b.ctx, "Hi".into()).await.unwrap()).await;
    let failed = failed.unwrap();
    assert_eq!((text.as_str(), failed.kind()), ("half", ErrorKind::Unavailable));
    assert_eq!(failed.partial_text(), Some("half"));
    assert!(!format!("{failed} {failed:?}").contains("half"));
    let last = chunks.last().unwrap();
    assert_eq!(last.outcome, Some(Outcome::Errored), "nobody calls it complete");
    let report = last.report.as_ref().unwrap();
    assert_eq!((report.partial_text.as_deref(), report.cost_nano_usd), (Some("half"), Some(NANO_PER_CALL)));
    assert_eq!(world_b.providers[1].calls(), 0);
    assert_eq!(world_b.settled_and_reserved().await, (NANO_PER_CALL, 0));
}

#[tokio::test]
async fn a_stream_without_an_end_is_an_error_and_not_kept() {
    let endless = || vec![Ok(ChatChunk::text("half"))];
    let world = world(vec![provider("internal").streams(endless()).streams(endless())], |_| {});
    for _ in 0..2 {
        let (_, _, failed) = read(world.ai.stream(&world.ctx, "Hi".into()).await.unwrap()).await;
        assert!(failed.unwrap().message().contains("without a finish reason"));
    }
    assert_eq!(world.providers[0].calls(), 2);
    let performance = world.ai.performance();
    assert_eq!((performance.request_count, performance.error_count), (2, 2), "a broken stream is an error");
}

#[tokio::test]
async fn a_complete_stream_is_replayed() {
    let world = world(vec![provider("internal")], |_| {});
    let first = read(world.ai.stream(&world.ctx, "Hi".into()).await.unwrap()).await;
    let again = read(world.ai.stream(&world.ctx, "Hi".into()).await.unwrap()).await;
    assert_eq!(first.0, again.0);
    let report = again.1.last().unwrap().report.clone().unwrap();
    assert_eq!((report.cache_hit, report.cost_nano_usd), (true, Some(0)));
    assert_eq!(world.providers[0].calls(), 1);
    assert!(
        !world.ai.chat(&world.ctx, "Hi".into()).await.unwrap().report.cache_hit,
        "whole and streamed share nothing"
    );
}

#[tokio::test]
async fn a_dropped_call_sends_its_event() {
    let world = world(vec![Scripted { hangs: true, ..provider("internal") }], |_| {});
    let call = world.ai.chat(&world.ctx, "Hi".into());
    assert!(call.now_or_never().is_none());
    let events = world.events.drain();
    assert_eq!((events.len(), &events[0].payload["outcome"]), (1, &"cancelled".into()));
    assert_eq!(world.settled_and_reserved().await, (0, 0));
    assert_eq!(world.ai.performance().request_count, 0, "it came to no end");
}

#[tokio::test]
async fn rate_limits_apply_when_configured() {
    let world = world(vec![provider("internal")], |config| {
        config.cache.enabled = false;
        config.rate_limit = Some(RateLimit::Preset(RatePreset::Expensive));
    });
    for _ in 0..10 {
        world.ai.chat(&world.ctx, "Hi".into()).await.unwrap();
    }
    let error = world.ai.chat(&world.ctx, "Hi".into()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Throttled);
    assert!(matches!(error.retry(), Retry::After(wait) if wait <= Duration::from_secs(6)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Calls and streams, dropped at any point, failing or not, against one cap: it holds at every step, and at rest nothing is
    /// reserved.
    #[test]
    fn money_is_conserved_whenever_calls_are_dropped(
        calls in proptest::collection::vec((any::<bool>(), 0_usize..30, 0_u8..4), 1..40),
        cap in 0_u64..20,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut slow = Scripted { pauses: 3, ..provider("internal") };
            for (_, _, fate) in &calls {
                slow = match fate {
                    0 => slow.fails(1, ErrorKind::Unavailable, Retry::Never).streams(vec![Ok(ChatChunk::text("half"))]),
                    1 => slow.fails(1, ErrorKind::Rejected, Retry::Never).streams(vec![]),
                    _ => slow.step(|_| Ok(answer("m", "whole"))),
                };
            }
            let world = world(vec![slow, provider("openai")], |config| {
        config.breaker.failures = 1_000;
        config.breaker.rate_percent = 0;
    });
            let cap = cap * NANO_PER_CALL;
            world.limit(cap).await;
            let mut flying = Vec::new();
            for (number, (stream, polls, _)) in calls.iter().enumerate() {
                // Some share a prompt, so that leaders with followers are dropped as well.
                let (ai, ctx, prompt) = (world.ai.clone(), world.ctx.clone(), format!("Hi {}", number / 2));
                let call = if *stream {
                    async move {
                        if let Ok(stream) = ai.stream(&ctx, prompt.as_str().into()).await {
                            stream.for_each(|_| async {}).await;
                        }
                    }.boxed()
                } else {
                    async move { drop(ai.chat(&ctx, prompt.as_str().into()).await) }.boxed()
                };
                flying.push((call, *polls));
            }
            while !flying.is_empty() {
                for (mut call, polls) in std::mem::take(&mut flying) {
                    if (&mut call).now_or_never().is_none() && polls > 0 {
                        flying.push((call, polls - 1));
                    }
                    let (settled, reserved) = world.settled_and_reserved().await;
                    prop_assert!(settled + reserved <= cap, "{} + {} > {}", settled, reserved, cap);
                }
                tokio::task::yield_now().await;
            }
            prop_assert_eq!(world.settled_and_reserved().await.1, 0);
            Ok(())
        })?;
    }
}
