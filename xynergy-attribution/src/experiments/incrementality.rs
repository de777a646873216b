use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::{Error, Result};

use crate::distributions::{beta_quantile, normal_quantile};

/// So many conversions a group before anything is concluded.
const LEAST_CONVERSIONS: u64 = 5;
/// So many values of equal size a group.
const LEAST_EFFECTIVE: f64 = 20.0;

/// What a group brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupOutcome {
    /// Its units, those without a conversion included.
    pub unit_count: u64,
    /// Those that converted.
    pub conversions: u64,
    /// The value of each that converted, in minor units; the multiplier is one of value then.
    #[serde(default)]
    pub values_minor: Option<Vec<i64>>,
}

/// What treatment adds to what comes anyway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Incrementality {
    /// Whether an effect is shown: the interval is there and leaves 0 out.
    pub conclusive: bool,
    /// Why not, or what is shown; in words.
    pub reasons: Vec<String>,
    /// What attributed conversions or value have to be multiplied with: the part that would not have come without the treatment.
    /// Null where the treated group brought nothing.
    pub multiplier: Option<f64>,
    /// The lower end of its interval; null where it has none.
    pub lower: Option<f64>,
    /// The upper end of its interval; null where it has none.
    pub upper: Option<f64>,
    /// Conversions, or minor units, a treated unit.
    pub treated_mean: f64,
    /// The same of a unit that was held out.
    pub holdout_mean: f64,
}

/// The incrementality multiplier `(1 - holdout mean / treated mean) x treated / attributed`. `attributed` is what attribution gives the
/// treated group, in conversions or, with values, in minor units; by default all that it brought.
///
/// Of conversions the interval is exact for Poisson counts: that of a binomial part given the sum (Clopper and Pearson 1934, Biometrika 26:404).
/// Of value it is Fieller's of a ratio of means (1954, Journal of the Royal Statistical Society B 16:175), which has no end where the
/// treated mean may be 0.
///
/// # Errors
/// `invalid_input` that names the field: no units, more conversions than units, values of one group only, another number of values than
/// of conversions, a confidence that is not between 0.5 and 1, or an `attributed` below 1.
pub fn incrementality(
    treated: &GroupOutcome,
    holdout: &GroupOutcome,
    attributed: Option<i64>,
    confidence: f64,
) -> Result<Incrementality> {
    let invalid = |message: String| Err(Error::invalid("allocation.incrementality", message));
    for (name, group) in [("treated", treated), ("holdout", holdout)] {
        if group.unit_count == 0 {
            return invalid(format!(
                "{name}.unit_count: there are none; a group without units shows nothing"
            ));
        }
        if group.conversions > group.unit_count {
            return invalid(format!(
                "{name}.conversions: {} are more than its {} units",
                group.conversions, group.unit_count
            ));
        }
        if let Some(values) = group.values_minor.as_ref().filter(|v| v.len() as u64 != group.conversions) {
            let found = values.len();
            return invalid(format!(
                "{name}.values_minor: {found} values of {} conversions; give one each",
                group.conversions
            ));
        }
    }
    if treated.values_minor.is_some() != holdout.values_minor.is_some() {
        return invalid("values_minor: one group has values and the other none; give both or neither".into());
    }
    if !(confidence > 0.5 && confidence < 1.0) {
        return invalid(format!("confidence: {confidence} is not between 0.5 and 1; 0.95 is usual"));
    }
    if let Some(attributed) = attributed.filter(|a| *a < 1) {
        return invalid(format!(
            "attributed: {attributed} is below 1; leave it out for all that the treated brought"
        ));
    }
    let tail = (1.0 - confidence) / 2.0;
    let (a, b) = (Group::of(treated), Group::of(holdout));
    let scale = attributed.map_or(1.0, |attributed| a.total / attributed as f64);
    let ratio =
        if treated.values_minor.is_some() { fieller(&a, &b, tail) } else { binomial(treated, holdout, tail) };
    let mut reasons = Vec::new();
    if treated.conversions < LEAST_CONVERSIONS || holdout.conversions < LEAST_CONVERSIONS {
        reasons.push(format!(
            "too few conversions: {} treated and {} held out, and {LEAST_CONVERSIONS} of each are needed",
            treated.conversions, holdout.conversions
        ));
    }
    if treated.values_minor.is_some() && (a.effective() < LEAST_EFFECTIVE || b.effective() < LEAST_EFFECTIVE)
    {
        reasons.push(format!(
            "too few values: they are worth {:.1} treated and {:.1} held out of equal size, and {LEAST_EFFECTIVE} of each are needed",
            a.effective(),
            b.effective()
        ));
    }
    let enough = reasons.is_empty();
    let of = |ratio: f64| (1.0 - ratio) * scale;
    let ends = ratio.filter(|_| enough).map(|(low, high)| (of(high), of(low)));
    match ends {
        None if enough => reasons.push("the treated mean may be 0: the multiplier has no interval".into()),
        Some((low, high)) if low <= 0.0 && high >= 0.0 => {
            reasons.push("no effect is not excluded: the interval has 0 in it".into());
        }
        Some((low, _)) if low > 0.0 => reasons.push("the treatment adds to what comes anyway".into()),
        Some(_) => reasons.push("the treatment takes away from what comes anyway".into()),
        None => {}
    }
    Ok(Incrementality {
        conclusive: ends.is_some_and(|(low, high)| low > 0.0 || high < 0.0),
        reasons,
        multiplier: (a.mean > 0.0).then(|| of(b.mean / a.mean)),
        lower: ends.map(|e| e.0),
        upper: ends.map(|e| e.1),
        treated_mean: a.mean,
        holdout_mean: b.mean,
    })
}

