use schemars::JsonSchema;
use serde::Deserialize;
use xynergy::experiments::{
    EventsRecorded, ExperimentEvent, ExperimentSpec, ExperimentStatus, UnitAssignment,
};

use super::methods;

methods! {
    /// Starts an experiment. The same spec again is the same experiment.
    "experiments.start"(spec) Value StartArguments => ExperimentStatus =
        |session, a: StartArguments| async move { session.scope.experiments().start(a.spec).await };

    /// What units get now, in their order: the same in every process.
    "experiments.assign"(experiment_id, unit_ids) Value AssignArguments => Vec<UnitAssignment> = |session, a: AssignArguments| async move {
        session.scope.experiments().assign(&a.experiment_id, &a.unit_ids).await
    };

    /// Records exposures and metrics of units, each event once. Many workers may record at once.
    "experiments.record"(experiment_id, events) Value RecordArguments => EventsRecorded = |session, a: RecordArguments| async move {
        session.scope.experiments().record(&a.experiment_id, &a.events).await
    };

    /// Looks at an experiment with intervals that hold at every look, and moves it on where the look decides: an arm with a guardrail against
    /// it is taken out, and with `auto_promote` a winner is promoted, and rolled back when it turns out worse.
    "experiments.status"(experiment_id) Value StatusArguments => ExperimentStatus = |session, a: StatusArguments| async move {
        session.scope.experiments().status(&a.experiment_id).await
    };

    /// Ends an experiment. With `promote` that arm gets all units from now on, unless a guardrail is against it; else the one that serves.
    "experiments.stop"(experiment_id, promote) Value StopArguments => ExperimentStatus = |session, a: StopArguments| async move {
        session.scope.experiments().stop(&a.experiment_id, a.promote.as_deref()).await
    };
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StartArguments {
    /// What is compared, and when it is decided.
    spec: ExperimentSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssignArguments {
    /// The experiment.
    experiment_id: String,
    /// The ids of visitors, people or accounts.
    unit_ids: Vec<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordArguments {
    /// The experiment.
    experiment_id: String,
    /// What happened to units.
    events: Vec<ExperimentEvent>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatusArguments {
    /// The experiment.
    experiment_id: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StopArguments {
    /// The experiment.
    experiment_id: String,
    /// The arm that all units get from now on.
    #[serde(default)]
    promote: Option<String>,
}
