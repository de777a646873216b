use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use xynergy_core::client::{AiClient, AiParts};
use xynergy_core::config::{AiConfig, EnvSecrets, ProviderConfig, Secret, SecretRef, StaticSecrets};
use xynergy_core::conformance;
use xynergy_core::provider::{Assembler, ChatRequest, Outcome, Provider};
use xynergy_core::registry::ProviderParts;
use xynergy_core::{Ctx, Env, Error, ErrorKind, Retry, TenantId};
use xynergy_providers::http::ReqwestHttp;
use xynergy_providers::registry::providers;

/// What a server does with each connection.
#[derive(Clone, Debug)]
enum Behaviour {
    /// Answers well, streamed if asked.
    Healthy,
    /// Sends these bytes and closes.
    Sends(String),
    /// Reads the request and is silent.
    Hangs,
    /// Begins a stream, then is silent.
    StreamHangs,
    /// Streams an event that does not end.
    Endless,
}

struct Server {
    base_url: String,
    requests: Arc<AtomicU32>,
    /// The last request's head.
    head: Arc<Mutex<String>>,
}

async fn serve(behaviour: Behaviour) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    let server = Server { base_url, requests: Arc::default(), head: Arc::default() };
    let (requests, head) = (Arc::clone(&server.requests), Arc::clone(&server.head));
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(handle(socket, behaviour.clone(), Arc::clone(&requests), Arc::clone(&head)));
        }
    });
    server
}

async fn handle(
    mut socket: TcpStream,
    behaviour: Behaviour,
    requests: Arc<AtomicU32>,
    seen: Arc<Mutex<String>>,
) {
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
            let head = head.to_ascii_lowercase();
            let length = head
                .split("content-length: ")
                .nth(1)
                .map(|rest| rest.lines().next().unwrap().trim().parse::<usize>().unwrap());
            if body.len() >= length.unwrap_or(0) {
                *seen.lock().unwrap() = head;
                break body.to_owned();
            }
        }
    };
    requests.fetch_add(1, Ordering::SeqCst);
    let answer = match behaviour {
        Behaviour::Healthy if body.contains("\"stream\":true") => stream(&[START, BEGIN, TEXT, STOP, END]),
        Behaviour::Healthy => json(200, "", WHOLE),
        Behaviour::Sends(bytes) => bytes,
        Behaviour::Hangs => return std::future::pending().await,
        Behaviour::StreamHangs => {
            socket.write_all(stream(&[START, BEGIN, TEXT]).as_bytes()).await.unwrap();
            return std::future::pending().await;
        }
        Behaviour::Endless => {
            let head =
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream\r\n\r\ndata: ";
            let more = vec![b'x'; 256 * 1024];
            let mut sent = socket.write_all(head.as_bytes()).await;
            while sent.is_ok() {
                sent = socket.write_all(&more).await;
            }
            return;
        }
    };
    let _ = socket.write_all(answer.as_bytes()).await;
}

const WHOLE: &str = r#"{"id":"m","type":"message","role":"assistant","model":"c","content":[{"type":"text","text":"healthy"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":1}}"#;
const START: &str = r#"{"type":"message_start","message":{"id":"m","model":"c","usage":{"input_tokens":3,"output_tokens":1}}}"#;
const BEGIN: &str = r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
const TEXT: &str =
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"healthy"}}"#;
const STOP: &str =
    r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}}"#;
const END: &str = r#"{"type":"message_stop"}"#;
const OVERLOADED: &str = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;

