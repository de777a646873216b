use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::{Error, ErrorKind, Result, Timestamp};

use super::assign::{WHOLE_PPM, bucket};
use super::judge::Judgement;
use super::spec::ExperimentSpec;

/// Where an experiment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExperimentPhase {
    /// Units are assigned and counted.
    Running,
    /// The winner has all units but the held-back ones, and is still watched.
    Promoted,
    /// The winner turned out worse: the control has all units.
    RolledBack,
    /// It was ended: nothing is counted any more.
    Stopped,
}

/// A step of an experiment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExperimentTransition {
    /// When.
    pub at: Timestamp,
    /// The phase after it.
    pub phase: ExperimentPhase,
    /// The arm that it is about.
    pub arm_id: String,
    /// Why, in words.
    pub reason: String,
}

/// What a unit gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnitAssignment {
    /// The arm.
    pub arm_id: String,
    /// Whether the unit is part of a comparison.
    pub counted: bool,
}

/// Everything about an experiment but its units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExperimentState {
    /// What was started.
    pub spec: ExperimentSpec,
    /// Where it is.
    pub phase: ExperimentPhase,
    /// The arm that the units get which are not compared.
    pub serving: String,
    /// Whether units are those after a promotion.
    pub after_promotion: bool,
    /// The arms that were taken out, and why.
    pub stopped_arms: BTreeMap<String, String>,
    /// Its steps in their order.
    pub history: Vec<ExperimentTransition>,
}

impl ExperimentState {
    /// A running experiment.
    ///
    /// # Errors
    /// `invalid_input` that names the field of the spec.
    pub fn start(spec: ExperimentSpec, at: Timestamp) -> Result<Self> {
        spec.validate()?;
        let serving = spec.control.clone();
        let first = ExperimentTransition {
            at,
            phase: ExperimentPhase::Running,
            arm_id: serving.clone(),
            reason: "started".into(),
        };
        Ok(Self {
            spec,
            phase: ExperimentPhase::Running,
            serving,
            after_promotion: false,
            stopped_arms: BTreeMap::new(),
            history: vec![first],
        })
    }

    /// What a unit gets now. It changes only with the state.
    pub fn assign(&self, unit_id: &str) -> UnitAssignment {
        let counted = match self.phase {
            ExperimentPhase::Running | ExperimentPhase::Promoted => {
                self.counted_under(bucket(self.spec.key(), unit_id))
            }
            ExperimentPhase::RolledBack | ExperimentPhase::Stopped => None,
        };
        UnitAssignment { arm_id: counted.unwrap_or(&self.serving).to_owned(), counted: counted.is_some() }
    }

    /// Whether events are counted.
    pub fn counts(&self) -> bool {
        matches!(self.phase, ExperimentPhase::Running | ExperimentPhase::Promoted)
    }

    /// The arms that are compared, and their shares of a million.
    pub(super) fn compared(&self) -> Vec<(&str, u32)> {
        if self.after_promotion {
            let promoted = self.promoted().unwrap_or(&self.serving);
            let held_back = self.spec.holdback_ppm;
            return vec![(&self.spec.control, held_back), (promoted, WHOLE_PPM - held_back)];
        }
        let running = self.spec.ordered().filter(|arm| !self.stopped_arms.contains_key(&arm.arm_id));
        running.map(|arm| (arm.arm_id.as_str(), arm.share_ppm)).collect()
    }

    /// The arm under which a unit's events count; none for the units of an arm that was taken out.
    pub(super) fn counted_under(&self, bucket: u32) -> Option<&str> {
        let mut below = 0;
        if self.after_promotion {
            let arms = self.compared();
            return arms
                .into_iter()
                .find(|(_, share)| {
                    below += share;
                    bucket < below
                })
                .map(|(arm, _)| arm);
        }
        let arm = self.spec.ordered().find(|arm| {
            below += arm.share_ppm;
            bucket < below
        })?;
        (!self.stopped_arms.contains_key(&arm.arm_id)).then_some(arm.arm_id.as_str())
    }

