use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::merge::merge;
use super::{
    ChatChunk, ChatResponse, Choice, ChunkChoice, Content, ContentPart, Delta, FinishReason, Message, Role,
    Usage,
};

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
    content: Option<Vec<ContentPart>>,
    refusal: Option<String>,
    tools: Vec<Tool>,
    message_extra: Map<String, Value>,
    extra: Map<String, Value>,
    finish: Option<FinishReason>,
}

#[derive(Debug)]
struct Tool {
    index: Option<u64>,
    call: Map<String, Value>,
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
            match (self.extra.get_mut(key), value) {
                // Random filling against guessing by length.
                (None, Value::Null) => {}
                (None, _) if key == "obfuscation" => {}
                (None, value) => {
                    self.extra.insert(key.clone(), value.clone());
                }
                (Some(Value::Object(old)), Value::Object(new)) => {
                    for (key, value) in new {
                        old.entry(key.clone()).or_insert_with(|| value.clone());
                    }
                }
                (Some(_), _) => {}
            }
        }
        // Usage is cumulative where it comes more than once.
        if let Some(usage) = &chunk.usage {
            self.usage = Some(usage.clone());
        }
        for choice in &chunk.choices {
            self.choices.entry(choice.index).or_default().add(choice);
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
        self.choices.values().any(Partial::has_output)
    }

    /// The text of the only answer so far, if that is all that came of it: no other answer, no other part, no refusal, no tool call,
    /// no end.
    pub fn only_text(&self) -> Option<&str> {
        let mut choices = self.choices.values();
        let (partial, None) = (choices.next()?, choices.next()) else { return None };
        let plain = partial.refusal.as_ref().is_none_or(String::is_empty)
            && partial.tools.is_empty()
            && !partial.message_extra.contains_key("function_call")
            && partial.finish.is_none();
        let [ContentPart { text: Some(text), extra, .. }] = partial.content.as_deref()? else { return None };
        Some(text.as_str()).filter(|text| plain && extra.is_empty() && !text.is_empty())
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
    fn add(&mut self, choice: &ChunkChoice) {
        self.add_delta(&choice.delta);
        // Perplexity sends the whole message so far beside each addition to it.
        for (key, value) in choice.extra.iter().filter(|(key, _)| key.as_str() != "message") {
            merge(&mut self.extra, key, value);
        }
        if choice.finish_reason.is_some() {
            self.finish.clone_from(&choice.finish_reason);
        }
    }

    fn add_delta(&mut self, delta: &Delta) {
        // Some say in every chunk who speaks.
        if self.role.is_none() {
            self.role.clone_from(&delta.role);
        }
        match &delta.content {
            Some(Content::Text(text)) => self.add_text(text),
            Some(Content::Parts(parts)) => parts.iter().for_each(|part| self.add_part(part)),
            None => {}
        }
        if let Some(refusal) = &delta.refusal {
            self.refusal.get_or_insert_default().push_str(refusal);
        }
        for call in &delta.tool_calls {
            if let Value::Object(call) = call {
                self.add_tool(call);
            }
        }
        for (key, value) in &delta.extra {
            merge(&mut self.message_extra, key, value);
        }
    }

    fn add_text(&mut self, text: &str) {
        let parts = self.content.get_or_insert_default();
        let first = parts.is_empty();
        match parts.last_mut() {
            Some(ContentPart { text: Some(whole), extra, .. }) if extra.is_empty() => whole.push_str(text),
            _ if text.is_empty() && !first => {}
            _ => {
                let text = Some(text.to_owned());
                parts.push(ContentPart { kind: "text".to_owned(), text, extra: Map::new() });
            }
        }
    }

    fn add_part(&mut self, part: &ContentPart) {
        if let (Some(text), true) = (&part.text, part.extra.is_empty()) {
            return self.add_text(text);
        }
        let parts = self.content.get_or_insert_default();
        match parts.last_mut().filter(|last| last.kind == part.kind && !last.extra.is_empty()) {
            // Reasoning comes in parts that go on with one another, images do not.
            Some(last) if part.kind == "thinking" => {
                part.extra.iter().for_each(|(key, value)| merge(&mut last.extra, key, value));
            }
            _ => parts.push(part.clone()),
        }
    }

    fn add_tool(&mut self, delta: &Map<String, Value>) {
        let place = self.place_of(delta).unwrap_or_else(|| {
            self.tools.push(Tool { index: delta.get("index").and_then(Value::as_u64), call: Map::new() });
            self.tools.len() - 1
        });
        let Some(Tool { call, .. }) = self.tools.get_mut(place) else { return };
        let has_id = named(call, "id").is_some();
        for (key, value) in delta {
            if key != "index" && !(key == "id" && has_id) {
                merge(call, key, value);
            }
        }
    }

    /// The call that `delta` goes on with; `None` for a new one. Some providers leave the index away, always send 0 or send a
    /// wrong one, others send the id once, never, or another one with every piece: the id decides, then the index, then what came
    /// last.
    fn place_of(&self, delta: &Map<String, Value>) -> Option<usize> {
        let index = delta.get("index").and_then(Value::as_u64);
        if let Some(id) = named(delta, "id") {
            return self.tools.iter().position(|tool| named(&tool.call, "id") == Some(id)).or_else(|| {
                let same =
                    |tool: &Tool| index.is_some() && tool.index == index && named(&tool.call, "id").is_none();
                let under_another_id =
                    |tool: &Tool| index.is_some() && tool.index == index && tool.is_continued_by(delta);
                self.tools.iter().position(same).or_else(|| self.tools.iter().rposition(under_another_id))
            });
        }
        let by_index = index.and_then(|at| self.tools.iter().rposition(|tool| tool.index == Some(at)));
        let begins = function(delta, "name").is_some();
        match by_index {
            Some(place) => (!self.tools[place].is_followed_by(delta)).then_some(place),
            None if begins && index.is_some() => None,
            None => {
                let last = self.tools.len().checked_sub(1)?;
                (!self.tools[last].is_followed_by(delta)).then_some(last)
            }
        }
    }

    fn has_output(&self) -> bool {
        let some = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        let said = |part: &ContentPart| some(&part.text) || !part.extra.is_empty();
        let holds = |value: &Value| match value {
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(fields) => !fields.is_empty(),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        };
        self.content.iter().flatten().any(said)
            || some(&self.refusal)
            || !self.tools.is_empty()
            || self.message_extra.iter().any(|(key, value)| is_of_the_answer(key) && holds(value))
    }

    fn choice(&self, index: u32) -> Choice {
        let message = Message {
            role: self.role.clone().unwrap_or(Role::Assistant),
            content: self.content.as_deref().map(content),
            refusal: self.refusal.clone(),
            tool_calls: self.tools.iter().map(|tool| Value::Object(tool.call.clone())).collect(),
            extra: self.message_extra.clone(),
        };
        Choice { index, message, finish_reason: self.finish.clone(), extra: self.extra.clone() }
    }
}

