//! The equations of a large chain with fewer unknowns.
//!
//! A state that is come to from one other state only has no equation of its own: the walk back from it goes on there. Of the chains of
//! higher orders these are most states, as most rows of touches are seen once. What such a walk passes on the way to the next unknown
//! is kept beside it, since for the channels among it the walk has touched them.

use std::collections::BTreeMap;
use std::ops::Range;

use super::chain::Backwards;
use super::components::components;

/// Beyond so many touches on the way a state is an unknown again: what is kept grows with their number.
const MOST_PASSED: usize = 8;
/// Where the walk back ends at the start.
const NONE: u32 = u32::MAX;

/// The unknowns in the order in which they are solved.
#[derive(Debug, Default)]
pub(super) struct Reduced {
    /// The first place of each component, and the end.
    pub(super) components: Vec<usize>,
    /// The channel that the state of each place ends in.
    pub(super) newest: Vec<u32>,
    /// With which probability the walk back from each place does not come round to it, before it comes to another unknown.
    pub(super) away: Vec<f64>,
    /// How often each place is come to, for each conversion.
    pub(super) entered: Vec<f64>,
    /// Where the sources of each place begin, and the end.
    pub(super) starts: Vec<usize>,
    /// The places from where a place is come to, and with which probability.
    pub(super) sources: Vec<(u32, f64)>,
    /// By channel, then place: where the walk back from a place meets the channel on the way.
    pub(super) meetings: Vec<Meeting>,
    /// What is won at each place, by walks that end there or behind it.
    pub(super) won: Vec<[f64; 3]>,
    /// By channel: where what is won is won behind the channel.
    pub(super) won_behind: Vec<WonBehind>,
}

/// A way back from `place` that meets `channel` before it comes to `from`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meeting {
    pub(super) channel: u32,
    pub(super) place: u32,
    /// None where it ends at the start.
    pub(super) from: Option<u32>,
    /// With which probability the walk comes to the channel this way.
    pub(super) met: f64,
    /// And on to that place, which is in `sources` too.
    pub(super) on: f64,
}

/// What is won at a state whose walk back meets `channel` before it comes to `from`.
#[derive(Clone, Copy, Debug)]
pub(super) struct WonBehind {
    pub(super) channel: u32,
    pub(super) from: Option<u32>,
    pub(super) met: f64,
    pub(super) on: f64,
    pub(super) won: [f64; 3],
}

/// The walk back from a state until it comes to an unknown.
struct Way {
    /// Itself where it is one.
    unknown: u32,
    /// With which probability it comes there, and with which to the start.
    share: f64,
    begun: f64,
    /// Channels that it passes, each with the probability of coming to it.
    passed: Range<usize>,
}

impl Reduced {
    pub(super) fn new(chain: &Backwards) -> Self {
        let (order, bounds) = components(&chain.from);
        let (ways, passed) = ways(chain, &order);
        let way = |state: u32| &ways[state as usize];
        let is_unknown = |state: u32| way(state).unknown == state;
        let mut places = vec![NONE; order.len()];
        for (&state, place) in order.iter().filter(|&&state| is_unknown(state)).zip(0..) {
            places[state as usize] = place;
        }
        let place_of = |unknown: u32| places.get(unknown as usize).copied();

        let mut reduced = Self { starts: vec![0], components: vec![0], ..Self::default() };
        let mut row: BTreeMap<u32, f64> = BTreeMap::new();
        for bounds in bounds.windows(2) {
            for &state in order[bounds[0]..bounds[1]].iter().filter(|&&state| is_unknown(state)) {
                let place = places[state as usize];
                let mut away = chain.begun[state as usize];
                for &(source, probability) in &chain.from[state as usize] {
                    let Way { unknown, share, begun, passed: range } = way(source);
                    let on = probability * share;
                    away += probability * begun;
                    let from = place_of(*unknown);
                    if let Some(from) = from {
                        *row.entry(from).or_default() += on;
                    }
                    let met = passed[range.clone()].iter();
                    let met = met.map(|&(channel, met)| Meeting {
                        channel,
                        place,
                        from,
                        met: probability * met,
                        on,
                    });
                    reduced.meetings.extend(met);
                }
                row.remove(&place);
                away += row.values().sum::<f64>();
                reduced.sources.extend(std::mem::take(&mut row));
                reduced.starts.push(reduced.sources.len());
                reduced.newest.push(chain.newest[state as usize]);
                reduced.away.push(away);
                reduced.entered.push(chain.entered[state as usize]);
            }
            if reduced.components.last() != Some(&reduced.newest.len()) {
                reduced.components.push(reduced.newest.len());
            }
        }
        reduced.won = vec![[0.0; 3]; reduced.newest.len()];
        for (state, &won) in (0_u32..).zip(&chain.won).filter(|(_, won)| **won != [0.0; 3]) {
            let Way { unknown, share, passed: range, .. } = way(state);
            let from = place_of(*unknown);
            if let Some(from) = from {
                for (sum, won) in reduced.won[from as usize].iter_mut().zip(won) {
                    *sum += won * share;
                }
            }
            let behind = passed[range.clone()].iter();
            let behind = behind.map(|&(channel, met)| WonBehind { channel, from, met, on: *share, won });
            reduced.won_behind.extend(behind);
        }
        reduced.meetings.sort_by_key(|meeting| meeting.channel);
        reduced.won_behind.sort_by_key(|behind| behind.channel);
        reduced
    }
}

/// The way back from every state, and what they pass.
fn ways(chain: &Backwards, order: &[u32]) -> (Vec<Way>, Vec<(u32, f64)>) {
    let mut passed: Vec<(u32, f64)> = Vec::new();
    let mut ways: Vec<Way> = (0..)
        .take(order.len())
        .map(|state| Way { unknown: state, share: 1.0, begun: 0.0, passed: 0..0 })
        .collect();
    // A state whose source is not solved yet closes a round: it stays an unknown.
    let mut settled = vec![false; order.len()];
    for &state in order {
        let newest = chain.newest[state as usize];
        let begin = passed.len();
        let goes_on = match chain.from[state as usize].as_slice() {
            [] => Some((NONE, 0.0, 1.0)),
            &[(source, probability)] if settled[source as usize] => {
                let Way { unknown, share, begun, passed: range } = &ways[source as usize];
                (range.len() < MOST_PASSED).then(|| {
                    for place in range.clone() {
                        let (channel, met) = passed[place];
                        if channel != newest {
                            passed.push((channel, probability * met));
                        }
                    }
                    (*unknown, probability * share, chain.begun[state as usize] + probability * begun)
                })
            }
            _ => None,
        };
        if let Some((unknown, share, begun)) = goes_on {
            passed.push((newest, 1.0));
            ways[state as usize] = Way { unknown, share, begun, passed: begin..passed.len() };
        }
        settled[state as usize] = true;
    }
    (ways, passed)
}
