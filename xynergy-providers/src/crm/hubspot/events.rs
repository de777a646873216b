use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn sample() -> Value {
        json!({
            "eventId": 2_374_059_888_u64, "subscriptionId": 2_870_033, "portalId": 48_201_177, "appId": 1_190_451,
            "occurredAt": 1_772_367_797_588_i64, "subscriptionType": "deal.propertyChange", "attemptNumber": 0,
            "objectId": 17_845_001_517_u64, "propertyName": "dealstage", "propertyValue": "closedwon",
            "changeSource": "CRM_UI"
        })
    }

    fn with(field: &str, value: Value) -> Value {
        let mut event = sample();
        event[field] = value;
        event
    }

    fn read(event: &Value) -> Result<CrmEvent, String> {
        let mut batch = parse_events(json!([event]).to_string().as_bytes()).unwrap();
        match batch.problems.pop() {
            Some(problem) => Err(problem.problem),
            None => Ok(batch.events.pop().unwrap()),
        }
    }

    fn stage(event: &Value) -> Option<String> {
        read(event).unwrap().stage_change.map(|change| change.stage)
    }

    #[test]
    fn reads_a_move_of_a_deal() {
        let event = read(&sample()).unwrap();
        let change = StageChange { deal_id: "17845001517".into(), stage: "closedwon".into() };
        assert_eq!(event.stage_change, Some(change));
        assert_eq!(event.occurred_at, Timestamp::from_millis(1_772_367_797_588));
        assert_eq!(event.event_id, "2374059888");
        assert_eq!(serde_json::from_str::<Value>(&event.raw).unwrap(), sample(), "unknown fields are kept");
    }

    #[test]
    fn only_stages_of_deals_are_stage_changes() {
        let mut object = with("subscriptionType", json!("object.propertyChange"));
        assert_eq!(stage(&object), None, "an object of no type is no deal");
        object["objectTypeId"] = json!("0-3");
        assert_eq!(stage(&object).as_deref(), Some("closedwon"));
        object["objectTypeId"] = json!("0-1");
        assert_eq!(stage(&object), None);
        for (field, value) in [
            ("propertyName", json!("amount")),
            ("propertyName", Value::Null),
            ("propertyValue", Value::Null),
            ("subscriptionType", json!("deal.creation")),
            ("subscriptionType", json!("contact.propertyChange")),
        ] {
            assert_eq!(stage(&with(field, value.clone())), None, "{field}: {value}");
        }
    }

    #[test]
    fn ids_are_integers_of_any_length() {
        let long = "[{\"eventId\":123456789012345678901234567890,\"portalId\":\"7\",\"occurredAt\":\"5\",
            \"subscriptionType\":\"deal.propertyChange\",\"objectId\":9007199254740993,\"propertyName\":\"dealstage\",
            \"propertyValue\":\"x\",\"later\":12345678901234567890123}]";
        let event = parse_events(long.as_bytes()).unwrap().events.pop().unwrap();
        assert_eq!(event.event_id, "123456789012345678901234567890");
        assert_eq!(event.stage_change.unwrap().deal_id, "9007199254740993");
        assert!(event.raw.contains("\"later\":12345678901234567890123"), "{}", event.raw);
        let text = read(&with("eventId", json!("02374059888"))).unwrap();
        assert_eq!(text.key, read(&sample()).unwrap().key, "a text of digits is the integer");
    }

    #[test]
    fn the_same_event_has_the_same_key() {
        let key = |event: &Value| read(event).unwrap().key;
        for field in ["attemptNumber", "subscriptionId", "appId", "changeSource"] {
            assert_eq!(key(&with(field, json!(9))), key(&sample()), "{field} is of the delivery");
        }
        for field in [
            "portalId",
            "subscriptionType",
            "objectTypeId",
            "objectId",
            "propertyName",
            "eventId",
            "occurredAt",
            "propertyValue",
        ] {
            assert_ne!(key(&with(field, json!("1"))), key(&sample()), "{field}");
        }
        assert_ne!(key(&with("propertyValue", json!(""))), key(&with("propertyValue", Value::Null)));
    }

    #[test]
    fn a_bad_event_does_not_spoil_the_others() {
        let body =
            json!([with("objectId", Value::Null), sample(), 7, with("occurredAt", json!(-1))]).to_string();
        let batch = parse_events(body.as_bytes()).unwrap();
        assert_eq!(batch.events.len(), 1);
        let told: Vec<_> = batch.problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "event 0: objectId: is missing",
                "event 2: is not a JSON object",
                "event 3: occurredAt: is not a time in milliseconds since 1970",
            ]
        );
        for (field, value) in [
            ("occurredAt", json!(1.5)),
            ("occurredAt", json!(253_402_207_200_000_i64)),
            ("occurredAt", json!("now")),
            ("eventId", json!(1.5)),
            ("eventId", json!("")),
            ("portalId", json!([1])),
            ("subscriptionType", Value::Null),
        ] {
            assert!(read(&with(field, value.clone())).unwrap_err().starts_with(field), "{field}: {value}");
        }
    }

    #[test]
    fn a_body_that_is_no_array_is_an_error() {
        for body in [&b""[..], b"{}", b"null", b"[", b"[1] 2", b"\xff", b"[\"\xff\"]"] {
            let error = parse_events(body).unwrap_err();
            assert_eq!(error.kind(), xynergy_core::ErrorKind::InvalidInput, "{body:?}");
        }
        assert_eq!(parse_events(b"[]").unwrap(), EventBatch::default());
        let deep = format!("[{}{}]", "[".repeat(100_000), "]".repeat(100_000));
        let _ = parse_events(deep.as_bytes());
    }

    proptest! {
        #[test]
        fn any_bytes_are_events_or_problems(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_events(&bytes);
        }

        #[test]
        fn any_field_is_an_event_or_a_problem(
            field in proptest::sample::select(vec!["portalId", "objectId", "eventId", "occurredAt", "propertyValue"]),
            value in prop_oneof![any::<i64>().prop_map(|n| json!(n)), any::<f64>().prop_map(|n| json!(n)),
                                 "\\PC{0,12}".prop_map(|s| json!(s)), "[0-9]{0,30}".prop_map(|s| json!(s))],
        ) {
            let _ = read(&with(field, value));
        }
    }
}
