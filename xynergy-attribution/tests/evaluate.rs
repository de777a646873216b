//! Off-policy evaluation over simulated logs and on the Open Bandit data: values, coverage and refusals.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use std::collections::BTreeMap;
use std::io::Read as _;

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use xynergy_attribution::evaluate::{
    Estimator, EvaluationOptions, GateVerdict, LoggedDecision, OffPolicyEvaluation, TargetPolicy, evaluate,
    gate,
};

fn row(action: &str, propensity: f64, reward: f64) -> LoggedDecision {
    LoggedDecision { action: action.into(), propensity, reward, ..LoggedDecision::default() }
}

fn policy(actions: &[(&str, f64)]) -> TargetPolicy {
    let actions = actions.iter().map(|(action, p)| ((*action).to_owned(), *p)).collect();
    TargetPolicy { actions, contexts: BTreeMap::new() }
}

fn of(found: &OffPolicyEvaluation, estimator: Estimator) -> (f64, f64, f64) {
    let e = found.estimates.iter().find(|e| e.estimator == estimator).unwrap();
    (e.value, e.lower, e.upper)
}

fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{found}, not {expected}");
}

fn uniform(random: &mut ChaCha12Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0
}

/// Four rows by hand: a is shown with 1/2 and 1/4, b with 1/2 and 3/4, and the policy shows a with 3/4.
#[test]
fn the_estimators_are_what_they_are_by_hand() {
    let mut log = vec![row("a", 0.5, 1.0), row("b", 0.5, 0.0), row("a", 0.25, 2.0), row("b", 0.75, 1.0)];
    for row in &mut log {
        row.predicted = Some(BTreeMap::from([("a".into(), 1.5), ("b".into(), 0.5)]));
    }
    let found = evaluate(&log, &policy(&[("a", 0.75), ("b", 0.25)]), &EvaluationOptions::default()).unwrap();
    let ratios = [1.5, 0.5, 3.0, 1.0 / 3.0];
    let weighed = 1.5 + 6.0 + 1.0 / 3.0;
    assert_near(of(&found, Estimator::Ips).0, weighed / 4.0);
    assert_near(of(&found, Estimator::Snips).0, weighed / ratios.iter().sum::<f64>());
    assert_near(of(&found, Estimator::Dm).0, 0.75 * 1.5 + 0.25 * 0.5);
    let corrections = 1.5 * (1.0 - 1.5) + 0.5 * (0.0 - 0.5) + 3.0 * (2.0 - 1.5) + (1.0 - 0.5) / 3.0;
    assert_near(of(&found, Estimator::Dr).0, 1.25 + corrections / 4.0);
    assert_near(found.mean_weight, ratios.iter().sum::<f64>() / 4.0);
    assert_near(found.logged.value, 1.0);
    let certain = evaluate(&log, &policy(&[("a", 1.0)]), &EvaluationOptions::default()).unwrap();
    assert_near(of(&certain, Estimator::Replay).0, 1.5);
}

#[test]
fn a_clipped_weight_counts_as_the_limit() {
    let log = [row("a", 0.01, 1.0), row("b", 0.99, 1.0)];
    let options = EvaluationOptions { max_weight: Some(10.0), ..EvaluationOptions::default() };
    let found = evaluate(&log, &policy(&[("a", 0.5), ("b", 0.5)]), &options).unwrap();
    assert_near(of(&found, Estimator::Ips).0, (10.0 + 0.5 / 0.99) / 2.0);
    assert_eq!(found.clipped_count, 1);
}

