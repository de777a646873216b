//! Reading what providers send where OpenAI would send something else: null, nothing, another type.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::Usage;

/// Names that some providers send as numbers or null.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Value::deserialize(deserializer).map(text_of)
}

/// The text of a name.
pub(super) fn text_of(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// A word of an open list: some providers send `""` until there is one.
pub(super) fn name<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: From<String>,
{
    let name = text(deserializer)?;
    Ok(Some(name).filter(|name| !name.is_empty()).map(T::from))
}

/// Words, if they are words.
pub(super) fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(text),
        _ => None,
    })
}

/// Some providers send `null` where others leave the list away.
pub(super) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    null_is_default(deserializer)
}

/// `null` as if it were absent.
pub(super) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// The number of a choice; the first one's where it is none.
pub(super) fn index<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    Ok(index_of(Some(&Value::deserialize(deserializer)?)))
}

/// The same of a value.
pub(super) fn index_of(value: Option<&Value>) -> u32 {
    value.and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok()).unwrap_or(0)
}

/// A count of tokens: some providers send fractions, null, or less than nothing.
pub(super) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Ok(count_of(&Value::deserialize(deserializer)?))
}

/// The same of a value.
pub(super) fn count_of(value: &Value) -> u64 {
    let fraction = || value.as_f64().filter(|count| count.is_finite() && *count > 0.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Positive and finite; `as` saturates.
    value.as_u64().or_else(|| fraction().map(|count| count.ceil() as u64)).unwrap_or(0)
}

/// Usage that cannot be read or says nothing is no usage: it must not spoil the answer.
pub(super) fn usage<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Usage>, D::Error> {
    let value = Option::<Value>::deserialize(deserializer)?;
    Ok(value.and_then(|value| serde_json::from_value(value).ok()).filter(Usage::is_known))
}
