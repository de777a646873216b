//! The Markov chain of paths as integer counts, and its removal effects.
//!
//! The chain whose transition probabilities are the observed frequencies visits every state exactly as often as the paths did,
//! since what flows into a state in the paths flows out of it. So its visits and the probability of a conversion need no solve, and it
//! can be read backwards: from a state the walk came from `s` with probability count(s, t) / visits(t). Removing a channel loses those
//! conversions whose walk touched it, so with `d(t)`, the probability that the walk up to a visit of `t` has touched the channel,
//!
//! > removal effect = sum over t of conversions(t) d(t) / conversions,
//! > d(t) = 1 for states that end in the channel, and otherwise the sum over s of count(s, t) / visits(t) d(s), with d(start) = 0.
//!
//! All terms are non-negative: nothing cancels. Value needs no further solve, only value(t) in place of conversions(t).

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use xynergy_core::Result;

use super::path::never_added;
use super::round::real;
use super::{dense, sparse};

/// The last touches, the newest in the lowest 32 bits, each a channel's number and one; zero is the start.
type State = u128;

const START: State = 0;

#[derive(Clone, Debug)]
pub(super) struct Chain {
    /// Keeps the last `order` touches.
    mask: State,
    with_nulls: bool,
    steps: HashMap<(State, u32), i128>,
    ends: HashMap<State, End>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct End {
    nulls: i128,
    /// Conversions, positive value, negative value without its sign.
    won: [i128; 3],
}

/// The chain read backwards, its states numbered.
#[derive(Debug)]
pub(super) struct Backwards {
    /// The channel that each state ends in, as its place among the channels.
    pub(super) newest: Vec<u32>,
    /// From where each state is come to, but for itself: the states, and with which probability.
    pub(super) from: Vec<Vec<(u32, f64)>>,
    /// With which probability each state is come to from the start.
    pub(super) begun: Vec<f64>,
    /// What ends in each state: shares of conversions, of value and of refunds.
    pub(super) won: Vec<[f64; 3]>,
    /// How often each state is come to from others, for each conversion.
    pub(super) entered: Vec<f64>,
    pub(super) channels: usize,
}

impl Chain {
    pub(super) fn new(order: u8, with_nulls: bool) -> Self {
        let mask = if order >= 4 { State::MAX } else { (1 << (32 * u32::from(order))) - 1 };
        Self { mask, with_nulls, steps: HashMap::new(), ends: HashMap::new() }
    }

    /// Counts a path of at least one touch; with negative numbers takes it out.
    pub(super) fn count(&mut self, channels: &[u32], conversions: i128, nulls: i128, value: [i128; 2]) {
        let nulls = if self.with_nulls { nulls } else { 0 };
        if conversions == 0 && nulls == 0 {
            return;
        }
        let mut state = START;
        for &channel in channels {
            add(&mut self.steps, (state, channel), conversions + nulls);
            state = self.after(state, channel);
        }
        self.end(state, &End { nulls, won: [conversions, value[0], value[1]] });
    }

    pub(super) fn merge(&mut self, other: &Self, here: impl Fn(u32) -> u32) {
        let moved = |state: State| {
            let part = |place: u32| {
                let touch = newest(state >> (32 * place));
                touch.map_or(0, |channel| (State::from(here(channel)) + 1) << (32 * place))
            };
            part(0) | part(1) | part(2) | part(3)
        };
        for (&(state, channel), &count) in &other.steps {
            add(&mut self.steps, (moved(state), here(channel)), count);
        }
        for (&state, end) in &other.ends {
            self.end(moved(state), end);
        }
    }

    pub(super) fn has_negative(&self) -> bool {
        self.steps.values().any(|&count| count < 0)
            || self.ends.values().any(|end| end.nulls < 0 || end.won.iter().any(|&won| won < 0))
    }

    /// The probability that a walk from the start ends in a conversion; none without a path.
    pub(super) fn conversion_probability(&self) -> Option<f64> {
        let [conversions, _, _] = self.won();
        let nulls: i128 = self.ends.values().map(|end| end.nulls).sum();
        (conversions + nulls > 0).then(|| real(conversions) / real(conversions + nulls))
    }

