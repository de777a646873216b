use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::binary::{mismatch, ratio};
use super::spec::{Better, ExperimentMetric, MetricKind};
use super::state::ExperimentState;
use super::tally::{Sums, Tallies, Tally};
use super::value::{Mean, difference};

/// The evidence at which units are said to come in other shares than they were assigned in: one in a thousand.
const MISMATCHED: f64 = 6.907_755_278_982_137;

/// What an effect is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EffectScale {
    /// The arm's rate over the control's, less one: 0.1 is a tenth more.
    Relative,
    /// The arm's mean less the control's, in the values' unit for each unit of the experiment.
    Difference,
}

/// How an arm differs from the control, with an interval that holds at every look.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Effect {
    /// What it is measured in.
    pub scale: EffectScale,
    /// The effect that was found; null while there is too little.
    pub estimate: Option<f64>,
    /// The lower end; null while there is none.
    pub lower: Option<f64>,
    /// The upper end; null while there is none.
    pub upper: Option<f64>,
    /// The always-valid p-value of no difference.
    pub p_value: f64,
}

/// What a guardrail says of an arm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GuardrailStatus {
    /// The metric's name.
    pub name: String,
    /// How the arm differs from the control.
    pub effect: Effect,
    /// Whether it is worse by more than its margin.
    pub breached: bool,
}

/// Where an arm stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ArmStatus {
    /// The arm's id.
    pub arm_id: String,
    /// Its units.
    pub unit_count: u64,
    /// Its units that have the metric.
    pub having_count: u64,
    /// The mean of the metric over its units; null without units.
    pub mean: Option<f64>,
    /// How it differs from the control; null for the control itself.
    pub effect: Option<Effect>,
    /// Whether it is better than the control.
    pub better: bool,
    /// Whether it is worse than the control.
    pub worse: bool,
    /// What each guardrail says.
    pub guardrails: Vec<GuardrailStatus>,
    /// The guardrails that are worse, by name.
    pub breached: Vec<String>,
}

/// What a look at an experiment shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judgement {
    /// The arms that are compared, the control first.
    pub arms: Vec<ArmStatus>,
    /// The arm that is better than the control, without a guardrail against it; of several the one with the most certain gain.
    pub winner: Option<String>,
    /// Whether units come to arms in other shares than they were assigned in, at one in a thousand: what is recorded is not what was
    /// assigned then, and nothing wins.
    pub mismatched: bool,
    /// What the look shows, in words.
    pub reasons: Vec<String>,
}

/// Judges the units of an experiment's arms. A pure function, and a look at any time is as good as at the end: alpha is shared by all
/// arms, guardrails have one of their own.
pub fn judge(state: &ExperimentState, tallies: &Tallies) -> Judgement {
    let compared = state.compared();
    let nothing = Tally::default();
    let tally_of = |arm: &str| tallies.arms.get(arm).unwrap_or(&nothing);
    let Some(((control_id, control_share), others)) = compared.split_first() else {
        return Judgement { arms: Vec::new(), winner: None, mismatched: false, reasons: Vec::new() };
    };
    let control = tally_of(control_id);
    let spec = &state.spec;
    let alpha = f64::from(spec.alpha_ppm) / 1e6 / others.len().max(1) as f64;
    let mut arms = vec![row(control_id, control, &spec.metric)];
    for (arm_id, share) in others {
        let pair = Pair {
            control,
            arm: tally_of(arm_id),
            share: f64::from(*share) / f64::from(share + control_share),
            planned: spec.planned_units,
        };
        let effect = pair.effect(&spec.metric, alpha);
        let guardrails: Vec<GuardrailStatus> = spec
            .guardrails
            .iter()
            .map(|guardrail| {
                let effect = pair.effect(&guardrail.metric, alpha / spec.guardrails.len() as f64);
                let margin = f64::from(guardrail.margin_ppm) / 1e6 * pair.unit_of(&guardrail.metric);
                let breached = is_worse(&effect, guardrail.metric.better, margin);
                GuardrailStatus { name: guardrail.metric.name.clone(), effect, breached }
            })
            .collect();
        arms.push(ArmStatus {
            better: is_better(&effect, spec.metric.better),
            worse: is_worse(&effect, spec.metric.better, 0.0),
            breached: guardrails.iter().filter(|g| g.breached).map(|g| g.name.clone()).collect(),
            guardrails,
            effect: Some(effect),
            ..row(arm_id, pair.arm, &spec.metric)
        });
    }
    let counts: Vec<u64> = arms.iter().map(|arm| arm.unit_count).collect();
    let whole: f64 = compared.iter().map(|(_, share)| f64::from(*share)).sum();
    let shares: Vec<f64> = compared.iter().map(|(_, share)| f64::from(*share) / whole).collect();
    let mismatched = mismatch(&counts, &shares) > MISMATCHED;
    let gain = |arm: &ArmStatus| {
        let effect = arm.effect?;
        match spec.metric.better {
            Better::Higher => effect.lower,
            Better::Lower => effect.upper.map(|upper| -upper),
        }
    };
    let winner = arms
        .iter()
        .filter(|arm| arm.better && arm.breached.is_empty() && !mismatched)
        .max_by(|a, b| gain(a).partial_cmp(&gain(b)).unwrap_or(std::cmp::Ordering::Equal))
        .map(|arm| arm.arm_id.clone());
    let reasons = reasons(&arms, winner.as_deref(), mismatched, &spec.metric.name);
    Judgement { arms, winner, mismatched, reasons }
}

