//! Giving a candidate more and more of the calls of a baseline, and taking them back when it is worse.

mod test;

use std::sync::{Mutex, MutexGuard, PoisonError};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::ModelChoice;
use crate::ctx::Ctx;
use crate::env::EventType;

/// How often the arms are compared in a stage: when both have an eighth, a quarter, a half and all of the calls that it takes, so
/// that a bad candidate is stopped early.
const LOOKS: u32 = 4;
/// Latencies are compared from so many answers on, where a mean is as good as normal.
const LEAST_LATENCIES: u64 = 30;

/// What became of a canary route's candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CanaryState {
    /// It has no calls any more.
    RolledBack,
    /// It has some.
    Staged,
    /// It has all.
    Promoted,
}

/// How far a canary route is in this process: all tenants share one rollout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CanarySnapshot {
    /// The route.
    pub route: String,
    /// The model that is in use.
    pub baseline: ModelChoice,
    /// The model that is to replace it.
    pub candidate: ModelChoice,
    /// What became of the candidate.
    pub state: CanaryState,
    /// The stage that it is in, or in which it was rolled back, from 1.
    pub stage: u32,
    /// How many stages there are.
    pub stages: u32,
    /// The candidate's share of the conversations, in percent.
    pub percent: u32,
    /// Why it was rolled back; absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How a candidate is let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// The candidate's share of the conversations in each stage, in percent; the last one is 100.
    pub(super) stages: Vec<u32>,
    /// Calls that each of the two must have had before the next stage.
    pub(super) min_calls: u32,
    /// The probability with which no candidate is rolled back that fails as often as the baseline.
    pub(super) confidence_percent: u32,
    /// By how much its latency may be greater; it does not matter where absent.
    pub(super) max_slowdown_percent: Option<u32>,
}

/// Who answers a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arm {
    Baseline,
    Candidate,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// With an answer, after so many milliseconds.
    Answered(u64),
    Failed,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// In the stage of this number.
    Stage(usize),
    /// The candidate has all calls.
    Promoted,
    /// The candidate has none any more.
    RolledBack,
}

/// What a call changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The candidate has a greater share from now on, or all.
    Advanced,
    RolledBack,
}

/// The state of one candidate: pure, and changed by nothing but the calls that it is told.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rollout {
    phase: Phase,
    /// Why the candidate was rolled back, and in which stage.
    verdict: Option<(usize, String)>,
    baseline: Tally,
    candidate: Tally,
    looked: u32,
}

/// The calls of an arm in the present stage.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Tally {
    calls: u64,
    failures: u64,
    /// Of the answers' latencies, as logarithms.
    latency: test::Sample,
}

impl Tally {
    fn add(&mut self, ended: Ended) {
        self.calls += 1;
        match ended {
            #[allow(clippy::cast_precision_loss)] // A latency.
            Ended::Answered(ms) => self.latency.add(libm::log(ms.max(1) as f64)),
            Ended::Failed => self.failures += 1,
        }
    }
}

impl Plan {
    /// The calls that both arms must have for the comparison of this number.
    fn needed(&self, look: u32) -> u64 {
        u64::from(self.min_calls).div_ceil(1 << (LOOKS - 1 - look.min(LOOKS - 1))).max(1)
    }

    /// How improbable a difference must be by chance. All comparisons together are wrong with at most the probability that the
    /// configuration allows (Bonferroni).
    fn level(&self) -> f64 {
        let stages = u32::try_from(self.stages.len()).unwrap_or(u32::MAX).saturating_sub(1).max(1);
        let tests = LOOKS * if self.max_slowdown_percent.is_some() { 2 } else { 1 };
        f64::from(100_u32.saturating_sub(self.confidence_percent))
            / 100.0
            / f64::from(stages.saturating_mul(tests))
    }

    fn percent(&self, stage: usize) -> u32 {
        self.stages.get(stage).copied().unwrap_or(100)
    }

    /// The first stage; a plan of 100 percent alone has nothing to compare.
    fn start(&self) -> Phase {
        if self.percent(0) >= 100 { Phase::Promoted } else { Phase::Stage(0) }
    }
}

