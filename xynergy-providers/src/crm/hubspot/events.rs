use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use xynergy_core::crm::{CrmChange, CrmEvent};
use xynergy_core::store::KeyedHash;
use xynergy_core::{Result, Timestamp};

use crate::crm::elements;

/// The last millisecond of the year 9999 that a stored time can show.
const LAST_MILLISECOND: i64 = 253_402_207_200_000;

/// The first moment that an event may have happened at: 2000-01-01. HubSpot is younger.
const EARLIEST: Timestamp = Timestamp::from_millis(946_684_800_000);

/// How far before ours HubSpot's clock may be, in microseconds: a day.
const AHEAD_MICROS: i64 = 86_400 * 1_000_000;

/// HubSpot's id of the type of deals.
const DEALS: &str = "0-3";

/// HubSpot's id of the type of contacts.
const CONTACTS: &str = "0-1";

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

/// Reads a webhook's body, which arrived at `received_at`: a JSON array of events. Elements that are no event are told
/// apart and do not spoil the rest.
///
/// What happened to a deal arrives as `deal.*`, or as `object.*` of type `0-3`: a change of the properties `dealstage`,
/// `pipeline`, `amount` and `deal_currency_code`, its creation, deletion, restoration and merge. A contact's
/// `privacyDeletion` asks to forget a person. Every other event is kept and says nothing.
///
/// # Errors
/// [`InvalidInput`](xynergy_core::ErrorKind::InvalidInput) when the body is no JSON array, and
/// [`LimitExceeded`](xynergy_core::ErrorKind::LimitExceeded) when it holds more than 10,000 elements.
pub fn parse_events(body: &[u8], received_at: Timestamp) -> Result<EventBatch> {
    let elements = elements(body, "hubspot.accept", "not a JSON array of events")?;
    let mut batch = EventBatch::default();
    for (index, element) in elements.into_iter().enumerate() {
        match event(element, received_at) {
            Ok(event) => batch.events.push(event),
            Err(problem) => batch.problems.push(EventProblem { index, problem }),
        }
    }
    Ok(batch)
}

fn event(element: &RawValue, received_at: Timestamp) -> Result<CrmEvent, String> {
    let fields: Fields<'_> =
        serde_json::from_str(element.get()).map(Fields).map_err(|_| "is not a JSON object".to_owned())?;
    // An account of its own sends no other's events: without a portal the rest tells them apart.
    let portal = fields.text("portalId")?.map(|_| fields.id("portalId")).transpose()?;
    let subscription = fields.text("subscriptionType")?.ok_or("subscriptionType: is missing")?;
    let object_type = fields.text("objectTypeId")?;
    let merged = match subscription.split_once('.') {
        Some((_, "merge")) => Some(fields.merge()?),
        _ => None,
    };
    let object = match &merged {
        // A merge may come without the object that it happened to: it is the one that is left.
        Some(merge) if fields.text("objectId")?.is_none() => merge.into.clone(),
        _ => fields.id("objectId")?,
    };
    let event_id = fields.id("eventId")?;
    let occurred_at = fields.time("occurredAt")?;
    if occurred_at < EARLIEST || occurred_at.micros().saturating_sub(received_at.micros()) > AHEAD_MICROS {
        return Err(format!("occurredAt: {occurred_at} is before 2000 or more than a day after its arrival"));
    }
    let property = fields.text("propertyName")?;
    let value = fields.text("propertyValue")?;
    let at = occurred_at.millis().to_string();
    let away = merged.as_ref().map(|merge| merge.away.join(","));
    let mut parts = vec![
        portal.as_deref(),
        Some(&subscription),
        object_type.as_deref(),
        Some(&object),
        property.as_deref(),
        Some(&event_id),
        Some(&at),
        value.as_deref(),
    ];
    parts.extend(away.as_deref().map(Some));
    let key = key_of(&parts);
    let (deals, change) =
        meaning(&subscription, object_type.as_deref(), property.as_deref(), value, object, merged);
    let raw = serde_json::to_string(&fields.0).map_err(|_| "cannot be written again as JSON".to_owned())?;
    Ok(CrmEvent { key, occurred_at, recorded_at: received_at, event_id, deals, change, raw })
}

/// Who was merged into whom.
struct Merge {
    into: String,
    away: Vec<String>,
}

