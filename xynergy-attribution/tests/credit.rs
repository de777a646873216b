//! Credit against independent computations: a forward chain solved with a channel's states taken out, recorded figures of the
//! reference data, and what every division must hold.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_possible_truncation)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::PathBuf;

use proptest::prelude::*;
use xynergy_attribution::credit::{
    AfterConversion, CreditModel, CreditParameters, Credits, Journey, JourneyConversion, PositionWeights,
    Tally, TouchPath, credit, paths,
};
use xynergy_core::{ErrorKind, Timestamp};

const MODELS: [CreditModel; 9] = [
    CreditModel::First,
    CreditModel::Last,
    CreditModel::LastNonDirect,
    CreditModel::Linear,
    CreditModel::LinearPerChannel,
    CreditModel::Position,
    CreditModel::TimeDecay,
    CreditModel::Markov,
    CreditModel::Shapley,
];

fn path(text: &str, conversions: u64, value_minor: i64, nulls: u64) -> TouchPath {
    let channels: Vec<String> = text.split(" > ").map(str::to_owned).collect();
    let times =
        (1..).map(|day: i64| Timestamp::from_micros(day * 86_400_000_000)).take(channels.len()).collect();
    TouchPath { channels, times: Some(times), at: None, conversions, value_minor, nulls }
}

fn markov(order: u8, nulls: bool) -> CreditParameters {
    CreditParameters { order: Some(order), nulls: Some(nulls), ..CreditParameters::default() }
}

fn millionths(credits: &Credits) -> BTreeMap<&str, i64> {
    credits.channels.iter().map(|c| (c.channel.as_str(), c.conversions_millionths)).collect()
}

fn plain(given: &[TouchPath], model: CreditModel) -> Credits {
    credit(given, model, &CreditParameters::default()).unwrap()
}

#[test]
fn each_model_divides_a_path_as_it_says() {
    let given = [path("a > b > b > direct", 1, 1_000, 0)];
    let check = |model, parameters: CreditParameters, expected: &[(&str, i64, i64)]| {
        let credits = credit(&given, model, &parameters).unwrap();
        let found: Vec<_> = credits
            .channels
            .iter()
            .map(|c| (c.channel.as_str(), c.conversions_millionths, c.value_minor))
            .collect();
        assert_eq!(found, expected, "{model:?}");
    };
    let none = CreditParameters::default;
    check(CreditModel::First, none(), &[("a", 1_000_000, 1_000), ("b", 0, 0), ("direct", 0, 0)]);
    check(CreditModel::Last, none(), &[("a", 0, 0), ("b", 0, 0), ("direct", 1_000_000, 1_000)]);
    check(CreditModel::LastNonDirect, none(), &[("a", 0, 0), ("b", 1_000_000, 1_000), ("direct", 0, 0)]);
    check(CreditModel::Linear, none(), &[("a", 250_000, 250), ("b", 500_000, 500), ("direct", 250_000, 250)]);
    let thirds = [("a", 333_334, 334), ("b", 333_333, 333), ("direct", 333_333, 333)];
    check(CreditModel::LinearPerChannel, none(), &thirds);
    check(CreditModel::Shapley, none(), &thirds);
    check(
        CreditModel::Position,
        none(),
        &[("a", 400_000, 400), ("b", 200_000, 200), ("direct", 400_000, 400)],
    );
    let weights = Some(PositionWeights { first: 1, between: 0, last: 3 });
    check(
        CreditModel::Position,
        CreditParameters { weights, ..none() },
        &[("a", 250_000, 250), ("b", 0, 0), ("direct", 750_000, 750)],
    );
    let half_life_seconds = Some(86_400);
    check(
        CreditModel::TimeDecay,
        CreditParameters { half_life_seconds, ..none() },
        &[("a", 66_667, 67), ("b", 400_000, 400), ("direct", 533_333, 533)],
    );
    check(
        CreditModel::Linear,
        CreditParameters { lookback_steps: Some(2), ..none() },
        &[("b", 500_000, 500), ("direct", 500_000, 500)],
    );
    check(
        CreditModel::Linear,
        CreditParameters { lookback_days: Some(1), ..none() },
        &[("b", 500_000, 500), ("direct", 500_000, 500)],
    );
}

