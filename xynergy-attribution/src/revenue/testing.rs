//! Events for tests.

use proptest::prelude::*;
use xynergy_core::Timestamp;
use xynergy_core::crm::{CrmChange, CrmEvent};
use xynergy_core::store::KeyedHash;

pub(super) const STAGES: [&str; 5] =
    ["lead", "appointmentscheduled", "contractsent", "closedwon", "closedlost"];

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Said {
    Change(CrmChange),
    Merged(Vec<String>),
}

pub(super) fn stage(stage: &str) -> Said {
    Said::Change(CrmChange::Stage { stage: stage.into() })
}

pub(super) fn amount(amount: &str) -> Said {
    Said::Change(CrmChange::Amount { amount: Some(amount.into()) })
}

pub(super) fn currency(currency: &str) -> Said {
    Said::Change(CrmChange::Currency { currency: Some(currency.into()) })
}

pub(super) fn refund(amount: &str) -> Said {
    Said::Change(CrmChange::Refund { amount: amount.into(), currency: None })
}

pub(super) fn merge(others: &[&str]) -> Said {
    Said::Merged(others.iter().map(|id| (*id).to_owned()).collect())
}

/// Event `n`, at so many milliseconds, of a deal.
pub(super) fn event(n: u32, at: i64, deal: &str, said: Said) -> CrmEvent {
    let (change, others) = match said {
        Said::Change(change) => (change, Vec::new()),
        Said::Merged(others) => (CrmChange::Merged, others),
    };
    let mut key = [0; 16];
    key[..4].copy_from_slice(&n.wrapping_mul(2_654_435_761).to_be_bytes());
    key[4..8].copy_from_slice(&n.to_be_bytes());
    CrmEvent {
        key: KeyedHash::from_bytes(key),
        occurred_at: Timestamp::from_millis(at),
        recorded_at: Timestamp::from_millis(1_000_000),
        event_id: n.to_string(),
        deals: std::iter::once(deal.to_owned()).chain(others).collect(),
        change: Some(change),
        raw: "{}".into(),
    }
}

fn said() -> impl Strategy<Value = Said> {
    let ids = proptest::collection::vec(0_usize..6, 1..3);
    prop_oneof![
        6 => (0..STAGES.len()).prop_map(|n| stage(STAGES[n])),
        2 => (0_i64..100_000).prop_map(|n| amount(&format!("{}.{:02}", n / 100, n % 100))),
        1 => Just(Said::Change(CrmChange::Amount { amount: None })),
        1 => proptest::sample::select(vec!["EUR", "JPY", "XXX", "USD"]).prop_map(currency),
        1 => Just(Said::Change(CrmChange::Created)),
        1 => Just(Said::Change(CrmChange::Deleted)),
        1 => Just(Said::Change(CrmChange::Restored)),
        1 => (0_u32..500).prop_map(|n| refund(&n.to_string())),
        1 => Just(Said::Change(CrmChange::Pipeline { pipeline: "sales".into() })),
        2 => ids.prop_map(|ids| Said::Merged(ids.into_iter().map(|id| id.to_string()).collect())),
    ]
}

/// Events of six deals that are merged, refunded, deleted and restored, with equal times and equal ids among them.
pub(super) fn histories() -> impl Strategy<Value = Vec<CrmEvent>> {
    let one = (0_i64..12, 0_u32..9, 0_u8..6, said());
    proptest::collection::vec(one, 1..40).prop_map(|all| {
        let numbered = (0_u32..).zip(all);
        numbered
            .map(|(n, (at, id, deal, said))| CrmEvent {
                event_id: id.to_string(),
                ..event(n, at, &deal.to_string(), said)
            })
            .collect()
    })
}
