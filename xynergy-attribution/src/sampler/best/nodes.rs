//! Gauss-Legendre quadrature of eight nodes, and the integrals from each node to the end of the panel.

/// Nodes of a panel.
pub(super) const NODES: usize = 8;

/// The nodes on [-1, 1] (Abramowitz and Stegun, table 25.4).
pub(super) const AT: [f64; NODES] = [
    -0.960_289_856_497_536_2,
    -0.796_666_477_413_626_7,
    -0.525_532_409_916_329,
    -0.183_434_642_495_649_8,
    0.183_434_642_495_649_8,
    0.525_532_409_916_329,
    0.796_666_477_413_626_7,
    0.960_289_856_497_536_2,
];

/// Their weights.
pub(super) const WEIGHT: [f64; NODES] = [
    0.101_228_536_290_376_26,
    0.222_381_034_453_374_48,
    0.313_706_645_877_887_3,
    0.362_683_783_378_362,
    0.362_683_783_378_362,
    0.313_706_645_877_887_3,
    0.222_381_034_453_374_48,
    0.101_228_536_290_376_26,
];

/// `matrix[k][m]`: the weight of the value at node `m` in the integral from node `k` to 1, exact for polynomials of degree 7.
pub(super) fn from_node() -> [[f64; NODES]; NODES] {
    let mut matrix = [[0.0; NODES]; NODES];
    for (k, row) in matrix.iter_mut().enumerate() {
        let half = (1.0 - AT[k]) / 2.0;
        for (m, cell) in row.iter_mut().enumerate() {
            *cell = (0..NODES).map(|i| WEIGHT[i] * half * lagrange(m, AT[k] + half * (AT[i] + 1.0))).sum();
        }
    }
    matrix
}

/// The polynomial that is 1 at node `m` and 0 at the others.
fn lagrange(m: usize, x: f64) -> f64 {
    (0..NODES).filter(|&j| j != m).map(|j| (x - AT[j]) / (AT[m] - AT[j])).product()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integrates_polynomials() {
        let matrix = from_node();
        for degree in 0..8 {
            let whole: f64 = (0..NODES).map(|i| WEIGHT[i] * AT[i].powi(degree)).sum();
            let expected = if degree % 2 == 0 { 2.0 / f64::from(degree + 1) } else { 0.0 };
            assert!((whole - expected).abs() < 1e-14);
            for (k, row) in matrix.iter().enumerate() {
                let found: f64 = (0..NODES).map(|m| row[m] * AT[m].powi(degree)).sum();
                let expected = (1.0 - AT[k].powi(degree + 1)) / f64::from(degree + 1);
                assert!((found - expected).abs() < 1e-13, "{degree} {k}");
            }
        }
    }
}
