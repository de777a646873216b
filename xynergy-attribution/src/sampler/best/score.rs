//! What is believed of an ad's score, as a distribution with a density that is quick to compute.

use super::special::{digamma, tetragamma, trigamma};
use crate::sampler::posterior::Beta;

/// The greatest shape of a [`Score::LogGamma`]: from here on it is a normal distribution to five digits.
const LARGEST_SHAPE: f64 = 1e7;
const SMALLEST_SHAPE: f64 = 0.01;

/// The distribution of a positive score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::sampler) enum Score {
    /// A click-through.
    Click(Beta),
    /// `exp(location + power * ln(G))`, `G` a Gamma variable of this shape and rate 1.
    ///
    /// A product of Gamma, Beta and log-normal variables is of this kind to the third cumulant of its logarithm, and exactly
    /// when it is a power of one Gamma variable or (in the limit) log-normal.
    LogGamma { location: f64, power: f64, shape: f64 },
}

/// The first three cumulants of a logarithm; those of independent factors add.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::sampler) struct Cumulants {
    pub(in crate::sampler) mean: f64,
    pub(in crate::sampler) variance: f64,
    pub(in crate::sampler) third: f64,
}

impl Cumulants {
    /// Of the logarithm of a Gamma variable.
    pub(in crate::sampler) fn gamma(shape: f64, rate: f64) -> Self {
        Self { mean: digamma(shape) - libm::log(rate), variance: trigamma(shape), third: tetragamma(shape) }
    }

    /// Of the logarithm of a Beta variable.
    pub(in crate::sampler) fn beta(beta: Beta) -> Self {
        let sum = beta.alpha + beta.beta;
        Self {
            mean: digamma(beta.alpha) - digamma(sum),
            variance: trigamma(beta.alpha) - trigamma(sum),
            third: tetragamma(beta.alpha) - tetragamma(sum),
        }
    }

    /// Of a normal variable.
    pub(in crate::sampler) fn normal(mean: f64, variance: f64) -> Self {
        Self { mean, variance, third: 0.0 }
    }

    /// Of the variable to a power, which is at least 0.
    pub(in crate::sampler) fn powered(self, power: f64) -> Self {
        Self {
            mean: self.mean * power,
            variance: self.variance * power * power,
            third: self.third * power * power * power,
        }
    }

    /// Of the product with an independent variable.
    pub(in crate::sampler) fn times(self, other: Self) -> Self {
        Self {
            mean: self.mean + other.mean,
            variance: self.variance + other.variance,
            third: self.third + other.third,
        }
    }
}

impl Score {
    /// A click-through. More than 10^9 impressions are taken for as many: the posterior is narrower than anything it is compared with,
    /// and its density could not be computed to six digits.
    pub(in crate::sampler) fn click(beta: Beta) -> Self {
        const MOST: f64 = 1e9;
        let scale = (MOST / (beta.alpha + beta.beta)).min(1.0);
        // The scaled parameters stay what a density asks of them.
        Self::Click(Beta {
            alpha: (beta.alpha * scale).max(beta.alpha.min(1e-6)),
            beta: (beta.beta * scale).max(1.0),
        })
    }

    /// The log-Gamma distribution of these cumulants. The third must not be positive, which it never is for Gamma, Beta and
    /// log-normal factors.
    pub(in crate::sampler) fn of(cumulants: Cumulants) -> Self {
        let variance = cumulants.variance.max(1e-18);
        let skew = cumulants.third / (variance * libm::sqrt(variance));
        let (mut low, mut high) = (libm::log(SMALLEST_SHAPE), libm::log(LARGEST_SHAPE));
        // The skewness rises with the shape, from -2 to 0.
        for _ in 0..44 {
            let middle = f64::midpoint(low, high);
            let shape = libm::exp(middle);
            let spread = trigamma(shape);
            if tetragamma(shape) / (spread * libm::sqrt(spread)) < skew {
                low = middle;
            } else {
                high = middle;
            }
        }
        let shape = libm::exp(f64::midpoint(low, high));
        let power = libm::sqrt(variance / trigamma(shape));
        Self::LogGamma { location: cumulants.mean - power * digamma(shape), power, shape }
    }

