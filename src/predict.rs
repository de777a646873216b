//! Click-through of ads without data, from their features: models by version.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_attribution::ctr;
use xynergy_core::{Error, ErrorKind, Result, Timestamp};

pub use xynergy_attribution::ctr::{
    CtrAd, CtrModel, CtrOptions, CtrPrediction, CtrReport, CtrRow, FeatureValue, Features,
};

use crate::allocation::Allocations;
use crate::documents;

const MODELS: &str = "ctr_models";
const REGISTRY: &str = "ctr_registry";

/// A version of the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CtrVersion {
    /// Its number, from 1.
    pub version: u64,
    /// When it was trained.
    pub trained_at: Timestamp,
    /// The version on which it goes on; null when it began from nothing.
    pub from_version: Option<u64>,
    /// How good it was on what it had not learned yet.
    pub report: CtrReport,
}

/// The versions of the model, and which of them predicts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CtrModels {
    /// The version that predicts; null while none was activated.
    pub active_version: Option<u64>,
    /// All versions, the oldest first.
    pub versions: Vec<CtrVersion>,
}

/// What is stored of the versions.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Registry {
    /// The versions that were activated, each time; the last one predicts.
    activated: Vec<u64>,
    versions: Vec<CtrVersion>,
}

impl Registry {
    fn shown(self) -> CtrModels {
        CtrModels { active_version: self.activated.last().copied(), versions: self.versions }
    }
}

impl Allocations<'_> {
    /// Trains a version of the model on `rows` in their order, which should be that of time, from nothing or on top of `from_version`. It is
    /// stored with its report, and does not predict until it is activated.
    ///
    /// It computes on the calling thread: about 100,000 rows a second. Cancel safety: at most a model that no version names is left.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the row and the field; [`NotFound`](ErrorKind::NotFound) for a version that there
    /// is not.
    pub async fn train_ctr(
        &self,
        rows: &[CtrRow],
        options: &CtrOptions,
        from_version: Option<u64>,
    ) -> Result<CtrVersion> {
        const OPERATION: &str = "allocation.train_ctr";
        let from = match from_version {
            Some(version) => Some(self.model(OPERATION, version).await?),
            None => None,
        };
        let (model, report) = ctr::train(rows, options, from)?;
        let (registry, _): (Option<Registry>, _) =
            documents::read(self.0, OPERATION, REGISTRY, REGISTRY).await?;
        let mut version = registry.and_then(|r| r.versions.last().map(|v| v.version)).unwrap_or(0) + 1;
        // Another worker may be training too: the number is whose model is written first.
        while !documents::write(self.0, OPERATION, MODELS, &key(version), 0, &model).await? {
            version += 1;
        }
        let trained_at = self.0.ctx().env.clock.now();
        let trained = CtrVersion { version, trained_at, from_version, report };
        documents::update(self.0, OPERATION, REGISTRY, REGISTRY, |stored: Option<Registry>| {
            let mut registry = stored.unwrap_or_default();
            registry.versions.push(trained.clone());
            registry.versions.sort_by_key(|v| v.version);
            Ok((Some(registry), ()))
        })
        .await?;
        Ok(trained)
    }

    /// The versions of the model with their reports, and which of them predicts.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn ctr_models(&self) -> Result<CtrModels> {
        let (registry, _): (Option<Registry>, _) =
            documents::read(self.0, "allocation.ctr_models", REGISTRY, REGISTRY).await?;
        Ok(registry.unwrap_or_default().shown())
    }

    /// Lets a version predict from now on; without `version` the one that was active before the present one, as after a bad activation.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) for a version that there is not, or when none was active before.
    pub async fn activate_ctr(&self, version: Option<u64>) -> Result<CtrModels> {
        const OPERATION: &str = "allocation.activate_ctr";
        documents::update(self.0, OPERATION, REGISTRY, REGISTRY, |stored: Option<Registry>| {
            let mut registry = stored.unwrap_or_default();
            match version {
                Some(version) if registry.versions.iter().all(|v| v.version != version) => {
                    return Err(missing(OPERATION, version));
                }
                Some(version) if registry.activated.last() == Some(&version) => {
                    return Ok((None, registry.shown()));
                }
                Some(version) => registry.activated.push(version),
                None if registry.activated.len() < 2 => {
                    let message = "version: no version was active before; name the one to activate";
                    return Err(Error::new(ErrorKind::NotFound, OPERATION, message));
                }
                None => {
                    registry.activated.pop();
                }
            }
            Ok((Some(registry.clone()), registry.shown()))
        })
        .await
    }

    /// The click-through of ads by their features, each with the Beta prior that it is worth: by the active version, or another.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the ad and the feature; [`NotFound`](ErrorKind::NotFound) while no version is active,
    /// or for a version that there is not.
    pub async fn predict_ctr(&self, ads: &[CtrAd], version: Option<u64>) -> Result<Vec<CtrPrediction>> {
        const OPERATION: &str = "allocation.predict_ctr";
        let version = match version {
            Some(version) => version,
            None => self.ctr_models().await?.active_version.ok_or_else(|| {
                let message = "version: no version is active; train one and activate it, or name one";
                Error::new(ErrorKind::NotFound, OPERATION, message)
            })?,
        };
        self.model(OPERATION, version).await?.predict(ads, version)
    }

    async fn model(&self, operation: &'static str, version: u64) -> Result<CtrModel> {
        let (model, _) = documents::read(self.0, operation, MODELS, &key(version)).await?;
        model.ok_or_else(|| missing(operation, version))
    }
}

fn key(version: u64) -> String {
    format!("{version:020}")
}

fn missing(operation: &'static str, version: u64) -> Error {
    let message = format!("version: there is no version {version}; allocation.ctr_models lists them");
    Error::new(ErrorKind::NotFound, operation, message)
}
