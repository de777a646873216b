//! Recorded and written exchanges, read at every cut.
#![cfg(feature = "ai")]
#![allow(clippy::unwrap_used, clippy::print_stdout)] // Helpers of tests are no tests to clippy.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use proptest::prelude::*;
use serde_json::Value;
use xynergy_core::config::{EnvSecrets, ProviderConfig};
use xynergy_core::env::{HttpBody, HttpFailure, HttpRequest, HttpResponse, HttpSend};
use xynergy_core::layer::Layer;
use xynergy_core::layers::AttemptLayer;
use xynergy_core::provider::{Assembler, ChatRequest, ChatResponse, FinishReason, Outcome, Provider};
use xynergy_core::registry::ProviderParts;
use xynergy_core::{Ctx, Env, ErrorKind, Result, Retry, TenantId};
use xynergy_providers::registry::providers;

/// Answers every request with the same bytes, in pieces cut at `cuts`.
#[derive(Debug)]
struct Replay {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    cuts: Vec<usize>,
    sent: Mutex<Vec<Value>>,
}

impl Replay {
    fn new(status: u16, kind: &str, body: &[u8], cuts: &[usize]) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_str(kind).unwrap());
        let body = Bytes::copy_from_slice(body);
        Self {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body,
            cuts: cuts.to_vec(),
            sent: Mutex::default(),
        }
    }

    fn note(&self, request: &HttpRequest) {
        self.sent.lock().unwrap().push(serde_json::from_slice(&request.body).unwrap());
    }
}

#[async_trait]
impl HttpSend for Replay {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        self.note(&request);
        Ok(HttpResponse { status: self.status, headers: self.headers.clone(), body: self.body.clone() })
    }

    async fn stream(&self, request: HttpRequest) -> Result<HttpBody, HttpFailure> {
        self.note(&request);
        let mut cuts: Vec<usize> = self.cuts.iter().map(|cut| cut % (self.body.len() + 1)).collect();
        cuts.extend([0, self.body.len()]);
        cuts.sort_unstable();
        let pieces: Vec<_> = cuts.windows(2).map(|pair| Ok(self.body.slice(pair[0]..pair[1]))).collect();
        let chunks = futures_util::stream::iter(pieces).boxed();
        Ok(HttpBody { status: self.status, headers: self.headers.clone(), chunks })
    }
}

fn provider(http: Replay) -> Arc<dyn Provider> {
    let config = ProviderConfig {
        base_url: Some("https://replay.example/v1".into()),
        model: Some("m".into()),
        ..ProviderConfig::default()
    };
    let parts = ProviderParts { http: Arc::new(http), secrets: Arc::new(EnvSecrets) };
    AttemptLayer.wrap(providers().build("replay", &config, &parts).unwrap())
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work)
}

fn ctx() -> Ctx {
    Ctx::new(&Env::default(), TenantId::default())
}

fn chat(status: u16, body: &[u8]) -> Result<ChatResponse> {
    block_on(provider(Replay::new(status, "application/json", body, &[])).chat(&ctx(), &"Hi".into()))
}

/// The answer as far as it came, and the kind of the error that ended it.
fn stream(body: &[u8], cuts: &[usize]) -> (ChatResponse, Option<ErrorKind>) {
    block_on(async {
        let http = Replay::new(200, "text/event-stream; charset=utf-8", body, cuts);
        let mut seen = Assembler::default();
        let failed = match provider(http).stream(&ctx(), &"Hi".into()).await {
            Ok(mut chunks) => loop {
                match chunks.next().await {
                    Some(Ok(chunk)) => seen.push(&chunk),
                    Some(Err(error)) => break Some(error.kind()),
                    None => break None,
                }
            },
            Err(error) => Some(error.kind()),
        };
        (seen.response(), failed)
    })
}

const CHUNK: &str = r#"{"id":"1","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"héllo"},"finish_reason":null}]}"#;
const STOP: &str = r#"{"id":"1","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const LENGTH: &str = r#"{"id":"1","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"length"}]}"#;
const USAGE: &str = r#"{"id":"1","model":"m","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}"#;