#[test]
fn what_is_wrong_is_named_by_row_and_field() {
    let fine = row("a", 0.5, 1.0);
    let new = policy(&[("a", 1.0)]);
    let of = |log: &[LoggedDecision], policy: &TargetPolicy, options: &EvaluationOptions| {
        evaluate(log, policy, options).unwrap_err().message().to_owned()
    };
    let plain = EvaluationOptions::default();
    let cases = [
        (of(&[], &new, &plain), "log: there are no rows"),
        (of(&[fine.clone(), row("a", 0.0, 1.0)], &new, &plain), "log[1].propensity: 0"),
        (of(&[row("a", 1.5, 1.0)], &new, &plain), "log[0].propensity: 1.5"),
        (of(&[row("a", f64::NAN, 1.0)], &new, &plain), "log[0].propensity: NaN"),
        (of(&[row("a", 0.5, f64::NAN)], &new, &plain), "log[0].reward: NaN"),
        (of(&[row("a", 0.5, f64::INFINITY)], &new, &plain), "log[0].reward: inf"),
        (of(&[row("", 0.5, 1.0)], &new, &plain), "log[0].action"),
        (of(&[LoggedDecision { weight: Some(-1.0), ..fine.clone() }], &new, &plain), "log[0].weight: -1"),
        (
            of(std::slice::from_ref(&fine), &policy(&[("a", 0.7)]), &plain),
            "policy.actions: the probabilities sum to 0.7",
        ),
        (
            of(std::slice::from_ref(&fine), &policy(&[("a", 1.5), ("b", -0.5)]), &plain),
            "policy.actions.a: 1.5",
        ),
        (of(std::slice::from_ref(&fine), &TargetPolicy::default(), &plain), "log[0]"),
        (
            of(std::slice::from_ref(&fine), &new, &EvaluationOptions { confidence: 1.0, ..plain }),
            "options.confidence: 1",
        ),
        (
            of(std::slice::from_ref(&fine), &new, &EvaluationOptions { max_weight: Some(f64::NAN), ..plain }),
            "options.max_weight",
        ),
        (
            of(&[fine], &new, &EvaluationOptions { reward_max: Some(0.5), ..plain }),
            "log[0].reward: 1 is above",
        ),
    ];
    for (message, expected) in cases {
        assert!(message.contains(expected), "{message:?} has no {expected:?}");
    }
}

#[test]
fn a_thin_log_concludes_nothing_and_says_why() {
    let plain = EvaluationOptions::default();
    let uniform_log = |n: usize, reward: f64| -> Vec<LoggedDecision> {
        (0..n).map(|i| row(["a", "b"][i % 2], 0.5, if i % 4 < 2 { reward } else { 0.0 })).collect()
    };
    let cases = [
        (uniform_log(60, 1.0), policy(&[("a", 0.5), ("b", 0.5)]), "too few rows"),
        (uniform_log(4000, 0.0), policy(&[("a", 0.5), ("b", 0.5)]), "too few rewards"),
        (uniform_log(4000, 1.0), policy(&[("a", 0.5), ("never", 0.5)]), "(never)"),
        (
            (0..4000).map(|i| row(["a", "b"][i % 2], 0.25, 1.0)).collect(),
            policy(&[("a", 0.5), ("b", 0.5)]),
            "doubtful propensities",
        ),
    ];
    for (log, policy, reason) in cases {
        let found = evaluate(&log, &policy, &plain).unwrap();
        assert!(!found.conclusive && found.lower.is_none() && found.upper.is_none(), "{reason}");
        assert!(found.reasons.iter().any(|r| r.contains(reason)), "{:?} has no {reason:?}", found.reasons);
    }
    let enough = evaluate(&uniform_log(4000, 1.0), &policy(&[("a", 0.5), ("b", 0.5)]), &plain).unwrap();
    assert!(enough.conclusive, "{:?}", enough.reasons);
}

#[test]
fn the_gate_allows_refuses_and_says_when_it_cannot_tell() {
    let mut random = ChaCha12Rng::seed_from_u64(5);
    let log: Vec<_> = (0..20_000)
        .map(|_| {
            let action = if uniform(&mut random) < 0.5 { "good" } else { "bad" };
            let rate = if action == "good" { 0.05 } else { 0.01 };
            row(action, 0.5, f64::from(u8::from(uniform(&mut random) < rate)))
        })
        .collect();
    let plain = EvaluationOptions::default();
    let verdict = |log: &[LoggedDecision], proposed: &[(&str, f64)], current: Option<&[(&str, f64)]>| {
        let current = current.map(policy);
        gate(log, &policy(proposed), current.as_ref(), &plain).unwrap()
    };
    let better = verdict(&log, &[("good", 0.9), ("bad", 0.1)], None);
    assert_eq!(better.verdict, GateVerdict::Allow, "{:?}", better.reasons);
    better.require_allowed().unwrap();
    let worse = verdict(&log, &[("good", 0.1), ("bad", 0.9)], None);
    assert_eq!(worse.verdict, GateVerdict::Refuse);
    let error = worse.require_allowed().unwrap_err();
    assert!(
        error.kind() == xynergy_core::ErrorKind::LimitExceeded && error.message().contains("lower bound")
    );
    let back = verdict(&log, &[("good", 0.5), ("bad", 0.5)], Some(&[("good", 0.9), ("bad", 0.1)]));
    assert_eq!(back.verdict, GateVerdict::Refuse);
    let thin = verdict(&log[..50], &[("good", 0.9), ("bad", 0.1)], None);
    assert!(thin.verdict == GateVerdict::TooThin && thin.reasons[0].starts_with("proposed: too few rows"));
    let same = verdict(&log, &[("good", 0.5), ("bad", 0.5)], Some(&[("good", 0.5), ("bad", 0.5)]));
    assert_eq!(same.verdict, GateVerdict::Allow, "the same policy is not below itself");
}

