//! A response as a chat completion.

use serde_json::{Map, Value, json};
use xynergy_core::config::Secret;
use xynergy_core::provider::{ChatResponse, Choice, Content, FinishReason, Message, Role, Usage};
use xynergy_core::{Error, ErrorKind, Result, Retry};

use super::{OUTPUT_ITEMS, REASONING_ITEMS};
use crate::ai::openai_compatible::error::{in_band, unreadable};

/// An answer that came as a whole.
pub(super) fn response(body: &[u8], key: Option<&Secret>) -> Result<ChatResponse> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|_| unreadable("the answer is not JSON; check ai.providers.NAME.base_url"))?;
    of_value(value, key)
}

/// A response object, also the one in a stream's last event.
pub(super) fn of_value(value: Value, key: Option<&Secret>) -> Result<ChatResponse> {
    if let Some(error) = in_band(&value, key) {
        return Err(error);
    }
    let Value::Object(mut fields) = value else { return Err(no_response()) };
    let Some(Value::Array(items)) = fields.remove("output") else { return Err(no_response()) };
    let status = fields.remove("status").unwrap_or_default();
    let mut said = Said::default();
    for item in items {
        said.add(item);
    }
    let calls = !said.tool_calls.is_empty();
    let finish = finish(status.as_str().unwrap_or_default(), fields.get("incomplete_details"), calls)?;
    let mut text = |name: &str| match fields.remove(name) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    };
    let (id, model) = (text("id"), text("model"));
    let usage = fields.remove("usage").as_ref().and_then(usage);
    fields.insert("object".into(), "chat.completion".into());
    if let Some(created) = fields.remove("created_at") {
        fields.insert("created".into(), created);
    }
    let choices = vec![said.choice(finish)];
    Ok(ChatResponse { id, model, choices, usage, extra: fields, ..ChatResponse::default() }.judged())
}

fn no_response() -> Error {
    unreadable("the answer is no response; check ai.providers.NAME.base_url")
}

/// Why it ended. One that was cancelled or still runs is no answer.
pub(super) fn finish(status: &str, incomplete: Option<&Value>, calls: bool) -> Result<FinishReason> {
    match status {
        "completed" if calls => Ok(FinishReason::ToolCalls),
        "completed" => Ok(FinishReason::Stop),
        "incomplete" => {
            let reason = incomplete.and_then(|details| details.get("reason")).and_then(Value::as_str);
            // Whatever else the reason is called, it is not whole.
            Ok(if reason == Some("content_filter") {
                FinishReason::ContentFilter
            } else {
                FinishReason::Length
            })
        }
        _ => Err(Error::new(ErrorKind::Unavailable, "ai.chat", "the response failed or was not finished")
            .with_retry(Retry::After(std::time::Duration::ZERO))),
    }
}

/// The tokens, by the names of chat completions. What is not known there is kept.
pub(super) fn usage(usage: &Value) -> Option<Usage> {
    let Value::Object(fields) = usage else { return None };
    let mut fields = fields.clone();
    let renamed = [
        ("input_tokens", "prompt_tokens"),
        ("output_tokens", "completion_tokens"),
        ("input_tokens_details", "prompt_tokens_details"),
        ("output_tokens_details", "completion_tokens_details"),
    ];
    for (theirs, ours) in renamed {
        if let Some(value) = fields.remove(theirs) {
            fields.insert(ours.into(), value);
        }
    }
    serde_json::from_value(Value::Object(fields)).ok().filter(Usage::is_known)
}

/// What the items of an output say.
#[derive(Debug, Default)]
pub(super) struct Said {
    content: Option<String>,
    refusal: Option<String>,
    reasoning: Option<String>,
    annotations: Vec<Value>,
    logprobs: Vec<Value>,
    tool_calls: Vec<Value>,
    sealed: Vec<Value>,
    others: Vec<Value>,
}

impl Said {
    pub(super) fn add(&mut self, item: Value) {
        match item.get("type").and_then(Value::as_str).unwrap_or_default() {
            "message" => {
                for part in parts(&item, "content") {
                    self.add_part(part);
                }
            }
            "reasoning" => {
                for part in parts(&item, "summary").chain(parts(&item, "content")) {
                    append(&mut self.reasoning, part.get("text"));
                }
                if is_sealed(&item) {
                    self.sealed.push(item);
                }
            }
            "function_call" | "custom_tool_call" => self.tool_calls.extend(tool_call(&item)),
            _ => self.others.push(item),
        }
    }

    fn add_part(&mut self, part: &Value) {
        append(&mut self.content, part.get("text"));
        append(&mut self.refusal, part.get("refusal"));
        let of = |name: &str| part.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        self.annotations.extend(of("annotations"));
        self.logprobs.extend(of("logprobs"));
    }

    fn choice(self, finish: FinishReason) -> Choice {
        let mut of_message = Map::new();
        let mut keep = |name: &str, value: Vec<Value>| {
            if !value.is_empty() {
                of_message.insert(name.to_owned(), value.into());
            }
        };
        keep("annotations", self.annotations);
        keep(REASONING_ITEMS, self.sealed);
        keep(OUTPUT_ITEMS, self.others);
        if let Some(reasoning) = self.reasoning {
            of_message.insert("reasoning_content".into(), reasoning.into());
        }
        let mut of_choice = Map::new();
        if !self.logprobs.is_empty() {
            of_choice.insert("logprobs".into(), json!({"content": self.logprobs}));
        }
        let message = Message {
            role: Role::Assistant,
            content: self.content.map(Content::Text),
            refusal: self.refusal,
            tool_calls: self.tool_calls,
            extra: of_message,
        };
        Choice { index: 0, message, finish_reason: Some(finish), extra: of_choice }
    }
}

fn parts<'a>(item: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    item.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn append(whole: &mut Option<String>, text: Option<&Value>) {
    if let Some(text) = text.and_then(Value::as_str) {
        whole.get_or_insert_default().push_str(text);
    }
}

/// Whether it can be sent back: what is not kept at OpenAI is known there by its sealed content only.
pub(super) fn is_sealed(item: &Value) -> bool {
    item.get("encrypted_content").is_some_and(|content| !content.is_null())
}

/// A call of a tool; `None` for other items.
pub(super) fn tool_call(item: &Value) -> Option<Value> {
    let of = |name: &str| item.get(name).cloned().unwrap_or_default();
    match item.get("type")?.as_str()? {
        "function_call" => Some(json!({
            "id": of("call_id"), "type": "function",
            "function": {"name": of("name"), "arguments": of("arguments")},
        })),
        "custom_tool_call" => Some(json!({
            "id": of("call_id"), "type": "custom",
            "custom": {"name": of("name"), "input": of("input")},
        })),
        _ => None,
    }
}
