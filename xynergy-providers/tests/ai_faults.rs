//! A faulty primary and a healthy fallback, over real sockets.
#![cfg(feature = "ai")]
#![allow(clippy::unwrap_used)] // Helpers of tests are no tests to clippy.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use xynergy_core::client::{AiClient, AiParts};
use xynergy_core::config::{AiConfig, EnvSecrets, ProviderConfig};
use xynergy_core::conformance;
use xynergy_core::provider::{Assembler, ChatRequest, Outcome};
use xynergy_core::registry::ProviderParts;
use xynergy_core::{Ctx, Env, Error, ErrorKind, TenantId};
use xynergy_providers::http::ReqwestHttp;
use xynergy_providers::registry::providers;

/// What a server does with each connection.
#[derive(Clone, Copy, Debug)]
enum Behaviour {
    /// Answers well, streamed if asked.
    Healthy,
    /// Sends these bytes and closes.
    Sends(&'static str),
    /// Reads the request and is silent.
    Hangs,
    /// Begins a stream, then is silent.
    StreamHangs,
}

struct Server {
    base_url: String,
    requests: Arc<AtomicU32>,
}

async fn serve(behaviour: Behaviour) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(handle(socket, behaviour, Arc::clone(&counted)));
        }
    });
    Server { base_url, requests }
}

async fn handle(mut socket: TcpStream, behaviour: Behaviour, requests: Arc<AtomicU32>) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    let body = loop {
        let read = socket.read(&mut buffer).await.unwrap_or(0);
        if read == 0 {
            return;
        }
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .to_ascii_lowercase()
                .split("content-length: ")
                .nth(1)
                .map(|rest| rest.lines().next().unwrap().trim().parse::<usize>().unwrap());
            if body.len() >= length.unwrap_or(0) {
                assert!(head.to_ascii_lowercase().contains("x-request-id: req_"), "{head}");
                break body.to_owned();
            }
        }
    };
    requests.fetch_add(1, Ordering::SeqCst);
    let answer = match behaviour {
        Behaviour::Healthy if body.contains("\"stream\":true") => stream(&[DELTA, STOP, "[DONE]"]),
        Behaviour::Healthy => json(200, "", WHOLE),
        Behaviour::Sends(bytes) => bytes.to_owned(),
        Behaviour::Hangs => return std::future::pending().await,
        Behaviour::StreamHangs => {
            socket.write_all(stream(&[DELTA]).as_bytes()).await.unwrap();
            return std::future::pending().await;
        }
    };
    let _ = socket.write_all(answer.as_bytes()).await;
}

const WHOLE: &str = r#"{"id":"1","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"healthy"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}"#;
const DELTA: &str = r#"{"choices":[{"index":0,"delta":{"content":"healthy"}}]}"#;
const STOP: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;

