use serde_json::{Map, Value, json};
use xynergy_core::provider::{Content, ContentPart, Message, Role};
use xynergy_core::{Error, Result};

use super::tools::{call, call_id, without};
use super::{CONTENT, Prefill, unsupported};

/// Fields that other providers put into their messages and Anthropic refuses.
const NOT_SENT: [&str; 13] = [
    CONTENT,
    "annotations",
    "audio",
    "cache_control",
    "function_call",
    "name",
    "reasoning",
    "reasoning_content",
    "reasoning_details",
    "reasoning_items",
    "output_items",
    "tool_call_id",
    "refusal",
];

/// A conversation as the Messages API has it.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    /// The blocks of `system`.
    pub(super) system: Vec<Value>,
    pub(super) turns: Vec<Turn>,
}

/// What one side says until the other one speaks. Results of tools are the user's.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) role: String,
    pub(super) blocks: Vec<Value>,
    extra: Map<String, Value>,
}

impl Conversation {
    pub(super) fn of(messages: &[Message]) -> Result<Self> {
        let mut conversation = Self::default();
        for (number, message) in messages.iter().enumerate() {
            let at = format!("messages[{number}]");
            let blocks = blocks(&at, message)?;
            match &message.role {
                Role::System | Role::Developer => conversation.system.extend(blocks),
                // What a result has beside its text is in its block.
                Role::Tool => conversation.say("user", blocks, Map::new()),
                role => conversation.say(role.as_str(), blocks, without(&message.extra, &NOT_SENT)),
            }
        }
        if conversation.turns.is_empty() {
            return Err(unsupported(
                "messages: the Messages API needs one that is no instruction; add a user's message",
            ));
        }
        Ok(conversation)
    }

    /// The results of parallel calls have to stand in one message.
    fn say(&mut self, role: &str, blocks: Vec<Value>, extra: Map<String, Value>) {
        if blocks.is_empty() {
            return;
        }
        match self.turns.last_mut() {
            Some(turn) if turn.role == role && turn.extra == extra => turn.blocks.extend(blocks),
            _ => self.turns.push(Turn { role: role.to_owned(), blocks, extra }),
        }
    }

    /// Whether the last turn is the assistant's, so that the answer continues it.
    pub(super) fn is_continued(&self) -> bool {
        self.turns.last().is_some_and(|turn| turn.role == "assistant")
    }

    /// Whether the last turn is a paused one of the assistant's, which every model continues.
    pub(super) fn is_paused(&self) -> bool {
        let last = self.turns.last().and_then(|turn| turn.blocks.last());
        let kind = last.and_then(|block| block["type"].as_str()).unwrap_or_default();
        self.is_continued() && !matches!(kind, "text" | "thinking" | "redacted_thinking")
    }

    /// Whether the assistant called tools without thinking before, after which it cannot begin to think.
    pub(super) fn called_without_thinking(&self) -> bool {
        let last = self.turns.iter().rev().find(|turn| turn.role == "assistant");
        let is = |block: &Value, kinds: &[&str]| kinds.iter().any(|kind| block["type"] == *kind);
        last.is_some_and(|turn| {
            turn.blocks.iter().any(|block| is(block, &["tool_use"]))
                && !turn.blocks.iter().any(|block| is(block, &["thinking", "redacted_thinking"]))
        })
    }

    /// Cuts what the API does not take off the end of a text that is to be continued.
    pub(super) fn cut_end(&mut self) -> Prefill {
        if !self.is_continued() {
            return Prefill::default();
        }
        let last = self.turns.last_mut().and_then(|turn| turn.blocks.last_mut());
        match last.filter(|block| block["type"] == "text").and_then(|block| block.get_mut("text")) {
            Some(Value::String(text)) => Prefill::cut(text),
            _ => Prefill::default(),
        }
    }
}

impl Turn {
    pub(super) fn into_message(self) -> Value {
        let mut message = self.extra;
        message.insert("role".to_owned(), self.role.into());
        message.insert("content".to_owned(), self.blocks.into());
        Value::Object(message)
    }
}

fn blocks(at: &str, message: &Message) -> Result<Vec<Value>> {
    if let Some(blocks) = untouched(message) {
        return Ok(blocks);
    }
    let mut said = match &message.content {
        Some(Content::Text(text)) => text_block(text).into_iter().collect(),
        Some(Content::Parts(parts)) => {
            let mut blocks = Vec::new();
            for (number, part) in parts.iter().enumerate() {
                blocks.extend(block(&format!("{at}.content[{number}]"), part)?);
            }
            blocks
        }
        None => Vec::new(),
    };
    if message.role == Role::Tool {
        return tool_result(at, message, said).map(|result| vec![result]);
    }
    said.extend(message.refusal.as_deref().and_then(text_block));
    for (number, tool_call) in message.tool_calls.iter().enumerate() {
        said.push(call(&format!("{at}.tool_calls[{number}]"), tool_call)?);
    }
    if let (Some(control), Some(Value::Object(last))) = (message.extra.get("cache_control"), said.last_mut())
    {
        last.insert("cache_control".to_owned(), control.clone());
    }
    Ok(said)
}

