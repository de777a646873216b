//! Credit before it is rounded, for `tests/python/credit_oracle.py`: one JSON object with `model` and `paths` a line on the standard
//! input, one with each channel's conversions a line on the standard output.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::error::Error;

use serde::Deserialize;
use xynergy_attribution::credit::{CreditModel, CreditParameters, Tally, TouchPath};

#[derive(Deserialize)]
struct Line {
    model: CreditModel,
    paths: Vec<TouchPath>,
}

fn main() -> Result<(), Box<dyn Error>> {
    for line in std::io::stdin().lines() {
        let line: Line = serde_json::from_str(&line?)?;
        let mut tally = Tally::new(line.model, &CreditParameters::default())?;
        for path in &line.paths {
            tally.add(path)?;
        }
        let found = tally.unrounded()?;
        let found: BTreeMap<String, f64> =
            found.into_iter().map(|(channel, credit)| (channel, credit.conversions)).collect();
        println!("{}", serde_json::to_string(&found)?);
    }
    Ok(())
}
