//! Inner products, many at a time.
//!
//! The kernels use the widest registers that the processor has, so that their sums differ in the last bits from machine to machine.
//! They choose candidates; [`exact`] then gives the figure that is ordered by and shown, which is the same everywhere.

use fearless_simd::{Level, Simd, SimdBase, SimdFloat, dispatch};

/// Rows whose products are summed at the same time: enough to keep the units for multiplication busy.
const ROWS: usize = 4;
/// Queries at the same time, where there are many and 32 registers.
const MANY: usize = 6;
/// Queries at the same time, where there are many and 16 registers.
const SOME: usize = 2;

/// The instructions that this processor has.
pub(super) fn level() -> Level {
    Level::new()
}

/// How far a product of two unit vectors from the kernels may be from the true one: `d` roundings of 2^-24 each, and some for lengths that
/// are not quite 1 (Cauchy-Schwarz).
pub(super) fn error_bound(dimensions: usize) -> f32 {
    (dimensions as f32 + 8.0) * f32::EPSILON * 0.5 * 1.01
}

/// The inner product in `f64`, summed in one order on every machine.
pub(super) fn exact(a: &[f32], b: &[f32]) -> f64 {
    let mut sums = [0.0_f64; 4];
    let (a, a_rest) = a.as_chunks::<4>();
    let (b, b_rest) = b.as_chunks::<4>();
    for (x, y) in a.iter().zip(b) {
        for lane in 0..4 {
            sums[lane] += f64::from(x[lane]) * f64::from(y[lane]);
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

/// The products of every query with every row, `out[query * rows + row]`. `queries` and `rows` are whole vectors of `dimensions`.
pub(super) fn products(level: Level, dimensions: usize, queries: &[f32], rows: &[f32], out: &mut [f32]) {
    dispatch!(level, simd => simd.vectorize(
        #[inline(always)]
        || if lanes(simd) < 16 {
            all::<_, SOME>(simd, dimensions, queries, rows, out);
        } else {
            all::<_, MANY>(simd, dimensions, queries, rows, out);
        }
    ));
}

/// The products of one query with the rows of these numbers; `out` is as long as `chosen`.
pub(super) fn products_of(level: Level, query: &[f32], vectors: &[f32], chosen: &[u32], out: &mut [f32]) {
    dispatch!(level, simd => simd.vectorize(
        #[inline(always)]
        || some(simd, query, vectors, chosen, out)
    ));
}

/// Numbers of a register. Those that have 16 are 32, others 16 or 32.
#[inline(always)]
fn lanes<S: Simd>(_: S) -> usize {
    S::f32s::LEN
}

#[inline(always)]
fn all<S: Simd, const Q: usize>(simd: S, d: usize, queries: &[f32], rows: &[f32], out: &mut [f32]) {
    let count = rows.len() / d;
    let row = |r: usize| &rows[r * d..(r + 1) * d];
    let full = count - count % ROWS;
    let several = queries.chunks_exact(Q * d);
    let single = several.remainder();
    let (out, single_out) = out.split_at_mut((queries.len() - single.len()) / d * count);
    for (queries, out) in several.zip(out.chunks_exact_mut((Q * count).max(1))) {
        let query: [&[f32]; Q] = std::array::from_fn(|q| &queries[q * d..(q + 1) * d]);
        for r in (0..full).step_by(ROWS) {
            let found = tile(simd, query, std::array::from_fn::<_, ROWS, _>(|i| row(r + i)));
            for (q, found) in found.iter().enumerate() {
                out[q * count + r..q * count + r + ROWS].copy_from_slice(found);
            }
        }
        for r in full..count {
            for (q, [found]) in tile(simd, query, [row(r)]).into_iter().enumerate() {
                out[q * count + r] = found;
            }
        }
    }
    for (query, out) in single.chunks_exact(d).zip(single_out.chunks_exact_mut(count.max(1))) {
        for r in (0..full).step_by(ROWS) {
            let [found] = tile(simd, [query], std::array::from_fn::<_, ROWS, _>(|i| row(r + i)));
            out[r..r + ROWS].copy_from_slice(&found);
        }
        for (r, out) in (full..count).zip(&mut out[full..]) {
            let [[found]] = tile(simd, [query], [row(r)]);
            *out = found;
        }
    }
}

#[inline(always)]
fn some<S: Simd>(simd: S, query: &[f32], vectors: &[f32], chosen: &[u32], out: &mut [f32]) {
    let d = query.len();
    let row = |r: u32| &vectors[r as usize * d..(r as usize + 1) * d];
    let (groups, rest) = chosen.as_chunks::<ROWS>();
    let (group_out, rest_out) = out.split_at_mut(groups.len() * ROWS);
    for (group, out) in groups.iter().zip(group_out.chunks_exact_mut(ROWS)) {
        let [found] = tile(simd, [query], group.map(row));
        out.copy_from_slice(&found);
    }
    for (&one, out) in rest.iter().zip(rest_out) {
        let [[found]] = tile(simd, [query], [row(one)]);
        *out = found;
    }
}

/// The products of `Q` queries with `R` rows, all of one length.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // Two arrays go along with each.
fn tile<S: Simd, const Q: usize, const R: usize>(
    simd: S,
    queries: [&[f32]; Q],
    rows: [&[f32]; R],
) -> [[f32; R]; Q] {
    let (lanes, d) = (S::f32s::LEN, queries[0].len());
    let whole = d - d % lanes;
    // Plain loops: what a closure that is not inlined borrows would be written to memory at every step.
    let mut sums = [[S::f32s::splat(simd, 0.0); R]; Q];
    let mut at = 0;
    while at < whole {
        let mut row = [S::f32s::splat(simd, 0.0); R];
        for r in 0..R {
            row[r] = S::f32s::from_slice(simd, &rows[r][at..at + lanes]);
        }
        for q in 0..Q {
            let query = S::f32s::from_slice(simd, &queries[q][at..at + lanes]);
            for r in 0..R {
                sums[q][r] = query.mul_add(row[r], sums[q][r]);
            }
        }
        at += lanes;
    }
    let mut out = [[0.0; R]; Q];
    for q in 0..Q {
        for r in 0..R {
            let mut sum = sums[q][r].reduce_sum();
            for i in whole..d {
                sum += queries[q][i] * rows[r][i];
            }
            out[q][r] = sum;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_kernels_are_within_their_bound_of_the_exact_product(
            d in 1_usize..70, queries in 1_usize..7, rows in 1_usize..11, seed in any::<u64>(),
        ) {
            let mut state = seed;
            let mut vectors = |n: usize| {
                let mut all: Vec<f32> = Vec::new();
                for _ in 0..n {
                    let raw: Vec<f32> = (0..d).map(|_| {
                        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                        (state >> 40) as f32 / 16_777_216.0 - 0.49
                    }).collect();
                    all.extend(super::super::unit::unit("t", &raw, d).unwrap());
                }
                all
            };
            let (q, r) = (vectors(queries), vectors(rows));
            let mut out = vec![0.0; queries * rows];
            products(level(), d, &q, &r, &mut out);
            let chosen: Vec<u32> = (0..u32::try_from(rows).unwrap()).rev().collect();
            let mut some = vec![0.0; rows];
            products_of(level(), &q[..d], &r, &chosen, &mut some);
            some.reverse();
            for i in 0..queries {
                for j in 0..rows {
                    let truth = exact(&q[i * d..(i + 1) * d], &r[j * d..(j + 1) * d]);
                    prop_assert!((f64::from(out[i * rows + j]) - truth).abs() <= f64::from(error_bound(d)));
                    if i == 0 {
                        prop_assert!((f64::from(some[j]) - truth).abs() <= f64::from(error_bound(d)));
                    }
                }
            }
        }
    }
}
