use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::Minor;

use super::model::{CreditModel, CreditParameters};

/// What a model gives each channel. The channels and `unattributed` sum to `total` exactly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Credits {
    /// The model.
    pub model: CreditModel,
    /// What it ran with, defaults filled in.
    pub parameters: CreditParameters,
    /// Every channel with a touch that counts, by name.
    pub channels: Vec<ChannelCredit>,
    /// Of conversions without a touch that counts.
    pub unattributed: CreditTotal,
    /// Of all conversions.
    pub total: CreditTotal,
    /// Of Markov's chain: the probability that a walk from the start ends in a conversion.
    pub conversion_probability: Option<f64>,
}

/// The credit of one channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChannelCredit {
    /// The channel.
    pub channel: String,
    /// Its conversions, in millionths of one.
    pub conversions_millionths: i64,
    /// Its value, in minor units.
    pub value_minor: Minor,
    /// Its touches that count, in converting paths and others, each as often as its path was gone.
    pub touch_count: u64,
    /// Markov's removal effect: the share of conversions that would be lost without the channel, 0 to 1.
    pub removal_effect: Option<f64>,
}

/// Conversions and what they are worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreditTotal {
    /// Conversions, in millionths of one.
    pub conversions_millionths: i64,
    /// Value, in minor units.
    pub value_minor: Minor,
}
