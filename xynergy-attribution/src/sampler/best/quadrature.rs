//! P(best) and mean shares as integrals.

use super::nodes::{AT, NODES, WEIGHT, from_node};
use super::score::{LogDensity, Score};

/// The width of a panel in standard deviations of the narrowest score that lies in it.
const PANEL: f64 = 1.5;
/// A bound for the panels, never reached by scores that differ less than a trillionfold in their spread.
const MOST_PANELS: f64 = 20_000.0;
/// How much smaller, as a logarithm, a density is where a score is taken to end: 1e-10 or so lies beyond.
const NEARLY_ALL: f64 = 27.0;
/// From so many scores on, a share depends on the mean and the variance of each alone (to about 1e-5).
const MANY: usize = 64;

struct Spread {
    index: usize,
    density: LogDensity,
    deviation: f64,
    lower: f64,
    upper: f64,
}

/// The probability of each score to be the best, in their order.
///
/// `P(i) = integral of f_i times the product of F_j over the others`, over the logarithm of the score. Panels of eight
/// Gauss-Legendre nodes run from the top down; each is as wide as the narrowest score in it allows, and the distribution
/// functions are integrated along, so that each score costs one density a node. Below the point that one score certainly exceeds
/// nothing is left to decide. Good to about 1e-6.
pub(in crate::sampler) fn probabilities(scores: &[Score]) -> Vec<f64> {
    let mut wins = vec![0.0; scores.len()];
    if scores.len() < 2 {
        wins.fill(1.0);
        return wins;
    }
    let mut spreads = spreads(scores);
    let bottom = spreads.iter().map(|s| s.lower).fold(f64::NEG_INFINITY, f64::max);
    spreads.sort_by(|a, b| b.upper.total_cmp(&a.upper).then(a.index.cmp(&b.index)));
    let mut top = spreads[0].upper;
    let at_the_end = scores.iter().all(|score| matches!(score, Score::Click(_))) && top == 0.0;
    let least = (top - bottom) / MOST_PANELS;
    let matrix = from_node();
    // Of those above the bottom, in the order of their ends: how much lies above the panel, densities and distribution functions.
    let mut above = vec![0.0; spreads.len()];
    let mut values = vec![([0.0; NODES], [0.0; NODES]); spreads.len()];
    let mut alive = 0;
    let mut narrowest = f64::INFINITY;
    while top > bottom {
        while alive < spreads.len() && spreads[alive].upper >= top {
            narrowest = narrowest.min(spreads[alive].deviation);
            alive += 1;
        }
        let mut width = (PANEL * narrowest).max(least);
        // A narrower score that begins inside begins a panel of its own.
        for next in &spreads[alive..] {
            if next.upper <= top - width {
                break;
            }
            if next.deviation < narrowest {
                width = (top - next.upper).max(least);
                break;
            }
        }
        if at_the_end {
            // A Beta density may rise or fall without a slope at the end of its range, at a score of 1.
            width = width.min((-top / 2.0).max(1e-6));
        }
        let width = width.min(top - bottom);
        let start = top - width;
        let mut taking_part = alive;
        while taking_part < spreads.len() && spreads[taking_part].upper > start {
            taking_part += 1;
        }
        panel(&spreads[..taking_part], (start, width / 2.0), &matrix, &mut above, &mut values, &mut wins);
        top = start;
    }
    let sum: f64 = wins.iter().sum();
    if sum > 0.0 {
        wins.iter_mut().for_each(|win| *win /= sum);
    }
    wins
}

fn panel(
    spreads: &[Spread],
    (start, half): (f64, f64),
    matrix: &[[f64; NODES]; NODES],
    above: &mut [f64],
    values: &mut [([f64; NODES], [f64; NODES])],
    wins: &mut [f64],
) {
    let at = AT.map(|x| start + half * (x + 1.0));
    let rest = at.map(|y| if y < 0.0 { libm::log(-libm::expm1(y)) } else { f64::NEG_INFINITY });
    let mut product = [1.0; NODES];
    for ((spread, above), (density, below)) in spreads.iter().zip(above).zip(values.iter_mut()) {
        for k in 0..NODES {
            density[k] = spread.density.at(at[k], rest[k]);
        }
        let mut mass = 0.0;
        for k in 0..NODES {
            let mut beyond = 0.0;
            for m in 0..NODES {
                beyond += matrix[k][m] * density[m];
            }
            below[k] = (1.0 - *above - half * beyond).clamp(1e-30, 1.0);
            product[k] *= below[k];
            mass += WEIGHT[k] * density[k];
        }
        *above += half * mass;
    }
    let weights: [f64; NODES] = std::array::from_fn(|k| half * WEIGHT[k] * product[k]);
    for (spread, (density, below)) in spreads.iter().zip(values) {
        let mut win = 0.0;
        for k in 0..NODES {
            // Where even one cannot be below, the product is nothing as well.
            win += weights[k] * density[k] / below[k];
        }
        wins[spread.index] += win;
    }
}

