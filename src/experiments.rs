//! A/B tests that may be looked at as often as one likes, with guardrails, promotion and rollback.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_attribution::experiments::{ExperimentState, Judgement, Shard, ShardOutcome, Tallies, judge};
use xynergy_core::{Error, ErrorKind, Result};

pub use xynergy_attribution::experiments::{
    ArmStatus, Better, Effect, EffectScale, ExperimentArm, ExperimentEvent, ExperimentMetric,
    ExperimentPhase, ExperimentSpec, ExperimentTransition, Guardrail, GuardrailStatus, MetricKind,
    UnitAssignment,
};

use crate::documents;
use crate::scope::Scope;

const COLLECTION: &str = "experiments";

/// The experiments of one tenant.
#[derive(Clone, Copy, Debug)]
pub struct Experiments<'a>(&'a Scope);

/// What became of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventsRecorded {
    /// Those that are new.
    pub recorded_count: u64,
    /// Those that were there.
    pub duplicate_count: u64,
    /// Those of an experiment that has ended.
    pub ignored_count: u64,
}

/// Where an experiment stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExperimentStatus {
    /// The experiment.
    pub experiment_id: String,
    /// Where it is.
    pub phase: ExperimentPhase,
    /// The arm that units get which are not compared.
    pub serving: String,
    /// The arms that are compared, the control first.
    pub arms: Vec<ArmStatus>,
    /// The arm that is better than the control, without a guardrail against it.
    pub winner: Option<String>,
    /// Whether units come to arms in other shares than they were assigned in: nothing wins then.
    pub mismatched: bool,
    /// What this look shows, in words.
    pub reasons: Vec<String>,
    /// The arms that were taken out, and why.
    pub stopped_arms: BTreeMap<String, String>,
    /// Its steps in their order.
    pub history: Vec<ExperimentTransition>,
}

impl Scope {
    /// A/B tests.
    pub fn experiments(&self) -> Experiments<'_> {
        Experiments(self)
    }
}