/// Whether a field beside the text is what the model says; others annotate it.
fn is_of_the_answer(key: &str) -> bool {
    key.starts_with("reasoning")
        || key.starts_with("thinking")
        || matches!(key, "function_call" | "audio" | "images")
}

impl Tool {
    /// Whether `delta`, which has another id, can only go on with this call: it names no function, or the same one while the
    /// arguments are half written.
    fn is_continued_by(&self, delta: &Map<String, Value>) -> bool {
        if !delta.get("function").is_some_and(Value::is_object) {
            return false;
        }
        match function(delta, "name") {
            None => true,
            name => {
                let half = |text: &str| serde_json::from_str::<Value>(text).is_err();
                function(&self.call, "name") == name && function(&self.call, "arguments").is_some_and(half)
            }
        }
    }

    /// Whether `delta`, which has no id, begins another call instead of going on with this one.
    fn is_followed_by(&self, delta: &Map<String, Value>) -> bool {
        let (Some(old), Some(new)) = (function(&self.call, "name"), function(delta, "name")) else {
            return false;
        };
        if old != new {
            return true;
        }
        // The same name again: with every piece, or because the same function is called once more.
        let begins = function(delta, "arguments").is_some_and(|text| text.trim_start().starts_with('{'));
        let whole = |text: &str| serde_json::from_str::<Map<String, Value>>(text).is_ok();
        begins && function(&self.call, "arguments").is_some_and(whole)
    }
}

