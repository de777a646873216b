use serde_json::{Map, Value, json};
use xynergy_core::Result;
use xynergy_core::config::Secret;
use xynergy_core::provider::{ChatChunk, ChunkChoice, Content, Delta, FinishReason, Role};

use super::answer::{about, finish, kept, tool_call, why};
use super::usage::{assign, usage};
use super::{CONTENT, Prefill};
use crate::ai::anthropic::error::in_band;
use crate::ai::exchange::StreamEvent;
use crate::ai::openai_compatible::error::unreadable;

/// The events of one stream, from the first to the last.
#[derive(Debug, Default)]
pub(crate) struct StreamReader {
    id: String,
    model: String,
    extra: Map<String, Value>,
    usage: Map<String, Value>,
    blocks: Vec<Block>,
    pub(in super::super) prefill: Prefill,
}

/// A block as far as it came.
#[derive(Debug)]
struct Block {
    index: u64,
    value: Value,
    /// The JSON of a tool's input.
    input: String,
    /// The number of the tool call that it is.
    call: Option<usize>,
}

impl StreamReader {
    pub(in super::super) fn new(prefill: Prefill) -> Self {
        Self { prefill, ..Self::default() }
    }

    /// Reads the data of one event.
    pub(in super::super) fn read(&mut self, data: &[u8], key: Option<&Secret>) -> Result<StreamEvent> {
        let event: Value =
            serde_json::from_slice(data).map_err(|_| unreadable("an event of the stream is not JSON"))?;
        if let Some(error) = in_band(&event, key) {
            return Err(error);
        }
        let index = event["index"].as_u64().unwrap_or(0);
        let chunk = match event["type"].as_str().unwrap_or_default() {
            "message_start" => Some(self.start(&event["message"])),
            "content_block_start" => self.start_block(index, &event["content_block"]),
            "content_block_delta" => self.add(index, &event["delta"])?,
            "content_block_stop" => self.end_block(index),
            "message_delta" => self.end(&event),
            "message_stop" => return Ok(StreamEvent::Done),
            _ => None,
        };
        Ok(chunk.map_or(StreamEvent::Nothing, |chunk| StreamEvent::Chunk(Box::new(chunk))))
    }

    /// The usage at the start is not told on: its count of the answer is only a beginning, and a stream that breaks must not
    /// be billed by it.
    fn start(&mut self, message: &Value) -> ChatChunk {
        let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
        (self.id, self.model) = (text("id"), text("model"));
        self.extra = message.as_object().map(about).unwrap_or_default();
        self.extra.insert("object".to_owned(), "chat.completion.chunk".into());
        assign(&mut self.usage, &message["usage"]);
        self.chunk(Delta { role: Some(Role::Assistant), ..Delta::default() })
    }

    fn start_block(&mut self, index: u64, value: &Value) -> Option<ChatChunk> {
        let is_call = value["type"] == "tool_use";
        let call = is_call.then(|| self.blocks.iter().filter(|block| block.call.is_some()).count());
        self.blocks.push(Block { index, value: value.clone(), input: String::new(), call });
        match (call, value["type"].as_str()) {
            (Some(number), _) => {
                let mut begun = tool_call(value, "");
                begun["index"] = number.into();
                Some(self.chunk(Delta { tool_calls: vec![begun], ..Delta::default() }))
            }
            (None, Some("text")) => self.text(value["text"].as_str()?),
            (None, Some("thinking")) => self.reasoning(value["thinking"].as_str()?),
            _ => None,
        }
    }

