//! Removal effects of large chains: the equations of eight channels at once, component by component.
//!
//! The states fall into strongly connected components, and come out of the search such that what a component depends on is done
//! before it. One state alone is solved by its one equation; within a component Gauss and Seidel go round until the distance
//! from the solution is below [`TOLERANCE`].
//!
//! How far an effect is from its solution is bounded by the last sweep's changes without their signs, each times how often the walks back
//! from conversions come to its state: what such a change still moves flows on along these walks. That is at most how often all walks do.
//! It holds wherever the sweep began, so whatever brings the solution nearer may be done between two sweeps.

use std::num::NonZero;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use xynergy_core::{Error, ErrorKind, Result};

use super::chain::Backwards;
use super::reduced::{Meeting, Reduced};

/// So many solutions of a chain of a thousand channels stay in a core's cache.
const LANES: usize = 8;
type Lanes = [f64; LANES];

/// Of a removal effect on conversions.
const TOLERANCE: f64 = 1e-13;
/// Of the probability of any state: value may hang on a state that is seldom visited.
const LARGEST_RISE: f64 = 1e-12;
/// Evaluations of an equation for eight channels: minutes of work.
const MOST_WORK: u64 = 20_000_000_000;
/// Between two looks at how far the solution is.
const SWEEPS: u64 = 4;
/// The solve takes no more of the host's cores.
const MOST_THREADS: usize = 8;
/// Below so many equations a thread is not worth its start.
const LEAST_SHARED: usize = 100_000;

pub(super) fn removal_effects(chain: &Backwards) -> Result<Vec<[f64; 3]>> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let work = chain.newest.len() * chain.channels.div_ceil(LANES);
    with_threads(chain, if work < LEAST_SHARED { 1 } else { cores.min(MOST_THREADS) })
}

/// Every block of channels is solved by itself, so that the threads change no byte.
pub(super) fn with_threads(chain: &Backwards, threads: usize) -> Result<Vec<[f64; 3]>> {
    let reduced = &Reduced::new(chain);
    let channels = chain.channels;
    let blocks = channels.div_ceil(LANES);
    let most_work = MOST_WORK / blocks.max(1) as u64;
    let next = AtomicUsize::new(0);
    let work = || {
        let mut block = Block::new(reduced);
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= blocks {
                return done;
            }
            done.push((index, block.effects(index * LANES, most_work)));
        }
    };
    let mut done = thread::scope(|scope| {
        // Where no thread can be had the blocks are done here.
        let others: Vec<_> =
            (1..threads).map_while(|_| thread::Builder::new().spawn_scoped(scope, work).ok()).collect();
        let mut done = work();
        for other in others {
            match other.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|&(index, _)| index);
    let mut effects = Vec::with_capacity(channels);
    for (_, block) in done {
        effects.extend(block.ok_or_else(too_slow)?);
    }
    effects.truncate(channels);
    Ok(effects)
}

fn too_slow() -> Error {
    let message = "order: the chain of these paths goes round too long to be solved; lower the order, or set lookback_steps";
    Error::new(ErrorKind::LimitExceeded, "attribution.credit", message).with_context("field", "order")
}

/// A component, and the meetings in it.
struct Round {
    places: Range<usize>,
    meetings: Range<usize>,
}

/// Eight channels under way.
struct Block<'a> {
    reduced: &'a Reduced,
    base: usize,
    /// By place: the probability that the walk up to it has touched each channel.
    touched: Vec<Lanes>,
    /// Those of the block's channels, by place.
    meetings: Vec<Meeting>,
}

impl<'a> Block<'a> {
    fn new(reduced: &'a Reduced) -> Self {
        Self { reduced, base: 0, touched: vec![[0.0; LANES]; reduced.newest.len()], meetings: Vec::new() }
    }

    /// The effects of the channels from `base` on; nothing when they take more than `most_work`.
    fn effects(&mut self, base: usize, most_work: u64) -> Option<[[f64; 3]; LANES]> {
        let reduced = self.reduced;
        self.base = base;
        self.touched.fill([0.0; LANES]);
        let meetings = &reduced.meetings;
        let from = meetings.partition_point(|meeting| (meeting.channel as usize) < base);
        let until = meetings.partition_point(|meeting| (meeting.channel as usize) < base + LANES);
        self.meetings.clear();
        self.meetings.extend_from_slice(&meetings[from..until]);
        self.meetings.sort_by_key(|meeting| meeting.place);
        self.solve(most_work)?;

        let mut effects = [[0.0; 3]; LANES];
        for (won, touched) in reduced.won.iter().zip(&self.touched).filter(|(won, _)| **won != [0.0; 3]) {
            for (effects, touched) in effects.iter_mut().zip(touched) {
                for (sum, won) in effects.iter_mut().zip(won) {
                    *sum += won * touched;
                }
            }
        }
        let from = reduced.won_behind.partition_point(|behind| (behind.channel as usize) < base);
        let behind = reduced.won_behind[from..].iter();
        for behind in behind.take_while(|behind| (behind.channel as usize) < base + LANES) {
            let lane = behind.channel as usize - base;
            let beyond = behind.from.map_or(0.0, |from| behind.on * self.touched[from as usize][lane]);
            for (sum, won) in effects[lane].iter_mut().zip(behind.won) {
                *sum += won * (behind.met - beyond);
            }
        }
        Some(effects.map(|effects| effects.map(|share: f64| share.clamp(0.0, 1.0))))
    }

