use std::cmp::Ordering;

use xynergy_core::crm::{CrmEvent, Deal};
use xynergy_core::store::{DealFacts, DealRevenue, EntryCause, LedgerEntry, Match};
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
            stage: Some(self.stage),
            pipeline: None,
            value_minor: self.value_minor,
            amount_minor: None,
            merged_into: None,
            problem: None,
            facts: DealFacts::default(),
            events_seen: self.entries.len() as u64,
            values_seen: 0,
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
    let mut moves: Vec<_> = events.iter().filter_map(|e| Some((e, e.stage_change()?.1))).collect();
    moves.sort_by(|a, b| in_order(*a, *b));
    moves.dedup_by_key(|(event, _)| event.key);
    let first_at = moves.first()?.0.occurred_at;
    let mut entries: Vec<LedgerEntry> = Vec::with_capacity(moves.len());
    let mut value_minor = 0;
    for (event, stage) in moves {
        let value = values.value_of(stage);
        entries.push(LedgerEntry {
            event: event.key,
            occurred_at: event.occurred_at,
            cause: EntryCause::Stage,
            stage_from: entries.last().map(|e| e.stage_to.clone()),
            stage_to: stage.to_owned(),
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

fn in_order(a: (&CrmEvent, &str), b: (&CrmEvent, &str)) -> Ordering {
    (a.0.occurred_at.cmp(&b.0.occurred_at))
        .then_with(|| compare_ids(&a.0.event_id, &b.0.event_id))
        .then_with(|| a.1.cmp(b.1))
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use xynergy_core::crm::CrmChange;
    use xynergy_core::store::KeyedHash;

    use super::*;

    const STAGES: [&str; 5] = ["lead", "appointmentscheduled", "contractsent", "closedwon", "closedlost"];

    fn event(n: u8, at: i64, event_id: &str, stage: &str) -> CrmEvent {
        CrmEvent {
            key: KeyedHash::from_bytes([n; 16]),
            occurred_at: Timestamp::from_millis(at),
            event_id: event_id.into(),
            recorded_at: Timestamp::from_millis(at),
            deals: vec!["7".into()],
            change: Some(CrmChange::Stage { stage: stage.into() }),
            raw: "{}".into(),
        }
    }

    fn fold_default(events: &[CrmEvent]) -> Ledger {
        fold(events, &StageValues::default()).unwrap()
    }

    #[test]
    fn each_event_is_worth_what_it_changed() {
        let ledger = fold_default(&[
            event(4, 40, "4", "closedlost"),
            event(1, 10, "1", "lead"),
            event(5, 50, "5", "closedwon"),
            event(2, 20, "2", "appointmentscheduled"),
            event(3, 30, "3", "closedwon"),
        ]);
        let deltas: Vec<_> = ledger.entries.iter().map(|e| e.delta_minor).collect();
        assert_eq!(deltas, [50_000, 100_000, 350_000, -500_000, 500_000]);
        assert_eq!(ledger.entries[0].stage_from, None);
        assert_eq!(ledger.entries[4].stage_from.as_deref(), Some("closedlost"));
        assert_eq!((ledger.stage.as_str(), ledger.value_minor), ("closedwon", 500_000));
        assert_eq!(ledger.first_at, Timestamp::from_millis(10));
    }

    #[test]
    fn ties_go_by_the_event_id_as_an_integer_then_by_the_stage() {
        let last = |a: (&str, &str), b: (&str, &str)| {
            let events = [event(1, 10, a.0, a.1), event(2, 10, b.0, b.1)];
            fold_default(&events).stage
        };
        assert_eq!(last(("9", "x"), ("10", "a")), "a", "9 is before 10");
        assert_eq!(
            last(("99999999999999999999999", "a"), ("100000000000000000000000", "b")),
            "b",
            "of any length"
        );
        assert_eq!(last(("010", "a"), ("9", "b")), "a", "leading zeros are nothing");
        assert_eq!(last(("abc", "a"), ("7", "b")), "a", "what is no integer comes last");
        assert_eq!(
            last(("7", "closedwon"), ("7", "closedlost")),
            "closedwon",
            "then the stage in text order"
        );
    }

    #[test]
    fn without_a_stage_change_there_is_no_ledger() {
        let other = CrmEvent { change: None, ..event(1, 1, "1", "") };
        assert_eq!(fold(&[other], &StageValues::default()), None);
        assert_eq!(fold(&[], &StageValues::default()), None);
    }

    #[test]
    fn a_deal_converts_when_it_was_created() {
        let ledger = fold_default(&[event(1, 10, "1", "lead")]);
        let deal = |created: &str| Deal {
            properties: [("createdate".to_owned(), Some(created.to_owned()))].into(),
            contacts: Vec::new(),
        };
        assert_eq!(anchor(Some(&deal("2026-03-01T00:00:00Z")), &ledger).to_string(), "2026-03-01T00:00:00Z");
        assert_eq!(anchor(Some(&deal("1772323200000")), &ledger).to_string(), "2026-03-01T00:00:00Z");
        for unusable in ["", "soon", "99999999999999999999999"] {
            assert_eq!(anchor(Some(&deal(unusable)), &ledger), ledger.first_at, "{unusable:?}");
        }
        assert_eq!(anchor(None, &ledger), ledger.first_at);
    }

    fn events() -> impl Strategy<Value = Vec<CrmEvent>> {
        let one = (0i64..4, 0u32..12, 0usize..STAGES.len());
        proptest::collection::vec(one, 1..20).prop_map(|all| {
            let distinct: std::collections::BTreeSet<_> = all.into_iter().collect();
            let numbered = distinct.into_iter().zip(0u8..);
            numbered.map(|((at, id, stage), n)| event(n, at, &id.to_string(), STAGES[stage])).collect()
        })
    }

    proptest! {
        #[test]
        fn order_and_repetition_change_nothing(
            (events, shuffled) in events().prop_flat_map(|events| {
                let twice = events.iter().chain(&events).cloned().collect::<Vec<_>>();
                (Just(events), Just(twice).prop_shuffle())
            })
        ) {
            prop_assert_eq!(fold_default(&events), fold_default(&shuffled));
        }

        #[test]
        fn the_entries_add_up_to_the_value(events in events()) {
            let ledger = fold_default(&events);
            prop_assert_eq!(ledger.entries.iter().map(|e| e.delta_minor).sum::<i64>(), ledger.value_minor);
            prop_assert_eq!(ledger.value_minor, StageValues::default().value_of(&ledger.stage));
            prop_assert_eq!(ledger.entries.len(), events.len());
        }
    }
}
