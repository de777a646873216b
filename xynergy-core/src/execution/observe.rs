use std::collections::BTreeMap;

use super::change::{ChangeRow, Movement};
use crate::ads::{ChangeField, Owner, OwnerState};
use crate::env::Timestamp;

/// The values last known of an account's owners, by owner and field.
pub type Known = BTreeMap<(Owner, ChangeField), i64>;

/// What reading the platform taught.
#[derive(Debug, Default)]
pub(super) struct Observed {
    /// Values that are new or differ from the last known ones.
    pub(super) known: Known,
    /// Edits by somebody else.
    pub(super) movements: Vec<Movement>,
}

impl Observed {
    /// Compares what was read with what was known. A field with a request of ours on its way is left out: its
    /// settlement tells whose edit that was.
    pub(super) fn compare<'a>(
        states: impl IntoIterator<Item = &'a OwnerState>,
        known: &Known,
        in_flight: &[&ChangeRow],
        now: Timestamp,
    ) -> Self {
        let mut observed = Self::default();
        for state in states {
            for field in [ChangeField::Bid, ChangeField::Budget, ChangeField::Status] {
                let Some(value) = state.value(field) else { continue };
                let key = (state.owner.clone(), field);
                let ours = in_flight.iter().any(|r| r.change.owner == state.owner && r.change.field == field);
                let before = observed.known.get(&key).or_else(|| known.get(&key)).copied();
                if ours || before == Some(value) {
                    continue;
                }
                if let Some(from) = before {
                    observed.movements.push(Movement {
                        owner: state.owner.clone(),
                        campaign_id: state.campaign_id.clone(),
                        field,
                        from,
                        to: value,
                        at: now,
                        own: None,
                        open: false,
                    });
                }
                observed.known.insert(key, value);
            }
        }
        observed
    }
}
