use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderValue, StatusCode};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use xynergy_core::config::{OPENAI_RESPONSES, ProviderConfig, Secret, SecretRef, StaticSecrets};
use xynergy_core::env::{HttpBody, HttpFailure, HttpRequest, HttpResponse, HttpSend};
use xynergy_core::layer::Layer;
use xynergy_core::layers::AttemptLayer;
use xynergy_core::provider::{Assembler, ChatRequest, ChatResponse, FinishReason, Outcome, Provider};
use xynergy_core::registry::ProviderParts;
use xynergy_core::{Ctx, Env, ErrorKind, Result, TenantId};

use super::{OUTPUT_ITEMS, REASONING_ITEMS, request};
use crate::registry::providers;

/// Answers with the same bytes, in pieces cut at `cuts`, and remembers what was asked.
#[derive(Debug, Default)]
struct Replay {
    status: u16,
    body: Bytes,
    cuts: Vec<usize>,
    asked: Mutex<Vec<HttpRequest>>,
}

#[async_trait]
impl HttpSend for Replay {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        self.asked.lock().unwrap().push(request);
        let status = StatusCode::from_u16(self.status).unwrap();
        Ok(HttpResponse { status, headers: HeaderMap::new(), body: self.body.clone() })
    }

    async fn stream(&self, request: HttpRequest) -> Result<HttpBody, HttpFailure> {
        self.asked.lock().unwrap().push(request);
        let mut cuts: Vec<usize> = self.cuts.iter().map(|cut| cut % (self.body.len() + 1)).collect();
        cuts.extend([0, self.body.len()]);
        cuts.sort_unstable();
        let pieces: Vec<_> = cuts.windows(2).map(|pair| Ok(self.body.slice(pair[0]..pair[1]))).collect();
        let kind = if self.body.starts_with(b"{") { "application/json" } else { "text/event-stream" };
        let headers = HeaderMap::from_iter([(http::header::CONTENT_TYPE, HeaderValue::from_static(kind))]);
        let chunks = futures_util::stream::iter(pieces).boxed();
        Ok(HttpBody { status: StatusCode::from_u16(self.status).unwrap(), headers, chunks })
    }
}

fn provider(http: &Arc<Replay>) -> Arc<dyn Provider> {
    let config = ProviderConfig {
        kind: OPENAI_RESPONSES.into(),
        api_key: Some(SecretRef::Env("KEY".into()).into()),
        ..ProviderConfig::default()
    };
    let secrets = StaticSecrets::default().with("KEY", Secret::new("sk-verysecret"));
    let parts = ProviderParts { http: Arc::clone(http) as _, secrets: Arc::new(secrets) };
    AttemptLayer.wrap(providers().build("responses", &config, &parts).unwrap())
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work)
}

fn ctx() -> Ctx {
    Ctx::new(&Env::default(), TenantId::default())
}

fn whole(status: u16, body: &[u8]) -> Result<ChatResponse> {
    let http = Arc::new(Replay { status, body: Bytes::copy_from_slice(body), ..Replay::default() });
    block_on(provider(&http).chat(&ctx(), &"Hi".into()))
}