    /// The mean and standard deviation of the logarithm.
    pub(super) fn log_moments(&self) -> (f64, f64) {
        match *self {
            Self::Click(beta) => {
                let Cumulants { mean, variance, .. } = Cumulants::beta(beta);
                (mean, libm::sqrt(variance))
            }
            Self::LogGamma { location, power, shape } => {
                (location + power * digamma(shape), power * libm::sqrt(trigamma(shape)))
            }
        }
    }

    /// The logarithm of the score where the density is greatest.
    fn log_mode(&self) -> f64 {
        match *self {
            // Just inside of where a density that rises to the end has its greatest value.
            Self::Click(Beta { alpha, beta }) => {
                libm::log(alpha / (alpha + beta - 1.0).max(alpha)).min(-1e-12)
            }
            Self::LogGamma { location, power, shape } => location + power * libm::log(shape),
        }
    }

    /// The density of the logarithm, ready to be asked often.
    pub(super) fn density(&self) -> LogDensity {
        match *self {
            Self::Click(Beta { alpha, beta }) => LogDensity {
                kind: Kind::Click { alpha, rest: beta - 1.0 },
                constant: libm::lgamma(alpha + beta) - libm::lgamma(alpha) - libm::lgamma(beta),
            },
            Self::LogGamma { location, power, shape } => LogDensity {
                kind: Kind::LogGamma { location, inverse: 1.0 / power, shape },
                constant: -libm::lgamma(shape) - libm::log(power),
            },
        }
    }

    /// The logarithms between which nearly all of the score lies: those where the logarithm of the density is `drop` below its
    /// greatest. The density is log-concave: what lies outside is less still, about `exp(-drop)`.
    pub(super) fn span(&self, density: &LogDensity, deviation: f64, drop: f64) -> (f64, f64) {
        let mode = self.log_mode();
        let floor = density.log_at(mode) - drop;
        let reach = |direction: f64| {
            let mut inside = 0.0;
            let mut outside = 4.0 * deviation;
            for _ in 0..200 {
                if density.log_at(mode + direction * outside) < floor {
                    break;
                }
                inside = outside;
                outside *= 1.6;
            }
            for _ in 0..4 {
                let middle = f64::midpoint(inside, outside);
                if density.log_at(mode + direction * middle) < floor {
                    outside = middle;
                } else {
                    inside = middle;
                }
            }
            mode + direction * outside
        };
        let upper = reach(1.0);
        (reach(-1.0), if matches!(self, Self::Click(_)) { upper.min(0.0) } else { upper })
    }
}

/// The density of the logarithm of a score.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogDensity {
    kind: Kind,
    constant: f64,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Click { alpha: f64, rest: f64 },
    LogGamma { location: f64, inverse: f64, shape: f64 },
}

impl LogDensity {
    /// The logarithm of the density at the logarithm `y` of a score.
    fn log_at(&self, y: f64) -> f64 {
        match self.kind {
            Kind::Click { .. } if y >= 0.0 => f64::NEG_INFINITY,
            Kind::Click { .. } => self.log_with(y, libm::log(-libm::expm1(y))),
            Kind::LogGamma { .. } => self.log_with(y, 0.0),
        }
    }

    fn log_with(&self, y: f64, log_rest: f64) -> f64 {
        match self.kind {
            Kind::Click { alpha, rest } => {
                self.constant + alpha * y + if rest == 0.0 { 0.0 } else { rest * log_rest }
            }
            Kind::LogGamma { location, inverse, shape } => {
                let z = (y - location) * inverse;
                self.constant + shape * z - libm::exp(z)
            }
        }
    }

    /// The density at `y`; `log_rest` is the logarithm of 1 less the score there, which many ads share.
    pub(super) fn at(&self, y: f64, log_rest: f64) -> f64 {
        let log = self.log_with(y, log_rest);
        // Below this nothing counts, and most of a grid is there.
        if log < -60.0 { 0.0 } else { libm::exp(log) }
    }
}
