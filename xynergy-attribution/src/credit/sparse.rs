//! Removal effects of large chains: the equations of sixteen channels at once, component by component.
//!
//! The states fall into strongly connected components, and come out of the search such that what a component depends on is done
//! before it. One state alone is solved by its one equation; within a component Gauss and Seidel go round until the distance
//! from the solution is below [`TOLERANCE`]. All terms are non-negative, and the iteration rises to the solution from zero.
//!
//! How far an effect is from its solution is bounded by the last round's changes, each times how often the walks back from conversions
//! visit its state: what such a change still moves flows on along these walks. That is at most the visits of all walks.

use xynergy_core::{Error, ErrorKind, Result};

use super::chain::Backwards;

const LANES: usize = 16;
type Lanes = [f64; LANES];

/// Of a removal effect on conversions.
const TOLERANCE: f64 = 1e-13;
/// Of the probability of any state: value may hang on a state that is seldom visited.
const LARGEST_RISE: f64 = 1e-12;
/// Evaluations of an equation for sixteen channels: minutes of work.
const MOST_WORK: u64 = 10_000_000_000;

pub(super) fn removal_effects(chain: &Backwards) -> Result<Vec<[f64; 3]>> {
    let solver = Solver::new(chain);
    let mut left = MOST_WORK;
    let mut effects = Vec::with_capacity(chain.channels);
    let mut touched = vec![[0.0; LANES]; chain.newest.len()];
    for base in (0..chain.channels).step_by(LANES) {
        touched.fill([0.0; LANES]);
        left = solver.solve(base, &mut touched, left).ok_or_else(too_slow)?;
        let mut sums = [[0.0; 3]; LANES];
        for (won, &slot) in solver.won.iter().zip(&solver.slots) {
            if *won != [0.0; 3] {
                for (sums, touched) in sums.iter_mut().zip(&touched[slot as usize]) {
                    for (sum, won) in sums.iter_mut().zip(won) {
                        *sum += won * touched;
                    }
                }
            }
        }
        effects.extend(
            sums.iter().take(chain.channels - base).map(|sums| sums.map(|share| share.clamp(0.0, 1.0))),
        );
    }
    Ok(effects)
}

fn too_slow() -> Error {
    let message = "order: the chain of these paths goes round too long to be solved; lower the order, or set lookback_steps";
    Error::new(ErrorKind::LimitExceeded, "attribution.credit", message).with_context("field", "order")
}

/// The chain in the order in which it is solved.
struct Solver {
    /// The first place of each component, and the end.
    components: Vec<usize>,
    /// Where the solution of each place is.
    slots: Vec<u32>,
    newest: Vec<u32>,
    /// One over one minus the probability of coming from itself.
    scale: Vec<f64>,
    won: Vec<[f64; 3]>,
    /// How often each place is visited, for each conversion.
    visits: Vec<f64>,
    /// Where the sources of each place begin, and the end.
    starts: Vec<usize>,
    sources: Vec<(u32, f64)>,
}

impl Solver {
    fn new(chain: &Backwards) -> Self {
        let (order, components) = components(&chain.from);
        // The states that a state is come to from end in the same channel: side by side they are in the cache together.
        let mut side_by_side: Vec<u32> = (0..).take(order.len()).collect();
        side_by_side.sort_by_key(|&state| chain.newest[state as usize]);
        let mut slots = vec![0_u32; order.len()];
        for (&state, slot) in side_by_side.iter().zip(0..) {
            slots[state as usize] = slot;
        }
        let mut starts = vec![0];
        let mut sources = Vec::new();
        for &state in &order {
            let from = &chain.from[state as usize];
            sources.extend(from.iter().map(|&(source, probability)| (slots[source as usize], probability)));
            starts.push(sources.len());
        }
        let of = |state: &u32| *state as usize;
        Self {
            components,
            slots: order.iter().map(|state| slots[of(state)]).collect(),
            newest: order.iter().map(|state| chain.newest[of(state)]).collect(),
            scale: order.iter().map(|state| 1.0 / (1.0 - chain.own[of(state)])).collect(),
            visits: order.iter().map(|state| chain.visits[of(state)]).collect(),
            won: order.iter().map(|state| chain.won[of(state)]).collect(),
            starts,
            sources,
        }
    }

