//! The battle-hardened sampler: from what ads did to the budgets of the objects that own them.
//!
//! Evidence becomes a posterior for each ad, seeded draws from the posteriors become shares and P(best), and the shares
//! become budgets within the constraints: all of it is [`allocate`], a pure function. The same request gives the same
//! bytes on every machine, whatever the order of its rows.

mod allocate;
mod millionths;
mod posterior;
mod project;
mod reason;
mod request;
mod thompson;

pub use allocate::{AdShare, Allocation, OwnerAllocation, allocate};
pub use millionths::Millionths;
pub use request::{AdEvidence, AllocationRequest, Constraints, DEFAULT_DRAWS, OwnerBudget};
