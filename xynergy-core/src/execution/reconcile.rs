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
    let own = of_field()
        .filter(|a| a.own && a.after == Some(target) && a.before.is_none_or(|before| before == from))
        .count();
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