fn spreads(scores: &[Score]) -> Vec<Spread> {
    let spread = |(index, score): (usize, &Score)| {
        let density = score.density();
        let (_, deviation) = score.log_moments();
        let (lower, upper) = score.span(&density, deviation, NEARLY_ALL);
        Spread { index, density, deviation, lower, upper }
    };
    scores.iter().enumerate().map(spread).collect()
}

/// The mean of each score's part in the sum of all, in their order.
///
/// `E[X_i / sum X] = integral over t of E[X_i exp(-t X_i)] times the product of E[exp(-t X_j)] over the others`: the reciprocal of
/// the sum as an integral, which separates the scores. The expectations are sums over nodes of each score; with many scores, where
/// `t` times one of them is small, those of the Gamma distribution of its mean and variance.
pub(in crate::sampler) fn shares(scores: &[Score]) -> Vec<f64> {
    let points: Vec<Vec<(f64, f64)>> = scores.iter().map(points).collect();
    let moments: Vec<(f64, f64)> = points.iter().map(|points| moments(points)).collect();
    let scale: f64 = moments.iter().map(|(mean, _)| mean).sum();
    let mut parts = vec![0.0; scores.len()];
    if scores.len() < 2 || !scale.is_normal() {
        parts.fill(1.0);
        return normalised(parts);
    }
    let mut terms = vec![(0.0, 0.0); scores.len()];
    for step in -80..=100_i32 {
        let t = libm::exp(f64::from(step) * 0.25) / scale;
        let mut product = t;
        for ((term, points), &(mean, variance)) in terms.iter_mut().zip(&points).zip(&moments) {
            *term = if scores.len() < MANY { by_points(points, t) } else { by_moments(mean, variance, t) };
            product *= term.0;
        }
        if product > 0.0 {
            for (part, (whole, weighted)) in parts.iter_mut().zip(&terms) {
                *part += product * weighted / whole;
            }
        }
    }
    normalised(parts)
}

/// The mean and the variance of a score's distribution.
pub(in crate::sampler) fn mean_of(score: &Score) -> f64 {
    moments(&points(score)).0
}

/// The scores below which these parts of its distribution lie, in rising order. Good to about 1e-4 of a part.
pub(in crate::sampler) fn quantiles<const N: usize>(score: &Score, parts: [f64; N]) -> [f64; N] {
    const STEPS: usize = 600;
    const MOST: f64 = 13.0;
    let density = score.density();
    let (_, deviation) = score.log_moments();
    let (lower, upper) = score.span(&density, deviation, MOST);
    let width = (upper - lower) / STEPS as f64;
    let mass = |step: usize| {
        let y = lower + (step as f64 + 0.5) * width;
        density.at(y, if y < 0.0 { libm::log(-libm::expm1(y)) } else { f64::NEG_INFINITY })
    };
    let masses: Vec<f64> = (0..STEPS).map(mass).collect();
    let whole: f64 = masses.iter().sum();
    let (mut step, mut before) = (0, 0.0);
    parts.map(|part| {
        while step < STEPS - 1 && before + masses[step] < part * whole {
            before += masses[step];
            step += 1;
        }
        let inside = ((part * whole - before) / masses[step].max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
        libm::exp(lower + (step as f64 + inside) * width)
    })
}

/// Scores and their probabilities that stand for a distribution.
fn points(score: &Score) -> Vec<(f64, f64)> {
    const PANELS: usize = 5;
    let density = score.density();
    let (_, deviation) = score.log_moments();
    let (lower, upper) = score.span(&density, deviation, NEARLY_ALL);
    let half = (upper - lower) / (2 * PANELS) as f64;
    (0..PANELS)
        .flat_map(|panel| (0..NODES).map(move |k| (panel, k)))
        .map(|(panel, k)| {
            let y = lower + half * ((2 * panel) as f64 + AT[k] + 1.0);
            let rest = if y < 0.0 { libm::log(-libm::expm1(y)) } else { f64::NEG_INFINITY };
            (libm::exp(y), half * WEIGHT[k] * density.at(y, rest))
        })
        .collect()
}

fn moments(points: &[(f64, f64)]) -> (f64, f64) {
    let mass: f64 = points.iter().map(|(_, p)| p).sum();
    let mean = points.iter().map(|(x, p)| x * p).sum::<f64>() / mass;
    (mean, points.iter().map(|(x, p)| (x - mean) * (x - mean) * p).sum::<f64>() / mass)
}

/// `E[exp(-t X)]` and `E[X exp(-t X)]`.
fn by_points(points: &[(f64, f64)], t: f64) -> (f64, f64) {
    points.iter().fold((0.0, 0.0), |(whole, weighted), (x, p)| {
        let damped = p * libm::exp(-t * x);
        (whole + damped, weighted + x * damped)
    })
}

fn by_moments(mean: f64, variance: f64, t: f64) -> (f64, f64) {
    let scale = (variance / mean).max(mean * 1e-12);
    let whole = libm::exp(-mean / scale * libm::log1p(t * scale));
    (whole, mean * whole / (1.0 + t * scale))
}

fn normalised(mut parts: Vec<f64>) -> Vec<f64> {
    let sum: f64 = parts.iter().sum();
    if sum > 0.0 {
        parts.iter_mut().for_each(|part| *part /= sum);
    }
    parts
}
