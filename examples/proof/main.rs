//! Proves the safe execution at a chosen size and prints the report card:
//! `cargo run --release --all-features --example proof -- --size default`.
//!
//! What cannot run on this machine is said, never counted. Exits with 1 when anything is broken.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod card;
mod days;
#[allow(dead_code, reason = "the example takes only what it prints")]
#[path = "../../tests/proof/model/mod.rs"]
mod model;
mod places;
mod races;
mod suite;
mod worlds;

use std::process::ExitCode;
use std::time::Instant;

use card::Card;
use clap::{Parser, ValueEnum};

/// Proves that no crash, race or lost reply applies a change twice, breaks a limit or leaves it without an audit row.
#[derive(Debug, Parser)]
#[command(name = "proof")]
struct Options {
    /// How much of it.
    #[arg(long, value_enum, default_value = "default")]
    size: Size,
    /// Simulates this one day and tells its last events.
    #[arg(long)]
    seed: Option<u64>,
    /// The first of the days that are simulated.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Only these parts; all of them when absent.
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Prints the card as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Size {
    /// Seconds.
    Small,
    /// Minutes.
    Default,
    /// An hour.
    Full,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Every interleaving of small worlds.
    Model,
    /// Days of seeds, and the flaws that they must notice.
    Simulation,
    /// A crash at every place.
    Crash,
    /// Processes that are killed, and the race for the guard.
    Processes,
}

impl Part {
    const ALL: [Self; 4] = [Self::Model, Self::Simulation, Self::Crash, Self::Processes];
}

fn main() -> ExitCode {
    let options = Options::parse();
    let started = Instant::now();
    let mut card = Card::new(options.size, options.seed.unwrap_or(options.from));
    if let Some(seed) = options.seed {
        days::replay(&mut card, seed);
    } else {
        let parts = if options.only.is_empty() { Part::ALL.to_vec() } else { options.only };
        for part in Part::ALL.into_iter().filter(|part| parts.contains(part)) {
            match part {
                Part::Model => worlds::explore(&mut card, options.size),
                Part::Simulation => {
                    days::simulate(&mut card, options.size, options.from);
                    days::catch_flaws(&mut card, options.from);
                }
                Part::Crash => places::crash(&mut card, options.size),
                Part::Processes => {
                    races::race(&mut card, options.size);
                    suite::processes(&mut card, options.size);
                }
            }
        }
    }
    card.seconds = started.elapsed().as_secs();
    if options.json {
        println!("{}", serde_json::to_string_pretty(&card).unwrap_or_default());
    } else {
        println!("{card}");
    }
    if card.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