    /// The removal effects on conversions, value and refunds of each of `channels`, which are all that the chain has.
    pub(super) fn removal_effects(&self, channels: &[u32]) -> Result<Vec<[f64; 3]>> {
        let backwards = self.backwards(channels);
        if !backwards.all_begin() {
            return Err(never_added());
        }
        if backwards.newest.len() <= dense::MOST_STATES {
            Ok(dense::removal_effects(&backwards))
        } else {
            sparse::removal_effects(&backwards)
        }
    }

    /// States are numbered by the names of their channels, so that the sums of floats do not depend on the order of the paths.
    fn backwards(&self, channels: &[u32]) -> Backwards {
        let ranks: HashMap<u32, u32> = channels.iter().copied().zip(0..).collect();
        let ranked = |state: State| {
            let part = |place: u32| {
                let rank = newest(state >> (32 * place)).and_then(|channel| ranks.get(&channel));
                rank.map_or(0, |&rank| (State::from(rank) + 1) << (32 * place))
            };
            part(3) | part(2) | part(1) | part(0)
        };
        let mut steps: Vec<(State, State, i128)> = self
            .steps
            .iter()
            .map(|(&(state, channel), &count)| (ranked(self.after(state, channel)), ranked(state), count))
            .collect();
        steps.sort_unstable();
        let mut states: Vec<State> = steps.iter().map(|&(to, _, _)| to).collect();
        states.dedup();
        let numbers: HashMap<State, u32> = states.iter().copied().zip(0..).collect();
        let totals = self.won().map(real);
        let mut won = vec![[0.0; 3]; states.len()];
        for (&state, end) in &self.ends {
            if let Some(&number) = numbers.get(&ranked(state)) {
                won[number as usize] =
                    std::array::from_fn(|k| if totals[k] > 0.0 { real(end.won[k]) / totals[k] } else { 0.0 });
            }
        }
        let mut from = Vec::with_capacity(states.len());
        let mut begun = Vec::with_capacity(states.len());
        let mut entered = Vec::with_capacity(states.len());
        for steps in steps.chunk_by(|a, b| a.0 == b.0) {
            // Staying in a state touches nothing else: integers leave it out without an error.
            let others = steps.iter().filter(|&&(to, source, _)| to != source);
            let visits = real(others.clone().map(|&(_, _, count)| count).sum());
            let probability = |count: i128| real(count) / visits;
            begun.push(others.clone().find(|step| step.1 == START).map_or(0.0, |step| probability(step.2)));
            let sources = others.filter_map(|&(_, source, count)| {
                numbers.get(&source).map(|&source| (source, probability(count)))
            });
            from.push(sources.collect());
            entered.push(visits / totals[0].max(1.0));
        }
        let newest = states.iter().map(|&state| newest(state).unwrap_or_default()).collect();
        Backwards { newest, from, begun, won, entered, channels: channels.len() }
    }

    fn won(&self) -> [i128; 3] {
        std::array::from_fn(|kind| self.ends.values().map(|end| end.won[kind]).sum())
    }

    fn after(&self, state: State, channel: u32) -> State {
        ((state << 32) | (State::from(channel) + 1)) & self.mask
    }