fn written() -> Vec<(&'static str, String, Outcome, Option<ErrorKind>)> {
    let events = |parts: &[&str]| parts.iter().map(|part| format!("data: {part}\n\n")).collect::<String>();
    let error = r#"{"error":{"message":"out of memory","type":"server_error","code":500}}"#;
    let in_choice = r#"{"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error","native_finish_reason":"error"}]}"#;
    vec![
        ("whole", events(&[CHUNK, STOP, USAGE, "[DONE]"]), Outcome::Complete, None),
        ("limit of tokens", events(&[CHUNK, LENGTH, "[DONE]"]), Outcome::Truncated, None),
        ("no DONE", events(&[CHUNK, STOP]), Outcome::Complete, None),
        ("no last line end", events(&[CHUNK, STOP]).trim_end().to_owned(), Outcome::Complete, None),
        ("CRLF", events(&[CHUNK, STOP, "[DONE]"]).replace('\n', "\r\n"), Outcome::Complete, None),
        (
            "comments",
            format!(": OPENROUTER PROCESSING\n\n{}", events(&[CHUNK, STOP])),
            Outcome::Complete,
            None,
        ),
        (
            "annotations first",
            events(&[
                r#"{"choices":[],"prompt_filter_results":[{"prompt_index":0}]}"#,
                CHUNK,
                STOP,
                "[DONE]",
            ]),
            Outcome::Complete,
            None,
        ),
        (
            "DONE without a finish",
            events(&[CHUNK, "[DONE]"]),
            Outcome::Truncated,
            Some(ErrorKind::Unavailable),
        ),
        ("cut between events", events(&[CHUNK]), Outcome::Truncated, Some(ErrorKind::Unavailable)),
        (
            "cut within an event",
            format!("{}data: {}", events(&[CHUNK]), &STOP[..40]),
            Outcome::Truncated,
            Some(ErrorKind::Unavailable),
        ),
        (
            "error, then DONE",
            events(&[CHUNK, error, "[DONE]"]),
            Outcome::Truncated,
            Some(ErrorKind::Unavailable),
        ),
        (
            "error in a choice",
            events(&[CHUNK, in_choice, "[DONE]"]),
            Outcome::Truncated,
            Some(ErrorKind::Unavailable),
        ),
        ("garbage", events(&[CHUNK, "<html>", STOP]), Outcome::Truncated, Some(ErrorKind::Unavailable)),
        ("nothing", String::new(), Outcome::Errored, Some(ErrorKind::Unavailable)),
    ]
}

proptest! {
    #[test]
    fn written_streams_are_judged_by_their_words_at_every_cut(cuts in proptest::collection::vec(any::<usize>(), 0..20)) {
        for (name, body, outcome, failed) in written() {
            let (response, kind) = stream(body.as_bytes(), &cuts);
            prop_assert_eq!((response.outcome, kind), (outcome, failed), "{}", name);
            if !body.is_empty() {
                prop_assert_eq!(response.first_text(), "héllo", "{}", name);
            }
        }
    }
}

#[test]
fn usage_at_the_end_is_read() {
    let (response, _) = stream(written()[0].1.as_bytes(), &[]);
    assert_eq!(response.usage.unwrap().total(), 7);
}

#[test]
fn a_whole_answer_to_a_stream_is_taken() {
    let body =
        br#"{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}"#;
    let chunks = block_on(async {
        let http = Replay::new(200, "application/json", body, &[]);
        let stream = provider(http).stream(&ctx(), &"Hi".into()).await.unwrap();
        stream.map(Result::unwrap).collect::<Vec<_>>().await
    });
    assert_eq!((chunks.len(), chunks[0].choices.len()), (1, 1));
}

#[test]
fn an_error_under_status_200_is_an_error_before_the_stream() {
    let body = br#"{"error":{"code":429,"message":"slow down"}}"#;
    let error = block_on(async {
        let http = Replay::new(200, "application/json", body, &[]);
        provider(http).stream(&ctx(), &"Hi".into()).await.err().unwrap()
    });
    assert_eq!(error.kind(), ErrorKind::Throttled);
}

struct Recorded {
    name: String,
    status: u16,
    sse: bool,
    headers: HeaderMap,
    request: Option<Value>,
    body: Vec<u8>,
}