fn content(parts: &[ContentPart]) -> Content {
    match parts {
        [] => Content::Text(String::new()),
        [ContentPart { text: Some(text), extra, .. }] if extra.is_empty() => Content::Text(text.clone()),
        parts => Content::Parts(parts.to_vec()),
    }
}

fn named<'a>(call: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    call.get(key)?.as_str().filter(|text| !text.is_empty())
}

fn function<'a>(call: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    call.get("function")?.get(key)?.as_str().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn assemble(chunks: &[Value]) -> ChatResponse {
        let mut assembler = Assembler::default();
        for chunk in chunks {
            assembler.push(&serde_json::from_value(chunk.clone()).unwrap());
        }
        assembler.response()
    }

    fn tool(delta: &Value) -> Value {
        json!({"choices": [{"index": 0, "delta": {"tool_calls": [delta]}}]})
    }

    #[test]
    fn parallel_tools_by_index() {
        let response = assemble(&[
            tool(
                &json!({"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}),
            ),
            tool(&json!({"index": 1, "id": "b", "function": {"name": "g", "arguments": "{"}})),
            tool(&json!({"index": 0, "function": {"arguments": "{}"}})),
            tool(&json!({"index": 1, "function": {"arguments": "}"}})),
        ]);
        let calls = &response.choices[0].message.tool_calls;
        assert_eq!(calls[0]["function"], json!({"name": "f", "arguments": "{}"}));
        assert_eq!(calls[1]["function"], json!({"name": "g", "arguments": "{}"}));
    }

    #[test]
    fn different_ids_at_one_index_are_two_calls() {
        let response = assemble(&[
            tool(&json!({"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}})),
            tool(&json!({"index": 0, "id": "b", "function": {"name": "g", "arguments": "{"}})),
            tool(&json!({"function": {"arguments": "}"}})),
        ]);
        let calls = &response.choices[0].message.tool_calls;
        assert_eq!((calls.len(), &calls[1]["function"]["arguments"]), (2, &Value::from("{}")));
    }

    #[test]
    fn a_wrong_index_does_not_mix_calls() {
        // The head of the second call has the index of the first, its rest one that nobody has.
        let response = assemble(&[
            tool(&json!({"index": 0, "id": "a", "function": {"name": "f", "arguments": "{\"x\":1}"}})),
            tool(&json!({"index": 0, "id": "b", "function": {"name": "f", "arguments": "{\"y\""}})),
            tool(&json!({"index": 1, "function": {"arguments": ":2}"}})),
        ]);
        assert_eq!(arguments(&response), ["{\"x\":1}", "{\"y\":2}"]);
    }

    #[test]
    fn what_was_thought_and_its_sealed_form_stay_apart() {
        let piece = |detail: Value| json!({"choices": [{"delta": {"reasoning_details": [detail]}}]});
        let response = assemble(&[
            piece(json!({"type": "reasoning.text", "text": "I ", "index": 0})),
            piece(json!({"type": "reasoning.text", "text": "see", "index": 0})),
            piece(json!({"type": "reasoning.text", "signature": "s", "index": 0})),
            piece(json!({"type": "reasoning.encrypted", "data": "x", "index": 0})),
        ]);
        assert_eq!(
            response.choices[0].message.extra["reasoning_details"],
            json!([
                {"type": "reasoning.text", "text": "I see", "signature": "s", "index": 0},
                {"type": "reasoning.encrypted", "data": "x", "index": 0},
            ])
        );
    }

    #[test]
    fn an_id_of_its_own_in_every_piece_begins_no_call() {
        let piece = |id: &str, name: Value, arguments: &str| {
            tool(&json!({"index": 0, "id": id, "function": {"name": name, "arguments": arguments}}))
        };
        let response = assemble(&[
            piece("a", "f".into(), ""),
            piece("b", Value::Null, "{\"x\": "),
            piece("c", Value::Null, "{}}"),
            piece("d", "f".into(), "{"),
            piece("e", "f".into(), "}"),
        ]);
        let calls = &response.choices[0].message.tool_calls;
        assert_eq!(arguments(&response), ["{\"x\": {}}", "{}"]);
        assert_eq!((&calls[0]["id"], &calls[1]["id"]), (&Value::from("a"), &Value::from("d")));
    }

    #[test]
    fn whole_calls_without_ids_are_kept_apart() {
        for index in [json!(0), Value::Null, json!(-1)] {
            let call = |name: &str, arguments: &str| {
                tool(&json!({"index": index, "function": {"name": name, "arguments": arguments}}))
            };
            let response = assemble(&[call("f", "{\"x\":1}"), call("f", "{\"x\":2}"), call("g", "{}")]);
            assert_eq!(arguments(&response), ["{\"x\":1}", "{\"x\":2}", "{}"], "{index}");
            // A name that comes with every piece begins nothing.
            let response = assemble(&[call("f", ""), call("f", "{\"x\":"), call("f", "1}")]);
            assert_eq!(arguments(&response), ["{\"x\":1}"], "{index}");
        }
    }

    #[test]
    fn log_probabilities_and_old_function_calls_grow() {
        let piece = |choice: Value| json!({"choices": [choice]});
        let response = assemble(&[
            piece(
                json!({"delta": {"function_call": {"name": "f", "arguments": ""}}, "logprobs": {"content": [{"token": "a"}], "refusal": null}}),
            ),
            piece(
                json!({"delta": {"function_call": {"arguments": "{"}}, "logprobs": {"content": [{"token": "b"}]}}),
            ),
            piece(
                json!({"delta": {"function_call": {"arguments": "}"}}, "logprobs": null, "finish_reason": "function_call"}),
            ),
        ]);
        let choice = &response.choices[0];
        assert_eq!(choice.message.extra["function_call"], json!({"name": "f", "arguments": "{}"}));
        assert_eq!(choice.extra["logprobs"]["content"], json!([{"token": "a"}, {"token": "b"}]));
    }

    #[test]
    fn reasoning_grows_in_every_shape() {
        let piece = |delta: Value| json!({"choices": [{"delta": delta}]});
        let details = |text: &str| json!({"reasoning": text, "reasoning_details": [{"type": "reasoning.text", "text": text, "index": 0}]});
        let response = assemble(&[piece(details("one ")), piece(details("two"))]);
        assert_eq!(response.choices[0].message.extra["reasoning"], "one two");
        assert_eq!(response.choices[0].message.extra["reasoning_details"][0]["text"], "one two");

        let thinking = |text: &str| json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]});
        let response = assemble(&[
            piece(thinking("so ")),
            piece(thinking("be it")),
            piece(json!({"content": "42"})),
            piece(json!({"content": "!"})),
        ]);
        assert_eq!(response.first_text(), "42!");
        let content = serde_json::to_value(&response.choices[0].message.content).unwrap();
        assert_eq!(content[0]["thinking"], json!([{"type": "text", "text": "so be it"}]));
    }

    #[test]
    fn a_chunk_that_only_says_who_speaks_is_no_output() {
        let mut assembler = Assembler::default();
        let chunk = json!({"choices": [{"delta": {"role": "assistant", "content": "", "reasoning": "", "tool_calls": null}}]});
        assembler.push(&serde_json::from_value(chunk).unwrap());
        assert!(!assembler.has_output());
    }

    #[test]
    fn what_counts_as_output() {
        for (delta, counts) in [
            (json!({"role": "assistant", "content": ""}), false),
            (json!({"annotations": [{"x": 1}], "reasoning": ""}), false),
            (json!({"reasoning_content": "hm"}), true),
            (json!({"refusal": "no"}), true),
            (json!({"tool_calls": [{"index": 0}]}), true),
            (json!({"content": "x"}), true),
        ] {
            let mut assembler = Assembler::default();
            let chunk = json!({"choices": [{"index": 0, "delta": delta}]});
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

    fn arguments(response: &ChatResponse) -> Vec<&str> {
        let calls = &response.choices[0].message.tool_calls;
        calls.iter().map(|call| call["function"]["arguments"].as_str().unwrap()).collect()
    }

    /// How a server names the pieces of its calls.
    #[derive(Clone, Copy, Debug)]
    enum Naming {
        OpenAi,
        IdOnly,
        IdAlways,
        IndexOnly,
        AlwaysZero,
        Nothing,
    }

    proptest! {
        #[test]
        fn calls_come_out_as_they_were_cut(
            values in proptest::collection::vec("[a-z{}\"\\\\é]{0,12}", 1..5),
            cuts in proptest::collection::vec(0_usize..40, 0..8),
            naming in prop_oneof![
                Just(Naming::OpenAi), Just(Naming::IdOnly), Just(Naming::IdAlways), Just(Naming::IndexOnly),
                Just(Naming::AlwaysZero), Just(Naming::Nothing),
            ],
            mixed: bool,
        ) {
            let whole: Vec<String> = values.iter().map(|value| json!({"v": value}).to_string()).collect();
            let mut pieces: Vec<Vec<Value>> = Vec::new();
            for (number, text) in whole.iter().enumerate() {
                let letters: Vec<char> = text.chars().collect();
                let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (letters.len() + 1)).collect();
                cuts.extend([0, letters.len()]);
                cuts.sort_unstable();
                let calls = cuts.windows(2).enumerate().map(|(at, pair)| {
                    let text: String = letters[pair[0]..pair[1]].iter().collect();
                    let (id, name) = (format!("call_{number}"), format!("f{number}"));
                    let first = at == 0;
                    let mut call = json!({"function": {"arguments": text}});
                    if first {
                        call["function"]["name"] = name.into();
                        call["type"] = "function".into();
                    }
                    match naming {
                        Naming::OpenAi | Naming::IndexOnly => call["index"] = number.into(),
                        Naming::AlwaysZero => call["index"] = 0.into(),
                        Naming::IdOnly | Naming::IdAlways | Naming::Nothing => {}
                    }
                    let always = matches!(naming, Naming::IdAlways);
                    if always || first && !matches!(naming, Naming::IndexOnly | Naming::Nothing) {
                        call["id"] = id.into();
                    }
                    call
                });
                pieces.push(calls.collect());
            }
            // Only what is told apart in every piece may be mixed.
            let tellable = matches!(naming, Naming::OpenAi | Naming::IdAlways | Naming::IndexOnly);
            let longest = pieces.iter().map(Vec::len).max().unwrap_or(0);
            let order: Vec<&Value> = if mixed && tellable {
                (0..longest).flat_map(|at| pieces.iter().filter_map(move |calls| calls.get(at))).collect()
            } else {
                pieces.iter().flatten().collect()
            };
            let chunks: Vec<Value> = order.into_iter().map(tool).collect();
            let response = assemble(&chunks);
            prop_assert_eq!(arguments(&response), whole, "{:?}", naming);
        }
    }
}
