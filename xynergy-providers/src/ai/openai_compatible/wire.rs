use bytes::Bytes;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use xynergy_core::config::Secret;
use xynergy_core::provider::{ChatChunk, ChatRequest, ChatResponse, ChunkChoice, Delta, Message, Usage};
use xynergy_core::{Error, ErrorKind, Result};

use super::config::Settings;
use super::dialect::{Reasoning, Ways};
use super::error::{in_band, no_json, unreadable};
use crate::ai::exchange::StreamEvent;

/// The body of a request.
pub(super) fn body(request: &ChatRequest, settings: &Settings, stream: bool) -> Result<Bytes> {
    let mut fields = beside_messages(request).map_err(unwritable)?;
    let ways = settings.ways;
    let model = settings.model(request);
    fields.insert("model".into(), model.into());
    if let Some(limit) = request.token_limit() {
        fields.insert(settings.limit(model).into(), limit.into());
    }
    if settings.has_own_temperature(model) {
        fields.remove("temperature");
    }
    for (name, there) in ways.renamed {
        if let Some(value) = fields.remove(*name) {
            fields.entry(*there).or_insert(value);
        }
    }
    let messages = if is_plain(request, settings) {
        Messages::AsTheyAre(&request.messages)
    } else {
        Messages::Translated(translated(request, settings)?)
    };
    if let Some(prefill) = settings.continues(request) {
        set(&mut fields, prefill.request);
    }
    if stream {
        fields.insert("stream".into(), true.into());
        ask_for_usage(&mut fields, ways);
    } else {
        fields.remove("stream_options");
    }
    serde_json::to_vec(&Body { fields, messages }).map(Bytes::from).map_err(unwritable)
}

/// Every field that goes out but the messages and the limit, whose name the server chooses.
fn beside_messages(request: &ChatRequest) -> serde_json::Result<Map<String, Value>> {
    let ChatRequest { temperature, n, tools, response_format, extra, .. } = request;
    let mut fields = extra.clone();
    for ours in ["xynergy", "stream", "max_tokens", "max_completion_tokens", "messages"] {
        fields.remove(ours);
    }
    if let Some(temperature) = temperature {
        fields.insert("temperature".into(), serde_json::to_value(temperature)?);
    }
    if let Some(n) = n {
        fields.insert("n".into(), (*n).into());
    }
    if !tools.is_empty() {
        fields.insert("tools".into(), tools.clone().into());
    }
    if let Some(format) = response_format {
        fields.insert("response_format".into(), format.clone());
    }
    Ok(fields)
}

/// A body whose messages, most of it, are written from where they are.
struct Body<'a> {
    fields: Map<String, Value>,
    messages: Messages<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Messages<'a> {
    AsTheyAre(&'a [Message]),
    Translated(Vec<Value>),
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_map(Some(self.fields.len() + 1))?;
        body.serialize_entry("messages", &self.messages)?;
        for (name, value) in &self.fields {
            body.serialize_entry(name, value)?;
        }
        body.end()
    }
}

/// Whether no server takes these messages otherwise than they are: they are said by somebody, and that is all.
fn is_plain(request: &ChatRequest, settings: &Settings) -> bool {
    request.messages.iter().all(|message| message.is_only_content() && !message.has_image())
        && settings.continues(request).is_none()
}

fn translated(request: &ChatRequest, settings: &Settings) -> Result<Vec<Value>> {
    let mut messages = Vec::with_capacity(request.messages.len());
    for message in &request.messages {
        messages.push(serde_json::to_value(message).map_err(unwritable)?);
    }
    translate(&mut messages, settings.ways)?;
    if let (Some(prefill), Some(Value::Object(last))) = (settings.continues(request), messages.last_mut()) {
        set(last, prefill.message);
    }
    Ok(messages)
}

fn unwritable(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Unexpected, "ai.chat", "the request cannot be written as JSON").with_source(error)
}

fn set(fields: &mut Map<String, Value>, values: &[(&str, bool)]) {
    for (name, value) in values {
        fields.insert((*name).to_owned(), (*value).into());
    }
}

fn ask_for_usage(fields: &mut Map<String, Value>, ways: &Ways) {
    if ways.stream_options.is_empty() {
        fields.remove("stream_options");
        return;
    }
    let options = fields.entry("stream_options").or_insert_with(|| json!({}));
    if !options.is_object() {
        *options = json!({});
    }
    if let Value::Object(options) = options {
        for (name, value) in ways.stream_options {
            // What is on is needed to account for the call; what is off is only a better default.
            if *value {
                options.insert((*name).to_owned(), true.into());
            } else {
                options.entry(*name).or_insert(Value::Bool(false));
            }
        }
    }
}

