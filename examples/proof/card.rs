//! The report card.

use std::collections::BTreeMap;
use std::fmt;
use std::process::Command;

use serde::Serialize;

use crate::Size;

/// What was proven, and what was not.
#[derive(Debug, Serialize)]
pub(crate) struct Card {
    pub(crate) commit: String,
    pub(crate) size: String,
    pub(crate) first_seed: u64,
    pub(crate) seconds: u64,
    /// The worlds of the model.
    pub(crate) worlds: Vec<World>,
    /// The days, by store.
    pub(crate) days: Vec<Days>,
    /// Mistakes that were built in, by name, and after how many days each was noticed.
    pub(crate) flaws: BTreeMap<String, Option<u64>>,
    /// The places at which a process was ended.
    pub(crate) places: Vec<Places>,
    pub(crate) races: Option<Races>,
    /// What the suites of real processes print.
    pub(crate) processes: Vec<String>,
    /// What did not run here, and why.
    pub(crate) not_run: Vec<String>,
    /// What was broken.
    pub(crate) violations: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct World {
    pub(crate) name: String,
    pub(crate) verdict: &'static str,
    pub(crate) states: usize,
    pub(crate) generated: usize,
    pub(crate) broken: Vec<String>,
    pub(crate) flawed: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct Days {
    pub(crate) store: &'static str,
    pub(crate) days: usize,
    pub(crate) simulated_years: f64,
    pub(crate) requests: u64,
    pub(crate) effects: u64,
    pub(crate) chains: u64,
    pub(crate) worst_unknown_seconds: f64,
    pub(crate) worst_rest_hours: f64,
    pub(crate) paths: BTreeMap<&'static str, u64>,
    pub(crate) never: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Places {
    pub(crate) what: String,
    pub(crate) covered: u64,
    pub(crate) found: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct Races {
    pub(crate) runs: u32,
    pub(crate) workers: u32,
    pub(crate) over: u32,
}

impl Card {
    pub(crate) fn new(size: Size, first_seed: u64) -> Self {
        Self {
            commit: commit(),
            size: format!("{size:?}").to_lowercase(),
            first_seed,
            seconds: 0,
            worlds: Vec::new(),
            days: Vec::new(),
            flaws: BTreeMap::new(),
            places: Vec::new(),
            races: None,
            processes: Vec::new(),
            not_run: Vec::new(),
            violations: Vec::new(),
        }
    }

    /// Whether nothing of what ran is broken.
    pub(crate) fn holds(&self) -> bool {
        self.violations.is_empty()
    }
}

fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok().filter(|o| o.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    match (git(&["rev-parse", "HEAD"]), git(&["status", "--porcelain"])) {
        (Some(head), Some(changed)) if !changed.is_empty() => format!("{head} with changes"),
        (Some(head), _) => head,
        (None, _) => "unknown".to_owned(),
    }
}

impl fmt::Display for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Proof of safe execution, size {}, {} s", self.size, self.seconds)?;
        writeln!(f, "  commit                {}", self.commit)?;
        self.model(f)?;
        for days in &self.days {
            writeln!(
                f,
                "  days on {:13} {} from seed {}, {:.1} simulated years, {} requests, {} effects",
                days.store, days.days, self.first_seed, days.simulated_years, days.requests, days.effects
            )?;
            writeln!(
                f,
                "    worst time to settle  {:.0} s for a request without an answer, {:.1} h until all is at rest",
                days.worst_unknown_seconds, days.worst_rest_hours
            )?;
            writeln!(f, "    audit chains          {} verified", days.chains)?;
            let paths = days.paths.len();
            if days.never.is_empty() {
                writeln!(f, "    paths                 all {paths} taken")?;
            } else {
                writeln!(f, "    paths                 {paths} taken, never: {}", days.never.join(", "))?;
            }
        }
        if !self.flaws.is_empty() {
            let caught = self.flaws.values().flatten().count();
            writeln!(
                f,
                "  built-in flaws        {caught} of {} noticed by the simulation",
                self.flaws.len()
            )?;
            for (name, days) in &self.flaws {
                match days {
                    Some(days) => writeln!(f, "    {name:20}  by day {days}")?,
                    None => writeln!(f, "    {name:20}  NOT NOTICED")?,
                }
            }
        }
        for places in &self.places {
            writeln!(f, "  crashes               {} of {}: {}", places.covered, places.found, places.what)?;
        }
        if let Some(races) = &self.races {
            writeln!(
                f,
                "  races on PostgreSQL   {} runs of {} workers, {} over a limit",
                races.runs, races.workers, races.over
            )?;
        }
        for line in &self.processes {
            writeln!(f, "  processes             {line}")?;
        }
        for line in &self.not_run {
            writeln!(f, "  NOT RUN               {line}")?;
        }
        for violation in &self.violations {
            writeln!(f, "  BROKEN                {violation}")?;
        }
        write!(f, "  {}", if self.holds() { "everything that ran holds" } else { "NOT PROVEN" })
    }
}

impl Card {
    fn model(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.worlds.is_empty() {
            return Ok(());
        }
        let states: usize = self.worlds.iter().map(|w| w.states).sum();
        let (flawed, sound): (Vec<_>, Vec<_>) = self.worlds.iter().partition(|w| w.flawed);
        let caught = flawed.iter().filter(|w| w.verdict == "caught").count();
        writeln!(f, "  model                 {states} states in {} worlds", self.worlds.len())?;
        for world in sound {
            writeln!(f, "    {:5}  {:9} states  {}", world.verdict, world.states, world.name)?;
        }
        writeln!(f, "    flawed worlds         {caught} of {} caught", flawed.len())
    }
}
