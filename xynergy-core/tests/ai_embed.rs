//! Embeddings through all layers, by embedders that do what each test says.
#![allow(clippy::unwrap_used)] // Helpers of tests are no tests to clippy.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use proptest::prelude::*;
use xynergy_core::client::{AiClient, AiParts};
use xynergy_core::config::{AiConfig, PriceConfig, ProviderConfig};
use xynergy_core::embed::{
    EmbedCapability, EmbedRequest, EmbedResponse, Embedder, Embeddings, MemoryEmbedder,
};
use xynergy_core::env::{ManualClock, MemoryEvents, SeededEntropy};
use xynergy_core::provider::{AttemptStatus, CallOptions, MemoryProvider};
use xynergy_core::spend::{LimitScope, SpendLimit, Window, Zone};
use xynergy_core::{Ctx, Env, Error, ErrorKind, Result, Retry, TenantId};

const SMALL: &str = "text-embedding-3-small";

/// The length of the text, and what tells texts of one length apart.
fn vector(text: &str) -> Vec<f32> {
    vec![f32::from(u16::try_from(text.len()).unwrap()), f32::from(text.as_bytes()[0]), 1.0]
}

fn answer(request: &EmbedRequest) -> Result<EmbedResponse> {
    let tokens = request.input.iter().map(|text| text.len() as u64).sum();
    Ok(EmbedResponse {
        vectors: request.input.iter().map(|text| vector(text)).collect(),
        tokens: Some(tokens),
    })
}

fn well(name: &str) -> MemoryEmbedder {
    MemoryEmbedder::new(name, SMALL, answer)
}

fn failing(name: &str, kind: ErrorKind, retry: Retry, times: u32) -> (MemoryEmbedder, Arc<AtomicU32>) {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let embedder = MemoryEmbedder::new(name, SMALL, move |request| {
        if counted.fetch_add(1, Ordering::SeqCst) < times {
            return Err(Error::new(kind, "ai.chat", "as scripted").with_retry(retry));
        }
        answer(request)
    });
    (embedder, calls)
}

struct Bench {
    client: AiClient,
    ctx: Ctx,
    events: Arc<MemoryEvents>,
}

fn bench(config: AiConfig, embedders: Vec<Arc<dyn Embedder>>) -> Bench {
    let events = Arc::new(MemoryEvents::default());
    let env = Env {
        clock: Arc::new(ManualClock::new("2026-03-01T12:00:00Z".parse().unwrap())),
        entropy: Arc::new(SeededEntropy::new(7)),
        events: events.clone(),
    };
    let chat = MemoryProvider::new("chat", "echo-1", |_| Ok("hello".to_owned()));
    let parts = AiParts { embedders, ..AiParts::new(vec![Arc::new(chat)]) };
    Bench { client: AiClient::new(config, parts).unwrap(), ctx: Ctx::new(&env, TenantId::default()), events }
}

impl Bench {
    async fn embed(&self, request: impl Into<EmbedRequest>) -> Result<Embeddings> {
        self.client.embed(&self.ctx, request.into()).await
    }

    async fn reserved(&self) -> u64 {
        self.client.spend(&self.ctx, None).await.unwrap().reserved_nano_usd
    }
}

/// 20 nano-dollars a token.
fn priced(names: &[&str]) -> AiConfig {
    let price = PriceConfig {
        input_per_million_nano_usd: Some(20_000_000),
        output_per_million_nano_usd: Some(0),
        ..PriceConfig::default()
    };
    let provider = |name: &&str| {
        let config = ProviderConfig {
            price: Some(price.clone()),
            base_url: Some("https://x.example/v1".into()),
            model: Some("chat".into()),
            ..ProviderConfig::default()
        };
        ((*name).to_owned(), config)
    };
    AiConfig { providers: names.iter().map(provider).collect(), ..AiConfig::default() }
}

fn hard_cap(amount_nano_usd: u64) -> SpendLimit {
    let (scope, window, zone) = (LimitScope::Tenant, Window::Day, Zone::default());
    SpendLimit { scope, window, zone, amount_nano_usd, hard: true }
}