fn json(status: u16, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn stream(events: &[&str]) -> String {
    let events: String = events.iter().map(|event| format!("event: x\ndata: {event}\n\n")).collect();
    format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream\r\n\r\n{events}")
}

fn failing(status: u16, headers: &str, kind: &str, message: &str) -> Behaviour {
    let body = format!(r#"{{"type":"error","error":{{"type":"{kind}","message":"{message}"}}}}"#);
    Behaviour::Sends(json(status, headers, &body))
}

/// The client over a provider `internal` that speaks the Messages API (asked first) and `anthropic`.
fn client(first: &str, then: &str) -> (AiClient, Ctx) {
    let mut config = AiConfig::default();
    for (name, url) in [("internal", first), ("anthropic", then)] {
        let provider = ProviderConfig {
            kind: "anthropic".into(),
            base_url: Some(url.to_owned()),
            ..ProviderConfig::default()
        };
        config.providers.insert(name.to_owned(), provider);
    }
    config.retry.base_ms = 1;
    config.timeouts.attempt_ms = 300;
    config.timeouts.idle_ms = 300;
    let parts = ProviderParts { http: Arc::new(ReqwestHttp::new()), secrets: Arc::new(EnvSecrets) };
    let built = providers().build_all(&config.providers, &parts).unwrap();
    (AiClient::new(config, AiParts::new(built)).unwrap(), ctx())
}

fn ctx() -> Ctx {
    Ctx::new(&Env::default(), TenantId::default())
}

/// The provider alone, with a key.
fn provider(url: &str) -> Arc<dyn Provider> {
    let config = ProviderConfig {
        base_url: Some(url.to_owned()),
        api_key: Some(SecretRef::Env("KEY".into()).into()),
        ..ProviderConfig::default()
    };
    let secrets = StaticSecrets::default().with("KEY", Secret::new("sk-ant-sesame"));
    let parts = ProviderParts { http: Arc::new(ReqwestHttp::new()), secrets: Arc::new(secrets) };
    providers().build("anthropic", &config, &parts).unwrap()
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
    let sends = |text: &str| Behaviour::Sends(text.to_owned());
    let html = "<html>hello</html>";
    vec![
        ("401", failing(401, "x-should-retry: false\r\n", "authentication_error", "x")),
        ("402", failing(402, "", "billing_error", "x")),
        ("403", failing(403, "", "permission_error", "x")),
        ("404", failing(404, "", "not_found_error", "model: x")),
        (
            "no credit",
            failing(400, "", "invalid_request_error", "Your credit balance is too low to access the API"),
        ),
        ("429", failing(429, "retry-after: 60\r\n", "rate_limit_error", "x")),
        ("500", failing(500, "", "api_error", "x")),
        ("502 of a proxy", Behaviour::Sends(json(502, "", html))),
        ("503 never", failing(503, "x-should-retry: false\r\n", "api_error", "x")),
        ("504", failing(504, "", "timeout_error", "x")),
        ("529", failing(529, "", "overloaded_error", "x")),
        ("529 with an empty body", Behaviour::Sends(json(529, "", ""))),
        ("302", Behaviour::Sends(json(302, "location: http://127.0.0.1:1/\r\n", ""))),
        ("HTML", Behaviour::Sends(json(200, "", html))),
        ("empty body", Behaviour::Sends(json(200, "", ""))),
        ("no content", Behaviour::Sends(json(200, "", "{}"))),
        ("error under 200", Behaviour::Sends(json(200, "", OVERLOADED))),
        ("half of the JSON", Behaviour::Sends(json(200, "", &WHOLE[..50]))),
        ("connection closed", sends("")),
        ("cut head", sends("HTTP/1.1 200 OK\r\ncontent-le")),
        ("cut body", sends("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"content\"")),
        ("no HTTP", sends("220 smtp ready\r\n")),
        ("silence", Behaviour::Hangs),
        ("stream error first", Behaviour::Sends(stream(&[START, OVERLOADED]))),
        ("stream of nothing", Behaviour::Sends(stream(&[]))),
        ("stream of pings", Behaviour::Sends(stream(&[START, "{\"type\":\"ping\"}", END]))),
    ]
}

#[tokio::test]
async fn every_fault_of_the_primary_is_answered_by_the_fallback() {
    let healthy = serve(Behaviour::Healthy).await;
    for (name, behaviour) in faults() {
        let faulty = serve(behaviour).await;
        let (ai, ctx) = client(&faulty.base_url, &healthy.base_url);
        let response = ai.chat(&ctx, "Hi".into()).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let text = response.first_text();
        assert_eq!((text.as_str(), response.outcome), ("healthy", Outcome::Complete), "{name}");
        assert_eq!(response.report.provider, "anthropic", "{name}");
        let (text, outcome) = streamed(&ai, &ctx).await;
        assert_eq!((text.as_str(), outcome.unwrap()), ("healthy", Outcome::Complete), "{name}, streamed");
        let spend = ai.spend(&ctx, None).await.unwrap();
        assert_eq!((spend.requests, spend.reserved_nano_usd), (2, 0), "{name}");
    }
}

#[tokio::test]
async fn bad_requests_reach_the_caller_and_nobody_else() {
    for (status, kind, message, expected) in [
        (400, "invalid_request_error", "it says why", ErrorKind::Rejected),
        (400, "invalid_request_error", "prompt is too long: 3 tokens > 2 maximum", ErrorKind::ContextTooLong),
        (
            400,
            "invalid_request_error",
            "Output blocked by content filtering policy",
            ErrorKind::ContentFiltered,
        ),
        (413, "request_too_large", "Request exceeds the maximum size", ErrorKind::ContextTooLong),
    ] {
        let faulty = serve(failing(status, "", kind, message)).await;
        let healthy = serve(Behaviour::Healthy).await;
        let (ai, ctx) = client(&faulty.base_url, &healthy.base_url);
        let error = ai.chat(&ctx, "Hi".into()).await.unwrap_err();
        assert_eq!((error.kind(), error.message()), (expected, message));
        assert_eq!(streamed(&ai, &ctx).await.1.unwrap_err().kind(), expected);
        assert_eq!(healthy.requests.load(Ordering::SeqCst), 0, "a wasted fallback");
        assert_eq!(faulty.requests.load(Ordering::SeqCst), 2, "a wasted retry");
    }
}

#[tokio::test]
async fn what_breaks_after_the_first_output_is_never_called_complete() {
    for (name, behaviour) in [
        ("cut", Behaviour::Sends(stream(&[START, BEGIN, TEXT]))),
        ("the end without a reason", Behaviour::Sends(stream(&[START, BEGIN, TEXT, END]))),
        ("error", Behaviour::Sends(stream(&[START, BEGIN, TEXT, OVERLOADED]))),
        ("error, then the end", Behaviour::Sends(stream(&[START, BEGIN, TEXT, OVERLOADED, STOP, END]))),
        ("garbage", Behaviour::Sends(stream(&[START, BEGIN, TEXT, "<html>", STOP]))),
        ("silence", Behaviour::StreamHangs),
    ] {
        let faulty = serve(behaviour).await;
        let provider = provider(&faulty.base_url);
        let request = ChatRequest::prompt("Hi");
        let mut seen = Assembler::default();
        let mut failed = false;
        let mut chunks = provider.stream(&ctx(), &request).await.unwrap();
        let reading = async {
            while let Some(chunk) = chunks.next().await {
                match chunk {
                    Ok(chunk) => seen.push(&chunk),
                    Err(_) => failed = true,
                }
            }
        };
        let silent = tokio::time::timeout(std::time::Duration::from_millis(300), reading).await.is_err();
        assert_eq!(seen.response().first_text(), "healthy", "{name}");
        assert!((failed || !seen.is_finished()) && silent == (name == "silence"), "{name}");
        assert!(seen.usage().is_none(), "{name}: a beginning is no usage");
    }
}

#[tokio::test]
async fn an_endless_event_is_an_error_of_bounded_size() {
    let endless = serve(Behaviour::Endless).await;
    let mut chunks = provider(&endless.base_url).stream(&ctx(), &"Hi".into()).await.unwrap();
    let error = chunks.next().await.unwrap().unwrap_err();
    assert!(error.message().contains("larger than"), "{error}");
    assert!(chunks.next().await.is_none());
}

#[tokio::test]
async fn the_key_goes_to_the_provider_and_nowhere_else() {
    let healthy = serve(Behaviour::Healthy).await;
    let asked = provider(&healthy.base_url);
    asked.chat(&ctx(), &"Hi".into()).await.unwrap();
    let head = healthy.head.lock().unwrap().clone();
    assert!(head.starts_with("post /v1/messages http/1.1\r\n"), "{head}");
    for part in ["x-api-key: sk-ant-sesame", "anthropic-version: 2023-06-01", "x-request-id: req_"] {
        assert!(head.contains(part), "{part}: {head}");
    }
    assert!(!head.contains("authorization") && !format!("{asked:?}").contains("sesame"));

    let elsewhere = serve(Behaviour::Healthy).await;
    let moved = Behaviour::Sends(json(307, &format!("location: {}/messages\r\n", elsewhere.base_url), ""));
    let redirecting = serve(moved).await;
    let error = provider(&redirecting.base_url).chat(&ctx(), &"Hi".into()).await.unwrap_err();
    assert!(error.message().contains("redirects"), "{error}");
    assert_eq!(elsewhere.requests.load(Ordering::SeqCst), 0, "a redirect was followed");

    for status in [400, 401, 500] {
        let telling =
            serve(failing(status, "request-id: req_7\r\n", "x", "your key sk-ant-sesame is bad")).await;
        let error = provider(&telling.base_url).chat(&ctx(), &"Hi".into()).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("sesame"), "{error}");
        assert!(error.context().contains(&("provider_request_id", "req_7".to_owned())), "{error}");
        assert!(error.context().contains(&("provider", "anthropic".to_owned())), "{error}");
    }
}

#[tokio::test]
async fn a_wait_is_read_off_the_wire() {
    let headers = "retry-after: 13\r\nanthropic-ratelimit-requests-remaining: 0\r\n";
    let throttling = serve(failing(429, headers, "rate_limit_error", "slow down")).await;
    for stream in [false, true] {
        let asked = provider(&throttling.base_url);
        let error = if stream {
            asked.stream(&ctx(), &"Hi".into()).await.err().unwrap()
        } else {
            asked.chat(&ctx(), &"Hi".into()).await.unwrap_err()
        };
        let wait = Retry::After(std::time::Duration::from_secs(13));
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Throttled, wait));
    }
}

