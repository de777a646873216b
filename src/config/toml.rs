//! A TOML file as the value that a host would have given, so that no type has to be read from both.

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use xynergy_core::json::{self, Step};
use xynergy_core::{Error, ErrorKind, Result};

use super::{Config, VERSION};

/// Reads the whole; what is wrong is told in one line with the line's number.
pub(super) fn read(text: &str) -> Result<Config> {
    let table =
        DeTable::parse(text).map_err(|e| at(text, e.span().map_or(0, |span| span.start), e.message()))?;
    // First, so that a file of another version is told so and not which keys it has.
    let version = table.get_ref().get("version").map(|version| value_of(text, version)).transpose()?;
    match version.as_ref().map(Value::as_u64) {
        Some(Some(version)) if version == u64::from(VERSION) => {}
        Some(Some(version)) => {
            return Err(wrong(format!(
                "version: {version} is not one that this library reads (it reads {VERSION}): upgrade the library"
            )));
        }
        Some(None) => return Err(wrong(format!("version: it is not a number; give `version = {VERSION}`"))),
        None => {
            return Err(wrong(format!("version: missing; begin the file with `version = {VERSION}`")));
        }
    }
    json::read(&object_of(text, table.get_ref())?.to_string())
        .map_err(|why| at(text, start_of(table.get_ref(), &why.path), &why.to_string()))
}

fn object_of(text: &str, table: &DeTable<'_>) -> Result<Value> {
    table
        .iter()
        .map(|(key, value)| Ok((key.get_ref().to_string(), value_of(text, value)?)))
        .collect::<Result<_>>()
        .map(Value::Object)
}

fn value_of(text: &str, value: &Spanned<DeValue<'_>>) -> Result<Value> {
    let refused = |problem: &str| at(text, value.span().start, problem);
    Ok(match value.get_ref() {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Boolean(is) => Value::Bool(*is),
        DeValue::Datetime(time) => Value::String(time.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => number.into(),
            Err(_) => u64::from_str_radix(number.as_str(), number.radix())
                .map_err(|_| refused(&format!("{number} does not fit 64 bits")))?
                .into(),
        },
        DeValue::Float(number) => number
            .as_str()
            .parse()
            .ok()
            .and_then(serde_json::Number::from_f64)
            .map(Value::Number)
            .ok_or_else(|| refused(&format!("{number} is not a finite number")))?,
        DeValue::Array(values) => {
            values.iter().map(|value| value_of(text, value)).collect::<Result<_>>().map(Value::Array)?
        }
        DeValue::Table(table) => object_of(text, table)?,
    })
}

/// Where in the text the path leads, as far as it does.
fn start_of(table: &DeTable<'_>, path: &[Step]) -> usize {
    let mut start = 0;
    let mut inside: Option<&DeValue<'_>> = None;
    for step in path {
        let next = match (step, inside) {
            (Step::Key(key), None) => table.get_key_value(key.as_str()),
            (Step::Key(key), Some(DeValue::Table(table))) => table.get_key_value(key.as_str()),
            (Step::Index(index), Some(DeValue::Array(values))) => {
                let Some(value) = values.get(*index) else { break };
                start = value.span().start;
                inside = Some(value.get_ref());
                continue;
            }
            _ => None,
        };
        let Some((key, value)) = next else { break };
        start = key.span().start;
        inside = Some(value.get_ref());
    }
    start
}

fn wrong(message: String) -> Error {
    Error::new(ErrorKind::ConfigInvalid, "config", message)
}

/// One line of an error: where, and what.
fn at(text: &str, start: usize, problem: &str) -> Error {
    let line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
    wrong(format!("line {line}: {}", problem.replace('\n', " ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        Config::from_toml(text).unwrap_err().message().to_owned()
    }

    #[test]
    fn the_line_is_that_of_what_is_wrong() {
        for (text, said) in [
            ("version = 1\n\n[aii]\n", "line 3: aii: unknown field `aii`"),
            ("version = 1\n[store]\ntype = 5\n", "line 3: store.type: invalid type: integer `5`"),
            ("version = 1\nstore = 5 =\n", "line 2: "),
            ("version = 99999999999999999999\n", "line 1: 99999999999999999999 does not fit 64 bits"),
            ("version = nan", "line 1: nan is not a finite number"),
            ("version = \"1\"", "version: it is not a number; give `version = 1`"),
        ] {
            assert!(told(text).starts_with(said), "{text:?}: {}", told(text));
        }
    }

    #[cfg(feature = "ai")]
    #[test]
    fn what_is_deep_has_its_own_line() {
        let text = "version = 1\n[ai.cache]\nenabled = true\nttl_secs = 5\n";
        assert!(
            told(text).starts_with("line 4: ai.cache.ttl_secs: unknown field `ttl_secs`"),
            "{}",
            told(text)
        );
        let text = "version = 1\n[ai.order]\nsimple = [\n  \"a\",\n  5,\n]\n";
        assert!(told(text).starts_with("line 5: ai.order.simple[1]: invalid type"), "{}", told(text));
    }

    #[test]
    fn every_kind_of_value_becomes_what_a_host_would_give() {
        let text = "a = 'x'\nb = 0x10\nc = 1_000.5\nd = true\ne = 1979-05-27\nf = [1, {g = 18_446_744_073_709_551_615}]\n";
        let table = DeTable::parse(text).unwrap();
        assert_eq!(
            object_of(text, table.get_ref()).unwrap(),
            serde_json::json!({
                "a": "x", "b": 16, "c": 1000.5, "d": true, "e": "1979-05-27", "f": [1, {"g": u64::MAX}]
            })
        );
    }
}