/// The recorded chat completions, or nothing where they are absent.
fn recorded() -> Vec<Recorded> {
    recorded_at(|url, _| url.contains("chat/completions"))
}

/// The recorded exchanges whose address and status are asked for.
fn recorded_at(wanted: impl Fn(&str, u64) -> bool) -> Vec<Recorded> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/exchanges");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("skipped: ../shared/data/exchanges is absent");
        return Vec::new();
    };
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let read = |path: PathBuf| {
        let meta: Value = serde_json::from_slice(&std::fs::read(path.join("meta.json")).unwrap()).unwrap();
        let status = meta["status"].as_u64()?;
        meta["url"].as_str().filter(|url| wanted(url, status))?;
        let mut headers = HeaderMap::new();
        for (name, values) in meta["response_headers"].as_object().into_iter().flatten() {
            let value = values[0].as_str().and_then(|value| HeaderValue::from_str(value).ok());
            if let (Ok(name), Some(value)) = (HeaderName::from_bytes(name.as_bytes()), value) {
                headers.insert(name, value);
            }
        }
        let request =
            std::fs::read(path.join("request.json")).ok().and_then(|json| serde_json::from_slice(&json).ok());
        Some(Recorded {
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            status: u16::try_from(meta["status"].as_u64().unwrap()).unwrap(),
            sse: meta["sse"].as_bool().unwrap_or(false),
            headers,
            request,
            body: std::fs::read(path.join("response.body")).unwrap(),
        })
    };
    folders.into_iter().filter_map(read).collect()
}

#[test]
fn recorded_answers_are_read_whole() {
    for exchange in recorded().into_iter().filter(|exchange| !exchange.sse && exchange.status == 200) {
        let name = &exchange.name;
        let json: Value = serde_json::from_slice(&exchange.body).unwrap();
        let response = chat(200, &exchange.body).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(response.choices.len(), json["choices"].as_array().unwrap().len(), "{name}");
        let text = json["choices"][0]["message"]["content"].as_str().unwrap_or_default();
        assert_eq!(response.first_text(), text, "{name}");
        let reasons: Vec<&str> = json["choices"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c["finish_reason"].as_str().unwrap_or(""))
            .collect();
        let cut = reasons.iter().any(|reason| matches!(*reason, "length" | "content_filter" | ""));
        assert_eq!(response.outcome, if cut { Outcome::Truncated } else { Outcome::Complete }, "{name}");
        let usage = response.usage.as_ref().unwrap();
        assert_eq!(usage.prompt_tokens, json["usage"]["prompt_tokens"].as_u64().unwrap(), "{name}");
        let cached =
            json.pointer("/usage/prompt_tokens_details/cached_tokens").and_then(Value::as_u64).unwrap_or(0);
        assert_eq!(usage.cached_tokens(), cached, "{name}");
        let calls = json["choices"][0]["message"]["tool_calls"].as_array().cloned().unwrap_or_default();
        assert_eq!(response.choices[0].message.tool_calls, calls, "{name}");
    }
}

/// What each recorded error is. Those of other interfaces of the same vendors look alike and are read here as well.
const RECORDED_ERRORS: [(&str, ErrorKind); 16] = [
    ("err401_openai", ErrorKind::Unauthorized),
    ("err401_azure", ErrorKind::Unauthorized),
    ("err401_mistral", ErrorKind::Unauthorized),
    ("err401_openrouter", ErrorKind::Unauthorized),
    ("err400_openai_unsupported_param", ErrorKind::Rejected),
    ("err400_openai_context_length", ErrorKind::ContextTooLong),
    ("err400_openrouter_context_length", ErrorKind::ContextTooLong),
    ("err400_deepseek_invalid_request", ErrorKind::Rejected),
    ("err404_openai_model", ErrorKind::NotFound),
    ("err429_azure_retry_after", ErrorKind::Throttled),
    ("err429_gemini", ErrorKind::Throttled),
    ("err429_openrouter", ErrorKind::Throttled),
    ("err500_openai_server_error", ErrorKind::Unavailable),
    ("err400_anthropic_context_length", ErrorKind::ContextTooLong),
    ("err401_anthropic", ErrorKind::Unauthorized),
    ("err404_anthropic_model", ErrorKind::NotFound),
];

