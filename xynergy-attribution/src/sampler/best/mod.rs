//! The probability to be the best, and mean shares: by quadrature and by seeded draws.

mod draws;
mod nodes;
mod quadrature;
mod score;
mod special;

#[cfg(test)]
mod tests;

pub(super) use draws::tally;
pub(super) use quadrature::{mean_of, probabilities, quantiles, shares};
pub(super) use score::{Cumulants, Score};