/// The answer as far as it came, and the kind of the error that ended it.
fn streamed(body: &[u8], cuts: &[usize]) -> (ChatResponse, Option<ErrorKind>) {
    let http = Arc::new(Replay {
        status: 200,
        body: Bytes::copy_from_slice(body),
        cuts: cuts.to_vec(),
        ..Replay::default()
    });
    block_on(async {
        let mut seen = Assembler::default();
        let failed = match provider(&http).stream(&ctx(), &"Hi".into()).await {
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

fn events(events: &[Value]) -> String {
    let event =
        |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or("x"));
    events.iter().map(event).collect()
}

fn sent(request: &ChatRequest) -> Value {
    serde_json::from_slice(&request::body(request, "gpt-4o-mini", false).unwrap()).unwrap()
}

fn recorded(name: &str) -> Option<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/exchanges");
    let body = std::fs::read(folder.join(name).join("response.body")).ok();
    if body.is_none() {
        println!("skipped: ../shared/data/exchanges is absent");
    }
    body
}

#[test]
fn recorded_responses_are_chat_completions() {
    if let Some(body) = recorded("09-openai_responses_ok") {
        let answer = whole(200, &body).unwrap();
        assert_eq!((answer.first_text().as_str(), answer.outcome), ("3", Outcome::Complete));
        let usage = answer.usage.unwrap();
        assert_eq!((usage.prompt_tokens, usage.completion_tokens, usage.reasoning_tokens()), (11, 327, 320));
        assert_eq!(answer.extra["service_tier"], "default");
        assert_eq!(
            (&answer.extra["created"], &answer.extra["object"]),
            (&json!(1_755_603_578), &json!("chat.completion"))
        );
    }
    if let Some(body) = recorded("10-openai_responses_tools") {
        let answer = whole(200, &body).unwrap();
        assert_eq!(answer.finish(), Some(&FinishReason::ToolCalls));
        assert_eq!(
            answer.choices[0].message.tool_calls,
            [json!({
                "id": "call_fUL4HcLUJuOTMPvhZR4DQKJy", "type": "function",
                "function": {"name": "get_current_weather", "arguments": "{\"location\":\"Peak District\"}"},
            })]
        );
    }
}

#[test]
fn a_recorded_stream_is_its_last_event_at_every_cut() {
    let Some(body) = recorded("22-openai_responses_stream") else { return };
    let text = String::from_utf8(body.clone()).unwrap();
    let last = text.lines().filter_map(|line| line.strip_prefix("data: ")).next_back().unwrap();
    let last: Value = serde_json::from_str(last).unwrap();
    assert_eq!(last["type"], "response.completed");
    let expected = whole(200, last["response"].to_string().as_bytes()).unwrap();
    let same = |(streamed, failed): (ChatResponse, Option<ErrorKind>), cut: usize| {
        assert_eq!(failed, None, "cut at {cut}");
        assert_eq!(streamed.choices, expected.choices, "cut at {cut}");
        assert_eq!((&streamed.usage, streamed.outcome), (&expected.usage, expected.outcome), "cut at {cut}");
    };
    same(streamed(&body, &[]), 0);
    for cut in (0..body.len()).step_by(7) {
        same(streamed(&body, &[cut, cut + 1]), cut);
    }
    for end in [0, 100, body.len() / 2, body.len() - 40] {
        let (answer, failed) = streamed(&body[..end], &[]);
        assert_eq!(failed, Some(ErrorKind::Unavailable), "cut off at {end}");
        assert_ne!(answer.outcome, Outcome::Complete, "cut off at {end}");
    }
}

/// Text, refusal, reasoning, tools of every kind, what is unknown.
fn everything() -> (Vec<Value>, Value) {
    let notes = json!([
        {"type": "url_citation", "url": "https://x.example"},
        {"type": "file_citation", "index": 9, "file_id": "a"},
        {"type": "file_citation", "index": 9, "file_id": "b"},
    ]);
    let response = json!({
        "id": "resp_1", "object": "response", "status": "completed", "model": "gpt-5", "created_at": 1,
        "output": [
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "thought"}], "encrypted_content": "sealed"},
            {"type": "web_search_call", "id": "ws_1", "status": "completed"},
            {"type": "message", "id": "m_1", "role": "assistant", "content": [
                {"type": "output_text", "text": "héllo", "annotations": notes, "logprobs": []},
                {"type": "refusal", "refusal": "no"},
            ]},
            {"type": "function_call", "call_id": "c_1", "name": "f", "arguments": "{\"a\":1}"},
            {"type": "custom_tool_call", "call_id": "c_2", "name": "g", "input": "raw"},
            {"type": "function_call", "call_id": "c_3", "name": "f", "arguments": "{}"},
            {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "sealed too"},
            {"type": "web_search_call", "id": "ws_2", "status": "completed"},
        ],
        "usage": {"input_tokens": 7, "output_tokens": 9, "total_tokens": 16, "input_tokens_details": {"cached_tokens": 3}},
    });
    let item = |at: usize| response["output"][at].clone();
    let begun = |at: usize| {
        let mut item = item(at);
        item["arguments"] = "".into();
        json!({"type": "response.output_item.added", "output_index": at, "item": item})
    };
    let arguments = |at: usize, text: &str| json!({"type": "response.function_call_arguments.delta", "output_index": at, "delta": text});
    let done = |at: usize| json!({"type": "response.output_item.done", "output_index": at, "item": item(at)});
    let note = |at: usize| json!({"type": "response.output_text.annotation.added", "output_index": 2, "annotation": notes[at]});
    let events = vec![
        json!({"type": "response.created", "response": {"id": "resp_1", "model": "gpt-5", "status": "in_progress"}}),
        json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "thou"}),
        json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "ght"}),
        done(0),
        json!({"type": "response.web_search_call.searching", "output_index": 1}),
        done(1),
        json!({"type": "response.output_text.delta", "output_index": 2, "delta": "hé", "logprobs": []}),
        json!({"type": "response.output_text.delta", "output_index": 2, "delta": "llo"}),
        note(0),
        note(1),
        note(2),
        json!({"type": "response.refusal.delta", "output_index": 2, "delta": "no"}),
        done(2),
        begun(3),
        begun(5),
        arguments(3, "{\"a\""),
        arguments(5, "{}"),
        arguments(3, ":1}"),
        done(3),
        done(4),
        done(5),
        done(6),
        done(7),
        json!({"type": "response.something.new", "delta": "x"}),
        json!({"type": "response.completed", "response": response.clone()}),
        json!({"type": "response.output_text.delta", "output_index": 2, "delta": "after the end"}),
    ];
    (events, response)
}

