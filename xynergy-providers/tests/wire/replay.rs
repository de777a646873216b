use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};
use xynergy_core::config::ProviderConfig;
use xynergy_core::config::StaticSecrets;
use xynergy_core::env::{HttpBody, HttpFailure, HttpRequest, HttpResponse, HttpSend};
use xynergy_core::layer::Layer;
use xynergy_core::layers::AttemptLayer;
use xynergy_core::provider::{Assembler, ChatRequest, ChatResponse, FinishReason, Message, Provider, Usage};
use xynergy_core::registry::ProviderParts;
use xynergy_core::{Ctx, Env, Error, Result, TenantId};
use xynergy_providers::registry::providers;

/// An answer as a server sends it, and what it says.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// The name of the provider, which is also its dialect.
    pub(crate) dialect: &'static str,
    pub(crate) body: String,
    /// See [`said`]; what is not told is not there.
    pub(crate) said: Value,
}

const EVENTS: &str = "text/event-stream; charset=utf-8";

/// Answers with the same bytes, in pieces that are cut at `cuts`.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    body: Bytes,
    /// Where it is cut, and what is said of it.
    served: Mutex<(Vec<usize>, &'static str)>,
}

#[async_trait]
impl HttpSend for Replay {
    async fn send(&self, _: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        Ok(HttpResponse { status: StatusCode::OK, headers: HeaderMap::new(), body: self.body.clone() })
    }

    async fn stream(&self, _: HttpRequest) -> Result<HttpBody, HttpFailure> {
        let (mut cuts, kind) = self.served.lock().unwrap().clone();
        cuts.extend([0, self.body.len()]);
        cuts.sort_unstable();
        let pieces: Vec<_> = cuts.windows(2).map(|pair| Ok(self.body.slice(pair[0]..pair[1]))).collect();
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
        let chunks = futures_util::stream::iter(pieces).boxed();
        Ok(HttpBody { status: StatusCode::OK, headers, chunks })
    }
}

fn provider(dialect: &str, http: &Arc<Replay>) -> Arc<dyn Provider> {
    let kind = match dialect {
        "anthropic" => "anthropic",
        "responses" => "openai_responses",
        _ => "openai_compatible",
    };
    let config = ProviderConfig {
        kind: kind.into(),
        base_url: Some("https://replay.example/v1".into()),
        model: Some("m".into()),
        ..ProviderConfig::default()
    };
    let parts = ProviderParts { http: Arc::clone(http) as _, secrets: Arc::new(StaticSecrets::default()) };
    AttemptLayer.wrap(providers().build(dialect, &config, &parts).unwrap())
}

fn request() -> ChatRequest {
    "Hi".into()
}

async fn streamed(provider: &Arc<dyn Provider>, ctx: &Ctx) -> (ChatResponse, Option<Error>) {
    let mut seen = Assembler::default();
    let failed = match provider.stream(ctx, &request()).await {
        Ok(mut chunks) => loop {
            match chunks.next().await {
                Some(Ok(chunk)) => seen.push(&chunk),
                Some(Err(error)) => break Some(error),
                None => break None,
            }
        },
        Err(error) => Some(error),
    };
    (seen.response(), failed)
}

/// What an answer says, as short as that can be told.
pub(crate) fn said(response: &ChatResponse, failed: Option<&Error>) -> Value {
    let mut said = json!({"outcome": response.outcome.as_str()});
    let mut put = |name: &str, value: Value| {
        if !matches!(&value, Value::Null) && value != "" && value != json!([]) {
            said[name] = value;
        }
    };
    put("error", failed.map(|error| error.kind().as_str()).into());
    put("usage", response.usage.as_ref().map(of_usage).unwrap_or_default());
    let all: Vec<Value> = response
        .choices
        .iter()
        .map(|choice| {
            let mut one = of_message(&choice.message);
            one["finish"] = choice.finish_reason.as_ref().map(FinishReason::as_str).into();
            one
        })
        .collect();
    match <[Value; 1]>::try_from(all) {
        Ok([Value::Object(one)]) => one.into_iter().for_each(|(name, value)| put(&name, value)),
        Ok([other]) => put("choices", other),
        Err(several) => put("choices", several.into()),
    }
    said
}

fn of_message(message: &Message) -> Value {
    let calls: Vec<Value> = message
        .tool_calls
        .iter()
        .map(|call| {
            let (at, text) =
                if call["type"] == "custom" { ("custom", "input") } else { ("function", "arguments") };
            json!([call["id"], call[at]["name"], call[at][text]])
        })
        .collect();
    let reasoning = message.extra.get("reasoning_content").or_else(|| message.extra.get("reasoning"));
    let mut one = json!({});
    let texts: String = message.texts().collect();
    for (name, value) in [
        ("text", Value::from(texts)),
        ("refusal", message.refusal.clone().into()),
        ("reasoning", reasoning.cloned().unwrap_or_default()),
        ("tools", calls.into()),
    ] {
        if value != "" && value != json!([]) && !value.is_null() {
            one[name] = value;
        }
    }
    one
}