#[test]
fn recorded_errors_have_their_kinds() {
    for exchange in recorded_at(|_, status| status != 200) {
        let name = &exchange.name;
        let expected = RECORDED_ERRORS.iter().find(|(part, _)| name.contains(part));
        let (_, expected) = expected.unwrap_or_else(|| panic!("{name}: nobody says what it is"));
        let answer = || Replay {
            headers: exchange.headers.clone(),
            ..Replay::new(exchange.status, "application/json", &exchange.body, &[])
        };
        let whole = block_on(provider(answer()).chat(&ctx(), &"Hi".into())).unwrap_err();
        let streamed = block_on(provider(answer()).stream(&ctx(), &"Hi".into())).err().unwrap();
        for error in [whole, streamed] {
            assert_eq!(error.kind(), *expected, "{name}: {error}");
            let status = ("status", exchange.status.to_string());
            assert!(error.context().contains(&status), "{name}: {error}");
            if name.contains("azure_retry_after") {
                // `retry-after-ms: 0` says nothing, `retry-after: 1` does.
                assert_eq!(error.retry(), Retry::After(Duration::from_secs(1)), "{name}");
            }
            if name.contains("unsupported_param") {
                assert_eq!(
                    error.message(),
                    "Unsupported parameter: 'stop' is not supported with this model."
                );
                assert!(error.context().contains(&("param", "stop".to_owned())), "{error}");
            }
        }
        // Cut short, it is an error still, and known by its status.
        let half =
            Replay::new(exchange.status, "application/json", &exchange.body[..exchange.body.len() / 2], &[]);
        assert!(block_on(provider(half).chat(&ctx(), &"Hi".into())).is_err(), "{name}");
    }
}

#[test]
fn recorded_requests_go_out_as_they_came() {
    for mut exchange in recorded() {
        let Some(mut expected) = exchange.request.take() else { continue };
        let request: ChatRequest = serde_json::from_value(expected.clone())
            .unwrap_or_else(|error| panic!("{}: {error}", exchange.name));
        let sent = serde_json::to_value(&request).unwrap();
        // Absent and null are the same thing; everything else must be there.
        if let Value::Object(fields) = &mut expected {
            let is_absent = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
            fields.retain(|_, value| !is_absent(value));
        }
        for (name, value) in expected.as_object().unwrap() {
            if name != "messages" {
                assert_eq!(sent.get(name), Some(value), "{}: {name}", exchange.name);
            }
        }
        let count = expected["messages"].as_array().map_or(0, Vec::len);
        assert_eq!(sent["messages"].as_array().map_or(0, Vec::len), count, "{}", exchange.name);
    }
}

/// What a stream says, read apart from the library: every line of data, put together by the simplest rules.
#[derive(Debug, Default, PartialEq)]
struct Said {
    texts: BTreeMap<u64, String>,
    refusals: String,
    reasoning: String,
    arguments: BTreeMap<(u64, u64), String>,
    finishes: BTreeMap<u64, String>,
    logprobs: usize,
    usage: Option<(u64, u64)>,
}

fn said(body: &[u8]) -> Said {
    let mut said = Said::default();
    let text = std::str::from_utf8(body).unwrap();
    for line in text.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|line| *line != "[DONE]") {
        let event: Value = serde_json::from_str(line).unwrap();
        if let Some(prompt) = event["usage"]["prompt_tokens"].as_u64() {
            said.usage = Some((prompt, event["usage"]["completion_tokens"].as_u64().unwrap()));
        }
        for choice in event["choices"].as_array().into_iter().flatten() {
            let (index, delta) = (choice["index"].as_u64().unwrap(), &choice["delta"]);
            said.texts.entry(index).or_default().push_str(delta["content"].as_str().unwrap_or_default());
            said.refusals.push_str(delta["refusal"].as_str().unwrap_or_default());
            said.reasoning.push_str(delta["reasoning"].as_str().unwrap_or_default());
            for call in delta["tool_calls"].as_array().into_iter().flatten() {
                let arguments = call["function"]["arguments"].as_str().unwrap_or_default();
                let place = (index, call["index"].as_u64().unwrap());
                said.arguments.entry(place).or_default().push_str(arguments);
            }
            if let Some(finish) = choice["finish_reason"].as_str() {
                said.finishes.insert(index, finish.to_owned());
            }
            said.logprobs += choice["logprobs"]["content"].as_array().map_or(0, Vec::len);
            said.logprobs += choice["logprobs"]["refusal"].as_array().map_or(0, Vec::len);
        }
    }
    said
}