fn row(arm_id: &str, tally: &Tally, metric: &ExperimentMetric) -> ArmStatus {
    let sums = tally.metrics.get(&metric.name).copied().unwrap_or_default();
    let sum = if metric.kind == MetricKind::Binary { sums.having as f64 } else { sums.sum as f64 };
    ArmStatus {
        arm_id: arm_id.to_owned(),
        unit_count: tally.units,
        having_count: sums.having,
        mean: (tally.units > 0).then(|| sum / tally.units as f64),
        effect: None,
        better: false,
        worse: false,
        guardrails: Vec::new(),
        breached: Vec::new(),
    }
}

struct Pair<'a> {
    control: &'a Tally,
    arm: &'a Tally,
    /// The arm's part of the units of both.
    share: f64,
    planned: u32,
}

impl Pair<'_> {
    fn sums(&self, metric: &ExperimentMetric) -> [Sums; 2] {
        [self.control, self.arm].map(|tally| tally.metrics.get(&metric.name).copied().unwrap_or_default())
    }

    fn effect(&self, metric: &ExperimentMetric, alpha: f64) -> Effect {
        let [control, arm] = self.sums(metric);
        if metric.kind == MetricKind::Binary {
            let found = ratio(control.having, arm.having, self.share, alpha);
            return Effect {
                scale: EffectScale::Relative,
                estimate: found.estimate.map(|ratio| ratio - 1.0),
                lower: Some(found.lower - 1.0),
                upper: found.upper.map(|ratio| ratio - 1.0),
                p_value: found.p_value,
            };
        }
        let [control, arm] = [Mean::of(self.control.units, &control), Mean::of(self.arm.units, &arm)];
        let found = difference(&control, &arm, alpha, self.planned);
        Effect {
            scale: EffectScale::Difference,
            estimate: found.map(|d| d.estimate),
            lower: found.map(|d| d.lower),
            upper: found.map(|d| d.upper),
            p_value: found.map_or(1.0, |d| d.p_value),
        }
    }

    /// What a whole of the control's is on the effect's scale.
    fn unit_of(&self, metric: &ExperimentMetric) -> f64 {
        let [control, _] = self.sums(metric);
        match metric.kind {
            MetricKind::Binary => 1.0,
            MetricKind::Value => Mean::of(self.control.units, &control).mean.abs(),
        }
    }
}

fn is_better(effect: &Effect, better: Better) -> bool {
    match better {
        Better::Higher => effect.lower.is_some_and(|lower| lower > 0.0),
        Better::Lower => effect.upper.is_some_and(|upper| upper < 0.0),
    }
}

fn is_worse(effect: &Effect, better: Better, margin: f64) -> bool {
    match better {
        Better::Higher => effect.upper.is_some_and(|upper| upper < -margin),
        Better::Lower => effect.lower.is_some_and(|lower| lower > margin),
    }
}

fn reasons(arms: &[ArmStatus], winner: Option<&str>, mismatched: bool, metric: &str) -> Vec<String> {
    let mut reasons = Vec::new();
    if mismatched {
        reasons.push("units come to the arms in other shares than they are assigned in; check that exposures are recorded in every arm".into());
    }
    for arm in arms.iter().skip(1) {
        let id = &arm.arm_id;
        for guardrail in &arm.breached {
            reasons.push(format!("{id}: the guardrail {guardrail} is worse than the control's"));
        }
        if arm.better {
            reasons.push(format!("{id}: {metric} is better than the control's"));
        } else if arm.worse {
            reasons.push(format!("{id}: {metric} is worse than the control's"));
        } else {
            reasons.push(format!("{id}: {metric} is not shown to differ from the control's"));
        }
    }
    if let Some(winner) = winner {
        reasons.push(format!("{winner} wins"));
    }
    reasons
}
