use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::{Error, ErrorKind, Minor, Result};

use super::currencies::Currencies;
use super::decimal::divide;
use super::stages::{GREATEST, StageValues};

/// The whole in thousandths.
const WHOLE: u16 = 1000;

/// A pipeline of the CRM with its stages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    /// The CRM's id of the pipeline: `default`, or a number.
    pub id: String,
    /// Its stages.
    pub stages: Vec<PipelineStage>,
}

/// A stage of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PipelineStage {
    /// The CRM's id of the stage.
    pub id: String,
    /// How probably a deal in it is won, in thousandths: 1000 is the stage of won deals, 0 that of lost ones.
    pub probability_permille: u16,
    /// What a deal in it is expected to bring, in minor units. That share of `closed_minor` when absent.
    #[serde(default)]
    pub value_minor: Option<Minor>,
}

/// What deals are worth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// The stages of every pipeline that is not listed.
    pub stages: StageValues,
    /// The pipelines whose stages are known one by one.
    pub pipelines: Vec<Pipeline>,
    /// Whether a deal whose amount is known is worth that amount times the probability of its stage.
    pub use_amounts: bool,
    /// The currency of the values, and what others are worth.
    pub currencies: Currencies,
}

/// How a stage ends a deal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It does not.
    Open,
    /// The deal is won.
    Won,
    /// The deal is lost.
    Lost,
}

/// What is configured of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Configured<'a> {
    /// The pipeline, when it is a configured one.
    pub(super) pipeline: Option<&'a str>,
    pub(super) value_minor: Minor,
    pub(super) probability_millionths: i64,
    pub(super) outcome: Outcome,
    /// That the configuration lacks the pipeline or the stage.
    pub(super) unknown: Option<Unknown>,
}

/// What the configuration lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    Pipeline,
    Stage,
}

/// The stages of HubSpot's own pipeline with the probabilities that it gives them, in thousandths.
const HUBSPOT: [(&str, u16); 5] = [
    ("appointmentscheduled", 200),
    ("qualifiedtobuy", 400),
    ("presentationscheduled", 600),
    ("decisionmakerboughtin", 800),
    ("contractsent", 900),
];

impl Rules {
    /// Checks what a user configured.
    ///
    /// # Errors
    /// [`ConfigInvalid`](ErrorKind::ConfigInvalid) that names the field.
    pub fn validate(&self) -> Result<()> {
        let invalid = |message| Err(Error::new(ErrorKind::ConfigInvalid, "attribution.pipelines", message));
        self.stages.validate()?;
        self.currencies.validate()?;
        let mut ids = BTreeSet::new();
        for (at, pipeline) in self.pipelines.iter().enumerate() {
            if pipeline.id.is_empty() || !ids.insert(&pipeline.id) {
                return invalid(format!(
                    "[{at}].id: {:?} is empty or there twice: give each pipeline its own",
                    pipeline.id
                ));
            }
            let mut stages = BTreeSet::new();
            for (place, stage) in pipeline.stages.iter().enumerate() {
                let field = format!("[{at}].stages[{place}]");
                if stage.id.is_empty() || !stages.insert(&stage.id) {
                    return invalid(format!("{field}.id: {:?} is empty or there twice", stage.id));
                }
                if stage.probability_permille > WHOLE {
                    return invalid(format!(
                        "{field}.probability_permille: {} is not from 0 to {WHOLE}",
                        stage.probability_permille
                    ));
                }
                if let Some(value) = stage.value_minor.filter(|value| !(0..=GREATEST).contains(value)) {
                    return invalid(format!(
                        "{field}.value_minor: {value} is not from 0 to {GREATEST} minor units"
                    ));
                }
                if stage.probability_permille == 0 && stage.value_minor.is_some_and(|value| value != 0) {
                    return invalid(format!(
                        "{field}.value_minor: a stage of probability 0 is worth 0: leave it out"
                    ));
                }
            }
        }
        Ok(())
    }

