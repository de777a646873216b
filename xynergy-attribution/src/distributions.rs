//! The distribution functions that intervals come from. `libm` alone computes: the same bytes on every machine.

const HALVINGS: usize = 200;
const MOST_TERMS: u32 = 1_000_000;
const TINY: f64 = 1e-300;

/// The quantile of the standard normal distribution.
pub(crate) fn normal_quantile(probability: f64) -> f64 {
    halved(-40.0, 40.0, |x| normal_below(x) < probability)
}

/// The share of the standard normal distribution below `x`.
fn normal_below(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}

/// The quantile of a gamma distribution of scale 1.
pub(crate) fn gamma_quantile(shape: f64, probability: f64) -> f64 {
    // Wilson and Hilferty (1931), exact enough where the sum below would be long.
    if shape > 1e6 {
        let third = 1.0 / (9.0 * shape);
        let root = 1.0 - third + normal_quantile(probability) * libm::sqrt(third);
        return shape * root * root * root;
    }
    halved(0.0, shape + 40.0 * libm::sqrt(shape) + 800.0, |x| gamma_below(shape, x) < probability)
}

/// The share of a gamma distribution of scale 1 below `x`: its series, else Lentz's continued fraction (Press et al., Numerical
/// Recipes, section 6.2).
pub(crate) fn gamma_below(shape: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let front = libm::exp(shape * libm::log(x) - x - libm::lgamma(shape));
    if x < shape + 1.0 {
        let (mut term, mut sum, mut at) = (1.0 / shape, 1.0 / shape, shape);
        for _ in 0..MOST_TERMS {
            at += 1.0;
            term *= x / at;
            sum += term;
            if term < sum * 1e-17 {
                break;
            }
        }
        return (front * sum).min(1.0);
    }
    let mut b = x + 1.0 - shape;
    let (mut c, mut d) = (1.0 / TINY, 1.0 / b);
    let mut fraction = d;
    for i in 1..MOST_TERMS {
        let i = f64::from(i);
        let a = -i * (i - shape);
        b += 2.0;
        d = 1.0 / away(a * d + b);
        c = away(b + a / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    (1.0 - front * fraction).clamp(0.0, 1.0)
}

/// The quantile of a Beta distribution.
pub(crate) fn beta_quantile(alpha: f64, beta: f64, probability: f64) -> f64 {
    halved(0.0, 1.0, |x| beta_below(alpha, beta, x) < probability)
}

/// The share of a Beta distribution below `x`, by Lentz's continued fraction (Numerical Recipes, section 6.4).
fn beta_below(alpha: f64, beta: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = libm::exp(alpha * libm::log(x) + beta * libm::log1p(-x) - ln_beta(alpha, beta));
    if x < (alpha + 1.0) / (alpha + beta + 2.0) {
        front * beta_fraction(alpha, beta, x) / alpha
    } else {
        1.0 - front * beta_fraction(beta, alpha, 1.0 - x) / beta
    }
}

fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for m in 1..MOST_TERMS {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away(1.0 + even * d);
        c = away(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away(1.0 + odd * d);
        c = away(1.0 + odd / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}

/// The logarithm of the Beta function.
pub(crate) fn ln_beta(alpha: f64, beta: f64) -> f64 {
    libm::lgamma(alpha) + libm::lgamma(beta) - libm::lgamma(alpha + beta)
}

/// Where `below` turns false between `low` and `high`.
pub(crate) fn halved(mut low: f64, mut high: f64, below: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..HALVINGS {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if below(middle) { low = middle } else { high = middle }
    }
    low + (high - low) / 2.0
}

/// A number that can be divided by.
fn away(number: f64) -> f64 {
    if number.abs() < TINY { TINY } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1e-3), "{found}, not {expected}");
    }

    /// Expected values by SciPy.
    #[test]
    fn quantiles_are_those_of_other_programs() {
        assert_near(normal_quantile(0.975), 1.959_963_984_540_054);
        assert_near(normal_quantile(0.001), -3.090_232_306_167_813);
        // scipy.stats.chi2.ppf(p, 2 * shape) / 2
        assert_near(gamma_quantile(0.5, 0.05), 0.001_966_070_000_009_761);
        assert_near(gamma_quantile(10.0, 0.975), 17.084_803_451_419_166);
        assert_near(gamma_quantile(1.0, 0.5), std::f64::consts::LN_2);
        // scipy.stats.beta.ppf
        assert_near(beta_quantile(2.0, 5.0, 0.5), 0.264_449_983_295_660_05);
        assert_near(beta_quantile(1.0, 1.0, 0.3), 0.3);
    }

    #[test]
    fn the_approximation_of_large_shapes_joins_the_sum() {
        for probability in [0.025, 0.5, 0.975] {
            let (below, above) =
                (gamma_quantile(999_999.0, probability), gamma_quantile(1_000_001.0, probability));
            assert!((above - below - 2.0).abs() < 0.01, "{below} {above}");
        }
    }
}
