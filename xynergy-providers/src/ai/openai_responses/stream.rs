//! The events of a streamed response as chunks of a chat completion.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use xynergy_core::Result;
use xynergy_core::config::Secret;
use xynergy_core::provider::{ChatChunk, ChatResponse, ChunkChoice, Content, Delta, FinishReason, Role};

use super::answer::{self, is_sealed, tool_call};
use super::{OUTPUT_ITEMS, REASONING_ITEMS};
use crate::ai::exchange::{Reader, StreamEvent};
use crate::ai::openai_compatible::error::{in_band, unreadable};
use crate::ai::openai_compatible::wire::as_chunk;

/// Reads the events of one stream, in their order.
#[derive(Debug, Default)]
pub(super) struct Events {
    id: String,
    model: String,
    /// The calls, by the place of the item in the output.
    calls: BTreeMap<u64, Called>,
    spoke: bool,
    over: bool,
}

/// A call as far as it was told on.
#[derive(Debug)]
struct Called {
    /// Its number among the calls.
    index: usize,
    /// How many bytes of its arguments.
    told: usize,
}

impl Called {
    /// More of its arguments.
    fn more(&mut self, arguments: &str) -> Option<Delta> {
        self.told = self.told.saturating_add(arguments.len());
        let index = self.index;
        (!arguments.is_empty()).then(|| call(json!({"index": index, "function": {"arguments": arguments}})))
    }

    /// What is missing of its arguments: some servers send them at its end alone.
    fn rest(&mut self, whole: Option<&Value>) -> Option<Delta> {
        let rest = whole?.as_str()?.get(self.told..)?;
        self.more(rest)
    }
}

impl Reader for Events {
    fn response(&mut self, body: &[u8], key: Option<&Secret>) -> Result<ChatResponse> {
        answer::response(body, key)
    }

    fn event(&mut self, data: &[u8], key: Option<&Secret>) -> Result<StreamEvent> {
        // OpenAI sends no `[DONE]`; others do, and it proves nothing.
        if self.over || data.trim_ascii() == b"[DONE]" {
            return Ok(StreamEvent::Done);
        }
        let chunk = self.read(data, key)?;
        Ok(chunk.map_or(StreamEvent::Nothing, |chunk| StreamEvent::Chunk(Box::new(chunk))))
    }
}

