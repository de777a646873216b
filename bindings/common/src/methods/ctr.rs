use schemars::JsonSchema;
use serde::Deserialize;
use xynergy::predict::{CtrAd, CtrModels, CtrOptions, CtrPrediction, CtrRow, CtrVersion};

use super::{Nothing, methods};

methods! {
    /// Trains a version of the click-through model on `rows` in the order of time, from nothing or on top of `from_version`. Its report compares
    /// it with the base rate on what it had not learned yet. It does not predict until it is activated.
    "allocation.train_ctr"(rows, options, from_version) Value TrainArguments => CtrVersion = |session, a: TrainArguments| async move {
        session.scope.allocation().train_ctr(&a.rows, &a.options.unwrap_or_default(), a.from_version).await
    };

    /// The versions of the click-through model with their reports, and which of them predicts.
    "allocation.ctr_models"() Value Nothing => CtrModels =
        |session, _: Nothing| async move { session.scope.allocation().ctr_models().await };

    /// Lets a version predict from now on; without `version` the one that was active before the present one.
    "allocation.activate_ctr"(version) Value ActivateArguments => CtrModels = |session, a: ActivateArguments| async move {
        session.scope.allocation().activate_ctr(a.version).await
    };

    /// The click-through of ads by their features, each with the Beta prior that it is worth: by the active version, or another.
    "allocation.predict_ctr"(ads, version) Value PredictArguments => Vec<CtrPrediction> = |session, a: PredictArguments| async move {
        session.scope.allocation().predict_ctr(&a.ads, a.version).await
    };
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrainArguments {
    /// Impressions and their clicks, in the order of time.
    rows: Vec<CtrRow>,
    /// How the model learns.
    #[serde(default)]
    options: Option<CtrOptions>,
    /// The version to go on from; none begins from nothing.
    #[serde(default)]
    from_version: Option<u64>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActivateArguments {
    /// The version; by default the one that was active before.
    #[serde(default)]
    version: Option<u64>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PredictArguments {
    /// The ads and what is known of them.
    ads: Vec<CtrAd>,
    /// The version; the active one by default.
    #[serde(default)]
    version: Option<u64>,
}
