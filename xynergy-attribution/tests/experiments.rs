//! Experiments: false positives under continuous peeking, power, guardrails, promotion and rollback, and what treatment adds.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use std::collections::BTreeMap;

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use xynergy_attribution::experiments::{
    ExperimentEvent, ExperimentPhase, ExperimentSpec, ExperimentState, GroupOutcome, Judgement, Shard,
    ShardOutcome, Tallies, incrementality, judge,
};
use xynergy_core::Timestamp;

const START: Timestamp = Timestamp::from_millis(1_772_000_000_000);

fn uniform(random: &mut ChaCha12Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0
}

#[allow(clippy::needless_pass_by_value)]
fn spec(id: &str, more: serde_json::Value) -> ExperimentSpec {
    let mut spec = serde_json::json!({
        "experiment_id": id,
        "arms": [{"arm_id": "old", "share_ppm": 500_000}, {"arm_id": "new", "share_ppm": 500_000}],
        "control": "old",
        "metric": {"name": "bought", "kind": "binary"},
    });
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(spec).unwrap()
}

/// An experiment whose units are recorded into one shard.
struct World {
    state: ExperimentState,
    shard: Shard,
    events: u64,
}

impl World {
    fn new(spec: ExperimentSpec) -> Self {
        Self { state: ExperimentState::start(spec, START).unwrap(), shard: Shard::default(), events: 0 }
    }

    /// Exposes a unit and records what it does by its arm: the rate of the binary metrics and the values of the others.
    fn visit(&mut self, unit: &str, metrics: &[(&str, Option<i64>)]) {
        let events = [None].into_iter().chain(metrics.iter().map(Some)).map(|metric| {
            self.events += 1;
            ExperimentEvent {
                event_id: format!("e{}", self.events),
                unit_id: unit.to_owned(),
                metric: metric.map(|(name, _)| (*name).to_owned()),
                value_minor: metric.and_then(|(_, value)| *value),
            }
        });
        for event in events.collect::<Vec<_>>() {
            event.validate("event", &self.state.spec).unwrap();
            assert_eq!(self.shard.add(&self.state.spec, &event).unwrap(), ShardOutcome::Recorded);
            assert_eq!(self.shard.add(&self.state.spec, &event).unwrap(), ShardOutcome::Duplicate);
        }
    }

    fn look(&self) -> Judgement {
        let mut tallies = Tallies::default();
        tallies.count(&self.state, &self.shard);
        judge(&self.state, &tallies)
    }

    /// What a look does to the experiment; whether it moved on.
    fn moved(&mut self) -> bool {
        let Some(next) = self.state.after(&self.look(), START) else { return false };
        if next.after_promotion != self.state.after_promotion {
            self.shard = Shard::default();
        }
        self.state = next;
        true
    }

    /// Visits until the experiment moves on; after how many.
    fn run(&mut self, random: &mut ChaCha12Rng, most: u32, rate: impl Fn(&str) -> f64) -> Option<u32> {
        for visit in 1..=most {
            let unit = format!("{}-{visit}", self.events);
            let arm = self.state.assign(&unit).arm_id;
            let bought = uniform(random) < rate(&arm);
            self.visit(&unit, if bought { &[("bought", None)] } else { &[] });
            if visit % 500 == 0 && self.moved() {
                return Some(visit);
            }
        }
        None
    }
}

/// Tallies as a judge gets them, without hashing a unit: by arm its units, and by metric how many have it, the sum and the squares.
fn tallies(arms: &[(&str, u64, u64, i64, u64)], metric: &str) -> Tallies {
    Tallies::of(arms.iter().map(|(arm, units, having, sum, squares)| {
        (*arm, *units, metric, *having, i128::from(*sum), u128::from(*squares))
    }))
}

/// Counts of one arm as they grow.
#[derive(Clone, Copy, Default)]
struct Growing {
    units: u64,
    having: u64,
    sum: i64,
    squares: u64,
}

