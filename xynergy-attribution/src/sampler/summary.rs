use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::millionths::Ratio;

/// What is believed of an ad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PosteriorSummary {
    /// Clicks an impression.
    pub click_through: ClickThrough,
    /// What a unit of spend brings back; nothing while no ad has brought anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned: Option<ReturnOnSpend>,
}

/// A click-through, as a part of 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClickThrough {
    /// The mean.
    pub mean: Ratio,
    /// 5 % of the posterior lies below it.
    pub low: Ratio,
    /// 5 % of the posterior lies above it.
    pub high: Ratio,
}

/// A return on spend: minor units a minor unit, what is still to come of it included. The interval is that of the ad beside the pool,
/// whose own rate is taken as known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReturnOnSpend {
    /// The mean.
    pub mean: Ratio,
    /// 5 % of the posterior lies below it.
    pub low: Ratio,
    /// 5 % of the posterior lies above it.
    pub high: Ratio,
}