#[test]
fn the_lookback_goes_back_from_the_conversion_and_leaves_what_is_without_touch() {
    let day = |day: i64| Timestamp::from_micros(day * 86_400_000_000);
    let mut given = path("a > b > c", 2, 900, 0);
    given.at = Some(day(5));
    let parameters = CreditParameters { lookback_days: Some(2), ..CreditParameters::default() };
    let credits = credit(&[given.clone()], CreditModel::First, &parameters).unwrap();
    assert_eq!(millionths(&credits), [("c", 2_000_000)].into());
    assert_eq!(credits.parameters.lookback_days, Some(2));
    given.at = Some(day(2));
    let after = plain(&[given.clone()], CreditModel::Last);
    assert_eq!(
        millionths(&after),
        [("a", 0), ("b", 2_000_000)].into(),
        "a touch after the conversion did not bring it"
    );
    given.at = Some(day(9));
    for model in MODELS {
        let credits = credit(&[given.clone()], model, &parameters).unwrap();
        assert!(credits.channels.is_empty(), "{model:?}");
        assert_eq!(credits.unattributed, credits.total);
        assert_eq!((credits.total.conversions_millionths, credits.total.value_minor), (2_000_000, 900));
    }
}

#[test]
fn journeys_become_one_path_for_each_conversion() {
    let at = Timestamp::from_micros;
    let journey = Journey {
        channels: ["c", "a", "b", "d"].map(str::to_owned).into(),
        times: [30, 10, 20, 50].map(at).into(),
        conversions: vec![
            JourneyConversion { at: at(40), value_minor: -5 },
            JourneyConversion { at: at(20), value_minor: 7 },
        ],
    };
    let shape = |after| {
        let found = paths(std::slice::from_ref(&journey), after).unwrap();
        found.iter().map(|p| (p.channels.concat(), p.conversions, p.value_minor, p.nulls)).collect::<Vec<_>>()
    };
    let expect = |rows: [(&str, u64, i64, u64); 3]| rows.map(|(c, n, v, z)| (c.to_owned(), n, v, z)).to_vec();
    assert_eq!(shape(AfterConversion::Keep), expect([("ab", 1, 7, 0), ("abc", 1, -5, 0), ("d", 0, 0, 1)]));
    assert_eq!(shape(AfterConversion::Restart), expect([("ab", 1, 7, 0), ("c", 1, -5, 0), ("d", 0, 0, 1)]));
    let wrong = Journey { times: vec![], ..journey };
    let error = paths(&[wrong], AfterConversion::Keep).unwrap_err();
    assert_eq!(error.message(), "journeys[0].times: 0 times for 4 channels; give one for each touch");
}

