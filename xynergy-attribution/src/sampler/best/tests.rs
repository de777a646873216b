use super::draws::tally;
use super::quadrature::{mean_of, probabilities, quantiles, shares};
use super::score::{Cumulants, Score};
use crate::sampler::posterior::Beta;
use crate::sampler::thompson::{GammaShape, Sampler};
use proptest::prelude::*;

fn click(alpha: f64, beta: f64) -> Score {
    Score::click(Beta { alpha, beta })
}

fn product(shape: f64, rate: f64, spread: f64) -> Score {
    Score::of(Cumulants::gamma(shape, rate).times(Cumulants::normal(0.0, spread)))
}

fn assert_near(found: &[f64], expected: &[f64], within: f64) {
    assert_eq!(found.len(), expected.len());
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() < within, "{found:?} {expected:?}");
    }
}

/// `P(X > Y)` of `X ~ Beta(a, b)`, `Y ~ Beta(c, d)` for whole `a`: Evan Miller's closed form.
fn beats(a: u32, b: f64, c: f64, d: f64) -> f64 {
    let log_beta = |x: f64, y: f64| libm::lgamma(x) + libm::lgamma(y) - libm::lgamma(x + y);
    (0..a)
        .map(|i| {
            let i = f64::from(i);
            libm::exp(log_beta(c + i, b + d) - libm::log(b + i) - log_beta(1.0 + i, b) - log_beta(c, d))
        })
        .sum()
}

#[test]
fn two_betas_are_as_the_closed_form_says() {
    for (a, b, c, d) in [
        (1, 1.0, 1.0, 1.0),
        (20, 980.0, 25.0, 975.0),
        (3, 120.0, 40.0, 9_000.0),
        (700, 60_000.0, 705.0, 60_100.0),
        (2, 1.0, 1.0, 3.0),
        (5, 2.5, 0.7, 1.5),
    ] {
        let expected = beats(a, b, c, d);
        let found = probabilities(&[click(a.into(), b), click(c, d)]);
        assert_near(&found, &[expected, 1.0 - expected], 2e-7);
    }
}

#[test]
fn gammas_are_as_the_closed_form_says() {
    // P(G(k1) / r1 > G(k2) / r2) = I(r2 / (r1 + r2); k2, k1), here for exponential variables r2 / (r1 + r2).
    for (one, other) in [(1.0, 3.0), (2.0, 2.0), (1.0, 50.0)] {
        let found = probabilities(&[product(1.0, one, 0.0), product(1.0, other, 0.0)]);
        assert_near(&found, &[other / (one + other), one / (one + other)], 2e-6);
    }
    // Log-normal: the normal distribution function of the difference over the deviation of both.
    let normal = |mean, variance| Score::of(Cumulants::normal(mean, variance));
    let found = probabilities(&[normal(0.5, 0.3), normal(0.0, 0.5)]);
    let expected = 0.5 * libm::erfc(-0.5 / libm::sqrt(0.8) / std::f64::consts::SQRT_2);
    assert_near(&found, &[expected, 1.0 - expected], 5e-6);
}

#[test]
fn equals_are_equally_probable_however_narrow() {
    for score in [click(47.0, 12_198.0), click(4e8, 3e10), product(2.5, 1.0, 0.3), product(0.4, 9.0, 0.0)] {
        for n in [1, 2, 7, 300] {
            let expected = vec![1.0 / f64::from(n); usize::try_from(n).unwrap()];
            let scores = vec![score; expected.len()];
            assert_near(&probabilities(&scores), &expected, 1e-7);
            assert_near(&shares(&scores), &expected, 1e-7);
        }
    }
}

#[test]
fn a_narrow_one_among_wide_ones_is_not_missed() {
    // The wide one is above the narrow one with the probability that it is above the narrow one's mean.
    let wide = click(3.0, 97.0);
    let at = 0.03;
    let narrow = click(at * 1e6, (1.0 - at) * 1e6);
    let above = beats(3, 97.0, at * 1e6, (1.0 - at) * 1e6);
    assert_near(&probabilities(&[wide, narrow]), &[above, 1.0 - above], 1e-6);
    let hopeless = click(1.0, 1e9);
    assert_near(&probabilities(&[hopeless, narrow, hopeless]), &[0.0, 1.0, 0.0], 1e-9);
}

#[test]
fn quantiles_and_means() {
    let score = click(20.0, 980.0);
    assert!((mean_of(&score) - 0.02).abs() < 1e-9);
    // The median is near (alpha - 1/3) / (alpha + beta - 2/3).
    assert!((quantiles(&score, [0.5])[0] - 0.019_7).abs() < 1e-4);
    assert_near(&quantiles(&click(1.0, 1.0), [0.05, 0.5, 0.95]), &[0.05, 0.5, 0.95], 2e-4);
    // Exponential: -ln(1 - p).
    let expected = [0.05, 0.95].map(|p| -libm::log1p(-p));
    assert_near(&quantiles(&product(1.0, 1.0, 0.0), [0.05, 0.95]), &expected, 2e-3);
    assert!((mean_of(&product(3.0, 2.0, 0.0)) - 1.5).abs() < 1e-6);
}

