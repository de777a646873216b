use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn now() -> Timestamp {
    "2026-03-10T12:00:00Z".parse().unwrap()
}

fn event(kind: &str, data: &Value) -> Value {
    json!({"type": kind, "timestamp": "2026-03-10T11:00:00Z", "data": data})
}

fn read(body: &Value) -> WebhookBatch {
    parse_events(body.to_string().as_bytes(), "msg_1", now()).unwrap()
}

fn changes(body: &Value) -> Vec<CrmChange> {
    let batch = read(body);
    assert!(batch.problems.is_empty(), "{:?}", batch.problems);
    batch.events.into_iter().filter_map(|event| event.change).collect()
}

fn problem(body: &Value) -> String {
    let batch = read(body);
    assert!(batch.events.is_empty() && batch.told.is_empty());
    batch.problems[0].to_string()
}

#[test]
fn a_deal_tells_each_thing_by_itself() {
    let deal = json!({
        "deal_id": 7, "stage": "closedwon", "pipeline": "default", "amount": "1234.50", "currency": "eur",
        "created_at": "2026-03-01T00:00:00Z",
        "contacts": [{"contact_id": "c1", "google_click_id": "g", "ip": "192.0.2.1", "consent": true}],
    });
    let batch = read(&event("deal.updated", &deal));
    let changes: Vec<_> = batch.events.iter().filter_map(|event| event.change.clone()).collect();
    assert_eq!(
        changes,
        [
            CrmChange::Pipeline { pipeline: "default".into() },
            CrmChange::Currency { currency: Some("EUR".into()) },
            CrmChange::Amount { amount: Some("1234.50".into()) },
            CrmChange::Stage { stage: "closedwon".into() },
            CrmChange::Created,
        ]
    );
    assert!(batch.events.iter().all(|event| event.deals == ["7"] && !event.raw.contains("192.0.2.1")));
    assert_eq!(batch.events[4].occurred_at.to_string(), "2026-03-01T00:00:00Z");
    assert_eq!(batch.told.len(), 2);
    let keys: BTreeSet<_> = batch.events.iter().map(|event| event.key).collect();
    assert_eq!(keys.len(), 5);
    assert_eq!(read(&event("deal.updated", &deal)), batch, "the same delivery again is the same events");
    let other = parse_events(event("deal.updated", &deal).to_string().as_bytes(), "msg_2", now()).unwrap();
    assert!(other.events.iter().all(|event| !keys.contains(&event.key)), "another delivery is another event");
}

#[test]
fn the_other_kinds() {
    let of = |kind: &str, data: Value| changes(&event(kind, &data));
    let refund = CrmChange::Refund { amount: "5".into(), currency: None };
    assert_eq!(of("deal.refunded", json!({"deal_id": "7", "amount": 5})), [refund]);
    assert_eq!(of("deal.deleted", json!({"deal_id": "7"})), [CrmChange::Deleted]);
    assert_eq!(of("deal.restored", json!({"deal_id": "7"})), [CrmChange::Restored]);
    let merged = read(&event("deal.merged", &json!({"deal_id": "7", "merged_deal_ids": ["8", 9]})));
    assert_eq!((&merged.events[0].change, merged.events[0].deals.len()), (&Some(CrmChange::Merged), 3));
    let emptied = of("deal.updated", json!({"deal_id": "7", "amount": null, "currency": null}));
    assert_eq!(emptied, [CrmChange::Currency { currency: None }, CrmChange::Amount { amount: None }]);
    let gone = read(&event("contact.deleted", &json!({"contact_id": "c"})));
    assert_eq!(gone.events[0].change, Some(CrmChange::Forgotten { contact_id: "c".into() }));
    assert!(matches!(&gone.told[0], Told::Forgotten { contact_id, .. } if contact_id == "c"));
}

#[test]
fn without_consent_no_address_is_kept() {
    let contact = json!({"contact_id": "c", "ip": "192.0.2.1", "user_agent": "ua", "accept_language": "de",
        "google_click_id": "g"});
    let Told::Contact { contact, .. } = &read(&event("contact.updated", &contact)).told[0] else { panic!() };
    assert_eq!(
        (contact.ip.as_ref(), contact.user_agent.as_ref(), contact.accept_language.as_ref()),
        (None, None, None)
    );
    assert_eq!(contact.google_click_id.as_deref(), Some("g"));
}

#[test]
fn what_is_wrong_is_named_and_does_not_spoil_the_rest() {
    let good = event("deal.deleted", &json!({"deal_id": "7"}));
    let batch = read(&json!([good, 7, event("deal.won", &json!({}))]));
    assert_eq!((batch.events.len(), batch.problems.len()), (1, 2));
    for (data, expected) in [
        (json!({"stage": "x"}), "deal_id"),
        (json!({"deal_id": ""}), "data.deal_id: is not 1 to"),
        (json!({"deal_id": "7", "stag": "x"}), "stag"),
        (json!({"deal_id": "7", "amount": "1e3"}), "amount"),
        (json!({"deal_id": "7", "amount": [1]}), "data.amount: is not a decimal"),
        (json!({"deal_id": "7", "currency": "EURO"}), "currency"),
        (json!({"deal_id": "7", "stage": ["ann@example.com"]}), "data.stage: is not a text"),
        (json!({"deal_id": "7", "stage": "x", "created_at": "1970-01-01T00:00:00Z"}), "created_at"),
    ] {
        let told = problem(&event("deal.updated", &data));
        assert!(told.contains(expected) && !told.contains("ann@"), "{data}: {told}");
    }
    for time in ["1970-01-01T00:00:00Z", "2100-01-01T00:00:00Z", "now", "1773140400"] {
        let mut event = good.clone();
        event["timestamp"] = json!(time);
        assert!(problem(&event).contains("timestamp"), "{time}");
    }
    for body in [&b""[..], b"null", b"7", b"{", b"[", b"{} {}", b"\xff", b"[\"\xff\"]"] {
        let error = parse_events(body, "msg_1", now()).unwrap_err();
        assert_eq!(error.kind(), xynergy_core::ErrorKind::InvalidInput, "{body:?}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let _ = parse_events(deep.as_bytes(), "msg_1", now());
}

proptest! {
    #[test]
    fn any_bytes_are_events_or_problems(bytes in proptest::collection::vec(any::<u8>(), 0..200), id in "\\PC{0,20}") {
        let _ = parse_events(&bytes, &id, now());
    }

    #[test]
    fn any_field_is_an_event_or_a_problem(
        kind in proptest::sample::select(vec!["deal.updated", "deal.refunded", "deal.merged", "contact.updated"]),
        field in proptest::sample::select(vec!["deal_id", "stage", "amount", "currency", "merged_deal_ids", "contacts", "created_at"]),
        value in prop_oneof![any::<i64>().prop_map(|n| json!(n)), any::<f64>().prop_map(|n| json!(n)), Just(Value::Null),
                             "\\PC{0,12}".prop_map(|s| json!(s)), proptest::collection::vec("\\PC{0,4}", 0..3).prop_map(|s| json!(s))],
    ) {
        let mut data = json!({"deal_id": "7"});
        data[field] = value;
        let batch = read(&event(kind, &data));
        for event in batch.events {
            prop_assert!(serde_json::from_str::<Value>(&event.raw).is_ok());
        }
    }
}
