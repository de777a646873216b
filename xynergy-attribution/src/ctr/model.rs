use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::{Error, Result};

use super::calibrate::Calibration;
use super::features::{Features, check, hashed};

/// How a model learns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CtrOptions {
    /// Features are hashed to 2 to the power of this many places: 8 to 24, 16 by default.
    pub hash_bits: u8,
    /// How fast it learns: 0.1 by default.
    pub learning_rate: f64,
    /// What weights have to overcome before they count: 0.5 by default.
    pub l1: f64,
    /// How strongly weights are held at 0: 1 by default.
    pub l2: f64,
}

impl Default for CtrOptions {
    fn default() -> Self {
        Self { hash_bits: 16, learning_rate: 0.1, l1: 0.5, l2: 1.0 }
    }
}

impl CtrOptions {
    pub(super) fn validate(&self) -> Result<()> {
        let invalid = |message: String| Err(Error::invalid("allocation.train_ctr", message));
        if !(8..=24).contains(&self.hash_bits) {
            return invalid(format!("options.hash_bits: {} is not 8 to 24; 16 is usual", self.hash_bits));
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return invalid(format!("options.learning_rate: {} is no number above 0", self.learning_rate));
        }
        for (name, value) in [("l1", self.l1), ("l2", self.l2)] {
            if !(value.is_finite() && value >= 0.0) {
                return invalid(format!("options.{name}: {value} is no number of 0 or more"));
            }
        }
        Ok(())
    }
}

/// A model of click-through: the base rate, and what features add to its log-odds.
///
/// FTRL-proximal with a rate for each coordinate (McMahan and others 2013, KDD, algorithm 1). The base rate is that of all impressions
/// so far and no weight: without a signal the model says the base rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CtrModel {
    pub(super) options: CtrOptions,
    pub(super) impressions: u64,
    pub(super) clicks: u64,
    pub(super) calibration: Calibration,
    /// How many impressions a prediction is worth; none while too few ads have told.
    pub(super) effective_impressions: Option<Exact>,
    /// By place: the sum of gradients and of their squares.
    pub(super) coordinates: BTreeMap<u32, (Exact, Exact)>,
}

/// A float that is stored as its bits: as a decimal it would come back as its neighbour now and then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "u64", into = "u64")]
pub(super) struct Exact(pub(super) f64);

impl From<u64> for Exact {
    fn from(bits: u64) -> Self {
        Self(f64::from_bits(bits))
    }
}

impl From<Exact> for u64 {
    fn from(exact: Exact) -> Self {
        exact.0.to_bits()
    }
}

/// An ad of which nothing is known but its features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CtrAd {
    /// The ad's id.
    pub ad_id: String,
    /// What is known of it: texts, numbers, booleans or null by name.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub features: Features,
}

/// What a model says of an ad.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CtrPrediction {
    /// The ad's id.
    pub ad_id: String,
    /// The predicted click-through: 0 to 1.
    pub ctr: f64,
    /// The Beta prior that it is worth: clicks. At least 1.
    pub alpha: f64,
    /// The Beta prior that it is worth: impressions without a click.
    pub beta: f64,
    /// How many impressions the prediction is worth: alpha and beta together.
    pub effective_impressions: f64,
    /// The version of the model.
    pub version: u64,
}

impl CtrModel {
    pub(super) fn new(options: CtrOptions) -> Self {
        Self {
            options,
            impressions: 0,
            clicks: 0,
            calibration: Calibration::default(),
            effective_impressions: None,
            coordinates: BTreeMap::new(),
        }
    }

    /// The log-odds of the click-through of all impressions so far.
    pub(super) fn base(&self) -> f64 {
        let (clicks, rest) = (self.clicks as f64 + 0.5, (self.impressions - self.clicks) as f64 + 0.5);
        libm::log(clicks / rest)
    }

    /// What the features add to the base.
    pub(super) fn addition(&self, places: &[(u32, f64)]) -> f64 {
        places.iter().map(|(place, amount)| self.weight(*place) * amount).sum()
    }

    fn weight(&self, place: u32) -> f64 {
        let Some((Exact(gradients), Exact(squares))) = self.coordinates.get(&place).copied() else {
            return 0.0;
        };
        if gradients.abs() <= self.options.l1 {
            return 0.0;
        }
        let rate = (1.0 + libm::sqrt(squares)) / self.options.learning_rate + self.options.l2;
        (libm::copysign(self.options.l1, gradients) - gradients) / rate
    }

    /// Learns from impressions with the same features.
    pub(super) fn learn(&mut self, places: &[(u32, f64)], impressions: u32, clicks: u32) {
        let probability = logistic(self.base() + self.addition(places));
        let error = f64::from(impressions) * probability - f64::from(clicks);
        for (place, amount) in places {
            let gradient = error * amount;
            let weight = self.weight(*place);
            let (Exact(gradients), Exact(squares)) = self.coordinates.entry(*place).or_default();
            let grown = *squares + gradient * gradient;
            *gradients +=
                gradient - (libm::sqrt(grown) - libm::sqrt(*squares)) / self.options.learning_rate * weight;
            *squares = grown;
        }
        self.impressions += u64::from(impressions);
        self.clicks += u64::from(clicks);
    }

    /// The predicted click-through of each ad, with the Beta prior that it is worth.
    ///
    /// A feature that the model has never seen adds nothing.
    ///
    /// # Errors
    /// `invalid_input` that names the ad and the feature.
    pub fn predict(&self, ads: &[CtrAd], version: u64) -> Result<Vec<CtrPrediction>> {
        ads.iter().enumerate().map(|(index, ad)| self.predict_one(index, ad, version)).collect()
    }

    fn predict_one(&self, index: usize, ad: &CtrAd, version: u64) -> Result<CtrPrediction> {
        check(&ad.features).map_err(|problem| {
            Error::invalid("allocation.predict_ctr", format!("ads[{index}].features.{problem}"))
        })?;
        let places = hashed(&ad.features, self.options.hash_bits);
        let ctr = self.calibration.probability(self.base(), self.addition(&places));
        // A prior is worth at least the one click with which every ad begins.
        let effective_impressions = self.effective_impressions.map_or(0.0, |worth| worth.0).max(1.0 / ctr);
        Ok(CtrPrediction {
            ad_id: ad.ad_id.clone(),
            ctr,
            alpha: ctr * effective_impressions,
            beta: (1.0 - ctr) * effective_impressions,
            effective_impressions,
            version,
        })
    }
}

/// The probability at these log-odds.
pub(super) fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-log_odds.clamp(-30.0, 30.0)))
}
