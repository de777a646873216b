use std::time::Duration;

use super::change::{AdChange, ChangeId, RampStep};
use super::policy::Policy;
use crate::ads::ChangeField;
use crate::env::Timestamp;
use crate::error::{Error, Result};

/// A way of more steps takes weeks: the decision behind it will not live that long.
const MOST_STEPS: usize = 100;

/// Between two windows, so that the one before is over when the next step is decided.
const AFTER_WINDOW: Duration = Duration::from_secs(60);

/// The steps that lead to the target of a change, each within the policy's limit on movement and in a window of its own,
/// with how long after the first one it runs. A change within the limit stays as it is.
///
/// The first step keeps the change's id; those of the others follow from it, so that asking again gives the same.
///
/// # Errors
/// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a value too small for any step, and for more than 100 steps.
pub fn ramp(change: &AdChange, policy: &Policy, now: Timestamp) -> Result<Vec<(AdChange, Duration)>> {
    change.validate()?;
    let step_from = |from: i64| i128::from(from) * i128::from(policy.velocity_per_mille) / 1_000;
    let distance = (i128::from(change.target) - i128::from(change.expected_from)).abs();
    if change.field == ChangeField::Status || distance <= step_from(change.expected_from) {
        return Ok(vec![(change.clone(), Duration::ZERO)]);
    }
    let refuse = |message: String| {
        Err(Error::invalid("execution.queue", message).with_context("change_id", change.id.to_string()))
    };
    let mut values = vec![change.expected_from];
    let mut from = change.expected_from;
    while from != change.target {
        let (left, most) = (i128::from(change.target) - i128::from(from), step_from(from));
        if most == 0 {
            return refuse(format!(
                "expected_from: a step of {from} is below one minor unit: it cannot be ramped"
            ));
        }
        if values.len() > MOST_STEPS {
            return refuse(format!(
                "target: it takes more than {MOST_STEPS} steps: queue a nearer one first"
            ));
        }
        let step = left.clamp(-most, most);
        from = i64::try_from(i128::from(from) + step).unwrap_or(change.target);
        values.push(from);
    }
    let steps = u32::try_from(values.len() - 1).unwrap_or(u32::MAX);
    let apart = Duration::from_millis(policy.velocity_window_ms) + AFTER_WINDOW;
    let expires = Duration::from_millis(policy.expires_after_ms);
    Ok(values
        .windows(2)
        .zip(1u32..)
        .map(|(pair, step)| {
            let delay = apart * (step - 1);
            let id = if step == 1 { change.id } else { step_id(change.id, step) };
            let change = AdChange {
                id,
                expected_from: pair[0],
                target: pair[1],
                expires_at: Some(change.expires_at.unwrap_or_else(|| now.plus(delay + expires))),
                ramp: Some(RampStep { id: change.id, step, steps, target: change.target }),
                ..change.clone()
            };
            (change, delay)
        })
        .collect())
}

fn step_id(ramp: ChangeId, step: u32) -> ChangeId {
    ChangeId::derive(&["ramp", &ramp.to_string(), &step.to_string()])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ads::Owner;
    use crate::money::Currency;

    const NOW: Timestamp = Timestamp::from_millis(1_770_000_000_000);

    fn change(from: i64, target: i64) -> AdChange {
        AdChange {
            id: ChangeId::derive(&["far"]),
            account_id: "act_1".into(),
            campaign_id: "c1".into(),
            owner: Owner::ad_set("s1"),
            field: ChangeField::Budget,
            expected_from: from,
            target,
            currency: Currency::USD,
            allocation_id: None,
            causation_id: None,
            reason: String::new(),
            expires_at: None,
            ramp: None,
        }
    }

    fn values(from: i64, target: i64) -> Vec<i64> {
        let steps = ramp(&change(from, target), &Policy::standard(), NOW).unwrap();
        steps.iter().map(|(c, _)| c.target).collect()
    }

    #[test]
    fn a_far_target_is_reached_in_steps_of_a_fifth() {
        assert_eq!(values(1_000, 2_000), [1_200, 1_440, 1_728, 2_000]);
        assert_eq!(values(1_000, 500), [800, 640, 512, 500]);
        assert_eq!(values(1_000, 1_200), [1_200], "within the limit it stays one change");
    }

    #[test]
    fn the_first_keeps_the_id_and_each_has_a_window() {
        let steps = ramp(&change(1_000, 1_500), &Policy::standard(), NOW).unwrap();
        assert_eq!(steps[0].0.id, ChangeId::derive(&["far"]));
        assert_eq!(steps.len(), 3);
        assert_ne!(steps[1].0.id, steps[2].0.id);
        assert!(steps.windows(2).all(|w| w[1].1 - w[0].1 > Duration::from_secs(6 * 3_600)));
        assert_eq!(ramp(&change(1_000, 1_500), &Policy::standard(), NOW).unwrap(), steps);
    }

    #[test]
    fn what_cannot_be_ramped_is_refused() {
        for (from, target, field) in
            [(4, 100, "expected_from"), (100, i64::MAX, "target"), (100, 0, "target")]
        {
            let error = ramp(&change(from, target), &Policy::standard(), NOW).unwrap_err();
            assert!(error.message().starts_with(field), "{error}");
        }
    }

    proptest! {
        #[test]
        fn every_step_is_within_the_limit_and_the_last_arrives(from in 5i64..1_000_000, target in 5i64..1_000_000) {
            prop_assume!(from != target);
            let Ok(steps) = ramp(&change(from, target), &Policy::standard(), NOW) else { return Ok(()) };
            let mut at = from;
            for (step, _) in &steps {
                prop_assert_eq!(step.expected_from, at);
                prop_assert!((step.target - at).abs() * 5 <= at);
                at = step.target;
            }
            prop_assert_eq!(at, target);
        }
    }
}
