//! How far the revenue of an ad may be off: deals come by a Poisson process and bring amounts of great variety.

use xynergy_core::Minor;

/// How many deals of the pool's mean the mean of an ad begins with.
const PRIOR_DEALS: f64 = 3.0;

/// What lies outside the interval, on each side.
const TAIL: f64 = 0.025;

/// What all deals that are worth something say of the variety of their values.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pool {
    deals: f64,
    sum: f64,
    squares: f64,
}

impl Pool {
    pub(super) fn add(&mut self, value: Minor) {
        if value > 0 {
            let value = as_float(value);
            self.deals += 1.0;
            self.sum += value;
            self.squares += value * value;
        }
    }
}

/// The ends of a 95 % interval of what deals like these bring in the mean, in minor units; none where no deal is worth
/// anything yet.
///
/// A gamma interval for a weighted sum of Poisson counts (Fay and Feuer 1997, Statistics in Medicine 16:791): with the sum `y`,
/// its variance `v` and the weight `w` of one more deal, from `v / 2y` times the lower quantile of chi-squared with `2y²/v`
/// degrees of freedom to `(v + w²) / 2(y + w)` times the upper one with `2(y + w)²/(v + w²)`. That holds the truth more often than
/// it says, so its ends are those of the two distributions mixed half and half: the mid-p interval (Fay and Kim 2017, Biometrical
/// Journal 59:549). Few deals show little of their variety: `v` is at least what the pooled mean square gives for so many deals,
/// and `w` is the pooled mean square over the mean, both at the ad's own mean, shrunk to the pool's by three deals.
pub(super) fn interval(values: &[Minor], pool: &Pool) -> Option<(i128, i128)> {
    if pool.deals < 1.0 {
        return None;
    }
    let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for value in values.iter().filter(|value| **value > 0) {
        let value = as_float(*value);
        count += 1.0;
        sum += value;
        squares += value * value;
    }
    let pooled_mean = pool.sum / pool.deals;
    let variety = pool.squares / pool.deals / (pooled_mean * pooled_mean);
    let mean = (PRIOR_DEALS * pooled_mean + sum) / (PRIOR_DEALS + count);
    let variance = f64::max(squares, count * variety * mean * mean);
    let weight = variety * mean;
    let lower = (count > 0.0).then_some(Gamma { mean: sum, variance });
    let upper = Gamma { mean: sum + weight, variance: variance + weight * weight };
    Some((whole(mixed_quantile(TAIL, lower, upper)), whole(mixed_quantile(1.0 - TAIL, lower, upper))))
}

/// A gamma distribution.
#[derive(Clone, Copy)]
struct Gamma {
    mean: f64,
    variance: f64,
}

impl Gamma {
    fn shape(self) -> f64 {
        self.mean * self.mean / self.variance
    }

    fn scale(self) -> f64 {
        self.variance / self.mean
    }

    fn below(self, x: f64) -> f64 {
        gamma_below(self.shape(), x / self.scale())
    }

    /// Beyond every quantile that is asked for.
    fn most(self) -> f64 {
        self.scale() * (self.shape() + 10.0 * libm::sqrt(self.shape()) + 50.0)
    }
}

