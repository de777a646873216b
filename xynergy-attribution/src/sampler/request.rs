use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::ads::OwnerLevel;
use xynergy_core::{Currency, Error, Minor, Result};

/// The draws of an allocation unless it asks for others.
pub const DEFAULT_DRAWS: u32 = 10_000;

/// Counts and amounts up to here are exact in every step of the sampler.
const LARGEST: i64 = 1_000_000_000_000_000;
const MOST_DRAWS: u32 = 10_000_000;

/// What an allocation is computed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
}

/// An object that holds a daily budget, and its ads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OwnerBudget {
    /// The ad set's or campaign's id.
    pub owner_id: String,
    /// Where the budget sits.
    pub level: OwnerLevel,
    /// The daily budget now, in minor units.
    pub current_minor: Minor,
    /// The ads that the budget pays for, in any order.
    pub ads: Vec<AdEvidence>,
}

/// What one ad did over the period that the request looks at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdEvidence {
    /// The ad's id.
    pub ad_id: String,
    /// Whether the ad runs. One that does not still informs the pool, and gets no share.
    pub active: bool,
    /// How often it was shown.
    pub impressions: i64,
    /// How often it was clicked; at most the impressions.
    pub clicks: i64,
    /// What was spent on it, in minor units.
    pub spend_minor: Minor,
    /// The deals attributed to it, lost ones included.
    pub deals: i64,
    /// What these deals are worth at their stages, in minor units.
    pub value_minor: Minor,
}

/// The limits of the new budgets. A single change is limited to a fifth of the present budget besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Constraints {
    /// What the new daily budgets of owners with active ads sum to, in minor units.
    pub total_daily_minor: Minor,
    /// The least daily budget of an owner, in minor units.
    pub min_minor: Minor,
    /// The greatest daily budget of an owner, in minor units.
    pub max_minor: Minor,
}

impl AllocationRequest {
    /// Checks every field; the error names the first that is wrong.
    pub(super) fn validate(&self) -> Result<()> {
        if self.owners.is_empty() {
            return Err(invalid("owners: there are none; give at least one ad set or campaign with its ads"));
        }
        if !(1..=MOST_DRAWS).contains(&self.draws) {
            return Err(invalid(format!(
                "draws: {} is not 1 to {MOST_DRAWS}; {DEFAULT_DRAWS} is usual",
                self.draws
            )));
        }
        self.constraints.validate()?;
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
            for ad in &owner.ads {
                if !ads.insert(ad.ad_id.as_str()) {
                    return Err(invalid(format!(
                        "ads: {} is given twice; an ad has one owner and one row",
                        ad.ad_id
                    )));
                }
                ad.validate()?;
            }
        }
        Ok(())
    }
}

impl AdEvidence {
    fn validate(&self) -> Result<()> {
        let fields = [
            ("impressions", self.impressions),
            ("clicks", self.clicks),
            ("spend_minor", self.spend_minor),
            ("deals", self.deals),
            ("value_minor", self.value_minor),
        ];
        for (name, value) in fields {
            amount(&format!("ad {}: {name}", self.ad_id), value)?;
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

impl Constraints {
    fn validate(self) -> Result<()> {
        amount("constraints: total_daily_minor", self.total_daily_minor)?;
        amount("constraints: min_minor", self.min_minor)?;
        amount("constraints: max_minor", self.max_minor)?;
        if self.min_minor > self.max_minor {
            return Err(invalid(format!(
                "constraints: min_minor: {} is above max_minor {}; lower it or raise max_minor",
                self.min_minor, self.max_minor
            )));
        }
        Ok(())
    }
}

fn amount(field: &str, value: i64) -> Result<()> {
    match value {
        0..=LARGEST => Ok(()),
        i64::MIN..0 => Err(invalid(format!("{field}: {value} is negative; give 0 or more"))),
        _ => Err(invalid(format!("{field}: {value} is above {LARGEST}; check its unit"))),
    }
}

fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::invalid("allocation.select", message)
}
