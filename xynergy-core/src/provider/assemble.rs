use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{ChatChunk, ChatResponse, Choice, Content, Delta, FinishReason, Message, Role, Usage};

/// Puts a streamed answer together.
#[derive(Debug, Default)]
pub struct Assembler {
    id: String,
    model: String,
    extra: Map<String, Value>,
    choices: BTreeMap<u32, Partial>,
    usage: Option<Usage>,
}

#[derive(Debug, Default)]
struct Partial {
    role: Option<Role>,
    content: Option<String>,
    refusal: Option<String>,
    tools: Vec<(Option<u64>, Map<String, Value>)>,
    extra: Map<String, Value>,
    finish: Option<FinishReason>,
}

impl Assembler {
    /// Adds one chunk.
    pub fn push(&mut self, chunk: &ChatChunk) {
        if self.id.is_empty() {
            self.id.clone_from(&chunk.id);
        }
        if self.model.is_empty() {
            self.model.clone_from(&chunk.model);
        }
        for (key, value) in &chunk.extra {
            self.extra.entry(key.clone()).or_insert_with(|| value.clone());
        }
        // Usage is cumulative where it comes more than once.
        if let Some(usage) = &chunk.usage {
            self.usage = Some(usage.clone());
        }
        for choice in &chunk.choices {
            let partial = self.choices.entry(choice.index).or_default();
            partial.add(&choice.delta);
            if choice.finish_reason.is_some() {
                partial.finish.clone_from(&choice.finish_reason);
            }
        }
    }

    /// The provider's id of the answer, empty until it came.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether every answer that began has said why it ended.
    pub fn is_finished(&self) -> bool {
        !self.choices.is_empty() && self.choices.values().all(|partial| partial.finish.is_some())
    }

    /// Whether at least `count` answers began, and all of them have said why they ended.
    pub fn are_finished(&self, count: usize) -> bool {
        self.choices.len() >= count && self.is_finished()
    }

    /// Whether anything of an answer has come: text, a refusal, a tool call or reasoning. An empty piece is nothing, and so is an
    /// annotation.
    pub fn has_output(&self) -> bool {
        let some = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        let came = |p: &Partial| {
            some(&p.content) || some(&p.refusal) || !p.tools.is_empty() || p.extra.iter().any(is_output)
        };
        self.choices.values().any(came)
    }

    /// The text of the only answer so far, if that is all that came of it: no other answer, no refusal, no tool call, no end.
    pub fn only_text(&self) -> Option<&str> {
        let mut choices = self.choices.values();
        let (partial, None) = (choices.next()?, choices.next()) else { return None };
        let plain = partial.refusal.as_ref().is_none_or(String::is_empty)
            && partial.tools.is_empty()
            && !partial.extra.contains_key("function_call")
            && partial.finish.is_none();
        partial.content.as_deref().filter(|text| plain && !text.is_empty())
    }

    /// The provider's usage, once it came.
    pub fn usage(&self) -> Option<&Usage> {
        self.usage.as_ref()
    }

    /// The answer so far, judged by its finish reasons.
    pub fn response(&self) -> ChatResponse {
        let mut extra = self.extra.clone();
        extra.insert("object".to_owned(), Value::from("chat.completion"));
        ChatResponse {
            id: self.id.clone(),
            model: self.model.clone(),
            choices: self.choices.iter().map(|(&index, partial)| partial.choice(index)).collect(),
            usage: self.usage.clone(),
            extra,
            ..ChatResponse::default()
        }
        .judged()
    }
}

impl Partial {
    fn add(&mut self, delta: &Delta) {
        if delta.role.is_some() {
            self.role.clone_from(&delta.role);
        }
        match &delta.content {
            Some(Content::Text(text)) => append(&mut self.content, text),
            Some(Content::Parts(parts)) => {
                parts
                    .iter()
                    .filter_map(|part| part.text.as_deref())
                    .for_each(|t| append(&mut self.content, t));
            }
            None => {}
        }
        if let Some(refusal) = &delta.refusal {
            append(&mut self.refusal, refusal);
        }
        for call in &delta.tool_calls {
            if let Value::Object(call) = call {
                self.add_tool(call);
            }
        }
        for (key, value) in &delta.extra {
            merge(&mut self.extra, key, value);
        }
    }

    /// Some providers leave the index away or always send 0, others send the id once: the id decides, then the index,
    /// then what came last.
    fn add_tool(&mut self, delta: &Map<String, Value>) {
        let id = delta.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
        let index = delta.get("index").and_then(Value::as_u64);
        let id_of = |call: &Map<String, Value>| call.get("id").and_then(Value::as_str).map(str::to_owned);
        let place = match (id, index) {
            (Some(id), _) => {
                self.tools.iter().position(|(_, call)| id_of(call).as_deref() == Some(id)).or_else(|| {
                    self.tools
                        .iter()
                        .position(|(at, call)| index.is_some() && *at == index && id_of(call).is_none())
                })
            }
            (None, Some(_)) => self.tools.iter().rposition(|(at, _)| *at == index),
            (None, None) => self.tools.len().checked_sub(1),
        };
        let place = place.unwrap_or_else(|| {
            self.tools.push((index, Map::new()));
            self.tools.len() - 1
        });
        let Some((_, call)) = self.tools.get_mut(place) else { return };
        for (key, value) in delta {
            match (key.as_str(), value) {
                ("index", _) | (_, Value::Null) => {}
                ("function", Value::Object(function)) => {
                    let whole = call.entry("function").or_insert_with(|| Value::Object(Map::new()));
                    if let Value::Object(whole) = whole {
                        function.iter().for_each(|(key, value)| merge(whole, key, value));
                    }
                }
                (_, value) => {
                    call.insert(key.clone(), value.clone());
                }
            }
        }
    }