    /// The arm that was promoted.
    fn promoted(&self) -> Option<&str> {
        let promotion = |step: &&ExperimentTransition| step.phase == ExperimentPhase::Promoted;
        self.history.iter().rev().find(promotion).map(|step| step.arm_id.as_str())
    }

    /// The state after what a look has shown; none when nothing follows from it. The same look at the same state gives the same.
    pub fn after(&self, judgement: &Judgement, at: Timestamp) -> Option<Self> {
        let mut next = self.clone();
        match self.phase {
            ExperimentPhase::Running => {
                for arm in judgement.arms.iter().filter(|arm| !arm.breached.is_empty()) {
                    let reason = format!("guardrail worse than the control: {}", arm.breached.join(", "));
                    next.stopped_arms.insert(arm.arm_id.clone(), reason.clone());
                    next.step(at, ExperimentPhase::Running, &arm.arm_id, reason);
                }
                if next.compared().len() < 2 {
                    let control = next.spec.control.clone();
                    next.step(
                        at,
                        ExperimentPhase::Stopped,
                        &control,
                        "no arm is left beside the control".into(),
                    );
                    next.phase = ExperimentPhase::Stopped;
                } else if let Some(winner) = judgement.winner.as_ref().filter(|_| self.spec.auto_promote) {
                    next.phase = ExperimentPhase::Promoted;
                    next.serving.clone_from(winner);
                    next.after_promotion = true;
                    next.step(at, ExperimentPhase::Promoted, winner, judgement.reasons.join("; "));
                }
            }
            ExperimentPhase::Promoted => {
                let worse = judgement.arms.iter().find(|arm| arm.worse || !arm.breached.is_empty())?;
                let what = if worse.breached.is_empty() {
                    format!("{} worse than with the held-back control", self.spec.metric.name)
                } else {
                    format!("guardrail worse than with the held-back control: {}", worse.breached.join(", "))
                };
                next.phase = ExperimentPhase::RolledBack;
                next.serving.clone_from(&self.spec.control);
                next.step(at, ExperimentPhase::RolledBack, &worse.arm_id, what);
            }
            ExperimentPhase::RolledBack | ExperimentPhase::Stopped => {}
        }
        (next != *self).then_some(next)
    }

    /// The state after it was ended by hand; with `promote` that arm gets all units from now on, else the one that serves.
    ///
    /// # Errors
    /// `invalid_input` for an arm that there is not; `rejected` for one whose guardrail is worse, or which was taken out.
    pub fn stop(&self, promote: Option<&str>, judgement: &Judgement, at: Timestamp) -> Result<Self> {
        let mut next = self.clone();
        if let Some(arm_id) = promote {
            if !self.spec.arms.iter().any(|arm| arm.arm_id == arm_id) {
                return Err(Error::invalid(
                    "experiments.stop",
                    format!("promote: {arm_id:?} is none of the arms"),
                ));
            }
            let breached = judgement.arms.iter().find(|arm| arm.arm_id == arm_id && !arm.breached.is_empty());
            let why = self.stopped_arms.get(arm_id).cloned().or_else(|| {
                breached.map(|arm| format!("guardrail worse than the control: {}", arm.breached.join(", ")))
            });
            if let Some(why) = why {
                let message = format!("promote: {arm_id} cannot be promoted: {why}; stop without it");
                return Err(Error::new(ErrorKind::Rejected, "experiments.stop", message));
            }
            next.serving = arm_id.to_owned();
        }
        if self.phase == ExperimentPhase::Stopped && next.serving == self.serving {
            return Ok(next);
        }
        next.phase = ExperimentPhase::Stopped;
        let serving = next.serving.clone();
        next.step(at, ExperimentPhase::Stopped, &serving, "stopped by hand".into());
        Ok(next)
    }

    fn step(&mut self, at: Timestamp, phase: ExperimentPhase, arm_id: &str, reason: String) {
        self.history.push(ExperimentTransition { at, phase, arm_id: arm_id.to_owned(), reason });
    }
}
