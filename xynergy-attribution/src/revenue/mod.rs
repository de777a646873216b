//! What a deal is worth before it closes: a fold of its stage changes, independent of their order and repetition.

mod ledger;
mod stages;

pub use ledger::{Ledger, anchor, fold};
pub use stages::StageValues;
