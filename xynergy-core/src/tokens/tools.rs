use serde_json::{Map, Value};

use crate::provider::ChatRequest;

/// Beside the text of the declarations: what opens the message that holds them.
pub(super) const DECLARED: u64 = 9;
/// What is saved where a system message is there already for the declarations to join.
pub(super) const JOINED: u64 = 4;
/// Deeper than any schema is meant to be; a schema that refers to itself ends here.
const DEPTH: usize = 16;

/// The functions of a request, by `tools` or by the older `functions`.
pub(super) fn functions(request: &ChatRequest) -> Vec<&Value> {
    let older = request.extra.get("functions").and_then(Value::as_array);
    let newer = request.tools.iter().filter_map(|tool| tool.get("function"));
    newer.chain(older.into_iter().flatten()).collect()
}

/// What `tool_choice`, or the older `function_call`, adds: the name of a function that must be called, with what frames it.
pub(super) fn choice(request: &ChatRequest) -> Option<&str> {
    let choice = request.extra.get("tool_choice").or_else(|| request.extra.get("function_call"))?;
    choice.pointer("/function/name").or_else(|| choice.get("name"))?.as_str()
}

/// Functions as OpenAI's models see them: declarations in a language like TypeScript, not the JSON that was sent.
pub(super) fn declared(functions: &[&Value]) -> String {
    let mut lines = vec!["namespace functions {".to_owned(), String::new()];
    for function in functions {
        let text = |key: &str| function.get(key).and_then(Value::as_str).unwrap_or_default();
        comment(text("description"), "", &mut lines);
        let nothing = Value::Null;
        let schema = function.get("parameters").unwrap_or(&nothing);
        let name = text("name");
        if properties_of(schema).is_some_and(|properties| !properties.is_empty()) {
            lines.push(format!("type {name} = (_: {{"));
            properties(schema, schema, 0, DEPTH, &mut lines);
            lines.push("}) => any;".to_owned());
        } else {
            lines.push(format!("type {name} = () => any;"));
        }
        lines.push(String::new());
    }
    lines.push("} // namespace functions".to_owned());
    lines.join("\n")
}

/// Recorded counts are met best where runs of white space in a description are one space.
fn comment(description: &str, indent: &str, lines: &mut Vec<String>) {
    let words: Vec<&str> = description.split_whitespace().collect();
    if !words.is_empty() {
        lines.push(format!("{indent}// {}", words.join(" ")));
    }
}

fn properties_of(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties").and_then(Value::as_object)
}

fn properties(root: &Value, schema: &Value, indent: usize, depth: usize, lines: &mut Vec<String>) {
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let space = " ".repeat(indent);
    for (name, property) in properties_of(schema).into_iter().flatten() {
        comment(property.get("description").and_then(Value::as_str).unwrap_or_default(), &space, lines);
        let mark = if required.contains(&name.as_str()) { "" } else { "?" };
        lines.push(format!("{space}{name}{mark}: {},", type_of(root, property, indent, depth)));
    }
}

fn type_of(root: &Value, schema: &Value, indent: usize, depth: usize) -> String {
    let Some(depth) = depth.checked_sub(1) else { return "any".to_owned() };
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let found = target.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return found.map_or_else(|| "any".to_owned(), |found| type_of(root, found, indent, depth));
    }
    let list = |key: &str| schema.get(key).and_then(Value::as_array);
    if let Some(values) = list("enum") {
        return values.iter().map(Value::to_string).collect::<Vec<_>>().join(" | ");
    }
    if let Some(either) = list("anyOf").or_else(|| list("oneOf")) {
        return either.iter().map(|one| type_of(root, one, indent, depth)).collect::<Vec<_>>().join(" | ");
    }
    match schema.get("type") {
        Some(Value::Array(types)) => types.iter().map(named).collect::<Vec<_>>().join(" | "),
        Some(Value::String(name)) if name == "array" => match schema.get("items") {
            Some(items) => format!("{}[]", type_of(root, items, indent, depth)),
            None => "any[]".to_owned(),
        },
        Some(Value::String(name)) if name == "object" => {
            let mut lines = vec!["{".to_owned()];
            properties(root, schema, indent + 2, depth, &mut lines);
            lines.push("}".to_owned());
            lines.join("\n")
        }
        Some(name) => named(name),
        None => "any".to_owned(),
    }
}

fn named(name: &Value) -> String {
    match name.as_str() {
        Some("integer") => "number".to_owned(),
        Some(name) => name.to_owned(),
        None => "any".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_becomes_declarations() {
        let function = json!({"name": "weather", "description": "The\n  weather", "parameters": {
            "type": "object", "required": ["city"], "$defs": {"Day": {"type": "object", "properties": {"n": {"type": "integer"}}}},
            "properties": {
                "city": {"type": "string", "description": "Where"},
                "unit": {"type": "string", "enum": ["c", "f"]},
                "days": {"type": "array", "items": {"$ref": "#/$defs/Day"}}
            }
        }});
        let declared = declared(&[&function, &json!({"name": "now"})]);
        for line in [
            "namespace functions {",
            "// The weather",
            "type weather = (_: {",
            "// Where",
            "city: string,",
            "unit?: \"c\" | \"f\",",
            "days?: {",
            "  n?: number,",
            "}[],",
            "}) => any;",
            "type now = () => any;",
            "} // namespace functions",
        ] {
            assert!(declared.lines().any(|found| found == line), "{line:?} in\n{declared}");
        }
    }

    #[test]
    fn a_schema_that_holds_itself_ends() {
        let schema = json!({"type": "object", "properties": {"child": {"$ref": "#"}, "twin": {"$ref": "#"}}});
        let one = json!({"type": "object", "properties": {"child": {"$ref": "#"}}});
        assert!(declared(&[&json!({"name": "tree", "parameters": one})]).len() < 10_000);
        assert!(declared(&[&json!({"name": "tree", "parameters": schema})]).len() < 10_000_000);
    }
}