#[test]
fn what_is_wrong_is_named() {
    let good = || path("a > b", 1, 5, 1);
    let check = |model, parameters: CreditParameters, given: TouchPath, message: &str| {
        let error = credit(&[good(), given], model, &parameters).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(error.message(), message);
    };
    let none = CreditParameters::default;
    check(
        CreditModel::Linear,
        none(),
        TouchPath { times: Some(vec![]), ..good() },
        "paths[1].times: 0 times for 2 channels; give one for each touch",
    );
    check(
        CreditModel::TimeDecay,
        none(),
        TouchPath { times: None, ..good() },
        "paths[1].times: lookback_days and time_decay need the time of each touch; give them, or another model",
    );
    check(
        CreditModel::Linear,
        none(),
        path("a > ", 1, 0, 0),
        "paths[1].channels: an empty name is no channel; name it, such as \"direct\"",
    );
    check(
        CreditModel::Linear,
        none(),
        TouchPath { conversions: u64::MAX, ..good() },
        "paths[1].conversions: 18446744073709551615 is above 1000000000; split the path in two",
    );
    check(
        CreditModel::Linear,
        none(),
        TouchPath { value_minor: i64::MIN, ..good() },
        "paths[1].value_minor: -9223372036854775808 is beyond 1000000000000000 minor units; check its unit",
    );
    check(
        CreditModel::Markov,
        none(),
        TouchPath { conversions: 0, ..good() },
        "paths[1].value_minor: markov divides the value of conversions, and conversions is 0; give it the count, or remove the path and add it with the value that is left",
    );
    check(CreditModel::Markov, markov(5, true), good(), "order: 5 is not 1 to 4");
    check(
        CreditModel::First,
        markov(1, true),
        good(),
        "order: belongs to the model markov, not to first; leave it out, or change the model",
    );
    check(
        CreditModel::TimeDecay,
        CreditParameters { half_life_seconds: Some(0), ..none() },
        good(),
        "half_life_seconds: 0 is no half-life; give 1 or more, or use last",
    );
    check(
        CreditModel::Linear,
        CreditParameters { lookback_steps: Some(0), ..none() },
        good(),
        "lookback_steps: 0 leaves no touch; give 1 or more, or leave it out",
    );
    let weights = Some(PositionWeights { first: 0, between: 0, last: 0 });
    check(
        CreditModel::Position,
        CreditParameters { weights, ..none() },
        good(),
        "weights: all three are 0; give one of them more",
    );
}

/// Acyclic and cyclic fixtures whose removal effects are known: mta's test fixture, and one that simulations cut off.
#[test]
fn removal_effects_of_known_fixtures() {
    let effects = |given: &[TouchPath]| -> Vec<(String, f64)> {
        let credits = plain(given, CreditModel::Markov);
        credits.channels.into_iter().map(|c| (c.channel, c.removal_effect.unwrap())).collect()
    };
    let close = |found: Vec<(String, f64)>, expected: &[(&str, f64)]| {
        assert_eq!(found.len(), expected.len());
        for ((channel, effect), (name, exact)) in found.iter().zip(expected) {
            assert_eq!(channel, name);
            assert!((effect - exact).abs() < 1e-12, "{name}: {effect}");
        }
    };
    close(
        effects(&[path("a > b", 3, 0, 1), path("a > c", 1, 0, 1)]),
        &[("a", 1.0), ("b", 0.75), ("c", 0.25)],
    );
    close(
        effects(&[path("a > b > a", 3, 0, 1), path("b > a > b", 1, 0, 3)]),
        &[("a", 11.0 / 12.0), ("b", 0.75)],
    );
}

#[test]
fn values_have_removal_effects_of_their_own_and_refunds_are_taken_back() {
    let given = [path("a > b", 1, 1_000, 0), path("a", 1, 0, 0), path("b", 1, -300, 0)];
    let credits = plain(&given, CreditModel::Markov);
    assert_eq!(credits.total.value_minor, 700);
    assert_eq!(credits.channels.iter().map(|c| c.value_minor).sum::<i64>(), 700);
    // Of walks that end in b (value +1000 and -300) half have passed a: a's effect on both is 1/2, b's is 1.
    let expected = [1_000 / 3 - 100, 667 - 200];
    assert_eq!(credits.channels.iter().map(|c| c.value_minor).collect::<Vec<_>>(), expected);
}

// ---------------------------------------------------------------------------------------------------------------------------------

