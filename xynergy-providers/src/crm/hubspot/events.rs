use std::collections::BTreeMap;
use std::fmt;

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use xynergy_core::crm::{CrmEvent, StageChange};
use xynergy_core::store::KeyedHash;
use xynergy_core::{Error, Result, Timestamp};

/// The last millisecond of the year 9999 that a stored time can show.
const LAST_MILLISECOND: i64 = 253_402_207_200_000;

/// HubSpot's id of the type of deals.
const DEALS: &str = "0-3";

/// The events of a webhook's body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventBatch {
    /// Those that could be read, in their order.
    pub events: Vec<CrmEvent>,
    /// The others.
    pub problems: Vec<EventProblem>,
}

/// Why one element of a body is no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventProblem {
    /// Its place in the array, from 0.
    pub index: usize,
    /// The field and what is wrong with it.
    pub problem: String,
}

impl fmt::Display for EventProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event {}: {}", self.index, self.problem)
    }
}

/// Reads a webhook's body: a JSON array of events. Elements that are no event are told apart and do not spoil the rest.
///
/// A deal's move to a stage arrives as `deal.propertyChange` or as `object.propertyChange` of type `0-3`, of the
/// property `dealstage`; every other event is kept without a stage change.
///
/// # Errors
/// [`InvalidInput`](xynergy_core::ErrorKind::InvalidInput) when the body is no JSON array.
pub fn parse_events(body: &[u8]) -> Result<EventBatch> {
    let elements: Vec<&RawValue> = serde_json::from_slice(body).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        Error::invalid("hubspot.accept", format!("body: is not a JSON array of events ({place})"))
    })?;
    let mut batch = EventBatch::default();
    for (index, element) in elements.into_iter().enumerate() {
        match event(element) {
            Ok(event) => batch.events.push(event),
            Err(problem) => batch.problems.push(EventProblem { index, problem }),
        }
    }
    Ok(batch)
}

fn event(element: &RawValue) -> Result<CrmEvent, String> {
    let fields: Fields<'_> =
        serde_json::from_str(element.get()).map(Fields).map_err(|_| "is not a JSON object".to_owned())?;
    // An account of its own sends no other's events: without a portal the rest tells them apart.
    let portal = fields.text("portalId")?.map(|_| fields.id("portalId")).transpose()?;
    let subscription = fields.text("subscriptionType")?.ok_or("subscriptionType: is missing")?;
    let object_type = fields.text("objectTypeId")?;
    let object = fields.id("objectId")?;
    let event_id = fields.id("eventId")?;
    let occurred_at = fields.time("occurredAt")?;
    let property = fields.text("propertyName")?;
    let value = fields.text("propertyValue")?;
    let key = key_of(&[
        portal.as_deref(),
        Some(&subscription),
        object_type.as_deref(),
        Some(&object),
        property.as_deref(),
        Some(&event_id),
        Some(&occurred_at.millis().to_string()),
        value.as_deref(),
    ]);
    let of_deal = subscription == "deal.propertyChange"
        || (subscription == "object.propertyChange" && object_type.as_deref() == Some(DEALS));
    let stage_change = (of_deal && property.as_deref() == Some("dealstage"))
        .then_some(value)
        .flatten()
        .map(|stage| StageChange { deal_id: object, stage });
    let raw = serde_json::to_string(&fields.0).map_err(|_| "cannot be written again as JSON".to_owned())?;
    Ok(CrmEvent { key, occurred_at, event_id, stage_change, raw })
}

/// The hash of what happened, each part preceded by its length. The number of the delivery attempt is no part of it.
fn key_of(parts: &[Option<&str>]) -> KeyedHash {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update([u8::from(part.is_some())]);
        let bytes = part.unwrap_or_default().as_bytes();
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    }
    let [cut @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _]: [u8; 32] = hash.finalize().into();
    KeyedHash::from_bytes(cut)
}

/// An event's fields with their values as they were written: ids are longer than a floating-point number can hold.
struct Fields<'a>(BTreeMap<String, &'a RawValue>);

impl Fields<'_> {
    /// A text, or any other value as it was written; `None` when it is missing or null.
    fn text(&self, name: &str) -> Result<Option<String>, String> {
        match self.0.get(name).map(|value| value.get()) {
            None | Some("null") => Ok(None),
            Some(written) if written.starts_with('"') => {
                serde_json::from_str(written).map(Some).map_err(|_| format!("{name}: is not valid text"))
            }
            Some(written) => Ok(Some(written.to_owned())),
        }
    }

    /// An id: a whole number of any length, its leading zeros dropped, or a text.
    fn id(&self, name: &str) -> Result<String, String> {
        let text =
            self.text(name)?.filter(|text| !text.is_empty()).ok_or_else(|| format!("{name}: is missing"))?;
        let quoted = self.0.get(name).is_some_and(|value| value.get().starts_with('"'));
        if is_whole(&text) {
            let digits = text.trim_start_matches('0');
            return Ok(if digits.is_empty() { "0".to_owned() } else { digits.to_owned() });
        }
        if quoted { Ok(text) } else { Err(format!("{name}: is not a whole number")) }
    }

    fn time(&self, name: &str) -> Result<Timestamp, String> {
        let text = self.text(name)?.ok_or_else(|| format!("{name}: is missing"))?;
        let milliseconds = is_whole(&text).then(|| text.parse().ok()).flatten();
        milliseconds
            .filter(|ms| *ms < LAST_MILLISECOND)
            .map(Timestamp::from_millis)
            .ok_or_else(|| format!("{name}: is not a time in milliseconds since 1970"))
    }
}

fn is_whole(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}