impl Rollout {
    pub(super) fn new(plan: &Plan) -> Self {
        let (baseline, candidate) = (Tally::default(), Tally::default());
        Self { phase: plan.start(), verdict: None, baseline, candidate, looked: 0 }
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    /// The candidate's share now, in percent.
    pub(super) fn percent(&self, plan: &Plan) -> u32 {
        match self.phase {
            Phase::Stage(stage) => plan.percent(stage),
            Phase::Promoted => 100,
            Phase::RolledBack => 0,
        }
    }

    /// Takes a call into account that was decided in `phase`. One of an earlier stage says nothing about this one.
    pub(super) fn observe(&mut self, plan: &Plan, phase: Phase, arm: Arm, ended: Ended) -> Option<Step> {
        let Phase::Stage(stage) = self.phase else { return None };
        if phase != self.phase {
            return None;
        }
        match arm {
            Arm::Baseline => self.baseline.add(ended),
            Arm::Candidate => self.candidate.add(ended),
        }
        let both = self.baseline.calls.min(self.candidate.calls);
        while self.looked < LOOKS && both >= plan.needed(self.looked) {
            self.looked += 1;
            if let Some(why) = self.worse(plan) {
                self.phase = Phase::RolledBack;
                self.verdict = Some((stage, why));
                return Some(Step::RolledBack);
            }
        }
        if self.looked < LOOKS {
            return None;
        }
        let percent = plan.percent(stage + 1);
        let phase = if percent >= 100 { Phase::Promoted } else { Phase::Stage(stage + 1) };
        *self = Self { phase, ..Self::new(plan) };
        Some(Step::Advanced)
    }

    /// Why the candidate is worse, where it is so beyond chance.
    fn worse(&self, plan: &Plan) -> Option<String> {
        let (candidate, baseline) = (&self.candidate, &self.baseline);
        let arms = |arm: &Tally| (arm.failures, arm.calls);
        let p = test::fails_more(arms(candidate), arms(baseline));
        if p < plan.level() {
            return Some(format!(
                "{} of {} calls failed, of the baseline {} of {} (p = {p:.1e})",
                candidate.failures, candidate.calls, baseline.failures, baseline.calls
            ));
        }
        let slowdown = 1.0 + f64::from(plan.max_slowdown_percent?) / 100.0;
        if candidate.latency.count().min(baseline.latency.count()) < LEAST_LATENCIES {
            return None;
        }
        let p = test::is_greater(&candidate.latency, &baseline.latency, libm::log(slowdown));
        let ms = |arm: &Tally| libm::exp(arm.latency.mean());
        (p < plan.level()).then(|| {
            format!(
                "its answers take {:.0} ms, those of the baseline {:.0} ms (p = {p:.1e})",
                ms(candidate),
                ms(baseline)
            )
        })
    }
}

/// The arm of a conversation by its key: the candidate's share only ever grows by further conversations, so that none goes back
/// and forth.
pub(super) fn arm(key: u128, percent: u32) -> Arm {
    if key % 10_000 < u128::from(percent) * 100 { Arm::Candidate } else { Arm::Baseline }
}

/// A candidate that calls are counted for, in this process.
#[derive(Debug)]
pub(super) struct Canary {
    pub(super) route: String,
    pub(super) baseline: ModelChoice,
    pub(super) candidate: ModelChoice,
    plan: Plan,
    state: Mutex<Rollout>,
}

impl Canary {
    pub(super) fn new(route: &str, baseline: &ModelChoice, candidate: &ModelChoice, plan: Plan) -> Self {
        let state = Mutex::new(Rollout::new(&plan));
        let (baseline, candidate) = (baseline.clone(), candidate.clone());
        Self { route: route.to_owned(), baseline, candidate, plan, state }
    }

    /// How far it is, and the candidate's share.
    pub(super) fn now(&self) -> (Phase, u32) {
        let state = self.state();
        (state.phase(), state.percent(&self.plan))
    }

    /// The same for those who look on.
    pub(super) fn snapshot(&self) -> CanarySnapshot {
        self.shown(&self.state())
    }

    fn shown(&self, rollout: &Rollout) -> CanarySnapshot {
        let counted = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let stages = self.plan.stages.len();
        let (state, stage) = match (rollout.phase, &rollout.verdict) {
            (Phase::Stage(stage), _) => (CanaryState::Staged, stage + 1),
            (Phase::Promoted, _) => (CanaryState::Promoted, stages),
            (Phase::RolledBack, verdict) => {
                (CanaryState::RolledBack, verdict.as_ref().map_or(0, |(stage, _)| *stage) + 1)
            }
        };
        CanarySnapshot {
            route: self.route.clone(),
            baseline: self.baseline.clone(),
            candidate: self.candidate.clone(),
            state,
            stage: counted(stage),
            stages: counted(stages),
            percent: rollout.percent(&self.plan),
            reason: rollout.verdict.as_ref().map(|(_, why)| why.clone()),
        }
    }

    /// Takes a call into account, and tells what it changed.
    pub(super) fn observe(&self, ctx: &Ctx, phase: Phase, arm: Arm, ended: Ended) {
        let mut state = self.state();
        let Some(step) = state.observe(&self.plan, phase, arm, ended) else { return };
        let now = self.shown(&state);
        drop(state);
        let CanarySnapshot { route, percent, reason, .. } = &now;
        let event = match step {
            Step::Advanced => {
                tracing::info!(event = "canary_advanced", route, percent);
                EventType::CANARY_ADVANCED
            }
            Step::RolledBack => {
                tracing::warn!(event = "canary_rolled_back", route, reason);
                EventType::CANARY_ROLLED_BACK
            }
        };
        ctx.emit(event, || json!(now));
    }

    fn state(&self) -> MutexGuard<'_, Rollout> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
