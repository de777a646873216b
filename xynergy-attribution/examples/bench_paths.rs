//! Credit for `benches/peers/paths.py`: reads paths as one line of JSON from standard input, then names of models, and prints for
//! each the seconds that the credit of all paths took, from the paths to the answer.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::io::BufRead as _;
use std::time::Instant;

use xynergy_attribution::credit::{CreditModel, CreditParameters, TouchPath, credit};

fn main() -> Result<(), Box<dyn Error>> {
    let mut lines = std::io::stdin().lock().lines();
    let paths: Vec<TouchPath> = serde_json::from_str(&lines.next().ok_or("the paths are missing")??)?;
    for line in lines {
        let model: CreditModel = serde_json::from_value(line?.into())?;
        let began = Instant::now();
        let credits = credit(&paths, model, &CreditParameters::default())?;
        let seconds = began.elapsed().as_secs_f64();
        println!("{}", serde_json::json!({"seconds": seconds, "channels": credits.channels.len()}));
    }
    Ok(())
}
