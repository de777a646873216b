//! Chat completions, whole and streamed.

use serde_json::{Map, Value, json};
use xynergy_core::Timestamp;

use super::{answer, bad, error, fingerprint, tokens};
use crate::sandbox::incoming::Incoming;
use crate::sandbox::record::AiUsage;
use crate::sandbox::reply::{Handled, Reply};

const MAX_CHOICES: u64 = 8;

/// A valid request.
struct Chat {
    model: String,
    /// The bytes of every message.
    prompt_bytes: usize,
    text: String,
    finish: &'static str,
    choices: u64,
    stream: bool,
    include_usage: bool,
}

pub(super) fn complete(request: &Incoming, now: Timestamp) -> Handled {
    let chat = match request.json() {
        Err(message) => return error(400, &message, None).into(),
        Ok(body) => match parse(&body) {
            Err(reply) => return reply.into(),
            Ok(chat) => chat,
        },
    };
    let seconds = now.millis().div_euclid(1_000);
    let id = format!("chatcmpl-{}", fingerprint(request, seconds));
    let usage = AiUsage {
        model: chat.model.clone(),
        prompt_tokens: tokens(chat.prompt_bytes).max(1),
        completion_tokens: tokens(chat.text.len()).saturating_mul(chat.choices),
    };
    let head = json!({"id": id, "created": seconds, "model": chat.model, "system_fingerprint": "fp_sandbox"});
    let reply = if chat.stream {
        Reply::events(events(&chat, &head, &usage))
    } else {
        Reply::json(200, &whole(&chat, &head, &usage))
    };
    let mut handled = Handled::from(reply);
    handled.usage = Some(usage);
    handled
}

fn parse(body: &Value) -> Result<Chat, Reply> {
    let Some(body) = body.as_object() else {
        return Err(error(400, "the body is no JSON object", None));
    };
    let model =
        body.get("model").and_then(Value::as_str).filter(|model| !model.is_empty() && model.len() <= 200);
    let model =
        model.ok_or_else(|| bad("model", "you must provide a model parameter of at most 200 bytes"))?;
    let messages = body.get("messages").and_then(Value::as_array).filter(|list| !list.is_empty());
    let messages = messages.ok_or_else(|| bad("messages", "give a list of at least one message"))?;
    let mut texts = Vec::with_capacity(messages.len());
    for message in messages {
        let role = message.get("role").and_then(Value::as_str);
        let role = role.ok_or_else(|| bad("messages", "every message has a role"))?;
        let text = text_of(message.get("content"));
        texts.push((role, text.ok_or_else(|| bad("messages", "content is a string or a list of parts"))?));
    }
    if let Some(temperature) = body.get("temperature").filter(|v| !v.is_null())
        && !temperature.as_f64().is_some_and(|t| (0.0..=2.0).contains(&t))
    {
        return Err(bad("temperature", "give a number from 0 to 2"));
    }
    let choices = whole_number(body, "n")?.unwrap_or(1);
    if choices > MAX_CHOICES {
        return Err(bad("n", "the sandbox gives at most 8 choices"));
    }
    let limit = match whole_number(body, "max_completion_tokens")? {
        None => whole_number(body, "max_tokens")?,
        limit => limit,
    };
    let full = wrapped(body, continued(&texts));
    let (text, finish) = limited(full, limit);
    let include_usage = body.get("stream_options").and_then(|o| o.get("include_usage"));
    Ok(Chat {
        model: model.to_owned(),
        prompt_bytes: texts.iter().map(|(_, text)| text.len()).sum(),
        text,
        finish,
        choices,
        stream: body.get("stream").and_then(Value::as_bool).unwrap_or(false),
        include_usage: include_usage.and_then(Value::as_bool).unwrap_or(false),
    })
}

/// The text of a message's content: a string, or the text parts of a list; a message that calls tools may have none.
fn text_of(content: Option<&Value>) -> Option<String> {
    match content {
        None | Some(Value::Null) => Some(String::new()),
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Array(parts)) => {
            Some(parts.iter().filter_map(|part| part.get("text")?.as_str()).collect::<Vec<_>>().join(" "))
        }
        Some(_) => None,
    }
}

fn whole_number(body: &Map<String, Value>, name: &str) -> Result<Option<u64>, Reply> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64().filter(|n| *n > 0) {
            Some(n) => Ok(Some(n)),
            None => Err(bad(name, "give a whole number above 0")),
        },
    }
}

/// The answer to the last user message; where the assistant has begun it already, the rest.
fn continued(texts: &[(&str, String)]) -> String {
    let asked = texts.iter().rposition(|(role, _)| *role == "user").unwrap_or(texts.len().saturating_sub(1));
    let full = answer::compose(texts.get(asked).map_or("", |(_, text)| text));
    let begun =
        texts.get(asked + 1).filter(|(role, _)| *role == "assistant").map(|(_, text)| text.trim_end());
    match begun.and_then(|begun| full.strip_prefix(begun)) {
        Some(rest) => rest.to_owned(),
        None => full,
    }
}

/// The answer as a JSON object where that was asked for.
fn wrapped(body: &Map<String, Value>, text: String) -> String {
    match body.get("response_format").and_then(|f| f.get("type")).and_then(Value::as_str) {
        Some("json_object" | "json_schema") => json!({"answer": text}).to_string(),
        _ => text,
    }
}

/// Cuts an answer to `limit` tokens.
fn limited(mut text: String, limit: Option<u64>) -> (String, &'static str) {
    let bytes = limit.and_then(|n| usize::try_from(n).ok()).map_or(usize::MAX, |n| n.saturating_mul(4));
    if text.len() <= bytes {
        return (text, "stop");
    }
    text.truncate(text.floor_char_boundary(bytes));
    (text, "length")
}

fn usage_json(usage: &AiUsage) -> Value {
    json!({
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    })
}

fn with(head: &Value, object: &str, choices: Value) -> Value {
    let mut body = head.clone();
    body["object"] = object.into();
    body["choices"] = choices;
    body
}

fn whole(chat: &Chat, head: &Value, usage: &AiUsage) -> Value {
    let choices: Vec<Value> = (0..chat.choices)
        .map(|index| {
            json!({
                "index": index,
                "message": {"role": "assistant", "content": chat.text, "refusal": null},
                "logprobs": null,
                "finish_reason": chat.finish,
            })
        })
        .collect();
    let mut body = with(head, "chat.completion", choices.into());
    body["usage"] = usage_json(usage);
    body
}

/// The events of a stream: the role, the words, the reason to stop, the usage where asked for, and `[DONE]`.
fn events(chat: &Chat, head: &Value, usage: &AiUsage) -> Vec<String> {
    let event = |choices: Value, usage: Option<Value>| {
        let mut body = with(head, "chat.completion.chunk", choices);
        if chat.include_usage {
            body["usage"] = usage.into();
        }
        format!("data: {body}\n\n")
    };
    let mut events = Vec::new();
    for index in 0..chat.choices {
        let chunk = |delta: Value, finish: Option<&str>| {
            event(json!([{"index": index, "delta": delta, "logprobs": null, "finish_reason": finish}]), None)
        };
        events.push(chunk(json!({"role": "assistant", "content": ""}), None));
        events.extend(chat.text.split_inclusive(' ').map(|word| chunk(json!({"content": word}), None)));
        events.push(chunk(json!({}), Some(chat.finish)));
    }
    if chat.include_usage {
        events.push(event(json!([]), Some(usage_json(usage))));
    }
    events.push("data: [DONE]\n\n".to_owned());
    events
}
