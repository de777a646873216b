//! P(best) and shares in whole millionths.

use super::best::{Score, probabilities, shares, tally};
use super::millionths::Millionths;
use super::options::{SamplerOptions, ScoringMethod, ShareBy};
use super::thompson::{Standing, weight};

/// Where each score stands, in their order. Shares sum to exactly one, and so do probabilities.
pub(super) fn standings_of(
    scores: &[Score],
    options: &SamplerOptions,
    seed: u64,
    draws: u32,
) -> Vec<Standing> {
    let by_mean = options.share_by == ShareBy::Mean;
    let (wins, parts) = match options.method {
        ScoringMethod::Quadrature => {
            (whole(&probabilities(scores)), if by_mean { whole(&shares(scores)) } else { Vec::new() })
        }
        ScoringMethod::Draws => {
            let tally = tally(scores, seed, draws, by_mean);
            (tally.wins, whole(&tally.parts))
        }
    };
    let probabilities = Millionths::divide(&wins);
    let shares = if by_mean { Millionths::divide(&parts) } else { probabilities.clone() };
    shares
        .into_iter()
        .zip(probabilities)
        .map(|(share, probability)| Standing { share, probability })
        .collect()
}

fn whole(parts: &[f64]) -> Vec<u64> {
    parts.iter().map(|&part| weight(part)).collect()
}
