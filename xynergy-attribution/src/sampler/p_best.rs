use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::{Error, Result};

use super::best::Score;
use super::millionths::Millionths;
use super::options::{SamplerOptions, ScoringMethod, ShareBy};
use super::posterior::Beta;
use super::request::BetaPrior;
use super::standing::standings_of;
use super::thompson::Standing;

const OPERATION: &str = "allocation.probability_best";

/// An ad by its click-through alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BetaAd {
    /// The ad's id.
    pub ad_id: String,
    /// What is believed of its click-through.
    pub click_through: BetaPrior,
}

/// How probable it is that an ad is the best.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BestProbability {
    /// The ad's id.
    pub ad_id: String,
    /// The probability. Those of all ads sum to one.
    pub probability: Millionths,
    /// The mean of its part in the sum of all.
    pub mean_share: Millionths,
}

/// P(best) and mean shares of ads by what is believed of their click-throughs, in the order given: for campaigns whose Beta posteriors
/// come from elsewhere.
///
/// `seed` and `draws` count with [`ScoringMethod::Draws`] alone.
///
/// # Errors
/// [`InvalidInput`](xynergy_core::ErrorKind::InvalidInput) that names the field: no ads, one twice, a parameter that is not a number
/// in range, or a wrong number of draws.
pub fn probability_best(
    ads: &[BetaAd],
    method: ScoringMethod,
    seed: u64,
    draws: u32,
) -> Result<Vec<BestProbability>> {
    if ads.is_empty() {
        return Err(Error::invalid(OPERATION, "ads: there are none; give at least one"));
    }
    if method == ScoringMethod::Draws {
        super::request::validate_draws(OPERATION, draws)?;
    }
    let mut seen = BTreeSet::new();
    let mut scores = Vec::with_capacity(ads.len());
    for ad in ads {
        if !seen.insert(ad.ad_id.as_str()) {
            return Err(Error::invalid(
                OPERATION,
                format!("ads: {} is given twice; give each ad once", ad.ad_id),
            ));
        }
        ad.click_through.validate(OPERATION, &ad.ad_id)?;
        scores.push(Score::click(Beta { alpha: ad.click_through.alpha, beta: ad.click_through.beta }));
    }
    let options = SamplerOptions { method, share_by: ShareBy::Mean, ..SamplerOptions::default() };
    let standings = standings_of(&scores, &options, seed, draws);
    Ok(ads
        .iter()
        .zip(standings)
        .map(|(ad, Standing { share, probability })| BestProbability {
            ad_id: ad.ad_id.clone(),
            probability,
            mean_share: share,
        })
        .collect())
}
