//! Guarded changes of ad budgets: no crash, race or lost reply applies one twice, breaks a limit, or leaves one
//! without an audit row.
//!
//! A change is queued, decided by one pure function inside the store's transaction, written down as an intent, sent
//! once, and settled. What became of a request without an answer is found out by reading the platform, never by
//! sending again. See [`Executor`] for the steps.
#![doc = include_str!("PROMISES.md")]

mod approval;
mod attempt;
mod audit;
mod change;
mod draw;
mod execute;
pub mod guard;
mod late;
pub mod machine;
mod metrics;
mod observe;
mod plan;
mod policy;
mod ramp;
pub mod reconcile;
mod roles;
mod run;

pub use approval::{Approval, plan_digest};
pub use audit::{AuditKind, AuditReport, AuditRow, ChainHead, ChainVerifier};
pub use change::{
    AccountLimits, AdChange, ChangeId, ChangeRow, ChangeStatus, Direction, LearnedRate, LeaseToken, Movement,
    Pause, RampStep, Reason,
};
pub use draw::DrawKey;
pub use execute::{Executor, Reconciled, Step};
pub use metrics::ExecutionMetrics;
pub use plan::{Plan, PlannedChange, PlannedOutcome};
pub use policy::Policy;
pub use ramp::ramp;
pub use roles::{Role, Roles};
pub use run::{RunOptions, RunReport, TenantExecutors, run, tick};
