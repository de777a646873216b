use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::{Error, ErrorKind, Result};

use super::estimate::{OffPolicyEvaluation, evaluated, predictions_of};
use super::log::{self, EvaluationOptions, LoggedDecision};
use super::policy::TargetPolicy;

/// Whether a proposed policy may spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GateVerdict {
    /// Its lower bound is not below the current one's.
    Allow,
    /// Its lower bound is below the current one's.
    Refuse,
    /// The log says too little of one of them.
    TooThin,
}

/// Whether a proposed policy may take the place of the current one, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateDecision {
    /// The decision.
    pub verdict: GateVerdict,
    /// Why, in words.
    pub reasons: Vec<String>,
    /// What the proposed policy would have brought.
    pub proposed: OffPolicyEvaluation,
    /// What the current policy would have brought.
    pub current: OffPolicyEvaluation,
}

/// Compares the lower bounds of a proposed and of the current policy on the same log, with the same estimator. Without `current` it is
/// the logged policy itself.
///
/// # Errors
/// As [`evaluate`](super::evaluate); the field is `proposed` or `current`.
pub fn gate(
    log: &[LoggedDecision],
    proposed: &TargetPolicy,
    current: Option<&TargetPolicy>,
    options: &EvaluationOptions,
) -> Result<GateDecision> {
    let checked = || {
        options.validate()?;
        log::validate(log, options)?;
        for (name, policy) in [("proposed", Some(proposed)), ("current", current)] {
            if let Some(policy) = policy {
                policy.validate(name, log)?;
                predictions_of(log, policy)?;
            }
        }
        Ok(())
    };
    checked().map_err(|error: Error| error.in_operation("allocation.gate"))?;
    let proposed = evaluated(log, Some(proposed), options);
    let current = evaluated(log, current, options);
    let (verdict, reasons) = match (proposed.lower, current.lower) {
        (Some(new), Some(old)) => {
            let (verdict, word) =
                if new >= old { (GateVerdict::Allow, "not below") } else { (GateVerdict::Refuse, "below") };
            let reason = format!(
                "the proposed policy's lower bound {} is {word} the current one's {} ({})",
                shown(new),
                shown(old),
                options.estimator.name()
            );
            (verdict, vec![reason])
        }
        _ => {
            let of = |name: &str, evaluation: &OffPolicyEvaluation| -> Vec<String> {
                evaluation.reasons.iter().map(|reason| format!("{name}: {reason}")).collect()
            };
            let reasons = [of("proposed", &proposed), of("current", &current)].concat();
            (GateVerdict::TooThin, reasons)
        }
    };
    Ok(GateDecision { verdict, reasons, proposed, current })
}

impl GateDecision {
    /// Nothing when the policy may spend: what stands between a proposal and the queue.
    ///
    /// # Errors
    /// [`LimitExceeded`](ErrorKind::LimitExceeded) with the reasons, when it is refused or the log is too thin.
    pub fn require_allowed(&self) -> Result<()> {
        let word = match self.verdict {
            GateVerdict::Allow => return Ok(()),
            GateVerdict::Refuse => "refuse",
            GateVerdict::TooThin => "too_thin",
        };
        let message = format!("the proposed policy is not queued: {}", self.reasons.join("; "));
        Err(Error::new(ErrorKind::LimitExceeded, "allocation.gate", message).with_context("verdict", word))
    }
}

/// A bound with as many digits as a person reads.
fn shown(value: f64) -> String {
    if value.abs() >= 1000.0 { format!("{value:.0}") } else { format!("{value:.6}") }
}
