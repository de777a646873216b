//! P(best) and mean shares from seeded draws.

use super::score::Score;
use crate::sampler::thompson::{Drawn, GammaShape, Sampler};

/// What the draws say of each score, in their order.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sampler) struct Tally {
    /// How often it was the best.
    pub(in crate::sampler) wins: Vec<u64>,
    /// The sum of its parts in the sums of all; empty when they were not asked for.
    pub(in crate::sampler) parts: Vec<f64>,
}

enum Drawable {
    Click { alpha: GammaShape, beta: GammaShape },
    LogGamma { location: f64, power: f64, shape: GammaShape },
}

/// Draws every score `draws` times. ChaCha12 and `libm` make the draws: the same seed gives the same bytes on every machine.
pub(in crate::sampler) fn tally(scores: &[Score], seed: u64, draws: u32, with_parts: bool) -> Tally {
    let mut sampler = Sampler::new(seed);
    let drawables: Vec<Drawable> = scores.iter().map(Drawable::of).collect();
    let mut wins = vec![0_u64; scores.len()];
    let mut parts = vec![0.0_f64; if with_parts { scores.len() } else { 0 }];
    let mut drawn = vec![0.0_f64; scores.len()];
    for _ in 0..draws {
        let mut best = (0, f64::NEG_INFINITY);
        for (i, (drawable, place)) in drawables.iter().zip(&mut drawn).enumerate() {
            let log = drawable.draw(&mut sampler);
            *place = log;
            if log > best.1 {
                best = (i, log);
            }
        }
        if let Some(win) = wins.get_mut(best.0) {
            *win += 1;
        }
        if with_parts {
            // Relative to the best, so that no scale overflows.
            drawn.iter_mut().for_each(|log| *log = libm::exp(*log - best.1));
            let sum: f64 = drawn.iter().sum();
            parts.iter_mut().zip(&drawn).for_each(|(part, score)| *part += score / sum);
        }
    }
    Tally { wins, parts }
}

impl Drawable {
    fn of(score: &Score) -> Self {
        match *score {
            Score::Click(beta) => {
                Self::Click { alpha: GammaShape::new(beta.alpha), beta: GammaShape::new(beta.beta) }
            }
            Score::LogGamma { location, power, shape } => {
                Self::LogGamma { location, power, shape: GammaShape::new(shape) }
            }
        }
    }

    /// The logarithm of a drawn score.
    fn draw(&self, sampler: &mut Sampler) -> f64 {
        match self {
            Self::Click { alpha, beta } => {
                let Drawn { value: x, log_factor: a } = sampler.gamma_of(alpha);
                let Drawn { value: y, log_factor: b } = sampler.gamma_of(beta);
                // 1 / (1 + y / x), with the factors of shapes below 1 as logarithms, which do not underflow.
                let factor = if a == b { 1.0 } else { libm::exp(b - a) };
                -libm::log1p(y / x * factor)
            }
            Self::LogGamma { location, power, shape } => {
                let Drawn { value, log_factor } = sampler.gamma_of(shape);
                location + power * (libm::log(value) + log_factor)
            }
        }
    }
}