/// The same of an answer that the library put together.
fn understood(response: &ChatResponse) -> Said {
    let mut said = Said::default();
    for choice in &response.choices {
        let (index, message) = (u64::from(choice.index), &choice.message);
        said.texts.insert(index, message.texts().collect());
        said.refusals.push_str(message.refusal.as_deref().unwrap_or_default());
        said.reasoning.push_str(message.extra.get("reasoning").and_then(Value::as_str).unwrap_or_default());
        for (at, call) in (0..).zip(&message.tool_calls) {
            let arguments = call["function"]["arguments"].as_str().unwrap().to_owned();
            assert!(!call["id"].as_str().unwrap().is_empty() && call["type"] == "function", "{call}");
            said.arguments.insert((index, at), arguments);
        }
        if let Some(finish) = &choice.finish_reason {
            said.finishes.insert(index, finish.as_str().to_owned());
        }
        let logprobs = choice.extra.get("logprobs");
        let count = |part: &str| logprobs.and_then(|all| all[part].as_array()).map_or(0, Vec::len);
        said.logprobs += count("content") + count("refusal");
    }
    said.usage = response.usage.as_ref().map(|usage| (usage.prompt_tokens, usage.completion_tokens));
    said
}

#[test]
fn recorded_streams_are_understood() {
    for exchange in recorded().into_iter().filter(|exchange| exchange.sse && exchange.status == 200) {
        let name = &exchange.name;
        let (response, failed) = stream(&exchange.body, &[]);
        assert_eq!(understood(&response), said(&exchange.body), "{name}");
        // Whatever is put together can be written and read again.
        let json = serde_json::to_string(&response).unwrap();
        assert_eq!(serde_json::from_str::<ChatResponse>(&json).unwrap(), response, "{name}");
        if name.contains("error_midstream") {
            assert_eq!((failed, response.outcome), (Some(ErrorKind::Rejected), Outcome::Truncated), "{name}");
            continue;
        }
        assert_eq!(failed, None, "{name}");
        let cut = response.choices.iter().any(|choice| choice.finish_reason == Some(FinishReason::Length));
        assert_eq!(response.outcome, if cut { Outcome::Truncated } else { Outcome::Complete }, "{name}");

        // Byte by byte, and for short ones at every single cut.
        let bytes: Vec<usize> = (0..exchange.body.len()).collect();
        assert_eq!(stream(&exchange.body, &bytes).0, response, "{name}");
        if exchange.body.len() < 1_400 {
            for cut in bytes {
                assert_eq!(stream(&exchange.body, &[cut]).0, response, "{name} at {cut}");
            }
        }
    }
}

#[test]
fn written_streams_are_the_same_at_every_byte() {
    for (name, body, outcome, failed) in written() {
        for cut in 0..=body.len() {
            let (response, kind) = stream(body.as_bytes(), &[cut]);
            assert_eq!((response.outcome, kind), (outcome, failed), "{name} at {cut}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn recorded_streams_are_the_same_at_every_cut(cuts in proptest::collection::vec(any::<usize>(), 0..60)) {
        for exchange in recorded().into_iter().filter(|exchange| exchange.sse && exchange.status == 200) {
            let (response, failed) = stream(&exchange.body, &cuts);
            prop_assert_eq!(&(response.clone(), failed), &stream(&exchange.body, &[]), "{}", exchange.name);
            let breaks = exchange.name.contains("error_midstream");
            prop_assert_eq!(failed.is_some(), breaks, "{}: {:?}", exchange.name, failed);
            if !breaks {
                prop_assert_ne!(response.outcome, Outcome::Errored, "{}", exchange.name);
                prop_assert!(!response.choices.is_empty(), "{}", exchange.name);
            }
        }
    }
}