/// The quantile of two distributions mixed half and half, by halving; without the lower one, that is all at zero.
fn mixed_quantile(probability: f64, lower: Option<Gamma>, upper: Gamma) -> f64 {
    if lower.is_none() && probability <= 0.5 {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, lower.map_or(0.0, Gamma::most).max(upper.most()));
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        let below = f64::midpoint(lower.map_or(1.0, |lower| lower.below(middle)), upper.below(middle));
        if below < probability { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// The share of a gamma distribution of scale 1 below `x`: its series below the mean, else Lentz's continued fraction
/// (Press et al., Numerical Recipes, section 6.2).
fn gamma_below(shape: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let front = libm::exp(shape * libm::log(x) - x - libm::lgamma(shape));
    if x < shape + 1.0 {
        let (mut term, mut sum, mut at) = (1.0 / shape, 1.0 / shape, shape);
        while term > sum * 1e-15 {
            at += 1.0;
            term *= x / at;
            sum += term;
        }
        return (sum * front).min(1.0);
    }
    let mut b = x + 1.0 - shape;
    let (mut c, mut d) = (1e300, 1.0 / b);
    let mut fraction = d;
    for step in 1..100_000 {
        let step = f64::from(step);
        let a = -step * (step - shape);
        b += 2.0;
        d = 1.0 / tiny_or(a * d + b);
        c = tiny_or(b + a / c);
        fraction *= c * d;
        if (c * d - 1.0).abs() < 1e-15 {
            break;
        }
    }
    (1.0 - front * fraction).max(0.0)
}

fn tiny_or(number: f64) -> f64 {
    if number.abs() < 1e-300 { 1e-300 } else { number }
}

#[allow(clippy::cast_precision_loss, reason = "an interval is a statement about what is not known exactly")]
fn as_float(value: Minor) -> f64 {
    value as f64
}

#[allow(clippy::cast_possible_truncation, reason = "an amount past 64 bits stays far inside 128")]
fn whole(number: f64) -> i128 {
    number.round() as i128
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        // Half of chi-squared's: scipy 1.17.1, chi2.ppf(p, 2 * shape) / 2.
        for (probability, shape, expected) in GOLDEN {
            let gamma = Gamma { mean: shape, variance: shape };
            let found = mixed_quantile(probability, Some(gamma), gamma);
            assert!((found / expected - 1.0).abs() < 1e-9, "{probability} {shape}: {found} {expected}");
        }
    }

    const GOLDEN: [(f64, f64, f64); 8] = [
        (0.025, 1.0, 0.025317807984289876),
        (0.975, 1.0, 3.6888794541139354),
        (0.025, 3.0, 0.6186721228956014),
        (0.975, 4.0, 8.767273069742323),
        (0.025, 0.4, 7.328324355345854e-05),
        (0.975, 0.37, 2.132122202279735),
        (0.025, 55.5, 41.86751384981264),
        (0.975, 1200.0, 1268.8372769357773),
    ];

    /// Births with Down's syndrome in Michigan by age of the mother, as the vignette of R's dsrTest 1.0.0 has them: `gamma` and
    /// `gamma` with `midp`.
    #[test]
    fn the_mid_p_interval_is_that_of_the_reference() {
        let lower = Gamma { mean: 75.5290074452568, variance: 16.82709694365188 };
        let weight = 34.63109619145068;
        let upper = Gamma { mean: lower.mean + weight, variance: lower.variance + weight * weight };
        let found = [
            mixed_quantile(TAIL, Some(lower), lower),
            mixed_quantile(1.0 - TAIL, Some(upper), upper),
            mixed_quantile(TAIL, Some(lower), upper),
            mixed_quantile(1.0 - TAIL, Some(lower), upper),
        ];
        for (found, expected) in found.into_iter().zip([67.70212, 188.30017, 59.71632, 173.08170]) {
            assert!((found - expected).abs() < 5e-5, "{found} {expected}");
        }
    }

    /// A standard normal number, by Box and Muller.
    fn normal(dice: &mut ChaCha8Rng) -> f64 {
        let angle = std::f64::consts::TAU * uniform(dice);
        libm::sqrt(-2.0 * libm::log(uniform(dice))) * libm::cos(angle)
    }

    fn uniform(dice: &mut ChaCha8Rng) -> f64 {
        (f64::from(dice.next_u32()) + 0.5) / 4_294_967_296.0
    }

    fn poisson(dice: &mut ChaCha8Rng, mean: f64) -> usize {
        let (mut product, mut count) = (uniform(dice), 0);
        while product > libm::exp(-mean) {
            product *= uniform(dice);
            count += 1;
        }
        count
    }

    /// Worlds of twelve ads whose deals come by a Poisson process and bring log-normal amounts around a mean of each ad's own:
    /// the interval has the ad's true mean revenue in 95 of 100 cases, alike or not; in more where deals are so few that no
    /// interval could come closer.
    #[test]
    fn intervals_hold_what_they_promise() {
        let mut dice = ChaCha8Rng::seed_from_u64(11);
        for spread in [0.3, 1.0, 1.3] {
            for unlike in [0.0, 0.4] {
                for (deals, most) in [(1.0, 1.0), (3.0, 1.0), (10.0, 0.985), (30.0, 0.975), (100.0, 0.97)] {
                    let (mut inside, mut all) = (0.0_f64, 0.0_f64);
                    for _ in 0..250 {
                        let mut pool = Pool::default();
                        let ads: Vec<(f64, Vec<Minor>)> = (0..12)
                            .map(|_| {
                                let mean = 100_000.0 * libm::exp(unlike * normal(&mut dice));
                                let values = (0..poisson(&mut dice, deals))
                                    .map(|_| {
                                        let value = mean
                                            * libm::exp(spread * normal(&mut dice) - spread * spread / 2.0);
                                        Minor::try_from(whole(value)).unwrap()
                                    })
                                    .collect();
                                (deals * mean, values)
                            })
                            .collect();
                        ads.iter().flat_map(|(_, values)| values).for_each(|value| pool.add(*value));
                        if pool.deals < 1.0 {
                            continue;
                        }
                        for (truth, values) in &ads {
                            let (low, high) = interval(values, &pool).unwrap();
                            inside += f64::from(u8::from((low..=high).contains(&whole(*truth))));
                            all += 1.0;
                        }
                    }
                    let share = inside / all;
                    // Two standard errors of 3,000 cases.
                    assert!(
                        (0.95 - 0.008..=most + 0.006).contains(&share),
                        "{spread} {unlike} {deals}: {share}"
                    );
                }
            }
        }
    }

    #[test]
    fn an_interval_is_around_what_came_and_never_below_zero() {
        let mut pool = Pool::default();
        [100, 200, 5_000].into_iter().for_each(|value| pool.add(value));
        assert_eq!(interval(&[5], &Pool::default()), None, "nothing is known");
        let (low, high) = interval(&[], &pool).unwrap();
        assert!(low == 0 && high > 5_000, "{low} {high}");
        for values in [&[100][..], &[100, 200, 5_000], &[0, 0, 7], &[i64::MAX, i64::MAX]] {
            let (low, high) = interval(values, &pool).unwrap();
            let sum: i128 = values.iter().map(|value| i128::from(*value)).sum();
            assert!(0 <= low && low < sum && sum < high, "{values:?}: {low} {high}");
        }
    }
}
