use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::Value;

use super::entry::Metadata;
use crate::error::{Error, Result};

/// Which entries are meant, by their metadata: every field of the filter has to hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetadataFilter(BTreeMap<String, Condition>);

#[derive(Clone, Debug, PartialEq)]
enum Condition {
    Equals(Value),
    OneOf(Vec<Value>),
    Range { min: Option<Value>, max: Option<Value> },
}

impl MetadataFilter {
    /// Reads a filter: of each field a value that it equals (null also where the field is absent), `{"one_of": [...]}`, or
    /// `{"min": ..., "max": ...}`, one or both, both included. Numbers are compared by value and texts by their bytes; what is of another
    /// type is in no range.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) that names the field.
    pub fn parse(operation: &'static str, filter: &Metadata) -> Result<Self> {
        let read = |(field, value): (&String, &Value)| {
            condition(value).map(|condition| (field.clone(), condition)).map_err(|problem| {
                let message = format!(
                    "filter.{field}: {problem}; give a value, {{\"one_of\": [...]}}, or {{\"min\": ..., \"max\": ...}}"
                );
                Error::invalid(operation, message)
            })
        };
        Ok(Self(filter.iter().map(read).collect::<Result<_>>()?))
    }

    /// Whether everything is meant.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an entry with this metadata is meant.
    pub fn matches(&self, metadata: &Metadata) -> bool {
        self.0.iter().all(|(field, condition)| condition.holds(metadata.get(field).unwrap_or(&Value::Null)))
    }
}

impl Condition {
    fn holds(&self, value: &Value) -> bool {
        match self {
            Self::Equals(wanted) => equal(value, wanted),
            Self::OneOf(wanted) => wanted.iter().any(|wanted| equal(value, wanted)),
            Self::Range { min, max } => {
                let within = |bound: &Option<Value>, outside: Ordering| match bound {
                    Some(bound) => compare(value, bound).is_some_and(|order| order != outside),
                    None => true,
                };
                within(min, Ordering::Less) && within(max, Ordering::Greater)
            }
        }
    }
}

fn condition(value: &Value) -> Result<Condition, String> {
    match value {
        Value::Array(_) => Err("a list is no condition".to_owned()),
        Value::Object(parts) => {
            if let Some(unknown) =
                parts.keys().find(|name| !matches!(name.as_str(), "one_of" | "min" | "max"))
            {
                return Err(format!("{unknown:?} is no condition"));
            }
            match (parts.get("one_of"), parts.get("min"), parts.get("max")) {
                (Some(Value::Array(choices)), None, None) if !choices.is_empty() => {
                    choices
                        .iter()
                        .all(|choice| !choice.is_array() && !choice.is_object())
                        .then_some(())
                        .ok_or("one_of takes texts, numbers, booleans and null".to_owned())?;
                    Ok(Condition::OneOf(choices.clone()))
                }
                (None, min, max) if min.or(max).is_some() => {
                    let bounds = [min, max];
                    let bounds = bounds.into_iter().flatten();
                    let (numbers, texts) =
                        bounds.fold((true, true), |(n, t), b| (n && b.is_number(), t && b.is_string()));
                    if !numbers && !texts {
                        return Err("min and max are two numbers or two texts".to_owned());
                    }
                    Ok(Condition::Range { min: min.cloned(), max: max.cloned() })
                }
                _ => Err("the conditions do not go together, or say nothing".to_owned()),
            }
        }
        _ => Ok(Condition::Equals(value.clone())),
    }
}

fn equal(a: &Value, b: &Value) -> bool {
    a == b || compare(a, b) == Some(Ordering::Equal)
}

/// How two numbers or two texts compare; other pairs do not. Integers are compared exactly.
fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Number(a), Value::Number(b)) => match (a.as_i128(), b.as_i128()) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Metadata {
        let Value::Object(map) = value else { panic!("{value} is no object") };
        map
    }

    fn holds(filter: Value, metadata: Value) -> bool {
        MetadataFilter::parse("t", &object(filter)).unwrap().matches(&object(metadata))
    }

    #[test]
    fn every_field_has_to_hold() {
        let ad = json!({"campaign": "7", "roas": 2.5, "clicks": 9_007_199_254_740_993_i64, "video": true});
        for filter in [
            json!({}),
            json!({"campaign": "7"}),
            json!({"roas": {"min": 2.5}, "campaign": "7"}),
            json!({"roas": {"max": 2.5, "min": 0}}),
            json!({"clicks": 9_007_199_254_740_993_i64}),
            json!({"campaign": {"one_of": ["6", "7"]}}),
            json!({"campaign": {"min": "6", "max": "8"}}),
            json!({"absent": null}),
            json!({"video": true}),
        ] {
            assert!(holds(filter.clone(), ad.clone()), "{filter}");
        }
        for filter in [
            json!({"campaign": 7}),
            json!({"campaign": "7", "roas": {"min": 2.6}}),
            json!({"clicks": 9_007_199_254_740_992_i64}),
            json!({"campaign": {"one_of": ["6", 7]}}),
            json!({"campaign": {"min": 0}}),
            json!({"absent": {"max": 5}}),
            json!({"absent": "7"}),
            json!({"video": null}),
        ] {
            assert!(!holds(filter.clone(), ad.clone()), "{filter}");
        }
        assert!(holds(json!({"n": 1}), json!({"n": 1.0})), "numbers are compared by value");
    }

    #[test]
    fn what_is_no_condition_is_named() {
        for bad in [
            json!([1]),
            json!({}),
            json!({"min": true}),
            json!({"min": 1, "max": "2"}),
            json!({"above": 1}),
            json!({"one_of": []}),
            json!({"one_of": [[1]]}),
            json!({"one_of": [1], "min": 1}),
        ] {
            let error = MetadataFilter::parse("t", &object(json!({"roas": bad}))).unwrap_err();
            assert!(error.message().starts_with("filter.roas: "), "{error}");
        }
    }
}
