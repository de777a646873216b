//! A model of safe execution, explored whole: every interleaving of workers, faults, edits and time within a bound.
//!
//! The decisions are not the model's. It loads a store's rows into the library's views, calls
//! [`machine`](xynergy_core::execution::machine) and [`reconcile`](xynergy_core::execution::reconcile), and saves what they
//! return. What it adds is the world around them: a platform, a wire that loses and delays, workers that die and wake late.
//! A flawed world breaks one rule around those functions; an invariant must notice, or the model proves nothing.

mod after;
mod cases;
mod invariants;
#[cfg(test)]
mod readings;
mod setup;
mod state;
mod steps;
mod store;

use std::collections::BTreeSet;
use std::fmt;
use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model};

use cases::Case;

/// How much to explore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// Every world once, in seconds.
    Small,
    /// Also the great ones; in an optimised build, minutes.
    Large,
}

/// What a world must show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// These invariants are broken in it.
    Breaks(Vec<&'static str>),
    /// Every invariant holds, and these situations come up, so that the world is not empty.
    Holds {
        /// What is not promised in this world, and is broken in it.
        except: Vec<&'static str>,
        /// The situations.
        reached: Vec<&'static str>,
    },
}

/// What exploring a world showed.
#[derive(Clone, Debug)]
pub(crate) struct ModelReport {
    /// The world.
    pub(crate) name: &'static str,
    /// Different states.
    pub(crate) states: usize,
    /// States, each counted as often as it was come to.
    pub(crate) generated: usize,
    /// The most steps to a state.
    pub(crate) depth: usize,
    /// How long it took.
    pub(crate) seconds: f64,
    /// What it must show.
    pub(crate) expected: Expected,
    /// The invariants that are broken in it.
    pub(crate) found: Vec<&'static str>,
    /// The situations that came up.
    pub(crate) reached: Vec<&'static str>,
    /// For each invariant that is broken, the steps that led there.
    pub(crate) traces: Vec<(&'static str, String)>,
}

impl ModelReport {
    /// Whether the world showed what it must.
    pub(crate) fn as_expected(&self) -> bool {
        match &self.expected {
            Expected::Breaks(broken) => broken.iter().all(|name| self.found.contains(name)),
            Expected::Holds { except, reached } => {
                except.len() == self.found.len()
                    && except.iter().all(|name| self.found.contains(name))
                    && reached.iter().all(|name| self.reached.contains(name))
            }
        }
    }
}

/// Explores every world of a size; `each` is shown what each one showed as soon as it is known.
pub(crate) fn run(size: Size, mut each: impl FnMut(&ModelReport)) -> Vec<ModelReport> {
    let show = |case| {
        let report = explore(case);
        each(&report);
        report
    };
    cases::all(size).into_iter().map(show).collect()
}

impl fmt::Display for ModelReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, states, generated, depth, seconds, .. } = self;
        let verdict = match (self.as_expected(), &self.expected) {
            (true, Expected::Breaks(_)) => "caught",
            (true, Expected::Holds { .. }) => "holds",
            (false, _) => "WRONG",
        };
        write!(
            f,
            "{verdict:6} {name}: {states} states of {generated} generated, {depth} steps deep, {seconds:.1} s"
        )?;
        for (name, trace) in &self.traces {
            write!(f, "\n       broken: {name}")?;
            if !self.as_expected() {
                write!(f, "\n         {trace}")?;
            }
        }
        if !self.as_expected() {
            write!(f, "\n       expected {:?}; came up: {:?}", self.expected, self.reached)?;
        }
        Ok(())
    }
}

/// Explores one world: whole where everything must hold, until everything expected is found where something is broken.
fn explore(case: Case) -> ModelReport {
    let Case { name, setup, expected } = case;
    let started = Instant::now();
    let finish = match &expected {
        Expected::Breaks(broken) => HasDiscoveries::AllOf(broken.iter().copied().collect::<BTreeSet<_>>()),
        Expected::Holds { except, .. } if except.is_empty() => HasDiscoveries::AnyFailures,
        Expected::Holds { .. } => HasDiscoveries::All,
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let checker = setup.checker().threads(threads).finish_when(finish).spawn_bfs().join();
    let mut discoveries: Vec<_> = checker.discoveries().into_iter().collect();
    discoveries.sort_by_key(|(name, _)| *name);
    let (reached, found): (Vec<_>, Vec<_>) =
        discoveries.into_iter().partition(|(name, _)| invariants::is_situation(name));
    let traces = found.iter().map(|(name, path)| {
        let steps = path.clone().into_actions();
        (*name, steps.iter().map(|s| format!("{s:?}")).collect::<Vec<_>>().join(" > "))
    });
    ModelReport {
        name,
        states: checker.unique_state_count(),
        generated: checker.state_count(),
        depth: checker.max_depth(),
        seconds: started.elapsed().as_secs_f64(),
        expected,
        traces: traces.collect(),
        found: found.iter().map(|(name, _)| *name).collect(),
        reached: reached.iter().map(|(name, _)| *name).collect(),
    }
}
