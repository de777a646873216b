use serde_json::{Map, Value, json};
use xynergy_core::{Error, Result};

use super::unsupported;

/// OpenAI's function tools in Anthropic's shape; tools that already have it pass.
pub(super) fn tools(tools: &[Value]) -> Result<Vec<Value>> {
    tools.iter().enumerate().map(|(number, tool)| of_tool(number, tool)).collect()
}

fn of_tool(number: usize, tool: &Value) -> Result<Value> {
    let kind = tool.get("type").and_then(Value::as_str);
    if kind == Some("custom") && tool.get("custom").is_some() {
        return Err(unsupported(format!(
            "tools[{number}]: OpenAI's custom tools need an OpenAI model; use a function"
        )));
    }
    let (Some("function"), Value::Object(fields)) = (kind, tool) else { return Ok(tool.clone()) };
    let Some(Value::Object(function)) = fields.get("function") else {
        return Err(Error::invalid(
            "ai.chat",
            format!("tools[{number}].function: missing; give it a name and parameters"),
        ));
    };
    let mut made = without(fields, &["type", "function"]);
    for (name, value) in function.iter().filter(|(_, value)| !value.is_null()) {
        let name = if name == "parameters" { "input_schema" } else { name };
        made.insert(name.to_owned(), value.clone());
    }
    made.entry("input_schema").or_insert_with(|| json!({"type": "object", "properties": {}}));
    Ok(Value::Object(made))
}

/// OpenAI's `tool_choice` and `parallel_tool_calls` as Anthropic's `tool_choice`.
pub(super) fn choice(choice: Option<&Value>, parallel: Option<bool>) -> Result<Option<Value>> {
    let mut made = match choice {
        None => None,
        Some(Value::String(word)) => match word.as_str() {
            "required" => Some(json!({"type": "any"})),
            "auto" | "none" => Some(json!({"type": word})),
            other => {
                let message = format!("tool_choice: {other:?} is none of auto, none, required");
                return Err(Error::invalid("ai.chat", message));
            }
        },
        Some(named) => match (named.get("type").and_then(Value::as_str), named.pointer("/function/name")) {
            (Some("function"), Some(name)) => Some(json!({"type": "tool", "name": name})),
            (Some("auto" | "any" | "tool" | "none"), _) => Some(named.clone()),
            _ => {
                return Err(unsupported(
                    "tool_choice: the Messages API knows auto, none, required and a named function",
                ));
            }
        },
    };
    if parallel == Some(false) {
        let choice = made.get_or_insert_with(|| json!({"type": "auto"}));
        if choice["type"] != "none" {
            choice["disable_parallel_tool_use"] = true.into();
        }
    }
    Ok(made)
}

/// A call of the assistant as a block.
pub(super) fn call(at: &str, call: &Value) -> Result<Value> {
    let invalid = |what: &str| Error::invalid("ai.chat", format!("{at}{what}"));
    let Value::Object(fields) = call else { return Err(invalid(": is no object")) };
    let Some(Value::Object(function)) = fields.get("function") else {
        return Err(unsupported(format!(
            "{at}: only calls of functions have a counterpart in the Messages API"
        )));
    };
    let name = function.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| invalid(".function.name: missing; name the function that was called"))?;
    let id = fields.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| invalid(".id: missing; the result of a call is found by it"))?;
    let input = match function.get("arguments") {
        None | Some(Value::Null) => json!({}),
        Some(Value::String(text)) if text.trim().is_empty() => json!({}),
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or(Value::Null),
        Some(other) => other.clone(),
    };
    if !input.is_object() {
        return Err(invalid(
            ".function.arguments: is no JSON object; give the arguments as the model wrote them",
        ));
    }
    let mut block = without(fields, &["id", "type", "function", "index"]);
    block.extend(Map::from_iter([
        ("type".to_owned(), "tool_use".into()),
        ("id".to_owned(), call_id(id).into()),
        ("name".to_owned(), name.into()),
        ("input".to_owned(), input),
    ]));
    Ok(Value::Object(block))
}

/// An id of a call as Anthropic takes it: other providers use characters that it refuses.
pub(super) fn call_id(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' }).collect()
}

/// The fields but these and those that are null.
pub(super) fn without(fields: &Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    let kept = fields.iter().filter(|(name, value)| !value.is_null() && !names.contains(&name.as_str()));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}