    fn solve(&mut self, most_work: u64) -> Option<()> {
        let reduced = self.reduced;
        let mut left = most_work;
        let mut meetings = 0..0;
        for bounds in reduced.components.windows(2) {
            let &[from, until] = bounds else { continue };
            let more = &self.meetings[meetings.end..];
            meetings =
                meetings.end..meetings.end + more.partition_point(|meeting| (meeting.place as usize) < until);
            let round = Round { places: from..until, meetings: meetings.clone() };
            if until - from == 1 {
                self.sweep(&round, |_, _, _| {});
            } else {
                left = self.go_round(&round, left)?;
            }
        }
        Some(())
    }

    /// Solves a component; what is left of the work, or nothing when it is used up.
    ///
    /// What is left of the error after some sweeps shrinks by the same factor in each: two changes tell it, and the rest of that series is
    /// added at once. Where that does not help it is left out: the sweeps alone come to the solution, too.
    fn go_round(&mut self, round: &Round, mut left: u64) -> Option<u64> {
        let reduced = self.reduced;
        let Range { start: from, end: until } = round.places;
        let edges = (reduced.starts[until] - reduced.starts[from] + until - from) as u64;
        let mut rises = vec![[0.0; LANES]; until - from];
        let mut best = f64::INFINITY;
        let mut helps = true;
        loop {
            left = left.checked_sub(SWEEPS * edges)?;
            for _ in 2..SWEEPS {
                self.sweep(round, |_, _, _| {});
            }
            let mut before = [0.0; LANES];
            self.sweep(round, |place, now, old| {
                for (sum, (now, old)) in before.iter_mut().zip(now.iter().zip(old)) {
                    *sum += (now - old) * reduced.entered[place];
                }
            });
            let mut after = [0.0; LANES];
            let mut change = [0.0; LANES];
            let mut greatest = [0.0; LANES];
            self.sweep(round, |place, now, old| {
                let entered = reduced.entered[place];
                for (lane, (now, old)) in now.iter().zip(old).enumerate() {
                    let rise: f64 = now - old;
                    rises[place - from][lane] = rise;
                    after[lane] += rise * entered;
                    change[lane] += rise.abs() * entered;
                    greatest[lane] = if rise.abs() > greatest[lane] { rise.abs() } else { greatest[lane] };
                }
            });
            let done = |lane: usize| change[lane] < TOLERANCE && greatest[lane] < LARGEST_RISE;
            if (0..LANES).all(done) {
                return Some(left);
            }
            let total: f64 = change.iter().sum();
            helps = helps && total < best;
            best = total;
            if helps {
                let further: Lanes = std::array::from_fn(|lane| {
                    let factor = after[lane] / before[lane];
                    if factor > 0.0 && factor < 1.0 { factor / (1.0 - factor) } else { 0.0 }
                });
                for (rises, solution) in rises.iter().zip(&mut self.touched[from..until]) {
                    for ((solution, rise), further) in solution.iter_mut().zip(rises).zip(further) {
                        *solution += rise * further;
                    }
                }
            }
        }
    }

    /// Evaluates each equation once; `seen` gets the place with its solution and the one before.
    fn sweep(&mut self, round: &Round, mut seen: impl FnMut(usize, &Lanes, &Lanes)) {
        let Range { start: mut next, end } = round.meetings;
        for place in round.places.clone() {
            let first = next;
            while next < end && self.meetings[next].place as usize == place {
                next += 1;
            }
            let now = self.evaluate(place, &self.meetings[first..next]);
            let solution = &mut self.touched[place];
            seen(place, &now, solution);
            *solution = now;
        }
    }

    fn evaluate(&self, place: usize, meetings: &[Meeting]) -> Lanes {
        let reduced = self.reduced;
        let mut sum = [0.0; LANES];
        for &(source, probability) in &reduced.sources[reduced.starts[place]..reduced.starts[place + 1]] {
            add(&mut sum, probability, &self.touched[source as usize]);
        }
        let scale = 1.0 / reduced.away[place];
        if !meetings.is_empty() {
            // For a channel on a way round to the place itself that way leads away.
            let mut round = [0.0; LANES];
            for meeting in meetings {
                let lane = meeting.channel as usize - self.base;
                sum[lane] += meeting.met;
                match meeting.from {
                    Some(from) if from as usize == place => round[lane] += meeting.on,
                    Some(from) => sum[lane] -= meeting.on * self.touched[from as usize][lane],
                    None => {}
                }
            }
            for (sum, round) in sum.iter_mut().zip(round).filter(|(_, round)| *round > 0.0) {
                *sum /= 1.0 + round * scale;
            }
        }
        for sum in &mut sum {
            *sum *= scale;
        }
        let lane = (reduced.newest[place] as usize).checked_sub(self.base);
        if let Some(lane) = lane.and_then(|lane| sum.get_mut(lane)) {
            *lane = 1.0;
        }
        sum
    }
}

#[inline]
fn add(sum: &mut Lanes, share: f64, touched: &Lanes) {
    for (sum, touched) in sum.iter_mut().zip(touched) {
        *sum += share * touched;
    }
}