#[tokio::test]
async fn a_whole_answer_to_a_stream_is_taken() {
    let whole = serve(Behaviour::Sends(json(200, "", WHOLE))).await;
    let chunks = provider(&whole.base_url).stream(&ctx(), &"Hi".into()).await.unwrap();
    let mut seen = Assembler::default();
    for chunk in chunks.collect::<Vec<_>>().await {
        seen.push(&chunk.unwrap());
    }
    assert_eq!((seen.response().first_text().as_str(), seen.is_finished()), ("healthy", true));
}

#[tokio::test]
async fn the_provider_conforms() {
    let healthy = serve(Behaviour::Healthy).await;
    let conforming = provider(&healthy.base_url);
    assert!(conforming.capability().prefill, "the default model continues an assistant's message");
    conformance::provider::suite(conforming, &ctx()).await;
}

#[tokio::test]
async fn the_name_and_the_type_build_it() {
    let parts = ProviderParts { http: Arc::new(ReqwestHttp::new()), secrets: Arc::new(EnvSecrets) };
    let built = |name: &str, config: &ProviderConfig| providers().build(name, config, &parts).unwrap();
    let by_name = ProviderConfig { model: Some("claude-opus-4-6".into()), ..ProviderConfig::default() };
    let by_type = ProviderConfig { kind: "anthropic".into(), ..ProviderConfig::default() };
    assert!(format!("{:?}", built("anthropic", &by_name)).contains("api.anthropic.com"));
    assert!(!built("anthropic", &by_name).capability().prefill, "4.6 continues nothing");
    assert_eq!(built("claude", &by_type).capability().default_model, "claude-haiku-4-5");
    let http = ProviderConfig { base_url: Some("http://x.example/v1".into()), ..by_type };
    let error = providers().build("claude", &http, &parts).unwrap_err();
    assert!(error.kind() == ErrorKind::ConfigInvalid && error.message().contains("allow_http"), "{error}");
}
