//! What became of a request without an answer, told from what the platform shows. A pure function.

use crate::ads::{Activity, OwnerState};

use super::change::ChangeRow;

/// The verdict on one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It cannot be told; a person must look.
    Conflict,
    /// It took effect.
    Landed,
    /// It had no effect, and can have none any more.
    NotApplied,
}

/// Decides from the platform's log of edits first, the live value second.
///
/// `activities` are the owner's edits since the intent, `None` where the platform keeps no log; `earlier` is how many
/// own movements to the same value may be among them. A value alone does not tell who set it: somebody may have set
/// the very target, or set back what had landed.
pub fn judge(
    row: &ChangeRow,
    live: Option<&OwnerState>,
    activities: Option<&[Activity]>,
    earlier: usize,
) -> (Finding, &'static str) {
    let (Some(from), Some(target)) = (row.observed_from, row.sent_value) else {
        return (Finding::Conflict, "the intent carries no values");
    };
    let Some(value) = live.and_then(|l| l.value(row.change.field)) else {
        return (Finding::Conflict, "the object, or its value, is gone");
    };
    let Some(activities) = activities else {
        return if value == target {
            (Finding::Landed, "the platform shows the target")
        } else {
            (Finding::Conflict, "the platform keeps no log of edits and does not show the target")
        };
    };
    let of_field = || activities.iter().filter(|a| a.field == row.change.field);
    // Whatever was there before: somebody may have edited it between the last look and the write.
    let own = of_field().filter(|a| a.own && a.after == Some(target)).count();
    if own > earlier {
        return (Finding::Landed, "the platform's log of edits shows it");
    }
    if value == target {
        return if own == 0 && of_field().any(|a| !a.own && a.after == Some(target)) {
            (Finding::Conflict, "somebody else set the very target")
        } else {
            (Finding::Landed, "the platform shows the target")
        };
    }
    if value == from && own == 0 {
        return (Finding::NotApplied, "neither the log of edits nor the value shows it");
    }
    (Finding::Conflict, "the value is neither the one before nor the target")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ads::{ChangeField, DeliveryStatus, Owner};
    use crate::env::Timestamp;
    use crate::execution::{AdChange, ChangeId};
    use crate::money::Currency;

    const NOW: Timestamp = Timestamp::from_micros(1_770_000_000_000_000);

    /// A change from 1,000 to 1,100 without an answer.
    fn lost() -> ChangeRow {
        let change = AdChange {
            id: ChangeId::derive(&["lost"]),
            account_id: "act_1".into(),
            campaign_id: "c1".into(),
            owner: Owner::ad_set("s1"),
            field: ChangeField::Budget,
            expected_from: 1_000,
            target: 1_090,
            currency: Currency::USD,
            allocation_id: None,
            causation_id: None,
            reason: String::new(),
            expires_at: None,
            ramp: None,
        };
        ChangeRow {
            observed_from: Some(1_000),
            sent_value: Some(1_100),
            ..ChangeRow::queued(change, NOW, NOW, NOW)
        }
    }

    fn shows(budget: i64) -> Option<OwnerState> {
        Some(OwnerState {
            owner: Owner::ad_set("s1"),
            account_id: "act_1".into(),
            campaign_id: "c1".into(),
            name: String::new(),
            currency: Currency::USD,
            daily_budget_minor: Some(budget),
            lifetime_budget_minor: None,
            bid_minor: None,
            status: DeliveryStatus::Active,
            learning: false,
            read_at: NOW,
        })
    }

    fn edit(field: ChangeField, before: Option<i64>, after: i64, own: bool) -> Activity {
        Activity { at: NOW, field, before, after: Some(after), own }
    }

    fn finding(live: Option<&OwnerState>, log: Option<&[Activity]>, earlier: usize) -> Finding {
        judge(&lost(), live, log, earlier).0
    }

    #[test]
    fn the_log_of_edits_comes_before_the_value() {
        use ChangeField::{Budget, Status};
        use Finding::{Conflict, Landed, NotApplied};
        let ours = edit(Budget, Some(1_000), 1_100, true);
        let theirs = edit(Budget, Some(1_000), 1_100, false);
        let over_an_edit = edit(Budget, Some(1_040), 1_100, true);
        let cases: [(i64, &[Activity], usize, Finding); 14] = [
            (1_100, &[], 0, Landed),
            (1_000, &[], 0, NotApplied),
            (1_050, &[], 0, Conflict),
            (1_100, std::slice::from_ref(&ours), 0, Landed),
            // Somebody set it back, or on, after it had landed.
            (1_000, std::slice::from_ref(&ours), 0, Landed),
            (1_300, std::slice::from_ref(&ours), 0, Landed),
            // Somebody else set the very target.
            (1_100, std::slice::from_ref(&theirs), 0, Conflict),
            (1_100, &[ours.clone(), theirs.clone()], 0, Landed),
            // The entry may be that of an earlier change of ours.
            (1_000, std::slice::from_ref(&ours), 1, Conflict),
            (1_000, &[ours.clone(), ours.clone()], 1, Landed),
            // It landed on an edit that nobody had seen; sent again, it would land twice.
            (1_000, std::slice::from_ref(&over_an_edit), 0, Landed),
            (1_000, std::slice::from_ref(&over_an_edit), 1, Conflict),
            // Other fields and other moves tell nothing.
            (1_000, &[edit(Status, None, 1_100, true), edit(Budget, Some(1_000), 900, true)], 0, NotApplied),
            (1_000, &[edit(Budget, Some(1_000), 1_090, true)], 0, NotApplied),
        ];
        for (i, (value, log, earlier, expected)) in cases.into_iter().enumerate() {
            assert_eq!(finding(shows(value).as_ref(), Some(log), earlier), expected, "case {i}");
        }
    }

    #[test]
    fn a_value_alone_never_allows_sending_again() {
        assert_eq!(finding(shows(1_100).as_ref(), None, 0), Finding::Landed);
        assert_eq!(finding(shows(1_000).as_ref(), None, 0), Finding::Conflict);
        assert_eq!(finding(None, Some(&[]), 0), Finding::Conflict, "the object is gone");
    }
}
