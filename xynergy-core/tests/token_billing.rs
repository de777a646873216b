//! What OpenAI billed for recorded requests, against what is counted for them.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use xynergy_core::TenantId;
use xynergy_core::provider::ChatRequest;
use xynergy_core::tokens::{TokenCount, TokenCounter};

struct Recorded {
    name: String,
    host: String,
    request: ChatRequest,
    model: String,
    reported: u64,
}

/// The recorded chats that have a request and reported usage.
fn recorded() -> Option<Vec<Recorded>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/exchanges");
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(root).ok()?.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    Some(folders.iter().filter_map(|folder| read(folder)).collect())
}

fn read(folder: &Path) -> Option<Recorded> {
    let meta: Value = serde_json::from_slice(&std::fs::read(folder.join("meta.json")).ok()?).unwrap();
    let url = meta["url"].as_str()?;
    if !url.contains("/chat/completions") {
        return None;
    }
    let request: ChatRequest =
        serde_json::from_slice(&std::fs::read(folder.join("request.json")).ok()?).ok()?;
    let body = String::from_utf8_lossy(&std::fs::read(folder.join("response.body")).unwrap()).into_owned();
    let after = |key: &str| {
        body.rsplit_once(key).map(|(_, rest)| rest.trim_start_matches([':', ' ', '"']).to_owned())
    };
    let reported = after("\"prompt_tokens\"")?;
    let digits: String = reported.chars().take_while(char::is_ascii_digit).collect();
    // A deployment of Azure's is named by its owner: the answer says which model it is.
    let model = if url.contains("azure") {
        after("\"model\"")?.split('"').next()?.to_owned()
    } else {
        request.model.clone()
    };
    Some(Recorded {
        name: folder.file_name()?.to_string_lossy().into_owned(),
        host: url.split('/').nth(2)?.to_owned(),
        request,
        model,
        reported: digits.parse().ok()?,
    })
}

fn count(counter: &TokenCounter, request: &ChatRequest, model: &str) -> TokenCount {
    counter.count(&TenantId::default(), request, model)
}

fn off(count: &TokenCount, reported: u64) -> f64 {
    #[allow(clippy::cast_precision_loss)]
    let (a, b) = (count.tokens as f64, reported as f64);
    100.0 * (a - b) / b
}

#[test]
fn plain_text_is_what_openai_reports_and_the_rest_is_within_the_stated_error() {
    let Some(recorded) = recorded() else {
        println!("skipped: ../shared/data/exchanges is absent");
        return;
    };
    let counter = TokenCounter::new();
    let mut plain = 0;
    for one in recorded.iter().filter(|one| one.host.contains("openai")) {
        let found = count(&counter, &one.request, &one.model);
        println!("{}: {found:?}, reported {}, {:+.1} %", one.name, one.reported, off(&found, one.reported));
        let extra = &one.request.extra;
        let has_tools = !one.request.tools.is_empty() || extra.contains_key("functions");
        let is_plain = !has_tools
            && one.request.response_format.is_none()
            && one.request.messages.iter().all(|message| !message.has_image());
        if is_plain {
            assert_eq!((found.tokens, found.exact), (one.reported, true), "{}", one.name);
            plain += 1;
        } else {
            assert!(!found.exact, "{}", one.name);
            let allowed = found.tokens * u64::from(found.error_percent) / 100;
            assert!(found.tokens.abs_diff(one.reported) <= allowed, "{}: {found:?}", one.name);
        }
    }
    assert!(plain >= 9, "too few recorded chats of plain text: {plain}");
}

#[test]
fn other_models_are_estimates_that_say_so() {
    let Some(recorded) = recorded() else {
        println!("skipped: ../shared/data/exchanges is absent");
        return;
    };
    let counter = TokenCounter::new();
    let mut seen = 0;
    for one in recorded.iter().filter(|one| !one.host.contains("openai") && !one.host.contains("azure")) {
        let found = count(&counter, &one.request, &one.model);
        println!(
            "{} {}: {found:?}, reported {}, {:+.1} %",
            one.name,
            one.model,
            one.reported,
            off(&found, one.reported)
        );
        assert!(!found.exact && found.encoding.is_none() && found.error_percent > 0, "{}", one.name);
        seen += 1;
    }
    assert!(seen >= 3, "too few recorded chats: {seen}");
}

