use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::millionths::Millionths;
use super::posterior::{Beta, Gamma, Pool, Posterior};

/// Where one ad stands after all draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// Its part of the scores, averaged over the draws.
    ///
    /// Proportional, and not the frequency of being best: where more money on one ad brings less and less, budgets in
    /// proportion to the return are the optimum (of logarithmic returns exactly), while the frequency of being best starves
    /// every ad but one as soon as the evidence is good.
    pub(super) share: Millionths,
    /// How often its score was the best.
    pub(super) probability: Millionths,
}

/// Draws every posterior `draws` times and says where each stands, in their order.
///
/// Shares sum to exactly one, and so do probabilities. ChaCha12 and `libm` make the draws: the same seed gives the same bytes on
/// every machine.
pub(super) fn standings(posteriors: &[Posterior], pool: &Pool, seed: u64, draws: u32) -> Vec<Standing> {
    let mut sampler = Sampler::new(seed);
    let mut wins = vec![0_u64; posteriors.len()];
    let mut parts = vec![0.0_f64; posteriors.len()];
    let mut scores = vec![0.0_f64; posteriors.len()];
    for _ in 0..draws {
        let mut best = 0;
        let mut sum = 0.0;
        for (i, posterior) in posteriors.iter().enumerate() {
            let click_through = sampler.beta(posterior.click_through);
            let deals_per_minor = sampler.gamma(posterior.deals_per_minor);
            scores[i] = posterior.score(click_through, deals_per_minor, pool);
            sum += scores[i];
            if scores[i] > scores[best] {
                best = i;
            }
        }
        if let Some(win) = wins.get_mut(best) {
            *win += 1;
        }
        for (part, score) in parts.iter_mut().zip(&scores) {
            *part += score / sum;
        }
    }
    let parts: Vec<u64> = parts.into_iter().map(weight).collect();
    Millionths::divide(&parts)
        .into_iter()
        .zip(Millionths::divide(&wins))
        .map(|(share, probability)| Standing { share, probability })
        .collect()
}

/// A sum of shares as an integer weight: at most the number of draws, so that 2^32 more parts of one fit.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn weight(sum: f64) -> u64 {
    (sum * 4_294_967_296.0) as u64
}

/// A Gamma distribution of rate 1, ready to be drawn from often.
#[derive(Clone, Copy, Debug)]
pub(super) struct GammaShape {
    d: f64,
    c: f64,
    /// 1 over the shape where that is below 1: the drawn shape is one more then.
    boost: Option<f64>,
}

/// A drawn Gamma variable: `value * exp(log_factor)`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drawn {
    pub(super) value: f64,
    pub(super) log_factor: f64,
}

impl GammaShape {
    pub(super) fn new(shape: f64) -> Self {
        let boost = (shape < 1.0).then(|| 1.0 / shape);
        let d = shape + if boost.is_some() { 1.0 } else { 0.0 } - 1.0 / 3.0;
        Self { d, c: 1.0 / libm::sqrt(9.0 * d), boost }
    }
}

/// Seeded draws from the distributions.
pub(super) struct Sampler {
    random: ChaCha12Rng,
    spare: Option<f64>,
}

