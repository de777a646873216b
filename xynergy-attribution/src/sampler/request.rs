use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::ads::OwnerLevel;
use xynergy_core::{Currency, Error, Minor, Result};

use super::constraints::Constraints;
use super::options::SamplerOptions;

/// The draws of an allocation unless it asks for others.
pub const DEFAULT_DRAWS: u32 = 10_000;

const OPERATION: &str = "allocation.select";

/// Counts and amounts up to here are exact in every step of the sampler.
const LARGEST: i64 = 1_000_000_000_000_000;
const MOST_DRAWS: u32 = 10_000_000;

/// What an allocation is computed from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AllocationRequest {
    /// The currency of every amount, for the reasons in words.
    pub currency: Currency,
    /// The objects that hold a budget, in any order.
    pub owners: Vec<OwnerBudget>,
    /// The limits of the new budgets.
    pub constraints: Constraints,
    /// The seed of the draws.
    pub seed: u64,
    /// How many draws: 1 to 10,000,000, usually [`DEFAULT_DRAWS`].
    pub draws: u32,
    /// Learns from what was observed and fed back, and not from figures in the request. The ads' figures are left out then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampler: Option<SamplerOptions>,
}

/// An object that holds a daily budget, and its ads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnerBudget {
    /// The ad set's or campaign's id.
    pub owner_id: String,
    /// Where the budget sits.
    pub level: OwnerLevel,
    /// The daily budget now, in minor units.
    pub current_minor: Minor,
    /// The ads that the budget pays for, in any order.
    pub ads: Vec<AdEvidence>,
    /// Its own least daily budget, in place of the constraints'.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_minor: Option<Minor>,
    /// Its own greatest daily budget, in place of the constraints'.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_minor: Option<Minor>,
    /// The group of [`Constraints::groups`] that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Whether the platform is still learning how to deliver it: it keeps its budget then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub learning: bool,
}

/// An ad, and what it did over the period that the request looks at. Figures that are left out are 0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AdEvidence {
    /// The ad's id.
    pub ad_id: String,
    /// Whether the ad runs. One that does not still informs the pool, and gets no share.
    pub active: bool,
    /// How often it was shown.
    #[serde(default)]
    pub impressions: i64,
    /// How often it was clicked; at most the impressions.
    #[serde(default)]
    pub clicks: i64,
    /// What was spent on it, in minor units.
    #[serde(default)]
    pub spend_minor: Minor,
    /// The deals attributed to it, lost ones included.
    #[serde(default)]
    pub deals: i64,
    /// What these deals are worth at their stages, in minor units.
    #[serde(default)]
    pub value_minor: Minor,
    /// What is expected of it before it has evidence; only with [`AllocationRequest::sampler`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior: Option<AdPrior>,
}

/// What is expected of an ad before it has evidence of its own, from winners like it or from a model. What is left out is as in
/// the pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdPrior {
    /// The click-through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub click_through: Option<BetaPrior>,
    /// The return.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned: Option<ReturnPrior>,
}

/// A Beta distribution: as of `alpha` clicks and `beta` impressions without one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BetaPrior {
    /// Above 0, at most 10^12.
    pub alpha: f64,
    /// At least 1, at most 10^12.
    pub beta: f64,
}

/// What a unit of spend is expected to bring, beside the pool's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnPrior {
    /// How many times as many deals as the pool's, for its click-through: 0.001 to 1,000.
    pub factor: f64,
    /// How many deals this counts for: above 0, at most 10,000.
    pub deals: f64,
}

impl OwnerBudget {
    /// An owner within the constraints' limits, in no group.
    pub fn new(
        owner_id: impl Into<String>,
        level: OwnerLevel,
        current_minor: Minor,
        ads: Vec<AdEvidence>,
    ) -> Self {
        Self {
            owner_id: owner_id.into(),
            level,
            current_minor,
            ads,
            min_minor: None,
            max_minor: None,
            group: None,
            learning: false,
        }
    }
}

