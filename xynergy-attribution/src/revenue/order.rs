use std::cmp::Ordering;

use xynergy_core::crm::CrmEvent;

/// The one order of events: by time, then event id as an integer, then what they say (a stage by its text), then key.
pub(super) fn in_order(a: &CrmEvent, b: &CrmEvent) -> Ordering {
    (a.occurred_at.cmp(&b.occurred_at))
        .then_with(|| compare_ids(&a.event_id, &b.event_id))
        .then_with(|| a.change.cmp(&b.change))
        .then_with(|| a.key.cmp(&b.key))
}

/// The events that concern deals, in their order, each once.
pub(super) fn ordered(events: &[CrmEvent]) -> Vec<&CrmEvent> {
    let mut concern: Vec<&CrmEvent> =
        events.iter().filter(|event| event.change.is_some() && !event.deals.is_empty()).collect();
    concern.sort_by(|a, b| in_order(a, b));
    concern.dedup_by_key(|event| event.key);
    concern
}

/// Integers of any length by value and before everything else, which goes by its text.
fn compare_ids(a: &str, b: &str) -> Ordering {
    match (magnitude(a), magnitude(b)) {
        (Some(a), Some(b)) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

/// The digits of a whole number without leading zeros.
fn magnitude(id: &str) -> Option<&str> {
    let whole = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    whole.then(|| id.trim_start_matches('0'))
}
