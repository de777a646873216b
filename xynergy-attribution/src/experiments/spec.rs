use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::{Error, Result};

use super::assign::WHOLE_PPM;

const MOST_ARMS: usize = 20;
const MOST_GUARDRAILS: usize = 20;

/// What an experiment compares, and when it decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExperimentSpec {
    /// Names the experiment.
    pub experiment_id: String,
    /// At least two arms, whose shares sum to a million.
    pub arms: Vec<ExperimentArm>,
    /// The arm that the others are compared with.
    pub control: String,
    /// What is to get better.
    pub metric: ExperimentMetric,
    /// What must not get worse.
    #[serde(default)]
    pub guardrails: Vec<Guardrail>,
    /// How probable it may be, of a million, that anything is called different where nothing is, over all arms and all looks: 50,000 by
    /// default.
    #[serde(default = "alpha")]
    pub alpha_ppm: u32,
    /// Whether the winner gets all units but the held-back ones when it is found, and loses them again when it turns out worse.
    #[serde(default)]
    pub auto_promote: bool,
    /// The share that stays with the control after a promotion, so that it can be seen to be wrong: 100,000 of a million by default.
    #[serde(default = "holdback")]
    pub holdback_ppm: u32,
    /// About how many units will be recorded: 10,000 by default. Intervals of values are narrowest then, and units are stored in
    /// documents of about 200.
    #[serde(default = "planned")]
    pub planned_units: u32,
    /// What the hash of units is keyed with: the experiment's id by default. Experiments with the same key assign alike.
    #[serde(default)]
    pub key: Option<String>,
}

/// One of the ways that are compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExperimentArm {
    /// The arm's id.
    pub arm_id: String,
    /// Its part of the units, of a million.
    pub share_ppm: u32,
}

/// What is measured of a unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExperimentMetric {
    /// The metric's name, as events have it.
    pub name: String,
    /// Whether it happens or has a value.
    pub kind: MetricKind,
    /// Whether more of it is better: `higher` by default.
    #[serde(default)]
    pub better: Better,
}

/// What must not get worse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Guardrail {
    /// What is measured.
    pub metric: ExperimentMetric,
    /// How much worse than the control it may be, of a million of the control's: 0 by default.
    #[serde(default)]
    pub margin_ppm: u32,
}

/// What a metric is of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MetricKind {
    /// It happens or it does not; twice is once.
    Binary,
    /// The sum of the values of its events, in whole units as minor ones.
    Value,
}

/// Which way is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// More is better.
    #[default]
    Higher,
    /// Less is better.
    Lower,
}

fn alpha() -> u32 {
    50_000
}

fn holdback() -> u32 {
    100_000
}

fn planned() -> u32 {
    10_000
}

impl ExperimentSpec {
    /// Checks every field; the error names the first that is wrong.
    ///
    /// # Errors
    /// `invalid_input` that names the field.
    pub fn validate(&self) -> Result<()> {
        let invalid = |message: String| Err(Error::invalid("experiments.start", message));
        if self.experiment_id.is_empty() || self.experiment_id.len() > 200 {
            return invalid("spec.experiment_id: it has not 1 to 200 bytes; name the experiment".into());
        }
        if !(2..=MOST_ARMS).contains(&self.arms.len()) {
            return invalid(format!("spec.arms: there are {} and not 2 to {MOST_ARMS}", self.arms.len()));
        }
        let (mut names, mut sum) = (BTreeSet::new(), 0_u64);
        for (index, arm) in self.arms.iter().enumerate() {
            if arm.arm_id.is_empty() || !names.insert(&arm.arm_id) {
                return invalid(format!(
                    "spec.arms[{index}].arm_id: {:?} is empty or given twice",
                    arm.arm_id
                ));
            }
            if arm.share_ppm == 0 {
                return invalid(format!(
                    "spec.arms[{index}].share_ppm: 0 gives {} no unit; leave it out",
                    arm.arm_id
                ));
            }
            sum += u64::from(arm.share_ppm);
        }
        if sum != u64::from(WHOLE_PPM) {
            return invalid(format!("spec.arms: the shares sum to {sum} ppm and not to {WHOLE_PPM}"));
        }
        if !names.contains(&self.control) {
            return invalid(format!("spec.control: {:?} is none of the arms", self.control));
        }
        if !(1..WHOLE_PPM / 2).contains(&self.alpha_ppm) {
            return invalid(format!("spec.alpha_ppm: {} is not 1 to 499999; 50000 is usual", self.alpha_ppm));
        }
        if !(1..WHOLE_PPM).contains(&self.holdback_ppm) {
            return invalid(format!("spec.holdback_ppm: {} is not 1 to 999999", self.holdback_ppm));
        }
        if self.planned_units == 0 {
            return invalid("spec.planned_units: 0 units decide nothing; 10000 is usual".into());
        }
        if self.guardrails.len() > MOST_GUARDRAILS {
            return invalid(format!(
                "spec.guardrails: {} are above {MOST_GUARDRAILS}",
                self.guardrails.len()
            ));
        }
        let mut metrics = BTreeSet::new();
        for metric in self.metrics() {
            if metric.name.is_empty() || !metrics.insert(&metric.name) {
                return invalid(format!("spec: the metric {:?} is empty or given twice", metric.name));
            }
        }
        Ok(())
    }

    /// The metric and those of the guardrails.
    pub(super) fn metrics(&self) -> impl Iterator<Item = &ExperimentMetric> {
        [&self.metric].into_iter().chain(self.guardrails.iter().map(|guardrail| &guardrail.metric))
    }

    pub(super) fn key(&self) -> &str {
        self.key.as_deref().unwrap_or(&self.experiment_id)
    }

    /// The arms in the order in which they take buckets: the control first, so that it keeps its units when it shrinks.
    pub(super) fn ordered(&self) -> impl Iterator<Item = &ExperimentArm> {
        let of_control = |arm: &&ExperimentArm| arm.arm_id == self.control;
        let others = self.arms.iter().filter(move |arm| arm.arm_id != self.control);
        self.arms.iter().filter(of_control).chain(others)
    }
}