/// A product of a Gamma, a Beta and a log-normal variable is nearly what its three cumulants say: nearer than 100,000 draws can
/// tell.
#[test]
fn three_cumulants_are_enough() {
    const DRAWS: u32 = 100_000;
    let factors =
        [(2.0, 3.0, 30.0, 0.05), (6.0, 1.5, 12.0, 0.3), (14.0, 25.0, 200.0, 0.01), (2.5, 2.0, 9.0, 0.2)];
    let scores: Vec<Score> = factors
        .iter()
        .map(|&(shape, a, b, variance)| {
            let beta = Cumulants::beta(Beta { alpha: a, beta: b });
            Score::of(
                Cumulants::gamma(shape, shape).times(beta).times(Cumulants::normal(-beta.mean, variance)),
            )
        })
        .collect();
    let mut sampler = Sampler::new(5);
    let mut wins = [0_u32; 4];
    let shifts: Vec<f64> =
        factors.iter().map(|&(_, a, b, _)| Cumulants::beta(Beta { alpha: a, beta: b }).mean).collect();
    for _ in 0..DRAWS {
        let mut best = (0, f64::NEG_INFINITY);
        for (i, &(shape, a, b, variance)) in factors.iter().enumerate() {
            let mut gamma = |shape: f64| sampler.gamma_of(&GammaShape::new(shape)).value;
            let (g, x, y) = (gamma(shape) / shape, gamma(a), gamma(b));
            let log = libm::log(g * x / (x + y)) - shifts[i] + sampler.normal() * libm::sqrt(variance);
            if log > best.1 {
                best = (i, log);
            }
        }
        wins[best.0] += 1;
    }
    for (found, expected) in wins.iter().zip(probabilities(&scores)) {
        let tolerance = 4.0 * libm::sqrt(expected * (1.0 - expected) / f64::from(DRAWS)) + 1e-3;
        assert!((f64::from(*found) / f64::from(DRAWS) - expected).abs() < tolerance, "{wins:?} {expected}");
    }
}

fn score() -> impl Strategy<Value = Score> {
    prop_oneof![
        (0.0..8.0_f64, 0.0..9.0_f64).prop_map(|(a, b)| click(libm::exp(a) - 0.5, libm::exp(b))),
        (-1.5..6.0_f64, -2.0..2.0_f64, 0.0..1.0_f64).prop_map(|(shape, rate, spread)| product(
            libm::exp(shape),
            libm::exp(rate),
            spread
        )),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn both_methods_agree(scores in prop::collection::vec(score(), 1..12), seed in any::<u64>()) {
        const DRAWS: u32 = 20_000;
        let n = f64::from(DRAWS);
        let (wins, parts) = (probabilities(&scores), shares(&scores));
        let tally = tally(&scores, seed, DRAWS, true);
        prop_assert!((wins.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        for (i, p) in wins.iter().enumerate() {
            // Five standard errors: some of 48 times 12 are beyond four.
            let error = 5.0 * libm::sqrt(p * (1.0 - p) / n) + 2e-4;
            prop_assert!((tally.wins[i] as f64 / n - p).abs() < error, "{} {:?} {:?}", i, wins, tally.wins);
            let error = 5.0 * 0.5 / libm::sqrt(n);
            prop_assert!((tally.parts[i] / n - parts[i]).abs() < error, "{} {:?} {:?}", i, parts, tally.parts);
        }
    }
}

/// Real priors of a production bandit, with P(best) by another program's quadrature, where the shared data lies beside the checkout.
#[test]
fn agrees_with_the_golden_probabilities() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/bandit/thompson_golden_men.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: {path} is not there");
        return;
    };
    let golden: serde_json::Value = serde_json::from_str(&text).unwrap();
    let column = |name: &str| -> Vec<f64> { serde_json::from_value(golden["men"][name].clone()).unwrap() };
    let scores: Vec<_> = column("alpha").into_iter().zip(column("beta")).map(|(a, b)| click(a, b)).collect();
    assert_near(&probabilities(&scores), &column("p_best"), 2e-6);
}

/// Pinned: another machine, compiler or version of a dependency that computes otherwise fails here.
#[test]
fn the_same_bytes_everywhere() {
    let scores = [click(20.0, 980.0), click(25.0, 975.0), product(14.0, 700.0, 0.1)];
    let bits = |values: Vec<f64>| values.into_iter().map(f64::to_bits).fold(0, u64::wrapping_add);
    let found =
        [bits(probabilities(&scores)), bits(shares(&scores)), bits(tally(&scores, 7, 1_000, true).parts)];
    assert_eq!(found, PINNED);
}

const PINNED: [u64; 3] = [13_796_613_325_985_227_390, 13_799_029_258_263_199_745, 13_933_715_034_619_248_642];
