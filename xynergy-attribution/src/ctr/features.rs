use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use xynergy_core::{Error, Result};

const MOST_FEATURES: usize = 1000;

/// What is known of an impression, by name.
pub type Features = BTreeMap<String, FeatureValue>;

/// The value of a feature: a scalar. Texts and booleans are categories, a number is a quantity (of its logarithm), and null is one more
/// category: that it is not known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FeatureValue {
    /// Not known.
    Null,
    /// Yes or no.
    Boolean(bool),
    /// A quantity.
    Number(f64),
    /// A category.
    Text(String),
}

/// Impressions with the same features, and their clicks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CtrRow {
    /// What is known of them: texts, numbers, booleans or null by name.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub features: Features,
    /// How many of them were clicked.
    pub clicks: u32,
    /// How many there were: 1 by default.
    #[serde(default = "one")]
    pub impressions: u32,
    /// The ad, to learn from how far ads lie from their predictions; it is no feature.
    #[serde(default)]
    pub ad_id: Option<String>,
}

fn one() -> u32 {
    1
}

impl CtrRow {
    pub(super) fn validate(&self, index: usize) -> Result<()> {
        let invalid = |message: String| Err(Error::invalid("allocation.train_ctr", message));
        if self.impressions == 0 {
            return invalid(format!(
                "rows[{index}].impressions: 0 impressions teach nothing; leave the row out"
            ));
        }
        if self.clicks > self.impressions {
            return invalid(format!(
                "rows[{index}].clicks: {} are more than its {} impressions; take both from the same period",
                self.clicks, self.impressions
            ));
        }
        check(&self.features).map_err(|problem| {
            Error::invalid("allocation.train_ctr", format!("rows[{index}].features.{problem}"))
        })
    }
}

/// What is wrong with features, beginning with the name of the first that is.
pub(super) fn check(features: &Features) -> std::result::Result<(), String> {
    if features.len() > MOST_FEATURES {
        return Err(format!("*: {} features are above {MOST_FEATURES}", features.len()));
    }
    for (name, value) in features {
        if let FeatureValue::Number(number) = value
            && !number.is_finite()
        {
            return Err(format!("{name}: {number} is no finite number; give null for what is not known"));
        }
    }
    Ok(())
}

/// The places of features among `2^bits` and what stands there. Two features at one place are added.
pub(super) fn hashed(features: &Features, bits: u8) -> Vec<(u32, f64)> {
    let mut places: BTreeMap<u32, f64> = BTreeMap::new();
    for (name, value) in features {
        let (kind, text, amount) = match value {
            FeatureValue::Null => ('n', "", 1.0),
            FeatureValue::Boolean(true) => ('b', "true", 1.0),
            FeatureValue::Boolean(false) => ('b', "false", 1.0),
            FeatureValue::Text(text) => ('t', text.as_str(), 1.0),
            // Amounts of money and times of a day are comparable after this, and no row is a thousand times another.
            FeatureValue::Number(number) => ('q', "", libm::copysign(libm::log1p(number.abs()), *number)),
        };
        *places.entry(place(name, kind, text, bits)).or_default() += amount;
    }
    places.into_iter().collect()
}

/// The first 32 bits of the SHA-256 of the length of the name, the name, the kind and the text, of which the upper `bits` count.
fn place(name: &str, kind: char, text: &str, bits: u8) -> u32 {
    let mut hash = Sha256::new();
    hash.update((name.len() as u64).to_be_bytes());
    hash.update(name.as_bytes());
    hash.update([kind as u8]);
    hash.update(text.as_bytes());
    let digest = hash.finalize();
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) >> (32 - u32::from(bits))
}
