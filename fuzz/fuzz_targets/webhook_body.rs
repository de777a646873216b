//! Any bytes as the body of a webhook: events, named problems or an error; and an event's text is JSON again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xynergy_core::Timestamp;
use xynergy_providers::crm::{hubspot, webhooks};

fuzz_target!(|body: &[u8]| {
    let received_at = Timestamp::from_millis(1_772_366_400_000);
    let hubspot = hubspot::parse_events(body, received_at).map(|batch| batch.events);
    let own = webhooks::parse_events(body, "msg_1", received_at).map(|batch| batch.events);
    for event in hubspot.into_iter().chain(own).flatten() {
        serde_json::from_str::<serde_json::Value>(&event.raw).expect("an event is JSON");
        assert!(event.occurred_at.micros() - received_at.micros() <= 86_400_000_000, "no event is of the future");
    }
});
