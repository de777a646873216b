//! Answers out of JSON values, by hand: serde reads a struct with a flattened map by way of a copy of every field, which took as long
//! as reading the JSON did. What is read is the same, and so is what is refused.

use serde::de::Error as _;
use serde_json::{Error, Map, Value, from_value};

use super::{ChatChunk, ChatResponse, Choice, ChunkChoice, Content, Delta, Message, Role, Usage, lenient};

type Fields = Map<String, Value>;

impl ChatResponse {
    /// Reads an answer as its `Deserialize` does, in less time.
    ///
    /// # Errors
    /// What is not one.
    pub fn of_value(value: Value) -> Result<Self, Error> {
        let mut fields = object(value, "a chat completion")?;
        Ok(Self {
            id: text(&mut fields, "id"),
            model: text(&mut fields, "model"),
            choices: each(fields.remove("choices").unwrap_or_default(), Choice::of_value)?,
            usage: fields.remove("usage").and_then(usage),
            outcome: fields.remove("outcome").map(from_value).transpose()?.unwrap_or_default(),
            report: fields.remove("xynergy").map(from_value).transpose()?.unwrap_or_default(),
            extra: fields,
        })
    }
}

impl ChatChunk {
    /// Reads a piece as its `Deserialize` does, in less time.
    ///
    /// # Errors
    /// What is not one.
    pub fn of_value(value: Value) -> Result<Self, Error> {
        let mut fields = object(value, "a chunk")?;
        Ok(Self {
            id: text(&mut fields, "id"),
            model: text(&mut fields, "model"),
            choices: each(fields.remove("choices").unwrap_or_default(), ChunkChoice::of_value)?,
            usage: fields.remove("usage").and_then(usage),
            outcome: known(&mut fields, "outcome").map(from_value).transpose()?,
            report: known(&mut fields, "xynergy").map(from_value).transpose()?,
            extra: fields,
        })
    }
}

impl Choice {
    fn of_value(value: Value) -> Result<Self, Error> {
        let mut fields = object(value, "a choice")?;
        Ok(Self {
            index: lenient::index_of(fields.remove("index").as_ref()),
            message: match known(&mut fields, "message") {
                None => Message::silent(),
                Some(message) => Message::of_value(message)?,
            },
            finish_reason: name(&mut fields, "finish_reason"),
            extra: fields,
        })
    }
}

impl ChunkChoice {
    fn of_value(value: Value) -> Result<Self, Error> {
        let mut fields = object(value, "a choice")?;
        Ok(Self {
            index: lenient::index_of(fields.remove("index").as_ref()),
            delta: match known(&mut fields, "delta") {
                None => Delta::default(),
                Some(delta) => Delta::of_value(delta)?,
            },
            finish_reason: name(&mut fields, "finish_reason"),
            extra: fields,
        })
    }
}

impl Message {
    fn of_value(value: Value) -> Result<Self, Error> {
        let mut fields = object(value, "a message")?;
        Ok(Self {
            role: name(&mut fields, "role").unwrap_or(Role::Assistant),
            content: content(&mut fields)?,
            refusal: words(&mut fields, "refusal"),
            tool_calls: each(fields.remove("tool_calls").unwrap_or_default(), Ok)?,
            extra: fields,
        })
    }
}

impl Delta {
    fn of_value(value: Value) -> Result<Self, Error> {
        let mut fields = object(value, "a delta")?;
        Ok(Self {
            role: name(&mut fields, "role"),
            content: content(&mut fields)?,
            refusal: words(&mut fields, "refusal"),
            tool_calls: each(fields.remove("tool_calls").unwrap_or_default(), Ok)?,
            extra: fields,
        })
    }
}

impl Usage {
    fn of_fields(mut fields: Fields) -> Self {
        let mut count = |name| fields.remove(name).as_ref().map_or(0, lenient::count_of);
        Self {
            prompt_tokens: count("prompt_tokens"),
            completion_tokens: count("completion_tokens"),
            total_tokens: count("total_tokens"),
            extra: fields,
        }
    }
}

