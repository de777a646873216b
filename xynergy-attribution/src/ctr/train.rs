use xynergy_core::{Error, Result};

use super::calibrate::{Calibration, Foreseen};
use super::features::{CtrRow, hashed};
use super::model::{CtrModel, CtrOptions, Exact};
use super::report::{CtrReport, Judged, report};

/// The parts in which the calibration is learned anew.
const PARTS: usize = 10;
/// The parts at the beginning that are not judged.
const WARM: usize = 2;

/// Learns from `rows` in their order, which should be that of time, on top of `from` or from nothing.
///
/// Every impression is predicted before it is learned. Those predictions are a held-out stream: the calibration of each tenth is fitted
/// on the tenths before, and the report judges all but the first fifth, each with the model and the calibration of its moment (progressive
/// validation: Blum, Kalai and Langford 1999, COLT).
///
/// # Errors
/// `invalid_input` that names the row and the field, or the option: no rows, no impressions, more clicks than impressions, a feature that is
/// no finite number, or options that differ in `hash_bits` from those of `from`.
pub fn train(rows: &[CtrRow], options: &CtrOptions, from: Option<CtrModel>) -> Result<(CtrModel, CtrReport)> {
    options.validate()?;
    let invalid = |message: String| Err(Error::invalid("allocation.train_ctr", message));
    if rows.is_empty() {
        return invalid(
            "rows: there are none; give impressions and their clicks, in the order of time".into(),
        );
    }
    for (index, row) in rows.iter().enumerate() {
        row.validate(index)?;
    }
    let mut model = from.unwrap_or_else(|| CtrModel::new(*options));
    if model.options.hash_bits != options.hash_bits {
        return invalid(format!(
            "options.hash_bits: {} is not the {} of the version to go on from",
            options.hash_bits, model.options.hash_bits
        ));
    }
    model.options = *options;
    let before = model.calibration;
    let mut foreseen: Vec<Foreseen> = Vec::with_capacity(rows.len());
    let mut judged = Vec::new();
    let mut calibration = before;
    let mut part = 0;
    for (index, row) in rows.iter().enumerate() {
        let now = index * PARTS / rows.len();
        if now > part {
            part = now;
            calibration = fitted(before, &foreseen);
        }
        let places = hashed(&row.features, options.hash_bits);
        let (base, addition) = (model.base(), model.addition(&places));
        let seen = Foreseen {
            base,
            addition,
            impressions: f64::from(row.impressions),
            clicks: f64::from(row.clicks),
        };
        foreseen.push(seen);
        if now >= WARM {
            judged.push(Judged { row, foreseen: seen, probability: calibration.probability(base, addition) });
        }
        model.learn(&places, row.impressions, row.clicks);
    }
    model.calibration = fitted(before, &foreseen);
    let report = report(&judged);
    model.effective_impressions = report.effective_impressions.map(Exact).or(model.effective_impressions);
    Ok((model, report))
}

/// Fitted on the later half: what a model said when it had learned little says little of what it says now.
fn fitted(before: Calibration, foreseen: &[Foreseen]) -> Calibration {
    before.fit(&foreseen[foreseen.len() / 2..])
}
