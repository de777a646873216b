use proptest::prelude::*;

use super::*;
use crate::env::{Entropy, SeededEntropy};
use crate::route::weighted::below;

fn plan() -> Plan {
    let stages = vec![5, 25, 50, 100];
    Plan { stages, min_calls: 40, confidence_percent: 95, max_slowdown_percent: None }
}

/// How a rollout over so many calls ends when the arms fail with these probabilities, in thousandths, and take so long; with the
/// candidate's calls.
fn simulated(plan: &Plan, seed: u64, failing: (u64, u64), ms: (u64, u64)) -> (Phase, u64) {
    let entropy = SeededEntropy::new(seed);
    let mut rollout = Rollout::new(plan);
    let mut given = 0;
    for _ in 0..20_000 {
        let arm = arm(u128::from(entropy.next_u64()), rollout.percent(plan));
        let (failing, ms) = if arm == Arm::Candidate { (failing.1, ms.1) } else { (failing.0, ms.0) };
        given += u64::from(arm == Arm::Candidate);
        let failed = below(&entropy, 1_000) < failing;
        // From half of it to one and a half.
        let ended = if failed { Ended::Failed } else { Ended::Answered(ms / 2 + below(&entropy, ms + 1)) };
        rollout.observe(plan, rollout.phase(), arm, ended);
        if !matches!(rollout.phase(), Phase::Stage(_)) {
            break;
        }
    }
    (rollout.phase(), given)
}

#[test]
fn an_equal_candidate_is_promoted_and_hardly_ever_rolled_back() {
    for (failing, seeds) in [(50, 1_000), (10, 200), (200, 200)] {
        let ends: Vec<Phase> =
            (0..seeds).map(|seed| simulated(&plan(), seed, (failing, failing), (100, 100)).0).collect();
        let of = |phase| ends.iter().filter(|end| **end == phase).count();
        let (promoted, rolled_back) = (of(Phase::Promoted), of(Phase::RolledBack));
        assert!(rolled_back * 20 <= ends.len(), "{rolled_back} at {failing}: the stated confidence is 95 %");
        assert_eq!(promoted + rolled_back, ends.len(), "all have come to an end");
    }
}

#[test]
fn a_bad_candidate_is_rolled_back_before_it_has_much() {
    let mut given = 0;
    for seed in 0..200 {
        let (phase, calls) = simulated(&plan(), seed, (20, 600), (100, 100));
        assert_eq!(phase, Phase::RolledBack, "seed {seed}");
        given += calls;
    }
    // It fails 6 of 10 calls: 10 or 20 of its first 40 calls tell.
    assert!(given < 200 * 20, "{given} calls in 200 runs");
}

#[test]
fn a_slow_candidate_is_rolled_back_only_where_it_matters() {
    let minding = Plan { max_slowdown_percent: Some(20), ..plan() };
    let mut false_alarms = 0;
    for seed in 0..200 {
        assert_eq!(simulated(&minding, seed, (20, 20), (100, 200)).0, Phase::RolledBack, "seed {seed}");
        // 10 % slower is allowed, so what rolls it back is chance.
        false_alarms += u32::from(simulated(&minding, seed, (20, 20), (100, 110)).0 == Phase::RolledBack);
    }
    assert!(false_alarms <= 10, "{false_alarms} of 200");
    let promoted =
        (0..50).filter(|seed| simulated(&plan(), *seed, (20, 20), (100, 200)).0 == Phase::Promoted);
    assert!(promoted.count() >= 47);
}

#[test]
fn stages_follow_each_other_and_late_calls_say_nothing() {
    let plan = Plan { stages: vec![1, 100], min_calls: 8, ..plan() };
    let mut rollout = Rollout::new(&plan);
    let stage = rollout.phase();
    let mut steps = Vec::new();
    for _ in 0..8 {
        steps.extend(rollout.observe(&plan, stage, Arm::Baseline, Ended::Answered(1)));
        steps.extend(rollout.observe(&plan, stage, Arm::Candidate, Ended::Answered(1)));
    }
    assert_eq!((steps, rollout.percent(&plan)), (vec![Step::Advanced], 100));
    assert_eq!(rollout.observe(&plan, stage, Arm::Candidate, Ended::Failed), None);

    let all_at_once = Plan { stages: vec![100], ..plan };
    assert_eq!(Rollout::new(&all_at_once).phase(), Phase::Promoted);
}

#[test]
fn shares_are_met_and_only_grow() {
    let entropy = SeededEntropy::new(3);
    let keys: Vec<u128> =
        (0..20_000).map(|_| u128::from(entropy.next_u64()) << 64 | u128::from(entropy.next_u64())).collect();
    for percent in [1_u32, 5, 25, 50] {
        let given = keys.iter().filter(|key| arm(**key, percent) == Arm::Candidate).count();
        let expected = 200.0 * f64::from(percent);
        let deviation = (expected * (1.0 - f64::from(percent) / 100.0)).sqrt();
        let off = f64::from(u32::try_from(given).unwrap()) - expected;
        assert!(off.abs() < 5.0 * deviation, "{percent}: {given}");
        assert!(
            keys.iter()
                .all(|key| arm(*key, percent) == Arm::Baseline || arm(*key, percent + 1) == Arm::Candidate)
        );
    }
    assert!(keys.iter().all(|key| arm(*key, 0) == Arm::Baseline && arm(*key, 100) == Arm::Candidate));
}

proptest! {
    /// Whatever happens: the share never shrinks but to nothing, and from there and from the whole nothing leads away.
    #[test]
    fn it_goes_up_or_back(events in proptest::collection::vec((any::<bool>(), any::<bool>(), 0_usize..3), 1..600)) {
        let plan = Plan { min_calls: 8, ..plan() };
        let mut rollout = Rollout::new(&plan);
        let mut in_stage = 0;
        for (candidate, failed, behind) in events {
            let before = rollout.clone();
            let phase = match before.phase() {
                Phase::Stage(stage) => Phase::Stage(stage.saturating_sub(behind)),
                other => other,
            };
            let arm = if candidate { Arm::Candidate } else { Arm::Baseline };
            let ended = if failed { Ended::Failed } else { Ended::Answered(5) };
            let step = rollout.observe(&plan, phase, arm, ended);
            in_stage += u32::from(phase == before.phase());
            match step {
                Some(Step::RolledBack) => prop_assert_eq!(rollout.percent(&plan), 0),
                Some(Step::Advanced) => {
                    prop_assert!(rollout.percent(&plan) > before.percent(&plan));
                    prop_assert!(in_stage >= 2 * plan.min_calls, "both must have had their calls");
                    in_stage = 0;
                }
                None => prop_assert_eq!(rollout.phase(), before.phase()),
            }
            if !matches!(before.phase(), Phase::Stage(_)) {
                prop_assert_eq!(&rollout, &before);
            }
        }
    }
}
