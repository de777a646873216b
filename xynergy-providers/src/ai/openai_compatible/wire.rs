use bytes::Bytes;
use serde_json::{Map, Value, json};
use xynergy_core::config::{Dialect, Secret};
use xynergy_core::provider::{CallReport, ChatChunk, ChatRequest, ChatResponse, ChunkChoice, Delta, Usage};
use xynergy_core::{Error, ErrorKind, Result};

use super::error::{in_band, unreadable};

/// The body of a request.
pub(super) fn body(
    request: &ChatRequest,
    dialect: Dialect,
    default_model: &str,
    stream: bool,
) -> Result<Bytes> {
    let unwritable = |error| {
        Error::new(ErrorKind::Unexpected, "ai.chat", "the request cannot be written as JSON")
            .with_source(error)
    };
    let Value::Object(mut fields) = serde_json::to_value(request).map_err(unwritable)? else {
        return Err(Error::new(ErrorKind::Unexpected, "ai.chat", "the request is no object"));
    };
    for ours in ["xynergy", "stream", "max_tokens", "max_completion_tokens"] {
        fields.remove(ours);
    }
    let model = if request.model.is_empty() { default_model } else { &request.model };
    fields.insert("model".into(), model.into());
    if let Some(limit) = request.token_limit() {
        fields.insert(limit_name(dialect).into(), limit.into());
    }
    if dialect == Dialect::Openai && has_own_temperature(model) {
        fields.remove("temperature");
    }
    if stream {
        fields.insert("stream".into(), true.into());
        let options = fields.entry("stream_options").or_insert_with(|| json!({}));
        if let Value::Object(options) = options {
            options.insert("include_usage".into(), true.into());
        }
    } else {
        fields.remove("stream_options");
    }
    serde_json::to_vec(&fields).map(Bytes::from).map_err(unwritable)
}

/// OpenAI's reasoning models know only the newer name, older servers only the older one.
fn limit_name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Openai => "max_completion_tokens",
        Dialect::Abacus | Dialect::Internal | Dialect::Compatible => "max_tokens",
    }
}

/// OpenAI's reasoning models refuse every temperature but their own.
fn has_own_temperature(model: &str) -> bool {
    ["o1", "o3", "o4", "gpt-5"].iter().any(|family| model.starts_with(family))
}

/// An answer that came as a whole.
pub(super) fn response(body: &[u8], key: Option<&Secret>) -> Result<ChatResponse> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|_| unreadable("the answer is not JSON; check ai.providers.NAME.base_url"))?;
    if let Some(error) = in_band(&value, key) {
        return Err(error);
    }
    if !value.get("choices").is_some_and(Value::is_array) {
        return Err(unreadable("the answer holds no choices; check ai.providers.NAME.base_url"));
    }
    let response: ChatResponse =
        serde_json::from_value(value).map_err(|_| unreadable("the answer is not a chat completion"))?;
    // Only the library reports.
    Ok(ChatResponse { report: CallReport::default(), ..response }.judged())
}

/// What an event of a stream says.
#[derive(Debug)]
pub(super) enum StreamEvent {
    Chunk(Box<ChatChunk>),
    /// `[DONE]`: the end, and no proof of success.
    Done,
}

/// Reads the data of one event.
pub(super) fn event(data: &[u8], key: Option<&Secret>) -> Result<StreamEvent> {
    if data.trim_ascii() == b"[DONE]" {
        return Ok(StreamEvent::Done);
    }
    let mut value: Value =
        serde_json::from_slice(data).map_err(|_| unreadable("an event of the stream is not JSON"))?;
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
    let chunk: ChatChunk =
        serde_json::from_value(value).map_err(|_| unreadable("an event of the stream is not a chunk"))?;
    // Only the library says so.
    Ok(StreamEvent::Chunk(Box::new(ChatChunk { outcome: None, report: None, ..chunk })))
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
        extra: Map::new(),
    };
    ChatChunk {
        id: response.id,
        model: response.model,
        choices: response.choices.into_iter().map(choice).collect(),
        usage: response.usage.filter(Usage::is_known),
        ..ChatChunk::default()
    }
}

#[cfg(test)]
mod tests {
    use xynergy_core::provider::{CallOptions, Outcome};

    use super::*;

    fn sent(request: &ChatRequest, dialect: Dialect, stream: bool) -> Value {
        serde_json::from_slice(&body(request, dialect, "default", stream).unwrap()).unwrap()
    }

    #[test]
    fn each_dialect_gets_its_own_names() {
        let request = ChatRequest {
            max_tokens: Some(9),
            temperature: Some(0.7),
            options: CallOptions { tags: ["t".to_owned()].into(), ..CallOptions::default() },
            extra: Map::from_iter([("top_p".to_owned(), json!(0.5)), ("stream".to_owned(), json!(true))]),
            ..ChatRequest::prompt("hi")
        };
        assert_eq!(
            sent(&request, Dialect::Internal, false),
            json!({"model": "default", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 9, "temperature": 0.7, "top_p": 0.5})
        );
        let openai = sent(&ChatRequest { model: "o3-mini".into(), ..request.clone() }, Dialect::Openai, true);
        assert_eq!(openai["max_completion_tokens"], 9);
        assert!(openai.get("max_tokens").is_none() && openai.get("temperature").is_none());
        assert_eq!(
            (&openai["stream"], &openai["stream_options"]),
            (&json!(true), &json!({"include_usage": true}))
        );
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
    fn groq_usage_is_found() {
        let data = br#"{"choices": [], "x_groq": {"usage": {"prompt_tokens": 3, "completion_tokens": 4}}}"#;
        let StreamEvent::Chunk(chunk) = event(data, None).unwrap() else { panic!("no chunk") };
        assert_eq!(chunk.usage.unwrap().total(), 7);
    }
}
