//! Requests and tokens a minute, through the whole client.
#![allow(clippy::unwrap_used)] // Helpers of tests are no tests to clippy.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use xynergy_core::client::{AiClient, AiParts};
use xynergy_core::config::{AiConfig, ProviderConfig, RateFigures, RateLimit};
use xynergy_core::env::ManualClock;
use xynergy_core::provider::{
    AttemptStatus, Capability, ChatChunk, ChatRequest, ChatResponse, ChatStream, ChunkChoice, FinishReason,
    Provider, Usage,
};
use xynergy_core::{Ctx, Env, Error, ErrorKind, Result, Retry, TenantId};

/// Answers with this usage, or fails.
#[derive(Debug)]
struct Model {
    name: &'static str,
    used: u64,
    fails: AtomicBool,
    calls: AtomicU64,
}

fn model(name: &'static str, used: u64) -> Arc<Model> {
    Arc::new(Model { name, used, fails: AtomicBool::default(), calls: AtomicU64::default() })
}

impl Model {
    fn begin(&self) -> Result<()> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.fails.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Rejected, "ai.chat", "as told"));
        }
        Ok(())
    }
}

#[async_trait]
impl Provider for Model {
    fn name(&self) -> &str {
        self.name
    }

    fn capability(&self) -> Capability {
        Capability::all("m")
    }

    async fn chat(&self, _ctx: &Ctx, _request: &ChatRequest) -> Result<ChatResponse> {
        self.begin()?;
        Ok(ChatResponse { usage: Some(Usage::new(self.used, 0)), ..ChatResponse::text("m", self.name) })
    }

    async fn stream(&self, _ctx: &Ctx, _request: &ChatRequest) -> Result<ChatStream> {
        self.begin()?;
        let piece = |text: &str| Ok(ChatChunk::text(text));
        let mut chunks = vec![piece("one two three four"), piece(" five six seven eight")];
        let stop = ChunkChoice { finish_reason: Some(FinishReason::Stop), ..ChunkChoice::default() };
        chunks.push(Ok(ChatChunk { choices: vec![stop], ..ChatChunk::default() }));
        chunks.push(Ok(ChatChunk { usage: Some(Usage::new(self.used, 0)), ..ChatChunk::default() }));
        Ok(futures_util::stream::iter(chunks).boxed())
    }
}

struct World {
    ai: AiClient,
    ctx: Ctx,
    clock: Arc<ManualClock>,
}

fn world(models: &[Arc<Model>], settings: impl FnOnce(&mut AiConfig)) -> World {
    let mut config = AiConfig::default();
    config.cache.enabled = false;
    config.order.simple = models.iter().map(|model| model.name.to_owned()).collect();
    settings(&mut config);
    let clock = Arc::new(ManualClock::new("2026-03-01T12:00:00Z".parse().unwrap()));
    let env = Env { clock: clock.clone(), ..Env::default() };
    let parts = AiParts::new(models.iter().map(|model| model.clone() as Arc<dyn Provider>).collect());
    World { ai: AiClient::new(config, parts).unwrap(), ctx: Ctx::new(&env, TenantId::default()), clock }
}

fn tokens(per_minute: u32) -> Option<RateLimit> {
    Some(RateLimit::Figures(RateFigures { requests_per_minute: None, tokens_per_minute: Some(per_minute) }))
}

/// A request with this limit of its answer, whose prompt has about ten tokens.
fn request(answer: u32) -> ChatRequest {
    ChatRequest::prompt("Hi").with_token_limit(Some(answer))
}

impl World {
    async fn passes(&self, answer: u32) -> bool {
        match self.ai.chat(&self.ctx, request(answer)).await {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Throttled, "{error}");
                false
            }
        }
    }
}

#[tokio::test]
async fn tokens_are_taken_by_estimate_and_corrected_by_usage() {
    let model = model("openai", 100);
    let world = world(std::slice::from_ref(&model), |config| config.rate_limit = tokens(1_000));
    // Each reserves about 510 and uses 100, so that a fifth one fits and a sixth does not.
    let mut passed = 0;
    while world.passes(500).await {
        passed += 1;
    }
    assert_eq!(passed, 5);
    let error = world.ai.chat(&world.ctx, request(500)).await.unwrap_err();
    let Retry::After(wait) = error.retry() else { panic!("{error}") };
    assert!(error.message().contains("1000 tokens a minute"), "{error}");
    assert!(wait > Duration::ZERO && wait < Duration::from_secs(5), "{wait:?}");
    world.clock.advance(wait);
    assert!(world.passes(500).await, "it was told to wait so long");
    assert!(!world.passes(500).await);
    assert_eq!(model.calls.load(Ordering::SeqCst), 6, "who is refused is not asked for");
}