    fn add(&mut self, index: u64, delta: &Value) -> Result<Option<ChatChunk>> {
        let kind = delta["type"].as_str().unwrap_or_default();
        let Some(block) = self.blocks.iter_mut().rev().find(|block| block.index == index) else {
            return Err(unreadable("the stream adds to a block that it has not begun"));
        };
        let piece = |name: &str| delta[name].as_str().unwrap_or_default();
        Ok(match kind {
            "text_delta" => {
                append(&mut block.value["text"], piece("text"));
                self.text(piece("text"))
            }
            "thinking_delta" => {
                append(&mut block.value["thinking"], piece("thinking"));
                self.reasoning(piece("thinking"))
            }
            "signature_delta" => {
                block.value["signature"] = piece("signature").into();
                None
            }
            "input_json_delta" => {
                block.input.push_str(piece("partial_json"));
                let call = block.call;
                call.and_then(|call| self.arguments(call, piece("partial_json")))
            }
            "citations_delta" => {
                match &mut block.value["citations"] {
                    Value::Array(citations) => citations.push(delta["citation"].clone()),
                    none => *none = json!([delta["citation"]]),
                }
                None
            }
            _ => None,
        })
    }

    /// A call without arguments has none on the way: its clients expect an object.
    fn end_block(&mut self, index: u64) -> Option<ChatChunk> {
        let block = self.blocks.iter().rev().find(|block| block.index == index)?;
        let call = block.call.filter(|_| block.input.is_empty())?;
        let whole = block.value["input"].to_string();
        self.arguments(call, &whole)
    }

    fn end(&mut self, event: &Value) -> Option<ChatChunk> {
        assign(&mut self.usage, &event["usage"]);
        let told = event["delta"].as_object();
        let finish: Option<FinishReason> = event["delta"]["stop_reason"].as_str().map(finish);
        let delta = Delta {
            extra: finish.as_ref().and_then(|_| self.kept()).unwrap_or_default(),
            ..Delta::default()
        };
        let mut chunk = self.chunk(delta);
        chunk.extra.extend(told.map(about).unwrap_or_default());
        chunk.usage = usage(&self.usage);
        for choice in &mut chunk.choices {
            choice.finish_reason.clone_from(&finish);
            choice.extra = told.map(why).unwrap_or_default();
        }
        Some(chunk)
    }

    /// The blocks to be sent back, unless one of them broke off and would be refused.
    fn kept(&self) -> Option<Map<String, Value>> {
        let whole: Option<Vec<Value>> = self.blocks.iter().map(Block::whole).collect();
        whole.map(|blocks| kept(&blocks)).filter(|kept| kept.contains_key(CONTENT))
    }

    fn text(&mut self, piece: &str) -> Option<ChatChunk> {
        let text = self.prefill.continued(piece);
        let content = (!text.is_empty()).then(|| Content::Text(text.to_owned()))?;
        Some(self.chunk(Delta { content: Some(content), ..Delta::default() }))
    }

    fn reasoning(&self, piece: &str) -> Option<ChatChunk> {
        let extra = Map::from_iter([("reasoning_content".to_owned(), piece.into())]);
        (!piece.is_empty()).then(|| self.chunk(Delta { extra, ..Delta::default() }))
    }

    fn arguments(&self, call: usize, piece: &str) -> Option<ChatChunk> {
        let added = json!({"index": call, "function": {"arguments": piece}});
        (!piece.is_empty()).then(|| self.chunk(Delta { tool_calls: vec![added], ..Delta::default() }))
    }

    fn chunk(&self, delta: Delta) -> ChatChunk {
        ChatChunk {
            id: self.id.clone(),
            model: self.model.clone(),
            choices: vec![ChunkChoice { delta, ..ChunkChoice::default() }],
            extra: self.extra.clone(),
            ..ChatChunk::default()
        }
    }
}

impl Block {
    fn whole(&self) -> Option<Value> {
        let mut value = self.value.clone();
        if !self.input.is_empty() {
            value["input"] = serde_json::from_str(&self.input).ok()?;
        }
        Some(value)
    }
}

fn append(whole: &mut Value, piece: &str) {
    match whole {
        Value::String(text) => text.push_str(piece),
        other => *other = piece.into(),
    }
}