fn json(status: u16, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn stream(events: &[&str]) -> String {
    let events: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream\r\n\r\n{events}")
}

fn leaked(text: String) -> Behaviour {
    Behaviour::Sends(Box::leak(text.into_boxed_str()))
}

/// The client over `internal` (asked first) and `openai`.
fn client(internal: &str, openai: &str) -> (AiClient, Ctx) {
    let mut config = AiConfig::default();
    for (name, url) in [("internal", internal), ("openai", openai)] {
        let provider = ProviderConfig { base_url: Some(url.to_owned()), ..ProviderConfig::default() };
        config.providers.insert(name.to_owned(), provider);
    }
    config.retry.base_ms = 1;
    config.timeouts.attempt_ms = 300;
    config.timeouts.idle_ms = 300;
    let parts = ProviderParts { http: Arc::new(ReqwestHttp::new()), secrets: Arc::new(EnvSecrets) };
    let built = providers().build_all(&config.providers, &parts).unwrap();
    let ctx = Ctx::new(&Env::default(), TenantId::default());
    (AiClient::new(config, AiParts::new(built)).unwrap(), ctx)
}

/// The text that came, and whether the stream said that it is whole or ended with an error.
async fn streamed(ai: &AiClient, ctx: &Ctx) -> (String, Result<Outcome, Error>) {
    let mut chunks = match ai.stream(ctx, "Hi".into()).await {
        Ok(chunks) => chunks,
        Err(error) => return (String::new(), Err(error)),
    };
    let mut seen = Assembler::default();
    let mut outcome = None;
    while let Some(chunk) = chunks.next().await {
        match chunk {
            Ok(chunk) => {
                outcome = chunk.outcome.or(outcome);
                seen.push(&chunk);
            }
            Err(error) => return (seen.response().first_text(), Err(error)),
        }
    }
    (seen.response().first_text(), Ok(outcome.unwrap()))
}

fn faults() -> Vec<(&'static str, Behaviour)> {
    let error = |status, headers, code: &str| {
        leaked(json(status, headers, &format!(r#"{{"error":{{"message":"x","code":"{code}"}}}}"#)))
    };
    vec![
        ("401", error(401, "", "invalid_api_key")),
        ("402", error(402, "", "")),
        ("403", error(403, "", "")),
        ("404", error(404, "", "model_not_found")),
        ("429", error(429, "retry-after: 60\r\n", "rate_limit_exceeded")),
        ("429 quota", error(429, "", "insufficient_quota")),
        ("500", error(500, "", "")),
        ("502 of a proxy", leaked(json(502, "", "<html>bad gateway</html>"))),
        ("503 never", error(503, "x-should-retry: false\r\n", "")),
        ("529", error(529, "", "overloaded_error")),
        ("302", leaked(json(302, "location: http://127.0.0.1:1/\r\n", ""))),
        ("HTML", leaked(json(200, "", "<html>hello</html>"))),
        ("empty body", leaked(json(200, "", ""))),
        ("no choices", leaked(json(200, "", "{\"choices\":[]}"))),
        ("error under 200", leaked(json(200, "", r#"{"error":{"code":503,"message":"x"}}"#))),
        ("half of the JSON", leaked(json(200, "", &WHOLE[..50]))),
        ("connection closed", Behaviour::Sends("")),
        ("cut head", Behaviour::Sends("HTTP/1.1 200 OK\r\ncontent-le")),
        ("cut body", Behaviour::Sends("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"choices\"")),
        ("no HTTP", Behaviour::Sends("220 smtp ready\r\n")),
        ("silence", Behaviour::Hangs),
        ("stream error first", leaked(stream(&[r#"{"error":{"message":"x"}}"#, "[DONE]"]))),
        ("stream of nothing", leaked(stream(&[]))),
        ("stream of DONE", leaked(stream(&["[DONE]"]))),
    ]
}

#[tokio::test]
async fn every_fault_of_the_primary_is_answered_by_the_fallback() {
    let healthy = serve(Behaviour::Healthy).await;
    for (name, behaviour) in faults() {
        let faulty = serve(behaviour).await;
        let (ai, ctx) = client(&faulty.base_url, &healthy.base_url);
        let response = ai.chat(&ctx, "Hi".into()).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(
            (response.first_text().as_str(), response.outcome),
            ("healthy", Outcome::Complete),
            "{name}"
        );
        assert_eq!(response.report.provider, "openai", "{name}");

        let (text, outcome) = streamed(&ai, &ctx).await;
        assert_eq!((text.as_str(), outcome.unwrap()), ("healthy", Outcome::Complete), "{name}, streamed");
        let spend = ai.spend(&ctx, None).await.unwrap();
        assert_eq!((spend.requests, spend.reserved_nano_usd), (2, 0), "{name}");
    }
}

#[tokio::test]
async fn a_refused_connection_falls_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let healthy = serve(Behaviour::Healthy).await;
    let (ai, ctx) = client(&gone, &healthy.base_url);
    assert_eq!(ai.chat(&ctx, "Hi".into()).await.unwrap().report.provider, "openai");
}

#[tokio::test]
async fn bad_requests_reach_the_caller_and_nobody_else() {
    for (code, kind) in [
        ("invalid_value", ErrorKind::Rejected),
        ("context_length_exceeded", ErrorKind::ContextTooLong),
        ("content_filter", ErrorKind::ContentFiltered),
    ] {
        let body = format!(r#"{{"error":{{"message":"it says why","code":"{code}"}}}}"#);
        let faulty = serve(leaked(json(400, "", &body))).await;
        let healthy = serve(Behaviour::Healthy).await;
        let (ai, ctx) = client(&faulty.base_url, &healthy.base_url);
        let error = ai.chat(&ctx, "Hi".into()).await.unwrap_err();
        assert_eq!((error.kind(), error.message()), (kind, "it says why"));
        assert_eq!(streamed(&ai, &ctx).await.1.unwrap_err().kind(), kind);
        assert_eq!(healthy.requests.load(Ordering::SeqCst), 0, "a wasted fallback");
        assert_eq!(faulty.requests.load(Ordering::SeqCst), 2, "a wasted retry");
    }
}

#[tokio::test]
async fn what_breaks_after_the_first_output_is_never_called_complete() {
    let error = r#"{"error":{"message":"x"}}"#;
    for (name, behaviour) in [
        ("cut", leaked(stream(&[DELTA]))),
        ("DONE without a finish", leaked(stream(&[DELTA, "[DONE]"]))),
        ("error", leaked(stream(&[DELTA, error]))),
        ("error, then DONE", leaked(stream(&[DELTA, error, "[DONE]"]))),
        ("garbage", leaked(stream(&[DELTA, "<html>", STOP]))),
        ("silence", Behaviour::StreamHangs),
    ] {
        let faulty = serve(behaviour).await;
        let healthy = serve(Behaviour::Healthy).await;
        let (ai, ctx) = client(&faulty.base_url, &healthy.base_url);
        let (text, outcome) = streamed(&ai, &ctx).await;
        assert_eq!(text, "healthy", "{name}");
        assert!(outcome.is_err(), "{name}");
        assert_eq!(healthy.requests.load(Ordering::SeqCst), 0, "{name}");
        assert_eq!(ai.spend(&ctx, None).await.unwrap().reserved_nano_usd, 0, "{name}");
    }
}

#[tokio::test]
async fn a_dropped_call_closes_the_connection_and_reserves_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let (ai, ctx) = client(&url, &url);
    let call = {
        let (ai, ctx) = (ai.clone(), ctx.clone());
        tokio::spawn(async move { ai.chat(&ctx, "Hi".into()).await.map(|_| ()) })
    };
    let (mut socket, _) = listener.accept().await.unwrap();
    let mut buffer = [0; 4096];
    assert!(socket.read(&mut buffer).await.unwrap() > 0);
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    let closed = async { while socket.read(&mut buffer).await.unwrap_or(0) > 0 {} };
    tokio::time::timeout(Duration::from_secs(5), closed).await.expect("the connection is closed");
    assert_eq!(ai.spend(&ctx, None).await.unwrap().reserved_nano_usd, 0);
}

#[tokio::test]
async fn the_provider_conforms() {
    let healthy = serve(Behaviour::Healthy).await;
    let config = ProviderConfig { base_url: Some(healthy.base_url), ..ProviderConfig::default() };
    let parts = ProviderParts { http: Arc::new(ReqwestHttp::new()), secrets: Arc::new(EnvSecrets) };
    let provider = providers().build("internal", &config, &parts).unwrap();
    conformance::provider::suite(provider, &Ctx::new(&Env::default(), TenantId::default())).await;
}

#[tokio::test]
async fn a_missing_key_moves_on_and_an_unknown_type_names_the_choices() {
    let parts = ProviderParts { http: Arc::new(ReqwestHttp::new()), secrets: Arc::new(EnvSecrets) };
    let unknown = ProviderConfig { kind: "opnai".into(), ..ProviderConfig::default() };
    let error = providers().build("x", &unknown, &parts).unwrap_err();
    assert!(
        error.message().contains("ai.providers.x.type") && error.message().contains("openai_compatible"),
        "{error}"
    );

    let keyed = ProviderConfig {
        api_key: Some(xynergy_core::config::SecretRef::Env("XYNERGY_TEST_NO_SUCH_KEY".into()).into()),
        ..ProviderConfig::default()
    };
    let provider = providers().build("openai", &keyed, &parts).unwrap();
    let ctx = Ctx::new(&Env::default(), TenantId::default());
    let error = provider.chat(&ctx, &ChatRequest::prompt("Hi")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.message().contains("XYNERGY_TEST_NO_SUCH_KEY"), "{error}");
}
