//! A chat completion as a request for a response.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::{Map, Value, json};
use xynergy_core::provider::{ChatRequest, Content, ContentPart, Message, Role};
use xynergy_core::{Error, ErrorKind, Result};

use super::REASONING_ITEMS;

/// The body of a request.
///
/// What is asked for is not kept at OpenAI (`store`) unless the request says so: chat completions are not either.
pub(super) fn body(request: &ChatRequest, default_model: &str, stream: bool) -> Result<Bytes> {
    if request.n.is_some_and(|n| n > 1) {
        let message =
            "n: the Responses API gives one answer; leave n away, or ask a provider of chat completions";
        return Err(Error::new(ErrorKind::Unsupported, "ai.chat", message));
    }
    let mut fields = request.extra.clone();
    for ours in ["stream", "stream_options"] {
        fields.remove(ours);
    }
    let model = if request.model.is_empty() { default_model } else { &request.model };
    fields.insert("model".into(), model.into());
    fields.insert("input".into(), input(&request.messages).into());
    if let Some(limit) = request.token_limit() {
        fields.insert("max_output_tokens".into(), limit.into());
    }
    if let Some(temperature) = request.temperature.filter(|_| !has_own_temperature(model)) {
        fields.insert("temperature".into(), temperature.into());
    }
    if !request.tools.is_empty() {
        fields.insert("tools".into(), request.tools.iter().map(tool).collect());
    }
    if let Some(choice) = fields.remove("tool_choice") {
        fields.insert("tool_choice".into(), tool_choice(choice));
    }
    text(&mut fields, request.response_format.as_ref());
    if let Some(effort) = fields.remove("reasoning_effort") {
        set_in(&mut fields, "reasoning", "effort", effort);
    }
    if fields.remove("logprobs") == Some(Value::Bool(true)) {
        include(&mut fields, "message.output_text.logprobs");
    }
    fields.entry("store").or_insert(Value::Bool(false));
    if stream {
        fields.insert("stream".into(), true.into());
        // Padding that only costs bandwidth.
        fields.insert("stream_options".into(), json!({"include_obfuscation": false}));
    }
    serde_json::to_vec(&fields).map(Bytes::from).map_err(|error| {
        Error::new(ErrorKind::Unexpected, "ai.chat", "the request cannot be written as JSON")
            .with_source(error)
    })
}

/// OpenAI's reasoning models refuse every temperature but their own.
fn has_own_temperature(model: &str) -> bool {
    ["o1", "o3", "o4", "gpt-5"].iter().any(|family| model.starts_with(family))
}

/// Sets a field of a group, unless the request has it there already.
fn set_in(fields: &mut Map<String, Value>, group: &str, name: &str, value: Value) {
    if let Value::Object(group) = fields.entry(group).or_insert_with(|| json!({})) {
        group.entry(name).or_insert(value);
    }
}

fn include(fields: &mut Map<String, Value>, what: &str) {
    let wanted = fields.entry("include").or_insert_with(|| json!([]));
    if let Value::Array(wanted) = wanted
        && !wanted.iter().any(|one| one == what)
    {
        wanted.push(what.into());
    }
}

/// The format of the answer and how much it says stand in `text` there.
fn text(fields: &mut Map<String, Value>, format: Option<&Value>) {
    if let Some(format) = format {
        let format = match (format.get("type").and_then(Value::as_str), format.get("json_schema")) {
            (Some("json_schema"), Some(Value::Object(schema))) => {
                let mut flat = schema.clone();
                flat.insert("type".into(), "json_schema".into());
                Value::Object(flat)
            }
            _ => format.clone(),
        };
        set_in(fields, "text", "format", format);
    }
    if let Some(verbosity) = fields.remove("verbosity") {
        set_in(fields, "text", "verbosity", verbosity);
    }
}

/// A function's fields stand beside its type there. A function that does not say is strict there, and is not in chat completions.
fn tool(tool: &Value) -> Value {
    let kind = tool.get("type").and_then(Value::as_str).unwrap_or_default();
    let Some(Value::Object(inner)) = tool.get(kind).filter(|_| matches!(kind, "function" | "custom")) else {
        return tool.clone();
    };
    let mut flat = inner.clone();
    flat.insert("type".into(), kind.into());
    if kind == "function" {
        flat.entry("strict").or_insert(Value::Bool(false));
    } else if let Some(Value::Object(format)) = flat.get_mut("format")
        && let Some(Value::Object(grammar)) = format.remove("grammar")
    {
        format.extend(grammar);
    }
    Value::Object(flat)
}

