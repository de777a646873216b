use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::{Minor, Timestamp};

use super::allocate::{Allocation, OwnerAllocation};
use super::millionths::Millionths;

/// One ad in one allocation, as the evaluation of other policies reads it: what could have been done, with what probability.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AllocationLogRow {
    /// The allocation.
    pub decision_id: String,
    /// When it was made.
    pub decided_at: Timestamp,
    /// The ad: the action.
    pub ad_id: String,
    /// The object whose budget it draws on.
    pub owner_id: String,
    /// The probability with which a unit of the budgets went to the ad under the policy that was in force.
    pub propensity: Millionths,
    /// The probability that it is the best ad, as was believed then.
    pub probability: Millionths,
    /// The owner's proposed daily budget, in minor units.
    pub budget_minor: Minor,
    /// What came of it, in minor units, where that is known: not when the allocation is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward_minor: Option<Minor>,
}

/// The rows of an allocation, by owner and ad, those of ads that do not run left out.
///
/// Of an allocation from figures given whole, which has no propensities, they are computed as the sampler's are.
pub fn log_rows(decision_id: &str, decided_at: Timestamp, allocation: &Allocation) -> Vec<AllocationLogRow> {
    let mut rows = allocation.rows.clone();
    super::allocate::add_propensities(&mut rows);
    rows.iter()
        .flat_map(|owner: &OwnerAllocation| {
            owner.ads.iter().filter(|ad| ad.share > Millionths::default()).map(|ad| AllocationLogRow {
                decision_id: decision_id.to_owned(),
                decided_at,
                ad_id: ad.ad_id.clone(),
                owner_id: owner.owner_id.clone(),
                propensity: ad.propensity.unwrap_or_default(),
                probability: ad.probability,
                budget_minor: owner.proposed_minor,
                reward_minor: None,
            })
        })
        .collect()
}