/// Rewards of the simulated logs.
#[derive(Clone, Copy)]
enum Reward {
    /// Clicks at about 0.5 %.
    RareClicks,
    /// Clicks at about a half.
    Coins,
    /// Deals at about 2 %, log-normal ones.
    Deals,
    /// Deals, of which some are refunded.
    Refunds,
}

impl Reward {
    fn rate(self, action: usize) -> f64 {
        let rates = match self {
            Self::RareClicks => [0.003, 0.005, 0.008, 0.004],
            Self::Coins => [0.3, 0.5, 0.7, 0.4],
            Self::Deals | Self::Refunds => [0.03, 0.05, 0.08, 0.02],
        };
        rates[action]
    }

    fn mean(self, action: usize) -> f64 {
        let size = (0.5_f64 * 0.7 * 0.7).exp();
        self.rate(action)
            * match self {
                Self::RareClicks | Self::Coins => 1.0,
                Self::Deals => size,
                Self::Refunds => size * 0.8 - 0.2,
            }
    }

    fn draw(self, action: usize, random: &mut ChaCha12Rng) -> f64 {
        if uniform(random) >= self.rate(action) {
            return 0.0;
        }
        let mut deal = || {
            let (u, v) = (uniform(random).max(1e-300), uniform(random));
            (0.7 * (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()).exp()
        };
        match self {
            Self::RareClicks | Self::Coins => 1.0,
            Self::Deals => deal(),
            Self::Refunds => {
                let deal = deal();
                if uniform(random) < 0.2 { -1.0 } else { deal }
            }
        }
    }
}

const RUNS: i32 = 400;
const LOGGED: [f64; 4] = [0.4, 0.1, 0.1, 0.4];
const TARGET: [f64; 4] = [0.1, 0.2, 0.5, 0.2];
const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// At least 93 % of nominal 95 % intervals hold the truth, of every estimator without bias; those that refuse are counted beside.
#[test]
fn intervals_hold_the_truth_as_often_as_they_say() {
    let target = policy(&[("a", TARGET[0]), ("b", TARGET[1]), ("c", TARGET[2]), ("d", TARGET[3])]);
    let plain = EvaluationOptions::default();
    for (name, reward, rows) in [
        ("rare clicks", Reward::RareClicks, 12_000),
        ("coins", Reward::Coins, 400),
        ("deals", Reward::Deals, 2000),
        ("refunds", Reward::Refunds, 2000),
    ] {
        let truth: f64 = (0..4).map(|a| TARGET[a] * reward.mean(a)).sum();
        let mut random = ChaCha12Rng::seed_from_u64(17);
        let (mut runs, mut refused) = (0, 0);
        let estimators = [Estimator::Replay, Estimator::Ips, Estimator::Snips, Estimator::Dr];
        let mut held = [0; 4];
        let mut width = [0.0; 4];
        for _ in 0..RUNS {
            let log: Vec<_> = (0..rows)
                .map(|_| {
                    let (u, mut below, mut action) = (uniform(&mut random), 0.0, 3);
                    for (a, p) in LOGGED.iter().enumerate() {
                        below += p;
                        if u < below {
                            action = a;
                            break;
                        }
                    }
                    row(NAMES[action], LOGGED[action], reward.draw(action, &mut random))
                })
                .collect();
            let found = evaluate(&log, &target, &plain).unwrap();
            if !found.conclusive {
                refused += 1;
                continue;
            }
            runs += 1;
            for (i, estimator) in estimators.into_iter().enumerate() {
                let (_, lower, upper) = of(&found, estimator);
                held[i] += i32::from((lower..=upper).contains(&truth));
                width[i] += upper - lower;
            }
        }
        let shares = held.map(|held| f64::from(held) / f64::from(runs));
        let widths = width.map(|w| w / f64::from(runs) / truth.abs());
        println!(
            "{name}: coverage {shares:.3?} (replay, ips, snips, dr), width over truth {widths:.2?}, refused {refused} of {RUNS}"
        );
        assert!(runs >= RUNS * 3 / 4, "{name}: {refused} refused");
        assert!(shares.iter().all(|share| *share >= 0.93), "{name}: {shares:?}");
    }
}

/// The Open Bandit data's random log, by campaign men.
fn open_bandit(name: &str) -> Option<Vec<LoggedDecision>> {
    let path = format!("{}/../../shared/data/bandit/{name}.csv.gz", env!("CARGO_MANIFEST_DIR"));
    let Ok(file) = std::fs::File::open(&path) else {
        println!("skipped: {path} is not there");
        return None;
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let rows = text.lines().skip(1).map(|line| {
        let fields: Vec<&str> = line.splitn(7, ',').collect();
        LoggedDecision {
            context: fields[3].to_owned(),
            ..row(fields[2], fields[5].parse().unwrap(), fields[4].parse().unwrap())
        }
    });
    Some(rows.collect())
}

/// The policy of P(best) of the real priors, the same at every position.
fn thompson() -> TargetPolicy {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/bandit/thompson_golden_men.json");
    let golden: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let best: Vec<f64> = serde_json::from_value(golden["men"]["p_best"].clone()).unwrap();
    let sum: f64 = best.iter().sum();
    let actions = best.iter().enumerate().map(|(item, p)| (item.to_string(), p / sum)).collect();
    TargetPolicy { actions, contexts: BTreeMap::new() }
}

/// What OBP 0.4.1 makes of the same log, policy and predictions: `tests/python/open_bandit_oracle.py` prints these.
const BY_OBP: [(Estimator, f64); 4] = [
    (Estimator::Ips, 0.004_889_955_820_000_001),
    (Estimator::Snips, 0.004_970_734_031_940_608),
    (Estimator::Dm, 0.005_638_803_089_999_999),
    (Estimator::Dr, 0.004_962_744_595_420_001),
];
const REPLAY_BY_OBP: f64 = 0.003_663_003_663_003_662_6;

#[test]
fn the_estimators_are_those_of_obp_on_the_open_bandit_data() {
    let Some(mut log) = open_bandit("obd_random_men") else { return };
    let predicted: BTreeMap<String, f64> =
        (0..34_u32).map(|item| (item.to_string(), 0.004 + 0.0001 * f64::from(item))).collect();
    for row in &mut log {
        row.predicted = Some(predicted.clone());
    }
    let (target, plain) = (thompson(), EvaluationOptions::default());
    let found = evaluate(&log, &target, &plain).unwrap();
    for (estimator, expected) in BY_OBP {
        let value = of(&found, estimator).0;
        assert!((value - expected).abs() < 1e-12, "{estimator:?}: {value:.17}, not {expected:.17}");
    }
    let best = target.actions.iter().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
    let sure = evaluate(&log, &policy(&[(best, 1.0)]), &plain).unwrap();
    assert!((of(&sure, Estimator::Replay).0 - REPLAY_BY_OBP).abs() < 1e-12);
    println!("{found:#?}");
}

/// A bootstrap of the real log, whose truth is the estimate on all of it: 10,000 rows with 46 clicks.
#[test]
fn intervals_cover_on_the_open_bandit_data() {
    let Some(log) = open_bandit("obd_random_men") else { return };
    let (target, plain) = (thompson(), EvaluationOptions::default());
    let truth = of(&evaluate(&log, &target, &plain).unwrap(), Estimator::Ips).0;
    let by_snips = of(&evaluate(&log, &target, &plain).unwrap(), Estimator::Snips).0;
    let mut random = ChaCha12Rng::seed_from_u64(23);
    let (mut runs, mut held) = (0, [0; 3]);
    for _ in 0..150 {
        let sample: Vec<_> = (0..log.len())
            .map(|_| log[usize::try_from(random.next_u64() % log.len() as u64).unwrap()].clone())
            .collect();
        let found = evaluate(&sample, &target, &plain).unwrap();
        if found.conclusive {
            runs += 1;
            for (i, (estimator, truth)) in
                [(Estimator::Ips, truth), (Estimator::Snips, by_snips), (Estimator::Dr, by_snips)]
                    .into_iter()
                    .enumerate()
            {
                let (_, lower, upper) = of(&found, estimator);
                held[i] += i32::from((lower..=upper).contains(&truth));
            }
        }
    }
    let shares = held.map(|held| f64::from(held) / f64::from(runs));
    println!("open bandit: coverage {shares:.3?} (ips, snips, dr) in {runs} of 150");
    assert!(runs >= 100 && shares.iter().all(|share| *share >= 0.93), "{shares:?} in {runs}");
}
