//! Days of the executor on a virtual clock: workers that interleave, stop, die and have wrong clocks, a platform and a
//! store that fail, people who edit and decide; all of it from one seed, and replayed by it.
//!
//! What must hold is checked against what the platform itself recorded, which the library never sees.

mod act;
mod bend;
mod clock;
mod count;
mod dice;
mod invariants;
mod ledger;
mod platform;
mod profile;
mod run;
mod store;
mod turn;
mod worker;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub use bend::Flaw;
pub use count::EVERY_PATH;
pub use profile::Delivery;

use crate::store::ChangeStore;

/// Which day to simulate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simulation {
    /// Everything that happens follows from it.
    pub seed: u64,
    /// For how long people and faults are at it.
    pub hours: u32,
    /// A flaw that is built in, which the invariants must notice.
    pub flaw: Option<Flaw>,
}

impl Simulation {
    /// 24 hours of this seed, with nothing built in.
    pub fn day(seed: u64) -> Self {
        Self { seed, hours: 24, flaw: None }
    }
}

/// A rule that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The invariant, as `I1 velocity`.
    pub invariant: &'static str,
    /// What was seen.
    pub message: String,
}

/// What a simulation took and found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulated {
    /// Its seed.
    pub seed: u64,
    /// Whether requests could land later than is promised, where only the search for late ones can help.
    pub delivery: Delivery,
    /// The workers.
    pub workers: usize,
    /// The tenants.
    pub tenants: usize,
    /// How often each path was taken, by its name.
    pub counts: BTreeMap<&'static str, u64>,
    /// The virtual time from the beginning until everything had come to rest.
    pub simulated: Duration,
    /// The longest that a request without an answer was still unknown after the faults had stopped; zero where the
    /// store's clock stands still until it was right.
    pub worst_unknown: Duration,
    /// The longest time between the end of the faults and the end of the last change, waits for limits included.
    pub worst_rest: Duration,
    /// Histories that were verified.
    pub chains: u64,
    /// What was broken; empty when everything held.
    pub violations: Vec<Violation>,
    /// The last events before the first violation, or before the end.
    pub tail: Vec<String>,
}

impl Simulated {
    /// The violations with the seed that replays them and the last events, for a person.
    pub fn explain(&self) -> String {
        let mut text = format!(
            "seed {} ({} workers, {} tenants, {:?}):\n",
            self.seed, self.workers, self.tenants, self.delivery
        );
        for violation in self.violations.iter().take(5) {
            text.push_str(&format!("  {}: {}\n", violation.invariant, violation.message));
        }
        text.push_str("  the last events:\n");
        for line in &self.tail {
            text.push_str(&format!("    {line}\n"));
        }
        text
    }
}

/// Simulates a day on an empty store.
///
/// Not to be called on a runtime: it makes its own.
pub fn executor_simulation(store: &Arc<dyn ChangeStore>, simulation: Simulation) -> Simulated {
    run::run(store, simulation)
}
