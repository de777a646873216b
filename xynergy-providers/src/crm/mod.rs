//! CRMs: where deals come from.

pub mod hubspot;
pub mod webhooks;

use xynergy_core::{Error, ErrorKind, Result};

/// Refuses a body of more than `most` bytes, which the configuration's `field` says.
fn within(body: &[u8], field: &'static str, most: u64) -> Result<()> {
    if u64::try_from(body.len()).is_ok_and(|bytes| bytes <= most) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::LimitExceeded,
        "webhook",
        format!("body: {} bytes are more than {field} lets in ({most})", body.len()),
    )
    .with_context("limit", "max_body_bytes"))
}

/// The most events of one delivery; HubSpot sends a hundred at most.
const MOST_EVENTS: usize = 10_000;

/// The elements of a JSON array, without reading more than a delivery may hold.
struct Elements<'a>(Vec<&'a serde_json::value::RawValue>);

impl<'de> serde::Deserialize<'de> for Elements<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Array;

        impl<'de> serde::de::Visitor<'de> for Array {
            type Value = Elements<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an array of events")
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut all: A) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = all.next_element()? {
                    if elements.len() == MOST_EVENTS {
                        return Err(serde::de::Error::custom(TOO_MANY));
                    }
                    elements.push(element);
                }
                Ok(Elements(elements))
            }
        }

        deserializer.deserialize_seq(Array)
    }
}

const TOO_MANY: &str = "too many events";

/// Reads a JSON array of events; `what` is said of a body that is none.
fn elements<'a>(
    body: &'a [u8],
    operation: &'static str,
    what: &str,
) -> Result<Vec<&'a serde_json::value::RawValue>> {
    match serde_json::from_slice::<Elements<'a>>(body) {
        Ok(Elements(elements)) => Ok(elements),
        Err(error) if error.is_data() && error.to_string().starts_with(TOO_MANY) => Err(Error::new(
            ErrorKind::LimitExceeded,
            operation,
            format!("body: holds more than {MOST_EVENTS} events: send fewer at once"),
        )
        .with_context("limit", "events")),
        Err(error) => {
            let place = format!("line {}, column {}", error.line(), error.column());
            Err(Error::invalid(operation, format!("body: is {what} ({place})")))
        }
    }
}
