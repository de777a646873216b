//! How the pieces of a streamed answer grow together, whatever fields a provider adds.

use serde_json::{Map, Value};

/// Adds a piece: words grow, except names that are sent whole; objects and lists grow by their parts; anything else is
/// replaced. Nothing replaces something with nothing.
pub(super) fn merge(whole: &mut Map<String, Value>, key: &str, piece: &Value) {
    match whole.get_mut(key) {
        Some(old) => merge_value(old, key, piece),
        None if piece.is_null() => {}
        None => {
            whole.insert(key.to_owned(), piece.clone());
        }
    }
}

fn merge_value(old: &mut Value, key: &str, piece: &Value) {
    match (old, piece) {
        (_, Value::Null) => {}
        (Value::String(old), Value::String(new)) if grows(key) => old.push_str(new),
        (Value::String(old), Value::String(new)) if new.is_empty() && !old.is_empty() => {}
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in new {
                merge(old, key, value);
            }
        }
        // Each is whole; its index, if it has one, is a place in the text. Some send those again that they have sent.
        (Value::Array(old), Value::Array(new)) if key == "annotations" => {
            for item in new {
                if !old.contains(item) {
                    old.push(item.clone());
                }
            }
        }
        (Value::Array(old), Value::Array(new)) => new.iter().for_each(|item| merge_item(old, item)),
        (old, piece) => *old = piece.clone(),
    }
}

/// An item with the index and the type of an earlier one goes on with it, and so does plain text behind plain text. OpenRouter gives
/// what a model thought and the sealed form of it the same index.
fn merge_item(list: &mut Vec<Value>, item: &Value) {
    let kind = |of: &Value| of.get("type").and_then(Value::as_str).map(str::to_owned);
    let earlier = match item.get("index").and_then(Value::as_u64) {
        Some(index) => list.iter_mut().rfind(|old| {
            old.get("index").and_then(Value::as_u64) == Some(index)
                && kind(old).zip(kind(item)).is_none_or(|(old, new)| old == new)
        }),
        None => list.last_mut().filter(|last| is_plain_text(last) && is_plain_text(item)),
    };
    match earlier {
        Some(old) => merge_value(old, "", item),
        None => list.push(item.clone()),
    }
}

fn is_plain_text(item: &Value) -> bool {
    item.as_object().is_some_and(|fields| {
        fields.len() == 2
            && fields.get("type").is_some_and(|kind| kind == "text")
            && fields.contains_key("text")
    })
}

fn grows(key: &str) -> bool {
    matches!(
        key,
        "arguments"
            | "data"
            | "input"
            | "reasoning"
            | "reasoning_content"
            | "refusal"
            | "summary"
            | "text"
            | "thinking"
            | "transcript"
    )
}
