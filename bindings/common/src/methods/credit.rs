use schemars::JsonSchema;
use serde::Deserialize;
#[cfg(feature = "arrow")]
use xynergy::ErrorKind;
use xynergy::attribution::{
    AfterConversion, CreditModel, CreditParameters, Credits, Journey, PositionWeights, TouchPath,
};

use super::methods;
#[cfg(feature = "arrow")]
use super::read_as;

methods! {
    /// The credit of every channel in `paths` by one model, in whole millionths of a conversion and minor units that sum to the
    /// total exactly. The answer names the model and the parameters that it ran with. `direct_channels` belongs to
    /// `last_non_direct`, `weights` to `position`, `half_life_seconds` to `time_decay`, `order` (1 to 4) and `nulls` to `markov`;
    /// `lookback_days` and `lookback_steps` to all. Nothing is stored.
    "attribution.credit"(paths, model, lookback_days, lookback_steps, direct_channels, weights, half_life_seconds, order, nulls)
        Value CreditArguments => Credits = |session, a: CreditArguments| async move {
            let parameters = CreditParameters {
                direct_channels: a.direct_channels,
                weights: a.weights,
                half_life_seconds: a.half_life_seconds,
                order: a.order,
                nulls: a.nulls,
                lookback_days: a.lookback_days,
                lookback_steps: a.lookback_steps,
            };
            session.scope.attribution().credit(&a.paths, a.model, &parameters)
        };

    /// The paths of journeys, for `attribution.credit`: one for each conversion, and one without a conversion for the touches after
    /// the last one. With `after_conversion` as `restart` a conversion's path begins behind the conversion before it.
    "attribution.paths"(journeys, after_conversion) Value PathsArguments => Vec<TouchPath> = |session, a: PathsArguments| async move {
        session.scope.attribution().paths(&a.journeys, a.after_conversion.unwrap_or_default())
    };
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreditArguments {
    /// The touches before conversions, and before none.
    paths: Vec<TouchPath>,
    /// How the conversions are divided.
    model: CreditModel,
    /// Only touches at most so many days before the conversion count.
    #[serde(default)]
    lookback_days: Option<u32>,
    /// Only the last so many touches count.
    #[serde(default)]
    lookback_steps: Option<u32>,
    /// The channels that are no marketing: `["direct"]` by default.
    #[serde(default)]
    direct_channels: Option<Vec<String>>,
    /// Of the first touch, those between together, and the last: 40, 20 and 40 by default.
    #[serde(default)]
    weights: Option<PositionWeights>,
    /// 7 days by default.
    #[serde(default)]
    half_life_seconds: Option<u64>,
    /// How many touches the chain remembers: 1 to 4, 1 by default.
    #[serde(default)]
    order: Option<u8>,
    /// Whether paths without a conversion are part of the chain: true by default.
    #[serde(default)]
    nulls: Option<bool>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PathsArguments {
    /// What is known of each person.
    journeys: Vec<Journey>,
    /// Which touches a further conversion is owed to: `keep` (all before it, the default) or `restart`.
    #[serde(default)]
    after_conversion: Option<AfterConversion>,
}

/// What to make of a table of paths.
#[cfg(feature = "arrow")]
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnsCredit {
    /// What stands between the channels of a text.
    #[serde(default)]
    pub separator: Option<String>,
    /// How the conversions are divided.
    pub model: CreditModel,
}

#[cfg(feature = "arrow")]
impl ColumnsCredit {
    /// From JSON, with the model's parameters from their own.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the argument.
    pub fn from_json(chosen: &str, parameters: &str) -> xynergy::Result<(Self, CreditParameters)> {
        let operation = "arrow.credit";
        let chosen = read_as(ErrorKind::InvalidInput, operation, chosen)?;
        Ok((chosen, read_as(ErrorKind::InvalidInput, operation, parameters)?))
    }
}
