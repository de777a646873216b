//! What a prompt costs beside its texts, as OpenAI bills it.

use serde_json::Value;

use super::image;
use super::model::{Frame, Vision};
use super::tools;
use crate::provider::{ChatRequest, Content, ContentPart, Message, Role};

/// Tokens, and by how many they may be off: none where every rule that led to them is one that recorded usage has confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) tokens: u64,
    pub(super) off: u64,
}

/// A part whose kind has no published price, as sound.
const UNPRICED_PART: u64 = 1_000;
/// What is not published of a message, as the identifier of a tool's call or the words that a model puts around an answer.
const UNPUBLISHED: u64 = 4;

/// How the texts of a prompt are counted, and what stands around them.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    pub(super) count: &'a dyn Fn(&str) -> u64,
    pub(super) frame: Frame,
    pub(super) vision: Vision,
}

impl Rules<'_> {
    pub(super) fn message(&self, message: &Message) -> Tally {
        let mut tally = Tally { tokens: self.frame.message + (self.count)(message.role.as_str()), off: 0 };
        match &message.content {
            Some(Content::Text(text)) => tally.tokens += (self.count)(text),
            Some(Content::Parts(parts)) => parts.iter().for_each(|part| self.part(part, &mut tally)),
            None => tally.off += UNPUBLISHED,
        }
        if let Some(Content::Parts(parts)) = &message.content
            && parts.len() != 1
        {
            // How several parts of one message are joined is not published.
            tally.off += parts.len() as u64;
        }
        if let Some(refusal) = &message.refusal {
            tally.tokens += (self.count)(refusal);
            tally.off += UNPUBLISHED;
        }
        let older = message.extra.get("function_call");
        for call in message.tool_calls.iter().filter_map(|call| call.get("function")).chain(older) {
            let text = |key: &str| call.get(key).and_then(Value::as_str).map_or(0, self.count);
            tally.tokens += self.frame.message + text("name") + text("arguments");
            tally.off += UNPUBLISHED;
        }
        let ordinary = matches!(message.role, Role::System | Role::User | Role::Developer)
            || (message.role == Role::Assistant && self.frame == Frame::CHAT);
        if !ordinary {
            tally.off += UNPUBLISHED;
        }
        for (key, value) in &message.extra {
            match (key.as_str(), value.as_str()) {
                ("name", Some(name)) => tally.tokens += self.frame.name + (self.count)(name),
                ("function_call" | "tool_call_id" | "cache_control", _) => {}
                _ if value.is_null() => {}
                _ => tally.off += UNPUBLISHED,
            }
        }
        if message.role.as_str() == "function" {
            tally.tokens = tally.tokens.saturating_sub(2);
        }
        tally
    }

    /// What the model wrote, without what frames it in a later prompt.
    pub(super) fn answer(&self, message: &Message) -> u64 {
        let texts = message.texts().chain(message.refusal.as_deref()).map(self.count).sum::<u64>();
        let function = |call: &Value| call.get("function").map_or(0, |f| (self.count)(&f.to_string()));
        texts + message.tool_calls.iter().map(function).sum::<u64>()
    }

    fn part(&self, part: &ContentPart, tally: &mut Tally) {
        tally.tokens += part.text.as_deref().map_or(0, self.count);
        if part.kind.contains("image") {
            let cost = image::cost(part, self.vision);
            tally.tokens += cost.tokens;
            // Even of a known size: what the provider scales before it counts has changed between models.
            tally.off += if cost.known { UNPUBLISHED } else { cost.tokens };
        } else if part.kind != "text" {
            tally.off += UNPRICED_PART;
        }
    }

    /// What a request has beside its messages: the opened answer, tools and the format of the answer.
    pub(super) fn around(&self, request: &ChatRequest) -> Tally {
        let mut tally = Tally { tokens: self.frame.answer, off: 0 };
        let functions = tools::functions(request);
        if !functions.is_empty() {
            let declared = (self.count)(&tools::declared(&functions)) + tools::DECLARED;
            tally.tokens += declared;
            tally.off += declared.div_ceil(10);
            if let Some(system) = request.messages.iter().find(|message| message.role == Role::System) {
                // The declarations follow the first system message on a new line.
                tally.tokens = tally.tokens.saturating_sub(tools::JOINED);
                let text: String = system.texts().collect();
                tally.tokens += (self.count)(&format!("{text}\n")).saturating_sub((self.count)(&text));
            }
            if let Some(name) = tools::choice(request) {
                tally.tokens += (self.count)(name) + 4;
            }
        } else if !request.tools.is_empty() {
            tally.off += UNPRICED_PART;
        }
        let schema =
            request.response_format.as_ref().and_then(|format| format.pointer("/json_schema/schema"));
        if let Some(schema) = schema {
            let schema = (self.count)(&schema.to_string());
            tally.tokens += schema + 3;
            tally.off += schema.div_ceil(10);
        }
        tally
    }
}
