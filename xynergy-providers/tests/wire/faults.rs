//! A faulty primary and a healthy fallback: who answers, with what, after which attempts, at what cost.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use xynergy_core::client::{AiClient, AiParts};
use xynergy_core::config::{
    AiConfig, Dialect, PriceConfig, ProviderConfig, Secret, SecretRef, StaticSecrets,
};
use xynergy_core::env::MemoryEvents;
use xynergy_core::provider::{Assembler, Outcome};
use xynergy_core::registry::ProviderParts;
use xynergy_core::{Ctx, Env, Error, ErrorKind, Retry, TenantId};
use xynergy_providers::http::ReqwestHttp;
use xynergy_providers::registry::providers;

use crate::server::{EVENTS, Server, Step, http, json, serve};

const PRICE: u64 = 1_000_000;

/// What is to become of a call.
#[derive(Clone, Debug)]
enum Expect {
    /// The fallback answers.
    Fallback,
    /// The error reaches the caller after one attempt, and nobody else is asked.
    Refused(ErrorKind),
    /// The primary answers.
    Primary(&'static str, Outcome),
    /// A stream that breaks after these words.
    Broken(&'static str, ErrorKind),
}

use Expect::{Broken, Fallback, Primary, Refused};

struct Fault {
    name: String,
    dialect: Dialect,
    whole: Vec<Step>,
    streamed: Vec<Step>,
    expect: (Expect, Expect),
}

fn fault(name: impl Into<String>, steps: Vec<Step>, expect: Expect) -> Fault {
    Fault {
        name: name.into(),
        dialect: Dialect::Compatible,
        whole: steps.clone(),
        streamed: steps,
        expect: (expect.clone(), expect),
    }
}

fn sends(name: impl Into<String>, bytes: Vec<u8>, expect: Expect) -> Fault {
    fault(name, vec![Step::Send(bytes)], expect)
}

/// A fault of streams alone.
fn streams(name: &str, steps: Vec<Step>, expect: Expect) -> Fault {
    let good = (vec![Step::Send(json(200, "", WHOLE))], Primary("healthy", Outcome::Complete));
    Fault { whole: good.0, expect: (good.1, expect.clone()), ..fault(name, steps, expect) }
}

const WHOLE: &str = r#"{"id":"1","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"healthy"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}"#;
const ROLE: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
const WORD: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"half\"}}]}\n\n";
const STOP: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const DONE: &str = "data: [DONE]\n\n";

fn events(parts: &[&str]) -> Vec<u8> {
    http(200, EVENTS, parts.concat())
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Of the connection and of HTTP.
fn of_transport() -> Vec<Fault> {
    let head = |more: &str| format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{more}\r\n");
    let too_long = format!("{}{WHOLE}", head(&format!("content-length: {}\r\n", WHOLE.len() + 9)));
    let too_short = format!("{}{WHOLE}", head("content-length: 60\r\nconnection: close\r\n"));
    let chunks = |text: &str| format!("{}{text}", head("transfer-encoding: chunked\r\n")).into_bytes();
    let byte = |text: &str| {
        text.bytes().flat_map(|byte| [Step::Send(vec![byte]), Step::Pause(ms(40))]).collect::<Vec<_>>()
    };
    let gzip = [&b"\x1f\x8b\x08\x00\x00\x00\x00\x00"[..], &[0xAB; 5_000]].concat();
    vec![
        fault("closed at once", vec![], Fallback),
        fault("reset before the head", vec![Step::Reset], Fallback),
        fault("reset in the head", vec![Step::Send(b"HTTP/1.1 200 O".to_vec()), Step::Reset], Fallback),
        fault(
            "reset after the head",
            vec![Step::Send(head("content-length: 900\r\n").into()), Step::Reset],
            Fallback,
        ),
        fault(
            "reset in the body",
            vec![Step::Send(too_long.clone().into_bytes()[..200].to_vec()), Step::Pause(ms(20)), Step::Reset],
            Fallback,
        ),
        fault("silence", vec![Step::Hang], Fallback),
        fault(
            "silence after the head",
            vec![Step::Send(head("content-length: 9\r\n").into()), Step::Hang],
            Fallback,
        ),
        fault("a slow head", byte(&head("")), Fallback),
        fault("a slow body", [vec![Step::Send(head("").into())], byte(WHOLE)].concat(), Fallback),
        sends("no HTTP", b"220 smtp ready\r\n\r\n".to_vec(), Fallback),
        sends("a head of 1 MB", http(200, &format!("x-long: {}\r\n", "a".repeat(1 << 20)), WHOLE), Fallback),
        sends("1,000 headers", http(200, &"x-many: 1\r\n".repeat(1_000), WHOLE), Fallback),
        sends("shorter than it says", too_long.into_bytes(), Fallback),
        sends("longer than it says", too_short.into_bytes(), Fallback),
        sends("a chunk without an end", chunks("ffff\r\n{\"choices\""), Fallback),
        sends("a chunk of a wrong size", chunks("xyz\r\n{\"choices\""), Fallback),
        sends("gzip that nobody asked for", http(200, "content-encoding: gzip\r\n", gzip.clone()), Fallback),
        sends(
            "brotli that nobody asked for",
            http(200, "content-encoding: br\r\n", [0xCE, 0xB2, 0xCF, 0x81, 0x81]),
            Fallback,
        ),
        fault(
            "a body of more than any answer",
            vec![Step::Send(head("").into()), Step::Forever(vec![b' '; 1 << 20], ms(0))],
            Fallback,
        ),
        sends("100 MB, it says", http(200, "content-length: 104857600\r\n", "{"), Fallback),
        sends("204", b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(), Fallback),
        sends("an empty 200", http(200, "content-length: 0\r\n", ""), Fallback),
        sends("304", http(304, "", ""), Fallback),
        sends("302 to itself", http(302, "location: /v1/chat/completions\r\n", ""), Fallback),
        sends("HTML", http(200, "content-type: text/html\r\n", "<!doctype html><p>hello"), Fallback),
        sends(
            "HTML of a gateway",
            http(502, "content-type: text/html\r\n", "<html>bad gateway</html>"),
            Fallback,
        ),
        sends(
            "a wrong type of content",
            http(200, "content-type: text/html\r\n", WHOLE),
            Primary("healthy", Outcome::Complete),
        ),
        sends(
            "a mark of byte order",
            http(200, "content-type: application/json\r\n", format!("\u{feff}{WHOLE}")),
            Fallback,
        ),
    ]
}

/// Of a body under status 200.
fn of_bodies() -> Vec<Fault> {
    let body = |name: &str, text: &str| sends(name, json(200, "", text), Fallback);
    let bytes = |text: &[u8]| http(200, "content-type: application/json\r\n", text);
    vec![
        body("half of the JSON", &WHOLE[..120]),
        body("a list", "[]"),
        body("null", "null"),
        body("a number", "5"),
        body("NaN", &WHOLE.replace("\"total_tokens\":4", "\"total_tokens\":NaN")),
        body("Infinity", &WHOLE.replace("\"index\":0", "\"index\":Infinity")),
        body("no choices", r#"{"choices":[]}"#),
        body("choices that are none", r#"{"choices":null}"#),
        body("a choice that is none", r#"{"choices":[7]}"#),
        body("two answers at once", &format!("{WHOLE}{WHOLE}")),
        body("deep nesting", &format!("{{\"choices\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000))),
        body("deep objects", &format!("{}1{}", "{\"choices\":".repeat(100_000), "}".repeat(100_000))),
        sends(
            "no UTF-8",
            bytes(
                &WHOLE
                    .replace("healthy", "h")
                    .into_bytes()
                    .iter()
                    .map(|b| if *b == b'h' { 0xFF } else { *b })
                    .collect::<Vec<_>>(),
            ),
            Fallback,
        ),
        body("an error", r#"{"error":{"message":"x","type":"server_error"}}"#),
        body("an error in one word", r#"{"error":"overloaded"}"#),
        body("an error with a number", r#"{"error":{"code":503,"message":"x"}}"#),
        body("throttled, by a number", r#"{"error":{"code":429,"message":"x"}}"#),
        body("a dead key, by a number", r#"{"error":{"code":401,"message":"x"}}"#),
        body("a fault told beside choices", r#"{"error":{"code":500,"message":"x"},"choices":[]}"#),
        sends(
            "a bad request",
            json(200, "", r#"{"error":{"code":400,"message":"x"}}"#),
            Refused(ErrorKind::Rejected),
        ),
        sends(
            "a long context",
            json(200, "", r#"{"error":{"message":"This model's maximum context length is 8 tokens"}}"#),
            Refused(ErrorKind::ContextTooLong),
        ),
        sends(
            "a field twice",
            json(200, "", &WHOLE.replace("\"content\":", "\"content\":\"no\",\"content\":")),
            Primary("healthy", Outcome::Complete),
        ),
        Fault {
            expect: (Primary("healthy", Outcome::Truncated), Broken("healthy", ErrorKind::Unavailable)),
            ..sends("no reason for the end", json(200, "", &WHOLE.replace("\"stop\"", "null")), Fallback)
        },
        sends(
            "cut by a limit",
            json(200, "", &WHOLE.replace("\"stop\"", "\"length\"")),
            Primary("healthy", Outcome::Truncated),
        ),
    ]
}

/// Of the status.
fn of_statuses() -> Vec<Fault> {
    let body = r#"{"error":{"message":"it says why","type":"some_error","param":null,"code":null}}"#;
    let mut faults = Vec::new();
    for status in [401, 402, 403, 404, 408, 409, 425, 429, 498, 500, 501, 502, 503, 504, 520, 524, 529, 598] {
        faults.push(sends(status.to_string(), json(status, "", body), Fallback));
    }
    for status in [400, 405, 406, 411, 415, 418, 422, 431, 451] {
        faults.push(sends(status.to_string(), json(status, "", body), Refused(ErrorKind::Rejected)));
    }
    faults.push(sends("413", json(413, "", body), Refused(ErrorKind::ContextTooLong)));
    for header in [
        "retry-after-ms: 50",
        "retry-after: 1",
        "retry-after: Fri, 31 Dec 2999 23:59:59 GMT",
        "retry-after: Fri, 31 Dec 1999 23:59:59 GMT",
        "retry-after: 1000000000",
        "retry-after: 1e308",
        "retry-after: -5",
        "retry-after: soon",
        "x-should-retry: true",
        "x-should-retry: false",
        "x-ratelimit-remaining-requests: 0\r\nx-ratelimit-reset-requests: 6m0s",
    ] {
        faults.push(sends(format!("429, {header}"), json(429, &format!("{header}\r\n"), body), Fallback));
        faults.push(sends(format!("503, {header}"), json(503, &format!("{header}\r\n"), body), Fallback));
        faults.push(sends(
            format!("400, {header}"),
            json(400, &format!("{header}\r\n"), body),
            Refused(ErrorKind::Rejected),
        ));
    }
    let cut = |status| http(status, "content-length: 999\r\n", "{\"error\":{\"mess");
    faults.extend([
        sends("429 without a body", http(429, "content-length: 0\r\n", ""), Fallback),
        sends(
            "insufficient_quota",
            json(429, "", &body.replace("null}", "\"insufficient_quota\"}")),
            Fallback,
        ),
        sends(
            "400 in HTML",
            http(400, "content-type: text/html\r\n", "<html>"),
            Refused(ErrorKind::Rejected),
        ),
        sends("400 without a body", http(400, "content-length: 0\r\n", ""), Refused(ErrorKind::Rejected)),
        sends("400 that is cut", cut(400), Refused(ErrorKind::Rejected)),
        sends("500 that is cut", cut(500), Fallback),
        sends("401 that is cut", cut(401), Fallback),
        fault("400 without an end", vec![Step::Send(cut(400)), Step::Hang], Refused(ErrorKind::Rejected)),
        fault(
            "400 of any length",
            vec![Step::Send(http(400, "", "{")), Step::Forever(vec![b' '; 1 << 20], ms(0))],
            Refused(ErrorKind::Rejected),
        ),
    ]);
    faults
}

/// Of the same error in the words of each.
fn of_dialects() -> Vec<Fault> {
    let long = ErrorKind::ContextTooLong;
    let filtered = ErrorKind::ContentFiltered;
    let rejected = ErrorKind::Rejected;
    let of = |dialect: Dialect, status: u16, expect: Result<ErrorKind, ()>, body: &str| Fault {
        dialect,
        ..sends(format!("{dialect:?}: {body}"), json(status, "", body), expect.map_or(Fallback, Refused))
    };
    use Dialect::{Anthropic, Azure, Deepseek, Groq, LlamaCpp, Mistral, Ollama, Openai, Openrouter, Vllm};
    vec![
        of(
            Openai,
            400,
            Ok(long),
            r#"{"error":{"message":"This model's maximum context length is 8192 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
        ),
        of(
            Openai,
            400,
            Ok(filtered),
            r#"{"error":{"message":"Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try again with a different prompt.","type":"invalid_request_error","param":null,"code":"invalid_prompt"}}"#,
        ),
        of(
            Openai,
            400,
            Ok(rejected),
            r#"{"error":{"message":"Invalid schema for function 'f'","type":"invalid_request_error","param":"tools[0]","code":"invalid_function_parameters"}}"#,
        ),
        of(
            Openai,
            429,
            Err(()),
            r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#,
        ),
        of(
            Azure,
            400,
            Ok(filtered),
            r#"{"error":{"message":"The response was filtered","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
        ),
        of(
            Azure,
            404,
            Err(()),
            r#"{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}}"#,
        ),
        of(Openrouter, 402, Err(()), r#"{"error":{"code":402,"message":"Insufficient credits"}}"#),
        of(
            Openrouter,
            403,
            Ok(filtered),
            r#"{"error":{"code":403,"message":"Your input was flagged","metadata":{"reasons":["violence"],"flagged_input":"x","provider_name":"y"}}}"#,
        ),
        of(
            Openrouter,
            400,
            Ok(long),
            r#"{"error":{"code":400,"message":"This endpoint's maximum context length is 131072 tokens. However, you requested about 200000 tokens"}}"#,
        ),
        of(
            Openrouter,
            502,
            Err(()),
            r#"{"error":{"code":502,"message":"Provider returned error","metadata":{"raw":"upstream connect error"}}}"#,
        ),
        of(
            Groq,
            413,
            Err(()),
            r#"{"error":{"message":"Request too large for model","type":"tokens","code":"rate_limit_exceeded"}}"#,
        ),
        of(
            Groq,
            400,
            Ok(long),
            r#"{"error":{"message":"Please reduce the length of the messages or completion.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
        ),
        of(
            Groq,
            400,
            Ok(rejected),
            r#"{"error":{"message":"Failed to call a function.","type":"invalid_request_error","code":"tool_use_failed","failed_generation":"x"}}"#,
        ),
        of(
            Mistral,
            400,
            Ok(long),
            r#"{"object":"error","message":"Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length","type":"invalid_request_prompt_too_long","param":null,"code":"3051"}"#,
        ),
        of(
            Mistral,
            422,
            Ok(rejected),
            r#"{"detail":[{"type":"missing","loc":["body","messages"],"msg":"Field required"}]}"#,
        ),
        of(Mistral, 429, Err(()), r#"{"message":"Requests rate limit exceeded"}"#),
        of(Mistral, 401, Err(()), r#"{"message":"Unauthorized","request_id":"x"}"#),
        of(
            Deepseek,
            400,
            Ok(long),
            r#"{"error":{"message":"This model's maximum context length is 65536 tokens. However, you requested 70000 tokens","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}"#,
        ),
        of(
            Deepseek,
            400,
            Ok(filtered),
            r#"{"error":{"message":"Content Exists Risk","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}"#,
        ),
        of(
            Deepseek,
            402,
            Err(()),
            r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}"#,
        ),
        of(
            Ollama,
            404,
            Err(()),
            r#"{"error":{"message":"model 'x' not found, try pulling it first","type":"api_error","param":null,"code":null}}"#,
        ),
        of(
            Ollama,
            400,
            Ok(long),
            r#"{"error":{"message":"the input length exceeds the context length","type":"invalid_request_error"}}"#,
        ),
        of(
            Ollama,
            500,
            Err(()),
            r#"{"error":{"message":"model requires more system memory (5.6 GiB) than is available","type":"api_error"}}"#,
        ),
        of(
            Vllm,
            400,
            Ok(long),
            r#"{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens","type":"BadRequestError","param":null,"code":400}"#,
        ),
        of(
            Vllm,
            400,
            Ok(long),
            r#"{"error":{"message":"You passed 5001 input tokens and requested 0 output tokens. However, the model's context length is only 4096 tokens, resulting in a maximum input length of 4096 tokens.","type":"BadRequestError","param":"input_tokens","code":400}}"#,
        ),
        of(
            Vllm,
            404,
            Err(()),
            r#"{"object":"error","message":"The model `x` does not exist.","type":"NotFoundError","param":null,"code":404}"#,
        ),
        of(
            LlamaCpp,
            400,
            Ok(long),
            r#"{"error":{"code":400,"message":"the request exceeds the available context size, try increasing it","type":"exceed_context_size_error","n_prompt_tokens":9000,"n_ctx":4096}}"#,
        ),
        of(
            LlamaCpp,
            503,
            Err(()),
            r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#,
        ),
        of(
            Anthropic,
            400,
            Ok(long),
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"},"request_id":"req_1"}"#,
        ),
        of(
            Anthropic,
            413,
            Ok(long),
            r#"{"type":"error","error":{"type":"request_too_large","message":"Request exceeds the maximum size"}}"#,
        ),
        of(
            Anthropic,
            400,
            Ok(filtered),
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"Output blocked by content filtering policy"}}"#,
        ),
        of(
            Anthropic,
            400,
            Err(()),
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API."}}"#,
        ),
        of(
            Anthropic,
            400,
            Ok(rejected),
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"messages.0: all messages must have non-empty content"}}"#,
        ),
        of(
            Anthropic,
            529,
            Err(()),
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
        ),
        of(
            Anthropic,
            422,
            Ok(rejected),
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"no"}}"#,
        ),
    ]
}

/// Of a stream that was accepted.
fn of_streams() -> Vec<Fault> {
    let begun = |parts: &[&str]| Step::Send(events(parts));
    let broken = Broken("half", ErrorKind::Unavailable);
    let error = r#"data: {"error":{"message":"x","type":"server_error"}}"#;
    let bad = r#"data: {"error":{"message":"x","type":"invalid_request_error","code":400}}"#;
    let large = format!("data: {{\"x\":\"{}\"}}\n\n", "a".repeat(9 << 20));
    let nothing = ": keep-alive\n\n".repeat(500);
    vec![
        streams("nothing", vec![begun(&[])], Fallback),
        streams("only DONE", vec![begun(&[DONE])], Fallback),
        streams("only a role", vec![begun(&[ROLE, DONE])], Fallback),
        streams("an error first", vec![begun(&[ROLE, error, "\n\n"])], Fallback),
        streams("a bad request first", vec![begun(&[ROLE, bad, "\n\n"])], Refused(ErrorKind::Rejected)),
        streams("silence first", vec![begun(&[ROLE]), Step::Hang], Fallback),
        streams(
            "comments without end",
            vec![begun(&[]), Step::Forever(b": OPENROUTER PROCESSING\n\n".to_vec(), ms(20))],
            Fallback,
        ),
        streams("many comments, then a fault", vec![begun(&[&nothing]), Step::Reset], Fallback),
        streams("empty pieces without end", vec![begun(&[]), Step::Forever(ROLE.into(), ms(5))], Fallback),
        streams(
            "many empty pieces, then a fault",
            vec![begun(&[&ROLE.repeat(200), error, "\n\n"])],
            Fallback,
        ),
        streams("an event of 9 MiB first", vec![begun(&[&large])], Fallback),
        streams(
            "an event without end",
            vec![begun(&["data: "]), Step::Forever(vec![b'a'; 1 << 20], ms(0))],
            Fallback,
        ),
        streams("HTML first", vec![begun(&["<html>"])], Fallback),
        streams("reset at once", vec![begun(&[]), Step::Pause(ms(20)), Step::Reset], Fallback),
        streams("fails first", vec![begun(&[&STOP.replace("stop", "error")])], Fallback),
        streams(
            "no resources first",
            vec![begun(&[&STOP.replace("stop", "insufficient_system_resource")])],
            Fallback,
        ),
        streams("cut", vec![begun(&[WORD])], broken.clone()),
        streams("DONE without an end", vec![begun(&[WORD, DONE])], broken.clone()),
        streams("cut in an event", vec![begun(&[WORD, &STOP[..40]])], broken.clone()),
        streams("reset", vec![begun(&[WORD]), Step::Pause(ms(50)), Step::Reset], broken.clone()),
        streams("silence", vec![begun(&[WORD]), Step::Hang], Broken("half", ErrorKind::Timeout)),
        streams(
            "comments",
            vec![begun(&[WORD]), Step::Forever(b": ping\n\n".to_vec(), ms(20))],
            Broken("half", ErrorKind::Timeout),
        ),
        streams("an error", vec![begun(&[WORD, error, "\n\n", STOP, DONE])], broken.clone()),
        streams("a bad request", vec![begun(&[WORD, bad, "\n\n"])], Broken("half", ErrorKind::Rejected)),
        streams("fails", vec![begun(&[WORD, &STOP.replace("stop", "error"), DONE])], broken.clone()),
        streams(
            "no resources",
            vec![begun(&[WORD, &STOP.replace("stop", "insufficient_system_resource"), DONE])],
            broken.clone(),
        ),
        streams(
            "no UTF-8",
            vec![Step::Send([events(&[WORD]), b"data: {\"\xff\":1}\n\n".to_vec(), STOP.into()].concat())],
            broken.clone(),
        ),
        streams("NaN", vec![begun(&[WORD, "data: {\"choices\":[],\"x\":NaN}\n\n", STOP])], broken),
        streams(
            "a limit",
            vec![begun(&[WORD, &STOP.replace("stop", "length"), DONE])],
            Primary("half", Outcome::Truncated),
        ),
        streams(
            "a filter",
            vec![begun(&[WORD, &STOP.replace("stop", "content_filter"), DONE])],
            Primary("half", Outcome::Truncated),
        ),
        streams("no DONE", vec![begun(&[WORD, STOP])], Primary("half", Outcome::Complete)),
        streams(
            "reset after the end",
            vec![begun(&[WORD, STOP]), Step::Pause(ms(50)), Step::Reset],
            Primary("half", Outcome::Complete),
        ),
        streams(
            "an error after the end",
            vec![begun(&[WORD, STOP, error, "\n\n"])],
            Primary("half", Outcome::Complete),
        ),
    ]
}

struct World {
    ai: AiClient,
    ctx: Ctx,
    events: Arc<MemoryEvents>,
}

const KEY: &str = "sk-sesame";

fn world(primary: (&str, Dialect), fallback: &str) -> World {
    let mut config = AiConfig::default();
    for (name, url, dialect) in
        [("internal", primary.0, primary.1), ("openai", fallback, Dialect::Compatible)]
    {
        let price = PriceConfig { per_request_nano_usd: Some(PRICE), ..PriceConfig::default() };
        let provider = ProviderConfig {
            base_url: Some(url.to_owned()),
            dialect: Some(dialect),
            model: Some("m".into()),
            api_key: Some(SecretRef::Env("THE_KEY".into()).into()),
            price: Some(price),
            ..ProviderConfig::default()
        };
        config.providers.insert(name.to_owned(), provider);
    }
    config.cache.enabled = false;
    config.retry.base_ms = 1;
    config.retry.max_ms = 100;
    config.timeouts.attempt_ms = 3_000;
    config.timeouts.first_token_ms = 3_000;
    config.timeouts.idle_ms = 1_000;
    let secrets = StaticSecrets::default().with("THE_KEY", Secret::new(KEY));
    let parts = ProviderParts { http: Arc::new(ReqwestHttp::new()), secrets: Arc::new(secrets) };
    let built = providers().build_all(&config.providers, &parts).unwrap();
    let events = Arc::new(MemoryEvents::default());
    let env = Env { events: Arc::clone(&events) as _, ..Env::default() };
    World {
        ai: AiClient::new(config, AiParts::new(built)).unwrap(),
        ctx: Ctx::new(&env, TenantId::default()),
        events,
    }
}

/// What became of a call: who answered with what, or the words before the error.
#[derive(Debug)]
struct Seen {
    text: String,
    provider: String,
    outcome: Option<Outcome>,
    error: Option<Error>,
}

impl World {
    async fn chat(&self) -> Seen {
        match self.ai.chat(&self.ctx, "Hi".into()).await {
            Ok(answer) => Seen {
                text: answer.first_text(),
                provider: answer.report.provider,
                outcome: Some(answer.outcome),
                error: None,
            },
            Err(error) => {
                Seen { text: String::new(), provider: String::new(), outcome: None, error: Some(error) }
            }
        }
    }

    async fn stream(&self) -> Seen {
        let mut seen = Seen { text: String::new(), provider: String::new(), outcome: None, error: None };
        let mut stream = match self.ai.stream(&self.ctx, "Hi".into()).await {
            Ok(stream) => stream,
            Err(error) => return Seen { error: Some(error), ..seen },
        };
        let mut whole = Assembler::default();
        while let Some(item) = stream.next().await {
            match item {
                Ok(chunk) => {
                    seen.outcome = chunk.outcome.or(seen.outcome);
                    if let Some(report) = &chunk.report {
                        seen.provider.clone_from(&report.provider);
                    }
                    whole.push(&chunk);
                }
                Err(error) => seen.error = Some(error),
            }
        }
        seen.text = whole.response().first_text();
        seen
    }
}

async fn healthy() -> Server {
    let stream = events(&[&WORD.replace("half", "healthy"), STOP, DONE]);
    serve(vec![Step::Send(json(200, "", WHOLE))], vec![Step::Send(stream)]).await
}

/// What is wrong, if anything.
async fn judge(fault: Fault, streamed: bool) -> Option<String> {
    let primary = serve(fault.whole, fault.streamed).await;
    let fallback = healthy().await;
    let world = world((&primary.base_url, fault.dialect), &fallback.base_url);
    let call = async { if streamed { world.stream().await } else { world.chat().await } };
    let Ok(seen) = tokio::time::timeout(Duration::from_secs(20), call).await else {
        return Some(format!("{} (streamed: {streamed}): no end", fault.name));
    };
    let expect = if streamed { fault.expect.1 } else { fault.expect.0 };
    let kind = seen.error.as_ref().map(Error::kind);
    let (asked, helped) = (primary.requests(), fallback.requests());
    let complete = Some(Outcome::Complete);
    let (right, settled) = match &expect {
        Fallback => (
            (seen.text.as_str(), seen.provider.as_str(), seen.outcome, kind, helped)
                == ("healthy", "openai", complete, None, 1),
            PRICE,
        ),
        Refused(of) => ((kind, asked, helped) == (Some(*of), 1, 0), 0),
        Primary(text, outcome) => (
            (seen.text.as_str(), seen.provider.as_str(), seen.outcome, kind, helped)
                == (text, "internal", Some(*outcome), None, 0),
            PRICE,
        ),
        Broken(text, of) => (
            (seen.text.as_str(), seen.outcome, kind, asked, helped)
                == (text, Some(Outcome::Errored), Some(*of), 1, 0)
                && seen.error.as_ref().and_then(Error::partial_text) == Some(text),
            PRICE,
        ),
    };
    let spend = world.ai.spend(&world.ctx, None).await.unwrap();
    let events = world.events.drain();
    let traced = events.first().and_then(|event| event.payload["attempts"].as_array()).map_or(0, Vec::len);
    let told = format!("{events:?}{seen:?}");
    let accounted = (spend.cost_nano_usd, spend.reserved_nano_usd) == (settled, 0);
    let right = right && accounted && events.len() == 1 && traced == asked + helped && !told.contains(KEY);
    (!right).then(|| {
        format!(
            "{} (streamed: {streamed}), should be {expect:?}: {seen:?}, asked {asked} and {helped}, in the trace {traced}, settled {} of {settled}, reserved {}, events {}",
            fault.name,
            spend.cost_nano_usd,
            spend.reserved_nano_usd,
            events.len()
        )
    })
}

async fn judge_all(faults: fn() -> Vec<Fault>) {
    let whole = faults().into_iter().map(|fault| judge(fault, false));
    let streamed = faults().into_iter().map(|fault| judge(fault, true));
    let wrong: Vec<String> = join_all(whole.chain(streamed)).await.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_the_transport() {
    judge_all(of_transport).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_bodies() {
    judge_all(of_bodies).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_statuses() {
    judge_all(of_statuses).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_in_the_words_of_each() {
    judge_all(of_dialects).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_streams() {
    judge_all(of_streams).await;
}

/// Asked for an hour, the provider is left alone for an hour; the error of the last one says how long.
#[tokio::test]
async fn a_long_wait_is_kept_to() {
    let body = r#"{"error":{"message":"later"}}"#;
    let slow = || vec![Step::Send(json(429, "retry-after: 3600\r\n", body))];
    let primary = serve(slow(), slow()).await;
    let fallback = healthy().await;
    let world = world((&primary.base_url, Dialect::Compatible), &fallback.base_url);
    for _ in 0..3 {
        assert_eq!(world.chat().await.provider, "openai");
    }
    assert_eq!(primary.requests(), 1, "it asked to be left alone");
    let alone = serve(slow(), slow()).await;
    let both = super::faults::world((&alone.base_url, Dialect::Compatible), &alone.base_url);
    let error = both.chat().await.error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Throttled);
    assert_ne!(error.retry(), Retry::Never, "{error:?}");
}

#[tokio::test]
async fn a_refused_connection_is_tried_again_and_left() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let fallback = healthy().await;
    for streamed in [false, true] {
        let world = world((&gone, Dialect::Compatible), &fallback.base_url);
        let seen = if streamed { world.stream().await } else { world.chat().await };
        assert_eq!((seen.text.as_str(), seen.outcome), ("healthy", Some(Outcome::Complete)));
        let attempts = world.events.drain()[0].payload["attempts"].clone();
        let kinds: Vec<_> =
            attempts.as_array().unwrap().iter().map(|attempt| attempt["error"].as_str()).collect();
        let away = Some("unavailable");
        assert_eq!(kinds, [away, away, away, away, None], "{attempts}");
        let spend = world.ai.spend(&world.ctx, None).await.unwrap();
        assert_eq!((spend.cost_nano_usd, spend.reserved_nano_usd), (PRICE, 0));
    }
}
