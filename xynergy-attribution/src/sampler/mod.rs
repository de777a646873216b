//! The battle-hardened sampler: from what ads did to the budgets of the objects that own them.
//!
//! [`SamplerState`] remembers what ads did, as a value that replicas merge. A posterior for each ad follows from it, P(best) and
//! mean shares from the posteriors by quadrature or seeded draws, and budgets within the constraints from the shares: all of it is
//! [`allocate_from`], a pure function. [`allocate`] does the same from figures given whole. The same request gives the same
//! bytes on every machine, whatever the order of its rows.

mod allocate;
mod best;
mod budgets;
mod constraints;
mod learn;
mod log;
mod millionths;
mod options;
mod p_best;
mod posterior;
mod project;
mod reason;
mod request;
mod standing;
mod state;
mod summary;
mod thompson;

pub use allocate::{AdShare, Allocation, OwnerAllocation, allocate, allocate_from};
pub use constraints::{Constraints, GroupLimit};
pub use learn::{DAYS_THAT_COUNT, Posteriors, posteriors};
pub use log::{AllocationLogRow, log_rows};
pub use millionths::{Millionths, Ratio};
pub use options::{SamplerOptions, ScoringMethod, ShareBy};
pub use p_best::{BestProbability, BetaAd, probability_best};
pub use request::{
    AdEvidence, AdPrior, AllocationRequest, BetaPrior, DEFAULT_DRAWS, OwnerBudget, ReturnPrior,
};
pub use state::{
    AdObservation, AdState, Day, DayFigures, DealFeedback, DealOutcome, DealRecord, SamplerEvent,
    SamplerState, unknown_ad,
};
pub use summary::{ClickThrough, PosteriorSummary, ReturnOnSpend};
