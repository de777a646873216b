use schemars::JsonSchema;
use serde::Deserialize;
use xynergy::evaluation::{
    EvaluationOptions, GateDecision, GroupOutcome, HoldoutUnit, Incrementality, LoggedDecision,
    LoggedPrediction, OffPolicyEvaluation, PredictionScores, PredictionTruth, PredictionsLogged,
    TargetPolicy,
};

use super::methods;

methods! {
    /// Estimates what `policy` would have brought, from a log of decisions with their propensities: replay, the direct method, IPS, SNIPS and
    /// doubly robust, with intervals. Where the log says too little of the policy it concludes nothing and says why. Nothing is stored.
    "allocation.evaluate"(log, policy, options) Value EvaluateArguments => OffPolicyEvaluation =
        |session, a: EvaluateArguments| async move {
            session.scope.allocation().evaluate(&a.log, &a.policy, &a.options.unwrap_or_default())
        };

    /// Whether `proposed` may take the place of `current` (the logged policy when there is none): `allow` when its lower bound is not below,
    /// `refuse` when it is, `too_thin` when the log says too little. Nothing is stored.
    "allocation.gate"(log, proposed, current, options) Value GateArguments => GateDecision = |session, a: GateArguments| async move {
        session.scope.allocation().gate(&a.log, &a.proposed, a.current.as_ref(), &a.options.unwrap_or_default())
    };

    /// Which units are held out of `holdout_ppm` of a million, by a hash of their ids under `key`. Nothing is stored.
    "allocation.holdout"(unit_ids, key, holdout_ppm) Value HoldoutArguments => Vec<HoldoutUnit> = |session, a: HoldoutArguments| async move {
        session.scope.allocation().holdout(&a.unit_ids, &a.key, a.holdout_ppm)
    };

    /// What treatment adds to what comes anyway: the multiplier of what was attributed, with an interval. Nothing is stored.
    "allocation.incrementality"(treated, holdout, attributed, confidence) Value IncrementalityArguments => Incrementality =
        |session, a: IncrementalityArguments| async move {
            let confidence = a.confidence.unwrap_or(0.95);
            session.scope.allocation().incrementality(&a.treated, &a.holdout, a.attributed, confidence)
        };

    /// Writes predictions down before their truths are known. The same id with the same prediction is one prediction.
    "allocation.log_predictions"(predictions) Value LogPredictionsArguments => PredictionsLogged =
        |session, a: LogPredictionsArguments| async move { session.scope.allocation().log_predictions(&a.predictions).await };

    /// Writes down what came true. Truths of predictions that there are not are named in the answer.
    "allocation.score_predictions"(truths) Value ScorePredictionsArguments => PredictionsLogged =
        |session, a: ScorePredictionsArguments| async move { session.scope.allocation().score_predictions(&a.truths).await };

    /// How good predictions were, of one model or of all: log loss, Brier score and calibration of probabilities, error and coverage of
    /// values.
    "allocation.prediction_scores"(model) Value PredictionScoresArguments => PredictionScores =
        |session, a: PredictionScoresArguments| async move {
            session.scope.allocation().prediction_scores(a.model.as_deref()).await
        };
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EvaluateArguments {
    /// The decisions that were made, and what came of them.
    log: Vec<LoggedDecision>,
    /// The policy to evaluate.
    policy: TargetPolicy,
    /// How it is evaluated.
    #[serde(default)]
    options: Option<EvaluationOptions>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GateArguments {
    /// The decisions that were made, and what came of them.
    log: Vec<LoggedDecision>,
    /// The policy that may be queued.
    proposed: TargetPolicy,
    /// The policy whose place it would take; the logged one by default.
    #[serde(default)]
    current: Option<TargetPolicy>,
    /// How both are evaluated.
    #[serde(default)]
    options: Option<EvaluationOptions>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoldoutArguments {
    /// The ids of visitors, people or accounts.
    unit_ids: Vec<String>,
    /// Names the experiment: another key holds out others.
    key: String,
    /// How many of a million are held out.
    holdout_ppm: u32,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IncrementalityArguments {
    /// The units that were treated.
    treated: GroupOutcome,
    /// The units that were held out.
    holdout: GroupOutcome,
    /// What attribution gives the treated group, in conversions or, with values, in minor units; all that it brought by default.
    #[serde(default)]
    attributed: Option<i64>,
    /// How sure the interval is: 0.95 by default.
    #[serde(default)]
    confidence: Option<f64>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogPredictionsArguments {
    /// What is predicted.
    predictions: Vec<LoggedPrediction>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScorePredictionsArguments {
    /// What came true.
    truths: Vec<PredictionTruth>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PredictionScoresArguments {
    /// What predicted; all by default.
    #[serde(default)]
    model: Option<String>,
}
