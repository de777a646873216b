//! What a policy would have brought, before it spends; what treatment adds; and predictions that are scored when the truth comes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_attribution::{evaluate, experiments};
use xynergy_core::{Error, ErrorKind, Result};

pub use xynergy_attribution::evaluate::{
    CalibrationBin, Estimator, EvaluationOptions, GateDecision, GateVerdict, LoggedDecision,
    LoggedPrediction, OffPolicyEvaluation, PolicyEstimate, PredictionScores, PredictionTruth,
    ScoredPrediction, TargetPolicy,
};
pub use xynergy_attribution::experiments::{GroupOutcome, HoldoutUnit, Incrementality};

use crate::allocation::{Allocation, Allocations};
use crate::documents;

const PREDICTIONS: &str = "predictions";

/// What became of predictions, or of their truths.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PredictionsLogged {
    /// Those that are new.
    pub recorded_count: u64,
    /// Those that were there.
    pub duplicate_count: u64,
    /// Ids of truths without a prediction.
    pub unknown: Vec<String>,
}

/// The policy that an allocation is: each ad gets its share of the money.
pub fn policy_of(allocation: &Allocation) -> TargetPolicy {
    let ads = allocation.rows.iter().flat_map(|row| &row.ads);
    TargetPolicy::of_shares(ads.map(|ad| (ad.ad_id.as_str(), ad.share)))
}

impl Allocations<'_> {
    /// Estimates what `policy` would have brought, from a log of decisions with their propensities. Nothing is stored or read.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the row and the field.
    pub fn evaluate(
        &self,
        log: &[LoggedDecision],
        policy: &TargetPolicy,
        options: &EvaluationOptions,
    ) -> Result<OffPolicyEvaluation> {
        evaluate::evaluate(log, policy, options)
    }

    /// Whether `proposed` may take the place of `current` (the logged policy when there is none): its lower bound must not be below.
    /// [`GateDecision::require_allowed`] stands before the queue. Nothing is stored or read.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the row and the field.
    pub fn gate(
        &self,
        log: &[LoggedDecision],
        proposed: &TargetPolicy,
        current: Option<&TargetPolicy>,
        options: &EvaluationOptions,
    ) -> Result<GateDecision> {
        evaluate::gate(log, proposed, current, options)
    }

    /// Which units are held out of `holdout_ppm` of a million, by a hash of their ids under `key`. Nothing is stored or read.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the field.
    pub fn holdout(&self, unit_ids: &[String], key: &str, holdout_ppm: u32) -> Result<Vec<HoldoutUnit>> {
        experiments::holdout(unit_ids, key, holdout_ppm)
    }

    /// What treatment adds to what comes anyway, with an interval of this confidence (0.95 is usual): the multiplier of what was
    /// attributed. Nothing is stored or read.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the field.
    pub fn incrementality(
        &self,
        treated: &GroupOutcome,
        holdout: &GroupOutcome,
        attributed: Option<i64>,
        confidence: f64,
    ) -> Result<Incrementality> {
        experiments::incrementality(treated, holdout, attributed, confidence)
    }

    /// Writes predictions down before their truths are known. The same id with the same prediction is one prediction.
    ///
    /// Cancel safety: each prediction is written whole or not at all; calling again writes the others.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the field, before anything is written; [`Conflict`](ErrorKind::Conflict) for
    /// an id that stands for another prediction.
    pub async fn log_predictions(&self, predictions: &[LoggedPrediction]) -> Result<PredictionsLogged> {
        const OPERATION: &str = "allocation.log_predictions";
        for (index, prediction) in predictions.iter().enumerate() {
            prediction.validate(&format!("predictions[{index}]"))?;
        }
        let mut logged = PredictionsLogged::default();
        for prediction in predictions {
            let id = &prediction.prediction_id;
            let new = documents::update(self.0, OPERATION, PREDICTIONS, id, |stored: Option<ScoredPrediction>| {
                match stored {
                    None => Ok((Some(ScoredPrediction { prediction: prediction.clone(), truth: None }), true)),
                    Some(stored) if stored.prediction.is_same(prediction) => Ok((None, false)),
                    Some(_) => Err(Error::new(
                        ErrorKind::Conflict,
                        OPERATION,
                        format!("prediction_id: {id} stands for another prediction; give each one an id of its own"),
                    )),
                }
            })
            .await?;
            logged.count(new);
        }
        Ok(logged)
    }

    /// Writes down what came true. Truths of predictions that there are not are named in the answer.
    ///
    /// Cancel safety: as [`log_predictions`](Self::log_predictions).
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the field; [`Conflict`](ErrorKind::Conflict) for a prediction whose truth was
    /// another one.
    pub async fn score_predictions(&self, truths: &[PredictionTruth]) -> Result<PredictionsLogged> {
        const OPERATION: &str = "allocation.score_predictions";
        let mut logged = PredictionsLogged::default();
        for (index, PredictionTruth { prediction_id, truth }) in truths.iter().enumerate() {
            let new = documents::update(self.0, OPERATION, PREDICTIONS, prediction_id, |stored: Option<ScoredPrediction>| {
                let Some(stored) = stored else { return Ok((None, None)) };
                stored.prediction.validate_truth(&format!("truths[{index}]"), *truth)?;
                match stored.truth {
                    None => Ok((Some(ScoredPrediction { truth: Some(*truth), ..stored }), Some(true))),
                    Some(known) if evaluate::is_same(known, *truth) => Ok((None, Some(false))),
                    Some(known) => Err(Error::new(
                        ErrorKind::Conflict,
                        OPERATION,
                        format!("truths[{index}].truth: {prediction_id} came true as {known} already, and not as {truth}"),
                    )),
                }
            })
            .await?;
            match new {
                Some(new) => logged.count(new),
                None => logged.unknown.push(prediction_id.clone()),
            }
        }
        Ok(logged)
    }

    /// How good predictions were, of one model or of all: log loss, Brier score and calibration of probabilities, error and coverage of
    /// values.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn prediction_scores(&self, model: Option<&str>) -> Result<PredictionScores> {
        let stored: Vec<(String, ScoredPrediction)> =
            documents::list(self.0, "allocation.prediction_scores", PREDICTIONS, "").await?;
        let of_model = |scored: &ScoredPrediction| model.is_none_or(|model| scored.prediction.model == model);
        let predictions: Vec<_> = stored.into_iter().map(|(_, scored)| scored).filter(of_model).collect();
        Ok(evaluate::score_predictions(&predictions))
    }
}

impl PredictionsLogged {
    fn count(&mut self, new: bool) {
        if new {
            self.recorded_count += 1;
        } else {
            self.duplicate_count += 1;
        }
    }
}
