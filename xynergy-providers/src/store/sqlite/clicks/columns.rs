use serde::Serialize;
use serde::de::DeserializeOwned;
use xynergy_core::store::Utm;
use xynergy_core::{Error, ErrorKind};

use crate::store::sqlite::error::Failure;

/// A value as JSON.
pub(super) fn to_json<T: Serialize>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| {
        Failure::Domain(
            Error::new(ErrorKind::Unexpected, "store.write", "a click cannot be written as JSON")
                .with_source(error),
        )
    })
}

/// The UTM parameters as JSON; nothing when there is none.
pub(super) fn utm_to_json(utm: &Utm) -> Result<Option<String>, Failure> {
    if *utm == Utm::default() { Ok(None) } else { to_json(utm).map(Some) }
}

/// A column of JSON.
pub(super) fn from_json<T: DeserializeOwned>(text: Option<String>) -> Result<Option<T>, Failure> {
    let Some(text) = text else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|_| {
        Failure::Domain(Error::new(
            ErrorKind::Corrupt,
            "store.read",
            "a stored click is no JSON that was written here",
        ))
    })
}