fn object(value: Value, what: &str) -> Result<Fields, Error> {
    match value {
        Value::Object(fields) => Ok(fields),
        _ => Err(Error::custom(format_args!("{what} is no object"))),
    }
}

/// A field that is there and not null.
fn known(fields: &mut Fields, name: &str) -> Option<Value> {
    fields.remove(name).filter(|value| !value.is_null())
}

fn text(fields: &mut Fields, name: &str) -> String {
    fields.remove(name).map(lenient::text_of).unwrap_or_default()
}

fn name<T: From<String>>(fields: &mut Fields, name: &str) -> Option<T> {
    Some(text(fields, name)).filter(|name| !name.is_empty()).map(T::from)
}

fn words(fields: &mut Fields, name: &str) -> Option<String> {
    match fields.remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// `null` is as good as an empty list.
fn each<T>(list: Value, of: impl Fn(Value) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    match list {
        Value::Array(values) => values.into_iter().map(of).collect(),
        Value::Null => Ok(Vec::new()),
        _ => Err(Error::custom("a list is none")),
    }
}

fn content(fields: &mut Fields) -> Result<Option<Content>, Error> {
    match fields.remove("content") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(Content::Text(text))),
        Some(other) => from_value(other).map(Some),
    }
}

/// Usage that cannot be read or says nothing is no usage.
fn usage(value: Value) -> Option<Usage> {
    let Value::Object(fields) = value else { return None };
    Some(Usage::of_fields(fields)).filter(Usage::is_known)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Anything that a field may hold where something else is expected.
    fn odd() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            Just(json!(true)),
            Just(json!(7)),
            Just(json!(-1)),
            Just(json!(2.5)),
            Just(json!("")),
            Just(json!("stop")),
            Just(json!([])),
            Just(json!({})),
            Just(json!([{"type": "text", "text": "é"}, 3])),
            Just(json!({"a": {"b": [1]}})),
        ]
    }

    fn of(
        names: &'static [&'static str],
        right: impl Strategy<Value = Value> + Clone + 'static,
    ) -> impl Strategy<Value = Value> + Clone {
        let field = (proptest::sample::select(names), prop_oneof![3 => right, 1 => odd()].boxed());
        let object = proptest::collection::vec(field, 0..7);
        let object = object.prop_map(|fields| {
            fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Value>()
        });
        object.boxed()
    }

    fn answer(part: &'static str) -> impl Strategy<Value = Value> {
        let words = prop_oneof![
            Just(json!("assistant")),
            Just(json!("x")),
            Just(json!([{"type": "text", "text": "é"}]))
        ];
        let inner: &[&str] = &["role", "content", "refusal", "tool_calls", "reasoning", "a"];
        let message = prop_oneof![of(inner, words.boxed()), odd()].boxed();
        let outer: &'static [&'static str] = match part {
            "message" => &["index", "message", "finish_reason", "logprobs"],
            _ => &["index", "delta", "finish_reason", "logprobs"],
        };
        let choices = proptest::collection::vec(of(outer, message), 0..3).prop_map(Value::from);
        let counts = of(
            &["prompt_tokens", "completion_tokens", "total_tokens", "b"],
            (0_u64..9).prop_map(Value::from).boxed(),
        );
        let field = prop_oneof![choices, counts, odd()].boxed();
        of(&["id", "model", "choices", "usage", "outcome", "xynergy", "created"], field)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn an_answer_is_read_as_by_serde(value in answer("message")) {
            let by_serde = from_value::<ChatResponse>(value.clone());
            let here = ChatResponse::of_value(value);
            prop_assert_eq!(here.as_ref().ok(), by_serde.as_ref().ok(), "{:?} {:?}", here, by_serde);
        }

        #[test]
        fn a_piece_is_read_as_by_serde(value in answer("delta")) {
            let by_serde = from_value::<ChatChunk>(value.clone());
            let here = ChatChunk::of_value(value);
            prop_assert_eq!(here.as_ref().ok(), by_serde.as_ref().ok(), "{:?} {:?}", here, by_serde);
        }
    }
}
