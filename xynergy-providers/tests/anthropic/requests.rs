use proptest::prelude::*;
use serde_json::{Value, json};
use xynergy_core::ErrorKind;
use xynergy_core::provider::{ChatRequest, Message};

use super::support::{recorded, sent};

/// One text is the same as a list of one block.
fn blocks(content: &Value) -> Value {
    match content {
        Value::String(text) => json!([{"type": "text", "text": text}]),
        other => other.clone(),
    }
}

#[test]
fn anthropics_own_requests_go_out_as_they_came() {
    for exchange in recorded("api.anthropic.com/v1/messages") {
        let Some(mut expected) = exchange.request else { continue };
        let request: ChatRequest = serde_json::from_value(expected.clone()).unwrap();
        expected["system"] = blocks(&expected["system"]);
        for message in expected["messages"].as_array_mut().unwrap() {
            message["content"] = blocks(&message["content"]);
        }
        // The method decides whether it streams.
        expected.as_object_mut().unwrap().retain(|name, value| name != "stream" && !value.is_null());
        assert_eq!(sent(&request).unwrap(), expected, "{}", exchange.name);
    }
}

#[test]
fn recorded_chat_completions_go_out_with_all_their_words() {
    let mut translated = 0;
    for exchange in recorded("chat/completions") {
        let Some(asked) = exchange.request else { continue };
        let request: ChatRequest = serde_json::from_value(asked.clone()).unwrap();
        let body = match sent(&request) {
            Ok(body) => body,
            Err(error) => {
                let many = asked["n"].as_u64().is_some_and(|n| n > 1)
                    || asked["logprobs"] == true
                    || asked.get("functions").is_some();
                assert!(error.kind() == ErrorKind::Unsupported && many, "{}: {error}", exchange.name);
                continue;
            }
        };
        let words = serde_json::to_string(&json!([body["system"], body["messages"]])).unwrap();
        for text in request.messages.iter().flat_map(Message::texts) {
            let written = serde_json::to_string(text).unwrap();
            assert!(words.contains(&written), "{}: {text}", exchange.name);
        }
        assert_eq!(body["tools"].as_array().map_or(0, Vec::len), request.tools.len(), "{}", exchange.name);
        assert!(body["max_tokens"].as_u64().is_some_and(|limit| limit > 0), "{}", exchange.name);
        translated += 1;
    }
    assert!(translated > 20 || recorded("chat/completions").is_empty(), "{translated} requests");
}

#[derive(Clone, Debug)]
enum Step {
    System(String),
    User(String),
    Said(String),
    /// Calls of tools, with a result each.
    Called(Vec<(String, u8)>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let text = "[a-zé😀\"\\\\ ]{0,8}";
    proptest::collection::vec(
        prop_oneof![
            text.prop_map(Step::System),
            text.prop_map(Step::User),
            text.prop_map(Step::Said),
            proptest::collection::vec((text, any::<u8>()), 1..4).prop_map(Step::Called),
        ],
        0..12,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_conversation_loses_a_word_or_a_result(steps in steps()) {
        let mut messages = Vec::new();
        let (mut hoisted, mut said, mut results) = (Vec::new(), Vec::new(), 0_usize);
        for (number, step) in steps.iter().enumerate() {
            match step {
                Step::System(text) => {
                    messages.push(json!({"role": "system", "content": text}));
                    hoisted.push(text.clone());
                }
                Step::User(text) | Step::Said(text) => {
                    let role = if matches!(step, Step::User(_)) { "user" } else { "assistant" };
                    messages.push(json!({"role": role, "content": text}));
                    said.push(text.clone());
                }
                Step::Called(calls) => {
                    let id = |call: usize| format!("functions.f:{number}.{call}");
                    let made: Vec<Value> = calls.iter().enumerate().map(|(call, (_, value))| {
                        let arguments = json!({"v": value}).to_string();
                        json!({"id": id(call), "type": "function", "function": {"name": "f", "arguments": arguments}})
                    }).collect();
                    messages.push(json!({"role": "assistant", "content": null, "tool_calls": made}));
                    for (call, (text, _)) in calls.iter().enumerate() {
                        messages.push(json!({"role": "tool", "tool_call_id": id(call), "content": text}));
                        said.push(text.clone());
                        results += 1;
                    }
                }
            }
        }
        messages.push(json!({"role": "user", "content": "last"}));
        said.push("last".to_owned());
        let request: ChatRequest = serde_json::from_value(json!({"messages": messages})).unwrap();
        let body = sent(&request).unwrap();

        let mut found = Vec::new();
        let mut open: Vec<Value> = Vec::new();
        let mut answered = 0;
        let mut before = Value::Null;
        for turn in body["messages"].as_array().unwrap() {
            prop_assert_ne!(&turn["role"], &before, "two turns of one side");
            before = turn["role"].clone();
            let blocks = turn["content"].as_array().unwrap();
            prop_assert!(!blocks.is_empty());
            for block in blocks {
                match block["type"].as_str().unwrap() {
                    "text" => found.push(block["text"].as_str().unwrap().to_owned()),
                    "tool_use" => open.push(block["id"].clone()),
                    "tool_result" => {
                        let at = open.iter().position(|id| *id == block["tool_use_id"]);
                        prop_assert!(at.is_some(), "a result without its call");
                        open.remove(at.unwrap());
                        answered += 1;
                        found.extend(block["content"][0]["text"].as_str().map(str::to_owned));
                    }
                    other => prop_assert!(false, "{}", other),
                }
            }
        }
        let with_words = |texts: Vec<String>| texts.into_iter().filter(|text| !text.trim().is_empty()).collect::<Vec<_>>();
        prop_assert_eq!(found, with_words(said));
        prop_assert_eq!((answered, open.len()), (results, 0));
        let system = body["system"].as_array().cloned().unwrap_or_default();
        let system: Vec<String> = system.iter().map(|block| block["text"].as_str().unwrap().to_owned()).collect();
        prop_assert_eq!(system, with_words(hoisted));
    }
}
