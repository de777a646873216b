use std::cmp::Ordering;

use xynergy_core::crm::{CrmEvent, Deal, StageChange};
use xynergy_core::store::{DealRevenue, LedgerEntry, Match};
use xynergy_core::{Minor, Timestamp};

use super::stages::StageValues;

/// A deal's stage changes in order, with what each was worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// The stage after all of them.
    pub stage: String,
    /// The value of that stage, in minor units: the sum of the entries.
    pub value_minor: Minor,
    /// When the first of them happened.
    pub first_at: Timestamp,
    /// One entry an event.
    pub entries: Vec<LedgerEntry>,
}

impl Ledger {
    /// The state to store for the deal.
    pub fn into_deal(self, deal_id: impl Into<String>, matched: Match) -> DealRevenue {
        DealRevenue {
            deal_id: deal_id.into(),
            stage: self.stage,
            value_minor: self.value_minor,
            events_seen: self.entries.len() as u64,
            entries: self.entries,
            matched,
        }
    }
}

/// Folds the stage changes among `events` of one deal by time, then event id as an integer, then stage. A pure function
/// of the set of events: order and repetition change nothing. `None` when there is no stage change.
///
/// `values` are [valid](StageValues::validate).
pub fn fold(events: &[CrmEvent], values: &StageValues) -> Option<Ledger> {
    let mut moves: Vec<_> = events.iter().filter_map(|e| Some((e, e.stage_change.as_ref()?))).collect();
    moves.sort_by(|a, b| in_order(*a, *b));
    moves.dedup_by_key(|(event, _)| event.key);
    let first_at = moves.first()?.0.occurred_at;
    let mut entries: Vec<LedgerEntry> = Vec::with_capacity(moves.len());
    let mut value_minor = 0;
    for (event, change) in moves {
        let value = values.value_of(&change.stage);
        entries.push(LedgerEntry {
            event: event.key,
            occurred_at: event.occurred_at,
            stage_from: entries.last().map(|e| e.stage_to.clone()),
            stage_to: change.stage.clone(),
            delta_minor: value.saturating_sub(value_minor),
        });
        value_minor = value;
    }
    Some(Ledger { stage: entries.last()?.stage_to.clone(), value_minor, first_at, entries })
}

/// The time of a deal's conversion: its `createdate` in the CRM (RFC 3339 or milliseconds), else its first stage change.
pub fn anchor(deal: Option<&Deal>, ledger: &Ledger) -> Timestamp {
    let created = deal.and_then(|deal| deal.property("createdate")).and_then(|text| {
        if text.bytes().all(|b| b.is_ascii_digit()) {
            text.parse().ok().map(Timestamp::from_millis)
        } else {
            text.parse().ok()
        }
    });
    created.unwrap_or(ledger.first_at)
}

fn in_order(a: (&CrmEvent, &StageChange), b: (&CrmEvent, &StageChange)) -> Ordering {
    (a.0.occurred_at.cmp(&b.0.occurred_at))
        .then_with(|| compare_ids(&a.0.event_id, &b.0.event_id))
        .then_with(|| a.1.stage.cmp(&b.1.stage))
        .then_with(|| a.0.key.cmp(&b.0.key))
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