/// Reported counts that are published: OpenAI's cookbook, and the checked cases of the library openai-chat-tokens (MIT).
#[test]
fn published_counts_of_messages_and_functions() {
    let counter = TokenCounter::new();
    let weather = json!([{
        "name": "get_current_weather", "description": "Get the current weather in a given location",
        "parameters": {"type": "object", "required": ["location"], "properties": {
            "location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"},
            "unit": {"type": "string", "description": "The unit of temperature to return", "enum": ["celsius", "fahrenheit"]},
        }},
    }]);
    let asked = json!([
        {"role": "system", "content": "You are a helpful assistant that can answer to questions about the weather."},
        {"role": "user", "content": "What's the weather like in San Francisco?"},
    ]);
    let user = |text: &str| json!([{"role": "user", "content": text}]);
    let function = |parameters: Value| json!([{"name": "bing_bong", "description": "Do a bing bong", "parameters": parameters}]);
    let empty = |name: &str| json!([{"name": name, "parameters": {"type": "object", "properties": {}}}]);
    let greeting = |system: &str| json!([{"role": "system", "content": system}, {"role": "user", "content": "Hi there"}]);
    for (model, messages, functions, reported) in [
        ("gpt-4", asked.clone(), weather.clone(), 105),
        ("gpt-4o-mini", asked, weather, 101),
        ("gpt-3.5-turbo", user("hello"), Value::Null, 8),
        (
            "gpt-3.5-turbo",
            json!([{"role": "system", "content": "# Important: you're the best robot"}, {"role": "user", "content": "hello robot"},
            {"role": "assistant", "content": "hello world"}]),
            Value::Null,
            27,
        ),
        ("gpt-3.5-turbo", user("hello"), empty("foo"), 31),
        (
            "gpt-3.5-turbo",
            user("hello"),
            function(json!({"type": "object", "properties": {"foo": {"type": "string"}}})),
            49,
        ),
        (
            "gpt-3.5-turbo",
            user("hello"),
            function(json!({"type": "object", "properties": {"foo": {"type": "object", "properties": {
            "bar": {"type": "string", "enum": ["a", "b", "c"]}, "baz": {"type": "boolean"}}}}})),
            68,
        ),
        ("gpt-3.5-turbo", greeting("Hello"), empty("do_stuff"), 35),
        ("gpt-3.5-turbo", greeting("Hello:"), empty("do_stuff"), 35),
        (
            "gpt-3.5-turbo",
            json!([{"role": "user", "content": "hello world"}, {"role": "function", "name": "do_stuff", "content": "{}"}]),
            Value::Null,
            15,
        ),
        (
            "gpt-3.5-turbo",
            json!([{"role": "function", "name": "dance_the_tango", "content": "{\"a\": { \"b\" : { \"c\": false}}}"}]),
            Value::Null,
            24,
        ),
        (
            "gpt-3.5-turbo",
            json!([{"role": "assistant", "content": "", "function_call": {"name": "do_stuff", "arguments": "{\"foo\": \"bar\", \"baz\": 1.5}"}}]),
            Value::Null,
            26,
        ),
    ] {
        let older = json!({"model": model, "messages": messages, "functions": functions});
        let request: ChatRequest = serde_json::from_value(older).unwrap();
        assert_eq!(count(&counter, &request, model).tokens, reported, "{request:?}");
        if let Value::Array(functions) = functions {
            let tools: Vec<Value> =
                functions.iter().map(|f| json!({"type": "function", "function": f})).collect();
            let newer = json!({"model": model, "messages": messages, "tools": tools});
            let request: ChatRequest = serde_json::from_value(newer).unwrap();
            assert_eq!(count(&counter, &request, model).tokens, reported, "{request:?}");
        }
    }
}
