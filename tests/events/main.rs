//! Every event that `docs/observing.md` lists: sent once, in the envelope, with the fields that it says, and nothing private.
#![allow(clippy::unwrap_used)] // Helpers of tests are no tests to clippy.

mod ai;
mod changes;
mod deals;
mod page;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use xynergy::env::{Event, EventType, MemoryEvents};
use xynergy::{Scope, TenantId, Timestamp};

const TENANT: &str = "acme";
const REQUEST: &str = "req_0123456789ab";
/// What no event may show: prompts, answers, people, credentials. Each part of the test uses some of them.
const PRIVATE: [&str; 8] =
    ["a secret plan", "the answer of it", "192.0.2.", "Mozilla", "fbclid", "IwAR", "@", "s3cret"];

/// The events of one part of the library.
struct Told {
    events: Vec<Event>,
    /// Those that are one of a kind in it: by their type, how often they are to be told.
    times: BTreeMap<&'static str, usize>,
}

fn scope(client: &xynergy::Client) -> Scope {
    let scope = client.scope(TenantId::new(TENANT).unwrap());
    scope.with_request_id(REQUEST).with_actor("operator")
}

fn sink() -> Arc<MemoryEvents> {
    Arc::new(MemoryEvents::default())
}

#[tokio::test]
async fn every_event_is_sent_once_as_the_page_says() {
    let mut seen = BTreeSet::new();
    for told in [ai::told().await, changes::told().await, deals::told().await] {
        let ids: BTreeSet<_> = told.events.iter().map(|event| &event.event_id).collect();
        assert_eq!(ids.len(), told.events.len(), "one is told twice");
        for (event_type, times) in told.times {
            let of_type = told.events.iter().filter(|event| event.event_type == event_type).count();
            assert_eq!(of_type, times, "{event_type}");
        }
        for event in &told.events {
            seen.insert(event.event_type);
            is_as_told(event);
        }
    }
    assert_eq!(seen, EventType::ALL.iter().map(|event| event.name()).collect());
}

fn is_as_told(event: &Event) {
    let json = serde_json::to_value(event).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let envelope =
        ["event_id", "event_type", "metadata", "payload", "source_service", "tenant_id", "timestamp"];
    assert_eq!(keys(&json), set(&envelope));
    assert_eq!(keys(&json["metadata"]), set(&["causation_id", "correlation_id", "schema_version"]));
    assert_eq!((&json["tenant_id"], &json["metadata"]["schema_version"]), (&TENANT.into(), &1.into()));
    json["timestamp"].as_str().unwrap().parse::<Timestamp>().unwrap();
    assert!(!event.event_id.is_empty());

    let row = page::row(event.event_type);
    assert_eq!(event.source_service, row.from, "{json:#}");
    let (fields, required) = (keys(&json["payload"]), row.required());
    assert!(required.is_subset(&fields) && fields.is_subset(&row.all()), "{row:?} is not {json:#}");
    let correlation = json["metadata"]["correlation_id"].as_str().unwrap();
    let of_change = json["payload"]["change_id"].as_str().unwrap_or(REQUEST);
    assert_eq!(correlation, of_change, "{json:#}");
    assert_eq!(event.metadata.causation_id.is_some(), row.has_cause, "{json:#}");
    let text = json.to_string();
    let shown = PRIVATE.iter().find(|private| text.contains(**private));
    assert_eq!(shown, None, "{json:#}");
}