fn tool_choice(choice: Value) -> Value {
    let kind = choice.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    match choice.get(&kind) {
        Some(Value::Object(inner)) => {
            let mut flat = inner.clone();
            if let Some(Value::Array(tools)) = flat.get_mut("tools") {
                tools.iter_mut().for_each(|one| *one = tool_choice(one.take()));
            }
            flat.insert("type".into(), kind.into());
            Value::Object(flat)
        }
        _ => choice,
    }
}

fn input(messages: &[Message]) -> Vec<Value> {
    let calls = messages.iter().flat_map(|message| &message.tool_calls);
    let custom: BTreeSet<&str> =
        calls.filter(|call| call.get("custom").is_some()).filter_map(id_of).collect();
    let mut items = Vec::new();
    for message in messages {
        match message.role {
            Role::Tool => items.push(tool_result(message, &custom)),
            Role::Assistant => assistant(message, &mut items),
            _ => items.push(spoken(message)),
        }
    }
    items
}

fn id_of(call: &Value) -> Option<&str> {
    call.get("id").and_then(Value::as_str)
}

fn spoken(message: &Message) -> Value {
    let content: Value = match &message.content {
        Some(Content::Text(text)) => text.as_str().into(),
        Some(Content::Parts(parts)) => parts.iter().map(part).collect(),
        None => "".into(),
    };
    json!({"type": "message", "role": message.role, "content": content})
}

fn tool_result(message: &Message, custom: &BTreeSet<&str>) -> Value {
    let call_id = message.extra.get("tool_call_id").cloned().unwrap_or_default();
    let of_custom = call_id.as_str().is_some_and(|id| custom.contains(id));
    let kind = if of_custom { "custom_tool_call_output" } else { "function_call_output" };
    let output: Value = match &message.content {
        Some(Content::Parts(parts)) if parts.iter().any(|part| part.text.is_none()) => {
            parts.iter().map(part).collect()
        }
        _ => message.texts().collect::<String>().into(),
    };
    json!({"type": kind, "call_id": call_id, "output": output})
}

/// What the model said before: its sealed reasoning, its words, its calls, in this order.
fn assistant(message: &Message, items: &mut Vec<Value>) {
    if let Some(Value::Array(reasoning)) = message.extra.get(REASONING_ITEMS) {
        items.extend(reasoning.iter().cloned());
    }
    let said = message.texts().map(|text| json!({"type": "output_text", "text": text}));
    let refused = message.refusal.iter().map(|refusal| json!({"type": "refusal", "refusal": refusal}));
    let content: Vec<Value> = said.chain(refused).collect();
    if !content.is_empty() {
        items.push(json!({"type": "message", "role": "assistant", "content": content}));
    }
    for call in &message.tool_calls {
        let of = |group: &str, name: &str| {
            call.get(group).and_then(|inner| inner.get(name)).cloned().unwrap_or_default()
        };
        let id = call.get("id").cloned().unwrap_or_default();
        items.push(if call.get("custom").is_some() {
            json!({"type": "custom_tool_call", "call_id": id, "name": of("custom", "name"), "input": of("custom", "input")})
        } else {
            json!({
                "type": "function_call", "call_id": id,
                "name": of("function", "name"), "arguments": of("function", "arguments"),
            })
        });
    }
}

fn part(part: &ContentPart) -> Value {
    let inner = |group: &str| part.extra.get(group).and_then(Value::as_object).cloned().unwrap_or_default();
    match part.kind.as_str() {
        "text" => json!({"type": "input_text", "text": part.text}),
        "image_url" => {
            let mut image = inner("image_url");
            let mut flat = Map::from_iter([("type".to_owned(), Value::from("input_image"))]);
            flat.insert("image_url".into(), image.remove("url").unwrap_or_default());
            flat.extend(image);
            Value::Object(flat)
        }
        "file" => {
            let mut flat = inner("file");
            flat.insert("type".into(), "input_file".into());
            Value::Object(flat)
        }
        _ => serde_json::to_value(part).unwrap_or_default(),
    }
}