/// Messages as this server takes them.
fn translate(messages: &mut [Value], ways: &Ways) -> Result<()> {
    let with_tools = messages.iter().any(|message| message.get("tool_calls").is_some());
    let without_reasoning = match ways.reasoning {
        Reasoning::Kept => false,
        Reasoning::Removed => true,
        Reasoning::KeptWithTools => !with_tools,
    };
    for (number, message) in messages.iter_mut().enumerate() {
        if ways.images_inline && has_distant_image(message) {
            let message = format!(
                "messages[{number}]: this server reads images from data URLs alone; give data:image/png;base64,..."
            );
            return Err(Error::new(ErrorKind::Unsupported, "ai.chat", message));
        }
        let Value::Object(message) = message else { continue };
        // What is said in these blocks is in the message as well.
        message.remove(crate::ai::anthropic::CONTENT);
        if without_reasoning {
            for name in ["reasoning_content", "reasoning", "reasoning_details"] {
                message.remove(name);
            }
        }
        if ways.short_tool_ids {
            message.get_mut("tool_call_id").into_iter().for_each(shorten);
            for call in message.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten() {
                call.get_mut("id").into_iter().for_each(shorten);
            }
        }
    }
    Ok(())
}

fn has_distant_image(message: &Value) -> bool {
    let parts = message.get("content").and_then(Value::as_array);
    parts.into_iter().flatten().any(|part| {
        let image = part.get("image_url");
        let url = image.and_then(|image| image.get("url").unwrap_or(image).as_str());
        url.is_some_and(|url| !url.starts_with("data:"))
    })
}

/// An id of nine letters and digits: the same for the same id, so that call and result stay together.
fn shorten(id: &mut Value) {
    const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let Some(text) = id.as_str() else { return };
    if text.len() == 9 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return;
    }
    let digest = Sha256::digest(text.as_bytes());
    let letter = |byte: &u8| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]);
    *id = digest.iter().take(9).map(letter).collect::<String>().into();
}

/// An answer that came as a whole.
pub(super) fn response(body: &[u8], key: Option<&Secret>) -> Result<ChatResponse> {
    let mut value: Value = serde_json::from_slice(body).map_err(|_| no_json(body))?;
    if let Some(error) = in_band(&value, key) {
        return Err(error);
    }
    if !value.get("choices").is_some_and(Value::is_array) {
        return Err(unreadable("the answer holds no choices; check ai.providers.NAME.base_url"));
    }
    clean(&mut value, "message");
    let response =
        ChatResponse::of_value(value).map_err(|_| unreadable("the answer is not a chat completion"))?;
    Ok(response.judged())
}

/// Reads the data of one event.
pub(super) fn event(data: &[u8], key: Option<&Secret>) -> Result<StreamEvent> {
    match data.trim_ascii() {
        b"[DONE]" => return Ok(StreamEvent::Done),
        b"" => return Ok(StreamEvent::Nothing),
        _ => {}
    }
    let mut value: Value = serde_json::from_slice(data).map_err(|_| {
        let is_text = std::str::from_utf8(data).is_ok();
        unreadable(if is_text {
            "an event of the stream is no JSON"
        } else {
            "an event of the stream is no UTF-8"
        })
    })?;
    if let Some(error) = in_band(&value, key) {
        return Err(error);
    }
    // Groq has the usage of a stream in a place of its own.
    let elsewhere = value.pointer("/x_groq/usage").cloned();
    if let (Value::Object(fields), Some(usage)) = (&mut value, elsewhere)
        && fields.get("usage").is_none_or(Value::is_null)
    {
        fields.insert("usage".into(), usage);
    }
    clean(&mut value, "delta");
    let chunk =
        ChatChunk::of_value(value).map_err(|_| unreadable("an event of the stream is not a chunk"))?;
    Ok(StreamEvent::Chunk(Box::new(chunk)))
}

/// Takes out what only this library says. Some servers send the arguments of a tool call as the object that they are, where
/// everybody else sends its JSON.
fn clean(answer: &mut Value, part: &str) {
    if let Value::Object(fields) = answer {
        fields.remove("outcome");
        fields.remove("xynergy");
    }
    let choices = answer.get_mut("choices").and_then(Value::as_array_mut);
    for choice in choices.into_iter().flatten() {
        let calls = choice.get_mut(part).and_then(|part| part.get_mut("tool_calls")?.as_array_mut());
        for call in calls.into_iter().flatten() {
            let arguments = call.get_mut("function").and_then(|function| function.get_mut("arguments"));
            if let Some(arguments) =
                arguments.filter(|arguments| arguments.is_object() || arguments.is_array())
            {
                *arguments = arguments.to_string().into();
            }
        }
    }
}

