//! What another policy would have brought, from a log of what was chosen with which probability: before it spends anything.
//!
//! The estimators are replay, the direct method, inverse propensity scoring, its self-normalised form, and doubly robust
//! estimation. [`evaluate`] and [`gate`] are pure functions: the same log gives the same bytes on every machine.

mod decide;
mod estimate;
mod interval;
mod log;
mod policy;
mod predictions;
mod rewards;
mod thin;
mod weigh;

pub use decide::{GateDecision, GateVerdict, gate};
pub use estimate::{Estimator, OffPolicyEvaluation, PolicyEstimate, evaluate};
pub use log::{EvaluationOptions, LoggedDecision};
pub use policy::TargetPolicy;
pub use predictions::{
    CalibrationBin, LoggedPrediction, PredictionScores, PredictionTruth, ScoredPrediction, is_same,
    score_predictions,
};

pub(crate) use interval::{Parts, bounds};
pub(crate) use predictions::{calibration, calibration_error, log_loss};