    /// What is configured of a stage. A pipeline that is not known is the configured one that has the stage; a stage that is in
    /// none is one of [`StageValues`].
    pub(super) fn stage(&self, pipeline: Option<&str>, stage: &str) -> Configured<'_> {
        let of = |pipeline: &Pipeline| pipeline.stages.iter().position(|s| s.id == stage);
        let named = pipeline.and_then(|id| self.pipelines.iter().find(|p| p.id == id));
        let found = match (named, pipeline) {
            (Some(named), _) => of(named).map(|at| (named, at)),
            (None, Some(_)) => None,
            (None, None) => self.pipelines.iter().find_map(|p| of(p).map(|at| (p, at))),
        };
        match found {
            Some((pipeline, at)) => self.configured(pipeline, &pipeline.stages[at]),
            None => Configured {
                pipeline: named.map(|pipeline| pipeline.id.as_str()),
                unknown: match (self.pipelines.is_empty(), named, pipeline) {
                    (true, ..) => None,
                    (false, None, Some(_)) => Some(Unknown::Pipeline),
                    (false, ..) => Some(Unknown::Stage),
                },
                ..self.unlisted(stage)
            },
        }
    }

    fn configured<'a>(&'a self, pipeline: &'a Pipeline, stage: &PipelineStage) -> Configured<'a> {
        let permille = i64::from(stage.probability_permille);
        let share = || {
            let share =
                divide(i128::from(self.stages.closed_minor) * i128::from(permille), i128::from(WHOLE));
            Minor::try_from(share).unwrap_or(GREATEST)
        };
        Configured {
            pipeline: Some(&pipeline.id),
            value_minor: stage.value_minor.unwrap_or_else(share),
            probability_millionths: permille * 1000,
            outcome: match stage.probability_permille {
                0 => Outcome::Lost,
                WHOLE => Outcome::Won,
                _ => Outcome::Open,
            },
            unknown: None,
        }
    }

    /// A stage by its list: HubSpot's own stages have its probabilities, others the share of their value in that of a won deal.
    fn unlisted(&self, stage: &str) -> Configured<'_> {
        let values = &self.stages;
        let value_minor = values.value_of(stage);
        let outcome = if values.closed_stages.contains(stage) {
            Outcome::Won
        } else if values.lost_stages.contains(stage) {
            Outcome::Lost
        } else {
            Outcome::Open
        };
        let known =
            HUBSPOT.iter().find(|(id, _)| *id == stage).map(|(_, permille)| i64::from(*permille) * 1000);
        let probability_millionths = match outcome {
            Outcome::Won => 1_000_000,
            Outcome::Lost => 0,
            Outcome::Open => known.unwrap_or_else(|| {
                let share = i128::from(value_minor) * 1_000_000 / i128::from(values.closed_minor.max(1));
                i64::try_from(share.min(1_000_000)).unwrap_or(1_000_000)
            }),
        };
        Configured { pipeline: None, value_minor, probability_millionths, outcome, unknown: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(id: &str, probability_permille: u16, value_minor: Option<Minor>) -> PipelineStage {
        PipelineStage { id: id.to_owned(), probability_permille, value_minor }
    }

    fn rules() -> Rules {
        let stages = vec![
            stage("1", 125, None),
            stage("2", 500, Some(7)),
            stage("3", 1000, None),
            stage("4", 0, None),
        ];
        Rules { pipelines: vec![Pipeline { id: "sales".into(), stages }], ..Rules::default() }
    }

    #[test]
    fn a_stage_is_found_by_its_pipeline() {
        let rules = rules();
        rules.validate().unwrap();
        let found = |pipeline, stage| {
            let c = rules.stage(pipeline, stage);
            (c.pipeline, c.value_minor, c.probability_millionths, c.outcome, c.unknown)
        };
        assert_eq!(found(Some("sales"), "1"), (Some("sales"), 62_500, 125_000, Outcome::Open, None));
        assert_eq!(
            found(None, "2"),
            (Some("sales"), 7, 500_000, Outcome::Open, None),
            "ids of stages are unique"
        );
        assert_eq!(found(Some("sales"), "3").3, Outcome::Won);
        assert_eq!(found(Some("sales"), "4"), (Some("sales"), 0, 0, Outcome::Lost, None));
        let lost = found(Some("sales"), "contractsent");
        assert_eq!(lost, (Some("sales"), 150_000, 900_000, Outcome::Open, Some(Unknown::Stage)));
        assert_eq!(found(Some("other"), "1").4, Some(Unknown::Pipeline));
        assert_eq!(found(None, "closedwon"), (None, 500_000, 1_000_000, Outcome::Won, Some(Unknown::Stage)));
    }

    #[test]
    fn without_pipelines_every_stage_has_its_list() {
        let rules = Rules::default();
        let found = rules.stage(Some("default"), "qualifiedtobuy");
        assert_eq!(
            (found.value_minor, found.probability_millionths, found.unknown),
            (150_000, 400_000, None)
        );
        assert_eq!(rules.stage(None, "1043").probability_millionths, 100_000, "500 of 5,000");
    }

    #[test]
    fn wrong_pipelines_are_named() {
        let with = |stage: PipelineStage| {
            let mut rules = rules();
            rules.pipelines[0].stages.push(stage);
            rules.validate().unwrap_err().message().to_owned()
        };
        assert!(with(stage("1", 5, None)).starts_with("[0].stages[4].id"));
        assert!(with(stage("5", 1001, None)).contains("probability_permille: 1001"));
        assert!(with(stage("5", 5, Some(-1))).contains("value_minor: -1"));
        assert!(with(stage("5", 0, Some(1))).contains("value_minor"));
        let mut twice = rules();
        twice.pipelines.push(twice.pipelines[0].clone());
        assert!(twice.validate().unwrap_err().message().starts_with("[1].id"));
    }
}