/// The deals that an event concerns, and what it says.
fn meaning(
    subscription: &str,
    object_type: Option<&str>,
    property: Option<&str>,
    value: Option<String>,
    object: String,
    merged: Option<Merge>,
) -> (Vec<String>, Option<CrmChange>) {
    let (of, what) = subscription.split_once('.').unwrap_or_default();
    if (of == "contact" || of == "object" && object_type == Some(CONTACTS)) && what == "privacyDeletion" {
        return (Vec::new(), Some(CrmChange::Forgotten { contact_id: object }));
    }
    if !(of == "deal" || of == "object" && object_type == Some(DEALS)) {
        return (Vec::new(), None);
    }
    let filled = |value: Option<String>| value.filter(|text| !text.is_empty());
    let change = match (what, property) {
        ("propertyChange", Some("dealstage")) => value.map(|stage| CrmChange::Stage { stage }),
        ("propertyChange", Some("pipeline")) => {
            filled(value).map(|pipeline| CrmChange::Pipeline { pipeline })
        }
        ("propertyChange", Some("amount")) => Some(CrmChange::Amount { amount: filled(value) }),
        ("propertyChange", Some("deal_currency_code")) => {
            Some(CrmChange::Currency { currency: filled(value) })
        }
        ("creation", _) => Some(CrmChange::Created),
        ("deletion", _) => Some(CrmChange::Deleted),
        ("restore", _) => Some(CrmChange::Restored),
        ("merge", _) => merged.as_ref().map(|_| CrmChange::Merged),
        _ => None,
    };
    let deals = match (&change, merged) {
        (None, _) => Vec::new(),
        (Some(_), Some(Merge { into, away })) => std::iter::once(into).chain(away).collect(),
        (Some(_), None) => vec![object],
    };
    (deals, change)
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
            return Ok(without_leading_zeros(&text));
        }
        if quoted { Ok(text) } else { Err(format!("{name}: is not a whole number")) }
    }

    /// The objects of a merge: the one that is left, and those that went into it, in the order of their ids. HubSpot may leave a
    /// new object, which it names beside the primary one.
    fn merge(&self) -> Result<Merge, String> {
        let primary = self.id("primaryObjectId")?;
        let into = match self.text("newObjectId")? {
            Some(_) => self.id("newObjectId")?,
            None => primary.clone(),
        };
        let merged = self.0.get("mergedObjectIds").ok_or("mergedObjectIds: is missing")?;
        let ids: Vec<&RawValue> = serde_json::from_str(merged.get())
            .map_err(|_| "mergedObjectIds: is not an array of ids".to_owned())?;
        let mut away = BTreeSet::from([primary]);
        for id in ids {
            let text = id.get().trim_matches('"');
            if !is_whole(text) {
                return Err("mergedObjectIds: is not an array of whole numbers".to_owned());
            }
            away.insert(without_leading_zeros(text));
        }
        away.remove(&into);
        Ok(Merge { into, away: away.into_iter().collect() })
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

fn without_leading_zeros(digits: &str) -> String {
    let kept = digits.trim_start_matches('0');
    if kept.is_empty() { "0".to_owned() } else { kept.to_owned() }
}

fn is_whole(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const AT: Timestamp = Timestamp::from_millis(1_772_367_800_000);

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
        let mut batch = parse_events(json!([event]).to_string().as_bytes(), AT).unwrap();
        match batch.problems.pop() {
            Some(problem) => Err(problem.problem),
            None => Ok(batch.events.pop().unwrap()),
        }
    }

    fn stage(event: &Value) -> Option<String> {
        read(event).unwrap().stage_change().map(|(_, stage)| stage.to_owned())
    }

    #[test]
    fn reads_a_move_of_a_deal() {
        let event = read(&sample()).unwrap();
        assert_eq!(event.stage_change(), Some(("17845001517", "closedwon")));
        assert_eq!(event.recorded_at, AT);
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

    fn says(event: &Value) -> (Vec<String>, Option<CrmChange>) {
        let event = read(event).unwrap();
        (event.deals, event.change)
    }

    #[test]
    fn every_change_of_a_deal_is_typed() {
        let deal = || vec!["17845001517".to_owned()];
        let property = |name: &str, value: Value| {
            let mut event = with("propertyName", json!(name));
            event["propertyValue"] = value;
            event
        };
        let amount = |amount: Option<&str>| Some(CrmChange::Amount { amount: amount.map(str::to_owned) });
        assert_eq!(says(&property("amount", json!("1234.50"))), (deal(), amount(Some("1234.50"))));
        assert_eq!(says(&property("amount", json!(1234.50))), (deal(), amount(Some("1234.5"))));
        for empty in [json!(""), Value::Null] {
            assert_eq!(says(&property("amount", empty)), (deal(), amount(None)), "an amount can be emptied");
        }
        let euro = Some(CrmChange::Currency { currency: Some("EUR".into()) });
        assert_eq!(says(&property("deal_currency_code", json!("EUR"))), (deal(), euro));
        let pipeline = Some(CrmChange::Pipeline { pipeline: "75e28846".into() });
        assert_eq!(says(&property("pipeline", json!("75e28846"))), (deal(), pipeline));
        for (kind, change) in [
            ("creation", CrmChange::Created),
            ("deletion", CrmChange::Deleted),
            ("restore", CrmChange::Restored),
        ] {
            assert_eq!(
                says(&with("subscriptionType", json!(format!("deal.{kind}")))),
                (deal(), Some(change.clone()))
            );
            let mut object = with("subscriptionType", json!(format!("object.{kind}")));
            assert_eq!(says(&object), (Vec::new(), None), "an object of no type is no deal");
            object["objectTypeId"] = json!("0-3");
            assert_eq!(says(&object), (deal(), Some(change)));
        }
        let contact = with("subscriptionType", json!("contact.privacyDeletion"));
        let forgotten = Some(CrmChange::Forgotten { contact_id: "17845001517".into() });
        assert_eq!(says(&contact), (Vec::new(), forgotten));
    }

    #[test]
    fn a_merge_concerns_all_its_deals() {
        let mut merge = json!({
            "eventId": 1, "portalId": 7, "occurredAt": 1_772_367_797_588_i64, "subscriptionType": "deal.merge", "objectId": 20,
            "primaryObjectId": 20, "mergedObjectIds": [30, "010", 30]
        });
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        assert_eq!(says(&merge), (ids(&["20", "10", "30"]), Some(CrmChange::Merged)));
        let first = read(&merge).unwrap().key;
        merge["mergedObjectIds"] = json!([30]);
        assert_ne!(read(&merge).unwrap().key, first, "who was merged is part of what happened");
        merge["newObjectId"] = json!(40);
        assert_eq!(says(&merge).0, ids(&["40", "20", "30"]), "all went into a new deal");
        merge.as_object_mut().unwrap().remove("objectId");
        assert_eq!(says(&merge).0, ids(&["40", "20", "30"]));
        for (field, value) in [
            ("mergedObjectIds", json!("x")),
            ("mergedObjectIds", json!([1.5])),
            ("mergedObjectIds", Value::Null),
            ("primaryObjectId", Value::Null),
        ] {
            let mut bad = merge.clone();
            bad[field] = value;
            assert!(read(&bad).unwrap_err().starts_with(field), "{bad}");
        }
    }

    #[test]
    fn ids_are_integers_of_any_length() {
        let long = "[{\"eventId\":123456789012345678901234567890,\"portalId\":\"7\",\"occurredAt\":\"1772367797588\",
            \"subscriptionType\":\"deal.propertyChange\",\"objectId\":9007199254740993,\"propertyName\":\"dealstage\",
            \"propertyValue\":\"x\",\"later\":12345678901234567890123}]";
        let event = parse_events(long.as_bytes(), AT).unwrap().events.pop().unwrap();
        assert_eq!(event.event_id, "123456789012345678901234567890");
        assert_eq!(event.deals, ["9007199254740993"]);
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
            "propertyValue",
        ] {
            assert_ne!(key(&with(field, json!("1"))), key(&sample()), "{field}");
        }
        assert_ne!(key(&with("occurredAt", json!(1_772_367_797_589_u64))), key(&sample()), "occurredAt");
        assert_ne!(key(&with("propertyValue", json!(""))), key(&with("propertyValue", Value::Null)));
    }

    #[test]
    fn a_bad_event_does_not_spoil_the_others() {
        let body =
            json!([with("objectId", Value::Null), sample(), 7, with("occurredAt", json!(-1))]).to_string();
        let batch = parse_events(body.as_bytes(), AT).unwrap();
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
            ("occurredAt", json!(0)),
            ("occurredAt", json!(1_772_367_800_000_i64 + 86_400_001)),
            ("occurredAt", json!(4_102_444_800_000_i64)),
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
            let error = parse_events(body, AT).unwrap_err();
            assert_eq!(error.kind(), xynergy_core::ErrorKind::InvalidInput, "{body:?}");
        }
        assert_eq!(parse_events(b"[]", AT).unwrap(), EventBatch::default());
        let deep = format!("[{}{}]", "[".repeat(100_000), "]".repeat(100_000));
        let _ = parse_events(deep.as_bytes(), AT);
    }

    proptest! {
        #[test]
        fn any_bytes_are_events_or_problems(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_events(&bytes, AT);
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
