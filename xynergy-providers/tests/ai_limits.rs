//! What providers tell of their limits is heeded before they have to refuse.
#![cfg(feature = "ai")]
#![allow(clippy::unwrap_used)] // Helpers of tests are no tests to clippy.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use xynergy_core::client::{AiClient, AiParts};
use xynergy_core::config::{AiConfig, ApiKeys, ProviderConfig, Secret, SecretRef, StaticSecrets};
use xynergy_core::env::{HttpBody, HttpFailure, HttpRequest, HttpResponse, HttpSend, ManualClock};
use xynergy_core::provider::{AttemptStatus, ChatRequest};
use xynergy_core::registry::ProviderParts;
use xynergy_core::{Ctx, Env, TenantId};
use xynergy_providers::registry::providers;

const WHOLE: &str = r#"{"id":"1","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}"#;
const STREAMED: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hello\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

/// Every provider answers well; `first.example` with these headers.
#[derive(Debug, Default)]
struct Wire(Mutex<HeaderMap>);

impl Wire {
    fn tells(&self, pairs: &[(&'static str, &'static str)]) {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        *self.0.lock().unwrap() = pairs.iter().map(pair).collect();
    }

    fn headers(&self, request: &HttpRequest) -> HeaderMap {
        let is_first = request.url.host_str() == Some("first.example");
        if is_first { self.0.lock().unwrap().clone() } else { HeaderMap::new() }
    }
}

#[async_trait]
impl HttpSend for Wire {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        let headers = self.headers(&request);
        Ok(HttpResponse { status: StatusCode::OK, headers, body: Bytes::from_static(WHOLE.as_bytes()) })
    }

    async fn stream(&self, request: HttpRequest) -> Result<HttpBody, HttpFailure> {
        let body = Ok(Bytes::from_static(STREAMED.as_bytes()));
        let chunks = futures_util::stream::iter([body]).boxed();
        Ok(HttpBody { status: StatusCode::OK, headers: self.headers(&request), chunks })
    }
}

struct World {
    wire: Arc<Wire>,
    clock: Arc<ManualClock>,
    ai: AiClient,
    ctx: Ctx,
}

fn world(keys: usize) -> World {
    let mut config = AiConfig::default();
    config.cache.enabled = false;
    config.order.simple = vec!["first".into(), "then".into()];
    for name in ["first", "then"] {
        let references = (0..keys).map(|key| SecretRef::Env(format!("KEY_{key}"))).collect();
        let provider = ProviderConfig {
            base_url: Some(format!("https://{name}.example/v1")),
            model: Some("m".into()),
            api_key: Some(ApiKeys::Several(references)),
            ..ProviderConfig::default()
        };
        config.providers.insert(name.to_owned(), provider);
    }
    let wire = Arc::new(Wire::default());
    let with = |secrets: StaticSecrets, key| secrets.with(format!("KEY_{key}"), Secret::new("k"));
    let secrets = Arc::new((0..keys).fold(StaticSecrets::default(), with));
    let parts = ProviderParts { http: wire.clone(), secrets };
    let built = providers().build_all(&config.providers, &parts).unwrap();
    let clock = Arc::new(ManualClock::new("2026-03-01T12:00:00Z".parse().unwrap()));
    let env = Env { clock: clock.clone(), ..Env::default() };
    let ai = AiClient::new(config, AiParts::new(built)).unwrap();
    World { wire, clock, ai, ctx: Ctx::new(&env, TenantId::default()) }
}

impl World {
    /// Who answers a prompt of about so many tokens.
    async fn answers(&self, tokens: usize) -> String {
        self.asked(&self.ctx, ChatRequest::prompt("word ".repeat(tokens))).await
    }

    async fn asked(&self, ctx: &Ctx, request: ChatRequest) -> String {
        let response = self.ai.chat(ctx, request).await.unwrap();
        let skipped = response.report.attempts.iter().filter(|a| a.status == AttemptStatus::Skipped);
        for attempt in skipped {
            assert_eq!(attempt.reason.as_deref(), Some("its limit is used up"));
        }
        let shown = serde_json::to_string(&response).unwrap();
        assert!(!shown.contains("remaining") && !shown.contains("full_in"), "{shown}");
        response.report.provider
    }

    fn pass(&self, ms: u64) {
        self.clock.advance(Duration::from_millis(ms));
    }
}

const NO_REQUESTS: [(&str, &str); 3] = [
    ("x-ratelimit-limit-requests", "60"),
    ("x-ratelimit-remaining-requests", "0"),
    ("x-ratelimit-reset-requests", "1m0s"),
];

