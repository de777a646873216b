//! Derivatives of the logarithm of the Gamma function: recurrence up to 10, then the asymptotic series (Abramowitz and Stegun
//! 6.3.18, 6.4.11 to 6.4.14), accurate to about 1e-13.

/// Where the asymptotic series are accurate.
const LARGE: f64 = 10.0;

/// The digamma function, for positive arguments.
pub(in crate::sampler) fn digamma(x: f64) -> f64 {
    let (mut x, mut sum) = (x, 0.0);
    while x < LARGE {
        sum -= 1.0 / x;
        x += 1.0;
    }
    let r = 1.0 / (x * x);
    sum + libm::log(x)
        - 0.5 / x
        - r * (1.0 / 12.0
            - r * (1.0 / 120.0
                - r * (1.0 / 252.0 - r * (1.0 / 240.0 - r * (1.0 / 132.0 - r * 691.0 / 32_760.0)))))
}

/// The trigamma function, for positive arguments.
pub(in crate::sampler) fn trigamma(x: f64) -> f64 {
    let (mut x, mut sum) = (x, 0.0);
    while x < LARGE {
        sum += 1.0 / (x * x);
        x += 1.0;
    }
    let r = 1.0 / (x * x);
    let tail = 1.0 / 6.0 - r * (1.0 / 30.0 - r * (1.0 / 42.0 - r * (1.0 / 30.0 - r * 5.0 / 66.0)));
    sum + (1.0 + 0.5 / x + r * tail) / x
}

/// The tetragamma function (the second derivative of the digamma), for positive arguments.
pub(in crate::sampler) fn tetragamma(x: f64) -> f64 {
    let (mut x, mut sum) = (x, 0.0);
    while x < LARGE {
        sum -= 2.0 / (x * x * x);
        x += 1.0;
    }
    let r = 1.0 / (x * x);
    let tail = 0.5 - r * (1.0 / 6.0 - r * (1.0 / 6.0 - r * (3.0 / 10.0 - r * 5.0 / 6.0)));
    sum - r * (1.0 + 1.0 / x + r * tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        let close = |found: f64, expected: f64| {
            assert!((found - expected).abs() < 1e-12 * expected.abs().max(1.0), "{found} {expected}");
        };
        // Euler's constant, Apery's constant, and their well-known multiples.
        const EULER: f64 = 0.577_215_664_901_532_9;
        const ZETA3: f64 = 1.202_056_903_159_594_2;
        let pi2 = std::f64::consts::PI * std::f64::consts::PI;
        close(digamma(1.0), -EULER);
        close(digamma(0.5), -EULER - 2.0 * std::f64::consts::LN_2);
        close(trigamma(1.0), pi2 / 6.0);
        close(trigamma(0.5), pi2 / 2.0);
        close(tetragamma(1.0), -2.0 * ZETA3);
        close(tetragamma(0.5), -14.0 * ZETA3);
        // Against the difference quotient of the one before.
        for x in [0.3, 3.7, 12.0, 450.0] {
            let h = 1e-4 * x;
            let slope = |f: fn(f64) -> f64| (f(x + h) - f(x - h)) / (2.0 * h);
            assert!((slope(libm::lgamma) - digamma(x)).abs() < 1e-5 * (1.0 + digamma(x).abs()));
            assert!((slope(digamma) / trigamma(x) - 1.0).abs() < 1e-6);
            assert!((slope(trigamma) / tetragamma(x) - 1.0).abs() < 1e-6);
        }
    }
}