impl Growing {
    fn add(&mut self, value: i64) {
        self.units += 1;
        self.having += u64::from(value != 0);
        self.sum += value;
        self.squares += (value * value).unsigned_abs();
    }

    fn row<'a>(&self, arm: &'a str) -> (&'a str, u64, u64, i64, u64) {
        (arm, self.units, self.having, self.sum, self.squares)
    }
}

/// How many of `runs` A/A experiments ever call anything different, looking `looks` times.
fn false_alarms(
    spec: &ExperimentSpec,
    seed: u64,
    runs: u32,
    units: u32,
    every: u32,
    draw: impl Fn(&mut ChaCha12Rng) -> i64,
) -> u32 {
    let state = ExperimentState::start(spec.clone(), START).unwrap();
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let mut alarms = 0;
    for _ in 0..runs {
        let mut arms = [Growing::default(); 2];
        for unit in 1..=units {
            let arm = usize::from(uniform(&mut random) < 0.5);
            arms[arm].add(draw(&mut random));
            if unit % every == 0 {
                let seen =
                    judge(&state, &tallies(&[arms[0].row("old"), arms[1].row("new")], &spec.metric.name));
                if seen.arms[1].better || seen.arms[1].worse {
                    alarms += 1;
                    break;
                }
            }
        }
    }
    alarms
}