#[tokio::test]
async fn who_has_no_requests_left_is_left_alone_until_one_is_there() {
    let world = world(1);
    world.wire.tells(&NO_REQUESTS);
    assert_eq!(world.answers(1).await, "first");
    assert_eq!(world.answers(1).await, "then");
    world.pass(999);
    assert_eq!(world.answers(1).await, "then");
    // Full again after a minute, and the first of sixty after a second.
    world.pass(1);
    assert_eq!(world.answers(1).await, "first");
    // It says again that nothing is left, until it says that something is.
    world.pass(1_000);
    world.wire.tells(&[("x-ratelimit-limit-requests", "60"), ("x-ratelimit-remaining-requests", "59")]);
    assert_eq!([world.answers(1).await, world.answers(1).await], ["first", "first"]);
}

#[tokio::test]
async fn streams_tell_and_heed_it_too() {
    let world = world(1);
    world.wire.tells(&NO_REQUESTS);
    let mut answered = Vec::new();
    for _ in 0..2 {
        let stream = world.ai.stream(&world.ctx, "Hi".into()).await.unwrap();
        let last = stream.collect::<Vec<_>>().await.pop().unwrap().unwrap();
        answered.push(last.report.unwrap().provider);
    }
    assert_eq!(answered, ["first", "then"]);
}

#[tokio::test]
async fn a_prompt_that_needs_more_tokens_than_are_left_goes_elsewhere() {
    let world = world(1);
    world.wire.tells(&[
        ("x-ratelimit-limit-tokens", "6000"),
        ("x-ratelimit-remaining-tokens", "200"),
        ("x-ratelimit-reset-tokens", "58s"),
    ]);
    assert_eq!(world.answers(10).await, "first");
    assert_eq!([world.answers(1_000).await, world.answers(10).await], ["then", "first"]);
    world.pass(20_000);
    assert_eq!(world.answers(1_000).await, "first", "2,000 more are there by now");
    // What never fits is for the provider to say.
    assert_eq!(world.answers(8_000).await, "first");
}

#[tokio::test]
async fn anthropic_s_headers_are_heeded_as_well() {
    let world = world(1);
    world.wire.tells(&[
        ("anthropic-ratelimit-output-tokens-limit", "8000"),
        ("anthropic-ratelimit-output-tokens-remaining", "0"),
        ("anthropic-ratelimit-output-tokens-reset", "2026-03-01T13:00:00Z"),
    ]);
    assert_eq!([world.answers(1).await, world.answers(1).await], ["first", "then"]);
}

#[tokio::test]
async fn what_is_not_meant_is_not_heeded() {
    let odd: [&[(&str, &str)]; 5] = [
        // Azure's Responses API says this of everything.
        &[
            ("x-ratelimit-limit-requests", "-1"),
            ("x-ratelimit-remaining-requests", "-1"),
            ("x-ratelimit-reset-requests", "0"),
        ],
        &[("x-ratelimit-remaining-requests", "0")],
        &[("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "0")],
        // A point in time, where a span is meant.
        &[("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "1772366400")],
        &[("x-ratelimit-remaining-tokens", "none"), ("x-ratelimit-reset-tokens", "1m")],
    ];
    for headers in odd {
        let world = world(1);
        world.wire.tells(headers);
        assert_eq!([world.answers(1).await, world.answers(1).await], ["first", "first"], "{headers:?}");
    }
}

#[tokio::test]
async fn tenants_models_and_keys_have_limits_of_their_own() {
    let world = world(1);
    world.wire.tells(&NO_REQUESTS);
    assert_eq!(world.answers(1).await, "first");
    let other = Ctx::new(&world.ctx.env, TenantId::new("other").unwrap());
    assert_eq!(world.asked(&other, "Hi".into()).await, "first");
    let of_model = ChatRequest { model: "first/n".into(), ..ChatRequest::prompt("Hi") };
    assert_eq!(world.asked(&world.ctx, of_model).await, "first");
    assert_eq!(world.answers(1).await, "then");

    let several = self::world(2);
    several.wire.tells(&NO_REQUESTS);
    let mut answered = BTreeMap::<String, u32>::new();
    for _ in 0..4 {
        *answered.entry(several.answers(1).await).or_default() += 1;
    }
    assert_eq!(answered, BTreeMap::from([("first".to_owned(), 4)]), "one key says nothing of the other");
}