impl Events {
    /// Reads the data of one event; most say something, some nothing.
    fn read(&mut self, data: &[u8], key: Option<&Secret>) -> Result<Option<ChatChunk>> {
        let mut event: Value =
            serde_json::from_slice(data).map_err(|_| unreadable("an event of the stream is not JSON"))?;
        let kind = event.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        if kind == "error" && event.get("error").is_none_or(Value::is_null) {
            event = json!({"error": event});
        }
        if let Some(error) = in_band(&event, key) {
            return Err(error);
        }
        let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let delta = match kind.as_str() {
            "response.created" | "response.in_progress" | "response.queued" => {
                let of = |name: &str| event.pointer(&format!("/response/{name}")).and_then(Value::as_str);
                self.id = of("id").unwrap_or_default().to_owned();
                self.model = of("model").unwrap_or_default().to_owned();
                Delta { role: Some(Role::Assistant), ..Delta::default() }
            }
            "response.output_text.delta" => {
                Delta { content: Some(Content::Text(text("delta"))), ..Delta::default() }
            }
            "response.refusal.delta" => Delta { refusal: Some(text("delta")), ..Delta::default() },
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                extra("reasoning_content", text("delta").into())
            }
            "response.output_text.annotation.added" => {
                let Some(annotation) = event.get("annotation") else { return Ok(None) };
                extra("annotations", json!([annotation]))
            }
            "response.output_item.added" => match self.begun(&event) {
                Some(delta) => delta,
                None => return Ok(None),
            },
            "response.function_call_arguments.delta" => {
                match self.calls.get_mut(&place(&event)).and_then(|called| called.more(&text("delta"))) {
                    Some(delta) => delta,
                    None => return Ok(None),
                }
            }
            "response.function_call_arguments.done" => {
                let called = self.calls.get_mut(&place(&event));
                match called.and_then(|called| called.rest(event.get("arguments"))) {
                    Some(delta) => delta,
                    None => return Ok(None),
                }
            }
            "response.output_item.done" => match self.ended(&mut event) {
                Some(delta) => delta,
                None => return Ok(None),
            },
            "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled" => {
                return self
                    .finished(event.get_mut("response").map(Value::take).unwrap_or_default(), key)
                    .map(Some);
            }
            _ => return Ok(None),
        };
        self.spoke |= delta.role.is_none();
        let logprobs = event.get("logprobs").and_then(Value::as_array).filter(|l| !l.is_empty()).cloned();
        Ok(Some(self.chunk(delta, None, logprobs)))
    }

    /// A function's call begins: its name is known, its arguments come.
    fn begun(&mut self, event: &Value) -> Option<Delta> {
        let item = event.get("item").filter(|item| is(item, "function_call"))?;
        let index = self.calls.len();
        let told = item.get("arguments").and_then(Value::as_str).map_or(0, str::len);
        self.calls.insert(place(event), Called { index, told });
        tool_call(item).map(|begun| call(numbered(begun, index)))
    }

    /// What comes as a whole: calls of custom tools, sealed reasoning, and items that chat completions do not know.
    fn ended(&mut self, event: &mut Value) -> Option<Delta> {
        let place = place(event);
        let item = event.get_mut("item")?.take();
        let kind = item.get("type").and_then(Value::as_str).unwrap_or_default();
        match kind {
            "message" => None,
            "function_call" | "custom_tool_call" if !self.calls.contains_key(&place) => {
                let index = self.calls.len();
                self.calls.insert(place, Called { index, told: usize::MAX });
                tool_call(&item).map(|whole| call(numbered(whole, index)))
            }
            "function_call" => self.calls.get_mut(&place)?.rest(item.get("arguments")),
            "custom_tool_call" => None,
            "reasoning" if is_sealed(&item) => Some(extra(REASONING_ITEMS, json!([item]))),
            "reasoning" => None,
            _ => Some(extra(OUTPUT_ITEMS, json!([item]))),
        }
    }

    fn finished(&mut self, response: Value, key: Option<&Secret>) -> Result<ChatChunk> {
        self.over = true;
        let whole = answer::of_value(response, key)?;
        let finish = whole.finish().cloned();
        let usage = whole.usage.clone();
        if self.spoke {
            return Ok(ChatChunk { usage, ..self.chunk(Delta::default(), finish, None) });
        }
        // A server that streams nothing but the end.
        Ok(as_chunk(whole))
    }

    fn chunk(&self, delta: Delta, finish: Option<FinishReason>, logprobs: Option<Vec<Value>>) -> ChatChunk {
        let mut of_choice = Map::new();
        if let Some(logprobs) = logprobs {
            of_choice.insert("logprobs".into(), json!({"content": logprobs}));
        }
        ChatChunk {
            id: self.id.clone(),
            model: self.model.clone(),
            choices: vec![ChunkChoice { index: 0, delta, finish_reason: finish, extra: of_choice }],
            ..ChatChunk::default()
        }
    }
}

fn is(item: &Value, kind: &str) -> bool {
    item.get("type").is_some_and(|of_item| of_item == kind)
}

fn place(event: &Value) -> u64 {
    event.get("output_index").and_then(Value::as_u64).unwrap_or_default()
}

fn numbered(mut call: Value, index: usize) -> Value {
    if let Value::Object(fields) = &mut call {
        fields.insert("index".into(), index.into());
    }
    call
}

fn call(call: Value) -> Delta {
    Delta { tool_calls: vec![call], ..Delta::default() }
}

fn extra(name: &str, value: Value) -> Delta {
    Delta { extra: Map::from_iter([(name.to_owned(), value)]), ..Delta::default() }
}