#[tokio::test]
async fn an_answer_says_who_gave_it_at_what_cost() {
    let bench = bench(priced(&["own"]), vec![Arc::new(well("own"))]);
    let mut request = EmbedRequest::from(["ab", "c"]);
    request.options = CallOptions { tags: ["search".to_owned()].into(), ..CallOptions::default() };
    let told = bench.embed(request).await.unwrap();
    assert_eq!(told.vectors, [vector("ab"), vector("c")]);
    assert_eq!((told.provider.as_str(), told.model.as_str(), told.dimensions), ("own", SMALL, 3));
    assert_eq!((told.tokens_used, told.cost_nano_usd, told.usage_estimated), (3, Some(60), false));
    assert_eq!(told.attempts.len(), 1);
    assert_eq!(told.request_id, &*bench.ctx.request_id);

    let spend = bench.client.spend(&bench.ctx, None).await.unwrap();
    assert_eq!((spend.cost_nano_usd, spend.reserved_nano_usd), (60, 0));
    let events = bench.events.drain();
    assert_eq!(events.len(), 1, "one event a call");
    let payload = &events[0].payload;
    assert_eq!((&payload["operation"], &payload["outcome"]), (&"ai.embed".into(), &"complete".into()));
    assert_eq!((&payload["prompt_tokens"], &payload["cost_nano_usd"]), (&3.into(), &60.into()));
    assert!(!payload.to_string().contains("\"ab\""), "no texts in events");
}