#[test]
fn a_whole_answer_and_its_stream_say_the_same() {
    let (parts, response) = everything();
    let (answer, failed) = streamed(events(&parts).as_bytes(), &[]);
    assert_eq!(failed, None);
    let expected = whole(200, response.to_string().as_bytes()).unwrap();
    let (message, theirs) = (&answer.choices[0].message, &expected.choices[0].message);
    assert_eq!((message.content.as_ref(), &message.refusal), (theirs.content.as_ref(), &theirs.refusal));
    assert_eq!(message.extra, theirs.extra);
    assert_eq!(message.extra["reasoning_content"], "thought");
    assert_eq!(message.extra[REASONING_ITEMS][0]["encrypted_content"], "sealed");
    assert_eq!(message.extra[OUTPUT_ITEMS][0]["id"], "ws_1");
    let by_id = |calls: &[Value]| {
        let mut calls = calls.to_vec();
        calls.sort_by_key(|call| call["id"].to_string());
        calls
    };
    assert_eq!(by_id(&message.tool_calls), by_id(&theirs.tool_calls));
    assert_eq!(
        (answer.usage, answer.outcome, answer.id),
        (expected.usage, Outcome::Complete, "resp_1".to_owned())
    );
    assert_eq!(expected.extra["created"], 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_cut_changes_a_stream(cuts in proptest::collection::vec(any::<usize>(), 0..30)) {
        let body = events(&everything().0);
        prop_assert_eq!(streamed(body.as_bytes(), &cuts), streamed(body.as_bytes(), &[]));
    }

    #[test]
    fn no_bytes_are_a_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = whole(200, &body);
        let _ = streamed(&body, &[]);
    }
}

#[test]
fn only_what_ends_well_is_complete() {
    let text = json!({"type": "response.output_text.delta", "output_index": 0, "delta": "hi"});
    let end = |kind: &str, status: &str, more: Value| {
        let mut response = json!({"id": "r", "model": "m", "status": status, "output": []});
        response.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        json!({"type": kind, "response": response})
    };
    let cut = |reason: &str| {
        end("response.incomplete", "incomplete", json!({"incomplete_details": {"reason": reason}}))
    };
    let failed =
        |code: &str| end("response.failed", "failed", json!({"error": {"code": code, "message": "sorry"}}));
    let cases = [
        ("completed", Some(end("response.completed", "completed", json!({}))), Outcome::Complete, None),
        ("limit", Some(cut("max_output_tokens")), Outcome::Truncated, None),
        ("filter", Some(cut("content_filter")), Outcome::Truncated, None),
        ("some reason", Some(cut("new")), Outcome::Truncated, None),
        ("failed", Some(failed("server_error")), Outcome::Truncated, Some(ErrorKind::Unavailable)),
        ("throttled", Some(failed("rate_limit_exceeded")), Outcome::Truncated, Some(ErrorKind::Throttled)),
        (
            "error",
            Some(json!({"type": "error", "code": "server_error", "message": "x", "param": null})),
            Outcome::Truncated,
            Some(ErrorKind::Unavailable),
        ),
        (
            "cancelled",
            Some(end("response.cancelled", "cancelled", json!({}))),
            Outcome::Truncated,
            Some(ErrorKind::Unavailable),
        ),
        ("nothing", None, Outcome::Truncated, Some(ErrorKind::Unavailable)),
    ];
    for (name, last, outcome, kind) in cases {
        let body = events(&[vec![text.clone()], last.into_iter().collect()].concat());
        let (answer, failed) = streamed(body.as_bytes(), &[]);
        assert_eq!((answer.outcome, failed, answer.first_text().as_str()), (outcome, kind, "hi"), "{name}");
    }
    let (answer, failed) = streamed(format!("{}data: [DONE]\n\n", events(&[text])).as_bytes(), &[]);
    assert_eq!(
        (answer.outcome, failed),
        (Outcome::Truncated, Some(ErrorKind::Unavailable)),
        "[DONE] proves nothing"
    );
}

