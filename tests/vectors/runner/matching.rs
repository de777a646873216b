//! Whether a value is what was expected. `README.md` specifies the matchers, `matchers.json` holds every runner to them.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// How `value` differs from `expected`, with the place; nothing when it matches.
pub(crate) fn mismatch(expected: &Value, value: &Value, at: &str) -> Option<String> {
    let differs = || Some(format!("{}expected {expected}, found {value}", place(at)));
    match (expected, value) {
        (Value::Object(wanted), _) if is_matcher(wanted) => matcher(wanted, value, at),
        (Value::Object(wanted), Value::Object(found)) => {
            if let Some(extra) = found.keys().find(|key| !wanted.contains_key(*key)) {
                return Some(format!("{}{extra:?} should not be there: {}", place(at), found[extra]));
            }
            fields(wanted, found, at)
        }
        (Value::Array(wanted), Value::Array(found)) => {
            if wanted.len() != found.len() {
                return Some(format!(
                    "{}expected {} items, found {}: {value}",
                    place(at),
                    wanted.len(),
                    found.len()
                ));
            }
            let mut pairs = wanted.iter().zip(found).enumerate();
            pairs.find_map(|(index, (wanted, found))| mismatch(wanted, found, &format!("{at}/{index}")))
        }
        (Value::Number(wanted), Value::Number(found)) => {
            if wanted == found || wanted.as_f64() == found.as_f64() && (wanted.is_f64() || found.is_f64()) {
                None
            } else {
                differs()
            }
        }
        (wanted, found) if wanted == found => None,
        _ => differs(),
    }
}

fn place(at: &str) -> String {
    if at.is_empty() { String::new() } else { format!("{at}: ") }
}

fn fields(wanted: &Map<String, Value>, found: &Map<String, Value>, at: &str) -> Option<String> {
    wanted.iter().find_map(|(key, wanted)| match found.get(key) {
        Some(found) => mismatch(wanted, found, &format!("{at}/{key}")),
        None => Some(format!("{}{key:?} is missing, expected {wanted}", place(at))),
    })
}

fn is_matcher(wanted: &Map<String, Value>) -> bool {
    wanted.len() == 1 && wanted.keys().all(|key| key.starts_with('$'))
}

fn matcher(wanted: &Map<String, Value>, value: &Value, at: &str) -> Option<String> {
    let (name, argument) = wanted.iter().next()?;
    let matches = match (name.as_str(), argument, value) {
        ("$any", Value::String(kind), value) => is_of(kind, value),
        ("$contains", Value::String(part), Value::String(text)) => text.contains(part.as_str()),
        ("$contains", Value::Array(parts), Value::String(text)) => {
            parts.iter().all(|part| part.as_str().is_some_and(|part| text.contains(part)))
        }
        ("$approx", Value::Array(pair), Value::Number(number)) => {
            let parts: Vec<f64> = pair.iter().filter_map(Value::as_f64).collect();
            matches!((parts.as_slice(), number.as_f64()), ([middle, within], Some(n)) if (n - middle).abs() <= *within)
        }
        ("$length", Value::Number(length), value) => {
            let found = match value {
                Value::String(text) => Some(text.chars().count()),
                Value::Array(items) => Some(items.len()),
                Value::Object(object) => Some(object.len()),
                _ => None,
            };
            found.map(|n| n as u64) == length.as_u64() && found.is_some()
        }
        ("$bytes", Value::String(digest), value) => {
            let found = sha256(value);
            if found == *digest {
                return None;
            }
            return Some(format!(
                "{}the bytes have the SHA-256 {found}, expected {digest}: {value}",
                place(at)
            ));
        }
        ("$partial", Value::Object(wanted), Value::Object(found)) => return fields(wanted, found, at),
        ("$one_of", Value::Array(choices), value) => {
            choices.iter().any(|choice| mismatch(choice, value, at).is_none())
        }
        ("$any" | "$contains" | "$approx" | "$length" | "$bytes" | "$partial" | "$one_of", _, _) => false,
        _ => return Some(format!("{}{name} is no matcher", place(at))),
    };
    (!matches).then(|| format!("{}expected {}, found {value}", place(at), Value::Object(wanted.clone())))
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "any" => true,
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "time" => {
            value.as_str().is_some_and(|text| text.len() >= 20 && text.contains('T') && text.ends_with('Z'))
        }
        _ => false,
    }
}

/// Of the canonical JSON: keys sorted, no spaces, a line break at the end.
fn sha256(value: &Value) -> String {
    let digest = Sha256::digest(format!("{value}\n"));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