impl Sampler {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: ChaCha12Rng::seed_from_u64(seed), spare: None }
    }

    /// Uniform between 0 and 1, never 0.
    pub(super) fn uniform(&mut self) -> f64 {
        ((self.random.next_u64() >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0
    }

    /// Standard normal, by Marsaglia's polar method.
    pub(super) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let x = 2.0 * self.uniform() - 1.0;
            let y = 2.0 * self.uniform() - 1.0;
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                let scale = libm::sqrt(-2.0 * libm::log(square) / square);
                self.spare = Some(y * scale);
                return x * scale;
            }
        }
    }

    /// Gamma of any shape; one below 1 is one of a shape 1 greater times a power of a uniform variable.
    pub(super) fn gamma_of(&mut self, shape: &GammaShape) -> Drawn {
        let value = self.marsaglia_tsang(shape.d, shape.c);
        let log_factor = shape.boost.map_or(0.0, |inverse| libm::log(self.uniform()) * inverse);
        Drawn { value, log_factor }
    }

    /// Gamma for shapes of at least 1.
    fn gamma(&mut self, gamma: Gamma) -> f64 {
        let d = gamma.shape - 1.0 / 3.0;
        self.marsaglia_tsang(d, 1.0 / libm::sqrt(9.0 * d)) / gamma.rate
    }

    /// Gamma of shape `d + 1/3` and rate 1 by Marsaglia and Tsang's method; `c` is `1 / sqrt(9 d)`.
    fn marsaglia_tsang(&mut self, d: f64, c: f64) -> f64 {
        loop {
            let x = self.normal();
            let root = 1.0 + c * x;
            if root <= 0.0 {
                continue;
            }
            let v = root * root * root;
            let u = self.uniform();
            let square = x * x;
            if u < 1.0 - 0.0331 * square * square
                || libm::log(u) < 0.5 * square + d * (1.0 - v + libm::log(v))
            {
                return d * v;
            }
        }
    }

    /// Beta as the part of one Gamma in two.
    fn beta(&mut self, beta: Beta) -> f64 {
        let x = self.gamma(Gamma { shape: beta.alpha, rate: 1.0 });
        let y = self.gamma(Gamma { shape: beta.beta, rate: 1.0 });
        x / (x + y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOL: Pool = Pool { click_through: 0.5, deals_per_minor: 1.0, value_per_deal: 1.0 };

    /// A posterior that is judged by its Beta alone.
    fn clicks_only(alpha: f64, beta: f64) -> Posterior {
        Posterior {
            click_through: Beta { alpha, beta },
            deals_per_minor: Gamma { shape: 1.0, rate: 1.0 },
            value_per_deal: 0.0,
            return_weight: 0.0,
        }
    }

    /// A posterior that is judged by its Gamma alone.
    fn deals_only(shape: f64, rate: f64) -> Posterior {
        Posterior {
            click_through: Beta { alpha: 1.0, beta: 1.0 },
            deals_per_minor: Gamma { shape, rate },
            value_per_deal: 1.0,
            return_weight: 1.0,
        }
    }

    /// P(best) of each by the trapezoidal rule: the density of one times the others' distribution functions.
    fn best_by_quadrature(log_densities: &[&dyn Fn(f64) -> f64], upper: f64) -> Vec<f64> {
        let steps = 40_000;
        let step = upper / f64::from(steps);
        let mut wins = vec![0.0; log_densities.len()];
        let mut below = vec![0.0; log_densities.len()];
        for n in 0..steps {
            let x = (f64::from(n) + 0.5) * step;
            let masses: Vec<f64> = log_densities.iter().map(|density| libm::exp(density(x)) * step).collect();
            for i in 0..masses.len() {
                let others: f64 =
                    (0..masses.len()).filter(|&j| j != i).map(|j| below[j] + masses[j] / 2.0).product();
                wins[i] += masses[i] * others;
            }
            for (sum, mass) in below.iter_mut().zip(&masses) {
                *sum += mass;
            }
        }
        wins
    }

    fn beta_log_density(alpha: f64, beta: f64) -> impl Fn(f64) -> f64 {
        let constant = libm::lgamma(alpha + beta) - libm::lgamma(alpha) - libm::lgamma(beta);
        move |x| constant + (alpha - 1.0) * libm::log(x) + (beta - 1.0) * libm::log1p(-x)
    }

    fn gamma_log_density(shape: f64, rate: f64) -> impl Fn(f64) -> f64 {
        let constant = shape * libm::log(rate) - libm::lgamma(shape);
        move |x| constant + (shape - 1.0) * libm::log(x) - rate * x
    }

    /// Within four standard errors of the expected frequencies.
    fn assert_probabilities(found: &[Standing], expected: &[f64], draws: u32) {
        for (standing, &p) in found.iter().zip(expected) {
            let error = f64::from(standing.probability.get()) / 1e6 - p;
            let tolerance = 4.0 * libm::sqrt(p * (1.0 - p) / f64::from(draws)) + 1e-5;
            assert!(error.abs() < tolerance, "expected {p}, found {standing:?}");
        }
    }

    #[test]
    fn the_best_of_betas_is_as_often_best_as_quadrature_says() {
        let parameters = [(20.0, 980.0), (25.0, 975.0), (3.0, 120.0), (1.0, 60.0)];
        let densities: Vec<_> = parameters.iter().map(|&(a, b)| beta_log_density(a, b)).collect();
        let densities: Vec<&dyn Fn(f64) -> f64> = densities.iter().map(|d| d as _).collect();
        let expected = best_by_quadrature(&densities, 0.5);
        assert!((expected.iter().sum::<f64>() - 1.0).abs() < 1e-4, "{expected:?}");
        let posteriors: Vec<_> = parameters.iter().map(|&(a, b)| clicks_only(a, b)).collect();
        assert_probabilities(&standings(&posteriors, &POOL, 7, 200_000), &expected, 200_000);
    }

    #[test]
    fn the_best_of_gammas_is_as_often_best_as_quadrature_says() {
        let parameters = [(14.0, 10.0), (32.0, 25.0), (2.0, 2.0)];
        let densities: Vec<_> = parameters.iter().map(|&(s, r)| gamma_log_density(s, r)).collect();
        let densities: Vec<&dyn Fn(f64) -> f64> = densities.iter().map(|d| d as _).collect();
        let expected = best_by_quadrature(&densities, 20.0);
        assert!((expected.iter().sum::<f64>() - 1.0).abs() < 1e-4, "{expected:?}");
        let posteriors: Vec<_> = parameters.iter().map(|&(s, r)| deals_only(s, r)).collect();
        assert_probabilities(&standings(&posteriors, &POOL, 11, 200_000), &expected, 200_000);
    }

    /// Real priors of a production bandit, with P(best) by quadrature, where the shared data lies beside the checkout.
    #[test]
    fn agrees_with_the_golden_probabilities() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/bandit/thompson_golden_men.json");
        let Ok(text) = std::fs::read_to_string(path) else {
            println!("skipped: {path} is not there");
            return;
        };
        let golden: serde_json::Value = serde_json::from_str(&text).unwrap();
        let column =
            |name: &str| -> Vec<f64> { serde_json::from_value(golden["men"][name].clone()).unwrap() };
        let posteriors: Vec<_> =
            column("alpha").into_iter().zip(column("beta")).map(|(a, b)| clicks_only(a, b)).collect();
        assert_probabilities(&standings(&posteriors, &POOL, 7, 100_000), &column("p_best"), 100_000);
    }

    #[test]
    fn draws_have_the_moments_of_their_distributions() {
        let draws = 200_000;
        let n = f64::from(draws);
        let check = |draw: &mut dyn FnMut() -> f64, mean: f64, variance: f64, fourth: f64, name: &str| {
            let values: Vec<f64> = (0..draws).map(|_| draw()).collect();
            let found = values.iter().sum::<f64>() / n;
            assert!(
                (found - mean).abs() < 5.0 * libm::sqrt(variance / n),
                "{name}: mean {found}, not {mean}"
            );
            let spread = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
            let tolerance = 5.0 * libm::sqrt((fourth - variance * variance) / n);
            assert!((spread - variance).abs() < tolerance, "{name}: variance {spread}, not {variance}");
        };
        let mut sampler = Sampler::new(3);
        check(&mut || sampler.normal(), 0.0, 1.0, 3.0, "normal");
        for shape in [1.0, 2.5, 40.0, 90_000.0] {
            let mut sampler = Sampler::new(4);
            let gamma = Gamma { shape, rate: 2.0 };
            let fourth = (3.0 * shape * shape + 6.0 * shape) / 16.0;
            check(&mut || sampler.gamma(gamma), shape / 2.0, shape / 4.0, fourth, "gamma");
        }
        for (alpha, beta) in [(1.0, 1.0), (2.0, 5.0), (30.0, 2_000.0)] {
            let mut sampler = Sampler::new(5);
            let sum = alpha + beta;
            let variance = alpha * beta / (sum * sum * (sum + 1.0));
            let kurtosis = 3.0
                + 6.0 * ((alpha - beta) * (alpha - beta) * (sum + 1.0) - alpha * beta * (sum + 2.0))
                    / (alpha * beta * (sum + 2.0) * (sum + 3.0));
            let fourth = kurtosis * variance * variance;
            check(&mut || sampler.beta(Beta { alpha, beta }), alpha / sum, variance, fourth, "beta");
        }
    }

    /// Pinned: another machine, compiler or version of a dependency that draws otherwise fails here.
    #[test]
    fn the_same_seed_gives_the_same_bytes_everywhere() {
        let posteriors = [clicks_only(20.0, 980.0), deals_only(14.0, 10.0), deals_only(2.0, 2.0)];
        let shown = |seed| -> Vec<(u32, u32)> {
            standings(&posteriors, &POOL, seed, 1_000)
                .iter()
                .map(|s| (s.share.get(), s.probability.get()))
                .collect()
        };
        assert_eq!(shown(7), PINNED);
        assert_ne!(shown(8), shown(7));
    }

    const PINNED: [(u32, u32); 3] = [(17_792, 0), (606_536, 760_000), (375_672, 240_000)];

    #[test]
    fn nothing_to_draw_is_nothing() {
        assert!(standings(&[], &POOL, 7, 10).is_empty());
    }
}