#[test]
fn what_is_no_response_is_an_error() {
    for bad in [
        "<html>502</html>",
        "[]",
        "{}",
        "{\"output\": 5}",
        "",
        "{\"output\": [], \"status\": \"in_progress\"}",
    ] {
        assert_eq!(whole(200, bad.as_bytes()).unwrap_err().kind(), ErrorKind::Unavailable, "{bad}");
    }
    let refused = whole(
        401,
        br#"{"error": {"message": "Incorrect API key provided: sk-verysecret", "code": "invalid_api_key"}}"#,
    );
    let error = refused.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(!format!("{error:?} {error}").contains("verysecret"), "{error:?}");
}

#[test]
fn the_key_goes_in_a_header_that_no_log_shows() {
    let http = Arc::new(Replay { status: 200, body: Bytes::from_static(b"{}"), ..Replay::default() });
    let provider = provider(&http);
    drop(block_on(provider.chat(&ctx(), &"Hi".into())));
    let asked = http.asked.lock().unwrap();
    assert_eq!(asked[0].url.as_str(), "https://api.openai.com/v1/responses");
    assert_eq!(asked[0].headers["authorization"], "Bearer sk-verysecret");
    assert!(!format!("{:?} {provider:?}", asked[0]).contains("verysecret"));
}

#[test]
fn a_request_says_the_same_in_other_words() {
    let request: ChatRequest = serde_json::from_value(json!({
        "model": "gpt-5-mini",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}},
                {"type": "file", "file": {"file_id": "file_1"}},
            ]},
            {"role": "assistant", "content": "Wait.", "reasoning_items": [{"type": "reasoning", "encrypted_content": "sealed"}],
             "tool_calls": [
                {"id": "c_1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "c_2", "type": "custom", "custom": {"name": "g", "input": "raw"}},
            ]},
            {"role": "tool", "tool_call_id": "c_1", "content": "done"},
            {"role": "tool", "tool_call_id": "c_2", "content": [{"type": "text", "text": "too"}]},
        ],
        "max_tokens": 50, "temperature": 0.5, "reasoning_effort": "low", "verbosity": "low", "logprobs": true, "top_logprobs": 2,
        "tools": [
            {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}},
            {"type": "custom", "custom": {"name": "g", "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: A"}}}},
            {"type": "web_search"},
        ],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "response_format": {"type": "json_schema", "json_schema": {"name": "s", "strict": true, "schema": {"type": "object"}}},
        "service_tier": "flex", "stream_options": {"include_usage": true},
    }))
    .unwrap();
    assert_eq!(
        sent(&request),
        json!({
            "model": "gpt-5-mini",
            "input": [
                {"type": "message", "role": "system", "content": "Be brief."},
                {"type": "message", "role": "user", "content": [
                    {"type": "input_text", "text": "What is this?"},
                    {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "low"},
                    {"type": "input_file", "file_id": "file_1"},
                ]},
                {"type": "reasoning", "encrypted_content": "sealed"},
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Wait."}]},
                {"type": "function_call", "call_id": "c_1", "name": "f", "arguments": "{}"},
                {"type": "custom_tool_call", "call_id": "c_2", "name": "g", "input": "raw"},
                {"type": "function_call_output", "call_id": "c_1", "output": "done"},
                {"type": "custom_tool_call_output", "call_id": "c_2", "output": "too"},
            ],
            "max_output_tokens": 50,
            "reasoning": {"effort": "low"},
            "include": ["message.output_text.logprobs"], "top_logprobs": 2,
            "tools": [
                {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": false},
                {"type": "custom", "name": "g", "format": {"type": "grammar", "syntax": "lark", "definition": "start: A"}},
                {"type": "web_search"},
            ],
            "tool_choice": {"type": "function", "name": "f"},
            "text": {"format": {"type": "json_schema", "name": "s", "strict": true, "schema": {"type": "object"}}, "verbosity": "low"},
            "service_tier": "flex", "store": false,
        })
    );
    let kept = ChatRequest {
        extra: Map::from_iter([("store".to_owned(), json!(true))]),
        ..ChatRequest::prompt("x")
    };
    assert_eq!(sent(&kept)["store"], true);
}

#[test]
fn more_than_one_answer_is_refused_before_anything_is_sent() {
    let many = ChatRequest { n: Some(2), ..ChatRequest::prompt("x") };
    let error = request::body(&many, "m", true).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().starts_with("n: "));
}
