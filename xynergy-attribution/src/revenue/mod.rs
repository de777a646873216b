//! What a deal is worth before it closes: a fold of what happened to it, independent of the order and repetition of events.

mod currencies;
mod deals;
mod decimal;
mod hazard;
mod interval;
mod learn;
mod ledger;
mod order;
#[cfg(test)]
mod refund_tests;
mod roas;
mod rules;
mod show;
mod stages;
mod synthetic;
mod table;
#[cfg(test)]
mod testing;
mod worth;

pub use currencies::{Currencies, Rate};
pub use learn::{ENOUGH_DEALS, PRIOR_DEALS, learn, seen_until};
pub use ledger::{Book, Ledger, anchor, facts, fold, group};
pub use roas::{AdSpend, Roas, RoasDimension, RoasRow, roas};
pub use rules::{Pipeline, PipelineStage, Rules};
pub use show::{ShownValues, show};
pub use stages::StageValues;
pub use synthetic::{Question, StageWorth, synthetic};
pub use table::{AGE_DAYS, AgeRow, StageRow, StageTable};
