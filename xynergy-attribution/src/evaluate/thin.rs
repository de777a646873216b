//! When a log says too little of a policy.

use super::log::EvaluationOptions;
use super::weigh::Weighed;
use crate::distributions::normal_quantile;

/// How much of a policy's choices may be without support in the log.
const UNSUPPORTED: f64 = 0.01;
/// How improbable a mean of the weights must be before the propensities are doubted.
const DOUBT: f64 = 1e-6;
/// How many names a reason has.
const SHOWN: usize = 10;

pub(super) struct Measured {
    pub(super) effective_rows: f64,
    pub(super) effective_rewards: f64,
    pub(super) mean_weight: f64,
    pub(super) reasons: Vec<String>,
}

pub(super) fn measure(weighed: &Weighed<'_>, options: &EvaluationOptions) -> Measured {
    let weights = weighed.by_unit(|i, row| row.weight() * weighed.ratios[i]);
    let rewards = weighed.by_unit(|i, row| row.weight() * weighed.ratios[i] * row.reward.abs());
    let (effective_rows, effective_rewards) = (effective(&weights), effective(&rewards));
    let plain = weighed.by_unit(|_, row| row.weight());
    let whole: f64 = plain.iter().sum();
    let mean_weight = weights.iter().sum::<f64>() / whole;
    let mut reasons = Vec::new();
    if weighed.unsupported_share > UNSUPPORTED {
        let names: Vec<&str> = weighed.unsupported.iter().take(SHOWN).map(String::as_str).collect();
        let more = weighed.unsupported.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        reasons.push(format!(
            "no support: {:.1} % of what the policy would choose is never chosen in the log ({}{more}); log them with a propensity above 0 first",
            100.0 * weighed.unsupported_share,
            names.join(", ")
        ));
    }
    if effective_rows < options.least_effective_rows {
        reasons.push(format!(
            "too few rows: the log is worth {effective_rows:.1} rows of this policy, and {} are needed",
            options.least_effective_rows
        ));
    }
    if effective_rewards < options.least_effective_rewards {
        reasons.push(format!(
            "too few rewards: they are worth {effective_rewards:.1} of equal size, and {} are needed",
            options.least_effective_rewards
        ));
    }
    // Clipped weights have another mean on purpose, and actions without support are missing from it.
    if weighed.clipped_count == 0 && weighed.unsupported.is_empty() {
        let squares: f64 =
            weights.iter().zip(&plain).map(|(w, p)| (w - mean_weight * p) * (w - mean_weight * p)).sum();
        let reach = -normal_quantile(DOUBT / 2.0) * libm::sqrt(squares) / whole;
        if (mean_weight - 1.0).abs() > reach + 1e-9 {
            reasons.push(format!(
                "doubtful propensities: the importance weights have a mean of {mean_weight:.3} where it is 1 within {reach:.3}; log the probabilities that really chose"
            ));
        }
    }
    Measured { effective_rows, effective_rewards, mean_weight, reasons }
}

/// Kish's effective number of what is weighed.
fn effective(weights: &[f64]) -> f64 {
    let (sum, squares): (f64, f64) = (weights.iter().sum(), weights.iter().map(|w| w * w).sum());
    if squares > 0.0 { sum * sum / squares } else { 0.0 }
}
