//! What stands for something else in a case: `$name`, `$merge`, `$join`, `$repeat` and `$integer`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The file's values and what earlier steps saved.
pub(super) type Names = BTreeMap<String, Value>;

/// `over` laid over `under`: objects key by key, everything else as a whole.
pub(crate) fn merge(under: &Value, over: &Value) -> Value {
    match (under, over) {
        (under, Value::Null) => under.clone(),
        (Value::Object(under), Value::Object(over)) => {
            let mut merged = under.clone();
            for (name, value) in over {
                let laid = merged.get(name).map_or_else(|| value.clone(), |below| laid_over(below, value));
                merged.insert(name.clone(), laid);
            }
            Value::Object(merged)
        }
        _ => over.clone(),
    }
}

/// Within an object null is a value like any other: it replaces.
fn laid_over(under: &Value, over: &Value) -> Value {
    if over.is_null() { Value::Null } else { merge(under, over) }
}

/// The value with everything replaced that stands for something else.
pub(super) fn resolve(value: &Value, names: &Names) -> Result<Value, String> {
    match value {
        Value::String(text) => match name_of(text) {
            None => Ok(value.clone()),
            Some(name) => match names.get(name) {
                Some(found) => resolve(found, names),
                None => Err(format!("{text} is neither a value of the file nor saved")),
            },
        },
        Value::Array(items) => items.iter().map(|item| resolve(item, names)).collect(),
        Value::Object(object) => special(object, names)?.map_or_else(
            || object.iter().map(|(key, value)| Ok((key.clone(), resolve(value, names)?))).collect(),
            Ok,
        ),
        other => Ok(other.clone()),
    }
}

/// A whole string of a dollar and a name in small letters.
fn name_of(text: &str) -> Option<&str> {
    let name = text.strip_prefix('$')?;
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    (!name.is_empty() && name.bytes().all(plain)).then_some(name)
}

fn special(object: &Map<String, Value>, names: &Names) -> Result<Option<Value>, String> {
    let Some((key, value)) = object.iter().next().filter(|_| object.len() == 1) else { return Ok(None) };
    match (key.as_str(), value) {
        ("$merge", Value::Array(parts)) => {
            let mut merged = Value::Null;
            for part in parts {
                merged = merge(&merged, &resolve(part, names)?);
            }
            Ok(Some(merged))
        }
        ("$join", Value::Array(parts)) => {
            let mut joined = String::new();
            for part in parts {
                let part = resolve(part, names)?;
                joined += part.as_str().ok_or("$join: give texts")?;
            }
            Ok(Some(joined.into()))
        }
        ("$repeat", Value::Array(parts)) => {
            let text = parts.first().and_then(Value::as_str).ok_or("$repeat: give [text, times]")?;
            let times = parts.get(1).and_then(Value::as_u64).ok_or("$repeat: give [text, times]")?;
            Ok(Some(text.repeat(usize::try_from(times).unwrap_or(0)).into()))
        }
        ("$integer", Value::String(digits)) => {
            serde_json::from_str(digits).map(Some).map_err(|e| format!("$integer: {e}"))
        }
        _ => Ok(None),
    }
}
