//! How one path is divided among its touches, in whole numbers: numerators by touch over one denominator, which they sum to.

use super::model::{CreditModel, CreditParameters, PositionWeights};

/// Shares that are no ratio of small numbers are whole parts of this.
const FINE: u64 = 1 << 52;

/// A touch: its time in microseconds and its channel's number.
pub(super) type Touch = (i64, u32);

/// The denominator, and the numerator of each channel; a channel may come several times. `touches` has at least one.
pub(super) fn shares(
    touches: &[Touch],
    model: CreditModel,
    parameters: &CreditParameters,
    is_direct: impl Fn(u32) -> bool,
) -> (u64, Vec<(u32, u64)>) {
    let whole = |touch: Option<&Touch>| (1, touch.map(|&(_, channel)| (channel, 1)).into_iter().collect());
    match model {
        CreditModel::First => whole(touches.first()),
        CreditModel::LastNonDirect => {
            whole(touches.iter().rev().find(|&&(_, channel)| !is_direct(channel)).or(touches.last()))
        }
        CreditModel::Linear => {
            (touches.len() as u64, touches.iter().map(|&(_, channel)| (channel, 1)).collect())
        }
        CreditModel::LinearPerChannel | CreditModel::Shapley => {
            let mut channels: Vec<u32> = touches.iter().map(|&(_, channel)| channel).collect();
            channels.sort_unstable();
            channels.dedup();
            (channels.len() as u64, channels.into_iter().map(|channel| (channel, 1)).collect())
        }
        CreditModel::Position => by_place(touches, parameters.weights.unwrap_or_default()),
        CreditModel::TimeDecay => by_time(touches, parameters.half_life_seconds.unwrap_or(1)),
        CreditModel::Last | CreditModel::Markov => whole(touches.last()),
    }
}

fn by_place(touches: &[Touch], weights: PositionWeights) -> (u64, Vec<(u32, u64)>) {
    let [first, between, last] = [weights.first, weights.between, weights.last].map(u64::from);
    let channel = |index: usize| touches[index].1;
    match touches.len() {
        0 | 1 => (1, touches.iter().map(|&(_, channel)| (channel, 1)).collect()),
        2 if first + last == 0 => (2, vec![(channel(0), 1), (channel(1), 1)]),
        2 => (first + last, vec![(channel(0), first), (channel(1), last)]),
        count => {
            let inner = count as u64 - 2;
            let numerators = touches.iter().enumerate().map(|(index, &(_, channel))| match index {
                0 => (channel, first * inner),
                index if index == count - 1 => (channel, last * inner),
                _ => (channel, between),
            });
            ((first + between + last) * inner, numerators.collect())
        }
    }
}

/// Only the differences of the times matter: what the weights are measured from cancels out.
fn by_time(touches: &[Touch], half_life_seconds: u64) -> (u64, Vec<(u32, u64)>) {
    let newest = touches.last().map_or(0, |&(at, _)| at);
    let half_life = super::round::real(i128::from(half_life_seconds) * 1_000_000);
    let weights: Vec<f64> = touches
        .iter()
        .map(|&(at, _)| libm::exp2(-super::round::real(i128::from(newest) - i128::from(at)) / half_life))
        .collect();
    let sum: f64 = weights.iter().sum();
    let mut left = FINE;
    let mut numerators: Vec<(u32, u64)> = touches
        .iter()
        .zip(&weights)
        .map(|(&(_, channel), weight)| {
            let part = parts(weight / sum).min(left);
            left -= part;
            (channel, part)
        })
        .collect();
    // What rounding left over is less than a millionth of a millionth: the newest touch has it.
    if let Some((_, newest)) = numerators.last_mut() {
        *newest += left;
    }
    (FINE, numerators)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of 0 to 1 gives 0 to 2^52, which both types hold exactly"
)]
fn parts(share: f64) -> u64 {
    (share * FINE as f64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn touches(gaps: &[i64]) -> Vec<Touch> {
        let mut at = 0;
        (0..)
            .zip(gaps)
            .map(|(channel, gap)| {
                at += gap;
                (at, channel % 3)
            })
            .collect()
    }

    #[test]
    fn a_half_life_halves() {
        let parameters = CreditParameters { half_life_seconds: Some(10), ..CreditParameters::default() };
        let (whole, parts) =
            shares(&touches(&[0, 10_000_000, 10_000_000]), CreditModel::TimeDecay, &parameters, |_| false);
        let share = |index: usize| parts[index].1 as f64 / whole as f64;
        for (index, weight) in [(0, 1.0), (1, 2.0), (2, 4.0)] {
            assert!((share(index) - weight / 7.0).abs() < 1e-15, "{index}");
        }
    }

    proptest! {
        #[test]
        fn every_model_gives_the_whole_path(
            gaps in prop::collection::vec(0_i64..1_000_000_000_000_000, 1..100),
            (first, between, last) in (0_u32.., 0_u32.., 1_u32..),
            half_life in 1_u64..,
        ) {
            use CreditModel::*;
            let parameters = CreditParameters {
                weights: Some(PositionWeights { first, between, last }),
                half_life_seconds: Some(half_life),
                ..CreditParameters::default()
            };
            for model in [First, Last, LastNonDirect, Linear, LinearPerChannel, Position, TimeDecay, Shapley] {
                let (whole, parts) = shares(&touches(&gaps), model, &parameters, |channel| channel == 1);
                prop_assert_eq!(parts.iter().map(|part| u128::from(part.1)).sum::<u128>(), u128::from(whole), "{:?}", model);
            }
        }
    }
}