/// A whole answer where a stream was asked for, as one chunk.
pub(in crate::ai) fn as_chunk(response: ChatResponse) -> ChatChunk {
    let choice = |choice: xynergy_core::provider::Choice| ChunkChoice {
        index: choice.index,
        delta: Delta {
            role: Some(choice.message.role),
            content: choice.message.content,
            refusal: choice.message.refusal,
            tool_calls: choice.message.tool_calls,
            extra: choice.message.extra,
        },
        finish_reason: choice.finish_reason,
        extra: choice.extra.into_iter().filter(|(name, _)| name != "delta").collect(),
    };
    ChatChunk {
        id: response.id,
        model: response.model,
        choices: response.choices.into_iter().map(choice).collect(),
        usage: response.usage.filter(Usage::is_known),
        extra: response.extra,
        ..ChatChunk::default()
    }
}

#[cfg(test)]
mod tests {
    use xynergy_core::config::{Dialect, ProviderConfig};
    use xynergy_core::provider::{CallOptions, Outcome};

    use super::*;

    fn sent(request: &ChatRequest, dialect: Dialect, stream: bool) -> Value {
        let config = ProviderConfig {
            dialect: Some(dialect),
            base_url: Some("https://x.example/v1".into()),
            model: Some("default".into()),
            ..ProviderConfig::default()
        };
        let settings = Settings::new("x", &config).unwrap();
        serde_json::from_slice(&body(request, &settings, stream).unwrap()).unwrap()
    }

    fn conversation(messages: &Value) -> ChatRequest {
        serde_json::from_value(json!({"messages": messages})).unwrap()
    }

    #[test]
    fn each_dialect_gets_its_own_names() {
        let request = ChatRequest {
            max_tokens: Some(9),
            temperature: Some(0.7),
            options: CallOptions { tags: ["t".to_owned()].into(), ..CallOptions::default() },
            extra: Map::from_iter([
                ("top_p".to_owned(), json!(0.5)),
                ("stream".to_owned(), json!(true)),
                ("seed".to_owned(), json!(0)),
                ("stream_options".to_owned(), json!({"x": 1})),
            ]),
            ..ChatRequest::prompt("hi")
        };
        assert_eq!(
            sent(&request, Dialect::Internal, false),
            json!({"model": "default", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 9, "temperature": 0.7, "top_p": 0.5, "seed": 0})
        );
        let openai = sent(&ChatRequest { model: "o3-mini".into(), ..request.clone() }, Dialect::Openai, true);
        assert!(openai.get("temperature").is_none());
        for dialect in Dialect::ALL {
            let body = sent(&request, dialect, true);
            let newer =
                matches!(dialect, Dialect::Openai | Dialect::Azure | Dialect::Groq | Dialect::Openrouter);
            let limits = (body.get("max_completion_tokens"), body.get("max_tokens"));
            let nine = json!(9);
            assert_eq!(limits, if newer { (Some(&nine), None) } else { (None, Some(&nine)) }, "{dialect:?}");
            let options = match dialect {
                Dialect::Openai => json!({"x": 1, "include_usage": true, "include_obfuscation": false}),
                Dialect::Vllm => json!({"x": 1, "include_usage": true, "continuous_usage_stats": true}),
                Dialect::Mistral | Dialect::Openrouter => Value::Null,
                _ => json!({"x": 1, "include_usage": true}),
            };
            assert_eq!(body.get("stream_options").cloned().unwrap_or_default(), options, "{dialect:?}");
            let seed = if dialect == Dialect::Mistral { "random_seed" } else { "seed" };
            assert_eq!(body[seed], 0, "{dialect:?}");
            assert_eq!((&body["stream"], &body["top_p"]), (&json!(true), &json!(0.5)), "{dialect:?}");
        }
    }