/// 2,000 A/A experiments of 2,000 units, looked at after every 10: at most 5 % ever differ. The bound leaves chance two standard errors.
#[test]
fn continuous_peeking_at_nothing_rarely_finds_something() {
    let most = 0.05 + 2.0 * (0.05_f64 * 0.95 / 2000.0).sqrt();
    let binary = spec("aa", serde_json::json!({}));
    for (rate, units) in [(0.03, 3000), (0.5, 1000)] {
        let alarms = false_alarms(&binary, 3, 2000, units, 10, |random| i64::from(uniform(random) < rate));
        println!("binary at {rate}: {alarms} of 2000 A/A runs");
        assert!(f64::from(alarms) / 2000.0 <= most, "{rate}: {alarms}");
    }
    let value = spec(
        "aa",
        serde_json::json!({"metric": {"name": "revenue", "kind": "value"}, "planned_units": 2000}),
    );
    let alarms = false_alarms(&value, 4, 2000, 3000, 10, |random| {
        // Orders at 10 %, log-normal.
        if uniform(random) >= 0.1 {
            return 0;
        }
        let (u, v) = (uniform(random).max(1e-300), uniform(random));
        (5000.0 * ((-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()).exp()) as i64
    });
    println!("value: {alarms} of 2000 A/A runs");
    assert!(f64::from(alarms) / 2000.0 <= most, "value: {alarms}");
}

#[test]
fn several_arms_share_alpha() {
    let arms: Vec<_> = ["old", "b", "c", "d", "e"]
        .map(|arm| serde_json::json!({"arm_id": arm, "share_ppm": 200_000}))
        .into();
    let spec = spec("many", serde_json::json!({"arms": arms}));
    let state = ExperimentState::start(spec.clone(), START).unwrap();
    let mut random = ChaCha12Rng::seed_from_u64(6);
    let mut alarms = 0;
    for _ in 0..500 {
        let mut counts = [Growing::default(); 5];
        for unit in 1..=4000 {
            let arm = (uniform(&mut random) * 5.0) as usize;
            counts[arm].add(i64::from(uniform(&mut random) < 0.05));
            if unit % 100 == 0 {
                let rows: Vec<_> =
                    ["old", "b", "c", "d", "e"].iter().zip(&counts).map(|(arm, c)| c.row(arm)).collect();
                if judge(&state, &tallies(&rows, "bought")).arms.iter().any(|arm| arm.better || arm.worse) {
                    alarms += 1;
                    break;
                }
            }
        }
    }
    println!("five arms: {alarms} of 500 A/A runs");
    assert!(alarms <= 25 + 10, "{alarms}");
}

#[test]
fn a_winner_is_promoted_and_rolled_back_when_it_turns_out_worse() {
    let mut random = ChaCha12Rng::seed_from_u64(1);
    let mut world =
        World::new(spec("promote", serde_json::json!({"auto_promote": true, "holdback_ppm": 300_000})));
    let after = world.run(&mut random, 30_000, |arm| if arm == "new" { 0.13 } else { 0.10 });
    println!("promoted after {after:?} visits");
    assert_eq!(world.state.phase, ExperimentPhase::Promoted);
    assert_eq!(world.state.serving, "new");
    let share =
        (0..10_000).filter(|unit| world.state.assign(&format!("later {unit}")).arm_id == "new").count();
    assert!((6_800..7_200).contains(&share), "{share}");
    let after = world.run(&mut random, 60_000, |arm| if arm == "new" { 0.08 } else { 0.10 });
    println!("rolled back after {after:?} visits");
    assert_eq!(world.state.phase, ExperimentPhase::RolledBack);
    let served = world.state.assign("anyone");
    assert!(served.arm_id == "old" && !served.counted);
    assert!(!world.moved(), "nothing follows a rollback");
    let phases: Vec<_> = world.state.history.iter().map(|step| step.phase).collect();
    assert_eq!(phases, [ExperimentPhase::Running, ExperimentPhase::Promoted, ExperimentPhase::RolledBack]);
}

#[test]
fn a_guardrail_takes_a_better_arm_out_and_forbids_its_promotion() {
    let guarded = serde_json::json!({"auto_promote": true, "guardrails": [{"metric": {"name": "refund", "kind": "binary", "better": "lower"}}]});
    let mut world = World::new(spec("guarded", guarded));
    let mut random = ChaCha12Rng::seed_from_u64(2);
    for visit in 0..6000 {
        let unit = format!("v{visit}");
        let new = world.state.assign(&unit).arm_id == "new";
        let mut metrics = Vec::new();
        if uniform(&mut random) < if new { 0.3 } else { 0.2 } {
            metrics.push(("bought", None));
        }
        if uniform(&mut random) < if new { 0.1 } else { 0.04 } {
            metrics.push(("refund", None));
        }
        world.visit(&unit, &metrics);
    }
    let seen = world.look();
    assert!(seen.arms[1].better && seen.arms[1].breached == ["refund"] && seen.winner.is_none(), "{seen:#?}");
    let error = world.state.stop(Some("new"), &seen, START).unwrap_err();
    assert!(
        error.kind() == xynergy_core::ErrorKind::Rejected && error.message().contains("refund"),
        "{error}"
    );
    assert!(world.moved());
    assert_eq!(world.state.phase, ExperimentPhase::Stopped);
    assert_eq!(world.state.assign("anyone").arm_id, "old");
    // A margin lets as much through.
    let guarded = serde_json::json!({"guardrails": [{"metric": {"name": "refund", "kind": "binary", "better": "lower"}, "margin_ppm": 3_000_000}]});
    let lenient = World { state: ExperimentState::start(spec("guarded", guarded), START).unwrap(), ..world };
    assert_eq!(lenient.look().winner.as_deref(), Some("new"));
}

#[test]
fn values_win_where_less_is_better_too() {
    let cost = serde_json::json!({"metric": {"name": "cost", "kind": "value", "better": "lower"}, "planned_units": 4000});
    let mut world = World::new(spec("cost", cost));
    let mut random = ChaCha12Rng::seed_from_u64(8);
    for visit in 0..4000 {
        let unit = format!("v{visit}");
        let cheaper = world.state.assign(&unit).arm_id == "new";
        let value = (uniform(&mut random) * if cheaper { 900.0 } else { 1000.0 }) as i64;
        world.visit(&unit, &[("cost", Some(value))]);
    }
    let seen = world.look();
    let effect = seen.arms[1].effect.unwrap();
    assert_eq!(seen.winner.as_deref(), Some("new"));
    assert!(
        effect.lower.unwrap() < -50.0 && effect.upper.unwrap() > -50.0 && effect.upper.unwrap() < 0.0,
        "{effect:?}"
    );
}

#[test]
fn exposures_that_are_lost_in_one_arm_are_noticed() {
    let mut world = World::new(spec("lost", serde_json::json!({})));
    for visit in 0..4000 {
        let unit = format!("v{visit}");
        if world.state.assign(&unit).arm_id == "old" || visit % 5 != 0 {
            world.visit(&unit, &[]);
        }
    }
    let seen = world.look();
    assert!(seen.mismatched && seen.winner.is_none() && seen.reasons[0].contains("other shares"));
}

#[test]
fn any_order_of_events_leaves_the_same_bytes() {
    let spec = spec("order", serde_json::json!({"metric": {"name": "revenue", "kind": "value"}}));
    let events: Vec<_> = (0..500)
        .map(|n| ExperimentEvent {
            event_id: format!("event-{}", n % 400),
            unit_id: format!("unit-{}", n % 400 % 70),
            metric: (n % 400 % 3 != 0).then(|| "revenue".to_owned()),
            value_minor: (n % 400 % 3 != 0).then_some(i64::from(n % 400) * 7 - 900),
        })
        .collect();
    let folded = |order: &[ExperimentEvent]| {
        let mut shard = Shard::default();
        for event in order {
            shard.add(&spec, event).unwrap();
        }
        serde_json::to_string(&shard).unwrap()
    };
    let mut turned = events.clone();
    turned.reverse();
    turned.rotate_left(123);
    let bytes = folded(&events);
    assert_eq!(bytes, folded(&turned));
    assert!(!bytes.contains("unit-") && !bytes.contains("event-"), "no id is stored itself");
}

#[test]
fn what_is_wrong_with_a_spec_or_an_event_is_named() {
    let problem = |more: serde_json::Value| {
        ExperimentState::start(spec("x", more), START).unwrap_err().message().to_owned()
    };
    let arm = |id: &str, share: u32| serde_json::json!({"arm_id": id, "share_ppm": share});
    let cases = [
        (problem(serde_json::json!({"experiment_id": ""})), "spec.experiment_id"),
        (problem(serde_json::json!({"arms": [arm("old", 1_000_000)]})), "spec.arms: there are 1"),
        (problem(serde_json::json!({"arms": [arm("old", 1), arm("new", 2)]})), "sum to 3 ppm"),
        (
            problem(serde_json::json!({"arms": [arm("old", 500_000), arm("old", 500_000)]})),
            "spec.arms[1].arm_id",
        ),
        (problem(serde_json::json!({"control": "none"})), "spec.control"),
        (problem(serde_json::json!({"alpha_ppm": 700_000})), "spec.alpha_ppm"),
        (problem(serde_json::json!({"holdback_ppm": 0})), "spec.holdback_ppm"),
        (
            problem(serde_json::json!({"guardrails": [{"metric": {"name": "bought", "kind": "binary"}}]})),
            "given twice",
        ),
    ];
    for (message, expected) in cases {
        assert!(message.contains(expected), "{message:?} has no {expected:?}");
    }
    let spec = spec("x", serde_json::json!({}));
    let event = |metric: Option<&str>, value_minor| ExperimentEvent {
        event_id: "e".into(),
        unit_id: "u".into(),
        metric: metric.map(str::to_owned),
        value_minor,
    };
    for (event, expected) in [
        (event(Some("other"), None), "none of the experiment's metrics: bought"),
        (event(Some("bought"), Some(3)), "value_minor"),
        (event(None, Some(3)), "metric"),
        (ExperimentEvent { unit_id: String::new(), ..event(None, None) }, "unit_id"),
    ] {
        let message = event.validate("events[0]", &spec).unwrap_err().message().to_owned();
        assert!(message.starts_with("events[0].") && message.contains(expected), "{message}");
    }
}

fn group(unit_count: u64, conversions: u64) -> GroupOutcome {
    GroupOutcome { unit_count, conversions, values_minor: None }
}

#[test]
fn the_multiplier_is_what_would_not_have_come_anyway() {
    let found = incrementality(&group(90_000, 900), &group(10_000, 50), None, 0.95).unwrap();
    assert!(found.conclusive && (found.multiplier.unwrap() - 0.5).abs() < 1e-12, "{found:?}");
    let attributed = incrementality(&group(90_000, 900), &group(10_000, 50), Some(600), 0.95).unwrap();
    assert!((attributed.multiplier.unwrap() - 0.75).abs() < 1e-12);
    assert!((attributed.lower.unwrap() - 1.5 * found.lower.unwrap()).abs() < 1e-12);
    let none = incrementality(&group(90_000, 450), &group(10_000, 50), None, 0.95).unwrap();
    assert!(!none.conclusive && none.reasons[0].contains("no effect is not excluded"));
    let thin = incrementality(&group(100, 9), &group(100, 2), None, 0.95).unwrap();
    assert!(!thin.conclusive && thin.lower.is_none() && thin.reasons[0].contains("too few conversions"));
    for (treated, holdout, attributed, expected) in [
        (group(0, 0), group(1, 0), None, "treated.unit_count"),
        (group(5, 6), group(1, 0), None, "treated.conversions"),
        (group(5, 1), group(5, 1), Some(0), "attributed"),
        (GroupOutcome { values_minor: Some(vec![1]), ..group(5, 1) }, group(5, 1), None, "values_minor"),
        (
            GroupOutcome { values_minor: Some(vec![]), ..group(5, 1) },
            group(5, 1),
            None,
            "treated.values_minor",
        ),
    ] {
        let message = incrementality(&treated, &holdout, attributed, 0.95).unwrap_err().message().to_owned();
        assert!(message.starts_with(expected), "{message}");
    }
}

/// Coverage over simulated groups, of conversions and of log-normal values.
#[test]
fn the_multipliers_interval_holds_the_truth() {
    let mut random = ChaCha12Rng::seed_from_u64(9);
    let mut held = BTreeMap::from([("conversions", (0, 0)), ("value", (0, 0))]);
    for _ in 0..600 {
        let mut draw = |units: u64, rate: f64| {
            let mut values = Vec::new();
            for _ in 0..units {
                if uniform(&mut random) < rate {
                    let (u, v) = (uniform(&mut random).max(1e-300), uniform(&mut random));
                    let normal = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
                    values.push((5000.0 * (0.7 * normal).exp()) as i64);
                }
            }
            GroupOutcome { unit_count: units, conversions: values.len() as u64, values_minor: Some(values) }
        };
        let (treated, holdout) = (draw(4000, 0.05), draw(1500, 0.03));
        let without = |g: &GroupOutcome| GroupOutcome { values_minor: None, ..g.clone() };
        for (name, found) in [
            ("conversions", incrementality(&without(&treated), &without(&holdout), None, 0.95).unwrap()),
            ("value", incrementality(&treated, &holdout, None, 0.95).unwrap()),
        ] {
            if let (Some(lower), Some(upper)) = (found.lower, found.upper) {
                let (inside, all) = held.get_mut(name).unwrap();
                *inside += u32::from((lower..=upper).contains(&0.4));
                *all += 1;
            }
        }
    }
    println!("incrementality: {held:?} hold the truth");
    for (name, (inside, all)) in held {
        assert!(all > 500 && f64::from(inside) / f64::from(all) >= 0.93, "{name}: {inside} of {all}");
    }
}