/// The chain forwards, a channel's states taken out, the conversion probability by elimination with pivoting.
fn brute_force(given: &[TouchPath], order: usize, nulls: bool) -> BTreeMap<String, f64> {
    type State<'a> = Vec<&'a str>;
    let mut steps: BTreeMap<State<'_>, BTreeMap<State<'_>, f64>> = BTreeMap::new();
    let mut ends: BTreeMap<State<'_>, (f64, f64)> = BTreeMap::new();
    for path in given {
        let (won, lost) = (path.conversions as f64, if nulls { path.nulls as f64 } else { 0.0 });
        if won + lost == 0.0 {
            continue;
        }
        let mut state = State::new();
        for channel in &path.channels {
            let mut next = state.clone();
            next.push(channel);
            if next.len() > order {
                next.remove(0);
            }
            *steps.entry(state).or_default().entry(next.clone()).or_default() += won + lost;
            state = next;
        }
        let end = ends.entry(state).or_default();
        end.0 += won;
        end.1 += lost;
    }
    let states: BTreeSet<State<'_>> = steps.keys().chain(ends.keys()).cloned().collect();
    let probability = |without: Option<&str>| -> f64 {
        let kept: Vec<&State<'_>> =
            states.iter().filter(|s| without.is_none() || s.last().copied() != without).collect();
        let place = |state: &State<'_>| kept.iter().position(|s| *s == state);
        let mut rows = vec![vec![0.0; kept.len() + 1]; kept.len()];
        for (i, state) in kept.iter().enumerate() {
            let (won, lost) = ends.get(*state).copied().unwrap_or_default();
            let out: f64 = steps.get(*state).into_iter().flat_map(BTreeMap::values).sum::<f64>() + won + lost;
            rows[i][i] += 1.0;
            for (next, count) in steps.get(*state).into_iter().flatten() {
                if let Some(j) = place(next) {
                    rows[i][j] -= count / out;
                }
            }
            rows[i][kept.len()] = won / out;
        }
        let size = kept.len();
        for p in 0..size {
            let best = (p..size).max_by(|&a, &b| rows[a][p].abs().total_cmp(&rows[b][p].abs())).unwrap();
            rows.swap(p, best);
            for r in 0..size {
                if r != p {
                    let factor = rows[r][p] / rows[p][p];
                    let pivot_row = rows[p].clone();
                    for (to, from) in rows[r].iter_mut().zip(&pivot_row) {
                        *to -= factor * from;
                    }
                }
            }
        }
        // The start is the empty state, and sorts first.
        rows[0][size] / rows[0][0]
    };
    let base = probability(None);
    let channels: BTreeSet<&str> = states.iter().filter_map(|s| s.last().copied()).collect();
    channels.into_iter().map(|c| (c.to_owned(), 1.0 - probability(Some(c)) / base)).collect()
}