#[tokio::test]
async fn what_is_wrong_is_refused_before_anything_is_sent() {
    let (embedder, calls) = failing("own", ErrorKind::Unexpected, Retry::Never, 0);
    let bench = bench(priced(&["own"]), vec![Arc::new(embedder)]);
    for (request, part) in [
        (EmbedRequest::default(), "input: empty"),
        (EmbedRequest::new(["a", ""]), "input[1]: blank"),
        (EmbedRequest { model: "chat/x".into(), ..EmbedRequest::new(["a"]) }, "\"chat\" does not embed"),
    ] {
        let error = bench.embed(request).await.unwrap_err();
        assert!(error.message().contains(part), "{error}");
        assert_eq!(error.operation(), "ai.embed");
    }
    assert_eq!((calls.load(Ordering::SeqCst), bench.reserved().await), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn faults_are_tried_again_and_then_the_same_model_elsewhere() {
    let now = Retry::After(Duration::ZERO);
    let (flaky, calls) = failing("flaky", ErrorKind::Unavailable, now, 2);
    let bench = bench(priced(&["flaky"]), vec![Arc::new(flaky)]);
    let told = bench.embed(["a"]).await.unwrap();
    assert_eq!((calls.load(Ordering::SeqCst), told.attempts.len()), (3, 3));

    let (dead, _) = failing("dead", ErrorKind::Unauthorized, Retry::Never, u32::MAX);
    let other = MemoryEmbedder::new("a_other_model", "another", answer);
    let bench =
        self::bench(priced(&["dead", "own"]), vec![Arc::new(dead), Arc::new(well("own")), Arc::new(other)]);
    let told = bench.embed(EmbedRequest { model: SMALL.into(), ..EmbedRequest::new(["a"]) }).await.unwrap();
    let ways: Vec<_> = told.attempts.iter().map(|a| (a.provider.as_str(), a.status)).collect();
    assert_eq!(ways, [("dead", AttemptStatus::Failed), ("own", AttemptStatus::Answered)]);
    assert_eq!(bench.reserved().await, 0);
}

#[tokio::test(start_paused = true)]
async fn no_other_model_stands_in() {
    let (dead, _) = failing("dead", ErrorKind::Unavailable, Retry::Never, u32::MAX);
    let other = MemoryEmbedder::new("other", "another", answer);
    let bench = bench(priced(&[]), vec![Arc::new(dead), Arc::new(other)]);
    let error = bench.embed(["a"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{error}");
    let asked = EmbedRequest { model: SMALL.into(), ..EmbedRequest::new(["a"]) };
    assert_eq!(bench.embed(asked).await.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_bad_request_is_not_tried_elsewhere() {
    let (refusing, calls) = failing("a", ErrorKind::Rejected, Retry::Never, u32::MAX);
    let (other, others) = failing("b", ErrorKind::Rejected, Retry::Never, 0);
    let bench = bench(priced(&[]), vec![Arc::new(refusing), Arc::new(other)]);
    assert_eq!(bench.embed(["a"]).await.unwrap_err().kind(), ErrorKind::Rejected);
    assert_eq!((calls.load(Ordering::SeqCst), others.load(Ordering::SeqCst)), (1, 0));
}

#[tokio::test]
async fn an_answer_that_is_none_goes_on_and_is_not_returned() {
    for vectors in [vec![], vec![vec![]], vec![vec![f32::NAN]], vec![vec![1.0], vec![1.0]], vec![vec![0.0]]] {
        let broken = MemoryEmbedder::new("a", SMALL, move |_| {
            Ok(EmbedResponse { vectors: vectors.clone(), tokens: None })
        });
        let alone = bench(priced(&["a"]), vec![Arc::new(broken.clone())]);
        assert_eq!(alone.embed(["x"]).await.unwrap_err().kind(), ErrorKind::Corrupt);
        assert_eq!(alone.reserved().await, 0);
        let bench = bench(priced(&["a", "b"]), vec![Arc::new(broken), Arc::new(well("b"))]);
        assert_eq!(bench.embed(["x"]).await.unwrap().provider, "b");
    }
}

#[tokio::test]
async fn the_dimensions_that_were_asked_for_come_or_it_is_an_error() {
    let mut config = priced(&["own"]);
    config.embeddings.dimensions = Some(2);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let own = MemoryEmbedder::new("own", SMALL, move |request| {
        seen.lock().unwrap().push(request.dimensions);
        answer(request)
    });
    let bench = bench(config, vec![Arc::new(own)]);
    let error = bench.embed(["x"]).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Corrupt && error.message().contains("3 dimensions, not 2"), "{error}");
    let three = EmbedRequest { dimensions: Some(3), ..EmbedRequest::new(["x"]) };
    assert_eq!(bench.embed(three).await.unwrap().dimensions, 3);
    // The configured length is that of the configured model.
    let named = EmbedRequest { model: format!("own/{SMALL}"), ..EmbedRequest::new(["x"]) };
    bench.embed(named).await.unwrap();
    assert_eq!(*asked.lock().unwrap(), [Some(2), Some(3), None]);
}

#[tokio::test]
async fn a_hard_limit_holds_and_an_unpriced_model_is_not_asked_under_it() {
    let bench = bench(priced(&["own"]), vec![Arc::new(well("own"))]);
    bench.client.set_limit(&bench.ctx, hard_cap(100)).await.unwrap();
    let long = "x".repeat(400);
    let error = bench.embed([long]).await.unwrap_err();
    assert_eq!((error.kind(), bench.reserved().await), (ErrorKind::LimitExceeded, 0));

    let unpriced = MemoryEmbedder::new("nobody", "of-my-own", answer);
    let bench = self::bench(priced(&[]), vec![Arc::new(unpriced)]);
    assert_eq!(bench.embed(["x"]).await.unwrap().cost_nano_usd, None);
    bench.client.set_limit(&bench.ctx, hard_cap(1_000_000)).await.unwrap();
    let error = bench.embed(["x"]).await.unwrap_err();
    assert!(error.message().contains("nobody/of-my-own is not known"), "{error}");
}

#[tokio::test]
async fn openais_prices_are_known() {
    let bench = bench(AiConfig::default(), vec![Arc::new(well("openai"))]);
    let told = bench.embed(["x".repeat(1_000)]).await.unwrap();
    assert_eq!(told.cost_nano_usd, Some(20_000), "20 millionths of a dollar for a thousand tokens");
}

#[tokio::test]
async fn rate_limits_and_breakers_are_those_of_the_provider() {
    let mut config = priced(&["own"]);
    config.retry.max_retries = 0;
    let (dead, calls) = failing("own", ErrorKind::Unavailable, Retry::After(Duration::ZERO), u32::MAX);
    let bench = bench(config, vec![Arc::new(dead)]);
    for _ in 0..8 {
        bench.embed(["x"]).await.unwrap_err();
    }
    assert_eq!(calls.load(Ordering::SeqCst), 5, "the breaker opened");
    assert_eq!(bench.client.breakers(&bench.ctx)[0].model, SMALL);

    let limited = toml::from_str::<AiConfig>("rate_limit = { per_minute = 2 }").unwrap();
    let bench = self::bench(limited, vec![Arc::new(well("own"))]);
    bench.embed(["x"]).await.unwrap();
    bench.embed(["x"]).await.unwrap();
    assert_eq!(bench.embed(["x"]).await.unwrap_err().kind(), ErrorKind::Throttled);
}

/// Counts what is in flight, and answers the part that begins with `bad` with an error.
#[derive(Debug, Default)]
struct Slow {
    now: AtomicUsize,
    most: AtomicUsize,
    bad: Option<String>,
}

#[async_trait]
impl Embedder for Slow {
    fn name(&self) -> &str {
        "slow"
    }

    fn capability(&self) -> EmbedCapability {
        EmbedCapability { max_inputs: 3, ..EmbedCapability::new(SMALL) }
    }

    async fn embed(&self, _ctx: &Ctx, request: &EmbedRequest) -> Result<EmbedResponse> {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        // The later parts are faster.
        tokio::time::sleep(Duration::from_millis(1_000 - request.input[0].len() as u64)).await;
        self.now.fetch_sub(1, Ordering::SeqCst);
        if self.bad.as_ref() == request.input.first() {
            return Err(Error::new(ErrorKind::Rejected, "ai.chat", "no"));
        }
        answer(request)
    }
}

#[tokio::test(start_paused = true)]
async fn many_texts_are_sent_in_parts_and_come_back_in_order() {
    let texts: Vec<String> = (1..=31).map(|length| "x".repeat(length)).collect();
    let slow = Arc::new(Slow::default());
    let bench = bench(priced(&["slow"]), vec![slow.clone()]);
    let told = bench.embed(EmbedRequest::new(texts.clone())).await.unwrap();
    assert_eq!(told.vectors, texts.iter().map(|text| vector(text)).collect::<Vec<_>>());
    assert_eq!((told.attempts.len(), slow.most.load(Ordering::SeqCst)), (11, 4));
    let tokens = (1..=31).sum::<u64>();
    assert_eq!((told.tokens_used, told.cost_nano_usd), (tokens, Some(20 * tokens)));
    assert_eq!(bench.events.drain().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_part_that_fails_fails_the_call_and_is_named() {
    let texts: Vec<String> = (1..=31).map(|length| "x".repeat(length)).collect();
    let slow = Slow { bad: Some(texts[6].clone()), ..Slow::default() };
    let bench = bench(priced(&["slow"]), vec![Arc::new(slow)]);
    let error = bench.embed(EmbedRequest::new(texts)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    let part = error.context().iter().find(|(name, _)| *name == "part").map(|(_, value)| value.to_string());
    assert_eq!(part.as_deref(), Some("input[6] to input[8]"));
    let spend = bench.client.spend(&bench.ctx, None).await.unwrap();
    assert_eq!(spend.reserved_nano_usd, 0, "what was on its way is given back");
    // The fourth part was faster than the third, so it is answered and paid for.
    assert_eq!(spend.cost_nano_usd, 20 * (10 + 11 + 12));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_gives_everything_back() {
    let texts: Vec<String> = (1..=31).map(|length| "x".repeat(length)).collect();
    let bench = bench(priced(&["slow"]), vec![Arc::new(Slow::default())]);
    let call = bench.embed(EmbedRequest::new(texts));
    assert!(tokio::time::timeout(Duration::from_millis(5), call).await.is_err());
    assert_eq!(bench.reserved().await, 0);
    assert_eq!(bench.events.drain()[0].payload["outcome"], "cancelled");
}

#[tokio::test]
async fn chat_is_not_disturbed_and_embedders_alone_are_enough() {
    let bench = bench(AiConfig::default(), vec![Arc::new(well("own"))]);
    let chat = bench.client.chat(&bench.ctx, "hi".into()).await.unwrap();
    assert_eq!(chat.report.provider, "chat");
    let two =
        AiParts { embedders: vec![Arc::new(well("own")), Arc::new(well("own"))], ..AiParts::new(vec![]) };
    let error = AiClient::new(AiConfig::default(), two).unwrap_err();
    assert!(error.message().contains("two are called \"own\""), "{error}");
    let alone = AiParts { embedders: vec![Arc::new(well("own"))], ..AiParts::new(vec![]) };
    let alone = AiClient::new(AiConfig::default(), alone).unwrap();
    assert_eq!(alone.embed(&bench.ctx, ["a"].into()).await.unwrap().vectors.len(), 1);
    let none = AiClient::new(AiConfig::default(), AiParts::new(vec![])).unwrap();
    let error = none.embed(&bench.ctx, ["a"].into()).await.unwrap_err();
    assert!(error.message().contains("ai.providers: none"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn every_text_has_its_own_vector_however_the_parts_fall(
        lengths in proptest::collection::vec(1_usize..60, 1..40), max_inputs in 1_usize..12,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let texts: Vec<String> = lengths.iter().map(|length| "x".repeat(*length)).collect();
            let bench = bench(AiConfig::default(), vec![Arc::new(well("own").with_max_inputs(max_inputs))]);
            let told = bench.embed(EmbedRequest::new(texts.clone())).await.unwrap();
            assert_eq!(told.vectors, texts.iter().map(|text| vector(text)).collect::<Vec<_>>());
            assert_eq!(told.attempts.len(), texts.len().div_ceil(max_inputs));
        });
    }
}