/// The moments of a group over all its units.
struct Group {
    total: f64,
    squares: f64,
    mean: f64,
    /// Of the mean.
    variance: f64,
}

impl Group {
    fn of(group: &GroupOutcome) -> Self {
        let n = group.unit_count as f64;
        let (total, squares) = match &group.values_minor {
            None => (group.conversions as f64, group.conversions as f64),
            Some(values) => {
                let total: i128 = values.iter().map(|value| i128::from(*value)).sum();
                (total as f64, values.iter().map(|value| *value as f64 * *value as f64).sum())
            }
        };
        let mean = total / n;
        let variance = (squares - n * mean * mean).max(0.0) / (n - 1.0).max(1.0) / n;
        Self { total, squares, mean, variance }
    }

    fn effective(&self) -> f64 {
        if self.squares > 0.0 { self.total * self.total / self.squares } else { 0.0 }
    }
}

/// The ends of the holdout's rate over the treated one's.
fn binomial(treated: &GroupOutcome, holdout: &GroupOutcome, tail: f64) -> Option<(f64, f64)> {
    let (a, b) = (treated.conversions as f64, holdout.conversions as f64);
    if a == 0.0 {
        return None;
    }
    let low = if b == 0.0 { 0.0 } else { beta_quantile(b, a + 1.0, tail) };
    let high = beta_quantile(b + 1.0, a, 1.0 - tail);
    let units = treated.unit_count as f64 / holdout.unit_count as f64;
    let of = |part: f64| part / (1.0 - part) * units;
    Some((of(low), of(high)))
}

/// The ends of the holdout's mean over the treated one's.
fn fieller(treated: &Group, holdout: &Group, tail: f64) -> Option<(f64, f64)> {
    let z = -normal_quantile(tail);
    let over = treated.mean * treated.mean - z * z * treated.variance;
    if over <= 0.0 || treated.mean <= 0.0 {
        return None;
    }
    let product = treated.mean * holdout.mean;
    let under = holdout.mean * holdout.mean - z * z * holdout.variance;
    let root = libm::sqrt((product * product - over * under).max(0.0));
    Some(((product - root) / over, (product + root) / over))
}
