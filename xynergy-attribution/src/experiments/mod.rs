//! Experiments: who is held out, what a treatment adds, and A/B tests that may be looked at as often as one likes.
//!
//! Everything here is a pure function over values. Units are assigned by a keyed hash, so that every process and language assigns the
//! same without asking anyone.

mod assign;
mod binary;
mod incrementality;
mod judge;
mod spec;
mod state;
mod tally;
mod value;

pub use assign::{HoldoutUnit, bucket, holdout};
pub use incrementality::{GroupOutcome, Incrementality, incrementality};
pub use judge::{ArmStatus, Effect, EffectScale, GuardrailStatus, Judgement, judge};
pub use spec::{Better, ExperimentArm, ExperimentMetric, ExperimentSpec, Guardrail, MetricKind};
pub use state::{ExperimentPhase, ExperimentState, ExperimentTransition, UnitAssignment};
pub use tally::{ExperimentEvent, Shard, ShardOutcome, Tallies};