    fn end(&mut self, state: State, with: &End) {
        let mut end = self.ends.get(&state).copied().unwrap_or_default();
        end.nulls += with.nulls;
        for (sum, more) in end.won.iter_mut().zip(with.won) {
            *sum += more;
        }
        if end == End::default() {
            self.ends.remove(&state);
        } else {
            self.ends.insert(state, end);
        }
    }
}

impl Backwards {
    /// Whether every state can be come to from the start: what is left of a path that was never added may go round without a beginning.
    fn all_begin(&self) -> bool {
        let mut next: Vec<Vec<u32>> = vec![Vec::new(); self.from.len()];
        for (to, sources) in (0..).zip(&self.from) {
            for &(source, _) in sources {
                next[source as usize].push(to);
            }
        }
        let mut begins: Vec<bool> = self.begun.iter().map(|&begun| begun > 0.0).collect();
        let mut open: Vec<u32> =
            (0..).zip(&begins).filter(|(_, begins)| **begins).map(|(state, _)| state).collect();
        while let Some(state) = open.pop() {
            for &to in &next[state as usize] {
                if !std::mem::replace(&mut begins[to as usize], true) {
                    open.push(to);
                }
            }
        }
        begins.into_iter().all(|begins| begins)
    }
}

/// The channel that a state ends in; none for the start.
fn newest(state: State) -> Option<u32> {
    u32::try_from(state & State::from(u32::MAX)).ok()?.checked_sub(1)
}

/// What sums to zero is as if it had never been there.
fn add(steps: &mut HashMap<(State, u32), i128>, step: (State, u32), count: i128) {
    match steps.entry(step) {
        Entry::Occupied(mut entry) => {
            *entry.get_mut() += count;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
        Entry::Vacant(entry) => {
            entry.insert(count);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn both_solves_agree(
            paths in prop::collection::vec((prop::collection::vec(0_u32..12, 1..12), 0_i128..5, 0_i128..5, 0_i128..900), 1..60),
            order in 1_u8..=4,
        ) {
            let mut chain = Chain::new(order, true);
            for (channels, conversions, nulls, value) in &paths {
                chain.count(channels, *conversions, *nulls, [value * conversions, *conversions]);
            }
            let mut present: Vec<u32> =
                paths.iter().filter(|p| p.1 + p.2 > 0).flat_map(|p| p.0.iter().copied()).collect();
            present.sort_unstable();
            present.dedup();
            let backwards = chain.backwards(&present);
            let (dense, sparse) = (dense::removal_effects(&backwards), sparse::removal_effects(&backwards).unwrap());
            prop_assert_eq!(dense.len(), present.len());
            prop_assert_eq!(sparse.len(), present.len());
            for (a, b) in dense.iter().flatten().zip(sparse.iter().flatten()) {
                prop_assert!((a - b).abs() < 1e-12, "{} {}", a, b);
            }
        }
    }

    /// A walk that goes round a million times converges slowly, and is solved all the same.
    #[test]
    fn a_long_round_is_solved() {
        let mut chain = Chain::new(1, true);
        let round: Vec<u32> = (0..200_000).map(|touch| touch % 2).collect();
        chain.count(&round, 1, 0, [0, 0]);
        chain.count(&[0, 2], 1, 3, [0, 0]);
        let backwards = chain.backwards(&[0, 1, 2]);
        let (dense, sparse) =
            (dense::removal_effects(&backwards), sparse::removal_effects(&backwards).unwrap());
        for (a, b) in dense.iter().flatten().zip(sparse.iter().flatten()) {
            assert!((a - b).abs() < 1e-9, "{a} {b}");
        }
    }

    /// Long ways that are gone once only, crossing a few that are gone often: what is no unknown, and where it becomes one again.
    #[test]
    fn long_ways_without_a_crossing_are_solved() {
        for order in 1..=4 {
            let mut chain = Chain::new(order, true);
            for start in 0..40_u32 {
                let way: Vec<u32> = (0..60).map(|touch| (start * 7 + touch * (start % 3 + 1)) % 47).collect();
                chain.count(&way, i128::from(start % 3), 1, [i128::from(start), 0]);
            }
            let channels: Vec<u32> = (0..47).collect();
            let backwards = chain.backwards(&channels);
            let (dense, sparse) =
                (dense::removal_effects(&backwards), sparse::removal_effects(&backwards).unwrap());
            for (a, b) in dense.iter().flatten().zip(sparse.iter().flatten()) {
                assert!((a - b).abs() < 1e-12, "{order}: {a} {b}");
            }
        }
    }

    /// Large enough for several threads; every block of channels is the same whoever solves it.
    #[test]
    fn threads_change_no_byte() {
        let mut chain = Chain::new(2, true);
        let mut seed = 1_u64;
        let mut draw = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            u32::try_from((seed >> 33) % below).unwrap()
        };
        for _ in 0..4_000 {
            let path: Vec<u32> = (0..=draw(9)).map(|_| draw(60)).collect();
            chain.count(&path, draw(2).into(), 1, [draw(900).into(), 0]);
        }
        let channels: Vec<u32> = (0..60).collect();
        let backwards = chain.backwards(&channels);
        let one = sparse::with_threads(&backwards, 1).unwrap();
        assert!(backwards.newest.len() > dense::MOST_STATES);
        assert_eq!(one, sparse::with_threads(&backwards, 5).unwrap());
        assert_eq!(one, sparse::removal_effects(&backwards).unwrap());
    }
}
