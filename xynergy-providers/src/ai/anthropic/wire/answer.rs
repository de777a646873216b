use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use xynergy_core::Result;
use xynergy_core::config::Secret;
use xynergy_core::provider::{CallReport, ChatResponse, Choice, Content, FinishReason, Message, Role};

use super::usage::usage;
use super::{CONTENT, Prefill};
use crate::ai::anthropic::error::in_band;
use crate::ai::openai_compatible::error::unreadable;

/// An answer that came as a whole.
pub(in super::super) fn response(
    body: &[u8],
    key: Option<&Secret>,
    mut prefill: Prefill,
) -> Result<ChatResponse> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|_| unreadable("the answer is not JSON; check ai.providers.NAME.base_url"))?;
    if let Some(error) = in_band(&value, key) {
        return Err(error);
    }
    let Value::Object(fields) = value else {
        return Err(unreadable("the answer is no message; check ai.providers.NAME.base_url"));
    };
    let Some(Value::Array(blocks)) = fields.get("content") else {
        return Err(unreadable("the answer holds no content; check ai.providers.NAME.base_url"));
    };
    let mut message = message(blocks, &inputs(body));
    if let Some(Content::Text(text)) = &mut message.content {
        *text = prefill.continued(text).to_owned();
    }
    let choice = Choice {
        index: 0,
        message,
        finish_reason: fields.get("stop_reason").and_then(Value::as_str).map(finish),
        extra: why(&fields),
    };
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut extra = about(&fields);
    extra.insert("object".to_owned(), "chat.completion".into());
    let response = ChatResponse {
        id: text("id"),
        model: text("model"),
        choices: vec![choice],
        usage: fields.get("usage").and_then(Value::as_object).and_then(usage),
        report: CallReport::default(),
        extra,
        ..ChatResponse::default()
    };
    Ok(response.judged())
}

/// Why a model stopped, as OpenAI says it. What OpenAI has no word for stays as it came.
pub(super) fn finish(stop_reason: &str) -> FinishReason {
    match stop_reason {
        "end_turn" | "stop_sequence" => FinishReason::Stop,
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCalls,
        "refusal" => FinishReason::ContentFilter,
        other => FinishReason::Other(other.to_owned()),
    }
}

/// The end of an answer in Anthropic's own words.
pub(super) fn why(fields: &Map<String, Value>) -> Map<String, Value> {
    let named = ["stop_reason", "stop_sequence", "stop_details"]
        .iter()
        .filter_map(|name| fields.get_key_value(*name));
    named.filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// What is told of an answer as a whole and has no place in the shape of chat completions.
pub(super) fn about(fields: &Map<String, Value>) -> Map<String, Value> {
    const PLACED: [&str; 9] =
        ["id", "type", "role", "model", "content", "usage", "stop_reason", "stop_sequence", "stop_details"];
    let other = fields.iter().filter(|(name, value)| !value.is_null() && !PLACED.contains(&name.as_str()));
    other.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The message that the blocks are. `inputs` are the arguments of tool calls as they were written.
fn message(blocks: &[Value], inputs: &[Option<String>]) -> Message {
    let of = |kind: &'static str, field: &'static str| {
        blocks
            .iter()
            .filter(move |block| block["type"] == kind)
            .filter_map(move |block| block[field].as_str())
    };
    let text: String = of("text", "text").collect();
    let reasoning: String = of("thinking", "thinking").collect();
    let calls = blocks.iter().enumerate().filter(|(_, block)| block["type"] == "tool_use");
    let tool_calls: Vec<Value> = calls
        .map(|(number, block)| {
            let written = inputs.get(number).cloned().flatten();
            tool_call(block, &written.unwrap_or_else(|| block["input"].to_string()))
        })
        .collect();
    let mut extra = kept(blocks);
    if !reasoning.is_empty() {
        extra.insert("reasoning_content".to_owned(), reasoning.into());
    }
    let content = (!text.is_empty() || tool_calls.is_empty()).then_some(Content::Text(text));
    Message { role: Role::Assistant, content, refusal: None, tool_calls, extra }
}

/// A call of a tool, as OpenAI has it.
pub(super) fn tool_call(block: &Value, arguments: &str) -> Value {
    json!({
        "id": block["id"], "type": "function",
        "function": {"name": block["name"], "arguments": arguments}
    })
}

/// All blocks, if one of them says more than text and tool calls can.
pub(super) fn kept(blocks: &[Value]) -> Map<String, Value> {
    let says_more = |block: &Value| match block["type"].as_str() {
        Some("text") => block["citations"].as_array().is_some_and(|citations| !citations.is_empty()),
        Some("tool_use") => {
            block.get("caller").is_some_and(|caller| !caller.is_null() && caller["type"] != "direct")
        }
        _ => true,
    };
    let kept = blocks.iter().any(says_more).then(|| (CONTENT.to_owned(), blocks.into()));
    kept.into_iter().collect()
}

/// The inputs of the blocks as they were written: the order of fields and long numbers do not survive reading.
fn inputs(body: &[u8]) -> Vec<Option<String>> {
    #[derive(Deserialize)]
    struct Inputs<'a> {
        #[serde(borrow)]
        content: Vec<Input<'a>>,
    }
    #[derive(Deserialize)]
    struct Input<'a> {
        #[serde(borrow, default)]
        input: Option<&'a RawValue>,
    }
    let read: Option<Inputs<'_>> = serde_json::from_slice(body).ok();
    let contents = read.into_iter().flat_map(|inputs| inputs.content);
    contents.map(|block| block.input.map(|input| input.get().to_owned())).collect()
}
