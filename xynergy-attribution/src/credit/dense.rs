//! Removal effects of small chains: one inverse of the whole system serves every channel.
//!
//! With `G`, the inverse of one minus the backward chain, the walk back from `t` meets the states `K` of a channel with probability
//! `(G[t, K] w)`, where `G[K, K] w = 1`: for one state a channel that is `G[t, k] / G[k, k]`.

use super::chain::Backwards;

/// Above it the inverse takes longer than the sparse solve.
pub(super) const MOST_STATES: usize = 1_200;

pub(super) fn removal_effects(chain: &Backwards) -> Vec<[f64; 3]> {
    let count = chain.newest.len();
    let mut matrix = vec![0.0; count * count];
    for (state, from) in chain.from.iter().enumerate() {
        matrix[state * count + state] = 1.0;
        for &(source, probability) in from {
            matrix[state * count + source as usize] = -probability;
        }
    }
    invert(&mut matrix, count);
    let inverse = matrix;

    // How often the walk back from a conversion visits each state.
    let mut visits = vec![[0.0; 3]; count];
    for (state, won) in chain.won.iter().enumerate().filter(|(_, won)| **won != [0.0; 3]) {
        for (visits, &entry) in visits.iter_mut().zip(&inverse[state * count..(state + 1) * count]) {
            for (sum, won) in visits.iter_mut().zip(won) {
                *sum += won * entry;
            }
        }
    }

    let mut states: Vec<Vec<usize>> = vec![Vec::new(); chain.channels];
    for (state, &channel) in chain.newest.iter().enumerate() {
        states[channel as usize].push(state);
    }
    let effects = states.iter().map(|states| {
        let block =
            states.iter().map(|&row| states.iter().map(|&column| inverse[row * count + column]).collect());
        let first_hits = solve_ones(block.collect());
        let mut effect = [0.0; 3];
        for (&state, hit) in states.iter().zip(first_hits) {
            for (sum, visits) in effect.iter_mut().zip(visits[state]) {
                *sum += visits * hit;
            }
        }
        // Rounding may lead beyond what a share can be.
        effect.map(|share: f64| share.clamp(0.0, 1.0))
    });
    effects.collect()
}

/// Inverts in place by Gauss and Jordan. The matrix is diagonally dominant by rows with non-positive entries beside the diagonal, so no
/// pivot has to be sought.
fn invert(matrix: &mut [f64], count: usize) {
    let mut pivot_row = vec![0.0; count];
    for pivot in 0..count {
        let row = &mut matrix[pivot * count..(pivot + 1) * count];
        let scale = 1.0 / row[pivot];
        row[pivot] = 1.0;
        for entry in row.iter_mut() {
            *entry *= scale;
        }
        pivot_row.copy_from_slice(row);
        for (index, row) in matrix.chunks_exact_mut(count).enumerate() {
            let factor = row[pivot];
            if index == pivot || factor == 0.0 {
                continue;
            }
            row[pivot] = 0.0;
            for (entry, &above) in row.iter_mut().zip(&pivot_row) {
                *entry -= factor * above;
            }
        }
    }
}

/// The solution for a right-hand side of ones. A principal block of the inverse of such a matrix needs no pivoting either.
fn solve_ones(mut rows: Vec<Vec<f64>>) -> Vec<f64> {
    for row in &mut rows {
        row.push(1.0);
    }
    for pivot in 0..rows.len() {
        let (above, below) = rows.split_at_mut(pivot + 1);
        let Some(pivot_row) = above.last() else { continue };
        for row in below {
            let factor = row[pivot] / pivot_row[pivot];
            for (entry, &above) in row.iter_mut().zip(pivot_row).skip(pivot) {
                *entry -= factor * above;
            }
        }
    }
    let mut solution = vec![0.0; rows.len()];
    for index in (0..rows.len()).rev() {
        let row = &rows[index];
        let known: f64 =
            row[index + 1..rows.len()].iter().zip(&solution[index + 1..]).map(|(a, x)| a * x).sum();
        solution[index] = (row[rows.len()] - known) / row[index];
    }
    solution
}