    #[test]
    fn reasoning_goes_back_only_where_it_is_read() {
        let plain = json!([
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "ho", "reasoning_content": "hm", "reasoning": "hm"},
            {"role": "user", "content": "?"}
        ]);
        let with_tools = json!([
            {"role": "assistant", "content": "", "reasoning_content": "hm", "tool_calls": [{"id": "a", "function": {}}]},
            {"role": "tool", "tool_call_id": "a", "content": "5"}
        ]);
        let kept = |dialect, messages: &Value, at: usize| {
            sent(&conversation(messages), dialect, false)["messages"][at].get("reasoning_content").is_some()
        };
        for dialect in Dialect::ALL {
            let refuses =
                matches!(dialect, Dialect::Openai | Dialect::Azure | Dialect::Groq | Dialect::Mistral);
            assert_eq!(kept(dialect, &with_tools, 0), !refuses, "{dialect:?}");
            assert_eq!(kept(dialect, &plain, 1), !refuses && dialect != Dialect::Deepseek, "{dialect:?}");
        }
    }

    #[test]
    fn ids_of_calls_are_mistrals_and_stay_together() {
        let request = conversation(&json!([
            {"role": "assistant", "content": "", "tool_calls": [{"id": "call_1", "function": {}}, {"id": "aB3xK9mP2", "function": {}}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "5"},
            {"role": "tool", "tool_call_id": "aB3xK9mP2", "content": "6"}
        ]));
        let body = sent(&request, Dialect::Mistral, false);
        let id = body["messages"][0]["tool_calls"][0]["id"].as_str().unwrap();
        assert!(id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
        assert_eq!(body["messages"][1]["tool_call_id"], id);
        assert_eq!(body["messages"][0]["tool_calls"][1]["id"], "aB3xK9mP2");
        assert_eq!(body["messages"][2]["tool_call_id"], "aB3xK9mP2");
        assert_eq!(sent(&request, Dialect::Openai, false)["messages"][1]["tool_call_id"], "call_1");
    }

    #[test]
    fn a_distant_image_is_not_for_ollama() {
        let image = |url: &str| {
            conversation(
                &json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]),
            )
        };
        let ollama = |request: &ChatRequest| {
            let config = ProviderConfig { model: Some("m".into()), ..ProviderConfig::default() };
            body(request, &Settings::new("ollama", &config).unwrap(), false)
        };
        assert!(ollama(&image("data:image/png;base64,AA==")).is_ok());
        let error = ollama(&image("https://x.example/a.png")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("messages[0]") && error.message().contains("data:"), "{error}");
    }

    #[test]
    fn a_message_is_continued_in_the_words_of_each() {
        let request = conversation(
            &json!([{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Once"}]),
        );
        for dialect in Dialect::ALL {
            let body = sent(&request, dialect, true);
            let last = &body["messages"][1];
            let flagged = matches!(dialect, Dialect::Mistral | Dialect::Deepseek);
            assert_eq!(last.get("prefix"), flagged.then_some(&json!(true)), "{dialect:?}");
            let asked = matches!(dialect, Dialect::Vllm | Dialect::LlamaCpp);
            assert_eq!(body.get("continue_final_message"), asked.then_some(&json!(true)), "{dialect:?}");
            assert_eq!(body.get("add_generation_prompt"), asked.then_some(&json!(false)), "{dialect:?}");
            // Nothing of it where the user spoke last.
            let body = sent(&ChatRequest::prompt("hi"), dialect, true);
            assert!(
                !body.to_string().contains("prefix") && !body.to_string().contains("continue"),
                "{dialect:?}"
            );
        }
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        for bad in [
            "<html>502</html>",
            "[]",
            "{}",
            "{\"choices\": 5}",
            "{\"choices\": [5]}",
            "{\"error\": {\"code\": 500}}",
            "",
        ] {
            let error = response(bad.as_bytes(), None).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{bad}");
        }
        assert_eq!(response(b"{\"choices\": []}", None).unwrap().outcome, Outcome::Errored);
    }

    #[test]
    fn odd_events_are_read() {
        let chunk = |data: &str| match event(data.as_bytes(), None).unwrap() {
            StreamEvent::Chunk(chunk) => chunk,
            other => panic!("{other:?}"),
        };
        let groq =
            chunk(r#"{"choices": [], "x_groq": {"usage": {"prompt_tokens": 3, "completion_tokens": 4}}}"#);
        assert_eq!(groq.usage.unwrap().total(), 7);
        let odd = chunk(
            r#"{"id": null, "choices": [{"index": null, "delta": null, "finish_reason": ""}], "usage": {}}"#,
        );
        assert_eq!((odd.choices[0].index, &odd.choices[0].finish_reason, &odd.usage), (0, &None, &None));
        let call = chunk(
            r#"{"choices": [{"delta": {"role": "", "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}}]}"#,
        );
        assert_eq!(call.choices[0].delta.tool_calls[0]["function"]["arguments"], "{\"a\":1}");
        let claims = chunk(r#"{"choices": [], "outcome": "splendid", "xynergy": {"cost": 0}}"#);
        assert!(claims.outcome.is_none() && claims.report.is_none());
        assert!(matches!(event(b" ", None).unwrap(), StreamEvent::Nothing));
        assert!(event(b"\xff", None).unwrap_err().message().contains("UTF-8"));
        assert!(event(b"5", None).is_err());
    }
}
