//! What the winners that are like a new ad say about it: a prior that has learnt how much they say.
//!
//! How well the neighbours of a winner predict it is measured on the winners themselves, each left out in turn. Where they predict nothing, the
//! new ad gets the pool's prior to the bit.

mod family;
mod learn;
mod prior;

pub use learn::{LearnedWeight, WinnerPrior};
pub use prior::{
    BetaPrior, GammaPrior, Likeness, PoolPrior, PriorFromWinners, WinnerEvidence, WinnerWithNeighbours,
};