/// Prompt and answer, and of these cached and reasoning.
fn of_usage(usage: &Usage) -> Value {
    json!([usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens(), usage.reasoning_tokens()])
}

/// A step between cuts that meets every place of a character in time, and costs little.
const STEP: usize = 11;
/// How often each stream is damaged at random.
const DAMAGED: usize = 30;

/// Reads the stream of each case whole, in single bytes and at many a cut; it always says the same.
pub(crate) fn judge_streams(cases: Vec<Case>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let ctx = Ctx::new(&Env::default(), TenantId::default());
    let mut wrong = Vec::new();
    for case in cases {
        let length = case.body.len();
        let http = Arc::new(Replay { body: Bytes::from(case.body), ..Replay::default() });
        let provider = provider(case.dialect, &http);
        let singles = || (0..length).collect::<Vec<_>>();
        let places = (0..length).step_by(STEP).map(|cut| (vec![cut], EVENTS));
        // Some say of events that they are text.
        let whole =
            [(vec![], EVENTS), (singles(), EVENTS), (vec![], "text/plain"), (singles(), "text/plain")];
        for (cuts, kind) in whole.into_iter().chain(places) {
            let first = (kind, cuts.len(), cuts.first().copied());
            *http.served.lock().unwrap() = (cuts, kind);
            let (response, failed) = runtime.block_on(streamed(&provider, &ctx));
            let said = said(&response, failed.as_ref());
            if said != case.said {
                wrong.push(format!(
                    "{}, cut at {first:?}:\n  says   {said}\n  should {}\n  {failed:?}",
                    case.name, case.said
                ));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What breaks off anywhere says less or the same, and is called whole only where it says the same; what is damaged anywhere is no
/// panic.
pub(crate) fn judge_damage(cases: Vec<Case>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let ctx = Ctx::new(&Env::default(), TenantId::default());
    let read = |dialect: &str, body: Vec<u8>| {
        let http = Arc::new(Replay { body: Bytes::from(body), served: Mutex::new((vec![], EVENTS)) });
        let (response, failed) = runtime.block_on(streamed(&provider(dialect, &http), &ctx));
        let mut said = said(&response, failed.as_ref());
        said.as_object_mut().unwrap().remove("usage");
        said
    };
    let mut random = 7_u64;
    for case in cases {
        let body = case.body.into_bytes();
        let whole = read(case.dialect, body.clone());
        for length in (0..body.len()).step_by(STEP) {
            let part = read(case.dialect, body[..length].to_vec());
            let claims = part["outcome"] == "complete" && part.get("error").is_none();
            assert!(!claims || part == whole, "{}, cut at {length}: {part}", case.name);
        }
        for _ in 0..DAMAGED {
            let mut next = |below: usize| {
                random =
                    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                usize::try_from(random >> 33).unwrap() % below
            };
            let mut damaged = body.clone();
            for _ in 0..=next(3) {
                let letters = b"\0\n\r\"{}[]:,0-9eE\\u\xFF\xC3";
                let (at, byte) = (next(damaged.len()), letters[next(letters.len())]);
                match next(3) {
                    0 => damaged[at] = byte,
                    1 => damaged.insert(at, byte),
                    _ => drop(damaged.drain(at..(at + next(40)).min(damaged.len()))),
                }
                if damaged.is_empty() {
                    break;
                }
            }
            read(case.dialect, damaged);
        }
    }
}

/// The same for answers that come as a whole.
pub(crate) fn judge_answers(cases: Vec<Case>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let ctx = Ctx::new(&Env::default(), TenantId::default());
    let mut wrong = Vec::new();
    for case in cases {
        let http = Arc::new(Replay { body: Bytes::from(case.body), ..Replay::default() });
        let said = match runtime.block_on(provider(case.dialect, &http).chat(&ctx, &request())) {
            Ok(response) => said(&response, None),
            Err(error) => json!({"error": error.kind().as_str()}),
        };
        if said != case.said {
            wrong.push(format!("{}:\n  says   {said}\n  should {}", case.name, case.said));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Events without a name.
pub(crate) fn data(events: &[&str]) -> String {
    events.iter().map(|event| format!("data: {event}\n\n")).collect()
}

/// Events with the name that stands in them.
pub(crate) fn named(events: &[&str]) -> String {
    let name =
        |event: &str| serde_json::from_str::<Value>(event).unwrap()["type"].as_str().unwrap().to_owned();
    events.iter().map(|event| format!("event: {}\ndata: {event}\n\n", name(event))).collect()
}
