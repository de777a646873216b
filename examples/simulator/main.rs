//! What each way to divide a budget costs, in worlds with late deals, drift and noise:
//! `cargo run --release --example simulator`.
//!
//! A policy sees what an advertiser sees: impressions, clicks, spend, leads, and closes when they come. The oracle spends everything on
//! the ad that is best that day; regret is what a policy's spend is expected to bring less than the oracle's. Every policy meets
//! the same ads; the same seeds give the same bytes.
#![allow(clippy::print_stdout, clippy::print_stderr)]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]

mod chart;
mod policy;
mod run;
mod world;
mod xynergy_policy;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use comfy_table::{CellAlignment, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};

use policy::Policy;
use run::{Days, Estimate, simulate};
use world::Setting;

/// Prints the regret of dividing budgets by this library and by simpler rules, and draws the curves.
#[derive(Debug, Parser)]
#[command(name = "simulator")]
struct Options {
    /// How many worlds of each kind; more make the intervals narrower.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(2..))]
    seeds: u64,
    /// The first world.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// How many days each lasts.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(2..=730))]
    days: u16,
    /// How many ads.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(2..=200))]
    ads: u16,
    /// Where the curves are drawn.
    #[arg(long, default_value = "simulator.svg")]
    out: PathBuf,
    /// Prints the figures as JSON, and draws nothing.
    #[arg(long)]
    json: bool,
}

/// A kind of world, and its name in the tables.
struct Kind {
    name: &'static str,
    delay: f64,
    drift: f64,
    noise: f64,
}

const KINDS: [Kind; 5] = [
    Kind { name: "deals close after 7 days", delay: 7.0, drift: 0.0, noise: 0.0 },
    Kind { name: "deals close after 21 days", delay: 21.0, drift: 0.0, noise: 0.0 },
    Kind { name: "deals close after 45 days", delay: 45.0, drift: 0.0, noise: 0.0 },
    Kind { name: "21 days, ads drift", delay: 21.0, drift: 0.03, noise: 0.0 },
    Kind { name: "21 days, drift, 4 of 10 credits wrong", delay: 21.0, drift: 0.03, noise: 0.4 },
];

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    let seeds: Vec<u64> = (options.from..options.from.saturating_add(options.seeds)).collect();
    let work = KINDS.len() * Policy::ALL.len() * seeds.len();
    let progress = ProgressBar::new(work as u64)
        .with_style(ProgressStyle::with_template("{bar:30} {pos} of {len} worlds, {eta} left")?);
    let mut told = Vec::new();
    let mut last = Vec::new();
    if !options.json {
        println!(
            "{} ads, {} days, 1,000 dollars a day, {} worlds of each kind (seeds {} to {}).\n\
             Regret: what the oracle's spend is expected to bring more, in dollars. In brackets: 95 % intervals over the worlds.\n",
            options.ads,
            options.days,
            options.seeds,
            seeds[0],
            seeds[seeds.len() - 1],
        );
    }
    for kind in &KINDS {
        let setting = Setting {
            ads: options.ads.into(),
            days: options.days.into(),
            delay: kind.delay,
            drift: kind.drift,
            noise: kind.noise,
        };
        let runs: Vec<(Policy, Vec<Days>)> = Policy::ALL
            .into_iter()
            .map(|policy| simulate(policy, setting, &seeds, &progress).map(|days| (policy, days)))
            .collect::<Result<_, _>>()?;
        let rows = compare(&runs);
        if options.json {
            told.push(serde_json::json!({ "world": kind.name, "policies": rows }));
        } else {
            progress.suspend(|| println!("{}\n{}\n", kind.name, table(&rows)));
        }
        last = runs;
    }
    progress.finish_and_clear();
    if options.json {
        println!("{}", serde_json::to_string_pretty(&told)?);
        return Ok(());
    }
    let curves: Vec<(&str, Vec<f64>)> =
        last.iter().map(|(policy, days)| (policy.name(), run::mean_regret(days))).collect();
    let title = format!("Regret in dollars: {}", KINDS[KINDS.len() - 1].name);
    std::fs::write(&options.out, chart::curves(&title, &curves)?)?;
    println!("The curves of the last kind of world: {}", options.out.display());
    Ok(())
}

/// A row of a table: how one policy did over all seeds.
#[derive(Debug, serde::Serialize)]
struct Row {
    policy: &'static str,
    /// The part of what the oracle brings, in percent.
    of_oracle_percent: Estimate,
    /// In dollars.
    regret: Estimate,
    /// The regret less that of the plain blend in the same world, in dollars.
    regret_against_plain_blend: Estimate,
}

fn compare(runs: &[(Policy, Vec<Days>)]) -> Vec<Row> {
    let plain: Vec<f64> = runs
        .iter()
        .filter(|(policy, _)| *policy == Policy::PlainBlend)
        .flat_map(|(_, days)| days.iter().map(Days::regret))
        .collect();
    runs.iter()
        .map(|(policy, days)| {
            let regret: Vec<f64> = days.iter().map(Days::regret).collect();
            let of_oracle: Vec<f64> = days.iter().map(|days| 100.0 * days.part_of_oracle()).collect();
            let paired: Vec<f64> = regret.iter().zip(&plain).map(|(own, plain)| own - plain).collect();
            Row {
                policy: policy.name(),
                of_oracle_percent: Estimate::of(&of_oracle),
                regret: Estimate::of(&regret),
                regret_against_plain_blend: Estimate::of(&paired),
            }
        })
        .collect()
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["policy", "of the oracle", "regret", "against the plain blend"]);
    for row in rows {
        table.add_row([
            row.policy.to_owned(),
            format!(
                "{:.1} %  [{:.1}, {:.1}]",
                row.of_oracle_percent.mean, row.of_oracle_percent.lower, row.of_oracle_percent.upper
            ),
            row.regret.in_dollars(),
            row.regret_against_plain_blend.in_dollars(),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