fn some_paths(most: usize) -> impl Strategy<Value = Vec<TouchPath>> {
    let one = (prop::collection::vec(0_usize..6, 1..8), 0_u64..5, -5_000_i64..20_000, 0_u64..5);
    prop::collection::vec(one, 1..most).prop_map(|rows| {
        rows.into_iter()
            .map(|(touches, conversions, value, nulls)| {
                let text: Vec<&str> =
                    touches.iter().map(|&t| ["a", "b", "c", "d", "direct", "e"][t]).collect();
                path(&text.join(" > "), conversions, if conversions == 0 { 0 } else { value }, nulls)
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn removal_effects_are_those_of_a_chain_without_the_channel(
        given in some_paths(12), order in 1_u8..=4, nulls: bool,
    ) {
        prop_assume!(given.iter().any(|path| path.conversions > 0));
        let found = credit(&given, CreditModel::Markov, &markov(order, nulls)).unwrap();
        let expected = brute_force(&given, usize::from(order), nulls);
        for row in &found.channels {
            let effect = row.removal_effect.unwrap();
            let exact = expected.get(&row.channel).copied().unwrap_or(0.0);
            prop_assert!((effect - exact).abs() < 1e-10, "{} {effect} {exact}", row.channel);
        }
        let sum: f64 = expected.values().sum();
        let total: f64 = given.iter().map(|path| path.conversions as f64).sum();
        for row in &found.channels {
            let exact = expected.get(&row.channel).copied().unwrap_or(0.0) / sum * total;
            prop_assert!((row.conversions_millionths as f64 / 1e6 - exact).abs() < 2e-6);
        }
    }

    #[test]
    fn credit_sums_to_the_total_whatever_the_order(given in some_paths(40), turn in 0_usize..40) {
        let mut turned = given.clone();
        turned.rotate_left(turn % given.len());
        turned.reverse();
        for model in MODELS {
            let credits = plain(&given, model);
            let conversions: u64 = given.iter().map(|path| path.conversions).sum();
            let value: i64 = given.iter().map(|path| path.value_minor).sum();
            prop_assert_eq!(credits.channels.iter().map(|c| c.conversions_millionths).sum::<i64>(), i64::try_from(conversions).unwrap() * 1_000_000);
            prop_assert_eq!(credits.channels.iter().map(|c| c.value_minor).sum::<i64>(), value, "{:?}", model);
            prop_assert!(credits.channels.iter().all(|c| c.conversions_millionths >= 0));
            let bytes = serde_json::to_string(&credits).unwrap();
            prop_assert_eq!(&bytes, &serde_json::to_string(&plain(&turned, model)).unwrap());
        }
    }

    #[test]
    fn added_removed_and_merged_is_the_batch(
        kept in some_paths(20), gone in some_paths(20), cut in 0_usize..20, order in 1_u8..=4, nulls: bool,
    ) {
        for model in MODELS {
            let parameters =
                if model == CreditModel::Markov { markov(order, nulls) } else { CreditParameters::default() };
            let batch = credit(&kept, model, &parameters).unwrap();
            let (mut one, mut two) =
                (Tally::new(model, &parameters).unwrap(), Tally::new(model, &parameters).unwrap());
            for path in &gone {
                one.add(path).unwrap();
            }
            let (first, second) = kept.split_at(cut.min(kept.len()));
            for path in second {
                two.add(path).unwrap();
            }
            for path in &gone {
                two.remove(path).unwrap();
            }
            for path in first {
                one.add(path).unwrap();
            }
            one.merge(&two).unwrap();
            let (one, batch) = (serde_json::to_string(&one.credits().unwrap()), serde_json::to_string(&batch));
            prop_assert_eq!(one.unwrap(), batch.unwrap(), "{:?}", model);
        }
    }

    /// The closed form against the definition: the mean marginal contribution over all orders of joining.
    #[test]
    fn shapley_is_the_mean_over_all_orders(given in some_paths(12)) {
        let channels: Vec<String> = given
            .iter()
            .filter(|p| p.conversions + p.nulls > 0)
            .flat_map(|p| p.channels.clone())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let inside = |set: usize| -> f64 {
            let wins = |p: &&TouchPath| p.channels.iter().all(|c| channels.iter().position(|n| n == c).is_some_and(|i| set >> i & 1 == 1));
            given.iter().filter(wins).map(|p| p.conversions as f64).sum()
        };
        let factorial = |n: usize| (1..=n).product::<usize>() as f64;
        let n = channels.len();
        let tally = {
            let mut tally = Tally::new(CreditModel::Shapley, &CreditParameters::default()).unwrap();
            given.iter().for_each(|path| tally.add(path).unwrap());
            tally.unrounded().unwrap()
        };
        for (i, channel) in channels.iter().enumerate() {
            let exact: f64 = (0..1_usize << n)
                .filter(|set| set >> i & 1 == 0)
                .map(|set| {
                    let size = set.count_ones() as usize;
                    factorial(size) * factorial(n - size - 1) / factorial(n) * (inside(set | 1 << i) - inside(set))
                })
                .sum();
            prop_assert!((tally[channel].conversions - exact).abs() < 1e-9);
        }
    }
}

#[test]
fn what_was_never_added_cannot_be_removed() {
    for model in MODELS {
        let mut tally = Tally::new(model, &CreditParameters::default()).unwrap();
        tally.add(&path("a > b > a", 1, 0, 0)).unwrap();
        tally.remove(&path("a", 1, 0, 0)).unwrap();
        tally.remove(&path("c", 1, 0, 0)).unwrap();
        let error = tally.credits().unwrap_err();
        assert_eq!(error.message(), "paths: one was removed that was never added; add it first", "{model:?}");
    }
    // What is left has as many touches and conversions as paths could have.
    for model in MODELS {
        let mut tally = Tally::new(model, &CreditParameters::default()).unwrap();
        tally.add(&path("a", 1, 0, 0)).unwrap();
        tally.add(&path("b", 0, 0, 1)).unwrap();
        tally.remove(&path("b", 1, 0, 0)).unwrap();
        let error = tally.credits().unwrap_err();
        assert_eq!(error.message(), "paths: one was removed that was never added; add it first", "{model:?}");
        tally.add(&path("b", 1, 0, 0)).unwrap();
        assert_eq!(millionths(&tally.credits().unwrap())["a"], 1_000_000, "{model:?}");
    }
    // A round without a beginning, in a chain that is small and in one that is not.
    for channels in [0, 1_500] {
        let mut tally = Tally::new(CreditModel::Markov, &CreditParameters::default()).unwrap();
        for channel in 0..channels {
            tally.add(&path(&format!("c{channel}"), 1, 0, 0)).unwrap();
        }
        tally.add(&path("a > b > a > b > a", 1, 0, 0)).unwrap();
        tally.remove(&path("a", 1, 0, 0)).unwrap();
        let error = tally.credits().unwrap_err();
        assert_eq!(
            error.message(),
            "paths: one was removed that was never added; add it first",
            "{channels}"
        );
    }
    let mut tally = Tally::new(CreditModel::Markov, &CreditParameters::default()).unwrap();
    let other = Tally::new(CreditModel::Markov, &markov(2, true)).unwrap();
    assert!(tally.merge(&other).is_err());
}

/// Without a path, without a conversion, of one channel, and of as much as there can be.
#[test]
fn the_edges_of_what_can_be_given() {
    let lots = || TouchPath {
        conversions: 1_000_000_000,
        value_minor: 1_000_000_000_000_000,
        ..path("b > a > b", 1, 0, 7)
    };
    for model in MODELS {
        let none = plain(&[], model);
        assert!(none.channels.is_empty() && none.conversion_probability.is_none(), "{model:?}");
        let lost = plain(&[path("a > b", 0, 0, 3), path("b", 0, 0, 1)], model);
        assert_eq!(millionths(&lost), [("a", 0), ("b", 0)].into(), "{model:?}");
        assert_eq!(lost.channels.iter().map(|row| row.touch_count).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(lost.conversion_probability, (model == CreditModel::Markov).then_some(0.0));
        let one = plain(&[path("a > a > a", 2, -7, 1), path("a", 1, 3, 0)], model);
        assert_eq!(millionths(&one), [("a", 3_000_000)].into(), "{model:?}");
        assert_eq!(one.channels[0].value_minor, -4);
        assert_eq!(one.channels[0].removal_effect, (model == CreditModel::Markov).then_some(1.0));
        let most = plain(&vec![lots(); 9_000], model);
        assert_eq!(most.channels.iter().map(|row| row.value_minor).sum::<i64>(), 9_000_000_000_000_000_000);
        assert_eq!(most.total.conversions_millionths, 9_000_000_000_000_000_000);
        let error = credit(&vec![lots(); 9_300], model, &CreditParameters::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(
            error.message().ends_with("the sum of all paths is beyond 64 bits; credit fewer paths at a time")
        );
    }
    let unseen = credit(&[path("a", 0, 0, 3)], CreditModel::Markov, &markov(2, false)).unwrap();
    assert_eq!((unseen.channels.len(), unseen.conversion_probability), (1, None));
}

proptest! {
    /// Not even a millionth, where a float has not so many digits as the total.
    #[test]
    fn what_has_no_effect_has_no_credit(
        given in some_paths(12), conversions in prop::collection::vec(0_u64..1_000_000_000, 12), order in 1_u8..=4,
    ) {
        let mut given: Vec<TouchPath> = given.into_iter().zip(conversions).map(|(path, conversions)| {
            let value_minor = i64::try_from(conversions * 999_983).unwrap();
            TouchPath { conversions, value_minor, ..path }
        }).collect();
        given.push(path("0 > z", 0, 0, 5));
        let credits = credit(&given, CreditModel::Markov, &markov(order, true)).unwrap();
        for row in &credits.channels {
            prop_assert!(row.conversions_millionths >= 0 && row.value_minor >= 0, "{:?}", row);
            if row.removal_effect == Some(0.0) {
                prop_assert_eq!((row.conversions_millionths, row.value_minor), (0, 0), "{:?}", row);
            }
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------------------------

fn shared(name: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/paths").join(name);
    if !folder.exists() {
        println!("skipped: ../shared/data/paths/{name} is absent");
        return None;
    }
    Some(folder)
}

/// The reference data of `ChannelAttribution`: values in millionths of its unit.
fn path_data() -> Option<Vec<TouchPath>> {
    let mut text = String::new();
    let file = std::fs::File::open(shared("PathData.csv.gz")?).unwrap();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let rows = text.lines().skip(1).map(|line| {
        let fields: Vec<&str> = line.split(';').collect();
        let value = (fields[2].parse::<f64>().unwrap() * 1e9).round();
        TouchPath {
            channels: fields[0].split(" > ").map(str::to_owned).collect(),
            conversions: fields[1].parse().unwrap(),
            value_minor: value as i64,
            nulls: fields[3].parse().unwrap(),
            ..TouchPath::default()
        }
    });
    Some(rows.collect())
}

#[test]
fn the_heuristics_are_those_of_the_reference_data() {
    let Some(given) = path_data() else { return };
    let expected = std::fs::read_to_string(shared("expected_heuristic.csv").unwrap()).unwrap();
    for (column, model) in [(1, CreditModel::First), (3, CreditModel::Last), (5, CreditModel::Linear)] {
        let mut tally = Tally::new(model, &CreditParameters::default()).unwrap();
        given.iter().for_each(|path| tally.add(path).unwrap());
        let found = tally.unrounded().unwrap();
        assert_eq!(found.len(), 12);
        for line in expected.lines().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            let number = |column: usize| fields[column].parse::<f64>().unwrap();
            let unrounded = found[fields[0]];
            assert!((unrounded.conversions - number(column)).abs() < 1e-9, "{model:?} {}", fields[0]);
            assert!(
                (unrounded.value_minor / 1e9 - number(column + 1)).abs() < 1e-6,
                "{model:?} {}",
                fields[0]
            );
        }
        let credits = tally.credits().unwrap();
        assert_eq!(credits.channels.iter().map(|c| c.conversions_millionths).sum::<i64>(), 19_785_000_000);
    }
}

#[test]
fn removal_effects_of_the_reference_data_are_exact() {
    let Some(given) = path_data() else { return };
    let credits = plain(&given, CreditModel::Markov);
    assert!((credits.conversion_probability.unwrap() - 0.223_845_135_596_863_8).abs() < 1e-15);
    let found = millionths(&credits);
    for (channel, exact) in [
        ("alpha", 5_344_947_682_i64),
        ("beta", 2_527_352_167),
        ("lambda", 1_282_847_223),
        ("kappa", 274_363_256),
        ("mi", 1_722_425),
    ] {
        assert!((found[channel] - exact).abs() <= 1, "{channel}: {}", found[channel]);
    }
}