    /// Solves for the channels from `base` on; what is left of the work, or nothing when it is used up.
    fn solve(&self, base: usize, touched: &mut [Lanes], mut left: u64) -> Option<u64> {
        for bounds in self.components.windows(2) {
            let &[from, until] = bounds else { continue };
            let edges = (self.starts[until] - self.starts[from] + until - from) as u64;
            loop {
                left = left.checked_sub(edges)?;
                let mut change = [0.0; LANES];
                let mut greatest = [0.0; LANES];
                for place in from..until {
                    let now = self.evaluate(place, base, touched);
                    let solution = &mut touched[self.slots[place] as usize];
                    for (lane, (now, old)) in now.iter().zip(&*solution).enumerate() {
                        let rise = now - old;
                        change[lane] += rise * self.visits[place];
                        greatest[lane] = if rise > greatest[lane] { rise } else { greatest[lane] };
                    }
                    *solution = now;
                }
                let done = |lane: usize| change[lane] < TOLERANCE && greatest[lane] < LARGEST_RISE;
                if until - from == 1 || (0..LANES).all(done) {
                    break;
                }
            }
        }
        Some(left)
    }

    fn evaluate(&self, place: usize, base: usize, touched: &[Lanes]) -> Lanes {
        let mut sum = [0.0; LANES];
        for &(source, probability) in &self.sources[self.starts[place]..self.starts[place + 1]] {
            for (sum, touched) in sum.iter_mut().zip(&touched[source as usize]) {
                *sum += probability * touched;
            }
        }
        for sum in &mut sum {
            *sum *= self.scale[place];
        }
        let lane = (self.newest[place] as usize).checked_sub(base);
        if let Some(lane) = lane.and_then(|lane| sum.get_mut(lane)) {
            *lane = 1.0;
        }
        sum
    }
}

/// The states in the order of their strongly connected components, those first that others depend on, and where each component
/// begins, with the end (Tarjan 1972, without recursion).
fn components(from: &[Vec<(u32, f64)>]) -> (Vec<u32>, Vec<usize>) {
    const UNSEEN: u32 = u32::MAX;
    let mut found = vec![UNSEEN; from.len()];
    let mut lowest = vec![0_u32; from.len()];
    let mut open = vec![false; from.len()];
    let mut stack: Vec<u32> = Vec::new();
    let mut order = Vec::with_capacity(from.len());
    let mut starts = vec![0];
    let mut next = 0_u32;
    let mut walk: Vec<(usize, usize)> = Vec::new();
    for root in 0..from.len() {
        if found[root] != UNSEEN {
            continue;
        }
        walk.push((root, 0));
        while let Some((state, edge)) = walk.last_mut() {
            let state = *state;
            if *edge == 0 && found[state] == UNSEEN {
                found[state] = next;
                lowest[state] = next;
                next += 1;
                open[state] = true;
                stack.push(u32::try_from(state).unwrap_or(UNSEEN));
            }
            if let Some(&(source, _)) = from[state].get(*edge) {
                *edge += 1;
                let source = source as usize;
                if found[source] == UNSEEN {
                    walk.push((source, 0));
                } else if open[source] {
                    lowest[state] = lowest[state].min(found[source]);
                }
                continue;
            }
            walk.pop();
            if let Some(&(parent, _)) = walk.last() {
                lowest[parent] = lowest[parent].min(lowest[state]);
            }
            if lowest[state] == found[state] {
                while let Some(member) = stack.pop() {
                    open[member as usize] = false;
                    order.push(member);
                    if member as usize == state {
                        break;
                    }
                }
                starts.push(order.len());
            }
        }
    }
    (order, starts)
}