#[tokio::test]
async fn more_than_was_expected_is_taken_afterwards() {
    let world = world(&[model("openai", 1_500)], |config| config.rate_limit = tokens(1_000));
    assert!(world.passes(10).await);
    let error = world.ai.chat(&world.ctx, request(10)).await.unwrap_err();
    assert!(matches!(error.retry(), Retry::After(wait) if wait > Duration::from_secs(30)), "{error:?}");
}

#[tokio::test]
async fn a_failed_call_used_no_tokens() {
    let model = model("openai", 100);
    model.fails.store(true, Ordering::SeqCst);
    let world = world(std::slice::from_ref(&model), |config| config.rate_limit = tokens(1_000));
    for stream in [false, true].repeat(10) {
        let error = if stream {
            world.ai.stream(&world.ctx, request(900)).await.err().unwrap()
        } else {
            world.ai.chat(&world.ctx, request(900)).await.unwrap_err()
        };
        assert_eq!(error.kind(), ErrorKind::Rejected);
    }
}

#[tokio::test]
async fn a_stream_is_corrected_at_its_end_and_when_it_is_dropped() {
    let world = world(&[model("openai", 100)], |config| config.rate_limit = tokens(1_000));
    for _ in 0..5 {
        let stream = world.ai.stream(&world.ctx, request(500)).await.unwrap();
        assert!(!world.passes(500).await, "it is taken while it streams");
        stream.for_each(|chunk| async { drop(chunk.unwrap()) }).await;
    }
    assert!(!world.passes(500).await, "five times 100 are used");
    world.clock.advance(Duration::from_secs(60));
    // Dropped after its first piece, it has used the prompt and that piece.
    for _ in 0..20 {
        let mut stream = world.ai.stream(&world.ctx, request(500)).await.unwrap();
        stream.next().await.unwrap().unwrap();
    }
    let mut passed = 0;
    while passed < 100 && world.ai.stream(&world.ctx, request(500)).await.is_ok() {
        passed += 1;
    }
    assert!((1..60).contains(&passed), "{passed}: nothing was taken for what was dropped, or too much");
}

#[tokio::test]
async fn a_prompt_that_never_fits_is_told_so() {
    let model = model("openai", 100);
    let world = world(std::slice::from_ref(&model), |config| config.rate_limit = tokens(50));
    assert!(world.passes(4_000).await, "a long answer alone is no reason");
    world.clock.advance(Duration::from_secs(180));
    let error = world.ai.chat(&world.ctx, ChatRequest::prompt("word ".repeat(60))).await.unwrap_err();
    assert_eq!(error.retry(), Retry::Never);
    assert!(error.message().contains("ai.rate_limit.tokens_per_minute is 50"), "{error}");
    assert_eq!(model.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_provider_s_limit_sends_to_the_next_and_each_tenant_has_its_own() {
    let (first, second) = (model("internal", 100), model("openai", 100));
    let world = world(&[first.clone(), second.clone()], |config| {
        for name in ["internal", "openai"] {
            let rate_limit = if name == "internal" { tokens(600) } else { None };
            let url = Some("https://somebody.example/v1".to_owned());
            let provider = ProviderConfig { rate_limit, base_url: url, ..ProviderConfig::default() };
            config.providers.insert(name.to_owned(), provider);
        }
    });
    let by = |tenant: &str| Ctx::new(&world.ctx.env, TenantId::new(tenant).unwrap());
    let answered = |response: ChatResponse| (response.first_text(), response.report.attempts);
    let (a, b) = (by("a"), by("b"));
    assert_eq!(answered(world.ai.chat(&a, request(500)).await.unwrap()).0, "internal");
    let (text, attempts) = answered(world.ai.chat(&a, request(500)).await.unwrap());
    assert_eq!((text.as_str(), attempts.len()), ("openai", 2));
    assert_eq!(
        (attempts[0].status, attempts[0].reason.as_deref()),
        (AttemptStatus::Skipped, Some("rate limit"))
    );
    assert_eq!(answered(world.ai.chat(&b, request(500)).await.unwrap()).0, "internal");
    // What never fits there fits elsewhere.
    let long = ChatRequest::prompt("word ".repeat(700));
    assert_eq!(answered(world.ai.chat(&b, long).await.unwrap()).0, "openai");
    assert_eq!((first.calls.load(Ordering::SeqCst), second.calls.load(Ordering::SeqCst)), (2, 2));
}