/// The blocks of an answer of Anthropic's, as long as the message still says what they say.
fn untouched(message: &Message) -> Option<Vec<Value>> {
    let blocks = message.extra.get(CONTENT)?.as_array().filter(|_| message.role == Role::Assistant)?;
    let of = |kind: &'static str, field: &'static str| {
        blocks
            .iter()
            .filter(move |block| block["type"] == kind)
            .filter_map(move |block| block[field].as_str())
    };
    let calls = message.tool_calls.iter().filter_map(|call| call["id"].as_str());
    let same_text = of("text", "text").collect::<String>() == message.texts().collect::<String>();
    (same_text && of("tool_use", "id").eq(calls)).then(|| blocks.clone())
}

/// Texts of nothing but white space are refused.
fn text_block(text: &str) -> Option<Value> {
    (!text.trim().is_empty()).then(|| json!({"type": "text", "text": text}))
}

fn block(at: &str, part: &ContentPart) -> Result<Option<Value>> {
    let made = match part.kind.as_str() {
        "text" | "refusal" => {
            let refusal = part.extra.get("refusal").and_then(Value::as_str);
            text_block(part.text.as_deref().or(refusal).unwrap_or_default())
        }
        "image_url" => Some(json!({"type": "image", "source": image(at, part)?})),
        "file" => Some(document(at, part)?),
        "input_audio" => return Err(unsupported(format!("{at}: the Messages API takes no audio"))),
        // Anthropic's own blocks.
        _ => return Ok(serde_json::to_value(part).ok()),
    };
    let Some(Value::Object(mut fields)) = made else { return Ok(None) };
    fields.extend(without(&part.extra, &["refusal", "image_url", "file"]));
    Ok(Some(Value::Object(fields)))
}

fn image(at: &str, part: &ContentPart) -> Result<Value> {
    let url =
        part.extra.get("image_url").and_then(|image| image.as_str().or_else(|| image.get("url")?.as_str()));
    let wrong = || {
        let message = format!("{at}.image_url.url: is neither an http address nor a base64 data URL");
        Error::invalid("ai.chat", message)
    };
    let url = url.ok_or_else(wrong)?;
    if url.starts_with("https://") || url.starts_with("http://") {
        return Ok(json!({"type": "url", "url": url}));
    }
    let (media_type, data) = data_url(url).ok_or_else(wrong)?;
    Ok(json!({"type": "base64", "media_type": media_type, "data": data}))
}

fn document(at: &str, part: &ContentPart) -> Result<Value> {
    let file = part.extra.get("file").cloned().unwrap_or_default();
    let Some((media_type, data)) = file["file_data"].as_str().and_then(data_url) else {
        return Err(unsupported(format!(
            "{at}.file: only file_data as a base64 data URL has a counterpart in the Messages API"
        )));
    };
    let source = json!({"type": "base64", "media_type": media_type, "data": data});
    let mut block = json!({"type": "document", "source": source});
    if let Some(name) = file["filename"].as_str() {
        block["title"] = name.into();
    }
    Ok(block)
}

/// `image/png` and the data of `data:image/png;base64,iVBO...`.
fn data_url(url: &str) -> Option<(&str, &str)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let media_type = head.strip_suffix(";base64")?;
    // A parameter, as in `text/plain;charset=utf-8`, is not part of what the API knows.
    media_type.split(';').next().filter(|kind| !kind.is_empty()).map(|kind| (kind, data))
}

fn tool_result(at: &str, message: &Message, said: Vec<Value>) -> Result<Value> {
    let id = message.extra.get("tool_call_id").and_then(Value::as_str).ok_or_else(|| {
        let message =
            format!("{at}.tool_call_id: missing; give the id of the call that this is the result of");
        Error::invalid("ai.chat", message)
    })?;
    let mut result = without(&message.extra, &["tool_call_id", "name"]);
    result.insert("type".to_owned(), "tool_result".into());
    result.insert("tool_use_id".to_owned(), call_id(id).into());
    if !said.is_empty() {
        result.insert("content".to_owned(), said.into());
    }
    Ok(Value::Object(result))
}