impl AllocationRequest {
    /// Checks every field; the error names the first that is wrong.
    pub(super) fn validate(&self) -> Result<()> {
        if self.owners.is_empty() {
            return Err(invalid("owners: there are none; give at least one ad set or campaign with its ads"));
        }
        if self.owners.iter().all(|owner| owner.ads.is_empty()) {
            return Err(invalid("owners: none of them has an ad; give each owner its ads"));
        }
        validate_draws(OPERATION, self.draws)?;
        self.constraints.validate()?;
        if let Some(sampler) = &self.sampler {
            sampler.validate(OPERATION)?;
        }
        let mut owners = BTreeSet::new();
        let mut ads = BTreeSet::new();
        for owner in &self.owners {
            if !owners.insert(owner.owner_id.as_str()) {
                return Err(invalid(format!(
                    "owners: {} is given twice; merge its ads into one row",
                    owner.owner_id
                )));
            }
            amount(&format!("owner {}: current_minor", owner.owner_id), owner.current_minor)?;
            self.constraints.validate_owner(owner)?;
            for ad in &owner.ads {
                if !ads.insert(ad.ad_id.as_str()) {
                    return Err(invalid(format!(
                        "ads: {} is given twice; an ad has one owner and one row",
                        ad.ad_id
                    )));
                }
                ad.validate(self.sampler.is_some())?;
            }
        }
        Ok(())
    }
}

impl AdEvidence {
    fn validate(&self, with_sampler: bool) -> Result<()> {
        let fields = [
            ("impressions", self.impressions),
            ("clicks", self.clicks),
            ("spend_minor", self.spend_minor),
            ("deals", self.deals),
            ("value_minor", self.value_minor),
        ];
        for (name, value) in fields {
            amount(&format!("ad {}: {name}", self.ad_id), value)?;
            if with_sampler && value > 0 {
                return Err(invalid(format!(
                    "ad {}: {name}: the sampler learns from allocation.observe and allocation.feedback; leave it out, or leave out sampler",
                    self.ad_id
                )));
            }
        }
        match self.prior {
            Some(prior) if with_sampler => prior.validate(&self.ad_id)?,
            Some(_) => {
                return Err(invalid(format!(
                    "ad {}: prior: counts with the sampler only; leave it out, or give sampler",
                    self.ad_id
                )));
            }
            None => {}
        }
        if self.clicks > self.impressions {
            return Err(invalid(format!(
                "ad {}: clicks: {} are more than its {} impressions; take both from the same period",
                self.ad_id, self.clicks, self.impressions
            )));
        }
        if self.deals == 0 && self.value_minor > 0 {
            return Err(invalid(format!(
                "ad {}: deals: 0 deals cannot be worth {} minor units; count the deals behind value_minor",
                self.ad_id, self.value_minor
            )));
        }
        Ok(())
    }
}

impl BetaPrior {
    pub(super) fn validate(self, operation: &'static str, ad_id: &str) -> Result<()> {
        const LARGEST: f64 = 1e12;
        for (name, value, least) in [("alpha", self.alpha, 1e-6), ("beta", self.beta, 1.0)] {
            if !(least..=LARGEST).contains(&value) {
                return Err(Error::invalid(
                    operation,
                    format!("ad {ad_id}: click_through: {name}: {value} is not {least} to {LARGEST:e}"),
                ));
            }
        }
        Ok(())
    }
}

impl AdPrior {
    fn validate(self, ad_id: &str) -> Result<()> {
        if let Some(beta) = self.click_through {
            beta.validate(OPERATION, ad_id)?;
        }
        if let Some(ReturnPrior { factor, deals }) = self.returned {
            for (name, value, least, most) in [("factor", factor, 1e-3, 1e3), ("deals", deals, 1e-3, 1e4)] {
                if !(least..=most).contains(&value) {
                    return Err(invalid(format!(
                        "ad {ad_id}: prior: returned: {name}: {value} is not {least} to {most}"
                    )));
                }
            }
        }
        Ok(())
    }
}

pub(super) fn validate_draws(operation: &'static str, draws: u32) -> Result<()> {
    if (1..=MOST_DRAWS).contains(&draws) {
        return Ok(());
    }
    Err(Error::invalid(
        operation,
        format!("draws: {draws} is not 1 to {MOST_DRAWS}; {DEFAULT_DRAWS} is usual"),
    ))
}

pub(super) fn amount(field: &str, value: i64) -> Result<()> {
    match value {
        0..=LARGEST => Ok(()),
        i64::MIN..0 => Err(invalid(format!("{field}: {value} is negative; give 0 or more"))),
        _ => Err(invalid(format!("{field}: {value} is above {LARGEST}; check its unit"))),
    }
}

pub(super) fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::invalid(OPERATION, message)
}