impl Experiments<'_> {
    /// Starts an experiment. The same spec again is the same experiment.
    ///
    /// Cancel safety: it is stored whole or not at all.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the field; [`Conflict`](ErrorKind::Conflict) for an id that stands for another
    /// experiment.
    pub async fn start(&self, spec: ExperimentSpec) -> Result<ExperimentStatus> {
        const OPERATION: &str = "experiments.start";
        let (id, now) = (spec.experiment_id.clone(), self.0.ctx().env.clock.now());
        let fresh = ExperimentState::start(spec, now)?;
        documents::update(
            self.0,
            OPERATION,
            COLLECTION,
            &id,
            |stored: Option<ExperimentState>| match stored {
                None => Ok((Some(fresh.clone()), ())),
                Some(stored) if stored.spec == fresh.spec => Ok((None, ())),
                Some(_) => Err(Error::new(
                    ErrorKind::Conflict,
                    OPERATION,
                    format!("spec.experiment_id: {id} is another experiment; give this one an id of its own"),
                )),
            },
        )
        .await?;
        let (state, _) = self.state(OPERATION, &id).await?;
        let judgement = self.look(OPERATION, &state).await?;
        Ok(status(state, judgement))
    }

    /// What units get now, in their order: the same in every process. It changes only when the experiment moves on.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) for an experiment that there is not.
    pub async fn assign(&self, experiment_id: &str, unit_ids: &[String]) -> Result<Vec<UnitAssignment>> {
        let (state, _) = self.state("experiments.assign", experiment_id).await?;
        Ok(unit_ids.iter().map(|unit_id| state.assign(unit_id)).collect())
    }

    /// Records exposures and metrics of units, each event once.
    ///
    /// No id is stored itself, and any order leaves the same. Many workers may record at once. Cancel safety: some events are recorded, and
    /// recording all again records the others.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the event and the field, before anything is written;
    /// [`NotFound`](ErrorKind::NotFound) for an experiment that there is not.
    pub async fn record(&self, experiment_id: &str, events: &[ExperimentEvent]) -> Result<EventsRecorded> {
        const OPERATION: &str = "experiments.record";
        let (state, _) = self.state(OPERATION, experiment_id).await?;
        for (index, event) in events.iter().enumerate() {
            event.validate(&format!("events[{index}]"), &state.spec)?;
        }
        if !state.counts() {
            return Ok(EventsRecorded { ignored_count: events.len() as u64, ..EventsRecorded::default() });
        }
        let collection = units_of(experiment_id);
        let mut shards: BTreeMap<(String, String), Vec<&ExperimentEvent>> = BTreeMap::new();
        for event in events {
            let name = |after| Shard::name(&state.spec, after, &event.unit_id);
            shards.entry((name(state.after_promotion), name(false))).or_default().push(event);
        }
        let mut recorded = EventsRecorded::default();
        for ((name, before_promotion), events) in shards {
            // What was recorded before the promotion is not recorded again after it.
            let earlier: Option<Shard> = if state.after_promotion {
                documents::read(self.0, OPERATION, &collection, &before_promotion).await?.0
            } else {
                None
            };
            let spec = &state.spec;
            let (new, known) =
                documents::update(self.0, OPERATION, &collection, &name, |stored: Option<Shard>| {
                    let mut shard = stored.unwrap_or_default();
                    let (mut new, mut known) = (0, 0);
                    for event in &events {
                        let is_old = earlier.as_ref().is_some_and(|earlier| earlier.has(spec, event));
                        if is_old || shard.add(spec, event)? == ShardOutcome::Duplicate {
                            known += 1;
                        } else {
                            new += 1;
                        }
                    }
                    Ok(((new > 0).then_some(shard), (new, known)))
                })
                .await?;
            recorded.recorded_count += new;
            recorded.duplicate_count += known;
        }
        Ok(recorded)
    }

    /// Looks at an experiment, and moves it on where the look decides: an arm with a guardrail against it is taken out, and with
    /// `auto_promote` a winner is promoted, and rolled back when it turns out worse. Looking more often costs nothing but time.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) for an experiment that there is not.
    pub async fn status(&self, experiment_id: &str) -> Result<ExperimentStatus> {
        const OPERATION: &str = "experiments.status";
        loop {
            let (state, version) = self.state(OPERATION, experiment_id).await?;
            let judgement = self.look(OPERATION, &state).await?;
            let Some(next) = state.after(&judgement, self.0.ctx().env.clock.now()) else {
                return Ok(status(state, judgement));
            };
            if documents::write(self.0, OPERATION, COLLECTION, experiment_id, version, &next).await? {
                return Ok(status(next, judgement));
            }
        }
    }

    /// Ends an experiment. With `promote` that arm gets all units from now on, else the one that serves.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) for an experiment that there is not; [`InvalidInput`](ErrorKind::InvalidInput) for an arm that
    /// there is not; [`Rejected`](ErrorKind::Rejected) for one whose guardrail is worse.
    pub async fn stop(&self, experiment_id: &str, promote: Option<&str>) -> Result<ExperimentStatus> {
        const OPERATION: &str = "experiments.stop";
        loop {
            let (state, version) = self.state(OPERATION, experiment_id).await?;
            let judgement = self.look(OPERATION, &state).await?;
            let next = state.stop(promote, &judgement, self.0.ctx().env.clock.now())?;
            if next == state
                || documents::write(self.0, OPERATION, COLLECTION, experiment_id, version, &next).await?
            {
                return Ok(status(next, judgement));
            }
        }
    }

    async fn state(&self, operation: &'static str, experiment_id: &str) -> Result<(ExperimentState, u64)> {
        let (state, version) = documents::read(self.0, operation, COLLECTION, experiment_id).await?;
        let state = state.ok_or_else(|| {
            let message = format!("experiment_id: there is no experiment {experiment_id:?}; start it first");
            Error::new(ErrorKind::NotFound, operation, message)
        })?;
        Ok((state, version))
    }

    async fn look(&self, operation: &'static str, state: &ExperimentState) -> Result<Judgement> {
        let collection = units_of(&state.spec.experiment_id);
        let prefix = Shard::prefix(state.after_promotion);
        let shards: Vec<(String, Shard)> = documents::list(self.0, operation, &collection, prefix).await?;
        let mut tallies = Tallies::default();
        for (_, shard) in &shards {
            tallies.count(state, shard);
        }
        Ok(judge(state, &tallies))
    }
}

fn units_of(experiment_id: &str) -> String {
    format!("experiment_units/{experiment_id}")
}

fn status(state: ExperimentState, judgement: Judgement) -> ExperimentStatus {
    ExperimentStatus {
        experiment_id: state.spec.experiment_id,
        phase: state.phase,
        serving: state.serving,
        arms: judgement.arms,
        winner: judgement.winner,
        mismatched: judgement.mismatched,
        reasons: judgement.reasons,
        stopped_arms: state.stopped_arms,
        history: state.history,
    }
}