    fn choice(&self, index: u32) -> Choice {
        let message = Message {
            role: self.role.clone().unwrap_or(Role::Assistant),
            content: self.content.clone().map(Content::Text),
            refusal: self.refusal.clone(),
            tool_calls: self.tools.iter().map(|(_, call)| Value::Object(call.clone())).collect(),
            extra: self.extra.clone(),
        };
        Choice { index, message, finish_reason: self.finish.clone(), extra: Map::new() }
    }
}

fn append(whole: &mut Option<String>, text: &str) {
    whole.get_or_insert_default().push_str(text);
}

/// Strings grow, except the names that are sent whole; anything else is replaced.
fn merge(whole: &mut Map<String, Value>, key: &str, value: &Value) {
    match (whole.get_mut(key), value) {
        (_, Value::Null) => {}
        (Some(Value::String(old)), Value::String(new)) if grows(key) => old.push_str(new),
        _ => {
            whole.insert(key.to_owned(), value.clone());
        }
    }
}

/// Whether a field beside the text is a part of the answer.
fn is_output((key, value): (&String, &Value)) -> bool {
    let known = matches!(
        key.as_str(),
        "reasoning"
            | "reasoning_content"
            | "reasoning_details"
            | "thinking"
            | "thinking_blocks"
            | "function_call"
            | "audio"
            | "images"
    );
    known
        && match value {
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(fields) => !fields.is_empty(),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
}

fn grows(key: &str) -> bool {
    matches!(key, "arguments" | "reasoning" | "reasoning_content" | "thinking")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assemble(chunks: &[Value]) -> ChatResponse {
        let mut assembler = Assembler::default();
        for chunk in chunks {
            assembler.push(&serde_json::from_value(chunk.clone()).unwrap());
        }
        assembler.response()
    }

    fn tool(delta: &Value) -> Value {
        serde_json::json!({"choices": [{"index": 0, "delta": {"tool_calls": [delta]}}]})
    }

    #[test]
    fn parallel_tools_by_index() {
        let response = assemble(&[
            tool(
                &serde_json::json!({"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}),
            ),
            tool(&serde_json::json!({"index": 1, "id": "b", "function": {"name": "g", "arguments": "{"}})),
            tool(&serde_json::json!({"index": 0, "function": {"arguments": "{}"}})),
            tool(&serde_json::json!({"index": 1, "function": {"arguments": "}"}})),
        ]);
        let calls = &response.choices[0].message.tool_calls;
        assert_eq!(calls[0]["function"], serde_json::json!({"name": "f", "arguments": "{}"}));
        assert_eq!(calls[1]["function"], serde_json::json!({"name": "g", "arguments": "{}"}));
    }

    #[test]
    fn different_ids_at_one_index_are_two_calls() {
        let response = assemble(&[
            tool(&serde_json::json!({"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}})),
            tool(&serde_json::json!({"index": 0, "id": "b", "function": {"name": "g", "arguments": "{"}})),
            tool(&serde_json::json!({"function": {"arguments": "}"}})),
        ]);
        let calls = &response.choices[0].message.tool_calls;
        assert_eq!((calls.len(), &calls[1]["function"]["arguments"]), (2, &Value::from("{}")));
    }

    #[test]
    fn what_counts_as_output() {
        for (delta, counts) in [
            (serde_json::json!({"role": "assistant", "content": ""}), false),
            (serde_json::json!({"annotations": [{"x": 1}], "reasoning": ""}), false),
            (serde_json::json!({"reasoning_content": "hm"}), true),
            (serde_json::json!({"refusal": "no"}), true),
            (serde_json::json!({"tool_calls": [{"index": 0}]}), true),
            (serde_json::json!({"content": "x"}), true),
        ] {
            let mut assembler = Assembler::default();
            let chunk = serde_json::json!({"choices": [{"index": 0, "delta": delta}]});
            assembler.push(&serde_json::from_value(chunk.clone()).unwrap());
            assert_eq!(assembler.has_output(), counts, "{chunk}");
        }
    }

    #[test]
    fn a_choice_without_a_finish_is_cut() {
        let mut assembler = Assembler::default();
        assembler.push(&ChatChunk::text("one "));
        assembler.push(&ChatChunk::text("two"));
        assert!(!assembler.is_finished());
        assert_eq!(assembler.response().outcome, super::super::Outcome::Truncated);
        assembler.push(&ChatChunk::end(FinishReason::Stop));
        assert!(assembler.is_finished());
        assert_eq!(assembler.response().first_text(), "one two");
    }
}
